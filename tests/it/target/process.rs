//! The process target: real shims, real runtimes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use modelyard::platform::clock::SystemClock;
use modelyard::record::kind::{GoldenTest, ResourceAmounts};
use modelyard::rollout::{Choice, Claim, Content, Golden, InstanceId, Part, Phase, Release, Unit};
use modelyard::target::process::{Ground, Groups, Processes};
use modelyard::target::runtime::Client;
use modelyard::target::{Order, Recipe, Running, Target};
use serde_json::{Value, json};

use super::runtime::running::{request, sample};
use crate::harness::{Sandbox, in_time_of_tasks};

/// The processes of a server that was just started, which is `program`.
pub(super) fn server(sandbox: &Sandbox, program: impl Into<PathBuf>) -> Processes {
    server_of(sandbox, program, Groups::find())
}

/// The same, with these control groups.
pub(super) fn server_of(
    sandbox: &Sandbox,
    program: impl Into<PathBuf>,
    groups: Groups,
) -> Processes {
    Processes::new(Ground {
        state: sandbox.path("state"),
        program: program.into(),
        grace: Duration::from_secs(1),
        clock: Arc::new(SystemClock),
        secrets: Arc::new(|_| None),
        environment: std::env::vars_os().collect(),
        groups,
    })
}

pub(super) fn modelyard() -> &'static str {
    env!("CARGO_BIN_EXE_modelyard")
}

/// An order for `files`, to be served as `runtime` says.
pub(super) fn order(number: u64, files: &Path, runtime: &str, limits: Value) -> Order {
    let spec = json!({
        "artifact": {"repository": "oci-layout:./store", "digest": format!("sha256:{:064}", 1)},
        "format": {"name": "onnx"},
        "runtime": {"name": runtime},
        "entrypoint": (runtime == "command").then(|| json!({"file": "server"})),
    });
    let limits: ResourceAmounts = serde_json::from_value(limits).unwrap();
    // Whatever is built on the way stays in the sandbox.
    let cache = files.with_file_name("cache");
    let said = serde_json::from_value(json!({"env": {"MODELYARD_CACHE": cache}})).unwrap();
    let spec = serde_json::from_value(spec).unwrap();
    let recipe = Recipe::of(&spec, Some(&said), Some(&limits)).unwrap();
    let unit = Unit {
        content: Content::Model(Release {
            model: "vision/digits".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            digest: format!("sha256:{:064}", 1).parse().unwrap(),
        }),
        launch: recipe.launch(),
        claim: Claim::default(),
        tests: 0,
    };
    Order {
        id: id(number),
        choice: Arc::new(Choice::new(100, unit, Vec::new(), Vec::new(), None)),
        part: Part::Model,
        files: files.to_owned(),
    }
}

pub(super) fn id(number: u64) -> InstanceId {
    InstanceId {
        deployment: "digits".parse().unwrap(),
        number,
    }
}

/// The only instance, once it is as it is looked for.
pub(super) async fn seen(server: &Processes, wanted: impl Fn(&Running) -> bool) -> Running {
    let began = Instant::now();
    loop {
        let all = server.observe().await.unwrap();
        assert!(all.len() <= 1, "{all:?}");
        if let Some(found) = all.into_iter().find(&wanted) {
            return found;
        }
        in_time_of_tasks(began).await;
    }
}

pub(super) fn failed(running: &Running) -> bool {
    matches!(running.phase, Phase::Failed { .. })
}

pub(super) fn why(running: &Running) -> &str {
    match &running.phase {
        Phase::Failed { why } => why,
        other => panic!("{other:?}"),
    }
}

/// Sends a signal to the shim of the instance.
pub(super) fn signal(sandbox: &Sandbox, signal: &str) {
    let shim: Value =
        serde_json::from_str(&sandbox.read("state/instances/digits.1/shim.json")).unwrap();
    let status = std::process::Command::new("kill")
        .args([signal, &shim["process"].to_string()])
        .status();
    assert!(status.unwrap().success());
}

