//! Signatures as they were found, before anybody's key was held against them.

use std::fmt;

use serde::Serialize;

use super::key::VerifyingKey;
use crate::platform::redact::printable;
use crate::record::Digest;

/// In which of cosign's formats a signature was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// A Sigstore bundle that refers to the subject.
    Bundle,
    /// A layer of the image tagged `sha256-<hex>.sig`.
    Classic,
}

/// One signature found beside a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Its format.
    pub form: Form,
    /// The digest of what holds it: the referrer's manifest, or the layer.
    pub at: Digest,
    /// What it says.
    pub content: Content,
}

/// What a signature says, as far as can be told without a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Somebody's key signed the subject; whose, only a key can tell.
    Keyed {
        /// The bytes that were signed.
        message: Vec<u8>,
        /// DER ECDSA over their SHA-256.
        signature: Vec<u8>,
    },
    /// An identity signed the subject by a short-lived certificate.
    Keyless,
    /// No signature but a statement of this predicate type.
    Attestation(String),
    /// It can't count for anybody.
    Flawed(Flaw),
}

/// Why something that looks like a signature is none of the subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// It can't be parsed.
    Unreadable(String),
    /// A field does not have the one value that is accepted.
    Pinned(&'static str),
    /// It signs something else: the digest it names, if it names one.
    OtherSubject(Option<String>),
    /// It is larger than what is read.
    TooLarge {
        /// What its descriptor says.
        size_bytes: u64,
    },
    /// What its descriptor promises is not in the store.
    Missing,
}

impl Signature {
    /// Whether `key` made this signature.
    pub fn is_by(&self, key: &VerifyingKey) -> bool {
        match &self.content {
            Content::Keyed { message, signature } => key.verifies(message, signature),
            _ => false,
        }
    }
}

impl Flaw {
    /// It can't be parsed, for this reason.
    pub(super) fn unreadable(reason: impl fmt::Display) -> Self {
        Self::Unreadable(reason.to_string())
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(reason) => write!(formatter, "can't be read: {}", printable(reason)),
            Self::Pinned(what) => write!(formatter, "{what} is not the one that is accepted"),
            Self::OtherSubject(Some(digest)) => {
                write!(formatter, "signs another artifact, {}", printable(digest))
            }
            Self::OtherSubject(None) => formatter.write_str("names no artifact that it signs"),
            Self::TooLarge { size_bytes } => {
                write!(
                    formatter,
                    "is too large to be a signature ({size_bytes} bytes)"
                )
            }
            Self::Missing => formatter.write_str("is listed but not there"),
        }
    }
}
