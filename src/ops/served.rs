//! A version that is fetched, verified and started for the purpose of one command.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::codes;
use super::locate::Reference;
use super::pull::{self, Artifact, Ground};
use crate::platform::atomic::FileError;
use crate::record::kind::ModelVersion;
use crate::record::{Code, Failure, Fault, ModelName, ModelReference, Name, Selector, Version};
use crate::target::default_runtime;
use crate::target::runtime::started::{Start, Started};
use crate::yard::{Catalog, Resolved, Yard, blocking};

/// The runtime that is built in.
const BUILT_IN: &str = "onnx";

/// How a version is started.
#[derive(Debug, Clone)]
pub struct Starting {
    /// This program, which is the built-in runtime too.
    pub program: PathBuf,
    /// How long it may take to become ready.
    pub patience: Duration,
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
    /// A runtime that isn't built in.
    #[error("{model}:{version} is served by the runtime `{runtime}`, which can't be started here")]
    OtherRuntime {
        /// The model.
        model: ModelName,
        /// Its version.
        version: Version,
        /// What serves it.
        runtime: Name,
    },
}

impl Fault for ServedError {
    fn code(&self) -> &'static Code {
        &codes::RUNTIME_NOT_HERE
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoRuntime { .. } => "set `runtime.name` in the version's record".to_owned(),
            Self::OtherRuntime { .. } => {
                format!("`{BUILT_IN}` is the runtime that is built in")
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
        let runtime = runtime(&model, &version, &record)?;
        let temporary = FileError::at("create a folder in", std::env::temp_dir());
        let folder = tempfile::Builder::new()
            .prefix("modelyard-")
            .tempdir()
            .map_err(temporary)?;
        let request = pull::Request {
            reference: Reference::Model(ModelReference {
                model: model.clone(),
                selector: Selector::Version(version.clone()),
            }),
            yard: Some(yard.snapshot(&yard.at_hand())?),
            folder: Some(folder.path().join("files")),
            force: false,
            with_dependencies: true,
        };
        let pulled = pull::pull(&request, ground).await?;
        ground.progress.step("starting the runtime");
        let started = Started::start(built_in(starting, &pulled.folder, &model, &version)).await?;
        Ok(Self {
            model,
            version,
            record,
            artifact: pulled.artifact,
            runtime,
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

/// What serves a version, if it is built in.
fn runtime(
    model: &ModelName,
    version: &Version,
    record: &ModelVersion,
) -> Result<Name, ServedError> {
    let (model, version) = (model.clone(), version.clone());
    match default_runtime(&record.spec).map(|runtime| runtime.name) {
        Some(name) if name.as_str() == BUILT_IN => Ok(name),
        Some(runtime) => Err(ServedError::OtherRuntime {
            model,
            version,
            runtime,
        }),
        None => Err(ServedError::NoRuntime { model, version }),
    }
}

/// The built-in runtime, for a version whose files are in `folder`.
fn built_in(starting: &Starting, folder: &Path, model: &ModelName, version: &Version) -> Start {
    let mut arguments = vec!["runtime".into(), BUILT_IN.into(), folder.into()];
    let name = model.name().clone();
    arguments.extend(["--name".into(), name.as_str().into()]);
    arguments.extend(["--version".into(), version.to_string().into()]);
    arguments.push("--with-parent".into());
    Start {
        program: starting.program.clone(),
        arguments,
        model: name,
        patience: starting.patience,
    }
}
