//! Manifests in files and folders.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use walkdir::WalkDir;

use super::Manifest;
use super::open::Dialect;
use crate::check::yaml::{self, MAX_STREAM_BYTES};
use crate::import::{ImportError, LeftOut};
use crate::platform::atomic::{FileError, read_at_most};

/// How many files of a folder are looked at.
const MAX_FILES: usize = 100_000;

/// How many objects a source has at most.
pub(super) const MAX_OBJECTS: usize = 100_000;

/// What MLServer reads in the folder of a model.
const SETTINGS: &str = "model-settings.json";

/// What files hold.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub manifests: Vec<Manifest>,
    pub left_out: Vec<LeftOut>,
}

impl Read {
    /// What the file or folder at `path` holds of `dialect`; `root` is left out of what is shown.
    ///
    /// # Errors
    /// If a folder can't be walked, or `path` is a file that can't be read.
    pub(super) fn of(path: &Path, root: &Path, dialect: &Dialect) -> Result<Self, ImportError> {
        let mut read = Self::default();
        if path.is_file() {
            let bytes = read_at_most(path, MAX_STREAM_BYTES as u64)?;
            return only(path, root, &bytes, dialect);
        }
        for path in files(path, dialect)? {
            let bytes = match read_at_most(&path, MAX_STREAM_BYTES as u64) {
                Err(error) if error.source.kind() == ErrorKind::FileTooLarge => None,
                bytes => Some(bytes?),
            };
            read.add(&path, root, bytes.as_deref(), dialect)?;
        }
        Ok(read)
    }

    /// Adds what the file at `path` holds, one of many that may hold something; it has no `bytes`
    /// where they are too many.
    ///
    /// # Errors
    /// If that makes too many objects.
    pub(super) fn add(
        &mut self,
        path: &Path,
        root: &Path,
        bytes: Option<&[u8]>,
        dialect: &Dialect,
    ) -> Result<(), ImportError> {
        let held = match bytes {
            Some(bytes) => file(path, root, bytes, dialect),
            None => Err(ImportError::Malformed {
                place: shown(path, root),
                reason: format!("it has more than {MAX_STREAM_BYTES} bytes"),
            }),
        };
        match held {
            Ok(manifests) => self.manifests.extend(manifests),
            Err(ImportError::Malformed { place, reason }) => self.left_out.push(LeftOut {
                what: place,
                why: reason,
            }),
            Err(error) => return Err(error),
        }
        match self.manifests.len() > MAX_OBJECTS {
            true => Err(ImportError::TooLarge {
                place: shown(root, root),
                limit: MAX_OBJECTS as u64,
                unit: "objects",
            }),
            false => Ok(()),
        }
    }
}

/// What the file at `path` holds, which was named and has these bytes.
///
/// # Errors
/// If that can't be understood, or is nothing.
pub(super) fn only(
    path: &Path,
    root: &Path,
    bytes: &[u8],
    dialect: &Dialect,
) -> Result<Read, ImportError> {
    let manifests = file(path, root, bytes, dialect)?;
    if manifests.is_empty() {
        return Err(nothing(path, root, bytes, dialect));
    }
    Ok(Read {
        manifests,
        left_out: Vec::new(),
    })
}

/// Why a file that was named holds nothing: which kinds it has instead.
fn nothing(path: &Path, root: &Path, bytes: &[u8], dialect: &Dialect) -> ImportError {
    let kinds = file_kinds(bytes);
    let has = match kinds.as_slice() {
        [] => "it has no object of Kubernetes".to_owned(),
        kinds => format!("it has {}", kinds.join(", ")),
    };
    ImportError::Malformed {
        place: shown(path, root),
        reason: format!("{has}, and none of {}", dialect.kinds.join(", ")),
    }
}

fn file_kinds(bytes: &[u8]) -> Vec<String> {
    const MOST: usize = 5;
    let documents = yaml::documents(bytes).unwrap_or_default();
    let kinds = documents.iter().take(MOST);
    kinds
        .map(|document| {
            document.value["kind"]
                .as_str()
                .unwrap_or("no kind")
                .escape_debug()
                .to_string()
        })
        .collect()
}

