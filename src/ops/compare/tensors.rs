//! What versions take and give, name by name.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::record::kind::{ModelVersion, Tensor};

/// An input or output by its name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TensorLine {
    /// Its name.
    pub name: String,
    /// Whether all versions have it alike.
    pub same: bool,
    /// The fields that differ between versions that have it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differing: Vec<String>,
    /// What it is in each version.
    pub tensors: Vec<Option<Tensor>>,
}

/// One line a name, in the order in which the versions first have them.
pub(super) fn lines(
    records: &[&ModelVersion],
    of: impl Fn(&ModelVersion) -> &Vec<Tensor>,
) -> Vec<TensorLine> {
    let mut names: Vec<&str> = Vec::new();
    for tensor in records.iter().flat_map(|record| of(record)) {
        if !names.contains(&&*tensor.name) {
            names.push(&tensor.name);
        }
    }
    let line = |name: &str| {
        let find = |record: &&ModelVersion| {
            let tensor = of(record).iter().find(|tensor| tensor.name == name);
            tensor.cloned()
        };
        let tensors: Vec<Option<Tensor>> = records.iter().map(find).collect();
        TensorLine {
            name: name.to_owned(),
            same: tensors.windows(2).all(|two| two[0] == two[1]),
            differing: differing(&tensors),
            tensors,
        }
    };
    names.into_iter().map(line).collect()
}

fn differing(tensors: &[Option<Tensor>]) -> Vec<String> {
    let objects: Vec<Map<String, Value>> = tensors
        .iter()
        .flatten()
        .filter_map(|tensor| match serde_json::to_value(tensor) {
            Ok(Value::Object(fields)) => Some(fields),
            _ => None,
        })
        .collect();
    let mut differing: Vec<String> = Vec::new();
    for (name, _) in objects.iter().flatten() {
        let mut values = objects.iter().map(|fields| fields.get(name));
        let first = values.next();
        let is_known = differing.contains(name);
        if !is_known && values.any(|value| Some(value) != first) {
            differing.push(name.clone());
        }
    }
    differing
}
