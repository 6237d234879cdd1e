//! `kind: Deployment`: the wish that versions serve in an environment.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::analysis::Analysis;
use super::command::Arguments;
use super::envelope::{Envelope, Spec};
use super::grammar::words;
use super::image::ImageReference;
use super::label::{CookieName, HeaderName, SecretReference, VariableName};
use super::number::Finite;
use super::quantity::Quantity;
use super::route::RoutePath;
use super::span::Span;
use super::strategy::{Rollback, RolloutWord, Strategy};
use super::{Kind, Record};
use crate::record::{ModelName, Name, Selector};

/// `deployments/<environment>/<deployment>.yaml`.
pub type Deployment = Envelope<DeploymentSpec>;

/// Which deployment it is, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeploymentMetadata {
    /// Its name.
    pub name: Name,
    /// The environment it runs in.
    pub environment: Name,
}

/// What shall serve, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeploymentSpec {
    /// The model that serves; or `split`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// Which of its versions; the newest released one where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Selector>,
    /// Several that serve at once, held by weight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub split: Vec<Share>,
    /// The environment's pool that it takes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<Name>,
    /// How many times it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<Replicas>,
    /// What each replica takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// What serves it; what the version says where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Runtime>,
    /// What requests pass before the model, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Coprocessor>,
    /// What answers pass behind the model, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Coprocessor>,
    /// Where it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,
    /// How a new version takes over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// What is measured while it does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub analysis: Vec<Analysis>,
    /// What to do when it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Rollback>,
    /// When a replica counts as failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// What to do about changes that somebody made beside the yard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// A person's word on a rollout that goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutWord>,
    /// Deployments of the same environment that have to serve first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<Name>,
    /// Whether everything stays as it is, weights included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// A new time here restarts it, and clears what is held against a digest that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<Timestamp>,
}

/// One of several that serve at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Share {
    /// The model.
    pub model: ModelName,
    /// Which of its versions; the newest released one where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Selector>,
    /// How much of the traffic it gets: its weight by the sum of all.
    pub weight: u32,
    /// The environment's pool that it takes from; the deployment's where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<Name>,
}

/// How many times a deployment runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Replicas {
    /// At least; 1 where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// At most; as many as `min` where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// By what the number in between is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<ScaleMetric>,
    /// How much of it each replica shall have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Finite>,
    /// How long less load has to be enough before replicas are stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_down_delay: Option<Span>,
}

words! {
    /// By what the number of replicas is told.
    ScaleMetric, "a metric to scale by",
    {
        /// Requests at the same time.
        Concurrency = "concurrency",
        /// Requests a second.
        Rps = "rps",
        /// Processor use, in percent of what is requested.
        Cpu = "cpu",
        /// Memory use, in percent of what is requested.
        Memory = "memory",
    }
}

/// What each replica takes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resources {
    /// What it is sure to have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<ResourceAmounts>,
    /// What it may take at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<ResourceAmounts>,
}

/// Amounts of processor, memory and graphics processors.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceAmounts {
    /// Processors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Quantity>,
    /// Memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Quantity>,
    /// Graphics processors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<u32>,
}

/// What serves a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Runtime {
    /// Which runtime; the version's where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What the program of the runtime `command` is told, in place of what the version says.
    #[serde(default, skip_serializing_if = "Arguments::is_empty")]
    pub args: Arguments,
    /// Environment variables that everybody may see.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<VariableName, String>,
    /// Environment variables that nobody may see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretEnvironment>,
}

/// An environment variable that is filled from a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretEnvironment {
    /// The variable.
    pub env: VariableName,
    /// Where its value is read from.
    pub from: SecretReference,
}

/// What requests pass before a model, or answers behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Coprocessor {
    /// Another model of the yard.
    Model(ModelCoprocessor),
    /// A container that speaks the Open Inference Protocol.
    Container(ContainerCoprocessor),
}

/// Another model of the yard, as a coprocessor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelCoprocessor {
    /// The model.
    pub model: ModelName,
    /// Which of its versions; the newest released one where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Selector>,
}

/// A container, as a coprocessor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContainerCoprocessor {
    /// What runs in it.
    pub container: Container,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Container {
    /// Its image.
    pub image: ImageReference,
}

/// Where a deployment answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    /// Its path.
    pub path: RoutePath,
    /// What keeps a client with one version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Sticky>,
}

/// What keeps a client with one version: `{header: x-session}` or `{cookie: seat}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Sticky {
    /// Clients are known by a header that they send.
    Header(HeaderName),
    /// Clients are known by a cookie of this name, which the gateway sets.
    Cookie(CookieName),
}

/// When a replica counts as failed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Health {
    /// How long it may take until it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
}

words! {
    /// What to do about changes that somebody made beside the yard.
    Drift, "what to do about drift",
    {
        /// Undo them.
        Correct = "correct",
        /// Tell of them.
        Report = "report",
        /// Nothing.
        Ignore = "ignore",
    }
}

impl Spec for DeploymentSpec {
    const KIND: Kind = Kind::Deployment;
    type Metadata = DeploymentMetadata;
}

impl DeploymentSpec {
    /// Everything that serves: the shares of `split`, or `model` with all the traffic.
    pub fn shares(&self) -> Vec<Share> {
        let whole = self.model.iter().map(|model| Share {
            model: model.clone(),
            version: self.version.clone(),
            weight: 100,
            pool: self.pool.clone(),
        });
        let parts = self.split.iter().map(|share| Share {
            pool: share.pool.clone().or_else(|| self.pool.clone()),
            ..share.clone()
        });
        whole.chain(parts).collect()
    }

    /// What to do about drift; [`Drift::Correct`] where nothing is said.
    pub fn drift(&self) -> Drift {
        self.drift.unwrap_or(Drift::Correct)
    }
}

impl From<Deployment> for Record {
    fn from(deployment: Deployment) -> Self {
        Self::Deployment(deployment)
    }
}
