//! What a version takes and gives, held against another: what changes, and what of it breaks whoever
//! calls it.
//!
//! A change breaks if a request that was right is wrong now or means something else, or if an answer
//! may be what could not be before. An input that is new breaks (nobody sends it), an output that is
//! new doesn't; a shape may grow for inputs and shrink for outputs.

use serde::{Deserialize, Serialize};

use super::fate::Fate;
use crate::record::kind::{ModelVersionSpec, Parameter, Shape, Tensor};

/// A part of what callers rely on, that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractChange {
    /// What it is.
    pub part: ContractPart,
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub is: Fate,
    /// Whether callers break.
    pub breaking: bool,
    /// What exactly changes.
    pub what: String,
}

/// What callers rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ContractPart {
    /// A tensor of a request.
    Input,
    /// A tensor of an answer.
    Output,
    /// Something that a request may set.
    Parameter,
}

impl ContractPart {
    /// The word for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::Parameter => "parameter",
        }
    }
}

/// What changes for callers who go from `old` to `new`. Where one of them doesn't say what it takes,
/// or gives, nothing is known of that.
pub(super) fn changes(old: &ModelVersionSpec, new: &ModelVersionSpec) -> Vec<ContractChange> {
    let mut changes = Vec::new();
    for (part, old, new) in [
        (ContractPart::Input, &old.inputs, &new.inputs),
        (ContractPart::Output, &old.outputs, &new.outputs),
    ] {
        if old.is_empty() || new.is_empty() {
            continue;
        }
        let one = |name: &str| {
            let find = |all: &'_ [Tensor]| all.iter().find(|one| one.name == name).cloned();
            tensor(part, find(old), find(new))
        };
        changes.extend(names(old, new, |tensor| &tensor.name).filter_map(one));
    }
    let (old, new) = (&old.parameters, &new.parameters);
    let one = |name: &str| {
        let find = |all: &'_ [Parameter]| all.iter().find(|one| one.name == name).cloned();
        parameter(find(old), find(new))
    };
    changes.extend(names(old, new, |parameter| &parameter.name).filter_map(one));
    changes
}

/// The names of both, those of the old ones first.
fn names<'a, T>(
    old: &'a [T],
    new: &'a [T],
    name: impl Fn(&'a T) -> &'a String + Copy,
) -> impl Iterator<Item = &'a str> {
    let is_new = move |one: &&'a String| !old.iter().any(|known| name(known) == *one);
    let old_names = old.iter().map(name);
    old_names
        .chain(new.iter().map(name).filter(is_new))
        .map(String::as_str)
}

fn tensor(part: ContractPart, old: Option<Tensor>, new: Option<Tensor>) -> Option<ContractChange> {
    let shown = |tensor: &Tensor| format!("{} {}", tensor.datatype, tensor.shape);
    let is_input = part == ContractPart::Input;
    let (name, is, breaking, what) = match (old, new) {
        (None, None) => return None,
        (None, Some(new)) => (new.name.clone(), Fate::Added, is_input, shown(&new)),
        (Some(old), None) => (old.name.clone(), Fate::Removed, true, shown(&old)),
        (Some(old), Some(new)) => {
            let mut what = Vec::new();
            let mut breaking = false;
            if old.datatype != new.datatype {
                breaking = true;
                what.push(format!("{} -> {}", old.datatype, new.datatype));
            }
            if old.shape != new.shape {
                breaking |= match is_input {
                    true => !covers(&new.shape, &old.shape),
                    false => !covers(&old.shape, &new.shape),
                };
                what.push(format!("{} -> {}", old.shape, new.shape));
            }
            if old.image != new.image {
                breaking = true;
                what.push("images become tensors in another way".to_owned());
            }
            if old.labels != new.labels {
                let grows = new.labels.starts_with(&old.labels);
                breaking |= !grows;
                what.push(
                    match (
                        grows,
                        new.labels.len() - old.labels.len().min(new.labels.len()),
                    ) {
                        (true, more) => format!("{more} more labels"),
                        (false, _) => "labels mean something else".to_owned(),
                    },
                );
            }
            if what.is_empty() {
                return None;
            }
            (new.name, Fate::Changed, breaking, what.join("; "))
        }
    };
    Some(ContractChange {
        part,
        name,
        is,
        breaking,
        what,
    })
}

/// Whether every tensor of the shape `narrow` has the shape `wide`.
fn covers(wide: &Shape, narrow: &Shape) -> bool {
    let (wide, narrow) = (wide.sizes(), narrow.sizes());
    let mut sizes = wide.iter().zip(narrow);
    wide.len() == narrow.len() && sizes.all(|(wide, narrow)| *wide == -1 || wide == narrow)
}

