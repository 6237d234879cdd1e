//! From files to an artifact's manifest, ready to be pushed.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::Serialize;

use super::annotation::{FILE_METADATA, FILE_PATH, FileMetadata, TITLE};
use super::error::PackError;
use super::hash::{Hashed, Stamp, hash_all};
use super::inspect::{Content, Description, describe, is_spark_metadata, learned_by_spark};
use super::left_out::LeftOut;
use super::mode::Mode;
use super::path::FilePath;
use super::role::{Role, RoleRule};
use super::walk::{Found, Walked, walk};
use crate::artifact::descriptor::{Descriptor, IMAGE_MANIFEST, digest_of};
use crate::artifact::limits::MAX_MANIFEST_BYTES;
use crate::artifact::manifest::Manifest;
use crate::artifact::source::BlobSource;
use crate::platform::Progress;
use crate::record::Digest;

/// The artifact type of a model (ModelPack).
pub const MODEL_MANIFEST: &str = "application/vnd.cncf.model.manifest.v1+json";

/// The media type of a model's config (ModelPack).
pub const MODEL_CONFIG: &str = "application/vnd.cncf.model.config.v1+json";

/// An artifact of files that still lie where they were found.
///
/// To push it: each of [`layers`](Self::layers) (a [`BlobSource`]), then
/// [`config`](Self::config), then the manifest.
#[derive(Debug)]
pub struct Packed {
    /// The manifest, as it has to be pushed.
    pub manifest: Bytes,
    /// The artifact's identity.
    pub digest: Digest,
    /// What describes the config.
    pub config_descriptor: Descriptor,
    /// The config, as it has to be pushed.
    pub config: Bytes,
    /// The files, sorted by path.
    pub layers: Vec<PackedFile>,
    /// All files' bytes.
    pub total_bytes: u64,
    /// What was not packed, and why, sorted by path.
    pub left_out: Vec<LeftOut>,
    /// What the files say of themselves.
    pub description: Description,
}

/// A file of an artifact, and where it lies on the disk.
#[derive(Debug)]
pub struct PackedFile {
    /// Where it lies in the artifact.
    pub path: FilePath,
    /// What it is to the model.
    pub role: Role,
    /// What it holds, told by its first bytes.
    pub content: Content,
    /// Its layer.
    pub descriptor: Descriptor,
    /// Where it lies on the disk.
    pub source: PathBuf,
    stamp: Stamp,
    settled: bool,
}

/// Packs the folder, or the single file, at `path`. It reads every byte once and writes nothing.
///
/// It blocks: call it where that is allowed.
///
/// # Errors
/// [`PackError`] for the first file that can't be packed and isn't left out.
pub fn pack(path: &Path, rules: &[RoleRule], progress: &dyn Progress) -> Result<Packed, PackError> {
    let Walked { files, left_out } = walk(path)?;
    refuse_unused(rules, &files)?;
    let mut total_bytes = 0;
    for found in &files {
        // A file that is gone already is told when it is read.
        total_bytes += found.source.metadata().map_or(0, |metadata| metadata.len());
    }
    let meter = progress.begin("packing", total_bytes);
    let hashed = hash_all(&files, &*meter)?;
    drop(meter);
    let learned = learned_by_spark(files.iter().map(|found| found.path.as_str()));
    let layers = files.into_iter().zip(hashed);
    let layers: Result<Vec<_>, _> = layers
        .map(|(found, hashed)| layer(found, hashed, rules, &learned))
        .collect();
    assemble(layers?, left_out)
}

fn refuse_unused(rules: &[RoleRule], files: &[Found]) -> Result<(), PackError> {
    let unused = rules
        .iter()
        .find(|rule| !files.iter().any(|file| rule.fits(&file.path)));
    match unused {
        Some(rule) => Err(PackError::UnusedRule(rule.to_string())),
        None => Ok(()),
    }
}

