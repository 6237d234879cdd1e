//! `modelyard compare`.

use serde_json::json;

use super::story::Story;
use crate::harness::{Sandbox, Yard};

#[test]
fn versions_stand_side_by_side_and_the_better_one_is_marked() {
    let story = Story::begin();
    let compared = story.run(&[
        "compare",
        "vision/digits:1.0.0",
        "vision/digits:champion",
        "vision/digits:2.0.0-rc.1",
        "--no-files",
    ]);
    insta::assert_snapshot!(compared.report(), @r#"
    $ modelyard compare vision/digits:1.0.0 vision/digits:champion vision/digits:2.0.0-rc.1 --no-files
    exit: 0
    --- stdout
    vision/digits               1.0.0               1.1.0               2.0.0-rc.1
    lifecycle                   deprecated          released            staged
    aliases                     -                   champion            -
    license                     Apache-2.0          Apache-2.0          Apache-2.0
    format                      onnx 17             onnx 17             onnx 17
    precision                   fp32                fp32                fp32
    devices                     cpu, cuda           cpu, cuda           cpu, cuda
    created                     2026-02-01          2026-02-01          2026-02-01
    size                        10.00 KiB           10.00 KiB           10.00 KiB
    score accuracy ↑ (holdout)  0.9                 0.95                0.97 *
    metric latency_ms ↓ (cpu)   12.5                12.5                12.5
    input image                 FP32 [-1, 1, 8, 8]  FP32 [-1, 1, 8, 8]  FP32 [-1, 1, 8, 8]
    output label                INT64 [-1]          INT64 [-1]          INT64 [-1]

    ↑ higher is better, ↓ lower is better, * the best
    --- stderr
    "#);
    let compared = story.run(&[
        "compare",
        "vision/digits:1.0.0",
        "vision/digits",
        "-o",
        "json",
    ]);
    let compared = compared.success().json();
    assert_eq!(
        compared["versions"][1]["version"], "1.1.0",
        "the newest released one"
    );
    assert_eq!(compared["metrics"][0]["values"], json!([0.9, 0.95]));
    assert_eq!(compared["metrics"][0]["best"], json!([1]));
    assert_eq!(compared["metrics"][1]["best"], json!([]), "they are alike");
    assert_eq!(compared["inputs"][0]["same"], true);
    assert_eq!(compared["unavailable"].as_array().unwrap().len(), 2);
    let names = [
        "compare",
        "vision/digits:1.0.0",
        "vision/digits",
        "-o",
        "name",
    ];
    assert_eq!(
        story.run(&names).success().stdout,
        "vision/digits:1.0.0\nvision/digits:1.1.0\n"
    );
}

/// A version of topics with no metric of the other's data, and others of its outputs' labels.
const TOPICS: &str = "\
apiVersion: modelyard.dev/v1
kind: ModelVersion
metadata: {namespace: text, name: topics, version: 0.1.0}
spec:
  lifecycle: released
  artifact:
    repository: \"oci-layout:./store/text/topics\"
    digest: sha256:7777777777777777777777777777777777777777777777777777777777777777
  format: {name: onnx}
  inputs: [{name: text, datatype: BYTES, shape: [-1]}]
  outputs: [{name: label, datatype: INT64, shape: [-1], labels: [news, advice]}]
  metrics:
    - {name: accuracy, value: 0.99, dataset: holdout, split: validation, higherIsBetter: true}
    - {name: accuracy, value: 0.98, dataset: letters, higherIsBetter: true, score: true}
    - {name: latency_ms, value: 3, device: cpu, higherIsBetter: true}
";

#[test]
fn only_what_was_measured_alike_is_compared() {
    let story = Story::begin();
    story.write("models/text/topics/versions/0.1.0.yaml", TOPICS);
    let without = story
        .sandbox
        .read("models/vision/digits/versions/1.0.0.yaml");
    let begin = without.find("  metrics:").unwrap();
    let end = without.find("  lineage:").unwrap();
    let without = format!("{}{}", &without[..begin], &without[end..]);
    story.write("models/vision/digits/versions/1.0.0.yaml", &without);
    let all = ["vision/digits:1.1.0", "text/topics", "vision/digits:1.0.0"];
    let compared = story.run(&[&["compare", "--no-files"], &all[..]].concat());
    insta::assert_snapshot!(compared.report(), @r#"
    $ modelyard compare --no-files vision/digits:1.1.0 text/topics vision/digits:1.0.0
    exit: 0
    --- stdout
                                             vision/digits:1.1.0  text/topics:0.1.0  vision/digits:1.0.0
    lifecycle                                released             released           deprecated
    aliases                                  champion             -                  -
    license                                  Apache-2.0           -                  Apache-2.0
    format                                   onnx 17              onnx               onnx 17
    precision                                fp32                 -                  fp32
    devices                                  cpu, cuda            -                  cpu, cuda
    created                                  2026-02-01           -                  2026-02-01
    size                                     10.00 KiB            -                  10.00 KiB
    score accuracy ↑ (holdout)               0.95                 -                  -
    score accuracy ↑ (letters)               -                    0.98               -
    metric latency_ms (cpu)                  12.5                 3                  -
    metric accuracy ↑ (holdout, validation)  -                    0.99               -
    input image                              FP32 [-1, 1, 8, 8]   -                  FP32 [-1, 1, 8, 8]
    input text                               -                    BYTES [-1]         -
    output label (other labels)              INT64 [-1]           INT64 [-1]         INT64 [-1]

    ↑ higher is better, ↓ lower is better, * the best
    --- stderr
    "#);
    let compared = story.run(&[&["compare", "--no-files", "-o", "json"], &all[..]].concat());
    let compared = compared.success().json();
    let label = &compared["outputs"][0];
    assert_eq!(label["same"], false);
    assert_eq!(label["differing"], json!(["labels"]));
    assert!(compared.get("files").is_none());
    for line in compared["metrics"].as_array().unwrap() {
        assert_eq!(line["values"][2], json!(null), "it has none");
        assert_eq!(line["best"], json!([]), "nobody is better alone");
    }
}

/// Two versions of one model: a file is other, one is gone, one has come, and one stays.
fn published(yard: &Yard<'_>, sandbox: &Sandbox) {
    sandbox.write("digits/model.bin", b"\x00first\x01");
    sandbox.write("digits/README.md", "# Digits\n");
    sandbox.write("digits/old.txt", "old\n");
    yard.publish("digits", "vision/digits:1.0.0").success();
    yard.merge("publish/vision/digits/1.0.0");
    sandbox.write("digits/model.bin", b"\x00other\x01");
    sandbox.write("digits/new.txt", "new\n");
    std::fs::remove_file(sandbox.path("digits/old.txt")).unwrap();
    yard.publish("digits", "vision/digits:1.1.0").success();
    yard.merge("publish/vision/digits/1.1.0");
}

const BOTH: [&str; 3] = ["compare", "vision/digits:1.0.0", "vision/digits:1.1.0"];

#[test]
fn files_are_compared_by_their_manifests() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    published(&yard, &sandbox);
    let compared = yard.modelyard(BOTH).run().success();
    let lines = compared.stdout.lines();
    // The day of the test.
    let lines: Vec<_> = lines.filter(|line| !line.starts_with("created")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    vision/digits   1.0.0        1.1.0
    lifecycle       staged       staged
    format          custom       custom
    size            20 B         20 B
    file model.bin  7 B 15582c0  7 B e8126b8 changed
    file new.txt    -            4 B 7aa7a53 added
    file old.txt    4 B 01d09d1  removed

    1 other file is the same.
    "#);
    let mut json = BOTH.to_vec();
    json.extend(["-o", "json"]);
    let compared = yard.modelyard(json).run().success().json();
    let files = compared["files"].as_array().unwrap();
    let changes: Vec<_> = files
        .iter()
        .map(|file| json!([file["path"], file["role"], file["same"], file["changes"]]))
        .collect();
    assert_eq!(
        changes,
        [
            json!(["README.md", "doc", true, ["same", "same"]]),
            json!(["model.bin", "weight", false, ["same", "changed"]]),
            json!(["new.txt", "doc", false, ["absent", "added"]]),
            json!(["old.txt", "doc", false, ["same", "removed"]]),
        ]
    );
}

#[test]
fn a_manifest_that_is_not_to_be_had_is_told_and_the_rest_compared() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    published(&yard, &sandbox);
    let record = yard.show("main", "models/vision/digits/versions/1.0.0.yaml");
    let (_, digest) = record.split_once("digest: sha256:").unwrap();
    let manifest = format!("store/vision/digits/blobs/sha256/{}", &digest[..64]);
    std::fs::remove_file(yard.path(&manifest)).unwrap();
    let compared = yard.modelyard(BOTH).run().success();
    assert!(
        compared.stdout.contains("lifecycle"),
        "{}",
        compared.report()
    );
    let line = compared
        .stdout
        .lines()
        .find(|line| line.starts_with("file new.txt"));
    assert_eq!(line, None, "against nothing there is no change");
    compared.says("the files of vision/digits:1.0.0 are not known: ");

    std::fs::remove_dir_all(yard.path("store")).unwrap();
    let mut json = BOTH.to_vec();
    json.extend(["-o", "json"]);
    let compared = yard.modelyard(json).run().success().json();
    assert_eq!(compared["files"], json!([]));
    assert_eq!(compared["unavailable"][1]["version"], "1.1.0");
}

#[test]
fn the_yard_is_compared_as_it_was() {
    let story = Story::begin();
    story.git(&["rm", "--quiet", "models/vision/digits/versions/1.0.0.yaml"]);
    story.commit("Remove 1.0.0");
    let compare = [
        "compare",
        "vision/digits:1.0.0",
        "vision/digits:1.1.0",
        "--no-files",
    ];
    story.run(&compare).exits(2).says("error[no-such-version]");
    let before = [&compare[..], &["--at", "HEAD~1"]].concat();
    story.run(&before).success().prints("deprecated");
}

#[test]
fn a_broken_record_hides_no_other() {
    let story = Story::begin();
    story.write("models/vision/digits/model.yaml", "spec: {title: [\n");
    let compare = [
        "compare",
        "vision/digits:1.0.0",
        "vision/digits:1.1.0",
        "--no-files",
    ];
    let compared = story.run(&compare).success();
    assert!(compared.stdout.contains("0.95 *"), "{}", compared.report());
    compared.says("not read: models/vision/digits/model.yaml:");
}

#[test]
fn one_alone_is_not_compared_and_nothing_unknown_is() {
    let story = Story::begin();
    let one = story.run(&["compare", "vision/digits:1.0.0"]).exits(2);
    one.says("2 values required");
    for (other, error) in [
        ("text/topics", "error[nothing-released]"),
        ("text/nothing", "error[no-such-model]"),
        ("vision/digits:7.0.0", "error[no-such-version]"),
        ("vision/digits:", "is not a version, a range or an alias"),
    ] {
        let compare = ["compare", "vision/digits:1.0.0", other];
        story.run(&compare).exits(2).says(error);
    }
}
