//! What becomes of a merge, told on each forge: the same stories on all of them.

use modelyard::forge::DeploymentState;

use super::super::stage::CANARY;
#[cfg(feature = "real-tools")]
use super::super::stage::Stage;
use super::{Hosted, Team, path};
use crate::forge::fakes::Faked;
#[cfg(feature = "real-tools")]
use crate::forge::gitea::Yard;
use crate::harness::forges::Deployed;
use crate::harness::forges::Dialect::{Github, Gitlab};
use crate::harness::{Answer, Sandbox};

/// A canary whose every step waits for a person.
const BY_HAND: &str = "  \
  strategy:
    type: canary
    steps:
      - {weight: 25, approval: true}
      - {weight: 50, approval: true}
";

/// A merge rolls out step by step, another one fails and is reverted, all on pull requests; the
/// commits of the three merges, and the pages of their pull requests.
fn is_merged_and_fails_and_is_reverted<F: Hosted>(team: &mut Team<'_, F>) -> [(String, String); 3] {
    team.serve_and_listen();

    // Main is polled once an hour: what is seen before has been told by the forge.
    let first = team.proposes("1.1.0");
    let merged = team.merges(first);
    team.is_seen(&merged);
    let told = team.is_told(first, "✅ `host` is as main says");
    for line in [
        "| ✅ | `digits` to `vision/digits 1.1.0` | serves | 100 % `vision/digits 1.1.0` | healthy |",
        "| `digits` | step 1 of 3, 25 % |",
        "| `digits` | step 2 of 3, 50 % |",
        "| `digits` | serves |",
    ] {
        assert!(told.contains(line), "{told}");
    }
    team.is_said(&merged, DeploymentState::Success);
    team.stage.serves("1.1.0");

    // The next one does not answer.
    let second = team.proposes("1.2.0");
    let failed = team.merges(second);
    let told = team.is_told(second, "Its revert: ");
    assert!(told.contains("❌ `host` is not as main says"), "{told}");
    assert!(
        told.contains("`vision/digits 1.1.0` serves again"),
        "{told}"
    );
    // With what shows it.
    assert!(told.contains("fails its golden tests"), "{told}");
    team.is_said(&failed, DeploymentState::Failure);
    let third = second + 1;
    let pull = team.pull(third);
    assert!(told.contains(path(&pull.url)), "{told}");
    assert_eq!(pull.title, "host/digits: back to vision/digits 1.1.0");
    let reverted = team.merges(third);
    let told = team.is_told(third, "✅ `host` is as main says");
    assert!(
        told.contains("| ✅ | `digits` to `vision/digits 1.1.0` | serves |"),
        "{told}"
    );
    team.is_said(&reverted, DeploymentState::Success);
    team.has_told_all();

    // Nothing is told to who knows all: not now, nor by the next server.
    let writes = || ["POST", "PATCH", "PUT"].map(|method| team.front.count(method, ""));
    let before = writes();
    team.stage.upgrade();
    let server = team.stage.server();
    team.stage
        .wait(|| (team.stage.status()["process"] == server).then_some(()));
    team.stage.nudge();
    team.stage.serves("1.1.0");
    assert_eq!(writes(), before);
    let page = |number| path(&team.pull(number).url).to_owned();
    [
        (merged, page(first)),
        (failed, page(second)),
        (reverted, page(third)),
    ]
}

/// Each step waits for a person: as long as it does, the pull request and the deployment say so.
fn waits_at_each_step<F: Hosted>(team: &mut Team<'_, F>) -> (String, String) {
    team.serve_and_listen();
    let number = team.proposes("1.1.0");
    let merged = team.merges(number);
    for (step, weight) in [(1, 25), (2, 50)] {
        let waits = format!("waits for a person at step {step} of 3, {weight} %");
        let told = team.is_told(number, &waits);
        assert!(!told.contains("is as main says"), "{told}");
        let words = format!("digits: {waits}");
        team.stage.wait(|| {
            let (state, said) = team.said(&merged)?;
            assert_eq!(state, DeploymentState::InProgress);
            (said.is_empty() || said == words).then_some(())
        });
        team.stage
            .command(&["rollout", "continue", "digits", "--step", &step.to_string()])
            .run()
            .success();
    }
    team.is_told(number, "✅ `host` is as main says");
    team.is_said(&merged, DeploymentState::Success);
    team.has_told_all();
    (merged, path(&team.pull(number).url).to_owned())
}

