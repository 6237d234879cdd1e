//! Where a version's files lie on their way from a source to a store.
//!
//! Each file is fetched once into a folder of the cache, is hashed when it is packed (which is when
//! a digest that the source said is held against it), and goes from there to the store; one that is
//! a folder on the same disk takes the file as it is. A file that
//! is cut off is gone on with, where the source can begin in its middle; one that is complete is not
//! fetched again. When the version is recorded the folder goes.
//!
//! ```text
//! <cache>/imports/<sha256 of source, reference and revision>/
//!     files/<path>      complete
//!     coming/<n>        on their way, by the file's place in the list
//!     unpacked/<n>      the files of an archive that is whole, by its place in the list
//! ```
//!
//! An archive is unpacked while it comes, and begun anew where it was cut off; those before it
//! are not fetched again.
//!
//! A folder is of one version in one state: another revision begins another.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;
use walkdir::WalkDir;

use super::{Detail, ImportError, Listed, MAX_FILES, Source, SourceArchive, SourceFile};
use crate::artifact::digest_of;
use crate::artifact::pack::{Claims, FilePath, UnpackError};
use crate::platform::Progress;
use crate::platform::atomic::{self, FileError};
use crate::platform::progress::Meter;
use crate::platform::retry::Policy;

/// How many files are on their way at once.
const AT_ONCE: usize = 4;

/// A version's folder in the cache.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
}

impl Spool {
    /// The folder in `cache` for `listed` of `source`; nothing is written yet.
    pub fn of(cache: &Path, source: &dyn Source, listed: &Listed) -> Self {
        let identity = serde_json::json!([
            source.source_type(),
            source.place(),
            listed.reference,
            listed.revision,
        ]);
        let name = digest_of(identity.to_string().as_bytes()).hex();
        Self {
            folder: cache.join("imports").join(name),
        }
    }

    /// Fetches `files` from `source`, and gives the folder that they lie in.
    ///
    /// # Errors
    /// If one can't be had, isn't what the source said, or has a path that leads out of the
    /// folder. What was complete is kept for the next time.
    pub async fn fetch(
        &self,
        source: &dyn Source,
        files: &[SourceFile],
        retry: Policy,
        progress: &dyn Progress,
    ) -> Result<PathBuf, ImportError> {
        if files.len() > MAX_FILES {
            return Err(ImportError::TooLarge {
                place: source.place(),
                limit: MAX_FILES as u64,
                unit: "files in one version",
            });
        }
        let place = self.folder.join("files");
        atomic::create_folder(&self.folder.join("coming"))?;
        atomic::create_folder(&place)?;
        stream::iter(files.iter().enumerate())
            .map(Ok)
            .try_for_each_concurrent(AT_ONCE, |(index, file)| async move {
                let way = self.way(source, index, file)?;
                if way.is_complete()? {
                    return Ok(());
                }
                let meter = progress.begin(&file.path, file.size_bytes.unwrap_or(0));
                retry.run(|| way.fetch(source, &*meter)).await
            })
            .await?;
        Ok(place)
    }

    /// Fetches and unpacks `archives` of `source`, and gives the folder that their files lie in.
    ///
    /// # Errors
    /// If one can't be had, isn't what the source said, or two of them have one file. What was
    /// complete is kept for the next time.
    pub async fn unpack(
        &self,
        source: &dyn Source,
        archives: &[SourceArchive],
        progress: &dyn Progress,
    ) -> Result<PathBuf, ImportError> {
        let files = self.folder.join("files");
        let unpacked = self.folder.join("unpacked");
        if files.is_dir() && !unpacked.is_dir() {
            return Ok(files);
        }
        atomic::create_folder(&unpacked)?;
        stream::iter(archives.iter().enumerate())
            .map(Ok)
            .try_for_each_concurrent(AT_ONCE, |(index, archive)| {
                let number = index.to_string();
                let coming = self.folder.join("coming").join(&number);
                let complete = unpacked.join(&number);
                async move {
                    if complete.is_dir() {
                        return Ok(());
                    }
                    remove_folder(&coming)?;
                    atomic::create_folder(&coming)?;
                    let meter = progress.begin(&archive.name, archive.size_bytes);
                    if let Err(error) = source.unpack(archive, &coming, &*meter).await {
                        remove_folder(&coming)?;
                        return Err(error);
                    }
                    let kept = fs::rename(&coming, &complete);
                    Ok::<_, ImportError>(kept.map_err(FileError::at("rename", &coming))?)
                }
            })
            .await?;
        merge(&source.place(), &unpacked, &files)?;
        Ok(files)
    }

    /// Removes the folder.
    ///
    /// # Errors
    /// If it is there and can't be removed.
    pub fn clear(&self) -> Result<(), FileError> {
        remove_folder(&self.folder)
    }

