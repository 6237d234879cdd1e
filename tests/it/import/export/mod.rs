//! `modelyard export`: out again, and back.

mod cluster;
#[cfg(feature = "real-tools")]
mod controller;
mod folder;
mod huggingface;
mod mlflow;
#[cfg(feature = "real-tools")]
mod server;

use std::fs;
use std::path::Path;

use modelyard::check::yaml;
use serde_json::Value;

use super::ENVIRONMENT;
use crate::harness::{Sandbox, Yard};

const MODEL: &str = "models/health/diabetes-progression/model.yaml";
const RECORD: &str = "models/health/diabetes-progression/versions/1.0.0.yaml";
/// The namespace, which a folder of somebody else's doesn't say.
const NAMESPACE: [&str; 1] = ["--namespace=health"];
const CARD: &str = "models/health/diabetes-progression/README.md";

/// The example's files.
const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/diabetes/1.0.0");

/// Writes the example's files into a folder of the sandbox.
fn copy_files(sandbox: &Sandbox, folder: &str) {
    for entry in walkdir::WalkDir::new(FILES) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(FILES).unwrap();
            let bytes = fs::read(entry.path()).unwrap();
            sandbox.write(format!("{folder}/{}", name.display()), bytes);
        }
    }
}

/// A yard with the example `health/diabetes-progression:1.0.0`, released and the champion.
fn yard(sandbox: &Sandbox) -> Yard<'_> {
    let yard = sandbox.yard();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/diabetes");
    let model = example.join("model.yaml");
    let version = example.join("1.0.0.yaml");
    let said = |path: &Path| format!("--from={}", path.display());
    let words = [
        "publish".to_owned(),
        FILES.to_owned(),
        "--as=health/diabetes-progression:1.0.0".to_owned(),
        "--unsigned".to_owned(),
        said(&model),
        said(&version),
    ];
    yard.modelyard(words).run().success();
    yard.merge("publish/health/diabetes-progression/1.0.0");
    let created = |line: &str| match line.starts_with("  createdAt:") {
        true => "  createdAt: \"2026-11-01T09:30:00Z\"\n".to_owned(),
        false => format!("{line}\n"),
    };
    let released = yard
        .show("main", RECORD)
        .replace("lifecycle: staged", "lifecycle: released");
    let released: String = released.lines().map(created).collect();
    yard.write(RECORD, &released);
    let named = format!(
        "{}  aliases: {{champion: 1.0.0}}\n",
        yard.show("main", MODEL)
    );
    yard.write(MODEL, &named);
    yard.commit("The first champion");
    yard.modelyard(["check"]).run().success();
    yard
}

/// Imports what was exported into a yard of its own, and merges it.
fn imported<'a>(sandbox: &'a Sandbox, word: &str, words: &[&str]) -> Yard<'a> {
    let yard = sandbox.yard();
    let fixed = ["import", "--unsigned", "--name=back", word];
    yard.modelyard(fixed.iter().chain(words)).run().success();
    yard.merge("import/back");
    yard.modelyard(["check"]).run().success();
    yard
}

/// The fields of a record, but for where it comes from and where its bytes lie now.
fn fields(yard: &Yard<'_>, path: &str) -> Value {
    let text = yard.show("main", path);
    let mut record = yaml::parse(text.as_bytes()).unwrap().into_value();
    let spec = record["spec"].as_object_mut().unwrap();
    spec.shift_remove("imported");
    if let Some(artifact) = spec.get_mut("artifact") {
        artifact["repository"].take();
    }
    record
}

/// The digest of a version's artifact.
fn digest(yard: &Yard<'_>, path: &str) -> String {
    fields(yard, path)["spec"]["artifact"]["digest"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The files below a folder, by their paths.
fn files(folder: &Path) -> Vec<String> {
    let entries = walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter();
    let entries = entries
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file());
    let path = |entry: walkdir::DirEntry| {
        let path = entry.path().strip_prefix(folder).unwrap().to_owned();
        path.to_string_lossy().into_owned()
    };
    entries.map(path).collect()
}

#[test]
fn what_can_not_be_exported_says_what_to_do_and_writes_nothing() {
    let sandbox = Sandbox::new();
    let yard = yard(&sandbox);
    let export = |words: &[&str]| yard.modelyard(["export"].iter().chain(words)).run();
    let name = "health/diabetes-progression";
    let nobodys = export(&["health/nobody", "--to=folder"]).exits(2);
    assert!(
        nobodys.stderr.contains("error[no-such-model]"),
        "{}",
        nobodys.stderr
    );
    let of_deployment = export(&["deployments/hospital/diabetes", "--to=mlflow"]).exits(2);
    insta::assert_snapshot!(of_deployment.stderr, @r"
    error[not-of-a-deployment]: deployments/hospital/diabetes is a deployment, and a folder has one version
      help: name a version, as in vision/digits:1.0.0, or export it with --to kserve
      more: modelyard explain not-of-a-deployment
    ");
    let nowhere = export(&[name, "--to=kserve"]).exits(2);
    insta::assert_snapshot!(nowhere.stderr, @r"
    error[no-storage-address]: nothing says where a cluster finds the files of health/diabetes-progression:1.0.0, whose artifact is on this machine
      help: add --storage-uri, as in --storage-uri 's3://models/{namespace}/{name}/{version}'
      more: modelyard explain no-storage-address
    ");
    export(&[name, "--to=tensorboard"])
        .exits(2)
        .says("possible values: folder, mlflow");

    // What stands in the folder is nobody's to overwrite, and none of the export is there then.
    let out = sandbox.path("out");
    let path = out.to_str().unwrap();
    sandbox.write("out/MLmodel", "mine\n");
    let refused = export(&[name, path, "--to=mlflow"]).exits(2);
    assert!(
        refused.stderr.contains("error[would-overwrite]"),
        "{}",
        refused.stderr
    );
    assert_eq!(files(&out), ["MLmodel"]);
    assert_eq!(fs::read_to_string(out.join("MLmodel")).unwrap(), "mine\n");
    export(&[name, path, "--to=mlflow", "--force"]).success();

    // Bytes that are not the record's are no export.
    sandbox.files("words");
    yard.publish("words", "text/words:1.0.0").success();
    yard.merge("publish/text/words/1.0.0");
    let unknown = export(&["text/words:1.0.0", "--to=mlflow"]).exits(2);
    insta::assert_snapshot!(unknown.stderr, @r"
    error[no-flavor]: MLflow has no flavor that is written here for custom
      help: export it with --to folder, or with --to huggingface
      more: modelyard explain no-flavor
    ");
    for blob in walkdir::WalkDir::new(yard.path("store")) {
        let blob = blob.unwrap();
        if blob.file_type().is_file() && fs::read(blob.path()).unwrap() == b"\x00weights\x01" {
            fs::write(blob.path(), b"\x00weighty\x01").unwrap();
        }
    }
    let lies = sandbox.path("lies");
    export(&[
        "text/words:1.0.0",
        lies.to_str().unwrap(),
        "--to=folder",
        "--no-cache",
    ])
    .exits(2);
    assert!(!lies.exists());
}
