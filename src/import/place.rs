//! Which source is meant: by a word on the command line, or an entry of the yard's `sources`.
//!
//! A word is `<kind>:<where>`: `mlflow:https://mlflow.acme.example`, `folder:./old`. A path without
//! a kind is a folder or a file. Behind a git repository, of manifests too, can stand which branch,
//! tag or commit of it is meant and which folder, as Docker's build contexts have it:
//! `git:https://git.acme.example/ds/models.git#main:models/digits`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::custom::Custom;
use super::folder::Folder;
use super::geti::Geti;
use super::git::Git;
use super::gto::Gto;
use super::mlflow::Mlflow;
use super::{ImportError, Source, Variables, codes, huggingface, image, kserve, oci, seldon};
use crate::artifact::StoreOptions;
use crate::platform::redact;
use crate::platform::retry::Policy;
use crate::record::kind::{self, SecretReference, SourceType};
use crate::record::{Code, Fault};

/// Which source is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What kind it is.
    pub source_type: SourceType,
    /// Where it is, in that kind's own words: a URL, a path, a reference.
    pub at: String,
    /// The variable that has its token, where the yard names one.
    pub token: Option<String>,
    /// The folder in it.
    pub path: Option<String>,
    /// The branch, tag or commit.
    pub revision: Option<String>,
}

/// What a source is opened with.
pub struct Opening<'a> {
    /// Where relative paths begin.
    pub folder: PathBuf,
    /// Environment variables.
    pub variables: Variables<'a>,
    /// How often something transient is tried again.
    pub retry: Policy,
    /// How registries are opened.
    pub stores: StoreOptions,
    /// Whether images are started, to see which protocol they speak.
    pub probe: bool,
}

impl Opening<'_> {
    /// A variable that says something.
    pub(super) fn said(&self, name: &str) -> Option<SecretString> {
        let value = (self.variables)(name);
        value.filter(|value| !value.expose_secret().is_empty())
    }
}

#[cfg(test)]
impl<'a> Opening<'a> {
    /// One in which nothing is tried again.
    pub(super) fn once(variables: Variables<'a>) -> Self {
        let retry = Policy {
            attempts: 1,
            ..Policy::default()
        };
        Self {
            folder: PathBuf::new(),
            variables,
            retry,
            stores: StoreOptions {
                docker_config: PathBuf::new(),
                plain_http: None,
                retry,
            },
            probe: false,
        }
    }
}

/// `text` as a path, with the user's home folder for `~/`.
pub(super) fn expanded(variables: Variables<'_>, text: &str) -> PathBuf {
    match (text.strip_prefix("~/"), variables("HOME")) {
        (Some(rest), Some(home)) => Path::new(home.expose_secret()).join(rest),
        _ => PathBuf::from(text),
    }
}

/// No source is told by these words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// A kind that there isn't.
    #[error("`{}` begins with no kind of source", text.escape_debug())]
    Unknown {
        /// The text as it was given.
        text: String,
    },
    /// A kind, and no place.
    #[error("where the {kind} is that is imported from is not said")]
    Nowhere {
        /// The kind.
        kind: SourceType,
    },
    /// A token that only a target can have.
    #[error("the token of {place} is a target's secret, which no import can read")]
    StoredToken {
        /// The source.
        place: String,
    },
}

impl Fault for PlaceError {
    fn code(&self) -> &'static Code {
        &codes::NO_SUCH_SOURCE
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Unknown { .. } => {
                let kinds: Vec<_> = SourceType::ALL.iter().map(ToString::to_string).collect();
                format!(
                    "write its kind and its place, as in mlflow:https://mlflow.example.com; kinds \
                     are {}",
                    kinds.join(", ")
                )
            }
            Self::Nowhere { kind } => format!("write it behind the kind, as in {kind}:<where>"),
            Self::StoredToken { .. } => "write `token: {env: VARIABLE}`".to_owned(),
        })
    }
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let place = |source_type, at: &str| {
            let (at, revision, path) = match is_in_git(source_type) {
                true => within(at),
                false => (at, None, None),
            };
            Self {
                source_type,
                at: at.to_owned(),
                token: None,
                path: path.map(str::to_owned),
                revision: revision.map(str::to_owned),
            }
        };
        let is_path = |text: &str| text.starts_with(['.', '/', '~']);
        match text.split_once(':') {
            // As references are written everywhere else.
            Some(("oci-layout", _)) => Ok(place(SourceType::Oci, text)),
            _ if is_path(text) => Ok(place(SourceType::Folder, text)),
            Some((kind, at)) => {
                let unknown = |_| PlaceError::Unknown {
                    text: text.to_owned(),
                };
                let kind: SourceType = kind.parse().map_err(unknown)?;
                match at {
                    "" => Err(PlaceError::Nowhere { kind }),
                    at => Ok(place(kind, at)),
                }
            }
            None if text.is_empty() => Err(PlaceError::Unknown {
                text: text.to_owned(),
            }),
            None => Ok(place(SourceType::Folder, text)),
        }
    }
}

/// Whether sources of this kind can be in a git repository.
const fn is_in_git(kind: SourceType) -> bool {
    matches!(
        kind,
        SourceType::Git | SourceType::Gto | SourceType::Kserve | SourceType::Seldon
    )
}

