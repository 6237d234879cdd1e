//! The reconciler's edges in the simulated world: each effect may be kept from happening, may be
//! the last thing that the reconciler does, and is held against what must never be.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use super::super::edges::{Bytes, Edges, Front, Gauge, Main, Memory, Said, Scribe, Wanted};
use super::world::{Inner, World};
use crate::platform::atomic::FileError;
use crate::platform::clock::Clock as _;
use crate::record::kind::{Finite, GoldenTest, StrategyType, WriteBack};
use crate::record::{Digest, Failure, Name};
use crate::rollout::tests::world::Nature;
use crate::rollout::{
    self, Artifact, ArtifactPhase, Backend, Content, InstanceId, Load, Measurement, Outcome, Phase,
    Revert, Route, State, Table,
};
use crate::target::{Endpoint, Order, Running, Target};

/// The edges of `world`.
pub(super) fn edges(world: &Arc<World>) -> Edges {
    let hands = Arc::new(Hands(Arc::clone(world)));
    Edges {
        main: hands.clone(),
        bytes: hands.clone(),
        target: hands.clone(),
        front: hands.clone(),
        gauge: hands.clone(),
        memory: hands.clone(),
        scribe: hands,
        clock: world.time.clone(),
    }
}

struct Hands(Arc<World>);

impl Hands {
    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.inner()
    }

    fn chance(&self, percent: u64) -> bool {
        self.0.breaks() && self.inner().random.chance(percent)
    }

    /// Stands between two effects: the world goes on, and the reconciler may end here for ever.
    async fn between(&self) {
        if self.chance(8) {
            self.0.something_happens();
        }
        if self.chance(2) {
            std::future::pending::<()>().await;
        }
    }

    /// Whether an effect fails.
    async fn may(&self, action: &'static str) -> Result<(), Failure> {
        self.between().await;
        if self.chance(4) {
            let source = io::Error::from(io::ErrorKind::StorageFull);
            return Err(FileError::at(action, "simulated")(source).into());
        }
        self.0.count_effect();
        Ok(())
    }

    /// Looks fail now and then, and are no effects.
    fn look(&self) -> Result<(), Failure> {
        if self.chance(2) {
            let source = io::Error::from(io::ErrorKind::TimedOut);
            return Err(FileError::at("look", "simulated")(source).into());
        }
        Ok(())
    }

    /// Nothing that failed comes back unless main said something else since.
    fn came_back(&self, name: &Name, digest: Digest) -> bool {
        let inner = self.inner();
        let Some(progress) = inner.known.deployments.get(name) else {
            return false;
        };
        let stable = progress.stable.as_ref();
        let proven = stable.is_some_and(|side| side.digests().any(|one| one == digest));
        let now = (digest, progress.wanted.generation);
        !proven
            && inner
                .failed
                .get(name)
                .is_some_and(|failed| failed.contains(&now))
    }

    /// What serves, and has proven itself, goes on serving.
    fn interrupts_no_one(&self, name: &Name, route: &Route) {
        let inner = self.inner();
        let (Some(progress), Some(old)) =
            (inner.known.deployments.get(name), inner.routes.get(name))
        else {
            return;
        };
        let recreates = progress.wanted.strategy.strategy_type == StrategyType::Recreate;
        let idle = progress
            .scale
            .as_ref()
            .is_some_and(|scale| scale.count == 0);
        if !route.backends.is_empty() || recreates || idle {
            return;
        }
        let ready = |list: &Vec<InstanceId>| {
            list.iter()
                .any(|id| inner.seen.get(id) == Some(&Phase::Ready))
        };
        let whole = |one: &Backend| {
            let stable = progress.stable.as_ref();
            let proven = stable.is_some_and(|side| side.has(one.revision));
            let hops = one.before.iter().chain(&one.after);
            let mut lists = hops.map(|hop| &hop.instances).chain([&one.instances]);
            proven && lists.all(ready)
        };
        assert!(
            !old.backends.all().iter().any(whole),
            "{name} stops serving"
        );
    }

    /// Nothing that requests are sent to is taken away.
    fn leaves_no_one(&self, id: &InstanceId) {
        let inner = self.inner();
        let route = inner.routes.get(&id.deployment);
        let routed = route.is_some_and(|route| route.instances().any(|one| one == id));
        let sound = inner.seen.get(id) == Some(&Phase::Ready);
        assert!(!(routed && sound), "requests still go to {id}");
    }

    fn set_phase(&self, content: &Content, phase: ArtifactPhase) {
        let mut inner = self.inner();
        match inner
            .artifacts
            .iter_mut()
            .find(|one| one.content == *content)
        {
            Some(one) if one.phase == ArtifactPhase::Verified => {}
            Some(one) => one.phase = phase,
            None => inner.artifacts.push(Artifact {
                content: content.clone(),
                phase,
            }),
        }
    }
}

