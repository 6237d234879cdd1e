//! Deployments as SeldonDeployments of v1: shares and shadows are predictors.

use serde_json::{Map, Value, json};

use super::pod::{annotations, container, label, metadata, own_secrets, server_image, whole};
use super::{Find, Manifested, Part, Target, copied, shadowed, within};
use crate::import::manifest::word_for;
use crate::import::seldon::SERVERS;
use crate::record::kind::{Coprocessor, Deployment, Replicas, ScaleMetric, StrategyType};

/// The SeldonDeployments for `deployments`; a shadow is part of the one that it shadows.
pub fn manifests(deployments: &[Deployment], find: Find<'_>, target: &Target) -> Manifested {
    let mut out = Manifested::default();
    for deployment in deployments {
        if shadowed(deployment, deployments).is_some() {
            continue;
        }
        out.ours_alone(deployment);
        let mut seldon = Seldon {
            find,
            open: true,
            predictors: Vec::new(),
        };
        let mut parts = out.parts(deployment, find);
        let alone = parts.len() == 1;
        for part in &mut parts {
            part.name = match alone {
                true => "default".to_owned(),
                false => within(&part.name, deployment),
            };
            let traffic = (!alone).then_some(u64::from(part.weight));
            seldon.predictor(deployment, part, traffic, &mut out);
        }
        let is_shadow = |one: &&Deployment| shadowed(one, deployments) == Some(deployment);
        for shadow in deployments.iter().filter(is_shadow) {
            out.ours_alone(shadow);
            for mut part in out.parts(shadow, find) {
                part.name = within(&part.name, deployment);
                let percent = copied(shadow.spec.strategy.as_ref());
                seldon.predictor(shadow, &part, Some(u64::from(percent)), &mut out);
                if let Some(predictor) = seldon.predictors.last_mut() {
                    predictor["shadow"] = true.into();
                }
            }
        }
        strategy(deployment, &mut out);
        if seldon.predictors.is_empty() {
            continue;
        }
        let mut spec = json!({});
        if seldon.open {
            spec["protocol"] = "v2".into();
        }
        spec["predictors"] = seldon.predictors.into();
        let name = label(deployment.metadata.name.as_str());
        out.manifests.push(json!({
            "apiVersion": "machinelearning.seldon.io/v1",
            "kind": "SeldonDeployment",
            "metadata": metadata(&name, target, Map::new()),
            "spec": spec,
        }));
    }
    out
}

/// A SeldonDeployment that is being written.
struct Seldon<'a> {
    find: Find<'a>,
    /// Whether all its servers speak the Open Inference Protocol.
    open: bool,
    predictors: Vec<Value>,
}

