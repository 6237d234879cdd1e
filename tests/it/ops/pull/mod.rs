//! `modelyard pull`, as a person runs it.

mod hostile;
mod interrupted;
mod placing;
mod stores;
mod trusted;
mod yards;

use std::fs;
use std::path::PathBuf;

use modelyard::artifact::Descriptor;
use modelyard::artifact::descriptor::{EMPTY, EMPTY_JSON, IMAGE_MANIFEST};
use modelyard::artifact::manifest::Manifest;

use crate::harness::{Sandbox, Yard};

const MODEL: &[u8] = b"\x00weights\x01";

/// The manifest of an artifact whose one file is [`MODEL`].
fn manifest() -> Vec<u8> {
    let layer = Descriptor::of("application/vnd.cncf.model.weight.v1.raw", MODEL);
    let manifest = Manifest {
        schema_version: 2,
        media_type: IMAGE_MANIFEST.to_owned(),
        artifact_type: None,
        config: Descriptor::of(EMPTY, EMPTY_JSON),
        layers: vec![layer.annotated("org.cncf.model.filepath", "model.bin")],
        subject: None,
        annotations: [].into(),
    };
    manifest.to_bytes().to_vec()
}

/// Publishes version `version` of vision/digits, whose weights end with it, and merges it.
fn publish<'a>(sandbox: &'a Sandbox, yard: &Yard<'_>, version: &str) -> &'a Sandbox {
    sandbox.files("digits");
    if version != "1.0.0" {
        sandbox.write("digits/model.bin", weights(version));
    }
    yard.publish("digits", &format!("vision/digits:{version}"))
        .success();
    yard.merge(&format!("publish/vision/digits/{version}"));
    sandbox
}

fn weights(version: &str) -> Vec<u8> {
    match version {
        "1.0.0" => MODEL.to_vec(),
        other => [MODEL, other.as_bytes()].concat(),
    }
}

/// Changes a record of the yard, and commits it.
fn edit(yard: &Yard<'_>, path: &str, from: &str, to: &str) {
    let text = fs::read_to_string(yard.path(path)).unwrap();
    assert!(text.contains(from), "{path} has no `{from}`:\n{text}");
    yard.write(path, &text.replace(from, to));
    yard.commit("An edit");
}

fn version_file(version: &str) -> String {
    format!("models/vision/digits/versions/{version}.yaml")
}

/// The digest of a version's artifact, as its record says it.
fn digest(yard: &Yard<'_>, version: &str) -> String {
    let text = fs::read_to_string(yard.path(&version_file(version))).unwrap();
    let at = text.find("sha256:").unwrap();
    text[at..at + 71].to_owned()
}

/// Where a blob of vision/digits lies in the yard's store.
fn blob(yard: &Yard<'_>, digest: &str) -> PathBuf {
    let hex = digest.strip_prefix("sha256:").unwrap();
    yard.path("store/vision/digits/blobs/sha256").join(hex)
}

/// The digest of a file's bytes.
fn digest_of(bytes: &[u8]) -> String {
    modelyard::artifact::descriptor::digest_of(bytes).to_string()
}

#[test]
fn every_way_to_name_a_version_finds_its_files() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        publish(&sandbox, &yard, version);
    }
    for version in ["1.0.0", "1.1.0"] {
        edit(
            &yard,
            &version_file(version),
            "lifecycle: staged",
            "lifecycle: released",
        );
    }
    let alias = "spec:\n  aliases: {champion: 1.0.0}\n";
    edit(&yard, "models/vision/digits/model.yaml", "spec:\n", alias);
    let by_digest = format!("vision/digits@{}", digest(&yard, "2.0.0"));
    for (reference, version) in [
        ("vision/digits", "1.1.0"),
        ("vision/digits:2.0.0", "2.0.0"),
        ("vision/digits:^1", "1.1.0"),
        ("vision/digits:~1.0", "1.0.0"),
        ("vision/digits:champion", "1.0.0"),
        (&by_digest, "2.0.0"),
    ] {
        let name = format!("out/{version}/{}", reference.len());
        let outcome = yard.modelyard(["pull", reference, &name]).run().success();
        outcome.prints(&format!("pulled vision/digits:{version} into"));
        let pulled = fs::read(yard.path(&name).join("model.bin")).unwrap();
        assert_eq!(pulled, weights(version), "{reference}");
    }
    yard.modelyard(["pull", "vision/digits:champion"])
        .run()
        .success();
    assert!(yard.path("digits/README.md").is_file());
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    publish(&sandbox, &yard, "1.0.0");
    for (reference, code, help) in [
        ("vision/digit", "no-such-model", "vision/digits"),
        ("vision/digits", "nothing-released", "1.0.0"),
        ("vision/digits:9.0.0", "no-such-version", "1.0.0"),
        ("vision/digits:champion", "no-such-alias", "promote"),
        (
            "oci-layout:./store/vision/digits:nope",
            "not-in-store",
            "modelyard tags",
        ),
    ] {
        let outcome = yard.modelyard(["pull", reference, "out"]).run().exits(2);
        outcome.says(&format!("error[{code}]")).says(help);
        assert!(!yard.path("out").exists());
    }
}

