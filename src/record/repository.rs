//! Where artifacts lie: repositories in a registry or in an OCI layout on disk.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::fault::{Code, Fault};
use super::{Digest, ModelName, absolute, codes};

/// What a layout's reference begins with.
pub const LAYOUT_SCHEME: &str = "oci-layout:";

/// A repository that holds artifacts: one path of a registry, or one layout folder on disk.
///
/// Written `registry.example.com/acme/models/vision/digits` or
/// `oci-layout:./store/vision/digits`. A store's `repository` is the prefix under which each
/// model has its own: see [`Repository::of_model`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Repository {
    /// A path of an OCI registry.
    Registry {
        /// Host, with its port where it has one.
        host: String,
        /// The path behind the host, without a leading slash; never empty in a reference.
        path: String,
    },
    /// An OCI image layout folder; a relative one resolves against the yard's work tree.
    Layout {
        /// The folder.
        path: PathBuf,
    },
}

/// A repository with the manifest that is meant in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OciReference {
    /// Where it lies.
    pub repository: Repository,
    /// Its tag, if one is named.
    pub tag: Option<Tag>,
    /// Its digest, if one is named; it wins over the tag.
    pub digest: Option<Digest>,
}

/// A tag: `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}` (OCI distribution-spec 1.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

/// Why a text is no repository, tag or OCI reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not an OCI reference: {reason}", text.escape_debug())]
pub struct OciReferenceError {
    /// The text as it was given.
    pub text: String,
    /// Which rule it breaks.
    pub reason: &'static str,
}

impl Fault for OciReferenceError {
    fn code(&self) -> &'static Code {
        &codes::INVALID_OCI_REFERENCE
    }

    fn help(&self) -> Option<String> {
        Some(
            "write `registry.example.com/team/models/vision/digits:1.0.0`, with a tag or \
             `@sha256:…`, or `oci-layout:./store/vision/digits:1.0.0` for a folder"
                .to_owned(),
        )
    }
}

impl Repository {
    /// The repository of `model` in the store whose prefix is this.
    pub fn of_model(&self, model: &ModelName) -> Self {
        match self {
            Self::Registry { host, path } if path.is_empty() => Self::Registry {
                host: host.clone(),
                path: model.to_string(),
            },
            Self::Registry { host, path } => Self::Registry {
                host: host.clone(),
                path: format!("{path}/{model}"),
            },
            Self::Layout { path } => Self::Layout {
                path: path
                    .join(model.namespace().as_str())
                    .join(model.name().as_str()),
            },
        }
    }

    /// The same repository with a relative layout made absolute against `work_tree`.
    pub fn resolved(&self, work_tree: &Path) -> Self {
        match self {
            Self::Layout { path } if path.is_relative() => Self::Layout {
                path: absolute(work_tree, path),
            },
            other => other.clone(),
        }
    }

    /// The manifest with this digest in this repository.
    pub fn at(&self, digest: Digest) -> OciReference {
        OciReference {
            repository: self.clone(),
            tag: None,
            digest: Some(digest),
        }
    }

    /// The manifest with this tag in this repository.
    pub fn tagged(&self, tag: Tag) -> OciReference {
        OciReference {
            repository: self.clone(),
            tag: Some(tag),
            digest: None,
        }
    }
}

impl Tag {
    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&super::Version> for Tag {
    /// Every version is a tag as it is: it has no `+` and at most 128 characters.
    fn from(version: &super::Version) -> Self {
        Self(version.to_string())
    }
}

/// Whether `text` is an OCI reference by its beginning, and not a model of the yard.
///
/// It is one if it begins with `oci-layout:`, or if its first component has a `.` or a `:` or is
/// `localhost`, and another component follows.
pub fn is_oci_reference(text: &str) -> bool {
    if text.starts_with(LAYOUT_SCHEME) {
        return true;
    }
    let Some((first, _)) = text.split_once('/') else {
        return false;
    };
    first == "localhost" || first.contains(['.', ':'])
}

fn parse_repository(text: &str, whole: &str) -> Result<Repository, OciReferenceError> {
    let error = |reason| OciReferenceError {
        text: whole.to_owned(),
        reason,
    };
    if text.chars().any(char::is_control) {
        return Err(error("it has a control character"));
    }
    if let Some(path) = text.strip_prefix(LAYOUT_SCHEME) {
        if path.is_empty() {
            return Err(error("no folder follows `oci-layout:`"));
        }
        return Ok(Repository::Layout {
            path: PathBuf::from(path),
        });
    }
    let (host, path) = text.split_once('/').unwrap_or((text, ""));
    if host != "localhost" && !host.contains(['.', ':']) {
        return Err(error("it has to begin with a registry's host"));
    }
    let host_byte = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(host_byte) {
        return Err(error("the registry's host is not one"));
    }
    let component = |part: &str| part.parse::<super::Name>().is_ok();
    if !path.is_empty() && !path.split('/').all(component) {
        return Err(error("a path has lower-case names between its slashes"));
    }
    Ok(Repository::Registry {
        host: host.to_owned(),
        path: path.to_owned(),
    })
}

impl FromStr for Repository {
    type Err = OciReferenceError;

