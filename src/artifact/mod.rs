//! The OCI side: pack, push, pull, layout, registry, cache, referrers.
//!
//! A [`Store`] is one repository that holds artifacts: a path of a registry, or an OCI image
//! layout folder on disk. Both are opened by [`open`] and behave the same; one contract suite is
//! run against each. What lies in a store is told by a [`Descriptor`] (media type, digest, size)
//! and tied together by a [`Manifest`].
//!
//! Invariants:
//! - No bytes leave this room unverified: a manifest is hashed before it is handed out, a blob
//!   while it streams, and its end fails if digest or size differ from what was asked for.
//! - Memory is bounded: blobs stream, and everything else read from outside has a limit named in
//!   [`limits`].
//! - What a store answers with an error is an error, never "not there".

pub mod cache;
pub mod credentials;
pub mod descriptor;
pub mod error;
pub mod fetch;
pub mod index;
pub mod layout;
pub mod limits;
pub mod manifest;
pub mod pack;
pub mod place;
pub mod referrers;
pub mod registry;
pub mod source;
pub mod store;
pub mod stream;
pub mod upload;

pub use descriptor::{Descriptor, digest_of};
pub use error::StoreError;
pub use manifest::Manifest;
pub use source::BlobSource;
pub use store::{ManifestKey, Store, StoreOptions, Upload, open};
pub use stream::BlobStream;
pub use upload::upload;

/// The codes of this room.
pub mod codes {
    crate::codes! {
        STORE_UNREACHABLE = "store-unreachable";
        STORE_UNAUTHORIZED = "store-unauthorized";
        STORE_FORBIDDEN = "store-forbidden";
        STORE_THROTTLED = "store-throttled";
        STORE_FAILED = "store-failed";
        STORE_ANSWER = "store-answer";
        STORE_MISSING = "store-missing";
        STORE_WRONG = "store-wrong";
        STORE_CONTENDED = "store-contended";
        NOT_IN_STORE = "not-in-store";
        DIGEST_MISMATCH = "digest-mismatch";
        SIZE_MISMATCH = "size-mismatch";
        SOURCE_CHANGED = "source-changed";
        TOO_LARGE = "too-large";
        INVALID_MANIFEST = "invalid-manifest";
        DOCKER_CONFIG = "docker-config";
        CREDENTIAL_HELPER = "credential-helper";
        RESERVED_NAME = "reserved-name";
        IN_THE_WAY = "in-the-way";
        FOLDER_BUSY = "folder-busy";
        WOULD_OVERWRITE = "would-overwrite";
    }
}
