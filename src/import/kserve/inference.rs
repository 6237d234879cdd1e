//! What an InferenceService says.

use serde_json::{Map, Value, json};

use super::runtime_here;
use super::runtimes::{Runtimes, bring};
use crate::import::DeploymentListed;
use crate::import::manifest::{Bytes, Fields, Found, Manifest, Pod, Unit, json_text, pinned, say};
use crate::record::Name;

/// Keys of a predictor that name the framework, as they were before `model`.
const FRAMEWORKS: [&str; 10] = [
    "sklearn",
    "xgboost",
    "lightgbm",
    "tensorflow",
    "pytorch",
    "onnx",
    "pmml",
    "paddle",
    "huggingface",
    "triton",
];

/// What a container of one's own has its model's address in.
const STORAGE_VARIABLE: &str = "STORAGE_URI";

/// Puts what `manifest` says into `found`.
pub(super) fn tell(manifest: &Manifest, runtimes: &mut Runtimes<'_>, found: &mut Found) {
    let mut spec = manifest.spec();
    let Some(mut predictor) = spec.fields("predictor") else {
        return found.leave_out(manifest, "it has no predictor");
    };
    let reference = manifest.reference();
    let mut unit = Unit::of(manifest, reference.clone(), names(manifest));
    let mut pod = Pod::default();
    let mut unmapped = manifest.rest();
    pod.spec
        .insert("model".to_owned(), reference.clone().into());
    let Some((key, model)) = model(&mut predictor) else {
        return found.leave_out(manifest, "its predictor has no model");
    };
    match key {
        "containers" => container(model, manifest, &mut unit, &mut pod, &mut unmapped),
        key => framework(
            key,
            model,
            manifest,
            runtimes,
            &mut unit,
            &mut pod,
            &mut unmapped,
        ),
    }
    scaling(&mut predictor, &mut pod);
    canary(&mut predictor, &mut pod);
    pods(&mut predictor, &mut pod);
    predictor.left("predictor.", &mut unmapped);
    if let Some(transformer) = spec.fields("transformer") {
        transform(transformer, &mut pod, &mut unmapped);
    }
    spec.left("", &mut unmapped);
    found.units.push(unit);
    found.deployments.push(DeploymentListed {
        name: manifest.name().to_owned(),
        environment: manifest.namespace().map(str::to_owned),
        cluster: None,
        reference,
        spec: pod.spec,
        unmapped,
        remarks: pod.remarks,
    });
}

/// What the model may be called.
fn names(manifest: &Manifest) -> Vec<String> {
    let name = manifest.name().to_owned();
    let namespace = manifest.namespace().unwrap_or("default");
    let long = format!("{namespace}/{name}");
    manifest
        .ours("model")
        .into_iter()
        .chain([name, long])
        .collect()
}

/// The predictor's part that names the model, and the key under which it stands.
fn model(predictor: &mut Fields) -> Option<(&'static str, Fields)> {
    let keys = ["model"].into_iter().chain(FRAMEWORKS);
    for key in keys {
        if let Some(fields) = predictor.fields(key) {
            return Some((key, fields));
        }
    }
    let mut containers = predictor.list("containers");
    if containers.is_empty() {
        return None;
    }
    // The first one answers; others stand beside it.
    let first = Fields::of(containers.remove(0))?;
    if !containers.is_empty() {
        predictor.put("containers", containers.into());
    }
    Some(("containers", first))
}

/// A model that a runtime serves.
fn framework(
    key: &'static str,
    mut model: Fields,
    manifest: &Manifest,
    runtimes: &mut Runtimes<'_>,
    unit: &mut Unit,
    pod: &mut Pod,
    unmapped: &mut Map<String, Value>,
) {
    let (format, version) = format(key, &mut model, unit);
    let named = model.text("runtime");
    let version = version.as_deref();
    let runtime = runtimes.find(named.as_deref(), (&format, version), manifest.namespace());
    if let Some(runtime) = runtime {
        bring(runtime, pod, unmapped);
    }
    let named = named.or_else(|| runtime.map(|runtime| runtime.name().to_owned()));
    let named = named.or_else(|| (format == "triton").then(|| "triton".to_owned()));
    if let Some(name) = named {
        let here = runtime_here(&name);
        match here.parse::<Name>() {
            Ok(_) => {
                pod.runtime().insert("name".to_owned(), here.into());
            }
            Err(_) => model.put("runtime", name.into()),
        }
    }
    if let Some(version) = model.text("runtimeVersion") {
        pod.runtime().insert("version".to_owned(), version.into());
    }
    // It is what everything here speaks.
    model.take_if("protocolVersion", |value| (value == "v2").then_some(()));
    pod.container(&mut model);
    unit.bytes = match model.text("storageUri") {
        Some(uri) => Bytes::At {
            uri,
            folder: manifest.folder.clone(),
        },
        None if model.has("storage") => Bytes::Elsewhere(
            "it is in the store that a secret of the cluster names (`storage`); copy it into a \
             folder beside the manifest, and write that folder as its storageUri"
                .to_owned(),
        ),
        None => Bytes::Unsaid,
    };
    if let Some(storage) = model.take("storage") {
        unit.unmapped.insert("storage".to_owned(), storage);
    }
    model.left(&format!("predictor.{key}."), unmapped);
}

