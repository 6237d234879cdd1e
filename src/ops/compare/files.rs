//! The files of versions, by their manifests: no file is fetched to compare it.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde::Serialize;

use crate::artifact::pack::{FilePath, LayerFile, Role, files as layer_files};
use crate::artifact::{Manifest, StoreOptions};
use crate::ops::locate;
use crate::record::{Digest, Failure, ModelName, Version};
use crate::yard::{Resolved, Yard};

/// A file by its path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileLine {
    /// Its path in the artifacts.
    pub path: FilePath,
    /// What it is to the model, in the first version that has it.
    pub role: Role,
    /// Whether it is the same in all versions whose files are known.
    pub same: bool,
    /// What it is in each version.
    pub files: Vec<Option<VersionFile>>,
    /// What became of it in each version since the first one whose files are known.
    pub changes: Vec<Change>,
}

/// A file as one version has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionFile {
    /// Its bytes.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Its bytes are the same.
    Same,
    /// It has other bytes.
    Changed,
    /// It was not there.
    Added,
    /// It is no more there.
    Removed,
    /// It was not there and is not.
    Absent,
    /// The version's files are not known.
    Unknown,
}

/// A version whose files can't be told.
#[derive(Debug, Clone, Serialize)]
pub struct Unavailable {
    /// Its model.
    pub model: ModelName,
    /// Which version it is.
    pub version: Version,
    /// Why.
    pub reason: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// The files of `versions` side by side, and those that no store gave.
pub(super) async fn files(
    yard: &Yard,
    versions: &[Resolved],
    options: &StoreOptions,
) -> (Vec<FileLine>, Vec<Unavailable>) {
    let asked = versions
        .iter()
        .map(|version| of_version(yard, version, options));
    let mut unavailable = Vec::new();
    let mut known = Vec::new();
    for (version, files) in versions.iter().zip(join_all(asked).await) {
        known.push(match files {
            Ok(files) => Some(files),
            Err(failure) => {
                unavailable.push(Unavailable {
                    model: version.model.clone(),
                    version: version.version.clone(),
                    reason: failure.to_string(),
                    help: failure.help(),
                });
                None
            }
        });
    }
    (lines(&known), unavailable)
}

async fn of_version(
    yard: &Yard,
    version: &Resolved,
    options: &StoreOptions,
) -> Result<Vec<LayerFile>, Failure> {
    let located = locate::of_version(yard, version.clone(), options).await?;
    Ok(layer_files(&Manifest::parse(&located.bytes)?)?)
}

/// One line a path, sorted.
fn lines(versions: &[Option<Vec<LayerFile>>]) -> Vec<FileLine> {
    let mut lines: BTreeMap<&FilePath, FileLine> = BTreeMap::new();
    for (place, files) in versions.iter().enumerate() {
        for file in files.iter().flatten() {
            let line = lines.entry(&file.path).or_insert_with(|| FileLine {
                path: file.path.clone(),
                role: file.role,
                same: false,
                files: vec![None; versions.len()],
                changes: Vec::new(),
            });
            line.files[place] = Some(VersionFile {
                digest: file.descriptor.digest,
                size: file.descriptor.size,
            });
        }
    }
    let known: Vec<bool> = versions.iter().map(Option::is_some).collect();
    let mut lines: Vec<_> = lines.into_values().collect();
    for line in &mut lines {
        line.changes = changes(&line.files, &known);
        let mut changes = line.changes.iter();
        line.same = changes.all(|change| matches!(change, Change::Same | Change::Unknown));
    }
    lines
}

/// What became of a file in each version, of which only the `known` ones' files are known.
fn changes<T: PartialEq>(files: &[Option<T>], known: &[bool]) -> Vec<Change> {
    let first = known.iter().position(|known| *known).unwrap_or(0);
    let first = files.get(first).and_then(Option::as_ref);
    let change = |(file, known): (&Option<T>, &bool)| match (first, file) {
        _ if !*known => Change::Unknown,
        (Some(first), Some(file)) if first == file => Change::Same,
        (Some(_), Some(_)) => Change::Changed,
        (None, Some(_)) => Change::Added,
        (Some(_), None) => Change::Removed,
        (None, None) => Change::Absent,
    };
    files.iter().zip(known).map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::Change::{Absent, Added, Changed, Removed, Same, Unknown};
    use super::*;

    #[test]
    fn changes_are_told_against_the_first_version_that_is_known() {
        let (none, all) = (None::<char>, [true; 4]);
        let told = changes(&[Some('a'), Some('a'), Some('b'), none], &all);
        assert_eq!(told, [Same, Same, Changed, Removed]);
        let told = changes(&[none, Some('b'), none, Some('c')], &all);
        assert_eq!(told, [Absent, Added, Absent, Added]);
        let told = changes(
            &[none, Some('b'), Some('b'), none],
            &[false, true, true, true],
        );
        assert_eq!(told, [Unknown, Same, Same, Removed]);
    }
}
