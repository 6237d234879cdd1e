//! How long answers took, in buckets whose width grows with the time. Pure.
//!
//! Sixteen buckets for each doubling, from a microsecond to over a day, so that a quantile is off
//! by at most a sixteenth. Counting is one addition to one atomic number.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Two to this power is how many buckets each doubling has.
const PRECISION: u32 = 4;
const PER_DOUBLING: usize = 1 << PRECISION;
/// Two to this power microseconds is the longest time that is told apart: 38 hours.
const LONGEST: u32 = 37;
const BUCKETS: usize = PER_DOUBLING * (LONGEST - PRECISION + 1) as usize;

/// Counts while it is read.
#[derive(Debug)]
pub(super) struct Histogram {
    buckets: Box<[AtomicU64]>,
    sum_micros: AtomicU64,
}

/// What was counted up to a moment, or between two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Times {
    buckets: Box<[u64]>,
    sum_micros: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
            sum_micros: AtomicU64::new(0),
        }
    }
}

impl Default for Times {
    fn default() -> Self {
        Self {
            buckets: vec![0; BUCKETS].into(),
            sum_micros: 0,
        }
    }
}

impl Histogram {
    pub(super) fn count(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.buckets[bucket(micros)].fetch_add(1, Ordering::Relaxed);
        self.sum_micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn times(&self) -> Times {
        let load = |bucket: &AtomicU64| bucket.load(Ordering::Relaxed);
        Times {
            buckets: self.buckets.iter().map(load).collect(),
            sum_micros: load(&self.sum_micros),
        }
    }
}

impl Times {
    /// How many were counted.
    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// All times together, in seconds.
    pub(crate) fn sum(&self) -> Duration {
        Duration::from_micros(self.sum_micros)
    }

    /// How many took at most `bound`, as far as buckets tell.
    pub(crate) fn at_most(&self, bound: Duration) -> u64 {
        let micros = u64::try_from(bound.as_micros()).unwrap_or(u64::MAX);
        self.buckets[..=bucket(micros)].iter().sum()
    }

    /// The time within which `share` of them, from 0 to 1, were answered; `None` of nothing.
    pub(crate) fn quantile(&self, share: f64) -> Option<Duration> {
        let count = self.count();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "counts are far below 2⁵³, and the product lies between 0 and the count"
        )]
        let rank = ((count as f64 * share).ceil() as u64).clamp(1, count.max(1));
        let mut seen = 0;
        let at = self.buckets.iter().position(|bucket| {
            seen += bucket;
            seen >= rank
        });
        at.filter(|_| count > 0)
            .map(|at| Duration::from_micros(upper(at)))
    }

    /// What was counted since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let pairs = self.buckets.iter().zip(&earlier.buckets);
        Self {
            buckets: pairs.map(|(now, then)| now.saturating_sub(*then)).collect(),
            sum_micros: self.sum_micros.saturating_sub(earlier.sum_micros),
        }
    }

    /// Both together.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        for (one, other) in self.buckets.iter_mut().zip(&other.buckets) {
            *one += other;
        }
        self.sum_micros = self.sum_micros.saturating_add(other.sum_micros);
        self
    }
}

/// The bucket of a time.
fn bucket(micros: u64) -> usize {
    let micros = micros.min((1 << LONGEST) - 1);
    let doubling = micros.max(1).ilog2().saturating_sub(PRECISION);
    let within = usize::try_from(micros >> doubling).unwrap_or(0);
    doubling as usize * PER_DOUBLING + within
}

/// The longest time in a bucket, in microseconds.
fn upper(bucket: usize) -> u64 {
    let doubling = (bucket / PER_DOUBLING).saturating_sub(1);
    let within = bucket - doubling * PER_DOUBLING;
    ((within as u64 + 1) << doubling) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_has_a_bucket_that_is_at_most_a_sixteenth_wide() {
        let mut last = 0;
        for micros in (0..100_000).chain([1 << 30, (1 << LONGEST) - 1, u64::MAX]) {
            let at = bucket(micros);
            assert!(at == last || at == last + 1 || micros > 100_000, "{micros}");
            assert!(at < BUCKETS);
            let upper = upper(at);
            let bounded = micros.min((1 << LONGEST) - 1);
            assert!(
                upper >= bounded && upper - bounded <= bounded / 16,
                "{micros}: {upper}"
            );
            last = at;
        }
    }

    #[test]
    fn quantiles_are_those_of_what_was_counted_since() {
        let histogram = Histogram::default();
        (0..1000).for_each(|_| histogram.count(Duration::from_secs(9)));
        let before = histogram.times();
        for millis in 1..=100 {
            histogram.count(Duration::from_millis(millis));
        }
        let since = histogram.times().since(&before);
        assert_eq!(since.count(), 100);
        for (share, millis) in [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1)] {
            let exact = Duration::from_millis(millis);
            let told = since.quantile(share).unwrap();
            assert!(
                told >= exact && told <= exact * 17 / 16,
                "{share}: {told:?}"
            );
        }
        assert_eq!(before.since(&before).quantile(0.5), None);
        assert_eq!(since.at_most(Duration::from_millis(200)), 100);
        assert_eq!(since.clone().and(&before).count(), 1100);
    }
}
