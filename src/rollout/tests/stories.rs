//! Stories: what a person sees of a rollout, told by the steps that are done and the waits that
//! are left. One line is one step; bytes and replicas do what they are told within a second.

use jiff::SignedDuration;

use super::super::*;
use super::world::{Nature, World};
use super::{at, content, digest, environment, name, seal, strategy, wanted};
use crate::record::kind::{Finite, RolloutAction, RolloutWord, Span, StrategyType};

/// More passes than any of these needs to come to rest.
const PASSES: usize = 60;

pub(super) struct Story(pub(super) World);

impl Story {
    /// An environment of which nothing runs yet.
    pub(super) fn begins(deployments: &[(&str, &Wanted)]) -> Self {
        let desired = Desired::Known(environment(deployments));
        Self(World::new(at("2026-11-01T10:00:00Z"), desired))
    }

    /// Main says something else.
    pub(super) fn main(&mut self, deployments: &[(&str, &Wanted)]) {
        self.0.desired = Desired::Known(environment(deployments));
        self.0.said();
    }

    /// A version turns out to be of that nature.
    fn is(&mut self, text: &str, nature: Nature) {
        self.0.natures.insert(content(text).digest(), nature);
    }

    pub(super) fn later(&mut self, seconds: i64) {
        self.0.tick(SignedDuration::from_secs(seconds), None);
    }

    /// Passes, one a second, until one does nothing and nothing happens by itself. Tells what was
    /// done but for bytes and golden tests, and then what is waited for.
    pub(super) fn goes_on(&mut self) -> String {
        let mut told = Vec::new();
        for _ in 0..PASSES {
            let plan = self.0.plan();
            for step in &plan.steps {
                self.0.apply(step);
                let detail = matches!(
                    step,
                    Step::Fetch { .. } | Step::Verify { .. } | Step::RunGoldenTests { .. }
                );
                let silent = matches!(step, Step::Remember { events, .. } if events.is_empty());
                if !detail && !silent {
                    told.push(step.to_string());
                }
            }
            let before = self.0.observed.instances.clone();
            self.later(1);
            if plan.steps.is_empty() && before == self.0.observed.instances {
                told.extend(plan.waits.iter().map(|wait| format!("({wait})")));
                return told.join("\n");
            }
        }
        panic!("no rest after {PASSES} passes:\n{}", told.join("\n"));
    }
}

/// `text` by a strategy, with an analysis of its errors that stages may ask for.
pub(super) fn by(strategy_type: StrategyType, steps: &str, text: &str) -> Wanted {
    let mut wanted = wanted(text);
    wanted.strategy = strategy(strategy_type, steps);
    wanted.analyses = vec![Analysis {
        name: name("errors"),
        source: Source::Gateway {
            metric: "error_rate".to_owned(),
        },
        below: Finite::try_from(0.01).ok(),
        at_least: None,
        interval: Span::seconds(30),
        count: None,
        failure_limit: 0,
        inconclusive_limit: None,
        consecutive_error_limit: 4,
        min_samples: 100,
    }];
    seal(&mut wanted);
    wanted
}

/// `wanted`, changed by `change`.
pub(super) fn but(wanted: &Wanted, change: impl FnOnce(&mut Wanted)) -> Wanted {
    let mut wanted = wanted.clone();
    change(&mut wanted);
    seal(&mut wanted);
    wanted
}

fn word(text: &str, action: RolloutAction) -> Option<RolloutWord> {
    Some(RolloutWord {
        digest: digest(text),
        step: None,
        action,
    })
}

pub(super) const ONE: &str = "vision/digits 1.0.0";
pub(super) const TWO: &str = "vision/digits 2.0.0";
pub(super) const THREE: &str = "vision/digits 3.0.0";

#[test]
fn recreate_ends_the_old_one_before_the_new_one_starts() {
    let first = wanted(ONE);
    let mut story = Story::begins(&[("digits", &first)]);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: remember: a rollout to vision/digits 1.0.0 begins
    digits: route: requests wait
    digits: start digits-1: vision/digits 1.0.0
    digits: remember: step 1: 100 % go to the new version
    digits: route: 100 % vision/digits 1.0.0
    digits: remember: vision/digits 1.0.0 serves
    ");
    story.main(&[("digits", &wanted(TWO))]);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: remember: a rollout to vision/digits 2.0.0 begins
    digits: route: requests wait
    digits: drain digits-1
    digits: stop digits-1: it has answered everything
    digits: start digits-2: vision/digits 2.0.0
    digits: remember: step 1: 100 % go to the new version
    digits: route: 100 % vision/digits 2.0.0
    digits: remember: vision/digits 2.0.0 serves
    ");
}

