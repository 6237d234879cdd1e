//! Versions side by side: what they say of themselves, how good they are, and their files.
//!
//! Metrics are compared only where the same was measured with the same data, the same part of it,
//! and on the same device. Files are compared by their digests, which the artifacts' manifests
//! have; a store that doesn't give one is told, and the rest is compared all the same.

mod files;
pub(super) mod metrics;
mod tensors;

use jiff::Timestamp;
use serde::Serialize;

pub use files::{Change, FileLine, Unavailable, VersionFile};
pub use metrics::MetricLine;
pub use tensors::TensorLine;

use super::shelf::covers;

use crate::artifact::StoreOptions;
use crate::record::kind::{Format, Framework, License, ModelVersion};
use crate::record::{Alias, Digest, Failure, Lifecycle, ModelName, ModelReference, Name, Version};
use crate::yard::{Catalog, Resolved, blocking};

/// Versions side by side. Every list of values has one for each of them, in their order.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// The versions, in the order in which they were asked for.
    pub versions: Vec<Compared>,
    /// How good they are, the score first.
    pub metrics: Vec<MetricLine>,
    /// What they take.
    pub inputs: Vec<TensorLine>,
    /// What they give.
    pub outputs: Vec<TensorLine>,
    /// Their files by path; nothing where they were not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<FileLine>>,
    /// Versions whose files can't be told, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unavailable: Vec<Unavailable>,
    /// Records that can't be read, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
}

/// One of the versions.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    /// Its model.
    pub model: ModelName,
    /// Which version it is.
    pub version: Version,
    /// Where it is in its life.
    pub lifecycle: Lifecycle,
    /// Names that mean it.
    pub aliases: Vec<Alias>,
    /// Its model's licence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<License>,
    /// What its main file is.
    pub format: Format,
    /// What trained it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub framework: Option<Framework>,
    /// The type of its weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<Name>,
    /// How many weights it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter_count: Option<u64>,
    /// What it can run on.
    pub target_devices: Vec<Name>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// All its files' bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Its artifact.
    pub digest: Digest,
}

/// Compares the versions that `references` mean; of a model alone its newest released one. With
/// `stores` their manifests are asked for, to tell their files.
///
/// # Errors
/// [`CatalogError`](crate::yard::CatalogError) if one of them is not there. A store that doesn't
/// answer is no error: it is told.
pub async fn compare(
    catalog: &Catalog,
    references: Vec<ModelReference>,
    stores: Option<&StoreOptions>,
) -> Result<Comparison, Failure> {
    let reading = catalog.clone();
    let asked = blocking(move || resolve(&reading, &references)).await?;
    let Asked {
        mut versions,
        found,
        unreadable,
    } = asked;
    let (files, unavailable) = match stores {
        Some(options) => {
            let (files, unavailable) = files::files(catalog.repository(), &found, options).await;
            add_sizes(&mut versions, &files);
            (Some(files), unavailable)
        }
        None => (None, Vec::new()),
    };
    let records: Vec<&ModelVersion> = found.iter().map(|found| &found.record).collect();
    Ok(Comparison {
        metrics: metrics::lines(&records),
        inputs: tensors::lines(&records, |record| &record.spec.inputs),
        outputs: tensors::lines(&records, |record| &record.spec.outputs),
        versions,
        files,
        unavailable,
        unreadable,
    })
}

/// The versions that were asked for, in their order.
struct Asked {
    versions: Vec<Compared>,
    found: Vec<Resolved>,
    unreadable: Vec<String>,
}

fn resolve(catalog: &Catalog, references: &[ModelReference]) -> Result<Asked, Failure> {
    let found = references.iter().map(|asked| catalog.resolve(asked));
    let found: Vec<Resolved> = found.collect::<Result<_, _>>()?;
    let mut models: Vec<_> = found.iter().map(|found| found.model.clone()).collect();
    models.sort_unstable();
    models.dedup();
    let (shelves, unreadable) = covers(catalog, models)?;
    let mut versions = Vec::with_capacity(found.len());
    for found in &found {
        let shelf = shelves.iter().find(|shelf| shelf.name == found.model);
        let shelf = shelf.expect("each model has its shelf");
        let spec = &found.record.spec;
        versions.push(Compared {
            model: found.model.clone(),
            version: found.version.clone(),
            lifecycle: spec.lifecycle,
            aliases: shelf.aliases(&found.version),
            license: shelf
                .model
                .as_ref()
                .and_then(|model| model.spec.license.clone()),
            format: spec.format.clone(),
            framework: spec.framework.clone(),
            precision: spec.precision.clone(),
            parameter_count: spec.parameter_count,
            target_devices: spec.target_devices.clone(),
            created_at: spec.created_at,
            size: spec.artifact.size,
            digest: spec.artifact.digest,
        });
    }
    Ok(Asked {
        versions,
        found,
        unreadable,
    })
}

/// The size of each version whose record does not say it, by its files.
fn add_sizes(versions: &mut [Compared], files: &[FileLine]) {
    for (place, version) in versions.iter_mut().enumerate() {
        let sizes = files.iter().filter_map(|line| line.files[place].as_ref());
        let mut sizes = sizes.map(|file| file.size).peekable();
        if version.size.is_none() && sizes.peek().is_some() {
            version.size = Some(sizes.fold(0, u64::saturating_add));
        }
    }
}
