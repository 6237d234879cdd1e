//! What `Model`s and `Experiment`s of v2 say.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::v1::{shadow_remark, shadowing};
use crate::import::DeploymentListed;
use crate::import::manifest::{
    Bytes, Fields, Found, Manifest, Pod, Unit, json_text, percents, quantity, say,
};

/// Models of v2 by reference, until it is known who serves them.
#[derive(Debug, Default)]
pub(super) struct Models {
    all: BTreeMap<String, Model>,
}

/// A model that serves, by itself or for others.
#[derive(Debug)]
struct Model {
    deployment: DeploymentListed,
    /// Whether an experiment or a pipeline serves it.
    used: bool,
}

impl Models {
    /// Puts what `manifest` says into `found`, and keeps how it serves.
    pub(super) fn add(&mut self, manifest: &Manifest, found: &mut Found) {
        let reference = manifest.reference();
        let name = manifest.name().to_owned();
        let mut spec = manifest.spec();
        let namespace = manifest.namespace().unwrap_or("default");
        let long = format!("{namespace}/{name}");
        let names = manifest
            .ours("model")
            .into_iter()
            .chain([name.clone(), long])
            .collect();
        let mut unit = Unit::of(manifest, reference.clone(), names);
        let version = spec.take_if("artifactVersion", json_text);
        unit.said_version = unit.said_version.or(version);
        if let Some(uri) = spec.text("storageUri") {
            let folder = manifest.folder.clone();
            unit.bytes = Bytes::At { uri, folder };
        }
        made_with(&mut spec, &mut unit);
        for field in ["schemaUri", "secretName", "storageSecretName", "parameters"] {
            if let Some(value) = spec.take(field) {
                unit.unmapped.insert(field.to_owned(), value);
            }
        }
        let mut pod = Pod::default();
        pod.spec
            .insert("model".to_owned(), reference.clone().into());
        if let Some(memory) = spec.take_if("memory", quantity) {
            let resources = json!({"requests": {"memory": memory}});
            pod.spec.insert("resources".to_owned(), resources);
        }
        replicas(&mut spec, &mut pod);
        if let Some(explained) = explained(&spec) {
            pod.spec.insert("dependsOn".to_owned(), json!([explained]));
        }
        let mut unmapped = manifest.rest();
        spec.left("", &mut unmapped);
        found.units.push(unit);
        let deployment = DeploymentListed {
            name,
            environment: manifest.namespace().map(str::to_owned),
            cluster: None,
            reference: reference.clone(),
            spec: pod.spec,
            unmapped,
            remarks: pod.remarks,
        };
        let used = false;
        self.all.insert(reference, Model { deployment, used });
    }

    /// The reference of the model `name` beside `manifest`, which serves it from now on, and how
    /// it serves.
    pub(super) fn use_of(
        &mut self,
        manifest: &Manifest,
        name: &str,
    ) -> Option<(String, DeploymentListed)> {
        let namespace = manifest.namespace().unwrap_or("default");
        let reference = format!("Model/{namespace}/{name}");
        let model = self.all.get_mut(&reference)?;
        model.used = true;
        Some((reference, model.deployment.clone()))
    }

    /// Whether there is a model `name` beside `manifest`.
    pub(super) fn has(&self, manifest: &Manifest, name: &str) -> bool {
        let namespace = manifest.namespace().unwrap_or("default");
        self.all.contains_key(&format!("Model/{namespace}/{name}"))
    }

    /// Those that serve by themselves are deployments.
    pub(super) fn deploy(self, found: &mut Found) {
        let alone = self.all.into_values().filter(|model| !model.used);
        found
            .deployments
            .extend(alone.map(|model| model.deployment));
    }
}

/// What the model is made with, and what serves it: its `modelType` and `requirements`.
fn made_with(spec: &mut Fields, unit: &mut Unit) {
    let mut left = Vec::new();
    let words = spec.text("modelType").into_iter().map(Value::from);
    for word in words.chain(spec.list("requirements")) {
        let text = word.as_str().unwrap_or_default();
        let (said, _) = match text {
            "mlserver" | "triton" => {
                unit.version
                    .insert("runtime".to_owned(), json!({ "name": text }));
                (true, false)
            }
            _ => say(text, None, &mut unit.version),
        };
        if !said {
            left.push(word);
        }
    }
    if !left.is_empty() {
        unit.unmapped.insert("requirements".to_owned(), left.into());
    }
}

fn replicas(spec: &mut Fields, pod: &mut Pod) {
    let fixed = spec.whole("replicas");
    let least = spec.whole("minReplicas");
    if let Some(count) = least.or(fixed) {
        pod.replicas("min", count);
    }
    if let (Some(fixed), Some(_)) = (fixed, least) {
        // Between the two the autoscaler decides; where it stood is no wish.
        spec.put("replicas", fixed.into());
    }
    if let Some(count) = spec.whole("maxReplicas")
        && !pod.replicas("max", count)
    {
        spec.put("maxReplicas", count.into());
    }
}

