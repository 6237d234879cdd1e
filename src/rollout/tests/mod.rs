//! The planner in a small world that can break: stories to read, and histories by the thousand.

pub(crate) mod commits;
mod environment;
mod foretold;
mod history;
pub(crate) mod random;
pub(crate) mod rest;
mod stories;
pub(crate) mod world;

use std::sync::Arc;

use jiff::Timestamp;
use sha2::Digest as _;

use crate::record::kind::{self, Drift, Span, StrategyType, WriteBack};
use crate::record::{Digest, Name};

use super::*;

pub(crate) const DEPLOYMENTS: [&str; 3] = ["a", "b", "c"];

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn digest(text: &str) -> Digest {
    Digest::from_bytes(sha2::Sha256::digest(text).into())
}

/// `vision/digits 1.0.0`, as it is written.
pub(crate) fn content(text: &str) -> Content {
    let (model, version) = text.split_once(' ').unwrap();
    Content::Model(Release {
        model: model.parse().unwrap(),
        version: version.parse().unwrap(),
        digest: digest(text),
    })
}

fn unit(text: &str, tests: u32) -> Unit {
    Unit {
        content: content(text),
        launch: Launch::default(),
        claim: Claim::default(),
        tests,
    }
}

fn side(text: &str) -> Side {
    Side::new([Choice::new(100, unit(text, 1), vec![], vec![], None)]).unwrap()
}

fn strategy(strategy_type: StrategyType, steps: &str) -> kind::Strategy {
    let steps = serde_json::from_str(steps).unwrap();
    kind::Strategy {
        strategy_type,
        steps,
    }
}

/// A deployment of `text`, one replica, that is recreated.
pub(crate) fn wanted(text: &str) -> Wanted {
    let mut wanted = Wanted {
        generation: digest(""),
        side: side(text),
        required_tests: 0,
        strategy: strategy(StrategyType::Recreate, "[]"),
        analyses: vec![],
        replicas: Replicas::fixed(1),
        depends_on: vec![],
        path: None,
        sticky: None,
        rollback: Rollback {
            auto: true,
            window: 2,
            write_back: WriteBack::PullRequest,
        },
        health_timeout: Span::minutes(10),
        drain_timeout: Span::seconds(30),
        drift: Drift::Correct,
        suspend: false,
        word: None,
    };
    seal(&mut wanted);
    wanted
}

/// Gives it its generation, as rooms above do.
fn seal(wanted: &mut Wanted) {
    let same = Wanted {
        generation: digest(""),
        suspend: false,
        word: None,
        ..wanted.clone()
    };
    wanted.generation = canonical::digest(&same);
}

pub(crate) fn environment(deployments: &[(&str, &Wanted)]) -> Environment {
    let run = |wanted: &Wanted| Wish::Run(Arc::new(wanted.clone()));
    Environment {
        name: name("host"),
        deployments: deployments
            .iter()
            .map(|(one, wanted)| (name(one), run(wanted)))
            .collect(),
        pools: [].into(),
        may_be_empty: false,
    }
}
