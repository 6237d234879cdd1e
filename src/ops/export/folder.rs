//! A version as a folder that another tool reads.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Serialize;

use super::{At, ExportError, Request, To};
use crate::artifact::Descriptor;
use crate::artifact::fetch::Wanted as Fetched;
use crate::artifact::pack::{FilePath, LayerFile, Mode, Role};
use crate::artifact::place::Destination;
use crate::check::yaml;
use crate::import::export::{Laid, MLMODEL, kept_as_mlflow, to_folder, to_huggingface, to_mlflow};
use crate::import::mlflow::{self, Registered, Registration};
use crate::import::{LeftOut, Opening};
use crate::ops::locate::Reference;
use crate::ops::pull::parts::{self, Part};
use crate::ops::pull::{self, Artifact, Ground, Written};
use crate::ops::shelf::card;
use crate::ops::show::Wanted;
use crate::record::kind::{Model, ModelVersion};
use crate::record::{Digest, Failure, ModelReference, Selector, absolute};
use crate::yard::{Catalog, Snapshot, blocking};

/// What a folder has no place for, and a tracking server has.
const IN_A_REGISTRY: [&str; 8] = [
    "lifecycle ",
    "alias ",
    "model.description",
    "version.notes",
    "version.author",
    "version.properties",
    "version.hyperparameters",
    "version.metrics",
];

/// A folder that was written.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportedFolder {
    /// What it is.
    pub to: To,
    /// Where it is, or would be.
    pub folder: PathBuf,
    /// The artifact, and what was verified of it.
    #[serde(flatten)]
    pub artifact: Artifact,
    /// Its files, by path.
    pub files: Vec<ExportedFile>,
    /// What has no place in it.
    pub left_out: Vec<LeftOut>,
    /// The version of a tracking server that it is, where it was registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registered: Option<Registered>,
    /// Whether nothing was written.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// A file of the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportedFile {
    /// Where it lies in it.
    pub path: String,
    /// Its bytes.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
    /// Whether it was written for the export, and is none of the artifact's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub written: bool,
}

/// What the yard says of a version.
struct Said {
    reference: ModelReference,
    model: Model,
    version: ModelVersion,
    card: Option<String>,
}

pub(super) async fn export(
    request: &Request,
    ground: &Ground<'_>,
    opening: &Opening<'_>,
) -> Result<ExportedFolder, Failure> {
    let reference = match &request.wanted {
        Wanted::Named(reference) => reference.clone(),
        Wanted::Deployment(name) => return Err(ExportError::Deployment(name.clone()).into()),
    };
    let place = request.place.clone();
    let place = place.unwrap_or_else(|| reference.model.name().as_str().into());
    let folder = absolute(ground.directory, &place);
    // First of all, so that what a killed export left is put right whatever comes of this one.
    let destination = match request.dry_run {
        true => None,
        false => Some(Destination::prepare(&folder, ground.directory)?),
    };
    let yard = request.yard.clone();
    let said = blocking(move || said(yard, &reference)).await?;
    let part = find(request, &said, ground).await?;
    let fetched: Vec<Fetched> = part.wanted().collect();
    let laid = laid(request.to, &said, &fetched).await?;
    let (fetched, written) = together(fetched, &laid)?;
    if let Some(destination) = destination {
        pull::fill(destination, &fetched, &written, request.force, ground).await?;
    }
    let mut exported = ExportedFolder {
        to: request.to,
        folder,
        files: files(&fetched, &written),
        artifact: part.artifact,
        left_out: laid.left_out,
        registered: None,
        dry_run: request.dry_run,
    };
    if let (Some(at), false) = (&request.register, request.dry_run) {
        exported.register(at, &said, ground, opening).await?;
    }
    Ok(exported)
}

