//! Any acts by any number of clones, at once: none is lost, and main always checks clean.
//!
//! Several clones of one remote do what comes into their heads directly on main, each round all at
//! the same time, as processes of their own. An act is done or refused. What was done stands in
//! main's history, and changed nothing but what it was meant to.

use std::process::{Child, Stdio};

use jiff::Timestamp;
use modelyard::ops::{propose, refuse_errors};
use modelyard::yard::Yard;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use crate::harness::Sandbox;
use crate::yard::story::{DIRECT, Story, version};

/// How many clones there are.
const CLONES: usize = 3;

/// What somebody does, and what that may change: a file, and which fields of it begin so.
#[derive(Debug, Clone)]
struct Act {
    words: String,
    changes: Vec<(String, &'static str)>,
}

const MODEL: &str = "models/vision/digits/model.yaml";

fn version_file(version: &str) -> String {
    format!("models/vision/digits/versions/{version}.yaml")
}

fn deployment_file(deployment: &str) -> String {
    format!("deployments/factory/{deployment}.yaml")
}

/// An act on a version's life.
fn life() -> impl Strategy<Value = Act> {
    let words = select(vec![
        "promote --to released",
        "promote --to released",
        "promote --alias champion",
        "promote --to released --alias champion",
        "deprecate",
        "retire",
        "recycle",
        "restore",
        "delete",
        "set notes=Dry.",
        "set notes=Wet.",
        "set links+={title: Log, url: https://a.example}",
    ]);
    (words, select(vec!["0.9.0", "1.0.0", "1.1.0"])).prop_map(|(words, version)| {
        let (verb, more) = words.split_once(' ').unwrap_or((words, ""));
        let file = version_file(version);
        let mut changes = match verb {
            "set" if more.starts_with("notes") => vec![(file, "/spec/notes")],
            "set" => vec![(file, "/spec/links")],
            "delete" => vec![(file, "")],
            _ => vec![(file, "/spec/lifecycle")],
        };
        if more.contains("--alias") {
            changes.push((MODEL.to_owned(), "/spec/aliases"));
        }
        let words = format!(
            "{verb}\tvision/digits:{version}\t{}",
            more.replace(" --", "\t--")
        );
        let words = words
            .replace("--to ", "--to\t")
            .replace("--alias ", "--alias\t");
        Act { words, changes }
    })
}

/// An act on a deployment.
fn deployed() -> impl Strategy<Value = Act> {
    let verbs = select(vec![
        "deploy", "deploy", "deploy", "undeploy", "restart", "suspend", "resume", "rollback",
    ]);
    let versions = select(vec!["0.9.0", "1.0.0", "1.1.0", "champion", "^1"]);
    (verbs, versions, select(vec!["one", "two"])).prop_map(|(verb, version, name)| {
        let file = deployment_file(name);
        let on = format!("{verb}\t{name}\t--environment\tfactory");
        let (words, changes) = match verb {
            "deploy" => {
                let words =
                    format!("deploy\tvision/digits:{version}\t--to\tfactory\t--deployment\t{name}");
                (words, vec![(file, "")])
            }
            "undeploy" => (on, vec![(file, "")]),
            "restart" => (on, vec![(file, "/spec/restart")]),
            "rollback" => {
                let model = (MODEL.to_owned(), "/spec/aliases");
                (on, vec![(file, "/spec/version"), model])
            }
            _ => (on, vec![(file, "/spec/suspend")]),
        };
        Act { words, changes }
    })
}

/// An act on the model, or one that makes a version.
fn other() -> impl Strategy<Value = Act> {
    let act = |words: &str, file: String, field: &'static str| Act {
        words: words.replace(' ', "\t"),
        changes: vec![
            (file, field),
            ("models/vision/digits/README.md".to_owned(), ""),
        ],
    };
    select(vec![
        act(
            "set vision/digits title=Numbers",
            MODEL.to_owned(),
            "/spec/title",
        ),
        act(
            "set vision/digits description=Reads",
            MODEL.to_owned(),
            "/spec/description",
        ),
        act(
            "set vision/digits labels.line=3",
            MODEL.to_owned(),
            "/metadata/labels",
        ),
        act(
            "publish ../files --as vision/digits:1.1.0 --unsigned",
            version_file("1.1.0"),
            "",
        ),
        act(
            "publish ../files --as vision/digits:1.2.0 --unsigned",
            version_file("1.2.0"),
            "",
        ),
    ])
}

