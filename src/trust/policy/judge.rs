//! Rules held against signatures: pure, and told in full.

use jiff::Timestamp;

use super::{Context, Formats, KeyRing, NoKey, key_signers, needed};
use crate::record::Digest;
use crate::record::kind::{KeySigner, Signer as Accepted, TrustRule};
use crate::trust::discover::Found;
use crate::trust::key::VerifyingKey;
use crate::trust::signature::{Content, Signature};
use crate::trust::verdict::{Examined, RuleVerdict, Signer, Unmet, Verdict};

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

pub(super) fn denied_format(rule: &TrustRule, context: &Context) -> Option<Unmet> {
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

fn identities(rule: &TrustRule) -> impl Iterator<Item = String> {
    rule.accept.iter().filter_map(|accepted| match accepted {
        Accepted::Key(_) => None,
        Accepted::Keyless(signer) => Some(signer.keyless.identity.clone()),
    })
}