    fn way<'a>(
        &self,
        source: &dyn Source,
        index: usize,
        file: &'a SourceFile,
    ) -> Result<Way<'a>, ImportError> {
        let path: FilePath = file.path.parse().map_err(|error| ImportError::Malformed {
            place: source.place(),
            reason: format!("{error}"),
        })?;
        Ok(Way {
            file,
            coming: self.folder.join("coming").join(index.to_string()),
            complete: self.folder.join("files").join(path.as_str()),
        })
    }
}

fn remove_folder(folder: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::at("remove", folder)(error))
        }
        _ => Ok(()),
    }
}

/// Moves what lies in the folders of `unpacked` into `files`, none over another, and removes
/// `unpacked`. Whoever is killed in between finds the rest there the next time.
fn merge(place: &str, unpacked: &Path, files: &Path) -> Result<(), ImportError> {
    let mut claims = Claims::default();
    let mut moves = Vec::new();
    for entry in WalkDir::new(unpacked).min_depth(2).sort_by_file_name() {
        let read = |error: walkdir::Error| FileError::at("read", unpacked)(error.into());
        let entry = entry.map_err(read)?;
        if entry.file_type().is_dir() {
            continue;
        }
        // Behind the folder of its archive.
        let parts = entry.path().strip_prefix(unpacked).into_iter().flatten();
        let parts: Vec<_> = parts.skip(1).map(|part| part.to_string_lossy()).collect();
        let refused = |source| ImportError::Unpack {
            place: place.to_owned(),
            source,
        };
        let path: FilePath = parts
            .join("/")
            .parse()
            .map_err(|source| refused(UnpackError::Entry { source }))?;
        claims
            .claim(&path)
            .map_err(|clash| refused(UnpackError::Clash(clash)))?;
        moves.push((entry.path().to_owned(), path.below(files)));
    }
    atomic::create_folder(files)?;
    for (from, to) in moves {
        if let Some(folder) = to.parent() {
            atomic::create_folder(folder)?;
        }
        fs::rename(&from, &to).map_err(FileError::at("rename", &from))?;
    }
    remove_folder(unpacked)?;
    Ok(())
}

/// One file's two places.
struct Way<'a> {
    file: &'a SourceFile,
    coming: PathBuf,
    complete: PathBuf,
}

impl Way<'_> {
    fn is_complete(&self) -> Result<bool, ImportError> {
        match fs::symlink_metadata(&self.complete) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(FileError::at("read", &self.complete)(error).into()),
        }
    }

    /// Fetches what is still missing of it, once.
    async fn fetch(&self, source: &dyn Source, meter: &dyn Meter) -> Result<(), ImportError> {
        let failed = |action| FileError::at(action, &self.coming);
        let there = match fs::metadata(&self.coming) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(failed("read")(error).into()),
        };
        let mut opened = source.open(self.file, there).await?;
        let size = match (self.file.size_bytes, opened.size_bytes) {
            (Some(listed), Some(now)) if listed != now => {
                atomic::remove(&self.coming)?;
                return Err(self.changed(
                    source,
                    format!("{listed} bytes were listed, {now} are sent"),
                ));
            }
            (listed, now) => listed.or(now),
        };
        let mut output = self.writer(opened.from).await.map_err(failed("write"))?;
        let mut length = opened.from;
        meter.advance(length);
        while let Some(chunk) = opened.bytes.next().await {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => {
                    // What came before it is what the next call goes on from.
                    output.flush().await.map_err(failed("write"))?;
                    return Err(error);
                }
            };
            length += chunk.len() as u64;
            if size.is_some_and(|size| length > size) {
                atomic::remove(&self.coming)?;
                return Err(self.changed(source, "more bytes are sent than it has".to_owned()));
            }
            output.write_all(&chunk).await.map_err(failed("write"))?;
            meter.advance(chunk.len() as u64);
        }
        output.flush().await.map_err(failed("write"))?;
        if let Some(size) = size.filter(|size| length < *size) {
            // The next call goes on from here.
            return Err(ImportError::Away {
                place: source.place(),
                doing: format!("read {}", self.file.path),
                detail: Some(Detail(format!("it ended after {length} of {size} bytes"))),
                retry_after: None,
                source: None,
            });
        }
        output.sync_all().await.map_err(failed("write"))?;
        drop(output);
        self.keep()
    }

    /// The file to go on with at byte `from`.
    async fn writer(&self, from: u64) -> io::Result<File> {
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).open(&self.coming).await?;
        file.set_len(from).await?;
        Ok(file)
    }

    /// What came is complete.
    fn keep(&self) -> Result<(), ImportError> {
        if let Some(folder) = self.complete.parent() {
            atomic::create_folder(folder)?;
        }
        fs::rename(&self.coming, &self.complete).map_err(FileError::at("rename", &self.coming))?;
        Ok(())
    }

    fn changed(&self, source: &dyn Source, reason: String) -> ImportError {
        ImportError::Changed {
            place: source.place(),
            file: self.file.path.clone(),
            reason,
        }
    }
}
