//! Paths in a yard: relative to its root, with `/`, the same on every system.

use super::error::YardError;

/// The longest path: what Linux takes.
const MAX_PATH_BYTES: usize = 4096;

/// Where records, and what belongs to them, lie: these folders at the root, and
/// [`super::YARD_FILE`].
pub(super) const FOLDERS: [&str; 5] = ["deployments", "environments", "keys", "models", "policies"];

/// Checks that `path` is one below the root that git could hold.
///
/// # Errors
/// [`YardError::BadPath`] for every path that climbs, is absolute, or is git's own.
pub(super) fn check(path: &str) -> Result<(), YardError> {
    let Some(reason) = broken_rule(path) else {
        return Ok(());
    };
    Err(YardError::BadPath {
        path: path.to_owned(),
        reason,
    })
}

fn broken_rule(path: &str) -> Option<&'static str> {
    if path.len() > MAX_PATH_BYTES {
        return Some("it is longer than 4096 bytes");
    }
    if path.chars().any(char::is_control) {
        return Some("it has a control character");
    }
    if path.contains('\\') {
        return Some("it has a backslash");
    }
    if path.starts_with('/') {
        return Some("it is absolute");
    }
    for part in path.split('/') {
        match part {
            "" => return Some("a part of it is empty"),
            "." | ".." => return Some("`.` and `..` may not be in it"),
            part if part.eq_ignore_ascii_case(".git") => return Some("`.git` is git's own"),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_below_the_root_are_taken() {
        for good in [
            "modelyard.yaml",
            "models/a/b/versions/1.0.0.yaml",
            "a/.gitkeep",
            "a..b",
        ] {
            assert!(check(good).is_ok(), "{good:?} was refused");
        }
        for bad in [
            "",
            "/a",
            "a//b",
            "a/",
            "./a",
            "../a",
            "a/../../b",
            "a/.git/config",
            ".GIT/hooks/x",
            "a\\b",
            "a\nb",
        ] {
            assert!(check(bad).is_err(), "{bad:?} was taken");
        }
        assert!(check(&"a".repeat(MAX_PATH_BYTES + 1)).is_err());
    }
}
