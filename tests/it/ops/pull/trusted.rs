//! Pulling under a trust policy, and bytes that were tampered with.

use std::fs;
use std::path::Path;

use super::{MODEL, blob, digest, digest_of, publish};
use crate::harness::{Outcome, Sandbox, Yard};

/// A yard with one version, and a rule that asks for a signature by the key `release`.
fn guarded(sandbox: &Sandbox) -> Yard<'_> {
    let yard = sandbox.yard();
    publish(sandbox, &yard, "1.0.0");
    run(&yard, &["keys", "generate", "release"]).success();
    yard.merge("keys/release");
    yard
}

/// The same, and the version is signed.
fn signed(sandbox: &Sandbox) -> Yard<'_> {
    let yard = guarded(sandbox);
    run(&yard, &["sign", "vision/digits:1.0.0", "--key", "release"]).success();
    yard
}

fn run(yard: &Yard<'_>, words: &[&str]) -> Outcome {
    yard.modelyard(words).env("COSIGN_PASSWORD", "horse").run()
}

fn pull(yard: &Yard<'_>, folder: &str) -> Outcome {
    yard.modelyard(["pull", "vision/digits:1.0.0", folder])
        .run()
}

/// Flips one bit in the middle of a file, which keeps its length.
fn tamper(path: &Path) -> Vec<u8> {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, &bytes).unwrap();
    bytes
}

/// Pulls into a folder that isn't there and into one that has a file, and holds that nothing came
/// of it in either.
fn refused(yard: &Yard<'_>) -> Outcome {
    yard.write("filled/notes.txt", "mine");
    pull(yard, "filled").exits(2);
    let entries = fs::read_dir(yard.path("filled")).unwrap();
    assert_eq!(entries.count(), 1);
    let refused = pull(yard, "new").exits(2);
    assert!(!yard.path("new").exists());
    let staged = fs::read_dir(yard.path("")).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with(".modelyard")
    });
    assert_eq!(staged.count(), 0);
    refused
}

#[test]
fn what_the_policy_asks_for_has_to_be_there() {
    let sandbox = Sandbox::new();
    let yard = guarded(&sandbox);
    refused(&yard).says("error[too-few-signatures]");
    assert!(!sandbox.home().join(".cache/modelyard/blobs").exists());
    run(&yard, &["sign", "vision/digits:1.0.0", "--key", "release"]).success();
    let pulled = pull(&yard, "out").success();
    assert_eq!(pulled.stderr, "");
    pulled.prints("signed    by keys/release.pub");
    // By its place in the store nothing is known of it, and so every rule counts.
    let place = "oci-layout:./store/vision/digits:1.0.0";
    let tagged = ["push", "../digits", place];
    yard.modelyard(tagged).run().success();
    yard.modelyard(["pull", place, "by-place"]).run().success();
}

#[test]
fn a_yard_with_no_rule_says_at_every_pull_that_nobody_vouches() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    publish(&sandbox, &yard, "1.0.0");
    for _ in 0..2 {
        pull(&yard, "out")
            .success()
            .says("nobody vouches for vision/digits:1.0.0");
    }
}

#[test]
fn tampered_weights_are_refused_by_both_digests() {
    let sandbox = Sandbox::new();
    let yard = signed(&sandbox);
    let tampered = tamper(&blob(&yard, &digest_of(MODEL)));
    refused(&yard).says("error[digest-mismatch]").says(&format!(
        "expected {}, got {}",
        digest_of(MODEL),
        digest_of(&tampered)
    ));
    fs::write(blob(&yard, &digest_of(MODEL)), "shorter").unwrap();
    refused(&yard)
        .says("error[size-mismatch]")
        .says("7 bytes where 9 were expected");
    // What was refused was not kept either.
    fs::write(blob(&yard, &digest_of(MODEL)), MODEL).unwrap();
    pull(&yard, "out").success();
}

#[test]
fn a_tampered_manifest_is_refused_by_both_digests() {
    let sandbox = Sandbox::new();
    let yard = signed(&sandbox);
    let digest = digest(&yard, "1.0.0");
    let tampered = tamper(&blob(&yard, &digest));
    refused(&yard)
        .says("error[digest-mismatch]")
        .says(&format!("expected {digest}, got {}", digest_of(&tampered)));
}

#[test]
fn tampered_signatures_are_refused_and_told() {
    let sandbox = Sandbox::new();
    let yard = signed(&sandbox);
    let mut files = vec![digest_of(MODEL), digest(&yard, "1.0.0")];
    files.push(digest_of(b"# A model\n"));
    let mut tampered = Vec::new();
    for entry in fs::read_dir(yard.path("store/vision/digits/blobs/sha256")).unwrap() {
        let path = entry.unwrap().path();
        let digest = format!("sha256:{}", path.file_name().unwrap().to_string_lossy());
        let text = fs::read_to_string(&path).unwrap_or_default();
        // The bundle, and the payload of the classic form.
        if !files.contains(&digest) && (text.contains("dsseEnvelope") || text.contains("critical"))
        {
            tampered.push((digest, digest_of(&tamper(&path))));
        }
    }
    assert_eq!(tampered.len(), 2);
    let mut outcome = refused(&yard).says("error[too-few-signatures]");
    for (expected, actual) in tampered {
        outcome = outcome.says(&format!("expected {expected}, got {actual}"));
    }
}
