//! The threads that compute, and the bounded queue before them.
//!
//! Reading a body, running the model and writing the answer all happen here, so that what only
//! moves bytes never waits for arithmetic.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use super::answer::{self, Called, Refusal};
use super::error::OnnxError;
use super::model::Model;
use crate::protocol::Body;

/// A request, and who waits for its answer.
struct Job {
    body: Body,
    reply: oneshot::Sender<Result<Body, Refusal>>,
}

/// Instances of a model, a thread each. Dropped, it takes no more, and they end after what waits.
pub(super) struct Pool {
    queue: Arc<Queue>,
}

/// What waits for an instance, in the order in which it came.
struct Queue {
    waiting: Mutex<Waiting>,
    /// Told of each job, and of the end.
    changed: Condvar,
    most: NonZero<usize>,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    is_over: bool,
}

impl Pool {
    /// Starts `instances` threads with room for `most` requests before them.
    ///
    /// # Errors
    /// If the machine gives no thread.
    pub(super) fn start(
        model: &Arc<Model>,
        called: &Called,
        instances: NonZero<usize>,
        most: NonZero<usize>,
    ) -> Result<Self, OnnxError> {
        let pool = Self {
            queue: Arc::new(Queue {
                waiting: Mutex::default(),
                changed: Condvar::new(),
                most,
            }),
        };
        for instance in 0..instances.get() {
            let (model, called) = (Arc::clone(model), called.clone());
            let queue = Arc::clone(&pool.queue);
            thread::Builder::new()
                .name(format!("instance-{instance}"))
                .spawn(move || work(&model, &called, &queue))
                .map_err(OnnxError::Threads)?;
        }
        Ok(pool)
    }

    /// The answer to `body`; `None` if the queue is full.
    pub(super) async fn answer(&self, body: Body) -> Option<Result<Body, Refusal>> {
        let (reply, answer) = oneshot::channel();
        if !self.queue.put(Job { body, reply }) {
            return None;
        }
        Some(answer.await.expect("an instance answers every job"))
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.queue.lock().is_over = true;
        self.queue.changed.notify_all();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there was room for it.
    fn put(&self, job: Job) -> bool {
        let mut waiting = self.lock();
        if waiting.jobs.len() >= self.most.get() {
            return false;
        }
        waiting.jobs.push_back(job);
        drop(waiting);
        self.changed.notify_one();
        true
    }

    /// The next job, as soon as there is one; `None` if none will come any more.
    fn take(&self) -> Option<Job> {
        let none_yet = |waiting: &mut Waiting| waiting.jobs.is_empty() && !waiting.is_over;
        let waiting = self.changed.wait_while(self.lock(), none_yet);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        waiting.jobs.pop_front()
    }
}

/// What one instance does until the pool is gone.
fn work(model: &Model, called: &Called, queue: &Queue) {
    while let Some(Job { body, reply }) = queue.take() {
        if reply.is_closed() {
            continue;
        }
        // Nobody waits any more if it took too long.
        let _ = reply.send(answer::answer(model, called, &body));
    }
}
