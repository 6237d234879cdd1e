//! `modelyard runtime command`: any program that speaks the protocol.

use std::path::PathBuf;

use super::super::{Context, Outcome};
use super::python::become_it;
use super::serving::{ServingArguments, announce};
use crate::record::Failure;
use crate::record::kind::RelativePath;
use crate::target::runtime::command::{self, Options};

/// Serve a model by a program that speaks the Open Inference Protocol
///
/// The program is a file of the folder, and is started in it. Where to listen is told by the
/// variables PORT and HOST, what the model is called by MODEL_NAME, MODEL_VERSION and MODEL_FOLDER,
/// and the same in its arguments by {port}, {host}, {name}, {version} and {folder}.
#[derive(Debug, clap::Args)]
#[command(disable_version_flag = true)]
#[command(after_help = "Examples:
  modelyard runtime command models/llm --name llm --program server
  modelyard runtime command models/llm --name llm --program server -- --listen {host}:{port}")]
pub(super) struct Arguments {
    /// The version's files
    folder: PathBuf,
    #[command(flatten)]
    serving: ServingArguments,
    /// The file of the folder that is run
    #[arg(long, value_name = "FILE")]
    program: RelativePath,
    /// What it is told
    #[arg(last = true, value_name = "ARGUMENT")]
    arguments: Vec<String>,
}

impl Arguments {
    pub(super) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        if self.serving.with_parent {
            end_with_parent();
        }
        let options = Options {
            folder: context.directory.join(self.folder),
            program: PathBuf::from(self.program.as_str()),
            arguments: self.arguments,
            called: self.serving.called(),
            listen: self.serving.listen,
        };
        let (command, listening) = command::command(&options)?;
        announce(listening);
        Err(become_it(command))
    }
}

/// Asks the operating system to kill this process, whatever it becomes, when its parent is gone.
fn end_with_parent() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, set_parent_process_death_signal};
        // Where it can't be had, the program ends by its standard input, or is ended by hand.
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
    }
}
