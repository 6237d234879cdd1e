//! New versions: by canary, by blue-green, held, sent back, and rolled back by themselves.

use super::stage::{CANARY, Clients, Stage};
use crate::harness::Sandbox;

#[test]
fn a_canary_moves_by_its_steps_and_no_request_fails() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy(CANARY);
    stage.serve();
    stage.serves("1.0.0");
    let clients = Clients::ask(4, &stage.url());
    stage.champion("1.1.0");
    stage.nudge();
    let weights = |one: &serde_json::Value| one["serving"][1]["weight"].clone();
    for (step, weight) in [(1, 25), (2, 50)] {
        let at = stage.until(|one| one["rollout"]["step"] == step && weights(one) == weight);
        assert_eq!(at["rollout"]["steps"], 3);
        assert_eq!(at["health"], "progressing");
    }
    stage.serves("1.1.0");
    let answers = clients.end();
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["1.0.0", "1.1.0"]);
}

#[test]
fn a_version_that_fails_its_golden_tests_never_serves_and_a_revert_says_why() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy(CANARY);
    stage.serve();
    stage.serves("1.0.0");
    let clients = Clients::ask(2, &stage.url());
    stage.champion("1.2.0");
    stage.nudge();
    let failed = stage.until(|one| one["failed"][0]["revert"].is_string());
    assert_eq!(failed["health"], "degraded");
    assert_eq!(failed["stable"], "vision/digits 1.0.0");
    assert_eq!(failed["desired"], "vision/digits 1.2.0");
    let told = stage.command(&["status"]).run().exits(1);
    assert!(
        told.stdout
            .contains("vision/digits 1.2.0 fails its golden tests"),
        "{}",
        told.stdout
    );

    // Only the line that chose the version is set back; merged, all is well again.
    let branch = failed["failed"][0]["revert"].as_str().unwrap();
    stage.yard.git(["fetch", "--quiet"]).run().success();
    let change = stage
        .yard
        .git(["diff", "--unified=0", "main", &format!("origin/{branch}")])
        .run()
        .success();
    let lines: Vec<_> = change
        .stdout
        .lines()
        .filter(|line| line.starts_with("+ ") || line.starts_with("- "))
        .collect();
    assert_eq!(lines, ["-    champion: 1.2.0", "+    champion: 1.0.0"]);
    let message = ["log", "-1", "--format=%B", &format!("origin/{branch}")];
    let message = stage.yard.git(message).run().success().stdout;
    assert!(
        message.contains("a zero: output `label`: element 0 is"),
        "{message}"
    );
    // Nobody tries again meanwhile.
    stage.until(|one| one["instances"].as_array().unwrap().len() == 1);
    stage.merge(&format!("origin/{branch}"));
    stage.nudge();
    stage.serves("1.0.0");
    let answers = clients.end();
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["1.0.0"]);
}

#[test]
fn a_person_pauses_goes_on_and_aborts_at_once() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy(
        "  strategy:\n    type: canary\n    steps: [{weight: 10, approval: true}, {weight: 50, for: 1h}]\n",
    );
    stage.serve();
    stage.serves("1.0.0");
    stage.champion("1.1.0");
    stage.nudge();
    let why = |one: &serde_json::Value, text: &str| {
        let all = one["why"].as_array();
        all.is_some_and(|all| all.iter().any(|why| why.as_str().unwrap().contains(text)))
    };
    let waiting = stage.until(|one| why(one, "step 1 has to be approved"));
    assert_eq!(waiting["health"], "waiting");
    let say = |word: &str| {
        let state = stage.state();
        let words = [
            "rollout",
            word,
            "digits",
            "--environment",
            "host",
            "--state",
        ];
        let words = words.into_iter().chain([state.to_str().unwrap()]);
        stage.yard.modelyard(words).run().success();
    };
    say("continue");
    stage.until(|one| one["rollout"]["step"] == 2 && one["serving"][1]["weight"] == 50);
    say("pause");
    stage.until(|one| why(one, "paused by hand at step 2"));
    say("abort");
    let aborted = stage
        .until(|one| one["rollout"].is_null() && one["serving"].as_array().unwrap().len() == 1);
    assert_eq!(aborted["stable"], "vision/digits 1.0.0");
    assert_eq!(aborted["desired"], "vision/digits 1.1.0");
}

#[test]
fn blue_and_green_switch_at_once_and_the_preview_is_there_before() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy(
        "  strategy:\n    type: blueGreen\n    steps: [{weight: 0, for: 2s}, {weight: 100, for: 1s}]\n",
    );
    stage.serve();
    stage.serves("1.0.0");
    let clients = Clients::ask(2, &stage.url());
    stage.champion("1.1.0");
    stage.nudge();
    stage.until(|one| one["rollout"]["step"] == 1 && one["rollout"]["since"].is_string());
    let before = clients.so_far();
    assert_eq!(before.keys().collect::<Vec<_>>(), ["1.0.0"]);
    stage.serves("1.1.0");
    let answers = clients.end();
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["1.0.0", "1.1.0"]);
}

#[test]
fn a_restart_replaces_what_runs_and_clears_what_is_held() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy("");
    stage.serve();
    stage.serves("1.0.0");
    let runtimes = stage.runtimes();
    let clients = Clients::ask(2, &stage.url());
    let restart = ["restart", "digits", "--environment", "host"];
    stage.yard.modelyard(restart).run().success();
    stage.merge("restart/host/digits");
    stage.nudge();
    stage.wait(|| {
        let now = stage.runtimes();
        (now.len() == 1 && now != runtimes).then_some(())
    });
    stage.serves("1.0.0");
    let answers = clients.end();
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["1.0.0"], "{answers:?}");
}
