//! Fetches a model's files, verified, into a folder: `modelyard pull`.
//!
//! What is meant is looked up, its manifest's digest and signatures are verified, and every file
//! is fetched and verified, before the first one gets its place; then all of them do, or none.

pub(super) mod parts;

use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use self::parts::Part;
use super::codes;
use super::locate::Reference;
use crate::artifact::StoreOptions;
use crate::artifact::cache::Cache;
use crate::artifact::fetch::{self, Origin, Wanted};
use crate::artifact::pack::{FilePath, LayerFile};
use crate::artifact::place::{Destination, PlaceError, State};
use crate::platform::Progress;
use crate::platform::atomic::FileError;
use crate::record::{
    Code, Digest, Failure, Fault, Lifecycle, ModelName, Repository, Version, absolute,
};
use crate::trust::{Signer, Standing, TrustError};
use crate::yard::Snapshot;

/// What is to be pulled, and where to.
pub struct Request {
    /// Which version or artifact.
    pub reference: Reference,
    /// The yard whose records and trust policy count, as they are there, if there is one.
    pub yard: Option<Snapshot>,
    /// Where the files go; a folder of the model's name in the current one where nothing is said.
    pub folder: Option<PathBuf>,
    /// Whether files of the folder that differ are overwritten.
    pub force: bool,
    /// Whether the files come along that other models produce for this one.
    pub with_dependencies: bool,
}

/// What a pull works with.
pub struct Ground<'a> {
    /// Where the user stands.
    pub directory: &'a Path,
    /// How stores are opened.
    pub stores: &'a StoreOptions,
    /// Where blobs are kept, if they are.
    pub cache: Option<&'a Cache>,
    /// The time of verification.
    pub now: Timestamp,
    /// Who watches.
    pub progress: &'a dyn Progress,
}

/// What was pulled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pulled {
    /// The folder that has the files now.
    pub folder: PathBuf,
    /// The artifact, and what was verified of it.
    #[serde(flatten)]
    pub artifact: Artifact,
    /// The artifacts of other models of which files came along.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Artifact>,
    /// Every file, by its path.
    pub files: Vec<PulledFile>,
}

/// An artifact that was pulled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// The model, where the yard says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// Its version, where the yard says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// Where in its life it is, where the yard says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,
    /// Where it lies.
    pub repository: Repository,
    /// Its manifest's digest.
    pub digest: Digest,
    /// What the trust policy says of it.
    pub verdict: Standing,
    /// Who signed it, as far as the policy asks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signers: Vec<Signer>,
}

/// A file that was pulled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PulledFile {
    /// Where it lies in the folder.
    pub path: String,
    /// Its bytes.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
    /// Where they came from.
    pub from: From,
}

/// Where a file came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum From {
    /// The store sent it.
    Store,
    /// It was kept from an earlier pull.
    Cache,
    /// The folder had it already.
    Folder,
}

/// Why nothing was pulled.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// A model's name where there is no yard.
    #[error("{reference} is a yard's model, and {} is in no yard", directory.display())]
    NoYard {
        /// What was asked for.
        reference: String,
        /// Where we looked.
        directory: PathBuf,
    },
    /// The trust policy refuses it, and some of its signatures count for nobody.
    #[error("{refused}{}", lines(remarks))]
    Refused {
        /// What the policy asks for.
        refused: TrustError,
        /// Why each of those signatures counts for nobody.
        remarks: Vec<String>,
    },
    /// What another model should produce is not in its artifact.
    #[error("{model}:{version} has no file {file}, which {needed_by} needs of it")]
    NoSuchProduct {
        /// The other model.
        model: ModelName,
        /// Its version.
        version: Version,
        /// The file.
        file: String,
        /// Whose record asks for it.
        needed_by: String,
    },
}

fn lines(remarks: &[String]) -> String {
    remarks.iter().map(|remark| format!("\n{remark}")).collect()
}

impl Fault for PullError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NoYard { .. } => &codes::PULL_WITHOUT_YARD,
            Self::Refused { refused, .. } => refused.code(),
            Self::NoSuchProduct { .. } => &codes::DEPENDENCY_LACKS_FILE,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoYard { .. } => {
                "go to a yard's work tree, or name a yard by `--yard URL`, or an artifact by its \
                 OCI reference"
                    .to_owned()
            }
            Self::Refused { refused, .. } => return refused.help(),
            Self::NoSuchProduct { model, version, .. } => format!(
                "see what it has by `modelyard inspect {model}:{version}`, and correct \
                 `dependencies.models` of the record"
            ),
        })
    }
}

