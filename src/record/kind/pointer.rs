//! JSON pointers: places in an answer.

use super::grammar::text_type;

/// The longest pointer.
const MAX_LENGTH: usize = 1024;

text_type! {
    /// A place in a JSON document (RFC 6901): each part behind a `/`, with `~1` for `/` and `~0`
    /// for `~` in it; the empty one is the whole document.
    JsonPointer, "a JSON pointer", as in "/data/error_rate", broken_rule
}

fn broken_rule(text: &str) -> Option<&'static str> {
    if text.len() > MAX_LENGTH {
        return Some("it is longer than 1024 bytes");
    }
    if text.chars().any(char::is_control) {
        return Some("a control character is in it");
    }
    if !text.is_empty() && !text.starts_with('/') {
        return Some("it has to begin with `/`");
    }
    let mut after_tildes = text.split('~').skip(1);
    if after_tildes.any(|rest| !rest.starts_with(['0', '1'])) {
        return Some("`~` is written `~0`, and `/` in a part `~1`");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_one_by_rfc_6901() {
        // The examples of its section 5, and what they leave out.
        for good in [
            "", "/", "/foo", "/foo/0", "/a~1b", "/c%d", "/e^f", "/g|h", "/i\\j", "/k\"l", "/ ",
            "/m~0n", "//", "/é", "/~01",
        ] {
            let pointer: JsonPointer = good.parse().unwrap();
            assert_eq!(pointer.as_str(), good);
        }
        let long = format!("/{}", "a".repeat(1024));
        for bad in ["foo", "#/foo", "$.foo", "/~", "/~2", "/a~", "/a\n", &long] {
            assert!(bad.parse::<JsonPointer>().is_err(), "{bad:?} was taken");
        }
    }
}