#[test]
fn a_yard_far_away_is_read_and_no_clone_is_kept() {
    let sandbox = Sandbox::new();
    let yard = sandbox.shared_yard();
    let store = sandbox.path("bytes");
    let store = format!("oci-layout:{}", store.display());
    edit(&yard, "modelyard.yaml", "oci-layout:./store", &store);
    yard.git(["push", "--quiet"]).run().success();
    publish(&sandbox, &yard, "1.0.0");
    yard.git(["push", "--quiet"]).run().success();
    let upstream = sandbox.path("upstream.git");
    let url = format!("file://{}", upstream.display());
    let words = ["pull", "vision/digits:1.0.0", "--yard", &url];
    sandbox.modelyard(words).run().success();
    let mut left: Vec<_> = fs::read_dir(sandbox.path("digits"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert!(left.contains(&"model.bin".to_owned()), "{left:?}");
    assert_eq!(fs::read_dir(sandbox.root().join("tmp")).unwrap().count(), 0);
}

#[test]
fn a_store_beside_a_yard_far_away_is_out_of_reach_and_told_so() {
    let sandbox = Sandbox::new();
    let yard = sandbox.shared_yard();
    publish(&sandbox, &yard, "1.0.0");
    yard.git(["push", "--quiet"]).run().success();
    let url = format!("file://{}", sandbox.path("upstream.git").display());
    let words = ["pull", "vision/digits:1.0.0", "out", "--yard", &url];
    sandbox
        .modelyard(words)
        .run()
        .exits(2)
        .says("error[relative-store]");
}

#[test]
fn an_artifact_is_pulled_by_its_place_where_there_is_no_yard() {
    let sandbox = Sandbox::new();
    sandbox.files("digits");
    let reference = "oci-layout:./bytes/digits:1.0.0";
    sandbox
        .modelyard(["push", "digits", reference])
        .run()
        .success();
    let outcome = sandbox
        .modelyard(["pull", reference, "out"])
        .run()
        .success();
    outcome.says("nobody vouches for oci-layout:");
    assert_eq!(fs::read(sandbox.path("out/model.bin")).unwrap(), MODEL);
    let model = sandbox.modelyard(["pull", "vision/digits"]).run();
    model.exits(2).says("error[pull-without-yard]");
}

#[test]
fn machines_are_told_everything_and_the_quiet_nothing_else() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    publish(&sandbox, &yard, "1.0.0");
    let outcome = yard
        .modelyard(["pull", "vision/digits:1.0.0", "-o", "json"])
        .run();
    let told = outcome.success();
    assert_eq!(told.stderr, "");
    let told = told.json();
    assert_eq!(told["model"], "vision/digits");
    assert_eq!(told["version"], "1.0.0");
    assert_eq!(told["verdict"], "unvouched");
    assert_eq!(told["digest"], digest(&yard, "1.0.0"));
    assert_eq!(told["files"][1]["path"], "model.bin");
    assert_eq!(told["files"][1]["digest"], digest_of(MODEL));
    assert_eq!(told["files"][1]["from"], "store");
    let quiet = yard
        .modelyard(["--quiet", "pull", "vision/digits:1.0.0"])
        .run()
        .success();
    assert_eq!(quiet.stderr, "");
    let names = yard
        .modelyard(["pull", "vision/digits:1.0.0", "-o", "name"])
        .run()
        .success();
    assert_eq!(names.stdout, "README.md\nmodel.bin\n");
}

#[test]
fn files_that_others_produce_come_along_when_asked_for() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    publish(&sandbox, &yard, "1.0.0");
    sandbox.write("words/vocab.txt", "one two");
    sandbox.write("words/notes.txt", "not asked for");
    yard.publish("words", "text/words:1.2.0").success();
    yard.merge("publish/text/words/1.2.0");
    let depends = |file: &str| {
        format!(
            "spec:\n  dependencies:\n    models:\n      - name: vocabulary\n        producedBy: \
             {{model: text/words, version: ^1.0, file: {file}}}\n"
        )
    };
    let record = version_file("1.0.0");
    edit(&yard, &record, "spec:\n", &depends("vocab.txt"));
    let words = "models/text/words/versions/1.2.0.yaml";
    edit(&yard, words, "lifecycle: staged", "lifecycle: released");

    yard.modelyard(["pull", "vision/digits:1.0.0", "alone"])
        .run()
        .success();
    assert!(!yard.path("alone/vocab.txt").exists());
    let all = ["pull", "vision/digits:1.0.0", "all", "--with-dependencies"];
    yard.modelyard(all)
        .run()
        .success()
        .prints("files of text/words:1.2.0");
    assert_eq!(
        fs::read_to_string(yard.path("all/vocab.txt")).unwrap(),
        "one two"
    );
    assert!(yard.path("all/model.bin").is_file());
    assert!(!yard.path("all/notes.txt").exists());

    edit(&yard, &record, "vocab.txt", "words.txt");
    let none = ["pull", "vision/digits:1.0.0", "none", "--with-dependencies"];
    yard.modelyard(none)
        .run()
        .exits(2)
        .says("error[dependency-lacks-file]");
    edit(&yard, &record, "words.txt", "notes.txt");
    sandbox.write("words/model.bin", "another one");
    yard.publish("words", "text/words:1.3.0").success();
    yard.merge("publish/text/words/1.3.0");
    edit(&yard, &record, "notes.txt", "model.bin");
    edit(&yard, &record, "^1.0", "1.3.0");
    yard.modelyard(none)
        .run()
        .exits(2)
        .says("error[paths-clash]");
    assert!(!yard.path("none").exists());
}

