//! How much memory one large file takes on its way.

use std::fs::{self, File};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crate::harness::registry::Distribution;
use crate::harness::{Run, Sandbox};

const SIZE_BYTES: u64 = 4 << 30;

/// How often the kernel is asked for the high-water mark, which never falls: what is missed is
/// only what the last moment added.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What a push and a pull of it took at most, in MiB.
pub(crate) fn of_one_large_file() -> Vec<(&'static str, u64)> {
    let sandbox = Sandbox::new();
    let registry = Distribution::start();
    let path = sandbox.path("large.bin");
    let file = File::create(&path).expect("a fresh sandbox can be filled");
    // A hole: reading it is as good as reading anything else.
    file.set_len(SIZE_BYTES).expect("the disk has room");
    let reference = format!("{}/vision/large:1.0.0", registry.host());
    let push = peak_mib(sandbox.modelyard(["push", "large.bin", &reference]));
    let pull = peak_mib(sandbox.modelyard(["pull", &reference, "pulled"]));
    let pulled = fs::metadata(sandbox.path("pulled/large.bin"));
    assert_eq!(pulled.expect("it was pulled").len(), SIZE_BYTES);
    vec![("push", push), ("pull", pull)]
}

fn peak_mib(run: Run) -> u64 {
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
