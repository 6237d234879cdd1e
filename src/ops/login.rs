//! Logins to registries: `modelyard login` and `modelyard logout`.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Serialize;

use super::codes;
use crate::artifact::StoreOptions;
use crate::artifact::credentials::{self, KeptIn, Login};
use crate::artifact::registry::check_login;
use crate::record::{Code, Failure, Fault, Repository};

/// A login that was kept or forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedIn {
    /// The registry.
    pub registry: String,
    /// Whether there is a login now.
    pub logged_in: bool,
    /// The file that has it, if a file does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The helper that has it, if a helper does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helper: Option<String>,
}

/// Why there is no login.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// A folder has no login.
    #[error("`{text}` is not a registry's host")]
    NotAHost {
        /// What was given.
        text: String,
    },
    /// A user name that Basic authentication can't carry.
    #[error("a user name can't be empty or have a colon in it")]
    BadUsername,
    /// No password came.
    #[error("the password is empty")]
    NoPassword,
}

impl Fault for LoginError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NotAHost { .. } => &codes::NOT_A_REGISTRY,
            Self::BadUsername | Self::NoPassword => &codes::NOT_A_LOGIN,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotAHost { .. } => "write it as in `registry.example.com:5000`".to_owned(),
            Self::BadUsername => "give the user by `--username`".to_owned(),
            Self::NoPassword => {
                "type it when asked, or hand it in by `--password-stdin`".to_owned()
            }
        })
    }
}

/// The host that `text` names, `https://` before and slashes behind it passed over.
///
/// # Errors
/// [`LoginError::NotAHost`].
pub fn host_of(text: &str) -> Result<String, LoginError> {
    let bare = text.strip_prefix("https://").unwrap_or(text);
    let bare = bare.trim_end_matches('/');
    match bare.parse() {
        Ok(Repository::Registry { host, path }) if path.is_empty() => Ok(host),
        _ => Err(LoginError::NotAHost {
            text: text.to_owned(),
        }),
    }
}

/// Keeps a login, once the registry has taken it.
///
/// # Errors
/// If the registry doesn't take it, or it can't be kept.
pub async fn login(
    host: &str,
    username: &str,
    password: SecretString,
    stores: &StoreOptions,
) -> Result<LoggedIn, Failure> {
    use secrecy::ExposeSecret;
    if username.is_empty() || username.contains(':') {
        return Err(LoginError::BadUsername.into());
    }
    if password.expose_secret().is_empty() {
        return Err(LoginError::NoPassword.into());
    }
    let login = Login::Password {
        username: username.to_owned(),
        password: password.clone(),
    };
    check_login(host, login, stores).await?;
    let kept = credentials::keep(&stores.docker_config, host, username, &password).await?;
    let (file, helper) = match kept {
        KeptIn::File(path) => (Some(path), None),
        KeptIn::Helper(name) => (None, Some(name)),
    };
    Ok(LoggedIn {
        registry: host.to_owned(),
        logged_in: true,
        file,
        helper,
    })
}

/// Forgets a login; gives whether there was one.
///
/// # Errors
/// If what keeps it can't be changed.
pub async fn logout(host: &str, docker_config: &Path) -> Result<bool, Failure> {
    Ok(credentials::forget(docker_config, host).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_told_from_what_is_none() {
        assert_eq!(host_of("https://r.example.com/").unwrap(), "r.example.com");
        assert_eq!(host_of("localhost:5000").unwrap(), "localhost:5000");
        for bad in ["r.example.com/team", "oci-layout:store", "vision", ""] {
            assert!(host_of(bad).is_err(), "{bad:?} was taken");
        }
    }
}
