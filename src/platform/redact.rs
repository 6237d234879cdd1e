//! Text for people, without what must not be seen.

use url::Url;

/// A URL without its user, password, query and fragment: all places where tokens travel.
pub fn url(url: &Url) -> String {
    let mut shown = url.clone();
    // Both fail only for URLs that can't have a user at all.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_query(None);
    shown.set_fragment(None);
    shown.to_string()
}

/// A git remote as text (`https://user:token@host/path`, `git@host:path`, a path) without its
/// credentials.
pub fn remote(text: &str) -> String {
    match Url::parse(text) {
        Ok(parsed) if parsed.has_host() => url(&parsed),
        _ => printable(text),
    }
}

/// `text` with every control character escaped, so that it can't move a terminal's cursor.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// `text` with everything escaped that a reader would not see, or that would show the text around
/// it in another order.
pub fn visible(text: &str) -> String {
    let show = |c: char| match is_hidden(c) {
        true => c.escape_unicode().collect(),
        false => c.to_string(),
    };
    text.chars().map(show).collect()
}

/// Whether a reader would not see `c`, or see the text around it in another order.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_never_shown() {
        for (text, shown) in [
            (
                "https://me:secret@git.example.com/yard.git",
                "https://git.example.com/yard.git",
            ),
            (
                "https://git.example.com/a?token=secret#x",
                "https://git.example.com/a",
            ),
            (
                "git@git.example.com:team/yard.git",
                "git@git.example.com:team/yard.git",
            ),
            ("/srv/yard.git", "/srv/yard.git"),
            ("/srv/\u{1b}[2Jyard", "/srv/\\u{1b}[2Jyard"),
        ] {
            assert_eq!(remote(text), shown);
        }
    }
}
