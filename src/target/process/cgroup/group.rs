//! One runtime's group: made, entered, and ended.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::super::ProcessError;
use super::{base, make, number, processes, put};
use crate::platform::atomic::FileError;
use crate::platform::retry::Policy;

/// The time of which `cpu.max` is a share, in microseconds: the kernel's default.
const PERIOD: u64 = 100_000;
/// The least share that the kernel takes, in microseconds.
const LEAST_QUOTA: u64 = 1000;
/// How often it is looked whether those that were killed are gone: soon at first, as most are.
const LOOKS: Policy = Policy {
    attempts: 40,
    first_wait: Duration::from_millis(2),
    longest_wait: Duration::from_millis(250),
};

/// A runtime's group, as it is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::target::process) struct Wanted {
    /// Its folder.
    pub(in crate::target::process) path: PathBuf,
    /// The most memory; nothing where groups can't limit it here, or it has no limit.
    pub(in crate::target::process) memory_bytes: Option<u64>,
    /// The most processors, in thousandths; the same.
    pub(in crate::target::process) cpu_milli: Option<u64>,
}

/// A runtime's group.
#[derive(Debug, Clone)]
pub(in crate::target::process) struct Group(PathBuf);

impl Group {
    pub(in crate::target::process) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Makes it, with its limits; one that is there already gets them anew.
    pub(in crate::target::process) fn make(wanted: &Wanted) -> io::Result<Self> {
        make(&wanted.path)?;
        let group = Self(wanted.path.clone());
        if let Some(bytes) = wanted.memory_bytes {
            group.write("memory.max", &bytes.to_string())?;
            // One process of a runtime is of no use without the others.
            group.write("memory.oom.group", "1")?;
            // What may be had twice over on disk is no limit; not every host has swap.
            let _ = group.write("memory.swap.max", "0");
        }
        if let Some(milli) = wanted.cpu_milli {
            let quota = milli.saturating_mul(PERIOD / 1000).max(LEAST_QUOTA);
            group.write("cpu.max", &format!("{quota} {PERIOD}"))?;
        }
        Ok(group)
    }

    fn write(&self, file: &str, text: &str) -> io::Result<()> {
        put(&self.0.join(file), text)
    }

    /// Goes in with the whole of this process, does `work` there, and goes back where it was: what
    /// `work` starts is in the group from its first instruction.
    pub(in crate::target::process) fn within<T>(
        &self,
        work: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        let home = Self(base::own()?.ok_or(io::ErrorKind::NotFound)?);
        let own = std::process::id().to_string();
        self.write("cgroup.procs", &own)?;
        let done = work();
        home.write("cgroup.procs", &own)?;
        done
    }

    /// Whether the system ended somebody in it for want of memory.
    pub(in crate::target::process) fn ran_out_of_memory(&self) -> bool {
        number(&self.0.join("memory.events"), "oom_kill").is_some_and(|kills| kills > 0)
    }

    /// Ends everybody in it by force, and removes it. One that is not there is fine.
    ///
    /// # Errors
    /// If somebody is still in it after a while, or it can't be removed.
    pub(in crate::target::process) async fn end(&self) -> Result<(), ProcessError> {
        let gone = || async {
            self.kill();
            match fs::remove_dir(&self.0) {
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                    let folder = self.0.clone();
                    Err(ProcessError::Unending { folder })
                }
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(FileError::at("remove", &self.0)(error).into())
                }
                _ => Ok(()),
            }
        };
        LOOKS.run(gone).await
    }

    fn kill(&self) {
        // Linux 5.14 and newer: all at once, whatever they start meanwhile.
        if self.write("cgroup.kill", "1").is_ok() {
            return;
        }
        for process in processes(&self.0).unwrap_or_default() {
            if let Some(process) = Pid::from_raw(process) {
                let _ = kill_process(process, Signal::KILL);
            }
        }
    }
}
