//! The server that is asked: how it is trusted, what it can, and how it sends files.

use reqwest::{Certificate, ClientBuilder};
use tokio::sync::OnceCell;
use url::Url;

use super::api::Api;
use super::artifacts::Key;
use super::said::Said;
use super::server::Server;
use crate::import::{ImportError, Opened, Opening};
use crate::platform::atomic::read_at_most;
use crate::platform::http;

/// The largest file of certificates: hundreds of them.
const MAX_CERTIFICATES: u64 = 4 << 20;

/// How servers are trusted, by MLflow's own variables.
#[derive(Default)]
pub(super) struct Http {
    is_insecure: bool,
    certificates: Vec<Certificate>,
}

impl Http {
    /// What MLflow's variables say.
    ///
    /// # Errors
    /// If the file of certificates can't be read.
    pub(super) fn read(
        plain: &dyn Fn(&str) -> Option<String>,
        opening: &Opening<'_>,
    ) -> Result<Self, ImportError> {
        let is_insecure = plain("MLFLOW_TRACKING_INSECURE_TLS");
        let is_insecure =
            is_insecure.is_some_and(|value| matches!(&*value.to_lowercase(), "true" | "1"));
        let mut certificates = Vec::new();
        if let Some(path) = plain("MLFLOW_TRACKING_SERVER_CERT_PATH") {
            let bytes = read_at_most(&opening.folder.join(&path), MAX_CERTIFICATES)?;
            let read = Certificate::from_pem_bundle(&bytes);
            certificates = read.map_err(|_| ImportError::Malformed {
                place: path,
                reason: "it has no certificate in PEM; see MLFLOW_TRACKING_SERVER_CERT_PATH"
                    .to_owned(),
            })?;
        }
        Ok(Self {
            is_insecure,
            certificates,
        })
    }

    /// What clients are made with.
    pub(super) fn builder(&self) -> ClientBuilder {
        http::builder()
            .tls_danger_accept_invalid_certs(self.is_insecure)
            .tls_certs_merge(self.certificates.clone())
    }
}

/// A server that is asked.
pub(super) struct Connection {
    pub(super) api: Api,
    pub(super) url: Url,
    /// Ours, which ends with us.
    _own: Option<Server>,
    signing: OnceCell<Signing>,
}

/// Whether the server signs URLs of its store, for those who fetch from it.
#[derive(Debug, Clone, Copy, Default)]
struct Signing {
    is_on: bool,
    /// It sends no bytes itself.
    is_only: bool,
}

impl Connection {
    /// One that is asked by `api` at `url`; `own` ends with it.
    pub(super) fn new(api: Api, url: Url, own: Option<Server>) -> Self {
        Self {
            api,
            url,
            _own: own,
            signing: OnceCell::new(),
        }
    }

    /// Begins to read what the server sends, or signs a URL for.
    ///
    /// # Errors
    /// If it can't be read.
    pub(super) async fn open(
        &self,
        key: &Key,
        from: u64,
        doing: &str,
    ) -> Result<Opened, ImportError> {
        let client = &self.api.client;
        let signing = self.signing().await?;
        match key {
            Key::Store { path } => {
                let parts = path.split('/');
                let below = |name| ["api", "2.0", "mlflow-artifacts", name].into_iter();
                if signing.is_on || signing.is_only {
                    let path: Vec<_> = below("presigned").chain(parts.clone()).collect();
                    match self.signed(&path, &[], doing).await {
                        // It signs in general, and not for this store.
                        Err(ImportError::Refused { status: 404, .. }) | Ok(None)
                            if !signing.is_only => {}
                        Ok(None) => return Err(self.unsigned(doing)),
                        url => return client.open_at(url?.expect("it is some"), from, doing).await,
                    }
                }
                let path: Vec<_> = below("artifacts").chain(parts).collect();
                client.open(&path, &[], from, doing).await
            }
            Key::Run { id, path } => {
                let query = [("run_id", &**id), ("path", path)];
                self.open_by(&["get-artifact"], &query, from, doing).await
            }
            Key::LoggedModel { id, path } => {
                let at = ["ajax-api", "2.0", "mlflow", "logged-models", id];
                let at = [&at[..], &["artifacts", "files"]].concat();
                let query = [("artifact_file_path", &**path)];
                self.open_by(&at, &query, from, doing).await
            }
            Key::S3 { .. } => Err(self.unsigned(doing)),
        }
    }

    /// Begins to read what the server has in a store that is not its own.
    async fn open_by(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        from: u64,
        doing: &str,
    ) -> Result<Opened, ImportError> {
        let client = &self.api.client;
        if !self.signing().await?.is_only {
            return client.open(path, query, from, doing).await;
        }
        let query = [query, &[("presigned", "true")]].concat();
        let url = self.signed(path, &query, doing).await?;
        let url = url.ok_or_else(|| self.unsigned(doing))?;
        client.open_at(url, from, doing).await
    }

    /// A URL that the server signed, if it needs nothing else.
    async fn signed(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        doing: &str,
    ) -> Result<Option<Url>, ImportError> {
        let mut said: Said = self.api.client.json(path, query, doing).await?;
        let needs_headers = said.object("headers") != Said::default();
        let url = said.text("url").filter(|_| !needs_headers);
        Ok(url.and_then(|url| url.parse().ok()))
    }

    fn unsigned(&self, doing: &str) -> ImportError {
        self.api
            .malformed(doing, &"it signs no URL that can be fetched from")
    }

    /// What the server says of itself; servers before 3.x don't.
    async fn signing(&self) -> Result<Signing, ImportError> {
        let ask = || async {
            let path = ["api", "3.0", "mlflow", "server-info"];
            let said = self
                .api
                .client
                .json::<Said>(&path, &[], "see what it can")
                .await;
            let said = match said {
                Err(ImportError::Refused { .. } | ImportError::Malformed { .. }) => Said::default(),
                said => said?,
            };
            let is =
                |field: &str| said.0.get(field).and_then(serde_json::Value::as_bool) == Some(true);
            Ok(Signing {
                is_on: is("multipart_downloads_enabled"),
                is_only: is("artifacts_presigned_only"),
            })
        };
        self.signing.get_or_try_init(ask).await.copied()
    }
}