impl Seldon<'_> {
    fn predictor(
        &mut self,
        deployment: &Deployment,
        part: &Part,
        traffic: Option<u64>,
        out: &mut Manifested,
    ) {
        let spec = &deployment.spec;
        for variable in own_secrets(spec) {
            let field = format!("runtime.secrets of {variable}");
            out.no_place(deployment, &field, "it is a variable of the reconciler's");
        }
        let name = &part.name;
        let unit = unit_name(part.served.record.metadata.name.as_str());
        let mut own = container(spec);
        let mut containers = Vec::new();
        let mut graph = self.unit(deployment, part, &unit, &mut own, out);
        let mut said = annotations(&part.served, &format!("{unit}."));
        for (index, coprocessor) in spec.after.iter().enumerate() {
            let named = format!("after-{}", index + 1);
            let child = graph.take();
            let kind = "OUTPUT_TRANSFORMER";
            graph = self.around(
                deployment,
                (&named, kind),
                coprocessor,
                child,
                (&mut containers, &mut said),
                out,
            );
        }
        for (index, coprocessor) in spec.before.iter().enumerate().rev() {
            let named = format!("before-{}", index + 1);
            let child = graph.take();
            let kind = "TRANSFORMER";
            graph = self.around(
                deployment,
                (&named, kind),
                coprocessor,
                child,
                (&mut containers, &mut said),
                out,
            );
        }
        if !own.is_empty() {
            let mut fields = Map::new();
            fields.insert("name".to_owned(), unit.into());
            fields.extend(own);
            containers.insert(0, fields.into());
        }
        let mut predictor = json!({"name": name, "annotations": said, "graph": graph});
        let mut component = Map::new();
        if !containers.is_empty() {
            component.insert("spec".to_owned(), json!({ "containers": containers }));
        }
        if let Some(replicas) = &spec.replicas {
            scale(deployment, replicas, &mut predictor, &mut component, out);
        }
        if !component.is_empty() {
            predictor["componentSpecs"] = json!([component]);
        }
        if let Some(traffic) = traffic {
            predictor["traffic"] = traffic.into();
        }
        self.predictors.push(predictor);
    }

    /// The unit that is the model itself; its image goes into its own container.
    fn unit(
        &mut self,
        deployment: &Deployment,
        part: &Part,
        name: &str,
        own: &mut Map<String, Value>,
        out: &mut Manifested,
    ) -> Value {
        let version = &part.served.record.spec;
        let said = deployment
            .spec
            .runtime
            .as_ref()
            .and_then(|one| one.name.as_ref());
        let default = version.runtime.as_ref().map(|one| &one.name);
        let runtime = said.or(default).map(|name| name.as_str());
        self.open &= matches!(
            runtime,
            Some("mlserver" | "mlflow" | "triton" | "container")
        );
        if let (Some("container"), Some(image)) = (runtime, server_image(&part.served)) {
            own.insert("image".to_owned(), image.into());
            return json!({"name": name, "type": "MODEL"});
        }
        let word = word_for(version).map(|(word, _)| word);
        let word = match (runtime, word) {
            (Some("triton"), _) => Some("triton"),
            (_, word) => word,
        };
        let server = SERVERS.iter().find(|(_, served)| Some(*served) == word);
        let mut unit = json!({"name": name});
        match server {
            Some((server, _)) => unit["implementation"] = (*server).into(),
            None => {
                let format = &version.format.name;
                let why = format!("Seldon brings no server for {format}");
                out.no_place(deployment, "runtime", why);
            }
        }
        unit["modelUri"] = part.served.uri.as_str().into();
        unit
    }

    /// A coprocessor with what it stands around.
    fn around(
        &self,
        deployment: &Deployment,
        (name, kind): (&str, &str),
        coprocessor: &Coprocessor,
        child: Value,
        (containers, said): (&mut Vec<Value>, &mut Map<String, Value>),
        out: &mut Manifested,
    ) -> Value {
        match coprocessor {
            Coprocessor::Container(one) => {
                containers.push(json!({"name": name, "image": one.container.image}));
                json!({"name": name, "type": kind, "children": [child]})
            }
            Coprocessor::Model(one) => {
                let Some(served) = (self.find)(&one.model, one.version.as_ref()) else {
                    let field = format!("{name}: {}", one.model);
                    out.no_place(deployment, &field, "there is no such version");
                    return child;
                };
                let own = unit_name(one.model.name().as_str());
                // Units of one graph have names of their own.
                let is_taken = said.contains_key(&format!("modelyard.dev/{own}.model"));
                let name = if is_taken { name.to_owned() } else { own };
                said.extend(annotations(&served, &format!("{name}.")));
                let mut unit = json!({ "name": name });
                let word = word_for(&served.record.spec).map(|(word, _)| word);
                if let Some((server, _)) = SERVERS.iter().find(|(_, one)| Some(*one) == word) {
                    unit["implementation"] = (*server).into();
                }
                unit["modelUri"] = served.uri.into();
                // A model before another one gives it what it predicts.
                unit["type"] = if kind == "TRANSFORMER" { "MODEL" } else { kind }.into();
                unit["children"] = json!([child]);
                unit
            }
        }
    }
}

/// The longest name of a unit: with `modelyard.dev/` before and `.version` behind it there is room
/// in an annotation's name.
const MAX_UNIT_LENGTH: usize = 50;

/// What a unit is called.
fn unit_name(name: &str) -> String {
    let mut name = label(name);
    name.truncate(MAX_UNIT_LENGTH);
    name.trim_end_matches('-').to_owned()
}

fn scale(
    deployment: &Deployment,
    replicas: &Replicas,
    predictor: &mut Value,
    component: &mut Map<String, Value>,
    out: &mut Manifested,
) {
    let Some(most) = replicas.max else {
        if let Some(count) = replicas.min {
            predictor["replicas"] = count.into();
        }
        return;
    };
    let mut scaling = json!({"maxReplicas": most});
    if let Some(least) = replicas.min {
        scaling["minReplicas"] = least.into();
    }
    let target = replicas.target.and_then(|target| whole(target.get()));
    match (replicas.metric, target) {
        (Some(metric @ (ScaleMetric::Cpu | ScaleMetric::Memory)), Some(target)) => {
            let target = json!({"type": "Utilization", "averageUtilization": target});
            let metric =
                json!({"type": "Resource", "resource": {"name": metric, "target": target}});
            scaling["metricsv2"] = json!([metric]);
        }
        (Some(metric), _) => {
            let why = "Seldon scales by whole percents of processor or memory";
            out.no_place(deployment, &format!("replicas.metric {metric}"), why);
        }
        (None, _) => {}
    }
    component.insert("hpaSpec".to_owned(), scaling);
}

fn strategy(deployment: &Deployment, out: &mut Manifested) {
    if let Some(strategy) = &deployment.spec.strategy
        && strategy.strategy_type != StrategyType::Rolling
    {
        out.no_place(
            deployment,
            "strategy",
            "Seldon v1 only splits and mirrors between predictors",
        );
    }
    if !deployment.spec.depends_on.is_empty() {
        out.no_place(deployment, "dependsOn", "Seldon starts everything at once");
    }
}
