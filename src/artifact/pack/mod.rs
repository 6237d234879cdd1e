//! A folder of files as a ModelPack artifact, and an artifact's manifest as files.

mod claims;
pub mod path;

pub use claims::{Claims, Clash};
pub use path::{PathError, RelativePath};

/// The codes of this room.
pub mod codes {
    crate::codes! {
        UNSAFE_PATH = "unsafe-path";
    }
}
