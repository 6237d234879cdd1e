//! Models in Python: `modelyard runtime python`, `mlflow` and `mlserver`.

mod code;
mod environment;
mod trained;

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::running::{Running, command};
use crate::harness::{Sandbox, tools};

/// A version's folder with this code as `serve.py`.
pub(crate) fn folder(sandbox: &Sandbox, code: &str) -> std::path::PathBuf {
    let file = sandbox.write("model/serve.py", code);
    file.parent().unwrap().to_owned()
}

/// A runtime with the cache that all tests share: what is built there is built once a machine.
fn shared(sandbox: &Sandbox, kind: &str, model: &Path, options: &[&str]) -> Command {
    let mut command = command(sandbox, kind, model, options);
    let programs = tools::path("samples-python");
    command.env(
        "MODELYARD_CACHE",
        programs.ancestors().nth(3).unwrap().join("runtimes"),
    );
    // What this machine says of its package index.
    let said = std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        ["PIP_", "UV_", "SSL_CERT_", "REQUESTS_CA_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
    });
    command.envs(said).stdin(Stdio::piped());
    command
}

/// What a runtime that ends by itself says, and its exit code.
fn said(command: &mut Command) -> (Option<i32>, String) {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut told)
        .unwrap();
    (child.wait().unwrap().code(), told)
}

/// Starts a folder's own code, and waits until it is loaded.
fn serving(sandbox: &Sandbox, folder: &Path, options: &[&str]) -> Running {
    Running::of(shared(sandbox, "python", folder, options).stdin(Stdio::null())).once_ready()
}
