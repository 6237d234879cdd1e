//! Waits: why a deployment isn't further, for people and for whoever sets the next alarm.

use std::fmt;

use jiff::Timestamp;

use super::cause::{Cause, line};
use super::choice::{Content, Side};
use super::observed::InstanceId;
use crate::record::Name;
use crate::record::kind::RoutePath;

/// Why a deployment isn't further.
#[derive(Debug, Clone, PartialEq)]
pub struct Wait {
    /// The deployment.
    pub deployment: Name,
    /// Why.
    pub why: Why,
    /// When to look again, if time alone may end it.
    pub until: Option<Timestamp>,
}

/// Why something waits.
#[derive(Debug, Clone, PartialEq)]
pub enum Why {
    /// The yard can't be read.
    UnknownYard(String),
    /// The environment has no deployments any more, and nobody said that this is meant.
    EmptyYard,
    /// What is wanted can't be done.
    Held(String),
    /// It says that nothing shall move.
    Suspended,
    /// It depends on itself.
    Cycle(Vec<Name>),
    /// It depends on a deployment that is not there.
    NoDependency(Name),
    /// Another deployment answers on its path.
    PathTaken(RoutePath, Name),
    /// Another deployment has to serve first.
    Dependency(Name),
    /// Another deployment that depends on it has to be gone first.
    Dependents(Name),
    /// A version has too few golden tests for this environment.
    TooFewTests(Content, u32, u32),
    /// A person sent it back.
    Aborted(Side),
    /// It failed, and main still says the same.
    Failed(Cause),
    /// A person has to decide.
    Halted(Cause),
    /// A person told it to stay.
    Paused(u32),
    /// A stage lasts.
    Lasts(u32),
    /// A person has to approve.
    Approval(u32),
    /// An analysis has not said enough.
    Analysis(Name, String),
    /// Bytes are on their way, or are checked.
    Bytes(Content),
    /// Bytes can't be had for now.
    Away(Content, String),
    /// Bytes of what serves must not be used again.
    Refused(Content, String),
    /// Replicas aren't ready.
    Replicas(u32, u32),
    /// A replica doesn't answer yet, or no longer as it should.
    Starting(InstanceId),
    /// Golden tests run.
    Golden(Content),
    /// It failed to start, and is tried again.
    BackOff(Content, String),
    /// A pool has no more to give.
    Pool(Name),
    /// What ran before has to end first.
    Alone,
    /// A replica ends its requests.
    Draining(InstanceId),
    /// Less load may soon need fewer replicas.
    Idle(u32),
    /// Somebody changed a replica beside the yard.
    Drift(InstanceId, String),
}

impl fmt::Display for Wait {
    /// One line: `digits: step 1 lasts, until 2026-11-01T10:10:00Z`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.deployment, self.why)?;
        match self.until {
            Some(until) => write!(formatter, ", until {until}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownYard(why) => {
                write!(
                    formatter,
                    "kept as it is, the yard can't be read: {}",
                    line(why)
                )
            }
            Self::EmptyYard => formatter.write_str(
                "kept as it is: the environment has no deployments any more, and nobody said \
                 that this is meant",
            ),
            Self::Held(why) => write!(formatter, "kept as it is: {}", line(why)),
            Self::Suspended => formatter.write_str("suspended, nothing moves"),
            Self::Cycle(names) => {
                let names: Vec<_> = names.iter().map(Name::as_str).collect();
                write!(formatter, "depends on itself: {}", names.join(" -> "))
            }
            Self::NoDependency(name) => write!(formatter, "depends on {name}, which is not here"),
            Self::PathTaken(path, name) => write!(formatter, "{name} answers on {path} already"),
            Self::Dependency(name) => write!(formatter, "{name} has to serve first"),
            Self::Dependents(name) => write!(formatter, "{name}, which needs it, has to be gone"),
            Self::TooFewTests(content, has, required) => write!(
                formatter,
                "{content} has {has} golden tests, and {required} are required here"
            ),
            Self::Aborted(side) => write!(formatter, "the rollout to {side} was aborted by hand"),
            Self::Failed(cause) => write!(
                formatter,
                "not tried again before main says something else: {cause}"
            ),
            Self::Halted(cause) => write!(formatter, "a person has to decide: {cause}"),
            Self::Paused(stage) => write!(formatter, "paused by hand at step {}", stage + 1),
            Self::Lasts(stage) => write!(formatter, "step {} lasts", stage + 1),
            Self::Approval(stage) => write!(formatter, "step {} has to be approved", stage + 1),
            Self::Analysis(name, last) if last.is_empty() => {
                write!(formatter, "the analysis {name} has not said anything yet")
            }
            Self::Analysis(name, last) => {
                write!(formatter, "the analysis {name} goes on: {}", line(last))
            }
            Self::Bytes(content) => write!(formatter, "{content} is fetched and verified"),
            Self::Away(content, why) => {
                write!(formatter, "{content} can't be had for now: {}", line(why))
            }
            Self::Refused(content, why) => {
                write!(
                    formatter,
                    "{content} must not be started again: {}",
                    line(why)
                )
            }
            Self::Replicas(ready, wanted) => {
                write!(formatter, "{ready} of {wanted} replicas are ready")
            }
            Self::Starting(id) => write!(formatter, "{id} doesn't answer yet"),
            Self::Golden(content) => write!(formatter, "the golden tests of {content} run"),
            Self::BackOff(content, why) => {
                write!(formatter, "{content} is started again later: {}", line(why))
            }
            Self::Pool(name) => write!(formatter, "the pool {name} has no more to give"),
            Self::Alone => formatter.write_str("what ran before has to end first"),
            Self::Draining(id) => write!(formatter, "{id} ends its requests"),
            Self::Idle(count) => write!(formatter, "{count} replicas would be enough for the load"),
            Self::Drift(id, how) => {
                write!(formatter, "{id} was changed beside the yard: {}", line(how))
            }
        }
    }
}
