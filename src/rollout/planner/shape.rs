//! The shape of a deployment: how many of what, which replicas are kept, and the route to them.
//!
//! It follows from what is remembered and what is seen, and from nothing else: whoever forgets the
//! route in force gets it again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::record::kind::StrategyType;
use crate::rollout::choice::{Choice, Part, Revision, Side};
use crate::rollout::observed::{Instance, InstanceId};
use crate::rollout::progress::Progress;
use crate::rollout::stage::Stage;
use crate::rollout::table::{Backend, Backends, Hop, Route};

use super::settle::{replicas, stages};
use super::site::Site;

/// What there shall be.
#[derive(Debug)]
pub(super) struct Shape {
    /// How many replicas each choice shall have.
    pub(super) counts: Vec<(Arc<Choice>, u32)>,
    /// The numbers of the replicas that stay.
    pub(super) kept: BTreeSet<u64>,
    /// How many more each part needs.
    pub(super) missing: Vec<(Arc<Choice>, Part, u32)>,
    /// Where requests go.
    pub(super) route: Route,
    eligible: Eligible,
}

type Eligible = BTreeMap<(Revision, Part), Vec<InstanceId>>;

impl Shape {
    pub(super) fn new(progress: &Progress, site: &Site<'_>) -> Self {
        let counts = counts(progress);
        let mut shape = Self {
            counts,
            kept: BTreeSet::new(),
            missing: Vec::new(),
            route: Route::default(),
            eligible: BTreeMap::new(),
        };
        for (choice, count) in shape.counts.clone() {
            for (part, _) in choice.units() {
                shape.keep(progress, site, &choice, part, count);
            }
        }
        shape.route = shape.route(progress);
        shape
    }

    /// How many replicas of `side` are ready, and how many shall be: `count` of each choice.
    pub(super) fn ready(&self, side: &Side, count: u32) -> (u32, u32) {
        let of = |choice: &Choice| {
            let parts = choice.units().map(|(part, _)| {
                let list = self.eligible.get(&(choice.revision(), part));
                list.map_or(0, Vec::len)
            });
            let least = parts.min().unwrap_or(0);
            u32::try_from(least).unwrap_or(u32::MAX).min(count)
        };
        let ready = side.choices().iter().map(|choice| of(choice));
        let wanted = u32::try_from(side.choices().len()).unwrap_or(u32::MAX);
        (ready.sum(), count.saturating_mul(wanted))
    }

    /// Chooses which replicas of a part stay: those that are ready before others, older ones
    /// before newer ones, and those that somebody changed only until there are others.
    fn keep(
        &mut self,
        progress: &Progress,
        site: &Site<'_>,
        choice: &Arc<Choice>,
        part: Part,
        count: u32,
    ) {
        let wanted = &progress.wanted;
        let stable = progress.stable.as_ref();
        let alive = |one: &&&Instance| {
            one.choice.revision() == choice.revision()
                && one.part == part
                && one.phase != crate::rollout::observed::Phase::Draining
                && site.broken(one, wanted.health_timeout).is_none()
        };
        let mut alive: Vec<&Instance> = site.instances.iter().filter(alive).copied().collect();
        alive.sort_by_key(|one| (!Site::eligible(one, stable), one.id.number));
        let (changed, good): (Vec<_>, Vec<_>) = alive
            .into_iter()
            .partition(|one| Site::drifted(one, wanted.drift));
        let size = count as usize;
        let good = &good[..size.min(good.len())];
        let ready = good
            .iter()
            .filter(|one| Site::eligible(one, stable))
            .count();
        let spare = changed.iter().take(size.saturating_sub(ready));
        let stay: Vec<_> = good.iter().chain(spare).copied().collect();
        let missing = size.saturating_sub(good.len());
        if missing > 0 {
            let missing = u32::try_from(missing).unwrap_or(u32::MAX);
            self.missing.push((Arc::clone(choice), part, missing));
        }
        self.kept.extend(stay.iter().map(|one| one.id.number));
        let answers = stay.iter().filter(|one| Site::eligible(one, stable));
        let mut answers: Vec<_> = answers.map(|one| one.id.clone()).collect();
        answers.sort();
        if !answers.is_empty() {
            self.eligible.insert((choice.revision(), part), answers);
        }
    }

