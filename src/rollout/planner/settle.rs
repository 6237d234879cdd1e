//! Takes up what main says: what is no longer wanted ends, what is new begins.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::record::kind::{RolloutAction, RolloutWord};
use crate::rollout::choice::{Content, Side, Unit};
use crate::rollout::desired::Wanted;
use crate::rollout::observed::{Golden, Instance, Phase};
use crate::rollout::progress::{Hand, Progress, Rollout};
use crate::rollout::stage::Stages;
use crate::rollout::step::Event;
use crate::rollout::wait::Why;

use super::site::{Site, tests};

/// What a deployment starts from where nothing is remembered: what runs already.
///
/// What the route in force sends requests to has proven itself; without a route, the oldest
/// replica that is ready and not known to be bad.
pub(super) fn adopt(site: &Site<'_>, wanted: &Arc<Wanted>, events: &mut Vec<Event>) -> Progress {
    let mut progress = Progress::new(Arc::clone(wanted));
    let good = |one: &&&Instance| {
        one.phase == Phase::Ready
            && !matches!(one.golden, Golden::Failed { .. })
            && (one.golden == Golden::Passed || tests(one) == 0 || routed(site, one))
    };
    let good: Vec<&Instance> = site.instances.iter().filter(good).copied().collect();
    let has = |one: &Instance, part| {
        let same = |other: &&Instance| other.choice.revision() == one.choice.revision();
        good.iter()
            .copied()
            .filter(same)
            .any(|other| other.part == part)
    };
    // Who lacks a coprocessor can't answer, and has proven nothing.
    let whole = |one: &&Instance| one.choice.units().all(|(part, _)| has(one, part));
    let good: Vec<&Instance> = good.iter().copied().filter(whole).collect();
    let served: Vec<&Instance> = good
        .iter()
        .copied()
        .filter(|one| routed(site, one))
        .collect();
    let candidates = if served.is_empty() { &good } else { &served };
    let runs = |side: &Side| {
        let ready = |one: &&Instance, side: &Side| side.has(one.choice.revision());
        let mut choices = side.choices().iter();
        choices.all(|choice| {
            candidates
                .iter()
                .any(|one| one.choice.revision() == choice.revision())
        }) && candidates.iter().all(|one| ready(one, side))
    };
    progress.stable = if runs(&wanted.side) && !candidates.is_empty() {
        Some(wanted.side.clone())
    } else {
        let old = |one: &&&Instance| !wanted.side.has(one.choice.revision());
        let mut old: Vec<&Instance> = candidates.iter().filter(old).copied().collect();
        old.sort_by_key(|one| one.id.number);
        let mut choices = BTreeMap::new();
        for one in old {
            if served.is_empty() && !choices.is_empty() {
                break;
            }
            choices.insert(one.choice.revision(), Arc::clone(&one.choice));
        }
        (!choices.is_empty()).then(|| choices.into_values().collect())
    };
    events.extend(progress.stable.clone().map(Event::Adopted));
    progress
}

fn routed(site: &Site<'_>, instance: &Instance) -> bool {
    site.route.is_some_and(|route| {
        let backends = route.backends.all();
        backends
            .iter()
            .any(|one| one.revision == instance.choice.revision())
    })
}

/// Takes up what main says now. Returns why nothing new begins, if so.
pub(super) fn take_up(
    progress: &mut Progress,
    wanted: &Arc<Wanted>,
    unmet: Option<Why>,
    events: &mut Vec<Event>,
) -> Option<Why> {
    let news = progress.wanted.generation != wanted.generation;
    if news {
        if !progress.failures.is_empty() {
            events.push(Event::Cleared);
        }
        progress.failures.clear();
        progress.starts.clear();
        progress.hand = None;
    }
    let otherwise = |hand: &Hand| hand.main != wanted.word;
    if progress.hand.as_ref().is_some_and(otherwise) {
        progress.hand = None;
    }
    let before = std::mem::replace(&mut progress.wanted, Arc::clone(wanted));
    progress.history.truncate(wanted.rollback.window as usize);
    drop_stale(progress, &before, events);
    if progress.rollout.is_some() {
        return None;
    }
    begin(progress, unmet, events)
}

