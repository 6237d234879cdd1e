//! What an artifact is made of: `modelyard inspect`.

use serde::Serialize;
use serde_json::Value;

use super::locate::Located;
use crate::artifact::descriptor::EMPTY;
use crate::artifact::manifest::Manifest;
use crate::artifact::pack;
use crate::artifact::{Descriptor, ManifestKey, Store, StoreError};
use crate::record::{Digest, Failure};
use crate::trust::classic;

/// No config of an artifact is larger; a larger one is not shown.
const MAX_CONFIG_BYTES: u64 = 1024 * 1024;

/// An artifact from the inside.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspected {
    /// Its place, by its digest.
    pub reference: String,
    /// The version that it is, where it was looked up in a yard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its manifest's digest.
    pub digest: Digest,
    /// What kind of artifact it is.
    pub artifact_type: String,
    /// Its files, where it is one that can be pulled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<InspectedFile>,
    /// Why it can't be pulled, where it can't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_pulled: Option<String>,
    /// How many bytes its layers are.
    pub total_bytes: u64,
    /// What refers to it: signatures, attestations, SBOMs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub referrers: Vec<Descriptor>,
    /// The image that holds its classic signatures, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classic_signatures: Option<Descriptor>,
    /// Its config, where that is JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Value>,
    /// The manifest itself.
    pub manifest: Manifest,
}

/// A file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InspectedFile {
    /// Its path.
    pub path: String,
    /// What it is to the model.
    pub role: String,
    /// Its bytes.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
    /// Whether it can be started.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
}

/// Looks into an artifact; its layers are not fetched.
///
/// # Errors
/// If it is no artifact, or the store doesn't tell.
pub async fn inspect(located: &Located) -> Result<Inspected, Failure> {
    let place = located.place().to_string();
    let manifest = Manifest::parse(&located.bytes).map_err(|source| StoreError::Manifest {
        place: place.clone(),
        source,
    })?;
    let (store, digest) = (&*located.store, located.manifest.digest);
    let (files, not_pulled) = match pack::files(&manifest) {
        Ok(files) => (files.iter().map(inspected_file).collect(), None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    let classic = ManifestKey::Tag(classic::tag(&digest));
    let version = located.version.as_ref();
    Ok(Inspected {
        version: version.map(|found| format!("{}:{}", found.model, found.version)),
        digest,
        artifact_type: manifest.kind().to_owned(),
        files,
        not_pulled,
        total_bytes: manifest.layers.iter().map(|layer| layer.size).sum(),
        referrers: store.referrers(&digest, None).await?,
        classic_signatures: store.resolve(&classic).await?,
        config: config(store, &manifest.config).await?,
        reference: place,
        manifest,
    })
}

async fn config(store: &dyn Store, descriptor: &Descriptor) -> Result<Option<Value>, StoreError> {
    if descriptor.media_type == EMPTY || descriptor.size > MAX_CONFIG_BYTES {
        return Ok(None);
    }
    let stream = store.blob(descriptor).await?;
    let bytes = stream.read(MAX_CONFIG_BYTES).await?;
    Ok(serde_json::from_slice(&bytes).ok())
}

fn inspected_file(file: &pack::LayerFile) -> InspectedFile {
    InspectedFile {
        path: file.path.to_string(),
        role: file.role.to_string(),
        digest: file.descriptor.digest,
        size: file.descriptor.size,
        executable: file.mode == pack::Mode::Executable,
    }
}
