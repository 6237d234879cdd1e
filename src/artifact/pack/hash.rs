//! Files' digests, each file read once and never held whole.

use std::fs::{File, Metadata};
use std::io::Read;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use super::error::PackError;
use super::inspect::{Content, HEAD_BYTES};
use super::walk::Found;
use crate::platform::atomic::FileError;
use crate::platform::progress::Meter;
use crate::record::Digest;

/// How much of a file is held at once, a thread: large enough that the disk and not the number
/// of calls sets the speed.
const CHUNK_BYTES: usize = 1024 * 1024;

/// The most threads: more than these only make a disk seek.
const MAX_THREADS: usize = 16;

/// What reading a file told.
#[derive(Debug)]
pub(super) struct Hashed {
    pub(super) digest: Digest,
    pub(super) size_bytes: u64,
    pub(super) content: Content,
    pub(super) stamp: Stamp,
}

/// By what a file that was written to is told: nobody has to read it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    size_bytes: u64,
    modified: Option<SystemTime>,
    file: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            size_bytes: metadata.len(),
            modified: metadata.modified().ok(),
            file: file_number(metadata),
        }
    }

    /// Whether the file at `path` is still as it was.
    pub(super) fn holds(&self, path: &Path) -> bool {
        path.metadata()
            .is_ok_and(|metadata| Self::of(&metadata) == *self)
    }
}

#[cfg(unix)]
fn file_number(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn file_number(_metadata: &Metadata) -> u64 {
    0
}

/// Hashes `files` on all cores; the results are in their order.
///
/// # Errors
/// That of the first file, in their order, that could not be read or changed meanwhile.
pub(super) fn hash_all(files: &[Found], meter: &dyn Meter) -> Result<Vec<Hashed>, PackError> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let work = || {
        let mut done = Vec::new();
        let mut chunk = vec![0; CHUNK_BYTES];
        while !stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(found) = files.get(index) else { break };
            let hashed = hash(&found.source, &mut chunk, meter);
            if hashed.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
            done.push((index, hashed));
        }
        done
    };
    let threads = cores.min(files.len()).min(MAX_THREADS);
    let mut results: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined
            .flat_map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, hashed)| hashed).collect()
}

fn hash(path: &Path, chunk: &mut [u8], meter: &dyn Meter) -> Result<Hashed, PackError> {
    let failed = |source| FileError::at("read", path)(source);
    let changed = || PackError::Changed {
        path: path.to_owned(),
    };
    let mut file = File::open(path).map_err(failed)?;
    let before = file.metadata().map_err(failed)?;
    if !before.is_file() {
        return Err(changed());
    }
    let stamp = Stamp::of(&before);
    let mut hasher = Sha256::new();
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let mut size_bytes = 0;
    loop {
        let count = match file.read(chunk) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error).into()),
        };
        let bytes = &chunk[..count];
        hasher.update(bytes);
        head.extend(bytes.iter().take(HEAD_BYTES - head.len()));
        size_bytes += count as u64;
        meter.advance(count as u64);
        if size_bytes > stamp.size_bytes {
            // It grows while it is read, and may never end.
            return Err(changed());
        }
    }
    let after = file.metadata().map_err(failed)?;
    if size_bytes != stamp.size_bytes || Stamp::of(&after) != stamp {
        return Err(changed());
    }
    Ok(Hashed {
        digest: Digest::from_bytes(hasher.finalize().into()),
        size_bytes,
        content: Content::tell(&head),
        stamp,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::descriptor::digest_of;
    use crate::platform::progress::Silent;

    /// Lets somebody else act on the file after the first chunk of it was read.
    struct AtFirstChunk<F>(AtomicBool, F);

    impl<F: Fn() + Send + Sync> Meter for AtFirstChunk<F> {
        fn advance(&self, _bytes: u64) {
            if !self.0.swap(true, Ordering::Relaxed) {
                (self.1)();
            }
        }
    }

    fn found(path: &Path) -> Found {
        Found {
            path: "model.bin".parse().unwrap(),
            source: path.to_owned(),
        }
    }

    #[test]
    fn digests_come_in_the_order_of_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let files: Vec<_> = (0..40_u8)
            .map(|number| {
                let path = folder.path().join(number.to_string());
                std::fs::write(&path, vec![number; usize::from(number) * 100_000]).unwrap();
                found(&path)
            })
            .collect();
        let hashed = hash_all(&files, &Silent).unwrap();
        for (number, hashed) in (0..40_u8).zip(hashed) {
            let bytes = vec![number; usize::from(number) * 100_000];
            assert_eq!(hashed.digest, digest_of(&bytes));
            assert_eq!(hashed.size_bytes, bytes.len() as u64);
        }
    }

    #[test]
    fn a_file_that_is_written_to_meanwhile_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.bin");
        let whole = vec![1; CHUNK_BYTES * 2 + 5];
        let append = || {
            use std::io::Write;
            let mut file = File::options().append(true).open(&path).unwrap();
            file.write_all(b"more").unwrap();
        };
        let truncate = || {
            let file = File::options().write(true).open(&path).unwrap();
            file.set_len(5).unwrap();
        };
        let touch = || {
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        };
        let interferences: [&(dyn Fn() + Send + Sync); 3] = [&append, &truncate, &touch];
        for interfere in interferences {
            std::fs::write(&path, &whole).unwrap();
            let meter = AtFirstChunk(AtomicBool::new(false), interfere);
            let error = hash_all(&[found(&path)], &meter).unwrap_err();
            assert!(matches!(error, PackError::Changed { .. }), "{error}");
        }
    }
}
