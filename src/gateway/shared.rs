//! What all connections share: the map in force, and what outlives it.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use tokio::sync::{Notify, Semaphore};

use super::gate::Gate;
use super::hooks::Hooks;
use super::instance::Instance;
use super::limits::Limits;
use super::map::{Deployment, Lasting, Map, Standing};
use super::refusal::Refusal;
use super::routing::Routing;
use super::tally::Tally;
use super::tokens::Access;
use super::way::{Wanted, Way};
use crate::platform::Clock;
use crate::record::Name;
use crate::rollout::{self, InstanceId, Revision, Table};

/// How many revisions of a deployment that are no longer in the table are still counted for.
const REVISIONS_REMEMBERED: usize = 8;

/// How many bytes one permit of the budget is.
pub(super) const BUDGET_UNIT: usize = 1024;

pub(super) struct Shared {
    pub(super) limits: Limits,
    pub(super) access: Access,
    pub(super) clock: Arc<dyn Clock>,
    map: ArcSwap<Map>,
    /// What the map was made from, and the next one will be.
    routing: Mutex<Routing>,
    /// Told whenever another map is in force.
    pub(super) switched: Notify,
    lasting: Mutex<Kept>,
    /// What bodies of requests may still take.
    pub(super) budget: Arc<Semaphore>,
    pub(super) is_draining: AtomicBool,
    /// How many requests were refused, by code.
    refused: Mutex<BTreeMap<&'static str, u64>>,
    pub(super) connections: AtomicU64,
    /// Who hears what is posted beside predictions, if anybody.
    pub(super) hooks: OnceLock<Hooks>,
}

/// What outlives the map.
#[derive(Default)]
struct Kept {
    standings: HashMap<Name, Arc<Standing>>,
    instances: HashMap<InstanceId, Arc<Instance>>,
    /// In the order in which the revisions came.
    tallies: HashMap<Name, Vec<(Revision, Arc<Tally>)>>,
}

/// What outlives the map while another one is made.
struct Keeping<'k> {
    kept: &'k mut Kept,
    shared: &'k Shared,
}

