//! `modelyard publish`, as a person runs it.

mod hostile;
mod lacking;
mod remotes;
mod repositories;
mod stores;

use std::fs;

use crate::harness::{Sandbox, Yard};

const BRANCH: &str = "publish/vision/digits/1.0.0";
const VERSION: &str = "models/vision/digits/versions/1.0.0.yaml";

fn blobs(yard: &Yard<'_>) -> usize {
    let folder = yard.path("store/vision/digits/blobs/sha256");
    fs::read_dir(folder).map_or(0, Iterator::count)
}

/// What a publish that fails must leave alone: every ref, the work tree and index, and the files
/// of the store.
fn state(yard: &Yard<'_>) -> (String, String, Vec<String>) {
    let store = walkdir::WalkDir::new(yard.path("store")).sort_by_file_name();
    let files = store.into_iter().filter_map(Result::ok);
    let files = files.filter(|entry| entry.file_type().is_file());
    let files = files.map(|entry| entry.path().display().to_string());
    (yard.refs(), yard.status(), files.collect())
}

#[test]
fn files_become_records_on_a_branch_and_nothing_of_the_users_moves() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.files("digits");
    yard.git(["switch", "--quiet", "--create", "mine"])
        .run()
        .success();
    yard.write("models/notes.txt", "mine");
    yard.git(["add", "models/notes.txt"]).run().success();
    yard.write("modelyard.yaml", "half written");
    let before = (yard.status(), fs::read(yard.path(".git/index")).unwrap());

    let outcome = yard.publish("digits", "vision/digits:1.0.0").success();
    outcome
        .prints("README.md~ (a leftover)")
        .prints("git merge --no-ff --no-edit publish/vision");

    assert_eq!(
        (yard.status(), fs::read(yard.path(".git/index")).unwrap()),
        before
    );
    let head = yard.git(["branch", "--show-current"]).run().success();
    assert_eq!(head.line(), "mine");
    let commits = yard
        .git(["rev-list", "--count", &format!("main..{BRANCH}")])
        .run()
        .success();
    assert_eq!(commits.line(), "1");
    let changed = yard
        .git(["diff", "--name-only", "main", BRANCH])
        .run()
        .success();
    insta::assert_snapshot!(changed.stdout, @r"
    models/vision/digits/README.md
    models/vision/digits/model.yaml
    models/vision/digits/versions/1.0.0.yaml
    ");
    insta::assert_snapshot!(yard.show(BRANCH, "models/vision/digits/model.yaml"), @r"
    apiVersion: modelyard.dev/v1
    kind: Model
    metadata:
      namespace: vision
      name: digits
    spec:
      title: A model
      owners:
        - team: vision
    ");
}

#[test]
fn the_same_again_changes_nothing_and_says_so() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.files("digits");
    yard.publish("digits", "vision/digits:1.0.0").success();
    let (refs, blobs_before) = (yard.refs(), blobs(&yard));

    let said = "vision/digits:1.0.0 is published already; nothing changed";
    yard.publish("digits", "vision/digits:1.0.0")
        .success()
        .prints(said);
    assert_eq!((yard.refs(), blobs(&yard)), (refs, blobs_before));

    yard.merge(BRANCH);
    let refs = yard.refs();
    yard.publish("digits", "vision/digits:1.0.0")
        .success()
        .prints(said);
    assert_eq!((yard.refs(), blobs(&yard)), (refs, blobs_before));
}

#[test]
fn the_digest_is_of_the_files_and_of_nothing_else() {
    let digest = |folder: &str, reference: &str| {
        let sandbox = Sandbox::new();
        let yard = sandbox.yard();
        sandbox.files(folder);
        let text = yard.publish(folder, reference).success().stdout;
        let at = text.find("sha256:").unwrap();
        text[at..at + 71].to_owned()
    };
    assert_eq!(
        digest("digits", "vision/digits:1.0.0"),
        digest("other", "text/other:2.0.0-rc.1")
    );
}

