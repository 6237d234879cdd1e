//! Runtimes in Python: a model's own code, ONNX on onnxruntime, MLflow's and MLServer's models.
//!
//! `modelyard runtime python FOLDER` (or `mlflow`, `mlserver`) is a process that finds the
//! interpreter, builds the environment that the version's requirements ask for, unless it is there
//! already, and then *becomes* the interpreter (`exec`): from there on the process, its signals and
//! its standard input are those of a small program of ours, which has no needs but the standard
//! library and speaks the Open Inference Protocol as [`onnx`] does. MLServer speaks it
//! itself.
//!
//! # What a model's code has to have
//!
//! A file of the version's folder, `serve.py` or what `entrypoint.file` says:
//!
//! ```python
//! def load(folder):                    # once; may be left out
//!     return joblib.load(f"{folder}/model.joblib")
//!
//! def predict(model, inputs, parameters):     # for each request
//!     return {"label": model.predict(inputs["x"])}
//! ```
//!
//! - `load(folder)` is called once, before the runtime is ready. If it raises, the runtime ends.
//! - `predict(inputs, parameters)`, or what `entrypoint.function` says, is called for each request,
//!   always in the thread that loaded the model, never twice at once. If it takes three arguments,
//!   the first is what `load` gave.
//! - `inputs` is a mapping from inputs' names to arrays: numpy's where the environment has numpy,
//!   nested lists otherwise. Texts are `bytes`. `parameters` are those of the request.
//! - It gives a mapping from outputs' names to arrays: numpy's, anything that `numpy.asarray`
//!   takes, nested lists, or `{"datatype": "FP32", "shape": [1, 2], "data": […]}`. Whole numbers of
//!   Python become INT64, others FP64, texts BYTES.
//! - A `ValueError` refuses the request (400); any other exception is the model's failure (500, and
//!   its trace is in the log). Both tell the message. Anything but such a mapping is told (500).
//!
//! What lies beside the file can be imported. What is printed goes to the log.

mod environment;
mod error;
mod interpreter;
mod program;
mod requirements;
mod version;

use std::ffi::OsString;
use std::fs::File;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;

pub use error::PythonError;

use self::environment::{Builder, Environment};
use self::program::Program;
use self::requirements::Requirements;
use self::version::Wanted;
use super::onnx::{self, Called, Limits};
use crate::platform::atomic::{self, FileError};
use crate::record::kind::Entrypoint;

/// The file of a model's own code where nothing is said.
const ENTRYPOINT: &str = "serve.py";
/// The file of requirements where nothing is said.
const REQUIREMENTS: &str = "requirements.txt";
/// The largest of MLflow's and MLServer's files that are read here.
const MAX_SETTINGS_BYTES: u64 = 1024 * 1024;

/// What is to be served, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The version's folder.
    pub folder: PathBuf,
    /// What requests call the model.
    pub called: Called,
    /// What serves it in the environment.
    pub serves: Serves,
    /// Which Python; any where nothing is said.
    pub python: Option<String>,
    /// The file of the folder that lists packages; `requirements.txt`, if there is one, where
    /// nothing is said.
    pub requirements: Option<PathBuf>,
    /// Where to listen; port 0 is any free one.
    pub listen: SocketAddr,
    /// What clients may do.
    pub limits: Limits,
    /// How many threads the libraries of arithmetic may use; as they think best where nothing is
    /// said.
    pub threads: Option<NonZero<usize>>,
    /// Whether it ends when its standard input does.
    pub with_parent: bool,
}

/// What serves a model in its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Serves {
    /// The model's own code; or onnxruntime, if `is_onnx` and there is no such code.
    Code {
        /// Where it is, if it is said.
        entrypoint: Option<Entrypoint>,
        /// Whether the version's format is ONNX.
        is_onnx: bool,
    },
    /// What MLflow loads.
    Mlflow,
    /// MLServer, by the folder's `model-settings.json`, of this version if it is said.
    Mlserver {
        /// MLServer's version.
        version: Option<String>,
    },
}

