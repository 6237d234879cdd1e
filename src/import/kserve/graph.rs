//! What an InferenceGraph (v1alpha1) says: one that only splits traffic is a deployment.

use serde_json::{Map, Value, json};

use crate::import::DeploymentListed;
use crate::import::manifest::{Fields, Found, Manifest, percents};

/// Puts what `manifest` says into `found`, whose deployments are the InferenceServices: those that
/// it splits traffic between become one.
pub(super) fn tell(manifest: &Manifest, found: &mut Found) {
    match split(manifest, &found.deployments) {
        Ok((deployment, parts)) => {
            let is_part = |one: &DeploymentListed| {
                one.environment == deployment.environment && parts.contains(&one.name)
            };
            found.deployments.retain(|one| !is_part(one));
            found.deployments.push(deployment);
        }
        Err(why) => found.leave_out(manifest, why),
    }
}

fn split(
    manifest: &Manifest,
    services: &[DeploymentListed],
) -> Result<(DeploymentListed, Vec<String>), String> {
    let mut fields = manifest.spec();
    let mut nodes = fields.fields("nodes").unwrap_or_default();
    let mut root = nodes.fields("root").ok_or("it has no root")?;
    let mut rest = Map::new();
    nodes.left("", &mut rest);
    if !rest.is_empty() || root.text("routerType").as_deref() != Some("Splitter") {
        return Err("it does more than to split traffic, which no deployment can".to_owned());
    }
    let mut shares = Vec::new();
    for step in root.list("steps") {
        let mut step = Fields::of(step).ok_or("a step is no mapping")?;
        let name = step
            .text("serviceName")
            .ok_or("a step names no InferenceService")?;
        let weight = step.whole("weight").ok_or("a step has no weight")?;
        step.left(&format!("steps.{name}."), &mut rest);
        shares.push((name, weight));
    }
    let weights: Vec<_> = shares.iter().map(|(_, weight)| *weight).collect();
    let percents = percents(&weights).ok_or("none of its steps gets any traffic")?;
    root.left("nodes.root.", &mut rest);
    fields.left("", &mut rest);
    rest.extend(manifest.rest());
    let (mut split, mut spec, mut remarks) = (Vec::new(), None, Vec::new());
    for ((name, _), weight) in shares.iter().zip(percents) {
        let environment = manifest.namespace();
        let is_it = |one: &&DeploymentListed| {
            one.name == *name && one.environment.as_deref() == environment
        };
        let service = services.iter().find(is_it);
        let service = service.ok_or_else(|| format!("its InferenceService {name} is not there"))?;
        let mut own = service.spec.clone();
        let model = own.shift_remove("model").ok_or("a step is split itself")?;
        split.push(json!({"model": model, "weight": weight}));
        remarks.extend(service.remarks.clone());
        let unmapped = service.unmapped.clone().into_iter();
        rest.extend(unmapped.map(|(field, value)| (format!("services.{name}.{field}"), value)));
        let first = spec.get_or_insert_with(|| own.clone());
        // A deployment has one of each for all its shares.
        let differs = own
            .into_iter()
            .filter(|(field, value)| first.get(field) != Some(value));
        let differs: Vec<_> = differs.collect();
        rest.extend(
            differs
                .into_iter()
                .map(|(field, value)| (format!("services.{name}.{field}"), value)),
        );
    }
    let mut spec = spec.unwrap_or_default();
    spec.insert("split".to_owned(), Value::Array(split));
    let deployment = DeploymentListed {
        name: manifest.name().to_owned(),
        environment: manifest.namespace().map(str::to_owned),
        cluster: None,
        reference: manifest.reference(),
        spec,
        unmapped: rest,
        remarks,
    };
    Ok((
        deployment,
        shares.into_iter().map(|(name, _)| name).collect(),
    ))
}
