//! All records of a yard, each read when it is first looked at.
//!
//! A check of everything reads them all before; a check of what a change affects knows the names
//! alone, by the folders, and reads what its rules come upon.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use super::document::Document;
use super::files::File;
use super::layout::{Seat, Use, use_of};
use super::source::Source;
use crate::record::{ModelName, Name, Version};

/// The records of a yard.
#[derive(Debug)]
pub(super) struct Holdings {
    source: Arc<dyn Source>,
    yard: Option<Slot>,
    lines: BTreeMap<ModelName, OnceLock<Option<Line>>>,
    environments: BTreeMap<Name, Slot>,
    deployments: BTreeMap<Name, BTreeMap<Name, Slot>>,
    policies: BTreeMap<Name, Slot>,
}

/// A model and its versions, those models included of which only versions are there.
#[derive(Debug, Default)]
pub(super) struct Line {
    record: Option<Slot>,
    versions: BTreeMap<Version, Slot>,
}

/// A record that is there, read or not.
#[derive(Debug)]
struct Slot {
    seat: Seat,
    source: Arc<dyn Source>,
    document: OnceLock<Document>,
}

impl Slot {
    fn document(&self) -> &Document {
        self.document.get_or_init(|| {
            let file = self.source.file(&self.seat.path());
            Document::read(self.seat.clone(), &file.unwrap_or(File::Unread)).0
        })
    }
}

impl Line {
    /// The model's record.
    pub(super) fn document(&self) -> Option<&Document> {
        self.record.as_ref().map(Slot::document)
    }

    /// A version's record.
    pub(super) fn version(&self, version: &Version) -> Option<&Document> {
        self.versions.get(version).map(Slot::document)
    }

    /// The versions, from the lowest to the highest.
    pub(super) fn numbers(&self) -> impl DoubleEndedIterator<Item = &Version> {
        self.versions.keys()
    }

    /// The versions with their records, from the lowest to the highest.
    pub(super) fn versions(&self) -> impl DoubleEndedIterator<Item = (&Version, &Document)> {
        let slots = self.versions.iter();
        slots.map(|(version, slot)| (version, slot.document()))
    }
}

impl Holdings {
    /// The records of `source`, all of which were read into `documents`.
    pub(super) fn read(source: Arc<dyn Source>, documents: Vec<Document>) -> Self {
        let mut holdings = Self::empty(source);
        let mut lines: BTreeMap<ModelName, Line> = BTreeMap::new();
        for document in documents {
            let seat = document.seat.clone();
            let slot = Slot {
                document: OnceLock::from(document),
                ..holdings.slot(seat.clone())
            };
            match seat {
                Seat::Model(model) => lines.entry(model).or_default().record = Some(slot),
                Seat::Version(model, version) => {
                    lines
                        .entry(model)
                        .or_default()
                        .versions
                        .insert(version, slot);
                }
                other => holdings.insert(other, slot),
            }
        }
        let lines = lines.into_iter();
        holdings.lines = lines
            .map(|(model, line)| (model, OnceLock::from(Some(line))))
            .collect();
        holdings
    }

    /// The records of `source`, none of them read yet.
    pub(super) fn listed(source: Arc<dyn Source>) -> Self {
        let mut paths = Vec::new();
        let yard = Seat::Yard.path();
        if source.file(&yard).is_some() {
            paths.push(yard);
        }
        let mut folders = vec!["environments".to_owned(), "policies".to_owned()];
        let of_environments = source.list("deployments").folders;
        folders.extend(
            of_environments
                .iter()
                .map(|name| format!("deployments/{name}")),
        );
        for folder in folders {
            let files = source.list(&folder).files;
            paths.extend(files.iter().map(|name| format!("{folder}/{name}")));
        }
        let mut holdings = Self::empty(source);
        for path in paths {
            if let Use::Record(seat) = use_of(&path) {
                let slot = holdings.slot(seat.clone());
                holdings.insert(seat, slot);
            }
        }
        let parsed = |names: &BTreeSet<String>| -> Vec<Name> {
            names.iter().filter_map(|name| name.parse().ok()).collect()
        };
        let list = |folder: &str| parsed(&holdings.source.list(folder).folders);
        let namespaces = list("models").into_iter();
        let models = namespaces.flat_map(|namespace| {
            let names = list(&format!("models/{namespace}")).into_iter();
            names.map(move |name| (ModelName::new(namespace.clone(), name), OnceLock::new()))
        });
        holdings.lines = models.collect();
        holdings
    }

