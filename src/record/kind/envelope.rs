//! What is the same in every record: `apiVersion`, `kind`, `metadata`, `spec`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{API_VERSION, Kind};
use crate::record::Name;

/// What a kind's `spec` says of the kind.
pub trait Spec {
    /// The kind whose spec it is.
    const KIND: Kind;
    /// What stands in that kind's `metadata`.
    type Metadata;
}

/// A record: what it is called, and what it says.
///
/// `apiVersion` and `kind` follow from the type; reading checks them, writing puts them first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<S: Spec> {
    /// What it is called.
    pub metadata: S::Metadata,
    /// What it says.
    pub spec: S,
}

/// The metadata of kinds that have only a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Named {
    /// The name.
    pub name: Name,
}

/// A record as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Read<M, S> {
    api_version: String,
    kind: Kind,
    metadata: M,
    spec: S,
}

/// A record as it is written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a, M, S> {
    api_version: &'static str,
    kind: Kind,
    metadata: &'a M,
    spec: &'a S,
}

impl<'de, S> Deserialize<'de> for Envelope<S>
where
    S: Spec + Deserialize<'de>,
    S::Metadata: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let read = Read::<S::Metadata, S>::deserialize(deserializer)?;
        if read.api_version != API_VERSION {
            return Err(D::Error::custom(format_args!(
                "`apiVersion` has to be `{API_VERSION}`"
            )));
        }
        if read.kind != S::KIND {
            return Err(D::Error::custom(format_args!(
                "`kind` has to be `{}` here",
                S::KIND
            )));
        }
        Ok(Self {
            metadata: read.metadata,
            spec: read.spec,
        })
    }
}

impl<S> Serialize for Envelope<S>
where
    S: Spec + Serialize,
    S::Metadata: Serialize,
{
    fn serialize<W: Serializer>(&self, serializer: W) -> Result<W::Ok, W::Error> {
        Written {
            api_version: API_VERSION,
            kind: S::KIND,
            metadata: &self.metadata,
            spec: &self.spec,
        }
        .serialize(serializer)
    }
}
