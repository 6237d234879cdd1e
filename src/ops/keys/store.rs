//! The folder of the user's keys.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Serialize;

use super::error::KeysError;
use crate::platform::Places;
use crate::platform::atomic::{self, FileError, Readers};
use crate::record::{Digest, Failure, Name};
use crate::trust::key::KEY_LIMIT_BYTES;
use crate::trust::{KeySource, SigningKey, SourceError, VerifyingKey};

const PRIVATE: &str = "key";
const PUBLIC: &str = "pub";

/// Where the user's keys are.
#[derive(Debug, Clone)]
pub struct KeyStore {
    folder: PathBuf,
}

/// A key of the user's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredKey {
    /// Its name.
    pub name: Name,
    /// The file of its private half.
    pub path: PathBuf,
    /// The fingerprint of its public half; absent where that file is missing or no key.
    pub fingerprint: Option<Digest>,
    /// Its public half as PEM; absent likewise.
    pub public: Option<String>,
}

impl KeyStore {
    /// The keys of the user whose folders are `places`.
    pub fn new(places: &Places) -> Self {
        Self {
            folder: places.config.join("keys"),
        }
    }

    fn file(&self, name: &Name, extension: &str) -> PathBuf {
        self.folder.join(format!("{name}.{extension}"))
    }

    /// Where the private half of the key called `name` is, whether there is one or not.
    pub fn source(&self, name: &Name) -> KeySource {
        KeySource::File(self.file(name, PRIVATE))
    }

    /// The file of the public half of the key called `name`.
    pub fn public_file(&self, name: &Name) -> PathBuf {
        self.file(name, PUBLIC)
    }

    /// Whether there is a key called `name`.
    pub fn has(&self, name: &Name) -> bool {
        self.file(name, PRIVATE).symlink_metadata().is_ok()
    }

    /// Refuses a name that is taken.
    ///
    /// # Errors
    /// [`KeysError::Exists`].
    pub fn expect_free(&self, name: &Name) -> Result<(), KeysError> {
        for extension in [PRIVATE, PUBLIC] {
            let path = self.file(name, extension);
            if path.symlink_metadata().is_ok() {
                return Err(KeysError::Exists {
                    name: name.clone(),
                    path,
                });
            }
        }
        Ok(())
    }

    /// The names of all keys, sorted.
    ///
    /// # Errors
    /// [`FileError`] if the folder is there and can't be read.
    pub fn names(&self) -> Result<Vec<Name>, FileError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(FileError::at("read", &self.folder)(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let path = entry.map_err(FileError::at("read", &self.folder))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == PRIVATE)
                && let Some(name) = path.file_stem().and_then(|stem| stem.to_str())
            {
                names.extend(name.parse::<Name>());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// All keys, by name.
    ///
    /// # Errors
    /// [`FileError`] if the folder can't be read.
    pub fn list(&self) -> Result<Vec<StoredKey>, FileError> {
        let names = self.names()?;
        Ok(names.into_iter().map(|name| self.stored(name)).collect())
    }

    /// The key called `name`.
    ///
    /// # Errors
    /// [`KeysError::NoSuchKey`] with those that are there.
    pub fn get(&self, name: &Name) -> Result<StoredKey, Failure> {
        if self.has(name) {
            return Ok(self.stored(name.clone()));
        }
        Err(KeysError::NoSuchKey {
            name: name.to_string(),
            names: self.names()?,
        }
        .into())
    }

    fn stored(&self, name: Name) -> StoredKey {
        let public = public_key(&self.file(&name, PUBLIC));
        StoredKey {
            path: self.file(&name, PRIVATE),
            fingerprint: public.as_ref().map(VerifyingKey::fingerprint),
            public: public.as_ref().map(VerifyingKey::to_pem),
            name,
        }
    }

    /// Keeps a new key, its private half sealed by `password`, for its owner's eyes only.
    ///
    /// # Errors
    /// [`KeysError::Exists`] if another process made one by that name meanwhile.
    pub(super) fn save(
        &self,
        name: &Name,
        key: &SigningKey,
        password: &SecretString,
    ) -> Result<StoredKey, Failure> {
        let sealed = key.to_encrypted_pem(password)?;
        atomic::create_folder(&self.folder)?;
        let path = self.file(name, PRIVATE);
        write_new(&self.folder, &path, sealed.as_bytes(), name)?;
        let public = key.verifying_key().to_pem();
        let public_path = self.file(name, PUBLIC);
        atomic::write(&public_path, public.as_bytes(), Readers::Umask)?;
        Ok(self.stored(name.clone()))
    }

    /// The public half of the key called `name`: from its file, or, where that is gone, from the
    /// private half, opened by the password that `ask` gives; it is then written anew.
    ///
    /// # Errors
    /// [`KeysError::NoSuchKey`], or what `ask` and opening fail with.
    pub fn public_half(
        &self,
        name: &Name,
        ask: impl FnOnce(&str) -> Result<SecretString, Failure>,
    ) -> Result<VerifyingKey, Failure> {
        self.get(name)?;
        let path = self.file(name, PUBLIC);
        if let Some(key) = public_key(&path) {
            return Ok(key);
        }
        let sealed = self.source(name).read(|_| None)?;
        let key = sealed.open(&ask(sealed.place())?)?.verifying_key();
        atomic::write(&path, key.to_pem().as_bytes(), Readers::Umask)?;
        Ok(key)
    }
}

/// Reads a public key's file.
///
/// # Errors
/// [`SourceError`] if it can't be read or is no key.
pub fn read_public(path: &Path) -> Result<VerifyingKey, SourceError> {
    let pem = atomic::read_at_most(path, KEY_LIMIT_BYTES)?;
    VerifyingKey::from_pem(&pem).map_err(|source| SourceError::Key {
        place: path.display().to_string(),
        source,
    })
}

fn public_key(path: &Path) -> Option<VerifyingKey> {
    read_public(path).ok()
}

/// Writes a file that must not be there yet, whoever else tries at the same time.
fn write_new(folder: &Path, path: &Path, bytes: &[u8], name: &Name) -> Result<(), Failure> {
    let mut file = atomic::temporary_file(folder, Readers::Owner)?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(FileError::at("write", path))?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(atomic::sync_folder(folder)?),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(KeysError::Exists {
                name: name.clone(),
                path: path.to_owned(),
            }
            .into())
        }
        Err(error) => Err(FileError::at("write", path)(error.error).into()),
    }
}