/// Pulls what `request` asks for.
///
/// # Errors
/// If something can't be found, fetched, verified or placed; the folder is then as it was.
pub async fn pull(request: &Request, ground: &Ground<'_>) -> Result<Pulled, Failure> {
    let folder = match &request.folder {
        Some(folder) => absolute(ground.directory, folder),
        None => ground.directory.join(default_folder(&request.reference)),
    };
    // First of all, so that what a killed pull left is put right whatever comes of this one.
    let destination = Destination::prepare(&folder, ground.directory)?;
    let parts = parts::find(request, ground).await?;
    let wanted: Vec<Wanted> = parts.iter().flat_map(Part::wanted).collect();
    parts::refuse_clashes(wanted.iter().map(|wanted| &wanted.file.path))?;
    let origins = fill(destination, &wanted, &[], request.force, ground).await?;
    let mut artifacts = parts.into_iter().map(|part| part.artifact);
    Ok(Pulled {
        folder,
        artifact: artifacts
            .next()
            .expect("the first part is what was asked for"),
        dependencies: artifacts.collect(),
        files: wanted.iter().zip(origins).map(pulled_file).collect(),
    })
}

/// The name of the folder that files go into where nobody names one.
fn default_folder(reference: &Reference) -> String {
    let name = match reference {
        Reference::Model(reference) => Some(reference.model.name().as_str().to_owned()),
        Reference::Oci(reference) => match &reference.repository {
            Repository::Registry { path, .. } => path.rsplit('/').next().map(str::to_owned),
            Repository::Layout { path } => path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned()),
        },
    };
    name.unwrap_or_else(|| "model".to_owned())
}

/// A file that lies nowhere yet.
pub(super) struct Written {
    /// The file.
    pub(super) file: LayerFile,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
}

/// Fetches what the folder lacks of `wanted` and writes what it lacks of `written`, and puts all
/// of it there, or nothing; tells of every file that is `wanted` where it came from.
///
/// # Errors
/// As [`pull`].
pub(super) async fn fill(
    mut destination: Destination,
    wanted: &[Wanted],
    written: &[Written],
    force: bool,
    ground: &Ground<'_>,
) -> Result<Vec<From>, Failure> {
    let files = wanted.iter().map(|wanted| &wanted.file);
    let files = files.chain(written.iter().map(|written| &written.file));
    let files: Vec<LayerFile> = files.cloned().collect();
    let states = compare(&destination, &files, force)?;
    let (of_wanted, of_written) = states.split_at(wanted.len());
    let is_lacking = |(index, state): (usize, &State)| (*state != State::Same).then_some(index);
    let lacking: Vec<usize> = of_wanted
        .iter()
        .enumerate()
        .filter_map(is_lacking)
        .collect();
    let unwritten = of_written.iter().enumerate().filter_map(is_lacking);
    let unwritten: Vec<&Written> = unwritten.map(|index| &written[index]).collect();
    let mut from = vec![From::Folder; wanted.len()];
    if lacking.is_empty() && unwritten.is_empty() {
        return Ok(from);
    }
    let to_fetch: Vec<Wanted> = lacking.iter().map(|&index| wanted[index].clone()).collect();
    let staging = destination.stage()?;
    let origins = fetch::fetch(&to_fetch, &staging, ground.cache, ground.progress).await?;
    for Written { file, bytes } in &unwritten {
        let (place, mut staged) = staging.create(&file.path, file.mode)?;
        let done = staged.write_all(bytes);
        done.map_err(FileError::at("write", place))?;
    }
    let fetched = to_fetch.iter().map(|wanted| &wanted.file.path);
    let paths: Vec<&FilePath> = fetched
        .chain(unwritten.iter().map(|written| &written.file.path))
        .collect();
    // Not on the blocking pool: from here to its end nothing but the end of the process gets in
    // between.
    destination.place(staging, &paths)?;
    for (index, origin) in lacking.into_iter().zip(origins) {
        from[index] = match origin {
            Origin::Store => From::Store,
            Origin::Cache => From::Cache,
        };
    }
    Ok(from)
}

/// Looks at what the folder has; it reads every file that could be the same.
fn compare(
    destination: &Destination,
    files: &[LayerFile],
    force: bool,
) -> Result<Vec<State>, Failure> {
    let states = destination.compare(files)?;
    let different = files.iter().zip(&states);
    let different = different.filter(|(_, state)| **state == State::Different);
    let names: Vec<_> = different.map(|(file, _)| file.path.to_string()).collect();
    if !force && !names.is_empty() {
        return Err(PlaceError::WouldOverwrite {
            folder: destination.folder().to_owned(),
            names,
        }
        .into());
    }
    Ok(states)
}

fn pulled_file((wanted, from): (&Wanted, From)) -> PulledFile {
    PulledFile {
        path: wanted.file.path.to_string(),
        digest: wanted.file.descriptor.digest,
        size: wanted.file.descriptor.size,
        from,
    }
}
