//! A yard's files at one moment: in the work tree, at a commit, or with a change on top.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use git2::{
    ErrorCode, ObjectType, Repository as GitRepository, Tree, TreeEntry, TreeWalkMode,
    TreeWalkResult,
};
use walkdir::WalkDir;

use super::error::{Instead, YardError};
use super::path::{self, FOLDERS};
use super::{CommitId, Revision, YARD_FILE, Yard};
use crate::platform::atomic::{self, FileError};

/// The largest file that is read from a yard: far above any record and any golden request, far
/// below what would hurt to hold.
pub const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// How deep folders may be nested. A record lies at most five deep, what a model keeps beside
/// its records a few more.
pub(super) const MAX_DEPTH: usize = 32;

/// The files of a yard at one moment, read when asked for.
///
/// Only what belongs to records is seen: `modelyard.yaml` and what lies below `models/`,
/// `environments/`, `deployments/`, `policies/` and `keys/`, hidden files left out.
#[derive(Debug, Clone)]
pub struct Snapshot {
    yard: Yard,
    pub(super) source: Source,
    /// What a change puts on top: new bytes, or `None` for what it removes.
    pub(super) changes: Arc<BTreeMap<String, Option<Bytes>>>,
}

/// Where a snapshot's files are.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// Below this folder.
    WorkTree(PathBuf),
    /// In git.
    Commit {
        /// The commit.
        commit: CommitId,
        /// Its tree, or one that stands on it.
        tree: git2::Oid,
    },
}

/// What lies directly in a folder of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// A folder's name.
    Folder(String),
    /// A file's name; a link's or a submodule's too, which reading then refuses.
    File(String),
}

impl Yard {
    /// The yard as it is at `revision`.
    ///
    /// # Errors
    /// [`YardError::NoWorkTree`], or as [`Yard::commit_id`].
    pub fn snapshot(&self, revision: &Revision) -> Result<Snapshot, YardError> {
        match self.commit_id(revision)? {
            Some(commit) => self.snapshot_at(commit),
            None => match self.work_tree() {
                Some(folder) => Ok(Snapshot::new(self, Source::WorkTree(folder.to_owned()))),
                None => Err(YardError::NoWorkTree {
                    place: self.place(),
                }),
            },
        }
    }

    /// The yard as it is at `commit`.
    ///
    /// # Errors
    /// If there is no such commit, or a shallow clone lacks it.
    pub fn snapshot_at(&self, commit: CommitId) -> Result<Snapshot, YardError> {
        let tree = self.git().find_commit(commit).map(|found| found.tree_id());
        let tree = tree.map_err(|_| YardError::UnknownRevision {
            place: self.place(),
            revision: commit.to_string(),
        })?;
        Ok(Snapshot::new(self, Source::Commit { commit, tree }))
    }

    /// An object that is not there: a partial clone's fault, or a broken repository's.
    pub(super) fn missing(&self, git: &GitRepository, what: &str, error: git2::Error) -> YardError {
        if error.code() == ErrorCode::NotFound && is_partial(git) {
            return YardError::ObjectMissing {
                place: self.place(),
                kind: "partial",
                needed: format!("reading {what}"),
            };
        }
        YardError::git("read a file at a commit")(error)
    }
}

impl Snapshot {
    fn new(yard: &Yard, source: Source) -> Self {
        Self {
            yard: yard.clone(),
            source,
            changes: Arc::default(),
        }
    }

    /// The files of `tree`, which belongs to no commit but stands on `commit`.
    pub(super) fn of_tree(yard: &Yard, commit: CommitId, tree: git2::Oid) -> Self {
        Self::new(yard, Source::Commit { commit, tree })
    }

    /// The same with `changes` on top: new bytes of a path, or `None` where it is removed.
    #[must_use]
    pub fn with(&self, changes: BTreeMap<String, Option<Bytes>>) -> Self {
        Self {
            changes: Arc::new(changes),
            ..self.clone()
        }
    }

    /// The yard this is of.
    pub fn yard(&self) -> &Yard {
        &self.yard
    }

