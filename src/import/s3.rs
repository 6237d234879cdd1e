//! S3-compatible stores, asked directly with the user's own keys.
//!
//! The variables are those that AWS's own tools read, and those that a source's own have besides.
//! Requests are signed in their URLs (Signature Version 4), and carry nothing of ours otherwise.

use std::collections::BTreeSet;
use std::time::Duration;

use rusty_s3::actions::{ListObjectsV2, S3Action};
use rusty_s3::{Bucket, UrlStyle};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::import::client::{Client, Credentials};
use crate::import::{ImportError, MAX_FILES, Opened, SourceFile, Variables};
use crate::platform::http;
use crate::platform::redact::printable;
use crate::platform::retry::Policy;

/// How long a signed URL holds: a file that takes longer goes on with one that is new.
const SIGNED_FOR: Duration = Duration::from_secs(3600);

/// The variables that have keys, as errors name them.
pub(super) const VARIABLES: &[&str] = &["AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"];

/// The variables that say where the store is, as AWS's own tools read them.
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];

/// What a source's own tools read besides AWS's.
pub(super) struct Own {
    /// The variable that says where the store is, heard before AWS's.
    pub(super) endpoint: Option<&'static str>,
    /// The variable that, with this value, has certificates not looked at.
    pub(super) ignores_tls: Option<(&'static str, &'static str)>,
}

/// Where AWS's tools go if nothing says where.
const REGION: &str = "us-east-1";

/// What S3-compatible stores are opened with.
#[derive(Clone)]
pub(super) struct Settings {
    key: String,
    secret: SecretString,
    session: Option<SecretString>,
    region: String,
    endpoint: Option<Url>,
    ignores_tls: bool,
}

impl Settings {
    /// What the variables say, AWS's and the source's `own`; nothing where they have no keys.
    ///
    /// # Errors
    /// If the endpoint in them is no URL.
    pub(super) fn read(variables: Variables<'_>, own: &Own) -> Result<Option<Self>, ImportError> {
        let secret = |name: &str| variables(name).filter(|value| !value.expose_secret().is_empty());
        let plain = |names: &[&str]| {
            let found = names.iter().find_map(|name| secret(name));
            found.map(|value| value.expose_secret().to_owned())
        };
        let (Some(key), Some(secret_key)) = (
            plain(&["AWS_ACCESS_KEY_ID"]),
            secret("AWS_SECRET_ACCESS_KEY"),
        ) else {
            return Ok(None);
        };
        let names = own.endpoint.into_iter().chain(ENDPOINTS);
        let endpoint = names
            .into_iter()
            .find_map(|name| Some((name, plain(&[name])?)));
        let endpoint = endpoint.map(|(name, text)| {
            let url = text.parse::<Url>();
            url.map_err(|error| ImportError::Malformed {
                place: name.to_owned(),
                reason: format!("it is no URL: {error}"),
            })
        });
        let endpoint = endpoint.transpose()?;
        let region = plain(&["AWS_REGION", "AWS_DEFAULT_REGION"]);
        Ok(Some(Self {
            key,
            secret: secret_key,
            session: secret("AWS_SESSION_TOKEN"),
            region: region.unwrap_or_else(|| REGION.to_owned()),
            endpoint,
            ignores_tls: own
                .ignores_tls
                .is_some_and(|(name, word)| plain(&[name]).as_deref() == Some(word)),
        }))
    }

    fn credentials(&self) -> rusty_s3::Credentials {
        let (key, secret) = (self.key.clone(), self.secret.expose_secret());
        match &self.session {
            Some(session) => {
                rusty_s3::Credentials::new_with_token(key, secret, session.expose_secret())
            }
            None => rusty_s3::Credentials::new(key, secret),
        }
    }

    /// Opens the bucket of this name.
    ///
    /// # Errors
    /// If there can be none of this name, or no HTTP client.
    pub(super) fn bucket(&self, name: &str, retry: Policy) -> Result<Store, ImportError> {
        let place = format!("s3://{}", printable(name));
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
            credentials: self.credentials(),
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
