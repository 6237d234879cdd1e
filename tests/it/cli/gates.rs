//! Gates of policies through the command: evaluated in a process of their own, hostile ones too.

use crate::harness::Outcome;
use crate::yard::story::{Story, version};

const POLICY: &str = "policies/release.yaml";

/// A policy for releases, of these gates.
fn policy(gates: &[(&str, &str)], more: &str) -> String {
    let mut text =
        "apiVersion: modelyard.dev/v1\nkind: Policy\nmetadata: {name: release}\nspec:\n  \
                    match: {kinds: [ModelVersion], transitions: [staged -> released]}\n  gates:\n"
            .to_owned();
    for (name, expression) in gates {
        text += &format!("  - {{name: {name}, expr: {expression:?}}}\n");
    }
    text + more
}

/// A check of 1.0.0's release as a change of a main with this policy.
fn checked(policy: &str, more: &[&str]) -> (Story, Outcome) {
    let story = Story::local();
    story.write(POLICY, policy);
    story.git("add -A");
    story.git("commit -q -m policy");
    let path = "models/vision/digits/versions/1.0.0.yaml";
    story.write(path, &version("1.0.0", "released"));
    let words = ["check", "--base", "main"];
    let words = words.iter().chain(more).copied().collect::<Vec<_>>();
    let outcome = story.sandbox.modelyard(words).in_folder("yard").run();
    (story, outcome)
}

#[test]
fn a_gate_that_does_not_hold_is_told_with_its_values_and_its_line() {
    let gates = [
        ("tested", "size(version.tests) > 0"),
        ("small", "version.artifact.size < 3"),
        ("sound", "has(version.inputs)"),
    ];
    let (_, outcome) = checked(&policy(&gates, ""), &[]);
    insta::assert_snapshot!(outcome.exits(1).stdout, @r#"
    error[gate-failed]: the gate `small` does not hold: 4 < 3
        --> models/vision/digits/versions/1.0.0.yaml:5:14
         |
       5 |   lifecycle: released   # moves by promotion
         |              ^^^^^^^^
        ::: policies/release.yaml:8:25
         |
       8 |   - {name: small, expr: "version.artifact.size < 3"}
         |                         --------------------------- the gate is here

    error[gate-not-evaluated]: the gate `tested` can't be evaluated: there is no `tests`
        --> models/vision/digits/versions/1.0.0.yaml:5:14
         |
       5 |   lifecycle: released   # moves by promotion
         |              ^^^^^^^^
        ::: policies/release.yaml:7:26
         |
       7 |   - {name: tested, expr: "size(version.tests) > 0"}
         |                          ------------------------- the gate is here
         = help: give what is missing, or guard it in the expression, as by `has(version.license)`

    2 records affected by the change: 2 errors
    "#);
}

#[test]
fn who_approved_and_who_wrote_can_be_asked() {
    let gates = [("two pairs of eyes", "size(change.approvals) > 1")];
    let (_, one) = checked(&policy(&gates, ""), &["--approved-by", "ann"]);
    one.exits(1)
        .prints("the gate `two pairs of eyes` does not hold: 1 > 1");
    let approved = ["--approved-by", "ann", "--approved-by", "bob"];
    let (_, two) = checked(&policy(&gates, ""), &approved);
    two.success();
    let gates = [("known", "change.authors.all(a, a.endsWith('@example.com'))")];
    let (story, _) = checked(&policy(&gates, ""), &[]);
    story.git("switch -q -c mine");
    story.git("commit -q -a -m release");
    story
        .modelyard("check --at HEAD --base main")
        .run()
        .success();
    story
        .sandbox
        .git([
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "x",
            "--author",
            "E <e@evil.example>",
        ])
        .in_folder("yard")
        .run()
        .success();
    story
        .modelyard("check --at HEAD --base main")
        .run()
        .exits(1);
}

#[test]
fn an_expression_that_breaks_its_process_costs_its_own_answer_and_no_other() {
    let deep = format!("{}1 == 1", "1+".repeat(2000));
    let nested = format!("{}true{}", "(".repeat(2000), ")".repeat(2000));
    let list = "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30]";
    let mut slow = "true".to_owned();
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        slow = format!("{list}.all({name}, {slow})");
    }
    let mut large = list.to_owned();
    for name in ["a", "b", "c", "d", "e", "f"] {
        large = format!("{list}.map({name}, {large})");
    }
    let large = format!("size({large}) == 0");
    let gates = [
        ("deep", deep.as_str()),
        ("nested", &nested),
        ("slow", &slow),
        ("large", &large),
        ("plain", "version.artifact.size < 3"),
    ];
    let (_, outcome) = checked(&policy(&gates, ""), &[]);
    let said = outcome.exits(1).stdout;
    for name in ["deep", "nested", "slow", "large"] {
        let line = said
            .lines()
            .find(|line| line.contains(&format!("gate `{name}`")));
        if let Some(line) = line {
            assert!(line.contains("can't be evaluated"), "{line}");
        }
    }
    assert!(
        said.contains("the gate `slow` can't be evaluated: it took longer than 5 s"),
        "{said}"
    );
    assert!(
        said.contains("the gate `plain` does not hold: 4 < 3"),
        "{said}"
    );
}

