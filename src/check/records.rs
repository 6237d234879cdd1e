//! The records of a yard, found by what they are, and by whom they are referred to.

use std::collections::BTreeMap;

use super::closest::{closest, suggest};
use super::codes;
use super::diagnostic::Diagnostic;
use super::document::Document;
use super::files::Files;
use super::layout::Seat;
use crate::record::kind::{Deployment, Environment, ModelVersion, Yard};
use crate::record::{Alias, Lifecycle, ModelName, Name, Selector, Version};

/// Every record of the yard at one moment, beside what was there before.
pub(super) struct Records<'a> {
    /// All files.
    pub head: &'a Files,
    /// All files of before, if there is a before.
    pub base: Option<&'a Files>,
    /// The yard's own record.
    pub yard: Option<&'a Document>,
    /// The models, those included of which only versions are there.
    pub models: BTreeMap<&'a ModelName, Line<'a>>,
    /// The environments.
    pub environments: BTreeMap<&'a Name, &'a Document>,
    /// The deployments, by environment and name.
    pub deployments: BTreeMap<(&'a Name, &'a Name), &'a Document>,
    /// The policies.
    pub policies: Vec<&'a Document>,
    /// What changed records were before, by path.
    pub before: &'a BTreeMap<String, Document>,
}

/// A model and its versions.
#[derive(Default)]
pub(super) struct Line<'a> {
    /// The model's record.
    pub document: Option<&'a Document>,
    /// Its versions' records.
    pub versions: BTreeMap<&'a Version, &'a Document>,
}

/// What a reference to a version leads to.
pub(super) enum Resolved<'a> {
    /// This version, whose record can be read.
    Found(&'a Document, &'a ModelVersion),
    /// A record that can't be read stands in the way, which is told where it stands.
    Unreadable,
    /// Nothing.
    Nothing(Dangling),
}

/// Why a reference leads to nothing.
pub(super) struct Dangling {
    code: &'static crate::record::Code,
    message: String,
    help: Option<String>,
    /// Whether it is the model that is not there, and not its version.
    pub of_model: bool,
}

impl Dangling {
    /// The diagnostic of a reference in `document`: its model stands at `model`, its version at
    /// `version`.
    pub(super) fn at(self, document: &Document, model: &str, version: &str) -> Diagnostic {
        let pointer = if self.of_model { model } else { version };
        let mut diagnostic = document.error(self.code, pointer, self.message);
        diagnostic.help = self.help;
        diagnostic
    }
}

impl<'a> Records<'a> {
    pub(super) fn new(
        head: &'a Files,
        base: Option<&'a Files>,
        documents: &'a [Document],
        before: &'a BTreeMap<String, Document>,
    ) -> Self {
        let mut records = Self {
            head,
            base,
            yard: None,
            models: BTreeMap::new(),
            environments: BTreeMap::new(),
            deployments: BTreeMap::new(),
            policies: Vec::new(),
            before,
        };
        for document in documents {
            match &document.seat {
                Seat::Yard => records.yard = Some(document),
                Seat::Model(model) => {
                    records.models.entry(model).or_default().document = Some(document);
                }
                Seat::Version(model, version) => {
                    let line = records.models.entry(model).or_default();
                    line.versions.insert(version, document);
                }
                Seat::Environment(name) => {
                    records.environments.insert(name, document);
                }
                Seat::Deployment { environment, name } => {
                    records.deployments.insert((environment, name), document);
                }
                Seat::Policy(_) => records.policies.push(document),
            }
        }
        records
    }

    /// The yard's record, if it can be read.
    pub(super) fn yard(&self) -> Option<(&'a Document, &'a Yard)> {
        let document = self.yard?;
        Some((document, document.yard()?))
    }

    /// Every version whose record can be read.
    pub(super) fn versions(&self) -> impl Iterator<Item = (&'a Document, &'a ModelVersion)> {
        let documents = self
            .models
            .values()
            .flat_map(|line| line.versions.values().copied());
        documents.filter_map(|document| Some((document, document.version()?)))
    }

    /// Every environment whose record can be read.
    pub(super) fn environments(&self) -> impl Iterator<Item = (&'a Document, &'a Environment)> {
        let documents = self.environments.values().copied();
        documents.filter_map(|document| Some((document, document.environment()?)))
    }

    /// Every deployment whose record can be read.
    pub(super) fn deployments(&self) -> impl Iterator<Item = (&'a Document, &'a Deployment)> {
        let documents = self.deployments.values().copied();
        documents.filter_map(|document| Some((document, document.deployment()?)))
    }

    /// Whether the file at `path` is not what it was before; no where there is no before.
    pub(super) fn is_changed(&self, path: &str) -> bool {
        self.base
            .is_some_and(|base| base.get(path) != self.head.get(path))
    }

