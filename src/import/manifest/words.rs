//! Words for what a model is made with: `sklearn` is the framework scikit-learn, `onnx` a format.
//!
//! KServe's `modelFormat`, Seldon's `modelType` and `requirements` and the names of MLServer's
//! runtimes share them.

use serde_json::{Map, Value, json};

use crate::record::kind::ModelVersionSpec;

/// A word, the field of a version that says the same, and what it says.
const WORDS: [(&str, &str, &str); 17] = [
    ("mlflow", "runtime", "mlflow"),
    // What is in a format of its own is served by that, whatever trained it.
    ("onnx", "format", "onnx"),
    ("pmml", "format", "pmml"),
    ("openvino", "format", "openvino"),
    ("sklearn", "framework", "scikit-learn"),
    ("xgboost", "framework", "xgboost"),
    ("lightgbm", "framework", "lightgbm"),
    ("catboost", "framework", "catboost"),
    ("tensorflow", "framework", "tensorflow"),
    ("pytorch", "framework", "pytorch"),
    ("paddle", "framework", "paddlepaddle"),
    ("huggingface", "framework", "transformers"),
    ("spark", "framework", "spark"),
    ("h2o", "framework", "h2o"),
    ("tempo", "framework", "tempo"),
    ("alibi-explain", "framework", "alibi-explain"),
    ("alibi-detect", "framework", "alibi-detect"),
];

/// Says `word` in the fields of a version; `version` is the framework's. Whether it could be said,
/// and the version, too.
pub(in crate::import) fn say(
    word: &str,
    version: Option<&str>,
    fields: &mut Map<String, Value>,
) -> (bool, bool) {
    let Some((_, field, name)) = WORDS.iter().find(|(known, _, _)| *known == word) else {
        return (false, false);
    };
    let mut said = json!({ "name": name });
    // A format's version is its own, and no server's.
    let versioned = *field == "framework";
    if let Some(version) = version.filter(|_| versioned) {
        said["version"] = version.into();
    }
    fields.insert((*field).to_owned(), said);
    (true, versioned)
}

/// The word for what a version is made with, and the framework's version.
pub(in crate::import) fn word_for(spec: &ModelVersionSpec) -> Option<(&'static str, Option<&str>)> {
    let framework = spec.framework.as_ref();
    let told = |field: &str, name: &str| match field {
        "runtime" => spec
            .runtime
            .as_ref()
            .is_some_and(|one| one.name.as_str() == name),
        "framework" => framework.is_some_and(|one| one.name == name),
        _ => spec.format.name.as_str() == name,
    };
    let (word, field, _) = WORDS.iter().find(|(_, field, name)| told(field, name))?;
    let version = framework.and_then(|one| one.version.as_deref());
    Some((word, version.filter(|_| *field == "framework")))
}
