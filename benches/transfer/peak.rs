//! How much memory a program has at most.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crate::harness::Run;

/// How often the kernel is asked for the high-water mark, which never falls: what is missed is
/// only what the last moment added.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The most memory that `run` had, in MiB.
pub(crate) fn mib(run: Run) -> u64 {
    let mut command = run.into_command();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    while child.try_wait().expect("a child can be asked").is_none() {
        peak_kib = peak_kib.max(high_water_kib(&status).unwrap_or(0));
        thread::sleep(LOOK_EVERY);
    }
    let ended = child.wait().expect("a child can be awaited");
    assert!(ended.success(), "it failed: {ended}");
    assert!(peak_kib > 0, "the kernel tells no high-water mark");
    peak_kib.div_ceil(1024)
}

fn high_water_kib(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
