//! What signing and verifying can fail with.

use super::codes;
use super::key::KeyError;
use super::verdict::Unmet;
use crate::artifact::StoreError;
use crate::artifact::manifest::ManifestError;
use crate::record::{Class, Code, Fault};

/// Why something could not be signed, or could not be verified at all.
///
/// That the answer is "not signed by anybody who counts" is a
/// [`Verdict`](super::Verdict), which becomes [`Self::Refused`] where bytes would be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The store does not answer, or not with what was asked for.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key that can't be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The policy refuses it.
    #[error("{place} is not trusted: {unmet} (rule {rule} of the trust policy)")]
    Refused {
        /// What was verified.
        place: String,
        /// The rule that is not satisfied, from 1.
        rule: usize,
        /// The first requirement that is not met.
        unmet: Unmet,
    },
    /// Where classic signatures belong lies something else.
    #[error("{place} holds something that is not an image of signatures")]
    TagTaken {
        /// The tag.
        place: String,
        /// Why it is none.
        #[source]
        source: ManifestError,
    },
    /// Others wrote their signatures at the same time, again and again.
    #[error("others keep changing {place} at the same time")]
    Contended {
        /// The tag.
        place: String,
    },
}

impl Fault for TrustError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Store(error) => error.code(),
            Self::Key(error) => error.code(),
            Self::Refused { unmet, .. } => unmet.code(),
            Self::TagTaken { .. } => &codes::SIGNATURE_TAG_TAKEN,
            Self::Contended { .. } => &codes::SIGNATURES_CONTENDED,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.help(),
            Self::Key(error) => error.help(),
            Self::Refused { unmet, .. } => unmet.help(),
            Self::TagTaken { .. } => Some(
                "look at what it is, and delete the tag if nobody needs it; the bundle is \
                 written already and is enough for cosign 3"
                    .to_owned(),
            ),
            Self::Contended { .. } => Some("sign again when they are done".to_owned()),
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Store(error) => error.class(),
            Self::Key(error) => error.class(),
            Self::Refused { .. } | Self::TagTaken { .. } => Class::Permanent,
            Self::Contended { .. } => Class::Transient,
        }
    }
}
