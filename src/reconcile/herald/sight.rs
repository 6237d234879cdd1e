//! What a pass shows of a deployment, as far as pull requests are told of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::reconcile::Report;
use crate::reconcile::revert;
use crate::reconcile::status::{DeploymentStatus, Health, RolloutStatus, Share, Status};
use crate::record::Name;
use crate::record::kind::RolloutAction;
use crate::rollout::{Desired, Progress, Revert, State, Why, Wish};

/// What a pass shows of an environment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    /// The commit of main that says what should be.
    pub(super) commit: String,
    /// Its deployments.
    pub(super) sights: BTreeMap<Name, Sight>,
}

/// What a pass shows of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sight {
    /// What main asks of it: see [`key`].
    pub(super) asked: String,
    /// Whether what main asks for has proven itself, however it does now.
    pub(super) stands: bool,
    pub(super) view: View,
}

/// How a deployment does on its way to what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct View {
    pub(super) course: Course,
    /// What main wants; nothing where it wants it gone.
    pub(super) wanted: Option<String>,
    pub(super) serving: Vec<Share>,
    pub(super) health: Health,
    pub(super) rollout: Option<RolloutStatus>,
    /// Why it isn't further.
    pub(super) why: Vec<String>,
    pub(super) fall: Option<Fall>,
}

/// Where it has got to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Course {
    UnderWay,
    /// A person has to say something.
    Waits,
    Suspended,
    Paused,
    /// A person sent it back.
    Aborted,
    /// What was asked for can't be done, and what serves is kept.
    Kept,
    Serves,
    Gone,
    Failed,
}

/// How it failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fall {
    pub(super) cause: String,
    pub(super) evidence: Vec<String>,
    pub(super) at: Timestamp,
    /// What serves instead.
    pub(super) to: Vec<String>,
    /// The branch that reverts it, where there shall be one.
    pub(super) branch: Option<String>,
    /// Whether nothing more is to come of that.
    pub(super) is_written: bool,
}

/// What somebody wants by a change of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Aim {
    Serve,
    Suspend,
    Pause,
    Abort,
    Remove,
}

/// By what it is known whether main asks for the same of a deployment: what serves, and its
/// weights. How it gets there, and how often it runs, is no part of it.
pub(super) fn key(wish: Option<&Wish>) -> String {
    match wish {
        None => "gone".to_owned(),
        Some(Wish::Held { .. }) => "held".to_owned(),
        Some(Wish::Run(wanted)) => {
            let one = |choice: &std::sync::Arc<crate::rollout::Choice>| {
                format!("{}*{}", choice.revision().digest(), choice.weight())
            };
            let all: Vec<String> = wanted.side.choices().iter().map(one).collect();
            all.join(",")
        }
    }
}

impl Aim {
    /// What is wanted by a change from one wish to another.
    pub(super) fn of(before: Option<&Wish>, after: Option<&Wish>) -> Self {
        let word = |wish: Option<&Wish>| match wish {
            Some(Wish::Run(wanted)) => wanted.word.clone(),
            _ => None,
        };
        match after {
            None => Self::Remove,
            Some(Wish::Run(wanted)) if wanted.suspend => Self::Suspend,
            Some(Wish::Run(_)) if word(after) != word(before) => {
                match word(after).map(|word| word.action) {
                    Some(RolloutAction::Pause) => Self::Pause,
                    Some(RolloutAction::Abort) => Self::Abort,
                    _ => Self::Serve,
                }
            }
            Some(_) => Self::Serve,
        }
    }
}

impl Seen {
    /// What a pass shows; nothing where nobody knows what should be.
    pub(super) fn of(report: &Report, state: &State, status: &Status) -> Option<Self> {
        let Desired::Known(known) = &*report.desired else {
            return None;
        };
        let sight = |shown: &DeploymentStatus| {
            let wish = known.deployments.get(&shown.name);
            let progress = state.deployments.get(&shown.name).map(|one| &**one);
            let sight = Sight {
                asked: key(wish),
                stands: matches!(
                    (wish, progress),
                    (Some(Wish::Run(wanted)), Some(progress)) if progress.stands(wanted)
                ),
                view: View::of((&status.environment, shown), wish, progress, report),
            };
            (shown.name.clone(), sight)
        };
        Some(Self {
            commit: report.commit.clone()?,
            sights: status.deployments.iter().map(sight).collect(),
        })
    }
}

impl View {
    /// One that is gone.
    pub(super) fn gone() -> Self {
        Self {
            course: Course::Gone,
            wanted: None,
            serving: Vec::new(),
            health: Health::Healthy,
            rollout: None,
            why: Vec::new(),
            fall: None,
        }
    }

    fn of(
        (environment, shown): (&Name, &DeploymentStatus),
        wish: Option<&Wish>,
        progress: Option<&Progress>,
        report: &Report,
    ) -> Self {
        let fall = wish
            .zip(progress)
            .and_then(|(wish, progress)| fall((environment, &shown.name), wish, progress));
        let course = if fall.is_some() {
            Course::Failed
        } else {
            course(shown, wish, progress, report)
        };
        Self {
            course,
            wanted: shown.desired.clone(),
            serving: shown.serving.clone(),
            health: shown.health,
            rollout: shown.rollout.clone(),
            why: shown.why.clone(),
            fall,
        }
    }
}

/// What is held against what main still says.
fn fall(
    (environment, deployment): (&Name, &Name),
    wish: &Wish,
    progress: &Progress,
) -> Option<Fall> {
    let Wish::Run(wanted) = wish else {
        return None;
    };
    let failure = progress.held(&wanted.side)?;
    let is_known = failure.generation == wanted.generation && progress.rollout.is_none();
    is_known.then(|| Fall {
        cause: failure.cause.to_string(),
        evidence: failure.evidence.clone(),
        at: failure.at,
        to: failure.to.iter().map(ToString::to_string).collect(),
        branch: (failure.revert != Revert::Unwanted)
            .then(|| revert::branch(environment, deployment, failure)),
        is_written: failure.revert != Revert::Due,
    })
}

fn course(
    shown: &DeploymentStatus,
    wish: Option<&Wish>,
    progress: Option<&Progress>,
    report: &Report,
) -> Course {
    let wanted = match wish {
        None => return Course::UnderWay,
        Some(Wish::Held { .. }) => return Course::Kept,
        Some(Wish::Run(wanted)) => wanted,
    };
    let waits: Vec<&Why> = report
        .waits
        .iter()
        .filter(|wait| wait.deployment == shown.name)
        .map(|wait| &wait.why)
        .collect();
    let said = waits.iter().find_map(|why| match why {
        Why::Suspended => Some(Course::Suspended),
        Why::Paused(_) => Some(Course::Paused),
        Why::Aborted(_) => Some(Course::Aborted),
        Why::Approval(_) | Why::Halted(_) => Some(Course::Waits),
        _ => None,
    });
    if let Some(said) = said {
        return said;
    }
    let is_taken_in = progress.is_some_and(|known| known.wanted.generation == wanted.generation);
    let moves = report
        .done
        .iter()
        .any(|step| *step.deployment() == shown.name);
    let ends = |why: &&Why| matches!(why, Why::Draining(_) | Why::Idle(_));
    let stands = progress.is_some_and(|known| known.stands(wanted));
    let is_there = stands && shown.health == Health::Healthy;
    if is_taken_in && is_there && !moves && waits.iter().all(ends) {
        Course::Serves
    } else {
        Course::UnderWay
    }
}
