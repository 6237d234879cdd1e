//! Repositories of every shape: what can work works, and what can't says why.

use std::fs;
use std::time::Duration;

use super::story::{MODEL, Story, yard};
use crate::harness::Sandbox;

const SET: &str = "set vision/digits title=Numbers";

#[test]
fn no_repository_and_no_yard_are_told() {
    let sandbox = Sandbox::new();
    sandbox
        .modelyard(["set", "a/b", "title=x"])
        .run()
        .exits(2)
        .says("error[no-repository]: [sandbox]/work is not in a git repository")
        .says("modelyard init");
    sandbox.git(["init", "-q", "."]).run().success();
    sandbox
        .modelyard(["set", "a/b", "title=x"])
        .run()
        .exits(2)
        .says("error[no-yard]: [sandbox]/work has no modelyard.yaml at its root");
}

#[test]
fn an_empty_repository_has_nothing_to_begin_from() {
    let sandbox = Sandbox::new();
    sandbox.git(["init", "-q", "."]).run().success();
    sandbox.write("modelyard.yaml", yard(""));
    sandbox
        .modelyard(["set", "a/b", "title=x"])
        .run()
        .exits(2)
        .says("error[no-commits]: [sandbox]/work has no commits yet");
}

#[test]
fn a_yard_is_found_from_any_of_its_folders() {
    let story = Story::local();
    let done = story.json_in("yard/models/vision", SET);
    assert_eq!(done["unchanged"], false);
}

#[test]
fn a_bare_repository_can_be_changed() {
    let story = Story::cloned();
    let done = story.json_in("upstream.git", SET);
    assert_eq!(done["branch"], "set/vision/digits/model");
    let log = story.git_in(
        "upstream.git",
        "log --format=%s main..set/vision/digits/model",
    );
    assert_eq!(log, "vision/digits: set title");
}

#[test]
fn a_linked_work_tree_is_a_yard_like_any() {
    let story = Story::local();
    story.git("worktree add -q ../linked");
    let before = story.what_the_user_has();
    story.json_in("linked", SET);
    assert_eq!(story.what_the_user_has(), before);
    story.git("worktree add -q ../looking set/vision/digits/model");
    story
        .modelyard("set vision/digits title=Figures")
        .run()
        .exits(2)
        .says("is checked out in [sandbox]/work/looking");
}

#[test]
fn a_yard_that_is_a_submodule_is_a_yard_like_any() {
    let story = Story::cloned();
    let sandbox = &story.sandbox;
    sandbox.git(["init", "-q", "super"]).run().success();
    let url = story.upstream_url();
    sandbox
        .git([
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "add",
            "-q",
            &url,
            "models",
        ])
        .in_folder("super")
        .run()
        .success();
    let done = story.json_in("super/models", SET);
    assert_eq!(done["pushed"]["remote"], "origin");
    // And a repository inside a yard that is none leads to the yard around it.
    story
        .sandbox
        .git(["init", "-q", "inner"])
        .in_folder("yard")
        .run()
        .success();
    let done = story.json_in("yard/inner", SET);
    assert_eq!(done["unchanged"], true);
}

#[test]
fn a_shallow_clone_can_be_changed() {
    let story = Story::cloned();
    story.somebody_pushes("notes.txt", "one");
    story.somebody_pushes("notes.txt", "two");
    let url = story.upstream_url();
    story
        .sandbox
        .git(["clone", "-q", "--depth", "1", &url, "shallow"])
        .run()
        .success();
    // And the remote moves on after that.
    story.somebody_pushes("notes.txt", "three");
    let done = story.json_in("shallow", SET);
    assert_eq!(done["pushed"]["remote"], "origin");
    let count = story.git_in(
        "upstream.git",
        "rev-list --count main..set/vision/digits/model",
    );
    assert_eq!(count, "1");
    story.git_in("upstream.git", "fsck --strict");
}

#[test]
fn a_partial_clone_can_be_changed_with_what_it_has() {
    let story = Story::cloned();
    story.git_in("upstream.git", "config uploadpack.allowFilter true");
    let old = MODEL.replace("Digits ", "Old digits ");
    story.somebody_pushes("models/vision/digits/model.yaml", &old);
    story.somebody_pushes("models/vision/digits/model.yaml", MODEL);
    let url = story.upstream_url();
    let clone = ["clone", "-q", "--filter=blob:none", &url, "partial"];
    story.sandbox.git(clone).run().success();
    let done = story.json_in("partial", SET);
    assert_eq!(done["pushed"]["remote"], "origin");
    story.git_in("upstream.git", "fsck --strict");
}

#[test]
fn a_file_that_a_partial_clone_lacks_is_told() {
    let story = Story::cloned();
    story.git_in("upstream.git", "config uploadpack.allowFilter true");
    let url = story.upstream_url();
    let clone = [
        "clone",
        "-q",
        "--filter=blob:none",
        "--no-checkout",
        &url,
        "partial",
    ];
    story.sandbox.git(clone).run().success();
    story
        .sandbox
        .modelyard(SET.split(' '))
        .in_folder("partial")
        .run()
        .exits(2)
        .says("is a partial clone and lacks what reading")
        .says("git fetch --refetch");
}

#[test]
fn a_repository_of_an_unknown_format_is_told() {
    let story = Story::local();
    story.git("config core.repositoryformatversion 1");
    story.git("config extensions.somethingNew true");
    story
        .modelyard(SET)
        .run()
        .exits(2)
        .says("error[repository-unreadable]: [sandbox]/work/yard can't be opened")
        .says("somethingnew");
}

#[test]
fn a_lock_that_was_left_behind_is_named() {
    let story = Story::local();
    let lock = ".git/refs/heads/set/vision/digits/model.lock";
    story.write(lock, "");
    story
        .modelyard(SET)
        .run()
        .exits(3)
        .says("error[git-locked]")
        .says("[sandbox]/work/yard/.git/refs/heads/set/vision/digits/model.lock");
    fs::remove_file(story.folder().join(lock)).unwrap();
    story.modelyard(SET).run().success();
}

#[test]
fn a_lock_on_what_the_remote_has_is_waited_for_and_named() {
    let story = Story::cloned();
    let lock = ".git/refs/remotes/origin/main.lock";
    story.somebody_pushes("notes.txt", "theirs");
    story.write(lock, "");
    story
        .modelyard(SET)
        .run()
        .exits(3)
        .says("error[git-locked]")
        .says("[sandbox]/work/yard/.git/refs/remotes/origin/main.lock");
    let path = story.folder().join(lock);
    let waiting = story.modelyard(SET);
    let waiting = std::thread::spawn(move || waiting.run());
    std::thread::sleep(Duration::from_millis(700));
    fs::remove_file(path).unwrap();
    waiting.join().unwrap().success();
}

#[test]
fn a_read_only_repository_says_so_and_stays() {
    let story = Story::local();
    let before = story.git("for-each-ref");
    // A file where the branch's folder has to be can't be written by anybody, not even root.
    fs::write(story.folder().join(".git/refs/heads/set"), "").unwrap();
    story.modelyard(SET).run().exits(2);
    fs::remove_file(story.folder().join(".git/refs/heads/set")).unwrap();
    assert_eq!(story.git("for-each-ref"), before);
    story.git("fsck --strict");
}
