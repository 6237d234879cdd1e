//! An OCI registry, spoken to over HTTP (OCI distribution-spec 1.1).
//!
//! | part | speaks of |
//! | --- | --- |
//! | `client` | addresses, and how a request is sent |
//! | `access` | logins and tokens |
//! | `answer` | what answers mean, errors among them |
//! | `manifest`, `upload`, `download`, `list`, `fallback` | one kind of request each |

mod access;
mod answer;
mod client;
mod download;
mod fallback;
mod list;
mod manifest;
mod upload;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use reqwest::{Method, Response};
use tokio::sync::Mutex;

use self::access::Action;
use self::client::Client;
use super::credentials::{Credentials, Login};
use super::descriptor::Descriptor;
use super::error::StoreError;
use super::referrers;
use super::source::BlobSource;
use super::store::{ManifestKey, Store, StoreOptions, Upload, blob_place};
use super::stream::BlobStream;
use crate::platform::progress::Meter;
use crate::record::{Digest, Repository, Tag};

/// The header by which a registry says that it keeps the list of referrers itself.
const OCI_SUBJECT: &str = "OCI-Subject";

/// One repository of a registry.
#[derive(Debug)]
pub struct Registry {
    client: Arc<Client>,
    /// One list of referrers is changed at a time, as far as that is in our hands.
    referring: Mutex<()>,
}

impl Registry {
    /// The repository `path` of the registry at `host`; nothing is asked of it yet.
    ///
    /// # Errors
    /// If there can be no HTTP client, or `host` is none.
    pub fn open(host: &str, path: &str, options: &StoreOptions) -> Result<Self, StoreError> {
        let credentials = Credentials::new(&options.docker_config);
        Ok(Self {
            client: Arc::new(Client::new(host, path, credentials, options)?),
            referring: Mutex::default(),
        })
    }
}

/// Asks the registry at `host` whether it takes `login`; one that is open to everyone does.
///
/// # Errors
/// [`StoreError::Unauthorized`] if it doesn't; every other way of failing as it is.
pub async fn check_login(
    host: &str,
    login: Login,
    options: &StoreOptions,
) -> Result<(), StoreError> {
    let client = Client::new(host, "", Credentials::given(login), options)?;
    let url = client.url("");
    let answered = client
        .send_patiently(host, Action::Login, || {
            client.request(Method::GET, url.clone())
        })
        .await?;
    answer::no_page(host, answered).map(drop)
}

impl Registry {
    /// What the registry says of a blob; `None` if it has none such.
    async fn look_at_blob(&self, digest: &Digest) -> Result<Option<Response>, StoreError> {
        let place = blob_place(&self.client.repository, digest);
        let url = self.client.url(&format!("blobs/{digest}"));
        let asked = self
            .client
            .send_patiently(&place, Action::Pull, || {
                self.client.request(Method::HEAD, url.clone())
            })
            .await;
        match asked {
            Ok(response) => answer::no_page(&place, response).map(Some),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl Store for Registry {
    fn repository(&self) -> &Repository {
        &self.client.repository
    }

    async fn resolve(&self, key: &ManifestKey) -> Result<Option<Descriptor>, StoreError> {
        manifest::resolve(&self.client, key).await
    }

    async fn manifest(&self, key: &ManifestKey) -> Result<Option<(Descriptor, Bytes)>, StoreError> {
        manifest::fetch(&self.client, key).await
    }

    async fn put_manifest(
        &self,
        media_type: &str,
        bytes: Bytes,
        tag: Option<&Tag>,
    ) -> Result<Descriptor, StoreError> {
        let (descriptor, _) = manifest::put(&self.client, media_type, &bytes, tag).await?;
        Ok(descriptor)
    }

    async fn has_blob(&self, digest: &Digest) -> Result<bool, StoreError> {
        Ok(self.look_at_blob(digest).await?.is_some())
    }

    async fn put_blob(
        &self,
        descriptor: &Descriptor,
        source: &dyn BlobSource,
        meter: &dyn Meter,
    ) -> Result<Upload, StoreError> {
        let found = self.look_at_blob(&descriptor.digest).await?;
        // One that has another size was damaged: it is sent again. Some registries say nothing of
        // the size, or 0.
        let length = found
            .as_ref()
            .and_then(|found| answer::content_length(found.headers()));
        let length = length.filter(|length| *length != 0);
        if found.is_some() && length.is_none_or(|length| length == descriptor.size) {
            return Ok(Upload::AlreadyThere);
        }
        upload::upload(&self.client, descriptor, source, meter).await?;
        Ok(Upload::Sent)
    }

    async fn blob(&self, descriptor: &Descriptor) -> Result<BlobStream, StoreError> {
        download::download(&self.client, descriptor).await
    }

    async fn blob_from(
        &self,
        descriptor: &Descriptor,
        from: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, StoreError>>, StoreError> {
        download::go_on(&self.client, descriptor, from).await
    }

    async fn tags(&self) -> Result<Vec<Tag>, StoreError> {
        list::tags(&self.client).await
    }

    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Descriptor>, StoreError> {
        if let Some(found) = list::referrers(&self.client, subject, artifact_type).await? {
            return Ok(found);
        }
        let mut found = fallback::read(&self.client, subject).await?;
        found.retain(|entry| referrers::is_wanted(entry, artifact_type));
        Ok(found)
    }

    async fn put_referrer(&self, media_type: &str, bytes: Bytes) -> Result<Descriptor, StoreError> {
        let (subject, descriptor) =
            referrers::describe(&self.client.repository, media_type, &bytes)?;
        let (_, response) = manifest::put(&self.client, media_type, &bytes, None).await?;
        let kept = response.headers().contains_key(OCI_SUBJECT)
            || list::referrers(&self.client, &subject, None)
                .await?
                .is_some();
        if !kept {
            let _one_at_a_time = self.referring.lock().await;
            fallback::add(&self.client, &subject, &descriptor).await?;
        }
        Ok(descriptor)
    }
}
