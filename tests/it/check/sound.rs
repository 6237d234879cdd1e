//! A small yard with which nothing is wrong, and edits that change that.

use std::path::Path;

use bytes::Bytes;
use modelyard::check::{File, Files, Report, check};

pub(super) const YARD: &str = "modelyard.yaml";
pub(super) const DIGITS: &str = "models/vision/digits/model.yaml";
/// Deprecated; the deployment `compared` uses it.
pub(super) const V1_0: &str = "models/vision/digits/versions/1.0.0.yaml";
/// Released; the champion.
pub(super) const V1_1: &str = "models/vision/digits/versions/1.1.0.yaml";
/// Staged; it needs what other models produce.
pub(super) const V1_2: &str = "models/vision/digits/versions/1.2.0.yaml";
pub(super) const RESIZE: &str = "models/vision/resize/versions/1.0.0.yaml";
pub(super) const EMBEDDER: &str = "models/text/embedder/versions/1.0.0.yaml";
pub(super) const FACTORY: &str = "environments/factory.yaml";
pub(super) const SERVED: &str = "deployments/factory/digits.yaml";
pub(super) const COMPARED: &str = "deployments/factory/compared.yaml";

/// A change of one file.
pub(super) enum Edit {
    /// The first text becomes the second, wherever it stands.
    Swap(&'static str, &'static str, &'static str),
    /// The file is this.
    Write(&'static str, String),
    /// The file is the first one with a text changed.
    Copy(&'static str, &'static str, &'static str, &'static str),
    /// Something else than a readable file is there.
    Put(&'static str, File),
    /// The file is gone.
    Remove(&'static str),
}

/// The yard that lies in `yard/` beside this file: each file's path and its bytes.
pub(crate) fn contents() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/check/yard");
    let files = walkdir::WalkDir::new(&root).into_iter().map(Result::unwrap);
    files
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(&root).unwrap();
            let path = path.to_str().unwrap().replace('\\', "/");
            (path, std::fs::read(entry.path()).unwrap())
        })
        .collect()
}

/// The same as a check is handed it.
pub(super) fn sound() -> Files {
    let files = contents().into_iter();
    files.map(|(path, bytes)| (path, text(bytes))).collect()
}

pub(super) fn text(bytes: impl Into<Vec<u8>>) -> File {
    File::Text(Bytes::from(bytes.into()))
}

/// `files` with `edits`, each of which changes something.
pub(super) fn edited(files: &Files, edits: &[Edit]) -> Files {
    let mut edited = files.clone();
    for edit in edits {
        match edit {
            Edit::Swap(path, from, to) => edited.insert(*path, swapped(&edited, path, from, to)),
            Edit::Copy(source, path, from, to) => {
                edited.insert(*path, swapped(&edited, source, from, to));
            }
            Edit::Write(path, content) => edited.insert(*path, text(content.as_bytes())),
            Edit::Put(path, file) => edited.insert(*path, file.clone()),
            Edit::Remove(path) => {
                assert!(edited.contains(path), "{path} is not there");
                edited = edited
                    .iter()
                    .filter(|(other, _)| other != path)
                    .map(|(path, file)| (path.to_owned(), file.clone()))
                    .collect();
            }
        }
    }
    edited
}

fn swapped(files: &Files, path: &str, from: &str, to: &str) -> File {
    let Some(File::Text(bytes)) = files.get(path) else {
        panic!("{path} is not there");
    };
    let source = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(source.contains(from), "{path} has no `{from}`");
    text(source.replace(from, to))
}

/// What a check of `head`, with nothing to compare it with, says.
pub(super) fn said(head: Files) -> Vec<String> {
    lines(&check(head, None, None))
}

/// Each diagnostic in a line, with its help behind it.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let line = |diagnostic: &modelyard::check::Diagnostic| {
        let place = diagnostic.place.as_ref().map_or(String::new(), |place| {
            format!(":{}:{}", place.start.line, place.start.column)
        });
        let help = diagnostic
            .help
            .as_deref()
            .map_or(String::new(), |help| format!(" ({help})"));
        format!(
            "{} {}{place}: {}{help}",
            diagnostic.code, diagnostic.path, diagnostic.message
        )
    };
    report.diagnostics.iter().map(line).collect()
}
