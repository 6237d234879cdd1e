//! The annotations of ModelPack and of those who write files into manifests in other ways.

use serde::{Deserialize, Serialize};

use super::mode::Mode;

/// Where a layer's file lies below the artifact's folder (ModelPack).
pub const FILE_PATH: &str = "org.cncf.model.filepath";

/// What else is said of a layer's file, as JSON (ModelPack).
pub const FILE_METADATA: &str = "org.cncf.model.file.metadata+json";

/// The name of a layer's file as oras and others write it (OCI image-spec 1.1, "Pre-Defined
/// Annotation Keys").
pub const TITLE: &str = "org.opencontainers.image.title";

/// `true` on a layer that oras made of a folder: a tar that wants to be unpacked.
pub const ORAS_UNPACK: &str = "io.deis.oras.content.unpack";

/// The value of [`FILE_METADATA`].
///
/// What differs from machine to machine (owner, time) is written as nothing in particular, so
/// that a manifest is a function of the files alone.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FileMetadata {
    #[serde(default)]
    name: String,
    #[serde(default)]
    mode: u32,
    #[serde(default)]
    uid: u32,
    #[serde(default)]
    gid: u32,
    #[serde(default)]
    size: i64,
    #[serde(default)]
    mtime: String,
    /// As in tar: 0 a file, 2 a link, 5 a folder.
    #[serde(default)]
    pub(super) typeflag: u8,
}

impl FileMetadata {
    pub(super) fn normalised(name: &str, mode: Mode, size_bytes: u64) -> Self {
        Self {
            name: name.to_owned(),
            mode: mode.bits(),
            uid: 0,
            gid: 0,
            size: i64::try_from(size_bytes).unwrap_or(i64::MAX),
            mtime: "1970-01-01T00:00:00Z".to_owned(),
            typeflag: 0,
        }
    }

    pub(super) fn mode(&self) -> Mode {
        Mode::from_bits(self.mode)
    }
}
