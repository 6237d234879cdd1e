//! A version as a model of MLflow's: an `MLmodel` with flavor and signature, and what its
//! environment needs.
//!
//! ```text
//! defects/
//!   MLmodel            flavors, signature, and under `metadata.modelyard` what MLflow has no word for
//!   requirements.txt   the packages; the version's own list where it has one
//!   python_env.yaml    the Python that it needs, for virtualenv
//!   conda.yaml         the same for conda
//!   README.md          the model's card, if it has one
//!   model.onnx …       the artifact's files
//! ```
//!
//! Files that have an `MLmodel` are a model of MLflow's already: they go out as they are, so that
//! the digest stays, and what the record says beyond it is told. An import of either gives the same
//! fields back. Source: MLflow's "MLmodel" reference, and what 2.22 and 3.17 load.

mod environment;
mod flavor;
mod signature;

use serde_json::{Value, json};

use super::Laid;
use crate::import::{ImportError, LeftOut, mlmodel, own};
use crate::record::kind::{Model, ModelVersion};
use crate::record::yaml::to_yaml;
use crate::record::{Code, Digest, Fault, Name};
use flavor::Flavor;

/// The file that makes a folder a model of MLflow's.
pub const MLMODEL: &str = mlmodel::FILE;

/// How many digits `model_uuid` has.
const UUID_DIGITS: usize = 32;

/// Fields that the files of these formats tell by themselves.
const OF_FILES: [&str; 4] = ["inputs", "outputs", "framework", "precision"];

/// MLflow can't load what a version is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("MLflow has no flavor that is written here for {format}{}", .reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default())]
pub struct NoFlavor {
    /// What it is.
    pub format: Name,
    /// Why not, where the format is one that there is a flavor for.
    pub reason: Option<String>,
}

impl Fault for NoFlavor {
    fn code(&self) -> &'static Code {
        &crate::import::codes::NO_FLAVOR
    }

    fn help(&self) -> Option<String> {
        Some("export it with --to folder, or with --to huggingface".to_owned())
    }
}

/// What makes a model of MLflow's of the files of `version`, which lie at `paths`; `card` is its
/// model's card.
///
/// # Errors
/// [`NoFlavor`] if MLflow could not load it.
pub fn to_mlflow(
    model: &Model,
    version: &ModelVersion,
    card: Option<&str>,
    paths: &[&str],
) -> Result<Laid, NoFlavor> {
    let mut laid = Laid::default();
    let flavor = flavor::of(version, paths)?;
    for (path, text) in environment::files(version, &flavor, paths, &mut laid) {
        if !paths.contains(&path) {
            laid.lay(path, text);
        }
    }
    if let Some(card) = card.filter(|_| !paths.contains(&super::CARD)) {
        laid.lay(super::CARD, card.to_owned());
    }
    let mut said = mlmodel(version, &flavor);
    let has = |name: &str| paths.contains(&name) || laid.beside.contains_key(name);
    let told = mlmodel::tell(MLMODEL, to_yaml(&said).as_bytes(), has).unwrap_or_default();
    let spec = [own::fields(&model.spec), own::fields(&version.spec)];
    let mut own = own::differing([&told.model, &told.version], [&spec[0], &spec[1]]);
    own.insert(
        "reference".to_owned(),
        format!("{}:{}", version.model_name(), version.metadata.version).into(),
    );
    if !model.metadata.labels.is_empty() {
        own.insert("labels".to_owned(), json!(model.metadata.labels));
    }
    said["metadata"] = json!({ own::KEY: own });
    laid.lay(MLMODEL, to_yaml(&said));
    laid.of_the_yard(model, version);
    if let Some(imported) = &version.spec.imported {
        for field in imported.unmapped.keys() {
            let field = format!("imported.unmapped.{field}");
            laid.no_place(field, "it found no field at its import, and has none here");
        }
    }
    Ok(laid)
}

/// What an `MLmodel` says of `version`, but for what is Modelyard's.
fn mlmodel(version: &ModelVersion, flavor: &Flavor) -> Value {
    let spec = &version.spec;
    let mut said = json!({
        "flavors": flavor.flavors,
        "model_uuid": uuid(&spec.artifact.digest),
    });
    if let Some(signature) = signature::of(spec, flavor.named) {
        said["signature"] = signature;
    }
    if let Some(created) = spec.created_at {
        let text = created.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string();
        said["utc_time_created"] = text.into();
    }
    let run = spec
        .lineage
        .as_ref()
        .and_then(|lineage| lineage.run.as_ref());
    let run = run.filter(|run| run.system == "mlflow");
    if let Some(id) = run.and_then(|run| run.id.as_deref()) {
        said["run_id"] = id.into();
    }
    if let Some(size) = spec.artifact.size {
        said["model_size_bytes"] = size.into();
    }
    said
}

/// What MLflow tells copies of one model by: the same for the same files.
fn uuid(digest: &Digest) -> String {
    digest
        .to_string()
        .chars()
        .skip("sha256:".len())
        .take(UUID_DIGITS)
        .collect()
}

/// What the records say and `mlmodel`, the bytes of the files' own `MLmodel`, doesn't; `paths` are
/// the files.
///
/// # Errors
/// If it is none.
pub fn kept_as_mlflow(
    model: &Model,
    version: &ModelVersion,
    mlmodel: &[u8],
    paths: &[&str],
) -> Result<Laid, ImportError> {
    let told = mlmodel::tell(MLMODEL, mlmodel, |name| paths.contains(&name))?;
    let (of_model, of_version) = (own::fields(&model.spec), own::fields(&version.spec));
    let own = own::differing([&told.model, &told.version], [&of_model, &of_version]);
    let mut laid = Laid::default();
    for (record, spec) in [("model", &of_model), ("version", &of_version)] {
        let Some(Value::Object(fields)) = own.get(record) else {
            continue;
        };
        // What it says and the record doesn't stays where it is.
        let ours = fields.keys().filter(|field| spec.contains_key(*field));
        let of_files = |field: &str| {
            record == "version" && OF_FILES.contains(&field) && !told.version.contains_key(field)
        };
        for field in ours.filter(|field| !of_files(field)) {
            laid.left_out.push(LeftOut {
                what: format!("{record}.{field}"),
                why: "the files have an MLmodel of their own, which stays as it is".to_owned(),
            });
        }
    }
    laid.of_the_yard(model, version);
    let imported = version.spec.imported.as_ref();
    let unmapped = imported
        .into_iter()
        .flat_map(|imported| imported.unmapped.keys());
    for field in unmapped.filter(|field| !told.unmapped.contains_key(*field)) {
        let field = format!("imported.unmapped.{field}");
        laid.no_place(
            field,
            "the files have an MLmodel of their own, which stays as it is",
        );
    }
    Ok(laid)
}
