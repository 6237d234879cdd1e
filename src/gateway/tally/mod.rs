//! What is counted of each revision: requests, errors, times, and mirrored answers that agree.
//!
//! Counters only ever grow. To tell what happened *since* an instant, marks are kept of what they
//! were at earlier ones: one at each switch of the deployment's route, so that a rollout's stage is
//! measured from its beginning, and one a second while there is something to count. The older marks
//! get the farther apart they may lie, so that months need no more of them than minutes.

mod histogram;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

pub(super) use histogram::Times;

use self::histogram::Histogram;
use crate::rollout::Content;

/// When there are more marks than this, those that are hardly missed go.
const MOST_MARKS: usize = 96;

/// A mark is hardly missed if those beside it lie closer together than this part of its age.
const PART_OF_AGE: i32 = 6;

/// How many of the marks made at switches stay whatever their age.
const MOST_SWITCHES: usize = 16;

#[derive(Debug)]
pub(super) struct Tally {
    content: Content,
    times: Histogram,
    errors: AtomicU64,
    agreeing: AtomicU64,
    differing: AtomicU64,
    marks: Mutex<Vec<Mark>>,
}

/// What was counted up to an instant.
#[derive(Debug)]
struct Mark {
    at: Timestamp,
    is_switch: bool,
    counts: Counts,
}

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) times: Times,
    /// Answers that were no good, by the fault of what serves.
    pub(super) errors: u64,
    /// Mirrored answers that were as the client's.
    pub(super) agreeing: u64,
    /// Mirrored answers that were not.
    pub(super) differing: u64,
}

impl Tally {
    /// Counts from `now`.
    pub(super) fn new(content: Content, now: Timestamp) -> Self {
        Self {
            content,
            times: Histogram::default(),
            errors: AtomicU64::new(0),
            agreeing: AtomicU64::new(0),
            differing: AtomicU64::new(0),
            marks: Mutex::new(vec![Mark {
                at: now,
                is_switch: true,
                counts: Counts::default(),
            }]),
        }
    }

    /// What answers.
    pub(super) const fn content(&self) -> &Content {
        &self.content
    }

    /// Counts an answer.
    pub(super) fn answered(&self, time: Duration, is_error: bool) {
        self.times.count(time);
        if is_error {
            self.errors.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a mirrored answer.
    pub(super) fn compared(&self, agrees: bool) {
        let counter = if agrees {
            &self.agreeing
        } else {
            &self.differing
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Everything so far.
    pub(super) fn counts(&self) -> Counts {
        Counts {
            times: self.times.times(),
            errors: self.errors.load(Ordering::Relaxed),
            agreeing: self.agreeing.load(Ordering::Relaxed),
            differing: self.differing.load(Ordering::Relaxed),
        }
    }

    /// What was counted since an instant, or since a little earlier.
    pub(super) fn since(&self, since: Timestamp) -> Counts {
        let marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let before = marks.iter().rev().find(|mark| mark.at <= since);
        let counts = self.counts();
        match before.or_else(|| marks.first()) {
            Some(mark) => counts.since(&mark.counts),
            None => counts,
        }
    }

    /// Notes what it is at `now`: at a switch of the route, or unless nothing happened.
    pub(super) fn mark(&self, now: Timestamp, is_switch: bool) {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = self.counts();
        let last = marks.last();
        if !is_switch && last.is_some_and(|last| last.counts == counts) {
            return;
        }
        // A clock that was set back must not leave marks that seem to be of the future.
        marks.retain(|mark| mark.at <= now);
        marks.push(Mark {
            at: now,
            is_switch,
            counts,
        });
        if marks.len() > MOST_MARKS {
            thin(&mut marks, now);
        }
    }
}

/// Takes marks away that are hardly missed.
fn thin(marks: &mut Vec<Mark>, now: Timestamp) {
    let switches = marks.iter_mut().rev().filter(|mark| mark.is_switch);
    for mark in switches.skip(MOST_SWITCHES) {
        mark.is_switch = false;
    }
    let mut index = 1;
    while index + 1 < marks.len() {
        let gap = marks[index + 1].at.duration_since(marks[index - 1].at);
        let age = now.duration_since(marks[index].at);
        if !marks[index].is_switch && gap <= age / PART_OF_AGE {
            marks.remove(index);
        } else {
            index += 1;
        }
    }
}

impl Counts {
    fn since(&self, earlier: &Self) -> Self {
        Self {
            times: self.times.since(&earlier.times),
            errors: self.errors.saturating_sub(earlier.errors),
            agreeing: self.agreeing.saturating_sub(earlier.agreeing),
            differing: self.differing.saturating_sub(earlier.differing),
        }
    }

    /// Both together.
    pub(super) fn and(self, other: &Self) -> Self {
        Self {
            times: self.times.and(&other.times),
            errors: self.errors + other.errors,
            agreeing: self.agreeing + other.agreeing,
            differing: self.differing + other.differing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn tally() -> Tally {
        let content = serde_json::json!({"model": {
            "model": "vision/digits",
            "version": "1.0.0",
            "digest": format!("sha256:{}", "0".repeat(64)),
        }});
        Tally::new(serde_json::from_value(content).unwrap(), at(0))
    }

    #[test]
    fn counts_are_those_since_an_instant() {
        let tally = tally();
        let millisecond = Duration::from_millis(1);
        for second in 1..=100_000 {
            tally.answered(millisecond, second % 10 == 0);
            tally.mark(at(second), second == 50_000);
        }
        let told = |since| {
            let counts = tally.since(at(since));
            (counts.times.count(), counts.errors)
        };
        assert_eq!(told(0), (100_000, 10_000));
        assert_eq!(told(99_997), (3, 1));
        assert_eq!(told(100_001), (0, 0));
        // A switch is known exactly, the rest of what is long ago nearly.
        assert_eq!(told(50_000), (50_000, 5_000));
        for age in [100, 1_000, 20_000, 80_000] {
            let (count, _) = told(100_000 - age);
            let age = age.unsigned_abs();
            assert!((age..=age + age / 5).contains(&count), "{age}: {count}");
        }
        let kept = tally.marks.lock().unwrap().len();
        assert!(kept <= MOST_MARKS + 1, "{kept}");
    }

    #[test]
    fn a_clock_that_is_set_back_loses_no_counts() {
        let tally = tally();
        tally.answered(Duration::ZERO, false);
        tally.mark(at(100), false);
        tally.answered(Duration::ZERO, true);
        tally.mark(at(50), false);
        tally.answered(Duration::ZERO, true);
        assert_eq!(tally.since(at(0)).errors, 2);
        assert_eq!(tally.since(at(60)).errors, 1);
    }
}
