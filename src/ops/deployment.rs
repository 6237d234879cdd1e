//! What is done to a deployment as a whole: `modelyard restart|suspend|resume|undeploy`.
//!
//! Each changes the deployment's record by a line, or takes the record away; what that does is the
//! reconciler's.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::promote::set;
use super::propose::{self, Proposed};
use super::refuse_errors;
use crate::record::{Failure, Name};
use crate::yard::{Catalog, CatalogError, Change, Yard, blocking, deployment_path};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// Other replicas take over, one after the other, from the same bytes; and nothing is held
    /// any more against a digest that failed.
    Restart,
    /// Nothing moves until it is resumed: what serves goes on.
    Suspend,
    /// It goes on to what main says.
    Resume,
    /// It ends: what serves is drained, and then removed.
    Undeploy,
}

/// What is done, and how the change is proposed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Acted {
    /// What is done.
    pub act: Act,
    /// The environment.
    pub environment: Name,
    /// The deployment.
    pub deployment: Name,
    /// The time of a restart that its record will have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<Timestamp>,
    /// Whether no deployment of the environment is left.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub leaves_none: bool,
    /// The change.
    #[serde(flatten)]
    pub proposed: Proposed,
}

impl fmt::Display for Act {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Restart => "restart",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Undeploy => "undeploy",
        })
    }
}

/// Proposes `act` on `deployment` in `environment`.
///
/// # Errors
/// [`CatalogError`] if there is none, what the check refuses, and what proposing fails with.
pub async fn act(
    yard: &Yard,
    act: Act,
    environment: &Name,
    deployment: &Name,
    now: Timestamp,
) -> Result<Acted, Failure> {
    // Records are read by people.
    let at = Timestamp::from_second(now.as_second()).unwrap_or(now);
    propose::settled(|| attempt(yard, act, environment, deployment, at)).await
}

async fn attempt(
    yard: &Yard,
    act: Act,
    environment: &Name,
    deployment: &Name,
    at: Timestamp,
) -> Result<Acted, Failure> {
    let branch = format!("{act}/{environment}/{deployment}");
    let change = propose::begin(yard, &branch).await?;
    let (place, name) = (environment.clone(), deployment.clone());
    let (change, leaves_none) = blocking(move || {
        let mut change = change;
        write(&mut change, act, &place, &name, at)?;
        refuse_errors(&change)?;
        let mut left = Catalog::new(change.snapshot())
            .deployment_names()?
            .into_iter();
        let leaves_none = act == Act::Undeploy && !left.any(|(there, _)| there == place);
        Ok::<_, Failure>((change, leaves_none))
    })
    .await?;
    let message = format!("{environment}/{deployment}: {act}");
    Ok(Acted {
        act,
        environment: environment.clone(),
        deployment: deployment.clone(),
        restart: (act == Act::Restart).then_some(at),
        leaves_none,
        proposed: propose::propose(change, &message, at).await?,
    })
}

fn write(
    change: &mut Change,
    act: Act,
    environment: &Name,
    deployment: &Name,
    at: Timestamp,
) -> Result<(), Failure> {
    let path = deployment_path(environment, deployment);
    let catalog = Catalog::new(change.base()?);
    if catalog.deployment(environment, deployment)?.is_none() {
        return Err(CatalogError::missing(&path).into());
    }
    match act {
        Act::Restart => set(change, &path, "/spec/restart", &json!(at)),
        Act::Suspend => set(change, &path, "/spec/suspend", &json!(true)),
        Act::Resume => set(change, &path, "/spec/suspend", &Value::Null),
        Act::Undeploy => Ok(change.remove(&path)?),
    }
}
