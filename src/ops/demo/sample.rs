//! The sample that the demo publishes: `examples/digits`, carried along in the program.

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

/// Writes the sample into `folder`.
pub(super) fn write(folder: &Path) -> Result<(), FileError> {
    for (path, bytes) in FILES {
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

    #[test]
    fn every_file_of_the_sample_but_the_script_is_carried_along() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/digits");
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
        let mut carried: Vec<_> = FILES.iter().map(|(path, _)| *path).collect();
        carried.sort_unstable();
        assert_eq!(carried, there);
        assert_eq!(version("1.0.0").count(), 10);
    }
}
