//! A world of replicas, bytes and measurements that does what steps say, slowly, and breaks when
//! told to. It holds every step against what must never be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::super::*;
use super::random::Random;
use crate::record::kind::{Finite, StrategyType};
use crate::record::{Digest, Name};

/// What a version is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nature {
    Good,
    DiesAtOnce,
    NeverAnswers,
    FailsGolden,
    Unverifiable,
    BadNumbers,
}

/// The world.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) desired: Desired,
    pub(super) observed: Observed,
    pub(super) evidence: Vec<Measurement>,
    pub(super) natures: BTreeMap<Digest, Nature>,
    /// What failed, and what main said then: it must not come back by itself.
    pub(super) failed: BTreeMap<Name, Vec<(Digest, Digest)>>,
    /// Causes that were told, for whoever asks whether they are true.
    pub(super) causes: Vec<Cause>,
    /// Reverts that the yard has.
    pub(super) reverts: BTreeSet<(Name, u64)>,
    written: BTreeSet<(Name, u64)>,
    /// What the last plan was made from.
    seen: BTreeMap<InstanceId, (Phase, Golden)>,
    /// The kinds of steps, events and waits there were.
    pub(super) kinds: BTreeSet<String>,
    /// Told when somebody reads.
    pub(super) log: Option<Vec<String>>,
}

impl World {
    pub(super) fn new(now: Timestamp, desired: Desired) -> Self {
        Self {
            now,
            desired,
            observed: Observed::default(),
            evidence: Vec::new(),
            natures: BTreeMap::new(),
            failed: BTreeMap::new(),
            causes: Vec::new(),
            reverts: BTreeSet::new(),
            written: BTreeSet::new(),
            seen: BTreeMap::new(),
            kinds: BTreeSet::new(),
            log: None,
        }
    }

