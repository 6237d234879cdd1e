//! The commit that tells the yard of a version that failed.

use std::sync::Arc;

use jiff::Timestamp;
use modelyard::platform::clock::FixedClock;
use modelyard::reconcile::edges::Scribe as _;
use modelyard::reconcile::revert::Reverts;
use modelyard::record::kind::WriteBack;
use modelyard::rollout::{Cause, Failure, Revert};
use modelyard::yard::Yard;

use super::{content, deployed, deployment, name, release};
use crate::yard::story::Story;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// 1.0.0 failed, and 0.9.0 serves instead.
pub(crate) fn failure() -> Failure {
    Failure {
        digests: vec![release("1.0.0").digest],
        generation: release("1.0.0").digest,
        rollout: 2,
        from: vec![content("1.0.0")],
        to: vec![content("0.9.0")],
        cause: Cause::Analysis {
            name: name("errors"),
            last: "0.25, to be below 0.01, of 400 requests".to_owned(),
        },
        at: NOW,
        evidence: vec!["errors: 0 good, 1 bad; 0.25, to be below 0.01".to_owned()],
        revert: Revert::Due,
    }
}

async fn revert(story: &Story) {
    let yard = Yard::discover(&story.folder()).unwrap();
    let reverts = Reverts::new(yard, name("host"), Arc::new(FixedClock(NOW)), None);
    let (deployment, failure) = (name("digits"), failure());
    let written = reverts.revert(&deployment, &failure, WriteBack::PullRequest);
    written.await.unwrap();
}

fn branches(story: &Story) -> String {
    story.git_in(
        "upstream.git",
        "for-each-ref --format=%(refname:short) refs/heads",
    )
}

/// The branch's only commit: its message and the lines that it changes.
fn written(story: &Story) -> (String, Vec<String>) {
    let names = branches(story);
    let branch = names.lines().find(|name| name.starts_with("revert/"));
    let branch = branch.unwrap_or_else(|| panic!("no revert: {names}"));
    let count = story.git_in("upstream.git", &format!("rev-list --count main..{branch}"));
    assert_eq!(count, "1");
    let message = story.git_in("upstream.git", &format!("log -1 --format=%B {branch}"));
    let diff = story.git_in("upstream.git", &format!("diff -U0 main {branch}"));
    let changes = |line: &&str| {
        line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---")
    };
    let lines = diff.lines().filter(changes).map(str::to_owned).collect();
    (message.trim().to_owned(), lines)
}

#[tokio::test]
async fn the_alias_is_set_back_and_the_message_has_the_evidence() {
    let story = deployed("champion");
    let before = story.what_the_user_has();
    revert(&story).await;
    let (message, lines) = written(&story);
    insta::assert_snapshot!(message, @r#"
    host/digits: back to vision/digits 0.9.0

    the analysis errors doesn't hold: 0.25, to be below 0.01, of 400 requests.
    - errors: 0 good, 1 bad; 0.25, to be below 0.01

    models/vision/digits/model.yaml: aliases.champion (champion): 1.0.0 -> 0.9.0
    failed: sha256:0000000000000000000000000000000000000000000000000000000000000100
    at: 1970-01-01T00:00:00Z
    "#);
    insta::assert_snapshot!(lines.join("\n"), @r#"
    -    champion: 1.0.0   # since May
    +    champion: 0.9.0   # since May
    "#);
    assert_eq!(story.what_the_user_has(), before);

    // Once more is as good as once.
    let commits = story.git_in("upstream.git", "rev-list --all --count");
    revert(&story).await;
    assert_eq!(
        story.git_in("upstream.git", "rev-list --all --count"),
        commits
    );
}

#[tokio::test]
async fn an_alias_that_others_depend_on_stays_and_this_deployment_is_pinned() {
    let story = deployed("champion");
    story.somebody_pushes(
        "deployments/host/other.yaml",
        &deployment("other", "champion"),
    );
    revert(&story).await;
    let (_, lines) = written(&story);
    insta::assert_snapshot!(lines.join("\n"), @r#"
    -  version: champion   # what serves
    +  version: 0.9.0   # what serves
    "#);
}

#[tokio::test]
async fn a_version_that_was_written_out_is_set_back() {
    let story = deployed("1.0.0");
    revert(&story).await;
    let (_, lines) = written(&story);
    insta::assert_snapshot!(lines.join("\n"), @r#"
    -  version: 1.0.0   # what serves
    +  version: 0.9.0   # what serves
    "#);
}

#[tokio::test]
async fn what_main_no_longer_names_is_not_reverted() {
    let story = deployed("champion");
    story.somebody_pushes(
        "deployments/host/digits.yaml",
        &deployment("digits", "0.9.0"),
    );
    revert(&story).await;
    assert_eq!(branches(&story), "main");
}
