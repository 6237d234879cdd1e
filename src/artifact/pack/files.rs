//! From a manifest to the files that it promises, checked before any of them is fetched.

use super::annotation::{FILE_METADATA, FILE_PATH, FileMetadata, ORAS_UNPACK, TITLE};
use super::claims::{Claims, Clash};
use super::codes;
use super::inspect::Content;
use super::mode::Mode;
use super::path::{FilePath, PathError};
use super::role::Role;
use crate::artifact::descriptor::{Descriptor, EMPTY};
use crate::artifact::limits::MAX_LAYERS;
use crate::artifact::manifest::Manifest;
use crate::record::{Code, Digest, Fault};

/// A layer that is one file, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerFile {
    /// Where it lies below the artifact's folder.
    pub path: FilePath,
    /// What it is to the model.
    pub role: Role,
    /// Its bytes.
    pub descriptor: Descriptor,
    /// Whether it can be started.
    pub mode: Mode,
}

/// Why an artifact's files can't be put into a folder.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// A layer's path means a place outside the folder, or not the same place everywhere.
    #[error("the artifact's file {layer} (of {digest}) has no safe path")]
    Path {
        /// Its number among the layers, from 1.
        layer: usize,
        /// Its bytes.
        digest: Digest,
        /// Which rule it breaks.
        #[source]
        source: PathError,
    },
    /// A file in one of the artifact's archives that has no safe place.
    #[error("a file in it has no safe path")]
    Entry {
        /// Which rule it breaks.
        #[source]
        source: PathError,
    },
    /// Two files of the artifact in one place.
    #[error("two of the artifact's files can't be in one folder")]
    Clash(#[from] Clash),
    /// A layer that doesn't say which file it is.
    #[error("the artifact's layer {layer} (of {digest}) does not say which file it is")]
    NoPath {
        /// Its number among the layers, from 1.
        layer: usize,
        /// Its bytes.
        digest: Digest,
    },
    /// A layer that is no single file.
    #[error("the artifact's layer {layer}, `{}`, is of an unsupported type: {}",
        path.escape_debug(), media_type.escape_debug())]
    Unsupported {
        /// Its number among the layers, from 1.
        layer: usize,
        /// What it is called.
        path: String,
        /// Its media type, or what it is marked as.
        media_type: String,
    },
    /// More files than are ever packed.
    #[error("the artifact has {count} files, more than the {MAX_LAYERS} that are unpacked")]
    TooMany {
        /// How many it has.
        count: usize,
    },
    /// Nothing that could be put into a folder.
    #[error("the artifact has no files")]
    Empty,
}

impl Fault for UnpackError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Path { source, .. } | Self::Entry { source } => source.code(),
            Self::Clash(_) => &codes::PATHS_CLASH,
            Self::NoPath { .. } | Self::Unsupported { .. } => &codes::UNSUPPORTED_LAYER,
            Self::TooMany { .. } => &codes::TOO_MANY_FILES,
            Self::Empty => &codes::NO_FILES,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Entry { .. } => {
                "nothing of it was kept; don't use this artifact unless whoever made it can explain \
                 it"
                .to_owned()
            }
            Self::Path { .. } | Self::Clash(_) => {
                "nothing was fetched; don't use this artifact unless whoever made it can explain it"
                    .to_owned()
            }
            Self::NoPath { .. } | Self::Empty => {
                "check with `modelyard inspect` that it is a model's artifact and not an image or \
                 a signature"
                    .to_owned()
            }
            Self::Unsupported { .. } => {
                "unpack it with the tool that made it, and publish the folder by `modelyard \
                 publish`"
                    .to_owned()
            }
            Self::TooMany { .. } => {
                "publish it again with its many small files in one archive".to_owned()
            }
        })
    }
}