#[test]
fn a_version_never_gets_other_bytes() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.files("digits");
    yard.publish("digits", "vision/digits:1.0.0").success();
    sandbox.write("digits/model.bin", "retrained");
    let refs = yard.refs();

    let refused = |yard: &Yard<'_>, place: &str| {
        yard.publish("digits", "vision/digits:1.0.0")
            .exits(2)
            .says("error[version-taken]")
            .says(place)
            .says("--bump patch");
    };
    refused(&yard, "on its branch");
    assert_eq!(yard.refs(), refs);
    yard.git(["branch", "--quiet", "-D", BRANCH])
        .run()
        .success();
    refused(&yard, "in the store");
    sandbox.files("digits");
    yard.publish("digits", "vision/digits:1.0.0").success();
    yard.merge(BRANCH);
    sandbox.write("digits/model.bin", "retrained");
    refused(&yard, "on main");
}

#[test]
fn a_merged_version_is_not_described_anew() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let files = sandbox.files("digits");
    yard.publish("digits", "vision/digits:1.0.0").success();
    yard.merge(BRANCH);
    let path = files.to_string_lossy();
    yard.modelyard([
        "publish",
        &path,
        "--as=vision/digits:1.0.0",
        "--unsigned",
        "--precision=int8",
    ])
    .run()
    .exits(2)
    .says("error[merged-otherwise]")
    .says("precision");
}

#[test]
fn a_merged_record_is_not_held_to_what_files_tell_by_now() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.files("digits");
    let header = r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let length = char::from(u8::try_from(header.len()).unwrap());
    let weights = format!("{length}\0\0\0\0\0\0\0{header}\0\0\0\0");
    sandbox.write("digits/model.safetensors", &weights);
    yard.publish("digits", "vision/digits:1.0.0").success();
    yard.merge(BRANCH);
    // As an earlier release wrote it, which did not count weights.
    let path = "models/vision/digits/versions/1.0.0.yaml";
    let record = yard.show("main", path);
    assert!(record.contains("parameterCount: 1\n"), "{record}");
    yard.write(path, &record.replace("  parameterCount: 1\n", ""));
    yard.git(["commit", "--quiet", "--all", "--message=earlier"])
        .run()
        .success();
    yard.publish("digits", "vision/digits:1.0.0")
        .success()
        .prints("vision/digits:1.0.0 is published already; nothing changed");
}

#[test]
fn the_next_version_follows_from_the_newest() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let files = sandbox.files("digits");
    let path = files.to_string_lossy();
    let bump = [
        "publish",
        &path,
        "--as=vision/digits",
        "--bump=minor",
        "--unsigned",
    ];
    yard.modelyard(bump)
        .run()
        .exits(2)
        .says("error[which-version]")
        .says("none to raise");
    yard.publish("digits", "vision/digits:1.0.0").success();
    yard.merge(BRANCH);
    sandbox.write("digits/model.bin", "retrained");
    yard.modelyard(bump)
        .run()
        .success()
        .prints("Published vision/digits:1.1.0");
    let changed = yard
        .git(["diff", "--name-only", "main", "publish/vision/digits/1.1.0"])
        .run();
    assert_eq!(changed.line(), "models/vision/digits/versions/1.1.0.yaml");
}

#[test]
fn a_new_model_says_what_it_is() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let files = sandbox.files("digits");
    let path = files.to_string_lossy();
    yard.modelyard(["publish", &path, "--as=vision/digits:1.0.0", "--unsigned"])
        .run()
        .exits(2)
        .says("error[missing-metadata]")
        .says("--title and --owner");
    assert_eq!(blobs(&yard), 0);
}

#[test]
fn a_record_that_a_check_would_refuse_is_not_written() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.files("digits");
    let files = sandbox.path("digits");
    let path = files.to_string_lossy();
    let refs = yard.refs();
    let words = [
        "publish",
        &path,
        "--as=vision/digits:1.0.0",
        "--unsigned",
        "--title=Digits",
    ];
    yard.modelyard(
        words
            .into_iter()
            .chain(["--owner=vision", "--license=Apache 2"]),
    )
    .run()
    .exits(2)
    .says("--> models/vision/digits/model.yaml:10:12")
    .says("  license: Apache 2")
    .says("nothing was written");
    assert_eq!((yard.refs(), blobs(&yard)), (refs, 0));
}

