//! `modelyard check`: what is wrong with a yard's records.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::diagnostics;
use super::{Context, Outcome, Page, Report};
use crate::artifact::StoreOptions;
use crate::check::Severity;
use crate::ops::check_change::{Checked, Wish, check_change};
use crate::record::Failure;
use crate::yard::Revision;

/// Find everything that is wrong with the yard's records
///
/// Reads the records of the work tree, or at a revision, and tells all problems in one run, each
/// with its place, its code and what to do. With `--base` it also holds the change to what is
/// merged: a merged version does not change, and a version's life goes by its stages.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  modelyard check                         the work tree, as it lies
  modelyard check --base main             as a change of main
  modelyard check --at HEAD --base origin/main --evidence
                                          what a pull request's pipeline runs
  modelyard explain digest-changed        the story of a code

Exit codes: 0 nothing stands against a merge, 1 problems were found, 2 it could not be checked.")]
pub(super) struct Arguments {
    /// Compare with where this left REV: what may change of what is merged
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Check the yard at REV in place of the work tree
    #[arg(long, value_name = "REV")]
    at: Option<String>,
    /// Ask the stores for the bytes, and verify signatures by the base's trust policy
    #[arg(long)]
    evidence: bool,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let yard = context.yard()?;
        let wish = Wish {
            head: self.at.map_or_else(|| yard.at_hand(), Revision::Commit),
            base: self.base,
            evidence: self.evidence,
        };
        let options = StoreOptions::new(&context.places);
        let checked = check_change(&yard, &wish, &options, context.clock.now()).await?;
        context.print(&Printed(&checked))?;
        checked.complete()?;
        Ok(if checked.report.passes() {
            Outcome::Done
        } else {
            Outcome::Problems
        })
    }
}

struct Printed<'a>(&'a Checked);

impl Serialize for Printed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Checked { report, head, base } = self.0;
        let mut fields = serializer.serialize_struct("Check", 7)?;
        fields.serialize_field("head", &head.map(|commit| commit.to_string()))?;
        fields.serialize_field("base", &base.map(|commit| commit.to_string()))?;
        fields.serialize_field("records", &report.records)?;
        fields.serialize_field("errors", &report.count(Severity::Error))?;
        fields.serialize_field("warnings", &report.count(Severity::Warning))?;
        fields.serialize_field("notes", &report.count(Severity::Note))?;
        fields.serialize_field("diagnostics", &report.diagnostics)?;
        fields.end()
    }
}

impl Report for Printed<'_> {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let report = &self.0.report;
        for diagnostic in &report.diagnostics {
            diagnostics::write(page, diagnostic)?;
            writeln!(page)?;
        }
        let records = counted(report.records, "record");
        let kinds = [
            (Severity::Error, "error", AnsiColor::Red),
            (Severity::Warning, "warning", AnsiColor::Yellow),
            (Severity::Note, "note", AnsiColor::Cyan),
        ];
        let mut parts = Vec::new();
        for (severity, word, color) in kinds {
            let count = report.count(severity);
            if count > 0 {
                let style = Style::new().bold().fg_color(Some(color.into()));
                parts.push(format!("{style}{}{style:#}", counted(count, word)));
            }
        }
        match parts.len() {
            0 => writeln!(page, "{records}: all is well"),
            _ => writeln!(page, "{records}: {}", parts.join(", ")),
        }
    }

    fn names(&self) -> Vec<String> {
        let mut paths: Vec<String> = Vec::new();
        for diagnostic in &self.0.report.diagnostics {
            if paths.last() != Some(&diagnostic.path) {
                paths.push(diagnostic.path.clone());
            }
        }
        paths
    }
}

fn counted(count: usize, word: &str) -> String {
    match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    }
}