/// What it is done with.
pub struct Ground<'a> {
    /// The user's cache.
    pub cache: PathBuf,
    /// The folders of the PATH.
    pub search: Vec<PathBuf>,
    /// Tells people what takes long.
    pub say: &'a (dyn Fn(&str) + Sync),
}

/// The command that serves: the environment is whole, and only the interpreter is to be started.
/// The file beside it says that the environment is used, for as long as it is open: what this
/// process becomes inherits it.
///
/// # Errors
/// If there is no such interpreter, the environment can't be built, or the folder lacks what is
/// served.
pub async fn command(
    options: &Options,
    ground: &Ground<'_>,
) -> Result<(Command, File), PythonError> {
    let what = What::of(options)?;
    let uv = interpreter::program("uv", &ground.search);
    let wanted = match &what.python {
        Some(said) => said.parse()?,
        None => Wanted::any(),
    };
    let interpreter = interpreter::find(wanted, &ground.search, uv.as_deref()).await?;
    let program = Program::written(&ground.cache)?;
    let builder = Builder {
        interpreter: &interpreter,
        requirements: &what.requirements,
        uv,
        until_parent: program.until_parent(),
        ground,
    };
    let environment = builder.environment().await?;
    let mut command = Command::new(environment.python());
    // Nothing of the user's own Python shines through, and the version's folder stays as it is.
    command.args(["-I", "-B", "-u"]);
    command.args(what.arguments(options, &program));
    surround(&mut command, &environment, options, ground);
    let folder = environment.folder().to_owned();
    let used = environment.into_use();
    Ok((command, used.map_err(FileError::at("hold", folder))?))
}

/// The variables of what runs in an environment.
fn surround(command: &mut Command, environment: &Environment, options: &Options, ground: &Ground) {
    let search = std::iter::once(environment.programs()).chain(ground.search.iter().cloned());
    if let Ok(path) = std::env::join_paths(search) {
        command.env("PATH", path);
    }
    command.env("VIRTUAL_ENV", environment.folder());
    command.env_remove("PYTHONHOME").env_remove("PYTHONPATH");
    if let Some(threads) = options.threads {
        command.env("OMP_NUM_THREADS", threads.to_string());
    }
}

/// What was found out of the version's folder.
struct What {
    requirements: Requirements,
    python: Option<String>,
    /// What our program is told to serve.
    kind: Vec<OsString>,
}

impl What {
    fn of(options: &Options) -> Result<Self, PythonError> {
        let folder = &options.folder;
        let mut requirements = match &options.requirements {
            Some(file) if !folder.join(file).is_file() => {
                return Err(PythonError::Requirements {
                    path: folder.join(file),
                    reason: "there is no such file in the version's folder".to_owned(),
                });
            }
            Some(file) => Requirements::read(folder.join(file))?,
            None if folder.join(REQUIREMENTS).is_file() => {
                Requirements::read(folder.join(REQUIREMENTS))?
            }
            None => Requirements::none(),
        };
        let mut python = options.python.clone();
        let kind = match &options.serves {
            Serves::Code {
                entrypoint,
                is_onnx,
            } => code(folder, entrypoint.as_ref(), *is_onnx, &mut requirements)?,
            Serves::Mlflow => {
                lacks(folder, "MLmodel")?;
                if !requirements.names("mlflow") {
                    requirements.need("mlflow-skinny");
                }
                python = python.or_else(|| trained_with(folder));
                vec!["--mlflow".into()]
            }
            Serves::Mlserver { version } => {
                mlserver(folder, version.as_deref(), &mut requirements)?;
                Vec::new()
            }
        };
        Ok(Self {
            requirements,
            python,
            kind,
        })
    }

