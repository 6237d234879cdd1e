//! What differs between two moments of a yard: found without reading what is the same.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;

use modelyard::check::Files;
use modelyard::ops::files;
use modelyard::yard::{Revision, Snapshot, Yard};

use super::story::{MODEL, Story, make_executable, version};

const V1: &str = "models/vision/digits/versions/1.0.0.yaml";

fn snapshot(story: &Story, revision: &Revision) -> Snapshot {
    Yard::discover(&story.folder())
        .unwrap()
        .snapshot(revision)
        .unwrap()
}

fn commit(name: &str) -> Revision {
    Revision::Commit(name.to_owned())
}

/// What differs, by reading everything.
fn by_reading(head: &Files, base: &Files) -> BTreeSet<String> {
    let paths = head.iter().chain(base.iter()).map(|(path, _)| path);
    let differing = paths.filter(|path| head.get(path) != base.get(path));
    differing.map(str::to_owned).collect()
}

/// Whether all that differs is found, and how much is.
#[track_caller]
fn assert_found(story: &Story, head: &Revision, base: &Revision) -> BTreeSet<String> {
    let (head, base) = (snapshot(story, head), snapshot(story, base));
    let found = head.differing(&base).unwrap();
    let differing = by_reading(&files(&head).unwrap(), &files(&base).unwrap());
    assert!(
        found.is_superset(&differing),
        "{found:?} lacks some of {differing:?}"
    );
    found
}

/// Changes everything that can be changed, and some that counts for nothing.
fn change_much(story: &Story) {
    story.write(V1, &version("1.0.0", "released"));
    story.write(
        "models/vision/digits/versions/1.1.0.yaml",
        &version("1.1.0", "staged"),
    );
    story.write(
        "models/text/words/model.yaml",
        &MODEL.replace("digits", "words"),
    );
    story.write("models/.hidden/model.yaml", MODEL);
    story.write("README.md", "no record");
    story.write("ignored/models/x/y/model.yaml", MODEL);
    let models = story.folder().join("models/vision/digits");
    fs::remove_file(models.join("versions/0.9.0.yaml")).unwrap();
    fs::remove_file(models.join("model.yaml")).unwrap();
    symlink("../../../modelyard.yaml", models.join("model.yaml")).unwrap();
    make_executable(&story.folder().join("modelyard.yaml"));
}

const CHANGED: [&str; 5] = [
    "models/text/words/model.yaml",
    "models/vision/digits/model.yaml",
    "models/vision/digits/versions/0.9.0.yaml",
    V1,
    "models/vision/digits/versions/1.1.0.yaml",
];

#[test]
fn between_two_commits() {
    let story = Story::local();
    assert!(assert_found(&story, &commit("HEAD"), &commit("HEAD")).is_empty());
    change_much(&story);
    story.git("add -A");
    story.git("commit -q -m much");
    for (head, base) in [("HEAD", "HEAD~1"), ("HEAD~1", "HEAD")] {
        let found = assert_found(&story, &commit(head), &commit(base));
        let other = |path: &&String| !CHANGED.contains(&path.as_str());
        // The mode of a file may have changed alone.
        assert_eq!(found.iter().find(other).unwrap(), "modelyard.yaml");
        assert_eq!(found.len(), CHANGED.len() + 1);
    }
    // A file becomes a folder, and a folder a file.
    fs::remove_file(story.folder().join(V1)).unwrap();
    fs::remove_dir_all(story.folder().join("models/text")).unwrap();
    story.write(&format!("{V1}/note.txt"), "");
    story.write("models/text", "");
    story.git("add -A");
    story.git("commit -q -m folders");
    let found = assert_found(&story, &commit("HEAD"), &commit("HEAD~1"));
    let wanted = [
        "models/text",
        "models/text/words/model.yaml",
        V1,
        &format!("{V1}/note.txt"),
    ];
    assert_eq!(found, wanted.map(str::to_owned).into());
}

#[test]
fn between_the_work_tree_and_a_commit() {
    let story = Story::local();
    assert!(assert_found(&story, &Revision::WorkTree, &commit("HEAD")).is_empty());
    story.write(".gitignore", "words\n*.tmp.yaml\n");
    change_much(&story);
    story.write("environments/mine.tmp.yaml", "kind: Environment\n");
    // A repository of its own, which git does not look into.
    story.write("policies/apart/mine.yaml", "kind: Policy\n");
    story.git_in("yard/policies/apart", "init -q .");
    let found = assert_found(&story, &Revision::WorkTree, &commit("HEAD"));
    assert!(!found.contains("README.md") && !found.contains("models/.hidden/model.yaml"));
    // What is staged or committed since counts like what is not.
    story.git("add models");
    assert_eq!(
        assert_found(&story, &Revision::WorkTree, &commit("HEAD")),
        found
    );
    story.git("commit -q -m some");
    assert_eq!(
        assert_found(&story, &Revision::WorkTree, &commit("HEAD~1")),
        found
    );
    assert_found(&story, &Revision::WorkTree, &commit("HEAD"));
}

#[test]
fn with_a_change_on_top() {
    let story = Story::local();
    let base = snapshot(&story, &commit("HEAD"));
    let with = |path: &str, content: Option<&str>| {
        let content = content.map(|text| text.as_bytes().to_vec().into());
        base.with([(path.to_owned(), content)].into())
    };
    for head in [
        with(V1, None),
        with(V1, Some("other")),
        with("policies/new.yaml", Some("")),
    ] {
        let found = head.differing(&base).unwrap();
        assert_eq!(
            found,
            by_reading(&files(&head).unwrap(), &files(&base).unwrap())
        );
        assert_eq!(found.len(), 1);
        assert_eq!(head.tree(), None);
    }
}
