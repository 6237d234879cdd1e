//! A check of what a change affects, and the index that it goes by.

use std::fs;
use std::path::PathBuf;

use crate::yard::story::{Story, version};

const FACTORY: &str = "apiVersion: modelyard.dev/v1\nkind: Environment\n\
                       metadata: {name: factory}\nspec: {target: {type: process}}\n";

/// A deployment of `vision/digits` at `version`.
fn deployment(name: &str, version: &str) -> String {
    format!(
        "apiVersion: modelyard.dev/v1\nkind: Deployment\n\
         metadata: {{name: {name}, environment: factory}}\n\
         spec: {{model: vision/digits, version: {version}}}\n"
    )
}

/// A yard in which `old` uses 0.9.0, and `odd` what is not there.
fn story() -> Story {
    let story = Story::local();
    story.write("environments/factory.yaml", FACTORY);
    story.write("deployments/factory/old.yaml", &deployment("old", "0.9.0"));
    story.write("deployments/factory/odd.yaml", &deployment("odd", "9.0.0"));
    story.git("add -A");
    story.git("commit -q -m serve");
    story
}

/// The indexes that are kept.
fn kept(story: &Story) -> Vec<PathBuf> {
    let folder = story.sandbox.home().join(".cache/modelyard/referrers");
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn who_names_what_changed_is_checked_again() {
    let story = story();
    let path = "models/vision/digits/versions/0.9.0.yaml";
    story.write(path, &version("0.9.0", "deprecated"));
    let outcome = story.modelyard("check --base HEAD").run().exits(1);
    // The version, its model, the deployment that uses it, and the one that finds none.
    outcome.prints("4 records affected by the change: 1 error");
    let path = "models/vision/digits/versions/1.0.0.yaml";
    story.git("checkout -q .");
    story.write("deployments/factory/odd.yaml", &deployment("odd", "0.9.0"));
    story.git("commit -q -a -m mend");
    story.write(path, &version("1.0.0", "released"));
    // Nobody uses this one.
    let outcome = story.modelyard("check --base HEAD").run().success();
    outcome.prints("2 records affected by the change: all is well");
}

#[test]
fn only_what_a_change_affects_is_checked_unless_all_is_asked_for() {
    let story = story();
    story.write(
        "environments/other.yaml",
        &FACTORY.replace("name: factory", "name: other"),
    );
    let outcome = story.modelyard("check --base HEAD").run().success();
    outcome.prints("1 record affected by the change: all is well");
    let json = story.json("check --base HEAD");
    assert_eq!(
        (&json["scope"], &json["records"]),
        (&"change".into(), &1.into())
    );
    let all = story.modelyard("check --base HEAD --all").run().exits(1);
    all.prints("error[unknown-version]")
        .prints("8 records: 1 error");
    story
        .modelyard("check")
        .run()
        .exits(1)
        .prints("8 records: 1 error");
    story.modelyard("check --all").run().exits(2).says("--base");
    // What is removed is told where it is missed.
    fs::remove_file(
        story
            .folder()
            .join("models/vision/digits/versions/0.9.0.yaml"),
    )
    .unwrap();
    let outcome = story.modelyard("check --base HEAD").run().exits(1);
    outcome
        .prints("error[version-deleted]")
        .prints("deployments/factory/old.yaml");
}

#[test]
fn the_index_costs_time_only() {
    let story = story();
    let check = || {
        let run = story
            .modelyard("check --at HEAD --base HEAD~1 -o json")
            .run();
        run.exits(1).json()["diagnostics"].clone()
    };
    let told = check();
    let first = kept(&story);
    assert_eq!(first.len(), 1);
    let good = fs::read_to_string(&first[0]).unwrap();
    for bad in [
        "",
        "other",
        &good.replace('1', "2"),
        &format!("{good}more\tlines\n"),
    ] {
        fs::write(&first[0], bad).unwrap();
        assert_eq!(check(), told);
        assert_eq!(fs::read_to_string(&first[0]).unwrap(), good);
    }
    // Nothing can be kept where a file is in the way.
    let folder = first[0].parent().unwrap();
    fs::remove_dir_all(folder).unwrap();
    fs::write(folder, "").unwrap();
    assert_eq!(check(), told);
}

#[test]
fn an_index_is_brought_forward_and_few_are_kept() {
    let story = story();
    let mut last = String::new();
    for number in 0..12 {
        let path = format!("deployments/factory/d{number}.yaml");
        story.write(&path, &deployment(&format!("d{number}"), "0.9.0"));
        story.git("add -A");
        story.git("commit -q -m more");
        story
            .modelyard("check --at HEAD --base HEAD")
            .run()
            .success();
        let tree = story.git("rev-parse HEAD^{tree}");
        let place = kept(&story)
            .into_iter()
            .find(|place| place.ends_with(&tree));
        last = fs::read_to_string(place.unwrap()).unwrap();
        assert_eq!(last.matches("/factory/d").count(), number + 1, "{last}");
    }
    assert_eq!(kept(&story).len(), 8);
    // The same as if it were made anew.
    kept(&story)
        .iter()
        .for_each(|place| fs::remove_file(place).unwrap());
    story
        .modelyard("check --at HEAD --base HEAD")
        .run()
        .success();
    assert_eq!(fs::read_to_string(&kept(&story)[0]).unwrap(), last);
}
