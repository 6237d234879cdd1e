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

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::discover::Found;
use super::key::{KeyError, VerifyingKey};
use super::signature::{Content, Signature};
use super::verdict::{Examined, RuleVerdict, Signer, Unmet, Verdict};
use crate::record::kind::{
    KeySigner, ModelVersion, RelativePath, Requirement, Signer as Accepted, Trust, TrustRule,
};
use crate::record::{Digest, Lifecycle, ModelName};

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

/// Holds `rules` against the signatures that were found of `subject`.
pub fn judge(
    rules: &[TrustRule],
    keys: &KeyRing,
    context: &Context,
    subject: &Digest,
    found: &Found,
) -> Verdict {
    let fitting = rules.iter().enumerate();
    let fitting = fitting.filter(|(_, rule)| context.fits(rule));
    Verdict {
        subject: *subject,
        rules: fitting
            .map(|(index, rule)| judge_rule(index + 1, rule, keys, context, found))
            .collect(),
        signatures: found
            .signatures
            .iter()
            .map(|signature| examine(signature, keys))
            .collect(),
        unexamined: found.unexamined,
    }
}

fn judge_rule(
    number: usize,
    rule: &TrustRule,
    keys: &KeyRing,
    context: &Context,
    found: &Found,
) -> RuleVerdict {
    let needed = needed(rule);
    let signers = signers(rule, keys, context.now, found);
    let mut unmet = Vec::new();
    if signers.len() < needed {
        unmet.extend(missing_signatures(
            rule,
            keys,
            context.now,
            found,
            signers.len(),
        ));
    }
    if !rule.require.attestations.is_empty() {
        let types = rule.require.attestations.iter();
        unmet.push(Unmet::Attestations {
            types: types.map(ToString::to_string).collect(),
        });
    }
    if rule.require.scan.is_some() {
        unmet.push(Unmet::Scan);
    }
    unmet.extend(denied_format(rule, context));
    RuleVerdict {
        rule: number,
        needed,
        signers,
        unmet,
    }
}

/// The accepted keys that signed and count now, each once.
fn signers(rule: &TrustRule, keys: &KeyRing, now: Timestamp, found: &Found) -> Vec<Signer> {
    let mut signers: Vec<Signer> = Vec::new();
    for accepted in key_signers(rule) {
        let Ok(key) = standing(rule, accepted, keys, now) else {
            continue;
        };
        let fingerprint = key.fingerprint();
        let counted = signers
            .iter()
            .any(|signer| signer.fingerprint == fingerprint);
        let signed = || found.signatures.iter().any(|found| found.is_by(key));
        if !counted && signed() {
            signers.push(Signer {
                key: accepted.key.as_str().to_owned(),
                fingerprint,
            });
        }
    }
    signers
}

/// The key whose signatures count now in this rule, or why they don't.
fn standing<'keys>(
    rule: &TrustRule,
    accepted: &KeySigner,
    keys: &'keys KeyRing,
    now: Timestamp,
) -> Result<&'keys VerifyingKey, String> {
    let key = keys
        .get(accepted.key.as_str())
        .map_err(ToString::to_string)?;
    let is_revoked = |other: &&KeySigner| {
        other.revoked == Some(true) && keys.get(other.key.as_str()).is_ok_and(|other| other == key)
    };
    if key_signers(rule).any(|other| is_revoked(&other)) {
        return Err("it is revoked".to_owned());
    }
    if let Some(from) = accepted.not_before.filter(|from| now < *from) {
        return Err(format!("it counts from {from} on"));
    }
    if let Some(until) = accepted.not_after.filter(|until| now > *until) {
        return Err(format!("it counted until {until}"));
    }
    Ok(key)
}

/// Why `counted` signers are too few: once for the signatures, and once for each key of the
/// policy that is none.
fn missing_signatures(
    rule: &TrustRule,
    keys: &KeyRing,
    now: Timestamp,
    found: &Found,
    counted: usize,
) -> Vec<Unmet> {
    let needed = needed(rule);
    let mut unmet = Vec::new();
    let mut passed_over = Vec::new();
    let mut no_keys = Vec::new();
    for accepted in key_signers(rule) {
        let path = accepted.key.as_str();
        let signed = |key| {
            found
                .signatures
                .iter()
                .any(|signature| signature.is_by(key))
        };
        match standing(rule, accepted, keys, now) {
            Err(reason) => passed_over.push(format!("{path}: {reason}")),
            Ok(key) if !signed(key) => passed_over.push(format!("{path}: it did not sign")),
            Ok(_) => {}
        }
        if let Err(reason) = keys.get(path) {
            no_keys.push(Unmet::NoKey {
                key: path.to_owned(),
                reason: reason.to_string(),
            });
        }
    }
    let identities: Vec<_> = identities(rule).collect();
    if identities.is_empty() {
        unmet.push(Unmet::Signatures {
            needed,
            counted,
            passed_over,
            found: found.signatures.len(),
            unexamined: found.unexamined,
        });
    } else {
        unmet.push(Unmet::Keyless {
            needed,
            counted,
            identities,
        });
    }
    unmet.extend(no_keys);
    unmet
}

fn denied_format(rule: &TrustRule, context: &Context) -> Option<Unmet> {
    let denied = &rule.require.formats.as_ref()?.deny;
    if denied.is_empty() {
        return None;
    }
    let Formats { declared, complete } = &context.formats;
    let is_denied = |format: &&String| denied.iter().any(|name| name.as_str() == format.as_str());
    match declared.iter().find(is_denied) {
        Some(format) => Some(Unmet::DeniedFormat {
            format: format.clone(),
        }),
        None if *complete => None,
        None => Some(Unmet::UnknownFormats),
    }
}

/// Whose signature it is, as far as the policy's keys can tell.
fn examine(signature: &Signature, keys: &KeyRing) -> Examined {
    let signer = |(path, key): (&String, &Result<VerifyingKey, NoKey>)| {
        let key = key.as_ref().ok().filter(|key| signature.is_by(key))?;
        Some(Signer {
            key: path.clone(),
            fingerprint: key.fingerprint(),
        })
    };
    let signer = keys.0.iter().find_map(signer);
    let remark = match &signature.content {
        Content::Keyed { .. } if signer.is_none() => {
            Some("is by none of the keys that were tried".to_owned())
        }
        Content::Keyed { .. } => None,
        Content::Keyless => Some("is by an identity, which is not evaluated yet".to_owned()),
        Content::Attestation(kind) => Some(format!("is an attestation ({kind})")),
        Content::Flawed(flaw) => Some(flaw.to_string()),
    };
    Examined {
        form: signature.form,
        at: signature.at,
        signer,
        remark,
    }
}

fn needed(rule: &TrustRule) -> usize {
    rule.require.signatures.unwrap_or(0) as usize
}

fn key_signers(rule: &TrustRule) -> impl Iterator<Item = &KeySigner> {
    rule.accept.iter().filter_map(|accepted| match accepted {
        Accepted::Key(signer) => Some(signer),
        Accepted::Keyless(_) => None,
    })
}

fn key_paths(rule: &TrustRule) -> impl Iterator<Item = &str> {
    key_signers(rule).map(|signer| signer.key.as_str())
}

fn identities(rule: &TrustRule) -> impl Iterator<Item = String> {
    rule.accept.iter().filter_map(|accepted| match accepted {
        Accepted::Key(_) => None,
        Accepted::Keyless(signer) => Some(signer.keyless.identity.clone()),
    })
}

#[cfg(test)]
mod tests;
