//! What the reconciler sees of the world and does to it, beside the target.
//!
//! Every call returns soon: what takes long is begun, and what came of it is seen by a later look.
//! Each may be done once more without harm, and one that is cancelled has happened or not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::foreseen::Judgements;
use crate::platform::clock::Clock;
use crate::record::kind::{GoldenTest, WriteBack};
use crate::record::{Digest, Failure, Name};
use crate::rollout::{
    self, Analysis, Artifact, Ask, Content, Desired, InstanceId, Load, Measurement, Route, Side,
    State, Table,
};
use crate::target::{Endpoint, Target};

/// Everything that a reconciler works with.
#[derive(Clone)]
pub struct Edges {
    /// What should be.
    pub main: Arc<dyn Main>,
    /// The bytes of versions.
    pub bytes: Arc<dyn Bytes>,
    /// Where instances run.
    pub target: Arc<dyn Target>,
    /// Who sends requests to them.
    pub front: Arc<dyn Front>,
    /// Who measures.
    pub gauge: Arc<dyn Gauge>,
    /// What is remembered.
    pub memory: Arc<dyn Memory>,
    /// Who writes to the yard.
    pub scribe: Arc<dyn Scribe>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// What main says, as far as it is known.
#[derive(Debug, Clone)]
pub struct Said {
    /// What should be; the last that was known where nothing newer can be had.
    pub desired: Arc<Desired>,
    /// The commit that says it.
    pub commit: Option<String>,
    /// Why nothing newer can be had, if so: the remote is away, or its main branch is gone.
    pub behind: Option<String>,
    /// What is to be known of changes that are not as they were shown.
    pub judgements: Judgements,
}

/// The yard's main branch, of one environment.
#[async_trait]
pub trait Main: Send + Sync {
    /// What main says now. It never fails: what can't be known is said in its place.
    async fn read(&self) -> Said;

    /// The golden tests of a version, by its record.
    ///
    /// # Errors
    /// If its record can't be read.
    async fn tests(&self, content: &Content) -> Result<Vec<GoldenTest>, Failure>;
}

/// The bytes of versions on this host.
#[async_trait]
pub trait Bytes: Send + Sync {
    /// What is known of bytes. What was verified stays so when everything else is away.
    ///
    /// # Errors
    /// If that can't be told.
    async fn observe(&self) -> Result<Vec<Artifact>, Failure>;

    /// Begins to fetch, by digest; one that goes on already goes on.
    ///
    /// # Errors
    /// If it can't even begin; that a registry is away is observed.
    async fn fetch(&self, content: &Content) -> Result<(), Failure>;

    /// Begins to check what was fetched: its digests, and its signatures by the trust policy of
    /// main.
    ///
    /// # Errors
    /// If it can't even begin; a refusal is observed.
    async fn verify(&self, content: &Content) -> Result<(), Failure>;

    /// The folder of the files, if they are verified.
    ///
    /// # Errors
    /// If that can't be told.
    async fn files(&self, content: &Content) -> Result<Option<PathBuf>, Failure>;

    /// Removes what is here and not of `digests`.
    ///
    /// # Errors
    /// If something can't be removed; it is still observed.
    async fn keep(&self, digests: &BTreeSet<Digest>) -> Result<(), Failure>;
}

/// The gateway.
#[async_trait]
pub trait Front: Send + Sync {
    /// The routes in force; none where it has just started.
    async fn routes(&self) -> Table;

    /// How much each deployment is asked; those are left out of which it doesn't know yet.
    async fn load(&self) -> BTreeMap<Name, Load>;

    /// How many requests each replica is answering; those with none may be left out.
    async fn in_flight(&self) -> BTreeMap<InstanceId, u64>;

    /// Puts a route in force, in place of the deployment's old one. New requests follow it when
    /// this returns; those that are being answered are not cut off. `endpoints` has where each
    /// replica of the route answers.
    async fn set_route(
        &self,
        deployment: &Name,
        route: &Route,
        endpoints: &BTreeMap<InstanceId, Endpoint>,
    );

    /// Forgets a deployment.
    async fn remove_route(&self, deployment: &Name);
}

/// A measurement that is to be taken.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Which.
    pub ask: Ask,
    /// Of what.
    pub analysis: Analysis,
    /// What is to take over.
    pub candidate: Side,
    /// What it is held against.
    pub stable: Option<Side>,
    /// Since when the stage's weight holds.
    pub since: Timestamp,
}

/// Who measures.
#[async_trait]
pub trait Gauge: Send + Sync {
    /// Begins to take a measurement. One always comes of it, and be it an error; one that was
    /// begun or taken already is not begun again.
    async fn begin(&self, wanted: &Wanted);

    /// The measurements that were taken of late, old ones among them.
    async fn taken(&self) -> Vec<Measurement>;
}

/// What is remembered between passes.
#[async_trait]
pub trait Memory: Send + Sync {
    /// What was stored last; nothing on a new host.
    ///
    /// # Errors
    /// If something is there that can't be read: nothing may be done then.
    async fn read(&self) -> Result<State, Failure>;

    /// Stores, all or nothing, so that it outlives a loss of power.
    ///
    /// # Errors
    /// If it can't be stored, as on a full disk; what was stored before is still there.
    async fn write(&self, state: &State) -> Result<(), Failure>;
}

/// Who writes to the yard.
#[async_trait]
pub trait Scribe: Send + Sync {
    /// Proposes what restores the line that chose the version. A second time changes nothing.
    ///
    /// # Errors
    /// If it can't be written, such as when the remote is away.
    async fn revert(
        &self,
        deployment: &Name,
        failure: &rollout::Failure,
        way: WriteBack,
    ) -> Result<(), Failure>;
}
