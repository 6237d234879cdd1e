//! Serving runtimes: which one an InferenceService gets, and what it brings along.

use std::cmp::Reverse;

use serde_json::{Map, Value};

use super::is_built_in;
use crate::import::manifest::{Fields, Found, Manifest, Pod};

/// What the container of a runtime that runs the model is called.
const CONTAINER: &str = "kserve-container";

/// The serving runtimes that are known.
pub(super) struct Runtimes<'a> {
    all: Vec<Runtime<'a>>,
}

struct Runtime<'a> {
    manifest: &'a Manifest,
    formats: Vec<Format>,
    used: bool,
}

/// A format that a runtime takes.
struct Format {
    name: String,
    version: Option<String>,
    chosen: bool,
    priority: i64,
}

impl<'a> Runtimes<'a> {
    /// Those among `manifests`.
    pub(super) fn of(manifests: &'a [Manifest]) -> Self {
        let is_one = |manifest: &&Manifest| manifest.kind().ends_with("ServingRuntime");
        let all = manifests.iter().filter(is_one);
        Self {
            all: all
                .map(|manifest| Runtime {
                    formats: formats(manifest),
                    manifest,
                    used: false,
                })
                .collect(),
        }
    }

    /// The runtime called `name`, else the one that KServe would choose for `format`, in
    /// `namespace`; it counts as used. One of the namespace is heard before one of the cluster.
    pub(super) fn find(
        &mut self,
        name: Option<&str>,
        (format, version): (&str, Option<&str>),
        namespace: Option<&str>,
    ) -> Option<&'a Manifest> {
        let fits = |runtime: &&mut Runtime<'_>| match name {
            Some(name) => runtime.manifest.name() == name,
            None => runtime.priority(format, version).is_some(),
        };
        let here = |runtime: &&mut Runtime<'_>| {
            runtime.manifest.kind() == "ClusterServingRuntime"
                || runtime.manifest.namespace() == namespace
        };
        let fitting = self.all.iter_mut().filter(|one| here(one) && fits(one));
        let runtime = fitting.max_by_key(|one| one.rank(format, version))?;
        runtime.used = true;
        Some(runtime.manifest)
    }

    /// Tells of those that serve nothing; not of those that every cluster with KServe has.
    pub(super) fn leave_out_unused(&self, found: &mut Found) {
        let unused = self.all.iter().filter(|runtime| !runtime.used);
        for runtime in unused.filter(|runtime| !is_built_in(runtime.manifest.name())) {
            found.leave_out(runtime.manifest, "no InferenceService here is served by it");
        }
    }
}

impl<'a> Runtime<'a> {
    /// What puts it before others that fit; of two that are alike the first by name.
    fn rank(&self, format: &str, version: Option<&str>) -> (bool, Option<i64>, Reverse<&'a str>) {
        let own = self.manifest.kind() == "ServingRuntime";
        (
            own,
            self.priority(format, version),
            Reverse(self.manifest.name()),
        )
    }

    /// How much it wants to be chosen for a format; nothing if it doesn't want to.
    fn priority(&self, format: &str, version: Option<&str>) -> Option<i64> {
        let disabled = self.manifest.value["spec"]["disabled"] == true;
        let fits = |one: &&Format| {
            let same =
                version.is_none() || one.version.is_none() || one.version.as_deref() == version;
            !disabled && one.chosen && one.name == format && same
        };
        self.formats
            .iter()
            .filter(fits)
            .map(|one| one.priority)
            .max()
    }
}

fn formats(manifest: &Manifest) -> Vec<Format> {
    let formats = manifest.value["spec"]["supportedModelFormats"].as_array();
    let formats = formats.into_iter().flatten();
    formats
        .map(|format| Format {
            name: format["name"].as_str().unwrap_or_default().to_owned(),
            version: format["version"].as_str().map(str::to_owned),
            chosen: format["autoSelect"] == true,
            priority: format["priority"].as_i64().unwrap_or(0),
        })
        .collect()
}

/// Puts what `runtime` brings along into `pod`, and what has no place into `unmapped`.
pub(super) fn bring(runtime: &Manifest, pod: &mut Pod, unmapped: &mut Map<String, Value>) {
    let mut spec = runtime.spec();
    // What it takes is why it was chosen; Open Inference is what everything here speaks.
    spec.take("supportedModelFormats");
    spec.take("protocolVersions");
    spec.take_if("multiModel", |value| (*value == false).then_some(()));
    spec.take_if("disabled", |value| (*value == false).then_some(()));
    let mut others = Vec::new();
    for container in spec.list("containers") {
        let is_ours = container["name"] == CONTAINER;
        match Fields::of(container.clone()) {
            Some(mut fields) if is_ours => {
                fields.take("name");
                pod.container(&mut fields);
                fields.left("runtime.", unmapped);
            }
            _ => others.push(container),
        }
    }
    if !others.is_empty() {
        spec.put("containers", others.into());
    }
    spec.left("runtime.spec.", unmapped);
}
