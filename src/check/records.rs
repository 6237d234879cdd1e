//! The records of a yard, found by what they are, and by whom they are referred to.

use std::collections::{BTreeMap, BTreeSet};

use super::closest::{closest, suggest};
use super::codes;
use super::diagnostic::Diagnostic;
use super::document::Document;
use super::evidence::Evidence;
use super::gates::Gates;
use super::holdings::{Holdings, Line};
use super::layout::Seat;
use crate::record::kind::{Deployment, Environment, Kind, ModelVersion, Yard};
use crate::record::{Alias, Lifecycle, ModelName, Name, Selector, Version};

/// Every record of the yard at one moment, beside what was there before.
#[derive(Clone, Copy)]
pub(super) struct Records<'a> {
    /// All there is, to be read when it is looked at.
    pub holdings: &'a Holdings,
    /// What of the yard is held to the rules.
    pub scope: Scope<'a>,
    /// What changed, and what of it was there before, if there is a before.
    pub changes: Option<&'a Changes>,
    /// The yard's own record.
    pub yard: Option<&'a Document>,
    /// What changed records were before, by path.
    pub before: &'a BTreeMap<String, Document>,
    /// What was found out about artifacts, if something was.
    pub evidence: Option<&'a Evidence>,
    /// What is known of gates.
    pub gates: Gates<'a>,
}

/// The paths of files that are not what they were, and whether they were there.
pub(super) type Changes = BTreeMap<String, bool>;