impl Shared {
    pub(super) fn new(limits: Limits, access: Access, clock: Arc<dyn Clock>) -> Self {
        let units = (limits.held_bytes / BUDGET_UNIT).min(Semaphore::MAX_PERMITS);
        Self {
            budget: Arc::new(Semaphore::new(units)),
            limits,
            access,
            clock,
            map: ArcSwap::default(),
            routing: Mutex::default(),
            switched: Notify::new(),
            lasting: Mutex::default(),
            is_draining: AtomicBool::new(false),
            refused: Mutex::default(),
            connections: AtomicU64::new(0),
            hooks: OnceLock::new(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.lasting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The map in force.
    pub(super) fn map(&self) -> Arc<Map> {
        self.map.load_full()
    }

    /// What the next map is made from.
    pub(super) fn routing(&self) -> MutexGuard<'_, Routing> {
        self.routing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the routing, and puts it into force all at once. Requests that chose by the old one
    /// finish on it.
    pub(super) fn switch(&self, change: impl FnOnce(&mut Routing)) {
        let mut routing = self.routing();
        change(&mut routing);
        let now = self.clock.now();
        let mut kept = self.kept();
        let mut keeping = Keeping {
            kept: &mut kept,
            shared: self,
        };
        let map = Arc::new(Map::new(&routing, &mut keeping));
        let deployments: Vec<Arc<Deployment>> = map.deployments().cloned().collect();
        self.map.store(map);
        for (_, tally) in kept.tallies.values().flatten() {
            tally.mark(now, true);
        }
        fence(Ordering::SeqCst);
        kept.forget(&deployments);
        for deployment in deployments {
            let at_once = self.limits.at_once.saturating_mul(deployment.replicas());
            deployment.standing.gate.open(at_once);
        }
        drop(kept);
        self.switched.notify_waiters();
    }

    /// Takes the replicas of a request's way into use; `None` while there are none.
    ///
    /// # Errors
    /// The deployment is gone, or what is asked for isn't there.
    pub(super) fn way(
        &self,
        deployment: &Name,
        wanted: &Wanted,
        without: &[Revision],
    ) -> Result<Option<Way>, Refusal> {
        loop {
            let map = self.map();
            let Some(deployment) = map.named(deployment.as_str()) else {
                return Err(Refusal::NoSuchRoute(deployment.as_str().to_owned()));
            };
            let Some(backend) = deployment.choose(wanted, without)? else {
                return Ok(None);
            };
            let way = Way::take(&map, backend, wanted.turn, &[]);
            if self.is_in_force(&map) {
                return Ok(way);
            }
        }
    }

    /// Whether `map` is still the one in force; asked after a lease was taken by it.
    pub(super) fn is_in_force(&self, map: &Arc<Map>) -> bool {
        fence(Ordering::SeqCst);
        Arc::ptr_eq(&self.map.load(), map)
    }

    /// How many requests a replica has in hand; none if it isn't known.
    pub(super) fn in_flight(&self, id: &InstanceId) -> u64 {
        self.kept()
            .instances
            .get(id)
            .map_or(0, |instance| instance.in_flight())
    }

    /// The replicas that have requests in hand, and how many each.
    pub(super) fn all_in_flight(&self) -> BTreeMap<InstanceId, u64> {
        let kept = self.kept();
        let busy = kept.instances.iter();
        busy.map(|(id, instance)| (id.clone(), instance.in_flight()))
            .filter(|(_, in_flight)| *in_flight > 0)
            .collect()
    }

    /// The table in force.
    pub(super) fn table(&self) -> Table {
        self.routing().table.clone()
    }

    /// The counts of a deployment's revisions, those that went lately too.
    pub(super) fn tallies(&self, deployment: &Name) -> Vec<(Revision, Arc<Tally>)> {
        self.kept()
            .tallies
            .get(deployment)
            .cloned()
            .unwrap_or_default()
    }

    /// Notes what was counted until now.
    pub(super) fn mark(&self) {
        let now = self.clock.now();
        let tallies: Vec<_> = self.kept().tallies.values().flatten().cloned().collect();
        for (_, tally) in tallies {
            tally.mark(now, false);
        }
    }

    /// Counts a refusal.
    pub(super) fn count_refusal(&self, code: &'static str) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        *refused.entry(code).or_default() += 1;
    }

    /// The refusals so far, by code.
    pub(super) fn refusals(&self) -> BTreeMap<&'static str, u64> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.clone()
    }
}

impl Kept {
    /// Lets go of what neither a deployment nor a request needs any more.
    fn forget(&mut self, deployments: &[Arc<Deployment>]) {
        let is_there = |name: &Name| deployments.iter().any(|one| one.name == *name);
        self.standings.retain(|name, standing| {
            let stays = is_there(name);
            if !stays {
                standing.gate.close();
            }
            stays
        });
        let all = |deployment: &Arc<Deployment>| {
            let parts = [
                &deployment.backends,
                &deployment.preview,
                &deployment.mirror,
            ];
            parts.into_iter().flatten().cloned().collect::<Vec<_>>()
        };
        let backends: Vec<_> = deployments.iter().flat_map(all).collect();
        let links = |backend: &'_ super::map::Backend| -> Vec<InstanceId> {
            let links = backend.before.iter().chain(&backend.after);
            let links = links.chain([&backend.model]);
            let instances = links.flat_map(|link| &link.instances);
            instances.map(|instance| instance.id.clone()).collect()
        };
        let used: std::collections::HashSet<InstanceId> =
            backends.iter().flat_map(|backend| links(backend)).collect();
        self.instances.retain(|id, instance| {
            if used.contains(id) {
                return true;
            }
            instance.forget_lines();
            instance.in_flight() > 0
        });
        self.tallies.retain(|name, _| is_there(name));
        for tallies in self.tallies.values_mut() {
            let is_used =
                |revision: &Revision| backends.iter().any(|backend| backend.revision == *revision);
            let unused = tallies.iter().filter(|(revision, _)| !is_used(revision));
            let mut excess = unused.count().saturating_sub(REVISIONS_REMEMBERED);
            tallies.retain(|(revision, _)| {
                let goes = excess > 0 && !is_used(revision);
                excess -= usize::from(goes);
                !goes
            });
        }
    }
}

impl Lasting for Keeping<'_> {
    fn standing(&mut self, deployment: &Name) -> Arc<Standing> {
        let queue = self.shared.limits.queue;
        let standing = self.kept.standings.entry(deployment.clone());
        let standing = standing.or_insert_with(|| {
            Arc::new(Standing {
                gate: Gate::new(queue),
                turns: AtomicU64::new(0),
                mirroring: Arc::new(Semaphore::new(self.shared.limits.mirrored_at_once)),
            })
        });
        Arc::clone(standing)
    }

    fn instance(&mut self, id: &InstanceId, routing: &Routing) -> Option<Arc<Instance>> {
        let endpoint = routing.endpoints.get(id)?;
        if let Some(known) = self.kept.instances.get(id)
            && known.endpoint == *endpoint
        {
            return Some(Arc::clone(known));
        }
        let instance = Instance::new(id.clone(), endpoint.clone())?;
        self.kept
            .instances
            .insert(id.clone(), Arc::clone(&instance));
        Some(instance)
    }

    fn tally(&mut self, deployment: &Name, backend: &rollout::Backend) -> Arc<Tally> {
        let tallies = self.kept.tallies.entry(deployment.clone()).or_default();
        let known = tallies
            .iter()
            .find(|(revision, _)| *revision == backend.revision);
        if let Some((_, tally)) = known {
            return Arc::clone(tally);
        }
        let now = self.shared.clock.now();
        let tally = Arc::new(Tally::new(backend.content.clone(), now));
        tallies.push((backend.revision, Arc::clone(&tally)));
        tally
    }
}
