//! Where files go, and what stands there before.

use std::fs;

use crate::harness::{Sandbox, Yard};

use super::{MODEL, publish, weights};

fn pull(yard: &Yard<'_>, version: &str, folder: &str) -> crate::harness::Run {
    yard.modelyard(["pull", &format!("vision/digits:{version}"), folder])
}

/// Every path below a folder of the yard, sorted.
fn paths(yard: &Yard<'_>, folder: &str) -> Vec<String> {
    let root = yard.path(folder);
    let mut paths: Vec<_> = walkdir::WalkDir::new(&root)
        .min_depth(1)
        .into_iter()
        .map(|entry| {
            let path = entry.unwrap().into_path();
            path.strip_prefix(&root).unwrap().display().to_string()
        })
        .collect();
    paths.sort();
    paths
}

#[test]
fn other_files_of_the_folder_stay_as_they_are() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    publish(&sandbox, &yard, "1.0.0");
    yard.write("out/notes.txt", "mine");
    yard.write("out/data/rows.csv", "mine too");
    pull(&yard, "1.0.0", "out").run().success();
    let expected = [
        "README.md",
        "data",
        "data/rows.csv",
        "model.bin",
        "notes.txt",
    ];
    assert_eq!(paths(&yard, "out"), expected);
    assert_eq!(
        fs::read_to_string(yard.path("out/notes.txt")).unwrap(),
        "mine"
    );
}

#[test]
fn files_that_differ_are_overwritten_only_by_force() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    publish(&sandbox, &yard, "1.0.0");
    publish(&sandbox, &yard, "1.1.0");
    pull(&yard, "1.0.0", "out").run().success();
    pull(&yard, "1.0.0", "out")
        .run()
        .success()
        .prints("was there");
    let refused = pull(&yard, "1.1.0", "out").run().exits(2);
    refused
        .says("error[would-overwrite]")
        .says("under the same names: model.bin")
        .says("--force");
    assert_eq!(fs::read(yard.path("out/model.bin")).unwrap(), MODEL);
    let forced = ["pull", "vision/digits:1.1.0", "out", "--force"];
    yard.modelyard(forced).run().success();
    assert_eq!(
        fs::read(yard.path("out/model.bin")).unwrap(),
        weights("1.1.0")
    );
    assert_eq!(paths(&yard, "out"), ["README.md", "model.bin"]);
}

#[test]
fn nothing_is_fetched_for_files_that_would_not_be_placed() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    publish(&sandbox, &yard, "1.0.0");
    yard.write("out/model.bin", "mine");
    pull(&yard, "1.0.0", "out").run().exits(2);
    assert!(!sandbox.home().join(".cache/modelyard/blobs").exists());
}

#[test]
fn the_folder_where_one_stands_stays_that_folder() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    publish(&sandbox, &yard, "1.0.0");
    fs::create_dir(yard.path("here")).unwrap();
    let inode = |path: &str| {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(yard.path(path)).unwrap().ino()
    };
    let before = inode("here");
    let run = yard.modelyard(["pull", "vision/digits:1.0.0", "."]);
    run.in_folder("yard/here").run().success();
    assert_eq!(inode("here"), before);
    assert_eq!(paths(&yard, "here"), ["README.md", "model.bin"]);
}

#[test]
fn what_is_in_the_way_is_told_and_left() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    publish(&sandbox, &yard, "1.0.0");
    yard.write("file", "mine");
    yard.write("folder/model.bin/notes.txt", "mine");
    yard.write("elsewhere/keep.txt", "mine");
    for (folder, said) in [
        ("file", "file is not a folder"),
        ("file/below", "caused by: Not a directory"),
        (
            "folder",
            "folder/model.bin is a folder, where a file belongs",
        ),
    ] {
        let forced = ["pull", "vision/digits:1.0.0", folder, "--force"];
        yard.modelyard(forced).run().exits(2).says(said);
    }
    assert_eq!(paths(&yard, "folder"), ["model.bin", "model.bin/notes.txt"]);
}

#[cfg(unix)]
#[test]
fn links_are_never_followed() {
    use std::os::unix::fs::symlink;

    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.write("nested/data/model.bin", MODEL);
    yard.publish("nested", "vision/nested:1.0.0").success();
    yard.merge("publish/vision/nested/1.0.0");
    yard.write("elsewhere/model.bin", "mine");
    fs::create_dir(yard.path("out")).unwrap();
    symlink(yard.path("elsewhere"), yard.path("out/data")).unwrap();
    let forced = ["pull", "vision/nested:1.0.0", "out", "--force"];
    let refused = yard.modelyard(forced).run().exits(2);
    refused.says("out/data is a link, where a folder belongs");

    fs::remove_file(yard.path("out/data")).unwrap();
    fs::create_dir(yard.path("out/data")).unwrap();
    symlink(
        yard.path("elsewhere/model.bin"),
        yard.path("out/data/model.bin"),
    )
    .unwrap();
    yard.modelyard(["pull", "vision/nested:1.0.0", "out"])
        .run()
        .exits(2);
    yard.modelyard(forced).run().success();
    assert!(!yard.path("out/data/model.bin").is_symlink());
    assert_eq!(
        fs::read_to_string(yard.path("elsewhere/model.bin")).unwrap(),
        "mine"
    );
}

#[cfg(unix)]
#[test]
fn programs_can_be_started_and_other_files_can_not() {
    use std::os::unix::fs::PermissionsExt;

    let sandbox = Sandbox::new();
    sandbox.write("tool/run.sh", "#!/bin/sh\necho hello\n");
    sandbox.write("tool/model.bin", MODEL);
    sandbox
        .modelyard(["push", "tool", "oci-layout:s:1.0.0"])
        .run()
        .success();
    sandbox
        .modelyard(["pull", "oci-layout:s:1.0.0", "out"])
        .run()
        .success();
    let mode = |name: &str| {
        let found = fs::metadata(sandbox.path("out").join(name)).unwrap();
        found.permissions().mode() & 0o111
    };
    assert_ne!(mode("run.sh"), 0);
    assert_eq!(mode("model.bin"), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_place_that_can_not_be_written_is_told() {
    let sandbox = Sandbox::new();
    sandbox.files("digits");
    sandbox
        .modelyard(["push", "digits", "oci-layout:s:1.0.0"])
        .run()
        .success();
    let refused = sandbox
        .modelyard(["pull", "oci-layout:s:1.0.0", "/proc/model/out"])
        .run();
    refused
        .exits(2)
        .says("error[file-failed]")
        .says("/proc/model");
}