    /// The commit this is; `None` in the work tree.
    pub fn commit(&self) -> Option<CommitId> {
        match self.source {
            Source::Commit { commit, .. } => Some(commit),
            Source::WorkTree(_) => None,
        }
    }

    /// Every file's path, sorted. Links and submodules are among them, and reading refuses them.
    ///
    /// # Errors
    /// If git or the disk can't be read.
    pub fn paths(&self) -> Result<Vec<String>, YardError> {
        let mut paths = match &self.source {
            Source::WorkTree(root) => work_tree_paths(root)?,
            Source::Commit { tree, .. } => self.tree_paths(*tree)?,
        };
        for (path, bytes) in &*self.changes {
            match bytes {
                Some(_) => paths.push(path.clone()),
                None => paths.retain(|other| other != path),
            }
        }
        paths.sort_unstable();
        paths.dedup();
        Ok(paths)
    }

    /// Whether a file is at `path`, or what stands in for one; also where it has a name that
    /// [`Snapshot::read`] refuses.
    ///
    /// # Errors
    /// If git can't be read.
    pub fn has(&self, path: &str) -> Result<bool, YardError> {
        if let Some(bytes) = self.changes.get(path) {
            return Ok(bytes.is_some());
        }
        match &self.source {
            Source::WorkTree(root) => {
                let there = root.join(path).symlink_metadata();
                Ok(there.is_ok_and(|there| !there.is_dir()))
            }
            Source::Commit { tree, .. } => {
                let git = self.yard.git();
                let root = self.find_tree(&git, *tree)?;
                let entry = self.find(&git, root, path)?;
                Ok(entry.is_some_and(|entry| entry.kind() != Some(ObjectType::Tree)))
            }
        }
    }

    /// What lies directly in `folder`, sorted; nothing where there is no such folder.
    ///
    /// # Errors
    /// If git or the disk can't be read.
    pub fn list(&self, folder: &str) -> Result<Vec<Entry>, YardError> {
        path::check(folder)?;
        let mut entries = match &self.source {
            Source::WorkTree(root) => list_work_tree(root, folder)?,
            Source::Commit { tree, .. } => self.list_tree(*tree, folder)?,
        };
        let prefix = format!("{folder}/");
        for (path, bytes) in &*self.changes {
            let Some(rest) = path.strip_prefix(&prefix) else {
                continue;
            };
            let entry = match rest.split_once('/') {
                Some((name, _)) => Entry::Folder(name.to_owned()),
                None => Entry::File(rest.to_owned()),
            };
            match (bytes, &entry) {
                (Some(_), _) => entries.push(entry),
                (None, Entry::File(_)) => entries.retain(|other| *other != entry),
                (None, Entry::Folder(_)) => {}
            }
        }
        entries.sort_unstable();
        entries.dedup();
        Ok(entries)
    }

    /// The bytes of the file at `path`; `None` where there is none.
    ///
    /// # Errors
    /// [`YardError::NotAFile`] for links, folders and submodules, [`YardError::FileTooLarge`]
    /// above [`MAX_FILE_BYTES`], [`YardError::ObjectMissing`] where a partial clone lacks it.
    pub fn read(&self, path: &str) -> Result<Option<Bytes>, YardError> {
        path::check(path)?;
        if let Some(bytes) = self.changes.get(path) {
            return Ok(bytes.clone());
        }
        match &self.source {
            Source::WorkTree(root) => read_work_tree(root, path),
            Source::Commit { tree, .. } => self.read_tree(*tree, path),
        }
    }

