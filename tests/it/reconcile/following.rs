//! Main, followed from commit to commit, and what may become of it.

use modelyard::reconcile::branch::{Branch, Words};
use modelyard::reconcile::edges::{Main as _, Said};
use modelyard::rollout::{Desired, Wish};
use modelyard::yard::Yard;

use super::{deployed, deployment, name};
use crate::yard::story::Story;

const DEPLOYMENT: &str = "deployments/host/digits.yaml";

/// As a reconciler that has just started follows it.
fn branch(story: &Story, words: Words) -> Branch {
    let yard = Yard::discover(&story.folder()).unwrap();
    let folder = story.sandbox.path("state");
    Branch::new(yard, name("host"), &folder, words)
}

async fn looked(branch: &Branch) -> Said {
    branch.look().await;
    branch.read().await
}

async fn read(story: &Story) -> Said {
    looked(&branch(story, Words::default())).await
}

/// What should be, a line for each deployment.
fn told(said: &Said) -> Vec<String> {
    match &*said.desired {
        Desired::Unknown { why } => vec![format!("unknown: {why}")],
        Desired::Known(known) => {
            let wishes = known.deployments.iter();
            let line = |(name, wish): (&modelyard::record::Name, &Wish)| match wish {
                Wish::Run(wanted) => format!("{name}: {}", wanted.side),
                Wish::Held { why } => format!("{name} held: {why}"),
            };
            wishes.map(line).collect()
        }
    }
}

#[tokio::test]
async fn a_merge_is_seen_and_a_remote_that_is_away_takes_nothing_away() {
    let story = deployed("0.9.0");
    let branch = branch(&story, Words::default());
    let said = looked(&branch).await;
    assert_eq!(told(&said), ["digits: vision/digits 0.9.0"]);
    assert_eq!(
        (said.commit, said.behind),
        (Some(story.git("rev-parse main")), None)
    );

    story.somebody_pushes(DEPLOYMENT, &deployment("digits", "champion"));
    assert_eq!(
        told(&looked(&branch).await),
        ["digits: vision/digits 1.0.0"]
    );

    let upstream = story.sandbox.path("upstream.git");
    std::fs::rename(&upstream, story.sandbox.path("away.git")).unwrap();
    // The one that goes on, and one that starts meanwhile.
    for said in [looked(&branch).await, read(&story).await] {
        assert_eq!(told(&said), ["digits: vision/digits 1.0.0"]);
        assert!(said.behind.unwrap().contains("upstream.git"));
    }
}

#[tokio::test]
async fn a_main_that_was_rewritten_moves_nothing_until_a_person_says_so() {
    let story = deployed("0.9.0");
    story.somebody_pushes(DEPLOYMENT, &deployment("digits", "1.0.0"));
    assert_eq!(told(&read(&story).await), ["digits: vision/digits 1.0.0"]);
    let followed = story.git_in("other", "rev-parse main");
    story.git_in("other", "reset -q --hard HEAD~1");
    story.git_in("other", "push -q --force origin main");
    let said = read(&story).await;
    let why = told(&said).remove(0);
    assert!(why.starts_with("unknown: main was rewritten"), "{why}");
    assert!(
        why.contains(&followed) && why.contains("--accept-rewritten"),
        "{why}"
    );

    let words = Words {
        rewritten: true,
        ..Words::default()
    };
    let said = looked(&branch(&story, words)).await;
    assert_eq!(told(&said), ["digits: vision/digits 0.9.0"]);
    assert_eq!(told(&read(&story).await), ["digits: vision/digits 0.9.0"]);
}

#[tokio::test]
async fn a_branch_that_vanished_takes_nothing_away() {
    let story = deployed("0.9.0");
    let branch = branch(&story, Words::default());
    looked(&branch).await;
    story.git_in("upstream.git", "update-ref -d refs/heads/main");
    for said in [looked(&branch).await, read(&story).await] {
        assert_eq!(told(&said), ["digits: vision/digits 0.9.0"]);
        assert!(said.behind.is_some());
    }
}

#[tokio::test]
async fn what_cannot_be_done_is_held_with_its_reason_and_holds_up_nothing_else() {
    let story = deployed("champion");
    story.somebody_pushes("deployments/host/broken.yaml", "kind: [");
    story.somebody_pushes("deployments/host/far.yaml", &deployment("far", "7.0.0"));
    let said = told(&read(&story).await);
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(
        said[0].starts_with("broken held: deployments/host/broken.yaml:"),
        "{said:?}"
    );
    assert_eq!(said[1], "digits: vision/digits 1.0.0");
    assert_eq!(said[2], "far held: vision/digits has no version 7.0.0");

    let picky = format!(
        "{}  requires: {{lifecycle: [released]}}\n",
        super::ENVIRONMENT
    );
    story.somebody_pushes("environments/host.yaml", &picky);
    let said = told(&read(&story).await);
    assert_eq!(
        said[1],
        "digits held: vision/digits 1.0.0 is staged, and the environment host takes only what is \
         released"
    );

    story.git_in("other", "rm -q environments/host.yaml");
    story.somebody_pushes("README.md", "Gone.");
    let said = told(&read(&story).await);
    assert_eq!(said, ["unknown: there is no environments/host.yaml"]);
}