#[async_trait]
impl Main for Hands {
    async fn read(&self) -> Said {
        let inner = self.inner();
        Said {
            desired: Arc::clone(&inner.desired),
            commit: Some(inner.commit.to_string()),
            behind: None,
            judgements: crate::reconcile::foreseen::Judgements::default(),
        }
    }

    async fn tests(&self, _content: &Content) -> Result<Vec<GoldenTest>, Failure> {
        self.look()?;
        Ok(Vec::new())
    }
}

#[async_trait]
impl Bytes for Hands {
    async fn observe(&self) -> Result<Vec<Artifact>, Failure> {
        self.look()?;
        Ok(self.inner().artifacts.clone())
    }

    async fn fetch(&self, content: &Content) -> Result<(), Failure> {
        self.may("fetch").await?;
        self.set_phase(content, ArtifactPhase::Fetching);
        self.between().await;
        Ok(())
    }

    async fn verify(&self, content: &Content) -> Result<(), Failure> {
        self.may("verify").await?;
        self.set_phase(content, ArtifactPhase::Verifying);
        self.between().await;
        Ok(())
    }

    async fn files(&self, content: &Content) -> Result<Option<PathBuf>, Failure> {
        self.look()?;
        let verified = ArtifactPhase::Verified;
        let inner = self.inner();
        let mut all = inner.artifacts.iter();
        let here = all.any(|one| one.content == *content && one.phase == verified);
        Ok(here.then(|| content.digest().hex().into()))
    }

    async fn keep(&self, digests: &BTreeSet<Digest>) -> Result<(), Failure> {
        self.may("remove bytes").await?;
        let running = self.0.target.running();
        let mut used = running.iter().flat_map(|one| one.choice.units());
        assert!(
            used.all(|(_, unit)| digests.contains(&unit.content.digest())),
            "the bytes of what runs are removed"
        );
        let kept = |one: &Artifact| digests.contains(&one.content.digest());
        self.inner().artifacts.retain(kept);
        self.between().await;
        Ok(())
    }
}

#[async_trait]
impl Target for Hands {
    async fn observe(&self) -> Result<Vec<Running>, Failure> {
        self.look()?;
        let running = self.0.target.running();
        let phases = running
            .iter()
            .map(|one| (one.id.clone(), one.phase.clone()));
        self.inner().seen = phases.collect();
        Ok(running)
    }

    async fn start(&self, order: &Order) -> Result<(), Failure> {
        self.may("start").await?;
        let unit = order.choice.unit(order.part).expect("it has that part");
        let files = self.files_of(&unit.content);
        assert_eq!(
            files,
            Some(order.files.clone()),
            "{} is not verified",
            unit.content
        );
        let model = order.choice.content();
        let back = self.came_back(&order.id.deployment, model.digest());
        assert!(!back, "{model} is started again");
        self.0.target.start(order).await?;
        self.between().await;
        Ok(())
    }

    async fn test(&self, id: &InstanceId, tests: &[GoldenTest]) -> Result<(), Failure> {
        self.may("test").await?;
        self.0.target.test(id, tests).await?;
        self.between().await;
        Ok(())
    }

    async fn drain(&self, id: &InstanceId) -> Result<(), Failure> {
        self.may("drain").await?;
        self.leaves_no_one(id);
        self.0.target.drain(id).await?;
        self.between().await;
        Ok(())
    }

    async fn stop(&self, id: &InstanceId) -> Result<(), Failure> {
        self.may("stop").await?;
        self.leaves_no_one(id);
        self.0.target.stop(id).await?;
        self.between().await;
        Ok(())
    }
}

impl Hands {
    fn files_of(&self, content: &Content) -> Option<PathBuf> {
        let inner = self.inner();
        let mut all = inner.artifacts.iter();
        let verified =
            |one: &Artifact| one.content == *content && one.phase == ArtifactPhase::Verified;
        all.any(verified).then(|| content.digest().hex().into())
    }
}