/// `ADDRESS#REF:FOLDER`, of which all but the address can be left out.
fn within(at: &str) -> (&str, Option<&str>, Option<&str>) {
    let Some((at, fragment)) = at.split_once('#') else {
        return (at, None, None);
    };
    let (revision, path) = match fragment.split_once(':') {
        Some((revision, path)) => (revision, Some(path)),
        None => (fragment, None),
    };
    let said = |text: &&str| !text.is_empty();
    (at, Some(revision).filter(said), path.filter(said))
}

impl Place {
    /// The place that an entry of the yard's `sources` says.
    ///
    /// # Errors
    /// [`PlaceError`] if it says no place, or a token that can't be read here.
    pub fn of(source: &kind::Source) -> Result<Self, PlaceError> {
        let kind = source.source_type;
        let path = source.path.as_ref().map(ToString::to_string);
        let at = source
            .url
            .as_ref()
            .map(|url| match url.as_str().strip_prefix("file://") {
                Some(path) => path.to_owned(),
                None => url.to_string(),
            });
        let at = at.or_else(|| path.clone());
        let at = at.ok_or(PlaceError::Nowhere { kind })?;
        let token = match &source.token {
            None => None,
            Some(SecretReference::Variable(variable)) => Some(variable.env.to_string()),
            Some(SecretReference::Stored(_)) => {
                return Err(PlaceError::StoredToken { place: at });
            }
        };
        Ok(Self {
            source_type: kind,
            path: path.filter(|path| *path != at),
            at,
            token,
            revision: source.revision.clone(),
        })
    }

    /// Whether only a part of it is meant: a folder, or what it was at a commit.
    pub(super) const fn is_within(&self) -> bool {
        self.revision.is_some() || self.path.is_some()
    }

    /// Opens it. Nothing is asked of it yet.
    ///
    /// # Errors
    /// If there is no such folder, or what it is asked with can't be made.
    pub fn open(&self, opening: &Opening<'_>) -> Result<Arc<dyn Source>, ImportError> {
        match self.source_type {
            SourceType::Folder => Ok(Arc::new(Folder::open(&opening.folder.join(&self.at))?)),
            SourceType::Custom => {
                let program = opening.folder.join(&self.at);
                Ok(Arc::new(Custom::new(program, &self.at)))
            }
            SourceType::Kserve => Ok(Arc::new(kserve::open(self, opening)?)),
            SourceType::Seldon => Ok(Arc::new(seldon::open(self, opening)?)),
            SourceType::Huggingface => huggingface::open(self, opening),
            SourceType::Mlflow => Ok(Arc::new(Mlflow::open(self, opening)?)),
            SourceType::Geti => Ok(Arc::new(Geti::open(self, opening)?)),
            SourceType::Git => Ok(Arc::new(Git::open(self, opening)?)),
            SourceType::Gto => Ok(Arc::new(Gto::open(self, opening)?)),
            SourceType::Oci => oci::open(self, opening),
            SourceType::Image => image::open(self, opening),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = redact::remote(&self.at);
        // A slash at its end is no secret.
        let is_same = shown.strip_suffix('/') == Some(&self.at);
        let at = if is_same { &self.at } else { &shown };
        write!(formatter, "{}:{at}", self.source_type)?;
        if !is_in_git(self.source_type) {
            return Ok(());
        }
        match (&self.revision, &self.path) {
            (None, None) => Ok(()),
            (Some(revision), None) => write!(formatter, "#{revision}"),
            (revision, Some(path)) => {
                write!(
                    formatter,
                    "#{}:{path}",
                    revision.as_deref().unwrap_or_default()
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    //! Words on the command line.

    use super::*;

    #[test]
    fn a_kind_and_a_place_or_a_path() {
        let read = |text: &str| text.parse::<Place>().map(|place| place.to_string());
        for (text, place) in [
            (
                "mlflow:https://mlflow.acme.example",
                "mlflow:https://mlflow.acme.example",
            ),
            ("huggingface:org/name", "huggingface:org/name"),
            ("./old", "folder:./old"),
            ("/data/a:b", "folder:/data/a:b"),
            ("old", "folder:old"),
            (
                "git:git@git.acme.example:a/b.git",
                "git:git@git.acme.example:a/b.git",
            ),
            (
                "git:https://me:pw@git.acme.example/b.git#v1:m/a",
                "git:https://git.acme.example/b.git#v1:m/a",
            ),
            ("git:./b#:m", "git:./b#:m"),
            ("git:./b#main", "git:./b#main"),
            (
                "kserve:git@git.acme.example:a/deploy.git#main:prod",
                "kserve:git@git.acme.example:a/deploy.git#main:prod",
            ),
            ("oci-layout:./kits:1.0.0", "oci:oci-layout:./kits:1.0.0"),
        ] {
            assert_eq!(read(text).unwrap(), place, "{text}");
        }
        let place: Place = "git:./b#main:m/a".parse().unwrap();
        assert_eq!(
            (&*place.at, place.revision.as_deref(), place.path.as_deref()),
            ("./b", Some("main"), Some("m/a"))
        );
        assert!(matches!(read("mlflow:"), Err(PlaceError::Nowhere { .. })));
        for text in ["", "https://mlflow.acme.example", "mlfow:x"] {
            assert!(
                matches!(read(text), Err(PlaceError::Unknown { .. })),
                "{text}"
            );
        }
    }
}
