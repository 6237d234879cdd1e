//! Aliases: names that a model gives to versions, such as `champion`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::codes;
use super::fault::{Code, Fault};

/// The longest alias.
const MAX_ALIAS_LENGTH: usize = 63;

/// A movable name for a version: `champion`, `challenger`, `line-3`.
///
/// It begins with a lower-case letter and goes on with lower-case letters, digits and single
/// hyphens, so that no alias reads as a version, a range or a digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Alias(String);

/// Why a text is no alias.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not an alias: {reason}", text.escape_debug())]
pub struct AliasError {
    /// The text as it was given.
    pub text: String,
    /// Which rule it breaks.
    pub reason: &'static str,
}

impl Fault for AliasError {
    fn code(&self) -> &'static Code {
        &codes::INVALID_ALIAS
    }

    fn help(&self) -> Option<String> {
        Some("use a word such as `champion` or `line-3`".to_owned())
    }
}

impl Alias {
    /// The alias as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Alias {
    type Err = AliasError;

    fn from_str(text: &str) -> Result<Self, AliasError> {
        let error = |reason| {
            Err(AliasError {
                text: text.to_owned(),
                reason,
            })
        };
        if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
            return error("it has to begin with a lower-case letter");
        }
        if text.len() > MAX_ALIAS_LENGTH {
            return error("it is longer than 63 characters");
        }
        let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !text.chars().all(valid) {
            return error("only a-z, 0-9 and `-` may be in it");
        }
        if text.ends_with('-') || text.contains("--") {
            return error("a hyphen has to stand between two words");
        }
        if matches!(text, "x") {
            return error("`x` reads as a range of all versions");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

super::text::conversions!(Alias, AliasError);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Version, VersionRange};

    #[test]
    fn no_alias_reads_as_a_version_or_a_range() {
        for good in ["champion", "challenger", "line-3", "v1", "latest", "a"] {
            assert!(good.parse::<Alias>().is_ok(), "{good:?} was refused");
            assert!(good.parse::<Version>().is_err());
            assert!(good.parse::<VersionRange>().is_err());
        }
        for bad in [
            "",
            "x",
            "1.0.0",
            "^1",
            "Champion",
            "a--b",
            "a-",
            "a.b",
            "sha256:00",
            "a\n",
        ] {
            assert!(bad.parse::<Alias>().is_err(), "{bad:?} was taken");
        }
    }
}
