//! Logins to registries, where Docker keeps them.
//!
//! ```json
//! {"auths": {"registry.example.com": {"auth": "base64 of user:password"}},
//!  "credHelpers": {"other.example.com": "gcloud"},
//!  "credsStore": "secretservice"}
//! ```
//!
//! A host's own helper goes first, then the common one, then what stands in the file itself. A
//! helper is a program `docker-credential-<name>`, which is told the host and answers with user
//! and password. What we don't know in the file stays as it is.

mod config;
mod helper;

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use self::config::{Config, Keeper};
use super::codes;
use crate::platform::atomic::FileError;
use crate::record::{Class, Code, Fault};

/// Who we are to a registry.
#[derive(Debug, Clone)]
pub enum Login {
    /// A user with a password, or with an access token in its place.
    Password {
        /// The user.
        username: String,
        /// The password.
        password: SecretString,
    },
    /// A token that the registry's login server exchanges for others.
    IdentityToken(SecretString),
    /// A token that the registry takes as it is.
    RegistryToken(SecretString),
}

/// Where a login is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptIn {
    /// Docker's configuration file.
    File(PathBuf),
    /// The helper `docker-credential-<name>`.
    Helper(String),
}

/// Logins that could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The configuration file can't be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The configuration file is broken.
    #[error("{} can't be read: {reason}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong with it; never what stands in it.
        reason: String,
    },
    /// A helper is not there or can't be run.
    #[error("the credential helper `docker-credential-{name}` can't be run")]
    Run {
        /// Its name, as in the configuration.
        name: String,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A helper answered with an error, with nothing, or not at all.
    #[error("the credential helper `docker-credential-{name}` {reason}")]
    Helper {
        /// Its name, as in the configuration.
        name: String,
        /// What it did instead.
        reason: String,
    },
}

impl Fault for CredentialsError {
    fn code(&self) -> &'static Code {
        match self {
            Self::File(error) => error.code(),
            Self::Form { .. } => &codes::DOCKER_CONFIG,
            Self::Run { .. } | Self::Helper { .. } => &codes::CREDENTIAL_HELPER,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::File(error) => return error.help(),
            Self::Form { .. } => {
                "mend the file, or move it away and log in again by `modelyard login`".to_owned()
            }
            Self::Run { name, .. } => format!(
                "install `docker-credential-{name}`, or take it out of `credsStore` and \
                 `credHelpers` in Docker's config.json"
            ),
            Self::Helper { name, .. } => format!(
                "try `docker-credential-{name} list`; log in again by `modelyard login` if the \
                 login ran out"
            ),
        })
    }

    fn class(&self) -> Class {
        Class::Permanent
    }
}

/// The logins of one user.
#[derive(Debug, Clone)]
pub struct Credentials {
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Docker(PathBuf),
    Given(Login),
}

impl Credentials {
    /// Those in the `config.json` of this folder; it is read when one is asked for.
    pub fn new(docker_config: &Path) -> Self {
        Self {
            source: Source::Docker(docker_config.join("config.json")),
        }
    }

    /// This one, for every registry.
    pub fn given(login: Login) -> Self {
        Self {
            source: Source::Given(login),
        }
    }

    /// The login for `host`, if there is one.
    ///
    /// # Errors
    /// [`CredentialsError`] if the file is broken, or a helper doesn't answer.
    pub async fn find(&self, host: &str) -> Result<Option<Login>, CredentialsError> {
        let path = match &self.source {
            Source::Docker(path) => path,
            Source::Given(login) => return Ok(Some(login.clone())),
        };
        let config = Config::read(path)?;
        if let Keeper::Helper(name) = config.keeper(host)
            && let Some(login) = helper::get(&name, &config::key(host)).await?
        {
            return Ok(Some(login));
        }
        config.login(host)
    }
}

/// Keeps `login` for `host` where Docker would, and tells where that is.
///
/// # Errors
/// [`CredentialsError`] if the file can't be changed, or a helper doesn't take it.
pub async fn keep(
    docker_config: &Path,
    host: &str,
    username: &str,
    password: &SecretString,
) -> Result<KeptIn, CredentialsError> {
    let path = docker_config.join("config.json");
    let mut config = Config::read(&path)?;
    match config.keeper(host) {
        Keeper::Helper(name) => {
            helper::store(&name, &config::key(host), username, password).await?;
            // As Docker does, so that tools which list the file's hosts find this one.
            config.put(host, None);
            config.write()?;
            Ok(KeptIn::Helper(name))
        }
        Keeper::File => {
            config.put(host, Some((username, password)));
            config.write()?;
            Ok(KeptIn::File(path))
        }
    }
}

/// Forgets the login for `host`; `false` if there was none.
///
/// # Errors
/// [`CredentialsError`] if the file can't be changed, or a helper fails.
pub async fn forget(docker_config: &Path, host: &str) -> Result<bool, CredentialsError> {
    let path = docker_config.join("config.json");
    let mut config = Config::read(&path)?;
    let mut forgotten = false;
    if let Keeper::Helper(name) = config.keeper(host)
        && helper::get(&name, &config::key(host)).await?.is_some()
    {
        helper::erase(&name, &config::key(host)).await?;
        forgotten = true;
    }
    if config.remove(host) {
        config.write()?;
        forgotten = true;
    }
    Ok(forgotten)
}
