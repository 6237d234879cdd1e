//! One version: the files of a folder at a commit, and what they and the commit tell.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::lfs::{Lfs, Pointer, not_fetched};
use super::printed::{Entry, EntryKind};
use super::repository::{MAX_TEXT_BYTES, Repository};
use super::tell;
use crate::import::{Candidate, Files, ImportError, MAX_FILES, Opened, SourceFile, mlmodel};
use crate::platform::atomic::FileError;

/// The most files of code that are read for what they tell.
const MAX_READ: usize = 64;

/// What the keys of files begin with that are objects of git's, and in an LFS store.
const BLOB: &str = "blob:";
const LFS: &str = "lfs:";

/// Where a version is in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::import) struct Spot {
    /// The object to fetch: the commit, or an annotated tag on it.
    pub object: String,
    /// The commit.
    pub commit: String,
    /// The folder or the file in it; empty for all of it.
    pub path: String,
}

/// A repository with its LFS store.
#[derive(Debug)]
pub(in crate::import) struct Versions {
    pub(in crate::import) repository: Repository,
    lfs: Lfs,
}

/// A file of a version, by its path in the folder.
struct File {
    path: String,
    entry: Entry,
}

impl Versions {
    pub(in crate::import) fn new(repository: Repository) -> Self {
        Self {
            repository,
            lfs: Lfs::default(),
        }
    }

    /// Where what is asked for of the repository is now.
    ///
    /// # Errors
    /// If it can't be asked, or doesn't have it.
    pub(in crate::import) async fn now(&self) -> Result<Spot, ImportError> {
        let repository = &self.repository;
        let point = repository.point(&repository.refs().await?)?;
        repository.fetch(&[&point.object]).await?;
        let path = repository.folder().await?;
        match repository.object(&point.commit, path).await? {
            None => Err(repository.lacks(format!("{path} at {}", point.name))),
            Some(_) => Ok(Spot {
                object: point.object,
                commit: point.commit,
                path: path.to_owned(),
            }),
        }
    }

    /// All that is told of the version at `spot`, with its files.
    ///
    /// # Errors
    /// If it can't be had, or has no file, too many, or one in LFS that nobody can fetch.
    pub(in crate::import) async fn candidate(&self, spot: &Spot) -> Result<Candidate, ImportError> {
        let repository = &self.repository;
        repository.fetch(&[&spot.object]).await?;
        let entries = repository.entries(&spot.commit, &spot.path).await?;
        let mut candidate = Candidate::default();
        let (hidden, files) = self.files(spot, entries, &mut candidate.remarks)?;
        let wanted: Vec<_> = files.iter().chain(&hidden).collect();
        let objects: Vec<_> = wanted.iter().map(|file| &*file.entry.object).collect();
        let sizes = repository.sizes(&objects).await?;
        let small = |file: &&File| {
            let size = sizes.get(&file.entry.object).copied().unwrap_or(u64::MAX);
            Pointer::can_be(size) || (tell::is_read(&file.path) && size <= MAX_TEXT_BYTES)
        };
        let read: Vec<_> = wanted.iter().copied().filter(small).collect();
        let objects: Vec<_> = read.iter().map(|file| &*file.entry.object).collect();
        let texts = repository.read_all(&objects).await?;
        let mut brought = Vec::new();
        for file in &files {
            let pointer = texts.get(&file.entry.object);
            let pointer = pointer.and_then(|bytes| Pointer::read(bytes));
            brought.push(self.file(file, pointer, &sizes).await?);
        }
        let code: BTreeMap<&str, String> = read
            .iter()
            .filter(|file| tell::is_read(&file.path))
            .take(MAX_READ)
            .filter_map(|file| {
                let text = String::from_utf8_lossy(texts.get(&file.entry.object)?);
                Some((&*file.path, text.into_owned()))
            })
            .collect();
        let paths: Vec<_> = files.iter().map(|file| &*file.path).collect();
        let told = tell::code(&paths, &code);
        candidate.version = told.version;
        candidate.remarks.extend(told.remarks);
        self.mlmodel(&files, &sizes, &mut candidate).await?;
        self.origin(spot, &mut candidate).await?;
        candidate.files = Files::There(brought);
        Ok(candidate)
    }

