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
pub mod key;
mod sealed;
pub mod signature;

pub use key::{KeyError, SigningKey, VerifyingKey};
pub use signature::{Content, Flaw, Form, Signature};

/// The codes of this room.
pub mod codes {
    crate::codes! {
        UNREADABLE_KEY = "unreadable-key";
        UNSUPPORTED_KEY = "unsupported-key";
        WRONG_PASSWORD = "wrong-password";
        NO_RANDOMNESS = "no-randomness";
    }
}
