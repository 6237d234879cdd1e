//! Stores that are full, read-only, missing, wrong, or no registries at all.

use std::fs;

use modelyard::artifact::descriptor::{IMAGE_MANIFEST, digest_of};

use super::{BRANCH, state};
use crate::harness::{Answer, Front, Outcome, Sandbox, Yard, refusals};

/// Points the yard at a registry.
fn at_registry(yard: &Yard<'_>, host: &str) {
    let text = fs::read_to_string(yard.path("modelyard.yaml")).unwrap();
    let text = text.replace("oci-layout:./store", &format!("{host}/acme"));
    yard.write("modelyard.yaml", &text);
    yard.commit("A registry");
}

/// A registry that is empty and takes all there is.
fn taking() -> Front {
    let front = Front::alone();
    let upload = format!("http://{}/upload", front.host());
    front
        .always(
            "POST",
            "/blobs/uploads/",
            Answer::status(202).with_header("Location", &upload),
        )
        .always("PUT", "/upload", Answer::status(201))
        .always("PUT", "/manifests/", Answer::status(201));
    front
}

/// Publishes as a user whom permissions bind.
#[cfg(unix)]
fn publish_bound(yard: &Yard<'_>) -> Outcome {
    let words = ["publish", "../digits", "--as=vision/digits:1.0.0"];
    let more = ["--unsigned", "--title=A model", "--owner=vision"];
    yard.modelyard(words.into_iter().chain(more))
        .bound_by_permissions()
        .run()
}

#[test]
fn a_registry_that_refuses_everything_leaves_the_yard_as_it_was() {
    for (answer, code, exit) in refusals() {
        let sandbox = Sandbox::new();
        let yard = sandbox.yard();
        sandbox.files("digits");
        let front = Front::alone();
        for method in ["GET", "HEAD", "POST", "PUT"] {
            front.always(method, "/v2/", answer.clone());
        }
        at_registry(&yard, &front.host());
        let before = state(&yard);
        yard.publish("digits", "vision/digits:1.0.0")
            .exits(exit)
            .says(&format!("error[{code}]"))
            .says(&front.host())
            .says("help: ");
        assert_eq!(state(&yard), before, "{answer:?}");
        let asked = front.requests();
        let sent = asked.iter().filter(|line| !line.starts_with("HEAD"));
        assert_eq!(sent.count(), 0, "{asked:#?}");
    }
}

#[test]
fn a_registry_that_refuses_at_any_step_gets_no_tag_and_the_yard_no_branch() {
    for step in ["POST /blobs/uploads/", "PUT /upload", "PUT /manifests/"] {
        let (method, part) = step.split_once(' ').unwrap();
        let missing = (Answer::status(404), "store-missing", 2);
        let refusals = refusals().into_iter().chain([missing]);
        for (answer, code, exit) in refusals {
            // The upload was opened a moment ago: it is no repository that is missing.
            let code = match (step, code) {
                ("PUT /upload", "store-missing") => "store-failed",
                _ => code,
            };
            let sandbox = Sandbox::new();
            let yard = sandbox.yard();
            sandbox.files("digits");
            let front = taking();
            front.always(method, part, answer.clone());
            at_registry(&yard, &front.host());
            let before = state(&yard);
            yard.publish("digits", "vision/digits:1.0.0")
                .exits(exit)
                .says(&format!("error[{code}]"))
                .says("help: ");
            assert_eq!(state(&yard), before, "{step}: {answer:?}");
            assert_eq!(front.count("PUT", "/manifests/1.0.0"), 0, "{step}");
        }
    }
}

#[test]
fn a_registry_that_refuses_only_the_tag_leaves_the_yard_no_branch() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.files("digits");
    let front = taking();
    front.always("PUT", "/manifests/1.0.0", Answer::status(403));
    at_registry(&yard, &front.host());
    let before = state(&yard);
    yard.publish("digits", "vision/digits:1.0.0")
        .exits(2)
        .says("error[store-forbidden]");
    assert_eq!(state(&yard), before);
    // With leave it goes on from there.
    front.always("PUT", "/manifests/1.0.0", Answer::status(201));
    yard.publish("digits", "vision/digits:1.0.0").success();
    assert!(yard.refs().contains(BRANCH));
}

#[test]
fn a_registry_that_lies_is_not_believed() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.files("digits");
    let front = taking();
    at_registry(&yard, &front.host());
    let before = state(&yard);
    let huge = Answer::body(200, IMAGE_MANIFEST, vec![b' '; 100 << 20]);
    let other = digest_of(b"other").to_string();
    let other = Answer::status(201).with_header("Docker-Content-Digest", &other);
    for (method, part, answer, code) in [
        // A version that is there already, as a manifest of 100 MB.
        ("HEAD", "/manifests/1.0.0", huge.clone(), "too-large"),
        ("PUT", "/manifests/", other, "digest-mismatch"),
    ] {
        front.always(method, part, answer);
        front.always("GET", "/manifests/1.0.0", huge.clone());
        yard.publish("digits", "vision/digits:1.0.0")
            .exits(2)
            .says(&format!("error[{code}]"))
            .says("help: ");
        assert_eq!(state(&yard), before, "{code}");
        front.always("HEAD", "/manifests/", Answer::status(404));
    }
    // It claims to have every blob, of another size: they are sent.
    let claimed = Answer::body(200, "application/octet-stream", "something else");
    front
        .always("HEAD", "/blobs/", claimed)
        .always("PUT", "/manifests/", Answer::status(201));
    front.forget();
    yard.publish("digits", "vision/digits:1.0.0").success();
    assert_eq!(front.count("PUT", "/upload"), 3);
}

