//! `modelyard action`: what a step of a workflow does.
//!
//! It is the inner half of `action/`, whose outer half brings this program. Inputs come from the
//! environment alone, so that no shell reads them; what a pull request is at, its forge says; and
//! what comes of it goes to the log, which takes no commands, and to the files that the runner has
//! for outputs, its summary and annotations.

mod act;
mod event;
mod imported;
mod inputs;
mod review;
mod runner;
mod told;

use super::stores::StoreArguments;
use super::{Context, Outcome, codes};
use crate::artifact::StoreOptions;
use crate::platform::atomic;
use crate::record::{Code, Failure, Fault};
use event::Event;
use inputs::{Inputs, Task};
use runner::Runner;

/// Do what a step of a workflow says, by the variables of `action/action.yml`
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    stores: StoreArguments,
}

/// A step that can't be done as it is written.
#[derive(Debug, thiserror::Error)]
pub(super) enum ActionError {
    /// An input.
    #[error("the input `{name}` is `{}`: {reason}", value.escape_debug())]
    Input {
        name: &'static str,
        value: String,
        reason: String,
    },
    /// The runner's event file.
    #[error("the runner's event can't be read: {reason}")]
    Event { reason: String },
}

impl ActionError {
    fn misused(name: &'static str, value: &str, reason: &str) -> Self {
        Self::Input {
            name,
            value: value.to_owned(),
            reason: reason.to_owned(),
        }
    }
}

impl Fault for ActionError {
    fn code(&self) -> &'static Code {
        &codes::ACTION_MISUSED
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Input { name, .. } => format!("see `{name}` in docs/action.md"),
            Self::Event { .. } => {
                "run it in a workflow; elsewhere, use the command itself".to_owned()
            }
        })
    }
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let runner = Runner::of(context);
        let done = run(context, &runner, &self.stores.options(context)).await;
        if let Err(failure) = &done {
            runner.failed(failure.as_ref())?;
        }
        done
    }
}

async fn run(
    context: &Context,
    runner: &Runner,
    stores: &StoreOptions,
) -> Result<Outcome, Failure> {
    let inputs = Inputs::of(context)?;
    let event = match &inputs.event_file {
        Some(path) => {
            let file = atomic::read_at_most(path, event::MAX_BYTES)?;
            Event::read(&inputs.event, &file).map_err(|reason| ActionError::Event { reason })?
        }
        None => Event::Other,
    };
    match inputs.task {
        Task::Check => review::run(context, runner, stores, &inputs, &event).await,
        Task::Plan | Task::Publish | Task::Sign | Task::Reconcile | Task::Import => {
            act::run(context, runner, &inputs, &event).await
        }
    }
}
