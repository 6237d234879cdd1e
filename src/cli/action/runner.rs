//! The runner of a workflow: where it takes outputs, summaries and commands.
//!
//! Commands don't go to the log: what others wrote may stand in that, so `action/run` has the
//! runner take no commands from it. They go to a file, which is printed once all is done.
//!
//! Source: <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::cli::Context;
use crate::cli::check::github;
use crate::platform::atomic::FileError;
use crate::platform::redact::printable;
use crate::record::{Fault, causes};

/// A step's summary may have 1 MiB; of more, none is shown.
const SUMMARY_BYTES: usize = 1 << 20;

/// The runner that started us.
pub(super) struct Runner {
    outputs: Option<PathBuf>,
    summary: Option<PathBuf>,
    commands: Option<PathBuf>,
}

impl Runner {
    pub(super) fn of(context: &Context) -> Self {
        let file = |name| {
            let path = text(context, name)?;
            Some(PathBuf::from(path))
        };
        Self {
            outputs: file("GITHUB_OUTPUT"),
            summary: file("GITHUB_STEP_SUMMARY"),
            commands: file("MODELYARD_ACTION_COMMANDS"),
        }
    }

    /// Has the runner take these commands.
    pub(super) fn commands(&self, commands: &str) -> Result<(), FileError> {
        append(self.commands.as_ref(), commands)
    }

    /// Has the runner show that something failed.
    pub(super) fn failed(&self, fault: &dyn Fault) -> Result<(), FileError> {
        let mut message = printable(&fault.to_string());
        for more in causes(fault).into_iter().chain(fault.help()) {
            message.push('\n');
            message.push_str(&printable(&more));
        }
        let (title, message) = (fault.code().id, github::data(&message));
        self.commands(&format!("::error title={title}::{message}\n"))
    }

    /// Has the runner show an error that another process of ours told as JSON.
    pub(super) fn error(
        &self,
        code: &Value,
        message: &Value,
        help: &Value,
    ) -> Result<(), FileError> {
        let text = |value: &Value| printable(value.as_str().unwrap_or_default());
        let title = github::property(&text(code));
        let message = github::data(&format!("{}\n{}", text(message), text(help)));
        self.commands(&format!("::error title={title}::{message}\n"))
    }

    /// Has the runner show what went wrong somewhere.
    pub(super) fn problem(&self, title: &str, message: &str) -> Result<(), FileError> {
        let title = github::property(&printable(title));
        let message = github::data(&printable(message));
        self.commands(&format!("::error title={title}::{message}\n"))
    }

    /// Has the runner show a word beside.
    pub(super) fn notice(&self, message: &str) -> Result<(), FileError> {
        let message = github::data(&printable(message));
        self.commands(&format!("::notice title=modelyard::{message}\n"))
    }

    /// Sets an output of the step. A value has one line: what has more could set others.
    pub(super) fn output(&self, name: &str, value: &str) -> Result<(), FileError> {
        let value = value.replace(['\r', '\n'], " ");
        append(self.outputs.as_ref(), &format!("{name}={value}\n"))
    }

    /// Adds `markdown` to the job's summary, or says that it is too long for it.
    pub(super) fn summarize(&self, markdown: &str) -> Result<(), FileError> {
        let Some(path) = &self.summary else {
            return Ok(());
        };
        let there = path.metadata().map_or(0, |there| there.len());
        let room = SUMMARY_BYTES.saturating_sub(usize::try_from(there).unwrap_or(usize::MAX));
        match markdown.len() < room {
            true => append(self.summary.as_ref(), &format!("{markdown}\n")),
            false => append(
                self.summary.as_ref(),
                "The rest is in the log: a summary holds 1 MiB.\n",
            ),
        }
    }
}

fn append(path: Option<&PathBuf>, text: &str) -> Result<(), FileError> {
    let Some(path) = path else {
        return Ok(());
    };
    // The runner made it, and reads it once we have ended.
    let file = OpenOptions::new().append(true).create(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(FileError::at("write", path))
}

/// A variable that is set and not empty.
pub(super) fn text(context: &Context, name: &str) -> Option<String> {
    let value = context.variable(name)?;
    let value = value.expose_secret().trim();
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    //! What the runner is handed.

    use super::*;

    #[test]
    fn no_value_sets_another_output_and_a_summary_keeps_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let runner = Runner {
            outputs: Some(file("outputs")),
            summary: Some(file("summary")),
            commands: Some(file("commands")),
        };
        runner.notice("a\n::error::b %0A").unwrap();
        let commands = std::fs::read_to_string(file("commands")).unwrap();
        assert_eq!(commands, "::notice title=modelyard::a\\n::error::b %250A\n");

        runner.output("version", "1.0.0\nplan-hash=x").unwrap();
        runner.output("digest", "sha256:0").unwrap();
        let outputs = std::fs::read_to_string(file("outputs")).unwrap();
        assert_eq!(outputs, "version=1.0.0 plan-hash=x\ndigest=sha256:0\n");

        runner.summarize("short").unwrap();
        runner.summarize(&"x".repeat(SUMMARY_BYTES)).unwrap();
        let summary = std::fs::read_to_string(file("summary")).unwrap();
        assert_eq!(
            summary,
            "short\nThe rest is in the log: a summary holds 1 MiB.\n"
        );
    }
}
