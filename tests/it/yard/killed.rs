//! Killed before any of its writes, a change is there or it is not.

use super::story::{DIRECT, Story};
use crate::harness::{GitHttp, killed_at_every_write};

const SET: &str = "set vision/digits title=Numbers";
const BRANCH: &str = "set/vision/digits/model";

/// What the branch may be: not there, or with the one commit.
fn inspect(story: &Story, write: u32) {
    story.git("fsck --strict");
    let branch = story.git(&format!(
        "for-each-ref --format=%(refname:short) refs/heads/{BRANCH}"
    ));
    if !branch.is_empty() {
        let title = story.git(&format!("show {BRANCH}:models/vision/digits/model.yaml"));
        assert!(
            title.contains("title: Numbers"),
            "after write {write}: {title}"
        );
        assert_eq!(story.git(&format!("rev-list --count main..{BRANCH}")), "1");
    }
}

#[test]
fn on_a_branch_it_is_all_or_nothing_and_can_be_run_again() {
    let story = Story::cloned();
    let server = GitHttp::serve(&story.sandbox.path(""));
    story.git(&format!(
        "remote set-url origin {}",
        server.url("upstream.git")
    ));
    let before = story.what_the_user_has();
    let (outcome, writes) = killed_at_every_write(
        &story.folder(),
        || {
            // A lock of a process that is no more stays, as git's own do, and is for a person.
            let lock = story
                .folder()
                .join(format!(".git/refs/heads/{BRANCH}.lock"));
            let _ = std::fs::remove_file(lock);
            for folder in ["yard", "upstream.git"] {
                let branch = format!("refs/heads/{BRANCH}");
                let git = story.sandbox.git(["update-ref", "-d", &branch]);
                git.in_folder(folder).run().success();
            }
            story.modelyard(SET)
        },
        |write| {
            assert_eq!(story.what_the_user_has(), before, "after write {write}");
            inspect(&story, write);
        },
    );
    outcome.success();
    assert!(writes > 5, "only {writes} writes were seen");
    inspect(&story, 0);
}

#[test]
fn on_main_nothing_is_lost() {
    let mut writes_seen = 0;
    let story = Story::of(DIRECT);
    let begin = story.git("rev-parse main");
    let (outcome, writes) = killed_at_every_write(
        &story.folder(),
        || {
            let _ = std::fs::remove_file(story.folder().join(".git/index.lock"));
            let _ = std::fs::remove_file(story.folder().join(".git/refs/heads/main.lock"));
            story.git(&format!("reset -q --hard {begin}"));
            story.write("mine.txt", "mine");
            story.modelyard(SET)
        },
        |write| {
            writes_seen = write;
            story.git("fsck --strict");
            assert_eq!(story.sandbox.read("yard/mine.txt"), "mine");
            let model = story.git("show main:models/vision/digits/model.yaml");
            assert!(model.contains("title: Digits") || model.contains("title: Numbers"));
        },
    );
    outcome.success();
    assert_eq!(writes_seen, writes);
    assert!(
        story
            .git("show main:models/vision/digits/model.yaml")
            .contains("title: Numbers")
    );
}
