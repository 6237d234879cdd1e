//! Repositories of every shape: where a publish can work it does, and elsewhere it says why.

use super::{BRANCH, state};
use crate::harness::{Outcome, Sandbox, Yard};

/// Publishes in a folder of the sandbox.
fn publish_in(sandbox: &Sandbox, folder: &str) -> Outcome {
    let files = sandbox.files("digits");
    let words = ["publish", &*files.to_string_lossy(), "--unsigned"].map(str::to_owned);
    let more = ["--as=vision/digits:1.0.0", "--title=A", "--owner=vision"].map(str::to_owned);
    sandbox
        .modelyard(words.into_iter().chain(more))
        .in_folder(folder)
        .run()
}

/// Clones the upstream of a shared yard, whose store lies at one place for all clones.
fn cloned(sandbox: &Sandbox, options: &[&str], folder: &str) {
    let url = format!("file://{}", sandbox.path("upstream.git").display());
    let words = ["clone", "--quiet"].iter().chain(options).copied();
    sandbox.git(words.chain([&*url, folder])).run().success();
}

/// A shared yard whose store is not beside its files, and whose upstream gives partial clones.
fn shared(sandbox: &Sandbox) -> Yard<'_> {
    let yard = sandbox.shared_yard();
    let text = sandbox.read("yard/modelyard.yaml");
    let store = format!("oci-layout:{}", sandbox.path("bytes").display());
    yard.write(
        "modelyard.yaml",
        &text.replace("oci-layout:./store", &store),
    );
    yard.commit("A store for all");
    yard.git(["push", "--quiet"]).run().success();
    let words = ["-C", "upstream.git", "config", "uploadpack.allowFilter"];
    sandbox
        .git(words.into_iter().chain(["true"]))
        .run()
        .success();
    yard
}

/// That the branch is in a repository, one commit from its main, and the repository is whole.
#[track_caller]
fn is_proposed(sandbox: &Sandbox, folder: &str) {
    let range = format!("main..{BRANCH}");
    let count = sandbox
        .git(["-C", folder, "rev-list", "--count", &range])
        .run()
        .success();
    assert_eq!(count.line(), "1");
    sandbox
        .git(["-C", folder, "fsck", "--strict"])
        .run()
        .success();
}

#[test]
fn a_detached_and_dirty_one_stays_as_it_is() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    yard.git(["switch", "--quiet", "--detach"]).run().success();
    yard.write("modelyard.yaml", "half written");
    yard.write("notes.txt", "mine");
    let head = |yard: &Yard<'_>| yard.git(["rev-parse", "HEAD"]).run().success().stdout;
    let before = (head(&yard), yard.status());
    publish_in(&sandbox, "yard").success();
    assert_eq!((head(&yard), yard.status()), before);
    let detached = yard.git(["symbolic-ref", "--quiet", "HEAD"]).run();
    assert_eq!(detached.code, Some(1));
    is_proposed(&sandbox, "yard");
}

#[test]
fn a_bare_one_is_enough_where_the_store_is_not_beside_the_files() {
    let sandbox = Sandbox::new();
    sandbox.shared_yard();
    let refs = || {
        let words = ["-C", "upstream.git", "for-each-ref"];
        sandbox.git(words).run().success().stdout
    };
    let before = refs();
    publish_in(&sandbox, "upstream.git")
        .exits(2)
        .says("error[relative-store]")
        .says("a clone's work tree");
    assert_eq!(refs(), before);

    let sandbox = Sandbox::new();
    shared(&sandbox);
    publish_in(&sandbox, "upstream.git").success();
    is_proposed(&sandbox, "upstream.git");
    assert!(sandbox.path("bytes/vision/digits/index.json").is_file());
}

#[test]
fn shallow_and_partial_clones_push_their_branch_and_nothing_else() {
    for options in [["--depth=1"], ["--filter=blob:none"]] {
        let sandbox = Sandbox::new();
        let yard = shared(&sandbox);
        yard.write("notes.txt", "more of a past");
        yard.commit("Notes");
        yard.git(["push", "--quiet"]).run().success();
        cloned(&sandbox, &options, "clone");
        publish_in(&sandbox, "clone")
            .success()
            .prints("pushed    to origin");
        is_proposed(&sandbox, "upstream.git");
    }
}

#[test]
fn what_a_partial_clone_lacks_is_told_with_how_to_fetch_it() {
    let sandbox = Sandbox::new();
    shared(&sandbox);
    for filter in ["blob:none", "tree:0", "tree:1"] {
        let option = format!("--filter={filter}");
        cloned(&sandbox, &[&option, "--no-checkout"], filter);
        publish_in(&sandbox, filter)
            .exits(2)
            .says("error[object-missing]")
            .says("git fetch --refetch --no-filter");
    }
    assert!(!sandbox.path("bytes").exists());
}

#[test]
fn without_a_commit_a_yard_or_a_repository_it_says_how_to_begin() {
    let sandbox = Sandbox::new();
    publish_in(&sandbox, "digits/..")
        .exits(2)
        .says("error[no-repository]")
        .says("modelyard init");
    sandbox.git(["init", "--quiet", "none"]).run().success();
    publish_in(&sandbox, "none")
        .exits(2)
        .says("error[no-yard]")
        .says("modelyard init");
    let yard = sandbox.yard();
    let text = std::fs::read(yard.path("modelyard.yaml")).unwrap();
    sandbox.write("none/modelyard.yaml", text);
    publish_in(&sandbox, "none")
        .exits(2)
        .says("error[no-commits]")
        .says("commit what is there");
    assert!(!sandbox.path("none/store").exists());
}

#[test]
fn without_an_identity_no_byte_is_stored() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let before = state(&yard);
    sandbox.write_home(".gitconfig", "");
    publish_in(&sandbox, "yard")
        .exits(2)
        .says("error[no-identity]")
        .says("git config --global user.email");
    assert_eq!(state(&yard), before);
}

#[cfg(unix)]
#[test]
fn one_that_can_not_be_written_says_whose_it_is_to_be_and_stays() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;

    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let files = sandbox.files("digits");
    let before = yard.refs();
    let folders = || {
        let all = walkdir::WalkDir::new(yard.path(".git")).into_iter();
        let all = all.map(|entry| entry.unwrap().into_path());
        all.filter(|path| path.is_dir()).collect::<Vec<_>>()
    };
    let allow = |mode| {
        for folder in folders() {
            set_permissions(folder, Permissions::from_mode(mode)).unwrap();
        }
    };
    allow(0o555);
    let words = ["publish", &*files.to_string_lossy(), "--unsigned"].map(str::to_owned);
    let more = ["--as=vision/digits:1.0.0", "--title=A", "--owner=vision"].map(str::to_owned);
    let outcome = yard
        .modelyard(words.into_iter().chain(more))
        .bound_by_permissions()
        .run();
    allow(0o755);
    outcome
        .exits(2)
        .says("error[git-failed]")
        .says("Permission denied")
        .says("check who owns the repository's files");
    assert_eq!(yard.refs(), before);
    // What was stored meanwhile is not sent twice.
    publish_in(&sandbox, "yard").success();
}
