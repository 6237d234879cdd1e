//! What each layer of an artifact holds: a file byte for byte, or a tar of files.

use serde_json::json;

use super::tar_of;
use crate::artifact::Manifest;
use crate::artifact::descriptor::{Descriptor, EMPTY};
use crate::artifact::limits::MAX_LAYERS;
use crate::artifact::pack::annotation::{FILE_PATH, ORAS_UNPACK, TITLE};
use crate::artifact::pack::{Claims, FilePath, UnpackError};
use crate::import::unpack::Compression;
use crate::import::{Files, ImportError, SourceArchive, SourceFile};

/// What a blob of which nothing else is known is said to be.
pub(super) const RAW: &str = "application/octet-stream";

/// What a layer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// One file, as it is.
    File(FilePath),
    /// A tar, whose entries have their whole paths.
    Tar(Compression),
}

/// A layer, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layer {
    pub(super) descriptor: Descriptor,
    pub(super) form: Form,
}

/// What Docker's artifacts call their files that have no name.
const DOCKER_NAMES: [(&str, &str); 4] = [
    ("application/vnd.docker.ai.gguf.v3", "model.gguf"),
    ("application/vnd.docker.ai.gguf.v3.mmproj", "mmproj.gguf"),
    ("application/vnd.docker.ai.license", "LICENSE"),
    (
        "application/vnd.docker.ai.chat.template.jinja",
        "template.jinja",
    ),
];

/// The layers of `manifest`, the artifact that is called `reference`.
///
/// # Errors
/// If it is no artifact of files, or a layer is none that can be had.
pub(super) fn of(reference: &str, manifest: &Manifest) -> Result<Vec<Layer>, ImportError> {
    let refused = |source| ImportError::Unpack {
        place: reference.to_owned(),
        source,
    };
    if is_image(manifest.kind()) {
        return Err(ImportError::Malformed {
            place: reference.to_owned(),
            reason: format!(
                "it is a container image; import it as one, as in `modelyard import \
                 image:{reference}`"
            ),
        });
    }
    if manifest.layers.len() > MAX_LAYERS {
        let count = manifest.layers.len();
        return Err(refused(UnpackError::TooMany { count }));
    }
    let mut claims = Claims::default();
    let mut layers = Vec::new();
    for (index, descriptor) in manifest.layers.iter().enumerate() {
        // What oras puts where there is no layer.
        if descriptor.media_type == EMPTY && name(descriptor).is_none() {
            continue;
        }
        let form = form(index + 1, descriptor).map_err(refused)?;
        if let Form::File(path) = &form {
            claims
                .claim(path)
                .map_err(|clash| refused(UnpackError::Clash(clash)))?;
        }
        layers.push(Layer {
            descriptor: descriptor.clone(),
            form,
        });
    }
    if layers.is_empty() {
        return Err(refused(UnpackError::Empty));
    }
    Ok(layers)
}

/// Whether an artifact of this kind is a container image.
fn is_image(kind: &str) -> bool {
    matches!(
        kind,
        "application/vnd.oci.image.config.v1+json"
            | "application/vnd.docker.container.image.v1+json"
    )
}

fn name(descriptor: &Descriptor) -> Option<&str> {
    let annotations = &descriptor.annotations;
    let said = annotations
        .get(FILE_PATH)
        .or_else(|| annotations.get(TITLE));
    let by_type = || {
        let known = DOCKER_NAMES
            .iter()
            .find(|(media_type, _)| *media_type == descriptor.media_type);
        known.map(|(_, name)| *name)
    };
    said.map(String::as_str).or_else(by_type)
}

