//! History that is rewritten while a rollout goes on.

use super::stage::{CANARY, Clients, Stage, kill};
use crate::harness::Sandbox;

/// A canary that stands at its first step until somebody says otherwise.
const STANDING: &str =
    "  strategy: {type: canary, steps: [{weight: 25, approval: true}, {weight: 50, for: 1s}]}\n";

/// A server whose canary of 1.1.0 stands at its first step.
fn standing<'a>(sandbox: &'a Sandbox) -> Stage<'a> {
    let mut stage = Stage::set(sandbox);
    stage.deploy(STANDING);
    stage.serve();
    stage.serves("1.0.0");
    stage.champion("1.1.0");
    stage.nudge();
    stage.until(|one| one["health"] == "waiting" && one["serving"][1]["weight"] == 25);
    stage
}

/// Main of the remote becomes another commit, whatever it was before.
fn becomes(stage: &Stage<'_>, commit: &str) {
    let words = [
        "push",
        "--quiet",
        "--force",
        "origin",
        &format!("{commit}:main"),
    ];
    stage.yard.git(words).run().success();
    stage.nudge();
}

fn behind(stage: &Stage<'_>) {
    let told = stage.wait(|| {
        let status = stage.status();
        let behind = status["behind"].as_str()?;
        behind.contains("main was rewritten").then_some(status)
    });
    let canary = &told["deployments"][0];
    assert_eq!(
        canary["serving"][0]["version"], "vision/digits 1.0.0",
        "{canary}"
    );
    assert_eq!(
        canary["serving"][1]["version"], "vision/digits 1.1.0",
        "{canary}"
    );
    assert_eq!(canary["serving"][1]["weight"], 25, "{canary}");
    let shown = stage.command(&["status"]).run().exits(1);
    assert!(
        shown.stdout.contains("main was rewritten"),
        "{}",
        shown.stdout
    );
}

/// A commit that has what main has, and comes from nothing that was followed.
fn orphan(stage: &Stage<'_>) -> String {
    let words = [
        "commit-tree",
        "-m",
        "As if it had always been so",
        "HEAD^{tree}",
    ];
    stage.yard.git(words).run().success().line().to_owned()
}

#[test]
fn a_rollout_stands_while_main_is_another_and_goes_on_when_it_is_back() {
    let sandbox = Sandbox::new();
    let stage = standing(&sandbox);
    let clients = Clients::ask(2, &stage.url());
    let runtimes = stage.runtimes();
    let main = stage.yard.git(["rev-parse", "main"]).run().success();
    // Before the version was chosen, as a person who wants it undone in a hurry might push it.
    becomes(&stage, "main~2");
    behind(&stage);
    let before = clients.so_far();
    stage.wait(|| {
        let now = clients.so_far();
        let more = |version: &str| now.get(version) > before.get(version);
        (more("1.0.0") && more("1.1.0")).then_some(())
    });
    assert_eq!(stage.runtimes(), runtimes);

    becomes(&stage, main.line());
    stage.until(|one| one["health"] == "waiting" && one["rollout"]["step"] == 1);
    stage.wait(|| stage.status()["behind"].is_null().then_some(()));
    let state = stage.state();
    let go_on = [
        "rollout",
        "continue",
        "digits",
        "--environment",
        "host",
        "--state",
    ];
    let words = go_on.into_iter().chain([state.to_str().unwrap()]);
    stage.yard.modelyard(words).run().success();
    stage.serves("1.1.0");
    let answers = clients.end();
    assert_eq!(
        answers.keys().collect::<Vec<_>>(),
        ["1.0.0", "1.1.0"],
        "{answers:?}"
    );
}

#[test]
fn a_rewritten_main_is_followed_from_where_the_rollout_stands_once_a_person_says_so() {
    let sandbox = Sandbox::new();
    let mut stage = standing(&sandbox);
    let clients = Clients::ask(2, &stage.url());
    let orphan = orphan(&stage);
    becomes(&stage, &orphan);
    behind(&stage);
    let runtimes = stage.runtimes();
    // The server is started anew with the word; what runs is adopted.
    let server = stage.server();
    stage.ends("-KILL");
    kill("-KILL", server);
    stage.serve_given(&["--accept-rewritten"], &[]);
    let at = stage.until(|one| one["health"] == "waiting" && one["rollout"]["step"] == 1);
    assert_eq!(at["serving"][1]["weight"], 25);
    assert_eq!(stage.runtimes(), runtimes);
    // Main goes on from there.
    stage
        .yard
        .git(["reset", "--quiet", "--hard", &orphan])
        .run()
        .success();
    stage.deploy(CANARY);
    stage.nudge();
    stage.serves("1.1.0");
    let answers = clients.end();
    let known = |kind: &String| ["1.0.0", "1.1.0", "connection"].contains(&kind.as_str());
    assert!(answers.keys().all(known), "{answers:?}");
}
