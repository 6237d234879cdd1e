//! Texts of a source as records take them, and without secrets.

use serde_json::Value;
use url::Url;

/// The longest text that a record takes, in characters.
const MAX_TEXT: usize = 65_536;

/// The longest line, in characters.
const MAX_LINE: usize = 255;

/// Parameters of URLs that give access to what they point to, by a part of their names.
const SECRET_PARAMETERS: [&str; 8] = [
    "access_key",
    "accesskey",
    "api_key",
    "apikey",
    "credential",
    "passw",
    "secret",
    "token",
];

/// `text` as a text of several lines, where it can be one; `\r\n` is one end of a line.
pub(super) fn text(text: &str) -> Option<String> {
    let text = text.replace("\r\n", "\n");
    let fits = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    (text.chars().all(fits) && is_short(&text)).then_some(text)
}

/// Whether a record takes a text of this length.
pub(super) fn is_short(text: &str) -> bool {
    text.len() <= MAX_TEXT || text.chars().count() <= MAX_TEXT
}

/// `text` as one line, where it can be one.
pub(super) fn line(text: &str) -> Option<&str> {
    let length = text.chars().count();
    let fits = (1..=MAX_LINE).contains(&length) && !text.chars().any(char::is_control);
    fits.then_some(text)
}

/// `text` without what gives access, where it is a URL: users, passwords, signatures.
pub(super) fn without_secrets(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else {
        return text.to_owned();
    };
    if !url.has_host() {
        return text.to_owned();
    }
    let is_web = matches!(url.scheme(), "http" | "https");
    let has_user = url.password().is_some() || is_web && !url.username().is_empty();
    let is_secret = |name: &str| {
        let name = name.to_ascii_lowercase();
        name == "key"
            || name == "sig"
            || name.ends_with("signature")
            || SECRET_PARAMETERS.iter().any(|part| name.contains(part))
    };
    let has_signature = url.query_pairs().any(|(name, _)| is_secret(&name));
    if !has_user && !has_signature {
        return text.to_owned();
    }
    if has_user {
        // Both fail only for URLs that can't have a user at all.
        let _ = url.set_password(None);
        if is_web {
            let _ = url.set_username("");
        }
    }
    if has_signature {
        url.set_query(None);
    }
    url.to_string()
}

/// The same for every text in `value`.
pub(super) fn cleared(value: Value) -> Value {
    match value {
        Value::String(text) => without_secrets(&text).into(),
        Value::Array(items) => items.into_iter().map(cleared).collect(),
        Value::Object(fields) => {
            let fields = fields
                .into_iter()
                .map(|(name, value)| (name, cleared(value)));
            Value::Object(fields.collect())
        }
        other => other,
    }
}

/// A number where `text` is nothing else, in JSON's own writing; the text where it isn't.
///
/// MLflow keeps every parameter as text. What Python writes for a number comes back as the same
/// number.
pub(super) fn number_or_text(text: String) -> Value {
    if text.contains(char::is_whitespace) {
        return text.into();
    }
    match serde_json::from_str::<Value>(&text) {
        Ok(Value::Number(number)) if number.is_i64() || number.is_u64() => number.into(),
        // Digits beyond an f64's would be lost.
        Ok(Value::Number(number)) if is_float(&text) => number.into(),
        _ => text.into(),
    }
}

fn is_float(text: &str) -> bool {
    let digits = text.split(['e', 'E']).next().unwrap_or_default();
    let digits = digits.bytes().filter(u8::is_ascii_digit).count();
    text.contains(['.', 'e', 'E']) && digits <= 17
}

#[cfg(test)]
mod tests {
    //! Texts that come and texts that go.

    use serde_json::json;

    use super::*;

    #[test]
    fn urls_lose_what_gives_access() {
        for (text, shown) in [
            (
                "https://me:secret@git.example/a.git",
                "https://git.example/a.git",
            ),
            (
                "https://token@git.example/a.git",
                "https://git.example/a.git",
            ),
            ("ssh://git@git.example/a.git", "ssh://git@git.example/a.git"),
            (
                "https://x.example/d.csv?sv=1&sig=abc",
                "https://x.example/d.csv",
            ),
            (
                "https://x.example/d.csv?page=2",
                "https://x.example/d.csv?page=2",
            ),
            ("git@git.example:a.git", "git@git.example:a.git"),
            ("nothing of that", "nothing of that"),
        ] {
            assert_eq!(without_secrets(text), shown);
        }
        let nested = json!({"a": [{"url": "s3://me:secret@bucket/x"}]});
        assert_eq!(cleared(nested), json!({"a": [{"url": "s3://me@bucket/x"}]}));
    }

    #[test]
    fn a_parameter_is_a_number_only_if_nothing_of_it_is_lost() {
        for (text, value) in [
            ("40", json!(40)),
            ("0.001", json!(0.001)),
            ("1e-05", json!(0.000_01)),
            ("-3", json!(-3)),
            ("007", json!("007")),
            ("True", json!("True")),
            ("nan", json!("nan")),
            ("0.12345678901234567890", json!("0.12345678901234567890")),
            (
                "123456789012345678901234567890",
                json!("123456789012345678901234567890"),
            ),
            ("[1]", json!("[1]")),
            (" 1", json!(" 1")),
            ("", json!("")),
        ] {
            assert_eq!(number_or_text(text.to_owned()), value, "{text}");
        }
    }

    #[test]
    fn texts_are_of_lines_and_lines_are_one() {
        assert_eq!(text("a\r\nb\tc").as_deref(), Some("a\nb\tc"));
        assert_eq!(text("a\u{1b}[2J"), None);
        assert_eq!(line("a b"), Some("a b"));
        assert_eq!(line("a\nb"), None);
        assert_eq!(line(""), None);
    }
}
