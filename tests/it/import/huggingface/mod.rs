//! Hugging Face: a hub by its API, what its client fetched, folders with a card, and out again.

#[cfg(feature = "real-tools")]
mod client;
mod faults;
mod folder;
mod hub;

use crate::harness::{FakeHub, Run, Sandbox, Yard};

/// What a card says that everything in it has a place for, and some that has none.
const CARD: &str = "\
---
language: en
license: apache-2.0
library_name: transformers
pipeline_tag: image-classification
tags: [vision, steel]
base_model: google/vit-base-patch16-224
base_model_relation: finetune
datasets: [acme/plates]
thumbnail: scratch.png
model_name: Surface defects
model-index:
  - name: Surface defects
    results:
      - task: {type: image-classification}
        dataset: {type: acme/plates, name: acme/plates, split: test}
        metrics: [{type: accuracy, value: 0.973}]
---
# Surface defects

Finds scratches.

```bibtex
@misc{plates2026, author = {Ada Lovelace and Hopper, Grace}, doi = {10.5281/zenodo.123}}
```
";

const RECORD: &str = "models/vision/acme-defects/versions/1.0.0.yaml";
const MODEL: &str = "models/vision/acme-defects/model.yaml";

/// A pickle that would call something.
const PICKLE: &[u8] = b"\x80\x04\x95\x0b\0\0\0\0\0\0\0\x8c\x07builtinsN.";

/// A tensor of four numbers, as safetensors has it.
fn safetensors() -> Vec<u8> {
    let header = br#"{"weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header);
    bytes.extend_from_slice(&[7; 16]);
    bytes
}

/// A commit of `acme/defects` with a card, weights, and what is for git alone.
pub(super) fn pushed(hub: &FakeHub) -> String {
    let files: [(&str, &[u8]); 5] = [
        (".gitattributes", b"*.bin filter=lfs\n"),
        ("README.md", CARD.as_bytes()),
        ("config.json", br#"{"model_type": "vit"}"#),
        ("model.safetensors", &safetensors()),
        ("tokens/vocab.txt", b"a\nb\n"),
    ];
    hub.push("acme/defects", &files)
}

impl Yard<'_> {
    /// `modelyard import` from the hub at `host`.
    fn brings_from_hub(&self, host: &str, words: &[&str]) -> Run {
        let words = words.iter().chain(&["--name=hub"]);
        self.import(words)
            .env("HF_ENDPOINT", format!("http://{host}"))
    }
}

/// The record without what another run or place would have otherwise.
fn steady(record: &str, sandbox: &Sandbox, host: &str) -> String {
    let root = sandbox.root().display().to_string();
    record
        .replace(host, "hub.acme.example")
        .replace(&root, "[sandbox]")
}
