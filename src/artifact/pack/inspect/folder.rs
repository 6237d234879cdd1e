//! Models of several files: shards with their index, and what lies beside the weights.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;

use serde::Deserialize;
use serde_json::Value;

use super::json;
use crate::artifact::pack::packed::PackedFile;

/// The largest index of shards: a line a tensor.
const MAX_INDEX_BYTES: u64 = 16 * 1024 * 1024;
/// The largest configuration beside weights.
const MAX_CONFIG_BYTES: u64 = 4 * 1024 * 1024;
/// The most shards.
const MAX_SHARDS: usize = 10_000;

/// How many parts there are, if the file is one of them: `model-00001-of-00004.safetensors`.
pub(super) fn shards(file: &PackedFile) -> Option<usize> {
    let name = file.path.file_name();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let (rest, count) = stem.rsplit_once("-of-")?;
    let (_, index) = rest.rsplit_once('-')?;
    index.parse::<usize>().ok()?;
    count.parse().ok()
}

/// The folder that a file lies in, with its slash; nothing at the top.
pub(super) fn folder(path: &str) -> &str {
    path.rfind('/').map_or("", |slash| &path[..=slash])
}

/// The shards that an index beside `path` names, if there is one: `….index.json`.
pub(super) fn indexed(files: &[PackedFile], path: &str) -> BTreeSet<String> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let within = folder(path);
    let index = files.iter().find(|file| {
        let path = file.path.as_str();
        folder(path) == within
            && [".safetensors.index.json", ".bin.index.json"]
                .iter()
                .any(|end| path.ends_with(end))
    });
    let index = index.and_then(|index| {
        let file = File::open(&index.source).ok()?;
        json::first::<Index>(file, MAX_INDEX_BYTES).ok()
    });
    let shards = index
        .into_iter()
        .flat_map(|index| index.weight_map.into_values());
    let distinct: BTreeSet<_> = shards.collect();
    distinct.into_iter().take(MAX_SHARDS).collect()
}

/// What a `config.json` beside weights says, as Hugging Face's libraries write it.
#[derive(Debug, Default)]
pub(super) struct Config {
    /// Architecture, kind of model, version of the library.
    pub(super) metadata: BTreeMap<String, String>,
    /// Whether loading it runs Python files that lie beside it.
    pub(super) runs_code: bool,
}

/// What the `config.json` beside `path` says, if there is one.
pub(super) fn config(files: &[PackedFile], path: &str) -> Config {
    let place = format!("{}config.json", folder(path));
    let found = files.iter().find(|file| file.path.as_str() == place);
    let value = found.and_then(|found| {
        let file = File::open(&found.source).ok()?;
        json::first::<Value>(file, MAX_CONFIG_BYTES).ok()
    });
    let Some(value) = value else {
        return Config::default();
    };
    let mut metadata = BTreeMap::new();
    for key in ["model_type", "transformers_version", "_name_or_path"] {
        if let Some(text) = value[key].as_str().filter(|text| !text.is_empty()) {
            metadata.insert(key.to_owned(), text.to_owned());
        }
    }
    let architectures = value["architectures"].as_array().into_iter().flatten();
    let architectures: Vec<_> = architectures.filter_map(Value::as_str).collect();
    if !architectures.is_empty() {
        metadata.insert("architectures".to_owned(), architectures.join(", "));
    }
    Config {
        metadata,
        runs_code: value["auto_map"].is_object(),
    }
}
