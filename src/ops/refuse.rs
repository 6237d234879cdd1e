//! What a check would refuse is refused before it is proposed.

use std::collections::BTreeSet;

use super::affected::Read;
use super::codes;
use crate::check::gates::Gates;
use crate::check::{Diagnostic, Severity};
use crate::record::{Code, Failure, Fault};
use crate::yard::{Change, YardError};

/// A change that a check would refuse, with what it would say.
#[derive(Debug, thiserror::Error)]
#[error("the change would not pass a check: {}", summary(diagnostics))]
pub struct CheckRefused {
    /// The errors, in the order of the files.
    pub diagnostics: Vec<Diagnostic>,
}

/// Makes sure that `change` passes a check against the main branch that it began from, so that
/// what a pull request's pipeline would refuse is told at once. Stores and signatures are not
/// asked, and gates of policies are left to that pipeline; where there is none, as the change goes
/// to main itself, a gate that is for it does not hold.
///
/// Errors that main has already don't count: they are not the change's doing. What the change
/// breaks elsewhere does, such as a deployment whose version it retires.
///
/// # Errors
/// [`CheckRefused`], or that git can't be read.
pub fn refuse_errors(change: &Change) -> Result<(), Failure> {
    let (base, head) = (change.base()?, change.snapshot());
    let gates = match change.is_direct() {
        true => Gates::Unasked,
        false => Gates::Later,
    };
    let mut diagnostics = errors(Read::affected(&head, &base)?, gates)?;
    if diagnostics.is_empty() {
        return Ok(());
    }
    let known = errors(Read::all(&base, None)?, gates)?;
    let known: BTreeSet<_> = known.iter().map(identity).collect();
    diagnostics.retain(|diagnostic| !known.contains(&identity(diagnostic)));
    if diagnostics.is_empty() {
        return Ok(());
    }
    Err(CheckRefused { diagnostics }.into())
}

fn errors(read: Read, gates: Gates<'_>) -> Result<Vec<Diagnostic>, YardError> {
    let mut diagnostics = read.into(|reading| reading.report(None, gates).diagnostics)?;
    diagnostics.retain(|diagnostic| diagnostic.severity == Severity::Error);
    Ok(diagnostics)
}

/// What makes two diagnostics the same, wherever in the file they have moved to.
fn identity(diagnostic: &Diagnostic) -> (&str, &str, &str) {
    (diagnostic.code.id, &diagnostic.path, &diagnostic.message)
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