#[test]
fn a_change_that_goes_straight_to_main_has_nobody_to_evaluate_its_gates() {
    let story = Story::of(crate::yard::story::DIRECT);
    story.write(POLICY, &policy(&[("free", "true")], ""));
    story.git("add -A");
    story.git("commit -q -m policy");
    story
        .modelyard("promote vision/digits:1.0.0 --to released")
        .run()
        .exits(2)
        .says("error[gate-not-evaluated]");
    // Where it is proposed, the pull request's check evaluates them.
    let story = Story::local();
    story.write(POLICY, &policy(&[("never", "false")], ""));
    story.git("add -A");
    story.git("commit -q -m policy");
    story.json("promote vision/digits:1.0.0 --to released");
    story
        .modelyard("check --at promote/vision/digits/1.0.0 --base main")
        .run()
        .exits(1)
        .prints("error[gate-failed]");
}

#[test]
fn a_policys_examples_are_tried() {
    let gates = [
        ("tested", "size(version.tests) > 0"),
        ("small", "version.size < 3"),
    ];
    let tests = "  tests:
  - {name: a good one, given: {version: {tests: [1], size: 2}}}
  - {name: one without tests, given: {version: {tests: [], size: 2}}, fails: [tested]}
  - {name: one that is said wrong, given: {version: {tests: [], size: 9}}, fails: [small, other]}
";
    let story = Story::local();
    let none = story.modelyard("policy test").run();
    none.exits(2).says("error[no-policy-tests]");
    story.write(POLICY, &policy(&gates, tests));
    let told = story.modelyard("policy test").run().exits(1);
    insta::assert_snapshot!(told.stdout, @r#"
    release
      ok      a good one
      ok      one without tests
      failed  one that is said wrong
              `tested` does not hold: 0 > 0
              there is no gate `other`
    "#);
    let json = story.modelyard("policy test release --output json").run();
    let json = json.exits(1).json();
    assert_eq!(json["policies"][0]["tests"][0]["passed"], true);
    story
        .modelyard("policy test other")
        .run()
        .exits(2)
        .says("error[no-such-record]");
}

#[test]
fn a_policy_that_is_no_expression_is_told_where_it_stands() {
    let story = Story::local();
    story.write(POLICY, &policy(&[("open", "size(version.tests) >")], ""));
    let told = story.modelyard("check").run().exits(1);
    assert!(
        told.stdout.contains("error[gate-invalid]"),
        "{}",
        told.stdout
    );
    assert!(
        told.stdout.contains("--> policies/release.yaml:7:"),
        "{}",
        told.stdout
    );
}
