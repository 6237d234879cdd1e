//! Versions of a model, by Semantic Versioning 2.0.0.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::codes;
use super::fault::{Code, Fault};

/// One immutable release of a model: a SemVer version without build metadata.
///
/// Build metadata (`+…`) is refused because a version is also a tag in the store, and OCI tags
/// have no `+`; leaving it away in silence would make two versions one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(semver::Version);

/// A range of versions in Cargo's language: `^1.2`, `~1.2.3`, `>=1, <3`, `1.*`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VersionRange(semver::VersionReq);

/// Which part of a version goes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bump {
    /// `1.4.2` to `2.0.0`.
    Major,
    /// `1.4.2` to `1.5.0`.
    Minor,
    /// `1.4.2` to `1.4.3`.
    Patch,
}

/// Why a text is no version or range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// Not Semantic Versioning.
    #[error("`{}` is not a version: {reason}", text.escape_debug())]
    NotSemVer {
        /// The text as it was given.
        text: String,
        /// What the parser of versions said.
        reason: String,
    },
    /// Build metadata.
    #[error("`{}` is not a version: build metadata (`+…`) can't be a tag in a store", text.escape_debug())]
    BuildMetadata {
        /// The text as it was given.
        text: String,
    },
    /// Longer than an OCI tag may be.
    #[error("a version of {length} characters is too long: a tag in a store has at most 128")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// Not a range.
    #[error("`{}` is not a range of versions: {reason}", text.escape_debug())]
    NotRange {
        /// The text as it was given.
        text: String,
        /// What the parser of ranges said.
        reason: String,
    },
}

/// The longest tag that OCI's distribution-spec allows.
const MAX_TAG_LENGTH: usize = 128;

impl Fault for VersionError {
    fn code(&self) -> &'static Code {
        &codes::INVALID_VERSION
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotRange { .. } => "write a range as in `^1.2` or `>=1.2, <2`".to_owned(),
            Self::BuildMetadata { .. } => {
                "use a pre-release instead, as in `1.4.0-build.7`".to_owned()
            }
            _ => "use MAJOR.MINOR.PATCH, as in `1.4.0` or `2.0.0-rc.1`".to_owned(),
        })
    }
}

impl Version {
    /// `major.minor.patch`, with no pre-release.
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self(semver::Version::new(major, minor, patch))
    }

    /// Whether this is a pre-release, such as `2.0.0-rc.1`.
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre.is_empty()
    }

    /// The next version after this one; a pre-release's next is its release when `bump` agrees.
    pub fn bumped(&self, bump: Bump) -> Self {
        let (major, minor, patch) = (self.0.major, self.0.minor, self.0.patch);
        let pre = self.is_prerelease();
        match bump {
            Bump::Major if pre && minor == 0 && patch == 0 => Self::new(major, 0, 0),
            Bump::Major => Self::new(major.saturating_add(1), 0, 0),
            Bump::Minor if pre && patch == 0 => Self::new(major, minor, 0),
            Bump::Minor => Self::new(major, minor.saturating_add(1), 0),
            Bump::Patch if pre => Self::new(major, minor, patch),
            Bump::Patch => Self::new(major, minor, patch.saturating_add(1)),
        }
    }
}

impl VersionRange {
    /// Whether `version` is in the range. A pre-release only is where the range names one of the
    /// same MAJOR.MINOR.PATCH.
    pub fn contains(&self, version: &Version) -> bool {
        self.0.matches(&version.0)
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        if text.len() > MAX_TAG_LENGTH {
            return Err(VersionError::TooLong { length: text.len() });
        }
        let parsed = semver::Version::parse(text).map_err(|error| VersionError::NotSemVer {
            text: text.to_owned(),
            reason: error.to_string(),
        })?;
        if !parsed.build.is_empty() {
            return Err(VersionError::BuildMetadata {
                text: text.to_owned(),
            });
        }
        Ok(Self(parsed))
    }
}

impl FromStr for VersionRange {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        semver::VersionReq::parse(text)
            .map(Self)
            .map_err(|error| VersionError::NotRange {
                text: text.to_owned(),
                reason: error.to_string(),
            })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

super::text::conversions!(Version, VersionError);
super::text::conversions!(VersionRange, VersionError);

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn build_metadata_is_refused() {
        assert!(matches!(
            "1.0.0+7".parse::<Version>(),
            Err(VersionError::BuildMetadata { .. })
        ));
        for bad in ["1", "1.0", "v1.0.0", "01.0.0", "1.0.0-", ""] {
            assert!(bad.parse::<Version>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn bumps_follow_semver() {
        assert_eq!(version("1.4.2").bumped(Bump::Major), version("2.0.0"));
        assert_eq!(version("1.4.2").bumped(Bump::Minor), version("1.5.0"));
        assert_eq!(version("1.4.2").bumped(Bump::Patch), version("1.4.3"));
        assert_eq!(version("2.0.0-rc.1").bumped(Bump::Major), version("2.0.0"));
        assert_eq!(version("2.1.0-rc.1").bumped(Bump::Major), version("3.0.0"));
        assert_eq!(version("2.1.3-rc.1").bumped(Bump::Patch), version("2.1.3"));
    }

    #[test]
    fn ranges_leave_prereleases_out() {
        let range: VersionRange = "^1.2".parse().unwrap();
        assert!(range.contains(&version("1.9.0")));
        assert!(!range.contains(&version("1.1.0")));
        assert!(!range.contains(&version("1.3.0-rc.1")));
    }
}
