//! Control groups (cgroup v2): what keeps a runtime, and all that it starts, within its limits.
//!
//! ```text
//! BASE/                               the group that was given to us, with nobody in it
//!   cgroup.subtree_control            cpu memory
//!   server/                           we ourselves, and the shims
//!   modelyard-STATE-DEPLOYMENT.NUMBER/
//!     memory.max, cpu.max, …          one runtime, and everything below it
//! ```
//!
//! The base is the group in which the server finds itself, if it is there alone: it then moves into
//! `server`, for a group whose children are limited must have nobody in it. A server that is in a
//! group `server` already is below its base. In a group that systemd made, systemd has to have
//! handed it over (`Delegate=`); the root of all groups needs none of this.
//!
//! Where there is no such group, or not with these controllers, memory is limited by the process
//! ([`By::Process`]), and processors by the number of threads; [`Limiting`] tells which, and why.
//!
//! Sources: the kernel's `Documentation/admin-guide/cgroup-v2.rst`, systemd's `CGROUP_DELEGATION.md`.

mod base;
mod group;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::platform::atomic;
use crate::record::Digest;
use crate::rollout::InstanceId;

pub(in crate::target::process) use group::{Group, Wanted};

/// The largest file of a control group's that is read: one line a process.
const MAX_BYTES: u64 = 1024 * 1024;

/// What limits runtimes on this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limiting {
    /// Their memory.
    pub memory: By,
    /// Their processors.
    pub cpu: By,
    /// Why it is not a control group, where it isn't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What limits one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum By {
    /// A control group, for the runtime with all that it starts.
    ControlGroup,
    /// The process: what it takes of memory for itself (`RLIMIT_DATA`), each process alone.
    Process,
    /// The number of threads that the runtime is told to have.
    Threads,
}

/// Where the groups of runtimes are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    base: Option<PathBuf>,
    limiting: Limiting,
}

impl Groups {
    /// No groups: processes are limited one by one.
    pub fn none(why: &str) -> Self {
        Self {
            base: None,
            limiting: Limiting {
                memory: By::Process,
                cpu: By::Threads,
                why: Some(why.to_owned()),
            },
        }
    }

    /// Those that this process can make. Where it has a group to itself, it moves into a group
    /// `server` below that, with the process that started it if that is this program, too.
    pub fn find() -> Self {
        let own = match base::own() {
            Ok(Some(own)) => own,
            Ok(None) => return Self::none("this host has no control groups of version 2"),
            Err(_) => return Self::none("this system has no control groups"),
        };
        Self::below(&own, &base::ours()).unwrap_or_else(|why| Self::none(&why))
    }

    /// Those that can be made by somebody who is in `own` with nobody but `ours`.
    fn below(own: &Path, ours: &[i32]) -> Result<Self, String> {
        let base = base::base(own, ours)?;
        let has = lines(&base.join("cgroup.controllers"));
        let has = has.map_err(|error| told(&base, &error))?;
        let controller = |name: &str| {
            if !has.iter().any(|one| one == name) {
                return Err(format!("it has no controller `{name}`"));
            }
            let enabled = put(&base.join("cgroup.subtree_control"), &format!("+{name}"));
            enabled.map_err(|error| format!("its controller `{name}` can't be used ({error})"))
        };
        let (memory, cpu) = (controller("memory"), controller("cpu"));
        let by = |possible: &Result<(), String>, other| match possible {
            Ok(()) => By::ControlGroup,
            Err(_) => other,
        };
        let lacks: Vec<String> = [&memory, &cpu]
            .into_iter()
            .filter_map(|one| one.as_ref().err().cloned())
            .collect();
        let why = format!(
            "of the control group {}: {}",
            base.display(),
            lacks.join(", ")
        );
        Ok(Self {
            limiting: Limiting {
                memory: by(&memory, By::Process),
                cpu: by(&cpu, By::Threads),
                why: (!lacks.is_empty()).then_some(why),
            },
            base: Some(base),
        })
    }

    /// What limits runtimes.
    pub fn limiting(&self) -> &Limiting {
        &self.limiting
    }

    /// The group of an instance whose state is in `state`.
    pub(super) fn wanted(
        &self,
        state: &Path,
        id: &InstanceId,
        memory_bytes: Option<u64>,
        cpu_milli: Option<u64>,
    ) -> Option<Wanted> {
        let base = self.base.as_ref()?;
        let name = format!("{}{}.{}", prefix(state), id.deployment, id.number);
        let by_group = |by: By| by == By::ControlGroup;
        Some(Wanted {
            path: base.join(name),
            memory_bytes: memory_bytes.filter(|_| by_group(self.limiting.memory)),
            cpu_milli: cpu_milli.filter(|_| by_group(self.limiting.cpu)),
        })
    }

    /// Removes the groups in which nobody is any more, of those whose state is in `state`: those
    /// of instances that nobody knows of.
    pub(super) fn sweep(&self, state: &Path) {
        let prefix = prefix(state);
        let entries = self.base.iter().filter_map(|base| fs::read_dir(base).ok());
        for entry in entries.flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                // The system removes none in which somebody is.
                let _ = fs::remove_dir(entry.path());
            }
        }
    }
}

/// How the groups of a server's instances begin: two servers may have one base.
fn prefix(state: &Path) -> String {
    let digest = Sha256::digest(state.as_os_str().as_encoded_bytes());
    format!("modelyard-{}-", Digest::from_bytes(digest.into()).short())
}

fn told(group: &Path, error: &io::Error) -> String {
    format!(
        "the control group {} can't be used ({error})",
        group.display()
    )
}

/// Writes a file of the kernel's, which takes each write as a word to it.
fn put(file: &Path, text: &str) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    options.open(file)?.write_all(text.as_bytes())
}

fn make(group: &Path) -> io::Result<()> {
    match fs::create_dir(group) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// The words of a file.
fn lines(file: &Path) -> io::Result<Vec<String>> {
    let bytes = atomic::read_at_most(file, MAX_BYTES).map_err(|error| error.source)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.split_whitespace().map(str::to_owned).collect())
}

fn processes(group: &Path) -> io::Result<Vec<i32>> {
    let all = lines(&group.join("cgroup.procs"))?;
    Ok(all.iter().filter_map(|one| one.parse().ok()).collect())
}

/// The number behind a key of a flat-keyed file.
fn number(file: &Path, key: &str) -> Option<u64> {
    let words = lines(file).ok()?;
    let at = words.iter().position(|word| word == key)?;
    words.get(at + 1)?.parse().ok()
}
