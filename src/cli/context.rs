//! What a command works with, taken from the process once.

use std::env;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tracing_subscriber::EnvFilter;

use super::bars::Bars;
use super::fault::{CliError, printable_lines};
use super::report::{Format, Page, Report};
use super::{Command, Global, Outcome};
use crate::gateway::ACCESS;
use crate::platform::atomic::FileError;
use crate::platform::clock::SystemClock;
use crate::platform::progress::Silent;
use crate::platform::{Clock, Places, Progress};
use crate::record::yaml::to_yaml;
use crate::record::{Failure, absolute};
use crate::yard::{Depth, Yard, YardError, blocking};

/// How long is waited for work that nobody needs any more: for what a slow disk takes to flush a
/// large file.
const PUTTING_AWAY: Duration = Duration::from_secs(10);

/// The terminal, the clock and the folders of one run.
///
/// Use cases are handed what they need of it; they never look at the process themselves.
pub struct Context {
    /// Where the command was started, or `-C`, links followed.
    pub directory: PathBuf,
    /// How results are printed.
    pub format: Format,
    /// The user's folders.
    pub places: Places,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who watches long work: bars on a terminal, nobody otherwise.
    pub progress: Arc<dyn Progress>,
    /// Whether a person can be asked: standard input and error are terminals, and the output is
    /// text.
    pub interactive: bool,
    quiet: bool,
}

impl Context {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub(super) fn from_process(global: Global, command: &Command) -> Result<Self, Failure> {
        start_log(&global, command.logs_access());
        let started = env::current_dir().map_err(FileError::at("find", "the current folder"))?;
        let directory = match global.directory {
            Some(folder) => {
                let folder = absolute(&started, &folder);
                let found = folder.canonicalize();
                found.map_err(FileError::at("find the folder", folder))?
            }
            None => started,
        };
        let terminal = std::io::stderr().is_terminal();
        let watched = terminal && !global.quiet && global.output == Format::Text;
        let progress: Arc<dyn Progress> = if watched {
            Arc::new(Bars::new())
        } else {
            Arc::new(Silent)
        };
        Ok(Self {
            directory,
            format: global.output,
            places: Places::find(|name| env::var_os(name).map(PathBuf::from))?,
            clock: Arc::new(SystemClock),
            progress,
            interactive: watched && std::io::stdin().is_terminal(),
            quiet: global.quiet,
        })
    }

    /// Runs `command` to its end, or to the first signal.
    pub(super) fn block_on(&self, command: Command) -> Result<Outcome, Failure> {
        let mut threads = match command.moves_bytes() {
            true => tokio::runtime::Builder::new_current_thread(),
            false => tokio::runtime::Builder::new_multi_thread(),
        };
        let runtime = threads.enable_all().build().map_err(CliError::Runtime)?;
        let result = runtime.block_on(async {
            if command.hears_signals() {
                return Some(command.run(self).await);
            }
            tokio::select! {
                result = command.run(self) => Some(result),
                () = interrupted() => None,
            }
        });
        if let Some(result) = result {
            // Of several files on their way one may have failed: the others put away what they
            // have begun.
            runtime.shutdown_timeout(PUTTING_AWAY);
            return result;
        }
        // Whoever waits for a terminal's answer waits for ever.
        runtime.shutdown_background();
        Err(CliError::Interrupted.into())
    }

