//! `modelyard runtime python`, `mlflow` and `mlserver`: models that Python serves.

use std::io::Write;
use std::num::NonZero;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;

use secrecy::ExposeSecret;

use super::super::{Context, Outcome};
use super::serving::{LimitArguments, ServingArguments};
use crate::record::Failure;
use crate::record::kind::{Entrypoint, RelativePath};
use crate::target::runtime::python::{self, Ground, Options, PythonError, Serves};

/// Serve a model by its own Python code, in an environment of its own
///
/// The code is `serve.py`: `load(folder)` is called once, and `predict(inputs, parameters)` for each
/// request, or `predict(model, inputs, parameters)` with what `load` gave. `inputs` has numpy's
/// arrays where the environment has numpy, and nested lists otherwise; what is given back is a
/// mapping from outputs' names to such. A ValueError refuses the request, any other exception is
/// the model's failure.
///
/// The environment has what `requirements.txt` lists. It is built once for each such list and
/// interpreter, by uv if it is there or else by pip, and kept in the cache.
#[derive(Debug, clap::Args)]
#[command(disable_version_flag = true)]
#[command(after_help = "Examples:
  modelyard runtime python models/churn --name churn
  modelyard runtime python models/churn --name churn --entrypoint src/predict.py --python 3.12
  modelyard runtime python models/svm --name svm --or-onnx --listen 127.0.0.1:8000
  curl http://127.0.0.1:8000/v2/models/svm/infer -d @request.json")]
pub(super) struct PythonArguments {
    #[command(flatten)]
    model: ModelArguments,
    /// The file of the folder that has the code; `serve.py` if it is left out
    #[arg(long, value_name = "FILE")]
    entrypoint: Option<RelativePath>,
    /// The function in it that predicts; `predict` if it is left out
    #[arg(long, value_name = "NAME")]
    function: Option<String>,
    /// Without such code, serve the folder's ONNX model on onnxruntime
    #[arg(long)]
    or_onnx: bool,
    #[command(flatten)]
    limits: LimitArguments,
}

/// Serve a model that MLflow packed, as its own `predict` answers
///
/// The folder has `MLmodel`. The environment has what its `requirements.txt` lists, for the Python
/// that its `python_env.yaml` names.
#[derive(Debug, clap::Args)]
#[command(disable_version_flag = true)]
#[command(after_help = "Examples:
  modelyard runtime mlflow mlruns/1/models/m-5f3/artifacts --name churn
  modelyard runtime mlflow churn --name churn --python 3.12 --listen 127.0.0.1:8000")]
pub(super) struct MlflowArguments {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    limits: LimitArguments,
}

/// Serve a model by MLServer, in an environment of its own
///
/// The folder has `model-settings.json`, and `settings.json` if need be. The environment has what
/// `requirements.txt` lists, and MLServer with the package of the implementation that the settings
/// name.
#[derive(Debug, clap::Args)]
#[command(disable_version_flag = true)]
#[command(after_help = "Examples:
  modelyard runtime mlserver models/iris --name iris
  modelyard runtime mlserver models/iris --name iris --mlserver 1.7.1 --listen 127.0.0.1:8000")]
pub(super) struct MlserverArguments {
    #[command(flatten)]
    model: ModelArguments,
    /// The version of MLServer that is installed where the requirements name none
    #[arg(long, value_name = "VERSION")]
    mlserver: Option<String>,
}

/// The model, and the environment that it needs.
#[derive(Debug, clap::Args)]
struct ModelArguments {
    /// The version's files
    folder: PathBuf,
    #[command(flatten)]
    serving: ServingArguments,
    /// The file of the folder that lists packages; `requirements.txt`, if it is there, if this is
    /// left out
    #[arg(long, value_name = "FILE")]
    requirements: Option<RelativePath>,
    /// Which Python, such as 3.12; any that is installed if it is left out
    #[arg(long, value_name = "VERSION")]
    python: Option<String>,
    /// How many threads arithmetic may use
    #[arg(long, value_name = "COUNT")]
    threads: Option<NonZero<usize>>,
}

impl PythonArguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let (file, function) = (self.entrypoint, self.function);
        // A function of another name is in `serve.py` where no file is said.
        let default = || "serve.py".parse().expect("it is a path");
        let file = file.or_else(|| function.is_some().then(default));
        let serves = Serves::Code {
            entrypoint: file.map(|file| Entrypoint { file, function }),
            is_onnx: self.or_onnx,
        };
        self.model.run(context, serves, Some(&self.limits)).await
    }
}

impl MlflowArguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let limits = Some(&self.limits);
        self.model.run(context, Serves::Mlflow, limits).await
    }
}

impl MlserverArguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let version = self.mlserver;
        self.model
            .run(context, Serves::Mlserver { version }, None)
            .await
    }
}

impl ModelArguments {
    /// Makes the environment ready and becomes the interpreter in it, or ends if it is told to.
    async fn run(
        self,
        context: &Context,
        serves: Serves,
        limits: Option<&LimitArguments>,
    ) -> Result<Outcome, Failure> {
        let options = Options {
            folder: context.directory.join(self.folder),
            called: self.serving.called(),
            serves,
            python: self.python,
            requirements: self.requirements.map(|file| PathBuf::from(file.as_str())),
            listen: self.serving.listen,
            limits: limits.map(LimitArguments::limits).unwrap_or_default(),
            threads: self.threads,
            with_parent: self.serving.with_parent,
        };
        let search = context.variable("PATH");
        let search = search.as_ref().map(ExposeSecret::expose_secret);
        let ground = Ground {
            cache: context.places.cache.clone(),
            search: std::env::split_paths(search.unwrap_or_default()).collect(),
            say: &|what| {
                // Nobody is left to tell if standard error is closed.
                let _ = writeln!(std::io::stderr().lock(), "{what}");
            },
        };
        let (command, _used) = tokio::select! {
            command = python::command(&options, &ground) => command?,
            () = self.serving.stop() => return Ok(Outcome::Done),
        };
        Err(become_it(command))
    }
}

/// Turns this process into another program; if it returns, that failed.
pub(super) fn become_it(mut command: std::process::Command) -> Failure {
    let program = PathBuf::from(command.get_program());
    let source = command.exec();
    PythonError::NotStarted { program, source }.into()
}
