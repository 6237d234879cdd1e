//! Locks on files, the operating system's own: who is killed lets go of them, and nobody has to
//! clean up.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::time::interval;

use super::atomic::FileError;

/// How often a lock is tried to be had that somebody else has.
const LOOKS: u32 = 25;
/// The time between two of them.
const LOOK: Duration = Duration::from_millis(20);

/// Takes the lock at `path`, making its file where there is none; `None` where somebody else
/// keeps it. It is held for as long as the file lives.
///
/// Who only asks whether it [is held](is_held) has it for an instant, and a process just killed
/// may leave it to a child for another: so this tries for half a second.
///
/// # Errors
/// If the file can't be opened or locked.
pub async fn take(path: &Path) -> Result<Option<File>, FileError> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    let lock = options.open(path).map_err(FileError::at("open", path))?;
    let mut tick = interval(LOOK);
    for _ in 0..LOOKS {
        tick.tick().await;
        match lock.try_lock() {
            Ok(()) => return Ok(Some(lock)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(FileError::at("lock", path)(error)),
        }
    }
    Ok(None)
}

/// Whether somebody holds the lock at `path`. Any number may ask at once.
///
/// # Errors
/// If that can't be told.
pub fn is_held(path: &Path) -> Result<bool, FileError> {
    let lock = match File::open(path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(FileError::at("open", path)(error)),
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(FileError::at("lock", path)(error)),
    }
}

#[cfg(test)]
mod tests {
    //! Who holds a lock, and who only looks.

    use super::*;

    #[tokio::test]
    async fn one_has_it_until_it_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        assert!(!is_held(&path).unwrap());
        let ours = take(&path).await.unwrap().unwrap();
        assert!(is_held(&path).unwrap());
        assert!(take(&path).await.unwrap().is_none());
        drop(ours);
        assert!(!is_held(&path).unwrap());
        take(&path).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn who_looks_keeps_nobody_from_taking_it_nor_is_taken_for_a_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        drop(take(&path).await.unwrap());
        let looking = File::open(&path).unwrap();
        looking.try_lock_shared().unwrap();
        assert!(!is_held(&path).unwrap());
        // The first try comes before the look has ended.
        let (taken, ()) = tokio::join!(take(&path), async { drop(looking) });
        taken.unwrap().unwrap();
    }
}
