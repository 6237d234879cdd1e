//! The stored state, and the lock that there is one reconciler.
//!
//! ```text
//! <folder>/lock         held by the one reconciler for as long as it lives
//! <folder>/state.json   what is remembered of rollouts, in the format of `rollout::State`
//! ```
//!
//! The folder of an environment is `<state>/<yard>/<environment>`, where `<yard>` is the name of
//! the yard's folder with a digest of its whole path behind it: [`folder`].
//!
//! The lock sees to it that there are never two hands on the weights.

use std::fs::File;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};

use super::codes;
use super::edges::Memory;
use crate::platform::atomic::{self, FileError, Readers};
use crate::platform::lock;
use crate::record::{Class, Code, Digest, Failure, Fault, Name};
use crate::rollout::State;

/// The largest state that is read: a thousand deployments take some megabytes.
const MAX_STATE_BYTES: u64 = 256 * 1024 * 1024;

/// Where the state of `environment` is kept, of the yard at `place`.
pub fn folder(state: &Path, place: &str, environment: &Name) -> PathBuf {
    let digest = Digest::from_bytes(Sha256::digest(place).into()).short();
    let name = Path::new(place).file_name();
    let name = name.map_or("yard".into(), |name| name.to_string_lossy());
    let yard = format!("{name}-{digest}");
    state.join(yard).join(environment.as_str())
}

/// Whether a reconciler works with `folder` now.
///
/// # Errors
/// If that can't be told.
pub fn is_taken(folder: &Path) -> Result<bool, FileError> {
    lock::is_held(&folder.join("lock"))
}

/// A folder of state that is ours for as long as this lives.
#[derive(Debug)]
pub struct StateFolder {
    folder: PathBuf,
    _lock: File,
}

/// Why a folder of state can't be had.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another reconciler works with it.
    #[error("another reconciler works with {}", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// It can't be made or opened.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Fault for FolderError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Busy { .. } => &codes::STATE_FOLDER_BUSY,
            Self::File(error) => error.code(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Busy { .. } => Some(
                "one reconciler serves an environment: look at it by `modelyard status`, or stop \
                 it first"
                    .to_owned(),
            ),
            Self::File(error) => error.help(),
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Busy { .. } => Class::Blocked,
            Self::File(error) => error.class(),
        }
    }
}

impl StateFolder {
    /// Takes `folder`, making it where there is none.
    ///
    /// # Errors
    /// [`FolderError::Busy`] where another process has it.
    pub async fn take(folder: &Path) -> Result<Self, FolderError> {
        atomic::create_folder(folder)?;
        let lock = lock::take(&folder.join("lock")).await?;
        let folder = folder.to_owned();
        match lock {
            Some(lock) => Ok(Self {
                folder,
                _lock: lock,
            }),
            None => Err(FolderError::Busy { folder }),
        }
    }

    fn state(&self) -> PathBuf {
        self.folder.join("state.json")
    }
}

/// What is remembered of an environment, whoever reads it; nothing where nothing was stored.
///
/// # Errors
/// If it can't be read, or another program wrote it.
pub fn read_state(folder: &Path) -> Result<State, Failure> {
    match atomic::read_if_there(&folder.join("state.json"), MAX_STATE_BYTES)? {
        Some(bytes) => Ok(State::read(&bytes)?),
        None => Ok(State::default()),
    }
}

/// The state of an environment for who only looks at it, beside the reconciler that works with it.
#[derive(Debug)]
pub struct Glance {
    folder: PathBuf,
}

impl Glance {
    /// A look at `folder`.
    pub fn of(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }
}

#[async_trait]
impl Memory for Glance {
    async fn read(&self) -> Result<State, Failure> {
        read_state(&self.folder)
    }

    /// Never: it is not ours.
    async fn write(&self, _: &State) -> Result<(), Failure> {
        Err(FolderError::Busy {
            folder: self.folder.clone(),
        }
        .into())
    }
}

#[async_trait]
impl Memory for StateFolder {
    async fn read(&self) -> Result<State, Failure> {
        read_state(&self.folder)
    }

    async fn write(&self, state: &State) -> Result<(), Failure> {
        // Not on the blocking pool: from here to its end nothing but the end of the process gets
        // in between.
        Ok(atomic::write(
            &self.state(),
            &state.write(),
            Readers::Owner,
        )?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_stored_is_read_and_nobody_else_has_the_folder_meanwhile() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("host");
        assert_eq!(read_state(&folder).unwrap(), State::default());
        let ours = StateFolder::take(&folder).await.unwrap();
        let busy = StateFolder::take(&folder).await.unwrap_err();
        assert_eq!(
            (busy.code().id, busy.class()),
            ("state-folder-busy", Class::Blocked)
        );
        ours.write(&State::default()).await.unwrap();
        assert_eq!(ours.read().await.unwrap(), State::default());
        drop(ours);
        StateFolder::take(&folder).await.unwrap();
    }

    #[tokio::test]
    async fn a_broken_state_is_told_and_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let ours = StateFolder::take(place.path()).await.unwrap();
        for broken in [&b"{"[..], br#"{"version": 7, "deployments": {}}"#] {
            let path = place.path().join("state.json");
            atomic::write(&path, broken, Readers::Owner).unwrap();
            let failure = ours.read().await.unwrap_err();
            assert_eq!(failure.code().id, "rollout-state");
            assert_eq!(atomic::read_at_most(&path, 100).unwrap(), broken);
        }
    }
}
