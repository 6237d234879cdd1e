//! What can't be served says why, and what served goes on.

use std::fs;

use super::stage::{Clients, DEPLOYMENT, Stage};
use crate::harness::Sandbox;

#[test]
fn what_keeps_a_server_from_starting_is_told() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy("");
    stage
        .command(&["status"])
        .run()
        .exits(2)
        .says("error[never-served]");
    stage
        .command(&["logs", "digits"])
        .run()
        .exits(2)
        .says("error[no-log]");
    stage.serve();
    stage.serves("1.0.0");
    let busy = stage.url();
    let busy = busy
        .trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap();
    let told = stage.command(&["serve", "--listen", busy]).run().exits(3);
    told.says("error[not-listening]")
        .says("another program listens there");
    // Another place, and the same environment.
    let told = stage
        .command(&["serve", "--listen", "127.0.0.1:0"])
        .run()
        .exits(3);
    told.says("error[state-folder-busy]");
    stage.serves("1.0.0");
}

#[test]
fn a_main_that_is_away_rewritten_or_broken_takes_nothing_away() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy("");
    stage.serve();
    stage.serves("1.0.0");
    let clients = Clients::ask(2, &stage.url());
    let upstream = sandbox.path("upstream.git");
    let behind = |text: &str| {
        stage.nudge();
        stage.wait(|| {
            let status = stage.status();
            let behind = status["behind"].as_str()?;
            behind.contains(text).then(|| behind.to_owned())
        })
    };
    let well = || {
        stage.nudge();
        stage.wait(|| stage.status()["behind"].is_null().then_some(()));
    };
    let main = stage.yard.git(["rev-parse", "main"]).run().success();
    let main = main.line();
    let there = |words: &[&str]| {
        let words = ["-C", "upstream.git"].iter().chain(words);
        sandbox.git(words).run().success();
    };

    fs::rename(&upstream, sandbox.path("away.git")).unwrap();
    behind("can't reach");
    fs::rename(sandbox.path("away.git"), &upstream).unwrap();
    well();

    there(&["update-ref", "refs/heads/main", &format!("{main}~3")]);
    behind("main was rewritten");
    there(&["update-ref", "refs/heads/main", main]);
    well();

    there(&["update-ref", "-d", "refs/heads/main"]);
    behind("has no branch");
    there(&["update-ref", "refs/heads/main", main]);
    well();

    stage.yard.write(
        "deployments/host/digits.yaml",
        &format!("{DEPLOYMENT}  nonsense: 1\n"),
    );
    stage.merge_all("Broken");
    stage.nudge();
    let held = stage.until(|one| one["health"] == "degraded");
    assert_eq!(held["stable"], "vision/digits 1.0.0");
    assert!(
        held["why"][0].as_str().unwrap().contains("nonsense"),
        "{held}"
    );

    // All of it gone needs a person's word.
    fs::remove_dir_all(stage.yard.path("deployments")).unwrap();
    stage.merge_all("Gone");
    stage.nudge();
    stage.until(|one| {
        one["why"]
            .to_string()
            .contains("has no deployments any more")
    });
    let answers = clients.end();
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["1.0.0"]);
}

#[test]
fn a_model_that_is_none_never_serves_and_says_so() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy("");
    stage.serve();
    stage.serves("1.0.0");
    let clients = Clients::ask(2, &stage.url());
    // A version of other bytes than its record says it has.
    sandbox.write("broken/model.onnx", "not one");
    stage
        .yard
        .publish("broken", "vision/broken:1.0.0")
        .success();
    stage.merge("publish/vision/broken/1.0.0");
    let path = "models/vision/broken/versions/1.0.0.yaml";
    let record = fs::read_to_string(stage.yard.path(path)).unwrap();
    stage
        .yard
        .write(path, &(record + "  runtime: {name: onnx}\n"));
    stage.yard.write(
        "deployments/host/digits.yaml",
        &DEPLOYMENT
            .replace("vision/digits", "vision/broken")
            .replace("champion", "1.0.0"),
    );
    stage.merge_all("A broken one");
    stage.nudge();
    let failed = stage.until(|one| !one["failed"][0].is_null());
    assert_eq!(failed["stable"], "vision/digits 1.0.0");
    let why = failed["failed"][0]["why"].as_str().unwrap();
    assert!(why.contains("error[not-onnx]"), "{why}");
    let answers = clients.end();
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["1.0.0"]);
}
