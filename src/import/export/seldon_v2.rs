//! Deployments as resources of Seldon Core 2: Models, and Experiments or Pipelines over them.

use serde_json::{Map, Value, json};

use super::pod::{annotations, label, metadata};
use super::{Find, Manifested, Part, Target, copied, has_container, shadowed, within};
use crate::import::manifest::word_for;
use crate::record::kind::{Coprocessor, Deployment, DeploymentSpec};

/// The resources for `deployments`; a shadow is the mirror of the one that it shadows.
pub fn manifests(deployments: &[Deployment], find: Find<'_>, target: &Target) -> Manifested {
    let mut out = Manifested::default();
    for deployment in deployments {
        if shadowed(deployment, deployments).is_some() {
            continue;
        }
        let is_shadow = |one: &&Deployment| shadowed(one, deployments) == Some(deployment);
        let shadow = deployments.iter().find(is_shadow);
        one(deployment, shadow, find, target, &mut out);
    }
    out
}

fn one(
    deployment: &Deployment,
    shadow: Option<&Deployment>,
    find: Find<'_>,
    target: &Target,
    out: &mut Manifested,
) {
    out.ours_alone(deployment);
    no_place(deployment, out);
    let name = label(deployment.metadata.name.as_str());
    let mut parts = out.parts(deployment, find);
    let experiment = parts.len() > 1 || shadow.is_some();
    let pipeline = !deployment.spec.before.is_empty();
    if experiment && pipeline {
        let why = "an Experiment is of Models, and a Pipeline has no share of it";
        out.no_place(deployment, "before", why);
    }
    if let ([only], true) = (parts.as_mut_slice(), experiment || pipeline) {
        // The name is that of what stands over it.
        only.name = format!(
            "{name}-{}",
            label(only.served.record.metadata.name.as_str())
        );
    }
    let mut steps = Vec::new();
    if pipeline && !experiment {
        steps = before(deployment, &name, find, target, out);
    }
    let models: Vec<_> = parts
        .iter()
        .map(|part| model(deployment, part, target))
        .collect();
    out.manifests.extend(models);
    if experiment {
        let mirror = shadow.map(|shadow| mirror(deployment, shadow, find, target, out));
        let spec = experimented(&parts, mirror.flatten());
        out.manifests
            .push(object("Experiment", &name, target, Map::new(), &spec));
    } else if pipeline && let Some(main) = parts.first() {
        steps.push(main.name.clone());
        out.manifests.push(object(
            "Pipeline",
            &name,
            target,
            Map::new(),
            &piped(&steps),
        ));
    }
}

fn object(
    kind: &str,
    name: &str,
    target: &Target,
    annotations: Map<String, Value>,
    spec: &Value,
) -> Value {
    json!({
        "apiVersion": "mlops.seldon.io/v1alpha1",
        "kind": kind,
        "metadata": metadata(name, target, annotations),
        "spec": spec,
    })
}

fn model(deployment: &Deployment, part: &Part, target: &Target) -> Value {
    let version = &part.served.record.spec;
    let mut spec = json!({"storageUri": part.served.uri});
    let mut requirements = Vec::new();
    if let Some((word, _)) = word_for(version) {
        requirements.push(word);
    }
    let runtime = version.runtime.as_ref().map(|one| one.name.as_str());
    if let Some(server @ ("mlserver" | "triton")) = runtime {
        requirements.push(server);
    }
    if !requirements.is_empty() {
        spec["requirements"] = json!(requirements);
    }
    let resources = deployment.spec.resources.as_ref();
    let requests = resources.and_then(|resources| resources.requests.as_ref());
    if let Some(memory) = requests.and_then(|requests| requests.memory.as_ref()) {
        spec["memory"] = memory.as_str().into();
    }
    if let Some(replicas) = &deployment.spec.replicas {
        match (replicas.min, replicas.max) {
            (Some(count), None) => spec["replicas"] = count.into(),
            (least, most) => {
                for (name, count) in [("minReplicas", least), ("maxReplicas", most)] {
                    if let Some(count) = count {
                        spec[name] = count.into();
                    }
                }
            }
        }
    }
    object(
        "Model",
        &part.name,
        target,
        annotations(&part.served, ""),
        &spec,
    )
}

