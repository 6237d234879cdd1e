//! Files that are whole or not there.
//!
//! Every write goes to a temporary file beside its place, is flushed to the disk, and is then
//! renamed. Whoever is killed in between leaves the old file as it was, and at worst a temporary
//! file whose name begins with [`TEMPORARY_PREFIX`].

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::codes;
use crate::record::{Code, Fault};

/// What the name of every temporary file and folder of ours begins with.
pub const TEMPORARY_PREFIX: &str = ".modelyard-";

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// As the user's umask says: mode 0666 less the umask.
    Umask,
    /// Only its owner: mode 0600.
    Owner,
}

/// A file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("can't {action} {}", path.display())]
pub struct FileError {
    /// `read`, `write`, `create the folder`, …
    pub action: &'static str,
    /// Where.
    pub path: PathBuf,
    /// What the operating system said.
    #[source]
    pub source: io::Error,
}

impl FileError {
    /// Wraps what the operating system said of `action` on `path`; for `map_err`.
    pub fn at(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self {
            action,
            path,
            source,
        }
    }
}

impl Fault for FileError {
    fn code(&self) -> &'static Code {
        &codes::FILE_FAILED
    }

    fn help(&self) -> Option<String> {
        let advice = match self.source.kind() {
            io::ErrorKind::NotFound => "check that the path is right",
            io::ErrorKind::PermissionDenied => "check who owns it and who may write there",
            io::ErrorKind::StorageFull => "free some space on that disk and try again",
            io::ErrorKind::QuotaExceeded => "free some of your quota there and try again",
            io::ErrorKind::FileTooLarge if self.source.raw_os_error().is_none() => {
                "nothing that large is meant here: check that it is the right file"
            }
            io::ErrorKind::FileTooLarge => {
                "files may not be that large there: raise the limit (`ulimit -f`), or choose \
                 another disk"
            }
            io::ErrorKind::ReadOnlyFilesystem => "choose a place on a disk that can be written",
            io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => {
                "a file stands where a folder is meant, or the other way round"
            }
            _ => return None,
        };
        Some(advice.to_owned())
    }
}

/// Writes `bytes` to `path`, all or nothing, making its folder where there is none.
///
/// # Errors
/// [`FileError`]; the file at `path` is then as it was.
pub fn write(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), FileError> {
    let folder = parent(path);
    create_folder(folder)?;
    let mut file = temporary_file(folder, readers)?;
    file.write_all(bytes)
        .map_err(FileError::at("write", path))?;
    persist(file, path)
}

/// A temporary file in `folder`, to be written and then given to [`persist`].
///
/// # Errors
/// [`FileError`] if it can't be made.
pub fn temporary_file(folder: &Path, readers: Readers) -> Result<NamedTempFile, FileError> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY_PREFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = match readers {
            Readers::Umask => 0o666,
            Readers::Owner => 0o600,
        };
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    builder
        .tempfile_in(folder)
        .map_err(FileError::at("write in", folder))
}

/// Flushes `file` to the disk and gives it its name, in place of what stood there.
///
/// # Errors
/// [`FileError`]; what stood at `path` is then as it was.
pub fn persist(file: NamedTempFile, path: &Path) -> Result<(), FileError> {
    file.as_file()
        .sync_all()
        .map_err(FileError::at("write", path))?;
    file.persist(path).map_err(|error| FileError {
        action: "write",
        path: path.to_owned(),
        source: error.error,
    })?;
    sync_folder(parent(path))
}

/// Gives the file at `from` the name `to` as well, once it is flushed to the disk; `false` where it
/// can't have that: on another disk, or where there is one of that name.
///
/// # Errors
/// [`FileError`] if it can't be read or flushed.
pub fn link(from: &Path, to: &Path) -> Result<bool, FileError> {
    let opened = File::open(from).map_err(FileError::at("read", from))?;
    opened.sync_all().map_err(FileError::at("write", from))?;
    // Whatever is in the way is in that of whoever copies it then, too, and told there.
    let linked = fs::hard_link(from, to).is_ok();
    if linked {
        sync_folder(parent(to))?;
    }
    Ok(linked)
}

/// Makes `folder` and those above it.
///
/// # Errors
/// [`FileError`] if one can't be made.
pub fn create_folder(folder: &Path) -> Result<(), FileError> {
    fs::create_dir_all(folder).map_err(FileError::at("create the folder", folder))
}

/// Flushes a folder's entries, so that a rename in it outlives a loss of power.
///
/// # Errors
/// [`FileError`] if the folder can't be opened or flushed.
pub fn sync_folder(folder: &Path) -> Result<(), FileError> {
    if cfg!(unix) {
        let opened = File::open(folder).map_err(FileError::at("open", folder))?;
        opened.sync_all().map_err(FileError::at("write", folder))?;
    }
    Ok(())
}

/// Reads a file of at most `limit_bytes`.
///
/// # Errors
/// [`FileError`] if it can't be read or is larger.
pub fn read_at_most(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, FileError> {
    use std::io::Read;
    let file = File::open(path).map_err(FileError::at("read", path))?;
    let mut bytes = Vec::new();
    file.take(limit_bytes + 1)
        .read_to_end(&mut bytes)
        .map_err(FileError::at("read", path))?;
    if bytes.len() as u64 > limit_bytes {
        let message = format!("it is larger than {limit_bytes} bytes");
        return Err(FileError::at("read", path)(io::Error::new(
            io::ErrorKind::FileTooLarge,
            message,
        )));
    }
    Ok(bytes)
}

/// Reads a file of at most `limit_bytes`; nothing where there is none.
///
/// # Errors
/// [`FileError`] if it is there and can't be read, or is larger.
pub fn read_if_there(path: &Path, limit_bytes: u64) -> Result<Option<Vec<u8>>, FileError> {
    match read_at_most(path, limit_bytes) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes a file; one that is not there is as good as removed.
///
/// # Errors
/// [`FileError`] if it is still there.
pub fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::at("remove", path)(error))
        }
        _ => Ok(()),
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_replaces_the_whole_file_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.txt");
        write(&path, b"one, and longer", Readers::Umask).unwrap();
        write(&path, b"two", Readers::Owner).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn an_owners_file_is_nobody_elses() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write(&path, b"s", Readers::Owner).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_nothing_to_read_or_remove() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        assert_eq!(read_if_there(&path, 1).unwrap(), None);
        remove(&path).unwrap();
        write(&path, b"a", Readers::Umask).unwrap();
        assert_eq!(read_if_there(&path, 1).unwrap().unwrap(), b"a");
        assert!(read_if_there(&path, 0).is_err());
        remove(&path).unwrap();
        assert!(!path.exists());
        assert!(remove(folder.path()).is_err());
    }

    #[test]
    fn a_file_over_its_bound_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large");
        write(&path, &[0; 11], Readers::Umask).unwrap();
        assert_eq!(read_at_most(&path, 11).unwrap().len(), 11);
        let error = read_at_most(&path, 10).unwrap_err();
        assert!(error.help().unwrap().contains("the right file"));
    }
}
