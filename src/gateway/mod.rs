//! The gateway: answers predictions for what is deployed.
//!
//! It speaks the Open Inference Protocol, version 2, over HTTP/1.1 ([`address`] has the paths). The
//! protocol's model is the deployment, its version the model's. It is handed a [`Routing`], and
//! knows nothing of git, of records or of rollouts beyond it.
//!
//! # One request
//!
//! ```text
//!            token    body, bounded    a place, or the queue     by weight, client, version, preview
//! request ──▶ handle ──▶ reading ──▶ gate ─────────────▶ way ─────────────────────────┐
//!                                                                                       ▼
//! client ◀── stamps ◀──────────────── course: before … model … after, one exchange each ┘
//!                          └─ mirror: a copy, compared and thrown away
//! ```
//!
//! It is understood once, held against what the version registers, and its bytes go on as they
//! came. Where there is no coprocessor nothing is copied or written anew; of the answer only the
//! model's name is replaced, and only if the runtime calls it otherwise.
//!
//! # Invariants
//!
//! - A switch of the table drops nothing. Requests look the table up without a lock, and finish by
//!   the one that they chose by. A replica that left the table may be stopped as soon as
//!   [`Gateway::in_flight`] tells zero: none will come to it any more.
//! - A request is sent a second time only if no byte of it was sent: to another replica, then to
//!   another version, and then again for as long as requests wait.
//! - Every size, time and number that comes from outside has a bound in [`Limits`].
//! - Answers to a mirror's copies are never returned, and slow no client down.
//! - A client's tokens, cookies and other headers stay here; replicas see what ties logs together.

mod access;
mod address;
mod choose;
mod course;
mod exchange;
mod flow;
mod gate;
mod gather;
mod handle;
mod hooks;
mod instance;
mod lane;
mod limits;
mod line;
mod listening;
mod map;
mod measure;
mod metrics;
mod mirror;
mod predict;
mod reading;
mod refusal;
mod routing;
mod serve;
mod shared;
mod stamps;
mod tally;
mod tls;
pub mod tokens;
mod way;

use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use jiff::Timestamp;

pub use access::ACCESS;
pub use hooks::{Ears, Heard};
pub use limits::Limits;
pub use listening::{ListenError, bind, inherited};
pub use measure::METRICS;
pub use routing::{Registered, Routing};
pub use serve::Drained;
pub use stamps::{DEPLOYMENT, DIGEST, MODEL, VERSION};
pub use tls::{CertificateError, Certificates};
pub use tokens::Access;
pub use way::PREVIEW;

use self::shared::Shared;
use crate::platform::Clock;
use crate::record::Name;
use crate::record::kind::ScaleMetric;
use crate::rollout::{Content, InstanceId, Load, Outcome, Route, Side, Table};
use crate::target::Endpoint;

/// The codes of this room.
pub mod codes {
    crate::codes! {
        NO_SUCH_ROUTE = "no-such-route";
        VERSION_NOT_SERVED = "version-not-served";
        REQUEST_ENCODED = "request-encoded";
        REQUEST_TOO_LARGE = "request-too-large";
        REQUEST_TOO_SLOW = "request-too-slow";
        QUEUE_FULL = "queue-full";
        NOTHING_READY = "nothing-ready";
        REPLICA_BROKEN = "replica-broken";
        REPLICA_TOO_LATE = "replica-too-late";
        ANSWER_TOO_LARGE = "answer-too-large";
        TOKEN_REFUSED = "token-refused";
        TOKEN_SCOPE = "token-scope";
        TOKENS_UNUSABLE = "tokens-unusable";
        CERTIFICATE_UNUSABLE = "certificate-unusable";
        NOT_LISTENING = "not-listening";
    }
}

/// A gateway; clones are the same one.
#[derive(Clone)]
pub struct Gateway(Arc<Shared>);

