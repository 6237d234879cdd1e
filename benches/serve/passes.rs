//! A pass over a thousand deployments on a simulated target, which are as they should be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use modelyard::platform::clock::FixedClock;
use modelyard::reconcile::Reconciler;
use modelyard::reconcile::edges::{
    Bytes, Edges, Front, Gauge, Main, Memory, Said, Scribe, Wanted as Asked,
};
use modelyard::record::kind::{
    DeploymentSpec, Drift, GoldenTest, Span, Strategy, StrategyType, WriteBack,
};
use modelyard::record::{Digest, Failure, Name};
use modelyard::rollout::{
    Artifact, ArtifactPhase, Choice, Claim, Content, Desired, Environment, Golden, InstanceId,
    Launch, Load, Measurement, Phase, Release, Replicas, Rollback, Route, Side, State, Table, Unit,
    Wanted, Wish, generation,
};
use modelyard::target::{Endpoint, Order, Running, Target};

const DEPLOYMENTS: usize = 1000;
/// How often a pass is made; the median counts.
const PASSES: usize = 11;

/// All that there is, in memory.
struct World {
    desired: Arc<Desired>,
    running: Mutex<BTreeMap<InstanceId, Running>>,
    routes: Mutex<Table>,
    /// How often anything was written, started, stopped or switched.
    writes: AtomicUsize,
}

/// How long a pass takes, and how much was written by all of them.
pub(super) fn a_thousand() -> (Duration, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let world = Arc::new(World {
            desired: Arc::new(desired()),
            running: Mutex::default(),
            routes: Mutex::default(),
            writes: AtomicUsize::new(0),
        });
        let edges = Edges {
            main: world.clone(),
            bytes: world.clone(),
            target: world.clone(),
            front: world.clone(),
            gauge: world.clone(),
            memory: world.clone(),
            scribe: world.clone(),
            clock: Arc::new(FixedClock(Timestamp::UNIX_EPOCH)),
        };
        let mut reconciler = Reconciler::new(edges).await.unwrap();
        while !reconciler.pass().await.is_quiet() {}
        assert_eq!(world.running.lock().unwrap().len(), DEPLOYMENTS);
        world.writes.store(0, Ordering::Relaxed);
        let mut times: Vec<Duration> = Vec::new();
        for _ in 0..PASSES {
            let began = Instant::now();
            reconciler.pass().await;
            times.push(began.elapsed());
        }
        (super::median(times), world.writes.load(Ordering::Relaxed))
    })
}

fn desired() -> Desired {
    let deployments = (0..DEPLOYMENTS).map(|number| {
        let name: Name = format!("digits-{number}").parse().unwrap();
        (name, Wish::Run(Arc::new(wanted(number))))
    });
    Desired::Known(Environment {
        name: "host".parse().unwrap(),
        deployments: deployments.collect(),
        pools: BTreeMap::new(),
        may_be_empty: false,
    })
}

fn wanted(number: usize) -> Wanted {
    let release = Release {
        model: "vision/digits".parse().unwrap(),
        version: format!("1.{number}.0").parse().unwrap(),
        digest: format!("sha256:{number:064}").parse().unwrap(),
    };
    let unit = Unit {
        content: Content::Model(release.clone()),
        launch: Launch::default(),
        claim: Claim::default(),
        tests: 0,
    };
    let choice = Choice::new(100, unit, Vec::new(), Vec::new(), None);
    Wanted {
        generation: generation(&DeploymentSpec::default(), &[release]),
        side: Side::new([choice]).unwrap(),
        required_tests: 0,
        strategy: Strategy {
            strategy_type: StrategyType::Rolling,
            steps: Vec::new(),
        },
        analyses: Vec::new(),
        replicas: Replicas::fixed(1),
        depends_on: Vec::new(),
        path: None,
        sticky: None,
        rollback: Rollback {
            auto: true,
            window: 3,
            write_back: WriteBack::None,
        },
        health_timeout: Span::minutes(10),
        drain_timeout: Span::seconds(30),
        drift: Drift::Correct,
        suspend: false,
        word: None,
    }
}

impl World {
    fn write(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }
}

