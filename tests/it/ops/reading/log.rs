//! `modelyard log`.

use serde_json::json;

use super::story::{Story, digest};

/// A version is retired by a pull request on GitHub and another is published by one that was
/// squashed, then the model is described by a merge request on GitLab, and its card by a branch
/// that somebody merged by hand.
fn past() -> Story {
    let story = Story::begin();
    story.git(&["switch", "--quiet", "--create", "promote"]);
    story.version("1.0.0", "retired", 0.9, &digest('1'));
    story.commit(
        "vision/digits:1.0.0: promote to retired\n\nNobody uses it.\n\n\
         Reviewed-by: Vera <vera@example.com>",
    );
    merge(
        &story,
        "promote",
        "Merge pull request #12 from acme/promote",
    );
    story.version("1.2.0", "staged", 0.96, &digest('4'));
    story.commit("Publish vision/digits 1.2.0 (#13)");
    story.git(&["switch", "--quiet", "--create", "describe"]);
    let model = story.sandbox.read("models/vision/digits/model.yaml");
    story.write(
        "models/vision/digits/model.yaml",
        &model.replace("gray image", "grey image"),
    );
    story.commit("Spell it as we do");
    merge(
        &story,
        "describe",
        "Merge branch 'describe' into 'main'\n\nSee merge request acme/yard!7",
    );
    story.git(&["switch", "--quiet", "--create", "card"]);
    story.write("models/vision/digits/README.md", "# Digits\n");
    story.commit("Shorten the card");
    story.write("models/text/topics/README.md", "# Topics\n");
    story.commit("Another model's card");
    merge(&story, "card", "Merge branch 'card'");
    story
}

/// Merges `branch` into main a day later, as somebody else.
fn merge(story: &Story, branch: &str, message: &str) {
    story.git(&["switch", "--quiet", "main"]);
    let date = "2026-03-02T08:00:00Z";
    let merge = ["merge", "--quiet", "--no-ff", "--message", message, branch];
    let merge = story.sandbox.git(merge).env("GIT_AUTHOR_DATE", date);
    let merge = merge.env("GIT_COMMITTER_DATE", date);
    let merge = merge.env("GIT_AUTHOR_NAME", "Vera");
    merge
        .env("GIT_AUTHOR_EMAIL", "vera@example.com")
        .run()
        .success();
}

/// `text` with a word for each commit's id, which is another one with another git.
fn without_ids(text: &str) -> String {
    let is_id = |word: &str| word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let lines = text.lines().map(|line| {
        let words: Vec<_> = line.split(' ').collect();
        let words = words
            .iter()
            .map(|word| if is_id(word) { "[id]" } else { word });
        words.collect::<Vec<_>>().join(" ") + "\n"
    });
    lines.collect()
}

#[test]
fn who_when_why_and_by_which_pull_request() {
    let story = past();
    let told = story.run(&["log", "vision/digits:1.0.0"]).success();
    insta::assert_snapshot!(without_ids(&told.stdout), @r#"
    [id]  2026-03-01 10:00 UTC  Yard Test <test@example.com>  #12
      merged by Vera <vera@example.com>, 2026-03-02 08:00 UTC, as [id]

        vision/digits:1.0.0: promote to retired

        Nobody uses it.

        Reviewed-by: Vera <vera@example.com>

    [id]  2026-03-01 10:00 UTC  Yard Test <test@example.com>

        begin
    "#);
}

#[test]
fn forges_merges_and_plain_ones_are_told() {
    let story = past();
    let log = ["log", "vision/digits", "--output", "json"];
    let told = story.run(&log).success().json();
    assert_eq!(told["of"], "vision/digits");
    let events = told["events"].as_array().unwrap();
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            json!([
                event["title"],
                event["request"],
                event["merge"]["by"]["name"]
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["Shorten the card", null, "Vera"]),
            json!(["Spell it as we do", "!7", "Vera"]),
            json!(["Publish vision/digits 1.2.0 (#13)", "#13", null]),
            json!(["vision/digits:1.0.0: promote to retired", "#12", "Vera"]),
            json!(["begin", null, null]),
        ]
    );
    let names = story.run(&["log", "vision/digits", "-o", "name"]).success();
    let commits: Vec<_> = events
        .iter()
        .map(|event| event["commit"].as_str())
        .collect();
    assert_eq!(names.stdout.lines().map(Some).collect::<Vec<_>>(), commits);
}

#[test]
fn the_past_is_told_as_of_a_revision_and_up_to_a_limit() {
    let story = past();
    let of = |more: &[&str]| {
        let mut all = vec!["log", "vision/digits"];
        all.extend(more);
        story.run(&all).success()
    };
    let told = of(&["--at", "promote"]);
    assert_eq!(
        told.stdout.matches("@example.com>").count(),
        3,
        "{}",
        told.report()
    );
    assert!(!told.stdout.contains("1.2.0"), "{}", told.report());
    assert_eq!(told.stderr, "");

    let told = of(&["--limit", "1"]);
    assert!(
        told.stdout.contains("Shorten the card"),
        "{}",
        told.report()
    );
    assert!(!told.stdout.contains("Spell"), "{}", told.report());
    told.says("there is more before: `--limit` says how much is told");
    assert_eq!(of(&["--limit", "5"]).stderr, "", "these are all");
}

