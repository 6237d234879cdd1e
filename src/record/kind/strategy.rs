//! How traffic passes from one version to the next.

use serde::{Deserialize, Serialize};

use super::grammar::words;
use super::number::Finite;
use super::span::Span;
use crate::record::{Digest, Name};

/// How a new version takes over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Strategy {
    /// In which way.
    #[serde(rename = "type")]
    pub strategy_type: StrategyType,
    /// By which steps, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

words! {
    /// A way in which a new version takes over.
    StrategyType, "a rollout strategy",
    {
        /// The old one stops, then the new one starts.
        Recreate = "recreate",
        /// Replica by replica.
        Rolling = "rolling",
        /// The new one starts beside the old one and takes all traffic at once.
        BlueGreen = "blueGreen",
        /// The new one takes more and more of the traffic.
        Canary = "canary",
        /// The new one gets a copy of the traffic, and its answers are only compared.
        Shadow = "shadow",
    }
}

/// A step of a rollout: how much traffic, and what has to hold before the next.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// The new version's share of the traffic, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<u8>,
    /// How long the step lasts.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub duration: Option<Span>,
    /// Which analyses have to hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub analysis: Vec<Name>,
    /// Whether a person has to approve the next step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<bool>,
}

/// Something that is measured while a rollout goes on, and its bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "AnalysisFields", into = "AnalysisFields")]
pub struct Analysis {
    /// What steps call it.
    pub name: Name,
    /// What is measured.
    pub measure: Measure,
    /// It has to be below this.
    pub below: Option<Finite>,
    /// It has to be this or more.
    pub at_least: Option<Finite>,
    /// How often it is measured.
    pub interval: Option<Span>,
    /// After how many failures the rollout has failed.
    pub failure_limit: Option<u32>,
    /// How many requests a measurement needs to count.
    pub min_samples: Option<u64>,
}

/// What an analysis measures.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Measure {
    /// What the gateway counts, such as `error_rate`.
    Gateway {
        /// Which of its metrics.
        metric: String,
    },
    /// What a Prometheus server answers.
    Prometheus {
        /// The PromQL query.
        query: String,
    },
    /// The share of golden tests that pass.
    Golden {
        /// Which of them.
        tests: TestChoice,
    },
}

/// Which golden tests are meant: all, or some by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TestChoice {
    /// Every one: `all`.
    All(AllTests),
    /// These.
    Named(Vec<String>),
}

words! {
    /// Every golden test.
    AllTests, "a choice of tests",
    {
        /// Every one.
        All = "all",
    }
}

words! {
    /// Where an analysis looks.
    AnalysisSource, "a source of measurements",
    {
        /// The gateway's own counts.
        Gateway = "gateway",
        /// A Prometheus server.
        Prometheus = "prometheus",
        /// The version's golden tests.
        Golden = "golden",
    }
}

/// An analysis as records write it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AnalysisFields {
    name: Name,
    source: AnalysisSource,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tests: Option<TestChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    below: Option<Finite>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_least: Option<Finite>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_samples: Option<u64>,
}

/// Fields of an analysis that don't fit together.
#[derive(Debug, thiserror::Error)]
enum AnalysisError {
    #[error("an analysis of source `{source_name}` has `{field}` and no other measure")]
    Measure {
        source_name: AnalysisSource,
        field: &'static str,
    },
    #[error("an analysis has `below`, `atLeast`, or both")]
    NoBound,
}

impl TryFrom<AnalysisFields> for Analysis {
    type Error = AnalysisError;

    fn try_from(fields: AnalysisFields) -> Result<Self, AnalysisError> {
        let measure = match (fields.source, fields.metric, fields.query, fields.tests) {
            (AnalysisSource::Gateway, Some(metric), None, None) => Measure::Gateway { metric },
            (AnalysisSource::Prometheus, None, Some(query), None) => Measure::Prometheus { query },
            (AnalysisSource::Golden, None, None, Some(tests)) => Measure::Golden { tests },
            (source_name, ..) => {
                let field = match source_name {
                    AnalysisSource::Gateway => "metric",
                    AnalysisSource::Prometheus => "query",
                    AnalysisSource::Golden => "tests",
                };
                return Err(AnalysisError::Measure { source_name, field });
            }
        };
        if fields.below.is_none() && fields.at_least.is_none() {
            return Err(AnalysisError::NoBound);
        }
        Ok(Self {
            name: fields.name,
            measure,
            below: fields.below,
            at_least: fields.at_least,
            interval: fields.interval,
            failure_limit: fields.failure_limit,
            min_samples: fields.min_samples,
        })
    }
}

impl From<Analysis> for AnalysisFields {
    fn from(analysis: Analysis) -> Self {
        let (source, metric, query, tests) = match analysis.measure {
            Measure::Gateway { metric } => (AnalysisSource::Gateway, Some(metric), None, None),
            Measure::Prometheus { query } => (AnalysisSource::Prometheus, None, Some(query), None),
            Measure::Golden { tests } => (AnalysisSource::Golden, None, None, Some(tests)),
        };
        Self {
            name: analysis.name,
            source,
            metric,
            query,
            tests,
            below: analysis.below,
            at_least: analysis.at_least,
            interval: analysis.interval,
            failure_limit: analysis.failure_limit,
            min_samples: analysis.min_samples,
        }
    }
}

/// What to do when a new version fails.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rollback {
    /// Whether to go back without asking; yes where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto: Option<bool>,
    /// How many earlier versions are kept ready; the yard's where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<u32>,
    /// How the yard gets to know of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_back: Option<WriteBack>,
}

words! {
    /// How the yard gets to know of a rollback.
    WriteBack, "a way to write back",
    {
        /// By a pull request.
        PullRequest = "pull-request",
        /// By a commit on the main branch.
        Direct = "direct",
        /// Not at all.
        None = "none",
    }
}

/// A person's word on the rollout of one digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RolloutWord {
    /// Of which artifact.
    pub digest: Digest,
    /// At which step, from 1; at whichever it is where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// What to do.
    pub action: RolloutAction,
}

words! {
    /// What a person tells a rollout to do.
    RolloutAction, "a word on a rollout",
    {
        /// Stay at this step.
        Pause = "pause",
        /// Go on as the steps say.
        Resume = "resume",
        /// Approve the next step.
        Continue = "continue",
        /// Go back to the version before.
        Abort = "abort",
    }
}