    fn tree_paths(&self, tree: git2::Oid) -> Result<Vec<String>, YardError> {
        let git = self.yard.git();
        let root = self.find_tree(&git, tree)?;
        let mut paths = Vec::new();
        if root.get_name(YARD_FILE).is_some() {
            paths.push(YARD_FILE.to_owned());
        }
        for folder in FOLDERS {
            let Some(below) = root.get_name(folder) else {
                continue;
            };
            if below.kind() != Some(ObjectType::Tree) {
                paths.push(folder.to_owned());
                continue;
            }
            let below = self.find_tree(&git, below.id())?;
            let walked = below.walk(TreeWalkMode::PreOrder, |parent, entry| {
                let name = String::from_utf8_lossy(entry.name_bytes());
                if name.starts_with('.') || parent.matches('/').count() >= MAX_DEPTH {
                    return TreeWalkResult::Skip;
                }
                if entry.kind() != Some(ObjectType::Tree) {
                    paths.push(format!("{folder}/{parent}{name}"));
                }
                TreeWalkResult::Ok
            });
            walked.map_err(|error| self.yard.missing(&git, folder, error))?;
        }
        Ok(paths)
    }

    fn list_tree(&self, tree: git2::Oid, folder: &str) -> Result<Vec<Entry>, YardError> {
        let git = self.yard.git();
        let root = self.find_tree(&git, tree)?;
        let entry = match self.find(&git, root, folder)? {
            Some(entry) if entry.kind() == Some(ObjectType::Tree) => entry,
            _ => return Ok(Vec::new()),
        };
        let below = self.find_tree(&git, entry.id())?;
        let entries = below.iter().filter_map(|entry| {
            let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            if name.starts_with('.') {
                return None;
            }
            Some(match entry.kind() {
                Some(ObjectType::Tree) => Entry::Folder(name),
                _ => Entry::File(name),
            })
        });
        Ok(entries.collect())
    }

    fn read_tree(&self, tree: git2::Oid, path: &str) -> Result<Option<Bytes>, YardError> {
        let git = self.yard.git();
        let root = self.find_tree(&git, tree)?;
        let Some(entry) = self.find(&git, root, path)? else {
            return Ok(None);
        };
        const LINK: i32 = 0o120_000;
        let what = match (entry.kind(), entry.filemode()) {
            (Some(ObjectType::Blob), LINK) => Some(Instead::Link),
            (Some(ObjectType::Blob), _) => None,
            (Some(ObjectType::Tree), _) => Some(Instead::Folder),
            _ => Some(Instead::Submodule),
        };
        if let Some(what) = what {
            return Err(not_a_file(path, what));
        }
        let odb = git.odb().map_err(YardError::git("read its objects"))?;
        let missing = |error| self.yard.missing(&git, path, error);
        let (size, _) = odb.read_header(entry.id()).map_err(missing)?;
        check_size(path, size as u64)?;
        let blob = git.find_blob(entry.id()).map_err(missing)?;
        Ok(Some(Bytes::copy_from_slice(blob.content())))
    }

    /// What stands at `path` below `tree`; `None` if the trees on the way say that there is nothing.
    /// A tree that a partial clone left out says nothing, which libgit2's own walk takes for none.
    fn find<'git>(
        &self,
        git: &'git GitRepository,
        mut tree: Tree<'git>,
        path: &str,
    ) -> Result<Option<TreeEntry<'static>>, YardError> {
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let Some(entry) = tree.get_name(part).map(|entry| entry.to_owned()) else {
                return Ok(None);
            };
            if parts.peek().is_none() {
                return Ok(Some(entry));
            }
            if entry.kind() != Some(ObjectType::Tree) {
                return Ok(None);
            }
            let below = git.find_tree(entry.id());
            tree = below.map_err(|error| self.yard.missing(git, path, error))?;
        }
        Ok(None)
    }

    fn find_tree<'git>(
        &self,
        git: &'git GitRepository,
        id: git2::Oid,
    ) -> Result<Tree<'git>, YardError> {
        git.find_tree(id)
            .map_err(|error| self.yard.missing(git, "it", error))
    }
}

/// Whether this is a clone that was told to leave objects out (`git clone --filter`).
pub(super) fn is_partial(git: &GitRepository) -> bool {
    let Ok(config) = git.config() else {
        return false;
    };
    let Ok(mut entries) = config.entries(Some(r"^remote\..*\.promisor$")) else {
        return false;
    };
    entries.next().is_some()
}

fn not_a_file(path: &str, what: Instead) -> YardError {
    YardError::NotAFile {
        path: path.to_owned(),
        what,
    }
}

