//! Remotes in a folder of this machine: what is taken from them, and what comes back.

use modelyard::ops::propose;
use modelyard::platform::Clock as _;
use modelyard::platform::clock::SystemClock;
use modelyard::yard::{Change, Yard, YardError};

use super::story::{DIRECT, MODEL, Story, version};

const SET: &str = "set vision/digits title=Numbers";
const BRANCH: &str = "set/vision/digits/model";

fn tip(story: &Story, branch: &str) -> String {
    story.git_in("upstream.git", &format!("rev-parse {branch}"))
}

#[test]
fn a_change_begins_from_the_remotes_main_and_is_pushed() {
    let story = Story::cloned();
    story.somebody_pushes(
        "models/vision/digits/versions/1.1.0.yaml",
        &version("1.1.0", "staged"),
    );
    let before = story.what_the_user_has();
    let done = story.json("promote vision/digits:1.1.0 --to released");
    assert_eq!(done["base"], tip(&story, "main").as_str());
    assert_eq!(
        done["commit"],
        tip(&story, "promote/vision/digits/1.1.0").as_str()
    );
    assert_eq!(done["pushed"]["url"], story.upstream_url().as_str());
    let after = story.what_the_user_has();
    // Only what is known of the remote changed.
    let without = |seen: &str| {
        seen.replace("# branch.ab +0 -1\n", "")
            .replace("# branch.ab +0 -0\n", "")
    };
    assert_eq!(without(&after), without(&before));
    for command in done["howToMerge"].as_array().unwrap() {
        story.git(command.as_str().unwrap().strip_prefix("git ").unwrap());
    }
    let merged = story.git_in(
        "upstream.git",
        "show main:models/vision/digits/versions/1.1.0.yaml",
    );
    assert!(
        merged.contains("lifecycle: released   # moves by promotion"),
        "{merged}"
    );
}

#[test]
fn the_same_again_pushes_nothing() {
    let story = Story::cloned();
    let first = story.json(SET);
    let again = story.json(SET);
    assert_eq!(again["commit"], first["commit"]);
    assert_eq!(
        (&again["unchanged"], &again["pushed"]["unchanged"]),
        (&true.into(), &true.into())
    );
}

#[test]
fn a_hook_that_refuses_is_heard_and_the_commit_is_kept() {
    let story = Story::cloned();
    story.refusing_hook("pre-receive", "branches need a ticket");
    story
        .modelyard(SET)
        .run()
        .exits(2)
        .says("error[push-refused]")
        .says("(pre-receive hook declined)")
        .says("branches need a ticket")
        .says("your commit is kept on the local branch set/vision/digits/model");
    let refs = story.git_in("upstream.git", "for-each-ref --format=%(refname)");
    assert_eq!(refs, "refs/heads/main");
    let kept = story.git(&format!("rev-parse {BRANCH}"));
    std::fs::remove_file(story.sandbox.path("upstream.git/hooks/pre-receive")).unwrap();
    let done = story.json(SET);
    assert_eq!(done["commit"], kept.as_str());
    assert_eq!(tip(&story, BRANCH), kept);
}

#[test]
fn a_remote_that_is_not_there_is_told_and_nothing_changes() {
    let story = Story::cloned();
    story.git("remote set-url origin ../nowhere.git");
    story
        .modelyard(SET)
        .run()
        .exits(2)
        .says("error[remote-unreachable]: can't reach [sandbox]/work/nowhere.git")
        .says("git remote -v");
    story.git("remote set-url origin http://127.0.0.1:1/yard.git");
    story
        .modelyard(SET)
        .run()
        .exits(3)
        .says("error[remote-unreachable]: can't reach http://127.0.0.1:1/yard.git");
    assert_eq!(story.git("branch --list --format=%(refname:short)"), "main");
}

#[test]
fn a_password_in_a_remotes_url_is_never_shown() {
    let story = Story::cloned();
    story.git("remote set-url origin http://me:hunter2@127.0.0.1:1/yard.git");
    for more in ["", " -vvv"] {
        let outcome = story.modelyard(&format!("{SET}{more}")).run().exits(3);
        assert!(
            !outcome.report().contains("hunter2"),
            "{}",
            outcome.report()
        );
    }
}

#[test]
fn a_relative_remote_is_found_from_any_folder() {
    let story = Story::cloned();
    story.git("remote set-url origin ../upstream.git");
    story.json_in("yard/models/vision", SET);
    assert_eq!(
        tip(&story, BRANCH),
        story.git(&format!("rev-parse {BRANCH}"))
    );
}

#[test]
fn an_empty_remote_is_told() {
    let story = Story::local();
    story
        .sandbox
        .git(["init", "-q", "--bare", "empty.git"])
        .run()
        .success();
    story.git("remote add origin ../empty.git");
    story
        .modelyard(SET)
        .run()
        .exits(2)
        .says("error[remote-has-no-main]")
        .says("git push -u origin main");
}

#[test]
fn a_remote_whose_main_is_called_otherwise_is_followed() {
    let story = Story::cloned();
    story.git_in("upstream.git", "branch -m main trunk");
    story.git("update-ref -d refs/remotes/origin/main");
    let done = story.json(SET);
    assert_eq!(done["base"], tip(&story, "trunk").as_str());
    let merge: Vec<_> = done["howToMerge"].as_array().unwrap().iter().collect();
    assert_eq!(merge[0], "git switch trunk");
}

