//! A git repository that is read from: its names, and at a commit its files.
//!
//! Of one that is elsewhere no more is fetched than is asked for, into a folder that goes with the
//! import: a commit without those before it and, where the server can do that, without files'
//! bytes; then the bytes of those files that are wanted. One on this machine is read where it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;
use tempfile::TempDir;
use tokio::sync::{Mutex, OnceCell};

use super::address::{At, header};
use super::naming::{Point, meant};
use super::printed::{Entry, Said, batch, entry};
use super::program::{self, Program, Remote};
use super::refs::{MAX_REFS, Refs};
use crate::import::{ImportError, MAX_FILES, Opened, Opening, Place};
use crate::platform::atomic::FileError;
use crate::platform::redact;
use crate::platform::retry::Policy;
use crate::record::kind::RelativePath;

/// The most entries of a commit's folder, submodules and links among them.
const MAX_ENTRIES: usize = 4 * MAX_FILES;

/// How many commits are fetched at once.
const MAX_AT_ONCE: usize = 200;

/// The largest text that is read to tell what a version is.
pub(in crate::import) const MAX_TEXT_BYTES: u64 = 1 << 20;

/// A repository, elsewhere or on this machine.
pub(in crate::import) struct Repository {
    /// What is fetched from; a folder for one of this machine.
    at: At,
    /// As people write it, without credentials.
    pub(in crate::import) place: String,
    token: Option<SecretString>,
    /// The branch, tag or commit that is asked for.
    pub(super) asked: Option<String>,
    /// The folder or file in it that is asked for.
    pub(super) path: Option<String>,
    retry: Policy,
    opened: OnceCell<Ground>,
    fetched: Mutex<BTreeSet<String>>,
}

/// A repository in use.
struct Ground {
    git: Program,
    /// What it is listed by.
    source: String,
    /// The folder in it that was meant by a path of this machine.
    prefix: String,
    /// Goes when nobody reads from it any more.
    _folder: Option<TempDir>,
}

impl Repository {
    /// The repository at `place`. Nothing is asked of it yet.
    ///
    /// # Errors
    /// If no repository can be there.
    pub(in crate::import) fn open(
        place: &Place,
        opening: &Opening<'_>,
    ) -> Result<Self, ImportError> {
        let (at, shown) = At::of(&place.at, &opening.folder)?;
        let path = place.path.as_deref().map(|path| {
            let path = path.trim_end_matches('/');
            path.parse::<RelativePath>()
                .map(|path| path.to_string())
                .map_err(|error| ImportError::Malformed {
                    place: shown.clone(),
                    reason: error.to_string(),
                })
        });
        let token = place
            .token
            .as_deref()
            .and_then(|name| (opening.variables)(name));
        Ok(Self {
            at,
            path: path.transpose()?,
            asked: place.revision.clone(),
            place: shown,
            token,
            retry: opening.retry,
            opened: OnceCell::new(),
            fetched: Mutex::default(),
        })
    }

    /// Where it is, as records say it; nothing for one of this machine.
    pub(in crate::import) fn address(&self) -> Option<String> {
        match &self.at {
            At::Remote(_) => Some(self.place.clone()),
            At::Folder(_) => None,
        }
    }

    /// The address with its credentials and the token, for what is asked besides git.
    pub(super) fn remote(&self) -> Option<(&str, Option<&SecretString>)> {
        match &self.at {
            At::Remote(address) => Some((address, self.token.as_ref())),
            At::Folder(_) => None,
        }
    }

    /// How often something transient is tried again.
    pub(super) const fn retry(&self) -> Policy {
        self.retry
    }

    /// What it is called: the last word of its address.
    pub(in crate::import) fn name(&self) -> String {
        let place = self.place.trim_end_matches('/');
        let place = place.strip_suffix("/.git").unwrap_or(place);
        let name = place.rsplit(['/', ':']).next().unwrap_or_default();
        name.strip_suffix(".git").unwrap_or(name).to_owned()
    }