#[test]
fn rolling_goes_replica_by_replica() {
    let three = |text| {
        but(&by(StrategyType::Rolling, "[]", text), |wanted| {
            wanted.replicas = Replicas::fixed(3);
        })
    };
    let mut story = Story::begins(&[("digits", &three(ONE))]);
    story.goes_on();
    story.main(&[("digits", &three(TWO))]);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: remember: a rollout to vision/digits 2.0.0 begins
    digits: start digits-4: vision/digits 2.0.0
    digits: remember: step 1: 33 % go to the new version
    digits: route: 67 % vision/digits 1.0.0, 33 % vision/digits 2.0.0
    digits: drain digits-3
    digits: start digits-5: vision/digits 2.0.0
    digits: stop digits-3: it has answered everything
    digits: remember: step 2: 66 % go to the new version
    digits: route: 34 % vision/digits 1.0.0, 66 % vision/digits 2.0.0
    digits: drain digits-2
    digits: start digits-6: vision/digits 2.0.0
    digits: stop digits-2: it has answered everything
    digits: remember: step 3: 100 % go to the new version
    digits: route: 100 % vision/digits 2.0.0
    digits: remember: vision/digits 2.0.0 serves
    digits: drain digits-1
    digits: stop digits-1: it has answered everything
    ");
}

#[test]
fn blue_green_previews_waits_for_a_person_and_keeps_the_old_one_for_a_while() {
    let steps = r#"[{"approval": true}, {"weight": 100, "for": "1m"}]"#;
    let deployed = |text| by(StrategyType::BlueGreen, steps, text);
    let mut story = Story::begins(&[("digits", &deployed(ONE))]);
    story.goes_on();
    story.main(&[("digits", &deployed(TWO))]);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: remember: a rollout to vision/digits 2.0.0 begins
    digits: start digits-2: vision/digits 2.0.0
    digits: remember: step 1: 0 % go to the new version
    digits: route: 100 % vision/digits 1.0.0; preview vision/digits 2.0.0
    (digits: step 1 has to be approved)
    ");
    let approved = but(&deployed(TWO), |wanted| {
        wanted.word = word(TWO, RolloutAction::Continue);
    });
    story.main(&[("digits", &approved)]);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: remember: step 1 is approved
    digits: remember: step 2: 100 % go to the new version
    digits: route: 100 % vision/digits 2.0.0
    (digits: step 2 lasts, until 2026-11-01T10:01:14Z)
    ");
    story.later(60);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: remember: vision/digits 2.0.0 serves
    digits: drain digits-1
    digits: stop digits-1: it has answered everything
    ");
}