    fn route(&self, progress: &Progress) -> Route {
        let wanted = &progress.wanted;
        let mut route = Route {
            path: wanted.path.clone(),
            sticky: wanted.sticky.clone(),
            ..Route::default()
        };
        let stable = self.side(progress.stable.as_ref());
        let Some((rollout, stage)) = stage(progress) else {
            route.backends = whole(stable);
            return route;
        };
        let candidate = self.side(Some(&rollout.candidate));
        if progress.stable.is_none() || stage.alone {
            route.backends = whole(candidate);
            return route;
        }
        let entered = rollout.since.is_some();
        let weight = if entered {
            stage.weight
        } else {
            stages(progress, rollout).weight_before(rollout.stage)
        };
        if weight == 0 && wanted.strategy.strategy_type == StrategyType::BlueGreen {
            route.preview = whole(candidate.clone());
        }
        if stage.mirror && entered {
            route.mirror = whole(candidate.clone());
        }
        route.backends = if weight == 0 || candidate.is_empty() {
            whole(stable)
        } else if stable.is_empty() {
            whole(candidate)
        } else {
            Backends::split(vec![(100 - weight, stable), (weight, candidate)])
        };
        route
    }

    /// Those of a side that can answer, each with its share.
    fn side(&self, side: Option<&Side>) -> Vec<(u32, Backend)> {
        let choices = side.map(Side::choices).unwrap_or_default();
        let backend = |choice: &Arc<Choice>| Some((choice.weight(), self.backend(choice)?));
        choices.iter().filter_map(backend).collect()
    }

    fn backend(&self, choice: &Choice) -> Option<Backend> {
        let mut backend = Backend {
            content: choice.content().clone(),
            revision: choice.revision(),
            weight: 0,
            instances: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
        };
        for (part, unit) in choice.units() {
            let instances = self.eligible.get(&(choice.revision(), part))?.clone();
            let content = unit.content.clone();
            let hop = |instances| Hop { content, instances };
            match part {
                Part::Model => backend.instances = instances,
                Part::Before(_) => backend.before.push(hop(instances)),
                Part::After(_) => backend.after.push(hop(instances)),
            }
        }
        Some(backend)
    }
}

fn whole(side: Vec<(u32, Backend)>) -> Backends {
    if side.is_empty() {
        return Backends::default();
    }
    Backends::split(vec![(100, side)])
}

/// The rollout and its stage, if there is one.
fn stage(progress: &Progress) -> Option<(&crate::rollout::progress::Rollout, Stage)> {
    let rollout = progress.rollout.as_ref()?;
    let stages = stages(progress, rollout);
    let last = stages.count().checked_sub(1)?;
    Some((rollout, stages.stage(rollout.stage.min(last))?))
}

/// How many replicas each choice shall have.
fn counts(progress: &Progress) -> Vec<(Arc<Choice>, u32)> {
    let mut counts: Vec<(Arc<Choice>, u32)> = Vec::new();
    let mut add = |side: &Side, count: u32| {
        for choice in side.choices() {
            let same = |one: &&mut (Arc<Choice>, u32)| one.0.revision() == choice.revision();
            match counts.iter_mut().find(same) {
                Some((_, most)) => *most = count.max(*most),
                None => counts.push((Arc::clone(choice), count)),
            }
        }
    };
    let all = replicas(progress);
    match stage(progress) {
        None => {
            if let Some(stable) = &progress.stable {
                add(stable, all);
            }
        }
        Some((rollout, stage)) => {
            let (before, after) = stage.stables;
            let entered = rollout.since.is_some();
            if let Some(stable) = &progress.stable {
                add(stable, if entered { after } else { before });
            }
            add(&rollout.candidate, stage.candidates);
        }
    }
    counts
}
