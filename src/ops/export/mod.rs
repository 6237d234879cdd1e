//! Out again: a version as others have it, or how it runs as a cluster's manifests:
//! `modelyard export`.
//!
//! The mappings are those of importing backwards ([`crate::import::export`]). What has no place on
//! the other side is in the result's `left_out`, and never dropped in silence.

mod error;
mod folder;
mod manifests;

use std::path::PathBuf;

use serde::Serialize;

pub use error::ExportError;
pub use folder::ExportedFolder;
pub use manifests::ExportedManifests;

use super::pull::Ground;
use super::show::Wanted;
use crate::import::Opening;
use crate::record::{Failure, Name};
use crate::yard::Snapshot;

/// What a version or a deployment becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum To {
    /// A folder with records, card and files.
    Folder,
    /// A model of MLflow's.
    Mlflow,
    /// A snapshot of Hugging Face's hub.
    Huggingface,
    /// Manifests of KServe.
    Kserve,
    /// Manifests of Seldon Core 2.
    Seldon,
    /// Manifests of Seldon Core 1.
    SeldonV1,
}

/// What is exported.
pub struct Request {
    /// A version, or a deployment where it becomes manifests.
    pub wanted: Wanted,
    /// The yard.
    pub yard: Snapshot,
    /// What it becomes.
    pub to: To,
    /// The folder, or the file of manifests. Without one a folder is called as the model, and
    /// manifests are given back alone.
    pub place: Option<PathBuf>,
    /// Whether files that differ are overwritten.
    pub force: bool,
    /// Whether nothing is written.
    pub dry_run: bool,
    /// The cluster's namespace that manifests name.
    pub namespace: Option<Name>,
    /// Where a cluster finds a version's files; `{namespace}`, `{name}` and `{version}` can stand
    /// in it.
    pub storage_uri: Option<String>,
    /// Where the folder is registered, too.
    pub register: Option<At>,
}

/// A tracking server of MLflow's.
#[derive(Debug, Clone)]
pub struct At {
    /// Its URL.
    pub uri: String,
    /// What the model is called there; its own name where nothing is said.
    pub name: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Exported {
    /// A folder.
    Folder(Box<ExportedFolder>),
    /// Manifests.
    Manifests(ExportedManifests),
}

/// Exports what `request` asks for.
///
/// # Errors
/// If it can't be found, has no form on the other side, or can't be fetched, verified or written;
/// nothing is written then. If it can't be registered: the folder is there then.
pub async fn export(
    request: &Request,
    ground: &Ground<'_>,
    opening: &Opening<'_>,
) -> Result<Exported, Failure> {
    match request.to {
        To::Folder | To::Mlflow | To::Huggingface => {
            let folder = folder::export(request, ground, opening).await?;
            Ok(Exported::Folder(Box::new(folder)))
        }
        To::Kserve | To::Seldon | To::SeldonV1 => Ok(Exported::Manifests(
            manifests::export(request, ground).await?,
        )),
    }
}