    fn from_str(text: &str) -> Result<Self, OciReferenceError> {
        parse_repository(text, text)
    }
}

impl FromStr for Tag {
    type Err = OciReferenceError;

    fn from_str(text: &str) -> Result<Self, OciReferenceError> {
        let first = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let rest = |byte: u8| first(byte) || byte == b'.' || byte == b'-';
        let bytes = text.as_bytes();
        let valid = bytes.first().is_some_and(|&byte| first(byte))
            && bytes.len() <= 128
            && bytes.iter().all(|&byte| rest(byte));
        if valid {
            return Ok(Self(text.to_owned()));
        }
        let reason = "a tag has letters, digits, `_`, `.` and `-`, at most 128 of them";
        Err(OciReferenceError {
            text: text.to_owned(),
            reason,
        })
    }
}

impl FromStr for OciReference {
    type Err = OciReferenceError;

    fn from_str(text: &str) -> Result<Self, OciReferenceError> {
        let error = |reason| OciReferenceError {
            text: text.to_owned(),
            reason,
        };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                let digest = digest
                    .parse()
                    .map_err(|_| error("behind `@` a digest has to stand"))?;
                (rest, Some(digest))
            }
            None => (text, None),
        };
        let behind_slash = rest.rfind('/').map_or(0, |slash| slash + 1);
        let scheme = if rest.starts_with(LAYOUT_SCHEME) {
            LAYOUT_SCHEME.len()
        } else {
            0
        };
        let last = behind_slash.max(scheme);
        let (repository, tag) = match rest[last..].split_once(':') {
            Some((name, tag)) => {
                let tag = tag.parse::<Tag>().map_err(|fault| error(fault.reason))?;
                (&rest[..last + name.len()], Some(tag))
            }
            None => (rest, None),
        };
        let repository = parse_repository(repository, text)?;
        if matches!(&repository, Repository::Registry { path, .. } if path.is_empty()) {
            return Err(error("behind the registry's host a path has to follow"));
        }
        Ok(Self {
            repository,
            tag,
            digest,
        })
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry { host, path } if path.is_empty() => formatter.write_str(host),
            Self::Registry { host, path } => write!(formatter, "{host}/{path}"),
            Self::Layout { path } => write!(formatter, "{LAYOUT_SCHEME}{}", path.display()),
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for OciReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.repository.fmt(formatter)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(formatter, "@{digest}")?;
        }
        Ok(())
    }
}

super::text::conversions!(Repository, OciReferenceError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_read_and_print_the_same() {
        let digest = format!("sha256:{}", "0".repeat(64));
        for text in [
            "registry.example.com/acme/models/vision/digits",
            "localhost:5000/vision/digits:1.0.0",
            "localhost/vision/digits:1.0.0",
            "127.0.0.1:5000/a:latest",
            "oci-layout:./store/vision/digits:1.0.0",
            "oci-layout:/var/lib/store/vision/digits",
            &format!("registry.example.com/a/b:1.0.0@{digest}"),
            &format!("oci-layout:store@{digest}"),
        ] {
            assert_eq!(text.parse::<OciReference>().unwrap().to_string(), text);
            assert!(is_oci_reference(text));
        }
    }

    #[test]
    fn bad_references_are_refused() {
        for bad in [
            "",
            "oci-layout:",
            "registry.example.com",
            "registry.example.com/",
            "registry.example.com/A",
            "registry.example.com/a//b",
            "registry.example.com/a/../b",
            "registry.example.com/a:-x",
            "registry.example.com/a@sha256:00",
            "registry.example.com/a\u{1b}",
            "vision/digits",
        ] {
            assert!(bad.parse::<OciReference>().is_err(), "{bad:?} was taken");
        }
        assert!(!is_oci_reference("vision/digits:1.0.0"));
        assert!(!is_oci_reference("digits.v2"));
    }

    #[test]
    fn a_store_has_a_repository_for_each_model() {
        let model = "vision/digits".parse().unwrap();
        let registry: Repository = "registry.example.com/acme".parse().unwrap();
        assert_eq!(
            registry.of_model(&model).to_string(),
            "registry.example.com/acme/vision/digits"
        );
        let bare: Repository = "registry.example.com:5000".parse().unwrap();
        assert_eq!(
            bare.of_model(&model).to_string(),
            "registry.example.com:5000/vision/digits"
        );
        let layout: Repository = "oci-layout:./store".parse().unwrap();
        let of_model = layout.of_model(&model);
        assert_eq!(of_model.to_string(), "oci-layout:./store/vision/digits");
        assert_eq!(
            of_model.resolved(Path::new("/yard")).to_string(),
            "oci-layout:/yard/store/vision/digits"
        );
    }
}
