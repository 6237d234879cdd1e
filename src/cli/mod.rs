//! The command line, one file a command.
//!
//! A command parses its arguments, calls one use case of `ops`, and prints what came of it; it
//! decides nothing. What it prints is a [`Report`], which knows how it looks as text for people,
//! as JSON or YAML for machines, and as bare names for scripts.
//!
//! # Exit codes
//!
//! | code | meaning |
//! | --- | --- |
//! | 0 | done |
//! | 1 | problems were found: the yard's records have errors, or the answer is no |
//! | 2 | it could not be done; the error says why, and what to do |
//! | 3 | it could not be done now; trying again may help |
//! | 130 | interrupted |

#![allow(
    rustdoc::bare_urls,
    rustdoc::broken_intra_doc_links,
    reason = "the doc comments of arguments are their help texts, for a terminal"
)]

mod action;
mod bars;
mod check;
mod comment;
mod compare;
mod completions;
mod context;
mod delete;
mod demo;
mod deploy;
mod deployment;
mod diagnostics;
mod explain;
mod export;
mod fault;
mod gates;
mod history;
mod host;
mod import;
mod init;
mod inspect;
mod keys;
mod list;
mod log;
mod login;
mod logs;
mod plan;
mod policy;
mod predict;
mod promote;
mod proposed;
mod proposing;
mod publish;
mod pull;
mod push;
mod reading;
mod reconcile;
mod report;
mod rollback;
mod rollout;
mod runtime;
mod search;
mod serve;
mod served;
mod set;
mod show;
mod sign;
mod status;
mod stores;
mod table;
mod tags;
mod test;
mod token;
mod verify;
mod waiting;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::{ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};

pub use context::Context;
pub use report::{Format, Page, Report};

use crate::platform::redact;
use crate::record::Failure;

/// What a command came to, if it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All is well.
    Done,
    /// It ran, and the answer is no: problems were found, something differs.
    Problems,
    /// Another process of ours did it, and ended with this code.
    Ended(u8),
}

/// A GitOps registry for machine-learning models.
///
/// Records of models are YAML in a git repository (a yard), changed by reviewed commits; their
/// bytes are signed OCI artifacts in a container registry or a folder; what main says is deployed is
/// what a host serves.
#[derive(Debug, Parser)]
#[command(
    name = "modelyard",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
#[command(
    after_help = "Exit codes: 0 done, 1 problems were found, 2 it could not be done, \
    3 trying again may help, 130 interrupted."
)]
pub struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, clap::Args)]
struct Global {
    /// Run as if started in this folder
    #[arg(short = 'C', long = "directory", global = true, value_name = "FOLDER")]
    directory: Option<PathBuf>,
    /// How to print what comes of it
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    output: Format,
    /// Say only what was asked for
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say more of what is done; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Arguments),
    Init(init::Arguments),
    List(list::Arguments),
    Search(search::Arguments),
    Show(show::Arguments),
    Log(log::Arguments),
    History(history::Arguments),
    Why(history::Why),
    Compare(compare::Arguments),
    Keys(keys::Arguments),
    Promote(promote::Arguments),
    Deprecate(promote::Deprecate),
    Retire(promote::Retire),
    Recycle(promote::Recycle),
    Restore(promote::Restore),
    Delete(delete::Arguments),
    Deploy(deploy::Arguments),
    Rollout(rollout::Arguments),
    Restart(deployment::Restart),
    Suspend(deployment::Suspend),
    Resume(deployment::Resume),
    Undeploy(deployment::Undeploy),
    Rollback(rollback::Arguments),
    Serve(Box<serve::Arguments>),
    Status(status::Arguments),
    Plan(plan::Arguments),
    Reconcile(reconcile::Arguments),
    Logs(logs::Arguments),
    Pull(pull::Arguments),
    Push(push::Arguments),
    Inspect(inspect::Arguments),
    Tags(tags::Arguments),
    Token(token::Arguments),
    Login(login::LoginArguments),
    Logout(login::LogoutArguments),
    Set(set::Arguments),
    Check(check::Arguments),
    Comment(comment::Arguments),
    Explain(explain::Arguments),
    Sign(sign::Arguments),
    Verify(verify::Arguments),
    Publish(Box<publish::Arguments>),
    Import(Box<import::Arguments>),
    Export(export::Arguments),
    Test(test::Arguments),
    Predict(predict::Arguments),
    Runtime(runtime::Arguments),
    Gates(gates::Arguments),
    Action(action::Arguments),
    Policy(policy::Arguments),
    Completions(completions::Arguments),
}

impl Command {
    /// Whether each request that it answers is to be logged.
    const fn logs_access(&self) -> bool {
        matches!(self, Self::Serve(arguments) if arguments.logs_access())
    }

    /// Whether it hears signals itself, and ends well by them.
    const fn hears_signals(&self) -> bool {
        matches!(self, Self::Runtime(_) | Self::Serve(_))
    }

    /// Whether it only moves bytes between others, and one thread does that with fewer wakings.
    const fn moves_bytes(&self) -> bool {
        matches!(self, Self::Runtime(_))
    }

