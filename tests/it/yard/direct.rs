//! A yard of one, whose changes go to main itself.

use super::story::{DIRECT, Story};

const SET: &str = "set vision/digits title=Numbers";

#[test]
fn the_checked_out_main_goes_along_and_other_work_stays() {
    let story = Story::of(DIRECT);
    story.write("notes.txt", "mine");
    story.write("models/vision/digits/versions/0.9.0.yaml", "half: written");
    story.write("staged.txt", "staged");
    story.git("add staged.txt");
    let done = story.json(SET);
    assert_eq!(
        (&done["branch"], &done["onMain"]),
        (&"main".into(), &true.into())
    );
    assert_eq!(done["commit"], story.git("rev-parse main").as_str());
    assert!(
        story
            .sandbox
            .read("yard/models/vision/digits/model.yaml")
            .contains("title: Numbers")
    );
    assert_eq!(
        story.git("status --porcelain"),
        "M models/vision/digits/versions/0.9.0.yaml\nA  staged.txt\n?? notes.txt"
            .replacen('M', " M", 1)
    );
}

#[test]
fn what_is_not_committed_is_in_the_way_and_stays() {
    for staged in [false, true] {
        let story = Story::of(DIRECT);
        story.write("models/vision/digits/model.yaml", "half: written");
        if staged {
            story.git("add -A");
        }
        let before = story.what_the_user_has();
        story
            .modelyard(SET)
            .run()
            .exits(2)
            .says(
                "error[local-changes]: [sandbox]/work/yard has changes of its own that are not \
                   committed: models/vision/digits/model.yaml",
            )
            .says("git stash");
        assert_eq!(story.what_the_user_has(), before);
    }
}

#[test]
fn a_file_that_git_does_not_know_is_not_overwritten() {
    let story = Story::of(DIRECT);
    story.git("rm -q --cached models/vision/digits/model.yaml");
    story.git("commit -q -m forget");
    let before = story.what_the_user_has();
    // The record is gone from main, so nothing can be set; what lies there stays.
    story
        .modelyard(SET)
        .run()
        .exits(2)
        .says("error[no-such-model]");
    assert_eq!(story.what_the_user_has(), before);
}

#[test]
fn a_main_that_nobody_looks_at_moves_alone() {
    let story = Story::of(DIRECT);
    story.git("switch -q -c elsewhere");
    let before = story.what_the_user_has();
    story.json(SET);
    assert_eq!(story.what_the_user_has(), before);
    assert!(
        story
            .git("show main:models/vision/digits/model.yaml")
            .contains("title: Numbers")
    );
}

#[test]
fn a_main_checked_out_in_another_work_tree_is_not_moved() {
    let story = Story::of(DIRECT);
    story.git("worktree add -q -b elsewhere ../linked");
    let run = story.sandbox.modelyard(SET.split(' '));
    run.in_folder("linked")
        .run()
        .exits(2)
        .says("the branch main is checked out in [sandbox]/work/yard");
}

#[test]
fn with_a_remote_the_push_comes_first_and_the_local_main_follows() {
    let story = Story::cloned_of(DIRECT);
    story.somebody_pushes("notes.txt", "theirs");
    let done = story.json(SET);
    let there = story.git_in("upstream.git", "rev-parse main");
    assert_eq!(done["commit"], there.as_str());
    assert_eq!(story.git("rev-parse main"), there);
    assert_eq!(story.git("status --porcelain"), "");
    assert_eq!(story.sandbox.read("yard/notes.txt"), "theirs");
}

#[test]
fn a_remote_that_refuses_main_leaves_all_as_it_was() {
    let story = Story::cloned_of(DIRECT);
    story.refusing_hook("update", "main is protected");
    let before = story.what_the_user_has();
    story
        .modelyard(SET)
        .run()
        .exits(2)
        .says("error[push-refused]")
        .says("main is protected")
        .says("nothing was changed")
        .says("publish: {mode: pull-request}");
    assert_eq!(story.what_the_user_has(), before);
}

#[test]
fn commits_that_the_remote_lacks_are_not_pushed_unasked() {
    let story = Story::cloned_of(DIRECT);
    story.write("notes.txt", "mine");
    story.git("add -A");
    story.git("commit -q -m mine");
    story
        .modelyard(SET)
        .run()
        .exits(2)
        .says("error[main-diverged]: your main has commits that origin/main has not")
        .says("git push origin main");
}

#[test]
fn many_processes_at_once_all_end_right() {
    let story = Story::cloned_of(DIRECT);
    let namespaces = ["a", "b", "c", "d"];
    for namespace in namespaces {
        let model =
            super::story::MODEL.replace("namespace: vision", &format!("namespace: {namespace}"));
        story.somebody_pushes(&format!("models/{namespace}/digits/model.yaml"), &model);
    }
    story.git("pull -q");
    let runs = namespaces.map(|namespace| {
        let run = story.modelyard(&format!("set {namespace}/digits title=Numbers"));
        std::thread::spawn(move || run.run())
    });
    for run in runs {
        run.join().unwrap().success();
    }
    for namespace in namespaces {
        let model = story.git_in(
            "upstream.git",
            &format!("show main:models/{namespace}/digits/model.yaml"),
        );
        assert!(model.contains("title: Numbers"), "{namespace}: {model}");
    }
    story.git("fsck --strict");
}
