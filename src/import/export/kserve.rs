//! Deployments as KServe's InferenceServices and, where traffic is split, an InferenceGraph.

use serde_json::{Map, Value, json};

use super::pod::{annotations, container, label, metadata, own_secrets, server_image, whole};
use super::{Find, Manifested, Part, Target, images};
use crate::import::kserve::runtime_there;
use crate::import::manifest::word_for;
use crate::record::kind::{Deployment, Strategy, StrategyType};

/// The InferenceServices for `deployments`.
pub fn manifests(deployments: &[Deployment], find: Find<'_>, target: &Target) -> Manifested {
    let mut out = Manifested::default();
    for deployment in deployments {
        out.ours_alone(deployment);
        let parts = out.parts(deployment, find);
        for part in &parts {
            let service = service(deployment, part, target, &mut out);
            out.manifests.push(service);
        }
        if parts.len() > 1 {
            out.manifests.push(graph(deployment, &parts, target));
        }
        if !deployment.spec.depends_on.is_empty() {
            out.no_place(deployment, "dependsOn", "KServe starts everything at once");
        }
    }
    out
}

fn service(deployment: &Deployment, part: &Part, target: &Target, out: &mut Manifested) -> Value {
    let spec = &deployment.spec;
    let mut predictor = model(deployment, part, out);
    if let Some(replicas) = &spec.replicas {
        for (name, count) in [("minReplicas", replicas.min), ("maxReplicas", replicas.max)] {
            if let Some(count) = count {
                predictor.insert(name.to_owned(), count.into());
            }
        }
        if let (Some(metric), Some(amount)) = (replicas.metric, replicas.target) {
            match whole(amount.get()) {
                Some(amount) => {
                    predictor.insert("scaleMetric".to_owned(), json!(metric));
                    predictor.insert("scaleTarget".to_owned(), amount.into());
                }
                None => out.no_place(deployment, "replicas.target", "KServe takes whole numbers"),
            }
        }
    }
    if let Some(strategy) = &spec.strategy {
        take_over(deployment, strategy, &mut predictor, out);
    }
    let mut body = json!({ "predictor": predictor });
    match (images(&spec.before), images(&spec.after)) {
        (Some(before), Some(after)) if before.is_empty() && after.is_empty() => {}
        (Some(before), Some(after)) if before.len() == 1 && before == after => {
            let transformer = json!({"name": "kserve-container", "image": before[0]});
            body["transformer"] = json!({ "containers": [transformer] });
        }
        _ => out.no_place(
            deployment,
            "before, after",
            "KServe has one transformer, which is the same image before and after",
        ),
    }
    json!({
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": metadata(&part.name, target, annotations(&part.served, "")),
        "spec": body,
    })
}

/// The predictor with its model.
fn model(deployment: &Deployment, part: &Part, out: &mut Manifested) -> Map<String, Value> {
    for variable in own_secrets(&deployment.spec) {
        let field = format!("runtime.secrets of {variable}");
        out.no_place(deployment, &field, "it is a variable of the reconciler's");
    }
    let version = &part.served.record.spec;
    let said = deployment.spec.runtime.as_ref();
    let default = version.runtime.as_ref();
    let name = said.and_then(|one| one.name.as_ref());
    let name = name
        .or_else(|| default.map(|one| &one.name))
        .map(|name| name.as_str());
    let mut fields = Map::new();
    if let (Some("container"), Some(image)) = (name, server_image(&part.served)) {
        fields.insert("name".to_owned(), "kserve-container".into());
        fields.insert("image".to_owned(), image.into());
        fields.extend(container(&deployment.spec));
        return [("containers".to_owned(), json!([fields]))]
            .into_iter()
            .collect();
    }
    let format = match word_for(version) {
        Some((word, Some(version))) => json!({"name": word, "version": version}),
        Some((word, None)) => json!({ "name": word }),
        None if name == Some("triton") => json!({"name": "triton"}),
        None => json!({ "name": version.format.name }),
    };
    fields.insert("modelFormat".to_owned(), format);
    match name {
        // KServe finds them by the format.
        None | Some("mlflow" | "onnx") => {}
        Some("python" | "command" | "container") => {
            let field = format!("runtime {}", name.unwrap_or_default());
            out.no_place(deployment, &field, "KServe runs a server's image");
        }
        Some(name) => {
            fields.insert("runtime".to_owned(), runtime_there(name).into());
        }
    }
    if let Some(version) = said.and_then(|one| one.version.as_ref()) {
        fields.insert("runtimeVersion".to_owned(), version.as_str().into());
    }
    fields.insert("protocolVersion".to_owned(), "v2".into());
    fields.insert("storageUri".to_owned(), part.served.uri.as_str().into());
    fields.extend(container(&deployment.spec));
    [("model".to_owned(), fields.into())].into_iter().collect()
}

/// How a new version takes over.
fn take_over(
    deployment: &Deployment,
    strategy: &Strategy,
    predictor: &mut Map<String, Value>,
    out: &mut Manifested,
) {
    match strategy.strategy_type {
        StrategyType::Canary => {
            let first = strategy.steps.first();
            if let Some(weight) = first.and_then(|step| step.weight) {
                predictor.insert("canaryTrafficPercent".to_owned(), weight.into());
            }
            let timed = strategy
                .steps
                .iter()
                .any(|step| step.duration.is_some() || !step.analysis.is_empty());
            if strategy.steps.len() > 1 || timed {
                let why = "KServe stays at the first step until a person changes it";
                out.no_place(deployment, "strategy.steps", why);
            }
        }
        StrategyType::Recreate => {
            predictor.insert("deploymentStrategy".to_owned(), json!({"type": "Recreate"}));
        }
        StrategyType::Rolling => {
            predictor.insert(
                "deploymentStrategy".to_owned(),
                json!({"type": "RollingUpdate"}),
            );
        }
        StrategyType::BlueGreen | StrategyType::Shadow => {
            out.no_place(deployment, "strategy", "KServe has only canaries");
        }
    }
}

/// What splits the traffic between InferenceServices.
fn graph(deployment: &Deployment, parts: &[Part], target: &Target) -> Value {
    let steps: Vec<_> = parts
        .iter()
        .map(|part| json!({"serviceName": part.name, "weight": part.weight}))
        .collect();
    let name = label(deployment.metadata.name.as_str());
    json!({
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "InferenceGraph",
        "metadata": metadata(&name, target, Map::new()),
        "spec": {"nodes": {"root": {"routerType": "Splitter", "steps": steps}}},
    })
}
