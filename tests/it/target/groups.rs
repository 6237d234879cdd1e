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
use super::process::{begun, failed, id, order, seen, server, server_of, signal, stubborn};
use crate::harness::{Sandbox, in_time_of_tasks};

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
    use std::os::unix::fs::PermissionsExt as _;
    for groups in kinds() {
        let sandbox = Sandbox::new();
        let limited = groups.limiting().memory;
        let server = server_of(&sandbox, env!("CARGO_BIN_EXE_modelyard"), groups);
        let number = sandbox.path("number");
        let program = |text: &str| {
            let program = sandbox.write("own/server", text);
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
            program.parent().unwrap().to_owned()
        };
        // In a session of its own, out of the reach of signals to the runtime's.
        let leaving = format!(
            "#!/bin/sh\nsetsid sh -c 'echo $$ > \"{}\"; exec sleep 1000' &\nexec sleep 1000\n",
            number.display()
        );
        let leaving = order(1, &program(&leaving), "command", json!({}));
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
        let eating = order(1, &program(eating), "command", json!({"memory": "128Mi"}));
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
