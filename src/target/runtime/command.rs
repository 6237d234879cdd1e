//! Any program that speaks the Open Inference Protocol at a port that it is told.
//!
//! `modelyard runtime command PROGRAM [ARGUMENT…]` chooses a port, tells the address
//! ([`Announcement`](super::Announcement)), and then *becomes* the program (`exec`), so that its
//! output, its signals and its end are its own. Of a version's record the program is the file that
//! `entrypoint.file` names; it is started in the version's folder.
//!
//! The program is told by variables, and by the same in its arguments:
//!
//! | variable | argument | is |
//! | --- | --- | --- |
//! | `PORT` | `{port}` | where to listen |
//! | `HOST` | `{host}` | at which address |
//! | `MODEL_NAME` | `{name}` | what requests call the model |
//! | `MODEL_VERSION` | `{version}` | its version; empty if it is not told |
//! | `MODEL_FOLDER` | `{folder}` | the version's files |
//!
//! It has to answer `/v2/health/ready` with 200 once it is ready, to end on SIGTERM, and to be one
//! process (a shell script ends in `exec`): it is killed when whoever started it is gone, and what
//! it started itself is not.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::onnx::{Called, OnnxError};
use super::python::PythonError;

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The version's folder, in which it runs.
    pub folder: PathBuf,
    /// The program, a file of the folder.
    pub program: PathBuf,
    /// Its arguments, before anything is put into them.
    pub arguments: Vec<String>,
    /// What requests call the model.
    pub called: Called,
    /// Where it shall listen; port 0 is any free one.
    pub listen: SocketAddr,
}

/// The command that runs it, and where it will listen.
///
/// # Errors
/// If the folder has no such program, or the address can't be had.
pub fn command(options: &Options) -> Result<(Command, SocketAddr), PythonError> {
    let Options { folder, called, .. } = options;
    let program = folder.join(&options.program);
    if !program.is_file() {
        return Err(PythonError::Lacks {
            folder: folder.clone(),
            file: options.program.display().to_string(),
        });
    }
    let listen = free(options.listen)?;
    let version = called.version.as_ref().map(ToString::to_string);
    let told = [
        ("PORT", "{port}", listen.port().to_string()),
        ("HOST", "{host}", listen.ip().to_string()),
        ("MODEL_NAME", "{name}", called.name.to_string()),
        ("MODEL_VERSION", "{version}", version.unwrap_or_default()),
        ("MODEL_FOLDER", "{folder}", shown(folder)),
    ];
    let mut command = Command::new(program);
    for argument in &options.arguments {
        command.arg(filled(argument, &told));
    }
    for (variable, _, value) in told {
        command.env(variable, value);
    }
    command.current_dir(folder);
    Ok((command, listen))
}

/// An address with a port that nobody has: it is let go of, as only the program can keep it.
fn free(listen: SocketAddr) -> Result<SocketAddr, OnnxError> {
    let failed = |source| OnnxError::Listen {
        address: listen,
        source,
    };
    let probe = TcpListener::bind(listen).map_err(failed)?;
    probe.local_addr().map_err(failed)
}

fn shown(folder: &Path) -> String {
    folder.to_string_lossy().into_owned()
}

/// An argument with what it names in braces; one pass, so that a value is never looked into.
fn filled(argument: &str, told: &[(&str, &str, String)]) -> String {
    let mut filled = String::new();
    let mut rest = argument;
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        match told.iter().find(|(_, named, _)| rest.starts_with(named)) {
            Some((_, named, value)) => {
                filled.push_str(value);
                rest = &rest[named.len()..];
            }
            None => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_told_what_they_name() {
        let told = [
            ("PORT", "{port}", "80".to_owned()),
            ("MODEL_NAME", "{name}", "{port}".to_owned()),
        ];
        assert_eq!(filled("--port={port}", &told), "--port=80");
        assert_eq!(filled("{name}:{port}{", &told), "{port}:80{");
        assert_eq!(filled("{other} {}", &told), "{other} {}");
    }
}
