//! `modelyard push`, `inspect` and `tags`, as a person runs them.

use std::fs;

use crate::harness::Sandbox;

const REFERENCE: &str = "oci-layout:./store/digits:1.0.0";

#[test]
fn what_was_pushed_can_be_looked_into_and_listed() {
    let sandbox = Sandbox::new();
    sandbox.files("digits");
    sandbox.write("digits/run.py", "print('hello')\n");
    let pushed = sandbox
        .modelyard(["push", "digits", REFERENCE])
        .run()
        .success();
    pushed
        .prints("pushed oci-layout:[sandbox]/work/store/digits:1.0.0@sha256:")
        .prints("3 files")
        .says("left out README.md~: a leftover");
    let again = sandbox.modelyard(["push", "digits", REFERENCE]).run();
    again.success().prints("all of them were there");

    let inspected = sandbox.modelyard(["inspect", REFERENCE]).run().success();
    let shown = inspected
        .stdout
        .lines()
        .skip(1)
        .collect::<Vec<_>>()
        .join("\n");
    insta::assert_snapshot!(shown, @r#"
    type       application/vnd.cncf.model.manifest.v1+json
    size       34 B
    README.md  doc                   10 B  67b246868db0
    model.bin  weight                 9 B  45aefbfae82f
    run.py     code                  15 B  03e693d9f2f6
    "#);
    let told = sandbox
        .modelyard(["inspect", REFERENCE, "-o", "json"])
        .run();
    let told = told.success().json();
    assert_eq!(told["manifest"]["schemaVersion"], 2);
    assert_eq!(told["config"]["modelfs"]["type"], "layers");
    assert_eq!(told["files"][2]["path"], "run.py");
    assert_eq!(told["files"][2]["role"], "code");

    for tag in ["latest", "1.10.0", "1.9.0"] {
        let reference = format!("oci-layout:./store/digits:{tag}");
        sandbox
            .modelyard(["push", "digits", &reference])
            .run()
            .success();
    }
    let tags = sandbox
        .modelyard(["tags", "oci-layout:./store/digits"])
        .run();
    assert_eq!(tags.success().stdout, "1.10.0\n1.9.0\n1.0.0\nlatest\n");
    let none = sandbox.modelyard(["tags", "oci-layout:./nothing"]).run();
    none.success().prints("has no tags");
}

#[test]
fn a_version_is_not_moved_and_other_tags_are() {
    let sandbox = Sandbox::new();
    sandbox.files("digits");
    let latest = "oci-layout:./store/digits:latest";
    for reference in [REFERENCE, latest] {
        sandbox
            .modelyard(["push", "digits", reference])
            .run()
            .success();
    }
    sandbox.write("digits/model.bin", "retrained");
    sandbox
        .modelyard(["push", "digits", latest])
        .run()
        .success();
    let index = fs::read(sandbox.path("store/digits/index.json")).unwrap();
    let refused = sandbox.modelyard(["push", "digits", REFERENCE]).run();
    refused.exits(2).says("error[tag-taken]");
    assert_eq!(
        fs::read(sandbox.path("store/digits/index.json")).unwrap(),
        index
    );
    let forced = ["push", "digits", REFERENCE, "--force"];
    sandbox.modelyard(forced).run().success();
}

#[test]
fn what_can_not_be_pushed_is_told() {
    let sandbox = Sandbox::new();
    sandbox.files("digits");
    sandbox.write("taken", "a file");
    let digest = format!("oci-layout:s@sha256:{}", "0".repeat(64));
    for (path, reference, code) in [
        ("digits", digest.as_str(), "push-to-digest"),
        ("digits", "oci-layout:taken:1.0.0", "store-wrong"),
        ("digits", "oci-layout:digits:1.0.0", "store-wrong"),
        ("digits", "oci-layout:/proc/store:1.0.0", "file-failed"),
        ("digits", "127.0.0.1:1/a/b:1.0.0", "store-unreachable"),
        ("missing", "oci-layout:s:1.0.0", "file-failed"),
    ] {
        let outcome = sandbox.modelyard(["push", path, reference]).run();
        assert!(matches!(outcome.code, Some(2 | 3)), "{}", outcome.report());
        outcome.says(&format!("error[{code}]"));
    }
    assert_eq!(sandbox.read("taken"), "a file");
    assert_eq!(fs::read_dir(sandbox.path("digits")).unwrap().count(), 3);
}

/// A limit on the size of files stands for a disk that is full: writing fails in the middle.
#[cfg(unix)]
#[test]
fn a_disk_that_fills_up_leaves_the_store_as_it_was() {
    let sandbox = Sandbox::new();
    sandbox.files("digits");
    sandbox
        .modelyard(["push", "digits", REFERENCE])
        .run()
        .success();
    let files = |folder: &str| {
        let all = walkdir::WalkDir::new(sandbox.path(folder)).into_iter();
        let paths = all.map(|entry| entry.unwrap().into_path());
        paths.filter(|path| path.is_file()).collect::<Vec<_>>()
    };
    let before = files("store");
    sandbox.write("digits/large.bin", vec![7; 3 << 20]);
    let full = |words: &[&str]| {
        let limits = "trap '' XFSZ; ulimit -f 2048; exec \"$@\"";
        let program = env!("CARGO_BIN_EXE_modelyard");
        let shell = ["-c", limits, "sh", program];
        sandbox.program("sh", shell.iter().chain(words)).run()
    };
    let reference = "oci-layout:./store/digits:1.1.0";
    let refused = full(&["push", "digits", reference]).exits(2);
    refused.says("error[file-failed]").says("can't write");
    // Files that are whole may be there; nothing speaks of them, and none is half there.
    let left = files("store").len();
    assert!(left < before.len() + 3, "{:?}", files("store"));
    let tags = sandbox
        .modelyard(["tags", "oci-layout:./store/digits"])
        .run();
    assert_eq!(tags.success().line(), "1.0.0");

    sandbox
        .modelyard(["push", "digits", reference])
        .run()
        .success();
    let refused = full(&["pull", reference, "out"]).exits(2);
    refused.says("error[file-failed]").says("can't write");
    assert!(!sandbox.path("out").exists());
    let staged = fs::read_dir(sandbox.path("")).unwrap();
    let staged = staged.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with(".modelyard")
    });
    assert_eq!(staged.count(), 0);
    sandbox
        .modelyard(["pull", reference, "out"])
        .run()
        .success();
}

