//! Analyses: what is measured while a rollout goes on, and what the measurements come to.
//!
//! The planner asks for one measurement after another ([`Ask`]), each with a number; whoever
//! measures hands back a [`Measurement`] with the same ask. A [`Tally`] of the stage's
//! measurements is remembered, and takes in each number once and in order: a measurement that is
//! handed in twice, late, or of a rollout that is gone changes nothing, and no clock is needed to
//! tell.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::clock;
use crate::record::Name;
use crate::record::kind::{self, Finite, Span, TestChoice};

/// How often something is measured where nothing is said.
const INTERVAL: Span = Span::seconds(30);
/// How many errors in a row an analysis bears where nothing is said: a server that restarts, or a
/// name that isn't found for a while, is not the version's fault.
const CONSECUTIVE_ERRORS: u32 = 4;

/// Something that is measured, and its bounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Analysis {
    /// What stages call it.
    pub name: Name,
    /// Where it is measured.
    pub source: Source,
    /// It has to be below this.
    pub below: Option<Finite>,
    /// It has to be this or more.
    pub at_least: Option<Finite>,
    /// How long after one measurement the next is taken.
    pub interval: Span,
    /// How many measurements have to be good; where nothing is said one, and measuring goes on
    /// until the stage ends.
    pub count: Option<u32>,
    /// How many bad measurements it bears.
    pub failure_limit: u32,
    /// How many measurements that say neither it bears; any number where nothing is said.
    pub inconclusive_limit: Option<u32>,
    /// How many measurements in a row it bears that could not be taken.
    pub consecutive_error_limit: u32,
    /// How many requests a measurement needs to say something.
    pub min_samples: u64,
}

/// Where a number comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// The gateway's own counts.
    Gateway {
        /// Which of its metrics, such as `error_rate`.
        metric: String,
    },
    /// The share of golden tests that pass, of those that it or what it is held against passes.
    Golden {
        /// Which of them.
        tests: TestChoice,
    },
    /// The number in an answer over HTTP.
    Http {
        /// Whom to ask.
        url: String,
        /// Where in the answer's JSON the number stands, as a JSON pointer.
        pointer: Option<String>,
    },
    /// The number that a program prints.
    Command {
        /// The program and its arguments.
        arguments: Vec<String>,
    },
    /// What a Prometheus server answers.
    Prometheus {
        /// The PromQL query.
        query: String,
    },
}

/// One measurement that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ask {
    /// Of which deployment.
    pub deployment: Name,
    /// Of which of its rollouts.
    pub rollout: u64,
    /// At which stage, from 0.
    pub stage: u32,
    /// Of which analysis.
    pub analysis: Name,
    /// Which measurement it is, from 1.
    pub number: u32,
}

/// A measurement that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Measurement {
    /// What was asked for.
    pub ask: Ask,
    /// When it was taken.
    pub at: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// A number.
    Value {
        /// The number.
        value: Finite,
        /// How many requests it is of, where it is of requests.
        samples: Option<u64>,
        /// What it is made of, for people.
        note: Option<String>,
    },
    /// An answer that says nothing: no data, or not a number.
    Nothing {
        /// What was answered.
        why: String,
    },
    /// It could not be taken.
    Error {
        /// Why.
        why: String,
    },
}

/// What the measurements of one analysis at one stage come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tally {
    /// How many were taken.
    pub taken: u32,
    /// How many were good.
    pub good: u32,
    /// How many were bad.
    pub bad: u32,
    /// How many said neither.
    pub inconclusive: u32,
    /// How many of the last ones could not be taken.
    pub errors_in_a_row: u32,
    /// When the last was taken.
    pub last_at: Option<Timestamp>,
    /// What the last said, for people.
    pub last: String,
}

/// What an analysis says of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not yet.
    Open,
    /// It holds.
    Holds,
    /// A person has to look.
    Unclear,
    /// It doesn't hold.
    Fails,
}

impl From<&kind::Analysis> for Analysis {
    fn from(record: &kind::Analysis) -> Self {
        let source = match record.measure.clone() {
            kind::Measure::Gateway { metric } => Source::Gateway { metric },
            kind::Measure::Prometheus { query } => Source::Prometheus { query },
            kind::Measure::Golden { tests } => Source::Golden { tests },
            kind::Measure::Http { url, pointer } => Source::Http {
                url: url.into(),
                pointer: pointer.map(String::from),
            },
            kind::Measure::Command { command } => Source::Command {
                arguments: command.into(),
            },
        };
        Self {
            name: record.name.clone(),
            source,
            below: record.below,
            at_least: record.at_least,
            interval: record.interval.unwrap_or(INTERVAL),
            count: record.count,
            failure_limit: record.failure_limit.unwrap_or(0),
            inconclusive_limit: record.inconclusive_limit,
            consecutive_error_limit: record.consecutive_error_limit.unwrap_or(CONSECUTIVE_ERRORS),
            min_samples: record.min_samples.unwrap_or(0),
        }
    }
}

