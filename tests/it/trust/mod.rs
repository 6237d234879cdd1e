//! Keys, signatures and verification, by the commands that people use.

#[cfg(feature = "real-tools")]
mod cosign;
#[cfg(feature = "real-tools")]
mod interrupted;
mod keys;
mod verify;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use modelyard::artifact::descriptor::{EMPTY, EMPTY_JSON, IMAGE_MANIFEST};
use modelyard::artifact::{Descriptor, Manifest, Store, StoreOptions, open};
use modelyard::platform::Places;
use modelyard::platform::progress::Silent;
use modelyard::record::OciReference;

use crate::harness::{Run, Sandbox};

const PASSWORD: &str = "correct horse";

/// A machine with a yard in its work folder, and whoever works at it.
struct Desk {
    sandbox: Sandbox,
}

impl Desk {
    /// A yard with a store beside it, on `main`.
    fn new() -> Self {
        let desk = Self {
            sandbox: Sandbox::new(),
        };
        desk.sandbox.write(
            "modelyard.yaml",
            "apiVersion: modelyard.dev/v1\nkind: Yard\nmetadata: {name: acme}\nspec:\n  stores:\n    \
             - {name: main, repository: \"oci-layout:./store\"} # beside it\n",
        );
        desk.git(["init", "--quiet"]);
        desk.commit();
        desk
    }

    fn git<const N: usize>(&self, arguments: [&str; N]) -> String {
        self.sandbox.git(arguments).run().success().stdout
    }

    fn commit(&self) {
        self.git(["add", "modelyard.yaml"]);
        if self.sandbox.path("models").exists() {
            self.git(["add", "models"]);
        }
        self.git(["commit", "--quiet", "-m", "yard: changes"]);
    }

    /// Merges the branch that a command proposed.
    fn merge(&self, branch: &str) {
        self.git(["merge", "--quiet", "--no-edit", branch]);
    }

    fn modelyard<const N: usize>(&self, arguments: [&str; N]) -> Run {
        self.sandbox
            .modelyard(arguments)
            .env("COSIGN_PASSWORD", PASSWORD)
    }

    /// Makes a key and no more.
    fn key(&self, name: &str) -> PathBuf {
        self.modelyard(["keys", "generate", name, "--no-yard"])
            .run()
            .success();
        self.private(name)
    }

    fn private(&self, name: &str) -> PathBuf {
        let home = self.sandbox.home();
        home.join(format!(".config/modelyard/keys/{name}.key"))
    }

    fn public(&self, name: &str) -> PathBuf {
        self.private(name).with_extension("pub")
    }

    /// Puts an artifact of one file at `reference`, and gives it by its digest.
    fn artifact(&self, reference: &str) -> OciReference {
        self.artifact_of(reference, "weights")
    }

    fn artifact_of(&self, reference: &str, content: &str) -> OciReference {
        let reference: OciReference = reference.parse().unwrap();
        let repository = reference.repository.resolved(&self.sandbox.path(""));
        let store = store(&self.sandbox.home(), &repository.to_string());
        let put = async {
            let config = put_blob(store.as_ref(), EMPTY, EMPTY_JSON).await;
            let layer = "application/vnd.cncf.model.weight.v1.raw";
            let layer = put_blob(store.as_ref(), layer, content.as_bytes()).await;
            let manifest = Manifest {
                schema_version: 2,
                media_type: IMAGE_MANIFEST.to_owned(),
                artifact_type: Some("application/vnd.cncf.model.manifest.v1+json".to_owned()),
                config,
                layers: vec![layer.annotated("org.cncf.model.filepath", "weights.bin")],
                subject: None,
                annotations: std::collections::BTreeMap::new(),
            };
            let bytes = manifest.to_bytes();
            let tag = reference.tag.as_ref();
            store
                .put_manifest(IMAGE_MANIFEST, bytes, tag)
                .await
                .unwrap()
        };
        let descriptor = block_on(put);
        reference.repository.at(descriptor.digest)
    }

    /// Writes the records of `vision/digits:1.0.0`, whose artifact is the one at `place`.
    fn record(&self, place: &OciReference) {
        self.sandbox.write(
            "models/vision/digits/model.yaml",
            "apiVersion: modelyard.dev/v1\nkind: Model\nmetadata: {namespace: vision, name: digits}\n\
             spec:\n  title: Digits\n  owners: [{team: vision, contact: vision@acme.example}]\n  \
             aliases: {champion: 1.0.0}\n",
        );
        let digest = place.digest.unwrap();
        self.sandbox.write(
            "models/vision/digits/versions/1.0.0.yaml",
            format!(
                "apiVersion: modelyard.dev/v1\nkind: ModelVersion\nmetadata: {{namespace: vision, \
                 name: digits, version: 1.0.0}}\nspec:\n  lifecycle: released\n  artifact:\n    \
                 repository: \"{}\"\n    digest: {digest}\n    size: 7\n  format: {{name: onnx, code: []}}\n",
                place.repository
            ),
        );
        self.commit();
    }
}

fn store(home: &Path, repository: &str) -> std::sync::Arc<dyn Store> {
    let places = Places {
        config: home.to_owned(),
        cache: home.to_owned(),
        state: home.to_owned(),
        docker_config: home.join(".docker"),
    };
    open(&repository.parse().unwrap(), &StoreOptions::new(&places)).unwrap()
}

async fn put_blob(store: &dyn Store, media_type: &str, content: &[u8]) -> Descriptor {
    let descriptor = Descriptor::of(media_type, content);
    let bytes = Bytes::copy_from_slice(content);
    store.put_blob(&descriptor, &bytes, &Silent).await.unwrap();
    descriptor
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}
