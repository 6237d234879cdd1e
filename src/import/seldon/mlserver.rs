//! What the folder of a model says that MLServer serves: `model-settings.json`.
//!
//! Source: MLServer's "Model Settings" reference (docs.seldon.ai/mlserver).

use serde_json::{Map, Value, json};

use crate::import::manifest::{Bytes, Fields, Found, Manifest, Unit, json_text, say};
use crate::record::kind::Tensor;

/// The class that serves a framework's models, by the word for it.
const IMPLEMENTATIONS: [(&str, &str); 9] = [
    ("mlserver_sklearn.SKLearnModel", "sklearn"),
    ("mlserver_xgboost.XGBoostModel", "xgboost"),
    ("mlserver_lightgbm.LightGBMModel", "lightgbm"),
    ("mlserver_catboost.CatboostModel", "catboost"),
    ("mlserver_mlflow.MLflowRuntime", "mlflow"),
    ("mlserver_huggingface.HuggingFaceRuntime", "huggingface"),
    ("mlserver_onnx.OnnxModel", "onnx"),
    (
        "mlserver_alibi_explain.AlibiExplainRuntime",
        "alibi-explain",
    ),
    ("mlserver_alibi_detect.AlibiDetectRuntime", "alibi-detect"),
];

/// Puts what the settings in `manifest` say into `found`.
pub(super) fn tell(manifest: &Manifest, found: &mut Found) {
    let mut settings = manifest.spec();
    settings.take("name");
    let name = manifest.name().to_owned();
    let inside = manifest.namespace().unwrap_or(".");
    let names = vec![name.clone(), format!("{inside}/{name}")];
    let mut unit = Unit::of(manifest, manifest.reference(), names);
    if let Some(implementation) = settings.text("implementation") {
        let known = IMPLEMENTATIONS
            .iter()
            .find(|(class, _)| *class == implementation);
        let said = known.is_some_and(|(_, word)| say(word, None, &mut unit.version).0);
        if !said {
            unit.unmapped
                .insert("implementation".to_owned(), implementation.into());
        }
    }
    // Whatever is in the folder, MLServer serves it as these settings say.
    unit.version
        .insert("runtime".to_owned(), json!({"name": "mlserver"}));
    for field in ["inputs", "outputs"] {
        if let Some((tensors, left)) = settings.take_if(field, tensors) {
            unit.version.insert(field.to_owned(), tensors);
            let left = left.into_iter();
            unit.unmapped
                .extend(left.map(|(name, value)| (format!("{field}.{name}"), value)));
        }
    }
    let mut uri = None;
    if let Some(mut parameters) = settings.fields("parameters") {
        unit.said_version = parameters.take_if("version", json_text);
        uri = parameters.text("uri");
        settings.put_rest("parameters", parameters);
    }
    unit.bytes = bytes(manifest, uri, &mut unit);
    settings.left("", &mut unit.unmapped);
    found.units.push(unit);
}

/// The folder with all that is in it; or where its model is, if that is elsewhere.
fn bytes(manifest: &Manifest, uri: Option<String>, unit: &mut Unit) -> Bytes {
    let Some(folder) = manifest.folder.clone() else {
        return Bytes::Unsaid;
    };
    match uri {
        Some(uri) if is_elsewhere(&uri) => Bytes::At {
            uri,
            folder: Some(folder),
        },
        uri => {
            // It is in the settings, which are among the files.
            if let Some(uri) = uri {
                unit.remarks.push(format!(
                    "its model is {uri} in its folder, all of which is taken"
                ));
            }
            Bytes::Folder(folder)
        }
    }
}

fn is_elsewhere(uri: &str) -> bool {
    uri.contains("://") || uri.starts_with('/') || uri.split('/').any(|part| part == "..")
}

/// Tensors, if a record can hold them; how MLServer decodes each is its own, and comes beside.
fn tensors(list: &Value) -> Option<(Value, Map<String, Value>)> {
    let mut told = Vec::new();
    let mut left = Map::new();
    for tensor in list.as_array()? {
        let mut fields = Fields::of(tensor.clone())?;
        let (name, datatype) = (fields.text("name")?, fields.text("datatype")?);
        let tensor = json!({"name": name, "datatype": datatype, "shape": fields.list("shape")});
        serde_json::from_value::<Tensor>(tensor.clone()).ok()?;
        told.push(tensor);
        fields.left(&format!("{name}."), &mut left);
    }
    (!told.is_empty()).then(|| (told.into(), left))
}
