//! The trust policy with the keys it names, and how it is held against what was found.
//!
//! Every rule whose `match` fits has to be satisfied. What isn't known of an artifact (a bare
//! reference has no model and no lifecycle) is taken to match: nobody escapes a rule by not
//! saying what something is.
//!
//! A rule's signatures are counted by distinct accepted keys, never by signatures, and a key that
//! two files hold is one key. A key counts while `notBefore ≤ now ≤ notAfter`, where `now` is the
//! time of verification: a signature by a key says nothing of when it was made that could be
//! believed, so whatever an expired key ever signed has to be signed again by another. A key that
//! is revoked anywhere in a rule counts for nothing in that rule.
//!
//! What this build can't evaluate (identities, attestations, scans) fails its rule.

mod judge;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use judge::judge;

use super::key::{KeyError, VerifyingKey};
use super::verdict::Unmet;
use crate::record::kind::{
    KeySigner, ModelVersion, RelativePath, Requirement, Signer as Accepted, Trust, TrustRule,
};
use crate::record::{Lifecycle, ModelName};

/// The yard's rules, and the bytes of the keys that they name, from one revision.
#[derive(Debug, Default)]
pub struct Policy {
    /// All rules, in the order of `modelyard.yaml`.
    pub rules: Vec<TrustRule>,
    /// The keys that they name.
    pub keys: KeyRing,
}

/// Public keys, by their path in the yard.
#[derive(Debug, Default)]
pub struct KeyRing(BTreeMap<String, Result<VerifyingKey, NoKey>>);

/// Why a path of the policy leads to no key.
#[derive(Debug, thiserror::Error)]
pub enum NoKey {
    /// There is no such file.
    #[error("the file is not there")]
    Missing,
    /// It is no key.
    #[error(transparent)]
    Unusable(#[from] KeyError),
}

/// What is known of an artifact that is judged.
#[derive(Debug, Clone)]
pub struct Context {
    /// Whose version it is; unknown for a bare reference.
    pub model: Option<ModelName>,
    /// Where in its life it is; unknown for a bare reference.
    pub lifecycle: Option<Lifecycle>,
    /// The formats that its record declares; what the bytes themselves are is for a scan to say.
    pub formats: Formats,
    /// The time of verification.
    pub now: Timestamp,
}

/// The formats in an artifact, as far as they are declared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Formats {
    /// The format's name, and what in it can run code.
    pub declared: Vec<String>,
    /// Whether there is nothing else in it: somebody looked for code.
    pub complete: bool,
}

impl Context {
    /// An artifact of which nothing is known but its digest.
    pub fn bare(now: Timestamp) -> Self {
        Self {
            model: None,
            lifecycle: None,
            formats: Formats::default(),
            now,
        }
    }

    /// The version of `record`.
    pub fn of(record: &ModelVersion, now: Timestamp) -> Self {
        let format = &record.spec.format;
        let code = format.code.iter().flatten();
        let declared = std::iter::once(&format.name).chain(code);
        Self {
            model: Some(record.model_name()),
            lifecycle: Some(record.spec.lifecycle),
            formats: Formats {
                declared: declared.map(ToString::to_string).collect(),
                complete: format.code.is_some(),
            },
            now,
        }
    }

    /// The format that one of `rules` denies, as far as formats are declared.
    pub fn denied(&self, rules: &[TrustRule]) -> Option<String> {
        let mut fitting = rules.iter().filter(|rule| self.fits(rule));
        fitting.find_map(|rule| match judge::denied_format(rule, self) {
            Some(Unmet::DeniedFormat { format }) => Some(format),
            _ => None,
        })
    }

    fn fits(&self, rule: &TrustRule) -> bool {
        let models = rule.matching.models.as_ref();
        let stages = rule.matching.lifecycle.as_ref();
        let model = models.is_none_or(|pattern| {
            let model = self.model.as_ref();
            model.is_none_or(|model| pattern.matches(model))
        });
        let stage = stages.is_none_or(|stages| {
            let lifecycle = self.lifecycle;
            lifecycle.is_none_or(|lifecycle| stages.contains(lifecycle))
        });
        model && stage
    }
}

impl Policy {
    /// The policy `trust` with its keys, each read by `read` from the same revision of the yard.
    ///
    /// # Errors
    /// What `read` fails with. A key that is missing or no key is no error here: it counts for
    /// nothing, and the verdict tells.
    pub fn gather<E>(
        trust: &Trust,
        mut read: impl FnMut(&str) -> Result<Option<bytes::Bytes>, E>,
    ) -> Result<Self, E> {
        let mut keys = KeyRing::default();
        for path in trust.rules.iter().flat_map(key_paths) {
            if !keys.0.contains_key(path) {
                let key = match read(path)? {
                    None => Err(NoKey::Missing),
                    Some(pem) => VerifyingKey::from_pem(&pem).map_err(NoKey::from),
                };
                keys.0.insert(path.to_owned(), key);
            }
        }
        Ok(Self {
            rules: trust.rules.clone(),
            keys,
        })
    }

    /// A policy of one rule for everything: a signature by any of `keys`, each with the name it
    /// is to be told by.
    pub fn of_keys(keys: impl IntoIterator<Item = (RelativePath, VerifyingKey)>) -> Self {
        let mut ring = KeyRing::default();
        let mut rule = TrustRule {
            require: Requirement {
                signatures: Some(1),
                ..Requirement::default()
            },
            ..TrustRule::default()
        };
        for (name, key) in keys {
            ring.add(name.as_str(), key);
            rule.accept.push(Accepted::Key(KeySigner {
                key: name,
                not_before: None,
                not_after: None,
                revoked: None,
            }));
        }
        Self {
            rules: vec![rule],
            keys: ring,
        }
    }

    /// Whether a rule that fits asks for signatures, so that they have to be fetched.
    pub(super) fn asks_for_signatures(&self, context: &Context) -> bool {
        let mut fitting = self.rules.iter().filter(|rule| context.fits(rule));
        fitting.any(|rule| needed(rule) > 0)
    }
}

impl KeyRing {
    /// Adds a key under the path by which rules name it.
    pub fn add(&mut self, path: impl Into<String>, key: VerifyingKey) {
        self.0.insert(path.into(), Ok(key));
    }

    /// The key at `path`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn get(&self, path: &str) -> Result<&VerifyingKey, &NoKey> {
        self.0.get(path).unwrap_or(&Err(NoKey::Missing)).as_ref()
    }
}

/// How many distinct accepted signers `rule` asks for.
fn needed(rule: &TrustRule) -> usize {
    rule.require.signatures.unwrap_or(0) as usize
}

/// The accepted signers that are known by a key.
fn key_signers(rule: &TrustRule) -> impl Iterator<Item = &KeySigner> {
    rule.accept.iter().filter_map(|accepted| match accepted {
        Accepted::Key(signer) => Some(signer),
        Accepted::Keyless(_) => None,
    })
}

fn key_paths(rule: &TrustRule) -> impl Iterator<Item = &str> {
    key_signers(rule).map(|signer| signer.key.as_str())
}

#[cfg(test)]
mod tests;
