//! A runtime that is started for the purpose of one command, and ends with it.
//!
//! It is a child that dies with its parent, however that ends: it is killed when [`Started`] is
//! dropped, and it ends by itself when its standard input does, which is a pipe that we hold.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::announcement::{Announcement, MAX_ANNOUNCEMENT_BYTES};
use super::client::{AskError, Client};
use crate::platform::redact::printable;
use crate::platform::retry::Policy;
use crate::record::{Code, Fault, Name};
use crate::target::codes;

/// How often it is asked whether it is ready: soon at first, as small models are ready at once.
const READINESS: Policy = Policy {
    attempts: u32::MAX,
    first_wait: Duration::from_millis(5),
    longest_wait: Duration::from_millis(250),
};
/// How much of what it says last is kept for the error that tells of its end.
const LAST_WORDS_BYTES: usize = 4096;
/// How long a process may take to be gone after its connections or its output are.
const LINGER: Duration = Duration::from_secs(1);

/// How a runtime is started.
#[derive(Debug, Clone)]
pub struct Start {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// What it will call its model.
    pub model: Name,
    /// How long it may take to become ready.
    pub patience: Duration,
}

/// A runtime that runs and is ready.
#[derive(Debug)]
pub struct Started {
    /// Asks it.
    pub client: Client,
    /// What it calls its model.
    pub model: Name,
    child: Child,
    /// Held: it ends when this does.
    _alive: Option<ChildStdin>,
    last_words: LastWords,
}

/// Why a runtime did not become ready, or is no more.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The operating system does not start it.
    #[error("{} can't be started", printable(&program.display().to_string()))]
    NotStarted {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It ended by itself.
    #[error(
        "the runtime of `{model}` ended by itself ({status}){}",
        told(last_words)
    )]
    Ended {
        /// The model.
        model: Name,
        /// How it ended.
        status: ExitStatus,
        /// What it said last.
        last_words: String,
    },
    /// It did not become ready in time.
    #[error("the runtime of `{model}` was not ready after {} s{}", patience.as_secs(), told(last_words))]
    TooSlow {
        /// The model.
        model: Name,
        /// How long it was waited for.
        patience: Duration,
        /// What it said last.
        last_words: String,
    },
    /// Its first line does not tell its address.
    #[error("the runtime of `{model}` says {} in place of its address", said(line))]
    NoAddress {
        /// The model.
        model: Name,
        /// What it says.
        line: String,
    },
    /// It answers, and otherwise than the protocol has it.
    #[error(transparent)]
    Ask(#[from] AskError),
}

fn said(line: &str) -> String {
    match line {
        "" => "nothing".to_owned(),
        line => format!("`{}`", printable(line)),
    }
}

fn told(last_words: &str) -> String {
    let lines = last_words.lines().map(printable);
    lines.map(|line| format!("\n  | {line}")).collect()
}

impl Fault for StartError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NotStarted { .. } | Self::Ended { .. } => &codes::RUNTIME_ENDED,
            Self::TooSlow { .. } => &codes::RUNTIME_NOT_READY,
            Self::NoAddress { .. } => &codes::RUNTIME_NONSENSE,
            Self::Ask(fault) => fault.code(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NotStarted { .. } => Some("see that it is there and may be run".to_owned()),
            Self::Ended { .. } => Some("what it said last tells why".to_owned()),
            Self::TooSlow { .. } => Some("give it more time by `--timeout`".to_owned()),
            Self::NoAddress { .. } => {
                Some("see that it is a runtime, and no other program".to_owned())
            }
            Self::Ask(fault) => fault.help(),
        }
    }
}

