//! Secrets written in plain.
//!
//! A record is read by everybody who reads the yard, for ever: a secret in it is given away. The
//! obvious shapes are told, and whatever is printed of a record has them masked.

use serde_json::Value;

use super::codes;
use super::diagnostic::{Diagnostic, Severity};
use super::document::Document;
use super::yaml::{Tree, escape};

/// What tokens begin with, and the fewest characters that then follow.
const TOKENS: [(&str, &str, usize); 22] = [
    ("ghp_", "a GitHub token", 30),
    ("gho_", "a GitHub token", 30),
    ("ghu_", "a GitHub token", 30),
    ("ghs_", "a GitHub token", 30),
    ("ghr_", "a GitHub token", 30),
    ("github_pat_", "a GitHub token", 30),
    ("glpat-", "a GitLab token", 20),
    ("gldt-", "a GitLab token", 20),
    ("hf_", "a Hugging Face token", 30),
    ("sk-", "an API key", 20),
    ("sk_live_", "an API key", 20),
    ("xoxb-", "a Slack token", 20),
    ("xoxp-", "a Slack token", 20),
    ("xoxa-", "a Slack token", 20),
    ("AKIA", "an AWS access key", 16),
    ("ASIA", "an AWS access key", 16),
    ("AIza", "a Google API key", 35),
    ("npm_", "an npm token", 30),
    ("pypi-", "a PyPI token", 40),
    ("dckr_pat_", "a Docker token", 20),
    ("eyJ", "a JSON Web Token", 60),
    ("-----BEGIN ", "a key", 10),
];

/// Fields whose value is a secret, whatever it looks like.
const FIELDS: [&str; 9] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "clientsecret",
    "secretkey",
    "apikey",
    "accesstoken",
    "privatekey",
];

/// A secret in a text.
struct Match {
    start: usize,
    end: usize,
    what: &'static str,
}

/// What the text of the field `name` looks like, if it looks like a secret.
pub fn looks_like_secret(name: &str, text: &str) -> Option<&'static str> {
    secret(&format!("/{}", escape(name)), text)
}

/// Every text of a record that looks like a secret.
pub(super) fn search(document: &Document, tree: &Tree) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    walk(tree.value(), &mut String::new(), &mut found);
    let tell = |(pointer, what): (String, &str)| {
        let message = format!("this looks like {what}, and everybody can read it");
        Diagnostic::error(&codes::PLAIN_SECRET, &document.path, message)
            .weighing(Severity::Warning)
            .at(document.place(tree.nearest_value(&pointer)))
            .help("revoke it, delete it here, and refer to a secret instead")
    };
    found.into_iter().map(tell).collect()
}

/// Goes through `value`, which stands at `pointer`; it is at most
/// [`MAX_DEPTH`](super::yaml::MAX_DEPTH) deep.
fn walk(value: &Value, pointer: &mut String, found: &mut Vec<(String, &'static str)>) {
    let length = pointer.len();
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                pointer.push('/');
                pointer.push_str(&escape(key));
                walk(value, pointer, found);
                pointer.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if matches!(item, Value::Number(_) | Value::Bool(_) | Value::Null) {
                    continue;
                }
                pointer.push('/');
                pointer.push_str(&index.to_string());
                walk(item, pointer, found);
                pointer.truncate(length);
            }
        }
        Value::String(text) => {
            found.extend(secret(pointer, text).map(|what| (pointer.clone(), what)));
        }
        _ => {}
    }
}

fn secret(pointer: &str, text: &str) -> Option<&'static str> {
    if let Some(found) = find(text) {
        return Some(found.what);
    }
    let field = pointer.rsplit('/').next().unwrap_or_default();
    // A reference to a secret names it under `secret`, and is not one.
    let reference = pointer.contains("/secrets/") || pointer.contains("/from/");
    (!reference && text.len() >= 6 && names_a_secret(field) && !is_placeholder(text))
        .then_some("a secret")
}

