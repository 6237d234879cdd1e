//! Why files can't be put into a folder.

use std::path::PathBuf;

use crate::artifact::codes;
use crate::platform::atomic::FileError;
use crate::record::{Class, Code, Fault};

/// How many files an error names.
const TOLD: usize = 5;

/// Files that can't be put into a folder.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The folder is a file.
    #[error("{} is not a folder", path.display())]
    NotAFolder {
        /// Which one.
        path: PathBuf,
    },
    /// Another pull is at work in it.
    #[error("another pull is filling {}", path.display())]
    Busy {
        /// Which one.
        path: PathBuf,
    },
    /// It was empty when we began, and isn't any more.
    #[error("{} was filled by somebody else meanwhile", path.display())]
    Filled {
        /// Which one.
        path: PathBuf,
    },
    /// Files of the user's that would be lost.
    #[error("{} has other files under the same names: {}", folder.display(), told(names))]
    WouldOverwrite {
        /// The folder.
        folder: PathBuf,
        /// The files that differ.
        names: Vec<String>,
    },
    /// A folder or a link where a file belongs, or a file or a link where a folder belongs.
    #[error("{} is {found}, where {wanted} belongs", path.display())]
    InTheWay {
        /// What is in the way.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// What belongs there.
        wanted: &'static str,
    },
    /// A file that would be taken for what a killed pull left.
    #[error("the artifact has a file `{}`, a name that only pulls themselves use", name.escape_debug())]
    Reserved {
        /// Its path.
        name: String,
    },
    /// The file system says no.
    #[error(transparent)]
    File(#[from] FileError),
}

fn told(names: &[String]) -> String {
    let mut told = names.iter().take(TOLD).cloned().collect::<Vec<_>>();
    if let Some(more) = names.len().checked_sub(TOLD + 1) {
        told.push(format!("and {} more", more + 1));
    }
    told.join(", ")
}

impl Fault for PlaceError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NotAFolder { .. } | Self::InTheWay { .. } => &codes::IN_THE_WAY,
            Self::Reserved { .. } => &codes::RESERVED_NAME,
            Self::Busy { .. } | Self::Filled { .. } => &codes::FOLDER_BUSY,
            Self::WouldOverwrite { .. } => &codes::WOULD_OVERWRITE,
            Self::File(error) => error.code(),
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotAFolder { .. } => "name a folder, or a place where none is yet".to_owned(),
            Self::Busy { .. } => "wait for it to end, or choose another folder".to_owned(),
            Self::Filled { .. } => "look at what is there, and pull again".to_owned(),
            Self::WouldOverwrite { .. } => {
                "choose another folder, or overwrite them by `--force`".to_owned()
            }
            Self::Reserved { .. } => {
                "nothing was fetched; don't use this artifact unless whoever made it can explain it"
                    .to_owned()
            }
            Self::InTheWay { .. } => "move it away, or choose another folder".to_owned(),
            Self::File(error) => return error.help(),
        })
    }

    fn class(&self) -> Class {
        match self {
            Self::Busy { .. } => Class::Blocked,
            Self::File(error) => error.class(),
            _ => Class::Permanent,
        }
    }
}
