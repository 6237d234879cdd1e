//! Which state of a file was begun to be read, so that no two are made one.
//!
//! A server that tells states apart says so by a strong `ETag`. A file that was cut off is gone on with
//! only in the state that it was begun in (`If-Range`, RFC 9110, section 13.1.5); if it is in another
//! one now, it is read anew.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use reqwest::Response;
use reqwest::header::{ETAG, HeaderValue};
use url::Url;

/// How many files are remembered: those of one version, of which few are on their way at once.
const MOST: usize = super::MAX_FILES;

/// The states in which files were begun, by the paths of their URLs: a presigned URL has another
/// query each time.
#[derive(Debug, Default)]
pub(super) struct States(Mutex<BTreeMap<String, HeaderValue>>);

impl States {
    /// The state in which the file at `url` was begun, if it is known.
    pub(super) fn begun(&self, url: &Url) -> Option<HeaderValue> {
        let states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        states.get(url.path()).cloned()
    }

    /// Hears in which state the file at `url` is sent; tells whether it is another than the one it
    /// was begun in.
    pub(super) fn hear(&self, url: &Url, response: &Response) -> bool {
        let tag = response.headers().get(ETAG);
        let strong = tag.filter(|tag| !tag.as_bytes().starts_with(b"W/"));
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(tag) = strong else {
            states.remove(url.path());
            return false;
        };
        if states.len() >= MOST {
            states.clear();
        }
        // A copy: a header that came is a part of what was read from the connection, and would keep
        // all of that.
        let Ok(copied) = HeaderValue::from_bytes(tag.as_bytes()) else {
            return false;
        };
        let before = states.insert(url.path().to_owned(), copied);
        before.is_some_and(|before| before != tag)
    }
}

#[cfg(test)]
mod tests {
    //! What is remembered of an answer.

    use super::*;

    #[test]
    fn another_state_is_noticed_and_no_answer_is_kept_for_it() {
        let url: Url = "https://files.example/model.onnx?signed=1".parse().unwrap();
        let answer = |tag: &'static str| {
            let answer = hyper::Response::builder().header(ETAG, tag);
            Response::from(answer.body("").unwrap())
        };
        let states = States::default();
        let one = answer("\"one\"");
        assert!(!states.hear(&url, &one));
        let begun = states.begun(&url).unwrap();
        assert_eq!(begun, "\"one\"");
        let sent = one.headers()[ETAG].as_bytes();
        assert_ne!(begun.as_bytes().as_ptr(), sent.as_ptr());
        assert!(!states.hear(&url, &one));
        assert!(states.hear(&url, &answer("\"two\"")));
        assert!(!states.hear(&url, &answer("W/\"three\"")));
        assert_eq!(states.begun(&url), None);
    }
}
