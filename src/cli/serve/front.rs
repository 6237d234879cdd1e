//! The gateway as the reconciler sees it: what passes between them is the routing table.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::gateway::{Gateway, Registered};
use crate::reconcile::branch::Branch;
use crate::reconcile::edges::Front;
use crate::record::Name;
use crate::record::kind::ModelVersion;
use crate::rollout::{Content, InstanceId, Load, Route, Table};
use crate::target::Endpoint;

/// The gateway of this process.
pub(super) struct GatewayFront {
    pub(super) gateway: Gateway,
    pub(super) branch: Arc<Branch>,
    registered: Mutex<HashMap<Content, Arc<Registered>>>,
}

impl GatewayFront {
    pub(super) fn new(gateway: Gateway, branch: Arc<Branch>) -> Self {
        Self {
            gateway,
            branch,
            registered: Mutex::default(),
        }
    }

    /// Tells the gateway what the versions of a route register, before the route itself.
    async fn register(&self, route: &Route) {
        let backends = [&route.backends, &route.preview, &route.mirror];
        let mut contents: Vec<&Content> = Vec::new();
        for backend in backends.into_iter().flat_map(|some| some.all()) {
            contents.push(&backend.content);
        }
        let mut found = Vec::new();
        for content in contents {
            let Content::Model(release) = content else {
                continue;
            };
            match self.branch.version(release).await {
                Ok(Some(record)) => found.push((content.clone(), registered(&record))),
                // It serves without: what it takes is then for its runtime to say.
                Ok(None) => tracing::warn!(%release, "main has no record of this version"),
                Err(error) => tracing::warn!(%release, %error, "its record can't be read"),
            }
        }
        let mut known = self
            .registered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let before = known.len();
        for (content, registered) in found {
            known.entry(content).or_insert_with(|| Arc::new(registered));
        }
        if known.len() > before {
            self.gateway.register(known.clone());
        }
    }
}

/// What a version's record says of its requests and answers.
fn registered(version: &ModelVersion) -> Registered {
    let spec = &version.spec;
    let framework = spec
        .framework
        .as_ref()
        .map(|framework| framework.name.as_str());
    let format = spec.format.name.as_str();
    Registered {
        platform: match framework {
            Some(framework) => format!("{framework}_{format}"),
            None => format.to_owned(),
        },
        inputs: spec.inputs.clone(),
        outputs: spec.outputs.clone(),
        parameters: spec.parameters.clone(),
    }
}

#[async_trait]
impl Front for GatewayFront {
    async fn routes(&self) -> Table {
        self.gateway.routes()
    }

    async fn load(&self) -> BTreeMap<Name, Load> {
        let names = self.gateway.routes().into_keys();
        let load = |name: Name| {
            let load = self
                .gateway
                .load(&name, self.branch.metric(&name).as_ref())?;
            Some((name, load))
        };
        names.filter_map(load).collect()
    }

    async fn in_flight(&self) -> BTreeMap<InstanceId, u64> {
        self.gateway.all_in_flight()
    }

    async fn set_route(
        &self,
        deployment: &Name,
        route: &Route,
        endpoints: &BTreeMap<InstanceId, Endpoint>,
    ) {
        self.register(route).await;
        self.gateway.set_route(deployment, route, endpoints);
    }

    async fn remove_route(&self, deployment: &Name) {
        self.gateway.remove_route(deployment);
    }
}

/// Where no gateway runs: routes are noted, and nobody asks.
#[derive(Default)]
pub(super) struct NoFront(Mutex<Table>);

impl NoFront {
    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Front for NoFront {
    async fn routes(&self) -> Table {
        self.table().clone()
    }

    async fn load(&self) -> BTreeMap<Name, Load> {
        BTreeMap::new()
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
        self.table().insert(deployment.clone(), route.clone());
    }

    async fn remove_route(&self, deployment: &Name) {
        self.table().remove(deployment);
    }
}
