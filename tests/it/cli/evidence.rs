//! `modelyard check --evidence`: what stores and signatures say.

use std::fs;

use super::check::codes;
use crate::harness::{Sandbox, Yard};

const VERSION: &str = "models/vision/digits/versions/1.0.0.yaml";
const STORE: &str = "store/vision/digits/blobs/sha256";

/// A yard whose main has the key of `release` in its policy, and vision/digits 1.0.0.
fn trusting(sandbox: &Sandbox) -> Yard<'_> {
    let yard = sandbox.yard();
    sandbox.files("digits");
    yard.publish("digits", "vision/digits:1.0.0").success();
    yard.merge("publish/vision/digits/1.0.0");
    keys(&yard, &["keys", "generate", "release"]).success();
    yard.merge("keys/release");
    yard
}

/// The program with a password at hand.
fn keys(yard: &Yard<'_>, arguments: &[&str]) -> crate::harness::Outcome {
    yard.modelyard(arguments)
        .env("COSIGN_PASSWORD", "secret")
        .run()
}

/// What a check with evidence finds, and its exit code.
fn found(yard: &Yard<'_>, more: &[&str]) -> (Vec<String>, Option<i32>) {
    let arguments = ["check", "--evidence", "--output=json"].iter().chain(more);
    let outcome = yard.modelyard(arguments).run();
    (codes(&outcome), outcome.code)
}

fn only(code: &str, exit: i32) -> (Vec<String>, Option<i32>) {
    (vec![code.to_owned()], Some(exit))
}

fn manifest(yard: &Yard<'_>) -> std::path::PathBuf {
    let record = fs::read_to_string(yard.path(VERSION)).unwrap();
    let (_, rest) = record.split_once("sha256:").unwrap();
    yard.path(STORE).join(&rest[..64])
}

#[test]
fn a_signature_satisfies_the_policy_and_none_does_not() {
    let sandbox = Sandbox::new();
    let yard = trusting(&sandbox);
    yard.modelyard(["check"])
        .run()
        .success()
        .prints("all is well");
    assert_eq!(found(&yard, &[]), only("too-few-signatures", 1));
    keys(&yard, &["sign", "vision/digits:1.0.0"]).success();
    assert_eq!(found(&yard, &[]), (vec![], Some(0)));
}

#[test]
fn a_change_is_held_to_the_policy_of_its_base() {
    let sandbox = Sandbox::new();
    let yard = trusting(&sandbox);
    yard.git(["switch", "--quiet", "--create", "sly"])
        .run()
        .success();
    let policy = fs::read_to_string(yard.path("modelyard.yaml")).unwrap();
    yard.write(
        "modelyard.yaml",
        &policy.replace("signatures: 1", "signatures: 0"),
    );
    let record = fs::read_to_string(yard.path(VERSION)).unwrap();
    yard.write(VERSION, &record.replace("staged", "released"));
    assert_eq!(found(&yard, &[]), (vec![], Some(0)));
    assert_eq!(
        found(&yard, &["--base=main"]),
        only("too-few-signatures", 1)
    );
}

#[test]
fn what_can_not_be_evaluated_yet_fails_its_rule() {
    let sandbox = Sandbox::new();
    let yard = trusting(&sandbox);
    keys(&yard, &["sign", "vision/digits:1.0.0"]).success();
    let policy = fs::read_to_string(yard.path("modelyard.yaml")).unwrap();
    for (more, code) in [
        (
            "attestations: [https://slsa.dev/provenance/v1]",
            "attestations-not-evaluated",
        ),
        ("scan: pass", "scan-not-evaluated"),
    ] {
        let line = format!("require:\n          {more}");
        yard.write("modelyard.yaml", &policy.replace("require:", &line));
        assert_eq!(found(&yard, &[]), only(code, 1));
    }
    let keyless = "accept:\n          - keyless: {issuer: https://id.example, identity: me}\n";
    let (before, _) = policy.split_once("accept:").unwrap();
    yard.write("modelyard.yaml", &format!("{before}{keyless}"));
    assert_eq!(found(&yard, &[]), only("keyless-not-evaluated", 1));
}

#[test]
fn bytes_that_are_missing_or_tampered_with_are_told() {
    let sandbox = Sandbox::new();
    let yard = trusting(&sandbox);
    keys(&yard, &["sign", "vision/digits:1.0.0"]).success();
    let record = fs::read_to_string(yard.path(VERSION)).unwrap();
    yard.write(VERSION, &record.replace("size: ", "size: 1"));
    assert_eq!(found(&yard, &[]), only("size-differs", 1));
    yard.write(VERSION, &record);

    let manifest = manifest(&yard);
    let bytes = fs::read(&manifest).unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    fs::write(&manifest, text.replace("model.bin", "nodel.bin")).unwrap();
    assert_eq!(found(&yard, &[]), only("digest-mismatch", 1));
    fs::write(&manifest, &bytes).unwrap();
    assert_eq!(found(&yard, &[]), (vec![], Some(0)));

    let digest = manifest.file_name().unwrap().to_str().unwrap();
    yard.write(VERSION, &record.replace(digest, &"0".repeat(64)));
    assert_eq!(found(&yard, &[]), only("digest-missing", 1));
    yard.write(VERSION, &record);

    let layers = serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()["layers"].clone();
    let layer = layers[0]["digest"]
        .as_str()
        .unwrap()
        .trim_start_matches("sha256:")
        .to_owned();
    fs::remove_file(yard.path(STORE).join(layer)).unwrap();
    assert_eq!(found(&yard, &[]), only("digest-missing", 1));
}

#[test]
fn a_store_that_can_not_be_asked_leaves_it_unchecked() {
    let sandbox = Sandbox::new();
    let yard = trusting(&sandbox);
    sandbox
        .git(["clone", "--quiet", "--bare", "yard", "bare"])
        .run()
        .success();
    let outcome = sandbox
        .modelyard(["-C", "bare", "check", "--evidence"])
        .run();
    outcome
        .exits(2)
        .prints("error[evidence-missing]")
        .says("error[no-evidence]");
    // What is wrong anyway is a problem.
    yard.write("environments/factory.yaml", "");
    yard.commit("Nothing");
    sandbox
        .git(["-C", "bare", "fetch", "--quiet", "origin", "main:main"])
        .run()
        .success();
    sandbox
        .modelyard(["-C", "bare", "check", "--evidence"])
        .run()
        .exits(1);
}
