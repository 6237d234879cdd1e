//! What keeps the target from doing what it is told.

use std::path::PathBuf;

use crate::platform::atomic::FileError;
use crate::platform::redact::printable;
use crate::platform::retry::Retryable;
use crate::record::{Class, Code, Fault};
use crate::target::codes;

/// What the process target fails with.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// Its state can't be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file of its state that nobody of ours wrote.
    #[error("{} can't be understood", printable(&path.display().to_string()))]
    State {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// The operating system does not start the shim.
    #[error("{} can't be started", printable(&program.display().to_string()))]
    NotStarted {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It does not end, whatever is done.
    #[error("the instance in {} could not be ended", printable(&folder.display().to_string()))]
    Unending {
        /// Its folder.
        folder: PathBuf,
    },
}

impl Fault for ProcessError {
    fn code(&self) -> &'static Code {
        match self {
            Self::File(fault) => fault.code(),
            Self::State { .. } => &codes::PROCESS_STATE_UNREADABLE,
            Self::NotStarted { .. } => &codes::RUNTIME_ENDED,
            Self::Unending { .. } => &codes::PROCESS_UNENDING,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::File(fault) => return fault.help(),
            Self::State { .. } => {
                "end what runs there, and remove its folder: it is started again as the yard says"
                    .to_owned()
            }
            Self::NotStarted { .. } => "see that it is there and may be run".to_owned(),
            Self::Unending { .. } => {
                "see what its processes wait for; a disk or network that does not answer, mostly"
                    .to_owned()
            }
        })
    }

    fn class(&self) -> Class {
        match self {
            Self::File(fault) => fault.class(),
            Self::Unending { .. } => Class::Transient,
            Self::State { .. } | Self::NotStarted { .. } => Class::Permanent,
        }
    }
}

impl Retryable for ProcessError {}
