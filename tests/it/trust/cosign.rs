//! cosign 3 and cosign 2 verify what we signed, and we what they signed, on registries with and
//! without the referrers API.

use modelyard::record::OciReference;
use serde_json::Value;

use super::{Desk, PASSWORD};
use crate::harness::registry::{Distribution, Referrers};
use crate::harness::{Outcome, Run};

const COSIGNS: [&str; 2] = ["cosign3", "cosign2"];

/// A key, an artifact in a registry, and cosign beside them.
struct Bench {
    desk: Desk,
    artifact: OciReference,
}

impl Bench {
    fn at(host: &str) -> Self {
        let desk = Desk::new();
        let artifact = desk.artifact(&format!("{host}/acme/vision/digits:1.0.0"));
        Self { desk, artifact }
    }

    fn cosign(&self, version: &str, arguments: &[&str]) -> Run {
        let run = self.desk.sandbox.tool(version, arguments);
        run.env("COSIGN_PASSWORD", PASSWORD)
    }

    /// A key that cosign made, as its private and its public file.
    fn cosign_key(&self, version: &str, name: &str) -> (String, String) {
        let arguments = ["generate-key-pair", "--output-key-prefix", name];
        self.cosign(version, &arguments).run().success();
        (format!("{name}.key"), format!("{name}.pub"))
    }

    fn cosign_sign(&self, version: &str, key: &str) {
        let artifact = self.artifact.to_string();
        let mut arguments = vec!["sign", "--yes", "--tlog-upload=false", "--key", key];
        if version == "cosign3" {
            arguments.push("--use-signing-config=false");
        }
        arguments.push(&artifact);
        self.cosign(version, &arguments).run().success();
    }

    /// Has cosign verify what lies at `place`. It gets a trusted root with nothing in it, as it
    /// would fetch one from the network otherwise.
    fn cosign_verify(&self, version: &str, key: &str, place: &str, trust: &str) -> Outcome {
        let root = r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}"#;
        self.desk.sandbox.write("root.json", root);
        let arguments = [
            "verify",
            "--key",
            key,
            trust,
            "--trusted-root",
            "root.json",
            place,
        ];
        self.cosign(version, &arguments).run()
    }

    /// Where the artifact lies with both formats of its signatures, and where a copy of it lies
    /// with the classic one only: cosign does not look at that where there is a bundle.
    fn places(&self) -> [String; 2] {
        let artifact = self.artifact.to_string();
        let digest = self.artifact.digest.unwrap();
        let (host, _) = artifact.split_once('/').unwrap();
        let copy = format!("{host}/classic/digits");
        let signatures = format!("sha256-{}.sig", digest.hex());
        let both = [
            (artifact.clone(), format!("{copy}:1.0.0")),
            (
                format!("{}:{signatures}", self.artifact.repository),
                format!("{copy}:{signatures}"),
            ),
        ];
        for (from, to) in both {
            let arguments = ["copy", "--insecure", &from, &to];
            self.desk.sandbox.tool("crane", arguments).run().success();
        }
        [artifact, format!("{copy}@{digest}")]
    }

    fn sign(&self, key: &str) -> Value {
        let artifact = self.artifact.to_string();
        let run = self
            .desk
            .modelyard(["sign", "--key", key, &artifact, "-o", "json"]);
        run.run().success().json()
    }

    /// The keys and formats of every signature that we find good.
    fn found(&self, keys: &[&str]) -> Vec<(String, String)> {
        let artifact = self.artifact.to_string();
        let mut arguments = vec!["verify", "-o", "json", &artifact];
        for key in keys {
            arguments.extend(["--key", key]);
        }
        let said = self
            .desk
            .sandbox
            .modelyard(arguments)
            .run()
            .success()
            .json();
        let signatures = said["signatures"].as_array().unwrap().iter();
        let mut found: Vec<_> = signatures
            .map(|signature| {
                let text = |pointer| signature.pointer(pointer).and_then(Value::as_str);
                let key = text("/signer/key").unwrap_or("nobody");
                (key.to_owned(), text("/form").unwrap().to_owned())
            })
            .collect();
        found.sort();
        found
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = pairs
        .iter()
        .map(|(key, form)| ((*key).to_owned(), (*form).to_owned()));
    owned.collect()
}

/// Each of these with each of those.
fn pairs_of<'a>(
    places: &'a [String],
    versions: &'a [&'a str],
) -> impl Iterator<Item = (&'a String, &'a str)> {
    let versions = move |place| versions.iter().map(move |version| (place, *version));
    places.iter().flat_map(versions)
}

/// Runs a story on a registry with the referrers API and on one without.
fn everywhere(story: impl Fn(Bench)) {
    let with = Referrers::start();
    story(Bench::at(&with.host()));
    let without = Distribution::start();
    story(Bench::at(&without.host()));
}

#[test]
fn every_cosign_verifies_what_we_signed_in_both_formats() {
    everywhere(|bench| {
        bench.desk.key("release");
        bench.sign("release");
        let public = bench.desk.public("release").display().to_string();
        let (_, stranger) = bench.cosign_key("cosign3", "stranger");
        for (place, cosign) in pairs_of(&bench.places(), &COSIGNS) {
            for trust in ["--insecure-ignore-tlog=true", "--private-infrastructure"] {
                bench.cosign_verify(cosign, &public, place, trust).success();
            }
            let trust = "--insecure-ignore-tlog=true";
            let refused = bench.cosign_verify(cosign, &stranger, place, trust);
            assert_ne!(refused.code, Some(0), "{}", refused.report());
        }
    });
}

