//! What becomes of one version of a source: fields of records, files, and what found no place.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::record::kind::ImagePurpose;
use crate::record::{Digest, Repository};

/// All that a source tells of one version.
///
/// Fields are those of records' `spec`, by their names there; whether they hold is for the check
/// to say, which judges the records whole. What the files tell of themselves need not be here: it
/// is read from them, and what the source says is heard over it.
#[derive(Debug, Default)]
pub struct Candidate {
    /// Fields of the `spec` of a record of kind ModelVersion.
    pub version: Map<String, Value>,
    /// The model's card, Markdown with or without front matter.
    pub card: Option<String>,
    /// What the source said that has no field in a record.
    pub unmapped: Map<String, Value>,
    /// Its files.
    pub files: Files,
    /// What a person should know of it.
    pub remarks: Vec<String>,
    /// The image that it is in, where it is in one.
    pub carrier: Option<Carrier>,
}

/// An image that has a version's files in it, or serves them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carrier {
    /// What it is for.
    pub purpose: ImagePurpose,
    /// Where everybody can have it; `None` for one of this machine alone.
    pub repository: Option<Repository>,
    /// Which bytes it is.
    pub digest: Digest,
}

/// Where the files of a candidate are.
#[derive(Debug)]
pub enum Files {
    /// On this machine: a folder, or a single file.
    Here(PathBuf),
    /// In the source, to be fetched.
    There(Vec<SourceFile>),
    /// In archives of the source, which it unpacks while they come.
    Inside(Vec<SourceArchive>),
}

/// An archive that a source has, with some or all of a version's files in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceArchive {
    /// What it is called, for whoever watches.
    pub name: String,
    /// What the source finds it by.
    pub key: String,
    /// How many bytes it has, as it is sent.
    pub size_bytes: u64,
}

/// A file that a source has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SourceFile {
    /// Where it lies among the version's files, with `/` between its parts.
    pub path: String,
    /// What the source finds it by.
    pub key: String,
    /// How many bytes it has, where the source says so.
    pub size_bytes: Option<u64>,
    /// Its digest, where the source says it.
    pub sha256: Option<Digest>,
}

impl Default for Files {
    fn default() -> Self {
        Self::There(Vec::new())
    }
}
