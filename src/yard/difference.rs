//! Which files differ between two moments of a yard.
//!
//! Folders that are the same git object in both are not entered, and of a work tree git's own index
//! tells which files were not touched, so that what is the same costs nothing or little.

use std::collections::BTreeSet;

use git2::{DiffOptions, ObjectType, Oid, Repository as GitRepository, Tree};

use super::YARD_FILE;
use super::error::YardError;
use super::path::FOLDERS;
use super::snapshot::{MAX_DEPTH, Snapshot, Source, below_work_tree};

/// Files that differ, and how they are found.
struct Difference<'a> {
    git: &'a GitRepository,
    paths: BTreeSet<String>,
}

impl Snapshot {
    /// The paths at which a file is another one than in `base`, which is at a commit, or is in one
    /// of them only. Those whose bytes are the same after all may be among them.
    ///
    /// # Errors
    /// If git or the disk can't be read.
    pub fn differing(&self, base: &Self) -> Result<BTreeSet<String>, YardError> {
        let Source::Commit { tree: old, .. } = base.source else {
            return Ok(self.paths()?.into_iter().chain(base.paths()?).collect());
        };
        let git = self.yard().git();
        let mut difference = Difference {
            git: &git,
            paths: BTreeSet::new(),
        };
        let missing = |error| self.yard().missing(&git, "what differs", error);
        match &self.source {
            Source::Commit { tree: new, .. } => difference.of_roots(old, *new).map_err(missing)?,
            Source::WorkTree(root) => {
                let touched = touched(&git, old).map_err(missing)?;
                for path in touched {
                    match path.strip_suffix('/') {
                        // A folder that git does not look into, as it is a repository of its own.
                        Some(folder) => difference.paths.extend(below_work_tree(root, folder)?),
                        None => {
                            difference.paths.insert(path);
                        }
                    }
                }
            }
        }
        let mut paths = difference.paths;
        paths.extend(self.changes.keys().chain(base.changes.keys()).cloned());
        paths.retain(|path| is_seen(path));
        Ok(paths)
    }

    /// The id of git's tree that this is; `None` in the work tree, or with a change on top.
    pub fn tree(&self) -> Option<Oid> {
        match self.source {
            Source::Commit { tree, .. } if self.changes.is_empty() => Some(tree),
            _ => None,
        }
    }

    /// The same yard as it is in another of git's trees; `None` where git has no such tree.
    pub fn at_tree(&self, tree: Oid) -> Option<Self> {
        let Source::Commit { commit, .. } = self.source else {
            return None;
        };
        let is_here = self.yard().git().find_tree(tree).is_ok();
        is_here.then(|| Self::of_tree(self.yard(), commit, tree))
    }
}

impl Difference<'_> {
    fn of_roots(&mut self, old: Oid, new: Oid) -> Result<(), git2::Error> {
        if old == new {
            return Ok(());
        }
        let (old, new) = (self.git.find_tree(old)?, self.git.find_tree(new)?);
        for name in FOLDERS.into_iter().chain([YARD_FILE]) {
            self.of_entries(name, &[Some(&old), Some(&new)], name, 0)?;
        }
        Ok(())
    }

    /// What differs at `path`, which is `name` in both folders.
    fn of_entries(
        &mut self,
        name: &str,
        folders: &[Option<&Tree<'_>>; 2],
        path: &str,
        depth: usize,
    ) -> Result<(), git2::Error> {
        let entries = folders.map(|folder| folder?.get_name_bytes(name.as_bytes()));
        let told = entries.each_ref().map(|entry| {
            let entry = entry.as_ref()?;
            Some((entry.id(), entry.filemode()))
        });
        if told[0] == told[1] || depth > MAX_DEPTH {
            return Ok(());
        }
        let mut below = [None, None];
        for (entry, below) in entries.iter().zip(&mut below) {
            match entry {
                Some(entry) if entry.kind() == Some(ObjectType::Tree) => {
                    *below = Some(self.git.find_tree(entry.id())?);
                }
                Some(_) => {
                    self.paths.insert(path.to_owned());
                }
                None => {}
            }
        }
        let mut names = BTreeSet::new();
        for tree in below.iter().flatten() {
            let here = tree.iter();
            names
                .extend(here.map(|entry| String::from_utf8_lossy(entry.name_bytes()).into_owned()));
        }
        for name in names.iter().filter(|name| !name.starts_with('.')) {
            let folders = [below[0].as_ref(), below[1].as_ref()];
            self.of_entries(name, &folders, &format!("{path}/{name}"), depth + 1)?;
        }
        Ok(())
    }
}

/// The files of the work tree that may be others than in `old`, folders that are not entered with a
/// slash at their end. What git ignores counts, too: a check reads it like all else.
fn touched(git: &GitRepository, old: Oid) -> Result<Vec<String>, git2::Error> {
    let mut options = DiffOptions::new();
    options
        .include_untracked(true)
        .recurse_untracked_dirs(true)
        .include_ignored(true)
        .recurse_ignored_dirs(true)
        .include_typechange(true)
        .disable_pathspec_match(true)
        .pathspec(YARD_FILE);
    for folder in FOLDERS {
        options.pathspec(folder);
    }
    let old = git.find_tree(old)?;
    let diff = git.diff_tree_to_workdir_with_index(Some(&old), Some(&mut options))?;
    let paths = diff.deltas().filter_map(|delta| {
        let path = delta
            .new_file()
            .path_bytes()
            .or(delta.old_file().path_bytes())?;
        Some(String::from_utf8_lossy(path).into_owned())
    });
    Ok(paths.collect())
}

/// Whether a snapshot shows what is at `path`.
fn is_seen(path: &str) -> bool {
    let mut parts = path.split('/');
    let root = parts.next().unwrap_or_default();
    let rest: Vec<_> = parts.collect();
    match rest.is_empty() {
        true => root == YARD_FILE || FOLDERS.contains(&root),
        false => {
            FOLDERS.contains(&root)
                && rest.len() <= MAX_DEPTH
                && rest.iter().all(|part| !part.starts_with('.'))
        }
    }
}
