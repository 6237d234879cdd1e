//! What a commit of main asked of an environment, and what became of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::sight::{Aim, Course, Seen, View};
use crate::forge::DeploymentState;
use crate::record::{Digest, Name};

/// The most lines of what happened that are kept of a deployment: its beginning, and its end.
const MAX_LINES: usize = 40;
/// How many of them are of the beginning.
const FIRST_LINES: usize = 10;

/// What a commit of main asked of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Claim {
    /// The commit, on main's line.
    pub(super) commit: String,
    /// Of which deployments, and what became of it there.
    pub(super) parts: BTreeMap<Name, Part>,
    /// The pull request that brought it; nothing before it was looked for.
    pub(super) origin: Option<Origin>,
    /// What was told of it.
    pub(super) told: Told,
}

/// How a commit came to main.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Origin {
    /// By itself.
    Commit,
    /// By a pull request.
    PullRequest {
        /// Its number.
        number: u64,
        /// Its page.
        url: String,
    },
}

/// What was told of a claim.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Told {
    /// The digest of the comment.
    pub(super) comment: Option<Digest>,
    /// The digest of the deployment's status.
    pub(super) deployment: Option<Digest>,
}

/// What was asked of one deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Part {
    pub(super) asked: String,
    pub(super) aim: Aim,
    /// How it does; nothing before a pass has shown it.
    pub(super) view: Option<View>,
    /// What happened, the oldest first.
    pub(super) log: Vec<Line>,
    /// The commit that asked for something else.
    pub(super) superseded: Option<String>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Line {
    pub(super) at: Timestamp,
    pub(super) what: String,
}

impl Part {
    pub(super) fn new(asked: String, aim: Aim) -> Self {
        Self {
            asked,
            aim,
            view: None,
            log: Vec::new(),
            superseded: None,
        }
    }

    /// Whether nothing more comes of it.
    pub(super) fn is_over(&self) -> bool {
        let ends = |view: &View| {
            let is_written = view.fall.as_ref().is_none_or(|fall| fall.is_written);
            self.ends(view.course) && is_written
        };
        self.superseded.is_some() || self.view.as_ref().is_some_and(ends)
    }

    fn ends(&self, course: Course) -> bool {
        match course {
            Course::Serves | Course::Gone | Course::Failed | Course::Aborted => true,
            Course::Suspended => self.aim == Aim::Suspend,
            Course::Paused => self.aim == Aim::Pause,
            Course::UnderWay | Course::Waits | Course::Kept => false,
        }
    }

    /// How it goes, in the words of a forge.
    pub(super) fn state(&self) -> DeploymentState {
        if self.superseded.is_some() {
            return DeploymentState::Superseded;
        }
        let Some(view) = &self.view else {
            return DeploymentState::InProgress;
        };
        match view.course {
            Course::Failed | Course::Kept => DeploymentState::Failure,
            Course::Aborted if self.aim != Aim::Abort => DeploymentState::Failure,
            course if self.ends(course) => DeploymentState::Success,
            _ => DeploymentState::InProgress,
        }
    }

    /// Takes in how it does; whether that is news.
    fn take(&mut self, view: &View, at: Timestamp) -> bool {
        if self.is_over() || self.view.as_ref() == Some(view) {
            return false;
        }
        let what = in_words(view);
        if self.log.last().is_none_or(|last| last.what != what) {
            self.note(at, what);
        }
        self.view = Some(view.clone());
        true
    }

    fn note(&mut self, at: Timestamp, what: String) {
        if self.log.len() == MAX_LINES {
            self.log.remove(FIRST_LINES);
        }
        self.log.push(Line { at, what });
    }
}

impl Claim {
    pub(super) fn new(commit: String, parts: BTreeMap<Name, Part>) -> Self {
        Self {
            commit,
            parts,
            origin: None,
            told: Told::default(),
        }
    }

    /// When it was first seen.
    pub(super) fn begun(&self) -> Option<Timestamp> {
        let parts = self.parts.values();
        parts.filter_map(|part| Some(part.log.first()?.at)).min()
    }

    /// Takes in what a pass shows; whether that is news.
    pub(super) fn take(&mut self, seen: &Seen, at: Timestamp) -> bool {
        let mut news = false;
        for (name, part) in &mut self.parts {
            let gone = View::gone();
            let view = match seen.sights.get(name) {
                Some(sight) if sight.asked == part.asked => &sight.view,
                None if part.aim == Aim::Remove => &gone,
                // The pass is of another commit.
                _ => continue,
            };
            news |= part.take(view, at);
        }
        news
    }

    /// Notes that a later commit asked something else of a deployment.
    pub(super) fn supersede(&mut self, name: &Name, asked: &str, by: &str, at: Timestamp) {
        let Some(part) = self.parts.get_mut(name) else {
            return;
        };
        if part.asked == asked || part.is_over() {
            return;
        }
        // That it failed says more; who asks for something else needs no revert.
        if let Some(fall) = part.view.as_mut().and_then(|view| view.fall.as_mut()) {
            fall.is_written = true;
            return;
        }
        part.superseded = Some(by.to_owned());
        part.note(at, "main asks for something else".to_owned());
    }

    /// Whether nothing more comes of it.
    pub(super) fn is_over(&self) -> bool {
        self.parts.values().all(Part::is_over)
    }

    /// How it goes as a whole: as the worst of its parts.
    pub(super) fn state(&self) -> DeploymentState {
        let has = |state| self.parts.values().any(|part| part.state() == state);
        [
            DeploymentState::Failure,
            DeploymentState::InProgress,
            DeploymentState::Success,
        ]
        .into_iter()
        .find(|state| has(*state))
        .unwrap_or(DeploymentState::Superseded)
    }

    /// How it goes, in one line.
    pub(super) fn summary(&self) -> String {
        let part = |(name, part): (&Name, &Part)| {
            let last = part.log.last().map_or("is begun", |line| &*line.what);
            format!("{name}: {last}")
        };
        let all: Vec<String> = self.parts.iter().map(part).collect();
        all.join("; ")
    }
}

/// How a deployment does, in some words, without what changes all the time.
pub(super) fn in_words(view: &View) -> String {
    match (view.course, &view.rollout) {
        (Course::UnderWay, Some(rollout)) if rollout.since.is_some() => format!(
            "step {} of {}, {} %",
            rollout.step, rollout.steps, rollout.weight
        ),
        (Course::UnderWay, Some(rollout)) => {
            format!("step {} of {} is prepared", rollout.step, rollout.steps)
        }
        (Course::UnderWay, None) if view.wanted.is_none() => "is taken away".to_owned(),
        (Course::UnderWay, None) => "is under way".to_owned(),
        (Course::Waits, Some(rollout)) => format!(
            "waits for a person at step {} of {}, {} %",
            rollout.step, rollout.steps, rollout.weight
        ),
        (Course::Waits, None) => "waits for a person".to_owned(),
        (Course::Suspended, _) => "is suspended".to_owned(),
        (Course::Paused, _) => "is paused".to_owned(),
        (Course::Aborted, _) => "was sent back by a person".to_owned(),
        (Course::Kept, _) => "can't be done, and what serves is kept".to_owned(),
        (Course::Serves, _) => "serves".to_owned(),
        (Course::Gone, _) => "is gone".to_owned(),
        (Course::Failed, _) => "failed, and was taken back".to_owned(),
    }
}
