//! Out again: what a yard has, as others have it.
//!
//! A version becomes a folder: [its own](to_folder), [MLflow's](to_mlflow), or
//! [Hugging Face's](to_huggingface). What is written beside the artifact's files is a [`Laid`];
//! whoever calls puts both into one folder.
//!
//! Deployments become manifests of KServe and Seldon. These are the mappings of [`kserve`](super::kserve) and [`seldon`](super::seldon) backwards:
//! what is written here and read there gives the same deployments and versions. The annotations
//! `modelyard.dev/model` and `modelyard.dev/version` say which version it is. What a deployment
//! says and the other side has no field for is in [`Manifested::left_out`].

mod folder;
mod huggingface;
mod kserve;
mod laid;
mod mlflow;
mod pod;
mod seldon_v1;
mod seldon_v2;

use serde_json::Value;

use super::LeftOut;
use crate::record::kind::{
    Coprocessor, Deployment, DeploymentSpec, ModelVersion, Share, Strategy, StrategyType,
};
use crate::record::{ModelName, Selector};

pub use folder::to_folder;
pub(super) use folder::{CARD, FILES, MODEL, VERSION};
pub use huggingface::to_huggingface;
pub use kserve::manifests as to_kserve;
pub use laid::Laid;
pub use mlflow::{MLMODEL, NoFlavor, kept_as_mlflow, to_mlflow};
pub use seldon_v1::manifests as to_seldon_v1;
pub use seldon_v2::manifests as to_seldon_v2;

/// A version that a deployment serves, and where others find its bytes.
#[derive(Debug, Clone)]
pub struct Served {
    /// The version.
    pub record: ModelVersion,
    /// Its bytes, as `storageUri` names them.
    pub uri: String,
}

/// What finds the version that is meant, as `modelyard` itself would choose it.
pub type Find<'a> = &'a dyn Fn(&ModelName, Option<&Selector>) -> Option<Served>;

/// What deployments became elsewhere.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manifested {
    /// Kubernetes' objects, in the order in which they are to be applied.
    pub manifests: Vec<Value>,
    /// What has no field there: the deployment's field, and why.
    pub left_out: Vec<LeftOut>,
}

/// Where objects go.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// The cluster's namespace; the manifests name none where nothing is said.
    pub namespace: Option<String>,
}

/// A version with its share of the traffic.
struct Part {
    /// What it is called among the parts: unique in the deployment.
    name: String,
    served: Served,
    weight: u32,
}

impl Manifested {
    fn no_place(&mut self, deployment: &Deployment, field: &str, why: impl Into<String>) {
        let name = &deployment.metadata.name;
        self.left_out.push(LeftOut {
            what: format!("{name}: {field}"),
            why: why.into(),
        });
    }

    /// Tells of the fields that no serving system knows.
    fn ours_alone(&mut self, deployment: &Deployment) {
        let spec = &deployment.spec;
        for (field, is_said) in [
            ("pool", spec.pool.is_some()),
            ("route", spec.route.is_some()),
            ("analysis", !spec.analysis.is_empty()),
            ("rollback", spec.rollback.is_some()),
            ("health", spec.health.is_some()),
            ("drift", spec.drift.is_some()),
            ("rollout", spec.rollout.is_some()),
            ("suspend", spec.suspend.is_some()),
            ("restart", spec.restart.is_some()),
        ] {
            if is_said {
                self.no_place(deployment, field, "only Modelyard knows it");
            }
        }
        for share in spec.split.iter().filter(|share| share.pool.is_some()) {
            let field = format!("split of {}", share.model);
            self.no_place(deployment, &field, "its pool is not known there");
        }
        let delay = spec
            .replicas
            .as_ref()
            .and_then(|replicas| replicas.scale_down_delay);
        if delay.is_some() {
            self.no_place(
                deployment,
                "replicas.scaleDownDelay",
                "only Modelyard knows it",
            );
        }
    }

    /// The versions that `deployment` serves; those that can't be found are told.
    fn parts(&mut self, deployment: &Deployment, find: Find<'_>) -> Vec<Part> {
        let shares = deployment.spec.shares();
        let alone = shares.len() == 1;
        let mut parts: Vec<Part> = Vec::new();
        for Share {
            model,
            version,
            weight,
            ..
        } in shares
        {
            let Some(served) = find(&model, version.as_ref()) else {
                let field = format!("model {model}");
                self.no_place(deployment, &field, "there is no such version");
                continue;
            };
            let own = deployment.metadata.name.as_str();
            let mut name = match alone {
                true => own.to_owned(),
                false => format!("{own}-{}", model.name()),
            };
            if parts.iter().any(|part| part.name == name) {
                name = format!("{name}-{}", served.record.metadata.version);
            }
            let name = pod::label(&name);
            parts.push(Part {
                name,
                served,
                weight,
            });
        }
        parts
    }
}

/// The deployment among `all` whose traffic `deployment` gets a copy of, if it is a shadow.
fn shadowed<'a>(deployment: &Deployment, all: &'a [Deployment]) -> Option<&'a Deployment> {
    let strategy = deployment.spec.strategy.as_ref()?;
    let [of] = deployment.spec.depends_on.as_slice() else {
        return None;
    };
    let is_it = |one: &&Deployment| {
        one.metadata.name == *of && one.metadata.environment == deployment.metadata.environment
    };
    let is_shadow = strategy.strategy_type == StrategyType::Shadow;
    all.iter().find(is_it).filter(|_| is_shadow)
}

/// What a shadow with `name` is called within the deployment whose name stands before its own.
fn within(name: &str, deployment: &Deployment) -> String {
    let before = format!("{}-", pod::label(deployment.metadata.name.as_str()));
    let own = name.strip_prefix(&before).filter(|own| !own.is_empty());
    own.unwrap_or(name).to_owned()
}

/// The percents of the traffic that a shadow gets a copy of.
fn copied(strategy: Option<&Strategy>) -> u8 {
    let step = strategy.and_then(|strategy| strategy.steps.first());
    step.and_then(|step| step.weight).unwrap_or(100)
}

/// The images that are coprocessors in `list`, if all of them are images.
fn images(list: &[Coprocessor]) -> Option<Vec<String>> {
    let image = |one: &Coprocessor| match one {
        Coprocessor::Container(one) => Some(one.container.image.to_string()),
        Coprocessor::Model(_) => None,
    };
    list.iter().map(image).collect()
}

/// Whether the spec asks for processors or memory or has variables.
fn has_container(spec: &DeploymentSpec) -> bool {
    let runtime = spec.runtime.as_ref();
    spec.resources.is_some()
        || runtime.is_some_and(|one| !one.env.is_empty() || !one.secrets.is_empty())
}