impl Analysis {
    /// When the next measurement is due, at a stage that holds since `since`; `None` when there
    /// are enough.
    pub(super) fn due(&self, tally: &Tally, since: Timestamp, now: Timestamp) -> Option<Timestamp> {
        if self.count.is_some_and(|count| tally.good >= count.max(1)) {
            return None;
        }
        // What counts requests has nothing to say before there were some.
        let counts = matches!(
            self.source,
            Source::Gateway { .. } | Source::Prometheus { .. }
        );
        let last = match tally.last_at {
            Some(last) => last,
            None if counts => since,
            None => return Some(now),
        };
        if clock::passed(last, self.interval, now) {
            return Some(now);
        }
        Some(clock::later(last, self.interval))
    }

    /// Takes in a measurement; one of another number than the next changes nothing.
    pub(super) fn take(&self, tally: &mut Tally, measurement: &Measurement) {
        if Some(measurement.ask.number) != tally.taken.checked_add(1) {
            return;
        }
        tally.taken = measurement.ask.number;
        tally.last_at = Some(measurement.at);
        tally.last = self.describe(&measurement.outcome);
        if matches!(measurement.outcome, Outcome::Error { .. }) {
            tally.errors_in_a_row = tally.errors_in_a_row.saturating_add(1);
            return;
        }
        tally.errors_in_a_row = 0;
        let counter = match &measurement.outcome {
            Outcome::Value { samples, .. } if samples.is_some_and(|n| n < self.min_samples) => {
                &mut tally.inconclusive
            }
            Outcome::Value { value, .. } if self.holds(*value) => &mut tally.good,
            Outcome::Value { .. } => &mut tally.bad,
            Outcome::Nothing { .. } | Outcome::Error { .. } => &mut tally.inconclusive,
        };
        *counter = counter.saturating_add(1);
    }

    /// What the measurements come to.
    pub(super) fn verdict(&self, tally: &Tally) -> Verdict {
        if tally.bad > self.failure_limit || tally.errors_in_a_row > self.consecutive_error_limit {
            Verdict::Fails
        } else if self
            .inconclusive_limit
            .is_some_and(|limit| tally.inconclusive > limit)
        {
            Verdict::Unclear
        } else if tally.good >= self.count.unwrap_or(1).max(1) {
            Verdict::Holds
        } else {
            Verdict::Open
        }
    }

    fn holds(&self, value: Finite) -> bool {
        self.below.is_none_or(|bound| value < bound)
            && self.at_least.is_none_or(|bound| value >= bound)
    }

