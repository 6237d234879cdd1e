//! The user's keys, and how a yard comes to accept them.
//!
//! A key NAME is two files in the `keys` folder of the user's configuration, `NAME.key` (sealed by
//! a password, mode 0600) and `NAME.pub`. The private half never goes anywhere else; the public
//! half goes into the yard's `keys/`, together with a rule that asks for its signature.

mod accept;
mod choose;
mod error;
mod store;

use secrecy::SecretString;
use serde::Serialize;

pub use accept::{Accepted, RuleChange, Scope, accept};
pub use choose::{DEFAULT, choose};
pub use error::KeysError;
pub use store::{KeyStore, StoredKey, read_public};

use crate::platform::Clock;
use crate::record::{Failure, Name};
use crate::trust::{KeySource, SigningKey};
use crate::yard::{Yard, blocking};

/// A new key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Generated {
    /// The key's files.
    #[serde(flatten)]
    pub key: StoredKey,
    /// What the yard is to change; absent outside a yard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub yard: Option<Accepted>,
}

/// Makes a key, sealed by `password`, and proposes that `yard` accepts it.
///
/// The change is begun before the key is made and proposed after it: where a yard can't be
/// changed there is no key either, and where proposing fails the key stays, for [`accept()`] to be
/// called again.
///
/// # Errors
/// [`KeysError::Exists`]: no key is ever overwritten. Else what git or the disk fail with.
pub async fn generate(
    store: &KeyStore,
    name: &Name,
    password: &SecretString,
    yard: Option<(&Yard, &Scope)>,
    clock: &dyn Clock,
) -> Result<Generated, Failure> {
    store.expect_free(name)?;
    let change = match yard {
        Some((yard, scope)) => Some((accept::begin(yard, name).await?, scope)),
        None => None,
    };
    let key = SigningKey::generate()?;
    let public = key.verifying_key();
    let (store, named, password) = (store.clone(), name.clone(), password.clone());
    let stored = blocking(move || store.save(&named, &key, &password)).await?;
    let yard = match change {
        Some((change, scope)) => {
            Some(accept::propose_in(change, name, &public, scope, clock.now()).await?)
        }
        None => None,
    };
    Ok(Generated { key: stored, yard })
}

/// Opens the key at `source`: `variable` gives the environment's variables, and `ask` the password
/// of the key at the place it is told.
///
/// # Errors
/// If there is no key, or what `ask` gives does not open it.
pub async fn open(
    source: &KeySource,
    variable: impl Fn(&str) -> Option<SecretString>,
    ask: impl FnOnce(&str) -> Result<SecretString, Failure>,
) -> Result<SigningKey, Failure> {
    let sealed = source.read(variable)?;
    let password = ask(sealed.place())?;
    blocking(move || sealed.open(&password)).await
}
