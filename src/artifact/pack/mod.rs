//! A folder of files as a ModelPack artifact, and an artifact's manifest as files.
//!
//! [`pack`] walks a folder, leaves out what is not meant, hashes every file once and makes the
//! manifest; the bytes stay where they are until a store takes them. [`files()`] goes the other
//! way: it says where each layer of a manifest belongs, or refuses the manifest.
//!
//! ```text
//! digits/                 manifest {artifactType: …cncf.model.manifest.v1+json}
//!   model.onnx      ───▶    layer …weight.v1.raw     org.cncf.model.filepath: model.onnx
//!   train.py        ───▶    layer …code.v1.raw       org.cncf.model.filepath: train.py
//!   data/rows.csv   ───▶    layer …dataset.v1.raw    org.cncf.model.filepath: data/rows.csv
//!   README.md       ───▶    layer …doc.v1.raw        org.cncf.model.filepath: README.md
//!   .cache/                 left out: hidden
//! ```
//!
//! Invariants:
//! - A manifest is a function of the files (their paths and bytes) and of nothing else: layers
//!   are sorted by their paths' bytes, and no time, owner, permission or name of ours is in it.
//! - One file is one raw layer, so that a file that two versions share is stored once.
//! - No path leaves its folder, on any system.

pub mod annotation;
mod claims;
mod error;
mod files;
mod hash;
pub mod inspect;
mod left_out;
mod mode;
mod packed;
pub mod path;
mod role;
mod walk;

pub use claims::{Claims, Clash};
pub use error::PackError;
pub use files::{LayerFile, UnpackError, files};
pub use left_out::{IGNORE_FILE, LeftOut, Why};
pub use mode::Mode;
pub use packed::{MODEL_CONFIG, MODEL_MANIFEST, Packed, PackedFile, pack};
pub use path::{FilePath, PathError};
pub use role::{Role, RoleRule, RoleRuleError};

/// The codes of this room.
pub mod codes {
    crate::codes! {
        UNSAFE_PATH = "unsafe-path";
        PATHS_CLASH = "paths-clash";
        UNSUPPORTED_LAYER = "unsupported-layer";
        TOO_MANY_FILES = "too-many-files";
        NO_FILES = "no-files";
        INVALID_ROLE_RULE = "invalid-role-rule";
        UNUSED_ROLE_RULE = "unused-role-rule";
        UNUSABLE_LINK = "unusable-link";
        SPECIAL_FILE = "special-file";
        INVALID_IGNORE_FILE = "invalid-ignore-file";
        FILE_CHANGED = "file-changed";
        LFS_POINTER = "lfs-pointer";
        PRIVATE_KEY_PACKED = "private-key-packed";
    }
}