impl ExportedFolder {
    /// Registers what was written, and tells no more of what has its place there.
    async fn register(
        &mut self,
        at: &At,
        said: &Said,
        ground: &Ground<'_>,
        opening: &Opening<'_>,
    ) -> Result<(), Failure> {
        let own = said.reference.model.name().as_str();
        let files: Vec<_> = self.files.iter().map(|file| file.path.clone()).collect();
        let registration = Registration {
            model: &said.model,
            version: &said.version,
            folder: &self.folder,
            files: &files,
            name: at.name.as_deref().unwrap_or(own),
            now: ground.now,
        };
        let registered = mlflow::register(&at.uri, opening, &registration).await?;
        let has_place = |left: &LeftOut| IN_A_REGISTRY.iter().any(|one| left.what.starts_with(one));
        self.left_out.retain(|left| !has_place(left));
        self.left_out.extend(registered.left_out.clone());
        self.registered = Some(registered);
        Ok(())
    }
}

fn said(yard: Snapshot, reference: &ModelReference) -> Result<Said, Failure> {
    let catalog = Catalog::new(yard);
    let found = catalog.resolve(reference)?;
    Ok(Said {
        model: catalog.model(&found.model)?,
        card: card(&catalog, &found.model)?.map(|(_, text)| text),
        reference: ModelReference {
            model: found.model,
            selector: Selector::Version(found.version),
        },
        version: found.record,
    })
}

/// The artifact, verified as a pull verifies it.
async fn find(request: &Request, said: &Said, ground: &Ground<'_>) -> Result<Part, Failure> {
    let pull = pull::Request {
        reference: Reference::Model(said.reference.clone()),
        yard: Some(request.yard.clone()),
        folder: None,
        force: request.force,
        with_dependencies: false,
    };
    let mut parts = parts::find(&pull, ground).await?;
    Ok(parts.remove(0))
}

/// What is written beside the artifact's files.
async fn laid(to: To, said: &Said, fetched: &[Fetched]) -> Result<Laid, Failure> {
    let Said {
        model,
        version,
        card,
        ..
    } = said;
    let card = card.as_deref();
    let paths: Vec<&str> = fetched.iter().map(|one| one.file.path.as_str()).collect();
    let mlmodel = fetched.iter().find(|one| one.file.path.as_str() == MLMODEL);
    Ok(match (to, mlmodel) {
        (To::Mlflow, Some(mlmodel)) => {
            let stream = mlmodel.store.blob(&mlmodel.file.descriptor).await?;
            let bytes = stream.read(yaml::MAX_RECORD_BYTES as u64).await?;
            kept_as_mlflow(model, version, &bytes, &paths)?
        }
        (To::Mlflow, None) => to_mlflow(model, version, card, &paths)?,
        (To::Huggingface, _) => to_huggingface(model, version, card),
        _ => to_folder(model, version, card),
    })
}

/// The files of both, each where it lies in the folder.
fn together(fetched: Vec<Fetched>, laid: &Laid) -> Result<(Vec<Fetched>, Vec<Written>), Failure> {
    let mut written = Vec::new();
    for (path, text) in &laid.beside {
        let path: FilePath = path.parse().expect("what is laid beside has a safe path");
        let bytes = text.clone().into_bytes();
        written.push(Written {
            file: LayerFile {
                role: Role::Doc,
                descriptor: Descriptor::of("text/plain", &bytes),
                mode: Mode::Plain,
                path,
            },
            bytes,
        });
    }
    let ours: BTreeSet<&str> = laid.beside.keys().map(String::as_str).collect();
    let mut kept = Vec::new();
    for mut one in fetched {
        if let Some(folder) = laid.files_in {
            let path = format!("{folder}/{}", one.file.path);
            one.file.path = path.parse()?;
        }
        if !ours.contains(one.file.path.as_str()) {
            kept.push(one);
        }
    }
    // What differs by case alone has no place of its own everywhere.
    let all = kept.iter().map(|one| &one.file.path);
    parts::refuse_clashes(all.chain(written.iter().map(|one| &one.file.path)))?;
    Ok((kept, written))
}

fn files(fetched: &[Fetched], written: &[Written]) -> Vec<ExportedFile> {
    let fetched = fetched.iter().map(|one| (&one.file, false));
    let all = fetched.chain(written.iter().map(|one| (&one.file, true)));
    let mut files: Vec<_> = all
        .map(|(file, written)| ExportedFile {
            path: file.path.to_string(),
            digest: file.descriptor.digest,
            size: file.descriptor.size,
            written,
        })
        .collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}