#[async_trait]
impl Main for World {
    async fn read(&self) -> Said {
        Said {
            desired: Arc::clone(&self.desired),
            commit: Some("1".to_owned()),
            behind: None,
            judgements: Arc::default(),
        }
    }

    async fn tests(&self, _: &Content) -> Result<Vec<GoldenTest>, Failure> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Bytes for World {
    async fn observe(&self) -> Result<Vec<Artifact>, Failure> {
        let Desired::Known(environment) = &*self.desired else {
            return Ok(Vec::new());
        };
        let contents = environment
            .deployments
            .values()
            .filter_map(|wish| match wish {
                Wish::Run(wanted) => wanted.side.contents().next().cloned(),
                Wish::Held { .. } => None,
            });
        let phase = ArtifactPhase::Verified;
        Ok(contents
            .map(|content| Artifact {
                content,
                phase: phase.clone(),
            })
            .collect())
    }

    async fn fetch(&self, _: &Content) -> Result<(), Failure> {
        Ok(())
    }

    async fn verify(&self, _: &Content) -> Result<(), Failure> {
        Ok(())
    }

    async fn files(&self, _: &Content) -> Result<Option<PathBuf>, Failure> {
        Ok(Some(PathBuf::from("files")))
    }

    async fn keep(&self, _: &BTreeSet<Digest>) -> Result<(), Failure> {
        self.write();
        Ok(())
    }
}

#[async_trait]
impl Target for World {
    async fn observe(&self) -> Result<Vec<Running>, Failure> {
        Ok(self.running.lock().unwrap().values().cloned().collect())
    }

    async fn start(&self, order: &Order) -> Result<(), Failure> {
        self.write();
        let running = Running {
            id: order.id.clone(),
            choice: order.choice.clone(),
            part: order.part,
            phase: Phase::Ready,
            since: Timestamp::UNIX_EPOCH,
            golden: Golden::Passed,
            drift: None,
            endpoint: Some(Endpoint {
                address: "127.0.0.1:1".parse().unwrap(),
                model: "digits".to_owned(),
            }),
        };
        self.running
            .lock()
            .unwrap()
            .insert(order.id.clone(), running);
        Ok(())
    }

    async fn test(&self, _: &InstanceId, _: &[GoldenTest]) -> Result<(), Failure> {
        Ok(())
    }

    async fn drain(&self, _: &InstanceId) -> Result<(), Failure> {
        self.write();
        Ok(())
    }

    async fn stop(&self, id: &InstanceId) -> Result<(), Failure> {
        self.write();
        self.running.lock().unwrap().remove(id);
        Ok(())
    }
}

#[async_trait]
impl Front for World {
    async fn routes(&self) -> Table {
        self.routes.lock().unwrap().clone()
    }

    async fn load(&self) -> BTreeMap<Name, Load> {
        let routes = self.routes.lock().unwrap();
        routes
            .keys()
            .map(|name| (name.clone(), Load::default()))
            .collect()
    }

    async fn in_flight(&self) -> BTreeMap<InstanceId, u64> {
        BTreeMap::new()
    }

    async fn set_route(
        &self,
        deployment: &Name,
        route: &Route,
        _: &BTreeMap<InstanceId, Endpoint>,
    ) {
        self.write();
        self.routes
            .lock()
            .unwrap()
            .insert(deployment.clone(), route.clone());
    }

    async fn remove_route(&self, deployment: &Name) {
        self.write();
        self.routes.lock().unwrap().remove(deployment);
    }
}

#[async_trait]
impl Gauge for World {
    async fn begin(&self, _: &Asked) {}

    async fn taken(&self) -> Vec<Measurement> {
        Vec::new()
    }
}

#[async_trait]
impl Memory for World {
    async fn read(&self) -> Result<State, Failure> {
        Ok(State::default())
    }

    async fn write(&self, _: &State) -> Result<(), Failure> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[async_trait]
impl Scribe for World {
    async fn revert(
        &self,
        _: &Name,
        _: &modelyard::rollout::Failure,
        _: WriteBack,
    ) -> Result<(), Failure> {
        self.write();
        Ok(())
    }
}