    /// The files that are hidden and read all the same, and those that are brought.
    fn files(
        &self,
        spot: &Spot,
        entries: Vec<Entry>,
        remarks: &mut Vec<String>,
    ) -> Result<(Vec<File>, Vec<File>), ImportError> {
        let (mut hidden, mut files) = (Vec::new(), Vec::new());
        for entry in entries {
            let path = within(&spot.path, &entry.path).to_owned();
            if path.split('/').any(|word| matches!(word, "." | ".." | "")) {
                return Err(self.climbs(&entry.path));
            }
            match entry.kind {
                EntryKind::Link => {
                    remarks.push(format!("{path} is a symbolic link, and is left out"));
                }
                EntryKind::Submodule => {
                    remarks.push(format!("{path} is another repository, and is left out"));
                }
                EntryKind::File if path.split('/').any(|word| word.starts_with('.')) => {
                    if tell::is_read(&path) {
                        hidden.push(File { path, entry });
                    }
                }
                EntryKind::File => files.push(File { path, entry }),
            }
        }
        if files.len() > MAX_FILES {
            return Err(ImportError::TooLarge {
                place: self.repository.place.clone(),
                limit: MAX_FILES as u64,
                unit: "files in one version",
            });
        }
        match files.is_empty() {
            false => Ok((hidden, files)),
            true => Err(ImportError::Lacks {
                place: self.repository.place.clone(),
                what: crate::platform::redact::printable(&format!(
                    "file in {} at {}",
                    match spot.path.as_str() {
                        "" => "all of it",
                        path => path,
                    },
                    spot.commit
                )),
            }),
        }
    }

    fn climbs(&self, path: &str) -> ImportError {
        let path = crate::platform::redact::printable(path);
        ImportError::Malformed {
            place: self.repository.place.clone(),
            reason: format!("{path} leads out of its folder"),
        }
    }

    async fn file(
        &self,
        file: &File,
        pointer: Option<Pointer>,
        sizes: &BTreeMap<String, u64>,
    ) -> Result<SourceFile, ImportError> {
        let Some(pointer) = pointer else {
            return Ok(SourceFile {
                path: file.path.clone(),
                key: format!("{BLOB}{}", file.entry.object),
                size_bytes: sizes.get(&file.entry.object).copied(),
                sha256: None,
            });
        };
        if let Some(folder) = self.repository.own_folder().await?
            && !pointer.in_folder(&folder).is_file()
        {
            return Err(not_fetched(&self.repository, &file.path));
        }
        Ok(SourceFile {
            path: file.path.clone(),
            key: format!("{LFS}{}:{}", pointer.oid, pointer.size_bytes),
            size_bytes: Some(pointer.size_bytes),
            sha256: format!("sha256:{}", pointer.oid).parse().ok(),
        })
    }

    /// What the folder's `MLmodel` tells, if it is a model of MLflow's.
    async fn mlmodel(
        &self,
        files: &[File],
        sizes: &BTreeMap<String, u64>,
        candidate: &mut Candidate,
    ) -> Result<(), ImportError> {
        let Some(file) = files.iter().find(|file| file.path == mlmodel::FILE) else {
            return Ok(());
        };
        let size = sizes.get(&file.entry.object).copied();
        if size.is_none_or(|size| size > mlmodel::MAX_BYTES) {
            return Ok(());
        }
        let bytes = self.repository.read(&file.entry.object).await?;
        let has = |name: &str| files.iter().any(|file| file.path == name);
        let place = format!("{} of {}", file.entry.path, self.repository.place);
        let told = mlmodel::tell(&place, &bytes, has)?;
        candidate.version.extend(told.version);
        candidate.unmapped.extend(told.unmapped);
        Ok(())
    }

