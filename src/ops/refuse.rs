//! What a check would refuse is refused before it is proposed.

use super::cores::Cores;
use super::{codes, files};
use crate::check::{Diagnostic, Reading, Severity};
use crate::record::{Code, Failure, Fault};
use crate::yard::Change;

/// A change that a check would refuse, with what it would say.
#[derive(Debug, thiserror::Error)]
#[error("the change would not pass a check: {}", summary(diagnostics))]
pub struct CheckRefused {
    /// The errors, in the order of the files.
    pub diagnostics: Vec<Diagnostic>,
}

/// Makes sure that `change` passes a check against the main branch that it began from.
///
/// Errors that main has already, in files that the change leaves alone, don't count here.
///
/// # Errors
/// [`CheckRefused`], or that git can't be read.
pub fn refuse_errors(change: &Change) -> Result<(), Failure> {
    let base = files(&change.base()?)?;
    let head = files(&change.snapshot())?;
    let changed: Vec<_> = change.paths().collect();
    let mut diagnostics = Reading::new(head, Some(base), &Cores)
        .report(None)
        .diagnostics;
    diagnostics.retain(|diagnostic| {
        let stands = diagnostic.severity == Severity::Error;
        stands && changed.contains(&diagnostic.path.as_str())
    });
    if diagnostics.is_empty() {
        return Ok(());
    }
    Err(CheckRefused { diagnostics }.into())
}

/// The first of them, and how many there are besides.
fn summary(diagnostics: &[Diagnostic]) -> String {
    let Some(first) = diagnostics.first() else {
        return String::new();
    };
    let place = match &first.place {
        Some(place) => format!("{}:{}:{}", first.path, place.start.line, place.start.column),
        None => first.path.clone(),
    };
    match diagnostics.len() - 1 {
        0 => format!("{place}: {}", first.message),
        more => format!("{place}: {} (and {more} more)", first.message),
    }
}

impl Fault for CheckRefused {
    fn code(&self) -> &'static Code {
        self.diagnostics
            .first()
            .map_or(&codes::CHECK_REFUSED, |first| first.code)
    }

    fn help(&self) -> Option<String> {
        self.diagnostics
            .first()
            .and_then(|first| first.help.clone())
    }
}