fn names_a_secret(field: &str) -> bool {
    /// The longest of [`FIELDS`], with a hyphen or two.
    const LONGEST: usize = 40;
    if field.len() > LONGEST {
        return false;
    }
    let mut folded: String = field.chars().filter(char::is_ascii_alphanumeric).collect();
    folded.make_ascii_lowercase();
    FIELDS.iter().any(|name| folded.ends_with(name))
}

fn is_placeholder(text: &str) -> bool {
    text.contains(['$', '<', '{', ' ']) || text.chars().all(|c| c == '*' || c == 'x')
}

/// The first secret in `text`.
fn find(text: &str) -> Option<Match> {
    /// The shortest that is looked for.
    const SHORTEST: usize = 20;
    if text.len() < SHORTEST {
        return None;
    }
    let token = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+' | b'/' | b'=')
    };
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let begins = b"-Adeghnpsx".contains(&bytes[at]);
        if !begins || (at > 0 && bytes[at - 1].is_ascii_alphanumeric()) {
            at += 1;
            continue;
        }
        for (prefix, what, least) in TOKENS {
            let Some(rest) = bytes[at..].strip_prefix(prefix.as_bytes()) else {
                continue;
            };
            if prefix.starts_with('-') {
                if text[at..]
                    .lines()
                    .next()
                    .is_some_and(|line| line.contains("PRIVATE KEY"))
                {
                    return Some(Match {
                        start: at,
                        end: text.len(),
                        what,
                    });
                }
                continue;
            }
            let length = rest.iter().take_while(|byte| token(**byte)).count();
            let varied = rest[..length].iter().any(u8::is_ascii_digit);
            if length >= least && (varied || prefix == "eyJ") {
                let end = at + prefix.len() + length;
                return Some(Match {
                    start: at,
                    end,
                    what,
                });
            }
        }
        at += 1;
    }
    password_in_address(text)
}

/// `https://user:password@host`.
fn password_in_address(text: &str) -> Option<Match> {
    let scheme = text.find("://")?;
    let start = scheme + 3;
    let behind = &text[start..];
    let host_end = behind.find(['/', ' ', '"', '\'']).unwrap_or(behind.len());
    let (user, _) = behind[..host_end].rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    (!password.is_empty() && !is_placeholder(password)).then(|| Match {
        start: start + user.len() - password.len(),
        end: start + user.len(),
        what: "a password in an address",
    })
}

/// `text` with every secret in it written as asterisks, as many as it has characters.
pub(super) fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(Match { start, end, .. }) = find(rest) {
        shown.push_str(&rest[..start]);
        shown.extend(rest[start..end].chars().map(|_| '*'));
        rest = &rest[end..];
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn obvious_shapes_are_found_and_masked() {
        let github = format!("ghp_{}", "a1B2".repeat(9));
        for (text, shown) in [
            (
                format!("token: {github} # mine"),
                format!("token: {} # mine", "*".repeat(40)),
            ),
            (
                "uri: https://me:hunter22@git.example.com/x".to_owned(),
                "uri: https://me:********@git.example.com/x".to_owned(),
            ),
            ("AKIAABCDEFGH12345678".to_owned(), "*".repeat(20)),
        ] {
            assert_eq!(masked(&text), shown);
        }
    }

    #[test]
    fn ordinary_texts_are_left_alone() {
        for text in [
            "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "registry.example.com/acme/models/vision/defects",
            "https://git.example.com/acme/train.git",
            "git@git.example.com:acme/train.git",
            "a desk-lamp of the sk-learn-pipeline-for-images",
            "-----BEGIN PUBLIC KEY-----",
        ] {
            assert_eq!(masked(text), text);
        }
        assert!(secret("/spec/hyperparameters/pad_token", "[PAD]-token").is_none());
        assert!(secret("/spec/runtime/secrets/0/from/secret", "defects-secret").is_none());
        assert!(secret("/spec/properties/db_password", "${PASSWORD}").is_none());
        assert!(secret("/spec/properties/db-password", "hunter22").is_some());
        assert!(secret("/spec/runtime/env/API_KEY", "0123456789").is_some());
    }
}
