//! What became of holding a policy against signatures.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::codes;
use super::error::TrustError;
use super::signature::Form;
use crate::platform::redact::printable;
use crate::record::{Code, Digest, Fault};

/// What a policy says of one artifact, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The artifact.
    pub subject: Digest,
    /// Each rule that fits it, in the order of the policy.
    pub rules: Vec<RuleVerdict>,
    /// Each signature that was found, whether it counts or not.
    pub signatures: Vec<Examined>,
    /// How many more signatures there are that were not looked at.
    pub unexamined: usize,
}

/// A verdict in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Every rule that fits is satisfied, and one of them asks for signatures.
    Trusted,
    /// A rule that fits is not satisfied.
    Refused,
    /// No rule that fits asks for a signature: nobody vouches for these bytes.
    Unvouched,
}

/// What one rule says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleVerdict {
    /// Its place in the policy, from 1.
    pub rule: usize,
    /// How many accepted signers it asks for.
    pub needed: usize,
    /// The accepted signers that signed.
    pub signers: Vec<Signer>,
    /// What is asked for and not there; empty if the rule is satisfied.
    pub unmet: Vec<Unmet>,
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signer {
    /// The public key's path, as the policy names it.
    pub key: String,
    /// The key's fingerprint.
    pub fingerprint: Digest,
}

/// One signature that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Examined {
    /// Its format.
    pub form: Form,
    /// The digest of what holds it.
    pub at: Digest,
    /// Whose it is, if it is by a key of the policy.
    pub signer: Option<Signer>,
    /// Why it counts for nobody, if it does.
    pub remark: Option<String>,
}

/// A requirement of a rule that is not met.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unmet {
    /// Fewer accepted signers than are asked for.
    #[error("{counted} of {needed} accepted signers signed it{}", why(passed_over))]
    Signatures {
        /// How many are asked for.
        needed: usize,
        /// How many signed.
        counted: usize,
        /// Each key that does not count, and why.
        passed_over: Vec<String>,
        /// How many signatures were found at all.
        found: usize,
        /// How many more there are that were not looked at.
        unexamined: usize,
    },
    /// Fewer accepted keys than are asked for, and identities that can't be evaluated.
    #[error(
        "{counted} of {needed} accepted signers signed it by a key, and whether {} did can't be \
         evaluated yet",
        list(identities)
    )]
    Keyless {
        /// How many are asked for.
        needed: usize,
        /// How many signed by a key.
        counted: usize,
        /// Who else is accepted.
        identities: Vec<String>,
    },
    /// The policy names a key that is none.
    #[error("the policy accepts the key {}, but {reason}", printable(key))]
    NoKey {
        /// Its path.
        key: String,
        /// Why it is none.
        reason: String,
    },
    /// Attestations are asked for, which this build can't evaluate.
    #[error("attestations can't be evaluated yet: {}", list(types))]
    Attestations {
        /// Their predicate types.
        types: Vec<String>,
    },
    /// A scan is asked for, which this build can't do.
    #[error("its files can't be scanned yet")]
    Scan,
    /// Some formats are denied, and which ones are in it is not known.
    #[error("some formats are denied, and no record says all that is in it")]
    UnknownFormats,
    /// A denied format is in it.
    #[error("the format `{}` is denied", printable(format))]
    DeniedFormat {
        /// Which one.
        format: String,
    },
}

fn why(passed_over: &[String]) -> String {
    match passed_over {
        [] => String::new(),
        reasons => format!(" ({})", list(reasons)),
    }
}

fn list(texts: &[String]) -> String {
    let texts: Vec<_> = texts.iter().map(|text| printable(text)).collect();
    texts.join("; ")
}

