//! Which file of a version's folder is its ONNX model.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::error::OnnxError;
use crate::platform::atomic::FileError;

/// How deep it is looked for; models lie at the top, or one or two folders below.
const MAX_DEPTH: usize = 8;

/// How many are told.
const TOLD: usize = 10;

/// The file itself, or the folder's only ONNX model, or the topmost one called `model.onnx`.
///
/// # Errors
/// If there is none, or several and none stands out.
pub fn find(place: &Path) -> Result<PathBuf, OnnxError> {
    let about = std::fs::metadata(place).map_err(FileError::at("read", place))?;
    if about.is_file() {
        return Ok(place.to_owned());
    }
    let mut found: Vec<(usize, PathBuf)> = Vec::new();
    for entry in WalkDir::new(place).max_depth(MAX_DEPTH).sort_by_file_name() {
        let entry = entry.map_err(|error| {
            let error = error.into_io_error();
            let error = error.unwrap_or_else(|| std::io::Error::other("links in a circle"));
            FileError::at("read", place)(error)
        })?;
        let is_onnx = entry.path().extension().is_some_and(|end| end == "onnx");
        if is_onnx && entry.file_type().is_file() {
            found.push((entry.depth(), entry.into_path()));
        }
    }
    let several = found.len() > 1;
    let mut candidates: Vec<_> = found.iter().collect();
    if several {
        candidates.retain(|(_, path)| path.file_stem().is_some_and(|name| name == "model"));
        let topmost = candidates.iter().map(|(depth, _)| *depth).min();
        candidates.retain(|(depth, _)| Some(*depth) == topmost);
    }
    match candidates[..] {
        [(_, path)] => Ok(path.clone()),
        _ if several => Err(OnnxError::Several {
            folder: place.to_owned(),
            files: found.into_iter().map(|(_, path)| path).take(TOLD).collect(),
        }),
        _ => Err(OnnxError::NoFile {
            folder: place.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_stands_out_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let write = |name: &str| {
            std::fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            std::fs::write(at(name), "").unwrap();
        };
        let told = |found: Result<PathBuf, OnnxError>| {
            found.map_err(|error| {
                error
                    .to_string()
                    .replace(folder.path().to_str().unwrap(), ".")
            })
        };
        write("weights.bin");
        assert_eq!(told(find(folder.path())), Err(". has no ONNX model".into()));
        write("a/digits.onnx");
        assert_eq!(told(find(folder.path())), Ok(at("a/digits.onnx")));
        write("b/other.onnx");
        assert_eq!(
            told(find(folder.path())),
            Err(
                ". has several ONNX models, none of which is called `model.onnx`: \
                 ./a/digits.onnx, ./b/other.onnx"
                    .into()
            )
        );
        assert_eq!(told(find(&at("b/other.onnx"))), Ok(at("b/other.onnx")));
        write("b/c/model.onnx");
        write("b/model.onnx");
        assert_eq!(told(find(folder.path())), Ok(at("b/model.onnx")));
        assert!(find(&at("missing")).is_err());
    }
}
