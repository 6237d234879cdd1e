//! The end of a version's life: `modelyard deprecate`, `retire`, `recycle`, `restore`, `delete`.

use crate::yard::story::{Story, version};

/// Has the version go through the word, and merges it.
fn goes(story: &Story, word: &str) {
    story.json(&format!("{word} vision/digits:0.9.0"));
    story.git(&format!("merge -q --no-edit {word}/vision/digits/0.9.0"));
}

fn lifecycle(story: &Story) -> String {
    let shown = story.json("show vision/digits:0.9.0");
    shown["record"]["spec"]["lifecycle"]
        .as_str()
        .unwrap_or_else(|| panic!("{shown:#}"))
        .to_owned()
}

#[test]
fn each_word_is_a_step_and_each_step_a_change_of_one_line() {
    let story = Story::local();
    let mut told = Vec::new();
    for word in ["deprecate", "retire", "recycle", "restore"] {
        let done = story.json(&format!("{word} vision/digits:0.9.0"));
        let (moved, branch) = (&done["lifecycle"], done["branch"].as_str().unwrap());
        assert_eq!(branch, format!("{word}/vision/digits/0.9.0"));
        let title = story.git(&format!("log -1 --format=%s {branch}"));
        let changed = story.git(&format!("diff --shortstat main {branch}"));
        told.push(format!(
            "{title}: {} -> {};{changed}",
            moved["from"], moved["to"]
        ));
        story.git(&format!("merge -q --no-edit {branch}"));
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    vision/digits:0.9.0: deprecate: "released" -> "deprecated"; 1 file changed, 1 insertion(+), 1 deletion(-)
    vision/digits:0.9.0: retire: "deprecated" -> "retired"; 1 file changed, 1 insertion(+), 1 deletion(-)
    vision/digits:0.9.0: recycle: "retired" -> "recycled"; 1 file changed, 1 insertion(+), 1 deletion(-)
    vision/digits:0.9.0: restore: "recycled" -> "retired"; 1 file changed, 1 insertion(+), 1 deletion(-)
    "#);
    assert_eq!(lifecycle(&story), "retired");
}

#[test]
fn a_word_is_for_its_own_stage_and_nothing_is_written_otherwise() {
    let story = Story::local();
    let mut told = Vec::new();
    for word in ["retire", "recycle", "restore", "delete"] {
        let words = format!("{word} vision/digits:0.9.0");
        let failed = story.modelyard(&words).run().exits(2);
        told.push(failed.stderr);
    }
    insta::assert_snapshot!(told.concat(), @r#"
    error[illegal-lifecycle-move]: vision/digits:0.9.0 is released, and `retire` is for what is deprecated
      help: from released it can go on by `modelyard promote vision/digits:0.9.0 --to deprecated`
      more: modelyard explain illegal-lifecycle-move
    error[illegal-lifecycle-move]: vision/digits:0.9.0 is released, and `recycle` is for what is retired
      help: from released it can go on by `modelyard promote vision/digits:0.9.0 --to deprecated`
      more: modelyard explain illegal-lifecycle-move
    error[illegal-lifecycle-move]: vision/digits:0.9.0 is released, and `restore` is for what is recycled
      help: from released it can go on by `modelyard promote vision/digits:0.9.0 --to deprecated`
      more: modelyard explain illegal-lifecycle-move
    error[not-recycled]: vision/digits:0.9.0 is released, and only what is recycled can be deleted
      help: its life ends in steps; the next is `modelyard deprecate vision/digits:0.9.0`
      more: modelyard explain not-recycled
    "#);
    let again = story.json("deprecate vision/digits:0.9.0");
    assert_eq!(again["lifecycle"]["to"], "deprecated");
    goes(&story, "deprecate");
    let there = story.json("deprecate vision/digits:0.9.0");
    assert_eq!(
        (&there["unchanged"], &there["onMain"]),
        (&true.into(), &true.into())
    );
    let branches = story.git("for-each-ref --format=%(refname:short) refs/heads");
    assert_eq!(branches, "deprecate/vision/digits/0.9.0\nmain");
}

#[test]
fn what_is_in_use_is_not_retired() {
    let story = Story::local();
    goes(&story, "deprecate");
    story.write("environments/host.yaml", crate::reconcile::ENVIRONMENT);
    let deployment = crate::reconcile::deployment("digits", "0.9.0");
    story.write("deployments/host/digits.yaml", &deployment);
    story.git("add -A");
    story.git("commit -q -m host");
    story
        .modelyard("retire vision/digits:0.9.0")
        .run()
        .exits(2)
        .says("error[version-in-use]");
}

/// A yard in which 0.9.0 is retired since long, and recycled since this time.
fn recycled(since: &str) -> Story {
    let story = Story::of("  retention: {recycled: 30d}\n");
    let path = "models/vision/digits/versions/0.9.0.yaml";
    story.write(path, &version("0.9.0", "recycled"));
    story.git("add -A");
    story
        .sandbox
        .git(["commit", "-q", "-m", "bin"])
        .env("GIT_AUTHOR_DATE", since)
        .env("GIT_COMMITTER_DATE", since)
        .in_folder("yard")
        .run()
        .success();
    story
}

#[test]
fn what_was_recycled_long_ago_is_deleted_and_what_was_not_is_kept() {
    let story = recycled("2020-01-01T00:00:00Z");
    // What changes of it later does not begin its retention anew.
    let path = "models/vision/digits/versions/0.9.0.yaml";
    let noted = version("0.9.0", "recycled") + "  notes: gone\n";
    story.write(path, &noted);
    story.git("commit -q -a -m note");
    let done = story.json("delete vision/digits:0.9.0");
    assert_eq!(done["recycledAt"], "2020-01-01T00:00:00Z");
    let changed = story.git("diff --name-status main delete/vision/digits/0.9.0");
    assert_eq!(changed, format!("D\t{path}"));
    story.git("merge -q --no-edit delete/vision/digits/0.9.0");
    story.json("check --base HEAD~1");

    let story = Story::of("  retention: {recycled: 30d}\n");
    for word in ["deprecate", "retire", "recycle"] {
        goes(&story, word);
    }
    story
        .modelyard("delete vision/digits:0.9.0")
        .run()
        .exits(2)
        .says("error[retention-not-over]")
        .says("and is kept for 30d");
    assert_eq!(lifecycle(&story), "recycled");
}

#[test]
fn what_was_restored_in_between_is_kept_anew() {
    let story = recycled("2020-01-01T00:00:00Z");
    goes(&story, "restore");
    goes(&story, "recycle");
    story
        .modelyard("delete vision/digits:0.9.0")
        .run()
        .exits(2)
        .says("error[retention-not-over]");
}
