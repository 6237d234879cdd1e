//! Replicas: what is missing is fetched, verified and started, what is too much drained and
//! stopped.

use std::sync::Arc;

use jiff::Timestamp;

use crate::record::kind::{Drift, Span, StrategyType};
use crate::rollout::choice::{Choice, Content, Part};
use crate::rollout::clock;
use crate::rollout::observed::{ArtifactPhase, Golden, Instance, InstanceId, Phase};
use crate::rollout::progress::Progress;
use crate::rollout::step::{Event, Step};
use crate::rollout::wait::{Wait, Why};

use super::pools::Pools;
use super::shape::Shape;
use super::site::{Site, tests};

/// So many replicas of a new version may fail until it has failed.
pub(super) const MAX_STARTS: u32 = 3;
/// After the first failure so long, after each more twice as long …
const FIRST_DELAY_MILLISECONDS: u64 = 1_000;
/// … but never longer: whoever repairs what was broken doesn't wait longer for it to be seen.
const LONGEST_DELAY_MILLISECONDS: u64 = 300_000;
/// After so long without a failure, beyond the time until a replica answers, what has proven itself
/// is as good as new.
const FORGIVEN_AFTER: Span = Span::minutes(10);

/// Counts the replicas that failed since the last look.
pub(super) fn count_failures(progress: &mut Progress, site: &Site<'_>, events: &mut Vec<Event>) {
    let timeout = progress.wanted.health_timeout;
    let sides = [
        progress.stable.clone(),
        progress.rollout.as_ref().map(|one| one.candidate.clone()),
    ];
    let used = |revision| sides.iter().flatten().any(|side| side.has(revision));
    for instance in &site.instances {
        let revision = instance.choice.revision();
        let Some(broken) = site.broken(instance, timeout) else {
            continue;
        };
        if !broken.counts || !used(revision) {
            continue;
        }
        let proven = progress
            .stable
            .as_ref()
            .is_some_and(|side| side.has(revision));
        let starts = progress.starts.entry(revision).or_default();
        if starts.counted.insert(instance.id.number) {
            let answered = clock::later(starts.last_at, timeout);
            if proven && clock::passed(answered, FORGIVEN_AFTER, site.now) {
                starts.failures = 0;
            }
            starts.failures = starts.failures.saturating_add(1);
            starts.last_at = site.now;
            starts.why.clone_from(&broken.why);
            let (id, why) = (instance.id.clone(), broken.why);
            events.push(Event::ReplicaFailed { id, why });
        }
    }
    let there = site.numbers();
    progress.starts.retain(|revision, starts| {
        starts.counted.retain(|number| there.contains(number));
        used(*revision)
    });
}

