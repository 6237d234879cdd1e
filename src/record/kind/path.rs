//! Paths inside a yard, an artifact or a repository.

use super::grammar::text_type;

/// The longest path.
const MAX_LENGTH: usize = 1024;
/// The longest part of a path: what file systems commonly take.
const MAX_PART_LENGTH: usize = 255;

text_type! {
    /// A path that stays where it begins: relative, with `/` between its parts, and none of them
    /// `.` or `..`. A folder may end with `/`.
    RelativePath, "a relative path", as in "tests/clean.json", broken_rule
}

fn broken_rule(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty");
    }
    if text.len() > MAX_LENGTH {
        return Some("it is longer than 1024 bytes");
    }
    if text.starts_with('/') {
        return Some("it begins with `/`");
    }
    if text.contains('\\') {
        return Some("its parts have to be separated by `/`");
    }
    if text.chars().any(char::is_control) {
        return Some("a control character is in it");
    }
    if text.as_bytes().get(1) == Some(&b':') {
        return Some("it begins with a drive");
    }
    for part in text.strip_suffix('/').unwrap_or(text).split('/') {
        match part {
            "" => return Some("it has an empty part"),
            "." | ".." => return Some("it has `.` or `..` as a part"),
            part if part.len() > MAX_PART_LENGTH => {
                return Some("a part of it is longer than 255 bytes");
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_never_climbs_out() {
        for good in ["a", "tests/clean.json", "models/", "ä/…/b c", ".hidden"] {
            assert!(good.parse::<RelativePath>().is_ok(), "{good:?} was refused");
        }
        for bad in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../a",
            "a/../b",
            "a/..",
            "./a",
            "a//b",
            "a\\b",
            "C:/a",
            "c:a",
            "a\n",
            "a/./b",
        ] {
            assert!(bad.parse::<RelativePath>().is_err(), "{bad:?} was taken");
        }
    }
}
