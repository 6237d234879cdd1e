//! Control groups, as far as this host has them: what is limited by them, and what ends with them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use modelyard::target::Target;
use modelyard::target::process::Groups;
use modelyard::target::process::cgroup::By;
use serde_json::{Value, json};

#[cfg(feature = "real-tools")]
use super::process::why;
use super::process::{
    begun, failed, id, modelyard, order, seen, server, server_of, signal, stubborn,
};
#[cfg(feature = "real-tools")]
use crate::harness::under_own_kernel;
use crate::harness::{Sandbox, in_time_of_tasks};

/// The variable that says that this host's groups have to limit memory and processors.
const ALL_LIMITS: &str = "MODELYARD_TEST_ALL_LIMITS";

/// The group of the instance that is ordered, as it is to be made; nothing where none can be.
fn group(sandbox: &Sandbox) -> Value {
    let order: Value =
        serde_json::from_str(&sandbox.read("state/instances/digits.1/order.json")).unwrap();
    order["command"]["group"].clone()
}

fn place(group: &Value) -> PathBuf {
    Path::new(group["path"].as_str().unwrap()).to_owned()
}

fn runs(process: u32) -> bool {
    // A process that nobody has asked for yet how it ended has no command.
    fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|line| !line.is_empty())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runtime_is_in_a_group_of_its_own_with_its_limits() {
    let sandbox = Sandbox::new();
    let groups = Groups::find();
    let server = server(&sandbox, stubborn(&sandbox));
    let process = begun(&sandbox, &server).await;
    let group = group(&sandbox);
    let limiting = groups.limiting();
    if group.is_null() {
        assert_eq!((limiting.memory, limiting.cpu), (By::Process, By::Threads));
        assert!(limiting.why.is_some());
    } else {
        let place = place(&group);
        let name = place.file_name().unwrap().to_str().unwrap();
        let its = fs::read_to_string(format!("/proc/{process}/cgroup")).unwrap();
        assert!(
            its.lines()
                .any(|line| line.starts_with("0::") && line.ends_with(name)),
            "{its}"
        );
        let ours = fs::read_to_string("/proc/self/cgroup").unwrap();
        assert!(!ours.contains(name), "{ours}");
        server.stop(&id(1)).await.unwrap();
        assert!(!place.exists() && !runs(process));
    }
    server.stop(&id(1)).await.unwrap();

    let limited = order(
        1,
        &sandbox.path("none"),
        "onnx",
        json!({"cpu": "500m", "memory": "64Mi"}),
    );
    server.start(&limited).await.unwrap();
    let group = self::group(&sandbox);
    let limit = |by: By, amount: u64| match by {
        By::ControlGroup => json!(amount),
        _ => Value::Null,
    };
    assert_eq!(group["memoryBytes"], limit(limiting.memory, 64 << 20));
    assert_eq!(group["cpuMilli"], limit(limiting.cpu, 500));
    server.stop(&id(1)).await.unwrap();
}

/// A version whose program is this script.
fn program(sandbox: &Sandbox, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let program = sandbox.write("own/server", text);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program.parent().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_more_than_its_share_of_processors_waits() {
    let sandbox = Sandbox::new();
    let groups = Groups::find();
    let limiting = groups.limiting();
    let (memory, cpu) = (limiting.memory, limiting.cpu);
    if std::env::var_os(ALL_LIMITS).is_some() {
        let all = (By::ControlGroup, By::ControlGroup);
        assert_eq!((memory, cpu), all, "{:?}", limiting.why);
    }
    let server = server_of(&sandbox, modelyard(), groups);
    let files = program(&sandbox, "#!/bin/sh\nwhile :; do :; done\n");
    let busy = order(1, &files, "command", json!({"cpu": "100m"}));
    server.start(&busy).await.unwrap();
    if cpu == By::ControlGroup {
        let told = place(&group(&sandbox)).join("cpu.stat");
        let began = Instant::now();
        let waits = || {
            let told = fs::read_to_string(&told).unwrap_or_default();
            let mut counts = told.lines().filter_map(|line| line.split_once(' '));
            counts.any(|(name, count)| name == "nr_throttled" && count != "0")
        };
        while !waits() {
            in_time_of_tasks(began).await;
        }
    }
    server.stop(&id(1)).await.unwrap();
}

#[cfg(feature = "real-tools")]
#[test]
fn on_a_kernel_that_has_them_groups_limit_memory_and_processors() {
    let sandbox = Sandbox::new();
    let tests = std::env::current_exe().unwrap();
    let line = format!(
        "env {ALL_LIMITS}=1 {} --test-threads=1 --skip on_a_kernel target::groups::",
        tests.display()
    );
    let ran = under_own_kernel(&sandbox, &line);
    let told = "Memory cgroup out of memory: Killed process";
    ran.prints(told)
        .prints("4 passed; 0 failed")
        .prints("ended with 0");
}

/// What this host has, and what every host has.
fn kinds() -> [Groups; 2] {
    [Groups::find(), Groups::none("a test wants none")]
}

/// Waits until a process is gone that was killed.
async fn gone(process: u32) {
    let began = Instant::now();
    while runs(process) {
        in_time_of_tasks(began).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shim_killed_before_it_told_of_its_runtime_leaves_nothing() {
    for groups in kinds() {
        let sandbox = Sandbox::new();
        let server = server_of(&sandbox, stubborn(&sandbox), groups);
        let process = begun(&sandbox, &server).await;
        signal(&sandbox, "-KILL");
        seen(&server, failed).await;
        // As if it had not come to that.
        fs::remove_file(sandbox.path("state/instances/digits.1/runtime.json")).unwrap();
        let group = group(&sandbox);
        assert!(runs(process));
        server.stop(&id(1)).await.unwrap();
        gone(process).await;
        assert!(group.is_null() || !place(&group).exists());
    }
}

#[cfg(feature = "real-tools")]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_program_started_ends_with_it_and_too_much_memory_is_told() {
    for groups in kinds() {
        let sandbox = Sandbox::new();
        let limited = groups.limiting().memory;
        let server = server_of(&sandbox, env!("CARGO_BIN_EXE_modelyard"), groups);
        let number = sandbox.path("number");
        // In a session of its own, out of the reach of signals to the runtime's.
        let leaving = format!(
            "#!/bin/sh\nsetsid sh -c 'echo $$ > \"{}\"; exec sleep 1000' &\nexec sleep 1000\n",
            number.display()
        );
        let leaving = order(1, &program(&sandbox, &leaving), "command", json!({}));
        server.start(&leaving).await.unwrap();
        let began = Instant::now();
        let process: u32 = loop {
            let read = fs::read_to_string(&number).unwrap_or_default();
            match read.trim().parse() {
                Ok(process) => break process,
                Err(_) => in_time_of_tasks(began).await,
            }
        };
        server.stop(&id(1)).await.unwrap();
        gone(process).await;

        let eating = "#!/usr/bin/env python3\neaten = []\nwhile True:\n    eaten.append(bytearray(1 << 20))\n";
        let eating = order(
            1,
            &program(&sandbox, eating),
            "command",
            json!({"memory": "128Mi"}),
        );
        server.start(&eating).await.unwrap();
        let ended = seen(&server, failed).await;
        let told = match limited {
            By::ControlGroup => "it took more than its 134217728 bytes of memory, and was killed",
            _ => "MemoryError",
        };
        assert!(why(&ended).contains(told), "{ended:?}");
        server.stop(&id(1)).await.unwrap();
    }
}
