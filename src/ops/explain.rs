//! The story of each code.

use super::codes;
use crate::check::closest::closest;
use crate::record::{Code, Fault};
use crate::{
    artifact, check, forge, import, platform, protocol, record, rollout, target, trust, yard,
};

/// Every code of this room and of those below it, each room's in its own order.
fn rooms() -> [&'static [&'static Code]; 13] {
    [
        record::codes::CODES,
        platform::codes::CODES,
        check::codes::CODES,
        protocol::codes::CODES,
        rollout::codes::CODES,
        yard::codes::CODES,
        forge::codes::CODES,
        import::codes::CODES,
        artifact::codes::CODES,
        artifact::pack::codes::CODES,
        trust::codes::CODES,
        target::codes::CODES,
        codes::CODES,
    ]
}

/// A code that there is not.
#[derive(Debug, thiserror::Error)]
#[error("there is no code `{}`", id.escape_debug())]
pub struct UnknownCode {
    /// What was asked for.
    pub id: String,
    meant: Option<&'static str>,
}

impl Fault for UnknownCode {
    fn code(&self) -> &'static Code {
        &codes::UNKNOWN_CODE
    }

    fn help(&self) -> Option<String> {
        Some(match self.meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "`modelyard explain` lists them all".to_owned(),
        })
    }
}

/// Every code, those of the rooms `above` included, sorted by their ids.
pub fn all(above: &[&'static [&'static Code]]) -> Vec<&'static Code> {
    let mut codes: Vec<_> = rooms()
        .iter()
        .chain(above)
        .copied()
        .flatten()
        .copied()
        .collect();
    codes.sort_unstable_by_key(|code| code.id);
    codes
}

/// The code whose id is `id`, as it is written or as an error prints it (`error[id]`).
///
/// # Errors
/// [`UnknownCode`], with the closest one.
pub fn find(above: &[&'static [&'static Code]], id: &str) -> Result<&'static Code, UnknownCode> {
    let bare = id.trim().trim_end_matches(']');
    let bare = bare.rsplit('[').next().unwrap_or(bare).to_ascii_lowercase();
    let codes = all(above);
    if let Some(code) = codes.iter().find(|code| code.id == bare) {
        return Ok(code);
    }
    Err(UnknownCode {
        id: id.to_owned(),
        meant: closest(&bare, codes.iter().map(|code| code.id)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_as_errors_print_it_and_a_typo_finds_the_closest() {
        for text in [
            "unknown-field",
            "error[unknown-field]",
            "[unknown-field]",
            "Unknown-Field",
        ] {
            assert_eq!(find(&[], text).unwrap().id, "unknown-field");
        }
        let error = find(&[], "unknown-feild").unwrap_err();
        assert_eq!(error.help().unwrap(), "did you mean `unknown-field`?");
    }
}
