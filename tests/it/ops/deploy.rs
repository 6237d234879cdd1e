//! `modelyard deploy`, `modelyard rollout`, and what is done to a deployment as a whole.

use crate::reconcile::{ENVIRONMENT, deployment};
use crate::yard::story::Story;

/// A yard with the environment `host`, where `digits` serves 0.9.0 if it `serves`.
pub(super) fn story(serves: bool) -> Story {
    let story = Story::local();
    story.write("environments/host.yaml", ENVIRONMENT);
    if serves {
        story.write(
            "deployments/host/digits.yaml",
            &deployment("digits", "0.9.0"),
        );
    }
    story.git("add -A");
    story.git("commit -q -m host");
    story
}

pub(super) fn lines(story: &Story, branch: &str) -> String {
    let diff = story.git(&format!("diff -U0 main {branch}"));
    let changes = |line: &&str| {
        line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---")
    };
    diff.lines().filter(changes).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_line_that_chooses_the_version_changes_and_nothing_else() {
    let story = story(true);
    let done = story.json("deploy vision/digits:1.0.0 --to host");
    assert_eq!(done["from"], "0.9.0");
    assert_eq!(done["branch"], "deploy/host/digits");
    insta::assert_snapshot!(lines(&story, "deploy/host/digits"), @r#"
    -  version: 0.9.0   # what serves
    +  version: 1.0.0   # what serves
    "#);
    let again = story.json("deploy vision/digits:1.0.0 --to host");
    assert_eq!(
        (&again["unchanged"], &again["commit"]),
        (&true.into(), &done["commit"])
    );
}

#[test]
fn what_nothing_serves_gets_a_deployment() {
    let story = story(false);
    let done = story.json("deploy vision/digits:^0.9 --to host");
    assert_eq!(done["deployment"], "digits");
    insta::assert_snapshot!(lines(&story, "deploy/host/digits"), @r#"
    +apiVersion: modelyard.dev/v1
    +kind: Deployment
    +metadata: {name: digits, environment: host}
    +spec:
    +  model: vision/digits
    +  version: "^0.9"
    "#);
}

#[test]
fn what_cannot_be_deployed_is_told_and_nothing_is_written() {
    let story = story(true);
    for (words, code) in [
        ("deploy vision/digits:7.0.0 --to host", "no-such-version"),
        ("deploy vision/digits:1.0.0 --to moon", "no-such-record"),
        ("rollout pause moon --environment host", "no-such-record"),
        ("restart moon --environment host", "no-such-record"),
    ] {
        let failed = story.modelyard(words).run().exits(2);
        assert!(failed.stderr.contains(code), "{words}: {}", failed.stderr);
    }
    let branches = story.git("for-each-ref --format=%(refname:short) refs/heads");
    assert_eq!(branches, "main");
}

#[test]
fn a_word_on_a_rollout_names_the_digest_that_main_chooses() {
    let story = story(true);
    let done = story.json("rollout pause digits --environment host --step 1");
    assert_eq!(done["word"]["action"], "pause");
    insta::assert_snapshot!(lines(&story, "rollout/host/digits"), @r#"
    +  rollout:
    +    digest: sha256:0000000000000000000000000000000000000000000000000000000000000090
    +    step: 1
    +    action: pause
    "#);
}

#[test]
fn the_next_step_is_approved_by_its_number() {
    let story = story(true);
    story.json("rollout continue digits --environment host");
    // As long as it is not merged it may be said again.
    let again = story.json("rollout continue digits --environment host");
    assert_eq!(again["unchanged"], true);
    story.git("merge -q --no-edit rollout/host/digits");
    story.git("branch -q -D rollout/host/digits");
    let words = "rollout continue digits --environment host";
    insta::assert_snapshot!(story.modelyard(words).run().exits(2).stderr, @r#"
    error[which-step]: main says already that the rollout of 000000000000 goes on past a step
      help: it counts once; name the step that waits now by `--step`
      more: modelyard explain which-step
    "#);
    story.json("rollout continue digits --environment host --step 2");
    assert_eq!(lines(&story, "rollout/host/digits"), "+    step: 2");
}

#[test]
fn a_restart_is_a_new_time_in_the_record() {
    let story = story(true);
    let done = story.json("restart digits --environment host");
    let restart = done["restart"].as_str().unwrap();
    assert_eq!(
        lines(&story, "restart/host/digits"),
        format!("+  restart: {restart}")
    );
}

#[test]
fn what_is_suspended_stays_until_it_is_resumed() {
    let story = story(true);
    let done = story.json("suspend digits --environment host");
    assert_eq!(
        (&done["act"], &done["branch"]),
        (&"suspend".into(), &"suspend/host/digits".into())
    );
    assert_eq!(lines(&story, "suspend/host/digits"), "+  suspend: true");
    story.git("merge -q --no-edit suspend/host/digits");
    story.json("resume digits --environment host");
    assert_eq!(lines(&story, "resume/host/digits"), "-  suspend: true");
    story.git("merge -q --no-edit resume/host/digits");
    let there = story.json("resume digits --environment host");
    assert_eq!(
        (&there["unchanged"], &there["onMain"]),
        (&true.into(), &true.into())
    );
}

#[test]
fn what_is_undeployed_has_no_record_and_who_is_left_is_told() {
    let story = story(true);
    story.write("deployments/host/other.yaml", &deployment("other", "0.9.0"));
    story.git("add -A");
    story.git("commit -q -m other");
    let done = story.json("undeploy other --environment host");
    assert_eq!(done["leavesNone"], serde_json::Value::Null);
    let changed = story.git("diff --name-status main undeploy/host/other");
    assert_eq!(changed, "D\tdeployments/host/other.yaml");
    story.git("merge -q --no-edit undeploy/host/other");
    story
        .modelyard("undeploy digits --environment host")
        .run()
        .success()
        .prints("it is the last one there");
    for word in ["undeploy", "suspend", "resume"] {
        let words = format!("{word} other --environment host");
        story
            .modelyard(&words)
            .run()
            .exits(2)
            .says("error[no-such-record]");
    }
}