/// The files below `folder` that may hold manifests, in the order of their names.
fn files(folder: &Path, dialect: &Dialect) -> Result<Vec<PathBuf>, ImportError> {
    let hidden = |entry: &walkdir::DirEntry| {
        entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.')
    };
    let walk = WalkDir::new(folder).sort_by_file_name().into_iter();
    let mut found = Vec::new();
    for entry in walk.filter_entry(|entry| !hidden(entry)) {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(folder).to_owned();
            FileError::at("read", path)(error.into())
        })?;
        if entry.file_type().is_file() && may_hold(entry.path(), dialect) {
            found.push(entry.into_path());
            if found.len() > MAX_FILES {
                return Err(ImportError::TooLarge {
                    place: folder.display().to_string(),
                    limit: MAX_FILES as u64,
                    unit: "files that may be manifests",
                });
            }
        }
    }
    Ok(found)
}

/// Whether a file of this name may hold manifests.
pub(super) fn may_hold(path: &Path, dialect: &Dialect) -> bool {
    let end = path
        .extension()
        .and_then(|end| end.to_str())
        .unwrap_or_default();
    matches!(end, "yaml" | "yml" | "json") || (dialect.settings && is_settings(path))
}

fn is_settings(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == SETTINGS)
}

/// The objects in the file at `path`, which has these bytes.
fn file(
    path: &Path,
    root: &Path,
    bytes: &[u8],
    dialect: &Dialect,
) -> Result<Vec<Manifest>, ImportError> {
    let place = shown(path, root);
    let malformed = |reason: String| ImportError::Malformed {
        place: place.clone(),
        reason,
    };
    let folder = path.parent().map(Path::to_owned);
    if dialect.settings && is_settings(path) {
        let content: Value =
            serde_json::from_slice(bytes).map_err(|error| malformed(error.to_string()))?;
        return Ok(vec![settings(&content, place, folder, root)]);
    }
    // Most YAML of a repository is somebody else's, and need not even be YAML (templates).
    if !dialect.groups.iter().any(|group| holds(bytes, group)) {
        return Ok(Vec::new());
    }
    let mut manifests = Vec::new();
    if path.extension().is_some_and(|end| end == "json") {
        let value = serde_json::from_slice(bytes).map_err(|error| malformed(error.to_string()))?;
        spread(value, &place, folder.as_deref(), &mut manifests);
    } else {
        let documents = yaml::documents(bytes).map_err(|broken| malformed(broken.to_string()))?;
        for document in documents {
            let place = format!("{place}:{} (document {})", document.line, document.number);
            spread(document.value, &place, folder.as_deref(), &mut manifests);
        }
    }
    manifests.retain(|manifest| dialect.groups.contains(&manifest.group()));
    Ok(manifests)
}

fn holds(bytes: &[u8], word: &str) -> bool {
    bytes
        .windows(word.len())
        .any(|window| window == word.as_bytes())
}

/// `value`, or the objects of the list that it is.
pub(super) fn spread(
    value: Value,
    place: &str,
    folder: Option<&Path>,
    manifests: &mut Vec<Manifest>,
) {
    let is_list = value["kind"]
        .as_str()
        .is_some_and(|kind| kind.ends_with("List"));
    match value {
        Value::Object(mut fields) if is_list => {
            let items = fields.remove("items").unwrap_or_default();
            let Value::Array(items) = items else {
                return;
            };
            for (index, item) in items.into_iter().enumerate() {
                let at = format!("{place}, item {}", index + 1);
                manifests.push(manifest(at, folder, item));
            }
        }
        value => manifests.push(manifest(place.to_owned(), folder, value)),
    }
}

fn manifest(at: String, folder: Option<&Path>, value: Value) -> Manifest {
    Manifest {
        at,
        folder: folder.map(Path::to_owned),
        value,
    }
}

/// A folder of MLServer as an object like the others.
fn settings(content: &Value, at: String, folder: Option<PathBuf>, root: &Path) -> Manifest {
    let inside = folder.as_deref().map(|folder| shown(folder, root));
    let name = content["name"].as_str().map(str::to_owned);
    let name = name.or_else(|| Some(folder.as_ref()?.file_name()?.to_string_lossy().into_owned()));
    Manifest {
        at,
        folder,
        value: json!({
            "apiVersion": "mlserver/v1",
            "kind": "ModelSettings",
            "metadata": {"name": name, "namespace": inside},
            "spec": content,
        }),
    }
}

/// `path` as people call it who know `root`.
fn shown(path: &Path, root: &Path) -> String {
    match path.strip_prefix(root) {
        Ok(inside) if !inside.as_os_str().is_empty() => inside.display().to_string(),
        Ok(_) => ".".to_owned(),
        Err(_) => path.display().to_string(),
    }
}
