//! `modelyard runtime`: what other commands start as processes of their own.

mod command;
mod onnx;
mod python;
mod serving;
mod shim;

use clap::Subcommand;

use super::{Context, Outcome};
use crate::record::Failure;

/// Run one model as a process of its own, as other commands do it
///
/// A runtime loads one version of a model and answers the Open Inference Protocol at an address of
/// its own. The first line that it prints is that address, as JSON: {"listening":"127.0.0.1:40123"}.
/// SIGTERM ends it, once it has answered what it has.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    Onnx(onnx::Arguments),
    Python(python::PythonArguments),
    Mlflow(python::MlflowArguments),
    Mlserver(python::MlserverArguments),
    Command(command::Arguments),
    #[command(hide = true)]
    Shim(shim::Arguments),
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        match self.kind {
            Kind::Onnx(arguments) => arguments.run(context).await,
            Kind::Python(arguments) => arguments.run(context).await,
            Kind::Mlflow(arguments) => arguments.run(context).await,
            Kind::Mlserver(arguments) => arguments.run(context).await,
            Kind::Command(arguments) => arguments.run(context),
            Kind::Shim(arguments) => arguments.run(context).await,
        }
    }
}