/// Ends a rollout to what is no longer wanted.
fn drop_stale(progress: &mut Progress, before: &Wanted, events: &mut Vec<Event>) {
    let wanted = Arc::clone(&progress.wanted);
    let Some(rollout) = &mut progress.rollout else {
        return;
    };
    let back = progress
        .stable
        .as_ref()
        .is_some_and(|stable| stable.same(&wanted.side));
    if !back && rollout.candidate.same(&wanted.side) {
        if rollout.generation != wanted.generation {
            rollout.generation = wanted.generation;
            if before.strategy != wanted.strategy || before.analyses != wanted.analyses {
                rollout.stage = 0;
                rollout.restart_stage();
            }
        }
        return;
    }
    events.push(Event::Preempted(rollout.candidate.clone()));
    let candidate = rollout.candidate.clone();
    if !back && switched(progress) {
        progress.settle(&candidate);
    }
    progress.rollout = None;
}

/// Whether the candidate has all the traffic already.
fn switched(progress: &Progress) -> bool {
    let Some(rollout) = &progress.rollout else {
        return false;
    };
    let stages = stages(progress, rollout);
    rollout.since.is_some()
        && stages
            .stage(rollout.stage)
            .is_some_and(|stage| stage.weight == 100)
}

/// The stages of a rollout as the deployment stands.
pub(super) fn stages<'a>(progress: &'a Progress, rollout: &Rollout) -> Stages<'a> {
    let replicas = replicas(progress);
    Stages::new(
        &progress.wanted,
        progress.stable.as_ref(),
        &rollout.candidate,
        replicas,
    )
}

/// How many replicas each choice has; during a rollout one at least, or nothing could be seen.
pub(super) fn replicas(progress: &Progress) -> u32 {
    let fixed = progress.wanted.replicas.min;
    let count = progress.scale.as_ref().map_or(fixed, |scale| scale.count);
    match progress.rollout {
        Some(_) => count.max(1),
        None => count,
    }
}

fn begin(progress: &mut Progress, unmet: Option<Why>, events: &mut Vec<Event>) -> Option<Why> {
    let side = progress.wanted.side.clone();
    if let Some(stable) = &progress.stable {
        if stable.same(&side) {
            // What is the same may have other golden tests by now.
            progress.stable = Some(side);
            return None;
        }
        if side.beyond(Some(stable)).next().is_none() {
            events.push(Event::Settled(side.clone()));
            progress.settle(&side);
            return None;
        }
    }
    if aborted(progress, &side) {
        return Some(Why::Aborted(side));
    }
    if let Some(failure) = progress.held(&side) {
        return Some(Why::Failed(failure.cause.clone()));
    }
    let required = progress.wanted.required_tests;
    for choice in side.beyond(progress.stable.as_ref()) {
        let units = choice.units().filter(|(_, unit)| is_model(unit));
        if let Some((_, unit)) = units.into_iter().find(|(_, unit)| unit.tests < required) {
            return Some(Why::TooFewTests(unit.content.clone(), unit.tests, required));
        }
    }
    if unmet.is_some() {
        return unmet;
    }
    progress.rollouts += 1;
    for choice in side.choices() {
        progress.starts.remove(&choice.revision());
    }
    events.push(Event::Began(side.clone()));
    progress.rollout = Some(Rollout::new(
        progress.rollouts,
        progress.wanted.generation,
        side,
    ));
    None
}

fn is_model(unit: &Unit) -> bool {
    matches!(unit.content, Content::Model(_))
}

/// Whether a person sent `side` back.
pub(super) fn aborted(progress: &Progress, side: &Side) -> bool {
    let new = |word: &&RolloutWord| concerns(progress, side, word);
    let word = progress.word().filter(new);
    word.is_some_and(|word| word.action == RolloutAction::Abort)
}

/// Whether a word is on a digest that `side` brings.
pub(super) fn concerns(progress: &Progress, side: &Side, word: &RolloutWord) -> bool {
    let mut new = side.beyond(progress.stable.as_ref());
    new.any(|choice| {
        choice
            .units()
            .any(|(_, unit)| unit.content.digest() == word.digest)
    })
}
