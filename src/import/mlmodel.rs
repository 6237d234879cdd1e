//! MLflow's `MLmodel`: the YAML file that makes a folder a model of MLflow.
//!
//! Its `flavors` say how it is loaded, its `signature` what goes in and out (three texts, each JSON
//! of its own), the rest where it comes from. The format itself is told by the files; what only
//! `MLmodel` knows is the framework's version, the Python that it needs, and names of columns.
//!
//! Source: MLflow's "MLmodel" reference (mlflow.org, Model Storage Format), as written by 2.x and
//! 3.x.

use serde_json::{Map, Value, json};

use super::{ImportError, own};
use crate::check::yaml;

/// The name of the file.
pub(super) const FILE: &str = "MLmodel";

/// The largest one that is read: what a record may have.
pub(super) const MAX_BYTES: u64 = yaml::MAX_RECORD_BYTES as u64;

/// What a flavor is called, and the framework that it is of, with the key of its version.
pub(super) const FRAMEWORKS: [(&str, &str, &str); 20] = [
    ("sklearn", "scikit-learn", "sklearn_version"),
    ("xgboost", "xgboost", "xgb_version"),
    ("lightgbm", "lightgbm", "lgb_version"),
    ("catboost", "catboost", "catboost_version"),
    ("pytorch", "pytorch", "pytorch_version"),
    ("tensorflow", "tensorflow", "tf_version"),
    ("keras", "keras", "keras_version"),
    ("transformers", "transformers", "transformers_version"),
    (
        "sentence_transformers",
        "sentence-transformers",
        "sentence_transformers_version",
    ),
    ("spark", "spark", "pyspark_version"),
    ("h2o", "h2o", "h2o_version"),
    ("statsmodels", "statsmodels", "statsmodels_version"),
    ("prophet", "prophet", "prophet_version"),
    ("pmdarima", "pmdarima", "pmdarima_version"),
    ("spacy", "spacy", "spacy_version"),
    ("paddle", "paddle", "paddle_version"),
    ("diviner", "diviner", "diviner_version"),
    ("crate", "crate", "crate_version"),
    ("langchain", "langchain", "langchain_version"),
    ("openai", "openai", "openai_version"),
];

/// What an `MLmodel` says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Told {
    /// Fields of a version.
    pub version: Map<String, Value>,
    /// Fields of its model, which only an `MLmodel` of our own tells.
    pub model: Map<String, Value>,
    /// What found no place.
    pub unmapped: Map<String, Value>,
}

/// Keys of `MLmodel` that say nothing of the model, or what the record says by itself.
const OF_NO_MATTER: [&str; 6] = [
    "flavors",
    "signature",
    "artifact_path",
    "model_size_bytes",
    "utc_time_created",
    "run_id",
];

