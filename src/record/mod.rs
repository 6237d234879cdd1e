//! The records: what a yard says about models, as types that can't be built wrong.
//!
//! This room owns the words. A [`ModelName`], a [`Version`], a [`Digest`], an [`Alias`] and a
//! [`Lifecycle`] are checked when they are made, and everything above passes them on as they are;
//! raw strings stop here. It is pure: no file, no network, no clock, and nothing of ours below it.
//!
//! It also owns what every error of the project says of itself: [`Fault`] and [`Code`].

mod absolute;
pub mod alias;
pub mod digest;
pub mod fault;
pub mod kind;
pub mod lifecycle;
pub mod name;
pub mod reference;
pub mod repository;
mod text;
pub mod version;
pub mod yaml;

pub use absolute::absolute;
pub use alias::Alias;
pub use digest::Digest;
pub use fault::{Class, Code, Failure, Fault, causes, with_causes, with_help};
pub use kind::{API_VERSION, Kind, Record};
pub use lifecycle::Lifecycle;
pub use name::{ModelName, Name};
pub use reference::{ModelReference, Selector};
pub use repository::{OciReference, Repository, Tag};
pub use version::{Bump, Version, VersionRange};

/// The codes of this room.
pub mod codes {
    crate::codes! {
        INVALID_NAME = "invalid-name";
        INVALID_VERSION = "invalid-version";
        INVALID_DIGEST = "invalid-digest";
        INVALID_ALIAS = "invalid-alias";
        INVALID_REFERENCE = "invalid-reference";
        INVALID_OCI_REFERENCE = "invalid-oci-reference";
        ILLEGAL_LIFECYCLE_MOVE = "illegal-lifecycle-move";
        UNKNOWN_LIFECYCLE = "unknown-lifecycle";
        INVALID_VALUE = "invalid-value";
    }
}
