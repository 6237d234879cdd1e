//! What can't be found in a yard, told with what is there instead.

use bytes::Bytes;

use crate::check::document::Document;
use crate::check::layout::{Use, use_of};
use crate::check::yaml::Problems;
use crate::check::{File, Severity};
use crate::record::{Alias, Class, Code, Fault, Lifecycle, ModelName, Version};
use crate::yard::codes;
use crate::yard::error::YardError;

/// Why a record can't be had.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The yard has no such model.
    #[error("{place} has no model {model}")]
    NoSuchModel {
        /// The yard.
        place: String,
        /// The model that was asked for.
        model: ModelName,
        /// Models with names like it, the closest first.
        closest: Vec<ModelName>,
    },
    /// The model has no such version.
    #[error("{model} has no version {asked}")]
    NoSuchVersion {
        /// The model.
        model: ModelName,
        /// What was asked for: a version, a range, a digest.
        asked: String,
        /// What there is, newest first.
        versions: Vec<(Version, Option<Lifecycle>)>,
    },
    /// The model has no such alias.
    #[error("{model} has no alias {alias}")]
    NoSuchAlias {
        /// The model.
        model: ModelName,
        /// The alias that was asked for.
        alias: Alias,
        /// The aliases it has.
        aliases: Vec<(Alias, Version)>,
    },
    /// No version is released.
    #[error("nothing of {model} is released yet")]
    NothingReleased {
        /// The model.
        model: ModelName,
        /// What there is, newest first.
        versions: Vec<(Version, Option<Lifecycle>)>,
    },
    /// A record that has to be there is not.
    #[error("there is no {path}")]
    NoSuchRecord {
        /// Its path in the yard.
        path: String,
    },
    /// A record that can't be read as one: no YAML, not as its schema asks, or no file at all.
    #[error("{path}{}{reason}", if code.is_some() { ":" } else { ": " })]
    Malformed {
        /// Its path in the yard.
        path: String,
        /// What is wrong, with line and column before it where they are known.
        reason: String,
        /// Its stable name, where a check tells the same.
        code: Option<&'static Code>,
    },
    /// The yard itself can't be read.
    #[error(transparent)]
    Yard(#[from] YardError),
}

/// How many versions or names are told; `modelyard show` has them all.
const TOLD: usize = 5;

impl CatalogError {
    /// The record at `path` is not there.
    pub fn missing(path: &str) -> Self {
        Self::NoSuchRecord {
            path: path.to_owned(),
        }
    }

    /// The file at `path`, of these bytes, is YAML and no record: told as a check tells it, at its
    /// place, and in serde's words only where a check has nothing against it.
    pub(super) fn no_record(path: &str, bytes: &Bytes, error: &serde_json::Error) -> Self {
        Self::told(path, &File::Text(bytes.clone())).unwrap_or_else(|| Self::Malformed {
            path: path.to_owned(),
            reason: error.to_string(),
            code: None,
        })
    }

    /// What stands at `path` is no file that a record is read from: one record's fault, and not
    /// the yard's.
    pub(super) fn unread(path: &str, error: YardError) -> Self {
        let told = match &error {
            YardError::FileTooLarge { size_bytes, .. } => {
                let size_bytes = *size_bytes;
                Self::told(path, &File::TooLarge { size_bytes })
            }
            YardError::NotAFile { what, .. } if what.is_link() => Self::told(path, &File::Link),
            YardError::NotAFile { .. } => Self::told(path, &File::Unread),
            _ => None,
        };
        told.unwrap_or(Self::Yard(error))
    }

    /// The first thing that a check has against the record at `path`.
    fn told(path: &str, file: &File) -> Option<Self> {
        let Use::Record(seat) = use_of(path) else {
            return None;
        };
        let (_, found) = Document::read(seat, file);
        let found = found
            .into_iter()
            .find(|one| one.severity == Severity::Error)?;
        let place = found.place.map(|place| place.start);
        let place = place.map(|at| format!("{}:{}: ", at.line, at.column));
        Some(Self::Malformed {
            path: path.to_owned(),
            reason: place.unwrap_or_else(|| " ".to_owned()) + &found.message,
            code: Some(found.code),
        })
    }

    pub(super) fn yaml(path: &str, problems: &Problems) -> Self {
        Self::Malformed {
            path: path.to_owned(),
            reason: problems.to_string(),
            code: Some(problems.code()),
        }
    }
}

/// `1.1.0 (staged), 1.0.0 (released)`, or how many more there are.
fn told(versions: &[(Version, Option<Lifecycle>)]) -> String {
    let shown = versions.iter().take(TOLD).map(|(version, lifecycle)| {
        let lifecycle = lifecycle.map_or(String::new(), |stage| format!(" ({stage})"));
        format!("{version}{lifecycle}")
    });
    let mut shown: Vec<_> = shown.collect();
    if let Some(more) = versions.len().checked_sub(TOLD + 1) {
        shown.push(format!("and {} more", more + 1));
    }
    shown.join(", ")
}

fn joined<T: std::fmt::Display>(names: impl Iterator<Item = T>) -> String {
    let names: Vec<_> = names.take(TOLD).map(|name| name.to_string()).collect();
    names.join(", ")
}

impl Fault for CatalogError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NoSuchModel { .. } => &codes::NO_SUCH_MODEL,
            Self::NoSuchVersion { .. } => &codes::NO_SUCH_VERSION,
            Self::NoSuchAlias { .. } => &codes::NO_SUCH_ALIAS,
            Self::NothingReleased { .. } => &codes::NOTHING_RELEASED,
            Self::NoSuchRecord { .. } => &codes::NO_SUCH_RECORD,
            Self::Malformed { code, .. } => code.unwrap_or(&codes::MALFORMED_RECORD),
            Self::Yard(error) => error.code(),
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoSuchModel { closest, .. } if closest.is_empty() => {
                "`modelyard list` shows what there is".to_owned()
            }
            Self::NoSuchModel { closest, .. } => {
                format!("did you mean {}?", joined(closest.iter()))
            }
            Self::NoSuchVersion {
                model, versions, ..
            } if versions.is_empty() => {
                format!("{model} has no versions yet: publish one with `modelyard publish`")
            }
            Self::NoSuchVersion { versions, .. } => format!("there is {}", told(versions)),
            Self::NoSuchAlias { model, aliases, .. } if aliases.is_empty() => format!(
                "it has none; give it one with `modelyard promote {model}:VERSION --alias ALIAS`"
            ),
            Self::NoSuchAlias { aliases, .. } => {
                let aliases = aliases.iter();
                let aliases = aliases.map(|(alias, version)| format!("{alias} ({version})"));
                format!("it has {}", joined(aliases))
            }
            Self::NothingReleased { model, versions } => match versions.first() {
                Some((newest, _)) => format!(
                    "there is {}; name one as in `{model}:{newest}`, or release it with \
                     `modelyard promote {model}:{newest} --to released`",
                    told(versions)
                ),
                None => "publish a version with `modelyard publish`".to_owned(),
            },
            Self::NoSuchRecord { .. } => {
                "`git log -- PATH` tells when it was removed, and by whom".to_owned()
            }
            Self::Malformed { .. } => "`modelyard check` tells all that is wrong".to_owned(),
            Self::Yard(error) => return error.help(),
        })
    }

    fn class(&self) -> Class {
        match self {
            Self::Yard(error) => error.class(),
            _ => Class::Permanent,
        }
    }
}
