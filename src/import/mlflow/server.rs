//! A server of the user's own MLflow, on a store of this machine, for as long as it is read.
//!
//! It listens on loopback alone, and ends with us whatever happens: a shell between us and it
//! holds the other end of a pipe, and ends the whole group of processes when that closes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;
use url::Url;

use super::address::Backend;
use crate::import::ImportError;
use crate::import::client::{Client, Credentials};
use crate::platform::http;
use crate::platform::redact::printable;
use crate::platform::retry::Policy;

/// The variable that names MLflow's program.
pub(super) const PROGRAM: &str = "MODELYARD_MLFLOW";

/// What a server may take to come up: it is Python, and imports much.
const PATIENCE: Duration = Duration::from_secs(180);

/// How often it is asked meanwhile, and for no longer than [`PATIENCE`].
const ASKING: Policy = Policy {
    attempts: u32::MAX,
    first_wait: Duration::from_millis(100),
    longest_wait: Duration::from_millis(500),
};

/// How often another port is tried where somebody else took the one that was free.
const TRIES: usize = 3;

/// The end of its log, which tells why it ended.
const LAST_WORDS: u64 = 2048;

/// Runs `"$@"` until it ends or the standard input does, and leaves nothing of its group.
const SHELL: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ cat <&3; kill -KILL 0; } >/dev/null 2>&1 &
exec 3<&-
wait "$server"
kill -KILL 0
"#;

/// Variables of MLflow's own that would make another server of it.
const OTHERS: [&str; 9] = [
    "MLFLOW_APP_NAME",
    "MLFLOW_ARTIFACTS_DESTINATION",
    "MLFLOW_ARTIFACTS_ONLY",
    "MLFLOW_DEFAULT_ARTIFACT_ROOT",
    "MLFLOW_ENABLE_WORKSPACES",
    "MLFLOW_REGISTRY_STORE_URI",
    "MLFLOW_SERVE_ARTIFACTS",
    "MLFLOW_STATIC_PREFIX",
    "MLFLOW_TRACKING_URI",
];

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    /// Where it listens.
    pub(super) url: Url,
    child: Child,
    group: Option<Pid>,
    /// Taken, as whoever waits for a child closes what it has of it.
    _alive: Option<ChildStdin>,
}

impl Server {
    /// Starts `program` on `backend`, and waits until it answers.
    ///
    /// # Errors
    /// If there is no such program, or it ends or says nothing for [`PATIENCE`].
    pub(super) async fn start(program: &str, backend: &Backend) -> Result<Self, ImportError> {
        let mut tries = 1;
        loop {
            match Self::try_start(program, backend).await {
                Err(Failed { words, .. })
                    if words.contains("address already in use") && tries < TRIES =>
                {
                    tries += 1;
                }
                Err(Failed { reason, words }) => {
                    let words = printable(words.trim()).replace("\\n", "\n");
                    let said = if words.is_empty() {
                        String::new()
                    } else {
                        format!(": {words}")
                    };
                    return Err(failed(backend, format!("{reason}{said}")));
                }
                Ok(server) => return Ok(server),
            }
        }
    }

    async fn try_start(program: &str, backend: &Backend) -> Result<Self, Failed> {
        let mut log = tempfile::tempfile().map_err(|error| no_start(program, &error))?;
        let mut server =
            Self::spawn(program, backend, &log).map_err(|error| no_start(program, &error))?;
        let client = server.client(ASKING).map_err(|error| Failed {
            reason: error.to_string(),
            words: String::new(),
        })?;
        let asked = client.small(&["health"], &[], "see whether it runs");
        let up = tokio::select! {
            up = timeout(PATIENCE, asked) => up,
            _ = server.child.wait() => {
                let words = last_words(&mut log);
                // As the shell says it, whatever its language.
                let is_missing = words.contains("not found") && words.lines().count() == 1;
                let reason = if is_missing {
                    format!("there is no program `{program}`, with which it is read")
                } else {
                    format!("`{program} server` ended")
                };
                return Err(Failed { reason, words });
            }
        };
        match up {
            Ok(Ok(_)) => Ok(server),
            Ok(Err(error)) => Err(Failed {
                reason: format!("`{program} server` doesn't answer: {error}"),
                words: last_words(&mut log),
            }),
            Err(_) => Err(Failed {
                reason: format!("`{program} server` isn't up after {} s", PATIENCE.as_secs()),
                words: last_words(&mut log),
            }),
        }
    }

    fn spawn(program: &str, backend: &Backend, log: &File) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        drop(listener);
        let mut command = Command::new("/bin/sh");
        for variable in OTHERS {
            command.env_remove(variable);
        }
        let mut child = command
            .args([
                "-c",
                SHELL,
                "sh",
                program,
                "server",
                "--backend-store-uri",
                &backend.uri,
            ])
            .args([
                "--host",
                "127.0.0.1",
                "--port",
                &port.to_string(),
                "--workers",
                "1",
            ])
            // Of newer ones: folders of runs only if they are asked to, and nothing but answers.
            .env("MLFLOW_ALLOW_FILE_STORE", "true")
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .current_dir(&backend.folder)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let url = format!("http://127.0.0.1:{port}");
        let url = url.parse().expect("a host and a port are a URL");
        let alive = child.stdin.take();
        Ok(Self {
            url,
            child,
            group,
            _alive: alive,
        })
    }

    /// What it is asked with: never by a proxy.
    ///
    /// # Errors
    /// If there can be no HTTP client.
    pub(super) fn client(&self, retry: Policy) -> Result<Client, ImportError> {
        let builder = http::builder().no_proxy();
        let place = self.url.as_str().trim_end_matches('/');
        let base = self.url.clone();
        Client::over(builder, place, base, Credentials::None, &[], retry)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        if let Some(group) = self.group {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Why it didn't come up, and what it said last.
struct Failed {
    reason: String,
    words: String,
}

fn no_start(program: &str, error: &io::Error) -> Failed {
    Failed {
        reason: format!("`{program} server` can't be started: {error}"),
        words: String::new(),
    }
}

fn failed(backend: &Backend, reason: String) -> ImportError {
    ImportError::Program {
        place: backend.uri.clone(),
        reason,
        help: format!(
            "install MLflow, or set {PROGRAM} to its program; or start `mlflow server \
             --backend-store-uri {}` yourself, and import from its URL",
            backend.uri
        ),
    }
}

fn last_words(log: &mut File) -> String {
    let mut words = Vec::new();
    let read = |log: &mut File, words: &mut Vec<u8>| -> io::Result<()> {
        let length = log.seek(SeekFrom::End(0))?;
        log.seek(SeekFrom::Start(length.saturating_sub(LAST_WORDS)))?;
        log.take(LAST_WORDS).read_to_end(words)?;
        Ok(())
    };
    // A log that can't be read says nothing.
    let _ = read(log, &mut words);
    String::from_utf8_lossy(&words).trim().to_owned()
}
