//! KServe's manifests: `InferenceService` (serving.kserve.io/v1beta1) and the `ServingRuntime`s and
//! `ClusterServingRuntime`s (v1alpha1) that serve it.
//!
//! | in KServe | here |
//! | --- | --- |
//! | `predictor.model`, or a key of its framework | a version: `storageUri` its bytes, `modelFormat` its framework or format |
//! | `minReplicas`, `maxReplicas`, `scaleMetric` with `scaleTarget` | `replicas` |
//! | `resources`, `env`, `secretKeyRef` | `resources`, `runtime.env`, `runtime.secrets` |
//! | `runtime`, `runtimeVersion`, or the runtime that takes the format | `runtime` |
//! | `canaryTrafficPercent` | `strategy` canary, held at that step until a person goes on |
//! | `deploymentStrategy` without numbers of its own | `strategy` recreate or rolling |
//! | an `InferenceGraph` that only splits traffic | `split` |
//! | `transformer` with an image by digest | `before` and `after` |
//!
//! All else, such as explainers, loggers and pods' own settings, is reported.

mod graph;
mod inference;
mod runtimes;

use super::manifest::{Dialect, Found, Manifest, Manifests};
use super::{ImportError, Opening, Place};
use crate::record::kind::SourceType;

/// What `kserve-` stands before in the names of the runtimes that KServe brings.
const BUILT_IN: [&str; 11] = [
    "huggingfaceserver",
    "huggingfaceserver-multinode",
    "lgbserver",
    "mlserver",
    "paddleserver",
    "pmmlserver",
    "predictiveserver",
    "sklearnserver",
    "tensorflow-serving",
    "torchserve",
    "xgbserver",
];

/// Triton, as KServe names its runtime.
const TRITON: &str = "kserve-tritonserver";

static DIALECT: Dialect = Dialect {
    source_type: SourceType::Kserve,
    groups: &["serving.kserve.io"],
    kinds: &["InferenceService"],
    resources: &[
        "inferenceservices.serving.kserve.io",
        "inferencegraphs.serving.kserve.io",
        "servingruntimes.serving.kserve.io",
        "clusterservingruntimes.serving.kserve.io",
    ],
    settings: false,
    tell,
};

/// The manifests at `place`: a file, a folder, a git repository, or `context=<name>`.
///
/// # Errors
/// If there is no such file or folder, or no repository can be there.
pub(super) fn open(place: &Place, opening: &Opening<'_>) -> Result<Manifests, ImportError> {
    Manifests::open(&DIALECT, place, opening)
}

fn tell(manifests: &[Manifest], found: &mut Found) {
    let mut runtimes = runtimes::Runtimes::of(manifests);
    for manifest in manifests {
        match manifest.kind() {
            "InferenceService" => inference::tell(manifest, &mut runtimes, found),
            "ServingRuntime" | "ClusterServingRuntime" | "InferenceGraph" => {}
            kind => found.leave_out(manifest, format!("{kind} has no place in a yard")),
        }
    }
    for manifest in manifests
        .iter()
        .filter(|one| one.kind() == "InferenceGraph")
    {
        graph::tell(manifest, found);
    }
    runtimes.leave_out_unused(found);
}

/// A runtime's name here.
fn runtime_here(name: &str) -> &str {
    match name.strip_prefix("kserve-") {
        _ if name == TRITON => "triton",
        Some(bare) if is_built_in(name) => bare,
        _ => name,
    }
}

/// Whether KServe brings the runtime of this name.
fn is_built_in(name: &str) -> bool {
    let bare = name.strip_prefix("kserve-");
    name == TRITON || bare.is_some_and(|bare| BUILT_IN.contains(&bare))
}

/// A runtime's name in KServe.
pub(super) fn runtime_there(name: &str) -> String {
    match name {
        "triton" => TRITON.to_owned(),
        name if BUILT_IN.contains(&name) => format!("kserve-{name}"),
        name => name.to_owned(),
    }
}
