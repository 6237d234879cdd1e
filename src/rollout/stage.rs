//! Strategies: each is a row of stages, and one machine walks all of them.
//!
//! | strategy | stages |
//! | --- | --- |
//! | `recreate` | one: the old ones are gone, the new ones get everything |
//! | `rolling` | one for each replica: one more new one, one less old one, its share of traffic |
//! | `blueGreen` | its steps at no weight with a preview, then all the weight, kept for a while |
//! | `canary` | its steps with their weights, then all the weight |
//! | `shadow` | its steps at no weight with copies of the requests, then all the weight |
//!
//! A first version has nothing to be compared with: one stage without conditions. A version that
//! is only started once more goes replica by replica, whatever the strategy. The stages of
//! records' steps have the steps' numbers; what is added stands behind them.

use crate::record::Name;
use crate::record::kind::{Span, Step, StrategyType};

use super::choice::Side;
use super::desired::Wanted;

/// How long the old side of a `blueGreen` is kept ready where no step says it.
const KEPT_READY: Span = Span::seconds(30);

/// A stage of a rollout: what runs, who gets what, and what has to hold before the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stage {
    /// The candidate's share of the requests, in percent.
    pub weight: u8,
    /// How many replicas each choice of the candidate has; the weight holds when they are ready.
    pub candidates: u32,
    /// How many each choice of the stable side has, before the weight holds and after.
    pub stables: (u32, u32),
    /// No replica of the stable side may be left before the candidate's start.
    pub alone: bool,
    /// Whoever asks for the new version gets it.
    pub preview: bool,
    /// The candidate gets copies.
    pub mirror: bool,
    /// How long it lasts.
    pub duration: Option<Span>,
    /// What has to hold.
    pub analyses: Vec<Name>,
    /// A person has to approve what comes next.
    pub approval: bool,
}

/// The stages of one rollout.
#[derive(Debug)]
pub struct Stages<'a> {
    shape: Shape<'a>,
    replicas: u32,
}

#[derive(Debug)]
enum Shape<'a> {
    /// Nothing serves yet.
    First,
    Recreate,
    Rolling,
    Steps(StrategyType, &'a [Step]),
}

impl<'a> Stages<'a> {
    /// The stages by which `candidate` takes over from `stable`, with so many replicas of each.
    pub fn new(wanted: &'a Wanted, stable: Option<&Side>, candidate: &Side, replicas: u32) -> Self {
        let shape = match (stable, wanted.strategy.strategy_type) {
            (None, _) => Shape::First,
            (_, StrategyType::Recreate) => Shape::Recreate,
            (_, StrategyType::Rolling) => Shape::Rolling,
            (Some(stable), _) if candidate.restarts(stable) => Shape::Rolling,
            (_, strategy) => Shape::Steps(strategy, &wanted.strategy.steps),
        };
        Self {
            shape,
            replicas: replicas.max(1),
        }
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        match self.shape {
            Shape::First | Shape::Recreate => 1,
            Shape::Rolling => self.replicas,
            Shape::Steps(strategy, steps) => {
                let written = u32::try_from(steps.len()).unwrap_or(u32::MAX);
                let ends = steps.iter().any(|step| step.weight == Some(100));
                match strategy {
                    // A shadow without steps goes on until somebody approves.
                    StrategyType::Shadow => written.max(1) + 1,
                    _ if ends => written,
                    _ => written + 1,
                }
            }
        }
    }

    /// The stage of that number; behind the last one there is none.
    pub fn stage(&self, index: u32) -> Option<Stage> {
        if index >= self.count() {
            return None;
        }
        let all = self.replicas;
        let whole = Stage {
            weight: 100,
            candidates: all,
            stables: (all, all),
            ..Stage::default()
        };
        Some(match self.shape {
            Shape::First => whole,
            Shape::Recreate => Stage {
                stables: (0, 0),
                alone: true,
                ..whole
            },
            Shape::Rolling => self.roll(index),
            Shape::Steps(strategy, steps) => match steps.get(index as usize) {
                Some(step) => self.step(strategy, steps, index as usize, step),
                None if strategy == StrategyType::Shadow && index == 0 => Stage {
                    weight: 0,
                    mirror: true,
                    approval: true,
                    ..whole
                },
                None if strategy == StrategyType::BlueGreen => Stage {
                    duration: Some(KEPT_READY),
                    ..whole
                },
                None => whole,
            },
        })
    }

    /// The candidate's share before the stage's own weight holds.
    pub fn weight_before(&self, index: u32) -> u8 {
        let before = index.checked_sub(1).and_then(|before| self.stage(before));
        before.map_or(0, |stage| stage.weight)
    }

    /// Replica by replica; one old one stays until the end, so that there is a way back.
    fn roll(&self, index: u32) -> Stage {
        let all = self.replicas;
        let new = index + 1;
        let weight = u64::from(new) * 100 / u64::from(all);
        Stage {
            weight: u8::try_from(weight).unwrap_or(100),
            candidates: new,
            stables: (all - index, (all - new).max(1)),
            ..Stage::default()
        }
    }

    fn step(&self, strategy: StrategyType, steps: &[Step], index: usize, step: &Step) -> Stage {
        let said = steps[..=index].iter().rev().find_map(|step| step.weight);
        let weight = match strategy {
            StrategyType::Shadow => 0,
            _ => said.unwrap_or(0).min(100),
        };
        let share = u64::from(self.replicas) * u64::from(weight);
        let candidates = match strategy {
            StrategyType::Canary => u32::try_from(share.div_ceil(100)).unwrap_or(1).max(1),
            _ => self.replicas,
        };
        Stage {
            weight,
            candidates,
            stables: (self.replicas, self.replicas),
            alone: false,
            preview: strategy == StrategyType::BlueGreen && weight == 0,
            mirror: strategy == StrategyType::Shadow,
            duration: step.duration,
            analyses: step.analysis.clone(),
            approval: step.approval.unwrap_or(false),
        }
    }
}
