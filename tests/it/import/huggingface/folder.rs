//! Folders with a card, and what we export read back.

use modelyard::check::yaml;
use modelyard::import::huggingface::export_card;
use modelyard::record::kind::{Model, ModelVersion};
use serde::de::DeserializeOwned;

use super::{CARD, PICKLE, safetensors};
use crate::harness::{Sandbox, Yard};

fn record<T: DeserializeOwned>(yard: &Yard<'_>, branch: &str, path: &str) -> T {
    let tree = yaml::parse(yard.show(branch, path).as_bytes()).unwrap();
    serde_json::from_value(tree.into_value()).unwrap()
}

#[test]
fn a_pointer_of_git_lfs_is_no_model() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.write("clone/README.md", CARD);
    sandbox.write(
        "clone/model.safetensors",
        format!(
            "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 99\n",
            "0".repeat(64)
        ),
    );
    let place = format!("huggingface:{}", sandbox.path("clone").display());
    let refused = yard.import([&place]).run().exits(1);
    refused
        .prints("model.safetensors of")
        .prints("is a pointer of Git LFS")
        .prints("git lfs pull");
    sandbox.write("clone/model.safetensors", safetensors());
    yard.import([&place])
        .run()
        .success()
        .prints("imported  vision/clone:1.0.0");
}

#[test]
fn what_is_exported_is_imported_as_it_was() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.write("first/README.md", CARD);
    sandbox.write("first/model.safetensors", safetensors());
    sandbox.write("first/pytorch_model.bin", PICKLE);
    let place = format!("huggingface:{}", sandbox.path("first").display());
    let called = "--as=vision/defects:1.0.0";
    yard.import([&*place, called, "--name=first"])
        .run()
        .success();
    yard.merge("import/first");
    let (model, version) = (
        "models/vision/defects/model.yaml",
        "models/vision/defects/versions/1.0.0.yaml",
    );
    // People write on: what the hub has no word for.
    let text = yard.show("main", model) + "  description: |\n    Finds scratches.\n    ---\n";
    yard.write(model, &text);
    let text = yard.show("main", version)
        + "  notes: Keep the camera at 40 cm.\n  hyperparameters: {epochs: 40}\n";
    yard.write(version, &text);
    yard.commit("Ours");
    yard.modelyard(["check"]).run().success();

    let records: (Model, ModelVersion) =
        (record(&yard, "main", model), record(&yard, "main", version));
    let card = yard.show("main", "models/vision/defects/README.md");
    let exported = export_card(&records.0, &records.1, Some(&card));
    let fresh = Sandbox::new();
    let elsewhere = fresh.yard();
    fresh.write("out/README.md", exported);
    fresh.write("out/model.safetensors", safetensors());
    fresh.write("out/pytorch_model.bin", PICKLE);
    let place = format!("huggingface:{}", fresh.path("out").display());
    elsewhere
        .import([&*place, called, "--name=out"])
        .run()
        .success();

    let mut back: (Model, ModelVersion) = (
        record(&elsewhere, "import/out", model),
        record(&elsewhere, "import/out", version),
    );
    assert_eq!(back.0, records.0);
    // Another card is another file, and so another artifact; and it comes from another folder.
    assert_ne!(back.1.spec.artifact.digest, records.1.spec.artifact.digest);
    back.1.spec.artifact = records.1.spec.artifact.clone();
    let (imported, before) = (back.1.spec.imported.take(), records.1.spec.imported.clone());
    assert_eq!(imported.unwrap().unmapped, before.clone().unwrap().unmapped);
    back.1.spec.imported = before;
    assert_eq!(back.1, records.1);
}
