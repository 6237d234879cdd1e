//! The real reconciler in a world that breaks between any two effects.
//!
//! A life is a function of its seed: commits, deaths, full disks, remotes that are away and leaps
//! of the clock come before, between and after the reconciler's effects, and now and then it is
//! killed there, as by `kill -9`: its future is dropped, and a new one begins from what is stored.
//! Every effect is held against what must never be ([`hands`]). Then nothing breaks any more, and
//! it has to come to rest, after which a pass has no effect.
//!
//! `MODELYARD_SEED=1234` replays one life and tells it; `MODELYARD_SEEDS=20000` runs so many.

mod hands;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::FutureExt as _;
use jiff::SignedDuration;

use super::{Reconciler, Report};
use crate::rollout::tests::rest::{for_ever, measures};
use crate::rollout::{Desired, Plan, Wait, Wish};
use world::World;

/// How many lives a test run goes through where nothing is said.
const SEEDS: u64 = 200;
/// In so many passes everything has to come to rest.
const PASSES: usize = 800;

struct Life {
    world: Arc<World>,
    /// Nobody where it was killed and not started again yet.
    reconciler: Option<Reconciler>,
    kills: u64,
}

impl Life {
    fn new(seed: u64) -> Self {
        Self {
            world: Arc::new(World::new(seed)),
            reconciler: None,
            kills: 0,
        }
    }

    /// One pass, of a new reconciler where there is none. `None` where it was killed.
    fn pass(&mut self) -> Option<Report> {
        if self.reconciler.is_none() {
            let begun = Reconciler::new(hands::edges(&self.world)).now_or_never();
            self.reconciler = begun.and_then(Result::ok);
        }
        let report = self.reconciler.as_mut()?.pass().now_or_never();
        if report.is_none() {
            self.kills += 1;
            self.world.tell("killed");
            self.reconciler = None;
            self.world.server_died();
        }
        report
    }

    fn trouble(&mut self, passes: u64) {
        self.world.set_faults(true);
        for _ in 0..passes {
            self.world.something_happens();
            let report = self.pass();
            self.world.tell_of(report.as_ref());
        }
    }

    /// Nothing breaks any more: it comes to rest, and then a pass has no effect.
    fn quiet(&mut self) {
        self.world.tell("quiet");
        self.world.set_faults(false);
        self.world.nobody_asks();
        let report = self.rest();
        self.world.is_as_it_should_be(&report);
        let before = self.world.effects();
        self.world.pass_time(SignedDuration::from_secs(1));
        let again = self.pass().expect("nobody kills it");
        let only_measures = again.done.iter().all(measures);
        assert!(only_measures, "work is left: {:?}", told(&again));
        if again.done.is_empty() {
            assert_eq!(self.world.effects(), before, "a second pass has effects");
        }
    }

    fn rest(&mut self) -> Report {
        for _ in 0..PASSES {
            let Some(mut report) = self.pass() else {
                panic!("nobody kills it");
            };
            self.world.tell_of(Some(&report));
            assert!(report.troubles.is_empty(), "{:?}", report.troubles);
            let plan = Plan {
                steps: std::mem::take(&mut report.done),
                waits: report.waits.clone(),
                changes: Vec::new(),
            };
            let rests = for_ever(&plan);
            let busy = plan.steps.iter().any(|step| !measures(step));
            let idle = plan.steps.is_empty();
            report.done = plan.steps;
            let second = SignedDuration::from_secs(1);
            let look = report.next_look.filter(|_| !rests);
            let until = [look, report.retry_at].into_iter().flatten().min();
            let now = report.at;
            let wait = until.map_or(second, |until| until.duration_since(now).max(second));
            let moved = self.world.pass_time(if busy { second } else { wait });
            if !busy && !moved && until.is_none() && (idle || rests) {
                return report;
            }
        }
        panic!("no rest after {PASSES} passes");
    }
}

fn told(report: &Report) -> Vec<String> {
    report.done.iter().map(ToString::to_string).collect()
}

/// Lives one life. Tells how often it was killed, and the log.
fn live(seed: u64) -> (Result<u64, String>, Vec<String>) {
    let mut life = Life::new(seed);
    let lived = catch_unwind(AssertUnwindSafe(|| {
        life.trouble(10 + seed % 50);
        life.quiet();
    }));
    let log = life.world.log();
    let lived = lived.map(|()| life.kills).map_err(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        said.unwrap_or_default()
    });
    (lived, log)
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn whenever_it_is_killed_and_whatever_breaks_it_comes_to_rest() {
    if let Some(seed) = number("MODELYARD_SEED") {
        let (lived, log) = live(seed);
        println!("{}", log.join("\n"));
        lived.unwrap();
        return;
    }
    let seeds = number("MODELYARD_SEEDS").unwrap_or(SEEDS);
    let (next, kills) = (AtomicU64::new(0), AtomicU64::new(0));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return None;
            }
            match live(seed) {
                (Ok(killed), _) => kills.fetch_add(killed, Ordering::Relaxed),
                (Err(said), _) => return Some((seed, said)),
            };
        }
    };
    let failure = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let ends = threads.into_iter().map(|thread| thread.join().unwrap());
        ends.collect::<Vec<_>>().into_iter().flatten().min()
    });
    if let Some((seed, said)) = failure {
        panic!("life {seed}: {said}\nsee it with MODELYARD_SEED={seed}");
    }
    let kills = kills.load(Ordering::Relaxed);
    println!("{seeds} lives came to rest, with {kills} kills between two effects");
    assert!(kills > seeds / 2, "only {kills} were killed");
}

#[test]
fn a_life_replays_exactly() {
    for seed in [44, 59, 127] {
        let (one, other) = (live(seed), live(seed));
        assert_eq!(one, other);
        assert!(one.1.len() > 30, "{:?}", one.1);
    }
}

/// What main says of each deployment, and why it isn't there where it isn't.
fn unexplained<'a>(
    desired: &'a Desired,
    waits: &'a [Wait],
) -> impl Iterator<Item = (&'a crate::record::Name, &'a crate::rollout::Wanted)> {
    let wishes = match desired {
        Desired::Known(known) => Some(&known.deployments),
        Desired::Unknown { .. } => None,
    };
    wishes.into_iter().flatten().filter_map(|(name, wish)| {
        let Wish::Run(wanted) = wish else {
            return None;
        };
        let explained = waits.iter().any(|wait| wait.deployment == *name);
        (!explained).then_some((name, &**wanted))
    })
}