fn form(layer: usize, descriptor: &Descriptor) -> Result<Form, UnpackError> {
    let digest = descriptor.digest;
    let media_type = descriptor.media_type.as_str();
    let unpacked_by_oras = descriptor
        .annotations
        .get(ORAS_UNPACK)
        .is_some_and(|value| value == "true");
    if unpacked_by_oras {
        // It is compressed whatever type was named.
        return Ok(Form::Tar(tar_of(media_type).map_or(
            Compression::Gzip,
            |told| match told {
                Compression::None => Compression::Gzip,
                told => told,
            },
        )));
    }
    // Any single file that oras pushes without a type is called a layer of an image.
    let is_oras_file = media_type.starts_with("application/vnd.oci.image.layer.");
    if let (Some(compression), false) = (tar_of(media_type), is_oras_file) {
        return Ok(Form::Tar(compression));
    }
    let name = name(descriptor).ok_or(UnpackError::NoPath { layer, digest })?;
    if is_compressed_archive(media_type) {
        return Err(UnpackError::Unsupported {
            layer,
            path: name.to_owned(),
            media_type: media_type.to_owned(),
        });
    }
    let path = name.strip_prefix("./").unwrap_or(name);
    let path = path.parse().map_err(|source| UnpackError::Path {
        layer,
        digest,
        source,
    })?;
    Ok(Form::File(path))
}

/// Whether it is a model's tar, compressed in a way that isn't known.
fn is_compressed_archive(media_type: &str) -> bool {
    let models = media_type.starts_with("application/vnd.cncf.model.")
        || media_type.starts_with("application/vnd.kitops.");
    models && media_type.contains(".tar+")
}

/// The files to fetch: each by itself where every layer is one.
pub(super) fn files(layers: Vec<Layer>) -> Files {
    let is_file = |layer: &Layer| matches!(layer.form, Form::File(_));
    if !layers.iter().all(is_file) {
        let archives = layers
            .iter()
            .enumerate()
            .map(|(index, layer)| SourceArchive {
                name: match &layer.form {
                    Form::File(path) => path.to_string(),
                    Form::Tar(_) => format!("layer {}", index + 1),
                },
                key: layer.key(),
                size_bytes: layer.descriptor.size,
            });
        return Files::Inside(archives.collect());
    }
    let files = layers.into_iter().filter_map(|layer| match layer.form {
        Form::File(path) => Some(SourceFile {
            path: path.as_str().to_owned(),
            key: layer.descriptor.digest.to_string(),
            size_bytes: Some(layer.descriptor.size),
            sha256: Some(layer.descriptor.digest),
        }),
        Form::Tar(_) => None,
    });
    Files::There(files.collect())
}

impl Layer {
    /// What this layer is found by again.
    fn key(&self) -> String {
        let (path, compression) = match &self.form {
            Form::File(path) => (Some(path.as_str()), ""),
            Form::Tar(Compression::None) => (None, ""),
            Form::Tar(Compression::Gzip) => (None, "gzip"),
            Form::Tar(Compression::Zstd) => (None, "zstd"),
        };
        json!([self.descriptor.digest, path, compression]).to_string()
    }

    /// The layer that [`Self::key`] names, of `size_bytes`.
    pub(super) fn of_key(key: &str, size_bytes: u64) -> Option<Self> {
        let (digest, path, compression): (_, Option<FilePath>, String) =
            serde_json::from_str(key).ok()?;
        let form = match (path, compression.as_str()) {
            (Some(path), _) => Form::File(path),
            (None, "gzip") => Form::Tar(Compression::Gzip),
            (None, "zstd") => Form::Tar(Compression::Zstd),
            (None, _) => Form::Tar(Compression::None),
        };
        Some(Self {
            descriptor: Descriptor::new(RAW, digest, size_bytes),
            form,
        })
    }
}

#[cfg(test)]
mod tests {
    //! Layers of several writers.

    use super::*;
    use crate::artifact::descriptor::{IMAGE_MANIFEST, digest_of};

