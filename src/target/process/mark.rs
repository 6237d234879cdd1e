//! The mark by which everything that a runtime started is found, on hosts without control groups.
//!
//! It is a variable, `MODELYARD_INSTANCE`, whose value is the instance's folder: no other instance
//! ever has that. What a runtime starts inherits it, whatever session it moves to; only who gives
//! its own children another environment escapes.

/// The variable.
pub(super) const VARIABLE: &str = "MODELYARD_INSTANCE";

/// How often it is looked for more: what is killed may have started something a moment before.
#[cfg(target_os = "linux")]
const LOOKS: usize = 10;
/// The largest environment that is read: what the kernel takes of all variables and arguments,
/// where the stack may be as large as it is by default.
#[cfg(target_os = "linux")]
const MAX_ENVIRONMENT_BYTES: u64 = 2 * 1024 * 1024;

/// Ends by force all processes of this user that have this mark.
#[cfg(target_os = "linux")]
pub(super) fn kill(mark: &str) {
    for _ in 0..LOOKS {
        if kill_once(mark) == 0 {
            return;
        }
    }
}

/// Elsewhere nobody tells the variables of processes.
#[cfg(not(target_os = "linux"))]
pub(super) fn kill(_: &str) {}

/// Kills those that are there; returns how many.
#[cfg(target_os = "linux")]
fn kill_once(mark: &str) -> usize {
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
    let mut killed = 0;
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let process = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let Some(process) = process.and_then(Pid::from_raw) else {
            continue;
        };
        // Held before it is looked at: what is killed is what was looked at.
        let Ok(held) = pidfd_open(process, PidfdFlags::empty()) else {
            continue;
        };
        if has_mark(&entry.path(), mark) && pidfd_send_signal(&held, Signal::KILL).is_ok() {
            killed += 1;
        }
    }
    killed
}

/// Whether the process has the mark. One that ended has no variables any more.
#[cfg(target_os = "linux")]
fn has_mark(process: &std::path::Path, mark: &str) -> bool {
    use crate::platform::atomic;
    let Ok(variables) = atomic::read_at_most(&process.join("environ"), MAX_ENVIRONMENT_BYTES)
    else {
        return false;
    };
    let mut variables = variables.split(|byte| *byte == 0);
    variables.any(|variable| {
        let value = variable.strip_prefix(VARIABLE.as_bytes());
        value.and_then(|value| value.strip_prefix(b"=")) == Some(mark.as_bytes())
    })
}
