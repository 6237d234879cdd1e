//! Steps that failed: how long their deployments wait until they are tried again.
//!
//! Each effort waits for itself: a revert that can't be pushed keeps no replica from being
//! replaced.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::record::Name;
use crate::rollout::Step;

/// The wait after a first failure; it doubles with each more.
const FIRST: SignedDuration = SignedDuration::from_secs(1);
/// No wait is longer: whoever repairs what was broken shall not wait long for it to be seen.
const LONGEST: SignedDuration = SignedDuration::from_mins(5);
/// A clock that leapt further back than this makes no wait endless.
const LEAP: SignedDuration = SignedDuration::from_mins(6);

/// Who waits, and until when. It is not stored: a new reconciler tries at once.
#[derive(Debug, Default)]
pub(super) struct Backoff(BTreeMap<(Name, Effort), Held>);

/// What kind of work failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effort {
    /// Fetching and verifying.
    Bytes,
    /// Starting, trying out, draining, stopping.
    Instances,
    /// Writing to the yard.
    Revert,
}

impl Effort {
    /// Of which kind a step is; `None` for those that never wait: what is remembered, where
    /// requests go, what is measured.
    pub(super) fn of(step: &Step) -> Option<Self> {
        match step {
            Step::Remember { .. }
            | Step::SetRoute { .. }
            | Step::RemoveRoute { .. }
            | Step::Measure { .. }
            | Step::Prune { .. } => None,
            Step::Fetch { .. } | Step::Verify { .. } => Some(Self::Bytes),
            Step::Start { .. }
            | Step::RunGoldenTests { .. }
            | Step::Drain { .. }
            | Step::Stop { .. } => Some(Self::Instances),
            Step::WriteRevert { .. } => Some(Self::Revert),
        }
    }
}

#[derive(Debug, Clone)]
struct Held {
    failures: u32,
    until: Timestamp,
}

impl Backoff {
    /// An effort for `deployment` failed.
    pub(super) fn failed(&mut self, deployment: &Name, effort: Effort, now: Timestamp) {
        let key = (deployment.clone(), effort);
        let failures = self
            .0
            .get(&key)
            .map_or(1, |held| held.failures.saturating_add(1));
        let until = now.checked_add(delay(deployment, failures));
        let until = until.unwrap_or(Timestamp::MAX);
        self.0.insert(key, Held { failures, until });
    }

    /// An effort for `deployment` worked.
    pub(super) fn worked(&mut self, deployment: &Name, effort: Effort) {
        self.0.remove(&(deployment.clone(), effort));
    }

    /// A new commit: everything is tried at once.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether an effort for `deployment` waits now.
    pub(super) fn holds(&self, deployment: &Name, effort: Effort, now: Timestamp) -> bool {
        if self.0.is_empty() {
            return false;
        }
        self.0
            .get(&(deployment.clone(), effort))
            .is_some_and(|held| {
                let left = held.until.duration_since(now);
                left > SignedDuration::ZERO && left <= LEAP
            })
    }

    /// Forgets waits that are over by `now`, the end of a pass: what still failed waits anew, and
    /// the rest is no longer asked for.
    pub(super) fn forget_past(&mut self, now: Timestamp) {
        self.0.retain(|_, held| {
            let left = held.until.duration_since(now);
            left > SignedDuration::ZERO && left <= LEAP
        });
    }

    /// When the next wait ends.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.values().map(|held| held.until).min()
    }
}

/// Doubled each time, capped, and for each deployment a little different, so that not all come
/// back at once.
fn delay(deployment: &Name, failures: u32) -> SignedDuration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let capped = doubled.min(LONGEST);
    let mixed = deployment.as_str().bytes().fold(failures, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u32::from(byte))
    });
    let percent = i32::try_from(mixed % 20).unwrap_or(0);
    capped - capped / 100 * percent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_are_capped_and_end_when_it_works_or_main_says_something_new() {
        let now: Timestamp = "2026-11-01T10:00:00Z".parse().unwrap();
        let name: Name = "digits".parse().unwrap();
        let second = SignedDuration::from_secs(1);
        let start = Effort::Instances;
        let mut backoff = Backoff::default();
        let mut waits = Vec::new();
        for _ in 0..20 {
            backoff.failed(&name, start, now);
            assert!(backoff.holds(&name, start, now));
            waits.push(backoff.next().unwrap().duration_since(now));
        }
        assert!(waits[0] <= second && waits[1] > second, "{waits:?}");
        assert!(waits.iter().all(|wait| *wait <= LONGEST), "{waits:?}");
        assert!(waits[19] >= LONGEST / 100 * 80, "{waits:?}");
        assert!(!backoff.holds(&name, start, now + LONGEST));
        assert!(
            !backoff.holds(&name, start, now - LONGEST * 10),
            "the clock was set back"
        );
        assert!(!backoff.holds(&name, Effort::Revert, now));
        backoff.worked(&name, start);
        assert!(!backoff.holds(&name, start, now));
        backoff.failed(&name, start, now);
        backoff.clear();
        assert_eq!(backoff.next(), None);
    }
}
