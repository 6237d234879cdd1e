//! What pods and containers say that a deployment can say: resources, variables, replicas.

use serde_json::{Map, Value, json};

use super::fields::{Fields, is_secret, json_text};
use crate::record::Name;
use crate::record::kind::{ImageReference, Quantity, SecretKey, VariableName};

/// The longest value of a variable in a record.
const MAX_VALUE_LENGTH: usize = 32_768;

/// The most replicas of a deployment.
const MAX_REPLICAS: u64 = 10_000;

/// The resource that graphics processors are asked for by.
const GPU: &str = "nvidia.com/gpu";

/// The `spec` of a deployment as it is told piece by piece.
#[derive(Debug, Default)]
pub(in crate::import) struct Pod {
    /// Fields of the `spec`.
    pub spec: Map<String, Value>,
    /// What a person should know of it.
    pub remarks: Vec<String>,
}

impl Pod {
    /// Takes resources and variables from a container; what has no place stays in it.
    pub(in crate::import) fn container(&mut self, container: &mut Fields) {
        if let Some(resources) = container.fields("resources") {
            self.resources(container, resources);
        }
        let env = container.list("env");
        let left: Vec<_> = env
            .into_iter()
            .filter_map(|one| self.variable(one))
            .collect();
        if !left.is_empty() {
            container.put("env", left.into());
        }
    }

    fn resources(&mut self, container: &mut Fields, mut resources: Fields) {
        for name in ["requests", "limits"] {
            let Some(mut amounts) = resources.fields(name) else {
                continue;
            };
            let mut taken = Map::new();
            for amount in ["cpu", "memory"] {
                if let Some(text) = amounts.take_if(amount, quantity) {
                    taken.insert(amount.to_owned(), text.into());
                }
            }
            if let Some(count) = amounts.take_if(GPU, whole) {
                taken.insert("gpu".to_owned(), count.into());
            }
            resources.put_rest(name, amounts);
            if !taken.is_empty() {
                let told = object(&mut self.spec, "resources");
                object(told, name).extend(taken);
            }
        }
        container.put_rest("resources", resources);
    }

    /// Takes one entry of a container's `env`; gives it back if it has no place.
    fn variable(&mut self, entry: Value) -> Option<Value> {
        let name = entry["name"].as_str().unwrap_or_default().to_owned();
        if name.parse::<VariableName>().is_err() {
            return Some(entry);
        }
        if let Some(secret) = entry["valueFrom"].get("secretKeyRef") {
            let Some(reference) = reference(secret) else {
                return Some(entry);
            };
            self.forget(&name);
            let secret = json!({"env": name, "from": reference});
            let secrets = self.runtime().entry("secrets").or_insert_with(|| json!([]));
            if let Value::Array(list) = secrets {
                list.push(secret);
            }
            return None;
        }
        if entry.get("valueFrom").is_some() {
            return Some(entry);
        }
        let value = match entry.get("value") {
            None | Some(Value::Null) => String::new(),
            Some(value) => match json_text(value) {
                Some(text) if text.len() <= MAX_VALUE_LENGTH => text,
                _ => return Some(entry),
            },
        };
        if is_secret(&name, &value) {
            self.remarks.push(format!(
                "the variable {name} looks like a secret that is written out, and was left out: \
                 put it into a secret and refer to it"
            ));
            return None;
        }
        self.forget(&name);
        object(self.runtime(), "env").insert(name, value.into());
        None
    }

    /// A variable that is set again is what was said last.
    fn forget(&mut self, name: &str) {
        let Some(runtime) = self.spec.get_mut("runtime") else {
            return;
        };
        if let Some(env) = runtime.get_mut("env").and_then(Value::as_object_mut) {
            env.shift_remove(name);
        }
        if let Some(secrets) = runtime.get_mut("secrets").and_then(Value::as_array_mut) {
            secrets.retain(|secret| secret["env"] != name);
        }
    }

    /// `runtime` of the deployment.
    pub(in crate::import) fn runtime(&mut self) -> &mut Map<String, Value> {
        object(&mut self.spec, "runtime")
    }

    /// Sets how many replicas there are.
    pub(in crate::import) fn replicas(&mut self, field: &str, count: u64) -> bool {
        let fits = count <= MAX_REPLICAS && (field == "min" || count > 0);
        if fits {
            object(&mut self.spec, "replicas").insert(field.to_owned(), count.into());
        }
        fits
    }

    /// Sets by what the number of replicas is told.
    pub(in crate::import) fn scaled_by(&mut self, metric: &str, target: &Value) {
        let replicas = object(&mut self.spec, "replicas");
        replicas.insert("metric".to_owned(), metric.into());
        replicas.insert("target".to_owned(), target.clone());
    }
}

