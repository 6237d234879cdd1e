//! Restarts a deployment: `modelyard restart`.
//!
//! A new time in the record's `restart` has other replicas take over, one after the other, from the
//! same bytes; and nothing is held any more against a digest that failed.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::promote::set;
use super::propose::{self, Proposed};
use super::refuse_errors;
use crate::record::{Failure, Name};
use crate::yard::{Catalog, CatalogError, Yard, blocking, deployment_path};

/// A restart as it is proposed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Restarting {
    /// The environment.
    pub environment: Name,
    /// The deployment.
    pub deployment: Name,
    /// The time that its record will have.
    pub restart: Timestamp,
    /// The change.
    #[serde(flatten)]
    pub proposed: Proposed,
}

/// Proposes to restart `deployment` in `environment`.
///
/// # Errors
/// [`CatalogError`] if there is none, and what proposing fails with.
pub async fn restart(
    yard: &Yard,
    environment: &Name,
    deployment: &Name,
    now: Timestamp,
) -> Result<Restarting, Failure> {
    // Records are read by people.
    let at = Timestamp::from_second(now.as_second()).unwrap_or(now);
    propose::settled(|| attempt(yard, environment, deployment, at)).await
}

async fn attempt(
    yard: &Yard,
    environment: &Name,
    deployment: &Name,
    at: Timestamp,
) -> Result<Restarting, Failure> {
    let branch = format!("restart/{environment}/{deployment}");
    let change = propose::begin(yard, &branch).await?;
    let path = deployment_path(environment, deployment);
    let (place, name) = (environment.clone(), deployment.clone());
    let change = blocking(move || {
        let mut change = change;
        if Catalog::new(change.base()?)
            .deployment(&place, &name)?
            .is_none()
        {
            return Err(CatalogError::missing(&path).into());
        }
        set(&mut change, &path, "/spec/restart", &json!(at))?;
        refuse_errors(&change)?;
        Ok::<_, Failure>(change)
    })
    .await?;
    let message = format!("{environment}/{deployment}: restart");
    Ok(Restarting {
        environment: environment.clone(),
        deployment: deployment.clone(),
        restart: at,
        proposed: propose::propose(change, &message, at).await?,
    })
}
