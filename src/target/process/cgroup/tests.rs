//! Against text and folders that look like the kernel's.

use std::fs;
use std::path::{Path, PathBuf};

use super::base::place;
use super::*;

const MOUNTS: &str = "\
23 1 0:22 / /sys rw - sysfs sysfs rw
31 23 0:28 / /sys/fs/cgroup ro,nosuid shared:4 - tmpfs tmpfs ro,mode=755
41 31 0:38 / /sys/fs/cgroup/unified rw shared:9 master:2 - cgroup2 cgroup2 rw,nsdelegate
";

#[test]
fn our_group_is_found_by_what_the_system_tells() {
    let own = "4:memory:/old\n0::/system.slice/modelyard.service\n";
    let at = "/sys/fs/cgroup/unified/system.slice/modelyard.service";
    assert_eq!(place(MOUNTS, own).unwrap(), Path::new(at));
    // A container sees a part of the groups, by the name that it has outside.
    let inside = "9 1 0:38 /pod/ours /sys/fs/cgroup rw - cgroup2 none rw\n";
    let found = place(inside, "0::/pod/ours/x\n").unwrap();
    assert_eq!(found, Path::new("/sys/fs/cgroup/x"));
    assert_eq!(place(inside, "0::/other\n"), None);
    assert_eq!(place(MOUNTS, "4:memory:/old\n"), None);
    assert_eq!(
        place("31 23 0:28 / /a rw - cgroup cgroup rw,cpu\n", own),
        None
    );
}

/// A folder like that of a control group with these controllers, and these processes in it.
fn group(place: &Path, controllers: &str, processes: &str) -> PathBuf {
    fs::create_dir_all(place).unwrap();
    for (file, text) in [
        ("cgroup.events", "populated 1\n"),
        ("cgroup.controllers", controllers),
        ("cgroup.procs", processes),
    ] {
        fs::write(place.join(file), text).unwrap();
    }
    place.to_owned()
}

fn read(group: &Path, file: &str) -> String {
    fs::read_to_string(group.join(file)).unwrap()
}

#[test]
fn a_group_that_is_ours_alone_is_the_base_and_we_move_out_of_it() {
    let place = tempfile::tempdir().unwrap();
    let own = group(&place.path().join("ours"), "cpu memory pids", "7\n");
    let groups = Groups::below(&own, &[7, 8]).unwrap();
    assert_eq!(groups.base.as_ref(), Some(&own));
    assert_eq!(read(&own.join("server"), "cgroup.procs"), "7");
    let all = |memory, cpu, why| Limiting { memory, cpu, why };
    let both = all(By::ControlGroup, By::ControlGroup, None);
    assert_eq!(*groups.limiting(), both);

    // The next server begins where that one moved to.
    fs::write(own.join("cgroup.procs"), "").unwrap();
    let leaf = group(&own.join("server"), "", "7\n9\n");
    assert_eq!(Groups::below(&leaf, &[7]).unwrap(), groups);
    // A group of that name below one that others are in is like any other.
    fs::write(own.join("cgroup.procs"), "3\n").unwrap();
    let shared = Groups::below(&leaf, &[7]).unwrap_err();
    assert!(shared.starts_with("other processes are in"), "{shared}");

    fs::write(own.join("cgroup.procs"), "").unwrap();
    fs::write(own.join("cgroup.controllers"), "pids memory\n").unwrap();
    let part = Groups::below(&leaf, &[7]).unwrap();
    let why = format!(
        "of the control group {}: it has no controller `cpu`",
        own.display()
    );
    assert_eq!(
        *part.limiting(),
        all(By::ControlGroup, By::Threads, Some(why))
    );
}

#[test]
fn the_root_of_all_groups_may_be_shared_and_systemds_have_to_be_handed_over() {
    let place = tempfile::tempdir().unwrap();
    let root = group(&place.path().join("root"), "cpu memory", "1\n2\n");
    fs::remove_file(root.join("cgroup.events")).unwrap();
    let groups = Groups::below(&root, &[7]).unwrap();
    assert_eq!(groups.base, Some(root));
    let service = group(&place.path().join("a.service"), "cpu memory", "7\n");
    let found = Groups::below(&service, &[7]);
    // Only root could write into one that was not.
    assert_eq!(found.is_err(), rustix::process::geteuid().is_root());
    if let Err(why) = found {
        assert!(why.starts_with("systemd has not handed over"), "{why}");
    }
}

#[test]
fn limits_are_written_as_the_kernel_reads_them() {
    let place = tempfile::tempdir().unwrap();
    let base = group(&place.path().join("ours"), "cpu memory", "7\n");
    let groups = Groups::below(&base, &[7]).unwrap();
    let id: InstanceId = serde_json::from_str(r#"{"deployment": "digits", "number": 3}"#).unwrap();
    let state = Path::new("/state");
    let wanted = groups
        .wanted(state, &id, Some(1 << 30), Some(1500))
        .unwrap();
    let name = wanted.path.file_name().unwrap().to_str().unwrap();
    assert!(
        name.starts_with("modelyard-") && name.ends_with("-digits.3"),
        "{name}"
    );
    let made = Group::make(&wanted).unwrap();
    assert_eq!(read(&wanted.path, "memory.max"), "1073741824");
    assert_eq!(read(&wanted.path, "memory.oom.group"), "1");
    assert_eq!(read(&wanted.path, "cpu.max"), "150000 100000");
    let little = Wanted {
        cpu_milli: Some(1),
        ..wanted.clone()
    };
    Group::make(&little).unwrap();
    assert_eq!(read(&wanted.path, "cpu.max"), "1000 100000");

    assert!(!made.ran_out_of_memory());
    let events = "low 0\nhigh 0\nmax 12\noom 1\noom_kill 0\noom_group_kill 0\n";
    fs::write(wanted.path.join("memory.events"), events).unwrap();
    assert!(!made.ran_out_of_memory());
    fs::write(
        wanted.path.join("memory.events"),
        events.replace("oom_kill 0", "oom_kill 2"),
    )
    .unwrap();
    assert!(made.ran_out_of_memory());

    // Empty ones go, of this state alone.
    let empty = [
        wanted.path.with_extension("9"),
        base.join("modelyard-other"),
    ];
    for group in &empty {
        fs::create_dir(group).unwrap();
    }
    groups.sweep(state);
    assert_eq!(empty.map(|group| group.exists()), [false, true]);
    assert!(wanted.path.exists());
}

#[test]
fn without_groups_it_is_said_why() {
    let groups = Groups::none("this host has none");
    let id = serde_json::from_str(r#"{"deployment": "digits", "number": 3}"#).unwrap();
    assert_eq!(
        groups.wanted(Path::new("/state"), &id, Some(1), Some(1)),
        None
    );
    let told = serde_json::to_string(groups.limiting()).unwrap();
    assert_eq!(
        told,
        r#"{"memory":"process","cpu":"threads","why":"this host has none"}"#
    );
}
