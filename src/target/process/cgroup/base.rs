//! Which group is the base: the one that this process has to itself.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::process::{geteuid, getppid};

use super::{MAX_BYTES, make, processes, put, told};
use crate::platform::atomic;

/// Where we ourselves are, below the base.
const OURS: &str = "server";

/// The group that this process is in, if this system tells of one of version 2.
///
/// # Errors
/// If the system has no such files.
pub(super) fn own() -> io::Result<Option<PathBuf>> {
    let read = |path: &str| {
        let bytes = atomic::read_at_most(path.as_ref(), MAX_BYTES).map_err(|error| error.source)?;
        Ok::<_, io::Error>(String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok(place(
        &read("/proc/self/mountinfo")?,
        &read("/proc/self/cgroup")?,
    ))
}

/// The folder of the group that this process is in, by `/proc/self/mountinfo` and
/// `/proc/self/cgroup` (proc_pid_mountinfo(5), cgroups(7)).
pub(super) fn place(mounts: &str, own: &str) -> Option<PathBuf> {
    let own = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    mounts.lines().find_map(|line| {
        let (before, behind) = line.split_once(" - ")?;
        if behind.split(' ').next() != Some("cgroup2") {
            return None;
        }
        let mut fields = before.split(' ').skip(3);
        let (root, at) = (fields.next()?, fields.next()?);
        let below = Path::new(own).strip_prefix(root).ok()?;
        Some(Path::new(at).join(below))
    })
}

/// This process, and the one that started it if it is the same program.
pub(super) fn ours() -> Vec<i32> {
    let program = |process: &str| fs::read_link(format!("/proc/{process}/exe")).ok();
    let parent = getppid().map(|parent| parent.as_raw_nonzero().get());
    let parent = parent.filter(|parent| {
        let own = program("self");
        own.is_some() && program(&parent.to_string()) == own
    });
    let own = std::process::id().cast_signed();
    [Some(own), parent].into_iter().flatten().collect()
}

/// The group below which runtimes' groups can be made.
pub(super) fn base(own: &Path, ours: &[i32]) -> Result<PathBuf, String> {
    // Only the root of all groups has no such file; there everything may be.
    if !own.join("cgroup.events").exists() {
        probe(own)?;
        return Ok(own.to_owned());
    }
    if own.file_name().is_some_and(|name| name == OURS)
        && let Some(above) = own.parent()
        && processes(above).is_ok_and(|all| all.is_empty())
    {
        handed_over(above)?;
        probe(above)?;
        return Ok(above.to_owned());
    }
    handed_over(own)?;
    let others = processes(own).map_err(|error| told(own, &error))?;
    if others.iter().any(|process| !ours.contains(process)) {
        return Err(format!(
            "other processes are in the control group {}",
            own.display()
        ));
    }
    probe(own)?;
    let leaf = own.join(OURS);
    let moved = make(&leaf).and_then(|()| {
        let mut ours = others.iter();
        ours.try_for_each(|process| put(&leaf.join("cgroup.procs"), &process.to_string()))
    });
    moved.map_err(|error| told(&leaf, &error))?;
    Ok(own.to_owned())
}

/// Whether groups can be made there.
fn probe(base: &Path) -> Result<(), String> {
    let probe = base.join(format!("modelyard-probe-{}", std::process::id()));
    let made = fs::create_dir(&probe).and_then(|()| fs::remove_dir(&probe));
    made.map_err(|error| told(base, &error))
}

/// Whether systemd has handed the group over, where it is one of systemd's: root may write into
/// all of them, and has no business there. Others may write only where it was.
fn handed_over(group: &Path) -> Result<(), String> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let kind = group.extension().and_then(|kind| kind.to_str());
    if !matches!(kind, Some("service" | "scope" | "slice")) {
        return Ok(());
    }
    let says_so = |attribute: &str| {
        let mut value = [0; 8];
        let length = rustix::fs::getxattr(group, attribute, &mut value);
        length.is_ok_and(|length| value[..length] == *b"1")
    };
    if says_so("user.delegate") || says_so("trusted.delegate") {
        return Ok(());
    }
    Err(format!(
        "systemd has not handed over the control group {} (`Delegate=cpu memory`)",
        group.display()
    ))
}