fn layer(
    found: Found,
    hashed: Hashed,
    rules: &[RoleRule],
    learned: &BTreeSet<String>,
) -> Result<PackedFile, PackError> {
    let Found { path, source } = found;
    let Hashed {
        digest,
        size_bytes,
        content,
        stamp,
    } = hashed;
    match content {
        Content::LfsPointer => return Err(PackError::LfsPointer { path }),
        Content::PrivateKey => return Err(PackError::PrivateKey { path }),
        _ => {}
    }
    let rule = rules.iter().rev().find(|rule| rule.fits(&path));
    let role = match rule {
        Some(rule) => rule.role(),
        // Spark calls what a model learned its data.
        None if learned
            .iter()
            .any(|folder| path.as_str().starts_with(folder)) =>
        {
            Role::Weight
        }
        None if is_spark_metadata(path.as_str()) => Role::Config,
        None => Role::tell(&path, content),
    };
    let mut descriptor = Descriptor::new(role.media_type(), digest, size_bytes)
        .annotated(FILE_PATH, path.as_str())
        .annotated(TITLE, path.as_str());
    if content.is_program() {
        let metadata = FileMetadata::normalised(path.file_name(), Mode::Executable, size_bytes);
        let json = serde_json::to_string(&metadata).expect("its keys are strings");
        descriptor = descriptor.annotated(FILE_METADATA, json);
    }
    Ok(PackedFile {
        path,
        role,
        content,
        descriptor,
        source,
        stamp,
        settled: false,
    })
}

/// ModelPack's config. What it could say of the model is left empty: that is in the record, and
/// would make the manifest a function of more than the files.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    descriptor: Nothing,
    config: Nothing,
    modelfs: ModelFs<'a>,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ModelFs<'a> {
    r#type: &'static str,
    /// Of raw layers these are the layers' digests.
    diff_ids: Vec<&'a Digest>,
}

fn assemble(layers: Vec<PackedFile>, left_out: Vec<LeftOut>) -> Result<Packed, PackError> {
    let config = Config {
        descriptor: Nothing {},
        config: Nothing {},
        modelfs: ModelFs {
            r#type: "layers",
            diff_ids: layers
                .iter()
                .map(|layer| &layer.descriptor.digest)
                .collect(),
        },
    };
    let config = Bytes::from(serde_json::to_vec(&config).expect("its keys are strings"));
    let config_descriptor = Descriptor::of(MODEL_CONFIG, &config);
    let manifest = Manifest {
        schema_version: 2,
        media_type: IMAGE_MANIFEST.to_owned(),
        artifact_type: Some(MODEL_MANIFEST.to_owned()),
        config: config_descriptor.clone(),
        layers: layers
            .iter()
            .map(|layer| layer.descriptor.clone())
            .collect(),
        subject: None,
        annotations: [].into(),
    };
    let manifest = manifest.to_bytes();
    if manifest.len() as u64 > MAX_MANIFEST_BYTES {
        let actual = manifest.len();
        return Err(PackError::ManifestTooLarge { actual });
    }
    Ok(Packed {
        digest: digest_of(&manifest),
        manifest,
        config_descriptor,
        config,
        total_bytes: layers.iter().map(|layer| layer.descriptor.size).sum(),
        description: describe(&layers),
        layers,
        left_out,
    })
}

impl Packed {
    /// What describes the manifest.
    pub fn descriptor(&self) -> Descriptor {
        let size = self.manifest.len() as u64;
        let mut descriptor = Descriptor::new(IMAGE_MANIFEST, self.digest, size);
        descriptor.artifact_type = Some(MODEL_MANIFEST.to_owned());
        descriptor
    }

    /// Says that nobody writes to the files any more: they lie in a folder of ours.
    pub fn settle(&mut self) {
        for layer in &mut self.layers {
            layer.settled = true;
        }
    }

    /// Makes sure that no file was written to since it was packed.
    ///
    /// # Errors
    /// [`PackError::Changed`] with the first that was.
    pub fn check_unchanged(&self) -> Result<(), PackError> {
        match self.layers.iter().find(|layer| !layer.is_unchanged()) {
            Some(layer) => Err(PackError::Changed {
                path: layer.source.clone(),
            }),
            None => Ok(()),
        }
    }
}

impl PackedFile {
    /// Whether nobody wrote to the file since it was packed.
    pub fn is_unchanged(&self) -> bool {
        self.stamp.holds(&self.source)
    }
}

impl BlobSource for PackedFile {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        if !self.is_unchanged() {
            return Err(io::Error::other("it changed since it was packed"));
        }
        Ok(Box::new(File::open(&self.source)?))
    }

    fn path(&self) -> Option<&Path> {
        Some(&self.source)
    }

    fn settled(&self) -> Option<&Path> {
        (self.settled && self.is_unchanged()).then_some(&self.source)
    }
}
