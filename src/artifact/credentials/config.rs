//! Docker's `config.json`.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::{CredentialsError, Login};
use crate::platform::atomic::{self, Readers};

/// No configuration is larger.
const MAX_CONFIG_BYTES: u64 = 4 * 1024 * 1024;

/// The name that Docker keeps Docker Hub's login under.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// Who keeps the login of a host.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Keeper {
    Helper(String),
    File,
}

/// The file as it was read.
#[derive(Debug)]
pub(super) struct Config {
    path: PathBuf,
    fields: Map<String, Value>,
}

/// The name under which a host's login is kept.
pub(super) fn key(host: &str) -> String {
    match host {
        "docker.io" | "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB.to_owned(),
        host => host.to_owned(),
    }
}

impl Config {
    /// Reads the file; one that isn't there is empty.
    pub(super) fn read(path: &Path) -> Result<Self, CredentialsError> {
        // A link is followed, so that writing replaces the file and not the link.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let bytes = atomic::read_if_there(&path, MAX_CONFIG_BYTES)?;
        let bytes = bytes.unwrap_or_else(|| b"{}".to_vec());
        match serde_json::from_slice(&bytes) {
            Ok(fields) => Ok(Self { path, fields }),
            // serde_json tells the place and never the value.
            Err(error) => Err(CredentialsError::Form {
                path,
                reason: format!("line {}, column {}", error.line(), error.column()),
            }),
        }
    }

    /// Writes it back, for its owner's eyes only.
    pub(super) fn write(&self) -> Result<(), CredentialsError> {
        let mut text = serde_json::to_string_pretty(&self.fields).expect("its keys are strings");
        text.push('\n');
        Ok(atomic::write(&self.path, text.as_bytes(), Readers::Owner)?)
    }

    /// Who keeps the login of `host`.
    pub(super) fn keeper(&self, host: &str) -> Keeper {
        let own = self.fields.get("credHelpers").and_then(|helpers| {
            let helpers = helpers.as_object()?;
            helpers.get(&key(host)).or_else(|| helpers.get(host))
        });
        let common = self.fields.get("credsStore");
        match own.or(common).and_then(Value::as_str) {
            Some(name) if !name.is_empty() => Keeper::Helper(name.to_owned()),
            _ => Keeper::File,
        }
    }

    /// The login that stands in the file itself.
    pub(super) fn login(&self, host: &str) -> Result<Option<Login>, CredentialsError> {
        let Some(entry) = self.entry(host) else {
            return Ok(None);
        };
        let field = |name: &str| {
            let text = entry.get(name).and_then(Value::as_str);
            text.filter(|text| !text.is_empty())
        };
        if let Some(token) = field("identitytoken") {
            return Ok(Some(Login::IdentityToken(token.into())));
        }
        if let Some(token) = field("registrytoken") {
            return Ok(Some(Login::RegistryToken(token.into())));
        }
        if let Some(auth) = field("auth") {
            return self.decode(host, auth).map(Some);
        }
        match (field("username"), field("password")) {
            (Some(username), Some(password)) => Ok(Some(Login::Password {
                username: username.to_owned(),
                password: password.into(),
            })),
            _ => Ok(None),
        }
    }

    fn decode(&self, host: &str, auth: &str) -> Result<Login, CredentialsError> {
        let decoded = STANDARD.decode(auth).ok();
        let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        let parts = text.as_ref().and_then(|text| text.split_once(':'));
        match parts {
            Some((username, password)) => Ok(Login::Password {
                username: username.to_owned(),
                // Docker once padded it with zeros.
                password: password.trim_end_matches('\0').into(),
            }),
            None => Err(CredentialsError::Form {
                path: self.path.clone(),
                reason: format!("the `auth` of {host} is not base64 of user:password"),
            }),
        }
    }

    /// The entry of `host`: under its name, or under an address that begins with it, as older
    /// Dockers wrote it.
    fn entry(&self, host: &str) -> Option<&Map<String, Value>> {
        let auths = self.fields.get("auths")?.as_object()?;
        let exact = auths.get(&key(host)).or_else(|| auths.get(host));
        let entry = exact.or_else(|| {
            let found = auths.iter().find(|(name, _)| host_of(name) == host)?;
            Some(found.1)
        })?;
        entry.as_object()
    }

