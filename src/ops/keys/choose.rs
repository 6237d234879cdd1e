//! Which key signs.

use std::path::Path;

use super::error::KeysError;
use super::store::KeyStore;
use crate::record::{Failure, Name, absolute};
use crate::trust::KeySource;
use crate::trust::source::ENVIRONMENT_SCHEME;

/// The key that signs when nobody says which, if it is there.
pub const DEFAULT: &str = "default";

/// Finds the key that `wish` means: `env://NAME`, the name of one of the user's keys, or a file
/// (relative to `directory`). Without a wish it is the user's key `default`, else the only one;
/// `None` where there is no key at all.
///
/// # Errors
/// [`KeysError::NoSuchKey`], and [`KeysError::WhichKey`] where there are several.
pub fn choose(
    store: &KeyStore,
    directory: &Path,
    wish: Option<&str>,
) -> Result<Option<KeySource>, Failure> {
    match wish {
        Some(wish) => wished(store, directory, wish).map(Some),
        None => only(store),
    }
}

fn wished(store: &KeyStore, directory: &Path, wish: &str) -> Result<KeySource, Failure> {
    if let Some(name) = wish.strip_prefix(ENVIRONMENT_SCHEME) {
        return Ok(KeySource::Environment(name.to_owned()));
    }
    if let Ok(name) = wish.parse::<Name>()
        && store.has(&name)
    {
        return Ok(store.source(&name));
    }
    let path = absolute(directory, Path::new(wish));
    // Something with a slash can only be a file: let reading it say what is wrong with it.
    if path.is_file() || wish.contains(['/', std::path::MAIN_SEPARATOR]) {
        return Ok(KeySource::File(path));
    }
    Err(KeysError::NoSuchKey {
        name: wish.to_owned(),
        names: store.names()?,
    }
    .into())
}

fn only(store: &KeyStore) -> Result<Option<KeySource>, Failure> {
    let names = store.names()?;
    let default = names.iter().find(|name| name.as_str() == DEFAULT);
    match (default, names.as_slice()) {
        (Some(name), _) => Ok(Some(store.source(name))),
        (None, []) => Ok(None),
        (None, [name]) => Ok(Some(store.source(name))),
        (None, _) => Err(KeysError::WhichKey { names }.into()),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::platform::Places;
    use crate::trust::SigningKey;

    fn store(folder: &Path, names: &[&str]) -> KeyStore {
        let places = Places {
            config: folder.to_owned(),
            cache: folder.to_owned(),
            state: folder.to_owned(),
            docker_config: folder.to_owned(),
        };
        let store = KeyStore::new(&places);
        for name in names {
            let key = SigningKey::generate().unwrap();
            let name = name.parse().unwrap();
            store.save(&name, &key, &SecretString::from("s")).unwrap();
        }
        store
    }

    fn told(store: &KeyStore, folder: &Path, wish: Option<&str>) -> String {
        match choose(store, folder, wish) {
            Ok(Some(source)) => source
                .to_string()
                .replace(&folder.display().to_string(), ""),
            Ok(None) => "none".to_owned(),
            Err(fault) => fault.code().to_string(),
        }
    }

    #[test]
    fn the_default_key_signs_or_the_only_one_or_the_one_that_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert_eq!(told(&store(folder, &[]), folder, None), "none");
        assert_eq!(
            told(&store(folder, &["release"]), folder, None),
            "/keys/release.key"
        );
        let several = store(folder, &["ann"]);
        assert_eq!(told(&several, folder, None), "which-key");
        assert_eq!(told(&several, folder, Some("ann")), "/keys/ann.key");
        assert_eq!(told(&several, folder, Some("env://KEY")), "env://KEY");
        assert_eq!(
            told(&several, folder, Some("keys/ann.key")),
            "/keys/ann.key"
        );
        assert_eq!(told(&several, folder, Some("./no.key")), "/no.key");
        assert_eq!(told(&several, folder, Some("ben")), "no-such-key");
        assert_eq!(
            told(&store(folder, &["default"]), folder, None),
            "/keys/default.key"
        );
    }

    #[test]
    fn a_key_is_its_owners_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), &["release"]);
        let name: Name = "release".parse().unwrap();
        assert!(store.expect_free(&name).is_err());
        let before = store.get(&name).unwrap();
        let other = SigningKey::generate().unwrap();
        let refused = store.save(&name, &other, &SecretString::from("s"));
        assert_eq!(refused.unwrap_err().code().id, "key-exists");
        assert_eq!(store.get(&name).unwrap(), before);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&before.path)
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_lost_public_half_comes_back_from_the_private_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), &["release"]);
        let name: Name = "release".parse().unwrap();
        let before = store.get(&name).unwrap();
        std::fs::remove_file(before.path.with_extension("pub")).unwrap();
        assert_eq!(store.get(&name).unwrap().fingerprint, None);
        let key = store.public_half(&name, |_| Ok(SecretString::from("s")));
        assert_eq!(Some(key.unwrap().fingerprint()), before.fingerprint);
        assert_eq!(store.get(&name).unwrap(), before);
    }
}