/// The model that this one explains.
fn explained(spec: &Fields) -> Option<String> {
    let mut spec = spec.clone();
    spec.fields("explainer")?.text("modelRef")
}

/// Puts what the `Experiment` in `manifest` says into `found`.
pub(super) fn experiment(manifest: &Manifest, models: &mut Models, found: &mut Found) {
    match experimented(manifest, models) {
        Ok(deployments) => found.deployments.extend(deployments),
        Err(why) => found.leave_out(manifest, why),
    }
}

fn experimented(manifest: &Manifest, models: &mut Models) -> Result<Vec<DeploymentListed>, String> {
    let mut fields = manifest.spec();
    if fields.look("resourceType") == Some("pipeline") {
        return Err("it is of pipelines; only models can share a deployment's traffic".to_owned());
    }
    fields.take("resourceType");
    let mut candidates = Vec::new();
    for candidate in fields.list("candidates") {
        let name = candidate["name"].as_str().unwrap_or_default().to_owned();
        let weight = candidate["weight"].as_u64();
        candidates.push((name, weight.ok_or("a candidate has no weight")?));
    }
    let mirror = fields.fields("mirror");
    let mirrored = mirror
        .as_ref()
        .and_then(|mirror| mirror.look("name"))
        .map(str::to_owned);
    // Nothing is used until it is known that all of it can be.
    let named = candidates.iter().map(|(name, _)| name).chain(&mirrored);
    if let Some(missing) = named.into_iter().find(|name| !models.has(manifest, name)) {
        return Err(format!("its model {missing} is not there"));
    }
    let weights: Vec<_> = candidates.iter().map(|(_, weight)| *weight).collect();
    let shares = percents(&weights).ok_or("none of its candidates gets any traffic")?;
    let default = fields.text("default");
    let leading = default
        .as_ref()
        .filter(|name| candidates.iter().any(|(one, _)| one == *name));
    let leading = leading.unwrap_or(&candidates[0].0).clone();
    let mut unmapped = manifest.rest();
    let mut remarks = Vec::new();
    let mut split = Vec::new();
    let mut spec = Map::new();
    let mut others = Vec::new();
    for ((name, _), weight) in candidates.iter().zip(&shares) {
        let Some((reference, mut serving)) = models.use_of(manifest, name) else {
            continue;
        };
        split.push(json!({"model": reference, "weight": weight}));
        serving.spec.shift_remove("model");
        remarks.append(&mut serving.remarks);
        prefixed(serving.unmapped, name, &mut unmapped);
        if *name == leading {
            spec = serving.spec;
        } else {
            others.push((name, serving.spec));
        }
    }
    // A deployment has one of each for all its shares.
    for (name, other) in others {
        let differs = other
            .into_iter()
            .filter(|(field, value)| spec.get(field) != Some(value));
        prefixed(differs.collect(), name, &mut unmapped);
    }
    if weights != shares {
        remarks.push("its weights were made percents".to_owned());
    }
    match default {
        // The experiment answers under the name of its default.
        Some(default) if default == leading => {}
        default => unmapped.extend(default.map(|name| ("default".to_owned(), name.into()))),
    }
    let shadow = match mirror {
        Some(fields) => Some(mirrored_in(manifest, fields, models, &mut unmapped)?),
        None => None,
    };
    fields.left("", &mut unmapped);
    if let [only] = split.as_slice() {
        spec.insert("model".to_owned(), only["model"].clone());
    } else {
        spec.insert("split".to_owned(), split.into());
    }
    let main = DeploymentListed {
        name: manifest.name().to_owned(),
        environment: manifest.namespace().map(str::to_owned),
        cluster: None,
        reference: manifest.reference(),
        spec,
        unmapped,
        remarks,
    };
    Ok([main].into_iter().chain(shadow).collect())
}

/// The model that gets a copy of an experiment's traffic.
fn mirrored_in(
    manifest: &Manifest,
    mut mirror: Fields,
    models: &mut Models,
    unmapped: &mut Map<String, Value>,
) -> Result<DeploymentListed, String> {
    let name = mirror.text("name").unwrap_or_default();
    let (_, mut serving) = models
        .use_of(manifest, &name)
        .ok_or("its mirror is not there")?;
    let percent = mirror.whole("percent");
    mirror.left("mirror.", unmapped);
    shadowing(&mut serving.spec, percent, manifest.name());
    serving.remarks.push(shadow_remark(manifest.name()));
    Ok(DeploymentListed {
        name: format!("{}-{name}", manifest.name()),
        reference: format!("{}/{name}", manifest.reference()),
        ..serving
    })
}

/// What found no place of the model `name`, put into `unmapped`.
pub(super) fn prefixed(from: Map<String, Value>, name: &str, unmapped: &mut Map<String, Value>) {
    for (field, value) in from {
        unmapped.insert(format!("models.{name}.{field}"), value);
    }
}
