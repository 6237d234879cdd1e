//! The index of who names whom, at hand for every commit that a change is checked against.
//!
//! It is kept in the user's cache, one file for each of git's trees, so that it is of exactly that
//! state or of none:
//!
//! ```text
//! <cache>/referrers/<tree>      modelyard referrers 1 0.1.0 sha256:…
//!                               deployments/factory/embedder.yaml  deployments/factory/defects.yaml
//!                               …
//! ```
//!
//! Where that tree's is not there, it is brought forward from one of another tree of the same
//! repository, by reading what differs between the two; without any, by reading every record. What
//! can't be read is made anew, and what can't be written is not kept: either costs time only.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use super::cores::Cores;
use super::files::file;
use crate::check::Referrers;
use crate::check::spread::Spread;
use crate::platform::atomic::{self, FileError, Readers, TEMPORARY_PREFIX};
use crate::record::Digest;
use crate::yard::{Snapshot, YardError};

/// The folder in the cache.
const FOLDER: &str = "referrers";

/// Changes with what is in a file.
const FORMAT: u32 = 1;

/// How many are kept; the oldest go. One is enough to bring any other forward from, and each
/// repository has few bases at a time.
const KEPT: usize = 8;

/// The largest that is read: a million references.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Who names whom in `base`.
///
/// # Errors
/// If git can't be read.
pub(super) fn referrers(base: &Snapshot) -> Result<Referrers, YardError> {
    let Some((tree, cache)) = base.tree().zip(base.yard().cache()) else {
        return read_all(base);
    };
    let folder = cache.join(FOLDER);
    let place = folder.join(tree.to_string());
    if let Some(referrers) = kept(&place) {
        return Ok(referrers);
    }
    let referrers = match brought_forward(base, &folder) {
        Some(referrers) => referrers,
        None => read_all(base)?,
    };
    if let Err(error) = keep(&place, &referrers).and_then(|()| prune(&folder)) {
        tracing::debug!(%error, "the index of references is not kept");
    }
    Ok(referrers)
}

/// By every record of `base`.
fn read_all(base: &Snapshot) -> Result<Referrers, YardError> {
    lines(base, base.paths()?).map(Referrers::of)
}

/// What the records at `paths` name.
fn lines(base: &Snapshot, paths: Vec<String>) -> Result<Vec<String>, YardError> {
    let read = |path: String| {
        let file = file(base, &path)?;
        Ok(file.map_or_else(Vec::new, |file| Referrers::lines(&path, &file)))
    };
    let read = Cores.spread(paths, read).into_iter();
    let lines: Result<Vec<_>, YardError> = read.collect();
    Ok(lines?.concat())
}

/// By the newest that is kept of another tree of the same repository, and what differs.
fn brought_forward(base: &Snapshot, folder: &Path) -> Option<Referrers> {
    let newest = newest(folder).ok()?;
    newest.into_iter().find_map(|place| {
        let tree = place.file_name()?.to_str()?.parse().ok()?;
        let then = base.at_tree(tree)?;
        let referrers = kept(&place)?;
        let paths: BTreeSet<_> = base.differing(&then).ok()?;
        let lines = lines(base, paths.iter().cloned().collect()).ok()?;
        Some(referrers.after(&paths, lines))
    })
}

fn kept(place: &Path) -> Option<Referrers> {
    let bytes = atomic::read_at_most(place, MAX_BYTES).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (first, lines) = text.split_once('\n')?;
    (first == first_line(lines)).then(|| Referrers::from_text(lines.to_owned()))
}

fn keep(place: &Path, referrers: &Referrers) -> Result<(), FileError> {
    let lines = referrers.as_text();
    let text = format!("{}\n{lines}", first_line(lines));
    atomic::write(place, text.as_bytes(), Readers::Owner)
}

fn first_line(lines: &str) -> String {
    let digest = Digest::from_bytes(Sha256::digest(lines).into());
    let version = env!("CARGO_PKG_VERSION");
    format!("modelyard referrers {FORMAT} {version} {digest}")
}

/// Removes what is too much.
fn prune(folder: &Path) -> Result<(), FileError> {
    for place in newest(folder)?.into_iter().skip(KEPT) {
        atomic::remove(&place)?;
    }
    Ok(())
}

/// Those that are kept, the newest first.
fn newest(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut all: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder).map_err(FileError::at("read", folder))? {
        let entry = entry.map_err(FileError::at("read", folder))?;
        let is_temporary = entry
            .file_name()
            .to_string_lossy()
            .starts_with(TEMPORARY_PREFIX);
        let written = entry.metadata().and_then(|metadata| metadata.modified());
        if let (false, Ok(written)) = (is_temporary, written) {
            all.push((written, entry.path()));
        }
    }
    all.sort_unstable_by(|a, b| b.cmp(a));
    Ok(all.into_iter().map(|(_, place)| place).collect())
}
