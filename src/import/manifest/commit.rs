//! Manifests as they are at a commit of a git repository.
//!
//! The repository is read as the source `git` reads it: a commit without its history, of that the
//! files that may be manifests, and then those of the models that are asked for. A path in a
//! manifest means what lies there in the same commit, and nothing else.

use std::path::{Component, Path};

use tokio::sync::OnceCell;

use super::found::{Bytes, Committed};
use super::open::Dialect;
use super::read::{self, Read};
use crate::check::yaml::MAX_STREAM_BYTES;
use crate::import::git::{Entry, EntryKind, Repository, Spot, Versions, is_elsewhere};
use crate::import::storage::Storage;
use crate::import::{Candidate, ImportError, Opening, Place};

/// How many bytes of manifests are read at once; one file alone may have as many.
const MAX_AT_ONCE_BYTES: u64 = 2 * MAX_STREAM_BYTES as u64;

/// A commit that has manifests.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) versions: Versions,
    spot: OnceCell<Spot>,
}

impl Commit {
    /// The commit that `place` means, if it is no path to files as they are. Nothing is asked of it
    /// yet.
    ///
    /// # Errors
    /// If no repository can be there.
    pub(super) fn open(place: &Place, opening: &Opening<'_>) -> Result<Option<Self>, ImportError> {
        if !place.is_within() && !is_elsewhere(&place.at) {
            return Ok(None);
        }
        let repository = Repository::open(place, opening)?;
        Ok(Some(Self {
            versions: Versions::new(repository),
            spot: OnceCell::new(),
        }))
    }

    async fn spot(&self) -> Result<&Spot, ImportError> {
        self.spot.get_or_try_init(|| self.versions.now()).await
    }

    /// What its files hold of `dialect`.
    ///
    /// # Errors
    /// If it can't be had, or the only file that is asked for holds nothing.
    pub(super) async fn read(&self, dialect: &Dialect) -> Result<Read, ImportError> {
        let (repository, spot) = (&self.versions.repository, self.spot().await?);
        let mut entries = repository.entries(&spot.commit, &spot.path).await?;
        entries.retain(|entry| {
            entry.kind == EntryKind::File
                && (entry.path == spot.path || is_meant(&entry.path, &spot.path, dialect))
        });
        let mut read = Read::default();
        if entries.is_empty() {
            return Ok(read);
        }
        let objects: Vec<_> = entries.iter().map(|entry| &*entry.object).collect();
        let sizes = repository.sizes(&objects).await?;
        let size = |entry: &Entry| sizes.get(&entry.object).copied().unwrap_or_default();
        let fits = |entry: &&Entry| size(entry) <= MAX_STREAM_BYTES as u64;
        let mut rest = entries.as_slice();
        while !rest.is_empty() {
            let mut bytes = 0;
            let at_once = rest.iter().take_while(|entry| {
                bytes += size(entry).min(MAX_STREAM_BYTES as u64);
                bytes <= MAX_AT_ONCE_BYTES
            });
            let (some, more) = rest.split_at(at_once.count());
            let objects = some.iter().filter(fits).map(|entry| &*entry.object);
            let texts = repository.read_all(&objects.collect::<Vec<_>>()).await?;
            for entry in some {
                let (path, text) = (Path::new(&entry.path), texts.get(&entry.object));
                let text = text.map(Vec::as_slice);
                match text.filter(|_| entry.path == spot.path) {
                    Some(text) => read = read::only(path, Path::new(""), text, dialect)?,
                    None => read.add(path, Path::new(""), text, dialect)?,
                }
            }
            rest = more;
        }
        Ok(read)
    }

    /// Where `bytes` are in it, if they are.
    ///
    /// # Errors
    /// If git can't be run.
    pub(super) async fn find(&self, bytes: &Bytes) -> Result<Option<Committed>, ImportError> {
        let spot = self.spot().await?;
        let paths = match bytes {
            Bytes::At { uri, folder } => match Storage::path(uri) {
                Some(path) => vec![folder.clone().unwrap_or_default().join(path), path.into()],
                None => Vec::new(),
            },
            Bytes::Folder(folder) => vec![folder.clone()],
            _ => Vec::new(),
        };
        for path in paths.iter().filter_map(|path| plain(path)) {
            let repository = &self.versions.repository;
            if let Some(object) = repository.object(&spot.commit, &path).await? {
                return Ok(Some(Committed { path, object }));
            }
        }
        Ok(None)
    }

    /// What is told of a model whose bytes are at `committed`, with its files; of one whose bytes
    /// are elsewhere which commit says so.
    ///
    /// # Errors
    /// If they can't be had.
    pub(super) async fn candidate(
        &self,
        committed: Option<&Committed>,
    ) -> Result<Candidate, ImportError> {
        let spot = self.spot().await?;
        let Some(Committed { path, .. }) = committed else {
            let mut candidate = Candidate::default();
            let commit = spot.commit.clone().into();
            candidate.unmapped.insert("git.commit".to_owned(), commit);
            return Ok(candidate);
        };
        let path = path.clone();
        let spot = Spot {
            path,
            ..spot.clone()
        };
        let mut candidate = self.versions.candidate(&spot).await?;
        // What serves it is the manifest's to say.
        candidate.version.shift_remove("entrypoint");
        Ok(candidate)
    }
}

/// Whether the file at `path` below `folder` may hold manifests, and isn't hidden there.
fn is_meant(path: &str, folder: &str, dialect: &Dialect) -> bool {
    let below = path.strip_prefix(folder).unwrap_or(path);
    let is_hidden = below.split('/').any(|word| word.starts_with('.'));
    !is_hidden && read::may_hold(Path::new(path), dialect)
}

/// `path` as git has it, without `.` and `..`; nothing where it leads out.
fn plain(path: &Path) -> Option<String> {
    let mut words: Vec<&str> = Vec::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(word) => words.push(word.to_str()?),
            Component::ParentDir => drop(words.pop()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(words.join("/"))
}

#[cfg(test)]
mod tests {
    //! What paths in manifests mean.

    use super::plain;

    #[test]
    fn a_path_stays_in_the_commit() {
        let path = |text: &str| plain(text.as_ref());
        for (text, expected) in [
            ("deploy/../models/./iris", Some("models/iris")),
            ("deploy/..", Some("")),
            ("models/iris/", Some("models/iris")),
            ("../models/iris", None),
            ("deploy/../../models", None),
            ("/mnt/models", None),
        ] {
            assert_eq!(path(text).as_deref(), expected, "{text}");
        }
    }
}
