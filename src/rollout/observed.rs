//! What is: replicas, bytes, routes and load as somebody saw them, and what is remembered.
//!
//! Whoever observes says only what it saw. What it can't see (a registry that is away, a gateway
//! that just started) is left out, and the planner then keeps what runs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::choice::{Choice, Content, Part};
use super::progress::State;
use super::table::Table;
use crate::record::Name;
use crate::record::kind::Finite;

/// What is.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Everything that runs or ran here and was not cleared away, of deployments that are gone
    /// from the yard too.
    pub instances: Vec<Instance>,
    /// What is known of bytes; those left out are not here.
    pub artifacts: Vec<Artifact>,
    /// The routes in force.
    pub routes: Table,
    /// What the gateway counts, by deployment; left out where it doesn't know yet.
    pub load: BTreeMap<Name, Load>,
    /// What was remembered last.
    pub state: State,
}

/// Which replica: its deployment, and a number that no other of it ever had.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstanceId {
    /// The deployment.
    pub deployment: Name,
    /// Its number.
    pub number: u64,
}

/// A replica of one part of a choice.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Which.
    pub id: InstanceId,
    /// Of which choice, as it was started.
    pub choice: Arc<Choice>,
    /// Which of its parts.
    pub part: Part,
    /// How it does.
    pub phase: Phase,
    /// Since when.
    pub since: Timestamp,
    /// What its golden tests said.
    pub golden: Golden,
    /// How many requests it is answering.
    pub in_flight: u64,
    /// What somebody changed of it beside the yard, if that was noticed.
    pub drift: Option<String>,
}

/// How a replica does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// It was started, and doesn't answer yet.
    Starting,
    /// It answers.
    Ready,
    /// It runs, and no longer answers as it should.
    Unhealthy {
        /// What it did.
        why: String,
    },
    /// It gets no new requests.
    Draining,
    /// It ended, or could not be started.
    Failed {
        /// How.
        why: String,
    },
}

/// What a replica's golden tests said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Golden {
    /// They were not run.
    Untested,
    /// They run.
    Running,
    /// All pass.
    Passed,
    /// Some don't.
    Failed {
        /// Which, and how.
        why: String,
    },
}

/// What is known of bytes on this host.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifact {
    /// Which bytes, and as what: trust is in a version, not in bytes alone.
    pub content: Content,
    /// How far they are.
    pub phase: ArtifactPhase,
}

/// How far bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactPhase {
    /// They are being fetched.
    Fetching,
    /// They are here, and nobody has said that they may be used.
    Fetched,
    /// Their signatures are being checked.
    Verifying,
    /// They are what the digest says, and the trust policy allows them.
    Verified,
    /// It didn't work, and may in a while.
    Away {
        /// Why.
        why: String,
        /// How many times it was tried.
        attempts: u32,
        /// When last.
        at: Timestamp,
    },
    /// They must not be used.
    Refused {
        /// Why.
        why: String,
    },
}

/// How much a deployment is asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Load {
    /// Requests that wait for something to be ready.
    pub waiting: u64,
    /// Requests that are being answered.
    pub in_flight: u64,
    /// What the record scales by, all replicas together.
    pub value: Option<Finite>,
}

impl fmt::Display for InstanceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.deployment, self.number)
    }
}