impl Fault for Unmet {
    fn code(&self) -> &'static Code {
        match self {
            Self::Signatures { .. } => &codes::TOO_FEW_SIGNATURES,
            Self::Keyless { .. } => &codes::KEYLESS_NOT_EVALUATED,
            Self::NoKey { .. } => &codes::NO_TRUSTED_KEY,
            Self::Attestations { .. } => &codes::ATTESTATIONS_NOT_EVALUATED,
            Self::Scan => &codes::SCAN_NOT_EVALUATED,
            Self::UnknownFormats => &codes::FORMATS_NOT_EVALUATED,
            Self::DeniedFormat { .. } => &codes::FORMAT_DENIED,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Signatures { found: 0, .. } => {
                "nobody signed it: `modelyard sign` does, with a key that the policy accepts"
                    .to_owned()
            }
            Self::Signatures { unexamined, .. } if *unexamined > 0 => format!(
                "{unexamined} more signatures were not looked at: delete those of no worth, and \
                 sign it by a key that the policy accepts"
            ),
            Self::Signatures { .. } => {
                "see with `modelyard verify` who signed it, then sign it by a key that the \
                 policy accepts, or accept another key"
                    .to_owned()
            }
            Self::Keyless { .. } => {
                "sign it by a key, and accept that key in the same rule".to_owned()
            }
            Self::NoKey { .. } => {
                "put the public key there, or take it out of `spec.trust` in modelyard.yaml"
                    .to_owned()
            }
            Self::Attestations { .. } => {
                "take `attestations` out of the rule until they can be evaluated".to_owned()
            }
            Self::Scan => "take `scan` out of the rule until files can be scanned".to_owned(),
            Self::UnknownFormats => {
                "name it by its model and version, and say in its record what in it can run code \
                 (`format.code`, `[]` for nothing)"
                    .to_owned()
            }
            Self::DeniedFormat { .. } => {
                "publish the model in another format, such as ONNX or safetensors".to_owned()
            }
        })
    }
}

impl Verdict {
    /// The verdict in one word.
    pub fn standing(&self) -> Standing {
        if self.rules.iter().any(|rule| !rule.unmet.is_empty()) {
            return Standing::Refused;
        }
        if self.rules.iter().any(|rule| rule.needed > 0) {
            return Standing::Trusted;
        }
        Standing::Unvouched
    }

    /// Everything that is not met, with the number of the rule that asks for it.
    pub fn unmet(&self) -> impl Iterator<Item = (usize, &Unmet)> {
        self.rules
            .iter()
            .flat_map(|rule| rule.unmet.iter().map(move |unmet| (rule.rule, unmet)))
    }

    /// Every accepted signer that signed, each once.
    pub fn signers(&self) -> Vec<&Signer> {
        let mut signers: Vec<&Signer> = Vec::new();
        for signer in self.rules.iter().flat_map(|rule| &rule.signers) {
            let known = |other: &&Signer| other.fingerprint == signer.fingerprint;
            if !signers.iter().any(known) {
                signers.push(signer);
            }
        }
        signers
    }

    /// Lets bytes pass that are trusted or that nobody vouches for; `place` names them in the
    /// error.
    ///
    /// # Errors
    /// [`TrustError::Refused`] with the first requirement that is not met.
    pub fn allowed(self, place: &str) -> Result<Self, TrustError> {
        let first = self.unmet().next();
        match first.map(|(rule, unmet)| (rule, unmet.clone())) {
            None => Ok(self),
            Some((rule, unmet)) => Err(TrustError::Refused {
                place: place.to_owned(),
                rule,
                unmet,
            }),
        }
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Verdict", 5)?;
        fields.serialize_field("subject", &self.subject)?;
        fields.serialize_field("verdict", &self.standing())?;
        fields.serialize_field("rules", &self.rules)?;
        fields.serialize_field("signatures", &self.signatures)?;
        fields.serialize_field("unexamined", &self.unexamined)?;
        fields.end()
    }
}

impl Serialize for Unmet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Unmet", 3)?;
        fields.serialize_field("code", self.code().id)?;
        fields.serialize_field("message", &self.to_string())?;
        fields.serialize_field("help", &self.help())?;
        fields.end()
    }
}
