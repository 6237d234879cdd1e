//! Files that lie where records do and are none.

use crate::check::codes;
use crate::check::diagnostic::{Diagnostic, Severity};
use crate::check::layout::Use;

/// What is to be said of a file by its path alone.
pub(in crate::check) fn tell(path: &str, used: &Use) -> Option<Diagnostic> {
    match used {
        Use::Record(_) | Use::Free => None,
        Use::NoRecord { reason, help } => {
            let message = format!("this file counts for nothing: {reason}");
            Some(Diagnostic::error(&codes::UNEXPECTED_FILE, path, message).help(help))
        }
        Use::Stray => {
            let message = "this file lies where only records do";
            let diagnostic = Diagnostic::error(&codes::UNEXPECTED_FILE, path, message);
            let help = "move it elsewhere; models' files belong into the artifact";
            Some(diagnostic.weighing(Severity::Warning).help(help))
        }
    }
}