/// The models that stand before the deployment's own, written; their names in order.
fn before(
    deployment: &Deployment,
    name: &str,
    find: Find<'_>,
    target: &Target,
    out: &mut Manifested,
) -> Vec<String> {
    let mut names = Vec::new();
    for coprocessor in &deployment.spec.before {
        let Coprocessor::Model(one) = coprocessor else {
            out.no_place(deployment, "before", "a step of a Pipeline is a Model");
            continue;
        };
        let Some(served) = find(&one.model, one.version.as_ref()) else {
            let field = format!("before: {}", one.model);
            out.no_place(deployment, &field, "there is no such version");
            continue;
        };
        let part = Part {
            name: format!("{name}-{}", label(one.model.name().as_str())),
            served,
            weight: 100,
        };
        let plain = Deployment {
            metadata: deployment.metadata.clone(),
            spec: DeploymentSpec::default(),
        };
        out.manifests.push(model(&plain, &part, target));
        names.push(part.name);
    }
    names
}

fn experimented(parts: &[Part], mirror: Option<(String, u8)>) -> Value {
    let candidates: Vec<_> = parts
        .iter()
        .map(|part| json!({"name": part.name, "weight": part.weight}))
        .collect();
    let mut spec = json!({"candidates": candidates});
    if let Some(first) = parts.first() {
        spec["default"] = first.name.as_str().into();
    }
    if let Some((name, percent)) = mirror {
        spec["mirror"] = json!({"name": name, "percent": percent});
    }
    spec
}

fn mirror(
    deployment: &Deployment,
    shadow: &Deployment,
    find: Find<'_>,
    target: &Target,
    out: &mut Manifested,
) -> Option<(String, u8)> {
    out.ours_alone(shadow);
    no_place(shadow, out);
    let mut parts = out.parts(shadow, find);
    if parts.len() > 1 {
        out.no_place(shadow, "split", "an Experiment has one mirror");
    }
    parts.truncate(1);
    let mut part = parts.pop()?;
    part.name = within(&part.name, deployment);
    let written = model(shadow, &part, target);
    out.manifests.push(written);
    Some((part.name, copied(shadow.spec.strategy.as_ref())))
}

fn piped(steps: &[String]) -> Value {
    let listed: Vec<_> = steps
        .iter()
        .enumerate()
        .map(|(index, name)| match index {
            0 => json!({ "name": name }),
            _ => json!({"name": name, "inputs": [format!("{}.outputs", steps[index - 1])]}),
        })
        .collect();
    json!({"steps": listed, "output": {"steps": steps.last().into_iter().collect::<Vec<_>>()}})
}

/// Tells of what Models share with others on their server, and so can't have.
fn no_place(deployment: &Deployment, out: &mut Manifested) {
    let spec = &deployment.spec;
    if has_container(spec) {
        let resources = spec.resources.as_ref();
        let memory_alone = resources.is_some_and(|resources| {
            let requests = resources.requests.as_ref();
            resources.limits.is_none()
                && requests.is_some_and(|one| one.cpu.is_none() && one.gpu.is_none())
        });
        if !memory_alone {
            let why = "a Model of Seldon 2 shares its server's, and asks for memory only";
            out.no_place(deployment, "resources", why);
        }
        let runtime = spec.runtime.as_ref();
        if runtime.is_some_and(|one| !one.env.is_empty() || !one.secrets.is_empty()) {
            out.no_place(
                deployment,
                "runtime",
                "a Model of Seldon 2 shares its server's variables",
            );
        }
    }
    if !spec.after.is_empty() {
        out.no_place(
            deployment,
            "after",
            "of a Pipeline the last step is the model",
        );
    }
    let scaled = spec
        .replicas
        .as_ref()
        .is_some_and(|one| one.metric.is_some());
    if scaled {
        out.no_place(
            deployment,
            "replicas.metric",
            "Seldon 2 scales by its servers' own measures",
        );
    }
}
