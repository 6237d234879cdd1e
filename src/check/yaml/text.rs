//! From a file's bytes to the text that is parsed.

use super::position::BOM;
use super::{MAX_RECORD_BYTES, Problem, Span};
use crate::check::codes;

/// The text without its BOM, if it is one that a person may have written.
pub(super) fn readable(source: &[u8]) -> Result<&str, Problem> {
    if source.len() > MAX_RECORD_BYTES {
        return Err(too_large(source.len() as u64));
    }
    decoded(source)
}

/// The same, however long it is.
pub(super) fn decoded(source: &[u8]) -> Result<&str, Problem> {
    let problem =
        |code, at, message: String, help| Problem::new(code, Span::new(at, at + 1), message, help);
    let body = source.strip_prefix(BOM).unwrap_or(source);
    let skipped = source.len() - body.len();
    let text = std::str::from_utf8(body).map_err(|error| {
        let at = skipped + error.valid_up_to();
        let message = format!("the byte 0x{:02x} is not UTF-8", source[at]);
        problem(&codes::NOT_UTF8, at, message, "save the file as UTF-8")
    })?;
    let control = |byte: &u8| matches!(byte, 0..=8 | 11 | 12 | 14..=31 | 127);
    if let Some(at) = body.iter().position(control) {
        let message = format!("the control character 0x{:02x} is in the file", body[at]);
        let help = "delete it: a text needs no more of them than line breaks and tabs";
        let code = &codes::CONTROL_CHARACTER;
        return Err(problem(code, skipped + at, message, help));
    }
    Ok(text)
}

/// What is said of a record of `size_bytes` instead of reading it.
pub(crate) fn too_large(size_bytes: u64) -> Problem {
    let message =
        format!("the file has {size_bytes} bytes, more than the {MAX_RECORD_BYTES} of a record");
    let help = "keep data in the artifact, or in a file that the record links to";
    Problem::new(&codes::RECORD_TOO_LARGE, Span::new(0, 0), message, help)
}
