//! How traffic passes from one version to the next.

use serde::{Deserialize, Serialize};

use super::grammar::words;
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
    /// Which analyses have to hold; none where nothing is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub analysis: Vec<Name>,
    /// Whether a person has to approve the next step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<bool>,
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
