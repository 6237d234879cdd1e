//! Where models come from: sources, read as candidates for records.
//!
//! Every source is a [`Source`], and gives the same thing whatever it is. It [lists](Source::list)
//! the versions that it has, cheaply; tells [all that it knows](Source::candidate) of one; and
//! [opens](Source::open) its files. Nothing here knows a yard's names, writes a record or packs:
//! that is for `ops::import`, which maps names, fetches, packs, signs and proposes, as publishing
//! does.
//!
//! ```text
//!  source ──list──▶ Listed ──candidate──▶ Candidate ──open──▶ Spool ──▶ pack, sign, record
//!                     │                      │
//!                     └─ what it is called   └─ fields, files, and what found no place
//! ```
//!
//! Three rules hold for each of them:
//!
//! - **Nothing is lost.** What a source says of a version that has no field in a record goes to
//!   [`Candidate::unmapped`], as it was said; what can't be imported at all is in
//!   [`Listing::left_out`] with the reason.
//! - **Nothing is invented.** A field that the source doesn't say stays open.
//! - **Nothing is run.** Files are read and never loaded; a secret stays a reference.

mod annotations;
mod candidate;
mod client;
mod custom;
mod error;
pub mod export;
mod folder;
mod geti;
mod git;
mod gto;
pub mod huggingface;
mod image;
mod kserve;
mod listed;
mod manifest;
pub mod mapping;
pub mod mlflow;
mod mlmodel;
mod oci;
mod own;
mod piped;
mod place;
mod records;
mod s3;
mod seldon;
mod spool;
mod states;
mod storage;
mod tar;
mod unpack;

use std::fmt::Debug;
use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

pub use candidate::{Candidate, Carrier, Files, SourceArchive, SourceFile};
pub use client::Variables;
pub use error::{Detail, ImportError};
pub use listed::{DeploymentListed, LeftOut, Listed, Listing, ModelListed};
pub use place::{Opening, Place, PlaceError};
pub use spool::Spool;

use crate::artifact::Store;
use crate::platform::Progress;
use crate::platform::progress::Meter;
use crate::record::Tag;
use crate::record::kind::SourceType;

/// The most versions that one source is asked for.
pub const MAX_VERSIONS: usize = 100_000;

/// The most files of one version.
pub const MAX_FILES: usize = 10_000;

/// A place that models are imported from.
#[async_trait]
pub trait Source: Debug + Send + Sync {
    /// What kind of place it is.
    fn source_type(&self) -> SourceType;

    /// Where it is, as people write it, without credentials.
    fn place(&self) -> String;

    /// Where it is, as records say it; `None` for a place of this machine, which is nothing to
    /// anybody else.
    fn address(&self) -> Option<String>;

    /// What it has, in an order that is the same each time: by model, and of one model from the
    /// oldest version to the newest.
    ///
    /// # Errors
    /// If it can't be asked, or has more than [`MAX_VERSIONS`].
    async fn list(&self, progress: &dyn Progress) -> Result<Listing, ImportError>;

    /// All that it tells of one version.
    ///
    /// # Errors
    /// If it can't be asked, or what it says can't be understood.
    async fn candidate(&self, listed: &Listed) -> Result<Candidate, ImportError>;

    /// Begins to read a file of [`Files::There`] at byte `from`.
    ///
    /// # Errors
    /// If it can't be read.
    async fn open(&self, file: &SourceFile, from: u64) -> Result<Opened, ImportError>;

    /// Puts the files that are in an archive of [`Files::Inside`] into `folder`, which is empty,
    /// and nothing anywhere else.
    ///
    /// # Errors
    /// If it can't be read, isn't what the source said, or has a file that can't be in an artifact.
    /// What lies in `folder` then is of no worth.
    async fn unpack(
        &self,
        archive: &SourceArchive,
        folder: &Path,
        meter: &dyn Meter,
    ) -> Result<(), ImportError> {
        let _ = (folder, meter);
        Err(ImportError::Lacks {
            place: self.place(),
            what: archive.name.clone(),
        })
    }

    /// Puts the image of [`Candidate::carrier`] with everything that it is made of into `to`, under
    /// `tag`.
    ///
    /// # Errors
    /// If it can't be had, or isn't taken.
    async fn copy_image(
        &self,
        to: &dyn Store,
        tag: &Tag,
        progress: &dyn Progress,
    ) -> Result<(), ImportError> {
        let _ = (to, tag, progress);
        Err(ImportError::Lacks {
            place: self.place(),
            what: "image".to_owned(),
        })
    }
}

/// A file that is being read.
pub struct Opened {
    /// The byte that comes first: what was asked for, or 0 where the source can't begin elsewhere.
    pub from: u64,
    /// How many bytes the whole file has, where the source says so now.
    pub size_bytes: Option<u64>,
    /// Its bytes.
    pub bytes: BoxStream<'static, Result<Bytes, ImportError>>,
}

/// The codes of this room.
pub mod codes {
    crate::codes! {
        SOURCE_AWAY = "source-away";
        SOURCE_UNAUTHORIZED = "source-unauthorized";
        SOURCE_REFUSED = "source-refused";
        SOURCE_MALFORMED = "source-malformed";
        SOURCE_TOO_LARGE = "source-too-large";
        SOURCE_GATED = "source-gated";
        SOURCE_FILE_POINTER = "source-file-pointer";
        SOURCE_FILE_CHANGED = "source-file-changed";
        SOURCE_LACKS = "source-lacks";
        SOURCE_PROGRAM = "source-program";
        NO_SUCH_SOURCE = "no-such-source";
        UNUSABLE_MAPPING = "unusable-mapping";
        UNMAPPED_NAME = "unmapped-name";
        NO_FLAVOR = "no-flavor";
    }
}