#[test]
fn a_name_that_was_changed_does_not_cut_the_past() {
    let story = past();
    story.git(&["switch", "--quiet", "--create", "rename"]);
    story.git(&["mv", "models/vision/digits", "models/vision/numbers"]);
    for path in ["model.yaml", "versions/1.0.0.yaml", "versions/1.1.0.yaml"] {
        let path = format!("models/vision/numbers/{path}");
        let record = story.sandbox.read(&path);
        story.write(&path, &record.replace("name: digits", "name: numbers"));
    }
    story.commit("Call it numbers");
    merge(&story, "rename", "Merge pull request #20 from acme/rename");

    for (of, titles) in [
        ("vision/numbers", 6),
        ("vision/numbers:1.0.0", 3),
        ("vision/digits", 6),
    ] {
        let told = story.run(&["log", of, "-o", "json"]).success().json();
        let events = told["events"].as_array().unwrap();
        assert_eq!(events.len(), titles, "{of}: {told:#}");
        assert_eq!(events[0]["title"], "Call it numbers");
        assert_eq!(events[0]["request"], "#20");
        assert_eq!(events[titles - 1]["title"], "begin");
        let old = match of {
            "vision/numbers" => json!("models/vision/digits"),
            "vision/digits" => json!(null),
            _ => json!("models/vision/digits/versions/1.0.0.yaml"),
        };
        assert_eq!(events[0]["renamedFrom"], old, "{of}");
    }
    story
        .run(&["log", "vision/numbers"])
        .success()
        .prints("  renamed from models/vision/digits\n");
}

#[test]
fn a_shallow_clone_says_where_its_past_ends() {
    let story = past();
    let url = format!("file://{}", story.sandbox.path("").display());
    let clone = ["clone", "--quiet", "--depth", "4", &url, "shallow"];
    story.git(&clone);
    let log = |of: &str| {
        let log = story.sandbox.modelyard(["log", of]).in_folder("shallow");
        log.run().success()
    };
    // Of the last commit that it has nobody can say what it changed.
    let told = log("vision/digits");
    assert!(
        told.stdout.contains("Spell it as we do"),
        "{}",
        told.report()
    );
    assert!(!told.stdout.contains("begin"), "{}", told.report());
    told.says("`git fetch --unshallow` brings what may have been before");
    let told = log("vision/digits:1.1.0");
    assert_eq!(told.stdout, "", "nothing changed it in these commits");
    told.says("`git fetch --unshallow` brings what may have been before");
}

#[test]
fn a_partial_clone_tells_what_it_can_and_never_something_else() {
    let story = past();
    story.git(&["mv", "models/text/topics", "models/text/subjects"]);
    story.commit("Call it subjects");
    story.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", story.sandbox.path("").display());
    for filter in ["blob:none", "tree:0"] {
        let folder = filter.replace(':', "-");
        story.git(&["clone", "--quiet", "--filter", filter, &url, &folder]);
    }
    let log = |folder: &str| {
        let log = story.sandbox.modelyard(["log", "text/subjects"]);
        log.in_folder(folder).run()
    };
    let whole = story.run(&["log", "text/subjects"]).success();
    assert!(whole.stdout.contains("renamed from"), "{}", whole.report());
    assert!(whole.stdout.contains("begin"), "{}", whole.report());
    assert_eq!(log("blob-none").success().stdout, whole.stdout);
    log("tree-0")
        .exits(2)
        .says("error[object-missing]")
        .says("git fetch --refetch --no-filter");
}

#[test]
fn what_was_removed_has_a_past_and_what_never_was_has_none() {
    let story = past();
    story.git(&["rm", "--quiet", "-r", "models/text/topics"]);
    story.commit("Remove topics");
    story
        .run(&["log", "text/topics"])
        .success()
        .prints("Remove topics");
    for (of, error) in [
        ("text/nothing", "error[no-such-model]"),
        ("vision/digits:7.0.0", "error[no-such-version]"),
        ("vision/digits:nobody", "error[no-such-alias]"),
    ] {
        story.run(&["log", of]).exits(2).says(error);
    }
    story
        .run(&["log", "vision/digits", "--at", "no-such-branch"])
        .exits(2)
        .says("error[unknown-revision]");
    story
        .run(&["log", "vision/digits", "--limit", "0"])
        .exits(2);
    story.version("9.0.0", "staged", 0.9, &digest('9'));
    let told = story.run(&["log", "vision/digits:9.0.0"]).success();
    told.says("vision/digits:9.0.0 is in no commit yet");
}

#[test]
fn a_broken_record_has_a_past_as_well() {
    let story = past();
    story.write("models/vision/digits/versions/1.0.0.yaml", "spec: [\n");
    story.commit("Break it");
    story
        .run(&["log", "vision/digits:1.0.0"])
        .success()
        .prints("Break it");
}
