//! What is measured while a rollout goes on, and what has to come of it.

use serde::{Deserialize, Serialize};

use super::address::WebUrl;
use super::command::CommandLine;
use super::grammar::words;
use super::number::Finite;
use super::pointer::JsonPointer;
use super::span::Span;
use crate::record::Name;

/// Something that is measured while a rollout goes on, and its bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "AnalysisFields", into = "AnalysisFields")]
pub struct Analysis {
    /// What steps call it.
    pub name: Name,
    /// What is measured.
    pub measure: Measure,
    /// It has to be below this.
    pub below: Option<Finite>,
    /// It has to be this or more.
    pub at_least: Option<Finite>,
    /// How often it is measured.
    pub interval: Option<Span>,
    /// How many measurements have to be good; one where nothing is said, and then it is measured
    /// until the step ends.
    pub count: Option<u32>,
    /// How many failures the rollout bears.
    pub failure_limit: Option<u32>,
    /// How many measurements that say neither it bears before a person has to look; any number
    /// where nothing is said.
    pub inconclusive_limit: Option<u32>,
    /// How many measurements in a row that can't be taken it bears.
    pub consecutive_error_limit: Option<u32>,
    /// How many requests a measurement needs to count.
    pub min_samples: Option<u64>,
}

/// What an analysis measures.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Measure {
    /// What the gateway counts, such as `error_rate`.
    Gateway {
        /// Which of its metrics.
        metric: String,
    },
    /// What a Prometheus server answers.
    Prometheus {
        /// The PromQL query.
        query: String,
    },
    /// The share of golden tests that pass.
    Golden {
        /// Which of them.
        tests: TestChoice,
    },
    /// The number in an answer over HTTP.
    Http {
        /// Whom to ask.
        url: WebUrl,
        /// Where in the answer's JSON the number stands; all of it where nothing is said.
        pointer: Option<JsonPointer>,
    },
    /// The number that a program prints.
    Command {
        /// The program and its arguments.
        command: CommandLine,
    },
}

/// Which golden tests are meant: all, or some by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TestChoice {
    /// Every one: `all`.
    All(AllTests),
    /// These.
    Named(Vec<String>),
}

words! {
    /// Every golden test.
    AllTests, "a choice of tests",
    {
        /// Every one.
        All = "all",
    }
}

words! {
    /// Where an analysis looks.
    AnalysisSource, "a source of measurements",
    {
        /// The gateway's own counts.
        Gateway = "gateway",
        /// A Prometheus server.
        Prometheus = "prometheus",
        /// The version's golden tests.
        Golden = "golden",
        /// A server that answers a number in JSON.
        Http = "http",
        /// A program that prints a number, on the host that serves.
        Command = "command",
    }
}

/// An analysis as records write it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AnalysisFields {
    name: Name,
    source: AnalysisSource,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tests: Option<TestChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<WebUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<JsonPointer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<CommandLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    below: Option<Finite>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_least: Option<Finite>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inconclusive_limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consecutive_error_limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_samples: Option<u64>,
}

/// Fields of an analysis that don't fit together.
#[derive(Debug, thiserror::Error)]
enum AnalysisError {
    #[error("an analysis of source `{source_name}` has `{field}` and no other measure")]
    Measure {
        source_name: AnalysisSource,
        field: &'static str,
    },
    #[error("an analysis has `below`, `atLeast`, or both")]
    NoBound,
}

impl AnalysisSource {
    /// The field that says what is measured there.
    const fn field(self) -> &'static str {
        match self {
            Self::Gateway => "metric",
            Self::Prometheus => "query",
            Self::Golden => "tests",
            Self::Http => "url",
            Self::Command => "command",
        }
    }
}

impl Measure {
    const fn source(&self) -> AnalysisSource {
        match self {
            Self::Gateway { .. } => AnalysisSource::Gateway,
            Self::Prometheus { .. } => AnalysisSource::Prometheus,
            Self::Golden { .. } => AnalysisSource::Golden,
            Self::Http { .. } => AnalysisSource::Http,
            Self::Command { .. } => AnalysisSource::Command,
        }
    }
}

