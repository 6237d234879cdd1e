//! What an environment looks like, for people: what should be, what runs, and why it isn't further.
//!
//! It is derived from a pass's [`Report`], and kept beside the state for whoever asks
//! (`modelyard status`): `status.json`, written only when something of it changed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::foreseen::Judgement;
use super::pass::{Report, Trouble};
use super::{reserve, revert};
use crate::platform::atomic::{self, FileError, Readers};
use crate::record::{Digest, Failure, Name};
use crate::rollout::{
    Backends, Desired, Golden, Instance, Part, Phase, Progress, Revert, Stages, State, Why, Wish,
};
use crate::target::process::Limiting;

/// The largest `status.json`: a thousand deployments take some megabytes.
const MAX_STATUS_BYTES: u64 = 64 * 1024 * 1024;

/// What an environment looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The environment.
    pub environment: Name,
    /// The number of the process that told this.
    pub process: u32,
    /// Where the gateway answers; nothing where none runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listening: Option<SocketAddr>,
    /// The commit of main that is followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Why nothing newer is known of main, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behind: Option<String>,
    /// What limits its runtimes, where somebody starts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limiting>,
    /// Its deployments, by name.
    pub deployments: Vec<DeploymentStatus>,
    /// What failed of late and is tried again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<String>,
}

/// What a deployment looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentStatus {
    /// Its name.
    pub name: Name,
    /// How it does, in a word.
    pub health: Health,
    /// What main wants; nothing where it wants it gone, or can't be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired: Option<String>,
    /// What has proven itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stable: Option<String>,
    /// Who gets how much of its requests.
    pub serving: Vec<Share>,
    /// The rollout that goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutStatus>,
    /// Why it isn't further.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// What is held against versions, until main says something else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailureStatus>,
    /// What is to be known of its last change, where that is not as it was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreseen: Option<Judgement>,
    /// Its replicas.
    pub instances: Vec<InstanceStatus>,
}

/// How a deployment does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Health {
    /// What main wants serves.
    Healthy,
    /// It is on its way there.
    Progressing,
    /// It waits for a person.
    Waiting,
    /// It serves something else than main wants, or something fails.
    Degraded,
    /// Nothing answers.
    Down,
}

/// A version's share of the requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// What answers.
    pub version: String,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its share, in percent.
    pub weight: u8,
}

/// A rollout that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStatus {
    /// What is to take over.
    pub to: String,
    /// At which step it is, from 1.
    pub step: u32,
    /// How many there are.
    pub steps: u32,
    /// The share of the requests that the step gives it, in percent.
    pub weight: u8,
    /// Since when it has that share; nothing before its replicas are ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What was measured at this step.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub analyses: BTreeMap<Name, String>,
}

/// A version that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureStatus {
    /// Which.
    pub version: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: Timestamp,
    /// The branch that reverts it; nothing where none was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revert: Option<String>,
}

/// A replica.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceStatus {
    /// Its number.
    pub number: u64,
    /// What it runs.
    pub version: String,
    /// How it does, in a word.
    pub phase: String,
    /// Since when.
    pub since: Timestamp,
    /// Why, where something is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What its golden tests said, in a word.
    pub golden: String,
}

impl Health {
    /// The word for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Progressing => "progressing",
            Self::Waiting => "waiting",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }
}

impl Status {
    /// What `report`, what is remembered and what failed of late tell of `environment`.
    pub fn of(
        environment: &Name,
        report: &Report,
        state: &State,
        troubles: &[Trouble],
        listening: Option<SocketAddr>,
    ) -> Self {
        let wishes = match &*report.desired {
            Desired::Known(known) => Some(&known.deployments),
            Desired::Unknown { .. } => None,
        };
        let mut names: Vec<&Name> = state.deployments.keys().collect();
        names.extend(wishes.into_iter().flat_map(BTreeMap::keys));
        names.sort();
        names.dedup();
        let deployment = |name: &Name| {
            let wish = wishes.and_then(|wishes| wishes.get(name));
            let progress = state.deployments.get(name).map(|progress| &**progress);
            DeploymentStatus::of((environment, name), wish, progress, report, troubles)
        };
        let behind = match &*report.desired {
            Desired::Unknown { why } => Some(why.clone()),
            Desired::Known(_) => report.behind.clone(),
        };
        Self {
            environment: environment.clone(),
            process: std::process::id(),
            listening,
            commit: report.commit.clone(),
            behind,
            limits: None,
            deployments: names.into_iter().map(deployment).collect(),
            troubles: troubles.iter().map(ToString::to_string).collect(),
        }
    }

