//! The built-in runtime for ONNX models, on tract.
//!
//! `modelyard runtime onnx FOLDER` is a process of its own that listens first and tells its
//! address ([`Announcement`](super::Announcement)), then loads the model, and from then on says
//! that it is ready:
//!
//! ```text
//! GET  /v2                                    what serves
//! GET  /v2/health/live                        200 as soon as it listens
//! GET  /v2/health/ready                       200 once the model is loaded, 503 before and while it drains
//! GET  /v2/models/NAME[/versions/V]           the model's inputs and outputs
//! GET  /v2/models/NAME[/versions/V]/ready     as /v2/health/ready
//! POST /v2/models/NAME[/versions/V]/infer     a prediction, as JSON or with raw bytes behind it
//! ```
//!
//! Every size and time that a client could choose is bounded ([`Limits`]): what is too large is
//! refused with 413 before it is read, what comes too slowly loses its connection, and when all
//! instances are busy and the queue before them is full, the answer is 429 with `Retry-After`.
//! [`serve`] ends when it is told to: it stops to listen, answers what it has, and returns.
//!
//! Sizes that the model leaves open (a batch's, for one) may differ from request to request.
//! tract's symbolic dimensions, which its `Shape` and `ArgMax` give, come back as INT64.

mod answer;
mod elements;
mod error;
mod find;
mod listen;
mod model;
mod operators;
mod pool;
mod routes;

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

pub use answer::Called;
pub use error::OnnxError;
pub use find::find;
pub use operators::lacking;

use self::model::Model;
use self::pool::Pool;
use self::routes::Routes;

/// What is to be served, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The model's file, or a folder that has one.
    pub model: PathBuf,
    /// What requests call it.
    pub called: Called,
    /// Where to listen; port 0 is any free one.
    pub listen: SocketAddr,
    /// How many requests are computed at once.
    pub instances: NonZero<usize>,
    /// What clients may do.
    pub limits: Limits,
}

/// What clients may do.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest body of a request.
    pub body_bytes: usize,
    /// How many requests may wait for an instance.
    pub waiting: NonZero<usize>,
    /// How long a request may take, from its head to its answer.
    pub request: Duration,
    /// How long a client may be silent: within a request, before the next, or while an answer
    /// goes to it.
    pub silence: Duration,
    /// How long requests may still take once it is told to end.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A batch of 100 colour images of 224 × 224 in single precision is 60 MB.
            body_bytes: 64 * 1024 * 1024,
            waiting: NonZero::new(64).expect("64 is not zero"),
            request: Duration::from_secs(60),
            // Longer than what gateways keep idle connections for, mostly 30 to 60 seconds.
            silence: Duration::from_secs(75),
            drain: Duration::from_secs(30),
        }
    }
}

/// Serves until `stop` is done, and then until what it has is answered.
///
/// `announce` is told the address as soon as it is listened at, before the model is loaded.
///
/// # Errors
/// If the address can't be had, or the model can't be loaded.
pub async fn serve(
    options: Options,
    announce: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()>,
) -> Result<(), OnnxError> {
    let address = options.listen;
    let failed = |source| OnnxError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    announce(listener.local_addr().map_err(failed)?);
    let routes = Arc::new(Routes::new(options.called.clone(), options.limits));
    let load = async {
        let (model, pool) = load(options.clone()).await?;
        routes.serve(&model, pool);
        // From now on only `stop` ends it.
        std::future::pending::<Result<(), OnnxError>>().await
    };
    let ended = async {
        tokio::select! {
            failed = load => failed,
            () = stop => Ok(()),
        }
    };
    listen::listen(listener, &routes, &options.limits, ended).await
}

async fn load(options: Options) -> Result<(Arc<Model>, Pool), OnnxError> {
    let loaded = tokio::task::spawn_blocking(move || {
        let file = find(&options.model)?;
        let model = Arc::new(Model::load(&file)?);
        let Options {
            called,
            instances,
            limits,
            ..
        } = options;
        let pool = Pool::start(&model, &called, instances, limits.waiting)?;
        Ok((model, pool))
    });
    loaded
        .await
        .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