    /// Whether it prints what is for pipelines.
    const fn prints(&self, format: Format) -> bool {
        match self {
            Self::Check(_) => true,
            Self::Plan(arguments) => matches!(format, Format::Markdown) && arguments.is_of_merge(),
            _ => false,
        }
    }

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        match self {
            Self::Keys(arguments) => arguments.run(context).await,
            Self::Demo(arguments) => arguments.run(context).await,
            Self::Init(arguments) => arguments.run(context),
            Self::List(arguments) => arguments.run(context).await,
            Self::Search(arguments) => arguments.run(context).await,
            Self::Show(arguments) => arguments.run(context).await,
            Self::Log(arguments) => arguments.run(context).await,
            Self::History(arguments) => arguments.run(context).await,
            Self::Why(arguments) => arguments.run(context).await,
            Self::Compare(arguments) => arguments.run(context).await,
            Self::Promote(arguments) => arguments.run(context).await,
            Self::Deploy(arguments) => arguments.run(context).await,
            Self::Rollout(arguments) => arguments.run(context).await,
            Self::Restart(arguments) => arguments.run(context).await,
            Self::Suspend(arguments) => arguments.run(context).await,
            Self::Resume(arguments) => arguments.run(context).await,
            Self::Undeploy(arguments) => arguments.run(context).await,
            Self::Rollback(arguments) => arguments.run(context).await,
            Self::Deprecate(arguments) => arguments.run(context).await,
            Self::Retire(arguments) => arguments.run(context).await,
            Self::Recycle(arguments) => arguments.run(context).await,
            Self::Restore(arguments) => arguments.run(context).await,
            Self::Delete(arguments) => arguments.run(context).await,
            Self::Serve(arguments) => arguments.run(context).await,
            Self::Status(arguments) => arguments.run(context).await,
            Self::Plan(arguments) => arguments.run(context).await,
            Self::Reconcile(arguments) => arguments.run(context).await,
            Self::Logs(arguments) => arguments.run(context).await,
            Self::Pull(arguments) => arguments.run(context).await,
            Self::Push(arguments) => arguments.run(context).await,
            Self::Inspect(arguments) => arguments.run(context).await,
            Self::Tags(arguments) => arguments.run(context).await,
            Self::Token(arguments) => arguments.run(context),
            Self::Login(arguments) => arguments.run(context).await,
            Self::Logout(arguments) => arguments.run(context).await,
            Self::Set(arguments) => arguments.run(context).await,
            Self::Check(arguments) => arguments.run(context).await,
            Self::Comment(arguments) => arguments.run(context).await,
            Self::Explain(arguments) => arguments.run(context),
            Self::Sign(arguments) => arguments.run(context).await,
            Self::Verify(arguments) => arguments.run(context).await,
            Self::Publish(arguments) => arguments.run(context).await,
            Self::Import(arguments) => arguments.run(context).await,
            Self::Export(arguments) => arguments.run(context).await,
            Self::Predict(arguments) => arguments.run(context).await,
            Self::Test(arguments) => arguments.run(context).await,
            Self::Runtime(arguments) => arguments.run(context).await,
            Self::Gates(arguments) => arguments.run(context),
            Self::Action(arguments) => arguments.run(context).await,
            Self::Policy(arguments) => arguments.run(context).await,
            Self::Completions(arguments) => arguments.run(context),
        }
    }
}

/// Parses the process's arguments, runs the command, and gives its exit code.
pub fn main() -> ExitCode {
    completions::answer();
    let Arguments { global, command } =
        Arguments::try_parse().unwrap_or_else(|error| printable(error).exit());
    let format = global.output;
    if format.is_for_pipelines() && !command.prints(format) {
        let refusal = "`modelyard check` alone prints that, and markdown `modelyard plan --base` \
            too; others print text, json, yaml or name";
        Arguments::command()
            .error(ErrorKind::InvalidValue, refusal)
            .exit();
    }
    let result =
        Context::from_process(global, &command).and_then(|context| context.block_on(command));
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Problems) => ExitCode::from(1),
        Ok(Outcome::Ended(code)) => ExitCode::from(code),
        Err(failure) => fault::print(failure.as_ref(), format),
    }
}

/// What is wrong with the arguments, without the control characters that they may have.
fn printable(mut error: clap::Error) -> clap::Error {
    let shown: Vec<_> = error
        .context()
        .filter_map(|(kind, value)| match value {
            ContextValue::String(text) if text.contains(char::is_control) => {
                Some((kind, ContextValue::String(redact::printable(text))))
            }
            _ => None,
        })
        .collect();
    for (kind, value) in shown {
        error.insert(kind, value);
    }
    error
}

/// The codes of this room.
pub mod codes {
    crate::codes! {
        NOT_PRINTED = "not-printed";
        NOT_ASKED = "not-asked";
        INTERRUPTED = "interrupted";
        NO_RUNTIME = "no-runtime";
        NO_PASSWORD = "no-password";
        EMPTY_PASSWORD = "empty-password";
        PASSWORDS_DIFFER = "passwords-differ";
        NEVER_SERVED = "never-served";
        NO_LOG = "no-log";
        ACTION_MISUSED = "action-misused";
    }
}
