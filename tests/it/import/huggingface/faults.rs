//! A hub that refuses, that is away, or that lies.

use super::{RECORD, pushed};
use crate::harness::{Answer, FakeHub, Front, Sandbox};

const WORDS: [&str; 1] = ["huggingface:acme/defects"];

#[test]
fn a_no_says_the_way_out() {
    let sandbox = Sandbox::new();
    let (yard, hub) = (sandbox.yard(), FakeHub::start());
    pushed(&hub);
    let ask = |word: &str| yard.brings_from_hub(&hub.host(), &[word]);
    ask("huggingface:acme/nothing")
        .run()
        .exits(2)
        .says("or it is private")
        .says("see whether its name is right");
    ask("huggingface:acme/defects@nowhere")
        .run()
        .exits(2)
        .says("has no revision nowhere");
    ask("huggingface:acme/defects")
        .env("HF_TOKEN", "hf_wrong")
        .run()
        .exits(2)
        .says("Invalid credentials")
        .says("HF_TOKEN");
    ask("huggingface:acme/de fects")
        .run()
        .exits(2)
        .says("a repository is org/name");
    hub.change("acme/defects", |repo| repo.is_gated = true);
    ask("huggingface:acme/defects")
        .run()
        .exits(2)
        .says("is restricted")
        .says(&format!(
            "accept its conditions at http://{}/acme/defects",
            hub.host()
        ));
    assert!(!yard.refs().contains("import/hub"));
}

#[test]
fn what_passes_is_waited_for_and_what_was_cut_off_goes_on() {
    let sandbox = Sandbox::new();
    let (yard, hub) = (sandbox.yard(), FakeHub::start());
    pushed(&hub);
    let front = Front::before(&hub.host());
    let limit = Answer::status(429).with_header("RateLimit", "\"api\";r=0;t=1");
    front.times(1, "GET", "/refs", limit);
    front.times(1, "GET", "/tree/", Answer::status(503));
    front.times(1, "GET", "vocab.txt", Answer::CutAfter(2));
    yard.brings_from_hub(&front.host(), &WORDS).run().success();
    assert_eq!(front.count("GET", "vocab.txt"), 2);
    assert_eq!(front.carried("range"), ["bytes=2-"]);
    let record = yard.show("import/hub", RECORD);
    assert!(record.contains("name: safetensors"), "{record}");
}

#[test]
fn a_listing_has_an_end() {
    let sandbox = Sandbox::new();
    let (yard, hub) = (sandbox.yard(), FakeHub::start());
    pushed(&hub);
    hub.state().is_endless = true;
    yard.brings_from_hub(&hub.host(), &WORDS)
        .run()
        .exits(2)
        .says("has more than 200 pages in the listing of its files");
    hub.state().is_endless = false;
    let front = Front::before(&hub.host());
    let elsewhere = Answer::body(200, "application/json", "[]")
        .with_header("Link", "<http://hub.example.com/api>; rel=\"next\"");
    front.always("GET", "/tree/", elsewhere);
    yard.brings_from_hub(&front.host(), &WORDS)
        .run()
        .exits(2)
        .says("sends us to another host");
}

#[test]
fn bytes_that_are_not_what_was_listed_are_refused() {
    let sandbox = Sandbox::new();
    let (yard, hub) = (sandbox.yard(), FakeHub::start());
    pushed(&hub);
    hub.state().lies = true;
    yard.brings_from_hub(&hub.host(), &WORDS)
        .run()
        .exits(1)
        .prints("3 bytes were listed")
        .prints("are sent");
    hub.state().lies = false;
    // The commit is what it was; what comes for it is not.
    let front = Front::before(&hub.host());
    let other = Answer::body(
        200,
        "application/octet-stream",
        vec![1; super::safetensors().len()],
    );
    front.always("GET", "model.safetensors", other);
    yard.brings_from_hub(&front.host(), &WORDS)
        .run()
        .exits(1)
        .prints("and should be sha256:");
    // What was wrong is not kept: the same command brings the true bytes.
    front.is_faithful();
    yard.brings_from_hub(&front.host(), &WORDS).run().success();
}

#[test]
fn what_is_pushed_meanwhile_is_not_brought() {
    let sandbox = Sandbox::new();
    let (yard, hub) = (sandbox.yard(), FakeHub::start());
    let commit = pushed(&hub);
    let front = Front::before(&hub.host());
    yard.brings_from_hub(&front.host(), &WORDS).run().success();
    let read: Vec<_> = front.requests();
    let read = read
        .iter()
        .filter(|line| line.contains("/resolve/") || line.contains("/tree/"));
    assert!(read.clone().count() > 3);
    for line in read {
        assert!(line.contains(&commit), "{line} names no commit");
    }
}