#[test]
fn a_branch_that_differs_here_and_there_is_left_alone() {
    let story = Story::cloned();
    story.json(SET);
    let there = story.git("commit-tree -p main -m theirs main^{tree}");
    let theirs = story.git("rev-parse main:models/vision/digits/versions/0.9.0.yaml");
    story.git(&format!(
        "update-index --add --cacheinfo 100644,{theirs},extra.yaml"
    ));
    let tree = story.git("write-tree");
    story.git("reset -q");
    let there = story.git(&format!("commit-tree -p {there} -m theirs {tree}"));
    story.git(&format!("push -q -f origin {there}:refs/heads/{BRANCH}"));
    let here = story.git(&format!("rev-parse {BRANCH}"));
    story
        .modelyard(SET)
        .run()
        .exits(2)
        .says("error[branch-has-other-work]")
        .says("git push origin --delete set/vision/digits/model");
    assert_eq!(
        (
            tip(&story, BRANCH),
            story.git(&format!("rev-parse {BRANCH}"))
        ),
        (there, here)
    );
}

#[test]
fn a_reviewers_commit_on_the_remote_is_gone_on_from() {
    let story = Story::cloned();
    story.json(SET);
    let url = story.upstream_url();
    story
        .sandbox
        .git(["clone", "-q", "-b", BRANCH, &url, "review"])
        .run()
        .success();
    let reviewed = MODEL
        .replace("Digits ", "Numbers ")
        .replace("MIT", "Apache-2.0");
    story
        .sandbox
        .write("review/models/vision/digits/model.yaml", &reviewed);
    story.git_in("review", "commit -q -a -m review");
    story.git_in("review", "push -q");
    story.json("set vision/digits description=Reads");
    let now = story.git_in(
        "upstream.git",
        &format!("show {BRANCH}:models/vision/digits/model.yaml"),
    );
    assert_eq!(now, format!("{reviewed}  description: Reads"));
}

/// Runs `work` where it may wait.
fn waiting<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work)
}

/// A yard opened in this process, whose git knows who commits.
fn opened(story: &Story) -> Yard {
    story.git("config user.name Yard");
    story.git("config user.email yard@example.com");
    story.git("config commit.gpgSign false");
    Yard::discover(&story.folder()).unwrap()
}

#[test]
fn a_main_that_moves_on_meanwhile_is_gone_on_from() {
    let story = Story::cloned_of(DIRECT);
    let yard = opened(&story);
    let mut change = Change::begin(&yard, "ignored").unwrap();
    assert!(change.is_direct());
    change
        .write("models/vision/digits/README.md", "ours")
        .unwrap();
    story.somebody_pushes("models/vision/digits/NOTES.md", "theirs");

    let now = SystemClock.now();
    let committed = change.commit("ours", now).unwrap();
    let error = change.push(&committed).unwrap_err();
    assert!(matches!(error, YardError::Busy { .. }), "{error:?}");

    let proposed = waiting(propose::propose(change, "ours", now)).unwrap();
    assert!(proposed.on_main);
    assert_eq!(proposed.commit, tip(&story, "main"));
    let files = story.git_in(
        "upstream.git",
        "ls-tree --name-only main models/vision/digits/",
    );
    assert!(
        files.contains("README.md") && files.contains("NOTES.md"),
        "{files}"
    );
}

#[test]
fn the_same_file_changed_meanwhile_is_for_a_person() {
    let story = Story::cloned_of(DIRECT);
    let yard = opened(&story);
    let mut change = Change::begin(&yard, "ignored").unwrap();
    change
        .write("models/vision/digits/README.md", "ours")
        .unwrap();
    story.somebody_pushes("models/vision/digits/README.md", "theirs");
    let error = waiting(propose::propose(change, "ours", SystemClock.now())).unwrap_err();
    assert_eq!(error.code().id, "changed-meanwhile");
    assert!(
        error.to_string().contains("models/vision/digits/README.md"),
        "{error}"
    );
    assert_eq!(
        story.git_in("upstream.git", "show main:models/vision/digits/README.md"),
        "theirs"
    );
}

#[test]
fn a_branch_that_somebody_else_pushed_meanwhile_is_not_overwritten() {
    let story = Story::cloned();
    let yard = opened(&story);
    let mut change = Change::begin(&yard, "publish/vision/digits/2.0.0").unwrap();
    change
        .write("models/vision/digits/README.md", "ours")
        .unwrap();
    story.somebody_pushes("models/vision/digits/NOTES.md", "theirs");
    story.git_in("other", "push -q origin main:publish/vision/digits/2.0.0");
    let committed = change.commit("ours", SystemClock.now()).unwrap();
    let theirs = tip(&story, "publish/vision/digits/2.0.0");
    let error = change.push(&committed).unwrap_err();
    assert!(matches!(error, YardError::Busy { .. }), "{error:?}");
    assert_eq!(tip(&story, "publish/vision/digits/2.0.0"), theirs);
}
