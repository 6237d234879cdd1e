//! The planner: from what should be and what is to what is to be done next.
//!
//! Each deployment is looked at by itself, in this order: [`order`] says whether it may move at
//! all; [`settle`] takes up what main says; [`judge`] moves its rollout by at most one stage;
//! [`shape`] tells from that how many of what there shall be, and the route; [`staff`] asks for
//! what is missing and sends away what is too much.
//!
//! Of the steps, what is remembered comes first, then the route, then replicas, then the revert:
//! a crash between any two leaves a world from which the next pass goes on. The route is never
//! remembered, it follows from the rest.

mod judge;
mod leave;
mod order;
mod pools;
mod scale;
mod settle;
mod shape;
mod site;
mod staff;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::analysis::Measurement;
use super::change::changes;
use super::desired::{Desired, Wanted};
use super::observed::{Instance, Observed};
use super::plan::Plan;
use super::progress::{Progress, Revert};
use super::step::{Event, Step};
use super::wait::{Wait, Why};
use crate::record::Name;
use order::Mode;
use pools::Pools;
use shape::Shape;
use site::{Artifacts, Site};

/// What to do next, so that what is becomes what should be.
///
/// `evidence` are the measurements that were taken, in any order, old ones among them; `now` is
/// the time, which may have leapt. Where nothing is left to do the plan has no steps.
pub fn plan(
    desired: &Desired,
    observed: &Observed,
    evidence: &[Measurement],
    now: Timestamp,
) -> Plan {
    let mut plan = Plan {
        changes: changes(desired, observed),
        ..Plan::default()
    };
    let artifacts: Artifacts<'_> = observed
        .artifacts
        .iter()
        .map(|artifact| (&artifact.content, &artifact.phase))
        .collect();
    let mut instances: BTreeMap<&Name, Vec<&Instance>> = BTreeMap::new();
    for instance in &observed.instances {
        let all = instances.entry(&instance.id.deployment).or_default();
        all.push(instance);
    }
    let mut measurements: BTreeMap<&Name, Vec<&Measurement>> = BTreeMap::new();
    for measurement in evidence {
        let all = measurements.entry(&measurement.ask.deployment).or_default();
        all.push(measurement);
    }
    let capacity = match desired {
        Desired::Known(environment) => Some(&environment.pools),
        Desired::Unknown { .. } => None,
    };
    let mut pools = Pools::new(capacity, &observed.instances);
    for (name, mode) in &order::modes(desired, observed) {
        let mut instances = instances.remove(name).unwrap_or_default();
        instances.sort_by_key(|one| one.id.number);
        let mut measurements = measurements.remove(name).unwrap_or_default();
        measurements.sort_by_key(|one| one.ask.number);
        let site = Site {
            name,
            now,
            instances,
            artifacts: &artifacts,
            route: observed.routes.get(name),
            load: observed.load.get(name),
            measurements,
        };
        let stored = observed.state.deployments.get(name);
        match mode {
            Mode::Leave { after } => leave::plan(&site, stored, after.as_ref(), &mut plan),
            Mode::Suspended(wanted) => suspended(&site, stored, wanted, &mut plan),
            Mode::Keep(why) => {
                plan.waits.push(site.wait(why.clone(), None));
                if let Some(progress) = stored {
                    let progress = Progress::clone(progress);
                    deployment(
                        &site,
                        stored,
                        progress,
                        true,
                        &mut pools,
                        Vec::new(),
                        &mut plan,
                    );
                }
            }
            Mode::Run { wanted, unmet } => {
                run(&site, stored, wanted, unmet.clone(), &mut pools, &mut plan);
            }
        }
    }
    plan
}

/// A deployment that shall be as main says.
fn run(
    site: &Site<'_>,
    stored: Option<&Arc<Progress>>,
    wanted: &Arc<Wanted>,
    unmet: Option<Why>,
    pools: &mut Pools<'_>,
    plan: &mut Plan,
) {
    let mut events = Vec::new();
    let mut progress = match stored {
        Some(progress) => Progress::clone(progress),
        None => settle::adopt(site, wanted, &mut events),
    };
    let stays = settle::take_up(&mut progress, wanted, unmet, &mut events);
    plan.waits.extend(stays.map(|why| site.wait(why, None)));
    deployment(site, stored, progress, false, pools, events, plan);
}

/// The steps of a deployment, of which `progress` is what is remembered so far.
fn deployment(
    site: &Site<'_>,
    stored: Option<&Arc<Progress>>,
    mut progress: Progress,
    keeps: bool,
    pools: &mut Pools<'_>,
    mut events: Vec<Event>,
    plan: &mut Plan,
) {
    let mut waits: Vec<Wait> = Vec::new();
    staff::count_failures(&mut progress, site, &mut events);
    scale::follow(&mut progress, site, &mut events, &mut waits);
    let shape = Shape::new(&progress, site);
    let judgement = judge::judge(&mut progress, site, &shape, keeps, &mut events);
    let shape = Shape::new(&progress, site);
    waits.extend(judgement.waits);
    let mut steps = staff::hire(&mut progress, site, &shape, pools, &mut waits);
    steps.extend(judgement.measure);
    if let (Some(stable), None) = (&progress.stable, &progress.rollout) {
        let (ready, all) = shape.ready(stable, settle::replicas(&progress));
        if ready < all {
            waits.push(site.wait(Why::Replicas(ready, all), None));
        }
    }
    let wanted = &progress.wanted;
    let timeouts = (wanted.health_timeout, wanted.drain_timeout);
    let kept = |number| shape.kept.contains(&number);
    steps.extend(staff::dismiss(site, kept, timeouts, &mut waits));
    let reverts = if keeps {
        Vec::new()
    } else {
        reverts(site, &progress)
    };
    if stored.is_none_or(|stored| **stored != progress) {
        plan.steps.push(Step::Remember {
            deployment: site.name.clone(),
            progress: Arc::new(progress),
            events,
        });
    }
    if site.route != Some(&shape.route) {
        plan.steps.push(Step::SetRoute {
            deployment: site.name.clone(),
            route: shape.route,
        });
    }
    plan.steps.extend(steps);
    plan.steps.extend(reverts);
    waits.dedup();
    plan.waits.extend(waits);
}

/// Asks for each revert that is due, and remembers that it was written.
fn reverts(site: &Site<'_>, progress: &Progress) -> Vec<Step> {
    let mut progress = progress.clone();
    let mut steps = Vec::new();
    let way = progress.wanted.rollback.write_back;
    let due: Vec<usize> = (0..progress.failures.len())
        .filter(|&at| progress.failures[at].revert == Revert::Due)
        .collect();
    for at in due {
        steps.push(Step::WriteRevert {
            deployment: site.name.clone(),
            failure: Box::new(progress.failures[at].clone()),
            way,
        });
        progress.failures[at].revert = Revert::Written;
        steps.push(Step::Remember {
            deployment: site.name.clone(),
            progress: Arc::new(progress.clone()),
            events: vec![Event::Reverted],
        });
    }
    steps
}

/// Nothing moves; only a gateway that has no route any more gets it again.
fn suspended(
    site: &Site<'_>,
    stored: Option<&Arc<Progress>>,
    _wanted: &Arc<Wanted>,
    plan: &mut Plan,
) {
    plan.waits.push(site.wait(Why::Suspended, None));
    if let (Some(progress), None) = (stored, site.route) {
        plan.steps.push(Step::SetRoute {
            deployment: site.name.clone(),
            route: Shape::new(progress, site).route,
        });
    }
}
