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

#[cfg(test)]
mod tests {
    //! When it serves.

    use serde_json::json;

    use super::*;

    /// What is told of `digits` at the commit `c`, with these fields.
    fn told(fields: &serde_json::Value) -> (DeploymentState, String) {
        let mut digits = json!({
            "name": "digits", "health": "progressing", "serving": [], "instances": [],
        });
        digits
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        look("c", &json!([digits]))
    }

    fn look(commit: &str, deployments: &serde_json::Value) -> (DeploymentState, String) {
        let status = json!({
            "environment": "host", "process": 1, "commit": "c", "deployments": deployments,
        });
        let status: Status = serde_json::from_value(status).unwrap();
        let place = tempfile::tempdir().unwrap();
        let yard = Yard::create(place.path()).unwrap();
        course(&status, &yard, commit, &"digits".parse().unwrap()).unwrap()
    }

    #[test]
    fn it_serves_when_all_is_well_and_not_before_main_is_seen() {
        let (state, words) = look("d", &json!([]));
        assert_eq!(state, DeploymentState::InProgress);
        assert_eq!(words, "main is not seen there yet");
        // Main has it no more, and it is gone.
        assert_eq!(look("c", &json!([])).0, DeploymentState::Success);
        let healthy = told(&json!({ "health": "healthy" }));
        assert_eq!(healthy.0, DeploymentState::Success);
        let rollout = json!({ "to": "v", "step": 2, "steps": 3, "weight": 25 });
        let (state, words) = told(&json!({ "rollout": rollout }));
        assert_eq!(state, DeploymentState::InProgress);
        assert_eq!(words, "step 2 of 3, 25 %");
        let waits = |why: &str| told(&json!({ "health": "waiting", "why": [why] }));
        assert_eq!(
            waits("suspended, nothing moves").0,
            DeploymentState::Success
        );
        let approval = waits("step 2 has to be approved");
        assert_eq!(approval.0, DeploymentState::InProgress);
        assert_eq!(approval.1, "step 2 has to be approved");
        let failed = json!([{ "version": "v", "why": "it fails", "at": "2026-11-01T12:00:00Z" }]);
        let (state, words) = told(&json!({ "health": "degraded", "failed": failed }));
        assert_eq!((state, &*words), (DeploymentState::Failure, "it fails"));
    }
}
