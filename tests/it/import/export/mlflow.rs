//! A model of MLflow's.

use super::{MODEL, NAMESPACE, RECORD, digest, fields, files, imported, yard};
use crate::harness::Sandbox;

/// MLflow's folder of the example, which MLflow itself wrote.
const OF_MLFLOW: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/diabetes/mlflow");

#[test]
fn what_became_a_model_of_mlflows_comes_back_as_the_record_that_went() {
    let sandbox = Sandbox::new();
    let yard = yard(&sandbox);
    let out = sandbox.path("diabetes-progression");
    let path = out.to_str().unwrap();
    let words = [
        "export",
        "health/diabetes-progression:1.0.0",
        path,
        "--to=mlflow",
    ];
    yard.modelyard(words)
        .run()
        .success()
        .prints("no place for alias champion");
    let told = std::fs::read_to_string(out.join("MLmodel")).unwrap();
    let (told, _) = told.split_once("metadata:").unwrap();
    let told = told.replace(r#"{\"type\":\"float\",\"name\":"#, "{…");
    insta::assert_snapshot!(told, @r#"
    flavors:
      onnx:
        data: model.onnx
        providers: [CPUExecutionProvider]
        code: null
      python_function:
        loader_module: mlflow.onnx
        data: model.onnx
        env:
          conda: conda.yaml
          virtualenv: python_env.yaml
    model_uuid: 6fc0f88278439e78bbbdf78e2bcead06
    signature:
      inputs: "[{…\"age\",\"required\":true},{…\"sex\",\"required\":true},{…\"bmi\",\"required\":true},{…\"bp\",\"required\":true},{…\"s1\",\"required\":true},{…\"s2\",\"required\":true},{…\"s3\",\"required\":true},{…\"s4\",\"required\":true},{…\"s5\",\"required\":true},{…\"s6\",\"required\":true}]"
      outputs: "[{…\"progression\",\"required\":true}]"
      params: null
    utc_time_created: "2026-11-01 09:30:00.000000"
    model_size_bytes: 4046
    "#);
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    assert_eq!(read("requirements.txt"), "mlflow\nonnx\nonnxruntime\n");
    insta::assert_snapshot!(read("conda.yaml"), @r#"
    name: mlflow-env
    channels: [conda-forge]
    dependencies:
      - python
      - pip
      - pip: ["-r requirements.txt"]
    "#);

    let other = Sandbox::new();
    let back = imported(&other, path, &NAMESPACE);
    let mut went = fields(&yard, RECORD);
    let came = fields(&back, RECORD);
    // More files are more bytes, and a folder has no stage.
    went["spec"]["artifact"] = came["spec"]["artifact"].clone();
    went["spec"]["lifecycle"] = "staged".into();
    assert_eq!(came, went);
    let mut model = fields(&yard, MODEL);
    model["spec"]
        .as_object_mut()
        .unwrap()
        .shift_remove("aliases");
    assert_eq!(fields(&back, MODEL), model);

    // What is one of MLflow's goes out again byte for byte.
    let again = other.path("diabetes-progression");
    let words = [
        "export",
        "health/diabetes-progression:1.0.0",
        again.to_str().unwrap(),
    ];
    let done = back
        .modelyard(words.iter().chain(&["--to=mlflow"]))
        .run()
        .success();
    assert!(!done.stdout.contains("no place"), "{}", done.stdout);
    let third = Sandbox::new();
    let thrice = imported(&third, again.to_str().unwrap(), &NAMESPACE);
    assert_eq!(digest(&thrice, RECORD), digest(&back, RECORD));
    assert_eq!(fields(&thrice, RECORD), fields(&back, RECORD));
}

#[test]
fn what_came_from_mlflow_goes_back_byte_for_byte() {
    let sandbox = Sandbox::new();
    let called = ["--as=health/diabetes-progression:1.0.0", "--owner=health"];
    let yard = imported(&sandbox, OF_MLFLOW, &called);
    // What is said of it since has no place in a file that stays as it is.
    let noted = yard
        .show("main", RECORD)
        .replacen("spec:\n", "spec:\n  notes: Keep it cool.\n", 1);
    yard.write(RECORD, &noted);
    yard.commit("A note");
    let out = sandbox.path("out");
    let words = [
        "export",
        "health/diabetes-progression:1.0.0",
        out.to_str().unwrap(),
    ];
    let done = yard
        .modelyard(words.iter().chain(&["--to=mlflow"]))
        .run()
        .success();
    done.prints(
        "no place for version.notes (the files have an MLmodel of their own, which stays as it is)",
    );
    for name in files(OF_MLFLOW.as_ref()) {
        let went = std::fs::read(std::path::Path::new(OF_MLFLOW).join(&name)).unwrap();
        assert_eq!(std::fs::read(out.join(&name)).unwrap(), went, "{name}");
    }
    let other = Sandbox::new();
    let back = imported(&other, out.to_str().unwrap(), &called);
    assert_eq!(digest(&back, RECORD), digest(&yard, RECORD));
}

/// Loads each model as MLflow does, and tells what it is and what it predicts.
#[cfg(feature = "real-tools")]
const LOAD: &str = r#"
import sys, numpy, pandas, mlflow
folder, rows = sys.argv[1], eval(sys.argv[2])
info = mlflow.models.get_model_info(folder)
print(sorted(info.flavors), info.metadata["modelyard"]["reference"])
print(info.signature)
model = mlflow.pyfunc.load_model(folder)
answer = model.predict(rows)
answer = list(answer.values())[0] if isinstance(answer, dict) else answer
print(numpy.round(numpy.asarray(answer, dtype="float64").ravel(), 3).tolist())
"#;

/// Trains models that scikit-learn and XGBoost write themselves, without MLflow.
#[cfg(feature = "real-tools")]
const TRAIN: &str = r#"
import pathlib, pickle, numpy, xgboost
from sklearn.linear_model import LinearRegression
rows = numpy.array([[20.0, 1.0], [30.0, 2.0], [40.0, 4.0], [50.0, 3.0]]); due = rows @ [2.0, 3.0]
for name in ("scikit", "boosted"):
    pathlib.Path(name).mkdir()
with open("scikit/model.pkl", "wb") as file:
    pickle.dump(LinearRegression().fit(rows, due), file)
booster = xgboost.train({"max_depth": 2, "base_score": 0.5}, xgboost.DMatrix(rows, due), 3)
booster.save_model("boosted/model.json")
matrix = xgboost.DMatrix([[20.0, 1.0], [50.0, 3.0]])
print(numpy.round(booster.predict(matrix).astype("float64"), 3).tolist())
"#;

#[cfg(feature = "real-tools")]
#[test]
fn mlflow_itself_loads_what_was_exported() {
    let sandbox = Sandbox::new();
    let yard = yard(&sandbox);
    let trained = sandbox
        .tool("mlflow3-python", ["-c", TRAIN])
        .run()
        .success()
        .stdout;
    let matrix = "numpy.array([[20.0, 1.0], [50.0, 3.0]], 'float32')";
    let asked = "pandas.DataFrame({'age': [20.0, 50.0], 'visits': [1.0, 3.0]})";
    let inputs = "  inputs:\n    - {name: age, datatype: FP64, shape: [-1]}\n    - {name: visits, datatype: FP64, shape: [-1]}\n";
    for (folder, inputs) in [("scikit", inputs), ("boosted", "")] {
        let reference = format!("risk/{folder}:1.0.0");
        yard.publish(folder, &reference).success();
        yard.merge(&format!("publish/risk/{folder}/1.0.0"));
        let path = format!("models/risk/{folder}/versions/1.0.0.yaml");
        let said = yard
            .show("main", &path)
            .replacen("spec:\n", &format!("spec:\n{inputs}"), 1);
        yard.write(&path, &said);
    }
    yard.commit("What goes in");
    let patient = "pandas.DataFrame({name: numpy.array([value], 'float32') for name, value in zip('age sex bmi bp s1 s2 s3 s4 s5 s6'.split(), [25, 2, 22.6, 85, 130, 71, 48, 3, 4.0073, 81])})";
    for (name, rows, predicted) in [
        ("health/diabetes-progression", patient, "[89.63]\n"),
        ("risk/scikit", asked, "[43.0, 109.0]\n"),
        ("risk/boosted", matrix, &*trained),
    ] {
        let out = sandbox.path("out").join(name);
        let path = out.to_str().unwrap();
        let reference = format!("{name}:1.0.0");
        yard.modelyard(["export", &*reference, path, "--to=mlflow"])
            .run()
            .success();
        assert!(files(&out).contains(&"python_env.yaml".to_owned()));
        for python in ["mlflow3-python", "mlflow2-python"] {
            let told = sandbox
                .tool(python, ["-c", LOAD, path, rows])
                .run()
                .success();
            assert!(told.stdout.contains(&reference), "{}", told.stdout);
            assert!(
                told.stdout.ends_with(predicted),
                "{python}: {}",
                told.stdout
            );
        }
    }
}
