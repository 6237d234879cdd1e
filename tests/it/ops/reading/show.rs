//! `modelyard show`.

use serde_json::json;

use super::story::{Story, digest};

#[test]
fn a_model_is_shown_with_its_versions_and_deployments() {
    let story = Story::begin();
    insta::assert_snapshot!(story.run(&["show", "vision/digits"]).report(), @r#"
    $ modelyard show vision/digits
    exit: 0
    --- stdout
    vision/digits  Handwritten digits
      description  Reads one digit from a small gray image.
      owners       vision <vision@example.com>
      visibility   internal
      technology   computer-vision
      task         image-classification
      license      Apache-2.0
      labels       line=3
      aliases      champion=1.1.0
      card         models/vision/digits/README.md
      record       models/vision/digits/model.yaml

    VERSION                   LIFECYCLE   FORMAT     SCORE          SIZE       CREATED     ALIASES
    vision/digits:2.0.0-rc.1  staged      onnx fp32  accuracy 0.97  10.00 KiB  2026-02-01  -
    vision/digits:1.1.0       released    onnx fp32  accuracy 0.95  10.00 KiB  2026-02-01  champion
    vision/digits:1.0.0       deprecated  onnx fp32  accuracy 0.9   10.00 KiB  2026-02-01  -

    DEPLOYMENT      SERVES
    factory/digits  vision/digits:champion (1.1.0)
    --- stderr
    "#);
}

#[test]
fn a_version_is_shown_with_what_it_still_lacks() {
    let story = Story::begin();
    insta::assert_snapshot!(story.run(&["show", "vision/digits:champion"]).report(), @r#"
    $ modelyard show vision/digits:champion
    exit: 0
    --- stdout
    vision/digits:1.1.0  released
      aliases    champion
      changes    More scans.
      created    2026-02-01T09:30:00Z
      format     onnx 17
      runs code  nothing
      precision  fp32
      devices    cpu, cuda
      size       10.00 KiB
      artifact   oci-layout:./store/vision/digits@sha256:2222222222222222222222222222222222222222222222222222222222222222
      source     https://git.example.com/acme/train.git
      dataset    scans
      record     models/vision/digits/versions/1.1.0.yaml

    INPUT  DATATYPE  SHAPE
    image  FP32      [-1, 1, 8, 8]

    OUTPUT  DATATYPE  SHAPE
    label   INT64     [-1]

    METRIC            VALUE  BETTER  DATASET  DEVICE
    accuracy (score)  0.95   higher  holdout  -
    latency_ms        12.5   lower   -        cpu

    NEEDS         VERSION  FOR
    scikit-learn  1.9.1    to build
    numpy         -        to build

    DEPLOYMENT      SERVES
    factory/digits  vision/digits:champion (1.1.0)

    To be made again, its record lacks:
      dependencies.build.numpy.version  the exact version of the package
      lineage.source.commit             the commit of the code that made it
      lineage.datasets.scans.digest     which bytes the data are
    --- stderr
    "#);
    let shown = story
        .run(&["show", "vision/digits:1.0.0", "-o", "json"])
        .success()
        .json();
    assert_eq!(shown["version"], "1.0.0");
    assert_eq!(shown["aliases"], json!([]));
    assert_eq!(shown["deployments"], json!([]));
    assert_eq!(shown["record"]["spec"]["metrics"][0]["value"], 0.9);
    let lacking = shown["lacking"].as_array().unwrap();
    assert_eq!(lacking.len(), 3);
    assert_eq!(lacking[1]["field"], "lineage.source.commit");
}

#[test]
fn a_version_is_shown_with_everything_that_its_record_has() {
    let story = Story::begin();
    let record = story
        .sandbox
        .read("models/vision/digits/versions/1.0.0.yaml");
    let record = record.replace("  precision: fp32\n", MORE);
    let (record, _) = record.split_once("  dependencies:").unwrap();
    let record = format!("{record}{WHOLE}");
    story.write("models/vision/digits/versions/1.0.0.yaml", &record);
    insta::assert_snapshot!(story.run(&["show", "vision/digits:1.0.0"]).report(), @r#"
    $ modelyard show vision/digits:1.0.0
    exit: 0
    --- stdout
    vision/digits:1.0.0  deprecated
      changes          More scans.
      notes            Keep the camera
                       at 40 cm.
      links            Training report https://example.com/report
      author           Ada
      created          2026-02-01T09:30:00Z
      format           onnx 17
      runs code        nothing
      framework        pytorch 2.9.0
      precision        fp32
      devices          cpu, cuda
      runtime          onnx 1
      entrypoint       file: predict.py
                       function: predict
      environment      language: python
                       version: "3.11"
      hyperparameters  epochs: 40
      properties       team-code: A7
      size             10.00 KiB
      artifact         oci-layout:./store/vision/digits@sha256:1111111111111111111111111111111111111111111111111111111111111111
      images           modelcar registry.example.com/acme/digits@sha256:5555555555555555555555555555555555555555555555555555555555555555
      source           https://git.example.com/acme/train.git
                       at 4f2c1e904f2c1e904f2c1e904f2c1e904f2c1e90
                       train.py
      run              mlflow a1b2
                       https://mlflow.example.com/a1b2
      dataset          scans
                       s3://scans/3
                       sha256:6666666666666666666666666666666666666666666666666666666666666666
      imported         mlflow
                       models:/digits/12
      record           models/vision/digits/versions/1.0.0.yaml

    INPUT  DATATYPE  SHAPE
    image  FP32      [-1, 1, 8, 8]

    OUTPUT  DATATYPE  SHAPE
    label   INT64     [-1]

    PARAMETER  DATATYPE  DEFAULT  REQUIRED  DESCRIPTION
    threshold  FP32      0.5      no        Below it nothing is a digit.

    NEEDS        VERSION  FOR
    onnxruntime  >=1.20   to run
    torch        2.9.0    to build
    text/topics  ^1.0     its file vocab.txt

    No deployment serves it.

    Its record has all that is needed to make it again.
    --- stderr
    "#);
}

const MORE: &str = "  precision: fp32
  notes: |
    Keep the camera
    at 40 cm.
  author: Ada
  links: [{title: Training report, url: https://example.com/report}]
  framework: {name: pytorch, version: 2.9.0}
  entrypoint: {file: predict.py, function: predict}
  runtime: {name: onnx, version: \"1\"}
  environment: {language: python, version: \"3.11\"}
  hyperparameters: {epochs: 40}
  properties: {team-code: A7}
  parameters:
    - {name: threshold, datatype: FP32, default: 0.5, description: Below it nothing is a digit.}
  images:
    - purpose: modelcar
      repository: registry.example.com/acme/digits
      digest: sha256:5555555555555555555555555555555555555555555555555555555555555555
  imported: {from: mlflow, reference: \"models:/digits/12\"}
";

const WHOLE: &str = "  dependencies:
    run: [{name: onnxruntime, version: \">=1.20\"}]
    build: [{name: torch, version: 2.9.0}]
    models: [{name: words, producedBy: {model: text/topics, version: ^1.0, file: vocab.txt}}]
  lineage:
    source:
      repository: https://git.example.com/acme/train.git
      commit: 4f2c1e904f2c1e904f2c1e904f2c1e904f2c1e90
      path: train.py
    run: {system: mlflow, id: a1b2, url: https://mlflow.example.com/a1b2}
    datasets:
      - name: scans
        uri: s3://scans/3
        digest: sha256:6666666666666666666666666666666666666666666666666666666666666666
";

const FACTORY: &str = "\
apiVersion: modelyard.dev/v1
kind: Environment
metadata: {name: factory}
spec:
  target: {type: kubernetes, context: prod}
";

const SPLIT: &str = "\
apiVersion: modelyard.dev/v1
kind: Deployment
metadata: {name: split, environment: factory}
spec:
  split:
    - {model: vision/digits, version: champion, weight: 80}
    - {model: vision/digits, version: ^1.0, weight: 20}
    - {model: text/topics, weight: 0}
  route: {path: /digits, sticky: {header: x-session}}
  strategy: {type: canary, steps: [{weight: 5, for: 10m}, {weight: 50, approval: true}]}
  suspend: true
";

#[test]
fn a_deployment_is_shown_with_the_versions_that_it_serves() {
    let story = Story::begin();
    story.write("environments/factory.yaml", FACTORY);
    story.write("deployments/factory/split.yaml", SPLIT);
    insta::assert_snapshot!(story.run(&["show", "factory/split"]).report(), @r#"
    $ modelyard show factory/split
    exit: 0
    --- stdout
    factory/split  suspended
      serves    vision/digits:champion (1.1.0) weight 80
                vision/digits:^1.0 (1.1.0) weight 20
                text/topics (no version) weight 0
      target    type: kubernetes
                context: prod
      route     path: /digits
                sticky:
                  header: x-session
      strategy  type: canary
                steps:
                  - weight: 5
                    for: 10m
                  - weight: 50
                    approval: true
      record    deployments/factory/split.yaml

    VERSION              LIFECYCLE  FORMAT     SCORE          SIZE       CREATED     ALIASES
    vision/digits:1.1.0  released   onnx fp32  accuracy 0.95  10.00 KiB  2026-02-01  champion
    vision/digits:1.1.0  released   onnx fp32  accuracy 0.95  10.00 KiB  2026-02-01  champion
    --- stderr
    "#);
    let by_path = story.run(&["show", "deployments/factory/split", "-o", "json"]);
    let by_path = by_path.success().json();
    assert_eq!(by_path["environment"], "factory");
    assert_eq!(by_path["serves"][1]["version"], "1.1.0");
    assert_eq!(by_path["versions"][0]["version"], "1.1.0");
    assert_eq!(by_path["record"]["spec"]["split"][0]["weight"], 80);
    assert_eq!(by_path["target"]["type"], "kubernetes");
    let name = story.run(&["show", "factory/split", "-o", "name"]);
    assert_eq!(name.success().stdout, "factory/split\n");
}

#[test]
fn a_model_comes_before_a_deployment_of_its_name() {
    let story = Story::begin();
    story.write(
        "deployments/vision/digits.yaml",
        &SPLIT.replace(
            "name: split, environment: factory",
            "name: digits, environment: vision",
        ),
    );
    let model = story.run(&["show", "vision/digits"]).success();
    assert!(model.stdout.contains("Handwritten"), "{}", model.report());
    let deployment = story.run(&["show", "deployments/vision/digits"]).success();
    deployment.prints("vision/digits  suspended\n");
}

#[test]
fn the_yard_is_shown_as_it_was() {
    let story = Story::begin();
    story.version("1.1.0", "retired", 0.95, &digest('2'));
    story.git(&["rm", "--quiet", "deployments/factory/digits.yaml"]);
    story.commit("Retire 1.1.0");
    let lifecycle = |more: &[&str]| {
        let mut all = vec!["show", "vision/digits:1.1.0", "-o", "json"];
        all.extend(more);
        let shown = story.run(&all).success().json();
        let deployments = shown["deployments"].as_array().unwrap().len();
        (shown["record"]["spec"]["lifecycle"].clone(), deployments)
    };
    assert_eq!(lifecycle(&[]), (json!("retired"), 0));
    assert_eq!(lifecycle(&["--at", "HEAD~1"]), (json!("released"), 1));
    story
        .run(&["show", "vision/digits:1.1.0"])
        .success()
        .prints("No deployment serves it.");
}

#[test]
fn a_broken_record_is_told_and_hides_no_other() {
    let story = Story::begin();
    let broken = "spec: {title: [\n";
    story.write("models/vision/digits/versions/1.0.0.yaml", broken);
    story.write("deployments/factory/broken.yaml", broken);
    let shown = story.run(&["show", "vision/digits"]).success();
    assert!(
        shown.stdout.contains("vision/digits:1.1.0"),
        "{}",
        shown.report()
    );
    assert!(
        shown.stdout.contains("factory/digits"),
        "{}",
        shown.report()
    );
    shown
        .says("not read: models/vision/digits/versions/1.0.0.yaml:")
        .says("not read: deployments/factory/broken.yaml:");

    story.write("models/vision/digits/model.yaml", broken);
    let shown = story.run(&["show", "vision/digits"]).success();
    assert!(
        shown.stdout.contains("vision/digits:1.1.0"),
        "{}",
        shown.report()
    );
    shown.says("not read: models/vision/digits/model.yaml:");
    let shown = story.run(&["show", "vision/digits:1.1.0"]).success();
    shown.says("not read: models/vision/digits/model.yaml:");

    for name in ["vision/digits:1.0.0", "factory/broken"] {
        let shown = story.run(&["show", name]).exits(2);
        assert!(shown.stderr.contains(".yaml:1:"), "{}", shown.report());
    }
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let story = Story::begin();
    let shown = story.run(&["show", "vision/digit"]).exits(2);
    shown
        .says("error[no-such-model]")
        .says("did you mean vision/digits?");
    for (name, error) in [
        ("vision/digits:3.0.0", "error[no-such-version]"),
        ("vision/digits:^7", "error[no-such-version]"),
        ("vision/digits:nobody", "error[no-such-alias]"),
        ("factory/nothing", "error[no-such-model]"),
        ("deployments/factory/nothing", "error[no-such-record]"),
        ("Vision/digits", "`Vision` is not a name"),
        ("digits", "it has to be <namespace>/<name>"),
    ] {
        story.run(&["show", name]).exits(2).says(error);
    }
    story
        .run(&["show", "vision/digits", "--at", "v9"])
        .exits(2)
        .says("error[unknown-revision]");
}

#[test]
fn untrusted_text_moves_no_cursor() {
    let story = Story::begin();
    let record = story.sandbox.read("models/vision/digits/model.yaml");
    let record = record.replace("Handwritten digits", "\"\\e[2JHandwritten\\adigits\"");
    story.write("models/vision/digits/model.yaml", &record);
    for arguments in [
        &["show", "vision/digits"][..],
        &["list"],
        &["search", "digits"],
        &[
            "compare",
            "vision/digits:1.0.0",
            "vision/digits:1.1.0",
            "--no-files",
        ],
    ] {
        let outcome = story.run(arguments).success();
        assert!(
            !outcome.stdout.contains(['\u{1b}', '\u{7}']),
            "{}",
            outcome.report()
        );
    }
}
