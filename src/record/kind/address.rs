//! Addresses: of pages, repositories and data; never with a secret in them.

use url::Url;

use super::grammar::text_type;

/// The longest address: what browsers and proxies commonly take.
const MAX_LENGTH: usize = 2048;

text_type! {
    /// The address of a page or a service: `https://…` or `http://…`, with no user or password.
    ///
    /// Only these two schemes, because such an address becomes a link that people follow.
    WebUrl, "a web address", as in "https://example.com/report", broken_web_rule
}

text_type! {
    /// The address of data or of a repository: any absolute URL, or git's short form
    /// `git@git.example.com:team/project.git`. It has no password.
    Address, "an address", as in "https://git.example.com/acme/train.git", broken_rule
}

/// What holds for every address.
fn broken_text(text: &str) -> Option<&'static str> {
    if text.len() > MAX_LENGTH {
        return Some("it is longer than 2048 characters");
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some("a space or a control character is in it");
    }
    None
}

fn broken_web_rule(text: &str) -> Option<&'static str> {
    if let Some(reason) = broken_text(text) {
        return Some(reason);
    }
    if !text.starts_with("https://") && !text.starts_with("http://") {
        return Some("it has to begin with `https://` or `http://`");
    }
    match Url::parse(text) {
        Ok(url) if url.username().is_empty() && url.password().is_none() => None,
        Ok(_) => Some("a user or a password is in it; refer to a secret instead"),
        Err(_) => Some("what follows the scheme is not a host and a path"),
    }
}

/// Whether `text` is git's short form, `user@host:path`.
fn is_short_git_form(text: &str) -> bool {
    let word = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    text.split_once('@')
        .and_then(|(user, rest)| Some((user, rest.split_once(':')?)))
        .is_some_and(|(user, (host, path))| {
            word(user) && word(host) && !path.is_empty() && !path.starts_with("//")
        })
}

fn broken_rule(text: &str) -> Option<&'static str> {
    if let Some(reason) = broken_text(text) {
        return Some(reason);
    }
    if is_short_git_form(text) {
        return None;
    }
    if !text.contains("://") {
        return Some("it has to begin with a scheme, as `https://` or `s3://` do");
    }
    match Url::parse(text) {
        Ok(url) if url.password().is_some() => {
            Some("a password is in it; refer to a secret instead")
        }
        Ok(url) if matches!(url.scheme(), "http" | "https") && !url.username().is_empty() => {
            Some("a user or a token is in it; refer to a secret instead")
        }
        Ok(_) => None,
        Err(_) => Some("what follows the scheme is not a host and a path"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_address_is_safe_to_follow() {
        for good in ["https://example.com", "http://127.0.0.1:5000/a?b=c#d"] {
            assert_eq!(good.parse::<WebUrl>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "example.com",
            "javascript:alert(1)",
            "https://",
            "ftp://example.com",
            "https://user:secret@example.com",
            "https://token@example.com",
            "https://example.com/a b",
            "https://example.com/\u{1b}",
        ] {
            assert!(bad.parse::<WebUrl>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn an_address_holds_no_secret() {
        for good in [
            "https://git.example.com/acme/train.git",
            "ssh://git@git.example.com/acme/train.git",
            "git@git.example.com:acme/train.git",
            "s3://bucket/line3",
            "file:///data/line3",
        ] {
            assert!(good.parse::<Address>().is_ok(), "{good:?} was refused");
        }
        for bad in [
            "",
            "data/line3",
            "https://user:secret@example.com/a",
            "https://token@example.com/a",
            "ssh://git:secret@example.com/a",
            "git@:a",
            "a b://c",
        ] {
            assert!(bad.parse::<Address>().is_err(), "{bad:?} was taken");
        }
    }
}
