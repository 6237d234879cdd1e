//! The one retry policy: capped, jittered, and heeding what a server asks for.

use std::future::Future;
use std::time::Duration;

use crate::record::{Class, Fault};

/// How often and how patiently something transient is tried again.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Calls in all, the first one counted.
    pub attempts: u32,
    /// The wait before the second call; it doubles from there.
    pub first_wait: Duration,
    /// No wait is longer, whatever a server asks for.
    pub longest_wait: Duration,
}

/// A fault that may carry a server's `Retry-After`.
pub trait Retryable: Fault {
    /// How long the other side asked us to wait.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

impl Default for Policy {
    /// Four calls: enough for a restarting registry or a dropped connection (about 0.5 s, 1 s and
    /// 2 s apart), and few enough that a dead one is told within seconds. A server's wish is
    /// heeded up to a minute, which is what rate limits ask for.
    fn default() -> Self {
        Self {
            attempts: 4,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(60),
        }
    }
}

impl Policy {
    /// Calls `operation` until it works, fails for good, or has been tried often enough.
    ///
    /// # Errors
    /// The last call's.
    #[allow(clippy::disallowed_methods, reason = "the one place that waits")]
    pub async fn run<T, E, F>(&self, mut operation: impl FnMut() -> F) -> Result<T, E>
    where
        E: Retryable,
        F: Future<Output = Result<T, E>>,
    {
        let mut attempt = 1;
        loop {
            match operation().await {
                Err(fault) if fault.class() == Class::Transient && attempt < self.attempts => {
                    let wait = self.wait(attempt, fault.retry_after(), jitter());
                    tracing::debug!(attempt, ?wait, %fault, "trying again");
                    tokio::time::sleep(wait).await;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    /// The wait after call number `attempt`, given what the server asked for and a `jitter` from
    /// 0 to 1. Its own waits lie between half and all of the doubled one, so that many clients
    /// don't come back at once.
    fn wait(&self, attempt: u32, asked: Option<Duration>, jitter: f64) -> Duration {
        let doubled = self.first_wait.saturating_mul(1 << (attempt - 1).min(16));
        let own = doubled.mul_f64(0.5 + jitter / 2.0);
        asked
            .map_or(own, |asked| asked.max(own))
            .min(self.longest_wait)
    }
}

/// A number from 0 to 1; the middle where the machine has no randomness to give.
fn jitter() -> f64 {
    getrandom::u32().map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_are_capped_and_heed_the_server() {
        let policy = Policy::default();
        let second = Duration::from_secs(1);
        assert_eq!(policy.wait(1, None, 1.0), second / 2);
        assert_eq!(policy.wait(1, None, 0.0), second / 4);
        assert_eq!(policy.wait(3, None, 1.0), second * 2);
        assert_eq!(policy.wait(1, Some(second * 7), 0.3), second * 7);
        assert_eq!(policy.wait(1, Some(second * 3600), 0.3), second * 60);
        assert_eq!(policy.wait(60, None, 1.0), second * 60);
    }
}
