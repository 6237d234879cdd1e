//! A folder of files as a ModelPack artifact, and an artifact's manifest as files.

pub mod annotation;
mod claims;
mod files;
pub mod inspect;
mod mode;
pub mod path;
mod role;

pub use claims::{Claims, Clash};
pub use files::{LayerFile, UnpackError, files};
pub use mode::Mode;
pub use path::{PathError, RelativePath};
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
    }
}
