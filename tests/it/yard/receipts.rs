//! Receipts in git: here at once, on the remote when it answers, and never lost.

use std::ops::ControlFlow;

use jiff::Timestamp;
use modelyard::record::Name;
use modelyard::yard::{Yard, YardError};

use crate::harness::Sandbox;

/// The yard in a folder, whose git knows who commits.
fn opened(sandbox: &Sandbox, folder: &str) -> Yard {
    for (name, value) in [
        ("user.name", "Yard"),
        ("user.email", "yard@example.com"),
        ("commit.gpgSign", "false"),
    ] {
        let config = ["config", name, value];
        sandbox.git(config).in_folder(folder).run().success();
    }
    Yard::discover(&sandbox.path(folder)).unwrap()
}

fn clone(sandbox: &Sandbox, folder: &str) -> Yard {
    let words = ["clone", "--quiet", "upstream.git", folder];
    sandbox.git(words).run().success();
    opened(sandbox, folder)
}

fn host() -> Name {
    "host".parse().unwrap()
}

fn add(yard: &Yard, text: &str, second: i64) {
    let at = Timestamp::from_second(second).unwrap();
    let message = format!("host: {text}\n\nbecause");
    yard.add_receipt(&host(), &message, text.as_bytes(), at)
        .unwrap();
}

/// The receipts that a yard knows, newest first.
fn known(yard: &Yard) -> Vec<String> {
    let mut all = Vec::new();
    yard.receipts(&host(), |receipt| {
        assert!(receipt.message.starts_with("host: "));
        all.push(String::from_utf8(receipt.bytes).unwrap());
        ControlFlow::Continue(())
    })
    .unwrap();
    all
}

#[test]
fn receipts_of_two_hosts_are_all_kept_and_every_clone_can_read_them() {
    let sandbox = Sandbox::new();
    let before = sandbox.shared_yard().refs();
    let one = opened(&sandbox, "yard");
    let other = clone(&sandbox, "other");
    assert_eq!((known(&one), one.receipted().unwrap()), (vec![], vec![]));
    add(&one, "a", 1);
    add(&one, "b", 2);
    assert!(one.push_receipts(&host()).unwrap());
    assert!(!one.push_receipts(&host()).unwrap(), "it has them");
    // The other one knew nothing of these.
    add(&other, "c", 3);
    add(&other, "d", 4);
    assert!(other.push_receipts(&host()).unwrap());
    assert_eq!(known(&other), ["d", "c", "b", "a"]);
    add(&one, "e", 5);
    assert!(one.push_receipts(&host()).unwrap());
    assert_eq!(known(&one), ["e", "d", "c", "b", "a"]);

    let third = clone(&sandbox, "third");
    assert_eq!(known(&third), [""; 0], "a clone brings branches only");
    third.fetch_receipts().unwrap();
    assert_eq!(known(&third), ["e", "d", "c", "b", "a"]);
    assert_eq!(third.receipted().unwrap(), [host()]);
    // People's branches are as they were, and git alone can tell the story.
    let log = sandbox.git(["log", "--format=%s %ct", "refs/modelyard/receipts/host"]);
    let log = log.in_folder("yard").run().success();
    assert_eq!(
        log.stdout,
        "host: e 5\nhost: d 4\nhost: c 3\nhost: b 2\nhost: a 1\n"
    );
    let branches = sandbox.git(["branch", "--all", "--format=%(refname)"]);
    let branches = branches.in_folder("third").run().success().stdout;
    assert!(!branches.contains("modelyard"), "{branches}");
    assert!(!before.contains("modelyard"), "{before}");
}

#[test]
fn a_remote_that_is_away_loses_nothing() {
    let sandbox = Sandbox::new();
    let _ = sandbox.shared_yard();
    let yard = opened(&sandbox, "yard");
    let upstream = sandbox.path("upstream.git");
    let away = sandbox.path("away");
    std::fs::rename(&upstream, &away).unwrap();
    add(&yard, "a", 1);
    let error = yard.push_receipts(&host()).unwrap_err();
    assert!(matches!(error, YardError::Unreachable { .. }), "{error:?}");
    add(&yard, "b", 2);
    assert_eq!(known(&yard), ["b", "a"]);
    std::fs::rename(&away, &upstream).unwrap();
    assert!(yard.push_receipts(&host()).unwrap());
    let there = clone(&sandbox, "there");
    there.fetch_receipts().unwrap();
    assert_eq!(known(&there), ["b", "a"]);
}

#[test]
fn what_is_no_receipt_is_passed_over() {
    let sandbox = Sandbox::new();
    let _ = sandbox.shared_yard();
    let yard = opened(&sandbox, "yard");
    let name = "refs/modelyard/receipts/host";
    for words in [
        vec!["update-ref", name, "main"],
        vec!["update-ref", "refs/modelyard/receipts/Not/A/Name", "main"],
    ] {
        sandbox.git(words).in_folder("yard").run().success();
    }
    assert_eq!(known(&yard), [""; 0]);
    assert_eq!(yard.receipted().unwrap(), [host()]);
    add(&yard, "a", 1);
    assert_eq!(known(&yard), ["a"]);
}
