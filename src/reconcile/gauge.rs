//! Takes measurements: asks the gateway, puts golden tests, asks servers and programs.
//!
//! Each is taken once and in the background. What came of it is kept for as long as its rollout is
//! the deployment's newest, and lost with the process: the planner asks again then.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::StatusCode;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::time::timeout;
use url::Url;

use super::edges::{Bytes, Gauge, Main, Wanted};
use super::side_by_side;
use crate::platform::clock::Clock;
use crate::platform::http;
use crate::record::Failure;
use crate::record::kind::Finite;
use crate::rollout::{Ask, Measurement, Outcome, Source};
use crate::target::Target;

/// How long a measurement may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most that a Prometheus server's answer may be: one number with its labels.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// What the gateway measures itself.
pub type Counted = dyn Fn(&Wanted, &str) -> Outcome + Send + Sync;

/// What measuring works with.
pub struct Ground {
    /// The golden tests of versions.
    pub main: Arc<dyn Main>,
    /// The files that they name.
    pub bytes: Arc<dyn Bytes>,
    /// Whom they are put to.
    pub target: Arc<dyn Target>,
    /// What the gateway counts, by the metric's name.
    pub counted: Box<Counted>,
    /// The variables that programs are given, none of our own secrets among them.
    pub environment: Vec<(OsString, OsString)>,
    /// The Prometheus server that queries go to, if there is one.
    pub prometheus: Option<Url>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Takes measurements.
pub struct Gauges {
    ground: Arc<Ground>,
    client: reqwest::Client,
    taken: Arc<Mutex<BTreeMap<Ask, Option<Measurement>>>>,
}

impl Gauges {
    /// Nothing is measured yet.
    ///
    /// # Errors
    /// If there can be no HTTP client.
    pub fn new(ground: Ground) -> Result<Self, http::ClientError> {
        Ok(Self {
            ground: Arc::new(ground),
            client: http::build(http::builder().timeout(PATIENCE))?,
            taken: Arc::default(),
        })
    }
}

fn locked(
    taken: &Mutex<BTreeMap<Ask, Option<Measurement>>>,
) -> MutexGuard<'_, BTreeMap<Ask, Option<Measurement>>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Gauge for Gauges {
    async fn begin(&self, wanted: &Wanted) {
        {
            let mut taken = locked(&self.taken);
            if taken.contains_key(&wanted.ask) {
                return;
            }
            let mine = &wanted.ask;
            taken.retain(|ask, _| ask.deployment != mine.deployment || ask.rollout >= mine.rollout);
            taken.insert(wanted.ask.clone(), None);
        }
        let (ground, client) = (Arc::clone(&self.ground), self.client.clone());
        let (taken, wanted) = (Arc::clone(&self.taken), wanted.clone());
        tokio::spawn(async move {
            let outcome = timeout(PATIENCE, ground.measure(&client, &wanted)).await;
            let outcome = outcome.unwrap_or_else(|_| Outcome::Error {
                why: format!("it took longer than {} s", PATIENCE.as_secs()),
            });
            let measurement = Measurement {
                ask: wanted.ask.clone(),
                at: ground.clock.now(),
                outcome,
            };
            locked(&taken).insert(wanted.ask, Some(measurement));
        });
    }

    async fn taken(&self) -> Vec<Measurement> {
        locked(&self.taken).values().flatten().cloned().collect()
    }
}

impl Ground {
    async fn measure(&self, client: &reqwest::Client, wanted: &Wanted) -> Outcome {
        let measured = match &wanted.analysis.source {
            Source::Gateway { metric } => Ok((self.counted)(wanted, metric)),
            Source::Golden { tests } => side_by_side::measure(self, wanted, tests).await,
            Source::Prometheus { query } => self.prometheus(client, query).await,
            Source::Http { url, pointer } => asked(client, url, pointer.as_deref()).await,
            Source::Command { arguments } => self.printed(wanted, arguments).await,
        };
        measured.unwrap_or_else(|why| Outcome::Error { why })
    }

