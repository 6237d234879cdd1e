//! Stores that are missing, wrong, read-only, or no registries at all; disks that are full.

use std::fs;

use modelyard::artifact::descriptor::{IMAGE_MANIFEST, digest_of};

use super::{MODEL, blob, digest, manifest, publish, version_file};
use crate::harness::{Answer, Front, Outcome, Sandbox, Yard, refusals};

/// A registry that has that artifact.
fn having() -> Front {
    let front = Front::alone();
    let blob = Answer::body(200, "application/octet-stream", MODEL);
    front
        .always(
            "GET",
            "/manifests/",
            Answer::body(200, IMAGE_MANIFEST, manifest()),
        )
        .always("GET", "/manifests/sha256-", Answer::status(404))
        .always("GET", "/blobs/", blob);
    front
}

/// A yard with a record of that artifact, which lies at `host`.
fn recorded<'a>(sandbox: &'a Sandbox, host: &str) -> Yard<'a> {
    let yard = sandbox.yard();
    let head = |kind: &str, version: &str| {
        format!(
            "apiVersion: modelyard.dev/v1\nkind: {kind}\nmetadata: {{namespace: vision, name: \
             digits{version}}}\nspec:\n"
        )
    };
    let model = head("Model", "") + "  title: Digits\n  owners: [{team: vision}]\n";
    yard.write("models/vision/digits/model.yaml", &model);
    let artifact = format!(
        "  artifact: {{repository: \"{host}/acme/vision/digits\", digest: \"{}\"}}\n  format: \
         {{name: custom}}\n",
        digest_of(&manifest())
    );
    let version = head("ModelVersion", ", version: 1.0.0") + &artifact;
    yard.write(&version_file("1.0.0"), &version);
    yard.commit("A version");
    yard
}

/// Pulls the version into a folder that has something in it already.
fn pull(yard: &Yard<'_>) -> Outcome {
    yard.write("out/mine.txt", "mine");
    let words = ["pull", "vision/digits:1.0.0", "out", "--no-cache"];
    yard.modelyard(words).run()
}

/// That nothing came into that folder, not even for a while.
#[track_caller]
fn is_as_it_was(yard: &Yard<'_>) {
    let names = fs::read_dir(yard.path("out")).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["mine.txt"]);
}

#[test]
fn a_registry_that_refuses_at_any_step_leaves_the_folder_as_it_was() {
    // The trust rule makes the signatures be asked for, too.
    const RULE: &str = "spec:\n  trust:\n    rules:\n      - require: {signatures: 1}\n        \
        accept: [{key: keys/release.pub}]\n";
    for (part, ruled) in [
        ("/manifests/sha256:", false),
        ("/blobs/", false),
        ("/referrers/", true),
        ("/manifests/sha256-", true),
    ] {
        let missing = (Answer::status(404), "not-in-store", 2);
        for (answer, code, exit) in refusals().into_iter().chain([missing]) {
            if ruled && code == "not-in-store" {
                // It says that there are no signatures: that is no refusal.
                continue;
            }
            let sandbox = Sandbox::new();
            let front = having();
            front.always("GET", part, answer.clone());
            let yard = recorded(&sandbox, &front.host());
            if ruled {
                super::edit(&yard, "modelyard.yaml", "spec:\n", RULE);
            }
            pull(&yard)
                .exits(exit)
                .says(&format!("error[{code}]"))
                .says(&front.host())
                .says("help: ");
            is_as_it_was(&yard);
        }
    }
    let sandbox = Sandbox::new();
    let front = having();
    let yard = recorded(&sandbox, &front.host());
    pull(&yard).success();
    assert_eq!(fs::read(yard.path("out/model.bin")).unwrap(), MODEL);
}

#[test]
fn a_registry_that_lies_of_size_and_digest_is_found_out() {
    let octets = "application/octet-stream";
    let huge = || vec![b' '; 100 << 20];
    let mut other = MODEL.to_vec();
    other[0] ^= 1;
    let longer = [MODEL, b"more"].concat();
    for (part, answer, code) in [
        (
            "/manifests/",
            Answer::body(200, IMAGE_MANIFEST, huge()),
            "too-large",
        ),
        (
            "/manifests/",
            Answer::body(200, IMAGE_MANIFEST, "{}"),
            "digest-mismatch",
        ),
        (
            "/blobs/",
            Answer::body(200, octets, other),
            "digest-mismatch",
        ),
        (
            "/blobs/",
            Answer::body(200, octets, "short"),
            "size-mismatch",
        ),
        (
            "/blobs/",
            Answer::body(200, octets, longer),
            "size-mismatch",
        ),
        (
            "/blobs/",
            Answer::body(200, octets, huge()),
            "size-mismatch",
        ),
    ] {
        let sandbox = Sandbox::new();
        let front = having();
        front.always("GET", part, answer);
        let yard = recorded(&sandbox, &front.host());
        pull(&yard)
            .exits(2)
            .says(&format!("error[{code}]"))
            .says("help: ");
        is_as_it_was(&yard);
    }
}