/// What is done in each round by each clone, if it does anything.
fn rounds() -> impl Strategy<Value = Vec<Vec<Act>>> {
    let act = prop_oneof![4 => life(), 4 => deployed(), 2 => other()];
    vec(vec(act, 1..=CLONES), 3..6)
}

/// A remote with clones of it.
fn cloned() -> Story {
    let story = Story::cloned_of(&format!("{DIRECT}  retention: {{recycled: 0s}}\n"));
    story.somebody_pushes(
        "environments/factory.yaml",
        "apiVersion: modelyard.dev/v1\nkind: Environment\nmetadata: {name: factory}\nspec: {target: \
         {type: process}}\n",
    );
    story.sandbox.files("files");
    let url = story.upstream_url();
    for clone in 0..CLONES {
        let name = format!("clone-{clone}");
        story
            .sandbox
            .git(["clone", "-q", &url, &name])
            .run()
            .success();
    }
    story
}

/// Begins an act in a clone.
fn begin(sandbox: &Sandbox, clone: usize, act: &Act) -> Child {
    let words = act.words.split('\t').filter(|word| !word.is_empty());
    let words = words.chain(["--direct", "--output", "json"]);
    let run = sandbox.modelyard(words).in_folder(format!("clone-{clone}"));
    let mut command = run.into_command();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// The commits that acts made, with what each may change.
fn race(story: &Story, rounds: &[Vec<Act>]) -> Result<Vec<(String, Act)>, String> {
    let mut done = Vec::new();
    for round in rounds {
        let begin = |(clone, act)| (act, begin(&story.sandbox, clone, act));
        let begun: Vec<_> = round.iter().enumerate().map(begin).collect();
        for (act, child) in begun {
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            match output.status.code() {
                Some(0) => {
                    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
                    let json = json.get("proposed").unwrap_or(&json);
                    if json["onMain"] != true {
                        return Err(format!("{act:?} is not on main: {json}"));
                    }
                    if json["unchanged"] != true {
                        let commit = json["commit"].as_str().unwrap().to_owned();
                        done.push((commit, act.clone()));
                    }
                }
                Some(2 | 3) if said.starts_with("{\"error\":") => {}
                _ => return Err(format!("{act:?} ended with {}: {said}", output.status)),
            }
        }
    }
    Ok(done)
}

/// What is wrong with main after the acts of `done`.
fn wrong(story: &Story, done: &[(String, Act)]) -> Result<(), String> {
    let git = |words: &str| story.git_in("last", words);
    let check = |words: &str| {
        let run = story.sandbox.modelyard(words.split(' ')).in_folder("last");
        let outcome = run.run();
        match outcome.code {
            Some(0) => Ok(()),
            _ => Err(format!("{words}: {}{}", outcome.stdout, outcome.stderr)),
        }
    };
    let url = story.upstream_url();
    story
        .sandbox
        .git(["clone", "-q", &url, "last"])
        .run()
        .success();
    let history = git("rev-list --first-parent HEAD");
    let history: Vec<&str> = history.lines().collect();
    for (commit, act) in done {
        let Some(at) = history.iter().position(|one| one == commit) else {
            return Err(format!("{act:?} is lost: {commit} is not on main"));
        };
        let parent = history[at + 1];
        check(&format!("check --at {commit} --base {parent}"))?;
        let files = git(&format!("diff --name-only {parent} {commit}"));
        if files.is_empty() {
            return Err(format!("{act:?} changed nothing"));
        }
        for file in files.lines().filter(|file| file.ends_with(".yaml")) {
            let own = act.changes.iter().find(|(path, _)| path == file);
            let Some((_, field)) = own else {
                return Err(format!("{act:?} changed {file}"));
            };
            let was = record(story, parent, file);
            let is = record(story, commit, file);
            for pointer in differing(&was, &is, String::new()) {
                if !pointer.starts_with(field) {
                    return Err(format!("{act:?} changed {pointer} of {file}"));
                }
            }
        }
    }
    check("check")
}

/// A record at a commit; nothing where there is none.
fn record(story: &Story, commit: &str, file: &str) -> Value {
    let run = story
        .sandbox
        .git(["show", &format!("{commit}:{file}")])
        .in_folder("last")
        .run();
    match run.code == Some(0) {
        true => serde_saphyr::from_str(&run.stdout).unwrap(),
        false => Value::Null,
    }
}

/// The pointers at which two records differ.
fn differing(was: &Value, is: &Value, at: String) -> Vec<String> {
    match (was, is) {
        (Value::Object(was), Value::Object(is)) => {
            let keys = was
                .keys()
                .chain(is.keys().filter(|key| !was.contains_key(*key)));
            let none = Value::Null;
            let pairs = keys.map(|key| {
                (
                    key,
                    was.get(key).unwrap_or(&none),
                    is.get(key).unwrap_or(&none),
                )
            });
            pairs
                .flat_map(|(key, was, is)| differing(was, is, format!("{at}/{key}")))
                .collect()
        }
        (was, is) if was == is => Vec::new(),
        _ => vec![at],
    }
}

#[test]
fn one_after_the_other_every_act_is_done() {
    let story = cloned();
    let acts = [
        "publish ../files --as vision/digits:1.1.0 --unsigned",
        "promote vision/digits:1.0.0 --to released --alias champion",
        "deploy vision/digits:0.9.0 --to factory --deployment one",
        "deploy vision/digits:champion --to factory --deployment one",
        "rollback one --environment factory",
        "restart one --environment factory",
        "suspend one --environment factory",
        "resume one --environment factory",
        "set vision/digits title=Numbers",
        "set vision/digits:0.9.0 notes=Dry.",
        "undeploy one --environment factory",
        "promote vision/digits:1.0.0 --alias champion",
        "deprecate vision/digits:0.9.0",
        "retire vision/digits:0.9.0",
        "recycle vision/digits:0.9.0",
        "restore vision/digits:0.9.0",
        "recycle vision/digits:0.9.0",
        "delete vision/digits:0.9.0",
    ];
    for (index, words) in acts.iter().enumerate() {
        let act = Act {
            words: words.replace(' ', "\t"),
            changes: Vec::new(),
        };
        let output = begin(&story.sandbox, index % CLONES, &act)
            .wait_with_output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words}: {said}");
    }
}

