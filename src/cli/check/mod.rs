//! `modelyard check`: what is wrong with a yard's records.

pub(in crate::cli) mod github;
mod gitlab;
mod junit;
pub(in crate::cli) mod markdown;
pub(in crate::cli) mod sarif;

use std::collections::HashMap;
use std::fmt::{self, Write};

use anstream::adapter::strip_str;
use anstyle::{AnsiColor, Style};
use serde::{Serialize, Serializer, ser::SerializeStruct};

use sha2::{Digest as _, Sha256};

use super::stores::StoreArguments;
use super::{Context, Format, Outcome, Page, Report, diagnostics};
use crate::check::{self, Diagnostic, Severity};
use crate::ops::check_change::{Checked, Wish, check_change};
use crate::record::{Digest, Failure};
use crate::yard::Revision;

/// Find everything that is wrong with the yard's records
///
/// Reads the records of the work tree, or at a revision, and tells all problems in one run, each
/// with its place, its code and what to do. With `--base` it also holds the change to what is
/// merged: a merged version does not change, and a version's life goes by its stages. Then only
/// what changed is checked, and what that can affect elsewhere; what was wrong before and is not
/// touched is told without `--base`, or with `--all`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  modelyard check                         the work tree, as it lies
  modelyard check --base main             as a change of main: what it affects
  modelyard check --base main --all       as a change of main: everything
  modelyard check --at HEAD --base origin/main --evidence
                                          what a pull request's pipeline runs
  modelyard check --at HEAD --base origin/main --output github
                                          annotations in a GitHub workflow
  modelyard explain digest-changed        the story of a code

For pipelines, --output can also be: github (workflow commands), sarif (code scanning), gitlab (code
quality), markdown (a comment or a job's summary), junit (test reports).

Exit codes: 0 nothing stands against a merge, 1 problems were found, 2 it could not be checked.")]
pub(super) struct Arguments {
    /// Compare with where this left REV: what may change of what is merged
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// With `--base`, check everything, and not only what the change affects
    #[arg(long, requires = "base")]
    all: bool,
    /// Check the yard at REV in place of the work tree
    #[arg(long, value_name = "REV")]
    at: Option<String>,
    /// Who approved the change, as the forge calls them, for the gates of policies; may be given
    /// several times
    #[arg(long = "approved-by", value_name = "NAME")]
    approvals: Vec<String>,
    /// Ask the stores for the bytes, and verify signatures by the base's trust policy
    #[arg(long)]
    evidence: bool,
    #[command(flatten)]
    stores: StoreArguments,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let yard = context.yard()?;
        let wish = Wish {
            head: self.at.map_or_else(|| yard.at_hand(), Revision::Commit),
            base: self.base,
            all: self.all,
            evidence: self.evidence,
            approvals: (!self.approvals.is_empty()).then_some(self.approvals),
            program: context.program()?,
        };
        let options = self.stores.options(context);
        let checked = check_change(&yard, &wish, &options, context.clock.now()).await?;
        match context.format {
            Format::Text | Format::Json | Format::Yaml | Format::Name => {
                context.print(&Printed(&checked))?;
            }
            Format::Github => context.print_text(&github::write(&checked))?,
            Format::Sarif => context.print_text(&sarif::write(&checked))?,
            Format::Gitlab => context.print_text(&gitlab::write(&checked))?,
            Format::Markdown => context.print_text(&markdown::write(&checked))?,
            Format::Junit => context.print_text(&junit::write(&checked))?,
        }
        checked.complete()?;
        Ok(if checked.report.passes() {
            Outcome::Done
        } else {
            Outcome::Problems
        })
    }
}

/// A check's result, as it is printed.
pub(in crate::cli) struct Printed<'a>(pub(in crate::cli) &'a Checked);

impl Serialize for Printed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Checked { report, head, base } = self.0;
        let mut fields = serializer.serialize_struct("Check", 8)?;
        fields.serialize_field("head", &head.map(|commit| commit.to_string()))?;
        fields.serialize_field("base", &base.map(|commit| commit.to_string()))?;
        let scope = if report.of_change { "change" } else { "all" };
        fields.serialize_field("scope", scope)?;
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
        writeln!(page, "{}", counts(report))
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

/// What a diagnostic is called by how much it weighs, and its colour.
const KINDS: [(Severity, &str, AnsiColor); 3] = [
    (Severity::Error, "error", AnsiColor::Red),
    (Severity::Warning, "warning", AnsiColor::Yellow),
    (Severity::Note, "note", AnsiColor::Cyan),
];

/// All of it in a line, coloured.
fn counts(report: &check::Report) -> String {
    let mut parts = Vec::new();
    for (severity, word, color) in KINDS {
        let count = report.count(severity);
        if count > 0 {
            let style = Style::new().bold().fg_color(Some(color.into()));
            parts.push(format!("{style}{}{style:#}", counted(count, word)));
        }
    }
    let mut records = counted(report.records, "record");
    if report.of_change {
        records += " affected by the change";
    }
    match parts.is_empty() {
        true => format!("{records}: all is well"),
        false => format!("{records}: {}", parts.join(", ")),
    }
}

/// The same, without colours.
pub(in crate::cli) fn summary(report: &check::Report) -> String {
    strip_str(&counts(report)).to_string()
}

/// What tells each diagnostic from all others, and stays when it only moves within its file.
fn fingerprints(diagnostics: &[Diagnostic]) -> Vec<String> {
    let mut times: HashMap<String, u64> = HashMap::new();
    let print = |diagnostic: &Diagnostic| {
        let (code, path, message) = (diagnostic.code, &diagnostic.path, &diagnostic.message);
        let same = format!("{code}\0{path}\0{message}");
        let time = times.entry(same.clone()).or_default();
        *time += 1;
        Digest::from_bytes(Sha256::digest(format!("{same}\0{time}")).into()).hex()
    };
    diagnostics.iter().map(print).collect()
}

fn counted(count: usize, word: &str) -> String {
    match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    }
}