/// What of a yard is held to the rules.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope<'a> {
    /// Everything.
    All,
    /// The records at these places, whether one is there or not.
    Affected(&'a BTreeSet<Seat>),
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
    /// The records of `holdings`, all of which are held to the rules, with nothing before.
    pub(super) fn new(holdings: &'a Holdings, before: &'a BTreeMap<String, Document>) -> Self {
        Self {
            holdings,
            scope: Scope::All,
            changes: None,
            yard: holdings.document(&Seat::Yard),
            before,
            evidence: None,
            gates: Gates::Unasked,
        }
    }

    /// The yard's record, if it can be read.
    pub(super) fn yard(&self) -> Option<(&'a Document, &'a Yard)> {
        let document = self.yard?;
        Some((document, document.yard()?))
    }

    /// The record at `seat`, whether it is held to the rules or not.
    pub(super) fn document(&self, seat: &Seat) -> Option<&'a Document> {
        self.holdings.document(seat)
    }

    /// What of a model is there, if something is.
    pub(super) fn line(&self, model: &ModelName) -> Option<&'a Line> {
        self.holdings.line(model)
    }

    /// An environment's record.
    pub(super) fn environment(&self, name: &Name) -> Option<&'a Document> {
        self.document(&Seat::Environment(name.clone()))
    }

    /// A deployment's record.
    pub(super) fn deployment(&self, environment: &Name, name: &Name) -> Option<&'a Document> {
        let (environment, name) = (environment.clone(), name.clone());
        self.document(&Seat::Deployment { environment, name })
    }

    /// Every deployment of an environment whose record can be read.
    pub(super) fn deployments_of(
        &self,
        environment: &Name,
    ) -> impl Iterator<Item = (&'a Document, &'a Deployment)> {
        let names = self.holdings.deployments_of(environment);
        names.filter_map(move |name| {
            let document = self.deployment(environment, name)?;
            Some((document, document.deployment()?))
        })
    }

    /// The names of all deployments of an environment.
    pub(super) fn deployment_names(&self, environment: &Name) -> impl Iterator<Item = &'a Name> {
        self.holdings.deployments_of(environment)
    }

    /// Every policy's record.
    pub(super) fn policies(&self) -> impl Iterator<Item = &'a Document> + use<'a> {
        self.holdings.policies()
    }

    /// Whether a file is at `path`.
    pub(super) fn contains(&self, path: &str) -> bool {
        self.holdings.contains(path)
    }

    /// The paths of all files below `folder`.
    pub(super) fn below(&self, folder: &str) -> Vec<String> {
        self.holdings.below(folder)
    }

    /// Whether what is at `seat` is held to the rules.
    pub(super) fn holds(&self, seat: &Seat) -> bool {
        match self.scope {
            Scope::All => true,
            Scope::Affected(seats) => seats.contains(seat),
        }
    }

    /// Every model to hold to the rules, by its record's place, and what of it is there.
    pub(super) fn lines(&self) -> Vec<(&'a ModelName, &'a Line)> {
        let models: Vec<&ModelName> = match self.scope {
            Scope::All => self.holdings.models().collect(),
            Scope::Affected(seats) => {
                let models = seats.iter().filter_map(|seat| match seat {
                    Seat::Model(model) => Some(model),
                    _ => None,
                });
                models.collect()
            }
        };
        let lines = models.into_iter();
        lines
            .filter_map(|model| Some((model, self.line(model)?)))
            .collect()
    }

    /// Every version to hold to the rules whose record can be read.
    pub(super) fn versions(&self) -> Vec<(&'a Document, &'a ModelVersion)> {
        let documents = match self.scope {
            Scope::All => {
                let lines = self.holdings.models().filter_map(|model| self.line(model));
                let all = lines.flat_map(Line::versions);
                all.map(|(_, document)| document).collect()
            }
            Scope::Affected(seats) => self.at(seats, Kind::ModelVersion),
        };
        let documents = documents.into_iter();
        documents
            .filter_map(|document| Some((document, document.version()?)))
            .collect()
    }

    /// Every environment to hold to the rules whose record can be read.
    pub(super) fn environments(&self) -> Vec<(&'a Document, &'a Environment)> {
        let documents = match self.scope {
            Scope::All => {
                let names = self.holdings.environments();
                names.filter_map(|name| self.environment(name)).collect()
            }
            Scope::Affected(seats) => self.at(seats, Kind::Environment),
        };
        let documents = documents.into_iter();
        documents
            .filter_map(|document| Some((document, document.environment()?)))
            .collect()
    }

    /// Every deployment to hold to the rules whose record can be read.
    pub(super) fn deployments(&self) -> Vec<(&'a Document, &'a Deployment)> {
        let documents = match self.scope {
            Scope::All => {
                let names = self.holdings.deployments();
                let documents =
                    names.filter_map(|(environment, name)| self.deployment(environment, name));
                documents.collect()
            }
            Scope::Affected(seats) => self.at(seats, Kind::Deployment),
        };
        let documents = documents.into_iter();
        documents
            .filter_map(|document| Some((document, document.deployment()?)))
            .collect()
    }

    /// The records of `kind` that are at `seats`.
    fn at(&self, seats: &'a BTreeSet<Seat>, kind: Kind) -> Vec<&'a Document> {
        let seats = seats.iter().filter(|seat| seat.kind() == kind);
        seats.filter_map(|seat| self.document(seat)).collect()
    }

    /// Whether the file at `path` is not what it was before; no where there is no before.
    pub(super) fn is_changed(&self, path: &str) -> bool {
        self.changes
            .is_some_and(|changes| changes.contains_key(path))
    }

    /// What the version at `path` was before, if it was there and could be read.
    pub(super) fn version_before(&self, path: &str) -> Option<(&'a Document, &'a ModelVersion)> {
        let document = self.before.get(path)?;
        Some((document, document.version()?))
    }

    /// Which version of `model` is meant; the newest released one where nothing is said.
    pub(super) fn resolve(&self, model: &ModelName, selector: Option<&Selector>) -> Resolved<'a> {
        let Some(line) = self.line(model) else {
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
        // One that has only a folder is none.
        let models = self.holdings.models();
        let models = models.filter(|model| self.line(model).is_some());
        let names: Vec<_> = models.map(ToString::to_string).collect();
        Dangling {
            code: &codes::UNKNOWN_MODEL,
            message: format!("there is no model {model} in this yard"),
            help: suggest(&model.to_string(), names.iter().map(String::as_str)),
            of_model: true,
        }
    }

    fn exactly(&self, model: &ModelName, line: &'a Line, version: &Version) -> Resolved<'a> {
        match line.version(version) {
            Some(document) => match document.version() {
                Some(record) => Resolved::Found(document, record),
                None => Resolved::Unreadable,
            },
            None => {
                let names: Vec<_> = line.numbers().rev().map(ToString::to_string).collect();
                Resolved::Nothing(Dangling {
                    code: &codes::UNKNOWN_VERSION,
                    message: format!("{model} has no version {version}"),
                    help: suggest(&version.to_string(), names.iter().map(String::as_str)),
                    of_model: false,
                })
            }
        }
    }

    fn aliased(&self, model: &ModelName, line: &'a Line, alias: &Alias) -> Resolved<'a> {
        let Some(record) = line.document().and_then(Document::model) else {
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
        line: &'a Line,
        wanted: &str,
        suits: impl Fn(&Version, &ModelVersion) -> bool,
    ) -> Resolved<'a> {
        let mut unreadable = false;
        for (version, document) in line.versions().rev() {
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
        let newest = line.versions().next_back();
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
        let names = self.holdings.environments().map(|name| name.as_str());
        closest(name.as_str(), names).map(|meant| format!("did you mean `{meant}`?"))
    }
}
