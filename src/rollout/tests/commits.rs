//! What main may say next: records that are changed at random, somewhere.

use jiff::SignedDuration;

use super::super::*;
use super::random::Random;
use super::{DEPLOYMENTS, at, content, name, seal, strategy};
use crate::record::Digest;
use crate::record::kind::{Drift, Finite, RolloutAction, RolloutWord, Span, StrategyType};

const ALL_STEPS: [&str; 5] = [
    r#"[{"weight": 5}, {"weight": 50, "for": "10m"}]"#,
    r#"[{"weight": 20, "for": "1m", "analysis": ["errors"]}, {"weight": 60}]"#,
    r#"[{"weight": 1, "analysis": ["errors", "tests"]}]"#,
    r#"[{"weight": 30, "approval": true}, {"weight": 100, "for": "30s"}]"#,
    r#"[{"for": "1m", "approval": true}]"#,
];

pub(crate) fn versions() -> impl Iterator<Item = String> {
    let models = ["m/a", "m/b", "m/c"];
    models
        .into_iter()
        .flat_map(|model| (1..=4).map(move |major| format!("{model} {major}.0.0")))
}

fn random_choice(random: &mut Random, weight: u32) -> Choice {
    let versions: Vec<_> = versions().collect();
    let text = random.pick::<String>(&versions).clone();
    let unit = |text: &str| Unit {
        claim: Claim {
            pool: Some(name("cpu")),
            cpu_milli: 1_000,
            ..Claim::default()
        },
        ..super::unit(text, 1)
    };
    let before = if random.chance(20) {
        vec![unit(random.pick::<String>(&versions))]
    } else {
        vec![]
    };
    Choice::new(weight, unit(&text), before, vec![], None)
}

pub(crate) fn random_word(random: &mut Random, wanted: &Wanted) -> RolloutWord {
    let digests: Vec<Digest> = wanted.side.digests().collect();
    let actions = [
        RolloutAction::Pause,
        RolloutAction::Resume,
        RolloutAction::Continue,
        RolloutAction::Abort,
    ];
    RolloutWord {
        digest: *random.pick(&digests),
        step: random
            .chance(50)
            .then(|| u32::try_from(random.below(3)).unwrap()),
        action: *random.pick(&actions),
    }
}

/// A deployment's record, changed somewhere.
pub(crate) fn change(random: &mut Random, mut wanted: Wanted) -> Wanted {
    match random.below(12) {
        0..=4 => {
            let split = random.chance(25);
            let shares = if split { 2 } else { 1 };
            let choices = (0..shares).map(|at| random_choice(random, 80 - at * 60));
            wanted.side = Side::new(choices.collect::<Vec<_>>()).unwrap();
        }
        5 | 6 => {
            let types = [
                StrategyType::Recreate,
                StrategyType::Rolling,
                StrategyType::BlueGreen,
                StrategyType::Canary,
                StrategyType::Shadow,
            ];
            let strategy_type = *random.pick(&types);
            let steps = match strategy_type {
                StrategyType::Recreate | StrategyType::Rolling => "[]",
                StrategyType::Canary => random.pick(&ALL_STEPS[..4]),
                _ if random.chance(30) => "[]",
                _ => random.pick(&ALL_STEPS),
            };
            wanted.strategy = strategy(strategy_type, steps);
            wanted.analyses = analyses(random);
            wanted.rollback.auto = random.chance(80);
            wanted.required_tests = if random.chance(10) { 2 } else { 1 };
        }
        7 => {
            let min = u32::try_from(random.below(4)).unwrap();
            wanted.replicas = Replicas {
                min,
                max: min + u32::try_from(random.below(3)).unwrap(),
                target: random.chance(30).then(|| Finite::try_from(10.0).unwrap()),
                idle_after: Span::minutes(5),
            };
        }
        8 => wanted.suspend = !wanted.suspend,
        9 => wanted.word = random.chance(70).then(|| random_word(random, &wanted)),
        10 => {
            let others = DEPLOYMENTS.map(name);
            let other = random.pick(&others).clone();
            wanted.depends_on = if random.chance(60) {
                vec![other]
            } else {
                vec![]
            };
            wanted.path = random.chance(50).then(|| "/same".parse().unwrap());
            wanted.drift = *random.pick(&[Drift::Correct, Drift::Report, Drift::Ignore]);
        }
        _ => {
            let first = &wanted.side.choices()[0];
            let text = first.content().to_string();
            let time = at("2026-11-01T09:00:00Z").checked_add(SignedDuration::from_secs(
                i64::try_from(random.below(5)).unwrap(),
            ));
            let unit = first.unit(Part::Model).unwrap().clone();
            assert_eq!(unit.content, content(&text));
            wanted.side = Side::new([Choice::new(1, unit, vec![], vec![], time.ok())]).unwrap();
        }
    }
    // Who is suspended now and then comes back, or all histories would end so.
    wanted.suspend &= random.chance(70);
    seal(&mut wanted);
    wanted
}

fn analyses(random: &mut Random) -> Vec<Analysis> {
    let analysis = |text: &str, source: Source, count: Option<u32>| Analysis {
        name: name(text),
        source,
        below: Finite::try_from(0.01).ok(),
        at_least: None,
        interval: Span::seconds(30),
        count,
        failure_limit: 1,
        inconclusive_limit: None,
        consecutive_error_limit: 4,
        min_samples: 100,
    };
    let metric = "error_rate".to_owned();
    let arguments = vec!["compare".to_owned()];
    let count = random
        .chance(70)
        .then(|| 1 + u32::try_from(random.below(3)).unwrap());
    vec![
        analysis("errors", Source::Gateway { metric }, count),
        analysis("tests", Source::Command { arguments }, Some(2)),
    ]
}

pub(crate) fn describe(known: &Environment) -> String {
    let wishes = known.deployments.iter().map(|(name, wish)| match wish {
        Wish::Held { why } => format!("{name} held: {why}"),
        Wish::Run(wanted) => {
            let Wanted {
                side,
                strategy,
                replicas,
                ..
            } = &**wanted;
            let steps: Vec<_> = strategy.steps.iter().map(|step| step.weight).collect();
            format!(
                "{name} {side} by {} {steps:?} x{}{}{}",
                strategy.strategy_type,
                replicas.min,
                if wanted.suspend { " suspended" } else { "" },
                wanted
                    .word
                    .as_ref()
                    .map(|word| format!(" {:?}", word))
                    .unwrap_or_default(),
            )
        }
    });
    wishes.collect::<Vec<_>>().join("; ")
}
