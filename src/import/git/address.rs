//! Where a repository is, and who we are there.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::import::ImportError;
use crate::platform::atomic::FileError;
use crate::platform::redact;

/// Where a repository is.
pub(super) enum At {
    /// Elsewhere: a URL, or git's short form, credentials and all.
    Remote(String),
    /// A folder of this machine.
    Folder(PathBuf),
}

impl At {
    /// What `text` means, a path from `folder`, and how it is shown.
    ///
    /// # Errors
    /// If no repository can be there, or there is no such folder.
    pub(super) fn of(text: &str, folder: &Path) -> Result<(Self, String), ImportError> {
        let shown = redact::remote(text);
        if text.starts_with('-') || text.chars().any(char::is_control) {
            return Err(ImportError::Malformed {
                place: shown,
                reason: "no repository can be there".to_owned(),
            });
        }
        if is_elsewhere(text) {
            return Ok((Self::Remote(text.to_owned()), shown));
        }
        let path = folder.join(text);
        let path = fs::canonicalize(&path).map_err(FileError::at("read", path))?;
        let shown = path.display().to_string();
        Ok((Self::Folder(path), shown))
    }
}

/// Whether `text` is an address, and no path of this machine.
pub(in crate::import) fn is_elsewhere(text: &str) -> bool {
    let first = text.split('/').next().unwrap_or_default();
    text.contains("://") || (first.contains(':') && !first.starts_with('.'))
}

/// The header that carries our token, for the address's own host alone. A forge takes a token for
/// a password, whoever the user is said to be.
pub(super) fn header(address: &str, token: &SecretString) -> Option<(String, String)> {
    let url = Url::parse(address).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let origin = url.origin().ascii_serialization();
    let login = format!("{USER}:{}", token.expose_secret().trim());
    let login = base64::engine::general_purpose::STANDARD.encode(login);
    Some((
        format!("http.{origin}/.extraHeader"),
        format!("Authorization: Basic {login}"),
    ))
}

/// The user that a token is a password of: GitLab's and GitHub's word; Gitea takes any.
pub(super) const USER: &str = "oauth2";

#[cfg(test)]
mod tests {
    //! What is sent, and to whom.

    use super::*;

    #[test]
    fn a_token_goes_to_its_own_host_alone() {
        let token: SecretString = "t".to_owned().into();
        let (setting, value) = header("https://git.example.com:8443/a/b.git", &token).unwrap();
        assert_eq!(setting, "http.https://git.example.com:8443/.extraHeader");
        assert_eq!(value, "Authorization: Basic b2F1dGgyOnQ=");
        assert_eq!(header("git@git.example.com:a/b.git", &token), None);
    }
}
