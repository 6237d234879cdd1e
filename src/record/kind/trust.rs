//! Who must have signed what.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::address::WebUrl;
use super::grammar::words;
use super::path::RelativePath;
use super::pattern::ModelPattern;
use crate::record::{Lifecycle, ModelName, Name};

/// The yard's trust policy. A check reads it from the base branch.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trust {
    /// Every rule that matches a version has to be satisfied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<TrustRule>,
}

/// What versions of some models must have, and whose word counts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrustRule {
    /// Which versions it is for; all of them where nothing is said.
    #[serde(
        default,
        rename = "match",
        skip_serializing_if = "TrustMatch::is_empty"
    )]
    pub matching: TrustMatch,
    /// What they must have.
    pub require: Requirement,
    /// Whose signatures count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<Signer>,
}

/// Which versions a rule is for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrustMatch {
    /// Of which models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<ModelPattern>,
    /// At which stages of their life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Stages>,
}

/// One stage of a version's life, or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Stages {
    /// This one: `released`.
    One(Lifecycle),
    /// Any of these: `[released, deprecated]`.
    Several(Vec<Lifecycle>),
}

/// What a version must have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Requirement {
    /// How many accepted signers must have signed it; none where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signatures: Option<u32>,
    /// Which attestations it must have, by their predicate types.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attestations: Vec<WebUrl>,
    /// What the scan of its files must have said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan: Option<ScanVerdict>,
    /// Which formats may be in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formats: Option<FormatRule>,
}

words! {
    /// What a scan of a version's files says.
    ScanVerdict, "a scan's verdict",
    {
        /// Nothing was found that could do harm.
        Pass = "pass",
    }
}

/// Which formats may be in a version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FormatRule {
    /// These may not, such as `pickle`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<Name>,
}

/// Whose signature counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Signer {
    /// Who holds a key.
    Key(KeySigner),
    /// Who can log in as somebody.
    Keyless(KeylessSigner),
}

/// A signer known by a public key of the yard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeySigner {
    /// The public key's file in the yard.
    pub key: RelativePath,
    /// From when on it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Until when it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// Whether it counts no longer, whenever it signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<bool>,
}

/// A signer known by an identity that a login service vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeylessSigner {
    /// Who that is.
    pub keyless: KeylessIdentity,
}

/// An identity that a login service vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeylessIdentity {
    /// The login service.
    pub issuer: WebUrl,
    /// Whom it vouches for: the certificate's subject, letter by letter.
    pub identity: String,
}

impl Trust {
    /// Whether there is no rule, so that nobody vouches for any bytes.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

impl TrustMatch {
    /// Whether every version is meant.
    pub fn is_empty(&self) -> bool {
        self.models.is_none() && self.lifecycle.is_none()
    }

    /// Whether a version of `model` at the stage `lifecycle` is meant.
    pub fn matches(&self, model: &ModelName, lifecycle: Lifecycle) -> bool {
        let models = self.models.as_ref();
        let stages = self.lifecycle.as_ref();
        models.is_none_or(|pattern| pattern.matches(model))
            && stages.is_none_or(|stages| stages.contains(lifecycle))
    }
}

impl Stages {
    /// Whether `lifecycle` is one of them.
    pub fn contains(&self, lifecycle: Lifecycle) -> bool {
        match self {
            Self::One(stage) => *stage == lifecycle,
            Self::Several(stages) => stages.contains(&lifecycle),
        }
    }
}