/// How long to wait after so many failures: doubled each time, capped, and for each deployment a
/// little different, so that not all start at once.
fn delay(site: &Site<'_>, failures: u32) -> Span {
    let doubled = FIRST_DELAY_MILLISECONDS << failures.saturating_sub(1).min(20);
    let capped = doubled.min(LONGEST_DELAY_MILLISECONDS);
    let seed = site
        .name
        .as_str()
        .bytes()
        .fold(u64::from(failures), |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
    let jitter = capped / 5 * (seed % 100) / 100;
    let milliseconds = u32::try_from(capped - jitter).unwrap_or(u32::MAX);
    Span::milliseconds(milliseconds)
}

/// When what failed `failures` times, last at `last`, may be tried again, if not yet.
fn not_before(site: &Site<'_>, last: Timestamp, failures: u32) -> Option<Timestamp> {
    let delay = delay(site, failures);
    (!clock::passed(last, delay, site.now)).then(|| clock::later(last, delay))
}

/// Fetches, verifies and starts what is missing, and runs golden tests on what answers.
pub(super) fn hire(
    progress: &mut Progress,
    site: &Site<'_>,
    shape: &Shape,
    pools: &mut Pools<'_>,
    waits: &mut Vec<Wait>,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let strangers = |one: &&Instance| {
        let same = |(choice, count): &(Arc<Choice>, u32)| {
            *count > 0 && choice.revision() == one.choice.revision()
        };
        !shape.counts.iter().any(same)
    };
    let alone = progress.wanted.strategy.strategy_type == StrategyType::Recreate;
    let crowded = alone && site.instances.iter().copied().any(|one| strangers(&one));
    for (choice, part, missing) in &shape.missing {
        let Some(unit) = choice.unit(*part) else {
            continue;
        };
        if !have(site, &unit.content, &mut steps, waits) {
            continue;
        }
        if let Some(starts) = progress.starts.get(&choice.revision()) {
            let proven = progress.stable.as_ref();
            let proven = proven.is_some_and(|side| side.has(choice.revision()));
            if !proven && starts.failures >= MAX_STARTS {
                // It would have gone back, but a person is to decide.
                continue;
            }
            if let Some(until) = not_before(site, starts.last_at, starts.failures) {
                let why = Why::BackOff(unit.content.clone(), starts.why.clone());
                waits.push(site.wait(why, Some(until)));
                continue;
            }
        }
        if crowded {
            waits.push(site.wait(Why::Alone, None));
            continue;
        }
        for _ in 0..*missing {
            if let Err(pool) = pools.take(&unit.claim) {
                waits.push(site.wait(Why::Pool(pool), None));
                break;
            }
            steps.push(start(progress, site, choice, *part));
        }
    }
    try_out(progress, site, shape, &mut steps, waits);
    steps
}

fn start(progress: &mut Progress, site: &Site<'_>, choice: &Arc<Choice>, part: Part) -> Step {
    let highest = site.instances.iter().map(|one| one.id.number).max();
    progress.instances = progress
        .instances
        .max(highest.unwrap_or(0))
        .saturating_add(1);
    Step::Start {
        id: InstanceId {
            deployment: site.name.clone(),
            number: progress.instances,
        },
        choice: Arc::clone(choice),
        part,
    }
}

/// Whether bytes may be started from; if not, what brings them nearer.
fn have(site: &Site<'_>, content: &Content, steps: &mut Vec<Step>, waits: &mut Vec<Wait>) -> bool {
    let deployment = site.name.clone();
    let step = match site.artifacts.get(content) {
        Some(ArtifactPhase::Verified) => return true,
        Some(ArtifactPhase::Fetching | ArtifactPhase::Verifying) => None,
        Some(ArtifactPhase::Refused { why }) => {
            let why = Why::Refused(content.clone(), why.clone());
            waits.push(site.wait(why, None));
            return false;
        }
        Some(ArtifactPhase::Away { why, attempts, at }) => {
            if let Some(until) = not_before(site, *at, *attempts) {
                let why = Why::Away(content.clone(), why.clone());
                waits.push(site.wait(why, Some(until)));
                return false;
            }
            let content = content.clone();
            Some(Step::Fetch {
                deployment,
                content,
            })
        }
        Some(ArtifactPhase::Fetched) => Some(Step::Verify {
            deployment,
            content: content.clone(),
        }),
        None => Some(Step::Fetch {
            deployment,
            content: content.clone(),
        }),
    };
    steps.extend(step.filter(|step| !steps.contains(step)));
    waits.push(site.wait(Why::Bytes(content.clone()), None));
    false
}

/// Runs golden tests on what answers and has not proven itself.
fn try_out(
    progress: &Progress,
    site: &Site<'_>,
    shape: &Shape,
    steps: &mut Vec<Step>,
    waits: &mut Vec<Wait>,
) {
    let timeout = progress.wanted.health_timeout;
    for instance in &site.instances {
        if !shape.kept.contains(&instance.id.number) {
            continue;
        }
        if progress.wanted.drift == Drift::Report
            && let Some(how) = &instance.drift
        {
            let why = Why::Drift(instance.id.clone(), how.clone());
            waits.push(site.wait(why, None));
        }
        let revision = instance.choice.revision();
        let proven = progress
            .stable
            .as_ref()
            .is_some_and(|side| side.has(revision));
        let Some(unit) = instance.choice.unit(instance.part) else {
            continue;
        };
        match (&instance.phase, &instance.golden) {
            (Phase::Starting | Phase::Unhealthy { .. }, _) => {
                let until = clock::later(instance.since, timeout);
                let why = Why::Starting(instance.id.clone());
                waits.push(site.wait(why, Some(until)));
            }
            (Phase::Ready, Golden::Untested) if !proven && tests(instance) > 0 => {
                steps.push(Step::RunGoldenTests {
                    id: instance.id.clone(),
                    content: unit.content.clone(),
                });
            }
            (Phase::Ready, Golden::Running) if !proven => {
                waits.push(site.wait(Why::Golden(unit.content.clone()), None));
            }
            _ => {}
        }
    }
}

/// Drains and stops whatever is too much.
pub(super) fn dismiss(
    site: &Site<'_>,
    kept: impl Fn(u64) -> bool,
    timeouts: (Span, Span),
    waits: &mut Vec<Wait>,
) -> Vec<Step> {
    let (health, drain) = timeouts;
    let mut steps = Vec::new();
    for instance in &site.instances {
        let id = instance.id.clone();
        if kept(id.number) {
            continue;
        }
        let stop = |why: String| Step::Stop {
            id: id.clone(),
            why,
        };
        if let Some(broken) = site.broken(instance, health) {
            steps.push(stop(broken.why));
            continue;
        }
        match instance.phase {
            Phase::Starting | Phase::Failed { .. } => {
                steps.push(stop("it is no longer wanted".to_owned()));
            }
            Phase::Ready | Phase::Unhealthy { .. } => steps.push(Step::Drain { id }),
            Phase::Draining if instance.in_flight == 0 => {
                steps.push(stop("it has answered everything".to_owned()));
            }
            Phase::Draining => {
                let waited = clock::elapsed(instance.since, site.now);
                let until = clock::later(instance.since, drain);
                if waited.is_some() && until <= site.now {
                    let left = instance.in_flight;
                    steps.push(stop(format!("{left} requests took longer than {drain}")));
                } else {
                    let until = waited.map(|_| until);
                    waits.push(site.wait(Why::Draining(id.clone()), until));
                }
            }
        }
    }
    steps
}