    pub(super) fn tell(&mut self, line: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            log.push(line());
        }
    }

    pub(super) fn plan(&mut self) -> Plan {
        let plan = plan(&self.desired, &self.observed, &self.evidence, self.now);
        let looks = |one: &Instance| (one.id.clone(), (one.phase.clone(), one.golden.clone()));
        self.seen = self.observed.instances.iter().map(looks).collect();
        self.hold(&plan);
        if self.log.is_some() {
            self.note(&plan);
        }
        plan
    }

    fn note(&mut self, plan: &Plan) {
        let kind = |debug: String| {
            let end = debug.find(|letter: char| !letter.is_alphanumeric());
            debug[..end.unwrap_or(debug.len())].to_owned()
        };
        let steps = plan.steps.iter().map(|step| format!("{step:?}"));
        let waits = plan.waits.iter().map(|wait| format!("{:?}", wait.why));
        let events = plan.steps.iter().filter_map(|step| match step {
            Step::Remember { events, .. } => Some(events),
            _ => None,
        });
        let events = events.flatten().map(|event| format!("{event:?}"));
        self.kinds
            .extend(steps.chain(waits).chain(events).map(kind));
    }

    /// What holds for every plan as a whole.
    fn hold(&self, plan: &Plan) {
        let kept = match &self.desired {
            Desired::Unknown { .. } => true,
            Desired::Known(known) => known.deployments.is_empty() && !known.may_be_empty,
        };
        for step in &plan.steps {
            let takes = matches!(step, Step::RemoveRoute { .. } | Step::Prune { .. });
            assert!(
                !(kept && takes),
                "nobody said that the yard is empty: {step}"
            );
            if let Some(Wish::Run(wanted)) = self.wish(step.deployment())
                && wanted.suspend
            {
                let lost = !self.observed.routes.contains_key(step.deployment());
                let restores = matches!(step, Step::SetRoute { .. }) && lost;
                assert!(restores, "it is suspended: {step}");
            }
        }
    }

    pub(super) fn wish(&self, name: &Name) -> Option<&Wish> {
        match &self.desired {
            Desired::Known(known) => known.deployments.get(name),
            Desired::Unknown { .. } => None,
        }
    }

    fn nature(&self, content: &Content) -> Nature {
        let nature = self.natures.get(&content.digest());
        nature.copied().unwrap_or(Nature::Good)
    }

    pub(super) fn progress(&self, name: &Name) -> Option<&Arc<Progress>> {
        self.observed.state.deployments.get(name)
    }

    /// Does a step, after holding it against what must never be.
    pub(super) fn apply(&mut self, step: &Step) {
        self.tell(|| format!("  {step}"));
        match step {
            Step::Remember {
                deployment,
                progress,
                ..
            } => self.remember(deployment, progress),
            Step::SetRoute { deployment, route } => self.set_route(deployment, route),
            Step::RemoveRoute { deployment } => {
                self.observed.routes.remove(deployment);
            }
            Step::Fetch { content, .. } => self.bytes(content, ArtifactPhase::Fetching),
            Step::Verify { content, .. } => {
                let known = self.observed.artifacts.iter();
                if known.clone().any(|one| one.content == *content) {
                    self.bytes(content, ArtifactPhase::Verifying);
                }
            }
            Step::Start { id, choice, part } => self.start(id, choice, *part),
            Step::RunGoldenTests { id, .. } => {
                if let Some(one) = self.instance(id) {
                    one.golden = Golden::Running;
                }
            }
            Step::Measure {
                ask,
                analysis,
                candidate,
                ..
            } => self.measure(ask, analysis, candidate),
            Step::Drain { id } => {
                self.leaves_no_one(id, step);
                let now = self.now;
                if let Some(one) = self.instance(id)
                    && !matches!(one.phase, Phase::Failed { .. } | Phase::Draining)
                {
                    one.phase = Phase::Draining;
                    one.since = now;
                }
            }
            Step::Stop { id, .. } => {
                self.leaves_no_one(id, step);
                self.observed.instances.retain(|one| one.id != *id);
            }
            Step::WriteRevert {
                deployment,
                failure,
                ..
            } => {
                let key = (deployment.clone(), failure.rollout);
                assert!(!self.written.contains(&key), "a second revert: {step}");
                assert!(!failure.to.is_empty(), "nothing to go back to: {step}");
                self.reverts.insert(key);
            }
            Step::Prune { deployment } => {
                self.observed.state.deployments.remove(deployment);
                self.forget(deployment);
            }
        }
    }

    /// Main has spoken: what failed when it said something else may be tried again.
    pub(super) fn said(&mut self) {
        let Desired::Known(known) = &self.desired else {
            return;
        };
        for (name, failed) in &mut self.failed {
            if let Some(Wish::Run(wanted)) = known.deployments.get(name) {
                failed.retain(|(_, generation)| *generation == wanted.generation);
            }
        }
    }

    /// Whoever forgets may ask again.
    pub(super) fn forget(&mut self, deployment: &Name) {
        self.failed.remove(deployment);
        self.written.retain(|(name, _)| name != deployment);
    }

    fn remember(&mut self, name: &Name, progress: &Arc<Progress>) {
        for failure in &progress.failures {
            let failed = self.failed.entry(name.clone()).or_default();
            for digest in &failure.digests {
                let entry = (*digest, failure.generation);
                if !failed.contains(&entry) {
                    failed.push(entry);
                    self.causes.push(failure.cause.clone());
                }
            }
            if failure.revert == Revert::Written {
                let key = (name.clone(), failure.rollout);
                assert!(self.reverts.contains(&key), "a revert that nobody wrote");
                self.written.insert(key);
            }
        }
        let deployments = &mut self.observed.state.deployments;
        deployments.insert(name.clone(), Arc::clone(progress));
    }

    /// Nothing that failed is started or routed to, unless main said something else since.
    fn came_back(&self, name: &Name, digest: Digest) -> bool {
        let Some(progress) = self.progress(name) else {
            return false;
        };
        let proven = progress
            .stable
            .as_ref()
            .is_some_and(|side| side.digests().any(|one| one == digest));
        let same = |(bad, generation): &(Digest, Digest)| {
            *bad == digest && *generation == progress.wanted.generation
        };
        !proven
            && self
                .failed
                .get(name)
                .is_some_and(|failed| failed.iter().any(same))
    }

    fn set_route(&mut self, name: &Name, route: &Route) {
        for side in [&route.backends, &route.preview, &route.mirror] {
            let sum: u32 = side.all().iter().map(|one| u32::from(one.weight)).sum();
            assert!(side.is_empty() || sum == 100, "weights sum to {sum}");
            for backend in side.all() {
                let digest = backend.content.digest();
                assert!(!self.came_back(name, digest), "{} is back", backend.content);
                let nature = self.nature(&backend.content);
                assert!(
                    !matches!(
                        nature,
                        Nature::Unverifiable | Nature::FailsGolden | Nature::DiesAtOnce
                    ),
                    "{} serves, and is {nature:?}",
                    backend.content
                );
            }
        }
        for id in route.instances() {
            let (phase, _) = self.seen.get(id).expect("only what was seen is routed to");
            assert_eq!(*phase, Phase::Ready, "{id} serves");
        }
        self.interrupts_no_one(name, route);
        self.observed.routes.insert(name.clone(), route.clone());
    }

    /// What serves, and has proven itself, goes on serving.
    fn interrupts_no_one(&self, name: &Name, route: &Route) {
        let (Some(progress), Some(old)) = (self.progress(name), self.observed.routes.get(name))
        else {
            return;
        };
        if !route.backends.is_empty() || old.backends.is_empty() {
            return;
        }
        let recreates = progress.wanted.strategy.strategy_type == StrategyType::Recreate;
        let idle = progress
            .scale
            .as_ref()
            .is_some_and(|scale| scale.count == 0);
        let whole = |one: &Backend| {
            let proven = progress
                .stable
                .as_ref()
                .is_some_and(|side| side.has(one.revision));
            let hops = one
                .before
                .iter()
                .chain(&one.after)
                .map(|hop| &hop.instances);
            let ready = |list: &Vec<InstanceId>| {
                let phase = |id| self.seen.get(id).map(|(phase, _)| phase);
                list.iter().any(|id| phase(id) == Some(&Phase::Ready))
            };
            proven && ready(&one.instances) && hops.into_iter().all(ready)
        };
        let interrupts = old.backends.all().iter().any(whole);
        assert!(!interrupts || recreates || idle, "{name} stops serving");
    }

    /// Nothing that requests are sent to is taken away.
    fn leaves_no_one(&self, id: &InstanceId, step: &Step) {
        let route = self.observed.routes.get(&id.deployment);
        let routed = route.is_some_and(|route| route.instances().any(|one| one == id));
        let sound = self
            .seen
            .get(id)
            .is_some_and(|(phase, _)| *phase == Phase::Ready);
        assert!(!(routed && sound), "requests still go there: {step}");
    }

    fn start(&mut self, id: &InstanceId, choice: &Arc<Choice>, part: Part) {
        assert!(
            !self.came_back(&id.deployment, choice.content().digest()),
            "{} is started again",
            choice.content()
        );
        let unit = choice.unit(part).unwrap();
        let verified =
            |one: &Artifact| one.content == unit.content && one.phase == ArtifactPhase::Verified;
        if !self.observed.artifacts.iter().any(verified) {
            // Somebody took the bytes away between the plan and now: a step that fails.
            let gone = !self
                .observed
                .artifacts
                .iter()
                .any(|one| one.content == unit.content);
            assert!(gone, "{} is started unverified", unit.content);
            return;
        }
        if self.instance(id).is_some() {
            return;
        }
        let progress = self
            .progress(&id.deployment)
            .expect("it is remembered before");
        if progress.wanted.strategy.strategy_type == StrategyType::Recreate
            && let Some(rollout) = &progress.rollout
            && rollout.candidate.has(choice.revision())
        {
            let mut all = self.observed.instances.iter();
            let other = |one: &Instance| {
                one.id.deployment == id.deployment && !rollout.candidate.has(one.choice.revision())
            };
            assert!(!all.any(other), "{id} is started beside old ones");
        }
        let instance = Instance {
            id: id.clone(),
            choice: Arc::clone(choice),
            part,
            phase: Phase::Starting,
            since: self.now,
            golden: Golden::Untested,
            in_flight: 0,
            drift: None,
        };
        self.observed.instances.push(instance);
        self.pools_hold();
    }

    fn pools_hold(&self) {
        let Desired::Known(known) = &self.desired else {
            return;
        };
        for (pool, capacity) in &known.pools {
            let claims = self.observed.instances.iter().filter_map(|one| {
                let claim = &one.choice.unit(one.part)?.claim;
                let runs = !matches!(one.phase, Phase::Failed { .. });
                (runs && claim.pool.as_ref() == Some(pool)).then_some(claim.cpu_milli)
            });
            let has = capacity.cpu_milli.unwrap_or(u64::MAX);
            assert!(claims.sum::<u64>() <= has, "the pool {pool} has only {has}");
        }
    }

    fn measure(&mut self, ask: &Ask, analysis: &Analysis, candidate: &Side) {
        let known = |one: &Measurement| one.ask == *ask;
        if self.evidence.iter().any(known) {
            return;
        }
        let bad = candidate
            .contents()
            .any(|one| self.nature(one) == Nature::BadNumbers);
        let value = match (analysis.below, bad) {
            (Some(bound), true) => bound.get() + 1.0,
            (Some(bound), false) => bound.get() / 2.0,
            (None, true) => 0.0,
            (None, false) => 1.0,
        };
        self.evidence.push(Measurement {
            ask: ask.clone(),
            at: self.now,
            outcome: Outcome::Value {
                value: Finite::try_from(value).unwrap(),
                samples: Some(1000),
                note: None,
            },
        });
    }

    fn instance(&mut self, id: &InstanceId) -> Option<&mut Instance> {
        self.observed.instances.iter_mut().find(|one| one.id == *id)
    }

    fn bytes(&mut self, content: &Content, phase: ArtifactPhase) {
        let mut all = self.observed.artifacts.iter_mut();
        match all.find(|one| one.content == *content) {
            Some(one) if one.phase == ArtifactPhase::Verified => {}
            Some(one) => one.phase = phase,
            None => self.observed.artifacts.push(Artifact {
                content: content.clone(),
                phase,
            }),
        }
    }

    /// Time passes, and what was begun goes on; with `luck` it goes well.
    pub(super) fn tick(&mut self, passes: SignedDuration, luck: Option<&mut Random>) {
        self.now = self.now.checked_add(passes).unwrap();
        let mut unlucky = luck.map(|random| random.chance(10)).unwrap_or(false);
        let natures = &self.natures;
        let nature = |content: &Content| {
            natures
                .get(&content.digest())
                .copied()
                .unwrap_or(Nature::Good)
        };
        for artifact in &mut self.observed.artifacts {
            artifact.phase = match &artifact.phase {
                ArtifactPhase::Fetching if std::mem::take(&mut unlucky) => ArtifactPhase::Away {
                    why: "nobody answers".to_owned(),
                    attempts: 1,
                    at: self.now,
                },
                ArtifactPhase::Fetching => ArtifactPhase::Fetched,
                ArtifactPhase::Verifying if nature(&artifact.content) == Nature::Unverifiable => {
                    ArtifactPhase::Refused {
                        why: "nobody signed it".to_owned(),
                    }
                }
                ArtifactPhase::Verifying => ArtifactPhase::Verified,
                other => other.clone(),
            };
        }
        for instance in &mut self.observed.instances {
            let content = &instance.choice.unit(instance.part).unwrap().content;
            let nature = nature(content);
            if instance.phase == Phase::Starting && nature != Nature::NeverAnswers {
                instance.since = self.now;
                instance.phase = match nature {
                    Nature::DiesAtOnce => Phase::Failed {
                        why: "it ended with 1".to_owned(),
                    },
                    _ => Phase::Ready,
                };
            } else if instance.golden == Golden::Running {
                instance.golden = match nature {
                    Nature::FailsGolden => Golden::Failed {
                        why: "a seven is a one".to_owned(),
                    },
                    _ => Golden::Passed,
                };
            }
            if instance.phase == Phase::Draining {
                instance.in_flight = instance.in_flight.saturating_sub(1);
            }
        }
    }
}
