//! Seldon Core's manifests: `SeldonDeployment` of v1, `Model`, `Experiment` and `Pipeline` of v2, and
//! the folders that MLServer serves.
//!
//! | in Seldon | here |
//! | --- | --- |
//! | a unit of a graph with a `modelUri`, or whose container bears its name; a `Model`; a folder with `model-settings.json` | a version |
//! | predictors with `traffic`, `RANDOM_ABTEST`, an `Experiment` | a deployment with `split` |
//! | a `shadow` predictor, a `mirror` | a deployment of its own with the strategy `shadow`, which depends on the one whose traffic it got |
//! | transformers, models before a model, a `Pipeline` of one line | `before` and `after` |
//! | `replicas`, `hpaSpec`, `resources`, `env`, `secretKeyRef` | the same |
//!
//! Routers and combiners decide or join between models, which no deployment can: their models are
//! imported, and the deployment is told as left out.

mod graph;
mod mlserver;
mod pipeline;
mod v1;
mod v2;

pub(super) use graph::SERVERS;

use super::manifest::{Dialect, Found, Manifest, Manifests};
use super::{ImportError, Opening, Place};
use crate::record::kind::SourceType;

static DIALECT: Dialect = Dialect {
    source_type: SourceType::Seldon,
    groups: &["machinelearning.seldon.io", "mlops.seldon.io", "mlserver"],
    kinds: &["SeldonDeployment", "Model", "Experiment", "Pipeline"],
    resources: &[
        "seldondeployments.machinelearning.seldon.io",
        "models.mlops.seldon.io",
        "experiments.mlops.seldon.io",
        "pipelines.mlops.seldon.io",
    ],
    settings: true,
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
    let mut models = v2::Models::default();
    for manifest in manifests {
        match manifest.kind() {
            "SeldonDeployment" => v1::tell(manifest, found),
            "ModelSettings" => mlserver::tell(manifest, found),
            "Model" => models.add(manifest, found),
            _ => {}
        }
    }
    for manifest in manifests {
        match manifest.kind() {
            "Experiment" => v2::experiment(manifest, &mut models, found),
            "Pipeline" => pipeline::tell(manifest, &mut models, found),
            "SeldonDeployment" | "ModelSettings" | "Model" => {}
            kind => found.leave_out(manifest, format!("{kind} has no place in a yard")),
        }
    }
    models.deploy(found);
}
