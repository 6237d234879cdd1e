//! What a `SeldonDeployment` says.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::graph::{self, Chain, Reading};
use crate::import::DeploymentListed;
use crate::import::manifest::{Fields, Found, Manifest, OURS, Pod};

/// A predictor, read.
struct Predictor {
    name: String,
    traffic: Option<u64>,
    shadow: bool,
    chain: Result<Chain, String>,
    pod: Pod,
}

/// Puts what `manifest` says into `found`.
pub(super) fn tell(manifest: &Manifest, found: &mut Found) {
    let mut spec = manifest.spec();
    let mut unmapped = manifest.rest();
    let predictors = spec.list("predictors");
    let own = |value: &Value| (value.as_str() == Some(manifest.name())).then_some(());
    spec.take_if("name", own);
    let open = |value: &Value| matches!(value.as_str(), Some("v2" | "kfserving")).then_some(());
    let open = spec.take_if("protocol", open).is_some();
    let replicas = spec.whole("replicas");
    spec.left("", &mut unmapped);
    let alone = predictors
        .iter()
        .all(|one| graph::count(&one["graph"]) == 1);
    let mut read = Vec::new();
    for predictor in predictors {
        if let Some(fields) = Fields::of(predictor) {
            let context = (manifest, alone, open);
            read.push(predictor_of(
                fields,
                context,
                replicas,
                &mut unmapped,
                found,
            ));
        }
    }
    match deployments(manifest, read, unmapped) {
        Ok(deployments) => found.deployments.extend(deployments),
        Err(why) => found.leave_out(manifest, why),
    }
}

fn predictor_of(
    mut fields: Fields,
    (manifest, alone, open): (&Manifest, bool, bool),
    replicas: Option<u64>,
    unmapped: &mut Map<String, Value>,
    found: &mut Found,
) -> Predictor {
    let name = fields.text("name").unwrap_or_else(|| "default".to_owned());
    let mut pod = Pod::default();
    let mut containers = BTreeMap::new();
    let count = fields.whole("replicas").or(replicas);
    count.filter(|count| pod.replicas("min", *count));
    let prefix = format!("predictors.{name}.");
    for (index, part) in fields.list("componentSpecs").into_iter().enumerate() {
        if let Some(part) = Fields::of(part) {
            component(
                part,
                &mut pod,
                &mut containers,
                &format!("{prefix}componentSpecs.{index}."),
                unmapped,
            );
        }
    }
    let graph = fields.take("graph").unwrap_or_default();
    let said = annotated(&mut fields);
    let mut reading = Reading {
        manifest,
        predictor: &name,
        said,
        alone,
        open,
        containers: &mut containers,
        units: &mut found.units,
        unmapped,
        remarks: &mut pod.remarks,
        main: None,
    };
    let chain = reading.read(graph);
    let main = reading.main.take();
    for (container, mut rest) in containers {
        if main.as_deref() == Some(container.as_str()) {
            pod.container(&mut rest);
        }
        rest.take("name");
        rest.left(&format!("{prefix}containers.{container}."), unmapped);
    }
    let traffic = fields.whole("traffic");
    let shadow = fields.take_if("shadow", Value::as_bool).unwrap_or(false);
    fields.left(&prefix, unmapped);
    Predictor {
        name,
        traffic,
        shadow,
        chain,
        pod,
    }
}

/// Takes what annotations of ours say of a predictor's units.
fn annotated(fields: &mut Fields) -> BTreeMap<String, String> {
    let Some(mut annotations) = fields.fields("annotations") else {
        return BTreeMap::new();
    };
    let ours = annotations.take_prefixed(OURS);
    fields.put_rest("annotations", annotations);
    ours
}

/// Reads one of a predictor's `componentSpecs`: a pod with its scaling.
fn component(
    mut part: Fields,
    pod: &mut Pod,
    containers: &mut BTreeMap<String, Fields>,
    prefix: &str,
    unmapped: &mut Map<String, Value>,
) {
    let count = part.whole("replicas");
    count.filter(|count| pod.replicas("min", *count));
    if let Some(mut scaling) = part.fields("hpaSpec") {
        for (name, field) in [("minReplicas", "min"), ("maxReplicas", "max")] {
            if let Some(count) = scaling.whole(name)
                && !pod.replicas(field, count)
            {
                scaling.put(name, count.into());
            }
        }
        for name in ["metrics", "metricsv2"] {
            if let Some((metric, target)) = scaling.take_if(name, utilization) {
                pod.scaled_by(&metric, &target);
            }
        }
        part.put_rest("hpaSpec", scaling);
    }
    if let Some(mut spec) = part.fields("spec") {
        let mut nameless = Vec::new();
        for container in spec.list("containers") {
            match (
                container["name"].as_str().map(str::to_owned),
                Fields::of(container.clone()),
            ) {
                (Some(name), Some(fields)) if !containers.contains_key(&name) => {
                    containers.insert(name, fields);
                }
                _ => nameless.push(container),
            }
        }
        if !nameless.is_empty() {
            spec.put("containers", nameless.into());
        }
        part.put_rest("spec", spec);
    }
    part.left(prefix, unmapped);
}

/// The only metric of an autoscaler, if it is the use of processor or memory in percent.
fn utilization(metrics: &Value) -> Option<(String, Value)> {
    let [metric] = metrics.as_array()?.as_slice() else {
        return None;
    };
    let resource = metric.get("resource")?;
    let name = resource["name"]
        .as_str()
        .filter(|name| matches!(*name, "cpu" | "memory"))?;
    let old = resource.get("targetAverageUtilization");
    let new = resource["target"].get("averageUtilization");
    let target = old
        .or(new)
        .filter(|target| target.as_u64().is_some_and(|target| target > 0))?;
    Some((name.to_owned(), target.clone()))
}