impl Gateway {
    /// A gateway without routes.
    pub fn new(limits: Limits, access: Access, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared::new(limits, access, clock)))
    }

    /// Hands on to `ears` what is posted to
    /// [`HOOK`](crate::record::kind::route::HOOK); whoever listens first goes on listening.
    pub fn listen_to(&self, ears: Arc<dyn Ears>) {
        self.0.hooks.get_or_init(|| hooks::Hooks::new(ears));
    }

    /// Puts another routing into force, all at once. Requests that are being answered finish by
    /// the old one, those that wait look at the new one.
    pub fn switch(&self, routing: &Routing) {
        self.0.switch(|current| current.clone_from(routing));
    }

    /// Puts one deployment's route into force, in place of its old one; `endpoints` has where the
    /// replicas of the route answer.
    pub fn set_route(
        &self,
        deployment: &Name,
        route: &Route,
        endpoints: &BTreeMap<InstanceId, Endpoint>,
    ) {
        self.0.switch(|routing| {
            routing
                .endpoints
                .retain(|id, _| id.deployment != *deployment);
            let endpoints = endpoints.iter().map(|(id, one)| (id.clone(), one.clone()));
            routing.endpoints.extend(endpoints);
            routing.table.insert(deployment.clone(), route.clone());
        });
    }

    /// Forgets a deployment. Requests that are being answered finish, those that wait are refused.
    pub fn remove_route(&self, deployment: &Name) {
        self.0.switch(|routing| {
            routing
                .endpoints
                .retain(|id, _| id.deployment != *deployment);
            routing.table.remove(deployment);
        });
    }

    /// Says what a version registers: it counts for routes that are set from now on.
    pub fn register(&self, content: Content, registered: Arc<Registered>) {
        self.0.routing().registered.insert(content, registered);
    }

    /// Whether it was said what a version registers.
    pub fn is_registered(&self, content: &Content) -> bool {
        self.0.routing().registered.contains_key(content)
    }

    /// The routes in force.
    pub fn routes(&self) -> Table {
        self.0.table()
    }

    /// How many requests each replica has in hand; those with none are left out.
    pub fn all_in_flight(&self) -> BTreeMap<InstanceId, u64> {
        self.0.all_in_flight()
    }

    /// How many requests a replica has in hand. Zero, asked after a switch to a table without it,
    /// means that it may be stopped.
    pub fn in_flight(&self, id: &InstanceId) -> u64 {
        self.0.in_flight(id)
    }

    /// How much a deployment is asked, `value` by what its record scales by if that is seen here;
    /// `None` if it has no route.
    ///
    /// `in_flight` is the most that there were at once since this was last asked, so that requests
    /// which come and go between two looks are not overlooked.
    pub fn load(&self, deployment: &Name, metric: Option<&ScaleMetric>) -> Option<Load> {
        measure::load(&self.0, deployment, metric)
    }

    /// Whether requests wait for a deployment that nothing runs for.
    pub fn is_awaited(&self) -> bool {
        self.0.map().deployments().any(|deployment| {
            deployment.backends.is_empty() && deployment.standing.gate.waiting() > 0
        })
    }

    /// Measures one of [`METRICS`] over the answers of a side's revisions since an instant.
    pub fn measure(
        &self,
        deployment: &Name,
        metric: &str,
        side: &Side,
        since: Timestamp,
    ) -> Outcome {
        measure::measure(&self.0, deployment, metric, side, since)
    }

    /// Serves on a socket that is bound already until `stop` comes; then takes no more connections
    /// and lets requests finish, for [`Limits::drain_time`] at most. Dropped, it stops at once.
    ///
    /// # Errors
    /// The socket can't be waited on, or the system has no thread left.
    pub async fn serve(
        &self,
        listener: TcpListener,
        certificates: Option<Arc<Certificates>>,
        stop: impl Future<Output = ()>,
    ) -> io::Result<Drained> {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let shared = Arc::clone(&self.0);
        serve::serve(shared, listener, certificates, stop).await
    }
}
