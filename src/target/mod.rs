//! Where models run: what starts them there, and what answers for them.
//!
//! A *target* is a kind of place where instances run. [`Target`] is all that is asked of one: say
//! what runs, start, try out, drain, stop. It decides nothing: which instances there shall be is
//! the planner's word ([`crate::rollout`]), and what is waited for is observed, never promised.
//!
//! | word | is |
//! | --- | --- |
//! | [`Order`] | what shall be started: which instance, of what, from which files |
//! | [`Recipe`] | how it is started: runtime, variables, limits; what [`Launch`] holds |
//! | [`Running`] | an instance as the target sees it, and the [`Endpoint`] where it answers |
//!
//! # What survives
//!
//! Instances outlive whoever started them: a reconciler that was killed finds them again by
//! [`Target::observe`], with all that they were started as, and asks for nothing twice. So a target
//! keeps each [`Order`]'s instance, choice and part beside the instance, in a place of its own, and
//! writes it before the instance begins to run.
//!
//! [`Launch`]: crate::rollout::Launch

#[cfg(test)]
pub mod fake;
pub mod process;
mod recipe;
pub mod runtime;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::record::Failure;
use crate::record::kind::GoldenTest;
use crate::rollout::{Choice, Golden, InstanceId, Part, Phase};

pub use recipe::{Recipe, RecipeError, default_runtime};

/// The codes of this room.
pub mod codes {
    crate::codes! {
        RUNTIME_UNSAID = "runtime-unsaid";
        ARGUMENTS_UNHEARD = "arguments-unheard";
        RECIPE_UNREADABLE = "recipe-unreadable";
        NO_ONNX_FILE = "no-onnx-file";
        NOT_ONNX = "not-onnx";
        OPERATORS_LACKING = "operators-lacking";
        ONNX_NOT_LOADABLE = "onnx-not-loadable";
        ADDRESS_UNAVAILABLE = "address-unavailable";
        NO_THREADS = "no-threads";
        PROCESS_STATE_UNREADABLE = "process-state-unreadable";
        PROCESS_UNENDING = "process-unending";
        RUNTIME_ENDED = "runtime-ended";
        RUNTIME_NOT_READY = "runtime-not-ready";
        RUNTIME_UNREACHABLE = "runtime-unreachable";
        RUNTIME_NONSENSE = "runtime-nonsense";
        PREDICTION_REFUSED = "prediction-refused";
        NO_INTERPRETER = "no-interpreter";
        REQUIREMENTS_UNUSABLE = "requirements-unusable";
        ENVIRONMENT_NOT_BUILT = "environment-not-built";
        NOTHING_TO_SERVE = "nothing-to-serve";
    }
}

/// An instance that shall run.
#[derive(Debug, Clone)]
pub struct Order {
    /// Which.
    pub id: InstanceId,
    /// Of what; it is handed back by [`Target::observe`] as it is here.
    pub choice: Arc<Choice>,
    /// Which part of it: the model, or a coprocessor beside it.
    pub part: Part,
    /// The version's files, verified. They stay where they are, and as they are, for as long as
    /// the instance runs.
    pub files: PathBuf,
}

/// An instance as a target sees it.
#[derive(Debug, Clone)]
pub struct Running {
    /// Which.
    pub id: InstanceId,
    /// Of what it is, as it was ordered.
    pub choice: Arc<Choice>,
    /// Which part of it.
    pub part: Part,
    /// How it does.
    pub phase: Phase,
    /// Since when, by the target's clock.
    pub since: Timestamp,
    /// What its golden tests said; [`Golden::Untested`] again where that was lost.
    pub golden: Golden,
    /// What somebody changed of it beside the yard, if that was noticed.
    pub drift: Option<String>,
    /// Where it answers; nothing as long as it has no address.
    pub endpoint: Option<Endpoint>,
}

/// Where an instance answers the Open Inference Protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its address.
    pub address: SocketAddr,
    /// What it calls its model there.
    pub model: String,
}

/// A kind of place where instances run.
///
/// Every call returns soon: it begins what takes long, and what came of it is observed. A call
/// that is cancelled has happened or not, and never half: an instance that [`Target::observe`]
/// tells of is one that [`Target::stop`] ends. Each may be called once more without harm.
///
/// Calls for different instances may come at once; those for one instance come in order, from one
/// reconciler at a time.
#[async_trait]
pub trait Target: Send + Sync {
    /// Everything that was ordered and not stopped, whatever became of it.
    ///
    /// An instance that ended by itself is there as [`Phase::Failed`], with its last words, until
    /// it is stopped. One is [`Phase::Ready`] only while it answers that it is, and
    /// [`Phase::Unhealthy`] when it did and no longer does; [`Phase::Draining`] stays until the
    /// end.
    ///
    /// # Errors
    /// When it can't be known what runs; nothing may then be concluded, least of all that nothing
    /// does.
    async fn observe(&self) -> Result<Vec<Running>, Failure>;

    /// Begins to start an instance, unless there is one of that name already: then nothing
    /// changes.
    ///
    /// What keeps it from starting (no such interpreter, no memory, a model that is none) is no
    /// error here but [`Phase::Failed`], for its version may be to blame.
    ///
    /// # Errors
    /// When the target itself can't take the order; the instance is then not there.
    async fn start(&self, order: &Order) -> Result<(), Failure>;

    /// Begins to put `tests` to an instance, unless they run or have ended: then nothing changes.
    /// What came of it is [`Running::golden`], also after the reconciler came back where the
    /// target can tell. The files that tests name are those of its [`Order`].
    ///
    /// An instance that goes away meanwhile has not failed its tests.
    ///
    /// # Errors
    /// When they can't begin; an instance that is not there is no error.
    async fn test(&self, id: &InstanceId, tests: &[GoldenTest]) -> Result<(), Failure>;

    /// Marks an instance as one that is to end. It goes on answering what it was asked; nobody
    /// asks it anything new.
    ///
    /// # Errors
    /// When that can't be kept; an instance that is not there is no error.
    async fn drain(&self, id: &InstanceId) -> Result<(), Failure>;

    /// Ends an instance, by force where it doesn't heed, and forgets it. Its log stays. When this
    /// returns, nothing of it runs.
    ///
    /// # Errors
    /// When it could not be ended: it is still observed. One that is not there is no error.
    async fn stop(&self, id: &InstanceId) -> Result<(), Failure>;
}
