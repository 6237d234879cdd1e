//! Every reader over real files that were cut and damaged: none panics, and none reads much more
//! than is there.

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::content::{Content, HEAD_BYTES};
use super::told::{TellError, Told, tell};

/// How often a file may be read as a whole: once for each thing that is looked for in it.
const PASSES: u64 = 10;
/// What is read ahead of small files.
const SLACK_BYTES: u64 = 4 * 1024 * 1024;

/// A file in memory that counts what is read of it.
struct Counted<'a> {
    bytes: Cursor<&'a [u8]>,
    read: &'a AtomicU64,
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(into)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

fn told(path: &str, bytes: &[u8]) -> Result<Option<Told>, TellError> {
    let read = AtomicU64::new(0);
    let content = Content::tell(&bytes[..bytes.len().min(HEAD_BYTES)]);
    let told = tell(content, path, || {
        Ok(Counted {
            bytes: Cursor::new(bytes),
            read: &read,
        })
    });
    let most = bytes.len() as u64 * PASSES + SLACK_BYTES;
    let read = read.into_inner();
    assert!(
        read <= most,
        "{path}: {read} bytes were read of {}",
        bytes.len()
    );
    told
}

/// The real models that lie beside the integration tests, and those of the examples.
fn models() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open: Vec<PathBuf> = vec![
        root.join("tests/it/artifact/formats/files"),
        root.join("examples/vibration/1.0.0"),
    ];
    let mut models = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).unwrap();
            open.extend(entries.map(|entry| entry.unwrap().path()));
        } else {
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            models.push((name, std::fs::read(&path).unwrap()));
        }
    }
    models.sort();
    models
}

/// Numbers that look like chance and are the same on every machine (xorshift64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap()
    }
}

#[test]
fn cut_files_are_told_or_refused() {
    let models = models();
    assert!(
        models.len() > 20,
        "the models are not where they are looked for"
    );
    for (path, bytes) in &models {
        let step = (bytes.len() / 97).max(1);
        for end in (0..bytes.len()).step_by(step) {
            let _ = told(path, &bytes[..end]);
        }
    }
}

#[test]
fn damaged_files_are_told_or_refused() {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for (path, bytes) in &models() {
        for _ in 0..150 {
            let mut damaged = bytes.clone();
            for _ in 0..=chance.below(4) {
                let head = damaged.len().min(8192);
                // Headers say more than weights: half of the damage is done there.
                let within = if chance.below(2) == 0 {
                    head
                } else {
                    damaged.len()
                };
                let at = chance.below(within);
                if let Some(byte) = damaged.get_mut(at) {
                    *byte ^= 1 << chance.below(8);
                }
            }
            let _ = told(path, &damaged);
        }
    }
}

#[test]
fn whole_files_are_told() {
    for (path, bytes) in &models() {
        if let Err(error) = told(path, bytes) {
            panic!("{path}: {error}");
        }
    }
}
