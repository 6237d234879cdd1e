//! Changes on branches, with no remote.

use super::story::{Story, version};

const SET: &str = "set vision/digits title=Numbers";
const BRANCH: &str = "set/vision/digits/model";

#[test]
fn a_change_is_one_line_on_a_branch_and_touches_nothing_of_the_user() {
    let story = Story::local();
    story.write("models/vision/digits/model.yaml", "half: written");
    story.write("models/vision/digits/README.md", "staged");
    story.git("add models/vision/digits/README.md");
    story.write("models/vision/digits/README.md", "and more");
    story.git("checkout -q --detach");
    let before = story.what_the_user_has();

    let done = story.json(SET);

    assert_eq!(story.what_the_user_has(), before);
    assert_eq!(done["branch"], BRANCH);
    assert_eq!(done["base"], story.git("rev-parse main").as_str());
    assert_eq!(
        done["commit"],
        story.git(&format!("rev-parse {BRANCH}")).as_str()
    );
    assert_eq!(story.git(&format!("rev-list --count main..{BRANCH}")), "1");
    let diff = story.git(&format!("diff -U0 main {BRANCH}"));
    let lines: Vec<_> = diff.lines().skip(5).collect();
    assert_eq!(
        lines,
        [
            "-  title: Digits   # shown in lists",
            "+  title: Numbers   # shown in lists"
        ]
    );
    let commit = story.git(&format!("log -1 --format=%an|%ae|%cn|%B {BRANCH}"));
    assert_eq!(
        commit,
        "Yard Test|test@example.com|Yard Test|vision/digits: set title\n\ntitle: \"Digits\" -> \"Numbers\""
    );
}

#[test]
fn what_is_told_is_how_to_merge_it_and_that_works() {
    let story = Story::local();
    let done = story.json(SET);
    let commands = done["howToMerge"].as_array().unwrap();
    for command in commands {
        let words = command.as_str().unwrap().strip_prefix("git ").unwrap();
        story.git(words);
    }
    assert!(
        story
            .sandbox
            .read("yard/models/vision/digits/model.yaml")
            .contains("title: Numbers")
    );
    story
        .modelyard("set vision/digits title=Numbers")
        .run()
        .success()
        .prints("main has it already");
}

#[test]
fn the_same_again_changes_nothing_and_says_so() {
    let story = Story::local();
    let first = story.json(SET);
    let again = story.json(SET);
    assert_eq!(again["unchanged"], true);
    assert_eq!(again["commit"], first["commit"]);
    assert_eq!(again["onMain"], false);
}

#[test]
fn nothing_to_change_makes_no_branch() {
    let story = Story::local();
    let done = story.json("set vision/digits title=Digits");
    assert_eq!(
        (&done["unchanged"], &done["onMain"]),
        (&true.into(), &true.into())
    );
    assert_eq!(story.git("branch --list --format=%(refname:short)"), "main");
}

#[test]
fn a_second_change_goes_on_where_the_first_one_ended() {
    let story = Story::local();
    story.json("promote vision/digits:1.0.0 --to released");
    let done = story.json("promote vision/digits:1.0.0 --alias champion");
    assert_eq!(done["unchanged"], false);
    let names = story.git("diff --name-only main promote/vision/digits/1.0.0");
    assert_eq!(
        names,
        "models/vision/digits/model.yaml\nmodels/vision/digits/versions/1.0.0.yaml"
    );
}

#[test]
fn a_branch_that_was_merged_is_begun_anew() {
    for merge in [
        "merge -q --no-ff --no-edit",
        "merge -q --squash",
        "merge -q --ff-only",
    ] {
        let story = Story::local();
        story.json(SET);
        story.git(&format!("{merge} {BRANCH}"));
        if merge.contains("squash") {
            story.git("commit -q -m squashed");
        }
        let done = story.json("set vision/digits license=Apache-2.0");
        assert_eq!(
            done["base"],
            story.git("rev-parse main").as_str(),
            "{merge}"
        );
        assert_eq!(
            story.git(&format!("rev-list main..{BRANCH}")),
            done["commit"].as_str().unwrap()
        );
    }
}

#[test]
fn what_main_got_meanwhile_is_brought_in() {
    let story = Story::local();
    story.json(SET);
    story.write(
        "models/vision/digits/versions/1.1.0.yaml",
        &version("1.1.0", "staged"),
    );
    story.git("add -A");
    story.git("commit -q -m more");
    story.json("set vision/digits license=Apache-2.0");
    assert_eq!(story.git(&format!("rev-list --count {BRANCH}..main")), "0");
    assert_eq!(
        story.git(&format!("diff --name-only main {BRANCH}")),
        "models/vision/digits/model.yaml"
    );
    // And again nothing: main is not merged for its own sake.
    assert_eq!(story.json(SET)["unchanged"], true);
}

