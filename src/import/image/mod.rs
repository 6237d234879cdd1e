//! Container images: what serves a model, and the models that are in it.
//!
//! ```text
//!  registry.example.com/team/serve:1.2.0 ┐
//!  saved.tar (docker save, OCI archive)  ├─▶ manifest ─▶ config ──▶ command, ports, variables, labels
//!  ./layout                              ┘          └─▶ layers ──▶ tree ──▶ models
//!                                                       probe (when asked) ──▶ protocol
//! ```
//!
//! - An image is known by the digest of what its reference means: of an index, if that is one.
//! - Each model in it is a version with its files, and the image is the version's `images` entry.
//!   Of an image without one the version's only file is `image.json`: what the image is, and how it
//!   runs.
//! - Layers stream and are verified: once to find models, and once more those that have the files
//!   of a version that is brought.
//! - A value that looks like a secret is never kept.

mod archive;
mod config;
mod copy;
mod holder;
mod listing;
mod manifest;
mod models;
mod open;
mod probe;
mod taking;
mod tree;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::json;
use tokio::sync::OnceCell;

pub(super) use open::open;

use super::oci::tar_of;
use super::unpack::Archive;
use super::{
    Candidate, Carrier, Files, ImportError, Listed, Listing, ModelListed, Opened, Source,
    SourceArchive, SourceFile,
};
use crate::artifact::pack::FilePath;
use crate::artifact::{Manifest, Store, digest_of};
use crate::platform::Progress;
use crate::platform::progress::{Meter, Silent};
use crate::record::Tag;
use crate::record::kind::{ImagePurpose, SourceType};
use config::ImageConfig;
use holder::Holder;
use manifest::Stored;
use models::Model;
use probe::{Engine, Probed};
use tree::Tree;

/// The only file of an image in which no model is.
const DESCRIPTION: &str = "image.json";

/// An image.
pub(super) struct Image {
    holder: Arc<Holder>,
    /// What it is called by itself.
    name: String,
    /// What it is called.
    reference: String,
    /// The same without a tag or a digest.
    stem: String,
    /// Its tag.
    tag: Option<Tag>,
    engine: Option<Engine>,
    looked: OnceCell<Looked>,
    probed: OnceCell<Probed>,
}

/// What was seen in an image.
struct Looked {
    top: Stored,
    manifest: Manifest,
    config: ImageConfig,
    models: Vec<Model>,
    remarks: Vec<String>,
}

impl std::fmt::Debug for Image {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_tuple("Image")
            .field(&self.reference)
            .finish()
    }
}

impl Image {
    async fn looked(&self, progress: &dyn Progress) -> Result<&Looked, ImportError> {
        self.looked.get_or_try_init(|| self.look(progress)).await
    }

    /// Goes through all of its layers.
    async fn look(&self, progress: &dyn Progress) -> Result<Looked, ImportError> {
        let top = self.holder.top().await?;
        let manifest = manifest::image(&self.holder, &top).await?;
        let config = self.holder.small(&manifest.config).await?;
        let config = ImageConfig::parse(&config).map_err(|error| ImportError::Malformed {
            place: self.place(),
            reason: format!("its config can't be read: {error}"),
        })?;
        let mut tree = Tree::new(config.shelves());
        for number in 0..manifest.layers.len() {
            let layer = tree.layer(number);
            let meter = progress.begin(
                &format!("layer {}", number + 1),
                manifest.layers[number].size,
            );
            let layer = self.through(&manifest, number, &*meter, move |unpacking| {
                let (mut layer, place) = (layer, unpacking.place.clone());
                unpacking.each(|entry, content| {
                    if layer.len() > tree::MAX_FILES {
                        return Err(too_many(&place));
                    }
                    layer
                        .take(entry, content)
                        .map_err(|error| ImportError::Malformed {
                            place: place.clone(),
                            reason: error.to_string(),
                        })
                })?;
                Ok(layer)
            });
            tree.apply(layer.await?);
            if tree.len() > tree::MAX_FILES {
                return Err(too_many(&self.place()));
            }
        }
        let (models, remarks) = models::find(&tree);
        Ok(Looked {
            top,
            manifest,
            config,
            models,
            remarks,
        })
    }

    /// Has `work` go through a layer as it comes.
    async fn through<T: Send + 'static>(
        &self,
        manifest: &Manifest,
        number: usize,
        meter: &dyn Meter,
        work: impl FnOnce(Archive<'_>) -> Result<T, ImportError> + Send + 'static,
    ) -> Result<T, ImportError> {
        let layer = &manifest.layers[number];
        let place = format!("layer {} of {}", number + 1, self.reference);
        let compression = tar_of(&layer.media_type).ok_or_else(|| ImportError::Malformed {
            place: place.clone(),
            reason: format!(
                "layers of the type {} are not known",
                layer.media_type.escape_debug()
            ),
        })?;
        let size_bytes = layer.size;
        let stream = self.holder.blob(layer).await?;
        stream
            .read_by(meter, move |input| {
                work(Archive {
                    place,
                    compression,
                    size_bytes,
                    input,
                })
            })
            .await?
    }

    /// What an image is in which no model was found.
    fn description(&self, looked: &Looked) -> Bytes {
        let layers: Vec<_> = looked
            .manifest
            .layers
            .iter()
            .map(|layer| layer.digest)
            .collect();
        let mut said = looked.config.said();
        said.retain(|_, value| !value.is_null());
        let whole = json!({
            "digest": looked.top.0.digest,
            "config": looked.manifest.config.digest,
            "layers": layers,
            "runs": said,
        });
        let mut text = serde_json::to_vec_pretty(&whole).expect("its keys are strings");
        text.push(b'\n');
        text.into()
    }

