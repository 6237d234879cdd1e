//! Stories of an environment: what is empty, shared, needed by others or idle.

use super::super::*;
use super::stories::{ONE, Story, THREE, TWO, but, by};
use super::{environment, name, side, unit, wanted};
use crate::record::kind::{Span, StrategyType};

#[test]
fn an_empty_yard_takes_nothing_away_without_a_persons_word() {
    let mut story = Story::begins(&[("digits", &wanted(ONE))]);
    story.goes_on();
    story.main(&[]);
    insta::assert_snapshot!(story.goes_on(), @"(digits: kept as it is: the environment has no deployments any more, and nobody said that this is meant)");
    story.0.desired = Desired::Unknown {
        why: "deployments/host/digits.yaml:3:1: it is no YAML".to_owned(),
    };
    insta::assert_snapshot!(story.goes_on(), @"(digits: kept as it is, the yard can't be read: deployments/host/digits.yaml:3:1: it is no YAML)");
    let mut meant = environment(&[]);
    meant.may_be_empty = true;
    story.0.desired = Desired::Known(meant);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: remove the route
    digits: drain digits-1
    digits: stop digits-1: it has answered everything
    digits: forget it
    ");
}

#[test]
fn a_split_is_held_by_weight_and_changes_without_a_restart() {
    let split = |one, two| {
        but(&wanted(ONE), |wanted| {
            let choice = |weight, text| Choice::new(weight, unit(text, 1), vec![], vec![], None);
            let large = "vision/digits-large 1.0.0";
            wanted.side = Side::new([choice(one, ONE), choice(two, large)]).unwrap();
        })
    };
    let mut story = Story::begins(&[("digits", &split(80, 20))]);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: remember: a rollout to vision/digits 1.0.0 (80), vision/digits-large 1.0.0 (20) begins
    digits: route: requests wait
    digits: start digits-1: vision/digits 1.0.0
    digits: start digits-2: vision/digits-large 1.0.0
    digits: remember: step 1: 100 % go to the new version
    digits: route: 80 % vision/digits 1.0.0, 20 % vision/digits-large 1.0.0
    digits: remember: vision/digits 1.0.0 (80), vision/digits-large 1.0.0 (20) serves
    ");
    story.main(&[("digits", &split(1, 2))]);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: remember: vision/digits 1.0.0 (1), vision/digits-large 1.0.0 (2) serves
    digits: route: 33 % vision/digits 1.0.0, 67 % vision/digits-large 1.0.0
    ");
}

#[test]
fn what_others_need_serves_before_them_and_leaves_after_them() {
    let needs = but(&wanted(ONE), |wanted| {
        wanted.depends_on = vec![name("embedder")];
    });
    let embedder = wanted("text/embedder 1.0.0");
    let mut story = Story::begins(&[("digits", &needs), ("embedder", &embedder)]);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: route: requests wait
    embedder: remember: a rollout to text/embedder 1.0.0 begins
    embedder: route: requests wait
    embedder: start embedder-1: text/embedder 1.0.0
    embedder: remember: step 1: 100 % go to the new version
    embedder: route: 100 % text/embedder 1.0.0
    embedder: remember: text/embedder 1.0.0 serves
    digits: remember: a rollout to vision/digits 1.0.0 begins
    digits: start digits-1: vision/digits 1.0.0
    digits: remember: step 1: 100 % go to the new version
    digits: route: 100 % vision/digits 1.0.0
    digits: remember: vision/digits 1.0.0 serves
    ");
    story.main(&[("other", &wanted(TWO))]);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: remove the route
    digits: drain digits-1
    other: remember: a rollout to vision/digits 2.0.0 begins
    other: route: requests wait
    digits: stop digits-1: it has answered everything
    digits: forget it
    other: start other-1: vision/digits 2.0.0
    embedder: remove the route
    embedder: drain embedder-1
    embedder: stop embedder-1: it has answered everything
    other: remember: step 1: 100 % go to the new version
    other: route: 100 % vision/digits 2.0.0
    embedder: forget it
    other: remember: vision/digits 2.0.0 serves
    ");
}

#[test]
fn with_no_replicas_it_starts_at_the_first_request_and_stops_when_idle() {
    let sleepy = but(&wanted(ONE), |wanted| {
        wanted.replicas = Replicas {
            min: 0,
            max: 1,
            target: None,
            idle_after: Span::minutes(5),
        };
    });
    let mut story = Story::begins(&[("digits", &sleepy)]);
    let load = |waiting| Load {
        waiting,
        ..Load::default()
    };
    let digits = name("digits");
    story.0.observed.load.insert(digits.clone(), load(0));
    story.goes_on();
    story.later(300);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: remember: load asks for 0 replicas
    digits: route: requests wait
    digits: drain digits-1
    digits: stop digits-1: it has answered everything
    ");
    story.0.observed.load.insert(digits, load(1));
    insta::assert_snapshot!(story.goes_on(), @"
    digits: remember: load asks for 1 replicas
    digits: start digits-2: vision/digits 1.0.0
    digits: route: 100 % vision/digits 1.0.0
    ");
}

#[test]
fn plans_that_lead_to_the_same_have_one_hash_however_far_they_are() {
    let first = wanted(ONE);
    let mut story = Story::begins(&[("digits", &first)]);
    story.goes_on();
    let second = by(
        StrategyType::Canary,
        r#"[{"weight": 10, "for": "1m"}]"#,
        TWO,
    );
    story.main(&[("digits", &second)]);
    let shown = story.0.plan();
    let changes: Vec<_> = shown.changes.iter().map(Change::to_string).collect();
    assert_eq!(
        changes,
        ["digits: vision/digits 1.0.0 -> vision/digits 2.0.0 (canary)"]
    );
    story.goes_on();
    assert_eq!(story.0.plan().hash(), shown.hash());
    story.main(&[("digits", &but(&second, |wanted| wanted.side = side(THREE)))]);
    assert_ne!(story.0.plan().hash(), shown.hash());
}
