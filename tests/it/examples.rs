//! The samples: their records are what the kinds ask for, and their files are all there.

use std::fs;
use std::path::{Path, PathBuf};

use modelyard::record::kind::{Kind, ModelVersion, Record};
use serde_json::{Value, json};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[track_caller]
fn held_to_schema(kind: Kind, value: &Value, place: &Path) {
    let schema = serde_json::from_str(kind.schema()).unwrap();
    if let Err(error) = jsonschema::validate(&schema, value) {
        panic!("{}: {}: {error}", place.display(), error.instance_path());
    }
}

/// The samples' folders.
fn samples() -> Vec<PathBuf> {
    let entries = fs::read_dir(examples()).unwrap();
    let mut folders: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("model.yaml").is_file())
        .collect();
    folders.sort();
    folders
}

/// A sample's versions: the record, with an artifact as publishing would add it, and the folder.
fn versions(sample: &Path) -> Vec<(ModelVersion, PathBuf)> {
    let entries = fs::read_dir(sample).unwrap();
    let mut records: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .filter(|path| !path.ends_with("model.yaml"))
        .collect();
    records.sort();
    let version = |path: &PathBuf| {
        let mut value = read(path);
        value["spec"]["artifact"] = json!({
            "repository": "oci-layout:./store/some/model",
            "digest": format!("sha256:{}", "0".repeat(64)),
        });
        held_to_schema(Kind::ModelVersion, &value, path);
        match Record::from_value(Kind::ModelVersion, &value) {
            Ok(Record::ModelVersion(record)) => (record, path.with_extension("")),
            other => panic!("{}: {other:?}", path.display()),
        }
    };
    records.iter().map(version).collect()
}

#[test]
fn three_tasks_and_three_versions_of_the_digits_are_there() {
    let names: Vec<_> = samples()
        .iter()
        .map(|sample| sample.file_name().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["diabetes", "digits", "vibration"]);
    let digits = versions(&examples().join("digits"));
    let accuracy: Vec<f64> = digits
        .iter()
        .map(|(record, _)| record.score().unwrap().value.get())
        .collect();
    assert!(accuracy[0] > 0.9, "1.0.0 is of use");
    assert!(accuracy[1] > accuracy[0], "1.1.0 is better");
    assert!(accuracy[2] < 0.1, "1.2.0 is broken");
}

#[test]
fn each_version_lies_beside_its_record_with_the_files_that_its_tests_name() {
    for sample in samples() {
        let value = read(&sample.join("model.yaml"));
        held_to_schema(Kind::Model, &value, &sample);
        let Ok(Record::Model(model)) = Record::from_value(Kind::Model, &value) else {
            panic!("{}: no record of a model", sample.display());
        };
        for (record, folder) in versions(&sample) {
            assert_eq!(record.model_name(), model.model_name());
            let version = record.metadata.version.to_string();
            assert!(folder.ends_with(&version), "{}", folder.display());
            assert!(folder.join("model.onnx").is_file());
            assert!(!record.spec.tests.is_empty());
            for test in &record.spec.tests {
                for input in &test.request.inputs {
                    let there = match (&input.data, &input.file) {
                        (Some(_), None) => true,
                        (None, Some(file)) => folder.join(file.as_str()).is_file(),
                        _ => false,
                    };
                    assert!(there, "{version}: {}: {}", test.name, input.name);
                }
            }
        }
    }
}

/// They are trained anew in a copy, and every byte has to come out as it stands (which only
/// machines of one architecture can promise); then each golden test is run in ONNX Runtime, where
/// those of the broken version have to fail.
#[cfg(feature = "real-tools")]
#[test]
fn a_new_training_gives_the_same_bytes_that_answer_as_their_records_say() {
    let sandbox = crate::harness::Sandbox::new();
    for entry in walkdir::WalkDir::new(examples()) {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(examples()).unwrap();
        if entry.file_type().is_file() && !path.iter().any(|part| part == "__pycache__") {
            sandbox.write(path, fs::read(entry.path()).unwrap());
        }
    }
    let retrain = cfg!(target_arch = "x86_64").then_some("--retrain");
    sandbox
        .tool("samples-python", ["verify.py"].into_iter().chain(retrain))
        .run()
        .success()
        .prints("digits/1.1.0: 4 of 4 golden tests pass")
        .prints("digits/1.2.0: 0 of 4 golden tests pass");
}
