//! What the hub means by its no.
//!
//! It says so in headers of its own, `X-Error-Code` and `X-Error-Message`; without them, a
//! repository that is private and one that isn't there are answered alike.
//!
//! Source: `hf_raise_for_status` and `parse_ratelimit_headers` of `huggingface_hub`.

use std::time::Duration;

use reqwest::header::HeaderMap;

use crate::import::{Detail, ImportError};
use crate::platform::redact::printable;

/// The most of the hub's words that an error tells, in characters.
const TOLD_CHARACTERS: usize = 300;

/// The error that an answer with these headers is; `None` if they say nothing of the hub's.
pub(in crate::import) fn refusal(
    place: &str,
    doing: &str,
    variables: &'static [&'static str],
    headers: &HeaderMap,
) -> Option<ImportError> {
    let place = place.to_owned();
    Some(match text(headers, "x-error-code")? {
        "GatedRepo" => ImportError::Gated {
            detail: message(headers),
            variables,
            place,
        },
        "RepoNotFound" => ImportError::Hidden { place, variables },
        "RevisionNotFound" | "EntryNotFound" => ImportError::Lacks {
            what: format!("what it was asked for, to {doing}"),
            place,
        },
        _ => return None,
    })
}

/// What it says in `X-Error-Message`.
pub(in crate::import) fn message(headers: &HeaderMap) -> Option<Detail> {
    let said = printable(text(headers, "x-error-message")?);
    Some(Detail(said.chars().take(TOLD_CHARACTERS).collect()))
}

/// When its limit of requests is lifted: `RateLimit: "api";r=0;t=55`.
pub(in crate::import) fn reset(headers: &HeaderMap) -> Option<Duration> {
    let mut parts = text(headers, "ratelimit")?.split(';');
    let seconds = parts.find_map(|part| part.trim().strip_prefix("t="))?;
    seconds.parse().ok().map(Duration::from_secs)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    //! Headers, and what they mean.

    use super::*;
    use crate::record::Fault;

    fn headers(said: &[(&'static str, &str)]) -> HeaderMap {
        let said = said
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        said.collect()
    }

    #[test]
    fn a_gate_a_missing_repository_and_a_missing_file_are_told_apart() {
        let told = |code: &str| {
            let headers = headers(&[("x-error-code", code), ("x-error-message", "Ask first.")]);
            let place = "https://hub.acme.example/a/b";
            let error = refusal(place, "read its card", &["HF_TOKEN"], &headers)?;
            Some((error.to_string(), error.help().unwrap()))
        };
        let (gated, help) = told("GatedRepo").unwrap();
        assert!(gated.contains("Ask first."), "{gated}");
        assert!(help.contains("https://hub.acme.example/a/b"), "{help}");
        let (hidden, help) = told("RepoNotFound").unwrap();
        assert!(hidden.contains("or it is private"), "{hidden}");
        assert!(help.contains("HF_TOKEN"), "{help}");
        assert!(told("EntryNotFound").is_some());
        assert_eq!(told("Whatever"), None);
        assert!(refusal("p", "d", &[], &HeaderMap::new()).is_none());
    }

    #[test]
    fn a_limit_says_when_it_is_lifted() {
        let limit = headers(&[("ratelimit", "\"api\";r=0;t=55")]);
        assert_eq!(reset(&limit), Some(Duration::from_secs(55)));
        assert_eq!(reset(&headers(&[("ratelimit", "\"api\"")])), None);
    }
}