#[test]
fn what_is_no_models_artifact_is_shown_for_what_it_is() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.files("digits");
    yard.publish("digits", "vision/digits:1.0.0").success();
    yard.merge("publish/vision/digits/1.0.0");
    let signed = ["sign", "vision/digits:1.0.0"];
    let key = ["keys", "generate", "--no-yard"];
    for words in [&key[..], &signed[..]] {
        yard.modelyard(words)
            .env("COSIGN_PASSWORD", "horse")
            .run()
            .success();
    }
    let inspected = yard
        .modelyard(["inspect", "vision/digits:1.0.0"])
        .run()
        .success();
    let inspected = inspected
        .prints("version    vision/digits:1.0.0")
        .prints("refers to it: ")
        .prints("application/vnd.dev.sigstore.bundle.v0.3+json")
        .prints("classic signatures: ");
    drop(inspected);
    let told = yard
        .modelyard(["inspect", "vision/digits:1.0.0", "-o", "json"])
        .run();
    let told = told.success().json();
    let bundle = told["referrers"][0]["digest"].as_str().unwrap();
    let reference = format!("oci-layout:./store/vision/digits@{bundle}");
    let shown = yard.modelyard(["inspect", &reference]).run().success();
    shown.prints("can't be pulled");
    let tags = yard
        .modelyard(["tags", "oci-layout:./store/vision/digits"])
        .run()
        .success();
    assert!(!tags.stdout.contains("sha256-"), "{}", tags.stdout);
    let all = ["tags", "oci-layout:./store/vision/digits", "--all"];
    yard.modelyard(all).run().success().prints(".sig");
}
