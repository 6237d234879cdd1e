//! Paths of files within an artifact.
//!
//! A path comes from a stranger's manifest as often as from a folder of our own, and it decides
//! where bytes are written. So a [`FilePath`] names one and the same place below the folder
//! on every system, or it isn't made: it never climbs, and no file system reads another name
//! into it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::codes;
use crate::record::{Code, Fault};

/// The longest path in bytes: a quarter of what Linux and a whole of what macOS can open, so that
/// there is room for the folder above it.
pub const MAX_PATH_BYTES: usize = 1024;

/// The longest name between two slashes in bytes: what ext4, APFS and NTFS agree on.
pub const MAX_PART_BYTES: usize = 255;

/// The path of a file below its artifact's folder: `/` between its parts, UTF-8, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FilePath(String);

/// Why a text is no path of an artifact's file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the path `{}` can't be in an artifact: {reason}", shortened(path))]
pub struct PathError {
    /// The text as it was given.
    pub path: String,
    /// Which rule it breaks.
    pub reason: &'static str,
}

impl Fault for PathError {
    fn code(&self) -> &'static Code {
        &codes::UNSAFE_PATH
    }

    fn help(&self) -> Option<String> {
        Some(
            "rename the file, leave it out with `.modelyardignore`, or, if the artifact came \
             from somebody else, don't use it"
                .to_owned(),
        )
    }
}

/// `text` without control characters and without its middle, where it is very long.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 200;
    let mut shown: String = text
        .chars()
        .take(SHOWN)
        .flat_map(|c| {
            let escape = c.is_control() || is_invisible(c);
            let escaped = escape.then(|| c.escape_unicode());
            let plain = (!escape).then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

impl FilePath {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its parts, the file's name last.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// What stands behind the last slash.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The folders above it, as texts, the outermost first.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(at, _)| &self.0[..at])
    }

    /// The place of this path below `folder`.
    pub fn below(&self, folder: &Path) -> PathBuf {
        let mut place = folder.to_owned();
        place.extend(self.parts());
        place
    }

    /// What every path that some file system takes for this one has in common: case and Unicode
    /// normalisation folded away (APFS folds both, NTFS case).
    pub fn folded(&self) -> String {
        fold(&self.0)
    }
}

/// `text` with case and normalisation folded away.
///
/// Upper case first, so that what has no lower case of its own (`ß`, `SS`, `ss`) meets.
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let upper = text.nfd().flat_map(char::to_uppercase);
    let lower: String = upper.flat_map(char::to_lowercase).collect();
    lower.nfd().collect()
}

/// The rule that `path` breaks, if it breaks one.
fn broken_rule(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("it is empty");
    }
    if path.len() > MAX_PATH_BYTES {
        return Some("it is longer than 1024 bytes");
    }
    if path.starts_with('/') {
        return Some("it is absolute");
    }
    path.split('/').find_map(broken_rule_of_part)
}

fn broken_rule_of_part(part: &str) -> Option<&'static str> {
    match part {
        "" => return Some("it has an empty part: two slashes, or one at the end"),
        "." => return Some("it has a `.` for a part"),
        ".." => return Some("it climbs out of the folder"),
        _ => {}
    }
    if part.len() > MAX_PART_BYTES {
        return Some("it has a name longer than 255 bytes");
    }
    for c in part.chars() {
        if c.is_control() {
            return Some("it has a control character in it");
        }
        if is_invisible(c) {
            return Some("it has an invisible or direction-changing character in it");
        }
        if c == '\\' {
            return Some("it has a backslash in it, which Windows takes for a slash");
        }
        if c == ':' {
            return Some("it has a `:` in it, which Windows takes for a drive or a stream");
        }
    }
    if part.ends_with(['.', ' ']) {
        return Some("a name in it ends with a dot or a space, which Windows drops");
    }
    if is_device(part) {
        return Some("it has the name of a Windows device in it");
    }
    if matches!(fold(part).as_str(), ".git" | "git~1") {
        return Some("it would write into a git repository's own folder");
    }
    None
}

/// Characters that nobody sees, or that turn the text around them: a name with one is shown as
/// another name. HFS+ drops some of them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Whether Windows opens a device instead of a file, whatever the extension
/// (Win32, "Naming Files, Paths, and Namespaces").
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end();
    let stem = stem.to_ascii_uppercase();
    if matches!(
        stem.as_str(),
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$"
    ) {
        return true;
    }
    let number = stem
        .strip_prefix("COM")
        .or_else(|| stem.strip_prefix("LPT"));
    number.is_some_and(|rest| {
        let mut digits = rest.chars();
        let numbered = matches!(digits.next(), Some('0'..='9' | '¹' | '²' | '³'));
        numbered && digits.next().is_none()
    })
}

impl FromStr for FilePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        match broken_rule(text) {
            None => Ok(Self(text.to_owned())),
            Some(reason) => Err(PathError {
                path: text.to_owned(),
                reason,
            }),
        }
    }
}

impl TryFrom<String> for FilePath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        text.parse()
    }
}

impl From<FilePath> for String {
    fn from(path: FilePath) -> Self {
        path.0
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_of_any_language_pass() {
        for good in [
            "model.onnx",
            "a/b/c.txt",
            "Größe/重み.bin",
            ".hidden/file",
            "with space.txt",
            "company.txt",
            "com/lpt/console.py",
            "nul-hypothesis.csv",
            "..a/b..c",
        ] {
            assert_eq!(good.parse::<FilePath>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn whatever_could_mean_another_place_is_refused() {
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a/..",
            "./a",
            "a//b",
            "a/",
            "a\\..\\b",
            "C:evil",
            "file.txt:stream",
            "a\nb",
            "a\u{1b}[2J",
            "a\u{0}b",
            "\u{202e}gnp.exe",
            "zero\u{200b}width",
            "CON",
            "nul.txt",
            "data/Com1.csv",
            "lpt³",
            "trailing.",
            "trailing ",
            "a./b",
            ".git/hooks/post-checkout",
            "sub/.GIT/config",
            "GIT~1/config",
        ] {
            assert!(bad.parse::<FilePath>().is_err(), "{bad:?} was taken");
        }
        assert!("a/".repeat(600).parse::<FilePath>().is_err());
        assert!("a".repeat(256).parse::<FilePath>().is_err());
    }

    #[test]
    fn an_error_shows_no_control_character_and_no_endless_name() {
        let error = "a\u{1b}[31m\u{202e}".parse::<FilePath>().unwrap_err();
        assert!(!error.to_string().contains(['\u{1b}', '\u{202e}']));
        let error = "x".repeat(100_000).parse::<FilePath>().unwrap_err();
        assert!(error.to_string().len() < 500);
    }

    #[test]
    fn names_that_a_file_system_takes_for_one_fold_alike() {
        let folded = |text: &str| text.parse::<FilePath>().unwrap().folded();
        for (one, other) in [
            ("Model.onnx", "model.ONNX"),
            ("caf\u{e9}", "cafe\u{301}"),
            ("CAFÉ", "cafe\u{301}"),
            ("straße", "STRASSE"),
            ("ΣΑΣ", "σας"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} and {other}");
        }
        assert_ne!(folded("model1"), folded("model2"));
    }

    #[test]
    fn the_place_is_below_the_folder() {
        let path: FilePath = "a/b.txt".parse().unwrap();
        assert_eq!(path.below(Path::new("/x")), Path::new("/x/a/b.txt"));
        assert_eq!(path.folders().collect::<Vec<_>>(), ["a"]);
        assert_eq!(path.file_name(), "b.txt");
    }
}