#[async_trait]
impl Front for Hands {
    async fn routes(&self) -> Table {
        self.inner().routes.clone()
    }

    async fn load(&self) -> BTreeMap<Name, Load> {
        self.inner().load.clone()
    }

    async fn in_flight(&self) -> BTreeMap<InstanceId, u64> {
        BTreeMap::new()
    }

    async fn set_route(
        &self,
        deployment: &Name,
        route: &Route,
        endpoints: &BTreeMap<InstanceId, Endpoint>,
    ) {
        self.between().await;
        self.0.count_effect();
        for side in [&route.backends, &route.preview, &route.mirror] {
            let sum: u32 = side.all().iter().map(|one| u32::from(one.weight)).sum();
            assert!(side.is_empty() || sum == 100, "weights sum to {sum}");
            for backend in side.all() {
                let content = &backend.content;
                let back = self.came_back(deployment, content.digest());
                assert!(!back, "{content} is back");
                let nature = self.0.nature(content);
                let never = [
                    Nature::Unverifiable,
                    Nature::FailsGolden,
                    Nature::DiesAtOnce,
                    Nature::NeverAnswers,
                ];
                assert!(
                    !never.contains(&nature),
                    "{content} serves, and is {nature:?}"
                );
            }
        }
        for id in route.instances() {
            assert!(
                endpoints.contains_key(id),
                "nobody knows where {id} answers"
            );
            assert_eq!(
                self.inner().seen.get(id),
                Some(&Phase::Ready),
                "{id} serves"
            );
        }
        self.interrupts_no_one(deployment, route);
        self.inner()
            .routes
            .insert(deployment.clone(), route.clone());
        self.between().await;
    }

    async fn remove_route(&self, deployment: &Name) {
        self.between().await;
        self.0.count_effect();
        self.inner().routes.remove(deployment);
        self.between().await;
    }
}

#[async_trait]
impl Gauge for Hands {
    async fn begin(&self, wanted: &Wanted) {
        self.between().await;
        let mut contents = wanted.candidate.contents();
        let bad = contents.any(|one| self.0.nature(one) == Nature::BadNumbers);
        let bound = wanted.analysis.below.map_or(0.0, Finite::get);
        let value = if bad { bound + 1.0 } else { bound / 2.0 };
        let at = self.0.time.now();
        let mut inner = self.inner();
        if inner.evidence.iter().all(|one| one.ask != wanted.ask) {
            inner.evidence.push(Measurement {
                ask: wanted.ask.clone(),
                at,
                outcome: Outcome::Value {
                    value: Finite::try_from(value).unwrap(),
                    samples: Some(1000),
                    note: None,
                },
            });
        }
    }

    async fn taken(&self) -> Vec<Measurement> {
        self.inner().evidence.clone()
    }
}

#[async_trait]
impl Memory for Hands {
    async fn read(&self) -> Result<State, Failure> {
        Ok(self.inner().stored.clone())
    }

    async fn write(&self, state: &State) -> Result<(), Failure> {
        self.inner().known = state.clone();
        self.may("write").await?;
        {
            let mut inner = self.inner();
            let inner = &mut *inner;
            for (name, progress) in &state.deployments {
                for failure in &progress.failures {
                    let failed = inner.failed.entry(name.clone()).or_default();
                    for digest in &failure.digests {
                        let entry = (*digest, failure.generation);
                        if !failed.contains(&entry) {
                            failed.push(entry);
                        }
                    }
                    if failure.revert == Revert::Written {
                        let key = (name.clone(), failure.rollout);
                        assert!(inner.reverts.contains(&key), "a revert that nobody wrote");
                    }
                }
            }
            // A deployment that left and comes back is a new one.
            let known = |name: &Name| state.deployments.contains_key(name);
            inner.failed.retain(|name, _| known(name));
            inner.stored = state.clone();
        }
        self.between().await;
        Ok(())
    }
}

#[async_trait]
impl Scribe for Hands {
    async fn revert(
        &self,
        deployment: &Name,
        failure: &rollout::Failure,
        _way: WriteBack,
    ) -> Result<(), Failure> {
        self.may("revert").await?;
        assert!(!failure.to.is_empty(), "nothing to go back to");
        let key = (deployment.clone(), failure.rollout);
        self.inner().reverts.insert(key);
        self.between().await;
        Ok(())
    }
}
