//! `modelyard sign` and `modelyard verify` on a layout, and what is refused.

use std::fs;
use std::path::PathBuf;

use modelyard::record::{Digest, OciReference};
use serde_json::Value;

use super::Desk;
use crate::harness::{Answer, Front};

const TAGGED: &str = "oci-layout:./store/vision/digits:1.0.0";

fn verdict(desk: &Desk, arguments: &[&str]) -> Value {
    let run = desk
        .sandbox
        .modelyard([&["verify", "-o", "json"], arguments].concat());
    let outcome = run.run();
    let json = outcome.json();
    let trusted = json["verdict"] == "trusted";
    outcome.exits(if trusted { 0 } else { 1 });
    json
}

impl Desk {
    /// A yard that accepts the key `release`, and a version of it that the key signed.
    fn signed() -> (Self, OciReference) {
        let desk = Self::new();
        let place = desk.artifact(TAGGED);
        desk.record(&place);
        desk.modelyard(["keys", "generate", "release"])
            .run()
            .success();
        desk.merge("keys/release");
        desk.modelyard(["sign", "vision/digits:champion"])
            .run()
            .success();
        (desk, place)
    }

    fn blob(&self, digest: &Digest) -> PathBuf {
        let path = format!("store/vision/digits/blobs/sha256/{}", digest.hex());
        self.sandbox.path(path)
    }

    /// Every file of the store that holds `text`.
    fn files_with(&self, text: &str) -> Vec<PathBuf> {
        let folder = self.sandbox.path("store/vision/digits/blobs/sha256");
        let files = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let has = |path: &PathBuf| String::from_utf8_lossy(&fs::read(path).unwrap()).contains(text);
        files.filter(has).collect()
    }
}

