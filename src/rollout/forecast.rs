//! Forecasts: how a rollout would go, and what it would take of the pools meanwhile.
//!
//! They are told from what should be before and behind a change, as if what should be before
//! served: nothing is observed. Load is not foretold either, every deployment has its least number
//! of replicas.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::choice::{Choice, Part, Revision, Side};
use super::desired::{Capacity, Environment, Wanted, Wish};
use super::stage::{Stage, Stages};
use crate::record::Name;
use crate::record::kind::Span;

/// The most legs that are told of one rollout; one that goes replica by replica has as many as
/// there are replicas.
const MAX_LEGS: u32 = 50;

/// One leg of a rollout's course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Leg {
    /// The new version's share of the requests, in percent.
    pub weight: u8,
    /// How many seconds after the first leg's begin it begins, at the earliest.
    pub after_seconds: u64,
    /// How long it lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Span>,
    /// What has to hold before the next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub analyses: Vec<Name>,
    /// Whether a person has to approve the next.
    pub approval: bool,
    /// How many replicas each new version has.
    pub candidates: u32,
    /// How many each old one keeps.
    pub stables: u32,
    /// The new version gets copies of the requests.
    pub mirror: bool,
    /// Whoever asks for the new version gets it.
    pub preview: bool,
}

/// Amounts of what pools have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Processors, in thousandths.
    pub cpu_milli: u64,
    /// Memory.
    pub memory_bytes: u64,
    /// Graphics processors.
    pub gpu: u64,
}

/// What a pool gives before, during and after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolForecast {
    /// The pool.
    pub pool: Name,
    /// What it has; without a bound where nothing is said.
    pub has: Capacity,
    /// What is taken before.
    pub before: Usage,
    /// The most that is taken meanwhile, should all rollouts be at their height at once.
    pub during: Usage,
    /// What is taken behind.
    pub after: Usage,
}

/// The legs by which `wanted` takes over from `stable`; none where nothing is to be taken over.
pub fn course(wanted: &Wanted, stable: Option<&Side>) -> Vec<Leg> {
    let mut begins = 0_u64;
    let legs = stages(wanted, stable).into_iter().map(|stage| {
        let leg = Leg {
            weight: stage.weight,
            after_seconds: begins,
            lasts: stage.duration,
            analyses: stage.analyses,
            approval: stage.approval,
            candidates: stage.candidates,
            stables: stage.stables.1,
            mirror: stage.mirror,
            preview: stage.preview,
        };
        let lasts = stage
            .duration
            .map_or(0, |span| span.to_duration().as_secs());
        begins = begins.saturating_add(lasts);
        leg
    });
    legs.collect()
}

fn stages(wanted: &Wanted, stable: Option<&Side>) -> Vec<Stage> {
    // What serves already only gets other shares, at once.
    let is_new = wanted.side.beyond(stable).next().is_some();
    if wanted.suspend || !is_new {
        return Vec::new();
    }
    let stages = Stages::new(wanted, stable, &wanted.side, wanted.replicas.min);
    let count = stages.count().min(MAX_LEGS);
    (0..count).filter_map(|index| stages.stage(index)).collect()
}

/// What the pools of `behind` give, where `before` was wanted until now.
pub fn pools(before: Option<&Environment>, behind: &Environment) -> Vec<PoolForecast> {
    let old = |name: &Name| match before?.deployments.get(name)? {
        Wish::Run(wanted) => Some(&**wanted),
        Wish::Held { .. } => None,
    };
    let mut pools: BTreeMap<&Name, [Usage; 3]> = BTreeMap::new();
    for (name, wish) in &behind.deployments {
        let (from, to) = match wish {
            Wish::Run(wanted) => (old(name), &**wanted),
            // What runs stays.
            Wish::Held { .. } => match old(name) {
                Some(stays) => (Some(stays), stays),
                None => continue,
            },
        };
        add(&mut pools, from, to);
    }
    let leaving = before.into_iter().flat_map(|before| &before.deployments);
    for (name, wish) in leaving {
        if let (Wish::Run(wanted), false) = (wish, behind.deployments.contains_key(name)) {
            let taken = taken(&rest(wanted));
            for (pool, usage) in taken {
                let entry = pools.entry(pool).or_default();
                entry[0].add(usage);
                entry[1].add(usage);
            }
        }
    }
    let forecast = behind.pools.iter().map(|(pool, has)| {
        let [before, during, after] = pools.get(pool).copied().unwrap_or_default();
        PoolForecast {
            pool: pool.clone(),
            has: has.clone(),
            before,
            during,
            after,
        }
    });
    forecast.collect()
}

