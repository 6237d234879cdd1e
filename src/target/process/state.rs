//! The folder of one instance, and what is in it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{ProcessError, cgroup, instances};
use crate::platform::atomic::{self, FileError, Readers};
use crate::platform::lock;
use crate::rollout::{Choice, InstanceId, Part};
use crate::target::Order;

/// The largest file of an instance's: an order with a long choice.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The longest `/proc/PID/stat`.
const MAX_STAT_BYTES: u64 = 4096;

/// The folder of one instance.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
}

/// `order.json`: an instance as it was ordered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderFile {
    pub(super) id: InstanceId,
    pub(super) choice: Arc<Choice>,
    pub(super) part: Part,
    pub(super) files: PathBuf,
    pub(super) at: Timestamp,
    /// How it is started; nothing where it can't be.
    pub(super) command: Option<Command>,
    /// How long it may take to end.
    pub(super) grace_seconds: u64,
    /// What its log is called.
    pub(super) log: PathBuf,
}

/// A runtime's program and what it is given. Secrets are not in it: the shim inherits them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Command {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) variables: BTreeMap<String, String>,
    /// The most memory that it may take, of its own.
    pub(super) memory_bytes: Option<u64>,
    /// Its control group, where there can be one.
    pub(super) group: Option<cgroup::Wanted>,
}

/// `shim.json`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Shim {
    pub(super) process: i32,
}

/// `runtime.json`: the runtime's process group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Group {
    /// Its number, which is the runtime's own.
    pub(super) process: i32,
    /// When that process began, as the system tells it; numbers are given again.
    pub(super) began: String,
}

/// `address.json`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Address {
    pub(super) listening: SocketAddr,
}

/// `ready.json` and `draining.json`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Marked {
    pub(super) at: Timestamp,
}

/// `golden.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Verdict {
    /// What failed; nothing if all passed.
    pub(super) failed: Option<String>,
}

/// `exit.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Exit {
    pub(super) at: Timestamp,
    /// How it ended, for people.
    pub(super) how: String,
    /// What it said last.
    pub(super) last_words: String,
}

impl OrderFile {
    pub(super) fn of(
        order: &Order,
        command: Option<Command>,
        at: Timestamp,
        grace: Duration,
        log: PathBuf,
    ) -> Self {
        Self {
            id: order.id.clone(),
            choice: Arc::clone(&order.choice),
            part: order.part,
            files: order.files.clone(),
            at,
            command,
            grace_seconds: grace.as_secs(),
            log,
        }
    }
}

impl Group {
    /// That of `process`, if it can be told from every other: Linux tells it.
    pub(super) fn of(process: i32) -> Option<Self> {
        Some(Self {
            process,
            began: began(process)?,
        })
    }

    /// Ends it by force, if it still is there.
    pub(super) fn kill(&self) {
        let Some(process) = Pid::from_raw(self.process) else {
            return;
        };
        if began(self.process).as_ref() == Some(&self.began) {
            // It may have ended by itself just now.
            let _ = kill_process_group(process, Signal::KILL);
        }
    }
}

/// When a process began, in ticks since the system did: the 22nd field of `/proc/PID/stat`
/// (proc_pid_stat(5)); the second may have spaces in it, and ends with the last `)`.
fn began(process: i32) -> Option<String> {
    let stat = atomic::read_at_most(format!("/proc/{process}/stat").as_ref(), MAX_STAT_BYTES);
    let stat = String::from_utf8_lossy(&stat.ok()?).into_owned();
    let (_, behind) = stat.rsplit_once(')')?;
    behind.split_whitespace().nth(19).map(str::to_owned)
}

impl Exit {
    pub(super) fn never_started(why: String, at: Timestamp) -> Self {
        Self {
            at,
            how: why,
            last_words: String::new(),
        }
    }

    /// All of it, for people.
    pub(super) fn why(&self) -> String {
        match self.last_words.is_empty() {
            true => self.how.clone(),
            false => format!("{}: {}", self.how, self.last_words),
        }
    }
}

macro_rules! documents {
    ($($file:literal: $read:ident, $write:ident, $document:ty;)+) => {
        impl Folder {$(
            #[doc = concat!("Reads `", $file, "`, if it is there.")]
            pub(super) fn $read(&self) -> Result<Option<$document>, ProcessError> {
                self.read($file)
            }

            #[doc = concat!("Writes `", $file, "`.")]
            #[allow(dead_code, reason = "the shim writes some of them, the server others")]
            pub(super) fn $write(&self, document: &$document) -> Result<(), ProcessError> {
                self.write($file, document)
            }
        )+}
    };
}

documents! {
    "order.json": order, write_order, OrderFile;
    "shim.json": shim, write_shim, Shim;
    "runtime.json": group, write_group, Group;
    "address.json": address, write_address, Address;
    "ready.json": ready, write_ready, Marked;
    "golden.json": golden, write_golden, Verdict;
    "draining.json": draining, write_draining, Marked;
    "exit.json": exit, write_exit, Exit;
}

impl Folder {
    /// The folder of `id`.
    pub(super) fn of(state: &Path, id: &InstanceId) -> Self {
        // What is behind the last point is the number, so that no two instances have one folder.
        let name = format!("{}.{}", id.deployment, id.number);
        Self::at(instances(state).join(name))
    }

    pub(super) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Every instance's.
    pub(super) fn all(state: &Path) -> Result<Vec<Self>, ProcessError> {
        let place = instances(state);
        let read = || FileError::at("read", &place);
        let entries = match fs::read_dir(&place) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(read()(error).into()),
        };
        let mut all = Vec::new();
        for entry in entries {
            all.push(entry.map_err(read())?.path());
        }
        all.sort();
        Ok(all.into_iter().map(Self::at).collect())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Makes the folder and locks it, for a shim that is to be started.
    pub(super) async fn locked(&self) -> Result<File, ProcessError> {
        atomic::create_folder(&self.path)?;
        let lock = lock::take(&self.lock()).await?;
        lock.ok_or_else(|| ProcessError::Unending {
            folder: self.path.clone(),
        })
    }

    /// Whether its shim lives.
    pub(super) fn is_alive(&self) -> Result<bool, ProcessError> {
        Ok(lock::is_held(&self.lock())?)
    }

    fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// Forgets the instance: its order first, without which it is none.
    pub(super) fn remove(&self) -> Result<(), ProcessError> {
        atomic::remove(&self.path.join("order.json"))?;
        Ok(fs::remove_dir_all(&self.path).map_err(FileError::at("remove", &self.path))?)
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ProcessError> {
        let path = self.path.join(name);
        let Some(bytes) = atomic::read_if_there(&path, MAX_BYTES)? else {
            return Ok(None);
        };
        let document = serde_json::from_slice(&bytes);
        document
            .map(Some)
            .map_err(|source| ProcessError::State { path, source })
    }

    fn write<T: Serialize>(&self, name: &str, document: &T) -> Result<(), ProcessError> {
        let bytes = serde_json::to_vec(document).expect("its keys are texts");
        Ok(atomic::write(
            &self.path.join(name),
            &bytes,
            Readers::Owner,
        )?)
    }
}
