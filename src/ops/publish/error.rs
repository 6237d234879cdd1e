//! Why something can't be published.

use std::path::PathBuf;

use crate::check::yaml::Problems;
use crate::ops::codes;
use crate::record::{Code, Digest, Fault, ModelName, Version};
use crate::yard::edit::EditError;

/// Two artifacts for one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clash {
    /// The one that the version has.
    pub existing: Digest,
    /// That of the files at hand.
    pub ours: Digest,
}

/// Why something can't be published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// No key to sign with, and nobody said that it be left unsigned.
    #[error("there is no key to sign with")]
    Unsigned,
    /// Neither a version nor a part to raise, or both.
    #[error("which version of {model} it becomes is {what}")]
    WhichVersion {
        /// The model.
        model: ModelName,
        /// `not said`, or what else is wrong.
        what: &'static str,
    },
    /// The version has a record, or a tag, of other bytes.
    #[error(
        "{model}:{version} exists with other bytes: {} {place}, {} here",
        clash.existing, clash.ours
    )]
    VersionTaken {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
        /// Where that is said.
        place: &'static str,
        /// The two artifacts.
        clash: Box<Clash>,
    },
    /// The version has a merged record that says other things of the same bytes.
    #[error("{model}:{version} is merged, and its {} can't change any more", fields.join(", "))]
    MergedOtherwise {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
        /// The fields of which something else was said now.
        fields: Vec<String>,
    },
    /// The yard names no such store.
    #[error("the yard has no store called `{name}`")]
    NoStore {
        /// The name that was asked for.
        name: String,
        /// Those that it has.
        stores: Vec<String>,
    },
    /// Something that a new model must say, and nobody to ask.
    #[error("{model} is new, and nothing says {}", missing.join(" or "))]
    Missing {
        /// The model.
        model: ModelName,
        /// The flags that would say it.
        missing: Vec<&'static str>,
    },
    /// A record in which a field can't be set without changing more.
    #[error("{path} can't be changed")]
    NotEdited {
        /// The record's path in the yard.
        path: String,
        /// Why not.
        #[source]
        source: EditError,
    },
    /// A record of `--from` that is no YAML.
    #[error("{}:{source}", path.display())]
    FromYaml {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its place.
        source: Problems,
    },
    /// A record of `--from` of a kind that is not published.
    #[error("{} is of kind {kind}, not Model or ModelVersion", path.display())]
    FromKind {
        /// The file.
        path: PathBuf,
        /// The kind that it says it is.
        kind: String,
    },
    /// Two records of `--from` of one kind.
    #[error("{} is a second record of its kind", path.display())]
    FromTwice {
        /// The second one.
        path: PathBuf,
    },
    /// A record of `--from` that speaks of something else.
    #[error("{} has the {field} {said}, not {expected}", path.display())]
    FromOther {
        /// The file.
        path: PathBuf,
        /// `namespace`, `name` or `version`.
        field: &'static str,
        /// What it says.
        said: String,
        /// What is published.
        expected: String,
    },
}

impl PublishError {
    /// The version is there, with other bytes, in `place`.
    pub(in crate::ops) fn taken(
        model: &ModelName,
        version: &Version,
        place: &'static str,
        clash: Clash,
    ) -> Self {
        Self::VersionTaken {
            model: model.clone(),
            version: version.clone(),
            place,
            clash: Box::new(clash),
        }
    }
}

impl Fault for PublishError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Unsigned => &codes::NO_SIGNING_KEY,
            Self::WhichVersion { .. } => &codes::WHICH_VERSION,
            Self::VersionTaken { .. } => &codes::VERSION_TAKEN,
            Self::MergedOtherwise { .. } => &codes::MERGED_OTHERWISE,
            Self::NoStore { .. } => &codes::NO_SUCH_STORE,
            Self::Missing { .. } => &codes::MISSING_METADATA,
            Self::FromYaml { source, .. } => source.code(),
            Self::NotEdited { source, .. } => source.code(),
            Self::FromKind { .. } | Self::FromTwice { .. } | Self::FromOther { .. } => {
                &codes::UNUSABLE_FROM
            }
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Unsigned => {
                "make one with `modelyard keys generate`, name one by --key or MODELYARD_KEY, or \
                 publish with --unsigned"
                    .to_owned()
            }
            Self::WhichVersion { model, .. } => {
                format!("write --as {model}:1.0.0, or --as {model} --bump minor")
            }
            Self::VersionTaken { model, .. } => {
                format!("publish the new bytes as a new version: --as {model} --bump patch")
            }
            Self::MergedOtherwise { model, version, .. } => format!(
                "leave those out; notes and links change by `modelyard set {model}:{version}`, the \
                 rest with a new version"
            ),
            Self::NoStore { stores, .. } => format!("it has {}", stores.join(", ")),
            Self::Missing { missing, .. } => {
                format!("add {}, or a Model record by --from", missing.join(" and "))
            }
            Self::FromYaml { source, .. } => return source.help(),
            Self::NotEdited { source, .. } => return source.help(),
            Self::FromKind { .. } | Self::FromTwice { .. } => {
                "give at most one record of kind Model and one of kind ModelVersion".to_owned()
            }
            Self::FromOther { .. } => {
                "correct the record's metadata, leave it out, or publish --as what it says"
                    .to_owned()
            }
        })
    }
}