    /// Where a path of an argument leads.
    pub(super) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        absolute(&self.directory, path.as_ref())
    }

    /// The yard at `url`, of which no clone is kept.
    ///
    /// # Errors
    /// As [`Yard::fetched`].
    pub(super) async fn fetched(&self, url: String, depth: Depth) -> Result<Yard, Failure> {
        let directory = self.directory.clone();
        blocking(move || Yard::fetched(&url, &directory, depth)).await
    }

    /// The yard in which the command was started.
    ///
    /// # Errors
    /// As [`Yard::discover`].
    pub fn yard(&self) -> Result<Yard, Failure> {
        Ok(Yard::discover(&self.directory)?.kept_in(&self.places.cache))
    }

    /// The yard in which the command was started, if it was started in one.
    ///
    /// # Errors
    /// As [`Yard::discover`], but that there is none.
    pub fn yard_if_any(&self) -> Result<Option<Yard>, Failure> {
        match Yard::discover(&self.directory) {
            Ok(yard) => Ok(Some(yard.kept_in(&self.places.cache))),
            Err(YardError::NoRepository { .. } | YardError::NoYard { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A variable of the environment; `None` if it is not set, or is no text.
    #[allow(
        clippy::unused_self,
        reason = "use cases are handed what they need of the process"
    )]
    pub fn variable(&self, name: &str) -> Option<SecretString> {
        process_variable(name)
    }

    /// This program, for what it does in a process of its own.
    ///
    /// # Errors
    /// If nobody can tell where it is.
    #[allow(
        clippy::unused_self,
        reason = "use cases are handed what they need of the process"
    )]
    pub(super) fn program(&self) -> Result<PathBuf, FileError> {
        env::current_exe().map_err(FileError::at("find", "this program"))
    }

    /// Prints a result to standard output in the format that was asked for.
    ///
    /// # Errors
    /// If standard output can't be written.
    pub fn print(&self, report: &impl Report) -> Result<(), Failure> {
        let text = match self.format {
            Format::Json => {
                let json = serde_json::to_string_pretty(report);
                json.expect("a report's keys are strings") + "\n"
            }
            Format::Yaml => {
                let value = serde_json::to_value(report);
                to_yaml(&value.expect("a report's keys are strings"))
            }
            Format::Name => report.names().into_iter().map(|name| name + "\n").collect(),
            _ => {
                let mut page = Page::default();
                report
                    .text(&mut page)
                    .expect("writing to a string never fails");
                page.into_text()
            }
        };
        self.print_text(&text)
    }

    /// Prints `text` as it is to standard output.
    ///
    /// # Errors
    /// If it can't be written; a reader that went away has enough, and is no error.
    pub(super) fn print_text(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = anstream::stdout().lock();
        let written = stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush());
        match written {
            // `modelyard list | head`: the reader has enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written.map_err(CliError::Print)?),
        }
    }

    /// Tells people, and only people, something on standard error: a hint, a warning.
    pub fn note(&self, message: &str) {
        if !self.quiet && self.format == Format::Text {
            // Nobody is left to tell if standard error is closed.
            let _ = writeln!(anstream::stderr().lock(), "{message}");
        }
    }

    /// Tells people which records could not be read, so that a listing is not taken for all.
    pub(super) fn note_unreadable(&self, unreadable: &[String]) {
        for reason in unreadable {
            self.note(&format!("not read: {}", printable_lines(reason)));
        }
        if !unreadable.is_empty() {
            self.note("`modelyard check` tells all that is wrong");
        }
    }
}

/// A variable of the process's environment; `None` if it is not set, or is no text.
#[allow(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub(super) fn process_variable(name: &str) -> Option<SecretString> {
    env::var(name).ok().map(SecretString::from)
}

/// The variables of the process's environment whose names are `wanted`.
pub(super) fn process_variables(wanted: impl Fn(&str) -> bool) -> Vec<(OsString, OsString)> {
    let is_wanted = |name: &OsString| name.to_str().is_some_and(&wanted);
    env::vars_os().filter(|(name, _)| is_wanted(name)).collect()
}

/// Logs go to standard error: warnings, and with `-v` what is done; `MODELYARD_LOG` sets it in
/// detail, in the language of `RUST_LOG`. Beside output for machines they are for machines, too.
fn start_log(global: &Global, is_access_logged: bool) {
    let default = match global.verbose {
        0 => "modelyard=warn",
        1 => "modelyard=info",
        2 => "modelyard=debug",
        _ => "debug",
    };
    let default = || format!("{default},{ACCESS}=off").into();
    let mut filter = EnvFilter::try_from_env("MODELYARD_LOG").unwrap_or_else(|_| default());
    if is_access_logged {
        let access = format!("{ACCESS}=info").parse();
        filter = filter.add_directive(access.expect("a target and a level"));
    }
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(anstream::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A second subscriber in one process (tests) is refused, and the first one stays.
    let _ = match global.output {
        Format::Json => log.json().flatten_event(true).try_init(),
        _ => log.try_init(),
    };
}

/// Waits for Ctrl-C or a request to end, which are heard from this call on and not only once it is
/// awaited.
pub(super) fn interrupted() -> impl Future<Output = ()> {
    #[cfg(unix)]
    let (mut terminate, mut interrupt) = {
        use tokio::signal::unix::{SignalKind, signal};
        (
            signal(SignalKind::terminate()).ok(),
            signal(SignalKind::interrupt()).ok(),
        )
    };
    async move {
        #[cfg(unix)]
        if let (Some(terminate), Some(interrupt)) = (&mut terminate, &mut interrupt) {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
        if tokio::signal::ctrl_c().await.is_err() {
            // No signal can be heard: then none interrupts.
            std::future::pending::<()>().await;
        }
    }
}
