//! What the planner is told: how much a deployment is asked, and how well its revisions answer.

use std::time::Duration;

use jiff::Timestamp;

use super::shared::Shared;
use super::tally::Counts;
use crate::record::Name;
use crate::record::kind::{Finite, ScaleMetric};
use crate::rollout::{Load, Outcome, Side};

/// The time over which requests a second are told, and how many are answered at once.
const WINDOW: Duration = Duration::from_secs(30);

/// What an analysis can ask the gateway for.
pub const METRICS: [&str; 8] = [
    "error_rate",
    "latency_p50_ms",
    "latency_p75_ms",
    "latency_p90_ms",
    "latency_p95_ms",
    "latency_p99_ms",
    "latency_p999_ms",
    "agreement",
];

/// How much a deployment is asked; `None` if it has no route.
pub(super) fn load(
    shared: &Shared,
    deployment: &Name,
    metric: Option<&ScaleMetric>,
) -> Option<Load> {
    let map = shared.map();
    let gate = &map.named(deployment.as_str())?.standing.gate;
    let (waiting, in_flight) = (gate.waiting(), gate.take_peak());
    let value = metric.and_then(|metric| {
        let now = shared.clock.now();
        let since = now.checked_sub(WINDOW).unwrap_or(now);
        let counts = shared
            .tallies(deployment)
            .iter()
            .map(|(_, tally)| tally.since(since))
            .fold(Counts::default(), |all, counts| all.and(&counts));
        let seconds = WINDOW.as_secs_f64();
        match metric {
            ScaleMetric::Rps => Finite::try_from(per_second(&counts, seconds)).ok(),
            ScaleMetric::Concurrency => {
                let busy = counts.times.sum().as_secs_f64() / seconds;
                #[expect(clippy::cast_precision_loss, reason = "they are few")]
                let now = (waiting + in_flight) as f64;
                Finite::try_from(busy.max(now)).ok()
            }
            // What a replica takes of the machine is seen by its target.
            _ => None,
        }
    });
    Some(Load {
        waiting,
        in_flight,
        value,
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2⁵³")]
fn per_second(counts: &Counts, seconds: f64) -> f64 {
    counts.times.count() as f64 / seconds
}

/// One of [`METRICS`] of a side's revisions since an instant.
pub(super) fn measure(
    shared: &Shared,
    deployment: &Name,
    metric: &str,
    side: &Side,
    since: Timestamp,
) -> Outcome {
    if !METRICS.contains(&metric) {
        let known = METRICS.join(", ");
        let why = format!(
            "the gateway has no metric `{}`, but {known}",
            metric.escape_debug()
        );
        return Outcome::Error { why };
    }
    let counts = shared
        .tallies(deployment)
        .iter()
        .filter(|(revision, _)| side.has(*revision))
        .map(|(_, tally)| tally.since(since))
        .fold(Counts::default(), |all, counts| all.and(&counts));
    outcome(metric, &counts)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2⁵³")]
fn outcome(metric: &str, counts: &Counts) -> Outcome {
    let of = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    let requests = counts.times.count();
    let compared = counts.agreeing + counts.differing;
    let (value, samples) = match metric {
        "error_rate" => (of(counts.errors, requests), requests),
        "agreement" => (of(counts.agreeing, compared), compared),
        _ => {
            let share = metric
                .trim_start_matches("latency_p")
                .trim_end_matches("_ms");
            let share = format!("0.{share}").parse().unwrap_or(1.0);
            let time = counts.times.quantile(share);
            (time.map(|time| time.as_secs_f64() * 1e3), requests)
        }
    };
    match value.and_then(|value| Finite::try_from(value).ok()) {
        Some(value) => Outcome::Value {
            value,
            samples: Some(samples),
            note: None,
        },
        None => Outcome::Nothing {
            why: "there was no request yet".to_owned(),
        },
    }
}