/// Reads the `MLmodel` in `bytes`, found at `place`; `has` tells whether a file is beside it.
///
/// # Errors
/// [`ImportError::Malformed`] if it is no YAML, or has no flavors.
pub(super) fn tell(
    place: &str,
    bytes: &[u8],
    has: impl Fn(&str) -> bool,
) -> Result<Told, ImportError> {
    let malformed = |reason: String| ImportError::Malformed {
        place: place.to_owned(),
        reason,
    };
    let tree = yaml::parse(bytes).map_err(|problems| malformed(problems.to_string()))?;
    let mut value = tree.into_value();
    let mut own = match value.pointer_mut("/metadata/modelyard") {
        Some(Value::Object(own)) => std::mem::take(own),
        _ => Map::new(),
    };
    let flavors = value.get("flavors").and_then(Value::as_object);
    let flavors = flavors.ok_or_else(|| malformed("it has no `flavors`".to_owned()))?;
    let mut told = Told::default();
    told.flavors(flavors, &has);
    if let Some(signature) = value
        .get("signature")
        .filter(|signature| !signature.is_null())
    {
        told.signature(signature);
    }
    if let Some(created) = value.get("utc_time_created").and_then(Value::as_str) {
        // `2026-11-01 09:30:00.123456`, in UTC.
        let time = format!("{}Z", created.replacen(' ', "T", 1));
        if let Ok(time) = time.parse::<jiff::Timestamp>() {
            let whole = jiff::Timestamp::from_second(time.as_second()).unwrap_or(time);
            told.version.insert("createdAt".to_owned(), json!(whole));
        }
    }
    if let Some(run) = value.get("run_id").and_then(Value::as_str) {
        let run = json!({"system": "mlflow", "id": run});
        told.version
            .insert("lineage".to_owned(), json!({ "run": run }));
    }
    own::hear(&mut own, &mut told.model, &mut told.version);
    if let Some(Value::Object(metadata)) = value.get_mut("metadata") {
        if !own.is_empty() {
            metadata.insert(own::KEY.to_owned(), own.into());
        } else if metadata.get(own::KEY).is_some_and(is_empty) {
            metadata.shift_remove(own::KEY);
        }
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        if !OF_NO_MATTER.contains(&key.as_str()) && !is_empty(value) {
            told.unmapped
                .insert(format!("MLmodel.{key}"), value.clone());
        }
    }
    Ok(told)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

impl Told {
    fn flavors(&mut self, flavors: &Map<String, Value>, has: &impl Fn(&str) -> bool) {
        let python = flavors.get("python_function");
        let framework = FRAMEWORKS
            .iter()
            .find(|(flavor, _, _)| flavors.contains_key(*flavor));
        if let Some((flavor, name, version)) = framework {
            let mut framework = json!({ "name": name });
            if let Some(version) = flavors[*flavor].get(*version).and_then(Value::as_str) {
                framework["version"] = version.into();
            }
            self.version.insert("framework".to_owned(), framework);
        }
        // ONNX is served by itself; what else MLflow wrote, MLflow loads.
        let runtime = if flavors.contains_key("onnx") {
            Some("onnx")
        } else {
            python.map(|_| "mlflow")
        };
        if let Some(runtime) = runtime {
            self.version
                .insert("runtime".to_owned(), json!({ "name": runtime }));
        }
        let version = python.and_then(|python| python.get("python_version"));
        if runtime == Some("mlflow") && (version.is_some() || has("requirements.txt")) {
            let mut environment = json!({"language": "python"});
            if let Some(version) = version.and_then(Value::as_str) {
                environment["version"] = minor(version).into();
            }
            if has("requirements.txt") {
                environment["requirements"] = "requirements.txt".into();
            }
            self.version.insert("environment".to_owned(), environment);
        }
        for (flavor, said) in flavors {
            self.unmapped
                .insert(format!("MLmodel.flavors.{flavor}"), said.clone());
        }
    }

    /// Inputs, outputs and parameters, each where all of it can be said.
    fn signature(&mut self, signature: &Value) {
        for (name, field) in [
            ("inputs", "inputs"),
            ("outputs", "outputs"),
            ("params", "parameters"),
        ] {
            let Some(text) = signature.get(name).filter(|value| !is_empty(value)) else {
                continue;
            };
            let parsed = match text {
                Value::String(text) => serde_json::from_str(text).ok(),
                other => Some(other.clone()),
            };
            let items = parsed.as_ref().and_then(Value::as_array);
            let read = if name == "params" { parameter } else { tensor };
            let told: Option<Vec<Value>> = items.and_then(|items| items.iter().map(read).collect());
            match told {
                Some(told) if is_told_apart(&told) => {
                    if !told.is_empty() {
                        self.version.insert(field.to_owned(), told.into());
                    }
                }
                // A text that is a JSON of its own is kept as what it says.
                _ => {
                    let said = parsed.unwrap_or_else(|| text.clone());
                    self.unmapped
                        .insert(format!("MLmodel.signature.{name}"), said);
                }
            }
        }
    }
}

/// Whether no two have one name.
fn is_told_apart(told: &[Value]) -> bool {
    let mut names: Vec<_> = told.iter().map(|one| one["name"].as_str()).collect();
    names.sort_unstable();
    names.windows(2).all(|pair| pair[0] != pair[1])
}

/// A column or a tensor that has a name and a type of the Open Inference Protocol.
fn tensor(spec: &Value) -> Option<Value> {
    let name = spec.get("name")?.as_str()?;
    let (datatype, shape) = match spec.get("tensor-spec") {
        Some(tensor) => {
            let shape = tensor.get("shape")?.clone();
            (of_numpy(tensor.get("dtype")?.as_str()?)?, shape)
        }
        None => (of_column(spec.get("type")?.as_str()?)?, json!([-1])),
    };
    Some(json!({"name": name, "datatype": datatype, "shape": shape}))
}

/// A parameter of inference, of one value.
fn parameter(spec: &Value) -> Option<Value> {
    if spec.get("shape").is_some_and(|shape| !shape.is_null()) {
        return None;
    }
    let mut told = json!({
        "name": spec.get("name")?.as_str()?,
        "datatype": of_column(spec.get("dtype").or_else(|| spec.get("type"))?.as_str()?)?,
    });
    match spec.get("default") {
        None | Some(Value::Null) => {}
        Some(Value::Array(_) | Value::Object(_)) => return None,
        Some(value) => told["default"] = value.clone(),
    }
    Some(told)
}

/// The type of a column, as MLflow's `DataType` names it. A date goes as text.
fn of_column(word: &str) -> Option<&'static str> {
    Some(match word {
        "boolean" => "BOOL",
        "integer" => "INT32",
        "long" => "INT64",
        "float" => "FP32",
        "double" => "FP64",
        "string" | "binary" | "datetime" => "BYTES",
        _ => return None,
    })
}

