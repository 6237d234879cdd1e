//! Why an ONNX model can't be served.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::platform::atomic::FileError;
use crate::platform::redact::printable;
use crate::record::{Code, Fault};
use crate::target::codes;

/// What tract says of a model.
pub(super) type TractSays = Box<dyn Error + Send + Sync>;

/// What keeps the runtime from serving.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The folder has none.
    #[error("{} has no ONNX model", printable(&folder.display().to_string()))]
    NoFile {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// The folder has several, and none stands out.
    #[error("{} has several ONNX models, none of which is called `model.onnx`: {}", printable(&folder.display().to_string()), told(files))]
    Several {
        /// Where it was looked for.
        folder: PathBuf,
        /// What was found.
        files: Vec<PathBuf>,
    },
    /// The file or folder can't be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file holds something else.
    #[error("{} is no ONNX model", printable(&path.display().to_string()))]
    NotOnnx {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: TractSays,
    },
    /// Operators that tract does not have.
    #[error("{} uses operators that the built-in runtime lacks: {}", printable(&path.display().to_string()), printable(&operators.join(", ")))]
    Lacking {
        /// The model.
        path: PathBuf,
        /// Each of them, as `Name` or `domain:Name`.
        operators: Vec<String>,
    },
    /// Tract knows the operators, and can't run this model all the same.
    #[error("the built-in runtime can't load {}", printable(&path.display().to_string()))]
    Unloadable {
        /// The model.
        path: PathBuf,
        /// Why.
        #[source]
        source: TractSays,
    },
    /// The address can't be listened at.
    #[error("can't listen at {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// Threads can't be had.
    #[error("can't start the threads that compute")]
    Threads(#[source] std::io::Error),
}

fn told(files: &[PathBuf]) -> String {
    let files: Vec<_> = files
        .iter()
        .map(|file| printable(&file.display().to_string()))
        .collect();
    files.join(", ")
}

impl Fault for OnnxError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NoFile { .. } | Self::Several { .. } => &codes::NO_ONNX_FILE,
            Self::File(error) => error.code(),
            Self::NotOnnx { .. } => &codes::NOT_ONNX,
            Self::Lacking { .. } => &codes::OPERATORS_LACKING,
            Self::Unloadable { .. } => &codes::ONNX_NOT_LOADABLE,
            Self::Listen { .. } => &codes::ADDRESS_UNAVAILABLE,
            Self::Threads(_) => &codes::NO_THREADS,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoFile { .. } => "name a file, or a folder that has one".to_owned(),
            Self::Several { .. } => {
                "call the one that is meant `model.onnx`, or name the file".to_owned()
            }
            Self::File(error) => return error.help(),
            Self::NotOnnx { .. } => {
                "export the model anew, and check it by `onnx.checker`".to_owned()
            }
            Self::Lacking { .. } => {
                "serve it in the runtime `python` with onnxruntime (`runtime: {name: python}` in \
                 the version's record), or export it without them (scikit-learn: `zipmap=False`)"
                    .to_owned()
            }
            Self::Unloadable { .. } => {
                "serve it in the runtime `python` with onnxruntime (`runtime: {name: python}` in \
                 the version's record)"
                    .to_owned()
            }
            Self::Listen { .. } => "choose another address, or port 0 for any free one".to_owned(),
            Self::Threads(_) => "check the limits on processes and memory".to_owned(),
        })
    }
}
