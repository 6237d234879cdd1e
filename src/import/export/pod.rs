//! What is the same in manifests of all kinds: names, annotations, containers.

use serde_json::{Map, Value, json};

use super::{Served, Target};
use crate::record::kind::{DeploymentSpec, ImagePurpose, ResourceAmounts, SecretReference};

/// The longest name of an object whose name becomes a host's.
const MAX_NAME_LENGTH: usize = 63;

/// `name` as Kubernetes takes it for a Service: lower-case letters, digits and hyphens.
pub(super) fn label(name: &str) -> String {
    let fit = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let mut label: String = name.chars().map(fit).collect();
    if label.starts_with(|c: char| c.is_ascii_digit()) {
        label.insert_str(0, "m-");
    }
    label.truncate(MAX_NAME_LENGTH);
    label.trim_end_matches('-').to_owned()
}

/// `metadata` of an object, with annotations that say which version `served` is.
pub(super) fn metadata(name: &str, target: &Target, annotations: Map<String, Value>) -> Value {
    let mut metadata = json!({ "name": name });
    if let Some(namespace) = &target.namespace {
        metadata["namespace"] = namespace.as_str().into();
    }
    if !annotations.is_empty() {
        metadata["annotations"] = annotations.into();
    }
    metadata
}

/// The annotations that say which version `served` is; `prefix` stands before their names.
pub(super) fn annotations(served: &Served, prefix: &str) -> Map<String, Value> {
    let record = &served.record;
    let mut annotations = Map::new();
    annotations.insert(
        format!("modelyard.dev/{prefix}model"),
        record.model_name().to_string().into(),
    );
    annotations.insert(
        format!("modelyard.dev/{prefix}version"),
        record.metadata.version.to_string().into(),
    );
    annotations
}

/// The fields of a container that a deployment says: `resources` and `env`.
pub(super) fn container(spec: &DeploymentSpec) -> Map<String, Value> {
    let mut container = Map::new();
    if let Some(resources) = &spec.resources {
        let mut told = Map::new();
        for (name, amounts) in [
            ("requests", &resources.requests),
            ("limits", &resources.limits),
        ] {
            if let Some(amounts) = amounts {
                told.insert(name.to_owned(), self::amounts(amounts));
            }
        }
        container.insert("resources".to_owned(), told.into());
    }
    let env = env(spec);
    if !env.is_empty() {
        container.insert("env".to_owned(), env.into());
    }
    container
}

fn amounts(amounts: &ResourceAmounts) -> Value {
    let mut told = Map::new();
    let named = [("cpu", &amounts.cpu), ("memory", &amounts.memory)];
    for (name, amount) in named {
        if let Some(amount) = amount {
            told.insert(name.to_owned(), amount.as_str().into());
        }
    }
    if let Some(count) = amounts.gpu {
        told.insert("nvidia.com/gpu".to_owned(), count.to_string().into());
    }
    told.into()
}

fn env(spec: &DeploymentSpec) -> Vec<Value> {
    let Some(runtime) = &spec.runtime else {
        return Vec::new();
    };
    let plain = runtime
        .env
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}));
    let secret = runtime
        .secrets
        .iter()
        .filter_map(|secret| match &secret.from {
            SecretReference::Stored(stored) => Some(json!({
                "name": secret.env,
                "valueFrom": {"secretKeyRef": {"name": stored.secret, "key": stored.key}},
            })),
            // It is the reconciler's own, and nothing of the cluster's.
            SecretReference::Variable(_) => None,
        });
    plain.chain(secret).collect()
}

/// Variables that are filled from the reconciler's own, which no manifest can say.
pub(super) fn own_secrets(spec: &DeploymentSpec) -> impl Iterator<Item = String> {
    let secrets = spec.runtime.iter().flat_map(|runtime| &runtime.secrets);
    let own = secrets.filter(|secret| matches!(secret.from, SecretReference::Variable(_)));
    own.map(|secret| secret.env.to_string())
}

/// The image that is the server of `served` itself, where it has one.
pub(super) fn server_image(served: &Served) -> Option<String> {
    let images = &served.record.spec.images;
    let image = images
        .iter()
        .find(|image| image.purpose == ImagePurpose::Server)?;
    Some(image.repository.at(image.digest).to_string())
}

/// A whole target of autoscaling: the number, if it is one.
pub(super) fn whole(number: f64) -> Option<u64> {
    let fits = number.fract() == 0.0 && (1.0..=1e9).contains(&number);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole, positive and small"
    )]
    fits.then_some(number as u64)
}
