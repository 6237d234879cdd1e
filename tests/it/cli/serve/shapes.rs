//! Deployments of every shape: several versions at once, copies, an order, and what the environment
//! asks for.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::stage::{Clients, DEPLOYMENT, Stage};
use crate::harness::Sandbox;

fn why(one: &Value) -> String {
    one["why"].to_string()
}

#[test]
fn versions_that_are_split_answer_by_their_weights() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    let split = "  split:\n    - {model: vision/digits, version: 1.0.0, weight: 75}\n    - {model: vision/digits, version: 1.1.0, weight: 25}\n";
    let record = DEPLOYMENT.replace("  model: vision/digits\n  version: champion\n", split);
    stage.yard.write("deployments/host/digits.yaml", &record);
    stage.merge_all("Two at once");
    stage.serve();
    stage.until(|one| one["health"] == "healthy");
    let clients = Clients::ask(2, &stage.url());
    stage.wait(|| (clients.so_far().values().sum::<u64>() >= 400).then_some(()));
    let answers = clients.end();
    assert_eq!(
        answers.keys().collect::<Vec<_>>(),
        ["1.0.0", "1.1.0"],
        "{answers:?}"
    );
    // A quarter, of so many that less than a tenth or more than half would be a wonder.
    let (all, new) = (answers.values().sum::<u64>(), answers["1.1.0"]);
    assert!(new * 10 > all && new * 2 < all, "{answers:?}");
}

#[test]
fn a_shadow_gets_copies_and_answers_nobody() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy(
        "  strategy:\n    type: shadow\n    steps: [{for: 1h, analysis: [agreement]}]\n  analysis:\n    - {name: agreement, source: gateway, metric: agreement, atLeast: 0.9, interval: 200ms, minSamples: 20, count: 1}\n",
    );
    stage.serve();
    stage.serves("1.0.0");
    let clients = Clients::ask(2, &stage.url());
    stage.champion("1.1.0");
    stage.nudge();
    // Its answers are compared with those that were given, and its probabilities are others.
    let failed = stage.until(|one| one["failed"][0]["revert"].is_string());
    let why = failed["failed"][0]["why"].as_str().unwrap();
    assert!(
        why.starts_with("the analysis agreement doesn't hold: 0, "),
        "{why}"
    );
    let answers = clients.end();
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["1.0.0"], "{answers:?}");
}

#[test]
fn what_depends_on_another_waits_for_it_and_suspended_means_that_nothing_moves() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy("  dependsOn: [progression]\n");
    stage.serve();
    stage.until(|one| why(one).contains("progression"));
    stage.publish("diabetes", "1.0.0", "health/diabetes-progression");
    let words = [
        "deploy",
        "health/diabetes-progression",
        "--to",
        "host",
        "--deployment",
        "progression",
    ];
    stage.yard.modelyard(words).run().success();
    stage.merge("deploy/host/progression");
    stage.nudge();
    stage.serves("1.0.0");
    stage.deploy("  suspend: true\n");
    stage.champion("1.1.0");
    stage.nudge();
    let suspended = stage.until(|one| one["health"] == "waiting");
    assert_eq!(suspended["stable"], "vision/digits 1.0.0");
    stage.deploy("");
    stage.nudge();
    stage.serves("1.1.0");
}

#[test]
fn an_environment_that_asks_for_more_is_not_given_less() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy("");
    let environment = stage.yard.path("environments/host.yaml");
    let record = std::fs::read_to_string(environment).unwrap();
    stage.serve();
    stage.serves("1.0.0");
    let clients = Clients::ask(2, &stage.url());
    // More golden tests than any version has; nobody checked before this was merged.
    let strict = record.clone() + "  requires: {tests: 50}\n";
    stage.yard.write("environments/host.yaml", &strict);
    stage.yard.write(
        "deployments/host/digits.yaml",
        &DEPLOYMENT.replace("champion", "1.1.0"),
    );
    stage.merge_all("Stricter");
    stage.nudge();
    let held = stage.until(|one| why(one).contains("golden tests"));
    assert_eq!(held["stable"], "vision/digits 1.0.0");
    // A version that is only staged, where released ones are asked for.
    sandbox.write("other/model.onnx", "another one");
    stage.yard.publish("other", "vision/other:1.0.0").success();
    stage.merge("publish/vision/other/1.0.0");
    let strict = record + "  requires: {lifecycle: [released]}\n";
    stage.yard.write("environments/host.yaml", &strict);
    let other = DEPLOYMENT
        .replace("vision/digits", "vision/other")
        .replace("champion", "1.0.0");
    stage.yard.write("deployments/host/digits.yaml", &other);
    stage.merge_all("Staged");
    stage.nudge();
    let held = stage.until(|one| why(one).contains("staged"));
    assert_eq!(held["stable"], "vision/digits 1.0.0");
    let answers = clients.end();
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["1.0.0"], "{answers:?}");
}

#[test]
fn what_may_have_no_replicas_sleeps_when_idle_and_wakes_for_the_first_request() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy("  replicas: {min: 0, scaleDownDelay: 1s}\n");
    stage.serve();
    let sleeps = |version: &str| {
        let version = format!("vision/digits {version}");
        let asleep = stage.until(|one| {
            one["stable"] == version.as_str()
                && one["rollout"].is_null()
                && one["instances"].as_array().is_some_and(Vec::is_empty)
        });
        assert_eq!(asleep["health"], "healthy", "{asleep}");
        assert!(stage.runtimes().is_empty());
    };
    let wakes = |version: &str| {
        // The first request waits until there is somebody to answer it, and is answered.
        let clients = Clients::ask(1, &stage.url());
        stage.wait(|| clients.so_far().contains_key(version).then_some(()));
        let awake = stage.until(|one| one["instances"][0]["phase"] == "ready");
        assert_eq!(awake["instances"].as_array().unwrap().len(), 1);
        // Asked for longer than it may be idle, it stays.
        let runtimes = stage.runtimes();
        let asked = Instant::now();
        stage.wait(|| (asked.elapsed() > Duration::from_secs(2)).then_some(()));
        assert_eq!(stage.runtimes(), runtimes);
        let answers = clients.end();
        assert_eq!(answers.keys().collect::<Vec<_>>(), [version], "{answers:?}");
    };
    sleeps("1.0.0");
    wakes("1.0.0");
    sleeps("1.0.0");
    // A version that is merged meanwhile proves itself before it sleeps.
    stage.champion("1.1.0");
    stage.nudge();
    sleeps("1.1.0");
    wakes("1.1.0");
}