#[tokio::test]
async fn what_others_did_to_other_files_meanwhile_is_checked_too() {
    let story = cloned();
    let acts = |words: &str| {
        let act = Act {
            words: words.replace(' ', "\t"),
            changes: Vec::new(),
        };
        let output = begin(&story.sandbox, 1, &act).wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    acts("deprecate vision/digits:0.9.0");
    story.git_in("clone-0", "config user.name Me");
    story.git_in("clone-0", "config user.email me@example.com");
    let yard = Yard::discover(&story.sandbox.path("clone-0")).unwrap();
    let mut change = propose::begin(&yard, "retire/vision/digits/0.9.0")
        .await
        .unwrap();
    let file = version_file("0.9.0");
    change
        .write(&file, version("0.9.0", "retired").into_bytes())
        .unwrap();
    refuse_errors(&change).unwrap();
    // Somebody is faster, with another file.
    acts("deploy vision/digits:0.9.0 --to factory --deployment one");
    let failure = propose::propose(change, "retire", Timestamp::UNIX_EPOCH)
        .await
        .unwrap_err();
    assert_eq!(failure.code().id, "version-in-use", "{failure}");
    let there = story.git_in("upstream.git", &format!("show main:{file}"));
    assert!(there.contains("lifecycle: deprecated"), "{there}");
}

proptest! {
    // Each case is some twenty processes.
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 16,
        ..ProptestConfig::with_cases(8)
    })]

    #[test]
    fn no_act_is_lost_and_main_checks_clean(rounds in rounds()) {
        let story = cloned();
        let done = race(&story, &rounds).and_then(|done| wrong(&story, &done));
        if let Err(wrong) = done {
            let told: Vec<String> = rounds.iter().map(|round| {
                let acts = round.iter().map(|act| act.words.replace('\t', " "));
                acts.collect::<Vec<_>>().join("  |  ")
            }).collect();
            return Err(TestCaseError::fail(format!("{wrong}\nafter\n{}", told.join("\n"))));
        }
    }
}
