//! What the tags of a repository come to: which versions there are, and where each is.
//!
//! Tags are heard from the oldest to the newest. The newest word on a version, on an artifact and
//! on a stage counts, and a stage is where it was given last: `churn#prod` means one version.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::tag::{Action, Tag};
use crate::import::mapping::Mapping;
use crate::record::Lifecycle;

/// The stage of what is out of use, by GTO's own words.
pub(super) const DEPRECATED: &str = "deprecated";

/// The stage of a version that was taken back.
pub(super) const DEREGISTERED: &str = "deregistered";

/// A tag on a commit, and what it says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// What its name says.
    pub tag: Tag,
    /// Its name.
    pub name: String,
    /// Its own object.
    pub object: String,
    /// The commit.
    pub commit: String,
    /// When it was made.
    pub time: Timestamp,
    /// Who made it.
    pub author: Option<String>,
    /// Why.
    pub message: String,
}

/// A version that was registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    /// Its name, with `v`.
    pub name: String,
    /// The tag that registered it last.
    pub event: Event,
    /// Whether it was taken back since.
    pub is_back: bool,
    /// The stages that it is at, from the one given first to the last.
    pub stages: Vec<String>,
}

/// An artifact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Artifact {
    /// Its versions, by name.
    pub versions: BTreeMap<String, Version>,
    /// Whether it is out of use.
    pub is_deprecated: bool,
    /// Commits at a stage that no version is registered at, and the stage.
    pub unregistered: Vec<(String, String)>,
    /// All that was done to it, from the oldest to the newest.
    pub history: Vec<Event>,
}

impl Artifact {
    /// What a version's stage is, as one word. Of several the one that is released counts: what is
    /// in use somewhere is in use.
    pub(super) fn stage(&self, version: &Version) -> Option<String> {
        if self.is_deprecated {
            return Some(DEPRECATED.to_owned());
        }
        if version.is_back {
            return Some(DEREGISTERED.to_owned());
        }
        let mapping = Mapping::default();
        let is_released = |stage: &&String| mapping.lifecycle(Some(stage)) == Lifecycle::Released;
        let released = version.stages.iter().rfind(is_released);
        released.or(version.stages.last()).cloned()
    }
}

/// What `events`, in any order, come to, by artifact.
pub(super) fn artifacts(mut events: Vec<Event>) -> BTreeMap<String, Artifact> {
    events.sort_by(|one, other| {
        let key = |event: &Event| (event.time, event.tag.counter);
        key(one)
            .cmp(&key(other))
            .then_with(|| one.name.cmp(&other.name))
    });
    let mut artifacts: BTreeMap<String, Artifact> = BTreeMap::new();
    for event in events {
        let artifact = artifacts.entry(event.tag.artifact.clone()).or_default();
        artifact.history.push(event);
    }
    for artifact in artifacts.values_mut() {
        artifact.settle();
    }
    artifacts
}

impl Artifact {
    fn settle(&mut self) {
        // Which commit has each stage, and which stage was given when.
        let mut stages: Vec<(String, String)> = Vec::new();
        for event in &self.history {
            self.is_deprecated = event.tag.action == Action::Deprecate;
            match &event.tag.action {
                Action::Register(name) => {
                    let version = Version {
                        name: name.clone(),
                        event: event.clone(),
                        is_back: false,
                        stages: Vec::new(),
                    };
                    self.versions.insert(name.clone(), version);
                }
                Action::Deregister(name) => {
                    if let Some(version) = self.versions.get_mut(name) {
                        version.is_back = true;
                    }
                }
                Action::Assign(stage) => {
                    stages.retain(|(given, _)| given != stage);
                    stages.push((stage.clone(), event.commit.clone()));
                }
                Action::Unassign(stage) => {
                    stages.retain(|(given, commit)| given != stage || *commit != event.commit);
                }
                Action::Deprecate | Action::Create => {}
            }
        }
        for (stage, commit) in stages {
            let mut at: Vec<_> = self
                .versions
                .values_mut()
                .filter(|version| version.event.commit == commit)
                .collect();
            // Of several versions of one commit the one that was registered last is meant.
            at.sort_by_key(|version| (version.event.time, version.event.tag.counter));
            match at.pop() {
                Some(version) => version.stages.push(stage),
                None => self.unregistered.push((stage, commit)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    //! Tags in their order.

    use super::*;

    fn artifact(tags: &[(&str, &str)]) -> Artifact {
        let events = tags
            .iter()
            .enumerate()
            .map(|(second, (name, commit))| Event {
                tag: Tag::read(name).unwrap(),
                name: (*name).to_owned(),
                object: format!("t{second}"),
                commit: (*commit).to_owned(),
                time: Timestamp::from_second(i64::try_from(second).unwrap()).unwrap(),
                author: None,
                message: String::new(),
            });
        // They come in no order.
        let mut artifacts = artifacts(events.rev().collect());
        artifacts.remove("churn").unwrap()
    }

    fn stages(artifact: &Artifact) -> Vec<(String, Option<String>)> {
        let versions = artifact.versions.values();
        versions
            .map(|version| (version.name.clone(), artifact.stage(version)))
            .collect()
    }

    fn told(said: &[(&str, Option<&str>)]) -> Vec<(String, Option<String>)> {
        said.iter()
            .map(|(name, stage)| ((*name).to_owned(), stage.map(str::to_owned)))
            .collect()
    }

    #[test]
    fn a_stage_is_where_it_was_given_last() {
        let artifact = artifact(&[
            ("churn@v1.0.0", "a"),
            ("churn#prod#1", "a"),
            ("churn@v1.1.0", "b"),
            ("churn#dev#2", "b"),
            ("churn#prod#3", "b"),
            ("churn#dev#4", "a"),
            ("churn#dev!#5", "b"),
        ]);
        assert_eq!(
            stages(&artifact),
            told(&[("v1.0.0", Some("dev")), ("v1.1.0", Some("prod"))])
        );
    }

    #[test]
    fn what_is_released_somewhere_is_released() {
        let both = [
            ("churn@v1.0.0", "a"),
            ("churn#prod", "a"),
            ("churn#dev", "a"),
        ];
        assert_eq!(stages(&artifact(&both)), told(&[("v1.0.0", Some("prod"))]));
        let mut taken = both.to_vec();
        taken.push(("churn#prod!", "a"));
        assert_eq!(stages(&artifact(&taken)), told(&[("v1.0.0", Some("dev"))]));
    }

    #[test]
    fn what_was_taken_back_or_is_out_of_use_says_so_until_it_comes_again() {
        let mut tags = vec![("churn@v1.0.0#1", "a"), ("churn@v1.0.0!#2", "a")];
        assert_eq!(
            stages(&artifact(&tags)),
            told(&[("v1.0.0", Some(DEREGISTERED))])
        );
        tags.push(("churn@v1.0.0#3", "b"));
        assert_eq!(stages(&artifact(&tags)), told(&[("v1.0.0", None)]));
        tags.push(("churn@deprecated#4", "b"));
        assert_eq!(
            stages(&artifact(&tags)),
            told(&[("v1.0.0", Some(DEPRECATED))])
        );
        tags.push(("churn#prod#5", "c"));
        let artifact = artifact(&tags);
        assert_eq!(stages(&artifact), told(&[("v1.0.0", None)]));
        assert_eq!(artifact.unregistered, [("prod".to_owned(), "c".to_owned())]);
    }
}
