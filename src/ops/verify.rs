//! Says who vouches for an artifact: by the yard's trust policy, or by keys that are handed in.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use super::codes;
use super::keys::read_public;
use super::locate::{self, Located, Reference};
use crate::artifact::StoreOptions;
use crate::record::kind::RelativePath;
use crate::record::{Code, Failure, Fault};
use crate::trust::{Context, Policy, Verdict, VerifyingKey, judge, signatures};
use crate::yard::{Catalog, Snapshot, Yard, YardError, blocking};

/// What verifying came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// What was verified, by its digest.
    pub reference: String,
    /// The version that it is, where it was looked up in a yard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What the policy, or the keys, say.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A bare reference, and no key to hold against its signatures.
    #[error("no key says whose signature of {reference} counts")]
    NoKeyGiven {
        /// The reference.
        reference: String,
    },
}

impl Fault for VerifyError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NoKeyGiven { .. } => &codes::NO_KEY_GIVEN,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NoKeyGiven { .. } => Some(
                "name the public key by `--key FILE`, or the version by its model, so that the \
                 yard's trust policy can tell"
                    .to_owned(),
            ),
        }
    }
}

/// The trust policy of `snapshot` with the keys that it names.
///
/// # Errors
/// If `modelyard.yaml` or a key's file can't be read; a key that is missing is no error.
pub fn policy_at(snapshot: &Snapshot) -> Result<Policy, Failure> {
    let yard = Catalog::new(snapshot.clone()).yard()?;
    Ok(Policy::gather(&yard.spec.trust, |path| {
        snapshot.read(path)
    })?)
}

/// A policy that asks for a signature by any of the public keys in `paths`.
///
/// # Errors
/// As [`read_public`].
pub fn policy_of_keys(paths: &[PathBuf]) -> Result<Policy, Failure> {
    let mut keys: Vec<(RelativePath, VerifyingKey)> = Vec::new();
    for path in paths {
        let key = read_public(path)?;
        keys.push((label(path, &key, &keys), key));
    }
    Ok(Policy::of_keys(keys))
}

/// What a key's file is called in the verdict: its name, or its fingerprint where that says
/// nothing.
fn label(path: &Path, key: &VerifyingKey, others: &[(RelativePath, VerifyingKey)]) -> RelativePath {
    let name = path.file_name().map(|name| name.to_string_lossy());
    let name = name.and_then(|name| name.parse::<RelativePath>().ok());
    let taken = |name: &RelativePath| others.iter().any(|(other, _)| other == name);
    name.filter(|name| !taken(name)).unwrap_or_else(|| {
        let fingerprint = key.fingerprint().hex();
        fingerprint.parse().expect("hexadecimal digits make a path")
    })
}

/// What verifying works with.
pub struct Ground<'a> {
    /// The yard whose policy counts; a version of a model needs one.
    pub yard: Option<Yard>,
    /// What a relative layout is relative to.
    pub directory: &'a Path,
    /// How stores are opened.
    pub stores: &'a StoreOptions,
    /// The time.
    pub now: Timestamp,
}

/// Holds the yard's policy, or in its place the public keys in `keys`, against the signatures of
/// what `reference` means. They are fetched whether or not a rule asks for any: whoever asks is
/// told of every one that is there.
///
/// # Errors
/// [`VerifyError`], or if the yard or the store can't tell.
pub async fn verify(
    reference: &Reference,
    keys: &[PathBuf],
    ground: &Ground<'_>,
) -> Result<Verified, Failure> {
    let given = match keys {
        [] => None,
        paths => Some(policy_of_keys(paths)?),
    };
    let at_hand = match &ground.yard {
        Some(yard) => Some(at_hand(yard, given.is_none()).await?),
        None => None,
    };
    let (catalog, policy) = at_hand.unzip();
    let policy = given.or(policy.flatten());
    let policy = policy.ok_or_else(|| VerifyError::NoKeyGiven {
        reference: reference.to_string(),
    })?;
    let located = match (reference, &catalog) {
        (Reference::Oci(reference), _) => {
            locate::in_store(reference, ground.directory, ground.stores).await?
        }
        (Reference::Model(reference), Some(catalog)) => {
            locate::in_yard(reference, catalog, ground.stores).await?
        }
        (Reference::Model(_), None) => {
            let place = ground.directory.display().to_string();
            return Err(YardError::NoYard { place }.into());
        }
    };
    judged(&located, &policy, ground.now).await
}

/// The yard's records as they are now, and its policy if it is asked for.
async fn at_hand(yard: &Yard, with_policy: bool) -> Result<(Catalog, Option<Policy>), Failure> {
    let yard = yard.clone();
    blocking(move || {
        let snapshot = yard.snapshot(&yard.at_hand())?;
        let policy = match with_policy {
            true => Some(policy_at(&snapshot)?),
            false => None,
        };
        Ok::<_, Failure>((Catalog::new(snapshot), policy))
    })
    .await
}

async fn judged(located: &Located, policy: &Policy, now: Timestamp) -> Result<Verified, Failure> {
    let subject = located.manifest.digest;
    let version = located.version.as_ref();
    let context = match version {
        Some(version) => Context::of(&version.record, now),
        None => Context::bare(now),
    };
    let found = signatures(located.store.as_ref(), &subject).await?;
    Ok(Verified {
        reference: located.place().to_string(),
        version: version.map(|found| format!("{}:{}", found.model, found.version)),
        verdict: judge(&policy.rules, &policy.keys, &context, &subject, &found),
    })
}