    /// What is kept in `folder`; nothing where nobody kept anything.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn read(folder: &Path) -> Result<Option<Self>, Failure> {
        let kept = atomic::read_if_there(&place(folder), MAX_STATUS_BYTES)?;
        // What another version of this program wrote tells nothing, and is soon replaced.
        Ok(kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Keeps it in `folder`, by means of the room that is kept for it where the disk is full: then
    /// above all people want to know.
    ///
    /// # Errors
    /// If it can't be written; what was there stays.
    pub fn write(&self, folder: &Path) -> Result<(), FileError> {
        let bytes = serde_json::to_vec_pretty(self).expect("its keys are texts");
        match atomic::write(&place(folder), &bytes, Readers::Umask) {
            Ok(()) => {
                reserve::keep(folder, bytes.len());
                Ok(())
            }
            Err(error) if reserve::is_wanted(&error) => {
                reserve::write(folder, &place(folder), &bytes).map_err(|_| error)
            }
            failed => failed,
        }
    }
}

fn place(folder: &Path) -> PathBuf {
    folder.join("status.json")
}

impl DeploymentStatus {
    fn of(
        (environment, name): (&Name, &Name),
        wish: Option<&Wish>,
        progress: Option<&Progress>,
        report: &Report,
        troubles: &[Trouble],
    ) -> Self {
        let waits: Vec<_> = report
            .waits
            .iter()
            .filter(|wait| wait.deployment == *name)
            .collect();
        let troubles: Vec<String> = troubles
            .iter()
            .filter(|trouble| trouble.deployment.as_ref() == Some(name))
            .map(ToString::to_string)
            .collect();
        let serving = report.routes.get(name).map(|route| shares(&route.backends));
        let serving = serving.unwrap_or_default();
        let rollout = progress.and_then(RolloutStatus::of);
        let failed = progress.map(|progress| failures(environment, name, progress));
        let failed = failed.unwrap_or_default();
        let is_held = failed.iter().any(|_| {
            let held = |why: &Why| matches!(why, Why::Failed(_) | Why::Held(_) | Why::Refused(..));
            waits.iter().any(|wait| held(&wait.why))
        });
        let person = |why: &Why| {
            matches!(
                why,
                Why::Approval(_) | Why::Halted(_) | Why::Paused(_) | Why::Suspended
            )
        };
        let foreseen = report.judgements.get(name).cloned();
        let is_refused = foreseen.as_ref().is_some_and(Judgement::is_refused);
        let is_quiet = waits.is_empty() && troubles.is_empty() && rollout.is_none();
        // It serves, whatever else is cleared away.
        let stands = matches!(
            (wish, progress),
            (Some(Wish::Run(wanted)), Some(progress)) if progress.stands(wanted)
        );
        let health = if serving.is_empty() && !is_idle(progress) {
            match waits.is_empty() && troubles.is_empty() {
                true => Health::Progressing,
                false if is_held || !matches!(wish, Some(Wish::Run(_))) => Health::Down,
                false => Health::Progressing,
            }
        } else if is_held || !troubles.is_empty() || matches!(wish, Some(Wish::Held { .. })) {
            Health::Degraded
        } else if is_refused || waits.iter().any(|wait| person(&wait.why)) {
            Health::Waiting
        } else if is_quiet || stands {
            Health::Healthy
        } else {
            Health::Progressing
        };
        // What failed is told by itself.
        let others = waits
            .iter()
            .filter(|wait| !matches!(wait.why, Why::Failed(_)));
        let mut why: Vec<String> = others
            .map(|wait| match wait.until {
                Some(until) => format!("{}, until {until:.0}", wait.why),
                None => wait.why.to_string(),
            })
            .collect();
        why.extend(troubles);
        let is_told = matches!(wish, Some(Wish::Held { .. }));
        if let Some(foreseen) = foreseen.as_ref().filter(|_| is_refused && !is_told) {
            why.push(foreseen.told(environment));
        }
        Self {
            name: name.clone(),
            health,
            desired: match wish {
                Some(Wish::Run(wanted)) => Some(wanted.side.to_string()),
                _ => None,
            },
            stable: progress
                .and_then(|progress| progress.stable.as_ref())
                .map(ToString::to_string),
            serving,
            rollout,
            why,
            failed,
            foreseen,
            instances: report
                .instances
                .iter()
                .filter(|one| one.id.deployment == *name)
                .map(InstanceStatus::of)
                .collect(),
        }
    }
}

/// Whether nothing serving is as it should be: it starts at the first request.
fn is_idle(progress: Option<&Progress>) -> bool {
    progress.is_some_and(|progress| progress.stable.is_some() && progress.wanted.replicas.min == 0)
}

fn shares(backends: &Backends) -> Vec<Share> {
    let share = |backend: &crate::rollout::Backend| Share {
        version: backend.content.to_string(),
        digest: backend.content.digest(),
        weight: backend.weight,
    };
    backends.all().iter().map(share).collect()
}

fn failures(environment: &Name, deployment: &Name, progress: &Progress) -> Vec<FailureStatus> {
    let told = progress.failures.iter().map(|failure| {
        let versions: Vec<_> = failure.from.iter().map(ToString::to_string).collect();
        FailureStatus {
            version: versions.join(", "),
            why: failure.cause.to_string(),
            at: failure.at,
            revert: (failure.revert == Revert::Written)
                .then(|| revert::branch(environment, deployment, failure)),
        }
    });
    told.collect()
}

impl RolloutStatus {
    /// The rollout that goes on, if one does.
    pub(super) fn of(progress: &Progress) -> Option<Self> {
        let rollout = progress.rollout.as_ref()?;
        let stable = progress.stable.as_ref();
        let replicas = progress.scale.as_ref().map(|scale| scale.count);
        let replicas = replicas.unwrap_or(progress.wanted.replicas.min);
        let stages = Stages::new(&progress.wanted, stable, &rollout.candidate, replicas);
        let stage = stages.stage(rollout.stage);
        Some(Self {
            to: rollout.candidate.to_string(),
            step: rollout.stage + 1,
            steps: stages.count(),
            weight: stage.map_or(100, |stage| stage.weight),
            since: rollout.since,
            analyses: rollout
                .tallies
                .iter()
                .map(|(name, tally)| (name.clone(), tally.last.clone()))
                .collect(),
        })
    }
}

impl InstanceStatus {
    fn of(instance: &Instance) -> Self {
        let unit = instance.choice.unit(instance.part);
        let mut version = unit
            .map(|unit| unit.content.to_string())
            .unwrap_or_default();
        if instance.part != Part::Model {
            version += " (coprocessor)";
        }
        let (phase, why) = match &instance.phase {
            Phase::Starting => ("starting", None),
            Phase::Ready => ("ready", None),
            Phase::Unhealthy { why } => ("unhealthy", Some(why)),
            Phase::Draining => ("draining", None),
            Phase::Failed { why } => ("failed", Some(why)),
        };
        let (golden, failed) = match &instance.golden {
            Golden::Untested => ("untested", None),
            Golden::Running => ("running", None),
            Golden::Passed => ("passed", None),
            Golden::Failed { why } => ("failed", Some(why)),
        };
        Self {
            number: instance.id.number,
            version,
            phase: phase.to_owned(),
            since: instance.since,
            why: why.or(failed).cloned(),
            golden: golden.to_owned(),
        }
    }
}