#[test]
fn we_verify_what_every_cosign_signed_with_a_key_that_either_made() {
    everywhere(|bench| {
        bench.desk.key("ours");
        let ours = bench.desk.private("ours").display().to_string();
        let (theirs, theirs_pub) = bench.cosign_key("cosign2", "theirs");
        bench.cosign_sign("cosign3", &ours);
        bench.cosign_sign("cosign2", &theirs);
        let expected = pairs(&[("ours.pub", "bundle"), ("theirs.pub", "classic")]);
        assert_eq!(bench.found(&["ours", &theirs_pub]), expected);
    });
}

#[test]
fn their_keys_sign_with_us_and_signing_beside_them_keeps_both() {
    everywhere(|bench| {
        let (first, first_pub) = bench.cosign_key("cosign3", "first");
        bench.cosign_sign("cosign3", &first);
        bench.cosign_sign("cosign2", &first);
        let signed = bench.sign("./first.key");
        assert_eq!(
            signed["unchanged"], true,
            "cosign signed in both formats already"
        );
        bench.desk.key("second");
        bench.sign("second");
        let (third, third_pub) = bench.cosign_key("cosign2", "third");
        bench.cosign_sign("cosign2", &third);
        bench.cosign_sign("cosign3", &third);
        let all = [
            ("first.pub", "bundle"),
            ("first.pub", "classic"),
            ("second.pub", "bundle"),
            ("second.pub", "classic"),
            ("third.pub", "bundle"),
            ("third.pub", "classic"),
        ];
        assert_eq!(
            bench.found(&[&first_pub, "second", &third_pub]),
            pairs(&all)
        );
        let second = bench.desk.public("second").display().to_string();
        let places = bench.places();
        for key in [&first_pub, &second, &third_pub] {
            for (place, cosign) in pairs_of(&places, &COSIGNS) {
                let trust = "--insecure-ignore-tlog=true";
                bench.cosign_verify(cosign, key, place, trust).success();
            }
        }
    });
}

#[test]
fn an_attestation_of_cosigns_is_no_signature() {
    everywhere(|bench| {
        let (key, public) = bench.cosign_key("cosign3", "release");
        bench
            .desk
            .sandbox
            .write("predicate.json", "{\"good\": true}");
        let artifact = bench.artifact.to_string();
        let attest = [
            "attest",
            "--yes",
            "--tlog-upload=false",
            "--use-signing-config=false",
            "--key",
            &key,
            "--type",
            "https://example.com/review/v1",
            "--predicate",
            "predicate.json",
            &artifact,
        ];
        bench.cosign("cosign3", &attest).run().success();
        let run = bench
            .desk
            .modelyard(["verify", "--key", &public, &artifact, "-o", "json"]);
        let said = run.run().exits(1).json();
        assert_eq!(said["rules"][0]["unmet"][0]["code"], "too-few-signatures");
        let remark = said["signatures"][0]["remark"].as_str().unwrap();
        assert!(
            remark.starts_with("is an attestation (https://example.com/review/v1"),
            "{remark}"
        );
        bench.sign("./release.key");
        assert_eq!(
            bench.found(&[&public]).len(),
            3,
            "and it hides no signature"
        );
        let trust = "--insecure-ignore-tlog=true";
        bench
            .cosign_verify("cosign3", &public, &artifact, trust)
            .success();
    });
}

#[test]
fn a_referrer_of_no_worth_hides_no_signature_and_is_told() {
    everywhere(|bench| {
        let artifact = bench.artifact.to_string();
        let media_type = "application/vnd.dev.sigstore.bundle.v0.3+json";
        bench
            .desk
            .sandbox
            .write("junk.json", "{\"mediaType\": \"junk\"}");
        let file = format!("junk.json:{media_type}");
        let attach = [
            "attach",
            "--plain-http",
            "--artifact-type",
            media_type,
            &artifact,
            &file,
        ];
        bench.desk.sandbox.tool("oras", attach).run().success();
        let (key, public) = bench.cosign_key("cosign3", "release");
        let unsigned = bench
            .desk
            .modelyard(["verify", "--key", &public, &artifact]);
        unsigned.run().exits(1).prints("can't be read");
        bench.cosign_sign("cosign3", &key);
        let expected = [("nobody", "bundle"), ("release.pub", "bundle")];
        assert_eq!(bench.found(&[&public]), pairs(&expected));
    });
}

#[test]
fn what_is_signed_in_a_folder_stays_signed_in_a_registry() {
    let registry = Referrers::start();
    let desk = Desk::new();
    desk.key("release");
    let artifact = desk.artifact("oci-layout:./store/vision/digits:1.0.0");
    let signed = ["sign", "oci-layout:./store/vision/digits:1.0.0"];
    desk.modelyard(signed).run().success();
    let digest = artifact.digest.unwrap();
    let place = format!("{}/moved/digits", registry.host());
    for tag in ["1.0.0", &format!("sha256-{}.sig", digest.hex())] {
        let (from, to) = (
            format!("store/vision/digits:{tag}"),
            format!("{place}:{tag}"),
        );
        let copy = [
            "cp",
            "--recursive",
            "--from-oci-layout",
            "--to-plain-http",
            &from,
            &to,
        ];
        desk.sandbox.tool("oras", copy).run().success();
    }
    let moved = format!("{place}@{digest}");
    let verified = desk.modelyard(["verify", "--key", "release", &moved]).run();
    verified
        .success()
        .prints("bundle signature")
        .prints("classic signature");
    let public = desk.public("release").display().to_string();
    let bench = Bench {
        desk,
        artifact: moved.parse().unwrap(),
    };
    for (place, cosign) in pairs_of(&bench.places(), &COSIGNS) {
        let trust = "--insecure-ignore-tlog=true";
        bench.cosign_verify(cosign, &public, place, trust).success();
    }
}
