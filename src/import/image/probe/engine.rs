//! The user's container engine: podman, or docker.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::process::Command;

use super::super::holder::Holder;
use super::running::Running;
use crate::import::piped::{self, Bounds};
use crate::import::{ImportError, Variables};
use crate::platform::redact::printable;
use crate::record::{Digest, Repository};

/// The variable that names another program.
const PROGRAM: &str = "MODELYARD_CONTAINER_ENGINE";

/// What is looked for where it doesn't.
const KNOWN: [&str; 2] = ["podman", "docker"];

/// What can't be read without an engine.
const PLACE: &str = "the image's protocol";

/// How much of what an engine prints is read, and how long it may take to fetch a large image.
const BOUNDS: Bounds = Bounds {
    printed_bytes: 64 << 10,
    complaint_bytes: 64 << 10,
    patience: Some(Duration::from_secs(3600)),
};

/// A container engine.
#[derive(Debug, Clone)]
pub(in crate::import::image) struct Engine {
    program: PathBuf,
    is_podman: bool,
}

/// An image that the engine has now.
#[derive(Debug)]
pub(super) struct Fetched {
    engine: Engine,
    /// What the engine calls it.
    pub(super) name: String,
    /// Whether it had it before.
    was_there: bool,
}

impl Engine {
    /// The one that a variable names, or else podman, or else docker.
    ///
    /// # Errors
    /// If there is none.
    pub(in crate::import::image) fn find(variables: Variables<'_>) -> Result<Self, ImportError> {
        let value = |name: &str| variables(name).map(|value| value.expose_secret().to_owned());
        let path = value("PATH").unwrap_or_default();
        let found = |name: &str| {
            let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
            places.find(|place| place.is_file())
        };
        let named = value(PROGRAM).filter(|named| !named.is_empty());
        let program = match &named {
            Some(named) if named.contains('/') => Some(PathBuf::from(named)),
            Some(named) => found(named),
            None => KNOWN.into_iter().find_map(found),
        };
        let program = program.filter(|program| program.is_file());
        let program = program.ok_or_else(|| ImportError::Program {
            place: PLACE.to_owned(),
            reason: match named {
                Some(named) => format!("there is no program `{}`", printable(&named)),
                None => "there is no podman and no docker to probe it with".to_owned(),
            },
            help: format!("install one, set {PROGRAM} to its program, or leave --probe out"),
        })?;
        let name = program.file_name().unwrap_or_default();
        let is_podman = name.to_string_lossy().contains("podman");
        Ok(Self { program, is_podman })
    }

    /// Has the engine fetch the image `digest` of `holder`.
    ///
    /// # Errors
    /// If it can't.
    pub(super) async fn fetch(
        &self,
        holder: &Holder,
        digest: Digest,
    ) -> Result<Fetched, ImportError> {
        let fetched = |name: String, was_there| Fetched {
            engine: self.clone(),
            name,
            was_there,
        };
        match holder {
            Holder::Store { store, .. } => match store.repository() {
                repository @ Repository::Registry { host, .. } => {
                    let name = repository.at(digest).to_string();
                    if self.run(["image", "inspect", &name]).await.is_ok() {
                        return Ok(fetched(name, true));
                    }
                    let mut words = vec!["pull", "--quiet"];
                    // As we speak to a registry of this machine ourselves.
                    if self.is_podman && is_loopback(host) {
                        words.push("--tls-verify=false");
                    }
                    words.push(&name);
                    self.run(words).await?;
                    Ok(fetched(name, false))
                }
                Repository::Layout { path } if self.is_podman => {
                    let place = format!("oci:{}", path.display());
                    let said = self.run(["pull", "--quiet", &place]).await?;
                    Ok(fetched(last_word(&said), false))
                }
                Repository::Layout { .. } => Err(ImportError::Program {
                    place: holder.place(),
                    reason: "docker reads no OCI layout".to_owned(),
                    help: format!("use podman, or set {PROGRAM} to it"),
                }),
            },
            Holder::Archive(archive) => {
                let path = archive.path().display().to_string();
                let said = self.run(["load", "--quiet", "--input", &path]).await?;
                Ok(fetched(last_word(&said), false))
            }
        }
    }

    /// Starts the image, with `ports` of it on loopback.
    ///
    /// # Errors
    /// If it doesn't start.
    pub(super) async fn start(
        &self,
        image: &Fetched,
        ports: &[u16],
    ) -> Result<Running, ImportError> {
        let mut words: Vec<String> = ["run", "--detach", "--pull=never"]
            .map(str::to_owned)
            .into();
        words.push("--security-opt=no-new-privileges".to_owned());
        words.push("--label=dev.modelyard.probe=true".to_owned());
        if self.is_podman {
            // Should we be killed, it ends by itself.
            words.push(format!("--timeout={}", super::running::LIFETIME.as_secs()));
        }
        for port in ports {
            words.push(format!("--publish=127.0.0.1::{port}"));
        }
        words.push(image.name.clone());
        let said = self.run(&words).await?;
        let running = Running::new(self.clone(), last_word(&said));
        running.find_ports(ports).await
    }

    /// Runs the engine with `words`, and gives what it prints.
    ///
    /// # Errors
    /// If it fails, with what it says.
    pub(super) async fn run<A: AsRef<OsStr>>(
        &self,
        words: impl IntoIterator<Item = A>,
    ) -> Result<String, ImportError> {
        let (said, _) = self.hear(words).await?;
        Ok(said)
    }

    /// Runs the engine with `words`, and gives what it prints and what it complains of.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub(super) async fn hear<A: AsRef<OsStr>>(
        &self,
        words: impl IntoIterator<Item = A>,
    ) -> Result<(String, String), ImportError> {
        let words: Vec<_> = words
            .into_iter()
            .map(|word| word.as_ref().to_owned())
            .collect();
        let shown: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        let shown = printable(&shown.join(" "));
        let failed = |reason: String| ImportError::Program {
            place: PLACE.to_owned(),
            reason: format!("`{} {shown}` {reason}", self.program.display()),
            help: "see whether the engine runs, and what it says; or leave --probe out".to_owned(),
        };
        let mut command = Command::new(&self.program);
        let heard = piped::hear(command.args(&words), "", BOUNDS).await;
        let heard = heard.map_err(|unheard| failed(unheard.to_string()))?;
        if !heard.status.success() {
            let last = printable(heard.complaint.lines().last().unwrap_or_default());
            return Err(failed(format!("ends with {}: {last}", heard.status)));
        }
        let said = String::from_utf8_lossy(&heard.printed).into_owned();
        Ok((said, heard.complaint))
    }

    /// A command that is run while everything else ends.
    pub(super) fn command(&self) -> std::process::Command {
        let mut command = std::process::Command::new(&self.program);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }
}

impl Fetched {
    /// Removes the image again, if the engine didn't have it before.
    ///
    /// # Errors
    /// None that matters here: one that is in use stays.
    pub(super) async fn remove(&self) -> Result<(), ImportError> {
        if !self.was_there {
            let removed = self.engine.run(["image", "rm", &self.name]).await;
            if let Err(error) = removed {
                tracing::debug!(%error, "the image stays");
            }
        }
        Ok(())
    }
}

/// What stands behind the last space: the name in `Loaded image: NAME`, an id by itself.
fn last_word(said: &str) -> String {
    said.split_whitespace()
        .last()
        .unwrap_or_default()
        .to_owned()
}

fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.starts_with("127.") || name == "[::1]"
}
