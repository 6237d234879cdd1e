//! Histories by the thousand: commits, words, crashes, deaths and leaps of the clock, and then
//! quiet.
//!
//! A history is a function of its number. `MODELYARD_HISTORY=1234` replays one and tells it;
//! `MODELYARD_HISTORIES=1000000` runs so many.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::SignedDuration;

use super::super::*;
use super::commits::{change, describe, random_word, versions};
use super::random::Random;
use super::world::{Nature, World};
use super::{DEPLOYMENTS, at, content, name, wanted};
use crate::record::kind::Finite;

/// How many histories a test run goes through where nothing is said.
const HISTORIES: u64 = 10_000;
pub(super) struct History {
    random: Random,
    pub(super) world: World,
    /// What could make a good version look bad.
    pub(super) mishaps: u64,
}

impl History {
    fn new(number: u64) -> Self {
        let mut random = Random::new(number);
        let mut world = World::new(
            at("2026-11-01T10:00:00Z"),
            Desired::Unknown {
                why: "nothing was fetched yet".to_owned(),
            },
        );
        for text in versions() {
            let natures = [
                Nature::DiesAtOnce,
                Nature::NeverAnswers,
                Nature::FailsGolden,
                Nature::Unverifiable,
                Nature::BadNumbers,
            ];
            let bad = random.chance(35);
            let nature = if bad {
                *random.pick(&natures)
            } else {
                Nature::Good
            };
            world.natures.insert(content(&text).digest(), nature);
        }
        Self {
            random,
            world,
            mishaps: 0,
        }
    }

    /// Everything that can happen, in any order.
    fn trouble(&mut self, events: u64) {
        for _ in 0..events {
            if self.random.chance(30) {
                self.commit();
            }
            if self.random.chance(30) {
                self.mishap();
            }
            if self.random.chance(15) {
                self.word();
            }
            self.load();
            let seconds = match self.random.below(4) {
                0 => 0,
                1 => 1,
                2 => 40,
                _ => 700,
            };
            let passes = SignedDuration::from_secs(seconds);
            self.world.tick(passes, Some(&mut self.random));
            self.pass(true);
        }
    }

    /// One pass; where it may break it does between any two steps.
    pub(super) fn pass(&mut self, breaks: bool) -> Plan {
        let plan = self.world.plan();
        for (at, step) in plan.steps.iter().enumerate() {
            if breaks && self.random.chance(6) {
                self.world.tell(|| "  (crash)".to_owned());
                self.crash();
                break;
            }
            let failed = plan.steps[..at]
                .iter()
                .any(|before| before.deployment() == step.deployment());
            if breaks && failed && self.random.chance(3) {
                self.world.tell(|| format!("  (skipped) {step}"));
                break;
            }
            self.world.apply(step);
            if breaks && self.random.chance(10) {
                self.world.apply(step);
            }
        }
        plan
    }

    /// Only what is stored, and what runs by itself, is left.
    fn crash(&mut self) {
        let observed = &mut self.world.observed;
        // Not each time: reading and writing is slow beside all the rest.
        if self.random.chance(10) {
            let stored = State::read(&observed.state.write()).unwrap();
            assert_eq!(stored, observed.state);
            observed.state = stored;
        }
        self.world.evidence.clear();
        observed.load.clear();
        for instance in &mut observed.instances {
            if instance.golden == Golden::Running {
                instance.golden = Golden::Untested;
            }
        }
        for artifact in &mut observed.artifacts {
            artifact.phase = match &artifact.phase {
                ArtifactPhase::Verifying => ArtifactPhase::Fetched,
                other => other.clone(),
            };
        }
        let halfway = |one: &Artifact| one.phase == ArtifactPhase::Fetching;
        observed.artifacts.retain(|one| !halfway(one));
        if self.random.chance(50) {
            observed.routes.clear();
        }
    }

    fn mishap(&mut self) {
        let random = &mut self.random;
        let observed = &mut self.world.observed;
        match random.below(9) {
            0..=2 if !observed.instances.is_empty() => {
                let index = random.below(observed.instances.len() as u64);
                let one = &mut observed.instances[usize::try_from(index).unwrap()];
                let why = "somebody killed it".to_owned();
                one.phase = match random.below(3) {
                    0 => Phase::Unhealthy { why },
                    _ => Phase::Failed { why },
                };
                one.since = self.world.now;
                self.mishaps += 1;
            }
            3 if !observed.instances.is_empty() => {
                let index = random.below(observed.instances.len() as u64);
                let one = &mut observed.instances[usize::try_from(index).unwrap()];
                one.drift = Some("its limits were changed".to_owned());
                one.in_flight = random.below(4);
            }
            4 => {
                let leaps = [-400_000_000, -3_600, -10, 3_600, 86_400, 400_000_000];
                let leap = SignedDuration::from_secs(*random.pick(&leaps));
                self.world.now = self.world.now.checked_add(leap).unwrap();
                self.mishaps += 10;
            }
            5 => {
                let victim = name(random.pick::<&str>(&DEPLOYMENTS));
                if random.chance(30) {
                    observed.state.deployments.remove(&victim);
                    self.world.forget(&victim);
                }
            }
            6 => {
                let gone = observed.artifacts.len() as u64;
                if gone > 0 && random.chance(50) {
                    let index = random.below(gone);
                    observed.artifacts.remove(usize::try_from(index).unwrap());
                }
            }
            7 => observed.routes.clear(),
            8 => self.crash(),
            _ => {}
        }
    }