    fn describe(&self, outcome: &Outcome) -> String {
        let (value, samples, note) = match outcome {
            Outcome::Value {
                value,
                samples,
                note,
            } => (value, samples, note),
            Outcome::Nothing { why } => return format!("nothing was said: {why}"),
            Outcome::Error { why } => return format!("it could not be measured: {why}"),
        };
        let mut text = format!("{value}");
        if let Some(bound) = self.below {
            text += &format!(", to be below {bound}");
        }
        if let Some(bound) = self.at_least {
            text += &format!(", to be at least {bound}");
        }
        match samples {
            Some(samples) if *samples < self.min_samples => {
                text += &format!(
                    ", of {samples} requests where {} are needed",
                    self.min_samples
                );
            }
            Some(samples) => text += &format!(", of {samples} requests"),
            None => {}
        }
        if let Some(note) = note {
            text += &format!("; {note}");
        }
        text
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rollout,
            stage,
            analysis,
            number,
            ..
        } = self;
        write!(
            formatter,
            "{analysis}, number {number}, rollout {rollout}, step {}",
            stage + 1
        )
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    /// What `fields` beside name, source and bound make of an analysis.
    fn of(fields: &str) -> Analysis {
        let source = r#""source": "command", "command": ["compare", "a b"]"#;
        let json = format!(r#"{{"name": "drift", {source}, "below": 0.1{fields}}}"#);
        Analysis::from(&serde_json::from_str::<kind::Analysis>(&json).unwrap())
    }

    /// What measurements come to, taken in one after the other and an interval apart: `+` is good,
    /// `-` bad, `?` says nothing, `!` could not be taken. Then when the next one is due.
    fn after(analysis: &Analysis, measurements: &str) -> (Verdict, Option<SignedDuration>) {
        let since: Timestamp = "2026-11-01T10:00:00Z".parse().unwrap();
        let (mut tally, mut now) = (Tally::default(), since);
        for sign in measurements.chars() {
            let value = |value: f64| Outcome::Value {
                value: Finite::try_from(value).unwrap(),
                samples: None,
                note: None,
            };
            let why = "no answer".to_owned();
            let outcome = match sign {
                '+' => value(0.01),
                '-' => value(0.5),
                '?' => Outcome::Nothing { why },
                _ => Outcome::Error { why },
            };
            let ask = Ask {
                deployment: "digits".parse().unwrap(),
                rollout: 1,
                stage: 0,
                analysis: analysis.name.clone(),
                number: tally.taken + 1,
            };
            now = clock::later(now, analysis.interval);
            let measurement = Measurement {
                ask,
                at: now,
                outcome,
            };
            analysis.take(&mut tally, &measurement);
        }
        let due = analysis.due(&tally, since, now);
        (
            analysis.verdict(&tally),
            due.map(|due| due.duration_since(now)),
        )
    }

    #[test]
    fn what_the_record_says_wins_over_what_holds_otherwise() {
        let silent = of("");
        assert_eq!(
            silent,
            Analysis {
                name: "drift".parse().unwrap(),
                source: Source::Command {
                    arguments: vec!["compare".to_owned(), "a b".to_owned()],
                },
                below: Finite::try_from(0.1).ok(),
                at_least: None,
                interval: INTERVAL,
                count: None,
                failure_limit: 0,
                inconclusive_limit: None,
                consecutive_error_limit: CONSECUTIVE_ERRORS,
                min_samples: 0,
            }
        );
        let all = r#", "atLeast": 0, "interval": "2s", "count": 3, "failureLimit": 1,
            "inconclusiveLimit": 0, "consecutiveErrorLimit": 0, "minSamples": 7"#;
        assert_eq!(
            of(all),
            Analysis {
                at_least: Finite::try_from(0.0).ok(),
                interval: Span::seconds(2),
                count: Some(3),
                failure_limit: 1,
                inconclusive_limit: Some(0),
                consecutive_error_limit: 0,
                min_samples: 7,
                ..silent
            }
        );
        for (pointer, said) in [("", None), (r#", "pointer": "/rate""#, Some("/rate"))] {
            let json = format!(
                r#"{{"name": "a", "source": "http", "url": "http://a/b"{pointer}, "below": 1}}"#
            );
            let record: kind::Analysis = serde_json::from_str(&json).unwrap();
            let (url, pointer) = ("http://a/b".to_owned(), said.map(str::to_owned));
            assert_eq!(
                Analysis::from(&record).source,
                Source::Http { url, pointer }
            );
        }
    }

    #[test]
    fn the_limits_of_a_record_hold() {
        use Verdict::{Fails, Holds, Open, Unclear};
        for (fields, measurements, verdict) in [
            // One good one holds where nothing is said, and one bad one fails.
            ("", "+", Holds),
            ("", "++-", Fails),
            ("", "?????????", Open),
            ("", "!!!!", Open),
            ("", "!!!!!", Fails),
            (r#", "count": 3"#, "++", Open),
            (r#", "count": 3"#, "+?+!+", Holds),
            (r#", "count": 3, "failureLimit": 2"#, "-+-++", Holds),
            (r#", "count": 3, "failureLimit": 2"#, "-+-+-", Fails),
            (r#", "inconclusiveLimit": 2"#, "??", Open),
            (r#", "inconclusiveLimit": 2"#, "??+", Holds),
            (r#", "inconclusiveLimit": 2"#, "??+?", Unclear),
            (r#", "inconclusiveLimit": 0"#, "?", Unclear),
            (r#", "inconclusiveLimit": 0"#, "-?", Fails),
            (r#", "consecutiveErrorLimit": 1"#, "!", Open),
            (r#", "consecutiveErrorLimit": 1"#, "!?!+!", Holds),
            (r#", "consecutiveErrorLimit": 1"#, "+!!", Fails),
            (r#", "consecutiveErrorLimit": 0"#, "!", Fails),
            (r#", "consecutiveErrorLimit": 6"#, "!!!!!!", Open),
        ] {
            let (found, _) = after(&of(fields), measurements);
            assert_eq!(found, verdict, "{measurements} by{fields}");
        }
    }

    #[test]
    fn once_there_are_as_many_as_a_record_counts_no_more_are_taken() {
        let next = Some(SignedDuration::from_secs(5));
        let counted = of(r#", "interval": "5s", "count": 2"#);
        assert_eq!(after(&counted, "").1, Some(SignedDuration::ZERO));
        assert_eq!(after(&counted, "+!?").1, next);
        assert_eq!(after(&counted, "+!?+").1, None);
        assert_eq!(after(&of(r#", "interval": "5s""#), "++++").1, next);
    }
}