impl AnalysisFields {
    /// Takes out what is measured; `None` if what its source needs isn't there.
    fn take_measure(&mut self) -> Option<Measure> {
        Some(match self.source {
            AnalysisSource::Gateway => Measure::Gateway {
                metric: self.metric.take()?,
            },
            AnalysisSource::Prometheus => Measure::Prometheus {
                query: self.query.take()?,
            },
            AnalysisSource::Golden => Measure::Golden {
                tests: self.tests.take()?,
            },
            AnalysisSource::Http => Measure::Http {
                url: self.url.take()?,
                pointer: self.pointer.take(),
            },
            AnalysisSource::Command => Measure::Command {
                command: self.command.take()?,
            },
        })
    }

    /// Whether a measure is there, of any source.
    const fn has_measure(&self) -> bool {
        self.metric.is_some()
            || self.query.is_some()
            || self.tests.is_some()
            || self.url.is_some()
            || self.pointer.is_some()
            || self.command.is_some()
    }
}

impl TryFrom<AnalysisFields> for Analysis {
    type Error = AnalysisError;

    fn try_from(mut fields: AnalysisFields) -> Result<Self, AnalysisError> {
        let measure = fields.take_measure();
        let measure = measure.filter(|_| !fields.has_measure());
        let Some(measure) = measure else {
            return Err(AnalysisError::Measure {
                source_name: fields.source,
                field: fields.source.field(),
            });
        };
        if fields.below.is_none() && fields.at_least.is_none() {
            return Err(AnalysisError::NoBound);
        }
        Ok(Self {
            name: fields.name,
            measure,
            below: fields.below,
            at_least: fields.at_least,
            interval: fields.interval,
            count: fields.count,
            failure_limit: fields.failure_limit,
            inconclusive_limit: fields.inconclusive_limit,
            consecutive_error_limit: fields.consecutive_error_limit,
            min_samples: fields.min_samples,
        })
    }
}

impl From<Analysis> for AnalysisFields {
    fn from(analysis: Analysis) -> Self {
        let mut fields = Self {
            name: analysis.name,
            source: analysis.measure.source(),
            metric: None,
            query: None,
            tests: None,
            url: None,
            pointer: None,
            command: None,
            below: analysis.below,
            at_least: analysis.at_least,
            interval: analysis.interval,
            count: analysis.count,
            failure_limit: analysis.failure_limit,
            inconclusive_limit: analysis.inconclusive_limit,
            consecutive_error_limit: analysis.consecutive_error_limit,
            min_samples: analysis.min_samples,
        };
        match analysis.measure {
            Measure::Gateway { metric } => fields.metric = Some(metric),
            Measure::Prometheus { query } => fields.query = Some(query),
            Measure::Golden { tests } => fields.tests = Some(tests),
            Measure::Http { url, pointer } => (fields.url, fields.pointer) = (Some(url), pointer),
            Measure::Command { command } => fields.command = Some(command),
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(json: &str) -> String {
        let read = serde_json::from_str::<Analysis>(json);
        let refused = read.expect_err("it was taken").to_string();
        refused.split(" at line ").next().unwrap().to_owned()
    }

    #[test]
    fn each_source_has_its_own_measure_and_no_other() {
        for (source, field) in [
            ("gateway", "metric"),
            ("prometheus", "query"),
            ("golden", "tests"),
            ("http", "url"),
            ("command", "command"),
        ] {
            let said =
                format!("an analysis of source `{source}` has `{field}` and no other measure");
            for more in [
                r#""below": 1"#,
                r#""below": 1, "pointer": "/a""#,
                r#""below": 1, "metric": "a", "query": "a""#,
                r#""below": 1, "url": "http://a", "command": ["a"]"#,
                r#""below": 1, "tests": "all", "pointer": "/a""#,
            ] {
                let json = format!(r#"{{"name": "a", "source": "{source}", {more}}}"#);
                assert_eq!(refusal(&json), said, "{json}");
            }
        }
    }

    #[test]
    fn what_is_asked_for_is_a_place_or_a_program() {
        for (more, said) in [
            (
                r#""source": "http", "url": "localhost:80""#,
                "`localhost:80` is not a web address",
            ),
            (
                r#""source": "http", "url": "http://a:b@c""#,
                "a user or a password is in it",
            ),
            (
                r#""source": "http", "url": "http://a", "pointer": "b""#,
                "`b` is not a JSON pointer",
            ),
            (
                r#""source": "command", "command": []"#,
                "a command begins with its program",
            ),
            (
                r#""source": "command", "command": "echo 1""#,
                "invalid type: string",
            ),
        ] {
            let refused = refusal(&format!(r#"{{"name": "a", "below": 1, {more}}}"#));
            assert!(refused.contains(said), "{refused}");
        }
    }
}
