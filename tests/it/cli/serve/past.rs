//! What served, as anybody with a clone can ask for it: `modelyard history` and `modelyard why`.

use serde_json::Value;

use super::stage::{CANARY, Stage};
use crate::harness::Sandbox;

/// What `history` tells of the deployment, from a clone in `folder`.
fn history(stage: &Stage<'_>, folder: &str, words: &[&str]) -> Vec<Value> {
    let all = ["history", "--output", "json"].iter().chain(words);
    let told = stage.sandbox.modelyard(all).in_folder(folder);
    let told = told.run().success().json();
    told["served"].as_array().unwrap().clone()
}

/// Who got how much, largest first: `1.0.0 75, 1.1.0 25`.
fn shares(served: &Value) -> String {
    let shares = served["shares"].as_array().unwrap().iter();
    let text = shares.map(|share| {
        let version = share["content"]["model"]["version"].as_str().unwrap();
        format!("{version} {}", share["weight"])
    });
    text.collect::<Vec<_>>().join(", ")
}

/// All that served, newest first.
fn all(told: &[Value]) -> Vec<String> {
    told.iter().map(shares).collect()
}

#[test]
fn what_served_is_told_by_every_clone_with_the_commits_that_chose_it() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    let asked = stage.yard.modelyard(["history"]).run();
    asked.exits(2).says("has no receipts of what served");
    stage.deploy(CANARY);
    stage.serve();
    stage.serves("1.0.0");
    stage.champion("1.1.0");
    stage.nudge();
    stage.serves("1.1.0");

    let clone = ["clone", "--quiet", "upstream.git", "clone"];
    sandbox.git(clone).run().success();
    // Pushed beside the passes.
    let told = stage.wait(|| {
        let run = sandbox.modelyard(["history", "--output", "json"]);
        let told = run.in_folder("clone").run().json();
        let told = told["served"].as_array()?.clone();
        (told.len() == 4).then_some(told)
    });
    let wanted = [
        "1.1.0 100",
        "1.0.0 50, 1.1.0 50",
        "1.0.0 75, 1.1.0 25",
        "1.0.0 100",
    ];
    assert_eq!(all(&told), wanted);
    let title = |share: &Value| share["chosenBy"]["title"].as_str().unwrap().to_owned();
    assert_eq!(
        title(&told[0]["shares"][0]),
        "vision/digits:1.1.0: promote to champion"
    );
    assert_eq!(title(&told[2]["shares"][0]), "A deployment");
    assert_eq!(told[1]["step"]["number"], 2);
    for pair in told.windows(2) {
        assert_eq!(pair[1]["until"], pair[0]["since"]);
    }
    let then = told[2]["since"].as_str().unwrap();
    let at_that_time = history(&stage, "clone", &["--at", then, "-e", "host"]);
    assert_eq!(all(&at_that_time), ["1.0.0 75, 1.1.0 25"]);
    assert_eq!(at_that_time[0]["until"], told[1]["since"]);
    assert!(history(&stage, "clone", &["--at", "2d"]).is_empty());
    assert_eq!(history(&stage, "clone", &["--limit", "1"]).len(), 1);

    // The next server says nothing that is known, and the one that ends for good says so.
    stage.upgrade();
    stage.serves("1.1.0");
    assert_eq!(all(&history(&stage, "yard", &[])), wanted);
    assert_eq!(stage.ends("-INT"), Some(0));
    let told = history(&stage, "clone", &["digits"]);
    assert_eq!(all(&told)[..2], ["", "1.1.0 100"]);
    let asked = ["history", "numbers"];
    let asked = sandbox.modelyard(asked).in_folder("clone").run();
    asked
        .exits(2)
        .says("no receipt tells that numbers ever served");
}

#[test]
fn why_names_commit_step_and_measurement_of_each_weight() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy(
        "  \
  strategy:
    type: canary
    steps: [{weight: 25, for: 1s, analysis: [agreement]}, {weight: 50, approval: true}]
  analysis:
    - {name: agreement, source: golden, tests: all, atLeast: 1, interval: 100ms}
",
    );
    stage.serve();
    stage.serves("1.0.0");
    stage.champion("1.1.0");
    stage.nudge();
    stage.until(|one| one["health"] == "waiting" && one["rollout"]["step"] == 2);
    let why = ["why", "digits"];
    let told = stage.wait(|| {
        let told = stage.yard.modelyard(why).run().stdout;
        told.contains("step 2 of 3").then_some(told)
    });
    assert!(told.starts_with("host/digits, since "), "{told}");
    let lines: Vec<&str> = told.lines().map(str::trim).collect();
    let has = |text: &str| lines.iter().any(|line| line.contains(text));
    assert!(has("50 %  vision/digits 1.0.0  "), "{told}");
    assert!(has("50 %  vision/digits 1.1.0  "), "{told}");
    assert!(has(": A deployment"), "{told}");
    assert!(has(": vision/digits:1.1.0: promote to champion"), "{told}");
    assert!(has("step 2 of 3 to vision/digits 1.1.0"), "{told}");
    assert!(
        has("measured before: agreement: 1, to be at least 1; "),
        "{told}"
    );
}
