//! Where a private key is taken from: a file, or an environment variable.

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::codes;
use super::key::{KEY_LIMIT_BYTES, KeyError, SigningKey};
use crate::platform::atomic::{self, FileError};
use crate::platform::redact::printable;
use crate::record::{Code, Fault};

/// What the name of a key in an environment variable begins with, as cosign has it.
pub const ENVIRONMENT_SCHEME: &str = "env://";

/// Where a sealed private key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A file.
    File(PathBuf),
    /// An environment variable that holds the PEM text: `env://NAME`.
    Environment(String),
}

/// A private key as it was read, still sealed by its password.
#[derive(Debug)]
pub struct SealedKey {
    place: String,
    pem: SecretString,
}

/// A private key that can't be had.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Its file can't be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The variable is not set.
    #[error("the environment has no variable {}, or an empty one", printable(name))]
    NoVariable {
        /// Its name.
        name: String,
    },
    /// What is there is no key, or the password is another.
    #[error("can't use the key {place}")]
    Key {
        /// Where it is.
        place: String,
        /// Why.
        #[source]
        source: KeyError,
    },
}

impl Fault for SourceError {
    fn code(&self) -> &'static Code {
        match self {
            Self::File(error) => error.code(),
            Self::NoVariable { .. } => &codes::NO_KEY_VARIABLE,
            Self::Key { source, .. } => source.code(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::File(error) => error.help(),
            Self::NoVariable { .. } => {
                Some("set it to the text of the key's file, its line breaks kept".to_owned())
            }
            Self::Key { source, .. } => source.help(),
        }
    }
}

impl KeySource {
    /// Reads the key, asking `variable` for the environment's variables.
    ///
    /// # Errors
    /// [`SourceError`] if there is no such file or variable.
    pub fn read(
        &self,
        variable: impl Fn(&str) -> Option<SecretString>,
    ) -> Result<SealedKey, SourceError> {
        let pem = match self {
            Self::File(path) => {
                let bytes = atomic::read_at_most(path, KEY_LIMIT_BYTES)?;
                let text = String::from_utf8(bytes).map_err(|_| SourceError::Key {
                    place: self.to_string(),
                    source: KeyError::Unreadable {
                        reason: "it is not text".to_owned(),
                    },
                })?;
                SecretString::from(text)
            }
            Self::Environment(name) => {
                // A pipeline's secret that nobody has set is an empty variable.
                let text = variable(name).filter(|text| !text.expose_secret().is_empty());
                text.ok_or_else(|| SourceError::NoVariable { name: name.clone() })?
            }
        };
        let place = self.to_string();
        Ok(SealedKey { place, pem })
    }
}

impl SealedKey {
    /// Where it was read from.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Opens it by its password. This takes a moment and 64 MiB, on purpose.
    ///
    /// # Errors
    /// [`SourceError::Key`].
    pub fn open(&self, password: &SecretString) -> Result<SigningKey, SourceError> {
        let pem = self.pem.expose_secret().as_bytes();
        SigningKey::from_encrypted_pem(pem, password).map_err(|source| SourceError::Key {
            place: self.place.clone(),
            source,
        })
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => formatter.write_str(&printable(&path.display().to_string())),
            Self::Environment(name) => {
                write!(formatter, "{ENVIRONMENT_SCHEME}{}", printable(name))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COSIGN_KEY: &str = include_str!("known/cosign.key");

    #[test]
    fn a_key_is_read_from_a_file_or_a_variable_and_its_place_is_told_when_it_fails() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("release.key");
        atomic::write(&path, COSIGN_KEY.as_bytes(), atomic::Readers::Owner).unwrap();
        let variable = |name: &str| (name == "KEY").then(|| SecretString::from(COSIGN_KEY));
        let environment = KeySource::Environment("KEY".to_owned());
        for source in [KeySource::File(path), environment] {
            let sealed = source.read(variable).unwrap();
            assert!(!format!("{sealed:?}").contains("eyJr"));
            sealed.open(&SecretString::from("secret")).unwrap();
            let failed = sealed.open(&SecretString::from("other")).unwrap_err();
            assert!(failed.to_string().contains(&source.to_string()));
        }
        let missing = KeySource::Environment("NO\u{1b}".to_owned()).read(variable);
        insta::assert_snapshot!(missing.unwrap_err(), @r"the environment has no variable NO\u{1b}, or an empty one");
        let missing = KeySource::File(folder.path().join("no.key")).read(variable);
        assert!(matches!(missing, Err(SourceError::File(_))));
    }
}