/// The files that `manifest` promises, in its order, each at a safe place of its own.
///
/// Reads what ModelPack's writers make of single files, and what oras does
/// (`org.opencontainers.image.title`).
///
/// # Errors
/// [`UnpackError`] if any of them can't be put into a folder as it is; then none should be.
pub fn files(manifest: &Manifest) -> Result<Vec<LayerFile>, UnpackError> {
    if manifest.layers.len() > MAX_LAYERS {
        let count = manifest.layers.len();
        return Err(UnpackError::TooMany { count });
    }
    let mut claims = Claims::default();
    let mut files = Vec::with_capacity(manifest.layers.len());
    for (index, descriptor) in manifest.layers.iter().enumerate() {
        // What oras and cosign put where there is no layer.
        if descriptor.media_type == EMPTY && path_text(descriptor).is_none() {
            continue;
        }
        let file = file(index + 1, descriptor)?;
        claims.claim(&file.path)?;
        files.push(file);
    }
    if files.is_empty() {
        return Err(UnpackError::Empty);
    }
    Ok(files)
}

fn path_text(descriptor: &Descriptor) -> Option<&String> {
    let annotations = &descriptor.annotations;
    annotations
        .get(FILE_PATH)
        .or_else(|| annotations.get(TITLE))
}

fn file(layer: usize, descriptor: &Descriptor) -> Result<LayerFile, UnpackError> {
    let digest = descriptor.digest;
    let text = path_text(descriptor).ok_or(UnpackError::NoPath { layer, digest })?;
    let unsupported = |media_type: &str| UnpackError::Unsupported {
        layer,
        path: text.clone(),
        media_type: media_type.to_owned(),
    };
    let annotations = &descriptor.annotations;
    if is_archive(&descriptor.media_type) {
        return Err(unsupported(&descriptor.media_type));
    }
    if annotations
        .get(ORAS_UNPACK)
        .is_some_and(|value| value == "true")
    {
        return Err(unsupported("a folder that oras made a tar of"));
    }
    // Another writer's metadata that can't be read says nothing; that is no reason to refuse.
    let metadata: Option<FileMetadata> = annotations
        .get(FILE_METADATA)
        .and_then(|json| serde_json::from_str(json).ok());
    if metadata
        .as_ref()
        .is_some_and(|metadata| metadata.typeflag != 0)
    {
        return Err(unsupported("a link or a folder"));
    }
    let path: FilePath = text.parse().map_err(|source| UnpackError::Path {
        layer,
        digest,
        source,
    })?;
    Ok(LayerFile {
        role: role(&descriptor.media_type, &path),
        path,
        descriptor: descriptor.clone(),
        mode: metadata.map_or(Mode::Plain, |metadata| metadata.mode()),
    })
}

/// Whether layers of this type hold several files. `application/vnd.oci.image.layer.v1.tar` is
/// not one of them: oras gives it to every single file for which no type is named.
fn is_archive(media_type: &str) -> bool {
    let ours = media_type.starts_with("application/vnd.cncf.model.")
        || media_type.starts_with("application/vnd.kitops.")
        || media_type.starts_with("application/vnd.docker.");
    let (kind, compression) = media_type.split_once('+').unwrap_or((media_type, ""));
    // No raw form is compressed, so what is compressed is an archive.
    ours && (kind.ends_with(".tar") || !compression.is_empty())
}

