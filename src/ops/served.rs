//! A version that is fetched, verified and started for the purpose of one command.

use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use super::codes;
use super::locate::Reference;
use super::pull::{self, Artifact, Ground};
use crate::platform::atomic::FileError;
use crate::record::kind::ModelVersion;
use crate::record::{Code, Failure, Fault, ModelName, ModelReference, Name, Selector, Version};
use crate::target::Recipe;
use crate::target::runtime::onnx::Called;
use crate::target::runtime::started::{Start, Started};
use crate::target::runtime::{self, NotHere};
use crate::yard::{Catalog, Resolved, Yard, blocking};

/// How a version is started.
#[derive(Debug, Clone)]
pub struct Starting {
    /// This program, which is the built-in runtime too.
    pub program: PathBuf,
    /// How long it may take to become ready; [`patience`] where nothing is said.
    pub patience: Option<Duration>,
}

/// A version that runs; it ends when this is dropped.
#[derive(Debug)]
pub struct Served {
    /// The model.
    pub model: ModelName,
    /// Its version.
    pub version: Version,
    /// The version's record.
    pub record: ModelVersion,
    /// What was verified of its artifact.
    pub artifact: Artifact,
    /// What serves it.
    pub runtime: Name,
    /// The runtime.
    pub started: Started,
    folder: TempDir,
}

/// Why a version can't be started here.
#[derive(Debug, thiserror::Error)]
pub enum ServedError {
    /// Nothing says what serves it.
    #[error("nothing says which runtime serves {model}:{version}")]
    NoRuntime {
        /// The model.
        model: ModelName,
        /// Its version.
        version: Version,
    },
    /// A runtime that can't be started here.
    #[error("{model}:{version} can't be served: {source}")]
    NotHere {
        /// The model.
        model: ModelName,
        /// Its version.
        version: Version,
        /// Why.
        source: NotHere,
    },
}

impl Fault for ServedError {
    fn code(&self) -> &'static Code {
        &codes::RUNTIME_NOT_HERE
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoRuntime { .. } => "set `runtime.name` in the version's record".to_owned(),
            Self::NotHere { .. } => {
                "set `runtime.name` in the version's record to one that can be".to_owned()
            }
        })
    }
}

impl Served {
    /// Fetches a version that was found in `yard`, verifies it by the yard's trust policy as a
    /// pull does, starts its runtime, and waits until it is ready.
    ///
    /// # Errors
    /// If it can't be fetched or verified, or does not become ready; nothing of it is left
    /// then but what the cache keeps.
    pub async fn start(
        yard: &Yard,
        found: Resolved,
        starting: &Starting,
        ground: &Ground<'_>,
    ) -> Result<Self, Failure> {
        let Resolved {
            model,
            version,
            record,
            ..
        } = found;
        let recipe = recipe(&model, &version, &record)?;
        let called = Called {
            name: model.name().clone(),
            version: Some(version.clone()),
        };
        let temporary = FileError::at("create a folder in", std::env::temp_dir());
        let folder = tempfile::Builder::new()
            .prefix("modelyard-")
            .tempdir()
            .map_err(temporary)?;
        let files = folder.path().join("files");
        let arguments = runtime::arguments(&recipe, &files, &called);
        let arguments = arguments.map_err(|source| ServedError::NotHere {
            model: model.clone(),
            version: version.clone(),
            source,
        })?;
        let request = pull::Request {
            reference: Reference::Model(ModelReference {
                model: model.clone(),
                selector: Selector::Version(version.clone()),
            }),
            yard: Some(yard.snapshot(&yard.at_hand())?),
            folder: Some(files),
            force: false,
            with_dependencies: true,
        };
        let pulled = pull::pull(&request, ground).await?;
        ground.progress.step("starting the runtime");
        let start = Start {
            program: starting.program.clone(),
            arguments,
            model: called.name,
            patience: starting
                .patience
                .unwrap_or_else(|| patience(&recipe.runtime)),
        };
        let started = Started::start(start).await?;
        Ok(Self {
            model,
            version,
            record,
            artifact: pulled.artifact,
            runtime: recipe.runtime,
            started,
            folder,
        })
    }

    /// Where its files are.
    pub fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }
}

/// Finds the version that `reference` means.
///
/// # Errors
/// If the yard has none such.
pub async fn find(yard: &Yard, reference: &ModelReference) -> Result<Resolved, Failure> {
    let (yard, reference) = (yard.clone(), reference.clone());
    blocking(move || {
        let catalog = Catalog::new(yard.snapshot(&yard.at_hand())?);
        Ok::<_, Failure>(catalog.resolve(&reference)?)
    })
    .await
}

/// How long a runtime may take to become ready: longer where packages may have to be installed.
pub fn patience(runtime: &Name) -> Duration {
    match runtime.as_str() {
        "python" | "mlflow" | "mlserver" => Duration::from_secs(900),
        _ => Duration::from_secs(120),
    }
}

/// How a version is started, if its record says so.
fn recipe(
    model: &ModelName,
    version: &Version,
    record: &ModelVersion,
) -> Result<Recipe, ServedError> {
    Recipe::of(&record.spec, None, None).map_err(|_| ServedError::NoRuntime {
        model: model.clone(),
        version: version.clone(),
    })
}