    fn files(&self, looked: &Looked, model: Option<(usize, &Model)>) -> Files {
        let Some((index, model)) = model else {
            let bytes = self.description(looked);
            return Files::There(vec![SourceFile {
                path: DESCRIPTION.to_owned(),
                key: DESCRIPTION.to_owned(),
                size_bytes: Some(bytes.len() as u64),
                sha256: Some(digest_of(&bytes)),
            }]);
        };
        let layers: BTreeSet<usize> = model.files.values().map(|place| place.layer).collect();
        let archives = layers.into_iter().map(|layer| SourceArchive {
            name: format!("layer {}", layer + 1),
            key: json!([index, layer]).to_string(),
            size_bytes: looked.manifest.layers[layer].size,
        });
        Files::Inside(archives.collect())
    }

    /// What a probe finds, once for all models of the image.
    async fn probed(&self, looked: &Looked) -> Result<Option<&Probed>, ImportError> {
        let Some(engine) = &self.engine else {
            return Ok(None);
        };
        let digest = looked.top.0.digest;
        let probe = || engine.probe(&self.holder, digest, &looked.config);
        Ok(Some(self.probed.get_or_try_init(probe).await?))
    }
}

fn too_many(place: &str) -> ImportError {
    ImportError::TooLarge {
        place: place.to_owned(),
        limit: tree::MAX_FILES as u64,
        unit: "files",
    }
}

#[async_trait]
impl Source for Image {
    fn source_type(&self) -> SourceType {
        SourceType::Image
    }

    fn place(&self) -> String {
        self.holder.place()
    }

    fn address(&self) -> Option<String> {
        self.holder.repository().map(ToString::to_string)
    }

    async fn list(&self, progress: &dyn Progress) -> Result<Listing, ImportError> {
        let looked = self.looked(progress).await?;
        let versions = self.listed(looked);
        let spec = looked.config.tell().model;
        let named = versions.iter().map(|listed| {
            let model = ModelListed {
                spec: spec.clone(),
                ..ModelListed::default()
            };
            (listed.model.clone(), model)
        });
        Ok(Listing {
            models: named.collect::<BTreeMap<_, _>>(),
            versions,
            ..Listing::default()
        })
    }

    async fn candidate(&self, listed: &Listed) -> Result<Candidate, ImportError> {
        let looked = self.looked(&Silent).await?;
        let mut told = looked.config.tell();
        told.remarks.extend(looked.remarks.iter().cloned());
        let model = self.model(looked, listed);
        if model.is_none() {
            told.version
                .insert("format".to_owned(), json!({"name": "oci-image"}));
            told.remarks.push(format!(
                "no model was found in its layers: its version has {DESCRIPTION} alone"
            ));
        } else if let Some((_, model)) = model {
            told.keep("image.path", json!(format!("/{}", model.path)));
        }
        if let (Some(version), None) = (&listed.version, model.and_then(|(_, model)| model.number))
        {
            told.remarks.push(format!(
                "neither its tag nor its labels name a version: it is {version} at first, and the \
                 next minor version after that, unless --map or --as says another"
            ));
        }
        let purpose = looked.config.purpose();
        if purpose == ImagePurpose::Server {
            told.version
                .insert("runtime".to_owned(), json!({"name": "container"}));
            if let Some(probed) = self.probed(looked).await? {
                probed.tell(&mut told);
            }
        } else if self.engine.is_some() {
            told.remarks
                .push("it runs no server, and was not probed".to_owned());
        }
        Ok(Candidate {
            version: told.version,
            card: None,
            unmapped: told.unmapped,
            files: self.files(looked, model),
            remarks: told.remarks,
            carrier: Some(Carrier {
                purpose,
                repository: self.holder.repository().cloned(),
                digest: looked.top.0.digest,
            }),
        })
    }

    async fn open(&self, _file: &SourceFile, from: u64) -> Result<Opened, ImportError> {
        let looked = self.looked(&Silent).await?;
        let bytes = self.description(looked);
        let rest = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
        let size_bytes = Some(bytes.len() as u64);
        Ok(Opened {
            from: rest as u64,
            size_bytes,
            bytes: stream::iter([Ok(bytes.slice(rest..))]).boxed(),
        })
    }

    async fn unpack(
        &self,
        archive: &SourceArchive,
        folder: &Path,
        meter: &dyn Meter,
    ) -> Result<(), ImportError> {
        let looked = self.looked(&Silent).await?;
        let (model, layer): (usize, usize) =
            serde_json::from_str(&archive.key).unwrap_or((usize::MAX, usize::MAX));
        let model = looked.models.get(model).ok_or_else(|| ImportError::Lacks {
            place: self.place(),
            what: archive.name.clone(),
        })?;
        let mut wanted: HashMap<String, Vec<FilePath>> = HashMap::new();
        for (path, place) in &model.files {
            if place.layer == layer {
                wanted
                    .entry(place.path.clone())
                    .or_default()
                    .push(path.clone());
            }
        }
        let folder = folder.to_owned();
        let unpack = move |unpacking: Archive<'_>| taking::take(unpacking, &wanted, &folder);
        self.through(&looked.manifest, layer, meter, unpack).await
    }

    async fn copy_image(
        &self,
        to: &dyn Store,
        tag: &Tag,
        progress: &dyn Progress,
    ) -> Result<(), ImportError> {
        let looked = self.looked(progress).await?;
        copy::copy(&self.holder, &looked.top, to, tag, progress).await
    }
}
