//! A replica: where it is, what it has in hand, and the connections that are kept to it.
//!
//! Who sends a request to a replica holds a [`Lease`] of it until the answer's last byte; while
//! there are leases the replica must not be stopped. It outlives switches of the table: one of the
//! same number at the same address stays the same, connections and all.

use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use hyper::Uri;
use hyper::header::HeaderValue;
use tokio::time::Instant;

use super::line::Line;
use crate::rollout::InstanceId;
use crate::target::Endpoint;

/// How many idle connections are kept to a replica at most.
const MOST_KEPT: usize = 128;

#[derive(Debug)]
pub(super) struct Instance {
    pub(super) id: InstanceId,
    pub(super) endpoint: Endpoint,
    /// Where its predictions are asked.
    pub(super) infer: Uri,
    pub(super) host: HeaderValue,
    in_flight: AtomicU64,
    /// Oldest first; held for a push or a pop, never across an `await`.
    kept: Mutex<Vec<Kept>>,
}

/// A connection that is idle. Only the thread that opened it takes it again: what is sent on it
/// then wakes no other one.
#[derive(Debug)]
struct Kept {
    line: Line,
    thread: ThreadId,
    since: Instant,
}

/// A replica that is in use, until dropped.
#[derive(Debug)]
pub(super) struct Lease(Arc<Instance>);

impl Instance {
    /// A replica at an endpoint; `None` if its model's name can stand in no path.
    pub(super) fn new(id: InstanceId, endpoint: Endpoint) -> Option<Arc<Self>> {
        let infer = format!("/v2/models/{}/infer", endpoint.model);
        let host = endpoint.address.to_string();
        Some(Arc::new(Self {
            id,
            infer: infer.parse().ok()?,
            host: host.parse().ok()?,
            endpoint,
            in_flight: AtomicU64::new(0),
            kept: Mutex::new(Vec::new()),
        }))
    }

    /// Takes it into use. What chose it from a table has to look afterwards whether that table is
    /// still in force; see [`Self::in_flight`].
    pub(super) fn lease(self: &Arc<Self>) -> Lease {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        Lease(Arc::clone(self))
    }

    /// How many requests it has in hand.
    ///
    /// Asked after a table without it came into force, zero means that none will come any more:
    /// a request leases first and looks at the table then, here the table is switched first and
    /// leases are looked at then, and the fences keep each in its order.
    pub(super) fn in_flight(&self) -> u64 {
        fence(Ordering::SeqCst);
        self.in_flight.load(Ordering::SeqCst)
    }

    /// A connection that this thread kept and that is still open, newest first.
    pub(super) fn take_line(&self, idle_time: Duration) -> Option<Line> {
        let here = thread::current().id();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(newest) = kept.iter().rposition(|one| one.thread == here) {
            let one = kept.remove(newest);
            if one.since.elapsed() > idle_time {
                // All others of this thread are older.
                kept.retain(|other| other.thread != here);
                return None;
            }
            if one.line.is_usable() {
                return Some(one.line);
            }
        }
        None
    }

    /// Keeps a connection for the next request of this thread.
    pub(super) fn keep_line(&self, line: Line) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            // Those of a thread that is gone are closed, and nobody takes them.
            kept.retain(|one| !one.line.is_closed());
        }
        if kept.len() < MOST_KEPT && !line.is_closed() {
            kept.push(Kept {
                line,
                thread: thread::current().id(),
                since: Instant::now(),
            });
        }
    }

    /// Lets go of all kept connections.
    pub(super) fn forget_lines(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clear();
    }
}

impl std::ops::Deref for Lease {
    type Target = Arc<Instance>;

    fn deref(&self) -> &Arc<Instance> {
        &self.0
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}