#[test]
fn what_a_key_signed_is_trusted_by_the_yard_and_by_the_key_alone() {
    let (desk, place) = Desk::signed();
    let said = verdict(&desk, &["vision/digits"]);
    assert_eq!(said["verdict"], "trusted");
    assert_eq!(said["version"], "vision/digits:1.0.0");
    assert_eq!(said["rules"][0]["signers"][0]["key"], "keys/release.pub");
    let forms: Vec<_> = said["signatures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| &s["form"])
        .collect();
    assert_eq!(forms, ["bundle", "classic"]);
    let public = desk.public("release").display().to_string();
    for reference in [TAGGED, &place.to_string()] {
        assert_eq!(
            verdict(&desk, &["--key", &public, reference])["verdict"],
            "trusted"
        );
        assert_eq!(
            verdict(&desk, &["--key", "release", reference])["verdict"],
            "trusted"
        );
    }
    let told = desk
        .modelyard(["verify", "vision/digits:1.0.0"])
        .run()
        .success()
        .stdout;
    assert!(
        told.contains("verdict  trusted\nrule 1: 1 of 1 signers\n"),
        "{told}"
    );
}

#[test]
fn signing_again_changes_nothing_and_says_so() {
    let (desk, _) = Desk::signed();
    let count = || desk.files_with("").len();
    let before = count();
    let again = desk
        .modelyard(["sign", TAGGED, "-o", "json"])
        .run()
        .success()
        .json();
    assert_eq!(again["unchanged"], true);
    assert_eq!(again["written"], Value::Array(vec![]));
    assert_eq!(count(), before);
}

#[test]
fn nobody_vouches_where_no_rule_asks() {
    let desk = Desk::new();
    let place = desk.artifact(TAGGED);
    desk.record(&place);
    assert_eq!(verdict(&desk, &["vision/digits"])["verdict"], "unvouched");
    let told = desk.modelyard(["verify", "vision/digits"]).run().exits(1);
    told.prints("nobody vouches for it");
}

#[test]
fn another_key_another_artifact_and_nothing_at_all_are_refused() {
    let (desk, _) = Desk::signed();
    desk.key("stranger");
    let codes = |said: &Value| {
        let unmet = said["rules"][0]["unmet"].as_array().unwrap().clone();
        unmet
            .iter()
            .map(|unmet| unmet["code"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let said = verdict(&desk, &["--key", "stranger", TAGGED]);
    assert_eq!(codes(&said), ["too-few-signatures"]);
    assert_eq!(
        said["signatures"][0]["remark"],
        "is by none of the keys that were tried"
    );
    let other = desk
        .artifact_of("oci-layout:./store/vision/digits:2.0.0", "others")
        .to_string();
    let said = verdict(&desk, &["--key", "release", &other]);
    assert_eq!(codes(&said), ["too-few-signatures"]);
    assert_eq!(said["signatures"], Value::Array(vec![]));
    let not_there = desk.modelyard([
        "verify",
        "--key",
        "release",
        "oci-layout:./store/vision/digits:3.0.0",
    ]);
    not_there.run().exits(2).says("error[not-in-store]");
}

#[test]
fn a_bare_reference_is_held_against_every_rule_of_the_yard_or_needs_a_key() {
    let (desk, place) = Desk::signed();
    assert_eq!(verdict(&desk, &[TAGGED])["verdict"], "trusted");
    let yard = desk.sandbox.read("modelyard.yaml");
    let scoped = "      - match: {models: \"text/*\", lifecycle: retired}\n        require:";
    desk.sandbox
        .write("modelyard.yaml", yard.replace("      - require:", scoped));
    let said = verdict(&desk, &[TAGGED]);
    assert_eq!(
        said["rules"][0]["rule"], 1,
        "nobody says that it does not fit"
    );
    let outside = desk.modelyard(["verify", &place.to_string()]);
    let outside = outside.in_folder(desk.sandbox.home()).run();
    outside.exits(2).says("error[no-key-given]");
    let model = desk.modelyard(["verify", "vision/digits"]);
    model.in_folder(desk.sandbox.home()).run().exits(2);
}

#[test]
fn a_tampered_signature_is_refused_and_the_other_format_still_counts() {
    let (desk, _) = Desk::signed();
    let tamper = |part: &str, with: &str| {
        let files = desk.files_with(part);
        assert!(!files.is_empty(), "nothing has {part}");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            fs::write(&file, text.replacen(part, with, 1)).unwrap();
        }
    };
    // The bundle's payload and then the classic one: their digests no longer hold.
    tamper(
        "dsseEnvelope\":{\"payload\":\"eyJ",
        "dsseEnvelope\":{\"payload\":\"eyI",
    );
    let said = verdict(&desk, &["vision/digits"]);
    assert_eq!(said["verdict"], "trusted");
    assert!(
        said["signatures"][0]["remark"]
            .as_str()
            .unwrap()
            .starts_with("can't be read")
    );
    tamper("{\"critical\":", "{\"Critical\":");
    let said = verdict(&desk, &["vision/digits"]);
    assert_eq!(said["verdict"], "refused");
    assert_eq!(said["rules"][0]["unmet"][0]["code"], "too-few-signatures");
}

#[test]
fn a_tampered_manifest_is_refused_before_its_signatures_are_asked_for() {
    let (desk, place) = Desk::signed();
    let manifest = desk.blob(&place.digest.unwrap());
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("weights.bin", "Weights.bin")).unwrap();
    desk.modelyard(["verify", "vision/digits"])
        .run()
        .exits(2)
        .says("error[digest-mismatch]");
    desk.modelyard(["sign", "vision/digits"])
        .run()
        .exits(2)
        .says("error[digest-mismatch]");
}

#[test]
fn the_policy_decides_and_what_it_asks_beyond_this_build_is_refused() {
    let (desk, _) = Desk::signed();
    let yard = desk.sandbox.read("modelyard.yaml");
    let with = |part: &str, other: &str| {
        assert!(yard.contains(part), "{yard}");
        desk.sandbox
            .write("modelyard.yaml", yard.replace(part, other));
        let said = verdict(&desk, &["vision/digits"]);
        let code = said.pointer("/rules/0/unmet/0/code");
        code.map_or(said["verdict"].clone(), Clone::clone)
    };
    let signatures = "signatures: 1";
    let key = "- key: keys/release.pub";
    assert_eq!(with(signatures, "signatures: 1"), "trusted");
    assert_eq!(with(signatures, "signatures: 2"), "too-few-signatures");
    assert_eq!(
        with(signatures, "{signatures: 1, scan: pass}").as_str(),
        Some("scan-not-evaluated")
    );
    assert_eq!(
        with(key, "- {key: keys/release.pub, revoked: true}"),
        "too-few-signatures"
    );
    assert_eq!(
        with(
            key,
            "- {key: keys/release.pub, notAfter: 2020-01-01T00:00:00Z}"
        ),
        "too-few-signatures"
    );
    assert_eq!(with(key, "- {key: keys/lost.pub}"), "too-few-signatures");
    assert_eq!(
        with(
            "      - require:",
            "      - match: {models: \"text/*\"}\n        require:"
        ),
        "unvouched"
    );
}

#[test]
fn a_key_is_chosen_by_name_file_or_variable() {
    let desk = Desk::new();
    desk.artifact(TAGGED);
    desk.modelyard(["sign", TAGGED])
        .run()
        .exits(2)
        .says("error[no-signing-key]");
    let file = desk.key("ann").display().to_string();
    desk.key("ben");
    desk.modelyard(["sign", TAGGED])
        .run()
        .exits(2)
        .says("error[which-key]")
        .says("ann, ben");
    let signed = desk
        .modelyard(["sign", TAGGED, "-o", "json"])
        .env("MODELYARD_KEY", "ben");
    let ben = signed.run().success().json()["key"].clone();
    let ann = desk
        .modelyard(["sign", TAGGED, "--key", &file, "-o", "json"])
        .run()
        .success()
        .json();
    assert_ne!(ann["key"], ben);
    let pem = fs::read_to_string(&file).unwrap();
    let again = desk.modelyard(["sign", TAGGED, "--key", "env://SIGNING_KEY", "-o", "json"]);
    let again = again.env("SIGNING_KEY", pem).run().success().json();
    assert_eq!(
        (&again["key"], &again["unchanged"]),
        (&ann["key"], &Value::Bool(true))
    );
    let missing = desk
        .modelyard(["sign", TAGGED, "--key", "env://NO_KEY"])
        .run();
    missing.exits(2).says("error[no-key-variable]");
    let wrong = desk
        .sandbox
        .modelyard(["sign", TAGGED, "--key", "ann"])
        .env("COSIGN_PASSWORD", "x");
    wrong
        .run()
        .exits(2)
        .says("error[wrong-password]")
        .says("ann.key");
    let said = verdict(&desk, &["--key", "ann", "--key", "ben", TAGGED]);
    assert_eq!(
        said["signatures"].as_array().unwrap().len(),
        4,
        "two keys in two formats"
    );
}

#[test]
fn a_registry_that_does_not_tell_is_never_unsigned() {
    let desk = Desk::new();
    desk.key("release");
    let manifest = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;
    for (status, code) in [
        (401, "store-unauthorized"),
        (403, "store-forbidden"),
        (418, "store-failed"),
    ] {
        let front = Front::alone();
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        front.always(
            "GET",
            "/manifests/1.0.0",
            Answer::body(200, media_type, manifest),
        );
        front.always(
            "HEAD",
            "/manifests/1.0.0",
            Answer::body(200, media_type, manifest),
        );
        front.always("GET", "/referrers/", Answer::status(status));
        let reference = format!("{}/acme/digits:1.0.0", front.host());
        let asked = desk
            .modelyard(["verify", "--key", "release", &reference])
            .run();
        asked.exits(2).says(code);
        let asked = desk
            .modelyard(["sign", "--key", "release", &reference])
            .run();
        asked.exits(2).says(code);
        assert_eq!(front.count("PUT", "") + front.count("POST", ""), 0);
    }
}
