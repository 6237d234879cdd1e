//! S3-compatible stores, asked directly with the user's own keys.
//!
//! Requests are signed in their URLs (Signature Version 4), and carry nothing of ours otherwise.

mod profile;
mod settings;

use std::collections::BTreeSet;
use std::time::Duration;

use rusty_s3::actions::{ListObjectsV2, S3Action};
use rusty_s3::{Bucket, UrlStyle};
use secrecy::ExposeSecret;

use crate::import::client::{Client, Credentials};
use crate::import::{ImportError, MAX_FILES, Opened, SourceFile};
use crate::platform::http;
use crate::platform::redact::printable;
use crate::platform::retry::Policy;

pub(super) use settings::{Own, Settings};

use settings::Keys;

/// How long a signed URL holds: a file that takes longer goes on with one that is new.
const SIGNED_FOR: Duration = Duration::from_secs(3600);

/// The variables that have keys, as errors name them.
pub(super) const VARIABLES: &[&str] = &["AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"];

impl Keys {
    fn credentials(&self) -> rusty_s3::Credentials {
        let (id, secret) = (self.id.clone(), self.secret.expose_secret());
        match &self.session {
            Some(session) => {
                rusty_s3::Credentials::new_with_token(id, secret, session.expose_secret())
            }
            None => rusty_s3::Credentials::new(id, secret),
        }
    }
}

impl Settings {
    /// Opens the bucket of this name.
    ///
    /// # Errors
    /// If there are no keys, there can be no bucket of this name, or no HTTP client.
    pub(super) fn bucket(&self, name: &str, retry: Policy) -> Result<Store, ImportError> {
        let place = format!("s3://{}", printable(name));
        let keys = self.keys.as_ref();
        let keys = keys.map_err(|reason| ImportError::Malformed {
            place: place.clone(),
            reason: reason.clone(),
        })?;
        let (endpoint, style) = match &self.endpoint {
            Some(endpoint) => (endpoint.clone(), UrlStyle::Path),
            None => {
                let endpoint = format!("https://s3.{}.amazonaws.com", self.region);
                // A dot in a bucket's name fits no certificate.
                let has_dot = name.contains('.');
                let style = if has_dot {
                    UrlStyle::Path
                } else {
                    UrlStyle::VirtualHost
                };
                let endpoint = endpoint.parse().map_err(|error| ImportError::Malformed {
                    place: place.clone(),
                    reason: format!("AWS_REGION is no region: {error}"),
                })?;
                (endpoint, style)
            }
        };
        let bucket = Bucket::new(endpoint, style, name.to_owned(), self.region.clone());
        let bucket = bucket.map_err(|error| ImportError::Malformed {
            place: place.clone(),
            reason: format!("no bucket can be there: {error}"),
        })?;
        let base = bucket.base_url().clone();
        let none = Credentials::None;
        let client = if self.ignores_tls {
            let builder = http::builder().tls_danger_accept_invalid_certs(true);
            Client::over(builder, &place, base, none, VARIABLES, retry)?
        } else {
            Client::new(&place, base, none, VARIABLES, retry)?
        };
        Ok(Store {
            bucket,
            credentials: keys.credentials(),
            client,
            place,
        })
    }
}

/// A bucket of a store.
pub(super) struct Store {
    bucket: Bucket,
    credentials: rusty_s3::Credentials,
    client: Client,
    place: String,
}

impl Store {
    /// All files below `prefix`, or the one that is called so, each found by what `found_by` makes of
    /// its key.
    ///
    /// # Errors
    /// If they can't be listed, or are more than [`MAX_FILES`].
    pub(super) async fn files(
        &self,
        prefix: &str,
        found_by: impl Fn(String) -> String,
    ) -> Result<Vec<SourceFile>, ImportError> {
        let below = if prefix.is_empty() {
            String::new()
        } else {
            format!("{prefix}/")
        };
        let mut files = Vec::new();
        let mut seen = BTreeSet::new();
        let mut token: Option<String> = None;
        loop {
            let page = self.page(&below, token.as_deref()).await?;
            for object in page.contents {
                // Some clients write an empty object for a folder.
                let path = object
                    .key
                    .strip_prefix(&below)
                    .filter(|path| !path.is_empty());
                let Some(path) = path.filter(|path| !path.ends_with('/')) else {
                    continue;
                };
                files.push(SourceFile {
                    path: path.to_owned(),
                    key: found_by(object.key.clone()),
                    size_bytes: object.size,
                    sha256: None,
                });
            }
            if files.len() > MAX_FILES {
                return Err(ImportError::TooLarge {
                    place: self.place.clone(),
                    limit: MAX_FILES as u64,
                    unit: "files in one version",
                });
            }
            match page.next_continuation_token {
                None if files.is_empty() => return self.file(prefix, found_by).await,
                None => return Ok(files),
                Some(next) if !seen.insert(next.clone()) || seen.len() > MAX_FILES => {
                    return Err(self.malformed(&"its pages never end"));
                }
                next => token = next,
            }
        }
    }

    /// The object that is called `key`, if there is one.
    async fn file(
        &self,
        key: &str,
        found_by: impl Fn(String) -> String,
    ) -> Result<Vec<SourceFile>, ImportError> {
        // Of all that begin so it comes first.
        let page = self.page(key, None).await?;
        let objects = page.contents.into_iter();
        let called = objects.filter(|object| !key.is_empty() && object.key == key);
        let file = called.map(|object| SourceFile {
            path: key.rsplit('/').next().unwrap_or(key).to_owned(),
            key: found_by(object.key),
            size_bytes: object.size,
            sha256: None,
        });
        Ok(file.collect())
    }

    async fn page(
        &self,
        prefix: &str,
        token: Option<&str>,
    ) -> Result<rusty_s3::actions::ListObjectsV2Response, ImportError> {
        let mut list = self.bucket.list_objects_v2(Some(&self.credentials));
        list.with_prefix(prefix);
        if let Some(token) = token {
            list.with_continuation_token(token);
        }
        let url = list.sign(SIGNED_FOR);
        let bytes = self.client.small_at(&url, "list a version's files").await?;
        let text = std::str::from_utf8(&bytes).map_err(|error| self.malformed(&error))?;
        ListObjectsV2::parse_response(text).map_err(|error| self.malformed(&error))
    }

    /// Begins to read an object at byte `from`.
    ///
    /// # Errors
    /// If it can't be read.
    pub(super) async fn open(
        &self,
        key: &str,
        from: u64,
        doing: &str,
    ) -> Result<Opened, ImportError> {
        let url = self
            .bucket
            .get_object(Some(&self.credentials), key)
            .sign(SIGNED_FOR);
        self.client.open_at(url, from, doing).await
    }

    fn malformed(&self, reason: &dyn std::fmt::Display) -> ImportError {
        ImportError::Malformed {
            place: self.place.clone(),
            reason: printable(&format!("its list of objects is not understood: {reason}")),
        }
    }
}
