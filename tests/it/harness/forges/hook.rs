//! What a forge tells of a push to main, in its own words and under its own signature.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

use super::super::web;
use super::Dialect;

/// Where it is told.
#[derive(Clone)]
pub(super) struct Hook {
    dialect: Dialect,
    host: String,
    path: String,
    secret: String,
}

impl Hook {
    pub(super) fn new(dialect: Dialect, url: &str, secret: &str) -> Self {
        let url = url::Url::parse(url).expect("a URL");
        Self {
            dialect,
            host: format!(
                "{}:{}",
                url.host_str().expect("a host"),
                url.port().expect("a port")
            ),
            path: url.path().to_owned(),
            secret: secret.to_owned(),
        }
    }

    /// Tells that main is at `commit`; who is told has to listen.
    pub(super) fn tell(&self, commit: &str) {
        let body = json!({
            "ref": "refs/heads/main",
            "after": commit,
            "repository": { "full_name": "acme/yard" },
            "project": { "path_with_namespace": "acme/yard" },
        });
        let mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes());
        let mac = mac.expect("a key of any length is one");
        let mac = mac.chain_update(body.to_string()).finalize().into_bytes();
        let digits: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        let signature = format!("sha256={digits}");
        let headers = match self.dialect {
            Dialect::Github => [
                ("x-github-event", "push"),
                ("x-hub-signature-256", &signature),
            ],
            Dialect::Gitlab => [
                ("x-gitlab-event", "Push Hook"),
                ("x-gitlab-token", &self.secret),
            ],
        };
        let said = web::ask(&self.host, "POST", &self.path, &headers, Some(&body));
        assert_eq!(said.status, 200, "{}", said.text());
    }
}
