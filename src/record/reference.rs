//! How people name a model's version: `vision/digits:champion`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::digest::DigestError;
use super::fault::{Code, Fault};
use super::name::NameError;
use super::version::VersionError;
use super::{Alias, Digest, ModelName, Version, VersionRange, codes};

/// A model of the yard and which of its versions is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModelReference {
    /// The model.
    pub model: ModelName,
    /// Which of its versions.
    pub selector: Selector,
}

/// Which version of a model is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Selector {
    /// The newest released one: nothing stands behind the name.
    Newest,
    /// Exactly this one: `:1.4.0`.
    Version(Version),
    /// The newest released one in a range: `:^1.2`.
    Range(VersionRange),
    /// What the model's record calls so: `:champion`.
    Alias(Alias),
    /// The one with this artifact: `@sha256:…`.
    Digest(Digest),
}

/// A text that names no version, range or alias.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// Nothing of all that.
    #[error("`{}` is not a version, a range or an alias", text.escape_debug())]
    NoSelector {
        /// The text as it was given.
        text: String,
    },
    /// A version with build metadata; to who reads ranges it would be one.
    #[error(transparent)]
    Version(VersionError),
}

impl Fault for SelectorError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NoSelector { .. } => &codes::INVALID_REFERENCE,
            Self::Version(error) => error.code(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NoSelector { .. } => Some(
                "write a version (`1.4.0`), a range (`^1.2`), an alias (`champion`) or, behind \
                 `@`, a digest (`@sha256:…`)"
                    .to_owned(),
            ),
            Self::Version(error) => error.help(),
        }
    }
}

/// Why a text names no version of a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub enum ReferenceError {
    /// What stands first is no model's name.
    Model(#[from] NameError),
    /// What stands behind `:` is no selector.
    Selector(#[from] SelectorError),
    /// What stands behind `@` is no digest.
    Digest(#[from] DigestError),
}

impl ReferenceError {
    fn fault(&self) -> &dyn Fault {
        match self {
            Self::Model(fault) => fault,
            Self::Selector(fault) => fault,
            Self::Digest(fault) => fault,
        }
    }
}

impl Fault for ReferenceError {
    fn code(&self) -> &'static Code {
        self.fault().code()
    }

    fn help(&self) -> Option<String> {
        self.fault().help()
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    /// Reads what may stand behind the colon; a digest is taken too.
    fn from_str(text: &str) -> Result<Self, SelectorError> {
        match text.parse() {
            Ok(version) => return Ok(Self::Version(version)),
            Err(error @ VersionError::BuildMetadata { .. }) => {
                return Err(SelectorError::Version(error));
            }
            Err(_) => {}
        }
        if let Ok(alias) = text.parse() {
            return Ok(Self::Alias(alias));
        }
        if let Ok(digest) = text.parse() {
            return Ok(Self::Digest(digest));
        }
        match text.parse() {
            Ok(range) if !text.trim().is_empty() => Ok(Self::Range(range)),
            _ => Err(SelectorError::NoSelector {
                text: text.to_owned(),
            }),
        }
    }
}

impl FromStr for ModelReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if let Some((model, digest)) = text.split_once('@') {
            return Ok(Self {
                model: model.parse()?,
                selector: Selector::Digest(digest.parse()?),
            });
        }
        match text.split_once(':') {
            Some((model, selector)) => Ok(Self {
                model: model.parse()?,
                selector: selector.parse()?,
            }),
            None => Ok(Self {
                model: text.parse()?,
                selector: Selector::Newest,
            }),
        }
    }
}

impl TryFrom<String> for Selector {
    type Error = SelectorError;

    fn try_from(text: String) -> Result<Self, SelectorError> {
        text.parse()
    }
}

impl From<Selector> for String {
    /// In a record the newest released one is the range of all, since `newest` is an alias there.
    fn from(selector: Selector) -> Self {
        match selector {
            Selector::Newest => "*".to_owned(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest => formatter.write_str("newest"),
            Self::Version(version) => version.fmt(formatter),
            Self::Range(range) => range.fmt(formatter),
            Self::Alias(alias) => alias.fmt(formatter),
            Self::Digest(digest) => digest.fmt(formatter),
        }
    }
}

impl fmt::Display for ModelReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.selector {
            Selector::Newest => self.model.fmt(formatter),
            Selector::Digest(digest) => write!(formatter, "{}@{digest}", self.model),
            other => write!(formatter, "{}:{other}", self.model),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_name_a_version() {
        let digest = format!("vision/digits@sha256:{}", "0".repeat(64));
        for text in [
            "vision/digits",
            "vision/digits:1.4.0",
            "vision/digits:champion",
            "vision/digits:^1.2",
            "vision/digits:>=1.2, <3",
            &digest,
        ] {
            assert_eq!(text.parse::<ModelReference>().unwrap().to_string(), text);
        }
        for bad in [
            "digits",
            "vision/digits:",
            "vision/digits:Champion",
            "vision/digits:1.0.0+build.7",
            "vision/digits@1.0.0",
        ] {
            assert!(bad.parse::<ModelReference>().is_err(), "{bad:?} was taken");
        }
    }
}