    /// What the version at `path` was before, if it was there and could be read.
    pub(super) fn version_before(&self, path: &str) -> Option<(&'a Document, &'a ModelVersion)> {
        let document = self.before.get(path)?;
        Some((document, document.version()?))
    }

    /// Which version of `model` is meant; the newest released one where nothing is said.
    pub(super) fn resolve(&self, model: &ModelName, selector: Option<&Selector>) -> Resolved<'a> {
        let Some(line) = self.models.get(model) else {
            return Resolved::Nothing(self.no_model(model));
        };
        match selector.unwrap_or(&Selector::Newest) {
            Selector::Version(version) => self.exactly(model, line, version),
            Selector::Alias(alias) => self.aliased(model, line, alias),
            Selector::Newest => Self::newest(model, line, "is released", |version, record| {
                !version.is_prerelease() && record.spec.lifecycle == Lifecycle::Released
            }),
            Selector::Range(range) => {
                let wanted = format!("in {range} is released");
                Self::newest(model, line, &wanted, |version, record| {
                    range.contains(version)
                        && matches!(
                            record.spec.lifecycle,
                            Lifecycle::Released | Lifecycle::Deprecated
                        )
                })
            }
            Selector::Digest(digest) => {
                let wanted = format!("has the digest {digest}");
                Self::newest(model, line, &wanted, |_, record| {
                    record.spec.artifact.digest == *digest
                })
            }
        }
    }

    fn no_model(&self, model: &ModelName) -> Dangling {
        let names: Vec<_> = self.models.keys().map(ToString::to_string).collect();
        Dangling {
            code: &codes::UNKNOWN_MODEL,
            message: format!("there is no model {model} in this yard"),
            help: suggest(&model.to_string(), names.iter().map(String::as_str)),
            of_model: true,
        }
    }

    fn exactly(&self, model: &ModelName, line: &Line<'a>, version: &Version) -> Resolved<'a> {
        match line.versions.get(version) {
            Some(document) => match document.version() {
                Some(record) => Resolved::Found(document, record),
                None => Resolved::Unreadable,
            },
            None => {
                let names: Vec<_> = line
                    .versions
                    .keys()
                    .rev()
                    .map(ToString::to_string)
                    .collect();
                Resolved::Nothing(Dangling {
                    code: &codes::UNKNOWN_VERSION,
                    message: format!("{model} has no version {version}"),
                    help: suggest(&version.to_string(), names.iter().map(String::as_str)),
                    of_model: false,
                })
            }
        }
    }

    fn aliased(&self, model: &ModelName, line: &Line<'a>, alias: &Alias) -> Resolved<'a> {
        let Some(record) = line.document.and_then(Document::model) else {
            return Resolved::Unreadable;
        };
        let aliases = &record.spec.aliases;
        match aliases.get(alias) {
            // An alias that leads nowhere is told where it stands.
            Some(version) => match self.exactly(model, line, version) {
                Resolved::Nothing(_) => Resolved::Unreadable,
                found => found,
            },
            None => Resolved::Nothing(Dangling {
                code: &codes::UNKNOWN_ALIAS,
                message: format!("{model} has no alias `{alias}`"),
                help: suggest(alias.as_str(), aliases.keys().map(Alias::as_str))
                    .or_else(|| Some("name a version, or give the model this alias".to_owned())),
                of_model: false,
            }),
        }
    }

    /// The newest version that `suits`.
    fn newest(
        model: &ModelName,
        line: &Line<'a>,
        wanted: &str,
        suits: impl Fn(&Version, &ModelVersion) -> bool,
    ) -> Resolved<'a> {
        let mut unreadable = false;
        for (version, document) in line.versions.iter().rev() {
            match document.version() {
                Some(record) if suits(version, record) => {
                    return Resolved::Found(document, record);
                }
                Some(_) => {}
                None => unreadable = true,
            }
        }
        if unreadable {
            return Resolved::Unreadable;
        }
        let newest = line.versions.iter().next_back();
        let help = newest.and_then(|(version, document)| {
            let stage = document.version()?.spec.lifecycle;
            Some(format!("the newest version is {version}, which is {stage}"))
        });
        Resolved::Nothing(Dangling {
            code: &codes::UNKNOWN_VERSION,
            message: format!("no version of {model} {wanted}"),
            help: help.or_else(|| Some("publish a version first".to_owned())),
            of_model: false,
        })
    }

    /// The environment that is most like `name`.
    pub(super) fn closest_environment(&self, name: &Name) -> Option<String> {
        let names = self.environments.keys().map(|name| name.as_str());
        closest(name.as_str(), names).map(|meant| format!("did you mean `{meant}`?"))
    }
}
