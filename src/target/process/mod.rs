//! The target of this host's processes.
//!
//! Every instance is a runtime below a *shim*: a small process that owns the runtime's output and
//! its exit status, so that both are there for whoever looks later. The server that starts shims
//! keeps nothing in its memory that it could not do without: killed and started again, it finds
//! every instance by its folder, and what serves goes on serving.
//!
//! ```text
//! STATE/instances/DEPLOYMENT.NUMBER/
//!   order.json     what was ordered, and how it is started; written before anything runs
//!   lock           locked as long as the shim lives: no process number is ever trusted for that
//!   shim.json      the shim's process number
//!   runtime.json   the runtime's process group
//!   address.json   where the runtime listens, as it announced it
//!   ready.json     when it was first seen to be ready
//!   golden.json    what its golden tests said
//!   draining.json  when it was marked as one that is to end
//!   exit.json      how the runtime ended, and what it said last
//! STATE/logs/DEPLOYMENT/NUMBER.log, NUMBER.1.log     the newest of what it says, and what was before
//! ```
//!
//! Where the host has control groups that we may make, each runtime is in one ([`cgroup`]), whose
//! place is in its order: so nothing of it is left, whoever of them is killed when. Elsewhere its
//! processes have a [`mark`] by which they are found.
//!
//! Every file is written whole or not at all: the shim writes `runtime.json`, `address.json` and
//! `exit.json`, the server all others; and both the shim's number, whoever is first. An instance whose lock is
//! free and which has no `exit.json` lost its shim, and has failed.

pub mod cgroup;
mod ending;
mod error;
mod launch;
mod log;
mod mark;
mod observing;
pub mod shim;
mod state;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

pub use cgroup::{Groups, Limiting};
pub use error::ProcessError;

use self::observing::Memory;
use self::state::{Folder, Marked, OrderFile, Verdict};
use super::{Order, Running, Target};
use crate::platform::Clock;
use crate::platform::atomic::FileError;
use crate::record::kind::{GoldenTest, SecretReference};
use crate::record::{Failure, Name};
use crate::rollout::InstanceId;

/// Looks secrets up when an instance is started.
pub type Secrets = dyn Fn(&SecretReference) -> Option<SecretString> + Send + Sync;

/// What the target works with.
pub struct Ground {
    /// Where it keeps its state; no other server may use it at the same time.
    pub state: PathBuf,
    /// This program, which is the shim and the built-in runtime too.
    pub program: PathBuf,
    /// How long an instance may take to answer what it has, once it is told to end.
    pub grace: Duration,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where secrets are looked up.
    pub secrets: Arc<Secrets>,
    /// The variables that every runtime is given: of ours, those that [`is_inherited`].
    pub environment: Vec<(OsString, OsString)>,
    /// Where runtimes' control groups are made.
    pub groups: Groups,
}

/// Whether runtimes are given a variable of the server's environment. They run what others wrote:
/// what tells where things are on this machine is for them, and the server's own secrets are not.
pub fn is_inherited(name: &str) -> bool {
    const NAMES: [&str; 22] = [
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TMPDIR",
        "LD_LIBRARY_PATH",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "CUDA_VISIBLE_DEVICES",
        "NVIDIA_VISIBLE_DEVICES",
        "RUST_BACKTRACE",
        "MODELYARD_CACHE",
        "MODELYARD_LOG",
    ];
    // Where packages come from, and which interpreters there are.
    const BEGINNINGS: [&str; 5] = ["LC_", "XDG_", "PIP_", "UV_", "PYENV_"];
    let name = name.to_ascii_uppercase();
    NAMES.contains(&name.as_str()) || BEGINNINGS.iter().any(|begins| name.starts_with(begins))
}

/// The processes of this host.
pub struct Processes {
    ground: Ground,
    memory: Arc<Mutex<Memory>>,
}

impl Processes {
    /// Those that were started with the state of `ground`, by whomever.
    pub fn new(ground: Ground) -> Self {
        ground.groups.sweep(&ground.state);
        Self {
            ground,
            memory: Arc::default(),
        }
    }

    fn folder(&self, id: &InstanceId) -> Folder {
        Folder::of(&self.ground.state, id)
    }

    /// Where the log of an instance is, also after it was stopped.
    pub fn log(&self, id: &InstanceId) -> PathBuf {
        log::place(&self.ground.state, id)
    }
}

#[async_trait]
impl Target for Processes {
    async fn observe(&self) -> Result<Vec<Running>, Failure> {
        let folders = Folder::all(&self.ground.state)?;
        let now = self.ground.clock.now();
        let looks = folders
            .iter()
            .map(|folder| observing::look(folder, &self.memory, now));
        let seen = futures_util::future::join_all(looks).await;
        let mut running = Vec::with_capacity(seen.len());
        for seen in seen {
            running.extend(seen?);
        }
        Ok(running)
    }

    async fn start(&self, order: &Order) -> Result<(), Failure> {
        let folder = self.folder(&order.id);
        if folder.order()?.is_some() {
            return Ok(());
        }
        let lock = folder.locked().await?;
        let now = self.ground.clock.now();
        let kept = |command| {
            let (grace, log) = (self.ground.grace, self.log(&order.id));
            OrderFile::of(order, command, now, grace, log)
        };
        match launch::command(order, &self.ground) {
            Ok((command, secret)) => {
                folder.write_order(&kept(Some(command)))?;
                launch::shim(&folder, lock, &self.ground, &secret)?;
            }
            Err(why) => {
                // Before the order, without which nobody looks at it.
                folder.write_exit(&state::Exit::never_started(why, now))?;
                folder.write_order(&kept(None))?;
            }
        }
        Ok(())
    }

    async fn test(&self, id: &InstanceId, tests: &[GoldenTest]) -> Result<(), Failure> {
        let folder = self.folder(id);
        let Some(order) = folder.order()? else {
            return Ok(());
        };
        if folder.golden()?.is_some() || !observing::begins(&self.memory, id) {
            return Ok(());
        }
        let (memory, id, tests) = (Arc::clone(&self.memory), id.clone(), tests.to_vec());
        tokio::spawn(async move {
            let verdict = observing::tested(&folder, &order, &tests).await;
            if let Some(verdict) = verdict
                && let Err(error) = folder.write_golden(&Verdict { failed: verdict })
            {
                tracing::warn!(%error, "what golden tests said could not be kept");
            }
            observing::ends(&memory, &id);
        });
        Ok(())
    }

    async fn drain(&self, id: &InstanceId) -> Result<(), Failure> {
        let folder = self.folder(id);
        if folder.order()?.is_some() && folder.draining()?.is_none() {
            let at = self.ground.clock.now();
            folder.write_draining(&Marked { at })?;
        }
        Ok(())
    }

    async fn stop(&self, id: &InstanceId) -> Result<(), Failure> {
        let folder = self.folder(id);
        if folder.exists() {
            ending::end(&folder, self.ground.grace).await?;
            folder.remove()?;
        }
        observing::forget(&self.memory, id);
        Ok(())
    }
}

/// The logs of a deployment's instances, those of ended ones too, by their numbers; each in one
/// file or two, the older part first.
///
/// # Errors
/// If they can't be listed.
pub fn logs(state: &Path, deployment: &Name) -> Result<BTreeMap<u64, Vec<PathBuf>>, FileError> {
    log::all(state, deployment)
}

/// Where instances are kept.
fn instances(state: &Path) -> PathBuf {
    state.join("instances")
}