fn parameter(old: Option<Parameter>, new: Option<Parameter>) -> Option<ContractChange> {
    let required = |parameter: &Parameter| parameter.required == Some(true);
    let shown = |parameter: &Parameter| match required(parameter) {
        true => format!("{}, required", parameter.datatype),
        false => parameter.datatype.to_string(),
    };
    let (name, is, breaking, what) = match (old, new) {
        (None, None) => return None,
        (None, Some(new)) => (new.name.clone(), Fate::Added, required(&new), shown(&new)),
        (Some(old), None) => (old.name.clone(), Fate::Removed, true, shown(&old)),
        (Some(old), Some(new)) => {
            let mut what = Vec::new();
            let mut breaking = false;
            if old.datatype != new.datatype {
                breaking = true;
                what.push(format!("{} -> {}", old.datatype, new.datatype));
            }
            if required(&old) != required(&new) {
                breaking |= required(&new);
                what.push(match required(&new) {
                    true => "every request has to set it".to_owned(),
                    false => "requests need not set it any more".to_owned(),
                });
            }
            if old.default != new.default {
                let shown = |value: Option<serde_json::Value>| {
                    value.map_or("none".to_owned(), |value| value.to_string())
                };
                what.push(format!(
                    "default {} -> {}",
                    shown(old.default),
                    shown(new.default)
                ));
            }
            if what.is_empty() {
                return None;
            }
            (new.name, Fate::Changed, breaking, what.join("; "))
        }
    };
    Some(ContractChange {
        part: ContractPart::Parameter,
        name,
        is,
        breaking,
        what,
    })
}

#[cfg(test)]
mod tests {
    //! What breaks callers, and what doesn't.

    use serde_json::{Value, json};

    use super::*;

    fn spec(more: &Value) -> ModelVersionSpec {
        let mut spec = json!({
            "artifact": {
                "repository": "oci-layout:./store",
                "digest": format!("sha256:{}", "0".repeat(64)),
            },
            "format": {"name": "onnx"},
        });
        let fields = spec.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        serde_json::from_value(spec).unwrap()
    }

    fn told(old: &Value, new: &Value) -> Vec<String> {
        let line = |one: ContractChange| {
            let breaks = if one.breaking { "breaks: " } else { "" };
            format!("{breaks}{} {}: {}", one.part.as_str(), one.name, one.what)
        };
        changes(&spec(old), &spec(new))
            .into_iter()
            .map(line)
            .collect()
    }

    fn tensor(name: &str, datatype: &str, shape: &[i64]) -> Value {
        json!({"name": name, "datatype": datatype, "shape": shape})
    }

    #[test]
    fn inputs_may_take_more_and_outputs_may_give_less() {
        let of = |input: &[i64], output: &[i64]| {
            json!({
                "inputs": [tensor("x", "FP32", input)], "outputs": [tensor("y", "FP32", output)],
            })
        };
        assert_eq!(
            told(&of(&[1, 3], &[-1]), &of(&[-1, 3], &[1])),
            ["input x: [1, 3] -> [-1, 3]", "output y: [-1] -> [1]"]
        );
        assert_eq!(
            told(&of(&[-1, 3], &[1]), &of(&[1, 3], &[-1])),
            [
                "breaks: input x: [-1, 3] -> [1, 3]",
                "breaks: output y: [1] -> [-1]"
            ]
        );
        assert!(told(&of(&[1], &[1]), &of(&[1], &[1])).is_empty());
    }

    #[test]
    fn what_comes_goes_or_is_something_else() {
        let x = tensor("x", "FP32", &[1]);
        let y = tensor("y", "FP32", &[1]);
        let z = tensor("z", "INT64", &[1]);
        assert_eq!(
            told(
                &json!({"inputs": [x, y], "outputs": [y]}),
                &json!({"inputs": [z, tensor("x", "FP64", &[1])], "outputs": [y, z]}),
            ),
            [
                "breaks: input x: FP32 -> FP64",
                "breaks: input y: FP32 [1]",
                "breaks: input z: INT64 [1]",
                "output z: INT64 [1]",
            ]
        );
        // Who doesn't say what it takes breaks nobody that we know of.
        assert!(told(&json!({"inputs": [x]}), &json!({})).is_empty());
    }

    #[test]
    fn labels_images_and_parameters_mean_something() {
        let labels = |labels: &[&str]| {
            json!({"outputs": [
                {"name": "y", "datatype": "INT64", "shape": [-1], "labels": labels}
            ]})
        };
        assert_eq!(
            told(&labels(&["ok"]), &labels(&["ok", "scratch"])),
            ["output y: 1 more labels"]
        );
        assert_eq!(
            told(&labels(&["ok", "scratch"]), &labels(&["scratch", "ok"])),
            ["breaks: output y: labels mean something else"]
        );
        let image = |color: &str| {
            json!({"inputs": [
                {"name": "x", "datatype": "FP32", "shape": [1, 3, 8, 8], "image": {"color": color}}
            ]})
        };
        assert_eq!(
            told(&image("RGB"), &image("BGR")),
            ["breaks: input x: images become tensors in another way"]
        );
        let parameters = |all: &Value| json!({"parameters": all});
        assert_eq!(
            told(
                &parameters(&json!([{"name": "a", "datatype": "FP32", "default": 0.5}])),
                &parameters(&json!([
                    {"name": "a", "datatype": "FP32", "default": 0.7},
                    {"name": "b", "datatype": "BOOL", "required": true},
                ])),
            ),
            [
                "parameter a: default 0.5 -> 0.7",
                "breaks: parameter b: BOOL, required"
            ]
        );
    }
}
