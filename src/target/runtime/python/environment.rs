//! Isolated environments, each built once.
//!
//! ```text
//! CACHE/python/environments/KEY/
//!   lock                  held by whoever builds
//!   whole                 the name of the folder below that is whole; written when it is
//!   environment-RANDOM/   a virtual environment
//! ```
//!
//! An environment is built where it stays, as its scripts know their place. Until `whole` names it,
//! nobody uses it: whoever is killed while building leaves a folder that the next builder removes.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::Command;

use super::interpreter::Interpreter;
use super::requirements::Requirements;
use super::{Ground, PythonError};
use crate::platform::atomic::{self, FileError, Readers};
use crate::platform::retry::Policy;

/// What an environment's folder is called, before its random part.
const PREFIX: &str = "environment-";
/// The file that names the folder that is whole.
const WHOLE: &str = "whole";
/// The longest name in it.
const MAX_NAME_BYTES: u64 = 256;
/// How often it is looked whether somebody else is done with building.
const LOOKS: Policy = Policy {
    attempts: u32::MAX,
    first_wait: Duration::from_millis(20),
    longest_wait: Duration::from_millis(500),
};

/// An environment that is whole.
#[derive(Debug)]
pub(super) struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// Its interpreter.
    pub(super) fn python(&self) -> PathBuf {
        self.programs().join("python")
    }

    /// The folder of its programs.
    pub(super) fn programs(&self) -> PathBuf {
        self.folder.join("bin")
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// How environments are built.
pub(super) struct Builder<'a> {
    pub(super) interpreter: &'a Interpreter,
    pub(super) requirements: &'a Requirements,
    /// Installs in place of pip, if it is there.
    pub(super) uv: Option<PathBuf>,
    /// Runs a module that ends with us.
    pub(super) until_parent: PathBuf,
    pub(super) ground: &'a Ground<'a>,
}

impl Builder<'_> {
    /// The environment, built if nobody has built it yet.
    pub(super) async fn environment(&self) -> Result<Environment, PythonError> {
        let key = self.requirements.key(self.interpreter);
        let place = self.ground.cache.join("python/environments").join(key);
        if let Some(whole) = whole(&place) {
            return Ok(whole);
        }
        atomic::create_folder(&place)?;
        let _lock = self.locked(&place).await?;
        // Somebody else may have built it meanwhile.
        if let Some(whole) = whole(&place) {
            return Ok(whole);
        }
        sweep(&place);
        let fresh = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&place);
        let fresh = fresh.map_err(FileError::at("create a folder in", &place))?;
        let version = &self.interpreter.version;
        (self.ground.say)(&format!("building an environment of Python {version}"));
        self.build(fresh.path()).await?;
        let folder = fresh.keep();
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        atomic::write(&place.join(WHOLE), name.as_bytes(), Readers::Umask)?;
        (self.ground.say)("the environment is built");
        Ok(Environment { folder })
    }

    /// The lock, once nobody else has it.
    async fn locked(&self, place: &Path) -> Result<File, PythonError> {
        let path = place.join("lock");
        let mut options = File::options();
        options.write(true).create(true).truncate(false);
        let lock = options.open(&path).map_err(FileError::at("open", &path))?;
        let mut is_told = false;
        let mut look = || match lock.try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => {
                if !std::mem::replace(&mut is_told, true) {
                    (self.ground.say)("somebody else builds this environment: waiting for it");
                }
                Err(PythonError::Busy {
                    folder: place.to_owned(),
                })
            }
            Err(TryLockError::Error(error)) => Err(FileError::at("lock", &path)(error).into()),
        };
        LOOKS.run(|| std::future::ready(look())).await?;
        Ok(lock)
    }

    async fn build(&self, folder: &Path) -> Result<(), PythonError> {
        match &self.uv {
            Some(uv) => {
                let mut make = Command::new(uv);
                make.args(["venv", "--quiet", "--allow-existing", "--python"]);
                make.arg(&self.interpreter.program).arg(folder);
                self.done("making a virtual environment", make).await?;
                let mut install = Command::new(uv);
                install.args(["pip", "install", "--compile-bytecode", "--python"]);
                install.arg(folder.join("bin/python"));
                self.install(install).await
            }
            None => {
                let mut make = Command::new(&self.interpreter.program);
                make.args(["-I", "-m", "venv"]);
                if self.requirements.is_empty() {
                    make.arg("--without-pip");
                }
                make.arg(folder);
                self.done("making a virtual environment", make).await?;
                let mut install = Command::new(folder.join("bin/python"));
                install.arg("-I").arg(&self.until_parent);
                install.args(["pip", "install", "--no-input", "--progress-bar", "off"]);
                install.arg("--disable-pip-version-check");
                self.install(install).await
            }
        }
    }

    async fn install(&self, mut install: Command) -> Result<(), PythonError> {
        if self.requirements.is_empty() {
            return Ok(());
        }
        if let Some(file) = &self.requirements.file {
            install.arg("-r").arg(file);
            // What lies beside it is named from there.
            install.current_dir(file.parent().unwrap_or(Path::new(".")));
        }
        install.args(&self.requirements.packages);
        self.done("installing packages", install).await
    }

    /// Runs a step to its end; all that it says goes to standard error.
    async fn done(&self, step: &'static str, mut command: Command) -> Result<(), PythonError> {
        let program = PathBuf::from(command.as_std().get_program());
        let failed = |source| PythonError::NotStarted {
            program: program.clone(),
            source,
        };
        let told = std::os::fd::AsFd::as_fd(&std::io::stderr()).try_clone_to_owned();
        command
            // Held until it has ended: it ends with us where it can tell.
            .stdin(Stdio::piped())
            .stdout(Stdio::from(told.map_err(failed)?))
            .env("UV_PYTHON_DOWNLOADS", "never")
            .env_remove("VIRTUAL_ENV")
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(failed)?;
        let _alive = child.stdin.take();
        let status: ExitStatus = child.wait().await.map_err(failed)?;
        match status.success() {
            true => Ok(()),
            false => Err(PythonError::Build { step, status }),
        }
    }
}

/// The environment at `place`, if it is whole.
fn whole(place: &Path) -> Option<Environment> {
    let name = atomic::read_at_most(&place.join(WHOLE), MAX_NAME_BYTES).ok()?;
    let name = String::from_utf8(name).ok()?;
    let environment = Environment {
        folder: place.join(name),
    };
    environment.python().exists().then_some(environment)
}

/// Removes what was not built to its end. What can't be removed is in nobody's way.
fn sweep(place: &Path) {
    let Ok(entries) = std::fs::read_dir(place) else {
        return;
    };
    let ours = |entry: &std::fs::DirEntry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with(PREFIX)
    };
    for entry in entries.flatten().filter(ours) {
        let _ = std::fs::remove_dir_all(entry.path());
    }
}
