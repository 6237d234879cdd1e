//! `modelyard serve` and what goes with it, with real runtimes, real clients and real kills.

mod analyses;
mod asking;
mod bad;
#[cfg(feature = "real-tools")]
mod beside;
#[cfg(feature = "real-tools")]
mod clients;
#[cfg(feature = "real-tools")]
mod commands;
#[cfg(feature = "real-tools")]
mod full;
mod killed;
mod past;
#[cfg(feature = "real-tools")]
mod programs;
mod pull_requests;
mod rewritten;
mod rollouts;
mod shapes;
#[cfg(feature = "real-tools")]
mod side_by_side;
mod stage;

use std::fs;

use insta::assert_snapshot;
use stage::{Clients, Stage, request};
use walkdir::WalkDir;

use crate::harness::Sandbox;

/// Every file of the state but what only says that somebody is there, with when it was written.
fn written(stage: &Stage<'_>) -> Vec<(std::path::PathBuf, std::time::SystemTime)> {
    let files = WalkDir::new(stage.state()).sort_by_file_name();
    let files = files.into_iter().map(Result::unwrap);
    let files = files.filter(|entry| entry.path().extension().is_none_or(|kind| kind != "log"));
    files
        .map(|entry| {
            let at = entry.metadata().unwrap().modified().unwrap();
            (entry.into_path(), at)
        })
        .collect()
}

#[test]
fn what_is_merged_serves_and_what_is_as_it_should_be_is_left_alone() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy("");
    let planned = stage.command(&["plan"]).run().success();
    assert!(
        planned
            .stdout
            .starts_with("digits: nothing -> vision/digits 1.0.0\n"),
        "{}",
        planned.stdout
    );
    stage.serve();
    stage.serves("1.0.0");
    let clients = Clients::ask(1, &stage.url());
    stage.wait(|| (clients.so_far().get("1.0.0").copied() > Some(20)).then_some(()));
    let before = written(&stage);
    // Some passes.
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(written(&stage), before);
    let answers = clients.end();
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["1.0.0"]);

    let planned = stage.command(&["plan"]).run().success();
    assert!(
        planned.stdout.starts_with("nothing is to be done\n"),
        "{}",
        planned.stdout
    );
    // Whether there is anything to do nobody knows whose main is away.
    let remote = ["remote", "set-url", "origin", "file:///nowhere"];
    let before = stage.yard.git(["remote", "get-url", "origin"]).run();
    stage.yard.git(remote).run().success();
    let planned = stage.command(&["plan"]).run().exits(1);
    assert!(
        planned.stdout.starts_with("main could not be read: "),
        "{}",
        planned.stdout
    );
    let remote = ["remote", "set-url", "origin", before.line()];
    stage.yard.git(remote).run().success();
    let told = stage.command(&["status"]).run().success();
    let (head, told) = told.stdout.split_once('\n').unwrap();
    assert!(
        head.starts_with("host  at ") && head.contains("  on 127.0.0.1:"),
        "{head}"
    );
    assert_snapshot!(told, @r#"
    DEPLOYMENT  HEALTH   WANTED               SERVES
    digits      healthy  vision/digits 1.0.0  vision/digits 1.0.0
    "#);
    let logs = stage.command(&["logs", "digits"]).run().success();
    assert_eq!(logs.stderr, "");

    // It is ended, and all that it ran with it; and begins again where it was.
    assert_eq!(stage.ends("-TERM"), Some(0));
    assert!(stage.runtimes().is_empty());
    let told = stage.command(&["status"]).run().exits(1);
    assert!(
        told.stdout.starts_with("nothing reconciles it now"),
        "{}",
        told.stdout
    );
    stage.serve();
    stage.serves("1.0.0");
}

#[test]
fn without_a_server_an_environment_is_made_what_main_says_once() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy("");
    let done = stage
        .command(&["reconcile", "--once", "--output", "json"])
        .run();
    let done = done.success().json();
    assert_eq!(done["isSettled"], true);
    assert_eq!(
        done["deployments"][0]["serving"][0]["version"],
        "vision/digits 1.0.0"
    );
    let runtimes = stage.runtimes();
    assert_eq!(runtimes.len(), 1);
    // A server takes over what runs.
    stage.serve();
    stage.serves("1.0.0");
    assert_eq!(stage.runtimes(), runtimes);
    let busy = stage.command(&["reconcile", "--once"]).run().exits(3);
    busy.says("error[state-folder-busy]");
}

#[test]
fn a_deployment_is_proposed_and_its_request_waits_until_it_serves() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.serve();
    let deploy = ["deploy", "vision/digits:champion", "--to", "host"];
    stage.yard.modelyard(deploy).run().success();
    stage.merge("deploy/host/digits");
    stage.nudge();
    // The route is there as soon as main is read: what comes from then on waits.
    stage.until(|_| true);
    let clients = Clients::ask(2, &stage.url());
    stage.serves("1.0.0");
    stage.wait(|| clients.so_far().contains_key("1.0.0").then_some(()));
    let answers = clients.end();
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["1.0.0"]);

    fs::remove_file(stage.yard.path("deployments/host/digits.yaml")).unwrap();
    stage.publish("diabetes", "1.0.0", "health/diabetes-progression");
    let deploy = ["deploy", "health/diabetes-progression", "--to", "host"];
    stage
        .yard
        .git(["checkout", "--quiet", "--", "."])
        .run()
        .success();
    stage.yard.modelyard(deploy).run().success();
    stage.merge("deploy/host/diabetes-progression");
    fs::remove_file(stage.yard.path("deployments/host/digits.yaml")).unwrap();
    stage.merge_all("digits are no longer needed");
    stage.nudge();
    stage.wait(|| {
        let status = stage.status();
        let deployments = status["deployments"].as_array()?;
        let is_it = deployments.len() == 1
            && deployments[0]["name"] == "diabetes-progression"
            && deployments[0]["health"] == "healthy";
        is_it.then_some(())
    });
    assert!(!request().is_empty());
}

#[test]
fn runtimes_are_not_given_what_the_server_knows() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy(
        "  runtime: {env: {COLOUR: green}, secrets: [{env: TOKEN, from: {env: OURS}}, {env: KEY, from: {secret: digits, key: key}}]}\n",
    );
    sandbox.write_home(".config/modelyard/secrets/digits/key", "filed\n");
    let given = [("OURS", "handed"), ("COSIGN_PASSWORD", "ours alone")];
    stage.serve_given(&[], &given);
    stage.serves("1.0.0");
    let [runtime] = stage.runtimes()[..] else {
        panic!("one runtime")
    };
    let variables = fs::read_to_string(format!("/proc/{runtime}/environ")).unwrap();
    let variables: Vec<&str> = variables.split('\0').collect();
    for wanted in ["COLOUR=green", "TOKEN=handed", "KEY=filed"] {
        assert!(variables.contains(&wanted), "{wanted}: {variables:?}");
    }
    let told = variables.join("\n");
    assert!(
        !told.contains("ours alone") && !told.contains("OURS"),
        "{told}"
    );
    // Nor is a secret in any file of the state.
    for file in WalkDir::new(stage.state()) {
        let file = file.unwrap();
        if file.file_type().is_file() {
            let text = fs::read(file.path()).unwrap();
            let text = String::from_utf8_lossy(&text);
            assert!(
                !text.contains("handed") && !text.contains("filed"),
                "{file:?}"
            );
        }
    }
}
