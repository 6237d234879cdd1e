//! `modelyard log`: a model's past, told from git.

use std::fmt::{self, Write};

use jiff::Timestamp;

use super::reading::Reading;
use super::{Context, Outcome, Page, Report, completions};
use crate::ops::log::{self, Log};
use crate::platform::redact::printable;
use crate::record::{Failure, ModelReference};
use crate::yard::history::{Event, History, Merge, Person};
use crate::yard::{Depth, blocking};

/// Tell the past of a model or a version: who, when, why, and by which pull request
///
/// Newest first, from the commits that changed its records; its past under another name is
/// followed. What was removed has a past, too.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard log vision/digits
  modelyard log vision/digits:1.0.0 --limit 5
  modelyard log vision/digits --at v1.2 --output json")]
pub(super) struct Arguments {
    /// Whose past: MODEL, or MODEL[:VERSION|:RANGE|:ALIAS|@DIGEST]
    #[arg(value_name = "MODEL[:VERSION]", add = completions::references())]
    reference: ModelReference,
    /// How many commits to tell at most
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = limits())]
    limit: u32,
    #[command(flatten)]
    reading: Reading,
}

fn limits() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=100_000)
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let (yard, revision) = self.reading.open_to(Depth::Everything, context).await?;
        let limit = self.limit as usize;
        let reference = self.reference;
        let log = blocking(move || log::log(&yard, &revision, &reference, limit)).await?;
        context.print(&log)?;
        let History {
            events,
            truncated,
            shallow,
        } = &log.history;
        if *truncated {
            context.note("there is more before: `--limit` says how much is told");
        }
        if *shallow {
            context.note(
                "this clone is shallow: `git fetch --unshallow` brings what may have been before",
            );
        } else if events.is_empty() {
            context.note(&format!("{} is in no commit yet", log.of));
        }
        Ok(Outcome::Done)
    }
}

impl Report for Log {
    fn text(&self, page: &mut Page) -> fmt::Result {
        for (index, event) in self.history.events.iter().enumerate() {
            if index > 0 {
                writeln!(page)?;
            }
            self::event(event, page)?;
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        let events = self.history.events.iter();
        events.map(|event| event.commit.clone()).collect()
    }
}

/// ```text
/// 1948cb5d2272  2026-03-01 10:00 UTC  Ada <ada@example.com>  #12
///   merged by Vera <vera@example.com>, 2026-03-02 08:00 UTC, as 026533b3d4a2
///
///     Publish vision/digits 1.0.0
/// ```
fn event(event: &Event, page: &mut Page) -> fmt::Result {
    let Event {
        commit,
        author,
        time,
        title,
        body,
        merge,
        request,
        renamed_from,
    } = event;
    write!(page, "{}  {}  {}", short(commit), at(time), person(author))?;
    if let Some(request) = request {
        write!(page, "  {}", printable(request))?;
    }
    writeln!(page)?;
    if let Some(Merge { commit, by, time }) = merge {
        let (commit, time) = (short(commit), at(time));
        writeln!(page, "  merged by {}, {time}, as {commit}", person(by))?;
    }
    if let Some(old) = renamed_from {
        writeln!(page, "  renamed from {}", printable(old))?;
    }
    writeln!(page, "\n    {}", printable(title))?;
    if !body.is_empty() {
        writeln!(page)?;
    }
    for line in body.lines() {
        let line = format!("    {}", printable(line));
        writeln!(page, "{}", line.trim_end())?;
    }
    Ok(())
}

/// The beginning of a commit's id: enough for git.
pub(super) fn short(commit: &str) -> &str {
    &commit[..12.min(commit.len())]
}

fn at(time: &Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A name and its address.
pub(super) fn person(person: &Person) -> String {
    printable(&format!("{} <{}>", person.name, person.email))
}