/// The forge is away from the middle of a rollout on: that goes on, and is told later, once.
fn goes_on_without_the_forge<F: Hosted>(team: &mut Team<'_, F>) {
    team.serve_and_listen();
    // What it has in hand when the forge goes, is told by whoever serves when it is back.
    for comments in ["/comments", "/notes"] {
        team.front.always("POST", comments, Answer::status(502));
    }
    let number = team.proposes("1.1.0");
    let merged = team.merges(number);
    team.is_seen(&merged);
    team.forge.stop();
    team.stage.serves("1.1.0");
    assert_eq!(team.stage.ends("-TERM"), Some(0));
    team.serve();
    team.stage.serves("1.1.0");
    team.front.is_faithful();
    team.forge.start_again();
    let told = team.is_told(number, "✅ `host` is as main says");
    // The steps that nobody heard of are told, too.
    assert!(told.contains("| `digits` | step 2 of 3, 50 % |"), "{told}");
    team.has_told_all();
    team.is_said(&merged, DeploymentState::Success);
}

/// The forge is away when something fails: the next server opens the pull request of the revert.
fn opens_the_revert_later<F: Hosted>(team: &mut Team<'_, F>) {
    team.serve_and_listen();
    let number = team.proposes("1.2.0");
    team.front.always("GET", "/api/", Answer::status(503));
    let merged = team.merges(number);
    team.is_seen(&merged);
    let failed = team
        .stage
        .until(|one| one["failed"][0]["revert"].is_string());
    let branch = failed["failed"][0]["revert"].as_str().unwrap().to_owned();
    let log = team.stage.log();
    assert!(log.contains("HTTP 503"), "{log}");
    assert_eq!(team.stage.ends("-TERM"), Some(0));
    assert_eq!(team.pull_of(&branch), None);
    team.front.is_faithful();
    team.serve();
    let told = team.is_told(number, "Its revert: ");
    let opened = team.pull_of(&branch).unwrap();
    assert!(told.contains(path(&opened.url)), "{told}");
    team.is_said(&merged, DeploymentState::Failure);
}

/// What GitHub shows of the deployments of `host`, by these commits and from these pages: the states and
/// words of each one's statuses, the newest first.
fn shown_by_github(team: &Team<'_, Faked>, commits: &[(String, String)]) -> Vec<Vec<String>> {
    let known = begun(team, commits);
    let shown = known.iter().zip(commits).map(|(one, (_, page))| {
        assert_eq!(one.asked["task"], "modelyard");
        let statuses = one.states.iter().map(|status| {
            let (state, words) = (&status["state"], &status["description"]);
            // GitHub itself says of what is no longer active that it isn't.
            let url = status["log_url"].as_str().unwrap();
            assert!(state == "inactive" || path(url) == page, "{status}");
            format!("{}: {}", state.as_str().unwrap(), words.as_str().unwrap())
        });
        statuses.collect()
    });
    shown.collect()
}

/// The deployments of `host`, which are by these commits and in their order.
fn begun(team: &Team<'_, Faked>, commits: &[(String, String)]) -> Vec<Deployed> {
    let known = team.forge.fake.state().deployments.clone();
    assert!(known.iter().all(|one| one.environment == "host"));
    let begun = known.iter().map(|one| &one.commit);
    assert!(begun.eq(commits.iter().map(|(commit, _)| commit)));
    known
}

#[test]
fn github_is_told_of_steps_a_failure_and_its_revert() {
    let sandbox = Sandbox::new();
    let mut team = Team::in_memory(&sandbox, Github, CANARY);
    let commits = is_merged_and_fails_and_is_reverted(&mut team);
    let [merged, failed, reverted] = &shown_by_github(&team, &commits)[..] else {
        panic!("one each");
    };
    let begins = |shown: &[String], all: &[&str]| assert_eq!(shown[..all.len()], *all, "{shown:?}");
    begins(merged, &["inactive: ", "success: digits: serves"]);
    begins(failed, &["failure: digits: failed, and was taken back"]);
    begins(reverted, &["success: digits: serves"]);
    for (shown, over) in [(merged, 2), (failed, 1), (reverted, 1)] {
        let before = &shown[over..];
        assert!(
            before.iter().all(|one| one.starts_with("in_progress: ")),
            "{shown:?}"
        );
        // What is the same is told once.
        assert!(shown.windows(2).all(|pair| pair[0] != pair[1]), "{shown:?}");
    }
}

