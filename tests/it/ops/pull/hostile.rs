//! Artifacts that were made to do harm.

use std::fs;
use std::sync::Arc;

use bytes::Bytes;
use modelyard::artifact::descriptor::{EMPTY, EMPTY_JSON, IMAGE_MANIFEST};
use modelyard::artifact::{Descriptor, Manifest, Store, StoreOptions, open};
use modelyard::platform::Places;
use modelyard::platform::progress::Silent;

use crate::harness::{Outcome, Sandbox};

const RAW: &str = "application/vnd.cncf.model.weight.v1.raw";
const PATH: &str = "org.cncf.model.filepath";

fn store(sandbox: &Sandbox) -> Arc<dyn Store> {
    let places = Places::find(|_| Some(sandbox.home())).unwrap();
    let repository = format!("oci-layout:{}", sandbox.path("bytes").display());
    open(&repository.parse().unwrap(), &StoreOptions::new(&places)).unwrap()
}

/// Puts an artifact of these layers, whatever they are, and pulls it.
fn pulled(sandbox: &Sandbox, layers: Vec<Descriptor>) -> Outcome {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = store(sandbox);
        for bytes in [EMPTY_JSON, b"weights"] {
            let bytes = Bytes::from_static(bytes);
            let descriptor = Descriptor::of("a/b", &bytes);
            store.put_blob(&descriptor, &bytes, &Silent).await.unwrap();
        }
        let manifest = Manifest {
            schema_version: 2,
            media_type: IMAGE_MANIFEST.to_owned(),
            artifact_type: None,
            config: Descriptor::of(EMPTY, EMPTY_JSON),
            layers,
            subject: None,
            annotations: [].into(),
        };
        let tag = "latest".parse().unwrap();
        let put = store.put_manifest(IMAGE_MANIFEST, manifest.to_bytes(), Some(&tag));
        put.await.unwrap();
    });
    sandbox
        .modelyard(["pull", "oci-layout:bytes:latest", "deep/er/out"])
        .run()
}

fn at(path: &str) -> Descriptor {
    Descriptor::of(RAW, b"weights").annotated(PATH, path)
}

#[test]
fn paths_that_lead_elsewhere_are_refused_before_anything_is_fetched() {
    for (paths, code) in [
        (vec!["/etc/cron.d/evil"], "unsafe-path"),
        (vec!["../evil"], "unsafe-path"),
        (vec!["a/../../../evil"], "unsafe-path"),
        (vec!["C:\\evil"], "unsafe-path"),
        (vec!["a\u{1b}[2J"], "unsafe-path"),
        (vec!["model.bin", "model.bin"], "paths-clash"),
        (vec!["model.bin", "MODEL.bin"], "paths-clash"),
        (vec!["model.bin", "model.bin/evil"], "paths-clash"),
        (vec![".modelyard-pull-x/journal.json"], "reserved-name"),
    ] {
        let sandbox = Sandbox::new();
        let outcome = pulled(&sandbox, paths.iter().map(|path| at(path)).collect());
        assert!(!outcome.stderr.contains('\u{1b}'), "{}", outcome.report());
        outcome.exits(2).says(&format!("error[{code}]"));
        assert!(!sandbox.path("deep").exists(), "{paths:?}");
        assert!(!sandbox.path("evil").exists(), "{paths:?}");
        assert!(
            !sandbox.home().join(".cache/modelyard").exists(),
            "{paths:?}"
        );
    }
}

#[test]
fn lies_about_size_and_digest_are_found() {
    let lie = |size| Descriptor::new(RAW, at("x").digest, size).annotated(PATH, "model.bin");
    let mut absent = at("model.bin");
    absent.digest = modelyard::artifact::descriptor::digest_of(b"other");
    for (layer, code) in [
        (lie(6), "size-mismatch"),
        (lie(8), "size-mismatch"),
        (lie(u64::MAX), "size-mismatch"),
        (absent, "not-in-store"),
    ] {
        let sandbox = Sandbox::new();
        let outcome = pulled(&sandbox, vec![at("good.bin"), layer]);
        outcome.exits(2).says(&format!("error[{code}]"));
        assert!(!sandbox.path("deep/er/out").exists());
        let left = fs::read_dir(sandbox.path("deep/er")).map_or(0, Iterator::count);
        assert_eq!(left, 0);
    }
}

#[test]
fn a_journal_that_somebody_laid_there_leads_nowhere_else() {
    let sandbox = Sandbox::new();
    let journal = r#"{"direction":"forth","files":[{"path":"../evil","replaces":false}]}"#;
    sandbox.write("out/.modelyard-pull-x/journal.json", journal);
    sandbox.write("out/.modelyard-pull-x/evil", "evil");
    sandbox.files("digits");
    sandbox
        .modelyard(["push", "digits", "oci-layout:s:1.0.0"])
        .run()
        .success();
    let outcome = sandbox
        .modelyard(["pull", "oci-layout:s:1.0.0", "out"])
        .run();
    outcome
        .exits(2)
        .says("error[file-failed]")
        .says("journal.json");
    assert!(!sandbox.path("evil").exists());
}
