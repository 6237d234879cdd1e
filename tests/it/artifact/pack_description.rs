//! What real models say of themselves.

use std::fs;
use std::path::{Path, PathBuf};

use modelyard::artifact::pack::inspect::{Description, Finding};
use modelyard::artifact::pack::pack;
use modelyard::platform::progress::Silent;
use serde_json::json;

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(path)
}

fn described(folder: &Path) -> Description {
    pack(folder, &[], &Silent).unwrap().description
}

/// A folder with copies of example models.
fn copies(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (to, from) in files {
        let place = folder.path().join(to);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(example(from), place).unwrap();
    }
    folder
}

fn findings(description: &Description) -> Vec<String> {
    description
        .findings
        .iter()
        .map(Finding::to_string)
        .collect()
}

#[test]
fn an_onnx_model_tells_its_record() {
    for path in ["digits/1.0.0", "diabetes/1.0.0", "vibration/1.0.0"] {
        let told = described(&example(path));
        let record = fs::read_to_string(example(&format!("{path}.yaml"))).unwrap();
        let record: serde_json::Value = serde_saphyr::from_str(&record).unwrap();
        let spec = &record["spec"];
        assert_eq!(told.main.unwrap().as_str(), "model.onnx");
        let format = told.format.unwrap();
        assert_eq!(json!(format.name), spec["format"]["name"], "{path}");
        assert_eq!(json!(format.version), spec["format"]["version"], "{path}");
        assert_eq!(format.code, Some(Vec::new()), "nothing in it can run code");
        for (tensors, said) in [(&told.inputs, "inputs"), (&told.outputs, "outputs")] {
            let told: Vec<_> = tensors
                .iter()
                .map(|tensor| {
                    (
                        tensor.name.clone(),
                        json!(tensor.datatype),
                        json!(tensor.shape),
                    )
                })
                .collect();
            let said: Vec<_> = spec[said]
                .as_array()
                .unwrap()
                .iter()
                .map(|tensor| {
                    let name = tensor["name"].as_str().unwrap().to_owned();
                    (name, tensor["datatype"].clone(), tensor["shape"].clone())
                })
                .collect();
            assert_eq!(told, said, "{path}");
        }
        assert_eq!(told.precision.unwrap().as_str(), "fp32");
        assert!(told.findings.is_empty(), "{:?}", told.findings);
    }
}

#[test]
fn of_several_models_the_topmost_called_model_counts() {
    let digits = "digits/1.0.0/model.onnx";
    let several = copies(&[("encoder.onnx", digits), ("decoder.onnx", digits)]);
    let told = described(several.path());
    assert!(told.inputs.is_empty());
    insta::assert_debug_snapshot!(findings(&told), @r#"
    [
        "of several onnx files (`decoder.onnx`, `encoder.onnx`) none is called `model`, so no inputs and outputs are told",
    ]
    "#);
    let one = copies(&[
        ("model.onnx", digits),
        ("small/model.onnx", "vibration/1.0.0/model.onnx"),
        ("other.onnx", "diabetes/1.0.0/model.onnx"),
    ]);
    let told = described(one.path());
    assert_eq!(told.main.unwrap().as_str(), "model.onnx");
    assert_eq!(told.inputs[0].name, "image");
}

#[test]
fn what_can_run_code_is_told_of_all_files() {
    let folder = copies(&[("model.onnx", "digits/1.0.0/model.onnx")]);
    fs::write(
        folder.path().join("trained.joblib"),
        b"\x80\x04\x95\x02\0\0\0\0\0\0\0N.",
    )
    .unwrap();
    let format = described(folder.path()).format.unwrap();
    assert_eq!(
        json!(format),
        json!({"name": "onnx", "version": "17", "code": ["joblib", "pickle"]})
    );
}

#[test]
fn a_model_that_is_none_is_told_and_hinders_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let model = fs::read(example("digits/1.0.0/model.onnx")).unwrap();
    fs::write(folder.path().join("cut.onnx"), &model[..model.len() / 2]).unwrap();
    fs::write(folder.path().join("page.onnx"), "<!DOCTYPE html>").unwrap();
    let told = described(folder.path());
    assert_eq!(told.format, None);
    insta::assert_debug_snapshot!(findings(&told), @r#"
    [
        "`cut.onnx` says nothing of itself: a field that ends within its message was expected at byte 25: it is damaged, or something else",
        "`page.onnx` says nothing of itself: a field's type was expected at byte 0: it is damaged, or something else",
    ]
    "#);
}
