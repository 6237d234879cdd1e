//! A container that was started to be asked, and is gone when nobody holds it any more.

use std::net::Ipv4Addr;
use std::time::Duration;

use reqwest::Client;
use tokio::time::timeout;

use super::Probed;
use super::engine::Engine;
use super::protocol::{Answered, PATHS, Protocol, describe, listed, recognise};
use crate::import::{Detail, ImportError};
use crate::platform::http;
use crate::platform::redact::printable;
use crate::platform::retry::Policy;

/// How long a server may take to come up: it loads a model first.
const PATIENCE: Duration = Duration::from_secs(180);

/// How long a container lives at most, should nobody be there to end it.
pub(super) const LIFETIME: Duration = Duration::from_secs(600);

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(10);

/// How often it is asked, and for no longer than [`PATIENCE`].
const ASKING: Policy = Policy {
    attempts: u32::MAX,
    first_wait: Duration::from_millis(200),
    longest_wait: Duration::from_secs(1),
};

/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// A container that runs.
pub(super) struct Running {
    engine: Engine,
    id: String,
    ports: Vec<u16>,
    ended: bool,
}

impl Running {
    /// The container `id` of `engine`.
    pub(super) fn new(engine: Engine, id: String) -> Self {
        Self {
            engine,
            id,
            ports: Vec::new(),
            ended: false,
        }
    }

    /// Finds where its `ports` are on this machine.
    ///
    /// # Errors
    /// If the engine doesn't tell.
    pub(super) async fn find_ports(mut self, ports: &[u16]) -> Result<Self, ImportError> {
        // One that ended at once has none, and neither has one that has this machine's own.
        let said = self
            .engine
            .run(["port", &self.id])
            .await
            .unwrap_or_default();
        let published = said.lines().filter_map(|line| {
            let (_, port) = line.rsplit_once(':')?;
            port.trim().parse().ok()
        });
        self.ports = published.collect();
        if self.ports.is_empty() {
            self.ports = ports.to_vec();
        }
        Ok(self)
    }

    /// Asks until it is known what it speaks, it ended, or it had its time.
    ///
    /// # Errors
    /// If there can be no HTTP client.
    pub(super) async fn ask(&self, models: &[String]) -> Result<Probed, ImportError> {
        let builder = http::builder().no_proxy().timeout(ANSWER);
        let client = http::build(builder.redirect(reqwest::redirect::Policy::none()))?;
        let asked = ASKING.run(|| self.ask_once(&client));
        match timeout(PATIENCE, asked).await {
            Ok(Ok((port, mut probed))) => {
                self.look_closer(&client, port, models, &mut probed).await;
                Ok(probed)
            }
            Ok(Err(ImportError::Program { reason, .. })) => Ok(not_recognised(reason)),
            Ok(Err(error)) => Err(error),
            Err(_) => {
                let mut answered = false;
                for port in &self.ports {
                    answered |= !ask_all(&client, *port).await.is_empty();
                }
                let did = match answered {
                    true => "it answers by HTTP, and as none that is known",
                    false => "it doesn't answer by HTTP",
                };
                let seconds = PATIENCE.as_secs();
                Ok(not_recognised(format!("{did}, for {seconds} s")))
            }
        }
    }

    async fn ask_once(&self, client: &Client) -> Result<(u16, Probed), ImportError> {
        for port in &self.ports {
            if let Some(probed) = recognise(&ask_all(client, *port).await) {
                return Ok((*port, probed));
            }
        }
        let state = [
            "inspect",
            "--format={{.State.Running}} {{.State.ExitCode}}",
            &self.id,
        ];
        let state = self.engine.run(state).await?;
        let place = "the container".to_owned();
        if let Some(code) = state.trim().strip_prefix("false ") {
            let log = self.engine.hear(["logs", "--tail=1", &self.id]).await;
            let (said, complained) = log.unwrap_or_default();
            let log = printable(format!("{said}{complained}").trim());
            let said = if log.is_empty() {
                log
            } else {
                format!(": {log}")
            };
            return Err(ImportError::Program {
                place,
                reason: format!("it ended by itself with {code}{said}"),
                help: String::new(),
            });
        }
        Err(ImportError::Away {
            place,
            doing: "ask what it speaks".to_owned(),
            detail: Some(Detail("nothing is known of it yet".to_owned())),
            retry_after: None,
            source: None,
        })
    }

    /// Asks for models and tensors, where the protocol tells.
    async fn look_closer(
        &self,
        client: &Client,
        port: u16,
        models: &[String],
        probed: &mut Probed,
    ) {
        if probed.protocol != Some(Protocol::OpenInference) {
            return;
        }
        if probed.models.is_empty() {
            let index = post(client, port, "/v2/repository/index").await;
            probed.models = listed(&index.unwrap_or_default());
        }
        if probed.models.is_empty() {
            let index = get(client, port, "/v2/models").await;
            probed.models = listed(&index.map(|(_, body)| body).unwrap_or_default());
        }
        let names = match probed.models.as_slice() {
            [] => models.to_vec(),
            [one] => vec![one.clone()],
            _ => Vec::new(),
        };
        for name in names {
            let path = format!("/v2/models/{name}");
            if let Some((200, body)) = get(client, port, &path).await {
                describe(probed, &body);
                if probed.models.is_empty() {
                    probed.models.push(name);
                }
            }
        }
    }

    /// Ends and removes it.
    ///
    /// # Errors
    /// If the engine fails at it.
    pub(super) async fn end(mut self) -> Result<(), ImportError> {
        self.engine
            .run(["rm", "--force", "--volumes", &self.id])
            .await?;
        self.ended = true;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            let mut command = self.engine.command();
            let removed = command
                .args(["rm", "--force", "--volumes", &self.id])
                .status();
            tracing::debug!(?removed, "the container is removed");
        }
    }
}

fn not_recognised(why_not: String) -> Probed {
    Probed {
        why_not: Some(why_not),
        ..Probed::default()
    }
}

async fn ask_all(client: &Client, port: u16) -> Vec<Answered> {
    let mut answers = Vec::new();
    for path in PATHS {
        let Some((status, body)) = get(client, port, path).await else {
            // Who doesn't answer one doesn't answer the others yet.
            break;
        };
        answers.push(Answered { path, status, body });
    }
    answers
}

async fn get(client: &Client, port: u16, path: &str) -> Option<(u16, String)> {
    let url = format!("http://{}:{port}{path}", Ipv4Addr::LOCALHOST);
    read(client.get(url)).await
}

async fn post(client: &Client, port: u16, path: &str) -> Option<String> {
    let url = format!("http://{}:{port}{path}", Ipv4Addr::LOCALHOST);
    let answer = read(client.post(url).body("{}")).await;
    answer
        .filter(|(status, _)| *status == 200)
        .map(|(_, body)| body)
}

async fn read(request: reqwest::RequestBuilder) -> Option<(u16, String)> {
    let response = request.send().await.ok()?;
    let status = response.status().as_u16();
    let (body, _) = http::read_at_most(response, MAX_ANSWER_BYTES).await.ok()?;
    Some((status, String::from_utf8_lossy(&body).into_owned()))
}
