//! A person's word on a rollout: `modelyard rollout pause|resume|continue|abort`.
//!
//! The word stands in the deployment's record, on main, as `rollout`: of which digest, and what to
//! do. It counts for the rollout of that digest and for no other.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::promote::set;
use super::propose::{self, Proposed};
use super::{codes, refuse_errors};
use crate::record::kind::{RolloutAction, RolloutWord};
use crate::record::{Code, Digest, Failure, Fault, ModelReference, Name, Selector};
use crate::yard::{Catalog, CatalogError, Change, Yard, blocking, deployment_path};

/// The word that is to be given.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where.
    pub environment: Name,
    /// On whose rollout.
    pub deployment: Name,
    /// What to do.
    pub action: RolloutAction,
    /// At which step only, from 1.
    pub step: Option<u32>,
    /// On the rollout of which digest; of what main chooses where nothing is said.
    pub digest: Option<Digest>,
}

/// The word as it is proposed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Steering {
    /// The environment.
    pub environment: Name,
    /// The deployment.
    pub deployment: Name,
    /// The word.
    pub word: RolloutWord,
    /// The change.
    #[serde(flatten)]
    pub proposed: Proposed,
}

/// Why no word can be given.
#[derive(Debug, thiserror::Error)]
pub enum SteerError {
    /// Several versions are split, and each may be rolling out.
    #[error("{environment}/{deployment} is split, and any of its versions may be meant")]
    WhichDigest {
        /// The environment.
        environment: Name,
        /// The deployment.
        deployment: Name,
        /// What it leads to.
        digests: Vec<Digest>,
    },
    /// Main approves a step of this rollout already, and doesn't say which.
    #[error("main says already that the rollout of {} goes on past a step", .digest.short())]
    WhichStep {
        /// What it leads to.
        digest: Digest,
    },
}

impl Fault for SteerError {
    fn code(&self) -> &'static Code {
        match self {
            Self::WhichDigest { .. } => &codes::WHICH_DIGEST,
            Self::WhichStep { .. } => &codes::WHICH_STEP,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::WhichDigest { digests, .. } => {
                let digests: Vec<_> = digests.iter().map(Digest::to_string).collect();
                format!("name one by `--digest`: {}", digests.join(" or "))
            }
            Self::WhichStep { .. } => {
                "it counts once; name the step that waits now by `--step`".to_owned()
            }
        })
    }
}

/// Proposes the word of `request`.
///
/// # Errors
/// [`SteerError`], [`CatalogError`], and what proposing fails with.
pub async fn steer(yard: &Yard, request: Request, now: Timestamp) -> Result<Steering, Failure> {
    propose::settled(|| attempt(yard, &request, now)).await
}

async fn attempt(yard: &Yard, request: &Request, now: Timestamp) -> Result<Steering, Failure> {
    let Request {
        environment,
        deployment,
        action,
        ..
    } = request;
    let branch = format!("rollout/{environment}/{deployment}");
    let change = propose::begin(yard, &branch).await?;
    let asked = request.clone();
    let (change, word) = blocking(move || {
        let mut change = change;
        let word = write(&mut change, &asked)?;
        refuse_errors(&change)?;
        Ok::<_, Failure>((change, word))
    })
    .await?;
    let message = format!(
        "{environment}/{deployment}: {action} the rollout of {}",
        word.digest.short()
    );
    let proposed = propose::propose(change, &message, now).await?;
    Ok(Steering {
        environment: environment.clone(),
        deployment: deployment.clone(),
        word,
        proposed,
    })
}

fn write(change: &mut Change, request: &Request) -> Result<RolloutWord, Failure> {
    let Request {
        environment,
        deployment,
        ..
    } = request;
    let catalog = Catalog::new(change.base()?);
    let path = deployment_path(environment, deployment);
    let Some(record) = catalog.deployment(environment, deployment)? else {
        return Err(CatalogError::missing(&path).into());
    };
    let digest = match request.digest {
        Some(digest) => digest,
        None => {
            let mut digests = Vec::new();
            for share in record.spec.shares() {
                let found = catalog.resolve(&ModelReference {
                    model: share.model,
                    selector: share.version.unwrap_or(Selector::Newest),
                })?;
                digests.push(found.record.spec.artifact.digest);
            }
            match digests[..] {
                [only] => only,
                _ => {
                    return Err(SteerError::WhichDigest {
                        environment: environment.clone(),
                        deployment: deployment.clone(),
                        digests,
                    }
                    .into());
                }
            }
        }
    };
    let word = RolloutWord {
        digest,
        step: request.step,
        action: request.action,
    };
    let approves_any = word.action == RolloutAction::Continue && word.step.is_none();
    if approves_any && record.spec.rollout.as_ref() == Some(&word) {
        return Err(SteerError::WhichStep { digest }.into());
    }
    set(change, &path, "/spec/rollout", &json!(word))?;
    Ok(word)
}
