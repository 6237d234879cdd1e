//! What commands take that look at, or run, an environment of this host.

use std::path::PathBuf;

use super::{Context, codes, completions};
use crate::reconcile::memory;
use crate::reconcile::status::Status;
use crate::record::{Code, Failure, Fault, Name};
use crate::yard::Yard;

/// Which environment, and where its state is.
#[derive(Debug, clap::Args)]
pub(super) struct HostArguments {
    /// The environment, as `environments/NAME.yaml` has it
    #[arg(short, long, value_name = "NAME", env = "MODELYARD_ENVIRONMENT", add = completions::environments())]
    pub(super) environment: Name,
    /// Where the state of this environment is kept on this host; by default
    /// $MODELYARD_STATE, else $XDG_STATE_HOME/modelyard, in a folder of the yard's
    #[arg(long = "state", value_name = "FOLDER")]
    state: Option<PathBuf>,
}

/// Nobody ever reconciled it here.
#[derive(Debug, thiserror::Error)]
#[error("nothing is known of the environment {environment} on this host")]
pub(super) struct NeverServed {
    pub(super) environment: Name,
}

impl Fault for NeverServed {
    fn code(&self) -> &'static Code {
        &codes::NEVER_SERVED
    }

    fn help(&self) -> Option<String> {
        let environment = &self.environment;
        Some(format!(
            "serve it by `modelyard serve --environment {environment}`"
        ))
    }
}

impl HostArguments {
    /// The environment, with its state in a folder of the user's choice or in its own.
    pub(super) fn of(environment: Name, state: Option<PathBuf>) -> Self {
        Self { environment, state }
    }

    /// What it looked like last.
    ///
    /// # Errors
    /// [`NeverServed`].
    pub(super) fn status(&self, context: &Context, yard: &Yard) -> Result<Status, Failure> {
        let status = Status::read(&self.folder(context, yard))?;
        let environment = self.environment.clone();
        Ok(status.ok_or(NeverServed { environment })?)
    }

    /// The folder of the environment's state, on this host.
    pub(super) fn folder(&self, context: &Context, yard: &Yard) -> PathBuf {
        match &self.state {
            Some(folder) => context.path(folder),
            None => memory::folder(&context.places.state, &yard.place(), &self.environment),
        }
    }

    /// The same, where no yard is needed because the folder is named.
    pub(super) fn folder_of_yard(&self, context: &Context) -> Result<PathBuf, Failure> {
        match &self.state {
            Some(folder) => Ok(context.path(folder)),
            None => Ok(self.folder(context, &context.yard()?)),
        }
    }
}
