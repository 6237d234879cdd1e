//! How a failure is told: to people as a compiler does, to machines as one JSON object.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use serde_json::json;

use super::{Format, Page, codes, diagnostics};
use crate::ops::CheckRefused;
use crate::platform::redact;
use crate::record::{Class, Code, Fault, causes};

/// What the command line itself can fail with.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// Whoever read our output has gone, or the disk is full.
    #[error("can't print the result")]
    Print(#[source] std::io::Error),
    /// The terminal went away while a question was open.
    #[error("can't ask at this terminal")]
    Ask(#[source] std::io::Error),
    /// The user pressed Ctrl-C, or the process was asked to end.
    #[error("interrupted; nothing was left half done")]
    Interrupted,
    /// No threads to run on.
    #[error("can't start the threads to work on")]
    Runtime(#[source] std::io::Error),
}

impl CliError {
    /// Why a question got no answer.
    pub(super) fn unanswered(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::Interrupted => Self::Interrupted,
            _ => Self::Ask(error),
        }
    }
}

impl Fault for CliError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Print(_) => &codes::NOT_PRINTED,
            Self::Ask(_) => &codes::NOT_ASKED,
            Self::Interrupted => &codes::INTERRUPTED,
            Self::Runtime(_) => &codes::NO_RUNTIME,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Print(_) => None,
            Self::Ask(_) => Some("say it with flags, and add --no-questions".to_owned()),
            Self::Interrupted => Some("run the same command again to go on".to_owned()),
            Self::Runtime(_) => Some("check the limits on processes and memory".to_owned()),
        }
    }
}

/// Prints `fault` to standard error and gives the exit code that belongs to it.
pub(super) fn print(fault: &dyn Fault, format: Format) -> ExitCode {
    let mut stderr = anstream::stderr().lock();
    // Nobody is left to tell if standard error itself is closed.
    let _ = match format {
        Format::Json => writeln!(stderr, "{}", as_json(fault)),
        _ => write_text(&mut stderr, fault),
    };
    exit_code(fault)
}

fn exit_code(fault: &dyn Fault) -> ExitCode {
    if fault.code() == &codes::INTERRUPTED {
        return ExitCode::from(130);
    }
    match fault.class() {
        Class::Permanent => ExitCode::from(2),
        Class::Transient | Class::Blocked => ExitCode::from(3),
    }
}

fn write_text(out: &mut dyn Write, fault: &dyn Fault) -> std::io::Result<()> {
    let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    let bold = Style::new().bold();
    // A question may be open, and its line not at its end.
    if *fault.code() == codes::INTERRUPTED && std::io::stderr().is_terminal() {
        writeln!(out)?;
    }
    if let Some(refused) = refused(fault) {
        write_diagnostics(out, refused)?;
        return writeln!(
            out,
            "{red}error{red:#}{bold}: the change would not pass a check; nothing was written{bold:#}"
        );
    }
    let text = printable_lines(&fault.to_string());
    writeln!(
        out,
        "{red}error[{}]{red:#}{bold}: {text}{bold:#}",
        fault.code()
    )?;
    for cause in causes(fault) {
        writeln!(
            out,
            "  {bold}caused by{bold:#}: {}",
            printable_lines(&cause)
        )?;
    }
    if let Some(help) = fault.help() {
        writeln!(out, "  {bold}help{bold:#}: {}", printable_lines(&help))?;
    }
    writeln!(
        out,
        "  {bold}more{bold:#}: modelyard explain {}",
        fault.code()
    )
}

/// A change that a check would refuse is told by what the check would say.
fn refused(fault: &dyn Fault) -> Option<&CheckRefused> {
    let error: &(dyn Error + 'static) = fault;
    error.downcast_ref()
}

fn write_diagnostics(out: &mut dyn Write, refused: &CheckRefused) -> std::io::Result<()> {
    let mut page = Page::default();
    for diagnostic in &refused.diagnostics {
        let written =
            diagnostics::write(&mut page, diagnostic).and_then(|()| page.write_char('\n'));
        written.expect("writing to a string never fails");
    }
    out.write_all(page.into_text().as_bytes())
}

/// Control characters escaped, line breaks kept and indented under their label.
pub(super) fn printable_lines(text: &str) -> String {
    text.lines()
        .map(redact::printable)
        .collect::<Vec<_>>()
        .join("\n        ")
}

fn as_json(fault: &dyn Fault) -> serde_json::Value {
    json!({
        "error": {
            "code": fault.code().id,
            "message": fault.to_string(),
            "causes": causes(fault),
            "help": fault.help(),
            "diagnostics": refused(fault).map(|refused| &refused.diagnostics),
            "class": match fault.class() {
                Class::Transient => "transient",
                Class::Blocked => "blocked",
                Class::Permanent => "permanent",
            },
        }
    })
}
