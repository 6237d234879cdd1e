//! `modelyard demo`: tells a model's life, and does it.

use std::fmt::{self, Write as _};
use std::io::{IsTerminal, Write as _};
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::{Context, Format, Outcome, Page, Report};
use crate::ops::demo::{self, Event, Wish};
use crate::platform::redact::printable;
use crate::record::Failure;
use crate::yard::blocking;

const SCENE: Style = Style::new()
    .bold()
    .fg_color(Some(anstyle::Color::Ansi(AnsiColor::Cyan)));
const COMMAND: Style = Style::new().bold();
const PROMPT: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));

/// Watch a model's life as a registry sees it
///
/// In a folder of its own: files become an artifact, the artifact is signed, a record goes through
/// a branch, a check and a merge, and the model is pulled and verified; a broken record, an
/// overwritten version and a tampered byte are refused. Then it is served: a new version goes out
/// by canary under real traffic while the server is killed, and a broken one is rolled back. Last,
/// a model comes in from the format of MLflow, and serves. Every command is really run, and the
/// folder stays for a look around. Needs `git`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// An empty folder to play in; a new temporary one if it is left out
    folder: Option<PathBuf>,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let started = context.clock.now();
        let program = context.program()?;
        let told = context.format == Format::Text;
        let wish = Wish {
            folder: self.folder.map(|folder| context.path(folder)),
            program,
            coloured: told && is_coloured(),
        };
        let played = blocking(move || {
            let mut teller = Teller::default();
            demo::demo(wish, &mut |event| {
                if told {
                    // A reader who has gone misses the rest; the story goes on.
                    let _ = teller.tell(event);
                }
            })
        });
        let played = played.await?;
        let seconds = (context.clock.now() - started).total(jiff::Unit::Second);
        context.print(&Told {
            folder: played.folder.display().to_string(),
            commands: played.commands,
            refusals: played.refusals,
            seconds: seconds.unwrap_or_default(),
        })?;
        Ok(Outcome::Done)
    }
}

fn is_coloured() -> bool {
    let choice = anstream::AutoStream::choice(&std::io::stdout());
    std::io::stdout().is_terminal() && choice != anstream::ColorChoice::Never
}

/// Writes the story as it goes.
#[derive(Debug, Default)]
struct Teller {
    scenes: usize,
    /// Whether the last line was a command's, with nothing printed behind it.
    in_commands: bool,
    /// Whether the last line was one of a command that goes on.
    in_lines: bool,
}

impl Teller {
    fn tell(&mut self, event: Event<'_>) -> std::io::Result<()> {
        let mut out = anstream::stdout().lock();
        let in_commands = std::mem::take(&mut self.in_commands);
        if in_commands && matches!(event, Event::Scene(_) | Event::Told(_)) {
            writeln!(out)?;
        }
        match event {
            Event::Scene(title) => {
                self.scenes += 1;
                writeln!(out, "\n{SCENE}{}. {title}{SCENE:#}\n", self.scenes)
            }
            Event::Told(text) => writeln!(out, "{text}\n"),
            Event::Command { folder, line } => {
                let (prompt, line) = (printable(folder), line.replace('\n', "\n  "));
                writeln!(
                    out,
                    "{PROMPT}{prompt}${PROMPT:#} {COMMAND}{line}{COMMAND:#}"
                )
            }
            Event::Line(line) => {
                self.in_lines = true;
                writeln!(out, "  {line}")
            }
            Event::Printed("") if std::mem::take(&mut self.in_lines) => writeln!(out),
            Event::Printed("") => {
                self.in_commands = true;
                Ok(())
            }
            Event::Printed(text) => {
                for line in text.trim_end().lines() {
                    writeln!(out, "  {line}")?;
                }
                writeln!(out)
            }
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    folder: String,
    commands: usize,
    refusals: usize,
    seconds: f64,
}

impl Report for Told {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let Self {
            commands,
            refusals,
            seconds,
            ..
        } = self;
        let folder = printable(&self.folder);
        writeln!(
            page,
            "{SCENE}All {commands} commands came to what was told, {refusals} of them to a \
             refusal, in {seconds:.1} s.{SCENE:#}\n"
        )?;
        writeln!(page, "Look around in {folder}:\n")?;
        for line in [
            "cd yard && . ../env.sh",
            "modelyard show vision/digits:champion",
            "modelyard compare vision/digits:1.0.0 vision/digits:champion",
            "modelyard log vision/digits",
            "modelyard verify vision/digits:champion",
            "modelyard promote vision/digits:1.0.0 --alias champion",
            "modelyard logs digits --environment host",
            "modelyard explain digest-changed",
            "git log --graph --oneline",
        ] {
            writeln!(page, "  {COMMAND}{line}{COMMAND:#}")?;
        }
        writeln!(page, "\nand remove it with: rm -rf '{folder}'")
    }

    fn names(&self) -> Vec<String> {
        vec![self.folder.clone()]
    }
}
