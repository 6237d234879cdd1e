//! What the reconciler writes back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use modelyard::forge::{Forge, Options};
use modelyard::ops::pull_request::way;
use modelyard::platform::clock::FixedClock;
use modelyard::reconcile::PATIENCE;
use modelyard::reconcile::edges::Scribe as _;
use modelyard::reconcile::herald::{Ground, Herald};
use modelyard::reconcile::revert::Reverts;
use modelyard::record::kind::WriteBack;
use modelyard::yard::Yard;
use serde_json::Value;

use super::Clone;
use crate::reconcile::{failure, name};

/// Who tells the forge at `page`; what is still to be told lies beside the yard.
fn herald(clone: &Clone, page: &str) -> Herald {
    let ground = Ground {
        yard: Yard::discover(&clone.story.folder()).unwrap(),
        environment: name("factory"),
        folder: clone.story.folder().with_file_name("state"),
        forge: found(clone, page),
        clock: Arc::new(FixedClock(Timestamp::UNIX_EPOCH)),
    };
    Herald::start(ground).unwrap()
}

fn found(clone: &Clone, page: &str) -> Arc<dyn Forge> {
    let token = clone.forge.bot.token.clone();
    let variable = |name: &str| (name == "GITEA_TOKEN").then(|| token.clone().into());
    let yard = Yard::discover(&clone.story.folder()).unwrap();
    let options = Options {
        retry: PATIENCE,
        clock: Arc::new(FixedClock(Timestamp::UNIX_EPOCH)),
    };
    let choice = format!("gitea={page}").parse().unwrap();
    let way = way(&yard, Some(&choice), variable, &options).unwrap();
    way.forge().unwrap()
}

async fn revert(clone: &Clone, herald: Herald) {
    let yard = Yard::discover(&clone.story.folder()).unwrap();
    let clock = Arc::new(FixedClock(Timestamp::UNIX_EPOCH));
    let reverts = Reverts::new(yard, name("factory"), clock, Some(herald));
    let (digits, failure) = (name("digits"), failure());
    let written = reverts.revert(&digits, &failure, WriteBack::PullRequest);
    written.await.unwrap();
}

fn branches(clone: &Clone) -> String {
    clone.story.git("ls-remote --heads origin")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revert_waits_for_no_forge_and_gets_its_pull_request_by_the_next_server() {
    let clone = Clone::new();
    clone.story.write(
        "deployments/factory/digits.yaml",
        "apiVersion: modelyard.dev/v1\nkind: Deployment\n\
         metadata: {name: digits, environment: factory}\n\
         spec:\n  model: vision/digits\n  version: 1.0.0\n",
    );
    clone.story.git("add -A");
    clone.story.git("commit -q -m deploy");
    clone.story.git("push -q origin main");

    // It takes a connection, and never says a word.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let page = format!("http://{}/acme/yard", mute.local_addr().unwrap());
    revert(&clone, herald(&clone, &page)).await;
    assert!(branches(&clone).contains("revert/factory/digits/"));
    assert_eq!(clone.pulls(), [] as [Value; 0]);

    // That server is gone. The next one opens it, though nothing fails any more.
    let page = format!("http://{}/acme/yard", clone.forge.gitea.host());
    let _next = herald(&clone, &page);
    let deadline = Instant::now() + Duration::from_secs(120);
    while clone.pulls().is_empty() {
        assert!(Instant::now() < deadline, "no pull request");
        tokio::task::yield_now().await;
    }
    let pull = clone.pull(1);
    assert_eq!(pull["title"], "factory/digits: back to vision/digits 0.9.0");
    let body = pull["body"].as_str().unwrap();
    assert!(body.contains("- errors: 0 good, 1 bad"), "{body}");
}
