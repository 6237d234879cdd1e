//! Waiting for what has to come, and not for ever.

use std::time::{Duration, Instant};

/// Longer than anything takes on a machine that builds at the same time.
const PATIENCE: Duration = Duration::from_secs(300);

/// Lets others work, in a loop that began then.
#[track_caller]
pub fn in_time(began: Instant) {
    assert!(began.elapsed() < PATIENCE, "it never came");
    std::thread::yield_now();
}

/// The same where tasks share a thread.
pub async fn in_time_of_tasks(began: Instant) {
    assert!(began.elapsed() < PATIENCE, "it never came");
    tokio::task::yield_now().await;
}
