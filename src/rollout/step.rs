//! Steps: what a plan asks for, each to be done once, twice or not at all without harm.
//!
//! Steps of one deployment are done in their order, and one that fails ends that deployment's pass;
//! the others' go on. [`Step::Remember`] first changes what the reconciler knows, then what it has
//! stored: where storing fails it is reported and tried again, but the pass goes on, for traffic
//! has to be returned even when the disk is full.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::analysis::{Analysis, Ask};
use super::cause::{Cause, line};
use super::choice::{Choice, Content, Part, Side};
use super::observed::InstanceId;
use super::progress::{Failure, Progress};
use super::table::Route;
use crate::record::Name;
use crate::record::kind::WriteBack;

/// Something to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Remember how far a deployment is, in place of what was remembered.
    Remember {
        /// The deployment.
        deployment: Name,
        /// How far it is.
        progress: Arc<Progress>,
        /// What is new, each told once.
        events: Vec<Event>,
    },
    /// Hand the gateway a route, in place of the deployment's old one.
    SetRoute {
        /// The deployment.
        deployment: Name,
        /// Where its requests go.
        route: Route,
    },
    /// Tell the gateway that a deployment is no more.
    RemoveRoute {
        /// The deployment.
        deployment: Name,
    },
    /// Fetch bytes by their digest.
    Fetch {
        /// For which deployment.
        deployment: Name,
        /// Which.
        content: Content,
    },
    /// Check bytes and their signatures by the trust policy.
    Verify {
        /// For which deployment.
        deployment: Name,
        /// Which.
        content: Content,
    },
    /// Start a replica, unless there is one of that number.
    Start {
        /// Its number.
        id: InstanceId,
        /// Of which choice.
        choice: Arc<Choice>,
        /// Which of its parts.
        part: Part,
    },
    /// Run the golden tests against a replica.
    RunGoldenTests {
        /// Which.
        id: InstanceId,
        /// What it runs.
        content: Content,
    },
    /// Take one measurement; an error is an answer too, and one has to come.
    Measure {
        /// Which.
        ask: Ask,
        /// Of what.
        analysis: Box<Analysis>,
        /// What is to take over.
        candidate: Side,
        /// What it is held against.
        stable: Option<Side>,
        /// Since when the stage's weight holds.
        since: Timestamp,
    },
    /// Let a replica end its requests; the gateway sends it no new ones.
    Drain {
        /// Which.
        id: InstanceId,
    },
    /// End a replica if it still runs, and clear it away; its log is kept.
    Stop {
        /// Which.
        id: InstanceId,
        /// Why.
        why: String,
    },
    /// Propose to the yard what restores the line that chose the version; a second time changes
    /// nothing.
    WriteRevert {
        /// For which deployment.
        deployment: Name,
        /// What failed, what serves instead, and the evidence.
        failure: Box<Failure>,
        /// How.
        way: WriteBack,
    },
    /// Forget a deployment that is no more.
    Prune {
        /// The deployment.
        deployment: Name,
    },
}

/// Something that happened to a deployment.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// What serves was told from the replicas that run.
    Adopted(Side),
    /// A rollout began.
    Began(Side),
    /// A new commit came in between.
    Preempted(Side),
    /// A stage's weight holds.
    Reached {
        /// Which, from 0.
        stage: u32,
        /// The candidate's share, in percent.
        weight: u8,
    },
    /// A person approved a stage.
    Approved {
        /// Which, from 0.
        stage: u32,
    },
    /// Something serves from now on, and has proven itself.
    Settled(Side),
    /// A person sent a rollout back.
    Aborted(Side),
    /// A version failed.
    Failed(Cause),
    /// A person has to decide.
    Halted(Cause),
    /// A replica failed.
    ReplicaFailed {
        /// Which.
        id: InstanceId,
        /// How.
        why: String,
    },
    /// Load asks for another number of replicas.
    Scaled {
        /// How many.
        count: u32,
    },
    /// A revert was written.
    Reverted,
    /// Main says something else, and nothing is held against what failed before.
    Cleared,
}

impl Step {
    /// The deployment that it is for.
    pub fn deployment(&self) -> &Name {
        match self {
            Self::Remember { deployment, .. }
            | Self::SetRoute { deployment, .. }
            | Self::RemoveRoute { deployment }
            | Self::Fetch { deployment, .. }
            | Self::Verify { deployment, .. }
            | Self::WriteRevert { deployment, .. }
            | Self::Prune { deployment } => deployment,
            Self::Start { id, .. }
            | Self::RunGoldenTests { id, .. }
            | Self::Drain { id }
            | Self::Stop { id, .. } => &id.deployment,
            Self::Measure { ask, .. } => &ask.deployment,
        }
    }
}

impl fmt::Display for Step {
    /// One line: `digits: route 75 % vision/digits 1.0.0, 25 % vision/digits 1.1.0`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.deployment())?;
        match self {
            Self::Remember { events, .. } if events.is_empty() => formatter.write_str("remember"),
            Self::Remember { events, .. } => {
                let events: Vec<_> = events.iter().map(Event::to_string).collect();
                write!(formatter, "remember: {}", events.join("; "))
            }
            Self::SetRoute { route, .. } => write!(formatter, "route: {route}"),
            Self::RemoveRoute { .. } => formatter.write_str("remove the route"),
            Self::Fetch { content, .. } => write!(formatter, "fetch {content}"),
            Self::Verify { content, .. } => write!(formatter, "verify {content}"),
            Self::Start { id, choice, part } => match choice.unit(*part) {
                Some(unit) => write!(formatter, "start {id}: {}", unit.content),
                None => write!(formatter, "start {id}"),
            },
            Self::RunGoldenTests { id, content } => {
                write!(formatter, "run the golden tests of {content} on {id}")
            }
            Self::Measure { ask, .. } => write!(formatter, "measure {ask}"),
            Self::Drain { id } => write!(formatter, "drain {id}"),
            Self::Stop { id, why } => write!(formatter, "stop {id}: {}", line(why)),
            Self::WriteRevert { failure, .. } => {
                let list = |contents: &[Content]| {
                    let names: Vec<_> = contents.iter().map(Content::to_string).collect();
                    names.join(", ")
                };
                let (from, to) = (list(&failure.from), list(&failure.to));
                write!(
                    formatter,
                    "write a revert from {from} to {to}: {}",
                    failure.cause
                )
            }
            Self::Prune { .. } => formatter.write_str("forget it"),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Adopted(side) => write!(formatter, "found serving: {side}"),
            Self::Began(side) => write!(formatter, "a rollout to {side} begins"),
            Self::Preempted(side) => write!(formatter, "the rollout to {side} is no longer wanted"),
            Self::Reached { stage, weight } => {
                write!(
                    formatter,
                    "step {}: {weight} % go to the new version",
                    stage + 1
                )
            }
            Self::Approved { stage } => write!(formatter, "step {} is approved", stage + 1),
            Self::Settled(side) => write!(formatter, "{side} serves"),
            Self::Aborted(side) => write!(formatter, "the rollout to {side} is aborted by hand"),
            Self::Failed(cause) => write!(formatter, "failed: {cause}"),
            Self::Halted(cause) => write!(formatter, "halted, a person has to decide: {cause}"),
            Self::ReplicaFailed { id, why } => write!(formatter, "{id} failed: {}", line(why)),
            Self::Scaled { count } => write!(formatter, "load asks for {count} replicas"),
            Self::Reverted => formatter.write_str("a revert is written"),
            Self::Cleared => formatter.write_str("main says something else, and nothing is held"),
        }
    }
}
