//! Names of namespaces, models, environments and deployments.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::codes;
use super::fault::{Code, Fault};

/// The longest name: a Kubernetes label and a DNS label end here too.
pub const MAX_NAME_LENGTH: usize = 63;

/// One part of a path: a namespace, or the name of a model, an environment, a deployment.
///
/// Lower-case ASCII letters and digits, with single `.`, `_`, `__` or runs of `-` between them,
/// at most 63 characters: what an OCI repository's path component may be
/// (OCI distribution-spec 1.1, "Pulling manifests"), so that a name is a store's path as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// A model's whole name, `<namespace>/<name>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelName {
    namespace: Name,
    name: Name,
}

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// A part breaks the grammar of [`Name`].
    #[error("`{}` is not a name: {reason}", text.escape_debug())]
    Part {
        /// The text as it was given.
        text: String,
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// A model's name without exactly one `/`.
    #[error("`{}` is not a model's name: it has to be <namespace>/<name>", text.escape_debug())]
    Model {
        /// The text as it was given.
        text: String,
    },
}

impl Fault for NameError {
    fn code(&self) -> &'static Code {
        &codes::INVALID_NAME
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Part { .. } => "use lower-case letters, digits and single `-`, `_` or `.` \
                between them, as in `surface-defects`"
                .to_owned(),
            Self::Model { .. } => "write it as in `vision/digits`".to_owned(),
        })
    }
}

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The rule that `text` breaks, if it breaks one.
fn broken_rule(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty");
    }
    if text.len() > MAX_NAME_LENGTH {
        return Some("it is longer than 63 characters");
    }
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    if !bytes
        .iter()
        .all(|&byte| word(byte) || matches!(byte, b'.' | b'_' | b'-'))
    {
        return Some("only a-z, 0-9, `-`, `_` and `.` may be in it");
    }
    if !word(bytes[0]) || !word(bytes[bytes.len() - 1]) {
        return Some("it has to begin and end with a letter or a digit");
    }
    let separators = text
        .split(|c: char| word(c as u8))
        .filter(|run| !run.is_empty());
    for run in separators {
        if !matches!(run, "." | "_" | "__") && !run.bytes().all(|byte| byte == b'-') {
            return Some("between two words only `.`, `_`, `__` or hyphens may stand");
        }
    }
    None
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match broken_rule(text) {
            None => Ok(Self(text.to_owned())),
            Some(reason) => Err(NameError::Part {
                text: text.to_owned(),
                reason,
            }),
        }
    }
}

impl ModelName {
    /// The model `name` of `namespace`.
    pub fn new(namespace: Name, name: Name) -> Self {
        Self { namespace, name }
    }

    /// What stands before the slash.
    pub fn namespace(&self) -> &Name {
        &self.namespace
    }

    /// What stands behind the slash.
    pub fn name(&self) -> &Name {
        &self.name
    }
}

impl FromStr for ModelName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.split_once('/') {
            Some((namespace, name)) if !name.contains('/') => Ok(Self {
                namespace: namespace.parse()?,
                name: name.parse()?,
            }),
            _ => Err(NameError::Model {
                text: text.to_owned(),
            }),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

super::text::conversions!(Name, NameError);
super::text::conversions!(ModelName, NameError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_oci_path_components() {
        for good in [
            "a",
            "digits",
            "digits-v2",
            "a.b",
            "a_b",
            "a__b",
            "a--b",
            "0",
            "3d",
        ] {
            assert_eq!(good.parse::<Name>().unwrap().as_str(), good);
        }
        for bad in [
            "", "A", "-a", "a-", "a..b", "a___b", "a._b", "a b", "a/b", "é", "a\u{7}", "..",
        ] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?} was taken");
        }
        assert!("a".repeat(63).parse::<Name>().is_ok());
        assert!("a".repeat(64).parse::<Name>().is_err());
    }

    #[test]
    fn a_model_has_exactly_one_slash() {
        let name: ModelName = "vision/digits".parse().unwrap();
        assert_eq!(
            (name.namespace().as_str(), name.name().as_str()),
            ("vision", "digits")
        );
        for bad in ["digits", "a/b/c", "/digits", "vision/", "vision//digits"] {
            assert!(bad.parse::<ModelName>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn an_error_never_prints_a_control_character() {
        let error = "a\u{1b}[31mb".parse::<Name>().unwrap_err();
        assert!(!error.to_string().contains('\u{1b}'));
    }
}
