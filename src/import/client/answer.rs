//! What an answer of a source's says besides its bytes.

use serde_json::Value;

use crate::import::Detail;
use crate::platform::redact::printable;

/// The most of a source's words that an error tells, in characters.
const TOLD_CHARACTERS: usize = 300;

/// The URL behind `rel="next"` in a `Link` header.
pub(super) fn next_page(link: &str) -> Option<&str> {
    let mut links = link.split(',');
    let next = links.find(|link| link.contains("rel=\"next\"") || link.contains("rel=next"))?;
    let (_, rest) = next.split_once('<')?;
    let (url, _) = rest.split_once('>')?;
    Some(url)
}

/// The first byte and the whole size of `bytes 5-9/10` (RFC 9110, section 14.4).
pub(super) fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, whole) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (begins, _) = range.split_once('-')?;
    Some((begins.parse().ok()?, whole.parse().ok()))
}

/// What a source says of its no: the message of a JSON object, else the text's beginning.
pub(super) fn detail(body: &[u8]) -> Option<Detail> {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(value) => ["message", "error", "detail"]
            .iter()
            .find_map(|field| value.get(field)?.as_str().map(str::to_owned))?,
        Err(_) => {
            let text = String::from_utf8_lossy(body);
            // As S3 says it, in XML.
            let message = text
                .split_once("<Message>")
                .and_then(|(_, rest)| rest.split_once("</Message>"));
            message.map_or_else(
                || text.clone().into_owned(),
                |(message, _)| message.to_owned(),
            )
        }
    };
    // A page is for a browser.
    if text.trim_start().starts_with('<') {
        return None;
    }
    let short: String = printable(text.trim())
        .chars()
        .take(TOLD_CHARACTERS)
        .collect();
    (!short.is_empty()).then_some(Detail(short))
}

#[cfg(test)]
mod tests {
    //! What headers mean.

    use super::*;

    #[test]
    fn a_range_says_where_it_begins_and_how_large_the_whole_is() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((5, None)));
        assert_eq!(content_range("bytes */10"), None);
        assert_eq!(content_range("lines 1-2/3"), None);
    }

    #[test]
    fn the_next_page_is_where_its_link_says() {
        let link = "<https://a.example/?p=1>; rel=\"prev\", <https://a.example/?p=3>; rel=\"next\"";
        assert_eq!(next_page(link), Some("https://a.example/?p=3"));
        assert_eq!(next_page("<https://a.example/>; rel=\"last\""), None);
    }

    #[test]
    fn a_no_is_told_in_its_own_words_and_a_page_is_not() {
        let told = |body: &str| detail(body.as_bytes()).map(|Detail(text)| text);
        assert_eq!(
            told(r#"{"error_code":"X","message":"no such run"}"#).unwrap(),
            "no such run"
        );
        assert_eq!(told("go away\u{1b}[31m").unwrap(), "go away\\u{1b}[31m");
        assert_eq!(told("<html>hello</html>"), None);
        assert_eq!(
            told("<?xml?><Error><Message>No such key.</Message></Error>").unwrap(),
            "No such key."
        );
        assert_eq!(told(""), None);
    }
}
