//! Whether what a commit of main asked of a deployment serves, for who waits for it on this host.

use super::status::{Health, Status};
use crate::forge::DeploymentState;
use crate::record::{Failure, Name};
use crate::rollout::Why;
use crate::yard::{Revision, Yard, YardError};

/// What `status` tells of `deployment` once `commit` is followed, and in which words; that it is gone
/// is what was asked for where main has it no more.
///
/// # Errors
/// If git can't be read.
pub fn course(
    status: &Status,
    yard: &Yard,
    commit: &str,
    deployment: &Name,
) -> Result<(DeploymentState, String), Failure> {
    let followed = status.commit.as_deref().unwrap_or_default();
    if !has(yard, followed, commit)? {
        let words = "main is not seen there yet".to_owned();
        return Ok((DeploymentState::InProgress, words));
    }
    let mut all = status.deployments.iter();
    let Some(shown) = all.find(|shown| shown.name == *deployment) else {
        return Ok((DeploymentState::Success, String::new()));
    };
    let is_suspended = shown.why.contains(&Why::Suspended.to_string());
    Ok(match (shown.health, shown.failed.first(), &shown.rollout) {
        (Health::Healthy, ..) => (DeploymentState::Success, String::new()),
        (Health::Waiting, ..) if is_suspended => (DeploymentState::Success, String::new()),
        (Health::Degraded | Health::Down, Some(failed), _) => {
            (DeploymentState::Failure, failed.why.clone())
        }
        (.., Some(at)) => {
            let words = format!("step {} of {}, {} %", at.step, at.steps, at.weight);
            (DeploymentState::InProgress, words)
        }
        _ => (DeploymentState::InProgress, shown.why.join("; ")),
    })
}

/// Whether `commit` is `followed`, or on the way to it.
fn has(yard: &Yard, followed: &str, commit: &str) -> Result<bool, Failure> {
    if followed == commit {
        return Ok(true);
    }
    let revision = |name: &str| Revision::Commit(name.to_owned());
    match yard.merge_base(&revision(commit), &revision(followed)) {
        Ok(base) => Ok(base.is_some_and(|base| base.to_string() == commit)),
        // One of them is not here yet.
        Err(YardError::UnknownRevision { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