    fn empty(source: Arc<dyn Source>) -> Self {
        Self {
            source,
            yard: None,
            lines: BTreeMap::new(),
            environments: BTreeMap::new(),
            deployments: BTreeMap::new(),
            policies: BTreeMap::new(),
        }
    }

    fn slot(&self, seat: Seat) -> Slot {
        Slot {
            seat,
            source: self.source.clone(),
            document: OnceLock::new(),
        }
    }

    fn insert(&mut self, seat: Seat, slot: Slot) {
        match seat {
            Seat::Yard => self.yard = Some(slot),
            Seat::Environment(name) => {
                self.environments.insert(name, slot);
            }
            Seat::Deployment { environment, name } => {
                let here = self.deployments.entry(environment).or_default();
                here.insert(name, slot);
            }
            Seat::Policy(name) => {
                self.policies.insert(name, slot);
            }
            // A model's are found when the model is looked at.
            Seat::Model(_) | Seat::Version(..) => {}
        }
    }

    /// What of a model is there; `None` where nothing is.
    pub(super) fn line(&self, model: &ModelName) -> Option<&Line> {
        let line = self.lines.get(model)?;
        line.get_or_init(|| self.list_line(model)).as_ref()
    }

    fn list_line(&self, model: &ModelName) -> Option<Line> {
        let folder = format!("models/{model}");
        let here = self.source.list(&folder);
        let mut line = Line::default();
        if here.files.contains("model.yaml") {
            line.record = Some(self.slot(Seat::Model(model.clone())));
        }
        if here.folders.contains("versions") {
            for name in self.source.list(&format!("{folder}/versions")).files {
                if let Use::Record(seat @ Seat::Version(..)) =
                    use_of(&format!("{folder}/versions/{name}"))
                {
                    let slot = self.slot(seat.clone());
                    if let Seat::Version(_, version) = seat {
                        line.versions.insert(version, slot);
                    }
                }
            }
        }
        (line.record.is_some() || !line.versions.is_empty()).then_some(line)
    }

    /// What is at `path`.
    pub(super) fn file(&self, path: &str) -> Option<File> {
        self.source.file(path)
    }

    /// Whether a file is at `path`.
    pub(super) fn contains(&self, path: &str) -> bool {
        self.file(path).is_some()
    }

    /// The paths of all files below `folder`.
    pub(super) fn below(&self, folder: &str) -> Vec<String> {
        let here = self.source.list(folder);
        let mut paths: Vec<_> = here
            .files
            .iter()
            .map(|name| format!("{folder}/{name}"))
            .collect();
        for name in here.folders {
            paths.extend(self.below(&format!("{folder}/{name}")));
        }
        paths
    }

    /// Whether there is a record at `seat`.
    pub(super) fn has(&self, seat: &Seat) -> bool {
        self.at(seat).is_some()
    }

    /// The record at `seat`.
    pub(super) fn document(&self, seat: &Seat) -> Option<&Document> {
        self.at(seat).map(Slot::document)
    }

    /// Keeps a record that was read; nothing where there is none, or it was read before.
    pub(super) fn keep(&self, document: Document) {
        if let Some(slot) = self.at(&document.seat) {
            slot.document.get_or_init(|| document);
        }
    }

    fn at(&self, seat: &Seat) -> Option<&Slot> {
        match seat {
            Seat::Yard => self.yard.as_ref(),
            Seat::Model(model) => self.line(model)?.record.as_ref(),
            Seat::Version(model, version) => self.line(model)?.versions.get(version),
            Seat::Environment(name) => self.environments.get(name),
            Seat::Deployment { environment, name } => self.deployments.get(environment)?.get(name),
            Seat::Policy(name) => self.policies.get(name),
        }
    }

    /// The names of all models, those included that have only a folder where none was looked at.
    pub(super) fn models(&self) -> impl Iterator<Item = &ModelName> {
        self.lines.keys()
    }

    /// The names of all environments that have a record.
    pub(super) fn environments(&self) -> impl Iterator<Item = &Name> {
        self.environments.keys()
    }

    /// The names of all deployments of an environment, whether that is there or not.
    pub(super) fn deployments_of(&self, environment: &Name) -> impl Iterator<Item = &Name> {
        let here = self.deployments.get(environment);
        here.into_iter().flat_map(BTreeMap::keys)
    }

    /// Every deployment's environment and name.
    pub(super) fn deployments(&self) -> impl Iterator<Item = (&Name, &Name)> {
        let all = self.deployments.iter();
        all.flat_map(|(environment, here)| here.keys().map(move |name| (environment, name)))
    }

    /// Every policy.
    pub(super) fn policies(&self) -> impl Iterator<Item = &Document> {
        self.policies.values().map(Slot::document)
    }
}