fn object<'a>(map: &'a mut Map<String, Value>, name: &str) -> &'a mut Map<String, Value> {
    let value = map.entry(name).or_insert_with(|| json!({}));
    if !value.is_object() {
        *value = json!({});
    }
    value.as_object_mut().expect("it was made an object")
}

/// An amount, as a record has it.
pub(in crate::import) fn quantity(value: &Value) -> Option<String> {
    let text = json_text(value)?;
    text.parse::<Quantity>().ok().map(|_| text)
}

fn whole(value: &Value) -> Option<u64> {
    let count = json_text(value)?.parse().ok()?;
    (count <= 1000).then_some(count)
}

/// A reference to an entry of a secret, if a record can hold all of it.
fn reference(secret: &Value) -> Option<Value> {
    let name = secret["name"].as_str()?;
    let key = secret["key"].as_str()?;
    let all = secret.as_object()?.len() == 2;
    let valid = name.parse::<Name>().is_ok() && key.parse::<SecretKey>().is_ok();
    (all && valid).then(|| json!({"secret": name, "key": key}))
}

/// `image`, if it says by its digest which bytes it is.
pub(in crate::import) fn pinned(image: &str) -> Option<ImageReference> {
    image.parse().ok()
}

/// Weights as percents of their sum, whole numbers that sum to 100; `None` if they sum to nothing.
pub(in crate::import) fn percents(weights: &[u64]) -> Option<Vec<u64>> {
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    if sum == 0 {
        return None;
    }
    let hundredfold = |weight: &u64| u128::from(*weight) * 100;
    let share = |weight: &u64| u64::try_from(hundredfold(weight) / sum).unwrap_or(100);
    let mut percents: Vec<u64> = weights.iter().map(share).collect();
    let mut rests: Vec<usize> = (0..weights.len()).collect();
    // Those that lost most by rounding down get what is missing.
    rests.sort_by_key(|&index| std::cmp::Reverse(hundredfold(&weights[index]) % sum));
    let missing = 100 - percents.iter().sum::<u64>();
    for &index in rests.iter().take(usize::try_from(missing).unwrap_or(0)) {
        percents[index] += 1;
    }
    Some(percents)
}

#[cfg(test)]
mod tests {
    //! What a container becomes.

    use super::*;

    #[test]
    fn weights_become_percents() {
        for (weights, expected) in [
            (&[50, 50][..], Some(vec![50, 50])),
            (&[1, 1, 1], Some(vec![34, 33, 33])),
            (&[3, 1], Some(vec![75, 25])),
            (&[u64::MAX, u64::MAX], Some(vec![50, 50])),
            (&[0, 0], None),
            (&[], None),
        ] {
            assert_eq!(percents(weights), expected, "{weights:?}");
        }
    }

    #[test]
    fn a_container_tells_resources_and_variables_and_keeps_the_rest() {
        let mut pod = Pod::default();
        let mut container = Fields::of(json!({
            "name": "kserve-container",
            "env": [
                {"name": "THREADS", "value": "2"},
                {"name": "DB_PASSWORD", "value": "hunter2"},
                {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "defects", "key": "token"}}},
                {"name": "MAYBE", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b", "optional": true}}},
                {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
                {"name": "not a name", "value": "x"},
            ],
            "resources": {
                "requests": {"cpu": 1, "memory": "2Gi", "ephemeral-storage": "1Gi"},
                "limits": {"nvidia.com/gpu": "1", "memory": "1e9"},
            },
        }))
        .unwrap();
        pod.container(&mut container);
        assert_eq!(
            Value::Object(pod.spec),
            json!({
                "resources": {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"gpu": 1}},
                "runtime": {
                    "env": {"THREADS": "2"},
                    "secrets": [{"env": "TOKEN", "from": {"secret": "defects", "key": "token"}}],
                },
            })
        );
        assert_eq!(pod.remarks.len(), 1);
        assert!(pod.remarks[0].contains("DB_PASSWORD"));
        assert!(!pod.remarks[0].contains("hunter2"));
        let mut left = Map::new();
        container.left("", &mut left);
        assert_eq!(
            Value::Object(left),
            json!({
                "name": "kserve-container",
                "resources": {
                    "requests": {"ephemeral-storage": "1Gi"},
                    "limits": {"memory": "1e9"},
                },
                "env": [
                    {"name": "MAYBE", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b", "optional": true}}},
                    {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
                    {"name": "not a name", "value": "x"},
                ],
            })
        );
    }
}