    /// Where it comes from, and what was said when it was committed.
    async fn origin(&self, spot: &Spot, candidate: &mut Candidate) -> Result<(), ImportError> {
        let repository = &self.repository;
        let origin = repository.origin().await?;
        match tell::lineage(origin.as_deref(), &spot.commit, &spot.path) {
            Ok(lineage) => merge(&mut candidate.version, "lineage", lineage),
            Err(unmapped) => candidate.unmapped.extend(unmapped),
        }
        let commit = repository.said(&spot.commit).await?;
        let tag = match spot.object == spot.commit {
            true => None,
            false => Some(repository.said(&spot.object).await?),
        };
        let Candidate {
            version, unmapped, ..
        } = candidate;
        tell::words(&commit, tag.as_ref(), version, unmapped);
        Ok(())
    }

    /// Whether `file` is one of a candidate's from here.
    pub(in crate::import) fn gave(file: &SourceFile) -> bool {
        file.key.starts_with(BLOB) || file.key.starts_with(LFS)
    }

    /// Begins to read a file of a candidate's at byte `from`, or at its beginning.
    ///
    /// # Errors
    /// If it can't be read.
    pub(in crate::import) async fn open(
        &self,
        file: &SourceFile,
        from: u64,
    ) -> Result<Opened, ImportError> {
        let lacks = || ImportError::Lacks {
            place: self.repository.place.clone(),
            what: file.path.clone(),
        };
        if let Some(object) = file.key.strip_prefix(BLOB) {
            return self
                .repository
                .stream(object, &file.path, file.size_bytes)
                .await;
        }
        let pointer = file
            .key
            .strip_prefix(LFS)
            .and_then(|key| key.split_once(':'));
        let (oid, size) = pointer.ok_or_else(lacks)?;
        let pointer = Pointer {
            oid: oid.to_owned(),
            size_bytes: size.parse().map_err(|_| lacks())?,
        };
        match self.repository.own_folder().await? {
            Some(folder) => here(&pointer.in_folder(&folder)).await,
            None => {
                let repository = &self.repository;
                self.lfs.open(repository, &pointer, &file.path, from).await
            }
        }
    }
}

/// A file of this machine, from its beginning.
async fn here(path: &std::path::Path) -> Result<Opened, ImportError> {
    use futures_util::stream::{self, StreamExt as _};
    use tokio::io::AsyncReadExt as _;

    let failed = || FileError::at("read", path.to_owned());
    let file = tokio::fs::File::open(path).await.map_err(failed())?;
    let size = file.metadata().await.map_err(failed())?.len();
    let path = path.to_owned();
    let bytes = stream::try_unfold(file, move |mut file| {
        let path = path.clone();
        async move {
            let mut chunk = bytes::BytesMut::with_capacity(256 << 10);
            let read = file.read_buf(&mut chunk).await;
            let read = read.map_err(FileError::at("read", path))?;
            Ok((read > 0).then(|| (chunk.freeze(), file)))
        }
    });
    Ok(Opened {
        from: 0,
        size_bytes: Some(size),
        bytes: bytes.boxed(),
    })
}

/// `path` as it is in `folder`; by its name where the folder is the file itself.
fn within<'a>(folder: &str, path: &'a str) -> &'a str {
    if folder.is_empty() {
        return path;
    }
    let below = path
        .strip_prefix(folder)
        .and_then(|path| path.strip_prefix('/'));
    below.unwrap_or_else(|| path.rsplit('/').next().unwrap_or(path))
}

/// Puts the fields of `value` among those of `name`.
fn merge(version: &mut Map<String, Value>, name: &str, value: Value) {
    match (version.get_mut(name), value) {
        (Some(Value::Object(there)), Value::Object(more)) => there.extend(more),
        (_, value) => drop(version.insert(name.to_owned(), value)),
    }
}

#[cfg(test)]
mod tests {
    //! Paths of a version's files.

    use super::within;

    #[test]
    fn a_file_s_path_is_the_one_in_its_folder() {
        assert_eq!(within("", "a/b"), "a/b");
        assert_eq!(within("models/a", "models/a/b/c"), "b/c");
        assert_eq!(within("models/a.onnx", "models/a.onnx"), "a.onnx");
    }
}
