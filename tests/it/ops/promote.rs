//! `modelyard promote`.

use crate::yard::story::{MODEL, Story, version};

fn show(story: &Story, revision: &str, path: &str) -> String {
    story.git(&format!("show {revision}:{path}"))
}

const VERSION: &str = "models/vision/digits/versions/1.0.0.yaml";

#[test]
fn a_version_moves_and_gets_a_name_in_one_commit() {
    let story = Story::local();
    let done = story
        .modelyard("promote vision/digits:1.0.0 --to released --alias champion")
        .run()
        .success();
    let commit = story.git("rev-parse --short=12 promote/vision/digits/1.0.0");
    insta::assert_snapshot!(done.stdout.replace(&commit, "[commit]"), @r"
    vision/digits:1.0.0
      lifecycle  staged -> released
      champion   nothing -> 1.0.0

      proposed  branch promote/vision/digits/1.0.0, commit [commit]

    Once it is reviewed, merge it:
      git switch main
      git merge --no-ff --no-edit promote/vision/digits/1.0.0
    ");
    let diff = story.git("diff -U0 main promote/vision/digits/1.0.0");
    let lines: Vec<_> = diff
        .lines()
        .filter(|line| {
            line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---")
        })
        .collect();
    assert_eq!(
        lines,
        [
            "+  aliases:",
            "+    champion: 1.0.0",
            "-  lifecycle: staged   # moves by promotion",
            "+  lifecycle: released   # moves by promotion",
        ]
    );
    assert_eq!(
        story
            .git("log -1 --format=%B promote/vision/digits/1.0.0")
            .trim(),
        "vision/digits:1.0.0: promote to released, champion\n\n\
         lifecycle: staged -> released\nchampion: nothing -> 1.0.0"
    );
}

#[test]
fn machines_read_what_moved() {
    let story = Story::local();
    story.write(
        "models/vision/digits/model.yaml",
        &format!("{MODEL}  aliases:\n    champion: 0.9.0   # for now\n"),
    );
    story.git("commit -q -a -m champion");
    let mut done = story.json("promote vision/digits:1.0.0 --to released --alias champion");
    for hidden in ["commit", "base"] {
        assert_eq!(done[hidden].as_str().unwrap().len(), 40);
        done[hidden] = "…".into();
    }
    insta::assert_json_snapshot!(done, @r#"
    {
      "model": "vision/digits",
      "version": "1.0.0",
      "lifecycle": {
        "from": "staged",
        "to": "released"
      },
      "aliases": [
        {
          "alias": "champion",
          "from": "0.9.0",
          "to": "1.0.0"
        }
      ],
      "branch": "promote/vision/digits/1.0.0",
      "commit": "…",
      "base": "…",
      "unchanged": false,
      "onMain": false,
      "howToMerge": [
        "git switch main",
        "git merge --no-ff --no-edit promote/vision/digits/1.0.0"
      ]
    }
    "#);
    let model = show(
        &story,
        "promote/vision/digits/1.0.0",
        "models/vision/digits/model.yaml",
    );
    assert!(
        model.ends_with("    champion: 1.0.0   # for now"),
        "{model}"
    );
}

#[test]
fn an_illegal_move_is_refused_before_any_commit() {
    let story = Story::local();
    for (move_, help) in [
        (
            "vision/digits:1.0.0 --to recycled",
            "from staged it can go to released",
        ),
        (
            "vision/digits:0.9.0 --to staged",
            "from released it can go to deprecated",
        ),
    ] {
        story
            .modelyard(&format!("promote {move_}"))
            .run()
            .exits(2)
            .says("error[illegal-lifecycle-move]")
            .says(help);
    }
    // Two steps at once are none, on one branch neither.
    story.json("promote vision/digits:1.0.0 --to released");
    story
        .modelyard("promote vision/digits:1.0.0 --to deprecated")
        .run()
        .exits(2)
        .says("a version can't go from staged to deprecated");
    assert_eq!(
        story.git("rev-list --count main..promote/vision/digits/1.0.0"),
        "1"
    );
}

#[test]
fn an_alias_or_a_range_names_the_version_as_main_has_it() {
    let story = Story::local();
    let done = story.json("promote vision/digits --to deprecated");
    assert_eq!(
        (&done["version"], &done["lifecycle"]["to"]),
        (&"0.9.0".into(), &"deprecated".into())
    );
    story
        .modelyard("promote vision/digits:champion --to deprecated")
        .run()
        .exits(2)
        .says("error[no-such-alias]: vision/digits has no alias champion")
        .says("modelyard promote vision/digits:VERSION --alias ALIAS");
}

#[test]
fn nothing_asked_and_nothing_to_change_are_told() {
    let story = Story::local();
    story
        .modelyard("promote vision/digits:1.0.0")
        .run()
        .exits(2)
        .says("error[nothing-asked]")
        .says("modelyard promote vision/digits:1.0.0 --to released");
    story
        .modelyard("promote vision/digits:0.9.0 --to released")
        .run()
        .success()
        .prints("main has it already");
    assert_eq!(story.git("branch --list --format=%(refname:short)"), "main");
}

#[test]
fn a_version_that_is_only_proposed_is_merged_first() {
    let story = Story::local();
    story.git("switch -q -c publish/vision/digits/2.0.0");
    story.write(
        "models/vision/digits/versions/2.0.0.yaml",
        &version("2.0.0", "staged"),
    );
    story.git("add -A");
    story.git("commit -q -m publish");
    story.git("switch -q main");
    story
        .modelyard("promote vision/digits:2.0.0 --to released")
        .run()
        .exits(2)
        .says("error[not-merged]: vision/digits:2.0.0 is not merged yet")
        .says("git merge --no-ff --no-edit publish/vision/digits/2.0.0");
    story
        .modelyard("promote vision/digits:3.0.0 --to released")
        .run()
        .exits(2)
        .says("error[no-such-version]: vision/digits has no version 3.0.0")
        .says("there is 1.0.0 (staged), 0.9.0 (released)");
}

#[test]
fn what_a_check_would_refuse_is_told_at_once() {
    let story = Story::of("  releases: {require: [inputs, metrics, license]}\n");
    let promote = "promote vision/digits:1.0.0 --to released";
    let said = story
        .modelyard(promote)
        .run()
        .exits(2)
        .says("error[release-incomplete]")
        .says("metrics")
        .says(VERSION)
        .says("nothing was written");
    // 0.9.0 lacks them on main, too: that is not this change's doing.
    assert!(!said.stderr.contains("0.9.0.yaml"), "{}", said.stderr);
    assert_eq!(story.git("branch --list --format=%(refname:short)"), "main");
    let said = story
        .modelyard(&format!("{promote} -o json"))
        .run()
        .exits(2);
    let json: serde_json::Value = serde_json::from_str(&said.stderr).unwrap();
    assert_eq!(
        json["error"]["diagnostics"][0]["code"],
        "release-incomplete"
    );
    // What does not touch it goes on.
    story.json("set vision/digits title=Numbers");
}

#[test]
fn a_version_that_is_deployed_is_not_retired() {
    let story = Story::local();
    story.write(
        "environments/lab.yaml",
        "apiVersion: modelyard.dev/v1\nkind: Environment\nmetadata: {name: lab}\nspec:\n  target: {type: process}\n",
    );
    story.write(
        "deployments/lab/digits.yaml",
        "apiVersion: modelyard.dev/v1\nkind: Deployment\nmetadata: {name: digits, environment: lab}\n\
         spec: {model: vision/digits, version: 0.9.0}\n",
    );
    story.write(
        "models/vision/digits/versions/0.9.0.yaml",
        &version("0.9.0", "deprecated"),
    );
    story.git("add -A");
    story.git("commit -q -m deployed");
    story
        .modelyard("promote vision/digits:0.9.0 --to retired")
        .run()
        .exits(2)
        .says("error[version-in-use]")
        .says("deployments/lab/digits.yaml");
}

#[test]
fn a_record_that_is_broken_is_told_with_its_place() {
    let story = Story::local();
    story.write(VERSION, "spec:\n  lifecycle: [\n");
    story.git("commit -q -a -m broken");
    story
        .modelyard("promote vision/digits:1.0.0 --to released")
        .run()
        .exits(2)
        .says("models/vision/digits/versions/1.0.0.yaml:")
        .says("modelyard check");
}

#[test]
fn help_has_examples() {
    let story = Story::local();
    for command in ["promote", "set"] {
        let help = story
            .modelyard(&format!("{command} --help"))
            .run()
            .success();
        assert!(
            help.stdout.contains("Examples:\n  modelyard"),
            "{}",
            help.stdout
        );
    }
}
