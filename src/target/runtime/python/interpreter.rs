//! Finds the interpreters that are installed; none is ever downloaded.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::PythonError;
use super::version::{Wanted, is_usable};

/// What an interpreter is asked: its version, where it is, by whatever name, and what packages are
/// built for.
const QUESTION: &str = "import os, sys, sysconfig
print('.'.join(map(str, sys.version_info[:3])))
program = getattr(sys, '_base_executable', None) or sys.executable
print(program)
print(os.path.realpath(program), sys.implementation.cache_tag, sysconfig.get_platform())";
/// How long it may take to answer; the first start on a slow disk takes seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How many places are tried.
const MAX_CANDIDATES: usize = 64;

/// A Python that is installed.
#[derive(Debug, Clone)]
pub(super) struct Interpreter {
    /// Its program, behind any shim.
    pub(super) program: PathBuf,
    /// All three numbers of its version.
    pub(super) version: String,
    /// Everything that an environment depends on of it.
    pub(super) identity: String,
}

/// The first that is `wanted`, by the folders of the PATH, then by what pyenv and `uv` have.
pub(super) async fn find(
    wanted: Wanted,
    search: &[PathBuf],
    uv: Option<&Path>,
) -> Result<Interpreter, PythonError> {
    let mut found = BTreeSet::new();
    let mut candidates = on_path(wanted, search);
    candidates.extend(of_pyenv(search));
    candidates.truncate(MAX_CANDIDATES);
    if let Some(uv) = uv {
        candidates.extend(of_uv(wanted, uv).await);
    }
    for candidate in candidates {
        let Some(interpreter) = asked(&candidate).await else {
            continue;
        };
        if wanted.is(&interpreter.version) {
            return Ok(interpreter);
        }
        if is_usable(&interpreter.version) {
            found.insert(interpreter.version);
        }
    }
    Err(PythonError::NoInterpreter {
        wanted: wanted.to_string(),
        found: found.into_iter().collect(),
    })
}

/// The program `name` in the folders of the PATH.
pub(super) fn program(name: &str, search: &[PathBuf]) -> Option<PathBuf> {
    let mut places = search.iter().map(|folder| folder.join(name));
    places.find(|place| place.is_file())
}

fn on_path(wanted: Wanted, search: &[PathBuf]) -> Vec<PathBuf> {
    let names = wanted.names();
    let places = names
        .iter()
        .flat_map(|name| search.iter().map(move |folder| folder.join(name)));
    places.filter(|place| place.is_file()).collect()
}

/// What pyenv has: its shims are on the PATH, and give only those that are chosen by it.
fn of_pyenv(search: &[PathBuf]) -> Vec<PathBuf> {
    let shims = search.iter().filter(|folder| folder.ends_with("shims"));
    let mut found: Vec<PathBuf> = shims
        .filter_map(|shims| std::fs::read_dir(shims.parent()?.join("versions")).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin/python3")))
        .filter(|place| place.is_file())
        .collect();
    found.sort();
    found.reverse();
    found
}

/// What `uv` knows of, its own ones among them.
async fn of_uv(wanted: Wanted, uv: &Path) -> Option<PathBuf> {
    let mut command = Command::new(uv);
    command
        .args(["python", "find", &wanted.to_string()])
        .env("UV_PYTHON_DOWNLOADS", "never");
    Some(PathBuf::from(said(command).await?.lines().next()?))
}

async fn asked(candidate: &Path) -> Option<Interpreter> {
    let mut command = Command::new(candidate);
    command.args(["-I", "-c", QUESTION]);
    let answer = said(command).await?;
    let mut lines = answer.lines();
    let version = lines.next()?.to_owned();
    let program = PathBuf::from(lines.next()?);
    let identity = format!("{version} {}", lines.next()?);
    Some(Interpreter {
        program,
        version,
        identity,
    })
}

/// What a program says, if it ends well and soon.
async fn said(mut command: Command) -> Option<String> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(PATIENCE, command.output()).await.ok()?.ok()?;
    let fits = output.status.success() && output.stdout.len() <= MAX_ANSWER_BYTES;
    fits.then(|| String::from_utf8(output.stdout).ok())?
}