    fn load(&mut self) {
        for deployment in DEPLOYMENTS {
            if self.random.chance(20) {
                let load = Load {
                    waiting: self.random.below(2),
                    in_flight: self.random.below(2),
                    value: Finite::try_from(f64::from(
                        u32::try_from(self.random.below(50)).unwrap(),
                    ))
                    .ok(),
                };
                self.world.observed.load.insert(name(deployment), load);
            }
        }
    }

    /// Main says something new.
    fn commit(&mut self) {
        let random = &mut self.random;
        let mut known = match &self.world.desired {
            Desired::Known(known) => known.clone(),
            Desired::Unknown { .. } => super::environment(&[]),
        };
        match random.below(20) {
            0 => {
                let why = "the yard can't be parsed".to_owned();
                self.world.desired = Desired::Unknown { why };
                return;
            }
            1 => {
                known.deployments.clear();
                known.may_be_empty = random.chance(50);
            }
            2 => {
                let capacity = Capacity {
                    cpu_milli: random.chance(50).then(|| 4_000 + random.below(8) * 1_000),
                    ..Capacity::default()
                };
                known.pools.insert(name("cpu"), capacity);
                let used = self.world.observed.instances.len() as u64 * 1_000;
                let pool = known.pools.values_mut();
                // A pool is never made smaller than what is taken: checks refuse that.
                pool.for_each(|one| one.cpu_milli = one.cpu_milli.map(|has| has.max(used)));
            }
            _ => {
                let deployment = name(random.pick::<&str>(&DEPLOYMENTS));
                let wish = match random.below(12) {
                    0 => None,
                    1 => Some(Wish::Held {
                        why: "it is not released".to_owned(),
                    }),
                    _ => {
                        let old = match known.deployments.get(&deployment) {
                            Some(Wish::Run(old)) => Wanted::clone(old),
                            _ => wanted("m/a 1.0.0"),
                        };
                        Some(Wish::Run(Arc::new(change(random, old))))
                    }
                };
                match wish {
                    Some(wish) => known.deployments.insert(deployment, wish),
                    None => known.deployments.remove(&deployment),
                };
            }
        }
        self.world.tell(|| format!("main: {}", describe(&known)));
        self.world.desired = Desired::Known(known);
        self.world.said();
    }

    /// A person's word on this host.
    fn word(&mut self) {
        let deployment = name(self.random.pick::<&str>(&DEPLOYMENTS));
        let Some(progress) = self.world.progress(&deployment) else {
            return;
        };
        let word = random_word(&mut self.random, &progress.wanted.clone());
        self.world
            .tell(|| format!("by hand: {deployment} {:?}", word.action));
        assert!(self.world.observed.state.hear(&deployment, word));
    }
}

/// Lives through one history.
fn live(number: u64, tells: bool) -> Result<(), String> {
    let mut history = History::new(number);
    history.world.log = tells.then(Vec::new);
    // Short ones first: the first that fails is easy to read.
    let events = 4 + number % 40;
    let lived = catch_unwind(AssertUnwindSafe(|| {
        history.trouble(events);
        history.quiet();
    }));
    lived.map_err(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let log = history.world.log.take().unwrap_or_default();
        format!("{}\n{}", log.join("\n"), said.unwrap_or_default())
    })
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn whatever_happens_it_comes_to_rest_and_nothing_unproven_ever_serves() {
    if let Some(one) = number("MODELYARD_HISTORY") {
        if let Err(story) = live(one, true) {
            panic!("history {one}:\n{story}");
        }
        return;
    }
    let histories = number("MODELYARD_HISTORIES").unwrap_or(HISTORIES);
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let failures = std::thread::scope(|scope| {
        let work = || {
            let mut failures = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= histories {
                    return failures;
                }
                if let Err(said) = live(number, false) {
                    failures.push((number % 40, number, said));
                    if failures.len() >= 20 {
                        return failures;
                    }
                }
            }
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().unwrap());
        }
        all
    });
    let Some((_, shortest, said)) = failures.iter().min() else {
        println!("{histories} histories came to rest, and nothing was ever wrong on their way");
        return;
    };
    let count = failures.len();
    let mut kinds: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (_, number, said) in &failures {
        let kind = kinds.entry(said.trim()).or_insert((0, *number));
        kind.0 += 1;
    }
    panic!(
        "{count} histories failed: {kinds:?}, the shortest is {shortest}:{said}\n\
         see it with MODELYARD_HISTORY={shortest}"
    );
}

#[test]
fn a_history_replays_exactly_and_many_have_seen_everything() {
    let tell = |number: u64| {
        let mut history = History::new(number);
        history.world.log = Some(Vec::new());
        history.trouble(40);
        history.quiet();
        (history.world.log, history.world.kinds)
    };
    assert_eq!(tell(17), tell(17));
    let kinds: BTreeSet<String> = (0..400).flat_map(|number| tell(number).1).collect();
    let all = "Remember SetRoute RemoveRoute Fetch Verify Start RunGoldenTests Measure Drain Stop \
        WriteRevert Prune \
        Adopted Began Preempted Reached Approved Settled Aborted Failed Halted ReplicaFailed \
        Scaled Reverted Cleared \
        UnknownYard EmptyYard Held Suspended Cycle PathTaken Dependency Dependents NoDependency \
        Paused Lasts Approval Analysis Bytes Away Refused Replicas Starting Golden BackOff Pool \
        Alone Draining Idle TooFewTests Drift";
    let unseen: Vec<_> = all
        .split_whitespace()
        .filter(|kind| !kinds.contains(*kind))
        .collect();
    assert!(unseen.is_empty(), "no history has {unseen:?}");
}
