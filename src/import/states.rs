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
        let before = states.insert(url.path().to_owned(), tag.clone());
        before.is_some_and(|before| before != tag)
    }
}
