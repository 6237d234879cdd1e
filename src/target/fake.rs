//! A target of no processes at all: instances that do what their version's nature is, when told
//! that time goes on.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Endpoint, Order, Running, Target};
use crate::platform::clock::Clock;
use crate::record::kind::GoldenTest;
use crate::record::{Digest, Failure};
use crate::rollout::{Golden, InstanceId, Phase};

/// What a version is like when it runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Nature {
    /// It answers, and rightly.
    #[default]
    Good,
    /// It ends as soon as it is started.
    DiesAtOnce,
    /// It runs and never answers.
    NeverAnswers,
    /// It answers, and wrongly.
    FailsGolden,
}

/// The target.
pub struct Fake {
    clock: Arc<dyn Clock>,
    world: Mutex<World>,
}

#[derive(Debug, Default)]
struct World {
    running: BTreeMap<InstanceId, Running>,
    natures: BTreeMap<Digest, Nature>,
}

impl Fake {
    /// Nothing runs.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            world: Mutex::default(),
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what the bytes of `digest` are like.
    pub fn set_nature(&self, digest: Digest, nature: Nature) {
        self.world().natures.insert(digest, nature);
    }

    /// Everything that is here.
    pub fn running(&self) -> Vec<Running> {
        self.world().running.values().cloned().collect()
    }

    /// An instance ends by itself, or by somebody else's hand.
    pub fn kill(&self, id: &InstanceId, why: &str) {
        let now = self.clock.now();
        if let Some(one) = self.world().running.get_mut(id) {
            let why = why.to_owned();
            one.phase = Phase::Failed { why };
            one.since = now;
        }
    }

    /// Somebody changes an instance beside the yard.
    pub fn drift(&self, id: &InstanceId, how: &str) {
        if let Some(one) = self.world().running.get_mut(id) {
            one.drift = Some(how.to_owned());
        }
    }

    /// Whoever ran golden tests is gone, and what came of them is not known.
    pub fn lose_tests(&self) {
        for one in self.world().running.values_mut() {
            if one.golden == Golden::Running {
                one.golden = Golden::Untested;
            }
        }
    }

    /// Time goes on: what was begun ends as its nature is.
    pub fn go_on(&self) {
        let now = self.clock.now();
        let World { running, natures } = &mut *self.world();
        for one in running.values_mut() {
            let Some(unit) = one.choice.unit(one.part) else {
                continue;
            };
            let nature = natures.get(&unit.content.digest()).copied();
            let nature = nature.unwrap_or_default();
            match (&one.phase, nature) {
                (Phase::Starting, Nature::NeverAnswers) => {}
                (Phase::Starting, Nature::DiesAtOnce) => {
                    let why = "it ended with 1".to_owned();
                    one.phase = Phase::Failed { why };
                    one.since = now;
                }
                (Phase::Starting, _) => {
                    one.phase = Phase::Ready;
                    one.since = now;
                }
                _ => {}
            }
            if one.golden == Golden::Running {
                one.golden = match nature {
                    Nature::FailsGolden => Golden::Failed {
                        why: "a seven is a one".to_owned(),
                    },
                    _ => Golden::Passed,
                };
            }
        }
    }
}

#[async_trait]
impl Target for Fake {
    async fn observe(&self) -> Result<Vec<Running>, Failure> {
        Ok(self.running())
    }

    async fn start(&self, order: &Order) -> Result<(), Failure> {
        let port = u16::try_from(order.id.number % 60_000).unwrap_or(0) + 1;
        let since = self.clock.now();
        let mut world = self.world();
        let instance = world.running.entry(order.id.clone());
        instance.or_insert_with(|| Running {
            id: order.id.clone(),
            choice: Arc::clone(&order.choice),
            part: order.part,
            phase: Phase::Starting,
            since,
            golden: Golden::Untested,
            drift: None,
            endpoint: Some(Endpoint {
                address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
                model: order.id.deployment.to_string(),
            }),
        });
        Ok(())
    }

    async fn test(&self, id: &InstanceId, _tests: &[GoldenTest]) -> Result<(), Failure> {
        if let Some(one) = self.world().running.get_mut(id)
            && one.golden == Golden::Untested
        {
            one.golden = Golden::Running;
        }
        Ok(())
    }

    async fn drain(&self, id: &InstanceId) -> Result<(), Failure> {
        let now = self.clock.now();
        if let Some(one) = self.world().running.get_mut(id)
            && !matches!(one.phase, Phase::Failed { .. } | Phase::Draining)
        {
            one.phase = Phase::Draining;
            one.since = now;
        }
        Ok(())
    }

    async fn stop(&self, id: &InstanceId) -> Result<(), Failure> {
        self.world().running.remove(id);
        Ok(())
    }
}