/// The role that the media type gives, or else the path.
fn role(media_type: &str, path: &FilePath) -> Role {
    let model = media_type
        .strip_prefix("application/vnd.cncf.model.")
        .and_then(|rest| rest.split_once(".v1."));
    let told = model.and_then(|(name, _)| Role::ALL.into_iter().find(|role| role.as_str() == name));
    told.unwrap_or_else(|| Role::tell(path, Content::Empty))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::descriptor::digest_of;

    const RAW: &str = "application/vnd.cncf.model.weight.v1.raw";

    fn layer(media_type: &str, annotations: &[(&str, &str)]) -> Descriptor {
        let plain = Descriptor::new(media_type, digest_of(b"x"), 1);
        annotations
            .iter()
            .fold(plain, |layer, (name, value)| layer.annotated(*name, *value))
    }

    fn manifest(layers: Vec<Descriptor>) -> Manifest {
        Manifest {
            schema_version: 2,
            media_type: crate::artifact::descriptor::IMAGE_MANIFEST.to_owned(),
            artifact_type: None,
            config: Descriptor::of(EMPTY, b"{}"),
            layers,
            subject: None,
            annotations: [].into(),
        }
    }

    fn told(layers: Vec<Descriptor>) -> Result<Vec<LayerFile>, String> {
        files(&manifest(layers)).map_err(|error| {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            format!("{}: {error}: {}", error.code(), source.unwrap_or_default())
        })
    }

    #[test]
    fn modelpack_and_oras_layers_are_files() {
        let program = r#"{"name":"serve","mode":3565,"typeflag":0,"mtime":"2026-01-01T00:00:00Z"}"#;
        let told = told(vec![
            layer(RAW, &[(FILE_PATH, "w/model.onnx"), (TITLE, "other")]),
            layer(
                "application/vnd.cncf.model.code.v1.raw",
                &[(FILE_PATH, "serve"), (FILE_METADATA, program)],
            ),
            layer(
                "application/vnd.oci.image.layer.v1.tar",
                &[(TITLE, "README.md")],
            ),
            layer(
                "application/vnd.cncf.model.weight.v1.gguf",
                &[(FILE_PATH, "a.gguf")],
            ),
            layer(EMPTY, &[]),
        ]);
        let told: Vec<_> = told
            .unwrap()
            .into_iter()
            .map(|file| (file.path.to_string(), file.role, file.mode))
            .collect();
        let expected = [
            ("w/model.onnx", Role::Weight, Mode::Plain),
            ("serve", Role::Code, Mode::Executable),
            ("README.md", Role::Doc, Mode::Plain),
            ("a.gguf", Role::Weight, Mode::Plain),
        ];
        assert_eq!(
            told,
            expected.map(|(path, role, mode)| (path.to_owned(), role, mode))
        );
    }

    #[test]
    fn a_path_that_means_another_place_is_refused() {
        for path in [
            "/etc/cron.d/x",
            "../x",
            "a/../../x",
            "a\\b",
            "C:x",
            "",
            "a\u{0}b",
            "a\nb",
            "nul",
            ".git/config",
        ] {
            let error = told(vec![layer(RAW, &[(FILE_PATH, path)])]).unwrap_err();
            assert!(error.starts_with("unsafe-path: "), "{path:?}: {error}");
        }
    }

    #[test]
    fn two_files_in_one_place_are_refused() {
        for paths in [
            ["a", "a"],
            ["Model.onnx", "model.onnx"],
            ["caf\u{e9}", "cafe\u{301}"],
            ["a", "a/b"],
            ["a/b", "a"],
            ["Data/x", "data/y"],
        ] {
            let layers = paths.map(|path| layer(RAW, &[(FILE_PATH, path)]));
            let error = told(layers.to_vec()).unwrap_err();
            assert!(error.starts_with("paths-clash: "), "{paths:?}: {error}");
        }
    }

    #[test]
    fn archives_links_and_nameless_layers_are_refused_by_name() {
        let folder = r#"{"typeflag":5}"#;
        for (refused, what) in [
            (
                layer(
                    "application/vnd.cncf.model.weight.v1.tar",
                    &[(FILE_PATH, "w")],
                ),
                "weight.v1.tar",
            ),
            (
                layer(
                    "application/vnd.cncf.model.doc.v1.tar+gzip",
                    &[(FILE_PATH, "w")],
                ),
                "tar+gzip",
            ),
            (
                layer(
                    "application/vnd.kitops.modelkit.model.v1.tar",
                    &[(TITLE, "w")],
                ),
                "kitops",
            ),
            (
                layer("application/vnd.docker.ai.dir.tar", &[(FILE_PATH, "w")]),
                "dir.tar",
            ),
            (layer("a/b", &[(TITLE, "w"), (ORAS_UNPACK, "true")]), "oras"),
            (
                layer(RAW, &[(FILE_PATH, "w"), (FILE_METADATA, folder)]),
                "a link or a folder",
            ),
            (layer(RAW, &[]), "does not say which file"),
        ] {
            let error = told(vec![refused]).unwrap_err();
            assert!(error.starts_with("unsupported-layer: "), "{error}");
            assert!(error.contains(what), "{error}");
        }
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        assert!(told(vec![]).unwrap_err().starts_with("no-files: "));
        assert!(
            told(vec![layer(EMPTY, &[])])
                .unwrap_err()
                .starts_with("no-files: ")
        );
        let many = (0..=MAX_LAYERS).map(|number| layer(RAW, &[(FILE_PATH, &number.to_string())]));
        assert!(
            told(many.collect())
                .unwrap_err()
                .starts_with("too-many-files: ")
        );
    }
}
