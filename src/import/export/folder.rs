//! A version as a folder of its own: its records, its card, and its files.
//!
//! ```text
//! defects/
//!   version.yaml     the version's record
//!   model.yaml       its model's
//!   README.md        the model's card, if it has one
//!   files/           the artifact's files, byte for byte
//! ```
//!
//! An import of the folder reads the records back, and packs what is in `files`, so that the
//! artifact has the same digest again.

use super::Laid;
use crate::record::kind::{Model, ModelVersion, Record};

/// The version's record.
pub(in crate::import) const VERSION: &str = "version.yaml";

/// Its model's record.
pub(in crate::import) const MODEL: &str = "model.yaml";

/// The model's card.
pub(in crate::import) const CARD: &str = "README.md";

/// The folder with the artifact's files.
pub(in crate::import) const FILES: &str = "files";

/// The folder of `version` with `card`, its model's.
pub fn to_folder(model: &Model, version: &ModelVersion, card: Option<&str>) -> Laid {
    let mut laid = Laid {
        files_in: Some(FILES),
        ..Laid::default()
    };
    laid.lay(VERSION, Record::from(version.clone()).to_yaml());
    laid.lay(MODEL, Record::from(model.clone()).to_yaml());
    if let Some(card) = card {
        laid.lay(CARD, card.to_owned());
    }
    laid
}
