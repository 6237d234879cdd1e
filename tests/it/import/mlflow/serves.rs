//! Versions that came from a real server serve here, and answer as MLflow's own `predict` does.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::harness::mlflow::Mlflow;
use crate::harness::{Sandbox, tools};

/// How far two answers of single precision may be from each other.
const NEAR: f64 = 1e-4;

/// A request, and what MLflow's own `predict` gives for it.
#[derive(Deserialize)]
struct Told {
    request: Value,
    outputs: BTreeMap<String, Vec<f64>>,
}

#[test]
fn imported_versions_answer_as_mlflows_own_predict_does() {
    for major in [3, 2] {
        answer_as_its_own_predict(major);
    }
}

fn answer_as_its_own_predict(major: u8) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let server = Mlflow::start(major);
    let place = server.folder().join("predicted.json");
    let words = [
        &*root.join("tests/it/import/mlflow/serves.py"),
        &root.join("examples/diabetes/1.0.0/model.onnx"),
        &root.join("tests/it/target/runtime/python/requirements.txt"),
        &place,
    ];
    server.run(&words, &[]);
    let told: BTreeMap<String, Told> = serde_json::from_slice(&fs::read(place).unwrap()).unwrap();

    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let word = format!("mlflow:http://{}", server.host());
    yard.import([&*word, "--name=lab"]).run().success();
    yard.merge("import/lab");
    // From here on nobody needs the server.
    drop(server);
    for (name, runtime) in [("diabetes", "onnx"), ("iris", "mlflow")] {
        let record = yard.show("main", &format!("models/vision/{name}/versions/1.0.0.yaml"));
        let says = format!("runtime:\n    name: {runtime}\n");
        assert!(record.contains(&says), "no «{says}» in\n{record}");
        let Told { request, outputs } = &told[name];
        let reference = format!("vision/{name}:1.0.0");
        let predict = yard
            .modelyard(["predict", &reference, "-f", "-", "--output", "json"])
            .input(request.to_string());
        let answer = with_runtimes(predict).run().success().json();
        let answered = answer["outputs"].as_array().unwrap();
        assert_eq!(answered.len(), outputs.len(), "{answer}");
        for output in answered {
            let due = &outputs[output["name"].as_str().unwrap()];
            let data: Vec<f64> = serde_json::from_value(output["data"].clone()).unwrap();
            assert_eq!(data.len(), due.len(), "{answer}");
            let near =
                |(one, other): (&f64, &f64)| (one - other).abs() <= NEAR * other.abs().max(1.0);
            assert!(
                data.iter().zip(due).all(near),
                "{name}: {data:?}, and MLflow {major} says {due:?}"
            );
        }
    }
}

/// With the environments of Python that all tests share, and what this machine says of its package
/// index.
fn with_runtimes(mut run: crate::harness::Run) -> crate::harness::Run {
    let programs = tools::path("samples-python");
    let cache = programs.ancestors().nth(3).unwrap().join("runtimes");
    run = run.env("MODELYARD_CACHE", cache);
    for (name, value) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let is_of_index = ["PIP_", "UV_", "SSL_CERT_", "REQUESTS_CA_"]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        if is_of_index {
            run = run.env(&name, value);
        }
    }
    run
}
