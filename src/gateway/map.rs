//! The routing table as requests meet it: looked up by name or path, replicas and counts at hand.
//!
//! A map is made at each switch and never changed. Whatever a table says, a map can be made of it:
//! what can't be served (two deployments on one path, a replica nobody knows the address of) is
//! left out and logged.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use hyper::header::HeaderValue;
use tokio::sync::Semaphore;

use super::choose;
use super::gate::Gate;
use super::instance::Instance;
use super::routing::{Registered, Routing};
use super::stamps::Stamps;
use super::tally::Tally;
use crate::record::Name;
use crate::record::kind::Sticky;
use crate::rollout::{self, Content, Hop, InstanceId, Revision, Route};

/// All routes.
#[derive(Debug, Default)]
pub(super) struct Map {
    named: HashMap<String, Arc<Deployment>>,
    paths: HashMap<String, Arc<Deployment>>,
}

/// One deployment's route.
#[derive(Debug)]
pub(super) struct Deployment {
    pub(super) name: Name,
    pub(super) sticky: Option<Sticky>,
    pub(super) backends: Vec<Arc<Backend>>,
    pub(super) preview: Vec<Arc<Backend>>,
    pub(super) mirror: Vec<Arc<Backend>>,
    pub(super) standing: Arc<Standing>,
}

/// What of a deployment outlives switches.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) gate: Arc<Gate>,
    /// Counts requests, for the choice by turn.
    pub(super) turns: AtomicU64,
    /// Places for copies on their way to a mirror.
    pub(super) mirroring: Arc<Semaphore>,
}

/// One of those that answer.
#[derive(Debug)]
pub(super) struct Backend {
    pub(super) revision: Revision,
    pub(super) version: Option<String>,
    pub(super) stamps: Stamps,
    /// What stands for the revision where clients are given to backends.
    pub(super) key: u64,
    pub(super) weight: u8,
    pub(super) before: Vec<Link>,
    pub(super) model: Link,
    pub(super) after: Vec<Link>,
    pub(super) tally: Arc<Tally>,
}

/// One place of the chain that a request passes, and the replicas that can fill it.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) instances: Vec<Arc<Instance>>,
    pub(super) registered: Option<Arc<Registered>>,
}

/// What lasts from one map to the next.
pub(super) trait Lasting {
    fn standing(&mut self, deployment: &Name) -> Arc<Standing>;
    fn instance(&mut self, id: &InstanceId, routing: &Routing) -> Option<Arc<Instance>>;
    fn tally(&mut self, deployment: &Name, backend: &rollout::Backend) -> Arc<Tally>;
}

impl Map {
    pub(super) fn new(routing: &Routing, lasting: &mut impl Lasting) -> Self {
        let mut map = Self::default();
        for (name, route) in &routing.table {
            let deployment = Arc::new(Deployment::new(name, route, routing, lasting));
            if let Some(path) = &route.path {
                let path = path.as_str().trim_end_matches('/').to_owned();
                if let Some(first) = map.paths.get(&path) {
                    let first = &first.name;
                    tracing::warn!(%path, %first, deployment = %name, "two deployments on one path: the first has it");
                } else {
                    map.paths.insert(path, Arc::clone(&deployment));
                }
            }
            map.named.insert(name.as_str().to_owned(), deployment);
        }
        map
    }

    pub(super) fn named(&self, name: &str) -> Option<&Arc<Deployment>> {
        self.named.get(name)
    }

    pub(super) fn at(&self, path: &str) -> Option<&Arc<Deployment>> {
        self.paths.get(path)
    }

    pub(super) fn deployments(&self) -> impl Iterator<Item = &Arc<Deployment>> {
        self.named.values()
    }
}

impl Deployment {
    fn new(name: &Name, route: &Route, routing: &Routing, lasting: &mut impl Lasting) -> Self {
        let mut backends = |all: &rollout::Backends| -> Vec<Arc<Backend>> {
            let backend = |one| Backend::new(name, one, routing, lasting);
            all.all().iter().filter_map(backend).map(Arc::new).collect()
        };
        let (answering, preview) = (backends(&route.backends), backends(&route.preview));
        let mirror = backends(&route.mirror);
        Self {
            name: name.clone(),
            sticky: route.sticky.clone(),
            backends: answering,
            preview,
            mirror,
            standing: lasting.standing(name),
        }
    }

    /// How many replicas of models there are to give requests to.
    pub(super) fn replicas(&self) -> usize {
        let all = self.backends.iter().chain(&self.preview);
        all.map(|backend| backend.model.instances.len()).sum()
    }

    /// Those that answer where `version` is asked for.
    pub(super) fn of_version(&self, version: &str) -> impl Iterator<Item = &Arc<Backend>> {
        let all = self.backends.iter().chain(&self.preview);
        all.filter(move |backend| backend.version.as_deref() == Some(version))
    }
}

impl Backend {
    /// `None` if one of its places has no replica with an address.
    fn new(
        deployment: &Name,
        backend: &rollout::Backend,
        routing: &Routing,
        lasting: &mut impl Lasting,
    ) -> Option<Self> {
        let link = |content: &Content, ids: &[InstanceId], lasting: &mut _| {
            let link = Link::new(content, ids, routing, lasting);
            if link.is_none() {
                tracing::warn!(%deployment, %content, "no replica's address is known: it gets no requests");
            }
            link
        };
        let links = |hops: &[Hop], lasting: &mut _| -> Option<Vec<Link>> {
            let link = |hop: &Hop| link(&hop.content, &hop.instances, lasting);
            hops.iter().map(link).collect()
        };
        Some(Self {
            revision: backend.revision,
            version: match &backend.content {
                Content::Model(release) => Some(release.version.to_string()),
                Content::Image(_) => None,
            },
            stamps: Stamps::new(deployment, &backend.content),
            key: choose::key(backend.revision.digest().as_bytes()),
            weight: backend.weight,
            before: links(&backend.before, lasting)?,
            after: links(&backend.after, lasting)?,
            model: Link::new(&backend.content, &backend.instances, routing, lasting)?,
            tally: lasting.tally(deployment, backend),
        })
    }

    /// What a client's request has to be.
    pub(super) fn first(&self) -> &Link {
        self.before.first().unwrap_or(&self.model)
    }
}

impl Link {
    fn new(
        content: &Content,
        ids: &[InstanceId],
        routing: &Routing,
        lasting: &mut impl Lasting,
    ) -> Option<Self> {
        let instances = ids.iter().filter_map(|id| lasting.instance(id, routing));
        let instances: Vec<_> = instances.collect();
        (!instances.is_empty()).then(|| Self {
            instances,
            registered: routing.registered.get(content).cloned(),
        })
    }

    /// Takes the least busy of the replicas that are not among `tried` into use.
    pub(super) fn lease(&self, turn: u64, tried: &[InstanceId]) -> Option<super::instance::Lease> {
        if let [only] = &self.instances[..] {
            return (!tried.contains(&only.id)).then(|| only.lease());
        }
        // Where several are equally busy they take turns.
        let start = usize::try_from(turn % self.instances.len() as u64).unwrap_or(0);
        let (behind, first) = self.instances.split_at(start);
        let untried = first.iter().chain(behind);
        let untried = untried.filter(|instance| !tried.contains(&instance.id));
        untried
            .min_by_key(|instance| instance.in_flight())
            .map(Instance::lease)
    }
}

/// A header's value; what can stand in none is left out.
pub(super) fn header_value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok()
}
