//! The gateway as the reconciler sees it: what passes between them is the routing table.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
}

impl GatewayFront {
    /// Tells the gateway what the versions of a route register, before the route itself.
    async fn register(&self, route: &Route) {
        let backends = [&route.backends, &route.preview, &route.mirror];
        for backend in backends.into_iter().flat_map(|some| some.all()) {
            let Content::Model(release) = &backend.content else {
                continue;
            };
            if self.gateway.is_registered(&backend.content) {
                continue;
            }
            match self.branch.version(release).await {
                Ok(Some(record)) => {
                    let registered = Arc::new(registered(&record));
                    self.gateway.register(backend.content.clone(), registered);
                }
                // It serves without: what it takes is then for its runtime to say.
                Ok(None) => tracing::warn!(%release, "main has no record of this version"),
                Err(error) => tracing::warn!(%release, %error, "its record can't be read"),
            }
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
    fn table(&self) -> MutexGuard<'_, Table> {
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
