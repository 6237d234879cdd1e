//! What Hugging Face's client has fetched on this machine.
//!
//! ```text
//! <cache>/models--org--name/
//!     refs/main                   a name, and the commit that it meant when it was last asked for
//!     snapshots/<commit>/<path>   a link to
//!     blobs/<etag>                the bytes; the etag is their SHA-256 where the hub has them in LFS
//!     trees/<commit>.json         all files of the commit, also those that were not fetched
//! ```
//!
//! Names are tags and branches alike. A snapshot has what was asked for, which may not be all of
//! the commit: that is told. No link is followed out of the cache.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use serde_json::Value;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use walkdir::WalkDir;

use super::card::{Card, tell};
use super::revision::{self, BRANCH, Named};
use super::spot::RepoId;
use super::{card_in, is_hidden, is_pointer, model_of};
use crate::import::{
    Candidate, Files, ImportError, LeftOut, Listed, Listing, MAX_FILES, Opened, Source, SourceFile,
};
use crate::platform::Progress;
use crate::platform::atomic::{FileError, read_at_most};
use crate::record::Digest;
use crate::record::kind::SourceType;

/// The most names of commits in one repository.
const MAX_NAMES: usize = 10_000;

/// The longest commit's name in a file.
const MAX_COMMIT_BYTES: u64 = 256;

/// The largest listing of a commit's files.
const MAX_TREE_BYTES: u64 = 64 << 20;

/// How much of a file is read at once.
const CHUNK_BYTES: usize = 256 << 10;

/// A cache, or one repository in it.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
    id: Option<RepoId>,
    asked: Option<String>,
}

/// One repository in a cache.
struct Repo {
    id: RepoId,
    folder: PathBuf,
}

impl Cache {
    /// The cache in `folder`, of which the repository `id` is meant, or all.
    ///
    /// # Errors
    /// If there is no such folder.
    pub(super) fn open(
        folder: &Path,
        id: Option<RepoId>,
        asked: Option<String>,
    ) -> Result<Self, ImportError> {
        let folder = fs::canonicalize(folder).map_err(FileError::at("read", folder))?;
        Ok(Self { folder, id, asked })
    }

    fn repos(&self) -> Result<Vec<Repo>, ImportError> {
        let repo = |id: RepoId| Repo {
            folder: self.folder.join(id.folder()),
            id,
        };
        if let Some(id) = &self.id {
            let repo = repo(id.clone());
            return match repo.folder.is_dir() {
                true => Ok(vec![repo]),
                false => Err(self.lacks(&id.to_string())),
            };
        }
        let entries = fs::read_dir(&self.folder).map_err(FileError::at("read", &self.folder))?;
        let ids = entries.filter_map(|entry| RepoId::of_folder(&entry.ok()?.path()));
        let mut ids: Vec<_> = ids.collect();
        ids.sort();
        Ok(ids.into_iter().map(repo).collect())
    }

    fn list_repo(&self, repo: &Repo, listing: &mut Listing) -> Result<(), ImportError> {
        let id = repo.id.to_string();
        let names = repo.names()?;
        let snapshots = repo.snapshots()?;
        let asked = self.asked.as_deref();
        let named = |name: &str| names.iter().find(|named| named.name == name);
        let head = match asked {
            Some(asked) => named(asked).map_or(asked, |named| &named.commit),
            None => match (named(BRANCH), snapshots.as_slice()) {
                (Some(named), _) => &named.commit,
                (None, [only]) => only,
                (None, _) => "",
            },
        };
        if let Some(asked) = asked.filter(|_| !snapshots.iter().any(|one| one == head)) {
            return Err(self.lacks(&format!("{id}@{asked}")));
        }
        let has = |commit: &str| snapshots.iter().any(|one| one == commit);
        let (tags, gone): (Vec<_>, Vec<_>) = names
            .iter()
            .filter(|named| named.name != BRANCH)
            .cloned()
            .partition(|named| has(&named.commit));
        let (mut versions, mut left_out) = revision::versions(&id, &tags, asked, head);
        // Without a name and with several commits nothing says which is meant.
        versions.retain(|listed| listed.revision.as_deref().is_some_and(has));
        let leave_out = |what: &str, why: &str| LeftOut {
            what: format!("{id}@{what}"),
            why: why.to_owned(),
        };
        if asked.is_none() {
            let gone = gone.iter();
            left_out.extend(gone.map(|named| leave_out(&named.name, "its files are not here")));
            let nameless = snapshots.iter().filter(|commit| {
                !names.iter().any(|named| named.commit == **commit)
                    && !versions
                        .iter()
                        .any(|one| one.revision.as_ref() == Some(*commit))
            });
            let why = "nothing here names it; asked for by this name it is brought";
            left_out.extend(nameless.map(|commit| leave_out(commit, why)));
        }
        let newest = versions.last().and_then(|listed| listed.revision.clone());
        if let Some(commit) = newest {
            let text = card_in(&repo.snapshot(&commit))?;
            let card = text.map(|text| Card::read(&text));
            listing.models.insert(id, model_of(card.as_ref()));
        }
        listing.versions.extend(versions);
        listing.left_out.extend(left_out);
        Ok(())
    }

