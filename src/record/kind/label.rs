//! Labels, environment variables and names of HTTP: what is handed on to where a model runs.

use serde::{Deserialize, Serialize};

use super::grammar::text_type;

/// The longest label, and the longest name of one (Kubernetes).
const MAX_LABEL_LENGTH: usize = 63;
/// The longest prefix of a label's key (Kubernetes: a DNS subdomain).
const MAX_PREFIX_LENGTH: usize = 253;
/// The longest name of a variable, a header or a cookie.
const MAX_NAME_LENGTH: usize = 255;

text_type! {
    /// A label's key, as Kubernetes has them: `line`, or with a prefix `acme.example/line`.
    LabelKey, "a label's key", as in "line", broken_key
}

text_type! {
    /// A label's value, as Kubernetes has them: at most 63 letters, digits, `-`, `_` and `.`;
    /// it may be empty.
    LabelValue, "a label's value", as in "3", broken_value
}

text_type! {
    /// An environment variable's name.
    VariableName, "an environment variable's name", as in "MLFLOW_TRACKING_TOKEN", broken_variable
}

text_type! {
    /// An HTTP header's name (RFC 9110, "Tokens").
    HeaderName, "an HTTP header's name", as in "x-session", broken_header
}

text_type! {
    /// A cookie's name (RFC 6265, section 4.1.1).
    ///
    /// The prefixes `__Host-` and `__Secure-` are promises to browsers about cookies that travel
    /// over TLS alone; a browser drops one that doesn't keep them.
    CookieName, "a cookie's name", as in "seat", broken_cookie
}

/// Where a secret is to be read from, never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SecretReference {
    /// An environment variable of the process that needs it.
    Variable(SecretVariable),
    /// A secret that the environment's target keeps.
    Stored(StoredSecret),
}

/// A secret in an environment variable: `{env: MLFLOW_TRACKING_TOKEN}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretVariable {
    /// The variable.
    pub env: VariableName,
}

/// A secret that the target keeps: `{secret: defects, key: token}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredSecret {
    /// The secret's name.
    pub secret: crate::record::Name,
    /// Which of its entries.
    pub key: SecretKey,
}

text_type! {
    /// An entry of a stored secret, as Kubernetes has them.
    SecretKey, "a secret's key", as in "token", broken_secret_key
}

/// What holds for a label's value and for the name in its key.
fn broken_label(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    if bytes.len() > MAX_LABEL_LENGTH {
        return Some("it is longer than 63 characters");
    }
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    if !bytes.iter().all(|&byte| inner(byte)) {
        return Some("only letters, digits, `-`, `_` and `.` may be in it");
    }
    if !ends(bytes.first()) || !ends(bytes.last()) {
        return Some("it has to begin and end with a letter or a digit");
    }
    None
}

fn broken_key(text: &str) -> Option<&'static str> {
    let Some((prefix, name)) = text.split_once('/') else {
        return broken_label(text);
    };
    let part = |part: &str| {
        let bytes = part.as_bytes();
        let word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        bytes.len() <= MAX_LABEL_LENGTH
            && bytes.first().is_some_and(word)
            && bytes.last().is_some_and(word)
            && bytes.iter().all(|byte| word(byte) || *byte == b'-')
    };
    if prefix.len() > MAX_PREFIX_LENGTH || !prefix.split('.').all(part) {
        return Some("before its `/` a DNS name has to stand");
    }
    broken_label(name)
}

fn broken_value(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return None;
    }
    broken_label(text)
}

fn broken_variable(text: &str) -> Option<&'static str> {
    let first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let bytes = text.as_bytes();
    if bytes.len() > MAX_NAME_LENGTH {
        return Some("it is longer than 255 characters");
    }
    if !bytes.first().is_some_and(|&byte| first(byte))
        || !bytes
            .iter()
            .all(|&byte| first(byte) || byte.is_ascii_digit())
    {
        return Some("it has letters, digits and `_`, and does not begin with a digit");
    }
    None
}

/// Whether `text` is a token as HTTP has it (RFC 9110, section 5.6.2), and not too long.
fn is_token(text: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.len() <= MAX_NAME_LENGTH && text.bytes().all(valid)
}

fn broken_header(text: &str) -> Option<&'static str> {
    (!is_token(text)).then_some("it has letters, digits and `-`, at most 255 of them")
}

fn broken_cookie(text: &str) -> Option<&'static str> {
    if !is_token(text) {
        return Some("it has letters, digits, `-` and `_`, at most 255 of them");
    }
    let begins = |prefix: &str| {
        let start = text.as_bytes().get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    (begins("__Host-") || begins("__Secure-"))
        .then_some("`__Host-` and `__Secure-` are for cookies over TLS alone")
}

fn broken_secret_key(text: &str) -> Option<&'static str> {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if text.is_empty() || text.len() > 253 || !text.bytes().all(valid) {
        return Some("it has letters, digits, `-`, `.` and `_`, at most 253 of them");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_what_kubernetes_takes() {
        for good in ["line", "acme.example/line", "A_b-c.d"] {
            assert!(good.parse::<LabelKey>().is_ok(), "{good:?} was refused");
        }
        for bad in [
            "",
            "/",
            "a/",
            "/a",
            "A/b",
            "a/b/c",
            "-a",
            "a b",
            &"a".repeat(64),
        ] {
            assert!(bad.parse::<LabelKey>().is_err(), "{bad:?} was taken");
        }
        for good in ["", "3", "a.B_c-d"] {
            assert!(good.parse::<LabelValue>().is_ok(), "{good:?} was refused");
        }
        for bad in ["-", "a ", "a/b", "é"] {
            assert!(bad.parse::<LabelValue>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn variables_and_headers_have_no_surprises() {
        for bad in ["", "1A", "A-B", "A=B", "é"] {
            assert!(bad.parse::<VariableName>().is_err(), "{bad:?} was taken");
        }
        for bad in ["", "a b", "a:b", "a\n"] {
            assert!(bad.parse::<HeaderName>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_cookies_name_can_be_sent_and_is_kept_by_browsers() {
        for good in ["seat", "my-seat_2", "__seat", "a|b~c"] {
            assert!(good.parse::<CookieName>().is_ok(), "{good:?} was refused");
        }
        let long = "a".repeat(256);
        for bad in [
            "",
            "a b",
            "a=b",
            "a;b",
            "a,b",
            "\"a\"",
            "a\r\n",
            "é",
            "__Host-a",
            "__secure-a",
            &long,
        ] {
            assert!(bad.parse::<CookieName>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_secret_is_only_referred_to() {
        let read = |json: &str| serde_json::from_str::<SecretReference>(json);
        assert!(read(r#"{"env":"TOKEN"}"#).is_ok());
        assert!(read(r#"{"secret":"defects","key":"token"}"#).is_ok());
        for bad in [
            r#""hunter2""#,
            r#"{"value":"hunter2"}"#,
            r#"{"env":"TOKEN","value":"hunter2"}"#,
            r#"{"env":"TOKEN","key":"token"}"#,
            r#"{"secret":"defects"}"#,
        ] {
            assert!(read(bad).is_err(), "{bad} was taken");
        }
    }
}
