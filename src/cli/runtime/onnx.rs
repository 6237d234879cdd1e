//! `modelyard runtime onnx`: the built-in runtime for ONNX models.

use std::num::NonZero;
use std::path::PathBuf;
use std::thread;

use super::super::{Context, Outcome};
use super::serving::{LimitArguments, ServingArguments, announce};
use crate::record::Failure;
use crate::target::runtime::onnx::{self, Options};

/// Serve an ONNX model
///
/// Answers at /v2/health/ready once the model is loaded, and from then on at
/// /v2/models/NAME/infer, with JSON or raw bytes (binary tensor data extension).
#[derive(Debug, clap::Args)]
#[command(disable_version_flag = true)]
#[command(after_help = "Examples:
  modelyard runtime onnx models/digits --name digits
  modelyard runtime onnx model.onnx --name digits --version 1.0.0 --listen 127.0.0.1:8000
  curl http://127.0.0.1:8000/v2/models/digits/infer -d @request.json")]
pub(super) struct Arguments {
    /// The model's file, or a folder whose only ONNX model it is, or its topmost `model.onnx`;
    /// weights in files beside it come along
    #[arg(value_name = "FOLDER_OR_FILE")]
    model: PathBuf,
    #[command(flatten)]
    serving: ServingArguments,
    /// How many requests are computed at once; as many as there are cores if it is left out
    #[arg(long, value_name = "COUNT")]
    instances: Option<NonZero<usize>>,
    #[command(flatten)]
    limits: LimitArguments,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let cores = || thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        let options = Options {
            model: context.directory.join(self.model),
            called: self.serving.called(),
            listen: self.serving.listen,
            instances: self.instances.unwrap_or_else(cores),
            limits: self.limits.limits(),
        };
        onnx::serve(options, announce, self.serving.stop()).await?;
        Ok(Outcome::Done)
    }
}