    /// The number that a program prints. It is told what is measured by the variables
    /// `MODELYARD_DEPLOYMENT` and `MODELYARD_CANDIDATE`, such as `vision/digits 1.1.0`.
    async fn printed(&self, wanted: &Wanted, arguments: &[String]) -> Result<Outcome, String> {
        let [program, arguments @ ..] = arguments else {
            return Err("the command is empty".to_owned());
        };
        let command = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(self.environment.iter().cloned())
            .env("MODELYARD_DEPLOYMENT", wanted.ask.deployment.as_str())
            .env("MODELYARD_CANDIDATE", wanted.candidate.to_string())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = command.map_err(|error| format!("{program} can't be started: {error}"))?;
        let mut said = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            let mut stdout = stdout.take(MAX_ANSWER_BYTES as u64);
            let read = stdout.read_to_end(&mut said).await;
            read.map_err(|error| error.to_string())?;
        }
        let status = child.wait().await.map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(format!("{program} ended with {status}"));
        }
        let said = String::from_utf8_lossy(&said);
        let number = said
            .trim()
            .parse()
            .ok()
            .and_then(|number: f64| Finite::try_from(number).ok());
        number
            .map(value)
            .ok_or_else(|| format!("{program} printed no number"))
    }

    /// An instant query, as the HTTP API of Prometheus has it: a scalar, or a vector of one sample.
    async fn prometheus(&self, client: &reqwest::Client, query: &str) -> Result<Outcome, String> {
        let server = self.prometheus.as_ref();
        let server = server.ok_or("no Prometheus server is named: `serve --prometheus URL`")?;
        let url = format!("{}/api/v1/query", server.as_str().trim_end_matches('/'));
        let url = Url::parse_with_params(&url, [("query", query)]);
        let url = url.map_err(|error| error.to_string())?;
        let (status, bytes) = answer(client.get(url)).await?;
        let said: Value = serde_json::from_slice(&bytes)
            .map_err(|error| format!("{status}, and no JSON: {error}"))?;
        if said["status"] != "success" {
            let error = said["error"].as_str().unwrap_or("no error is told");
            return Err(format!("{status}: {error}"));
        }
        sample(&said["data"])
    }
}

/// An answer's status and its body, bounded.
async fn answer(request: reqwest::RequestBuilder) -> Result<(StatusCode, Vec<u8>), String> {
    let told = |error: reqwest::Error| error.without_url().to_string();
    let mut answer = request.send().await.map_err(told)?;
    let mut bytes = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(told)? {
        bytes.extend_from_slice(&part);
        if bytes.len() > MAX_ANSWER_BYTES {
            return Err(format!(
                "the answer is larger than {MAX_ANSWER_BYTES} bytes"
            ));
        }
    }
    Ok((answer.status(), bytes))
}

/// The number in an answer's JSON, at a JSON pointer (RFC 6901), or all of it.
async fn asked(
    client: &reqwest::Client,
    url: &str,
    pointer: Option<&str>,
) -> Result<Outcome, String> {
    let (status, bytes) = answer(client.get(url)).await?;
    if !status.is_success() {
        return Err(format!("it answers {status}"));
    }
    let said: Value =
        serde_json::from_slice(&bytes).map_err(|error| format!("it answers no JSON: {error}"))?;
    let pointer = pointer.unwrap_or_default();
    let number = said.pointer(pointer).and_then(Value::as_f64);
    let number = number.and_then(|number| Finite::try_from(number).ok());
    number
        .map(value)
        .ok_or_else(|| format!("its answer has no number at `{pointer}`"))
}

fn value(value: Finite) -> Outcome {
    Outcome::Value {
        value,
        samples: None,
        note: None,
    }
}

/// The number in an answer of Prometheus.
fn sample(data: &Value) -> Result<Outcome, String> {
    let pair = match (data["resultType"].as_str(), data["result"].as_array()) {
        (Some("scalar"), Some(pair)) => pair.get(1),
        (Some("vector"), Some(samples)) => match samples.as_slice() {
            [] => {
                let why = "the query has no data".to_owned();
                return Ok(Outcome::Nothing { why });
            }
            [only] => only["value"].get(1),
            several => return Err(format!("the query gives {} series, not one", several.len())),
        },
        _ => return Err("the query gives neither a scalar nor a vector".to_owned()),
    };
    let text = pair
        .and_then(Value::as_str)
        .ok_or("a sample has no value")?;
    let number = text
        .parse()
        .ok()
        .and_then(|number: f64| Finite::try_from(number).ok());
    Ok(match number {
        Some(number) => value(number),
        None => Outcome::Nothing {
            why: format!("the query gives {text}"),
        },
    })
}

#[expect(clippy::needless_pass_by_value, reason = "it is for `map_err`")]
pub(super) fn text(failure: Failure) -> String {
    failure.to_string()
}