#[test]
fn a_branch_that_conflicts_with_main_is_left_alone() {
    let story = Story::local();
    story.json(SET);
    let before = story.git(&format!("rev-parse {BRANCH}"));
    story.git("checkout -q main");
    let model = super::story::MODEL.replace("Digits ", "Figures ");
    story.write("models/vision/digits/model.yaml", &model);
    story.git("commit -q -a -m figures");
    story
        .modelyard("set vision/digits license=Apache-2.0")
        .run()
        .exits(2)
        .says(
            "error[branch-has-other-work]: the branch set/vision/digits/model has changes that \
               conflict with main's",
        )
        .says("git branch -D set/vision/digits/model");
    assert_eq!(story.git(&format!("rev-parse {BRANCH}")), before);
}

#[test]
fn a_branch_that_somebody_looks_at_is_not_moved() {
    let story = Story::local();
    story.json(SET);
    story.git(&format!("checkout -q {BRANCH}"));
    let before = story.what_the_user_has();
    story
        .modelyard("set vision/digits license=Apache-2.0")
        .run()
        .exits(2)
        .says("error[branch-checked-out]")
        .says("git -C '[sandbox]/work/yard' switch -");
    assert_eq!(story.what_the_user_has(), before);
    // What is there already needs no move.
    assert_eq!(story.json(SET)["unchanged"], true);
}

#[test]
fn a_branch_in_the_way_is_named() {
    let story = Story::local();
    story.git("branch set");
    story
        .modelyard(SET)
        .run()
        .exits(2)
        .says("branch-in-the-way")
        .says("git branch -m set set-old");
}

#[test]
fn somebody_elses_commits_on_the_branch_stay() {
    let story = Story::local();
    story.json(SET);
    story.git(&format!("checkout -q {BRANCH}"));
    let reviewed = super::story::MODEL
        .replace("Digits ", "Numbers ")
        .replace("license: MIT", "license: Apache-2.0  # as agreed");
    story.write("models/vision/digits/model.yaml", &reviewed);
    story.git("commit -q -a --author=Rita<rita@example.com> -m review");
    story.git("checkout -q main");
    story.json("set vision/digits title=Figures");
    let now = story.git(&format!("show {BRANCH}:models/vision/digits/model.yaml"));
    assert_eq!(now + "\n", reviewed.replace("Numbers ", "Figures "));
}

#[test]
fn without_an_identity_nothing_begins() {
    let story = Story::local();
    story.sandbox.write_home(".gitconfig", "");
    story
        .modelyard(SET)
        .run()
        .exits(2)
        .says("error[no-identity]")
        .says("git config --global user.name 'Your Name'")
        .says("git config --global user.email you@example.com");
    story
        .modelyard(SET)
        .env("GIT_AUTHOR_NAME", "Ada")
        .env("GIT_AUTHOR_EMAIL", "ada@example.com")
        .env("GIT_AUTHOR_DATE", "1700000000 +0100")
        .env("GIT_COMMITTER_NAME", "Bot")
        .env("GIT_COMMITTER_EMAIL", "bot@example.com")
        .run()
        .success();
    assert_eq!(
        story.git(&format!("log -1 --format=%an|%ae|%at|%ai|%cn {BRANCH}")),
        "Ada|ada@example.com|1700000000|2023-11-14 23:13:20 +0100|Bot"
    );
}

#[test]
fn a_commit_that_should_be_signed_is_not_made_without() {
    let story = Story::local();
    story.git("config commit.gpgSign true");
    story.git("config gpg.program /bin/false");
    story.modelyard(SET).run().exits(2).says(
        "error[commit-not-signed]: git is set up to sign commits, but /bin/false made no signature",
    );
    story.git("config gpg.program no-such-program");
    story
        .modelyard(SET)
        .run()
        .exits(2)
        .says("no-such-program can't be run");
    story.git("config gpg.format pgp2");
    story
        .modelyard(SET)
        .run()
        .exits(2)
        .says("gpg.format `pgp2` is not known");
    assert_eq!(story.git("branch --list --format=%(refname:short)"), "main");
}

#[test]
fn many_processes_at_once_all_end_right() {
    let story = Story::local();
    let runs: Vec<_> = (0..4)
        .map(|index| story.modelyard(&format!("set vision/digits labels.run{index}=done")))
        .map(|run| std::thread::spawn(move || run.run()))
        .collect();
    for run in runs {
        run.join().unwrap().success();
    }
    let model = story.git(&format!("show {BRANCH}:models/vision/digits/model.yaml"));
    for index in 0..4 {
        assert!(model.contains(&format!("run{index}: done")), "{model}");
    }
}