async fn answers(running: &Running) -> bool {
    let endpoint = running.endpoint.as_ref().unwrap();
    Client::direct(endpoint.address)
        .unwrap()
        .ready()
        .await
        .is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_serves_is_found_again_by_a_server_that_was_killed() {
    let sandbox = Sandbox::new();
    let first = server(&sandbox, modelyard());
    let order = order(
        1,
        &sample("digits/1.0.0"),
        "onnx",
        json!({"cpu": "1", "memory": "1Gi"}),
    );
    first.start(&order).await.unwrap();
    let ready = seen(&first, |running| running.phase == Phase::Ready).await;
    assert_eq!(ready.choice, order.choice);
    assert_eq!(ready.endpoint.as_ref().unwrap().model, "digits");
    // Once more: nothing changes.
    first.start(&order).await.unwrap();
    drop(first);

    let second = server(&sandbox, modelyard());
    let found = seen(&second, |running| running.phase == Phase::Ready).await;
    assert_eq!(
        (found.endpoint, found.since),
        (ready.endpoint.clone(), ready.since)
    );

    let good: GoldenTest = serde_json::from_value(json!({
        "name": "a three",
        "request": serde_json::from_str::<Value>(&request("digits/1.0.0/requests/a-three.json")).unwrap(),
        "expect": {"outputs": [{"name": "label", "data": [3]}]},
    }))
    .unwrap();
    second
        .test(&id(1), std::slice::from_ref(&good))
        .await
        .unwrap();
    seen(&second, |running| running.golden == Golden::Passed).await;
    let third = server(&sandbox, modelyard());
    assert_eq!(third.observe().await.unwrap()[0].golden, Golden::Passed);

    third.drain(&id(1)).await.unwrap();
    let draining = seen(&third, |running| running.phase == Phase::Draining).await;
    assert!(answers(&draining).await);
    third.stop(&id(1)).await.unwrap();
    assert!(third.observe().await.unwrap().is_empty());
    assert!(!answers(&draining).await);
    // And once more.
    third.stop(&id(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn golden_tests_that_fail_are_told() {
    let sandbox = Sandbox::new();
    let server = server(&sandbox, modelyard());
    server
        .start(&order(1, &sample("digits/1.0.0"), "onnx", json!({})))
        .await
        .unwrap();
    seen(&server, |running| running.phase == Phase::Ready).await;
    let wrong: GoldenTest = serde_json::from_value(json!({
        "name": "a three",
        "request": serde_json::from_str::<Value>(&request("digits/1.0.0/requests/a-three.json")).unwrap(),
        "expect": {"outputs": [{"name": "label", "data": [4]}]},
    }))
    .unwrap();
    server.test(&id(1), &[wrong]).await.unwrap();
    let tested = seen(&server, |running| {
        matches!(running.golden, Golden::Failed { .. })
    })
    .await;
    let why = "a three: output `label`: element 0 is 3, and 4 was expected (1 of 1 differ)";
    assert_eq!(
        tested.golden,
        Golden::Failed {
            why: why.to_owned()
        }
    );
    server.stop(&id(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_run_has_failed_and_says_why() {
    let sandbox = Sandbox::new();
    let server = server(&sandbox, modelyard());
    let broken = sandbox.write("broken/model.onnx", "not one");
    let broken = order(1, broken.parent().unwrap(), "onnx", json!({}));
    server.start(&broken).await.unwrap();
    let running = seen(&server, failed).await;
    assert!(
        why(&running).starts_with("it ended (exit status: 2)"),
        "{running:?}"
    );
    assert!(why(&running).contains("error[not-onnx]"), "{running:?}");
    server.stop(&id(1)).await.unwrap();
    // Its log stays.
    let log = std::fs::read_to_string(server.log(&id(1))).unwrap();
    assert!(log.contains("error[not-onnx]"), "{log}");

    let other = order(1, &sample("digits/1.0.0"), "triton", json!({}));
    server.start(&other).await.unwrap();
    let running = seen(&server, failed).await;
    assert!(why(&running).contains("the runtime `triton` can't be started here"));
    server.stop(&id(1)).await.unwrap();

    let poor = order(1, &sample("digits/1.0.0"), "onnx", json!({"memory": "2Mi"}));
    server.start(&poor).await.unwrap();
    seen(&server, failed).await;
    server.stop(&id(1)).await.unwrap();
}

#[cfg(feature = "real-tools")]
#[tokio::test(flavor = "multi_thread")]
async fn what_runs_in_python_is_started_watched_and_ended_like_any_other() {
    let sandbox = Sandbox::new();
    let server = server(&sandbox, modelyard());
    let code = "def predict(inputs, parameters):\n    return {'y': [1]}\n";
    let files = sandbox.write("own/serve.py", code);
    let own = order(1, files.parent().unwrap(), "python", json!({"cpu": "1"}));
    server.start(&own).await.unwrap();
    let ready = seen(&server, |running| running.phase == Phase::Ready).await;
    signal(&sandbox, "-KILL");
    seen(&server, failed).await;
    let began = Instant::now();
    while answers(&ready).await {
        in_time_of_tasks(began).await;
    }
    server.stop(&id(1)).await.unwrap();

    sandbox.write("own/requirements.txt", "--no-index\nnothing-like-this==1\n");
    server.start(&own).await.unwrap();
    let broken = seen(&server, failed).await;
    assert!(
        why(&broken).contains("No matching distribution found"),
        "{broken:?}"
    );
    assert!(
        why(&broken).contains("error[environment-not-built]"),
        "{broken:?}"
    );
    server.stop(&id(1)).await.unwrap();
    // What the installation said stays in the log.
    let log = std::fs::read_to_string(server.log(&id(1))).unwrap();
    assert!(
        log.contains("building an environment of Python 3."),
        "{log}"
    );
}

#[cfg(feature = "real-tools")]
#[tokio::test(flavor = "multi_thread")]
async fn a_program_whose_shim_is_killed_is_killed_too() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    let server = server(&sandbox, modelyard());
    let number = sandbox.path("number");
    let program = format!(
        "#!/bin/sh\necho $$ > '{}'\nexec sleep 1000\n",
        number.display()
    );
    let program = sandbox.write("own/server", program);
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    server
        .start(&order(1, program.parent().unwrap(), "command", json!({})))
        .await
        .unwrap();
    let began = Instant::now();
    let process = loop {
        let read = std::fs::read_to_string(&number).unwrap_or_default();
        match read.trim().parse::<u32>() {
            Ok(process) => break process,
            Err(_) => in_time_of_tasks(began).await,
        }
    };
    signal(&sandbox, "-KILL");
    seen(&server, failed).await;
    let began = Instant::now();
    while Path::new(&format!("/proc/{process}/cmdline")).exists() {
        in_time_of_tasks(began).await;
    }
    server.stop(&id(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runtime_whose_shim_is_killed_ends_and_is_told() {
    let sandbox = Sandbox::new();
    let server = server(&sandbox, modelyard());
    server
        .start(&order(1, &sample("digits/1.0.0"), "onnx", json!({})))
        .await
        .unwrap();
    let ready = seen(&server, |running| running.phase == Phase::Ready).await;
    signal(&sandbox, "-KILL");
    let running = seen(&server, failed).await;
    assert_eq!(why(&running), "its shim was killed, or never started");
    let began = Instant::now();
    while answers(&ready).await {
        in_time_of_tasks(began).await;
    }
    server.stop(&id(1)).await.unwrap();
    assert!(server.observe().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runtime_that_does_not_heed_is_ended_by_force() {
    let sandbox = Sandbox::new();
    let program = stubborn(&sandbox);
    let server = server(&sandbox, program);
    let process = begun(&sandbox, &server).await;
    let starting = seen(&server, |running| running.phase == Phase::Starting).await;
    assert_eq!(starting.endpoint, None);
    server.stop(&id(1)).await.unwrap();
    assert!(!Path::new(&format!("/proc/{process}/cmdline")).exists());

    // Nor does it heed that its shim is gone.
    std::fs::remove_file(sandbox.path("process")).unwrap();
    let process = begun(&sandbox, &server).await;
    signal(&sandbox, "-KILL");
    seen(&server, failed).await;
    server.stop(&id(1)).await.unwrap();
    let began = Instant::now();
    while Path::new(&format!("/proc/{process}/cmdline")).exists() {
        in_time_of_tasks(began).await;
    }
}

/// This program, but for its runtimes, which heed nothing.
pub(super) fn stubborn(sandbox: &Sandbox) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let text = format!(
        "#!/bin/sh\n[ \"$2\" = shim ] && exec '{}' \"$@\"\ntrap '' TERM\n\
         echo $$ > '{}'\necho stubborn >&2\nwhile :; do sleep 0.1; done\n",
        modelyard(),
        sandbox.path("process").display()
    );
    let program = sandbox.write("program", text);
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program
}

/// Starts the instance, and waits until its runtime has told its number.
pub(super) async fn begun(sandbox: &Sandbox, server: &Processes) -> u32 {
    server
        .start(&order(1, &sample("digits/1.0.0"), "onnx", json!({})))
        .await
        .unwrap();
    let group = sandbox.path("state/instances/digits.1/runtime.json");
    let began = Instant::now();
    loop {
        let read = std::fs::read_to_string(sandbox.path("process")).unwrap_or_default();
        match read.trim().parse() {
            Ok(process) if group.exists() => return process,
            _ => in_time_of_tasks(began).await,
        }
    }
}
