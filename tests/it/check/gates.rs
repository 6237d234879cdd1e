//! Gates of policies: which changes they are for, whose policies count, and what is told.

use modelyard::check::check;

use super::codes::{gated, policy};
use super::sound::Edit::{self, Copy, Remove, Swap, Write};
use super::sound::*;

const POLICY: &str = "policies/release.yaml";

/// What a check says of `edits` as a change of the sound yard with `before`, gates evaluated.
fn changed(before: &[Edit], edits: &[Edit]) -> String {
    let base = edited(&sound(), before);
    lines(&gated(edited(&base, edits), Some(base))).join("\n")
}

fn release() -> Edit {
    Swap(V1_2, "lifecycle: staged", "lifecycle: released")
}

#[test]
fn a_gate_holds_for_the_changes_it_is_for() {
    let deprecate = || Swap(V1_1, "lifecycle: released", "lifecycle: deprecated");
    let never = || policy("false");
    insta::assert_snapshot!(changed(&[never()], &[release()]), @"gate-failed models/vision/digits/versions/1.2.0.yaml:5:14: the gate `a gate` does not hold");
    assert_eq!(changed(&[never()], &[deprecate()]), "");
    assert_eq!(changed(&[never()], &[]), "");
    // A new version that is released at once came from staged.
    let new = "models/vision/digits/versions/2.0.0.yaml";
    let copy = Copy(V1_1, new, "version: 1.1.0}", "version: 2.0.0}");
    insta::assert_snapshot!(changed(&[never()], &[copy]), @"gate-failed models/vision/digits/versions/2.0.0.yaml:5:14: the gate `a gate` does not hold");
}

#[test]
fn what_is_compared_is_told() {
    let better = "version.metric('accuracy') > champion.metric('accuracy')";
    insta::assert_snapshot!(changed(&[policy(better)], &[release()]), @"gate-failed models/vision/digits/versions/1.2.0.yaml:5:14: the gate `a gate` does not hold: 0.97 > 0.97");
    assert_eq!(
        changed(
            &[policy(
                "champion.version == '1.1.0' && before.lifecycle == 'staged' && change.transition == 'staged -> released' && change.kind == 'ModelVersion'"
            )],
            &[release()]
        ),
        ""
    );
    insta::assert_snapshot!(changed(&[policy("size(change.approvals) > 1")], &[release()]), @"gate-not-evaluated models/vision/digits/versions/1.2.0.yaml:5:14: the gate `a gate` can't be evaluated: there is no `approvals` (give what is missing, or guard it in the expression, as by `has(version.license)`)");
}

#[test]
fn no_change_relaxes_its_own_gate() {
    let never = || policy("false");
    for relaxed in [
        policy("true"),
        Remove(POLICY),
        Write(POLICY, "broken".to_owned()),
    ] {
        let said = changed(&[never()], &[release(), relaxed]);
        assert!(said.contains("gate-failed models/vision/digits"), "{said}");
    }
    // What it adds counts at once.
    let said = changed(&[], &[release(), never()]);
    assert!(said.contains("gate-failed models/vision/digits"), "{said}");
}

#[test]
fn a_gate_that_warns_lets_the_change_pass() {
    let warns = Swap(POLICY, "a gate,", "a gate, severity: warning,");
    let base = edited(&sound(), &[policy("false"), warns]);
    let report = gated(edited(&base, &[release()]), Some(base));
    assert!(report.passes());
    assert_eq!(report.diagnostics.len(), 1);
}

#[test]
fn a_gate_that_nobody_evaluates_does_not_hold() {
    let base = edited(&sound(), &[policy("true")]);
    let report = check(edited(&base, &[release()]), Some(base), None);
    insta::assert_snapshot!(lines(&report).join("\n"), @"gate-not-evaluated models/vision/digits/versions/1.2.0.yaml:5:14: the gate `a gate` is not evaluated here (propose the change on a branch: `modelyard check --base` evaluates it)");
}