    /// The file that `path` leads to, if that is in the cache.
    fn real(&self, path: &Path) -> Result<PathBuf, ImportError> {
        let real = fs::canonicalize(path).map_err(FileError::at("read", path))?;
        if real.starts_with(&self.folder) {
            return Ok(real);
        }
        Err(ImportError::Malformed {
            place: self.place(),
            reason: format!("{} leads out of it", path.display()),
        })
    }

    fn files(&self, snapshot: &Path) -> Result<Vec<SourceFile>, ImportError> {
        let mut files = Vec::new();
        for entry in WalkDir::new(snapshot).sort_by_file_name() {
            let entry = entry.map_err(|error| {
                let path = error.path().unwrap_or(snapshot).to_owned();
                FileError::at("read", path)(error.into())
            })?;
            let below = entry.path().strip_prefix(snapshot).unwrap_or(entry.path());
            let path = below.to_string_lossy().replace('\\', "/");
            if entry.file_type().is_dir() || is_hidden(&path) {
                continue;
            }
            let real = self.real(entry.path())?;
            let size = fs::metadata(&real)
                .map_err(FileError::at("read", &real))?
                .len();
            if is_pointer(&real, size)? {
                return Err(ImportError::Pointer {
                    place: self.place(),
                    file: path,
                });
            }
            files.push(SourceFile {
                path,
                key: entry.path().to_string_lossy().into_owned(),
                size_bytes: Some(size),
                sha256: etag(entry.path()),
            });
            if files.len() > MAX_FILES {
                return Err(ImportError::TooLarge {
                    place: self.place(),
                    limit: MAX_FILES as u64,
                    unit: "files in one version",
                });
            }
        }
        Ok(files)
    }

    fn lacks(&self, what: &str) -> ImportError {
        ImportError::Lacks {
            place: self.place(),
            what: what.to_owned(),
        }
    }
}

/// The SHA-256 that the link of a snapshot leads to by its name.
fn etag(link: &Path) -> Option<Digest> {
    let target = fs::read_link(link).ok()?;
    let name = target.file_name()?.to_str()?;
    format!("sha256:{name}").parse().ok()
}

