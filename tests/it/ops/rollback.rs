//! `modelyard rollback`: the line that chose a version is set back to what main chose before.

use super::deploy::{lines, story};
use crate::reconcile::deployment;
use crate::yard::story::Story;

/// Deploys a version, and merges that.
fn deploys(story: &Story, version: &str) {
    story.json(&format!("deploy vision/digits:{version} --to host"));
    story.git("merge -q --no-edit deploy/host/digits");
    story.git("branch -q -D deploy/host/digits");
}

/// Gives a version a name, and merges that.
fn names(story: &Story, version: &str, alias: &str) {
    story.json(&format!("promote vision/digits:{version} --alias {alias}"));
    let branch = format!("promote/vision/digits/{version}");
    story.git(&format!("merge -q --no-edit {branch}"));
    story.git(&format!("branch -q -D {branch}"));
}

#[test]
fn a_version_in_the_record_is_set_back() {
    let story = story(true);
    deploys(&story, "1.0.0");
    // Something else of the deployment changes, and is no version to go back to.
    story.json("suspend digits --environment host");
    story.git("merge -q --no-edit suspend/host/digits");
    let done = story.json("rollback digits --environment host");
    assert_eq!(done["branch"], "rollback/host/digits");
    assert_eq!(done["lines"][0]["back"]["version"], "0.9.0");
    insta::assert_snapshot!(lines(&story, "rollback/host/digits"), @r#"
    -  version: 1.0.0   # what serves
    +  version: 0.9.0   # what serves
    "#);
    insta::assert_snapshot!(story.git("log -1 --format=%B rollback/host/digits"), @r#"
    host/digits: roll back to vision/digits 0.9.0

    deployments/host/digits.yaml: version (1.0.0): 1.0.0 -> 0.9.0
    "#);
    let again = story.json("rollback digits --environment host");
    assert_eq!(
        (&again["unchanged"], &again["commit"]),
        (&true.into(), &done["commit"])
    );
}

#[test]
fn an_alias_is_set_back_and_where_others_use_it_this_deployment_is_pinned() {
    let story = story(true);
    names(&story, "0.9.0", "champion");
    deploys(&story, "champion");
    names(&story, "1.0.0", "champion");
    story.json("rollback digits --environment host");
    insta::assert_snapshot!(lines(&story, "rollback/host/digits"), @r#"
    -    champion: 1.0.0
    +    champion: 0.9.0
    "#);
    story.git("branch -q -D rollback/host/digits");

    story.write(
        "deployments/host/other.yaml",
        &deployment("other", "champion"),
    );
    story.git("add -A");
    story.git("commit -q -m other");
    story.json("rollback digits --environment host");
    insta::assert_snapshot!(lines(&story, "rollback/host/digits"), @r#"
    -  version: champion   # what serves
    +  version: 0.9.0   # what serves
    "#);
}

#[test]
fn a_version_is_named_or_there_has_to_be_one_before() {
    let story = story(true);
    let mut told = Vec::new();
    for words in [
        "rollback digits --environment host",
        "rollback digits --environment host --to 0.9.0",
        "rollback digits --environment host --to 7.0.0",
        "rollback moon --environment host",
    ] {
        told.push(story.modelyard(words).run().exits(2).stderr);
    }
    insta::assert_snapshot!(told.concat(), @r#"
    error[nothing-to-roll-back]: main chose nothing else for host/digits before that could serve
      help: name a version by `--to`
      more: modelyard explain nothing-to-roll-back
    error[nothing-to-roll-back]: host/digits is 0.9.0 already
      help: name another version by `--to`
      more: modelyard explain nothing-to-roll-back
    error[no-such-version]: vision/digits has no version 7.0.0
      help: there is 1.0.0 (staged), 0.9.0 (released)
      more: modelyard explain no-such-version
    error[no-such-record]: there is no deployments/host/moon.yaml
      help: `git log -- PATH` tells when it was removed, and by whom
      more: modelyard explain no-such-record
    "#);
    story.json("rollback digits --environment host --to 1.0.0");
    insta::assert_snapshot!(lines(&story, "rollback/host/digits"), @r#"
    -  version: 0.9.0   # what serves
    +  version: 1.0.0   # what serves
    "#);
}

#[test]
fn what_can_no_longer_serve_is_passed_over() {
    let story = story(true);
    deploys(&story, "1.0.0");
    for word in ["deprecate", "retire"] {
        story.json(&format!("{word} vision/digits:0.9.0"));
        story.git(&format!("merge -q --no-edit {word}/vision/digits/0.9.0"));
    }
    story
        .modelyard("rollback digits --environment host")
        .run()
        .exits(2)
        .says("error[nothing-to-roll-back]");
}