    fn manifest(config: &str, layers: &[(&str, &[(&str, &str)])]) -> Manifest {
        let layer = |(media_type, annotations): &(&str, &[(&str, &str)])| {
            let plain = Descriptor::new(*media_type, digest_of(b"x"), 1);
            annotations
                .iter()
                .fold(plain, |layer, (name, value)| layer.annotated(*name, *value))
        };
        Manifest {
            schema_version: 2,
            media_type: IMAGE_MANIFEST.to_owned(),
            artifact_type: None,
            config: Descriptor::of(config, b"{}"),
            layers: layers.iter().map(layer).collect(),
            subject: None,
            annotations: [].into(),
        }
    }

    fn told(layers: &[(&str, &[(&str, &str)])]) -> Result<Vec<Form>, String> {
        let layers = of("r.test/a:1", &manifest("a/b", layers));
        let layers = layers.map_err(|error| {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            format!("{error}: {}", source.unwrap_or_default())
        })?;
        for layer in &layers {
            let found = Layer::of_key(&layer.key(), 1).unwrap();
            assert_eq!(found.form, layer.form);
        }
        Ok(layers.into_iter().map(|layer| layer.form).collect())
    }

    #[test]
    fn each_writer_has_its_types() {
        let file = |path: &str| Form::File(path.parse().unwrap());
        let kit = "application/vnd.kitops.modelkit.model.v1.tar+gzip";
        let forms = told(&[
            (kit, &[]),
            ("application/vnd.kitops.modelkit.code.v1.tar", &[]),
            (
                "application/vnd.cncf.model.weight.v1.tar+zstd",
                &[(FILE_PATH, "models")],
            ),
            (
                "application/vnd.cncf.model.weight.v1.raw",
                &[(FILE_PATH, "./a.onnx"), (TITLE, "b")],
            ),
            (
                "application/vnd.oci.image.layer.v1.tar",
                &[(TITLE, "README.md")],
            ),
            (
                "application/vnd.oci.image.layer.v1.tar+gzip",
                &[(TITLE, "data"), (ORAS_UNPACK, "true")],
            ),
            ("application/vnd.docker.ai.gguf.v3", &[]),
            ("application/vnd.docker.ai.dir.tar", &[]),
            (EMPTY, &[]),
        ]);
        assert_eq!(
            forms.unwrap(),
            [
                Form::Tar(Compression::Gzip),
                Form::Tar(Compression::None),
                Form::Tar(Compression::Zstd),
                file("a.onnx"),
                file("README.md"),
                Form::Tar(Compression::Gzip),
                file("model.gguf"),
                Form::Tar(Compression::None),
            ]
        );
    }

    #[test]
    fn what_can_not_be_had_is_refused() {
        let raw = "application/vnd.cncf.model.weight.v1.raw";
        let refused = |layers: &[(&str, &[(&str, &str)])]| told(layers).unwrap_err();
        insta::assert_snapshot!(refused(&[(raw, &[(FILE_PATH, "../a")])]), @"r.test/a:1 can't be unpacked: the artifact's file 1 (of sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881) has no safe path");
        insta::assert_snapshot!(refused(&[(raw, &[(FILE_PATH, "a")]), (raw, &[(FILE_PATH, "A")])]), @"r.test/a:1 can't be unpacked: two of the artifact's files can't be in one folder");
        insta::assert_snapshot!(refused(&[(raw, &[])]), @"r.test/a:1 can't be unpacked: the artifact's layer 1 (of sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881) does not say which file it is");
        insta::assert_snapshot!(refused(&[("application/vnd.cncf.model.weight.v1.tar+lz4", &[(FILE_PATH, "a")])]), @"r.test/a:1 can't be unpacked: the artifact's layer 1, `a`, is of an unsupported type: application/vnd.cncf.model.weight.v1.tar+lz4");
        insta::assert_snapshot!(refused(&[]), @"r.test/a:1 can't be unpacked: the artifact has no files");
        let image = manifest("application/vnd.oci.image.config.v1+json", &[(raw, &[])]);
        let refused = of("r.test/a:1", &image).unwrap_err().to_string();
        insta::assert_snapshot!(refused, @"r.test/a:1 can't be read: it is a container image; import it as one, as in `modelyard import image:r.test/a:1`");
    }
}
