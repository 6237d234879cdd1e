//! `modelyard test`: a version's golden tests, put to it.

use crate::harness::{Sandbox, Yard};

/// A yard with a version of `examples/`, published and merged.
pub(crate) fn yard_with<'a>(
    sandbox: &'a Sandbox,
    sample: &str,
    version: &str,
    name: &str,
) -> Yard<'a> {
    let yard = sandbox.yard();
    publish(&yard, sample, version, name);
    yard
}

fn publish(yard: &Yard<'_>, sample: &str, version: &str, name: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let reference = format!("{name}:{version}");
    let words = [
        "publish",
        &format!("{folder}/{sample}/{version}"),
        "--as",
        &reference,
        "--from",
        &format!("{folder}/{sample}/model.yaml"),
        "--from",
        &format!("{folder}/{sample}/{version}.yaml"),
        "--unsigned",
    ];
    yard.modelyard(words).run().success();
    yard.merge(&format!("publish/{name}/{version}"));
}

#[test]
fn a_version_that_answers_as_its_record_says_passes() {
    let sandbox = Sandbox::new();
    let yard = yard_with(&sandbox, "digits", "1.0.0", "vision/digits");
    let done = yard
        .modelyard(["test", "vision/digits:1.0.0"])
        .run()
        .success();
    insta::assert_snapshot!(done.stdout, @r#"
          TEST             DIFFERENCE
    pass  a zero
    pass  a three
    pass  an eight
    pass  all ten at once

    vision/digits:1.0.0 answers all 4 tests as it has to
    "#);
    assert_eq!(done.stderr, "");
    for (sample, name) in [
        ("diabetes", "health/diabetes-progression"),
        ("vibration", "machines/bearing-anomalies"),
    ] {
        publish(&yard, sample, "1.0.0", name);
        yard.modelyard(["test", &format!("{name}:1.0.0")])
            .run()
            .success();
    }
    // Nothing is left of what was started.
    let left: Vec<_> = std::fs::read_dir(sandbox.root().join("tmp"))
        .unwrap()
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_version_that_answers_otherwise_fails_and_tells_where() {
    let sandbox = Sandbox::new();
    let yard = yard_with(&sandbox, "digits", "1.2.0", "vision/digits");
    let done = yard.modelyard(["test", "vision/digits:1.2.0"]).run();
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    insta::assert_snapshot!(done.stdout, @r#"
          TEST             DIFFERENCE
    FAIL  a zero           output `label`: element 0 is 1, and 0 was expected (1 of 1 differ)
    FAIL  a three          output `label`: element 0 is 4, and 3 was expected (1 of 1 differ)
    FAIL  an eight         output `label`: element 0 is 9, and 8 was expected (1 of 1 differ)
    FAIL  all ten at once  output `label`: element 0 is 1, and 0 was expected (10 of 10 differ)

    vision/digits:1.2.0 fails 4 of 4 tests
    "#);
    let done = yard
        .modelyard(["test", "vision/digits:1.2.0", "--output", "json"])
        .run();
    let told: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(told["version"], "1.2.0");
    assert_eq!(told["runtime"], "onnx");
    assert!(told["failed"].as_u64().unwrap() > 0);
    assert!(told["tests"][0]["passed"].is_boolean());
}

#[test]
fn what_can_not_be_tested_is_told() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.write("broken/model.onnx", "not one");
    yard.publish("broken", "vision/broken:1.0.0").success();
    yard.merge("publish/vision/broken/1.0.0");
    let untested = yard.modelyard(["test", "vision/broken:1.0.0"]).run();
    assert_eq!(untested.code, Some(2));
    assert!(
        untested.stderr.contains("error[no-golden-tests]"),
        "{}",
        untested.stderr
    );

    let path = "models/vision/broken/versions/1.0.0.yaml";
    let tests = "  runtime: {name: RUNTIME}\n  tests:\n    - name: any\n      request: {inputs: [{name: x, datatype: FP32, shape: [1], data: [1]}]}\n      expect: {outputs: [{name: y, data: [1]}]}\n";
    let record = std::fs::read_to_string(yard.path(path)).unwrap();
    let with = |runtime: &str| {
        yard.write(path, &(record.clone() + &tests.replace("RUNTIME", runtime)));
        yard.commit(runtime);
        yard.modelyard(["test", "vision/broken:1.0.0"]).run()
    };
    let other = with("triton");
    assert_eq!(other.code, Some(2));
    assert!(
        other.stderr.contains("error[runtime-not-here]"),
        "{}",
        other.stderr
    );
    let broken = with("onnx");
    assert_eq!(broken.code, Some(2));
    assert!(
        broken.stderr.contains("error[runtime-ended]"),
        "{}",
        broken.stderr
    );
    assert!(
        broken.stderr.contains("error[not-onnx]"),
        "{}",
        broken.stderr
    );
}

#[cfg(feature = "real-tools")]
#[test]
fn a_version_that_is_code_is_tested_and_asked_in_an_environment_of_its_own() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let code = "def predict(inputs, parameters):\n    return {'y': [2 * x for x in inputs['x']]}\n";
    sandbox.write("own/serve.py", code);
    yard.publish("own", "vision/own:1.0.0").success();
    yard.merge("publish/vision/own/1.0.0");
    let path = "models/vision/own/versions/1.0.0.yaml";
    let more = "  runtime: {name: python}\n  tests:\n    - name: twice\n      request: {inputs: [{name: x, datatype: INT64, shape: [2], data: [1, 2]}]}\n      expect: {outputs: [{name: y, data: [2, 4]}]}\n";
    let record = std::fs::read_to_string(yard.path(path)).unwrap();
    yard.write(path, &(record + more));
    yard.commit("served by python");
    let done = yard.modelyard(["test", "vision/own:1.0.0"]).run().success();
    assert!(
        done.stdout
            .contains("vision/own:1.0.0 answers all 1 tests as it has to"),
        "{}",
        done.stdout
    );
    let request = r#"{"inputs": [{"name": "x", "datatype": "INT64", "shape": [1], "data": [4]}]}"#;
    let request = sandbox.write("request.json", request);
    let words = [
        "predict",
        "vision/own:1.0.0",
        "-f",
        request.to_str().unwrap(),
        "--output",
        "json",
    ];
    let done = yard.modelyard(words).run().success();
    let answer: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(answer["outputs"][0]["data"], serde_json::json!([8]));
}
