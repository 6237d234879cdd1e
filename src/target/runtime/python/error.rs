//! Why a model can't be served by Python.

use std::path::PathBuf;
use std::process::ExitStatus;

use super::version::OLDEST;
use crate::platform::atomic::FileError;
use crate::platform::redact::printable;
use crate::platform::retry::Retryable;
use crate::record::{Class, Code, Fault};
use crate::target::codes;
use crate::target::runtime::onnx::OnnxError;

/// What keeps the runtime from serving.
#[derive(Debug, thiserror::Error)]
pub enum PythonError {
    /// A version that is none.
    #[error("`{}` is no version of Python", printable(said))]
    Version {
        /// What is asked for.
        said: String,
    },
    /// A version that the runtime itself is too new for.
    #[error("Python {wanted} is too old: the runtime needs {OLDEST} or newer")]
    TooOld {
        /// What is asked for.
        wanted: String,
    },
    /// No interpreter of the version that is asked for.
    #[error("there is no Python {wanted} here{}", others(found))]
    NoInterpreter {
        /// What is asked for.
        wanted: String,
        /// The versions that there are.
        found: Vec<String>,
    },
    /// The requirements can't be locked, or there are none.
    #[error("{}: {reason}", printable(&path.display().to_string()))]
    Requirements {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A step of building the environment failed; what it said is on standard error.
    #[error("the environment can't be built: {step} failed ({status})")]
    Build {
        /// What was to be done.
        step: &'static str,
        /// How it ended.
        status: ExitStatus,
    },
    /// Somebody else builds the same environment just now.
    #[error("the environment in {} is being built by somebody else", printable(&folder.display().to_string()))]
    Busy {
        /// Where.
        folder: PathBuf,
    },
    /// The folder lacks what the runtime serves.
    #[error("{} has no `{}`", printable(&folder.display().to_string()), printable(file))]
    Lacks {
        /// The model's folder.
        folder: PathBuf,
        /// The file that has to be there.
        file: String,
    },
    /// A file or folder can't be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// Which file is the ONNX model is not clear.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// The operating system does not start a program.
    #[error("{} can't be started", printable(&program.display().to_string()))]
    NotStarted {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

fn others(found: &[String]) -> String {
    match found {
        [] => ", nor any other".to_owned(),
        found => format!(", but {}", printable(&found.join(", "))),
    }
}

impl Fault for PythonError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Version { .. } | Self::TooOld { .. } | Self::NoInterpreter { .. } => {
                &codes::NO_INTERPRETER
            }
            Self::Requirements { .. } => &codes::REQUIREMENTS_UNUSABLE,
            Self::Build { .. } | Self::Busy { .. } => &codes::ENVIRONMENT_NOT_BUILT,
            Self::Lacks { .. } => &codes::NOTHING_TO_SERVE,
            Self::File(error) => error.code(),
            Self::Onnx(error) => error.code(),
            Self::NotStarted { .. } => &codes::RUNTIME_ENDED,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Version { .. } => {
                "say `environment.version` as \"3\", \"3.12\" or \"3.12.4\", in quotes".to_owned()
            }
            Self::TooOld { .. } => {
                "set `environment.version` to a newer one, with packages for it".to_owned()
            }
            Self::NoInterpreter { wanted, .. } => format!(
                "install Python {wanted} (your system's package manager, `pyenv install` or `uv \
                 python install`) so that it is on the PATH, or set `environment.version` to one \
                 that is"
            ),
            Self::Requirements { .. } => {
                "name a file of the version by `environment.requirements`, a package a line"
                    .to_owned()
            }
            Self::Build { .. } => {
                "what it said last tells why; the next start tries again".to_owned()
            }
            Self::Busy { .. } => "wait until it is built".to_owned(),
            Self::Lacks { .. } => {
                "publish the version with it, or name another file by `entrypoint.file`, or \
                 another runtime by `runtime.name`"
                    .to_owned()
            }
            Self::File(error) => return error.help(),
            Self::Onnx(error) => return error.help(),
            Self::NotStarted { .. } => "see that it is there and may be run".to_owned(),
        })
    }

    fn class(&self) -> Class {
        match self {
            Self::Busy { .. } => Class::Transient,
            Self::File(error) => error.class(),
            _ => Class::Permanent,
        }
    }
}

impl Retryable for PythonError {}
