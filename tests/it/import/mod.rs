//! `modelyard import`, as a person runs it.

mod canary;
mod custom;
mod deployments;
mod export;
mod folder;
mod follow;
mod geti;
#[cfg(feature = "real-tools")]
mod git;
#[cfg(feature = "real-tools")]
mod gto;
mod huggingface;
#[cfg(feature = "real-tools")]
mod image;
mod kserve;
mod manifests;
mod mlflow;
#[cfg(feature = "real-tools")]
mod oci;
#[cfg(feature = "real-tools")]
mod reviewed;
mod seldon_v1;
mod seldon_v2;
#[cfg(feature = "real-tools")]
mod storage;

use std::ffi::OsStr;

use serde_json::{Value, json};

use crate::harness::{Run, Sandbox, Yard};

/// Where what is imported or exported runs.
const ENVIRONMENT: &str = "\
apiVersion: modelyard.dev/v1
kind: Environment
metadata: {name: hospital}
spec:
  target: {type: process}
";

/// A source whose lists and files lie in the sandbox's folder `source`: a program in sh that hands
/// them out.
struct Program<'a> {
    sandbox: &'a Sandbox,
}

const PROGRAM: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 1
echo "$@" >> calls
case "$1" in
    list) cat list.json ;;
    candidate) cat "candidate-$2.json" ;;
    open) [ ! -e away ] || exit 7; tail -c "+$(($3 + 1))" "$2" ;;
esac
"#;

impl<'a> Program<'a> {
    fn new(sandbox: &'a Sandbox) -> Self {
        let path = sandbox.write("source/give", PROGRAM);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { sandbox }
    }

    fn word(&self) -> String {
        format!("custom:{}", self.sandbox.path("source/give").display())
    }

    /// Says what it lists.
    fn lists(&self, versions: &Value) {
        let listing = json!({ "versions": versions });
        self.sandbox.write("source/list.json", listing.to_string());
    }

    /// Has the version `reference` hold one file with `content`.
    fn has(&self, reference: &str, content: &[u8], version: &Value) {
        let file = format!("{reference}.bin");
        self.sandbox.write(format!("source/{file}"), content);
        let candidate = json!({
            "version": version,
            "unmapped": {"told": "by nobody else"},
            "files": [{"path": "model.bin", "key": file, "sizeBytes": content.len()}],
        });
        let place = format!("source/candidate-{reference}.json");
        self.sandbox.write(place, candidate.to_string());
    }

    /// What it was called with.
    fn calls(&self) -> Vec<String> {
        let calls = self.sandbox.read("source/calls");
        calls.lines().map(str::to_owned).collect()
    }
}

impl Yard<'_> {
    /// `modelyard import`, unsigned, for the namespace and the team `vision`.
    fn import<A: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = A>) -> Run {
        let fixed = [
            "import",
            "--unsigned",
            "--namespace=vision",
            "--owner=vision",
        ];
        let fixed = fixed.iter().map(|word| OsStr::new(word).to_owned());
        let words = words.into_iter().map(|word| word.as_ref().to_owned());
        self.modelyard(fixed.chain(words.collect::<Vec<_>>()))
    }
}

/// Two versions of one model, as a source with stages and aliases lists them.
fn two() -> Value {
    json!([
        {
            "model": "Surface Defects", "label": "1", "reference": "d1", "revision": "a",
            "stage": "Archived", "createdAt": "2026-10-01T08:00:00Z",
        },
        {
            "model": "Surface Defects", "label": "2", "reference": "d2", "revision": "b",
            "stage": "Production", "aliases": ["champion"], "createdAt": "2026-11-01T08:00:00Z",
        },
    ])
}
