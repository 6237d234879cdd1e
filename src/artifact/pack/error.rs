//! Why files can't be packed.

use std::path::PathBuf;

use super::claims::Clash;
use super::codes;
use super::path::{FilePath, PathError};
use super::walk::MAX_ENTRIES;
use crate::artifact::limits::{MAX_LAYERS, MAX_MANIFEST_BYTES};
use crate::platform::atomic::FileError;
use crate::platform::redact::printable;
use crate::record::{Code, Fault};

/// A file or folder that can't be packed. Nothing was written anywhere.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// Nothing is left to pack.
    #[error("{} has no file to pack{}", shown(path), if *left_out == 0 { String::new() }
        else { format!(": all {left_out} entries are left out") })]
    Empty {
        /// The folder.
        path: PathBuf,
        /// How many entries of it were left out.
        left_out: usize,
    },
    /// A name that isn't safe, or not the same, on every system.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A name that is no text.
    #[error("the name of {} is not UTF-8", shown(path))]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
    /// Two files that can't both be in one folder.
    #[error("two files can't be in one folder on every system")]
    Clash(#[from] Clash),
    /// A symbolic link that can't be packed as the file it leads to.
    #[error("the link {} leads to {}, {reason}", shown(path), shown(target))]
    Link {
        /// The link.
        path: PathBuf,
        /// What it says.
        target: PathBuf,
        /// Why that can't be packed.
        reason: &'static str,
    },
    /// A pipe, a socket or a device.
    #[error("{} is {kind} and not a file", shown(path))]
    Special {
        /// Where it is.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// More files than one artifact can hold.
    #[error("there are more than {MAX_LAYERS} files, the most that an artifact has")]
    TooManyFiles,
    /// More entries than are looked at.
    #[error("there are more than {MAX_ENTRIES} files and folders, left-out ones included")]
    TooManyEntries,
    /// So many long names that no registry takes the manifest.
    #[error(
        "the manifest would have {actual} bytes, more than the {MAX_MANIFEST_BYTES} that registries take"
    )]
    ManifestTooLarge {
        /// How many bytes it would have.
        actual: usize,
    },
    /// A `.modelyardignore` that can't be read.
    #[error("{}:{line}: the pattern can't be read", printable(&path.to_string_lossy()))]
    Ignore {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: ignore::Error,
    },
    /// A `.modelyardignore` that is no text.
    #[error("{} is not UTF-8 text", shown(path))]
    IgnoreNotText {
        /// The file.
        path: PathBuf,
    },
    /// A file that somebody writes to.
    #[error("{} changed while it was being packed", shown(path))]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A pointer where a file is meant.
    #[error("`{path}` is a Git LFS pointer and not the file it stands for")]
    LfsPointer {
        /// The file.
        path: FilePath,
    },
    /// A secret, which an artifact would show to everybody who pulls it.
    #[error("`{path}` holds a private key")]
    PrivateKey {
        /// The file.
        path: FilePath,
    },
    /// A rule that speaks of no file: most likely a typo.
    #[error("the role rule `{}` fits no file", printable(.0))]
    UnusedRule(String),
    /// The operating system said no.
    #[error(transparent)]
    File(#[from] FileError),
}

fn shown(path: &std::path::Path) -> String {
    format!("`{}`", printable(&path.to_string_lossy()))
}

impl Fault for PackError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Empty { .. } => &codes::NO_FILES,
            Self::Path(error) => error.code(),
            Self::NotUtf8 { .. } => &codes::UNSAFE_PATH,
            Self::Clash(_) => &codes::PATHS_CLASH,
            Self::Link { .. } => &codes::UNUSABLE_LINK,
            Self::Special { .. } => &codes::SPECIAL_FILE,
            Self::TooManyFiles | Self::TooManyEntries | Self::ManifestTooLarge { .. } => {
                &codes::TOO_MANY_FILES
            }
            Self::Ignore { .. } | Self::IgnoreNotText { .. } => &codes::INVALID_IGNORE_FILE,
            Self::Changed { .. } => &codes::FILE_CHANGED,
            Self::LfsPointer { .. } => &codes::LFS_POINTER,
            Self::PrivateKey { .. } => &codes::PRIVATE_KEY_PACKED,
            Self::UnusedRule(_) => &codes::UNUSED_ROLE_RULE,
            Self::File(error) => error.code(),
        }
    }

    fn help(&self) -> Option<String> {
        let ignore = "in a `.modelyardignore`";
        Some(match self {
            Self::Empty { left_out: 0, .. } => "name the folder that holds the model".to_owned(),
            Self::Empty { .. } => format!("bring files back by a line such as `!NAME` {ignore}"),
            Self::Path(error) => return error.help(),
            Self::NotUtf8 { .. } | Self::Clash(_) => {
                format!("rename it, or leave it out {ignore}")
            }
            Self::Link { .. } => {
                format!("put the file itself in the link's place, or leave the link out {ignore}")
            }
            Self::Special { .. } => format!("remove it, or leave it out {ignore}"),
            Self::TooManyFiles | Self::TooManyEntries | Self::ManifestTooLarge { .. } => {
                format!("put many small files into one archive, or leave some out {ignore}")
            }
            Self::Ignore { .. } | Self::IgnoreNotText { .. } => {
                "its lines are patterns as in `.gitignore`".to_owned()
            }
            Self::Changed { .. } => "wait until nobody writes to it, and try again".to_owned(),
            Self::LfsPointer { .. } => "fetch the file by `git lfs pull`".to_owned(),
            Self::PrivateKey { .. } => {
                format!("move it elsewhere, or leave it out {ignore}")
            }
            Self::UnusedRule(_) => {
                "a glob without a slash is held against file names, one with a slash against \
                 whole paths below the folder"
                    .to_owned()
            }
            Self::File(error) => return error.help(),
        })
    }
}