/// Adds what a deployment takes before, at its height, and behind.
fn add<'a>(pools: &mut BTreeMap<&'a Name, [Usage; 3]>, from: Option<&'a Wanted>, to: &'a Wanted) {
    let stable = from.map(|from| &from.side);
    let before = from.map(rest).unwrap_or_default();
    let mut states = vec![before.clone()];
    for stage in stages(to, stable) {
        let mut state = Replicas::default();
        if let Some(stable) = stable {
            state.put(stable, stage.stables.0.max(stage.stables.1));
        }
        state.put(&to.side, stage.candidates);
        states.push(state);
    }
    let after = match (to.suspend, from) {
        (true, Some(_)) => before.clone(),
        (true, None) => Replicas::default(),
        (false, _) => rest(to),
    };
    states.push(after.clone());
    for (at, states) in [(0, vec![before]), (1, states), (2, vec![after])] {
        for (pool, usage) in height(&states) {
            pools.entry(pool).or_default()[at].add(usage);
        }
    }
}

/// How many replicas there are of each choice.
#[derive(Debug, Clone, Default)]
struct Replicas<'a>(BTreeMap<Revision, (Option<&'a Choice>, u32)>);

impl<'a> Replicas<'a> {
    /// What both sides have serves for both.
    fn put(&mut self, side: &'a Side, count: u32) {
        for choice in side.choices() {
            let entry = self.0.entry(choice.revision()).or_default();
            *entry = (Some(choice), entry.1.max(count));
        }
    }
}

/// A deployment at rest.
fn rest(wanted: &Wanted) -> Replicas<'_> {
    let mut replicas = Replicas::default();
    replicas.put(&wanted.side, wanted.replicas.min);
    replicas
}

/// What replicas take, by pool.
fn taken<'a>(replicas: &Replicas<'a>) -> BTreeMap<&'a Name, Usage> {
    let mut pools: BTreeMap<&'a Name, Usage> = BTreeMap::new();
    for (choice, count) in replicas.0.values() {
        let unit = choice.and_then(|choice| choice.unit(Part::Model));
        let Some(claim) = unit.map(|unit| &unit.claim) else {
            continue;
        };
        if let Some(pool) = &claim.pool {
            let count = u64::from(*count);
            pools.entry(pool).or_default().add(Usage {
                cpu_milli: claim.cpu_milli.saturating_mul(count),
                memory_bytes: claim.memory_bytes.saturating_mul(count),
                gpu: u64::from(claim.gpu).saturating_mul(count),
            });
        }
    }
    pools
}

/// The most of everything that one of `states` takes.
fn height<'a>(states: &[Replicas<'a>]) -> BTreeMap<&'a Name, Usage> {
    let mut height: BTreeMap<&'a Name, Usage> = BTreeMap::new();
    for state in states {
        for (pool, usage) in taken(state) {
            let most = height.entry(pool).or_default();
            most.cpu_milli = most.cpu_milli.max(usage.cpu_milli);
            most.memory_bytes = most.memory_bytes.max(usage.memory_bytes);
            most.gpu = most.gpu.max(usage.gpu);
        }
    }
    height
}

impl Usage {
    fn add(&mut self, other: Self) {
        self.cpu_milli = self.cpu_milli.saturating_add(other.cpu_milli);
        self.memory_bytes = self.memory_bytes.saturating_add(other.memory_bytes);
        self.gpu = self.gpu.saturating_add(other.gpu);
    }

    /// Whether `has` is less than this in something.
    pub fn is_beyond(&self, has: &Capacity) -> bool {
        has.cpu_milli.is_some_and(|has| self.cpu_milli > has)
            || has.memory_bytes.is_some_and(|has| self.memory_bytes > has)
            || has.gpu.is_some_and(|has| self.gpu > u64::from(has))
    }
}