    async fn opened(&self) -> Result<&Ground, ImportError> {
        self.opened.get_or_try_init(|| self.begin()).await
    }

    async fn begin(&self) -> Result<Ground, ImportError> {
        let git = |folder, remote| Program {
            folder,
            place: self.place.clone(),
            remote,
        };
        match &self.at {
            At::Folder(path) => {
                let found = program::discover(path).await;
                let (folder, prefix) = found.map_err(|reason| ImportError::Malformed {
                    place: self.place.clone(),
                    reason,
                })?;
                let source = folder.display().to_string();
                Ok(Ground {
                    git: git(folder, None),
                    source,
                    prefix,
                    _folder: None,
                })
            }
            At::Remote(address) => {
                let folder = tempfile::Builder::new().prefix("modelyard-git-").tempdir();
                let folder = folder.map_err(FileError::at("make", std::env::temp_dir()))?;
                let path = folder.path().to_owned();
                let made = program::make(&path).await;
                made.map_err(FileError::at("make a repository in", &path))?;
                let header = self.token.as_ref().and_then(|token| header(address, token));
                let remote = Remote {
                    address: address.clone(),
                    header,
                };
                Ok(Ground {
                    git: git(path, Some(Arc::new(remote))),
                    source: "origin".to_owned(),
                    prefix: String::new(),
                    _folder: Some(folder),
                })
            }
        }
    }

    /// The folder or file in it that is asked for, or meant by a path of this machine; empty for
    /// all of it.
    ///
    /// # Errors
    /// If there is no repository.
    pub(super) async fn folder(&self) -> Result<&str, ImportError> {
        match &self.path {
            Some(path) => Ok(path),
            None => Ok(&self.opened().await?.prefix),
        }
    }

