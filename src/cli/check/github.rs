//! GitHub's workflow commands: an annotation at each place, in a log that reads like a terminal's.
//!
//! A step keeps ten annotations of a kind and drops the rest without a word, so the last one says
//! how many there are more; the log has them all. What comes from records is printed where the
//! runner takes no commands.
//!
//! Source: <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>.

use std::fmt::Write;

use sha2::{Digest as _, Sha256};

use super::{Printed, summary};
use crate::check::{Diagnostic, Severity};
use crate::cli::{Page, Report};
use crate::ops::check_change::Checked;
use crate::platform::redact::printable;
use crate::record::Digest;

/// How many annotations of a kind a step keeps.
const KEPT: usize = 10;

/// Writes the log of a step. The word that ends the part in which the runner takes no commands is
/// that part's own hash: no record can have it in it.
pub(super) fn write(checked: &Checked) -> String {
    let mut page = Page::default();
    // Writing to a String can't fail.
    let _ = Printed(checked).text(&mut page);
    let log = anstream::adapter::strip_str(&page.into_text()).to_string();
    let token = Digest::from_bytes(Sha256::digest(&log).into()).hex();
    let annotations = annotations(checked);
    let summary = summary(&checked.report);
    format!("::stop-commands::{token}\n{log}::{token}::\n{annotations}{summary}\n")
}

/// The annotations alone, for who keeps the log from taking commands.
pub(in crate::cli) fn annotations(checked: &Checked) -> String {
    let mut text = String::new();
    for (severity, kind) in [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Note, "notice"),
    ] {
        let all = checked.report.diagnostics.iter();
        let all: Vec<_> = all.filter(|one| one.severity == severity).collect();
        let shown = if all.len() > KEPT {
            KEPT - 1
        } else {
            all.len()
        };
        for diagnostic in &all[..shown] {
            annotation(kind, diagnostic, &mut text);
        }
        if shown < all.len() {
            let more = all.len() - shown;
            let _ = writeln!(
                text,
                "::{kind} title=modelyard::{more} more: see the log of this step"
            );
        }
    }
    text
}

fn annotation(kind: &str, diagnostic: &Diagnostic, text: &mut String) {
    let _ = write!(text, "::{kind} file={}", property(&diagnostic.path));
    if let Some(place) = &diagnostic.place {
        let (start, end) = (place.start, place.end);
        let _ = write!(text, ",line={}", start.line);
        // Columns count only within one line; the last one is meant, too.
        if end.line == start.line {
            let last = end.column.saturating_sub(1).max(start.column);
            let _ = write!(text, ",col={},endColumn={last}", start.column);
        } else {
            let _ = write!(text, ",endLine={}", end.line);
        }
    }
    let _ = write!(text, ",title={}::", property(diagnostic.code.id));
    let mut message = printable(&diagnostic.message);
    if let Some(help) = &diagnostic.help {
        let _ = write!(message, "\n{}", printable(help));
    }
    let _ = writeln!(text, "{}", data(&message));
}

/// A message as a command takes it.
pub(in crate::cli) fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a property, which ends at a comma or a colon.
pub(in crate::cli) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