#[test]
fn what_was_fetched_once_is_not_fetched_again() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    publish(&sandbox, &yard, "1.0.0");
    yard.modelyard(["pull", "vision/digits:1.0.0", "one"])
        .run()
        .success();
    fs::remove_file(blob(&yard, &digest_of(MODEL))).unwrap();
    let outcome = yard.modelyard(["pull", "vision/digits:1.0.0", "two"]).run();
    outcome.success().prints("from the cache");
    // An edit of what came from the cache reaches neither it nor other folders.
    fs::write(yard.path("two/model.bin"), "edited").unwrap();
    yard.modelyard(["pull", "vision/digits:1.0.0", "three"])
        .run()
        .success();
    assert_eq!(fs::read(yard.path("three/model.bin")).unwrap(), MODEL);
    assert_eq!(fs::read(yard.path("one/model.bin")).unwrap(), MODEL);
    let without = ["pull", "vision/digits:1.0.0", "four", "--no-cache"];
    yard.modelyard(without)
        .run()
        .exits(2)
        .says("error[not-in-store]");
}

#[test]
fn an_edit_of_what_was_pulled_first_is_no_other_folders() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    publish(&sandbox, &yard, "1.0.0");
    let pull = |folder| {
        yard.modelyard(["pull", "vision/digits:1.0.0", folder])
            .run()
    };
    pull("one").success();
    pull("two").success();
    fs::write(yard.path("one/model.bin"), "\0wEights\x01").unwrap();
    pull("three").success();
    assert_eq!(fs::read(yard.path("two/model.bin")).unwrap(), MODEL);
    assert_eq!(fs::read(yard.path("three/model.bin")).unwrap(), MODEL);
    assert_eq!(
        fs::read(yard.path("one/model.bin")).unwrap(),
        b"\0wEights\x01"
    );
}

#[test]
fn a_cache_that_rotted_is_found_out_and_filled_anew() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    publish(&sandbox, &yard, "1.0.0");
    yard.modelyard(["pull", "vision/digits:1.0.0", "one"])
        .run()
        .success();
    let digest = digest_of(MODEL);
    let hex = digest.strip_prefix("sha256:").unwrap();
    let kept = sandbox.home().join(".cache/modelyard/blobs/sha256");
    let kept = kept.join(&hex[..2]).join(hex);
    for (folder, rot) in [("two", &b"\x00wEights\x01"[..]), ("three", b"short")] {
        fs::write(&kept, rot).unwrap();
        let outcome = yard
            .modelyard(["pull", "vision/digits:1.0.0", folder])
            .run();
        outcome.success().says("damaged in the cache");
        assert_eq!(
            fs::read(yard.path(folder).join("model.bin")).unwrap(),
            MODEL
        );
        assert_eq!(fs::read(&kept).unwrap(), MODEL);
    }
}

/// The same over HTTP, where requests can be counted.
#[cfg(feature = "real-tools")]
#[test]
fn the_second_pull_makes_no_blob_request() {
    use crate::harness::Front;
    use crate::harness::registry::Distribution;

    let sandbox = Sandbox::new();
    let registry = Distribution::start();
    let front = Front::before(&registry.host());
    sandbox.files("digits");
    let reference = format!("{}/vision/digits:1.0.0", front.host());
    sandbox
        .modelyard(["push", "digits", &reference])
        .run()
        .success();
    sandbox
        .modelyard(["pull", &reference, "one"])
        .run()
        .success();
    assert_eq!(front.count("GET", "/blobs/"), 2);
    front.forget();
    sandbox
        .modelyard(["pull", &reference, "two"])
        .run()
        .success();
    assert_eq!(
        front.count("GET", "/blobs/") + front.count("HEAD", "/blobs/"),
        0
    );
    assert_eq!(front.count("GET", "/manifests/1.0.0"), 1);
}