    /// The point of `refs` that is asked for, or else what the main branch has.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn point(&self, refs: &Refs) -> Result<Point, ImportError> {
        meant(refs, self.asked.as_deref()).map_err(|what| self.lacks(what))
    }

    /// That it doesn't have `what`.
    pub(super) fn lacks(&self, what: String) -> ImportError {
        ImportError::Lacks {
            place: self.place.clone(),
            what,
        }
    }

    /// The folder of git's own files, of a repository of this machine.
    pub(super) async fn own_folder(&self) -> Result<Option<PathBuf>, ImportError> {
        let opened = self.opened().await?;
        Ok(matches!(self.at, At::Folder(_)).then(|| opened.git.folder.clone()))
    }

    /// Where people find a repository of this machine: what it was cloned from.
    ///
    /// # Errors
    /// If git can't be run.
    pub(in crate::import) async fn origin(&self) -> Result<Option<String>, ImportError> {
        if let At::Remote(_) = &self.at {
            return Ok(Some(self.place.clone()));
        }
        let git = &self.opened().await?.git;
        let words = ["config", "--get", "remote.origin.url"];
        let (printed, said) = git.ask(&words, "").await?;
        let url = String::from_utf8_lossy(&printed).trim().to_owned();
        Ok((said.is_none() && !url.is_empty()).then(|| redact::remote(&url)))
    }

    /// Its branches and tags.
    ///
    /// # Errors
    /// If it can't be asked, or has more than [`MAX_REFS`].
    pub(in crate::import) async fn refs(&self) -> Result<Refs, ImportError> {
        let opened = self.opened().await?;
        let words = [
            "ls-remote",
            "--symref",
            "--",
            &opened.source,
            "HEAD",
            "refs/heads/*",
            "refs/tags/*",
        ];
        const DOING: &str = "list its branches and tags";
        let printed = self.retry.run(|| opened.git.run(&words, "", DOING)).await?;
        Refs::read(&String::from_utf8_lossy(&printed)).map_err(|line| match line {
            Some(line) => ImportError::Malformed {
                place: self.place.clone(),
                reason: redact::printable(&format!("`{line}` is no branch and no tag")),
            },
            None => ImportError::TooLarge {
                place: self.place.clone(),
                limit: MAX_REFS as u64,
                unit: "branches and tags",
            },
        })
    }

    /// Has these commits or tags here, without files' bytes where the server can leave them out.
    ///
    /// # Errors
    /// If they can't be had.
    pub(in crate::import) async fn fetch(&self, objects: &[&str]) -> Result<(), ImportError> {
        let opened = self.opened().await?;
        if let At::Folder(_) = &self.at {
            return Ok(());
        }
        let mut fetched = self.fetched.lock().await;
        let mut wanted: Vec<&str> = objects.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        wanted.retain(|object| !fetched.contains(*object));
        for some in wanted.chunks(MAX_AT_ONCE) {
            let words = ["fetch", "--depth=1", "--filter=blob:none"];
            let words = [&words[..], &QUIETLY[..]].concat();
            let input = some.join("\n") + "\n";
            let doing = "fetch commits";
            self.retry
                .run(|| opened.git.run(&words, &input, doing))
                .await?;
            fetched.extend(some.iter().map(|object| (*object).to_owned()));
        }
        Ok(())
    }

    /// The object at `path` of a commit that is here, which is another if anything in it is.
    ///
    /// # Errors
    /// If git can't be run.
    pub(in crate::import) async fn object(
        &self,
        commit: &str,
        path: &str,
    ) -> Result<Option<String>, ImportError> {
        let git = &self.opened().await?.git;
        let name = format!("{commit}:{path}");
        let words = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &name,
        ];
        let (printed, said) = git.ask(&words, "").await?;
        let object = String::from_utf8_lossy(&printed).trim().to_owned();
        Ok((said.is_none() && !object.is_empty()).then_some(object))
    }

    /// The names of the folders in the folder `path`.
    ///
    /// # Errors
    /// If git can't be run, or there are too many.
    pub(in crate::import) async fn folders(
        &self,
        commit: &str,
        path: &str,
    ) -> Result<Vec<String>, ImportError> {
        let git = &self.opened().await?.git;
        let tree = format!("{commit}:{path}");
        let words = ["ls-tree", "-d", "-z", "--name-only", &tree];
        let (printed, said) = git.ask(&words, "").await?;
        let printed = String::from_utf8_lossy(&printed);
        let names = printed.split('\0').filter(|name| !name.is_empty());
        let names = names.filter(|_| said.is_none()).map(str::to_owned);
        let names: Vec<_> = names.take(MAX_FILES + 1).collect();
        match names.len() > MAX_FILES {
            true => Err(self.too_many(MAX_FILES)),
            false => Ok(names),
        }
    }

    /// All that is in `path`, a folder or a file, of a commit that is here.
    ///
    /// # Errors
    /// If git can't be run, or there is too much.
    pub(in crate::import) async fn entries(
        &self,
        commit: &str,
        path: &str,
    ) -> Result<Vec<Entry>, ImportError> {
        let git = &self.opened().await?.git;
        let mut words = vec!["ls-tree", "-r", "-z", "--full-tree", commit];
        if !path.is_empty() {
            words.extend(["--", path]);
        }
        let printed = git.run(&words, "", "list its files").await?;
        let mut entries = Vec::new();
        for line in printed
            .split(|byte| *byte == 0)
            .filter(|line| !line.is_empty())
        {
            let entry = std::str::from_utf8(line).ok().and_then(entry);
            entries.push(entry.ok_or_else(|| ImportError::Malformed {
                place: self.place.clone(),
                reason: format!(
                    "a file's name in it is no text: {}",
                    redact::printable(&String::from_utf8_lossy(line))
                ),
            })?);
            if entries.len() > MAX_ENTRIES {
                return Err(self.too_many(MAX_ENTRIES));
            }
        }
        Ok(entries)
    }

    /// Has the bytes of these files here, and tells how many each has.
    ///
    /// # Errors
    /// If they can't be had.
    pub(in crate::import) async fn sizes(
        &self,
        objects: &[&str],
    ) -> Result<BTreeMap<String, u64>, ImportError> {
        let (mut sizes, missing) = self.looked(objects).await?;
        if missing.is_empty() {
            return Ok(sizes);
        }
        let opened = self.opened().await?;
        if let At::Remote(_) = &self.at {
            let words = [&["fetch", "--filter=blob:none"][..], &QUIETLY[..]].concat();
            let input = missing.join("\n") + "\n";
            let doing = "fetch files";
            self.retry
                .run(|| opened.git.run(&words, &input, doing))
                .await?;
        }
        let (more, missing) = self
            .looked(&missing.iter().map(String::as_str).collect::<Vec<_>>())
            .await?;
        sizes.extend(more);
        match missing.first() {
            None => Ok(sizes),
            Some(object) => Err(self.lacks(format!("object {object}, which a commit of it names"))),
        }
    }

    /// The sizes of those that are here, and those that aren't.
    async fn looked(
        &self,
        objects: &[&str],
    ) -> Result<(BTreeMap<String, u64>, Vec<String>), ImportError> {
        let git = &self.opened().await?.git;
        let words = ["cat-file", "--batch-check=%(objectname) %(objectsize)"];
        let input = objects.join("\n") + "\n";
        let printed = git.run(&words, &input, "look for files").await?;
        let (mut sizes, mut missing) = (BTreeMap::new(), Vec::new());
        for line in String::from_utf8_lossy(&printed).lines() {
            let Some((object, said)) = line.split_once(' ') else {
                continue;
            };
            match said.parse() {
                Ok(size) => drop(sizes.insert(object.to_owned(), size)),
                Err(_) => missing.push(object.to_owned()),
            }
        }
        Ok((sizes, missing))
    }

    /// The bytes of a small file that is here; the caller knows its size.
    ///
    /// # Errors
    /// If git can't be run, or doesn't have it.
    pub(in crate::import) async fn read(&self, object: &str) -> Result<Vec<u8>, ImportError> {
        let git = &self.opened().await?.git;
        let words = ["cat-file", "blob", object];
        git.run(&words, "", "read a file").await
    }

    /// The beginnings of small files that are here, by their objects.
    ///
    /// # Errors
    /// If git can't be run, or doesn't have one.
    pub(in crate::import) async fn read_all(
        &self,
        objects: &[&str],
    ) -> Result<BTreeMap<String, Vec<u8>>, ImportError> {
        let git = &self.opened().await?.git;
        let input = objects.join("\n") + "\n";
        let words = ["cat-file", "--batch"];
        let printed = git.run(&words, &input, "read files").await?;
        Ok(batch(&printed).unwrap_or_default())
    }

    /// What a commit, or an annotated tag, says of itself.
    ///
    /// # Errors
    /// If git can't be run, or doesn't have it.
    pub(in crate::import) async fn said(&self, object: &str) -> Result<Said, ImportError> {
        let git = &self.opened().await?.git;
        let words = ["cat-file", "-p", object];
        let printed = git.run(&words, "", "read a commit").await?;
        Ok(Said::read(&String::from_utf8_lossy(&printed)))
    }

    /// Begins to read a file that is here.
    ///
    /// # Errors
    /// If git can't be run.
    pub(in crate::import) async fn stream(
        &self,
        object: &str,
        path: &str,
        size_bytes: Option<u64>,
    ) -> Result<Opened, ImportError> {
        let git = &self.opened().await?.git;
        Ok(Opened {
            from: 0,
            size_bytes,
            bytes: git.open(object, path)?,
        })
    }

    fn too_many(&self, limit: usize) -> ImportError {
        ImportError::TooLarge {
            place: self.place.clone(),
            limit: limit as u64,
            unit: "files and folders in one version",
        }
    }
}

/// How it is fetched: what is named on standard input, and nothing noted.
const QUIETLY: [&str; 6] = [
    "--quiet",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-auto-maintenance",
    "--stdin",
    "origin",
];

impl fmt::Debug for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.place)
    }
}
