//! Isolated environments, each built once.
//!
//! ```text
//! CACHE/python/environments/KEY/
//!   lock                  held by whoever builds
//!   used                  held, shared, by every runtime in it; written when one begins
//!   whole                 the name of the folder below that is whole; written when it is
//!   environment-RANDOM/   a virtual environment
//! ```
//!
//! An environment is built where it stays, as its scripts know their place. Until `whole` names it,
//! nobody uses it: whoever is killed while building leaves a folder that the next builder removes.
//! Whoever builds one also removes those that nobody is in and that nobody began to use for
//! [a while](UNUSED_SECONDS); who asks for one of them again builds it again.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::io::{FdFlags, fcntl_setfd};
use tokio::process::Command;

use super::interpreter::Interpreter;
use super::requirements::Requirements;
use super::{Ground, PythonError};
use crate::platform::atomic::{self, FileError, Readers};
use crate::platform::lock;
use crate::platform::retry::Policy;

/// What an environment's folder is called, before its random part.
const PREFIX: &str = "environment-";
/// The file that names the folder that is whole.
const WHOLE: &str = "whole";
/// The longest name in it.
const MAX_NAME_BYTES: u64 = 256;
/// The file that those who use an environment hold.
const USED: &str = "used";
/// An environment that nobody began to use for so long is removed: 30 days, so that what runs once
/// a month stays.
const UNUSED_SECONDS: u64 = 30 * 24 * 60 * 60;
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
    /// Held, so that nobody removes it.
    used: File,
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

    /// What says that it is in use, for as long as it is open: also by what this process becomes.
    pub(super) fn into_use(self) -> io::Result<File> {
        fcntl_setfd(&self.used, FdFlags::empty())?;
        Ok(self.used)
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
        let environments = self.ground.cache.join("python/environments");
        let place = environments.join(key);
        atomic::create_folder(&place)?;
        let used = self.used(&place).await?;
        if let Some(folder) = whole(&place) {
            return Ok(Environment { folder, used });
        }
        let _lock = self.locked(&place).await?;
        // Somebody else may have built it meanwhile.
        if let Some(folder) = whole(&place) {
            return Ok(Environment { folder, used });
        }
        prune(&environments, &used);
        sweep(&place);
        let fresh = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&place);
        let fresh = fresh.map_err(FileError::at("create a folder in", &place))?;
        let version = &self.interpreter.version;
        (self.ground.say)(&format!("building an environment of Python {version}"));
        self.build(fresh.path()).await?;
        let folder = fresh.keep();
        flushed(&folder)?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        atomic::write(&place.join(WHOLE), name.as_bytes(), Readers::Umask)?;
        (self.ground.say)("the environment is built");
        Ok(Environment { folder, used })
    }

    /// Notes that the environment at `place` is used from now on. Whoever removes it at this
    /// moment is waited for.
    async fn used(&self, place: &Path) -> Result<File, PythonError> {
        let path = place.join(USED);
        let busy = || PythonError::Busy {
            folder: place.to_owned(),
        };
        let begin = || {
            // What was removed with its folder meanwhile is nobody's any more.
            atomic::create_folder(place)?;
            let mut options = File::options();
            options.read(true).write(true).create(true).truncate(false);
            let mut used = options.open(&path).map_err(FileError::at("open", &path))?;
            match used.try_lock_shared() {
                Ok(()) if is_at(&used, &path) => {}
                Ok(()) | Err(TryLockError::WouldBlock) => return Err(busy()),
                Err(TryLockError::Error(error)) => {
                    return Err(FileError::at("lock", &path)(error).into());
                }
            }
            // When, is told by the file system. On a full disk it is used all the same.
            let _ = used.write_all(b"\n");
            Ok(used)
        };
        LOOKS.run(|| std::future::ready(begin())).await
    }

    /// The lock, once nobody else has it.
    async fn locked(&self, place: &Path) -> Result<File, PythonError> {
        let path = place.join("lock");
        let mut is_told = false;
        loop {
            if let Some(lock) = lock::take(&path).await? {
                return Ok(lock);
            }
            if !std::mem::replace(&mut is_told, true) {
                (self.ground.say)("somebody else builds this environment: waiting for it");
            }
        }
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
        let told = std::os::fd::AsFd::as_fd(&io::stderr()).try_clone_to_owned();
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

/// The folder of the environment at `place`, if it is whole.
fn whole(place: &Path) -> Option<PathBuf> {
    let name = atomic::read_at_most(&place.join(WHOLE), MAX_NAME_BYTES).ok()?;
    let folder = place.join(String::from_utf8(name).ok()?);
    folder.join("bin/python").exists().then_some(folder)
}

/// Whether `file` is still what lies at `path`.
fn is_at(file: &File, path: &Path) -> bool {
    let number = |about: fs::Metadata| (about.dev(), about.ino());
    let same = (file.metadata().map(number), fs::metadata(path).map(number));
    matches!(same, (Ok(one), Ok(other)) if one == other)
}

/// Has all of a new environment on the disk before anybody is told of it.
fn flushed(folder: &Path) -> Result<(), FileError> {
    let open = File::open(folder).map_err(FileError::at("open", folder))?;
    #[cfg(target_os = "linux")]
    let flushed = rustix::fs::syncfs(&open).map_err(io::Error::from);
    #[cfg(not(target_os = "linux"))]
    let flushed = open.sync_all();
    flushed.map_err(FileError::at("write", folder))
}

/// Removes the environments that nobody uses any more; `now` was used just now. What can't be
/// removed is in nobody's way.
fn prune(environments: &Path, now: &File) {
    let Ok(now) = now.metadata().and_then(|about| about.modified()) else {
        return;
    };
    for place in fs::read_dir(environments).into_iter().flatten().flatten() {
        let Ok(used) = File::open(place.path().join(USED)) else {
            continue;
        };
        let since = used.metadata().and_then(|about| about.modified());
        let age = since.map(|since| now.duration_since(since));
        let is_old = matches!(age, Ok(Ok(age)) if age.as_secs() > UNUSED_SECONDS);
        // Held until it is gone: whoever wants it then finds another file, or none.
        if is_old && used.try_lock().is_ok() {
            // First what says that it is whole.
            let _ = fs::remove_file(place.path().join(WHOLE));
            let _ = fs::remove_dir_all(place.path());
        }
    }
}

/// Removes what was not built to its end. What can't be removed is in nobody's way.
fn sweep(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else {
        return;
    };
    let ours = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with(PREFIX)
    };
    for entry in entries.flatten().filter(ours) {
        let _ = fs::remove_dir_all(entry.path());
    }
}
