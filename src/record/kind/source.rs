//! Where models are imported from.

use serde::{Deserialize, Serialize};

use super::address::Address;
use super::grammar::words;
use super::label::SecretReference;
use super::path::RelativePath;
use crate::record::Name;

words! {
    /// What kind of place models are imported from.
    SourceType, "a kind of source",
    {
        /// An MLflow tracking server.
        Mlflow = "mlflow",
        /// A git repository with scripts and models.
        Git = "git",
        /// A Hugging Face hub.
        Huggingface = "huggingface",
        /// KServe's manifests or cluster.
        Kserve = "kserve",
        /// Seldon Core's manifests or cluster.
        Seldon = "seldon",
        /// A container image.
        Image = "image",
        /// A ModelKit of KitOps, or any artifact of ModelPack.
        Oci = "oci",
        /// A git repository with GTO's tags.
        Gto = "gto",
        /// An Intel Geti server.
        Geti = "geti",
        /// A folder, or a file.
        Folder = "folder",
        /// A program that gives candidates.
        Custom = "custom",
    }
}

/// A place that is imported from again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// What this yard calls it.
    pub name: Name,
    /// What kind of place it is.
    #[serde(rename = "type")]
    pub source_type: SourceType,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Address>,
    /// The token that opens it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretReference>,
    /// The yard's namespace that its models come into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Name>,
    /// The folder in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<RelativePath>,
    /// The file of this yard that says what its words become.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<RelativePath>,
    /// The branch, tag or commit.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}