#[test]
fn a_record_to_start_from_keeps_its_comments() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.files("digits");
    sandbox.write(
        "version.yaml",
        "apiVersion: modelyard.dev/v1\n\
         kind: ModelVersion\n\
         metadata: {namespace: vision, name: digits, version: 1.0.0}\n\
         spec:\n\
         \x20 format: {name: custom} # our own\n\
         \x20 precision: fp32\n",
    );
    let files = sandbox.path("digits");
    let from = sandbox.path("version.yaml");
    let words = [
        "publish",
        &*files.to_string_lossy(),
        "--as=vision/digits:1.0.0",
        "--unsigned",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain(["--title=Digits", "--owner=vision", "--precision=int8"].map(str::to_owned))
    .chain([format!("--from={}", from.display())]);
    let words: Vec<_> = words.collect();
    yard.modelyard(&words).run().success();
    let record = yard.show(BRANCH, VERSION);
    assert!(
        record.contains("format: {name: custom} # our own\n  precision: int8\n"),
        "{record}"
    );

    let other = words
        .iter()
        .map(|word| word.replace("digits:1.0.0", "digits:2.0.0"));
    yard.modelyard(other)
        .run()
        .exits(2)
        .says("has the version 1.0.0, not 2.0.0");
}

#[test]
fn a_dry_run_writes_nothing() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let files = sandbox.files("digits");
    let path = files.to_string_lossy();
    let refs = yard.refs();
    let words = [
        "publish",
        &path,
        "--as=vision/digits:1.0.0",
        "--title=Digits",
        "--owner=vision",
    ];
    yard.modelyard(words.into_iter().chain(["--dry-run"]))
        .run()
        .success()
        .prints("Would publish vision/digits:1.0.0")
        .prints("kind: ModelVersion");
    assert_eq!((yard.refs(), blobs(&yard)), (refs, 0));
}

#[test]
fn with_a_remote_the_branch_is_pushed() {
    let sandbox = Sandbox::new();
    let yard = sandbox.shared_yard();
    sandbox.files("digits");
    yard.publish("digits", "vision/digits:1.0.0")
        .success()
        .prints("pushed    to origin")
        .prints("git push origin main");
    let local = yard.git(["rev-parse", BRANCH]).run().success();
    let remote = sandbox
        .git(["-C", "upstream.git", "rev-parse", BRANCH])
        .run()
        .success();
    assert_eq!(local.line(), remote.line());
}

#[test]
fn two_at_once_both_end_right() {
    let sandbox = Sandbox::new();
    let yard = sandbox.shared_yard();
    std::thread::scope(|scope| {
        for name in ["digits", "letters", "faces", "plates"] {
            sandbox.files(name);
            let yard = &yard;
            scope.spawn(move || {
                yard.publish(name, &format!("vision/{name}:1.0.0"))
                    .success();
            });
        }
    });
    let branches = sandbox
        .git([
            "-C",
            "upstream.git",
            "for-each-ref",
            "--format=%(refname:short)",
            "refs/heads",
        ])
        .run()
        .success();
    insta::assert_snapshot!(branches.stdout, @r"
    main
    publish/vision/digits/1.0.0
    publish/vision/faces/1.0.0
    publish/vision/letters/1.0.0
    publish/vision/plates/1.0.0
    ");
}

#[cfg(feature = "real-tools")]
#[test]
fn killed_between_any_two_writes_it_leaves_the_old_state_or_the_new() {
    use crate::harness::killed_at_every_write;

    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let files = sandbox.files("digits");
    let path = files.to_string_lossy().into_owned();
    let copy = |from: &str, to: &str| {
        sandbox.program("rm", ["-rf", to]).run().success();
        sandbox.program("cp", ["-a", from, to]).run().success();
    };
    copy("yard", "start");
    let refs = yard.refs();
    let words = [
        "publish",
        &path,
        "--as=vision/digits:1.0.0",
        "--unsigned",
        "--title=Digits",
    ];
    let words: Vec<_> = words.into_iter().chain(["--owner=vision"]).collect();
    let (outcome, writes) = killed_at_every_write(
        &yard.path(""),
        || {
            copy("start", "yard");
            yard.modelyard(&words)
        },
        |write| {
            yard.git(["fsck", "--strict"]).run().success();
            assert_eq!(yard.status(), "", "write {write}");
            if yard.refs() == refs {
                return;
            }
            // The branch is there: then so is everything that it speaks of.
            let again = yard.modelyard(&words).run().success();
            again.prints("nothing changed");
        },
    );
    outcome.success();
    assert!(writes > 20, "only {writes} writes were seen");
}
