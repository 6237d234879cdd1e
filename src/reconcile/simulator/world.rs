//! What there is beside the reconciler, and what happens to it by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::super::Report;
use super::{told, unexplained};
use crate::platform::clock::Clock;
use crate::record::{Digest, Name};
use crate::rollout::tests::commits::{change, versions};
use crate::rollout::tests::random::Random;
use crate::rollout::tests::world::Nature;
use crate::rollout::tests::{DEPLOYMENTS, at, content, environment, name, wanted};
use crate::rollout::{
    Artifact, ArtifactPhase, Content, Desired, InstanceId, Load, Measurement, Phase, State, Table,
    Wish,
};
use crate::target::fake::{self, Fake};

/// A clock that goes when it is told to.
#[derive(Debug)]
pub(super) struct Time(Mutex<Timestamp>);

impl Clock for Time {
    fn now(&self) -> Timestamp {
        *lock(&self.0)
    }
}

/// Everything beside the reconciler.
pub(super) struct World {
    pub(super) time: Arc<Time>,
    pub(super) target: Fake,
    natures: BTreeMap<Digest, Nature>,
    faults: AtomicBool,
    effects: AtomicU64,
    pub(super) inner: Mutex<Inner>,
}

/// What changes.
pub(super) struct Inner {
    pub(super) random: Random,
    pub(super) desired: Arc<Desired>,
    pub(super) commit: u64,
    pub(super) artifacts: Vec<Artifact>,
    pub(super) stored: State,
    /// What the reconciler knows, stored or not.
    pub(super) known: State,
    /// What was stored of failures: it must not come back by itself.
    pub(super) failed: BTreeMap<Name, Vec<(Digest, Digest)>>,
    /// Reverts that the yard has.
    pub(super) reverts: BTreeSet<(Name, u64)>,
    /// Of the server, and gone with it.
    pub(super) routes: Table,
    pub(super) load: BTreeMap<Name, Load>,
    pub(super) evidence: Vec<Measurement>,
    /// How the instances were when the reconciler looked last.
    pub(super) seen: BTreeMap<InstanceId, Phase>,
    log: Vec<String>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x51_4D_55_4C);
        let time = Arc::new(Time(Mutex::new(at("2026-11-01T10:00:00Z"))));
        let target = Fake::new(Arc::clone(&time) as Arc<dyn Clock>);
        let mut natures = BTreeMap::new();
        for text in versions() {
            let bad = [
                (Nature::DiesAtOnce, fake::Nature::DiesAtOnce),
                (Nature::NeverAnswers, fake::Nature::NeverAnswers),
                (Nature::FailsGolden, fake::Nature::FailsGolden),
                (Nature::Unverifiable, fake::Nature::Good),
                (Nature::BadNumbers, fake::Nature::Good),
            ];
            if random.chance(30) {
                let (nature, runs) = *random.pick(&bad);
                natures.insert(content(&text).digest(), nature);
                target.set_nature(content(&text).digest(), runs);
            }
        }
        let first = wanted("m/a 1.0.0");
        Self {
            time,
            target,
            natures,
            faults: AtomicBool::new(false),
            effects: AtomicU64::new(0),
            inner: Mutex::new(Inner {
                random,
                desired: Arc::new(Desired::Known(environment(&[("a", &first)]))),
                commit: 1,
                artifacts: Vec::new(),
                stored: State::default(),
                known: State::default(),
                failed: BTreeMap::new(),
                reverts: BTreeSet::new(),
                routes: Table::new(),
                load: BTreeMap::new(),
                evidence: Vec::new(),
                seen: BTreeMap::new(),
                log: Vec::new(),
            }),
        }
    }

    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    pub(super) fn tell(&self, line: impl Into<String>) {
        self.inner().log.push(line.into());
    }

    pub(super) fn log(&self) -> Vec<String> {
        self.inner().log.clone()
    }

    pub(super) fn tell_of(&self, report: Option<&Report>) {
        let Some(report) = report else {
            return;
        };
        let waits: Vec<_> = report.waits.iter().map(ToString::to_string).collect();
        let troubles = report.troubles.iter();
        let troubles: Vec<_> = troubles.map(|one| one.failure.to_string()).collect();
        self.tell(format!(
            "{} did {:?}, waits {waits:?}, troubles {troubles:?}",
            report.at,
            told(report),
        ));
    }

    pub(super) fn set_faults(&self, on: bool) {
        self.faults.store(on, Ordering::Relaxed);
    }

    pub(super) fn breaks(&self) -> bool {
        self.faults.load(Ordering::Relaxed)
    }

    pub(super) fn effects(&self) -> u64 {
        self.effects.load(Ordering::Relaxed)
    }

    pub(super) fn count_effect(&self) {
        self.effects.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn nature(&self, content: &Content) -> Nature {
        let nature = self.natures.get(&content.digest());
        nature.copied().unwrap_or(Nature::Good)
    }

    /// What dies with the server: what it held in memory, and what it was doing.
    pub(super) fn server_died(&self) {
        let mut inner = self.inner();
        inner.routes.clear();
        inner.load.clear();
        inner.evidence.clear();
        let fetching = |one: &Artifact| one.phase == ArtifactPhase::Fetching;
        inner.artifacts.retain(|one| !fetching(one));
        for one in &mut inner.artifacts {
            if one.phase == ArtifactPhase::Verifying {
                one.phase = ArtifactPhase::Fetched;
            }
        }
        // What is stored is read back as it was written.
        if inner.random.chance(10) {
            let read = State::read(&inner.stored.write()).unwrap();
            assert_eq!(read, inner.stored);
            inner.stored = read;
        }
        inner.known = inner.stored.clone();
        drop(inner);
        self.target.lose_tests();
    }

    /// Nobody sends requests any more.
    pub(super) fn nobody_asks(&self) {
        let mut inner = self.inner();
        for deployment in DEPLOYMENTS {
            let nothing = Load {
                value: crate::record::kind::Finite::try_from(0.0).ok(),
                ..Load::default()
            };
            inner.load.insert(name(deployment), nothing);
        }
    }

    /// Something that nobody asked for, before, between or after effects.
    pub(super) fn something_happens(&self) {
        let what = self.inner().random.below(8);
        match what {
            0 | 1 => self.commit(),
            2 => {
                let running = self.target.running();
                if !running.is_empty() {
                    let victim = self.inner().random.pick(&running).id.clone();
                    self.tell(format!("{victim} dies"));
                    self.target.kill(&victim, "somebody killed it");
                }
            }
            3 => {
                let running = self.target.running();
                if !running.is_empty() {
                    let one = self.inner().random.pick(&running).id.clone();
                    self.target.drift(&one, "its limits were changed");
                }
            }
            4 => {
                let mut inner = self.inner();
                let waiting = inner.random.below(2);
                let load = Load {
                    waiting,
                    ..Load::default()
                };
                let deployment = name(inner.random.pick::<&str>(&DEPLOYMENTS));
                inner.load.insert(deployment, load);
            }
            5 => {
                let leaps = [-3_600, -10, 700, 86_400];
                let leap = *self.inner().random.pick(&leaps);
                self.tell(format!("the clock leaps by {leap} s"));
                let mut now = lock(&self.time.0);
                *now = now.checked_add(SignedDuration::from_secs(leap)).unwrap();
            }
            _ => {
                let seconds = [1, 1, 1, 40, 700];
                let seconds = *self.inner().random.pick(&seconds);
                self.pass_time(SignedDuration::from_secs(seconds));
            }
        }
    }

    /// Main says something else.
    fn commit(&self) {
        let mut inner = self.inner();
        let inner = &mut *inner;
        let mut known = match &*inner.desired {
            Desired::Known(known) => known.clone(),
            Desired::Unknown { .. } => environment(&[]),
        };
        inner.commit += 1;
        let deployment = name(inner.random.pick::<&str>(&DEPLOYMENTS));
        match inner.random.below(14) {
            0 => {
                let why = "the yard can't be parsed".to_owned();
                inner.desired = Arc::new(Desired::Unknown { why });
                return;
            }
            1 => {
                known.deployments.clear();
                known.may_be_empty = inner.random.chance(30);
            }
            2 => {
                known.deployments.remove(&deployment);
            }
            3 => {
                let why = "it is not released".to_owned();
                known.deployments.insert(deployment, Wish::Held { why });
            }
            _ => {
                let old = match known.deployments.get(&deployment) {
                    Some(Wish::Run(old)) => (**old).clone(),
                    _ => wanted("m/a 1.0.0"),
                };
                let new = Wish::Run(Arc::new(change(&mut inner.random, old)));
                known.deployments.insert(deployment, new);
            }
        }
        for (name, failed) in &mut inner.failed {
            if let Some(Wish::Run(wanted)) = known.deployments.get(name) {
                failed.retain(|(_, generation)| *generation == wanted.generation);
            }
        }
        inner.log.push(format!("commit {}", inner.commit));
        inner.desired = Arc::new(Desired::Known(known));
    }

    /// Time passes, and what was begun goes on. Returns whether anything moved.
    pub(super) fn pass_time(&self, time: SignedDuration) -> bool {
        {
            let mut now = lock(&self.time.0);
            *now = now.checked_add(time).unwrap();
        }
        let phases = |world: &Self| -> Vec<_> {
            let running = world.target.running();
            let looks = running
                .into_iter()
                .map(|one| (one.id, one.phase, one.golden));
            looks.collect()
        };
        let before = phases(self);
        self.target.go_on();
        let mut moved = phases(self) != before;
        let now = self.time.now();
        let mut inner = self.inner();
        let away = self.breaks() && inner.random.chance(15);
        for one in &mut inner.artifacts {
            let next = match &one.phase {
                ArtifactPhase::Fetching if away => ArtifactPhase::Away {
                    why: "nobody answers".to_owned(),
                    attempts: 1,
                    at: now,
                },
                ArtifactPhase::Fetching => ArtifactPhase::Fetched,
                ArtifactPhase::Verifying => match self.nature(&one.content) {
                    Nature::Unverifiable => ArtifactPhase::Refused {
                        why: "nobody signed it".to_owned(),
                    },
                    _ => ArtifactPhase::Verified,
                },
                _ => continue,
            };
            one.phase = next;
            moved = true;
        }
        moved
    }

    /// What came to rest is what should be, or it is said why not.
    pub(super) fn is_as_it_should_be(&self, report: &Report) {
        let inner = self.inner();
        let running = self.target.running();
        for (name, wanted) in unexplained(&inner.desired, &report.waits) {
            let progress = &inner.stored.deployments[name];
            let stable = progress.stable.as_ref().expect("something serves");
            assert!(stable.same(&wanted.side), "{name} serves {stable}");
            assert!(progress.rollout.is_none(), "{name} still rolls out");
            let units: usize = stable.choices().iter().map(|one| one.units().count()).sum();
            let mine = running.iter().filter(|one| one.id.deployment == *name);
            let mine: Vec<_> = mine.collect();
            let count = wanted.replicas.min as usize * units;
            assert_eq!(mine.len(), count, "{name} has {} replicas", mine.len());
            let ready = mine.iter().all(|one| one.phase == Phase::Ready);
            assert!(ready, "{name} has replicas that don't answer");
            if count > 0 {
                let route = &inner.routes[name];
                let shares = route.backends.all().len();
                assert_eq!(shares, stable.choices().len(), "{name}: {route}");
            }
        }
        let Desired::Known(known) = &*inner.desired else {
            return;
        };
        if known.deployments.is_empty() && !known.may_be_empty {
            return;
        }
        for one in &running {
            let name = &one.id.deployment;
            assert!(known.deployments.contains_key(name), "{} was left", one.id);
        }
    }
}