/// The deployments that the predictors are.
fn deployments(
    manifest: &Manifest,
    predictors: Vec<Predictor>,
    mut unmapped: Map<String, Value>,
) -> Result<Vec<DeploymentListed>, String> {
    let (shadows, serving): (Vec<_>, Vec<_>) = predictors.into_iter().partition(|one| one.shadow);
    if shadows.len() > 1 {
        return Err("more than one predictor is a shadow".to_owned());
    }
    if serving.is_empty() {
        return Err("it has no predictor that answers".to_owned());
    }
    let weights = weights(&serving)?;
    let mut shares = Vec::new();
    let mut remarks = Vec::new();
    let mut spec: Option<Map<String, Value>> = None;
    for (predictor, weight) in serving.into_iter().zip(weights) {
        let name = predictor.name;
        let chain = predictor
            .chain
            .map_err(|why| format!("predictor {name}: {why}"))?;
        let own = told(predictor.pod, &chain, &mut remarks);
        shares.extend(
            chain
                .mains
                .into_iter()
                .map(|(model, part)| (model, weight * part)),
        );
        match &spec {
            None => spec = Some(own),
            // A deployment has one of each for all its shares.
            Some(first) => {
                for (field, value) in own {
                    if first.get(&field) != Some(&value) {
                        unmapped.insert(format!("predictors.{name}.{field}"), value);
                    }
                }
            }
        }
    }
    let mut spec = spec.unwrap_or_default();
    serve(&shares, &mut spec)?;
    let mut deployments = Vec::new();
    for shadow in shadows {
        deployments.push(mirror(manifest, shadow)?);
    }
    deployments.push(DeploymentListed {
        name: manifest.name().to_owned(),
        environment: manifest.namespace().map(str::to_owned),
        cluster: None,
        reference: manifest.reference(),
        spec,
        unmapped,
        remarks,
    });
    Ok(deployments)
}

/// How much of the traffic each predictor gets, in percent.
fn weights(serving: &[Predictor]) -> Result<Vec<u64>, String> {
    if let [only] = serving
        && matches!(only.traffic, None | Some(0))
    {
        return Ok(vec![100]);
    }
    let weights: Vec<_> = serving.iter().map(|one| one.traffic.unwrap_or(0)).collect();
    let sum = weights
        .iter()
        .fold(0_u64, |sum, weight| sum.saturating_add(*weight));
    if sum != 100 {
        return Err(format!(
            "the traffic of its predictors sums to {sum}, not to 100"
        ));
    }
    Ok(weights)
}

fn told(pod: Pod, chain: &Chain, remarks: &mut Vec<String>) -> Map<String, Value> {
    let mut spec = pod.spec;
    remarks.extend(pod.remarks);
    for (field, list) in [("before", &chain.before), ("after", &chain.after)] {
        if !list.is_empty() {
            spec.insert(field.to_owned(), json!(list));
        }
    }
    spec
}

/// Says what serves: one model, or several by weight, in ten-thousandths.
fn serve(shares: &[(String, u64)], spec: &mut Map<String, Value>) -> Result<(), String> {
    if let [(model, _)] = shares {
        spec.insert("model".to_owned(), model.as_str().into());
        return Ok(());
    }
    let weights: Vec<_> = shares.iter().map(|(_, weight)| *weight).collect();
    let percents = crate::import::manifest::percents(&weights);
    let percents = percents.ok_or("none of its models gets any traffic")?;
    let split: Vec<_> = shares
        .iter()
        .zip(percents)
        .map(|((model, _), weight)| json!({"model": model, "weight": weight}))
        .collect();
    spec.insert("split".to_owned(), split.into());
    Ok(())
}

/// A predictor that gets a copy of the others' traffic.
fn mirror(manifest: &Manifest, shadow: Predictor) -> Result<DeploymentListed, String> {
    let name = shadow.name;
    let chain = shadow
        .chain
        .map_err(|why| format!("predictor {name}: {why}"))?;
    let mut remarks = Vec::new();
    let mut spec = told(shadow.pod, &chain, &mut remarks);
    serve(&chain.mains, &mut spec)?;
    shadowing(
        &mut spec,
        shadow.traffic.filter(|percent| *percent > 0),
        manifest.name(),
    );
    remarks.push(shadow_remark(manifest.name()));
    Ok(DeploymentListed {
        name: format!("{}-{name}", manifest.name()),
        environment: manifest.namespace().map(str::to_owned),
        cluster: None,
        reference: format!("{}/{name}", manifest.reference()),
        spec,
        unmapped: Map::new(),
        remarks,
    })
}

/// Says that a deployment got a copy of what `of` got.
pub(super) fn shadowing(spec: &mut Map<String, Value>, percent: Option<u64>, of: &str) {
    let weight = percent.unwrap_or(100).min(100);
    let strategy = json!({"type": "shadow", "steps": [{"weight": weight}]});
    spec.insert("strategy".to_owned(), strategy);
    spec.insert("dependsOn".to_owned(), json!([of]));
}

/// What a person should know of a shadow.
pub(super) fn shadow_remark(of: &str) -> String {
    format!(
        "it got a copy of the traffic of {of}; here a shadow is a step of a rollout: to compare the \
         two, give {of} this version under the strategy `shadow`"
    )
}
