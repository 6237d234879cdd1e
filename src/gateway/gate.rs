//! The gate of a deployment: how many requests are answered at once, and how many wait.
//!
//! As many pass as its replicas may be given at once; the others wait in the order in which they
//! came, up to a number and for a time. While nothing is ready all wait: that is the load that
//! wakes a deployment which was scaled to nothing. The gate outlives every switch of the table.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Gate {
    free: Arc<Semaphore>,
    /// How many may pass at once; changed by whoever switches the table.
    capacity: Mutex<usize>,
    /// How many permits are to be given up when they come back, because fewer may pass now.
    owed: AtomicUsize,
    queue: usize,
    waiting: AtomicU64,
    inside: AtomicU64,
    /// The most that were inside at once since somebody asked.
    peak: AtomicU64,
}

/// A request inside; outside again when dropped.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Arc<Gate>,
    permit: Option<OwnedSemaphorePermit>,
}

/// A request that waits, until dropped.
#[derive(Debug)]
pub(super) struct Waiting<'g>(&'g Gate);

/// How long the gate kept a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kept {
    /// As many wait as may.
    Full(usize),
    /// Its time is over.
    TimedOut,
    /// There is nothing behind the gate any more.
    Closed,
}

impl Gate {
    /// A gate that nothing passes yet, before which `queue` may wait.
    pub(super) fn new(queue: usize) -> Arc<Self> {
        Arc::new(Self {
            free: Arc::new(Semaphore::new(0)),
            capacity: Mutex::new(0),
            owed: AtomicUsize::new(0),
            queue,
            waiting: AtomicU64::new(0),
            inside: AtomicU64::new(0),
            peak: AtomicU64::new(0),
        })
    }

    /// Lets `capacity` pass at once from now on; those that are inside finish.
    pub(super) fn open(&self, capacity: usize) {
        let mut current = self.capacity.lock().unwrap_or_else(PoisonError::into_inner);
        let capacity = capacity.min(Semaphore::MAX_PERMITS / 2);
        if capacity > *current {
            let more = capacity - *current;
            let forgiven = take(&self.owed, more);
            self.free.add_permits(more - forgiven);
        } else {
            let less = *current - capacity;
            let forgotten = self.free.forget_permits(less);
            self.owed.fetch_add(less - forgotten, Ordering::SeqCst);
        }
        *current = capacity;
    }

    /// Turns away who waits and who comes; those that are inside finish.
    pub(super) fn close(&self) {
        self.free.close();
    }

    /// Waits for its turn.
    pub(super) async fn enter(self: &Arc<Self>, deadline: Instant) -> Result<Pass, Kept> {
        let permit = match Arc::clone(&self.free).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let _waiting = self.wait()?;
                let turn = Arc::clone(&self.free).acquire_owned();
                match tokio::time::timeout_at(deadline, turn).await {
                    Ok(Ok(permit)) => permit,
                    Ok(Err(_)) => return Err(Kept::Closed),
                    Err(_) => return Err(Kept::TimedOut),
                }
            }
        };
        let inside = self.inside.fetch_add(1, Ordering::Relaxed) + 1;
        self.peak.fetch_max(inside, Ordering::Relaxed);
        Ok(Pass {
            gate: Arc::clone(self),
            permit: Some(permit),
        })
    }

    /// Counts a request that waits.
    pub(super) fn wait(&self) -> Result<Waiting<'_>, Kept> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(self);
        if before >= self.queue as u64 {
            return Err(Kept::Full(self.queue));
        }
        Ok(waiting)
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How many are inside.
    pub(super) fn inside(&self) -> u64 {
        self.inside.load(Ordering::Relaxed)
    }

    /// The most that were inside at once since this was last asked.
    pub(super) fn take_peak(&self) -> u64 {
        let now = self.inside();
        self.peak.swap(now, Ordering::Relaxed).max(now)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gate.inside.fetch_sub(1, Ordering::Relaxed);
        let Some(permit) = self.permit.take() else {
            return;
        };
        if take(&self.gate.owed, 1) == 1 {
            permit.forget();
        }
    }
}

/// Takes up to `most` from a counter, and tells how many that were.
fn take(counter: &AtomicUsize, most: usize) -> usize {
    let mut taken = 0;
    let taking = counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| {
        taken = count.min(most);
        (taken > 0).then(|| count - taken)
    });
    taking.map_or(0, |_| taken)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(20)
    }

    /// Later than any machine needs.
    fn late() -> Instant {
        Instant::now() + Duration::from_secs(120)
    }

    #[tokio::test]
    async fn a_closed_gate_keeps_requests_until_it_opens_and_no_more_than_may_wait() {
        let gate = Gate::new(2);
        let one = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.enter(late()).await.is_ok() }
        });
        let two = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.enter(late()).await.is_ok() }
        });
        while gate.waiting() < 2 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(gate.enter(soon()).await, Err(Kept::Full(2))));
        assert_eq!(gate.waiting(), 2);
        gate.open(1);
        assert!(one.await.unwrap() && two.await.unwrap());
        assert_eq!((gate.waiting(), gate.inside()), (0, 0));
        assert_eq!((gate.take_peak(), gate.take_peak()), (1, 0));
    }

    #[tokio::test]
    async fn a_gate_made_narrower_lets_those_inside_finish_and_forgets_nobody() {
        let gate = Gate::new(9);
        gate.open(3);
        let mut inside = Vec::new();
        for _ in 0..3 {
            inside.push(gate.enter(soon()).await.unwrap());
        }
        gate.open(1);
        assert!(matches!(gate.enter(soon()).await, Err(Kept::TimedOut)));
        inside.pop();
        inside.pop();
        assert!(gate.enter(soon()).await.is_err(), "one is inside still");
        gate.open(2);
        let _more = gate.enter(soon()).await.unwrap();
        assert!(gate.enter(soon()).await.is_err());
        drop(inside);
        assert!(gate.enter(soon()).await.is_ok());
        gate.open(0);
        assert!(gate.enter(soon()).await.is_err());
    }
}
