//! What runtimes say: kept, and bounded.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::platform::atomic::FileError;
use crate::record::Name;
use crate::rollout::InstanceId;

/// How large a log may become before it makes place for the next; two of them are kept.
const MAX_LOG_BYTES: u64 = 8 * 1024 * 1024;
/// How many instances' logs a deployment keeps.
const KEPT_LOGS: usize = 20;
/// How much of what was said last is told of an end.
const LAST_WORDS_BYTES: usize = 4096;

/// Where the log of an instance is.
pub(super) fn place(state: &Path, id: &InstanceId) -> PathBuf {
    let deployment = state.join("logs").join(id.deployment.as_str());
    deployment.join(format!("{}.log", id.number))
}

/// The logs of a deployment, by instance.
pub(super) fn all(
    state: &Path,
    deployment: &Name,
) -> Result<BTreeMap<u64, Vec<PathBuf>>, FileError> {
    let folder = state.join("logs").join(deployment.as_str());
    let read = || FileError::at("read", &folder);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(read()(error)),
    };
    let mut logs: BTreeMap<u64, Vec<PathBuf>> = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(read())?.path();
        if let Some(number) = number(&path) {
            logs.entry(number).or_default().push(path);
        }
    }
    for parts in logs.values_mut() {
        // `3.1.log` comes before `3.log`, and is the older one.
        parts.sort();
    }
    Ok(logs)
}

/// Of which instance a log is.
fn number(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.split('.').next()?.parse().ok()
}

/// Removes the logs of all but each deployment's newest instances. What can't be is left.
pub(super) fn prune(state: &Path) {
    let Ok(deployments) = fs::read_dir(state.join("logs")) else {
        return;
    };
    for deployment in deployments.flatten() {
        let mut numbers: Vec<u64> = fs::read_dir(deployment.path())
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| number(&entry.path()))
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        let old = numbers.len().saturating_sub(KEPT_LOGS);
        for number in &numbers[..old] {
            for end in ["log", "1.log"] {
                let _ = fs::remove_file(deployment.path().join(format!("{number}.{end}")));
            }
        }
    }
}

/// A log that is written.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: Option<File>,
    length: u64,
    last_words: Vec<u8>,
}

impl Log {
    /// Begins, or goes on with, the log at `path`. Where it can't be written, what is said last is
    /// kept all the same.
    pub(super) fn open(path: &Path) -> Self {
        if let Some(folder) = path.parent() {
            let _ = fs::create_dir_all(folder);
        }
        let file = appended(path).ok();
        let length = file.as_ref().and_then(|file| file.metadata().ok());
        Self {
            path: path.to_owned(),
            length: length.map_or(0, |about| about.len()),
            file,
            last_words: Vec::new(),
        }
    }

    /// Adds what was said.
    pub(super) fn add(&mut self, said: &[u8]) {
        self.last_words.extend_from_slice(said);
        let beyond = self.last_words.len().saturating_sub(LAST_WORDS_BYTES);
        self.last_words.drain(..beyond);
        if self.length > 0 && self.length + said.len() as u64 > MAX_LOG_BYTES {
            let _ = fs::rename(&self.path, self.path.with_extension("1.log"));
            self.file = appended(&self.path).ok();
            self.length = 0;
        }
        if self.file.is_none() {
            // It could not be made when the disk was full, and may be by now.
            self.file = appended(&self.path).ok();
        }
        if let Some(file) = &mut self.file
            && file.write_all(said).is_ok()
        {
            self.length += said.len() as u64;
        }
    }

    /// The end of what was said.
    pub(super) fn last_words(&self) -> String {
        String::from_utf8_lossy(&self.last_words).trim().to_owned()
    }
}

fn appended(path: &Path) -> io::Result<File> {
    File::options().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_bounded_and_what_came_last_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs/digits/3.log");
        let mut log = Log::open(&path);
        let line = [b'x'; 1024];
        for _ in 0..3 * MAX_LOG_BYTES / 1024 {
            log.add(&line);
        }
        log.add(b"\nthe end\n");
        assert!(log.last_words().ends_with("x\nthe end"));
        let current = fs::read(&path).unwrap();
        assert!(current.ends_with(b"the end\n"));
        let before = fs::metadata(path.with_extension("1.log")).unwrap().len();
        assert!(current.len() as u64 + before <= 2 * MAX_LOG_BYTES);
        // Another shim goes on where it was.
        Log::open(&path).add(b"again\n");
        assert!(fs::read(&path).unwrap().ends_with(b"the end\nagain\n"));
    }

    #[test]
    fn old_instances_logs_go() {
        let state = tempfile::tempdir().unwrap();
        let place = state.path().join("logs/digits");
        fs::create_dir_all(&place).unwrap();
        for number in 1..=KEPT_LOGS + 2 {
            fs::write(place.join(format!("{number}.log")), "").unwrap();
        }
        fs::write(place.join("1.1.log"), "").unwrap();
        prune(state.path());
        assert!(!place.join("1.log").exists() && !place.join("1.1.log").exists());
        assert!(!place.join("2.log").exists() && place.join("3.log").exists());
    }
}
