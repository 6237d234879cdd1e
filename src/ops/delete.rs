//! Deletes a version's record: `modelyard delete`.
//!
//! A life ends in steps, each of them reviewed: what is recycled can be restored until its
//! retention is over, and is deleted only then. Since when it is recycled is what git's history
//! says.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::promote::{meant, merged};
use super::propose::{self, Proposed};
use super::{codes, refuse_errors};
use crate::record::kind::Span;
use crate::record::{Code, Failure, Fault, Lifecycle, ModelName, ModelReference, Version};
use crate::yard::{Catalog, Change, Revision, Yard, blocking, version_path};

/// How many commits of a version's past are looked at.
const PAST: usize = 1000;

/// A deletion as it is proposed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deletion {
    /// The model.
    pub model: ModelName,
    /// The version.
    pub version: Version,
    /// Since when it is recycled.
    pub recycled_at: Timestamp,
    /// The change.
    #[serde(flatten)]
    pub proposed: Proposed,
}

/// Why a version can't be deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// It is not at the end of its life.
    #[error("{model}:{version} is {lifecycle}, and only what is recycled can be deleted")]
    NotRecycled {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
        /// Where it is in its life.
        lifecycle: Lifecycle,
    },
    /// It can still be restored.
    #[error("{model}:{version} is recycled since {since}, and is kept for {retention}")]
    TooEarly {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
        /// Since when it is recycled.
        since: Timestamp,
        /// How long it is kept from then on.
        retention: Span,
        /// From when on it can be deleted.
        until: Timestamp,
    },
}

impl Fault for DeleteError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NotRecycled { .. } => &codes::NOT_RECYCLED,
            Self::TooEarly { .. } => &codes::RETENTION_NOT_OVER,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotRecycled {
                model,
                version,
                lifecycle,
            } => {
                let next = match lifecycle {
                    Lifecycle::Staged => "promote --to released",
                    Lifecycle::Released => "deprecate",
                    Lifecycle::Deprecated => "retire",
                    Lifecycle::Retired | Lifecycle::Recycled => "recycle",
                };
                let (act, more) = next.split_once(' ').unwrap_or((next, ""));
                let command = format!("modelyard {act} {model}:{version} {more}");
                format!(
                    "its life ends in steps; the next is `{}`",
                    command.trim_end()
                )
            }
            Self::TooEarly { until, .. } => format!(
                "delete it from {until} on; `retention.recycled` in modelyard.yaml says how long \
                 versions are kept"
            ),
        })
    }
}

/// Proposes to delete what `reference` means.
///
/// # Errors
/// [`DeleteError`], [`crate::yard::CatalogError`], what the check refuses (an alias that means
/// it, a deployment that uses it), and what proposing fails with.
pub async fn delete(
    yard: &Yard,
    reference: &ModelReference,
    now: Timestamp,
) -> Result<Deletion, Failure> {
    propose::settled(|| attempt(yard, reference, now)).await
}

async fn attempt(
    yard: &Yard,
    reference: &ModelReference,
    now: Timestamp,
) -> Result<Deletion, Failure> {
    let (model, version) = meant(yard, reference).await?;
    let change = propose::begin(yard, &format!("delete/{model}/{version}")).await?;
    let (of, which) = (model.clone(), version.clone());
    let (change, recycled_at) = blocking(move || {
        let mut change = change;
        let recycled_at = may_go(&change, &of, &which, now)?;
        change.remove(&version_path(&of, &which))?;
        refuse_errors(&change)?;
        Ok::<_, Failure>((change, recycled_at))
    })
    .await?;
    let message = format!("{model}:{version}: delete\n\nrecycled since {recycled_at}");
    Ok(Deletion {
        model,
        version,
        recycled_at,
        proposed: propose::propose(change, &message, now).await?,
    })
}

/// Since when it is recycled, if that is long enough ago.
fn may_go(
    change: &Change,
    model: &ModelName,
    version: &Version,
    now: Timestamp,
) -> Result<Timestamp, Failure> {
    let lifecycle = merged(change, model, version)?.spec.lifecycle;
    if lifecycle != Lifecycle::Recycled {
        return Err(DeleteError::NotRecycled {
            model: model.clone(),
            version: version.clone(),
            lifecycle,
        }
        .into());
    }
    let since = recycled_at(change.yard(), model, version)?.unwrap_or(now);
    let retention = Catalog::new(change.base()?)
        .yard()?
        .spec
        .recycled_retention();
    let kept = SignedDuration::try_from(retention.to_duration()).unwrap_or(SignedDuration::MAX);
    let until = since.saturating_add(kept).unwrap_or(Timestamp::MAX);
    if now < until {
        return Err(DeleteError::TooEarly {
            model: model.clone(),
            version: version.clone(),
            since,
            retention,
            until,
        }
        .into());
    }
    Ok(since)
}

/// When it came to be recycled on main, and has been since; at the latest where the past that is
/// known ends.
fn recycled_at(
    yard: &Yard,
    model: &ModelName,
    version: &Version,
) -> Result<Option<Timestamp>, Failure> {
    let path = version_path(model, version);
    let mut since = None;
    for event in yard.history(&Revision::Main, &path, PAST)?.events {
        let commit = Revision::Commit(event.commit.clone());
        let then = Catalog::new(yard.snapshot(&commit)?).version(model, version)?;
        if then.is_none_or(|then| then.spec.lifecycle != Lifecycle::Recycled) {
            break;
        }
        since = Some(event.landed().0);
    }
    Ok(since)
}
