//! Models that scikit-learn and MLflow trained answer as their own `predict` does.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use super::{Running, folder, shared};
use crate::harness::Sandbox;

const REQUIREMENTS: &str = include_str!("requirements.txt");

fn script(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/target/runtime/python");
    folder.join(name)
}

/// The interpreter of the environment that all models of this file run in.
fn interpreter(sandbox: &Sandbox) -> String {
    let code =
        "import sys\n\ndef predict(inputs, parameters):\n    return {'y': [sys.executable]}\n";
    let folder = folder(sandbox, code);
    sandbox.write("model/requirements.txt", REQUIREMENTS);
    let runtime = Running::of(&mut shared(sandbox, "python", &folder, &[])).once_ready();
    let answer = runtime.infer(r#"{"inputs": []}"#).json();
    answer["outputs"][0]["data"][0].as_str().unwrap().to_owned()
}

/// Holds what a runtime answers against what is due.
fn answers(runtime: &Running, place: &Path, name: &str) {
    let told = std::fs::read_to_string(place.join(format!("{name}.json"))).unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    let answer = runtime.infer(told["request"].to_string()).json();
    let outputs = answer["outputs"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"));
    let due = told["outputs"].as_object().unwrap();
    assert_eq!(outputs.len(), due.len(), "{answer}");
    for output in outputs {
        let due = due[output["name"].as_str().unwrap()].as_array().unwrap();
        let data = output["data"].as_array().unwrap();
        assert_eq!(data.len(), due.len(), "{answer}");
        let near = |(one, other): (&Value, &Value)| match (one.as_f64(), other.as_f64()) {
            (Some(one), Some(other)) => (one - other).abs() < 1e-5,
            _ => one == other,
        };
        assert!(
            data.iter().zip(due).all(near),
            "{name}: {answer} but {told}"
        );
    }
}

#[test]
fn what_was_trained_in_python_answers_as_its_own_predict_does() {
    let sandbox = Sandbox::new();
    let python = interpreter(&sandbox);
    let place = sandbox.path("trained");
    std::fs::create_dir(&place).unwrap();
    let trained = script("trained.py");
    sandbox
        .program(python, [trained.as_path(), &place])
        .run()
        .success();
    let start = |kind: &str, name: &str| {
        std::fs::write(place.join(name).join("requirements.txt"), REQUIREMENTS).unwrap();
        let mut command = shared(&sandbox, kind, &place.join(name), &["--with-parent"]);
        let runtime = Running::of(command.stdin(Stdio::piped())).once_ready();
        answers(&runtime, &place, name);
        runtime
    };
    let runtime = start("python", "sklearn");
    let wrong =
        r#"{"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]}"#;
    insta::assert_snapshot!(runtime.infer(wrong).refusal(), @"400 the model refuses the request: X has 2 features, but StandardScaler is expecting 4 features as input.");
    insta::assert_snapshot!(runtime.infer(r#"{"inputs": []}"#).refusal(), @"400 input `x` is missing");

    let runtime = start("mlflow", "mlflow");
    insta::assert_snapshot!(runtime.get("/v2/models/digits").json(), @r#"{"name":"digits","versions":["1.0.0"],"platform":"mlflow_pyfunc","inputs":[{"name":"sepal_length","datatype":"FP64","shape":[-1]},{"name":"sepal_width","datatype":"FP64","shape":[-1]},{"name":"petal_length","datatype":"FP64","shape":[-1]},{"name":"petal_width","datatype":"FP64","shape":[-1]}],"outputs":[{"name":"predictions","datatype":"INT64","shape":[-1]}]}"#);
    insta::assert_snapshot!(runtime.infer(r#"{"inputs": []}"#).refusal(), @"400 input `sepal_length` is missing: FP64 of shape [-1]");

    let runtime = start("mlflow", "words");
    let request = r#"{"parameters": {"times": 3}, "inputs": [{"name": "text", "shape": [1, 1], "datatype": "BYTES", "data": ["two"]}]}"#;
    insta::assert_snapshot!(runtime.infer(request).json()["outputs"], @r#"[{"name":"length","shape":[1],"datatype":"INT64","data":[9]},{"name":"text","shape":[1],"datatype":"BYTES","data":["two"]}]"#);
    let request = request.replace(r#""times": 3"#, r#""times": "a""#);
    assert_eq!(runtime.infer(request).status, 400);

    let mut runtime = start("mlserver", "served");
    runtime.end_input();
    assert!(runtime.ended().success());
}

#[test]
fn an_onnx_model_with_operators_that_are_lacking_is_served_on_onnxruntime() {
    let sandbox = Sandbox::new();
    let place = sandbox.path("exported");
    std::fs::create_dir(&place).unwrap();
    let exported = script("exported.py");
    sandbox
        .tool("samples-python", [exported.as_path(), &place])
        .run()
        .success();
    let folder = place.join("onnx");
    let refused = sandbox
        .modelyard([
            "runtime".as_ref(),
            "onnx".as_ref(),
            folder.as_os_str(),
            "--name".as_ref(),
            "x".as_ref(),
        ])
        .run();
    assert!(
        refused.stderr.contains("error[operators-lacking]"),
        "{}",
        refused.stderr
    );

    std::fs::write(folder.join("requirements.txt"), REQUIREMENTS).unwrap();
    let options = ["--or-onnx", "--threads", "1"];
    let runtime = Running::of(&mut shared(&sandbox, "python", &folder, &options)).once_ready();
    answers(&runtime, &place, "onnx");
    insta::assert_snapshot!(runtime.get("/v2/models/digits").json(), @r#"{"name":"digits","versions":["1.0.0"],"platform":"onnx_onnxruntime","inputs":[{"name":"x","datatype":"FP32","shape":[-1,4]}],"outputs":[{"name":"output_label","datatype":"INT64","shape":[-1]},{"name":"output_probability","datatype":"FP32","shape":[-1,-1]}]}"#);
    let wrong =
        r#"{"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP64", "data": [1, 2, 3]}]}"#;
    insta::assert_snapshot!(runtime.infer(wrong).refusal(), @"400 the request is not what the model takes: input `x` is FP64, and has to be FP32; input `x` has the shape [1, 3], and has to have [-1, 4]");
}