    fn arguments(&self, options: &Options, program: &Program) -> Vec<OsString> {
        let is_mlserver = matches!(options.serves, Serves::Mlserver { .. });
        let script = match is_mlserver {
            true => program.mlserver(),
            false => program.server(),
        };
        let mut arguments: Vec<OsString> = vec![script.into(), options.folder.clone().into()];
        let mut add = |name: &str, value: String| {
            arguments.extend([name.into(), value.into()]);
        };
        add("--name", options.called.name.to_string());
        if let Some(version) = &options.called.version {
            add("--version", version.to_string());
        }
        add("--host", options.listen.ip().to_string());
        add("--port", options.listen.port().to_string());
        if !is_mlserver {
            let Limits {
                body_bytes,
                waiting,
                request,
                silence,
                drain,
            } = options.limits;
            add("--waiting", waiting.to_string());
            add("--max-body-bytes", body_bytes.to_string());
            add("--request-timeout", request.as_secs_f64().to_string());
            add("--silence-timeout", silence.as_secs_f64().to_string());
            add("--drain-timeout", drain.as_secs_f64().to_string());
            add("--program-version", env!("CARGO_PKG_VERSION").to_owned());
        }
        if options.with_parent {
            arguments.push("--with-parent".into());
        }
        arguments.extend(self.kind.iter().cloned());
        arguments
    }
}

/// What our program is told of a model's own code, or of its ONNX file.
fn code(
    folder: &Path,
    entrypoint: Option<&Entrypoint>,
    is_onnx: bool,
    requirements: &mut Requirements,
) -> Result<Vec<OsString>, PythonError> {
    let file = entrypoint.map_or(ENTRYPOINT, |said| said.file.as_str());
    if is_onnx && entrypoint.is_none() && !folder.join(file).is_file() {
        requirements.need("onnxruntime");
        return Ok(vec!["--onnx".into(), onnx::find(folder)?.into()]);
    }
    lacks(folder, file)?;
    let mut kind: Vec<OsString> = vec!["--entrypoint".into(), file.into()];
    if let Some(function) = entrypoint.and_then(|said| said.function.as_deref()) {
        kind.extend(["--function".into(), function.into()]);
    }
    Ok(kind)
}

fn lacks(folder: &Path, file: &str) -> Result<(), PythonError> {
    match folder.join(file).is_file() {
        true => Ok(()),
        false => Err(PythonError::Lacks {
            folder: folder.to_owned(),
            file: file.to_owned(),
        }),
    }
}

/// Which Python MLflow wrote down, in `python_env.yaml`: `python: 3.12.4`.
fn trained_with(folder: &Path) -> Option<String> {
    let text = atomic::read_at_most(&folder.join("python_env.yaml"), MAX_SETTINGS_BYTES).ok()?;
    let text = String::from_utf8_lossy(&text);
    let said = text.lines().find_map(|line| line.strip_prefix("python:"))?;
    Some(said.trim().trim_matches(['"', '\'']).to_owned())
}

/// Sees to it that there is MLServer, and the package of the implementation that the folder's
/// settings name: `mlserver_sklearn.SKLearnModel` is in `mlserver-sklearn`.
fn mlserver(
    folder: &Path,
    version: Option<&str>,
    requirements: &mut Requirements,
) -> Result<(), PythonError> {
    const SETTINGS: &str = "model-settings.json";
    lacks(folder, SETTINGS)?;
    let path = folder.join(SETTINGS);
    let text = atomic::read_at_most(&path, MAX_SETTINGS_BYTES)?;
    let settings: serde_json::Value =
        serde_json::from_slice(&text).map_err(|error| PythonError::Requirements {
            path,
            reason: error.to_string(),
        })?;
    let implementation = settings["implementation"].as_str().unwrap_or_default();
    let package = implementation.split('.').next().unwrap_or_default();
    let pinned = |package: &str| match version {
        Some(version) => format!("{package}=={version}"),
        None => package.to_owned(),
    };
    let mut need = |package: &str| {
        if !requirements.names(package) {
            requirements.need(&pinned(package));
        }
    };
    need("mlserver");
    if package.starts_with("mlserver_") {
        need(&package.replace('_', "-"));
    }
    Ok(())
}