impl Started {
    /// Starts a runtime and waits until it is ready.
    ///
    /// # Errors
    /// [`StartError`]; nothing of it runs then.
    pub async fn start(start: Start) -> Result<Self, StartError> {
        let spawned = Command::new(&start.program)
            .args(&start.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = spawned.map_err(|source| StartError::NotStarted {
            program: start.program.clone(),
            source,
        })?;
        // Taken, as whoever waits for a child closes what it has of it.
        let alive = child.stdin.take();
        let stderr = child.stderr.take().expect("its errors are piped");
        let stdout = child.stdout.take().expect("its output is piped");
        let mut last_words = LastWords::of(stderr);
        let became = tokio::select! {
            biased;
            became = timeout(start.patience, ready(&start.model, stdout)) => became,
            _ = child.wait() => Ok(Ok(Became::Ended)),
        };
        let model = start.model;
        match became {
            Ok(Ok(Became::Ready(client))) => Ok(Self {
                client,
                model,
                child,
                _alive: alive,
                last_words,
            }),
            Ok(Ok(Became::Ended)) => Err(end(&mut child, model, &mut last_words).await),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(StartError::TooSlow {
                model,
                patience: start.patience,
                last_words: last_words.so_far(),
            }),
        }
    }

    /// What became of it, in place of `error`, if it ended meanwhile.
    pub async fn or_its_end(&mut self, error: AskError) -> StartError {
        if !matches!(error, AskError::Unreachable { .. }) {
            return error.into();
        }
        // A connection breaks a moment before the process is seen to have ended.
        match timeout(LINGER, self.child.wait()).await {
            Ok(Ok(_)) => end(&mut self.child, self.model.clone(), &mut self.last_words).await,
            _ => error.into(),
        }
    }
}

enum Became {
    Ready(Client),
    Ended,
}

/// Waits until the runtime is ready, and has told what it serves.
async fn ready(model: &Name, stdout: ChildStdout) -> Result<Became, StartError> {
    let mut stdout = BufReader::new(stdout);
    let mut line = Vec::new();
    let mut first = (&mut stdout).take(MAX_ANNOUNCEMENT_BYTES as u64);
    // What can't be read has ended.
    if first.read_until(b'\n', &mut line).await.unwrap_or(0) == 0 {
        return Ok(Became::Ended);
    }
    let line = String::from_utf8_lossy(&line).trim_end().to_owned();
    let Some(announced) = Announcement::parse(&line) else {
        let model = model.clone();
        return Err(StartError::NoAddress { model, line });
    };
    // It may say more there; nobody wants it, and it must not wait for a reader.
    tokio::spawn(async move { tokio::io::copy(&mut stdout, &mut tokio::io::sink()).await });
    let client = Client::direct(announced.listening)?;
    READINESS.run(|| client.ready()).await?;
    client.metadata(model.as_str()).await?;
    Ok(Became::Ready(client))
}

/// The error for a child that ended, or closed its output.
async fn end(child: &mut Child, model: Name, last_words: &mut LastWords) -> StartError {
    let Ok(Ok(status)) = timeout(LINGER, child.wait()).await else {
        let line = String::new();
        return StartError::NoAddress { model, line };
    };
    StartError::Ended {
        model,
        status,
        last_words: last_words.all().await,
    }
}

/// The end of what a child says on standard error.
#[derive(Debug)]
struct LastWords {
    bytes: Arc<Mutex<Vec<u8>>>,
    listener: JoinHandle<()>,
}

impl LastWords {
    fn of(mut stderr: ChildStderr) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bytes);
        let listener = tokio::spawn(async move {
            let mut part = [0; 1024];
            while let Ok(length @ 1..) = stderr.read(&mut part).await {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(&part[..length]);
                let beyond = kept.len().saturating_sub(LAST_WORDS_BYTES);
                kept.drain(..beyond);
            }
        });
        Self { bytes, listener }
    }

    fn so_far(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).trim_end().to_owned()
    }

    /// All of it, once the child has ended.
    async fn all(&mut self) -> String {
        // A child of the child may hold it open; then what came is told.
        let _ = timeout(LINGER, &mut self.listener).await;
        self.so_far()
    }
}