#[test]
fn a_canary_whose_errors_rise_goes_back_and_asks_for_a_revert_once() {
    let steps = r#"[{"weight": 5, "for": "10m"}, {"weight": 25, "analysis": ["errors"]}]"#;
    let deployed = |text| by(StrategyType::Canary, steps, text);
    let mut story = Story::begins(&[("digits", &deployed(ONE))]);
    story.is(TWO, Nature::BadNumbers);
    story.goes_on();
    story.main(&[("digits", &deployed(TWO))]);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: remember: a rollout to vision/digits 2.0.0 begins
    digits: start digits-2: vision/digits 2.0.0
    digits: remember: step 1: 5 % go to the new version
    digits: route: 95 % vision/digits 1.0.0, 5 % vision/digits 2.0.0
    (digits: step 1 lasts, until 2026-11-01T10:10:11Z)
    ");
    story.later(600);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: remember: step 2: 25 % go to the new version
    digits: route: 75 % vision/digits 1.0.0, 25 % vision/digits 2.0.0
    (digits: the analysis errors has not said anything yet, until 2026-11-01T10:10:44Z)
    ");
    story.later(30);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: measure errors, number 1, rollout 2, step 2
    digits: remember: failed: the analysis errors doesn't hold: 1.01, to be below 0.01, of 1000 requests
    digits: route: 100 % vision/digits 1.0.0
    digits: drain digits-2
    digits: write a revert from vision/digits 2.0.0 to vision/digits 1.0.0: the analysis errors doesn't hold: 1.01, to be below 0.01, of 1000 requests
    digits: remember: a revert is written
    digits: stop digits-2: it has answered everything
    (digits: not tried again before main says something else: the analysis errors doesn't hold: 1.01, to be below 0.01, of 1000 requests)
    ");
    // Main says the same in other words: nothing is tried again.
    let suspended = but(&deployed(TWO), |wanted| wanted.suspend = true);
    story.main(&[("digits", &suspended)]);
    story.goes_on();
    story.main(&[("digits", &deployed(TWO))]);
    insta::assert_snapshot!(story.goes_on(), @"(digits: not tried again before main says something else: the analysis errors doesn't hold: 1.01, to be below 0.01, of 1000 requests)");
    // The revert is merged.
    story.main(&[("digits", &deployed(ONE))]);
    insta::assert_snapshot!(story.goes_on(), @"digits: remember: main says something else, and nothing is held");
}

#[test]
fn a_canary_that_holds_gets_everything() {
    let steps = r#"[{"weight": 20, "analysis": ["errors"]}, {"weight": 50, "for": "5m"}]"#;
    let deployed = |text| by(StrategyType::Canary, steps, text);
    let mut story = Story::begins(&[("digits", &deployed(ONE))]);
    story.goes_on();
    story.main(&[("digits", &deployed(TWO))]);
    story.goes_on();
    story.later(30);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: measure errors, number 1, rollout 2, step 1
    digits: remember: step 2: 50 % go to the new version
    digits: route: 50 % vision/digits 1.0.0, 50 % vision/digits 2.0.0
    (digits: step 2 lasts, until 2026-11-01T10:05:45Z)
    ");
    story.later(300);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: remember: step 3: 100 % go to the new version
    digits: route: 100 % vision/digits 2.0.0
    digits: remember: vision/digits 2.0.0 serves
    digits: drain digits-1
    digits: stop digits-1: it has answered everything
    ");
}

#[test]
fn a_version_that_fails_its_golden_tests_never_gets_a_request() {
    let deployed = |text| by(StrategyType::Canary, r#"[{"weight": 50}]"#, text);
    let mut story = Story::begins(&[("digits", &deployed(ONE))]);
    story.is(TWO, Nature::FailsGolden);
    story.goes_on();
    story.main(&[("digits", &deployed(TWO))]);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: remember: a rollout to vision/digits 2.0.0 begins
    digits: start digits-2: vision/digits 2.0.0
    digits: remember: failed: vision/digits 2.0.0 fails its golden tests: a seven is a one
    digits: drain digits-2
    digits: write a revert from vision/digits 2.0.0 to vision/digits 1.0.0: vision/digits 2.0.0 fails its golden tests: a seven is a one
    digits: remember: a revert is written
    digits: stop digits-2: it has answered everything
    (digits: not tried again before main says something else: vision/digits 2.0.0 fails its golden tests: a seven is a one)
    ");
}

#[test]
fn a_shadow_gets_copies_and_no_share() {
    let deployed = |text| by(StrategyType::Shadow, r#"[{"for": "1h"}]"#, text);
    let mut story = Story::begins(&[("digits", &deployed(ONE))]);
    story.goes_on();
    story.main(&[("digits", &deployed(TWO))]);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: remember: a rollout to vision/digits 2.0.0 begins
    digits: start digits-2: vision/digits 2.0.0
    digits: remember: step 1: 0 % go to the new version
    digits: route: 100 % vision/digits 1.0.0; copies to vision/digits 2.0.0
    (digits: step 1 lasts, until 2026-11-01T11:00:11Z)
    ");
    story.later(3600);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: route: 100 % vision/digits 1.0.0
    digits: remember: step 2: 100 % go to the new version
    digits: route: 100 % vision/digits 2.0.0
    digits: remember: vision/digits 2.0.0 serves
    digits: drain digits-1
    digits: stop digits-1: it has answered everything
    ");
}

#[test]
fn a_new_commit_in_the_middle_of_a_rollout_goes_first() {
    let deployed = |text| {
        by(
            StrategyType::Canary,
            r#"[{"weight": 10, "for": "1h"}]"#,
            text,
        )
    };
    let mut story = Story::begins(&[("digits", &deployed(ONE))]);
    story.goes_on();
    story.main(&[("digits", &deployed(TWO))]);
    story.goes_on();
    story.main(&[("digits", &deployed(THREE))]);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: remember: the rollout to vision/digits 2.0.0 is no longer wanted; a rollout to vision/digits 3.0.0 begins
    digits: route: 100 % vision/digits 1.0.0
    digits: drain digits-2
    digits: stop digits-2: it has answered everything
    digits: start digits-3: vision/digits 3.0.0
    digits: remember: step 1: 10 % go to the new version
    digits: route: 90 % vision/digits 1.0.0, 10 % vision/digits 3.0.0
    (digits: step 1 lasts, until 2026-11-01T11:00:17Z)
    ");
}

#[test]
fn a_persons_word_pauses_a_rollout_and_sends_it_back() {
    let deployed = |text| {
        by(
            StrategyType::Canary,
            r#"[{"weight": 10, "for": "1m"}]"#,
            text,
        )
    };
    let said = |action| but(&deployed(TWO), |wanted| wanted.word = word(TWO, action));
    let mut story = Story::begins(&[("digits", &deployed(ONE))]);
    story.goes_on();
    story.main(&[("digits", &said(RolloutAction::Pause))]);
    story.goes_on();
    story.later(3600);
    insta::assert_snapshot!(story.goes_on(), @"(digits: paused by hand at step 1)");
    story.main(&[("digits", &said(RolloutAction::Abort))]);
    insta::assert_snapshot!(story.goes_on(), @"
    digits: remember: the rollout to vision/digits 2.0.0 is aborted by hand
    digits: drain digits-2
    digits: stop digits-2: it has answered everything
    (digits: the rollout to vision/digits 2.0.0 was aborted by hand)
    ");
}

#[test]
fn suspended_means_that_nothing_moves_weights_included() {
    let deployed = |text| {
        by(
            StrategyType::Canary,
            r#"[{"weight": 10, "for": "1m"}]"#,
            text,
        )
    };
    let mut story = Story::begins(&[("digits", &deployed(ONE))]);
    story.goes_on();
    story.main(&[("digits", &deployed(TWO))]);
    story.goes_on();
    let suspended = but(&deployed(TWO), |wanted| wanted.suspend = true);
    story.main(&[("digits", &suspended)]);
    story.later(86_400);
    insta::assert_snapshot!(story.goes_on(), @"(digits: suspended, nothing moves)");
}
