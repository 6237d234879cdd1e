//! Markdown: the comment on a pull request and the summary of a job.
//!
//! What comes from records stands in code blocks alone, so that it names nobody, links nowhere and
//! draws nothing. The first line is how the comment is found again to be edited in place.

use std::fmt::Write;

use super::summary;
use crate::check::{Diagnostic, Report, Severity};
use crate::cli::{Page, diagnostics};
use crate::forge::Marker;
use crate::ops::assess::Assessed;
use crate::ops::check_change::Checked;
use crate::ops::plan_change;

/// How long it gets: a comment holds 65,536 characters on GitHub, and something may stand around it.
const MOST_BYTES: usize = 60_000;

/// How many bytes are shown of one diagnostic.
const MOST_BYTES_OF_ONE: usize = 4_000;

/// What the comment is known again by.
pub(in crate::cli) fn marker() -> Marker {
    Marker::new("check".parse().expect("it is a name"))
}

pub(super) fn write(checked: &Checked) -> String {
    marker().on(&body(checked, MOST_BYTES))
}

/// Check and plan as one text: what the merge would do first, unless something stands against it.
pub(in crate::cli) fn with_plan(assessed: &Assessed) -> String {
    let checks = body(&assessed.checked, MOST_BYTES / 2);
    let Ok(planned) = &assessed.planned else {
        return checks;
    };
    let plan = plan_change::body(planned, MOST_BYTES - checks.len());
    match assessed.checked.report.passes() {
        true => format!("{plan}\n{checks}"),
        false => format!("{checks}\n{plan}"),
    }
}

/// The text below the first line, in about `most` bytes.
pub(in crate::cli) fn body(checked: &Checked, most: usize) -> String {
    let report = &checked.report;
    let mut text = format!("### {} {}\n", sign(report), summary(report));
    if let Some(base) = checked.base {
        let head = checked.head.map(|head| head.to_string());
        let head = head.as_deref().map_or("the work tree", |head| &head[..12]);
        let _ = write!(text, "\n`{head}` against `{}`\n", &base.to_string()[..12]);
    }
    let mut all: Vec<&Diagnostic> = report.diagnostics.iter().collect();
    // What stands against the merge comes first.
    all.sort_by_key(|diagnostic| diagnostic.severity);
    let mut severity = None;
    for (index, diagnostic) in all.iter().enumerate() {
        let block = block(diagnostic);
        if text.len() + block.len() > most {
            let more = all.len() - index;
            let _ = write!(text, "\n**{more} more** are in the log of the check.\n");
            break;
        }
        if severity.replace(diagnostic.severity) != Some(diagnostic.severity) {
            let _ = write!(text, "\n#### {}\n", title(diagnostic.severity));
        }
        text.push_str(&block);
    }
    if !all.is_empty() {
        text.push_str("\n`modelyard explain CODE` tells the story of a code.\n");
    }
    text
}

fn sign(report: &Report) -> &'static str {
    match report.passes() {
        false => "❌",
        true if report.count(Severity::Warning) > 0 => "⚠️",
        true => "✅",
    }
}

const fn title(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "To be mended before a merge",
        Severity::Warning => "Likely not meant",
        Severity::Note => "Worth knowing",
    }
}

/// One diagnostic as a compiler tells it, in a fence longer than any within.
fn block(diagnostic: &Diagnostic) -> String {
    let mut page = Page::default();
    // Writing to a String can't fail.
    let _ = diagnostics::write(&mut page, diagnostic);
    let mut shown = anstream::adapter::strip_str(&page.into_text()).to_string();
    if shown.len() > MOST_BYTES_OF_ONE {
        shown.truncate(shown.floor_char_boundary(MOST_BYTES_OF_ONE));
        shown.push_str("…\n");
    }
    let longest = shown
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("\n{fence}text\n{shown}{fence}\n")
}
