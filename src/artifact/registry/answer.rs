//! What a registry's answer means.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, LINK, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde::Deserialize;

use crate::artifact::error::{Detail, StoreError};
use crate::artifact::limits::MAX_ERROR_BYTES;
use crate::platform::redact::printable;

/// How many characters of an error that has no code of its own are told.
const TOLD_CHARACTERS: usize = 200;

/// What is wrong with the pages of logins, proxies and web sites.
pub(super) const WEB_PAGE: &str = "it sends a web page";

/// Passes an answer that says yes, and tells what another one means.
pub(super) async fn check(place: &str, response: Response) -> Result<Response, StoreError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let retry_after = retry_after(response.headers());
    let html = is_html(response.headers());
    let detail = detail(response).await;
    let place = place.to_owned();
    Err(match status {
        // What a web server says of every path that it doesn't know says nothing of a registry's.
        StatusCode::NOT_FOUND if html => StoreError::Answer {
            place,
            reason: WEB_PAGE.to_owned(),
        },
        StatusCode::NOT_FOUND => StoreError::NotFound { place },
        StatusCode::FORBIDDEN => StoreError::Forbidden { place, detail },
        StatusCode::TOO_MANY_REQUESTS => StoreError::Throttled {
            place,
            retry_after,
            detail,
        },
        status => StoreError::Failed {
            place,
            status: status.as_u16(),
            retry_after,
            detail,
        },
    })
}

/// What an error means as the answer to something that was sent: who can't find the place for it
/// has no such repository.
pub(super) fn to_what_was_sent(error: StoreError) -> StoreError {
    match error {
        StoreError::NotFound { place } => StoreError::NoRepository { place },
        error => error,
    }
}

/// Refuses a web page: it says yes to everything, as no registry does.
pub(super) fn no_page(place: &str, response: Response) -> Result<Response, StoreError> {
    if is_html(response.headers()) {
        return Err(StoreError::Answer {
            place: place.to_owned(),
            reason: WEB_PAGE.to_owned(),
        });
    }
    Ok(response)
}

/// What it means that there is no answer at all.
pub(super) fn no_answer(place: &str, error: reqwest::Error) -> StoreError {
    let error = error.without_url();
    let place = place.to_owned();
    if error.is_redirect() || error.is_builder() {
        let cause = std::error::Error::source(&error)
            .map_or_else(|| error.to_string(), ToString::to_string);
        return StoreError::Answer {
            place,
            reason: cause,
        };
    }
    StoreError::Unreachable {
        place,
        source: error,
    }
}

/// The whole body, of at most `limit_bytes`.
pub(super) async fn body(
    place: &str,
    response: Response,
    limit_bytes: u64,
) -> Result<Bytes, StoreError> {
    let too_large = || StoreError::TooLarge {
        place: place.to_owned(),
        unit: "bytes",
        limit: limit_bytes,
    };
    if content_length(response.headers()).is_some_and(|length| length > limit_bytes) {
        return Err(too_large());
    }
    let (bytes, whole) = read_at_most(response, limit_bytes)
        .await
        .map_err(|error| no_answer(place, error))?;
    if whole { Ok(bytes) } else { Err(too_large()) }
}

/// At most `limit_bytes` of the body, and whether that is all of it.
async fn read_at_most(
    mut response: Response,
    limit_bytes: u64,
) -> Result<(Bytes, bool), reqwest::Error> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if (bytes.len() + chunk.len()) as u64 > limit_bytes {
            return Ok((bytes.freeze(), false));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok((bytes.freeze(), true))
}

/// What the registry says of its error: by code and message, or in its first words.
pub(super) async fn detail(response: Response) -> Option<Detail> {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        code: String,
        #[serde(default)]
        message: String,
    }
    if is_html(response.headers()) {
        return None;
    }
    let (body, _) = read_at_most(response, MAX_ERROR_BYTES).await.ok()?;
    if let Ok(Errors { errors }) = serde_json::from_slice(&body)
        && let Some(One { code, message }) = errors.into_iter().next()
    {
        return Some(told(&format!("{code}: {message}")));
    }
    let text = String::from_utf8_lossy(&body);
    (!text.trim().is_empty()).then(|| told(text.trim()))
}

fn told(text: &str) -> Detail {
    let text = text.trim_end_matches([' ', ':']);
    Detail(printable(
        &text.chars().take(TOLD_CHARACTERS).collect::<String>(),
    ))
}

/// How long the server wants us to wait, in seconds; a date is passed over, as we hold no clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

/// The length that is announced, also of a HEAD's answer.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The media type, without its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim())
}

/// Whether it is a web page that came.
pub(super) fn is_html(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|kind| kind.eq_ignore_ascii_case("text/html"))
}

/// The address of the next page (RFC 8288, relation `next`).
pub(super) fn next_page(headers: &HeaderMap) -> Option<&str> {
    let links = headers
        .get_all(LINK)
        .iter()
        .filter_map(|value| value.to_str().ok());
    links.flat_map(|value| value.split(',')).find_map(|link| {
        let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = |parameter: &str| {
            let parameter = parameter.trim().replace('"', "");
            parameter.eq_ignore_ascii_case("rel=next")
        };
        parameters.split(';').any(is_next).then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_told_from_other_links() {
        let mut headers = HeaderMap::new();
        assert_eq!(next_page(&headers), None);
        headers.append(LINK, "</first>; rel=\"first\"".parse().unwrap());
        headers.append(
            LINK,
            "</v2/a/tags/list?last=b&n=2>; rel=\"next\""
                .parse()
                .unwrap(),
        );
        assert_eq!(next_page(&headers), Some("/v2/a/tags/list?last=b&n=2"));
    }

    #[test]
    fn waits_are_read_in_seconds() {
        let asked = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("-1"), None);
        assert_eq!(asked("Fri, 31 Dec 2027 23:59:59 GMT"), None);
    }
}