/// The type of a tensor, as numpy names it.
fn of_numpy(word: &str) -> Option<&'static str> {
    Some(match word {
        "bool" => "BOOL",
        "uint8" => "UINT8",
        "uint16" => "UINT16",
        "uint32" => "UINT32",
        "uint64" => "UINT64",
        "int8" => "INT8",
        "int16" => "INT16",
        "int32" => "INT32",
        "int64" => "INT64",
        "float16" => "FP16",
        "float32" => "FP32",
        "float64" => "FP64",
        "object" | "str" | "bytes" => "BYTES",
        _ => return None,
    })
}

/// `3.11.4` as the Python that is asked for: `3.11`.
fn minor(version: &str) -> String {
    let parts: Vec<_> = version.split('.').take(2).collect();
    parts.join(".")
}

#[cfg(test)]
mod tests {
    //! What `MLmodel`s say.

    use super::*;

    fn told(text: &str, files: &[&str]) -> Told {
        tell("MLmodel", text.as_bytes(), |name| files.contains(&name)).unwrap()
    }

    #[test]
    fn a_scikit_learn_model_of_columns() {
        let told = told(
            r#"
artifact_path: model
flavors:
  python_function:
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
    loader_module: mlflow.sklearn
    model_path: model.pkl
    python_version: 3.11.4
  sklearn:
    code: null
    pickled_model: model.pkl
    serialization_format: cloudpickle
    sklearn_version: 1.7.2
mlflow_version: 3.17.0
model_uuid: 5f0c
run_id: 1a2b
signature:
  inputs: '[{"type": "double", "name": "age", "required": true}, {"type": "long", "name": "visits"}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
  params: '[{"name": "threshold", "type": "double", "default": 0.5, "shape": null}]'
utc_time_created: '2026-11-01 09:30:00.123456'
"#,
            &["requirements.txt"],
        );
        assert_eq!(
            Value::Object(told.version),
            json!({
                "framework": {"name": "scikit-learn", "version": "1.7.2"},
                "runtime": {"name": "mlflow"},
                "environment": {
                    "language": "python", "version": "3.11", "requirements": "requirements.txt",
                },
                "inputs": [
                    {"name": "age", "datatype": "FP64", "shape": [-1]},
                    {"name": "visits", "datatype": "INT64", "shape": [-1]},
                ],
                "parameters": [{"name": "threshold", "datatype": "FP64", "default": 0.5}],
                "createdAt": "2026-11-01T09:30:00Z",
                "lineage": {"run": {"system": "mlflow", "id": "1a2b"}},
            })
        );
        // An output without a name has none that could be asked for.
        let unmapped: Vec<_> = told.unmapped.keys().map(String::as_str).collect();
        assert_eq!(
            unmapped,
            [
                "MLmodel.flavors.python_function",
                "MLmodel.flavors.sklearn",
                "MLmodel.signature.outputs",
                "MLmodel.mlflow_version",
                "MLmodel.model_uuid",
            ]
        );
    }

    #[test]
    fn onnx_serves_by_itself() {
        let told = told(
            "flavors:\n  onnx: {onnx_version: 1.19.0, data: model.onnx}\n  python_function: {python_version: 3.12.1}\n",
            &["requirements.txt"],
        );
        assert_eq!(
            Value::Object(told.version),
            json!({"runtime": {"name": "onnx"}})
        );
    }

    #[test]
    fn what_is_none_is_refused() {
        for bad in ["", "- a", "flavors: 1", "model: {}", "a: b: c"] {
            let refused = tell("MLmodel", bad.as_bytes(), |_| false);
            assert!(
                matches!(refused, Err(ImportError::Malformed { .. })),
                "{bad}"
            );
        }
    }
}