    /// Puts an entry: the login, or an empty one where a helper keeps it.
    pub(super) fn put(&mut self, host: &str, login: Option<(&str, &SecretString)>) {
        let entry = match login {
            Some((username, password)) => {
                let text = format!("{username}:{}", password.expose_secret());
                json!({"auth": STANDARD.encode(text)})
            }
            None => json!({}),
        };
        let auths = self.fields.entry("auths").or_insert_with(|| json!({}));
        if !auths.is_object() {
            *auths = json!({});
        }
        auths[key(host)] = entry;
    }

    /// Drops every entry of `host`; `false` if there was none.
    pub(super) fn remove(&mut self, host: &str) -> bool {
        let Some(Value::Object(auths)) = self.fields.get_mut("auths") else {
            return false;
        };
        let before = auths.len();
        let key = key(host);
        auths.retain(|name, _| *name != key && name != host && host_of(name) != host);
        auths.len() != before
    }
}

/// The host in `https://host/v1/`.
fn host_of(name: &str) -> &str {
    let rest = name
        .strip_prefix("https://")
        .or_else(|| name.strip_prefix("http://"))
        .unwrap_or(name);
    rest.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(fields: Value) -> Config {
        Config {
            path: PathBuf::from("config.json"),
            fields: serde_json::from_value(fields).unwrap(),
        }
    }

    fn found(config: &Config, host: &str) -> Option<(String, String)> {
        match config.login(host).unwrap()? {
            Login::Password { username, password } => {
                Some((username, password.expose_secret().to_owned()))
            }
            Login::IdentityToken(token) => Some(("<token>".into(), token.expose_secret().into())),
            Login::RegistryToken(token) => Some(("<bearer>".into(), token.expose_secret().into())),
        }
    }

    #[test]
    fn logins_are_found_as_docker_writes_them() {
        let config = config(json!({"auths": {
            "a.example.com": {"auth": STANDARD.encode("me:pass:word")},
            "https://b.example.com/v1/": {"username": "me", "password": "p"},
            "c.example.com": {"identitytoken": "t", "auth": STANDARD.encode("me:")},
            "d.example.com": {},
            "https://index.docker.io/v1/": {"auth": STANDARD.encode("hub:p")},
        }}));
        let pair = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(found(&config, "a.example.com"), pair("me", "pass:word"));
        assert_eq!(found(&config, "b.example.com"), pair("me", "p"));
        assert_eq!(found(&config, "c.example.com"), pair("<token>", "t"));
        assert_eq!(found(&config, "d.example.com"), None);
        assert_eq!(found(&config, "example.com"), None);
        assert_eq!(found(&config, "docker.io"), pair("hub", "p"));
    }

    #[test]
    fn a_hosts_own_helper_goes_before_the_common_one() {
        let config = config(json!({
            "credsStore": "common", "credHelpers": {"a.example.com": "own"}
        }));
        assert_eq!(config.keeper("a.example.com"), Keeper::Helper("own".into()));
        assert_eq!(
            config.keeper("b.example.com"),
            Keeper::Helper("common".into())
        );
    }

    #[test]
    fn what_we_do_not_know_stays() {
        let mut config = config(json!({
            "HttpHeaders": {"x": "y"}, "auths": {"b.example.com": {"auth": "eA==", "email": "e"}}
        }));
        config.put("a.example.com", Some(("me", &"p".into())));
        assert_eq!(config.fields["HttpHeaders"]["x"], "y");
        assert_eq!(config.fields["auths"]["b.example.com"]["email"], "e");
        assert_eq!(
            found(&config, "a.example.com"),
            Some(("me".into(), "p".into()))
        );
        assert!(config.remove("a.example.com"));
        assert!(!config.remove("a.example.com"));
        assert!(config.entry("b.example.com").is_some());
    }

    #[test]
    fn a_broken_login_is_an_error_that_tells_no_secret() {
        let config = config(json!({"auths": {"a.example.com": {"auth": "s3cret!"}}}));
        let error = config.login("a.example.com").unwrap_err().to_string();
        assert!(!error.contains("s3cret"), "{error}");
    }
}
