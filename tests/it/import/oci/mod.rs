//! Artifacts of registries and layouts: ModelKits, ModelPack, files by oras.
//!
//! KitOps' own program can't be had here: the ModelKit is made after its published format, by tar
//! and oras.

mod faults;
mod kit;
mod tags;

use serde_json::{Value, json};

use crate::harness::Sandbox;

const KIT_CONFIG: &str = "application/vnd.kitops.modelkit.config.v1+json";

/// A Kitfile, as JSON.
fn kitfile() -> Value {
    json!({
        "manifestVersion": "1.0.0",
        "package": {
            "name": "Fraud detection", "version": "1.2.0", "description": "Finds fraud.",
            "license": "Apache-2.0", "authors": ["Ada Lovelace", "Grace Hopper"],
        },
        "model": {
            "name": "fraud", "path": "models/fraud.onnx", "framework": "xgboost",
            "version": "7", "parameters": {"depth": 6},
        },
        "datasets": [{"name": "payments", "path": "data/payments.csv", "license": "CC0-1.0"}],
        "docs": [{"path": "README.md"}],
    })
}

/// The files of a ModelKit, in the sandbox's folder `kit`.
fn files(sandbox: &Sandbox) {
    let model = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/diabetes/1.0.0/model.onnx"
    );
    sandbox.write("kit/models/fraud.onnx", std::fs::read(model).unwrap());
    sandbox.write("kit/data/payments.csv", "1,2\n3,4\n");
    sandbox.write("kit/README.md", "# Fraud\n");
}

/// Pushes them as a ModelKit, each part a tar, to `reference`.
fn push_kit(sandbox: &Sandbox, reference: &str) {
    sandbox.write("config.json", kitfile().to_string());
    for (name, flags, path) in [
        ("model", "-czf", "models"),
        ("dataset", "-cf", "data"),
        ("docs", "-czf", "README.md"),
    ] {
        let archive = format!("{name}.layer");
        sandbox
            .program("tar", [flags, &archive, "-C", "kit", path])
            .run()
            .success();
    }
    let kind = "application/vnd.kitops.modelkit.";
    let config = format!("config.json:{KIT_CONFIG}");
    let layers = [
        format!("model.layer:{kind}model.v1.tar+gzip"),
        format!("dataset.layer:{kind}dataset.v1.tar"),
        format!("docs.layer:{kind}docs.v1.tar+gzip"),
    ];
    let words = ["push", "--plain-http", reference, "--config", &config];
    sandbox
        .tool(
            "oras",
            words.into_iter().chain(layers.iter().map(String::as_str)),
        )
        .run()
        .success();
}

/// The digest that `reference` means.
fn digest(sandbox: &Sandbox, reference: &str) -> String {
    let told = sandbox.tool("crane", ["digest", reference]).run().success();
    told.line().to_owned()
}
