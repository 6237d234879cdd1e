//! The samples that the demo publishes and imports, carried along in the program: `examples/digits`,
//! and `examples/diabetes/mlflow`, a folder as MLflow writes it.

use std::path::Path;

use crate::platform::atomic::{self, FileError, Readers};

/// A file by its path in `examples/digits`, and what is in it.
type SampleFile = (&'static str, &'static [u8]);

macro_rules! sample_file {
    ($($part:literal)+) => {
        (
            concat!($($part),+),
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/digits/", $($part),+)),
        )
    };
}

macro_rules! versions {
    ($($version:literal),+) => {
        &[sample_file!("model.yaml"), $(
            sample_file!($version ".yaml"),
            sample_file!($version "/README.md"),
            sample_file!($version "/labels.txt"),
            sample_file!($version "/metrics.json"),
            sample_file!($version "/model.onnx"),
            sample_file!($version "/preprocess.py"),
            sample_file!($version "/requests/a-three.json"),
            sample_file!($version "/requests/a-zero.json"),
            sample_file!($version "/requests/all-ten-at-once.json"),
            sample_file!($version "/requests/an-eight.json"),
            sample_file!($version "/tests/all-ten-at-once.image.json"),
        )+]
    };
}

const FILES: &[SampleFile] = versions!["1.0.0", "1.1.0", "1.2.0"];

macro_rules! diabetes {
    ($($path:literal),+) => {
        &[$((
            $path,
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/diabetes/", $path)),
        )),+]
    };
}

const FROM_MLFLOW: &[SampleFile] = diabetes![
    "mlflow/MLmodel",
    "mlflow/conda.yaml",
    "mlflow/model.onnx",
    "mlflow/python_env.yaml",
    "mlflow/requirements.txt",
    "1.0.0/requests/one-patient.json"
];

/// Writes the sample `digits` into `folder`.
pub(super) fn write(folder: &Path) -> Result<(), FileError> {
    write_files(FILES, folder)
}

/// Writes the sample `diabetes`, as MLflow keeps it, and a request for it into `folder`.
pub(super) fn write_from_mlflow(folder: &Path) -> Result<(), FileError> {
    write_files(FROM_MLFLOW, folder)
}

fn write_files(files: &[SampleFile], folder: &Path) -> Result<(), FileError> {
    for (path, bytes) in files {
        atomic::write(&folder.join(path), bytes, Readers::Umask)?;
    }
    Ok(())
}

/// The files of one version, by their paths in what is published.
pub(super) fn version(version: &str) -> impl Iterator<Item = SampleFile> {
    FILES.iter().filter_map(move |(path, bytes)| {
        let path = path.strip_prefix(version)?.strip_prefix('/')?;
        Some((path, *bytes))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files of a folder of `examples`, sorted.
    fn there(folder: &str) -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples")
            .join(folder);
        let mut there: Vec<String> = walkdir::WalkDir::new(&folder)
            .into_iter()
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let path = entry.path().strip_prefix(&folder).unwrap();
                path.to_str().unwrap().to_owned()
            })
            .filter(|path| !path.ends_with(".py") || path.contains('/'))
            .filter(|path| !path.contains("__pycache__"))
            .collect();
        there.sort();
        there
    }

    #[test]
    fn every_file_of_a_sample_but_the_scripts_is_carried_along() {
        let mlflow = FROM_MLFLOW
            .iter()
            .filter_map(|(path, _)| path.strip_prefix("mlflow/"));
        assert_eq!(mlflow.collect::<Vec<_>>(), there("diabetes/mlflow"));
        let mut carried: Vec<_> = FILES.iter().map(|(path, _)| *path).collect();
        carried.sort_unstable();
        assert_eq!(carried, there("digits"));
        assert_eq!(version("1.0.0").count(), 10);
    }
}
