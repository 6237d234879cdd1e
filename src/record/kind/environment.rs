//! `kind: Environment`: somewhere models run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::envelope::{Envelope, Named, Spec};
use super::grammar::words;
use super::identity::Subject;
use super::label::{LabelKey, LabelValue};
use super::quantity::Quantity;
use super::trust::ScanVerdict;
use super::{Kind, Record};
use crate::record::{Lifecycle, Name};

/// `environments/<environment>.yaml`.
pub type Environment = Envelope<EnvironmentSpec>;

/// What an environment is and asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvironmentSpec {
    /// The kind of place.
    pub target: Target,
    /// What deployments share; a deployment takes from one pool.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<Pool>,
    /// Who has to approve a change of what runs here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approvals: Option<Approvals>,
    /// What to do when what would be done is not what was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_mismatch: Option<PlanMismatch>,
    /// What a version must have to run here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requires: Option<EnvironmentRequirement>,
}

/// The kind of place where models run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
pub enum Target {
    /// Processes on the machine that reconciles.
    Process {},
    /// Containers on the machine that reconciles.
    Container {},
    /// A Kubernetes cluster.
    Kubernetes {
        /// The context of the kubeconfig; the current one where nothing is said.
        #[serde(skip_serializing_if = "Option::is_none")]
        context: Option<String>,
        /// The cluster's namespace; the context's where nothing is said.
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<String>,
        /// What serves there.
        #[serde(skip_serializing_if = "Option::is_none")]
        serving: Option<Serving>,
    },
    /// Machines that fetch for themselves what they have to run.
    Edge {},
}

words! {
    /// What serves models in a Kubernetes cluster.
    Serving, "a way to serve",
    {
        /// Deployments, Services and routes.
        Plain = "plain",
        /// KServe's InferenceServices.
        Kserve = "kserve",
        /// Seldon Core's resources.
        Seldon = "seldon",
    }
}

/// Resources that deployments share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pool {
    /// What deployments call it.
    pub name: Name,
    /// Its processors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Quantity>,
    /// Its memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Quantity>,
    /// Its graphics processors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<u32>,
    /// The labels of the cluster's nodes that are in it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub selector: BTreeMap<LabelKey, LabelValue>,
}

/// Who has to approve a change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approvals {
    /// How many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<u32>,
    /// From among whom; anybody who may approve where nothing is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<Subject>,
}

words! {
    /// What to do when what would be done is not what was shown.
    PlanMismatch, "what to do about a plan that differs",
    {
        /// Do nothing.
        Refuse = "refuse",
        /// Do it, and tell of it.
        Report = "report",
        /// Do it.
        Continue = "continue",
    }
}

/// What a version must have to run in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvironmentRequirement {
    /// At which stages of its life it may be; at any that can serve where nothing is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lifecycle: Vec<Lifecycle>,
    /// How many golden tests it must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tests: Option<u32>,
    /// What the scan of its files must have said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan: Option<ScanVerdict>,
}

impl Spec for EnvironmentSpec {
    const KIND: Kind = Kind::Environment;
    type Metadata = Named;
}

impl EnvironmentSpec {
    /// What to do about a plan that differs; [`PlanMismatch::Refuse`] where nothing is said.
    pub fn plan_mismatch(&self) -> PlanMismatch {
        self.plan_mismatch.unwrap_or(PlanMismatch::Refuse)
    }
}

impl From<Environment> for Record {
    fn from(environment: Environment) -> Self {
        Self::Environment(environment)
    }
}
