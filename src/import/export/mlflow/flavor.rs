//! How MLflow loads a version: the flavors of its `MLmodel`.

use serde_json::{Map, Value, json};

use super::NoFlavor;
use crate::record::kind::{Framework, ModelVersion, ModelVersionSpec};

/// The flavors of a version.
pub(super) struct Flavor {
    /// As `MLmodel` has them.
    pub(super) flavors: Map<String, Value>,
    /// Whether `predict` takes and gives tensors by their names.
    pub(super) named: bool,
    /// The packages that they need, and which versions where that is known.
    pub(super) packages: Vec<(&'static str, Option<String>)>,
}

/// The flavors for `version`, whose files lie at `paths`.
///
/// # Errors
/// [`NoFlavor`] if there is none for its format, or several files could be the model.
pub(super) fn of(version: &ModelVersion, paths: &[&str]) -> Result<Flavor, NoFlavor> {
    let spec = &version.spec;
    let format = &spec.format.name;
    let no_flavor = |reason: Option<&str>| NoFlavor {
        format: format.clone(),
        reason: reason.map(str::to_owned),
    };
    let file = |ends: &[&str]| {
        let found = main(paths, ends).ok_or("it is not clear which file is the model");
        found.map_err(|reason| no_flavor(Some(reason)))
    };
    let framework = spec.framework.as_ref();
    let of_scikit = framework.is_some_and(|framework| framework.name == "scikit-learn");
    match format.as_str() {
        "onnx" => Ok(onnx(spec, file(&[".onnx"])?)),
        "xgboost" => Ok(xgboost(spec, file(&[".json", ".ubj"])?)),
        "pickle" if of_scikit => Ok(scikit(spec, file(&[".pkl", ".pickle"])?)),
        "pickle" => Err(no_flavor(Some("only pickles of scikit-learn are known"))),
        _ => Err(no_flavor(None)),
    }
}

/// The file that is the model: the only one that ends so, or the one called `model`.
fn main<'a>(paths: &[&'a str], ends: &[&str]) -> Option<&'a str> {
    let fits = |path: &&&str| ends.iter().any(|end| path.ends_with(end));
    let found: Vec<&str> = paths.iter().filter(fits).copied().collect();
    match found.as_slice() {
        [only] => Some(only),
        several => {
            let called = |path: &&&str| ends.iter().any(|end| **path == format!("model{end}"));
            several.iter().find(called).copied()
        }
    }
}

fn onnx(spec: &ModelVersionSpec, file: &str) -> Flavor {
    Flavor::new(
        spec,
        (
            "onnx",
            json!({"data": file, "providers": ["CPUExecutionProvider"], "code": null}),
        ),
        json!({"loader_module": "mlflow.onnx", "data": file}),
        vec![("onnx", None), ("onnxruntime", None)],
    )
}

fn xgboost(spec: &ModelVersionSpec, file: &str) -> Flavor {
    let version = version_of(spec.framework.as_ref(), "xgboost");
    let format = file.rsplit('.').next();
    let mut said = json!({
        "data": file, "model_class": "xgboost.core.Booster", "model_format": format, "code": null,
    });
    if let Some(version) = &version {
        said["xgb_version"] = version.as_str().into();
    }
    Flavor::new(
        spec,
        ("xgboost", said),
        json!({"loader_module": "mlflow.xgboost", "data": file}),
        vec![("xgboost", version)],
    )
}

fn scikit(spec: &ModelVersionSpec, file: &str) -> Flavor {
    let version = version_of(spec.framework.as_ref(), "scikit-learn");
    let mut said = json!({"pickled_model": file, "serialization_format": "pickle", "code": null});
    if let Some(version) = &version {
        said["sklearn_version"] = version.as_str().into();
    }
    Flavor::new(
        spec,
        ("sklearn", said),
        json!({"loader_module": "mlflow.sklearn", "model_path": file, "predict_fn": "predict"}),
        vec![("scikit-learn", version)],
    )
}

/// The framework's version, if it is that one.
fn version_of(framework: Option<&Framework>, name: &str) -> Option<String> {
    framework
        .filter(|framework| framework.name == name)?
        .version
        .clone()
}

impl Flavor {
    fn new(
        spec: &ModelVersionSpec,
        (name, said): (&str, Value),
        mut python: Value,
        packages: Vec<(&'static str, Option<String>)>,
    ) -> Self {
        python["env"] = json!({"conda": "conda.yaml", "virtualenv": "python_env.yaml"});
        let environment = spec.environment.as_ref();
        let environment = environment.filter(|one| one.language.as_str() == "python");
        if let Some(version) = environment.and_then(|one| one.version.as_ref()) {
            python["python_version"] = version.as_str().into();
        }
        let mut flavors = Map::new();
        flavors.insert(name.to_owned(), said);
        flavors.insert("python_function".to_owned(), python);
        Self {
            flavors,
            named: name == "onnx",
            packages,
        }
    }
}
