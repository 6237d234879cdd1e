//! The threads that compute, and the bounded queue before them.
//!
//! Reading a body, running the model and writing the answer all happen here, so that what only
//! moves bytes never waits for arithmetic.

use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::{mpsc, oneshot};

use super::answer::{self, Called, Refusal};
use super::error::OnnxError;
use super::model::Model;
use crate::protocol::Body;

/// A request, and who waits for its answer.
struct Job {
    body: Body,
    reply: oneshot::Sender<Result<Body, Refusal>>,
}

/// Instances of a model, a thread each.
pub(super) struct Pool {
    queue: mpsc::Sender<Job>,
}

impl Pool {
    /// Starts `instances` threads with room for `waiting` requests before them.
    ///
    /// # Errors
    /// If the machine gives no thread.
    pub(super) fn start(
        model: &Arc<Model>,
        called: &Called,
        instances: NonZero<usize>,
        waiting: NonZero<usize>,
    ) -> Result<Self, OnnxError> {
        let (queue, jobs) = mpsc::channel(waiting.get());
        let jobs = Arc::new(Mutex::new(jobs));
        for instance in 0..instances.get() {
            let (model, called, jobs) = (Arc::clone(model), called.clone(), Arc::clone(&jobs));
            thread::Builder::new()
                .name(format!("instance-{instance}"))
                .spawn(move || work(&model, &called, &jobs))
                .map_err(OnnxError::Threads)?;
        }
        Ok(Self { queue })
    }

    /// The answer to `body`; `None` if the queue is full.
    pub(super) async fn answer(&self, body: Body) -> Option<Result<Body, Refusal>> {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(Job { body, reply }).ok()?;
        Some(answer.await.expect("an instance answers every job"))
    }
}

/// What one instance does until the pool is gone.
fn work(model: &Model, called: &Called, jobs: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        // Whoever has the lock waits for the next job; the others wait for the lock.
        let job = jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .blocking_recv();
        let Some(Job { body, reply }) = job else {
            return;
        };
        if reply.is_closed() {
            continue;
        }
        // Nobody waits any more if it took too long.
        let _ = reply.send(answer::answer(model, called, &body));
    }
}
