//! Keys, signatures, and what the yard's trust policy asks for.
//!
//! A signature says that the holder of a key stands behind one manifest digest, and so, by the
//! digests in it, behind every byte of a model. It lies beside the artifact in the same
//! repository, in two formats: cosign's bundle ([`bundle`]), which refers to the artifact, and
//! cosign's classic one ([`classic`]), under a tag made of its digest. Both are written; either
//! is enough. There is one kind of key, P-256 ([`key`]), which every signing tool accepts.
//!
//! Invariants:
//! - It fails closed. What can't be read, evaluated or parsed doesn't count, and whoever asked is
//!   told why; an error of the registry is an error, never "unsigned".
//! - A signature is believed for the digest that was recomputed from the bytes, for nothing it
//!   says of itself.
//! - One bad signature never hides a good one.

pub mod bundle;
pub mod classic;
pub mod discover;
pub mod error;
#[cfg(test)]
mod fake;
pub mod key;
pub mod policy;
mod sealed;
pub mod sign;
pub mod signature;
pub mod source;
pub mod verdict;
pub mod verify;

pub use discover::{Found, signatures};
pub use error::TrustError;
pub use key::{KeyError, SigningKey, VerifyingKey};
pub use policy::{Context, Formats, KeyRing, NoKey, Policy, judge};
pub use sign::{Signed, sign};
pub use signature::{Content, Flaw, Form, Signature};
pub use source::{KeySource, SealedKey, SourceError};
pub use verdict::{Examined, RuleVerdict, Signer, Standing, Unmet, Verdict};
pub use verify::verify;

/// The codes of this room.
pub mod codes {
    crate::codes! {
        UNREADABLE_KEY = "unreadable-key";
        UNSUPPORTED_KEY = "unsupported-key";
        WRONG_PASSWORD = "wrong-password";
        NO_RANDOMNESS = "no-randomness";
        NO_KEY_VARIABLE = "no-key-variable";
        SIGNATURE_TAG_TAKEN = "signature-tag-taken";
        SIGNATURES_CONTENDED = "signatures-contended";
        NOBODY_VOUCHES = "nobody-vouches";
        TOO_FEW_SIGNATURES = "too-few-signatures";
        NO_TRUSTED_KEY = "no-trusted-key";
        KEYLESS_NOT_EVALUATED = "keyless-not-evaluated";
        ATTESTATIONS_NOT_EVALUATED = "attestations-not-evaluated";
        SCAN_NOT_EVALUATED = "scan-not-evaluated";
        FORMATS_NOT_EVALUATED = "formats-not-evaluated";
        FORMAT_DENIED = "format-denied";
    }
}
