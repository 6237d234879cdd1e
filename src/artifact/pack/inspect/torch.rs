//! PyTorch's zips: a checkpoint, or a TorchScript program.
//!
//! ```text
//! <name>/data.pkl       what was saved, as a pickle that refers to storages
//! <name>/data/0 …       the storages
//! <name>/version        the format's version
//! <name>/code/ …        TorchScript: a program, with constants.pkl beside it
//! ```

use std::io::{self, Read, Seek};

use super::pickle;
use super::stream::Stream;
use super::told::{Told, by};
use super::zip;

/// The most bytes of the pickle that are read.
const MAX_PICKLE_BYTES: u64 = 64 * 1024 * 1024;
/// The longest format version.
const MAX_VERSION_BYTES: u64 = 32;

/// What the zip in `file` is.
///
/// # Errors
/// If it has no whole directory.
pub(super) fn tell(mut file: impl Read + Seek) -> io::Result<Told> {
    let entries = zip::entries(&mut file)?;
    let named = |end: &str| {
        entries.iter().find(|entry| {
            entry
                .name
                .split_once('/')
                .is_some_and(|(_, rest)| rest == end)
        })
    };
    let mut told = if named("constants.pkl").is_some() {
        let mut told = by("torchscript", "pytorch");
        told.code.push("torchscript");
        told
    } else {
        by("pytorch", "pytorch")
    };
    if let Some(entry) = named("version") {
        let version = zip::bytes(&mut file, entry, MAX_VERSION_BYTES)?;
        let version = version.and_then(|bytes| String::from_utf8(bytes).ok());
        told.version = version.map(|text| text.trim().to_owned());
    }
    let pickled = match named("data.pkl") {
        Some(entry) => zip::reader(&mut file, entry)?,
        None => None,
    };
    match pickled {
        Some(pickled) => {
            let mut stream = Stream::running(pickled, MAX_PICKLE_BYTES);
            pickle::take_over(&pickle::scan_within(&mut stream), &mut told);
        }
        None => told.code.push("pickle"),
    }
    Ok(told)
}
