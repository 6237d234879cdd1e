//! Waiting until what was merged serves.
//!
//! Whoever reconciles an environment tells the forge of main's commits; so it can be waited for from
//! anywhere, and nobody has to reach the environment itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::commit;
use crate::forge::{DeploymentState, asked_to_wait, codes as forge_codes};
use crate::ops::codes;
use crate::ops::plan_change::desired_at;
use crate::ops::propose::Proposed;
use crate::platform::redact::printable;
use crate::platform::retry::{Policy, Retryable};
use crate::record::kind::Span;
use crate::record::{Class, Code, Failure, Fault, Name};
use crate::rollout::{Desired, Wish};
use crate::yard::{Yard, blocking};

/// How often the forge is looked at: a rollout's step takes seconds at least.
pub const THERE: Policy = Policy {
    attempts: u32::MAX,
    first_wait: Duration::from_secs(1),
    longest_wait: Duration::from_secs(10),
};

/// How often this host's own server is.
pub const HERE: Policy = Policy {
    attempts: u32::MAX,
    first_wait: Duration::from_millis(100),
    longest_wait: Duration::from_secs(2),
};

/// Why it does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServingError {
    /// Nobody can be asked.
    #[error("{0}")]
    Unknown(Failure),
    /// It is on its way.
    #[error("{environment} is not there yet")]
    Pending {
        /// The environment.
        environment: Name,
    },
    /// It failed, or can't be done.
    #[error("{environment} doesn't serve it: {words}")]
    Failed {
        /// The environment.
        environment: Name,
        /// What was told of it.
        words: String,
    },
    /// Main says something else by now.
    #[error("{environment} doesn't serve it: main asks for something else by now")]
    Superseded {
        /// The environment.
        environment: Name,
    },
    /// It took longer than was to be waited for.
    #[error("it is not {awaited} after {waited}")]
    Late {
        /// What was waited for.
        awaited: &'static str,
        /// How long.
        waited: Span,
    },
}

impl Fault for ServingError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Unknown(error) => error.code(),
            _ => &codes::NOT_SERVING,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Unknown(error) => return error.help(),
            Self::Pending { .. } | Self::Late { .. } => {
                "the same command waits on from where it is".to_owned()
            }
            Self::Failed { environment, .. } => format!(
                "see the comment on its pull request, or `modelyard status --environment \
                 {environment}` on the host that serves it"
            ),
            Self::Superseded { .. } => "see the pull request that was merged after it".to_owned(),
        })
    }

    fn class(&self) -> Class {
        match self {
            // A limit that is over in an hour is waited for.
            Self::Unknown(error) if *error.code() == forge_codes::FORGE_ASKED_TOO_OFTEN => {
                Class::Transient
            }
            Self::Unknown(error) => error.class(),
            Self::Pending { .. } => Class::Transient,
            Self::Failed { .. } | Self::Superseded { .. } => Class::Permanent,
            Self::Late { .. } => Class::Blocked,
        }
    }
}

impl Retryable for ServingError {
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unknown(error) => asked_to_wait(error),
            _ => None,
        }
    }
}

/// The deployments of which `proposed` asks something else, each behind its environment: by their own
/// records, or by an alias or a range that they follow.
///
/// # Errors
/// If the commits are not here, or git can't be read.
pub async fn asked(yard: &Yard, proposed: &Proposed) -> Result<Vec<(Name, Name)>, Failure> {
    let yard = yard.clone();
    let (base, tip) = (proposed.base.clone(), proposed.commit.clone());
    let asked = move || {
        let before = desired_at(&yard, commit(&yard, base)?)?;
        let behind = desired_at(&yard, commit(&yard, tip)?)?;
        Ok::<_, Failure>(differing(&before, &behind))
    };
    blocking(asked).await
}

fn differing(
    before: &BTreeMap<Name, Desired>,
    behind: &BTreeMap<Name, Desired>,
) -> Vec<(Name, Name)> {
    let nothing = BTreeMap::new();
    let mut differing = Vec::new();
    for (environment, desired) in behind {
        // Nobody knows what is asked of an environment that can't be read.
        let Some(new) = wishes(desired) else {
            continue;
        };
        let old = before.get(environment).and_then(wishes).unwrap_or(&nothing);
        let names: BTreeSet<&Name> = old.keys().chain(new.keys()).collect();
        let names = names.into_iter();
        let changed = names.filter(|name| old.get(*name) != new.get(*name));
        differing.extend(changed.map(|name| (environment.clone(), name.clone())));
    }
    differing
}

const fn wishes(desired: &Desired) -> Option<&BTreeMap<Name, Wish>> {
    match desired {
        Desired::Known(known) => Some(&known.deployments),
        Desired::Unknown { .. } => None,
    }
}

/// Looks until what is to serve in `environment` does, and hands on what is told of it meanwhile.
///
/// # Errors
/// [`ServingError`], and what a look fails by for good.
pub async fn serving<F>(
    environment: &Name,
    patience: Policy,
    tell: impl Fn(&str),
    look: impl Fn() -> F,
) -> Result<(), Failure>
where
    F: Future<Output = Result<Option<(DeploymentState, String)>, Failure>>,
{
    let last = Mutex::new(String::new());
    let served = patience.run(|| async {
        let environment = environment.clone();
        let seen = look().await.map_err(ServingError::Unknown)?;
        let Some((state, words)) = seen else {
            return Err(ServingError::Pending { environment });
        };
        let words = printable(&words);
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if !words.is_empty() && *last != words {
            tell(&words);
            last.clone_from(&words);
        }
        match state {
            DeploymentState::Success => Ok(()),
            DeploymentState::InProgress => Err(ServingError::Pending { environment }),
            DeploymentState::Superseded => Err(ServingError::Superseded { environment }),
            DeploymentState::Failure => Err(ServingError::Failed { environment, words }),
        }
    });
    served.await.map_err(|error| match error {
        ServingError::Unknown(failure) => failure,
        other => other.into(),
    })
}