fn check_size(path: &str, size_bytes: u64) -> Result<(), YardError> {
    if size_bytes <= MAX_FILE_BYTES {
        return Ok(());
    }
    Err(YardError::FileTooLarge {
        path: path.to_owned(),
        size_bytes,
        limit_bytes: MAX_FILE_BYTES,
    })
}

fn work_tree_paths(root: &Path) -> Result<Vec<String>, YardError> {
    let mut paths = Vec::new();
    if root.join(YARD_FILE).symlink_metadata().is_ok() {
        paths.push(YARD_FILE.to_owned());
    }
    for folder in FOLDERS {
        paths.extend(below_work_tree(root, folder)?);
    }
    Ok(paths)
}

/// The paths of all files below `folder` of the work tree at `root`.
pub(super) fn below_work_tree(root: &Path, folder: &str) -> Result<Vec<String>, YardError> {
    let mut paths = Vec::new();
    let walk = WalkDir::new(root.join(folder))
        .max_depth(MAX_DEPTH)
        .follow_links(false)
        .follow_root_links(false)
        .into_iter()
        .filter_entry(|entry| entry.file_name().as_encoded_bytes().first() != Some(&b'.'));
    for entry in walk {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) if is_gone(error.io_error()) => continue,
            Err(error) => {
                let path = error.path().unwrap_or(root).to_owned();
                let error = error.into_io_error();
                let error = error.unwrap_or_else(|| io::ErrorKind::InvalidInput.into());
                return Err(FileError::at("read", path)(error).into());
            }
        };
        if !entry.file_type().is_dir() {
            let below = entry
                .path()
                .strip_prefix(root)
                .expect("walked from the root");
            paths.push(slashed(below));
        }
    }
    Ok(paths)
}

/// A file that another process removed while we walked is not there, and no error.
fn is_gone(error: Option<&io::Error>) -> bool {
    error.is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

fn list_work_tree(root: &Path, folder: &str) -> Result<Vec<Entry>, YardError> {
    let place = match locate(root, folder)? {
        Some((place, metadata)) if metadata.is_dir() => place,
        _ => return Ok(Vec::new()),
    };
    let mut entries = Vec::new();
    for entry in fs::read_dir(&place).map_err(FileError::at("read", &place))? {
        let entry = entry.map_err(FileError::at("read", &place))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry
            .file_type()
            .map_err(FileError::at("read", entry.path()))?;
        if name.starts_with('.') {
            continue;
        }
        entries.push(if kind.is_dir() {
            Entry::Folder(name)
        } else {
            Entry::File(name)
        });
    }
    Ok(entries)
}

fn read_work_tree(root: &Path, path: &str) -> Result<Option<Bytes>, YardError> {
    let Some((place, metadata)) = locate(root, path)? else {
        return Ok(None);
    };
    if metadata.is_symlink() {
        return Err(not_a_file(path, Instead::Link));
    }
    if metadata.is_dir() {
        return Err(not_a_file(path, Instead::Folder));
    }
    if !metadata.is_file() {
        return Err(not_a_file(path, Instead::Device));
    }
    check_size(path, metadata.len())?;
    Ok(Some(atomic::read_at_most(&place, MAX_FILE_BYTES)?.into()))
}

/// Where `path` lies below `root`, if no folder on the way is a link.
fn locate(root: &Path, path: &str) -> Result<Option<(PathBuf, fs::Metadata)>, YardError> {
    let mut place = root.to_owned();
    let mut found = None;
    for part in path.split('/') {
        if let Some(metadata) = &found {
            let metadata: &fs::Metadata = metadata;
            if metadata.is_symlink() {
                return Err(not_a_file(path, Instead::BehindLink));
            }
            if !metadata.is_dir() {
                return Ok(None);
            }
        }
        place.push(part);
        match place.symlink_metadata() {
            Ok(metadata) => found = Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FileError::at("read", place)(error).into()),
        }
    }
    Ok(found.map(|metadata| (place, metadata)))
}
