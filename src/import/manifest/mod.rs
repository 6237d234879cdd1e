//! Kubernetes' manifests, as sources of models and deployments: what Seldon and KServe share.
//!
//! ```text
//!  files, commit, cluster ──read──▶ Manifest ──kserve, seldon──▶ Found ──settle──▶ Listing
//! ```
//!
//! An object is taken apart field by field ([`Fields`]): what nobody asks for is by that what found
//! no place, and is reported. What a manifest says of a model and where its bytes are is a
//! [`Unit`]; what it says of how it runs is a deployment, in which models are named by their
//! units until [`Found::settle`] has given each of them a name and a version of its own.
//!
//! No secret is read: a reference stays one, and what looks like a secret that somebody wrote out
//! is left out of everything, with a word about it.

mod cluster;
mod commit;
mod fields;
mod found;
mod label;
mod open;
mod read;
mod words;
mod workload;

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

pub(super) use fields::{Fields, conceal, is_secret, json_text};
pub(super) use found::{Bytes, Found, Unit};
use label::{Labelled, label};
pub(super) use open::{Dialect, Manifests};
pub(super) use words::{say, word_for};
pub(super) use workload::{Pod, percents, pinned, quantity};

/// What an annotation or a label of ours begins with.
pub(super) const OURS: &str = "modelyard.dev/";

/// One object, as somebody wrote it.
#[derive(Debug, Clone)]
pub(super) struct Manifest {
    /// Where it stands, as errors name it: `deploy/models.yaml:12 (document 2)`.
    pub at: String,
    /// The folder of its file, where it has one.
    pub folder: Option<PathBuf>,
    /// What it says.
    pub value: Value,
}

impl Manifest {
    /// Its kind.
    pub(super) fn kind(&self) -> &str {
        self.value["kind"].as_str().unwrap_or_default()
    }

    /// The API group of its `apiVersion`; empty for Kubernetes' core.
    pub(super) fn group(&self) -> &str {
        let version = self.value["apiVersion"].as_str().unwrap_or_default();
        version.split_once('/').map_or("", |(group, _)| group)
    }

    /// Its name; empty where it has none.
    pub(super) fn name(&self) -> &str {
        self.value["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// Its namespace, where it says one.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.value["metadata"]["namespace"].as_str()
    }

    /// What it is called for good: `InferenceService/models-prod/defects`, or
    /// `ClusterServingRuntime/triton`, which is in no namespace.
    pub(super) fn reference(&self) -> String {
        let (kind, name) = (self.kind(), self.name());
        if kind.starts_with("Cluster") {
            return format!("{kind}/{name}");
        }
        let namespace = self.namespace().unwrap_or("default");
        format!("{kind}/{namespace}/{name}")
    }

    /// What it is called in what people read, with its place.
    pub(super) fn described(&self) -> String {
        format!("{} ({})", self.reference(), self.at)
    }

    /// The annotation, or else the label, `modelyard.dev/<name>`.
    pub(super) fn ours(&self, name: &str) -> Option<String> {
        let key = format!("{OURS}{name}");
        let of = |field: &str| self.value["metadata"][field][&key].as_str();
        of("annotations")
            .or_else(|| of("labels"))
            .map(str::to_owned)
    }

    /// Its labels and annotations but for those that tools write for themselves, and ours.
    pub(super) fn tags(&self) -> BTreeMap<String, String> {
        let of = |field: &str| self.value["metadata"][field].as_object();
        let all = of("labels").into_iter().chain(of("annotations")).flatten();
        all.filter(|(key, _)| !key.starts_with("kubectl.kubernetes.io/") && !key.starts_with(OURS))
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .filter(|(key, value)| !is_secret(key, value))
            .collect()
    }

    /// When the cluster took it.
    pub(super) fn created_at(&self) -> Option<Timestamp> {
        self.value["metadata"]["creationTimestamp"]
            .as_str()?
            .parse()
            .ok()
    }

    /// Its `spec`, to be taken apart.
    pub(super) fn spec(&self) -> Fields {
        let spec = self.value["spec"].as_object().cloned();
        Fields::new(spec.unwrap_or_default())
    }

    /// What of it beside `spec` and the names found no place, with its labels and annotations;
    /// status is the cluster's.
    pub(super) fn rest(&self) -> Map<String, Value> {
        const OF_NO_MATTER: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];
        let fields = self.value.as_object().into_iter().flatten();
        let mut rest: Map<String, Value> = fields
            .filter(|(key, _)| !OF_NO_MATTER.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let tags = self.tags();
        if !tags.is_empty() {
            rest.insert("metadata.tags".to_owned(), json!(tags));
        }
        rest
    }
}