#[test]
fn github_is_told_while_a_step_waits() {
    let sandbox = Sandbox::new();
    let mut team = Team::in_memory(&sandbox, Github, BY_HAND);
    let commit = waits_at_each_step(&mut team);
    let shown = shown_by_github(&team, &[commit]);
    let mut waits = shown[0].iter().rev().filter(|one| one.contains("waits"));
    assert_eq!(
        waits.next().unwrap(),
        "in_progress: digits: waits for a person at step 1 of 3, 25 %"
    );
    assert_eq!(
        waits.next().unwrap(),
        "in_progress: digits: waits for a person at step 2 of 3, 50 %"
    );
    assert_eq!(waits.next(), None);
    assert_eq!(shown[0][0], "success: digits: serves");
}

#[test]
fn github_is_told_in_the_order_of_main() {
    let sandbox = Sandbox::new();
    let mut team = Team::in_memory(&sandbox, Github, CANARY);
    // By which pull request this one came, the forge may still find out when the next one serves.
    let first = team.stage.yard.git(["rev-parse", "main"]).run();
    team.serve();
    team.stage.serves("1.0.0");
    let number = team.proposes("1.1.0");
    let merged = team.merges(number);
    team.stage.nudge();
    team.is_told(number, "✅ `host` is as main says");
    team.has_told_all();
    let commits = [first.line(), &merged].map(|commit| (commit.to_owned(), String::new()));
    let last = begun(&team, &commits).into_iter();
    let last = last.map(|one| one.states[0]["state"].clone());
    assert!(last.eq(["inactive", "success"]));
}

#[test]
fn gitlab_is_told_of_steps_a_failure_and_its_revert() {
    let sandbox = Sandbox::new();
    let mut team = Team::in_memory(&sandbox, Gitlab, CANARY);
    let commits = is_merged_and_fails_and_is_reverted(&mut team);
    let known = begun(&team, &commits);
    for (one, last) in known.iter().zip(["success", "failed", "success"]) {
        assert_eq!(one.asked["ref"], "main");
        assert_eq!(one.states[0]["state"], last);
        let before = &one.states[1..];
        assert!(before.len() <= 1, "{one:?}");
        assert!(
            before.iter().all(|one| one["state"] == "running"),
            "{one:?}"
        );
    }
}

#[test]
fn gitlab_is_told_while_a_step_waits() {
    let sandbox = Sandbox::new();
    waits_at_each_step(&mut Team::in_memory(&sandbox, Gitlab, BY_HAND));
}

#[test]
fn github_and_gitlab_are_told_later_once() {
    for dialect in [Github, Gitlab] {
        let sandbox = Sandbox::new();
        goes_on_without_the_forge(&mut Team::in_memory(&sandbox, dialect, CANARY));
    }
}

#[test]
fn the_next_server_opens_a_revert_on_github_and_gitlab() {
    for dialect in [Github, Gitlab] {
        let sandbox = Sandbox::new();
        opens_the_revert_later(&mut Team::in_memory(&sandbox, dialect, CANARY));
    }
}

#[cfg(feature = "real-tools")]
#[test]
fn gitea_is_told_of_steps_a_failure_and_its_revert() {
    let sandbox = Sandbox::new();
    is_merged_and_fails_and_is_reverted(&mut Team::meet(&sandbox));
}

#[cfg(feature = "real-tools")]
#[test]
fn gitea_is_told_while_a_step_waits() {
    let sandbox = Sandbox::new();
    let stage = Stage::set(&sandbox);
    waits_at_each_step(&mut Team::on(stage, Yard::empty(), BY_HAND));
}

#[cfg(feature = "real-tools")]
#[test]
fn gitea_that_restarts_in_the_middle_is_told_later_once() {
    let sandbox = Sandbox::new();
    goes_on_without_the_forge(&mut Team::meet(&sandbox));
}

#[cfg(feature = "real-tools")]
#[test]
fn the_next_server_opens_a_revert_on_gitea() {
    let sandbox = Sandbox::new();
    opens_the_revert_later(&mut Team::meet(&sandbox));
}
