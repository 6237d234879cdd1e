//! `modelyard list`.

use serde_json::json;

use super::story::Story;

#[test]
fn models_versions_and_deployments_are_tables_for_people() {
    let story = Story::begin();
    insta::assert_snapshot!(story.run(&["list"]).report(), @r#"
    $ modelyard list
    exit: 0
    --- stdout
    MODEL          TITLE               RELEASED  VERSIONS  ALIASES         OWNERS
    text/topics    Topics of letters   -         0         -               text
    vision/digits  Handwritten digits  1.1.0     3         champion=1.1.0  vision
    --- stderr
    "#);
    insta::assert_snapshot!(story.run(&["list", "versions"]).report(), @r#"
    $ modelyard list versions
    exit: 0
    --- stdout
    VERSION                   LIFECYCLE   FORMAT     SCORE          SIZE       CREATED     ALIASES
    vision/digits:2.0.0-rc.1  staged      onnx fp32  accuracy 0.97  10.00 KiB  2026-02-01  -
    vision/digits:1.1.0       released    onnx fp32  accuracy 0.95  10.00 KiB  2026-02-01  champion
    vision/digits:1.0.0       deprecated  onnx fp32  accuracy 0.9   10.00 KiB  2026-02-01  -
    --- stderr
    "#);
    insta::assert_snapshot!(story.run(&["list", "deployments"]).report(), @r#"
    $ modelyard list deployments
    exit: 0
    --- stdout
    DEPLOYMENT      SERVES                          STRATEGY  STATE
    factory/digits  vision/digits:champion (1.1.0)  rolling   active
    --- stderr
    "#);
}

#[test]
fn machines_get_json_yaml_and_names() {
    let story = Story::begin();
    let models = story.run(&["list", "--output", "json"]).success().json();
    assert_eq!(
        models["models"][1],
        json!({
            "model": "vision/digits", "title": "Handwritten digits", "owners": ["vision"],
            "visibility": "internal",
            "classification": {"technology": "computer-vision", "task": "image-classification"},
            "released": "1.1.0", "newest": "2.0.0-rc.1", "versions": 3,
            "aliases": {"champion": "1.1.0"},
        })
    );
    let names = story
        .run(&["list", "versions", "--output", "name"])
        .success();
    assert_eq!(
        names.stdout,
        "vision/digits:2.0.0-rc.1\nvision/digits:1.1.0\nvision/digits:1.0.0\n"
    );
    let yaml = story.run(&["list", "deployments", "-o", "yaml"]).success();
    insta::assert_snapshot!(yaml.stdout, @r#"
    deployments:
      - environment: factory
        name: digits
        serves:
          - model: vision/digits
            asked: champion
            version: 1.1.0
        strategy: rolling
        suspended: false
    "#);
}

#[test]
fn a_filter_chooses_by_any_field_of_version_and_model() {
    let story = Story::begin();
    let names = |arguments: &[&str]| {
        let mut all = vec!["list"];
        all.extend(arguments);
        all.extend(["--output", "name"]);
        story.run(&all).success().stdout.replace('\n', " ")
    };
    for (arguments, found) in [
        (&["--where", "lifecycle=released"][..], "vision/digits "),
        (
            &["--where", "classification.technology=nlp"],
            "text/topics ",
        ),
        (&["--where", "owners.team=vision"], "vision/digits "),
        (&["--where", "lifecycle=retired"], ""),
        (&["models", "text/*"], "text/topics "),
        (
            &["versions", "--where", "alias=champion"],
            "vision/digits:1.1.0 ",
        ),
        (
            &[
                "versions",
                "--where",
                "metrics.accuracy>=0.95",
                "--where",
                "labels.line=3",
            ],
            "vision/digits:2.0.0-rc.1 vision/digits:1.1.0 ",
        ),
        (
            &[
                "versions",
                "--where",
                "targetDevices=cuda and not lifecycle=staged and score<0.95",
            ],
            "vision/digits:1.0.0 ",
        ),
        (
            &["deployments", "--where", "environment=factory"],
            "factory/digits ",
        ),
        (&["deployments", "text/*"], ""),
    ] {
        assert_eq!(names(arguments), found, "{arguments:?}");
    }
}

#[test]
fn a_mistyped_field_is_told_with_its_place() {
    let story = Story::begin();
    let listed = story.run(&[
        "list",
        "--where",
        "lifecycle=released and metics.accuracy>0.9",
    ]);
    insta::assert_snapshot!(listed.exits(2).stderr, @r#"
    error[invalid-filter]: there is no field `metics`, at column 24 of the filter
            lifecycle=released and metics.accuracy>0.9
                                   ^
      help: did you mean `metrics`?
      more: modelyard explain invalid-filter
    "#);
}

#[test]
fn the_yard_is_read_at_any_revision_and_from_anywhere() {
    let story = Story::begin();
    story.git(&["tag", "before"]);
    story.version("1.2.0", "staged", 0.96, &super::story::digest('4'));
    story.commit("1.2.0");
    story.version("1.3.0", "staged", 0.96, &super::story::digest('5'));
    let count = |arguments: &[&str]| {
        let mut all = vec!["list", "versions", "--output", "name"];
        all.extend(arguments);
        story.run(&all).success().stdout.lines().count()
    };
    assert_eq!(count(&[]), 5, "the work tree, as it lies");
    assert_eq!(count(&["--at", "HEAD"]), 4);
    assert_eq!(count(&["--at", "before"]), 3);
    let url = format!("file://{}", story.sandbox.path("").display());
    assert_eq!(count(&["--yard", &url]), 4);
    let before = story.git(&["rev-parse", "before"]);
    assert_eq!(count(&["--yard", &url, "--at", before.line()]), 3);
    let unknown = story.run(&["list", "--at", "nowhere"]).exits(2);
    unknown.says("error[unknown-revision]");
}

#[test]
fn a_broken_record_is_told_and_hides_no_other() {
    let story = Story::begin();
    story.write(
        "models/vision/digits/versions/1.1.0.yaml",
        "kind: [ModelVersion\n",
    );
    let listed = story.run(&["list", "versions"]);
    insta::assert_snapshot!(listed.report(), @r#"
    $ modelyard list versions
    exit: 0
    --- stdout
    VERSION                   LIFECYCLE   FORMAT     SCORE          SIZE       CREATED     ALIASES
    vision/digits:2.0.0-rc.1  staged      onnx fp32  accuracy 0.97  10.00 KiB  2026-02-01  -
    vision/digits:1.0.0       deprecated  onnx fp32  accuracy 0.9   10.00 KiB  2026-02-01  -
    --- stderr
    not read: models/vision/digits/versions/1.1.0.yaml:1:7: a `[` is opened and never closed
    `modelyard check` tells all that is wrong
    "#);
    let machine = story
        .run(&["list", "versions", "-o", "json"])
        .success()
        .json();
    assert_eq!(machine["unreadable"].as_array().unwrap().len(), 1);
}