#[test]
fn a_folder_that_is_no_store_is_left_alone() {
    for (path, told) in [
        ("yard/store", "[sandbox]/work/yard/store is a file"),
        ("yard/store/vision/digits", "a file stands in its place"),
        (
            "yard/store/vision/digits/thesis.txt",
            "it has other things in it",
        ),
        ("yard/store/vision/digits/oci-layout", "has another form"),
    ] {
        let sandbox = Sandbox::new();
        let yard = sandbox.yard();
        sandbox.files("digits");
        sandbox.write(path, "mine");
        let before = state(&yard);
        yard.publish("digits", "vision/digits:1.0.0")
            .exits(2)
            .says("error[store-wrong]")
            .says(told)
            .says("help: name the folder of an OCI image layout 1.0");
        assert_eq!(state(&yard), before, "{path}");
        assert_eq!(sandbox.read(path), "mine");
    }
}

#[test]
fn a_store_whose_index_is_broken_gets_nothing_more() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.files("digits");
    yard.publish("digits", "vision/digits:1.0.0").success();
    yard.write("store/vision/digits/index.json", "half writ");
    sandbox.write("digits/model.bin", "retrained");
    let before = state(&yard);
    yard.publish("digits", "vision/digits:1.1.0")
        .exits(2)
        .says("error[store-wrong]")
        .says("its index.json can't be read");
    assert_eq!(state(&yard), before);
    let index = fs::read_to_string(yard.path("store/vision/digits/index.json")).unwrap();
    assert_eq!(index, "half writ");
}

#[cfg(unix)]
#[test]
fn a_store_that_can_only_be_read_is_told_and_nothing_is_proposed() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;

    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.files("digits");
    fs::create_dir(yard.path("store")).unwrap();
    set_permissions(yard.path("store"), Permissions::from_mode(0o555)).unwrap();
    let before = state(&yard);
    publish_bound(&yard)
        .exits(2)
        .says("error[file-failed]: can't create the folder [sandbox]/work/yard/store")
        .says("check who owns it and who may write there");
    assert_eq!(state(&yard), before);
    set_permissions(yard.path("store"), Permissions::from_mode(0o755)).unwrap();
    publish_bound(&yard).success();
}

#[cfg(unix)]
#[test]
fn a_file_that_is_larger_than_the_store_takes_is_told_and_nothing_half_there_stays() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.files("digits");
    sandbox.write("digits/large.bin", vec![7; 3 << 20]);
    let limits = "trap '' XFSZ; ulimit -f 2048; exec \"$@\"";
    let program = env!("CARGO_BIN_EXE_modelyard");
    let words = ["publish", "../digits", "--as=vision/digits:1.0.0"];
    let more = ["--unsigned", "--title=A model", "--owner=vision"];
    let shell = ["-c", limits, "sh", program].into_iter();
    let before = state(&yard);
    sandbox
        .program("sh", shell.chain(words).chain(more))
        .in_folder("yard")
        .run()
        .exits(2)
        .says("error[file-failed]: can't write [sandbox]/work/yard/store/")
        .says("ulimit -f");
    let (refs, status, files) = state(&yard);
    assert_eq!((refs, status), (before.0, before.1));
    let half: Vec<_> = files.iter().filter(|path| path.contains("/.")).collect();
    assert!(half.is_empty(), "{half:#?}");
    yard.publish("digits", "vision/digits:1.0.0").success();
}

/// A disk that has room for so many writes and no more, whatever they are.
#[cfg(feature = "real-tools")]
#[test]
fn a_disk_that_fills_up_at_any_write_leaves_the_old_state_or_the_new() {
    use crate::harness::full_at_each_nth_write;

    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.files("digits");
    let copy = |from: &str, to: &str| {
        sandbox.program("rm", ["-rf", to]).run().success();
        sandbox.program("cp", ["-a", from, to]).run().success();
    };
    copy("yard", "start");
    let before = state(&yard);
    let words = ["publish", "../digits", "--as=vision/digits:1.0.0"];
    let more = ["--unsigned", "--title=A model", "--owner=vision"];
    let words: Vec<_> = words.into_iter().chain(more).collect();
    let mut told_by = std::collections::BTreeMap::<_, u32>::new();
    let (outcome, writes) = full_at_each_nth_write(
        3,
        &yard.path(""),
        || {
            copy("start", "yard");
            yard.modelyard(&words)
        },
        |write, outcome| {
            let outcome = outcome.exits(2).says("No space left on device");
            let outcome = outcome.says("free some space");
            let code = outcome.stderr.split(['[', ']']).nth(1).unwrap().to_owned();
            *told_by.entry(code).or_default() += 1;
            yard.git(["fsck", "--strict"]).run().success();
            assert_eq!(yard.status(), "", "write {write}");
            let half = |path: &&String| path.contains("/.modelyard");
            let (refs, _, files) = state(&yard);
            assert_eq!(files.iter().find(half), None, "write {write}");
            if refs != before.0 {
                // The branch is there: then so is everything that it speaks of.
                yard.modelyard(&words)
                    .run()
                    .success()
                    .prints("nothing changed");
            }
        },
    );
    outcome.success();
    assert!(writes > 20, "there was room for {writes} writes only");
    let codes: Vec<_> = told_by.keys().map(String::as_str).collect();
    assert_eq!(codes, ["file-failed", "git-failed"]);
}
