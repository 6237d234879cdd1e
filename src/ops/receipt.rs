//! What an environment served from a moment on, as the reconciler tells it.
//!
//! A receipt is complete: whoever wants to know what served at a time reads the last one before it,
//! and needs no other. [`crate::yard::Receipt`] says how git has them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::record::{Digest, Name};
use crate::rollout::{Backends, Content};

/// What an environment serves from a moment on. In JSON its fields are `camelCase`, times are
/// RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The environment.
    pub environment: Name,
    /// From when.
    pub at: Timestamp,
    /// Its deployments that serve.
    pub deployments: BTreeMap<Name, Serving>,
}

/// What a deployment serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Serving {
    /// Since when just this.
    pub since: Timestamp,
    /// The commit of main that was followed then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Who gets how much of its requests, by weight.
    pub shares: Vec<Share>,
    /// What happened just before, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<String>,
    /// The step of the rollout that it is at, if one goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// What was measured last before, by analysis.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub measured: BTreeMap<Name, String>,
}

/// A version's share of the requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// What answers.
    pub content: Content,
    /// Its share, in percent.
    pub weight: u8,
}

/// A step of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Which, from 1.
    pub number: u32,
    /// Of how many.
    pub of: u32,
    /// What is to take over.
    pub to: String,
}

impl Receipt {
    /// Reads what git has; nothing where it is no receipt of ours.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// As git is to have it.
    pub fn write(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("its keys are texts");
        bytes.push(b'\n');
        bytes
    }
}

impl Share {
    /// The shares of those that answer, each version once, the largest first.
    pub fn of(backends: &Backends) -> Vec<Self> {
        let mut shares: Vec<Self> = Vec::new();
        for backend in backends.all() {
            match shares.iter_mut().find(|one| one.content == backend.content) {
                Some(one) => one.weight += backend.weight,
                None => shares.push(Self {
                    content: backend.content.clone(),
                    weight: backend.weight,
                }),
            }
        }
        shares.sort_by_key(|share| (u8::MAX - share.weight, share.content.to_string()));
        shares
    }

    /// The digest of what answers.
    pub fn digest(&self) -> Digest {
        self.content.digest()
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.weight {
            100 => write!(formatter, "{}", self.content),
            weight => write!(formatter, "{} {weight} %", self.content),
        }
    }
}
