//! Room on the disk that is kept for the status, so that it can be told on a disk that is full.
//!
//! Two files of zeros lie beside the status, each larger than it. When there is no room for a new
//! one, it is written over one of them, with spaces behind it, and the two change their names: the
//! status is whole at every moment, and the old one's room is there for the next. A file system that
//! never writes in place (btrfs, ZFS) may have no room for that either; then the status stays as it
//! was.

use std::fs::{self, File};
use std::io::ErrorKind::{QuotaExceeded, StorageFull};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::platform::atomic::FileError;

/// The least that is kept free, twice.
const LEAST_BYTES: usize = 64 * 1024;

fn places(folder: &Path) -> [PathBuf; 2] {
    ["reserve", "reserve.1"].map(|name| folder.join(name))
}

/// Whether `error` is of a disk without room.
pub(super) fn is_wanted(error: &FileError) -> bool {
    matches!(error.source.kind(), StorageFull | QuotaExceeded)
}

/// Writes `bytes` to `path` by means of the reserve in its folder.
///
/// # Errors
/// If there is none that is large enough, or it can't be used.
pub(super) fn write(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let room = |place: &PathBuf| fs::metadata(place).map_or(0, |about| about.len());
    let places = places(folder);
    let place = places.iter().max_by_key(|place| room(place));
    let place = place.filter(|place| room(place) >= bytes.len() as u64);
    let place = place.ok_or(StorageFull)?;
    let length = usize::try_from(room(place)).unwrap_or(usize::MAX);
    let mut padded = vec![b' '; length];
    padded[..bytes.len()].copy_from_slice(bytes);
    let mut file = File::options().write(true).open(place)?;
    file.write_all(&padded)?;
    file.sync_all()?;
    exchange(place, path)
}

#[cfg(target_os = "linux")]
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

#[cfg(not(target_os = "linux"))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(StorageFull.into())
}

/// Sees to it that there is a reserve for a status of so many bytes. Where there is no room for
/// it, there is none.
pub(super) fn keep(folder: &Path, status_bytes: usize) {
    let wanted = status_bytes.saturating_mul(2);
    let wanted = wanted.next_power_of_two().max(LEAST_BYTES);
    for place in places(folder) {
        let has = fs::metadata(&place).map_or(0, |about| about.len());
        if has < wanted as u64 && filled(&place, wanted).is_err() {
            // A part of it keeps room from what has more use for it.
            let _ = fs::remove_file(&place);
        }
    }
}

fn filled(place: &Path, bytes: usize) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    options.open(place)?.write_all(&vec![0; bytes])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_told_from_the_reserve_again_and_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("status.json");
        fs::write(&path, "{}").unwrap();
        assert!(write(folder.path(), &path, b"{}").is_err());
        keep(folder.path(), 2);
        for number in 0..5 {
            let told = serde_json::json!({ "number": number });
            let bytes = serde_json::to_vec(&told).unwrap();
            write(folder.path(), &path, &bytes).unwrap();
            let read: serde_json::Value =
                serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            assert_eq!(read, told);
        }
        // One that is too long for it leaves what was there.
        let before = fs::read(&path).unwrap();
        assert!(write(folder.path(), &path, &vec![b' '; LEAST_BYTES + 1]).is_err());
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}
