//! What a forge's answer means: how much of it is read, whether a list goes on, and what a no says.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, LINK, RETRY_AFTER};
use serde::Deserialize;
use serde_json::Value;

use super::error::Detail;
use super::wish::short;
use crate::platform::redact::printable;

/// The most of a forge's words that an error tells, in characters.
const TOLD_CHARACTERS: usize = 300;

/// What GitHub asks for where it names no time: at least a minute.
const UNTOLD_WAIT: Duration = Duration::from_secs(60);

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Whether a list goes on (RFC 8288, relation `next`); GitLab may say it by `x-next-page`.
pub(super) fn has_next(headers: &HeaderMap) -> bool {
    let links = headers.get_all(LINK).iter();
    let mut links = links.filter_map(|value| value.to_str().ok());
    links.any(|value| value.contains("rel=\"next\""))
        || header(headers, "x-next-page").is_some_and(|page| !page.is_empty())
}

/// How long a forge that is asked too often wants us to wait; `None` if that is not what is wrong.
///
/// GitHub says so by 429 or by 403: with `Retry-After` for a secondary limit, with
/// `X-RateLimit-Remaining: 0` for the primary one, or in words alone.
pub(super) fn limit(
    status: StatusCode,
    headers: &HeaderMap,
    detail: Option<&Detail>,
    now: Timestamp,
) -> Option<Duration> {
    let asked = header(headers, RETRY_AFTER.as_str()).and_then(|text| text.parse().ok());
    let spent = ["x-ratelimit-remaining", "ratelimit-remaining"]
        .iter()
        .any(|name| header(headers, name) == Some("0"));
    let worded = detail.is_some_and(|detail| detail.0.to_lowercase().contains("rate limit"));
    let limited = match status {
        StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::FORBIDDEN => asked.is_some() || spent || worded,
        // A server that is away may say for how long.
        StatusCode::SERVICE_UNAVAILABLE => asked.is_some(),
        _ => false,
    };
    if !limited {
        return None;
    }
    let reset = ["x-ratelimit-reset", "ratelimit-reset"]
        .iter()
        .find_map(|name| header(headers, name)?.parse::<i64>().ok())
        .filter(|_| spent)
        .map(|at| u64::try_from(at - now.as_second()).unwrap_or(0).max(1));
    let wait = asked.or(reset).map(Duration::from_secs);
    Some(wait.unwrap_or(UNTOLD_WAIT))
}

/// The permissions that a forge names by itself: GitHub does, in two headers.
pub(super) fn named(headers: &HeaderMap) -> Option<String> {
    let fine = header(headers, "x-accepted-github-permissions");
    let classic = header(headers, "x-accepted-oauth-scopes");
    let mut named = [fine, classic].into_iter().flatten();
    let named = named.find(|text| !text.is_empty())?;
    Some(format!("`{}`", printable(&short(named, TOLD_CHARACTERS))))
}

/// What a forge says of its no.
pub(super) fn detail(headers: &HeaderMap, body: &[u8]) -> Option<Detail> {
    #[derive(Deserialize)]
    struct Said {
        #[serde(default)]
        message: Value,
        #[serde(default)]
        error: Value,
        #[serde(default)]
        errors: Value,
        // As proxies say it (RFC 9457).
        #[serde(default)]
        detail: Value,
    }
    let html = header(headers, "content-type").is_some_and(|kind| kind.starts_with("text/html"));
    if html || header(headers, CONTENT_LENGTH.as_str()) == Some("0") {
        return None;
    }
    let text = match serde_json::from_slice::<Said>(body) {
        Ok(said) => {
            let parts = [said.message, said.error, said.errors, said.detail];
            let parts = parts.iter().map(in_words).filter(|part| !part.is_empty());
            parts.collect::<Vec<_>>().join("; ")
        }
        Err(_) => String::from_utf8_lossy(body).trim().to_owned(),
    };
    let text = printable(&short(&text, TOLD_CHARACTERS));
    (!text.is_empty()).then_some(Detail(text))
}

/// Text in whatever form a forge has it: a word, a list, or fields with what is wrong with them.
fn in_words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.trim().to_owned(),
        Value::Array(all) => {
            let all = all.iter().map(in_words).filter(|part| !part.is_empty());
            all.collect::<Vec<_>>().join(", ")
        }
        Value::Object(fields) => match fields.get("message") {
            Some(Value::String(message)) => message.clone(),
            _ => {
                let fields = fields.iter();
                let fields = fields.map(|(name, value)| format!("{name}: {}", in_words(value)));
                fields.collect::<Vec<_>>().join(", ")
            }
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    //! What forges say, and what it means.

    use reqwest::header::HeaderValue;

    use super::*;

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        let all = all.iter();
        all.map(|(name, value)| {
            let value = HeaderValue::from_str(value).unwrap();
            (reqwest::header::HeaderName::from_static(name), value)
        })
        .collect()
    }

    #[test]
    fn limits_are_told_from_missing_permissions() {
        let now = Timestamp::from_second(1_000).unwrap();
        let waits = |status: u16, all: &[(&'static str, &str)], words: &str| {
            let detail = Detail(words.to_owned());
            let status = StatusCode::from_u16(status).unwrap();
            limit(status, &headers(all), Some(&detail), now).map(|wait| wait.as_secs())
        };
        let spent = [
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1090"),
        ];
        assert_eq!(waits(403, &spent, ""), Some(90));
        assert_eq!(waits(429, &spent, ""), Some(90));
        assert_eq!(waits(403, &[("retry-after", "7")], ""), Some(7));
        assert_eq!(waits(503, &[("retry-after", "7")], ""), Some(7));
        assert_eq!(waits(503, &[], ""), None);
        assert_eq!(waits(429, &[], ""), Some(60));
        assert_eq!(
            waits(403, &[], "You have exceeded a secondary rate limit"),
            Some(60)
        );
        let left = [
            ("x-ratelimit-remaining", "9"),
            ("x-ratelimit-reset", "1090"),
        ];
        assert_eq!(
            waits(403, &left, "Resource not accessible by integration"),
            None
        );
        assert_eq!(waits(429, &left, ""), Some(60));
        let past = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "10")];
        assert_eq!(waits(403, &past, ""), Some(1));
    }

    #[test]
    fn what_a_forge_says_is_told_in_one_line() {
        let said = |body: &str| detail(&HeaderMap::new(), body.as_bytes()).map(|said| said.0);
        for (body, wanted) in [
            (
                r#"{"message":"Validation Failed","errors":[{"resource":"PullRequest","message":"A pull request already exists"}]}"#,
                "Validation Failed; A pull request already exists",
            ),
            (
                r#"{"message":{"base":["is too long"]}}"#,
                "base: is too long",
            ),
            (r#"{"error":"insufficient_scope"}"#, "insufficient_scope"),
            ("no\u{1b}[2J", "no\\u{1b}[2J"),
        ] {
            assert_eq!(said(body).as_deref(), Some(wanted));
        }
        assert_eq!(said("{}"), None);
        let page = headers(&[("content-type", "text/html; charset=utf-8")]);
        assert!(detail(&page, b"<html>").is_none());
    }

    #[test]
    fn the_next_page_is_seen() {
        assert!(has_next(&headers(&[(
            "link",
            "<https://x/?page=1>; rel=\"prev\", <https://x/?page=3>; rel=\"next\""
        )])));
        assert!(has_next(&headers(&[("x-next-page", "2")])));
        assert!(!has_next(&headers(&[("x-next-page", "")])));
        assert!(!has_next(&headers(&[(
            "link",
            "<https://x/>; rel=\"last\""
        )])));
    }
}
