//! Markdown: the comment on a pull request and the summary of a job.
//!
//! First whether it may be merged, and what stands against it; then what the merge would do. What is
//! no error can be folded away. What comes from records stands in code blocks and spans alone, so
//! that it names nobody, links nowhere and draws nothing. The first line is how the comment is found
//! again to be edited in place.

use std::fmt::Write;

use super::{counted, summary};
use crate::check::{Diagnostic, Report, Severity};
use crate::cli::{Page, diagnostics};
use crate::forge::Marker;
use crate::forge::markdown::{code, longest_ticks};
use crate::ops::assess::Assessed;
use crate::ops::check_change::Checked;
use crate::ops::plan_change;
use crate::platform::redact::visible;

/// How long it gets: a comment holds 65,536 characters on GitHub, and something may stand around it.
const MOST_BYTES: usize = 60_000;

/// How many bytes are shown of the places of one diagnostic.
const MOST_BYTES_OF_ONE: usize = 4_000;

/// How many characters are shown of a message, or of what to do about it.
const MOST_CHARACTERS: usize = 1_000;

/// How many errors are told before the rest is folded away.
const MOST_OPEN: usize = 5;

/// What the comment is known again by.
pub(in crate::cli) fn marker() -> Marker {
    Marker::new("check".parse().expect("it is a name"))
}

pub(super) fn write(checked: &Checked) -> String {
    let mut text = head(&checked.report);
    if let Some(base) = checked.base {
        let head = checked.head.map(|head| head.to_string());
        let head = head.as_deref().map_or("the work tree", |head| &head[..12]);
        // Writing to a String can't fail.
        let _ = write!(text, "\n`{head}` against `{}`\n", &base.to_string()[..12]);
    }
    text.push_str(&found(&checked.report, MOST_BYTES - text.len()));
    marker().on(&text)
}

/// Check and plan as one text.
pub(in crate::cli) fn with_plan(assessed: &Assessed) -> String {
    let report = &assessed.checked.report;
    let mut text = head(report);
    text.push_str(&found(report, MOST_BYTES / 2));
    match &assessed.planned {
        Ok(planned) => {
            let plan = plan_change::body(planned, MOST_BYTES.saturating_sub(text.len()));
            let _ = write!(text, "\n{plan}");
        }
        // Of no change there is no plan.
        Err(_) if assessed.checked.base.is_none() => {}
        Err(why) => {
            let why = code(why, MOST_CHARACTERS);
            let _ = write!(text, "\n### What a merge would do can't be told\n\n{why}\n");
        }
    }
    text
}

/// Whether it may be merged.
fn head(report: &Report) -> String {
    let count = |severity| report.count(severity);
    let warnings = counted(count(Severity::Warning), "warning");
    let verdict = match (count(Severity::Error), count(Severity::Warning)) {
        (0, 0) => "✅ The check passes".to_owned(),
        (0, _) => format!("⚠️ The check passes, with {warnings}"),
        (errors, _) => format!("❌ Not to be merged: {}", counted(errors, "error")),
    };
    format!("### {verdict}\n\n{}\n", summary(report))
}

/// What was found, in about `most` bytes: the first errors openly, all else to be unfolded.
fn found(report: &Report, most: usize) -> String {
    let mut text = String::new();
    let of = |severity| {
        let all = report.diagnostics.iter();
        all.filter(move |one| one.severity == severity)
    };
    let mut shown = 0;
    for block in of(Severity::Error).take(MOST_OPEN).map(block) {
        if text.len() + block.len() > most {
            break;
        }
        text.push_str(&block);
        shown += 1;
    }
    let folded = [
        ("more error", "", Severity::Error, shown),
        ("warning", ": likely not meant", Severity::Warning, 0),
        ("note", ": worth knowing", Severity::Note, 0),
    ];
    for (word, meaning, severity, skipped) in folded {
        let all: Vec<&Diagnostic> = of(severity).skip(skipped).collect();
        if all.is_empty() {
            continue;
        }
        // Where there are errors, they are what is to be looked at.
        let open = match (report.passes(), severity) {
            (true, Severity::Warning) => " open",
            _ => "",
        };
        let title = counted(all.len(), word);
        let _ = write!(
            text,
            "\n<details{open}><summary>{title}{meaning}</summary>\n"
        );
        for (index, diagnostic) in all.iter().enumerate() {
            let block = block(diagnostic);
            if text.len() + block.len() > most {
                let more = all.len() - index;
                let _ = write!(text, "\n**{more} more** are in the log of the check.\n");
                break;
            }
            text.push_str(&block);
        }
        text.push_str("\n</details>\n");
    }
    if !report.diagnostics.is_empty() {
        text.push_str("\n`modelyard explain CODE` tells the story of a code.\n");
    }
    text
}

/// One diagnostic: what it is in our words, its message, its places as a compiler shows them, and
/// what to do about it.
fn block(diagnostic: &Diagnostic) -> String {
    let mut page = Page::default();
    // Writing to a String can't fail.
    let _ = diagnostics::places(&mut page, diagnostic);
    let mut shown = anstream::adapter::strip_str(&page.into_text()).to_string();
    if shown.len() > MOST_BYTES_OF_ONE {
        shown.truncate(shown.floor_char_boundary(MOST_BYTES_OF_ONE));
        shown.push_str("…\n");
    }
    let fence = "`".repeat(longest_ticks(&shown).max(2) + 1);
    let (title, id) = (diagnostic.code.title(), diagnostic.code.id);
    let mut text = format!("\n**{title}** (`{id}`)\n\n{}\n", said(&diagnostic.message));
    let _ = write!(text, "\n{fence}text\n{shown}{fence}\n");
    if let Some(help) = &diagnostic.help {
        let _ = write!(text, "\nWhat to do: {}\n", said(help));
    }
    text
}

/// A message or a help, in a line.
fn said(text: &str) -> String {
    code(&visible(text), MOST_CHARACTERS)
}