/// The model's format and its version, as KServe calls them; said in the unit as far as it can be.
fn format(key: &'static str, model: &mut Fields, unit: &mut Unit) -> (String, Option<String>) {
    let (name, version) = if key == "model" {
        let mut format = model.fields("modelFormat").unwrap_or_default();
        let name = format.text("name").unwrap_or_default();
        let version = format.take_if("version", json_text);
        model.put_rest("modelFormat", format);
        (name, version)
    } else {
        (key.to_owned(), None)
    };
    let (said, versioned) = say(&name, version.as_deref(), &mut unit.version);
    if !said && !name.is_empty() && name != "triton" {
        unit.unmapped
            .insert("modelFormat".to_owned(), json!({ "name": name }));
    }
    if let (false, Some(version)) = (versioned, &version) {
        unit.unmapped
            .insert("modelFormat.version".to_owned(), json!(version));
    }
    (name, version)
}

/// A container of one's own that has its model in it, or loads it.
fn container(
    mut container: Fields,
    manifest: &Manifest,
    unit: &mut Unit,
    pod: &mut Pod,
    unmapped: &mut Map<String, Value>,
) {
    container.take("name");
    pod.container(&mut container);
    let image = container.text("image");
    let env = pod
        .spec
        .get("runtime")
        .and_then(|runtime| runtime["env"].as_object());
    let uri = env
        .and_then(|env| env.get(STORAGE_VARIABLE))
        .and_then(Value::as_str);
    unit.bytes = match (uri, &image) {
        (Some(uri), _) => Bytes::At {
            uri: uri.to_owned(),
            folder: manifest.folder.clone(),
        },
        (None, Some(image)) => Bytes::Image(image.clone()),
        (None, None) => Bytes::Unsaid,
    };
    if let Some(image) = image {
        unit.served_by(&image);
    }
    container.left("predictor.containers.0.", unmapped);
}

fn scaling(predictor: &mut Fields, pod: &mut Pod) {
    for (name, field) in [("minReplicas", "min"), ("maxReplicas", "max")] {
        if let Some(count) = predictor.whole(name)
            && !pod.replicas(field, count)
        {
            predictor.put(name, count.into());
        }
    }
    let metric = |value: &Value| match value.as_str()? {
        word @ ("concurrency" | "rps" | "cpu" | "memory") => Some(word.to_owned()),
        _ => None,
    };
    let target = predictor.take_if("scaleTarget", |value| {
        let positive = value.as_f64().is_some_and(|target| target > 0.0);
        positive.then(|| value.clone())
    });
    match (predictor.take_if("scaleMetric", metric), target) {
        (Some(metric), Some(target)) => pod.scaled_by(&metric, &target),
        // A record has both or none.
        (Some(metric), None) => predictor.put("scaleMetric", metric.into()),
        (None, Some(target)) => predictor.put("scaleTarget", target),
        (None, None) => {}
    }
}

/// How pods give way to new ones, if it is by a word alone; a canary's own word is heard first.
fn pods(predictor: &mut Fields, pod: &mut Pod) {
    let word = |value: &Value| {
        let only = value.as_object()?.len() == 1;
        match value["type"].as_str().filter(|_| only)? {
            "Recreate" => Some("recreate"),
            "RollingUpdate" => Some("rolling"),
            _ => None,
        }
    };
    if !pod.spec.contains_key("strategy")
        && let Some(word) = predictor.take_if("deploymentStrategy", word)
    {
        pod.spec
            .insert("strategy".to_owned(), json!({ "type": word }));
    }
}

/// KServe leaves the traffic at a canary's percents until somebody changes them.
fn canary(predictor: &mut Fields, pod: &mut Pod) {
    let percent = |value: &Value| value.as_u64().filter(|percent| *percent < 100);
    if let Some(weight) = predictor.take_if("canaryTrafficPercent", percent) {
        let steps = json!([{"weight": weight, "approval": true}]);
        let strategy = json!({"type": "canary", "steps": steps});
        pod.spec.insert("strategy".to_owned(), strategy);
        pod.remarks.push(format!(
            "{weight} % of the traffic were its newest version's, the rest that of the version \
             before, which the manifest doesn't name"
        ));
    }
}

/// A transformer changes requests before the model and answers behind it.
fn transform(mut transformer: Fields, pod: &mut Pod, unmapped: &mut Map<String, Value>) {
    let mut containers = transformer.list("containers");
    let image = containers.first().and_then(|one| one["image"].as_str());
    let image = image.map(str::to_owned);
    match image.as_deref().map(pinned) {
        Some(Some(image)) => {
            let coprocessor = json!({"container": {"image": image}});
            pod.spec.insert("before".to_owned(), json!([coprocessor]));
            pod.spec.insert("after".to_owned(), json!([coprocessor]));
            pod.remarks.push(
                "a transformer of KServe calls the model itself; as a coprocessor its image has \
                 to answer by Open Inference with what it was given, changed"
                    .to_owned(),
            );
            if let Value::Object(container) = &mut containers[0] {
                container.shift_remove("image");
                container.shift_remove("name");
            }
        }
        Some(None) => pod.remarks.push(format!(
            "the transformer's image {} has no digest, so it can be moved, and is no coprocessor: \
             name it by its digest",
            image.unwrap_or_default()
        )),
        None => {}
    }
    containers.retain(|one| one.as_object().is_none_or(|one| !one.is_empty()));
    if !containers.is_empty() {
        transformer.put("containers", containers.into());
    }
    transformer.left("transformer.", unmapped);
}