#[test]
fn a_layout_that_lies_of_size_and_digest_is_found_out() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    publish(&sandbox, &yard, "1.0.0");
    let manifest = blob(&yard, &digest(&yard, "1.0.0"));
    let truth = fs::read(&manifest).unwrap();
    let index = yard.path("store/vision/digits/index.json");
    let list = fs::read_to_string(&index).unwrap();
    let told = |code: &str| {
        pull(&yard)
            .exits(2)
            .says(&format!("error[{code}]"))
            .says("help: ");
        is_as_it_was(&yard);
    };
    fs::File::create(&manifest)
        .unwrap()
        .set_len(100 << 20)
        .unwrap();
    told("too-large");
    fs::write(&manifest, [&truth[..], b" "].concat()).unwrap();
    told("digest-mismatch");
    fs::write(&manifest, &truth).unwrap();
    fs::File::create(&index)
        .unwrap()
        .set_len(100 << 20)
        .unwrap();
    told("file-failed");
    let weights = blob(&yard, &super::digest_of(MODEL));
    fs::write(&index, list).unwrap();
    fs::write(&weights, "short").unwrap();
    told("size-mismatch");
    fs::write(&weights, b"\x00wEights\x01").unwrap();
    told("digest-mismatch");
    fs::write(&weights, MODEL).unwrap();
    pull(&yard).success();
}

#[test]
fn a_store_that_is_not_here_or_none_is_told_by_its_place() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    publish(&sandbox, &yard, "1.0.0");
    let store = yard.path("store");
    let kept = sandbox.path("kept");
    fs::rename(&store, &kept).unwrap();
    let told = |code: &str, place: &str, help: &str| {
        let outcome = pull(&yard).exits(2);
        outcome
            .says(&format!("error[{code}]"))
            .says(place)
            .says(help);
        is_as_it_was(&yard);
    };
    let place = "[sandbox]/work/yard/store/vision/digits";
    told("store-missing", place, "bring its folder here");
    fs::write(&store, "a file").unwrap();
    told(
        "store-wrong",
        "[sandbox]/work/yard/store is a file",
        "help: ",
    );
    fs::remove_file(&store).unwrap();
    yard.write("store/vision/digits/thesis.txt", "mine");
    told(
        "store-wrong",
        place,
        "name the folder of an OCI image layout",
    );
    fs::remove_dir_all(&store).unwrap();
    fs::create_dir_all(store.join("vision/digits")).unwrap();
    told("not-in-store", place, "modelyard tags");
    fs::remove_dir_all(&store).unwrap();
    fs::rename(&kept, &store).unwrap();
    pull(&yard).success();
}

#[cfg(unix)]
#[test]
fn a_store_that_can_only_be_read_is_enough_and_one_that_can_not_is_told() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;

    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    publish(&sandbox, &yard, "1.0.0");
    let folder = yard.path("store/vision/digits");
    let pull = |folder: &str| {
        let words = ["pull", "vision/digits:1.0.0", folder];
        yard.modelyard(words).bound_by_permissions().run()
    };
    set_permissions(&folder, Permissions::from_mode(0o555)).unwrap();
    pull("one").success();
    set_permissions(&folder, Permissions::from_mode(0o000)).unwrap();
    let refused = pull("two");
    set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    refused
        .exits(2)
        .says("error[file-failed]: can't read [sandbox]/work/yard/store/vision/digits")
        .says("check who owns it");
    assert!(!yard.path("two").exists());

    // Where nothing may be written the folder stays, and where only the cache may not be it fills.
    let home = sandbox.home().join(".cache");
    fs::create_dir_all(yard.path("closed")).unwrap();
    fs::remove_dir_all(&home).unwrap();
    fs::create_dir_all(&home).unwrap();
    set_permissions(&home, Permissions::from_mode(0o555)).unwrap();
    pull("three")
        .success()
        .says("not kept in the cache: can't create the folder [sandbox]/home/.cache/modelyard")
        .says("--no-cache");
    assert_eq!(fs::read(yard.path("three/model.bin")).unwrap(), MODEL);
    set_permissions(yard.path("closed"), Permissions::from_mode(0o555)).unwrap();
    for folder in ["closed", "closed/out"] {
        pull(folder)
            .exits(2)
            .says("error[file-failed]")
            .says("check who owns it and who may write there");
    }
    assert_eq!(fs::read_dir(yard.path("closed")).unwrap().count(), 0);
    set_permissions(&home, Permissions::from_mode(0o755)).unwrap();
}

/// A disk that has room for so many writes and no more, whatever they are.
#[cfg(feature = "real-tools")]
#[test]
fn a_disk_that_fills_up_at_any_write_leaves_the_folder_as_it_was() {
    use crate::harness::full_at_each_nth_write;

    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    publish(&sandbox, &yard, "1.0.0");
    yard.write("out/mine.txt", "mine");
    let words = ["pull", "vision/digits:1.0.0", "out", "--no-cache"];
    let (outcome, writes) = full_at_each_nth_write(
        1,
        &yard.path("out"),
        || yard.modelyard(words),
        |_, outcome| {
            outcome
                .exits(2)
                .says("No space left on device")
                .says("free some space");
            is_as_it_was(&yard);
        },
    );
    outcome.success();
    assert!(writes > 3, "there was room for {writes} writes only");
    assert_eq!(fs::read(yard.path("out/model.bin")).unwrap(), MODEL);
    // A cache that has no room is no loss, wherever it runs out.
    let cache = sandbox.home().join(".cache");
    let cached = ["pull", "vision/digits:1.0.0", "again", "--force"];
    for write in ["1", "2", "3", "4"] {
        let _ = fs::remove_dir_all(&cache);
        let _ = fs::remove_dir_all(yard.path("again"));
        fs::create_dir_all(&cache).unwrap();
        let full = ["--full".into(), cache.clone().into(), write.into()];
        let tracer = crate::harness::tools::path("kill-at");
        let run = yard.modelyard(cached).under(&tracer, full).run();
        run.success();
        assert_eq!(fs::read(yard.path("again/model.bin")).unwrap(), MODEL);
    }
}
