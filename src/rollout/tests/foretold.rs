//! What is foretold of a merge: its intents, their hash, and the course of its rollouts.

use std::collections::BTreeMap;

use super::stories::but;
use super::*;

/// A wanted deployment of `text` that takes so much of the pool `cpu`.
fn taking(text: &str, cpu_milli: u64) -> Wanted {
    let claim = Claim {
        pool: Some(name("cpu")),
        cpu_milli,
        ..Claim::default()
    };
    let unit = Unit {
        claim,
        ..unit(text, 1)
    };
    but(&wanted(text), |wanted| {
        wanted.side = Side::new([Choice::new(100, unit, vec![], vec![], None)]).unwrap();
    })
}

fn environment(deployments: &[(&str, Wanted)]) -> Environment {
    let wish = |(of, wanted): &(&str, Wanted)| (name(of), Wish::Run(Arc::new(wanted.clone())));
    let has = Capacity {
        cpu_milli: Some(4000),
        ..Capacity::default()
    };
    Environment {
        name: name("host"),
        deployments: deployments.iter().map(wish).collect(),
        pools: BTreeMap::from([(name("cpu"), has)]),
        may_be_empty: false,
    }
}

fn told(before: &Environment, behind: &Environment) -> Vec<Intent> {
    let one = |environment: &Environment| {
        let known = Desired::Known(environment.clone());
        BTreeMap::from([(environment.name.clone(), known)])
    };
    intents(&one(before), &one(behind))
}

#[test]
fn the_hash_is_of_what_should_change_and_of_nothing_else() {
    let (one, two) = ("vision/digits 1.0.0", "vision/digits 2.0.0");
    let base = environment(&[("digits", wanted(one)), ("other", wanted(one))]);
    let head = environment(&[("digits", wanted(two)), ("other", wanted(one))]);
    let shown = told(&base, &head);
    assert_eq!(shown.len(), 1);
    // What else is there, and stays, is of no matter; neither is a pool.
    let mut others = (
        environment(&[("digits", wanted(one))]),
        environment(&[("digits", wanted(two))]),
    );
    others.1.pools.clear();
    assert_eq!(hash(&told(&others.0, &others.1)), hash(&shown));
    // Where it comes from is, and so is everything by which it would be done otherwise.
    let from = environment(&[("digits", wanted("vision/digits 1.5.0"))]);
    assert_ne!(hash(&told(&from, &others.1)), hash(&shown));
    let ways: [fn(&mut Wanted); 4] = [
        |wanted| wanted.strategy.strategy_type = StrategyType::Rolling,
        |wanted| wanted.replicas = Replicas::fixed(2),
        |wanted| wanted.suspend = true,
        |wanted| wanted.required_tests = 3,
    ];
    for way in ways {
        let otherwise = environment(&[("digits", but(&wanted(two), way))]);
        assert_ne!(hash(&told(&others.0, &otherwise)), hash(&shown));
    }
    let claims = environment(&[("digits", taking(two, 1))]);
    assert_ne!(hash(&told(&others.0, &claims)), hash(&shown));
    // It can be read back, and is still the same.
    let read: Vec<Intent> = serde_json::from_str(&serde_json::to_string(&shown).unwrap()).unwrap();
    assert_eq!(read, shown);
    assert_eq!(told(&base, &base), []);
}

#[test]
fn what_nobody_knows_changes_nothing_and_what_is_held_is_told() {
    let base = environment(&[("digits", wanted("vision/digits 1.0.0"))]);
    let known = BTreeMap::from([(name("host"), Desired::Known(base.clone()))]);
    let unknown = Desired::Unknown {
        why: "broken".to_owned(),
    };
    let unknown = BTreeMap::from([(name("host"), unknown)]);
    assert_eq!(intents(&known, &unknown), []);
    assert_eq!(intents(&known, &BTreeMap::new()), []);
    // Where nothing was known, all is new.
    assert_eq!(intents(&unknown, &known), intents(&BTreeMap::new(), &known));

    let held = |why: &str| {
        let mut held = base.clone();
        let why = why.to_owned();
        held.deployments.insert(name("digits"), Wish::Held { why });
        told(&base, &held)
    };
    assert_eq!(held("a")[0].to, Some(Intended::Held));
    // The words of an error are not what is done.
    assert_eq!(hash(&held("a")), hash(&held("b")));
}

#[test]
fn a_course_has_its_weights_over_time() {
    let stable = side("vision/digits 1.0.0");
    let steps = r#"[{"weight": 5, "for": "10m"}, {"weight": 50, "for": "30m", "approval": true}]"#;
    let canary = but(&wanted("vision/digits 2.0.0"), |wanted| {
        wanted.strategy = strategy(StrategyType::Canary, steps);
        wanted.replicas = Replicas::fixed(4);
    });
    let legs = course(&canary, Some(&stable));
    let told: Vec<_> = legs
        .iter()
        .map(|leg| (leg.weight, leg.after_seconds, leg.candidates, leg.stables))
        .collect();
    assert_eq!(told, [(5, 0, 1, 4), (50, 600, 2, 4), (100, 2400, 4, 4)]);
    assert!(legs[1].approval);
    // Nothing takes over where the same serves, or nothing moves.
    assert_eq!(course(&canary, Some(&canary.side)), []);
    let suspended = but(&canary, |wanted| wanted.suspend = true);
    assert_eq!(course(&suspended, Some(&stable)), []);
    let many = but(&wanted("vision/digits 2.0.0"), |wanted| {
        wanted.strategy.strategy_type = StrategyType::Rolling;
        wanted.replicas = Replicas::fixed(u32::MAX);
    });
    assert_eq!(course(&many, Some(&stable)).len(), 50);
}

#[test]
fn old_and_new_take_of_their_pools_side_by_side() {
    let two = |text: &str, strategy_type: StrategyType| {
        but(&taking(text, 1000), |wanted| {
            wanted.strategy.strategy_type = strategy_type;
            wanted.replicas = Replicas::fixed(2);
        })
    };
    let takes = |strategy_type: StrategyType| {
        let base = environment(&[("digits", two("vision/digits 1.0.0", strategy_type))]);
        let head = environment(&[("digits", two("vision/digits 2.0.0", strategy_type))]);
        let pool = pools(Some(&base), &head).remove(0);
        [pool.before, pool.during, pool.after].map(|usage| usage.cpu_milli)
    };
    assert_eq!(takes(StrategyType::Recreate), [2000, 2000, 2000]);
    assert_eq!(takes(StrategyType::Rolling), [2000, 3000, 2000]);
    assert_eq!(takes(StrategyType::BlueGreen), [2000, 4000, 2000]);
    // What leaves is there until it is gone; what is there already serves for both.
    let stays = ("digits", taking("vision/digits 1.0.0", 3000));
    let leaves = ("other", taking("vision/digits 1.0.0", 2000));
    let base = environment(&[stays.clone(), leaves]);
    let pool = pools(Some(&base), &environment(&[stays])).remove(0);
    let told = [pool.before, pool.during, pool.after].map(|usage| usage.cpu_milli);
    assert_eq!(told, [5000, 5000, 3000]);
    assert!(pool.during.is_beyond(&pool.has) && !pool.after.is_beyond(&pool.has));
}