impl Repo {
    fn snapshot(&self, commit: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit)
    }

    /// Its names, and the commits that they mean.
    fn names(&self) -> Result<Vec<Named>, ImportError> {
        let folder = self.folder.join("refs");
        let mut names = Vec::new();
        for entry in WalkDir::new(&folder).sort_by_file_name() {
            let Ok(entry) = entry else { continue };
            if !entry.file_type().is_file() || names.len() >= MAX_NAMES {
                continue;
            }
            let name = entry.path().strip_prefix(&folder).unwrap_or(entry.path());
            let commit = read_at_most(entry.path(), MAX_COMMIT_BYTES)?;
            names.push(Named {
                name: name.to_string_lossy().replace('\\', "/"),
                commit: String::from_utf8_lossy(&commit).trim().to_owned(),
            });
        }
        Ok(names)
    }

    /// The commits that there are files of.
    fn snapshots(&self) -> Result<Vec<String>, ImportError> {
        let folder = self.folder.join("snapshots");
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(FileError::at("read", &folder))?,
        };
        let folders = entries.filter_map(|entry| {
            let entry = entry.ok()?;
            let is_folder = entry.file_type().ok()?.is_dir();
            let name = entry.file_name().into_string().ok()?;
            is_folder.then_some(name)
        });
        let mut commits: Vec<_> = folders.collect();
        commits.sort();
        Ok(commits)
    }

    /// How many of a commit's files are not here, where the client knows of all.
    fn missing(&self, commit: &str, here: &[SourceFile]) -> Result<Option<String>, ImportError> {
        let path = self.folder.join("trees").join(format!("{commit}.json"));
        if !path.is_file() {
            return Ok(None);
        }
        let tree = read_at_most(&path, MAX_TREE_BYTES)?;
        // Of a form that isn't known it says nothing.
        let tree: Value = serde_json::from_slice(&tree).unwrap_or_default();
        let all: BTreeMap<_, _> = match tree["files"].as_object() {
            Some(all) => all.iter().filter(|(path, _)| !is_hidden(path)).collect(),
            None => return Ok(None),
        };
        let missing = all
            .keys()
            .filter(|path| !here.iter().any(|file| file.path == ***path));
        let missing: Vec<_> = missing.map(|path| path.as_str()).collect();
        let Some(first) = missing.first() else {
            return Ok(None);
        };
        Ok(Some(format!(
            "the cache has {} of its {} files; {first} is not among them",
            all.len() - missing.len(),
            all.len()
        )))
    }
}

#[async_trait]
impl Source for Cache {
    fn source_type(&self) -> SourceType {
        SourceType::Huggingface
    }

    fn place(&self) -> String {
        self.folder.display().to_string()
    }

    fn address(&self) -> Option<String> {
        None
    }

    async fn list(&self, _progress: &dyn Progress) -> Result<Listing, ImportError> {
        let mut listing = Listing::default();
        for repo in self.repos()? {
            self.list_repo(&repo, &mut listing)?;
        }
        Ok(listing)
    }

    async fn candidate(&self, listed: &Listed) -> Result<Candidate, ImportError> {
        let lacks = || self.lacks(&listed.reference);
        let id: RepoId = listed.model.parse().map_err(|_| lacks())?;
        let folder = self.folder.join(id.folder());
        let repo = Repo { id, folder };
        let commit = listed.revision.as_deref().ok_or_else(lacks)?;
        let snapshot = repo.snapshot(commit);
        let files = self.files(&snapshot)?;
        let text = card_in(&snapshot)?;
        let told = text.as_deref().map(Card::read).map(|card| tell(&card));
        let told = told.unwrap_or_default();
        let mut remarks: Vec<_> = revision::remark(listed).into_iter().collect();
        remarks.extend(told.remarks);
        remarks.extend(repo.missing(commit, &files)?);
        Ok(Candidate {
            version: told.version,
            card: text,
            unmapped: told.unmapped,
            files: Files::There(files),
            remarks,
            carrier: None,
        })
    }

    async fn open(&self, file: &SourceFile, from: u64) -> Result<Opened, ImportError> {
        let path = self.real(Path::new(&file.key))?;
        let failed = |error| ImportError::from(FileError::at("read", &path)(error));
        let mut opened = File::open(&path).await.map_err(failed)?;
        let size_bytes = opened.metadata().await.map_err(failed)?.len();
        opened
            .seek(io::SeekFrom::Start(from))
            .await
            .map_err(failed)?;
        Ok(Opened {
            from,
            size_bytes: Some(size_bytes),
            bytes: chunks(opened, path),
        })
    }
}

/// What is left to read of a file.
fn chunks(file: File, path: PathBuf) -> BoxStream<'static, Result<Bytes, ImportError>> {
    let chunks = stream::try_unfold((file, path), |(mut file, path)| async move {
        let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
        match file.read_buf(&mut chunk).await {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some((chunk.freeze(), (file, path)))),
            Err(error) => Err(FileError::at("read", path)(error).into()),
        }
    });
    chunks.boxed()
}
