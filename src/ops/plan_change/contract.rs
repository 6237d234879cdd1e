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
        if !old.is_empty() && !new.is_empty() {
            changes.extend(of_part(part, old, new));
        }
    }
    let (old, new) = (&old.parameters, &new.parameters);
    changes.extend(of_part(ContractPart::Parameter, old, new));
    changes
}

/// What callers rely on: a tensor, or a parameter.
trait Promise {
    fn name(&self) -> &str;

    /// All of it, in words.
    fn shown(&self) -> String;

    /// Whether callers break where it is new, as this part.
    fn is_demand(&self, part: ContractPart) -> bool;

    /// What makes `new` another one.
    fn differences(&self, new: &Self, part: ContractPart) -> Differences;
}

/// What differs of two.
#[derive(Default)]
struct Differences {
    breaking: bool,
    what: Vec<String>,
}

impl Differences {
    fn tell(&mut self, breaking: bool, what: String) {
        self.breaking |= breaking;
        self.what.push(what);
    }
}

/// What changes of a part: first what was there before.
fn of_part<T: Promise>(
    part: ContractPart,
    old: &[T],
    new: &[T],
) -> impl Iterator<Item = ContractChange> {
    let find = |all: &[T], name: &str| all.iter().position(|one| one.name() == name);
    let was = old.iter().filter_map(move |was| {
        let Some(at) = find(new, was.name()) else {
            return Some(change(part, was, Fate::Removed, true, was.shown()));
        };
        let Differences { breaking, what } = was.differences(&new[at], part);
        (!what.is_empty()).then(|| change(part, was, Fate::Changed, breaking, what.join("; ")))
    });
    let is_new = move |one: &&T| find(old, one.name()).is_none();
    let added = new.iter().filter(is_new);
    was.chain(added.map(move |one| {
        let breaking = one.is_demand(part);
        change(part, one, Fate::Added, breaking, one.shown())
    }))
}

fn change(
    part: ContractPart,
    of: &impl Promise,
    is: Fate,
    breaking: bool,
    what: String,
) -> ContractChange {
    ContractChange {
        part,
        name: of.name().to_owned(),
        is,
        breaking,
        what,
    }
}

impl Promise for Tensor {
    fn name(&self) -> &str {
        &self.name
    }

    fn shown(&self) -> String {
        format!("{} {}", self.datatype, self.shape)
    }

    fn is_demand(&self, part: ContractPart) -> bool {
        part == ContractPart::Input
    }

    fn differences(&self, new: &Self, part: ContractPart) -> Differences {
        let mut all = Differences::default();
        if self.datatype != new.datatype {
            all.tell(true, format!("{} -> {}", self.datatype, new.datatype));
        }
        if self.shape != new.shape {
            let fits = match part {
                ContractPart::Input => covers(&new.shape, &self.shape),
                _ => covers(&self.shape, &new.shape),
            };
            all.tell(!fits, format!("{} -> {}", self.shape, new.shape));
        }
        if self.image != new.image {
            all.tell(true, "images become tensors in another way".to_owned());
        }
        if self.labels != new.labels {
            match new.labels.strip_prefix(self.labels.as_slice()) {
                Some([_]) => all.tell(false, "1 more label".to_owned()),
                Some(more) => all.tell(false, format!("{} more labels", more.len())),
                None => all.tell(true, "labels mean something else".to_owned()),
            }
        }
        all
    }
}

/// Whether every tensor of the shape `narrow` has the shape `wide`.
fn covers(wide: &Shape, narrow: &Shape) -> bool {
    let (wide, narrow) = (wide.sizes(), narrow.sizes());
    let mut sizes = wide.iter().zip(narrow);
    wide.len() == narrow.len() && sizes.all(|(wide, narrow)| *wide == -1 || wide == narrow)
}

impl Promise for Parameter {
    fn name(&self) -> &str {
        &self.name
    }

    fn shown(&self) -> String {
        match self.required {
            Some(true) => format!("{}, required", self.datatype),
            _ => self.datatype.to_string(),
        }
    }

    fn is_demand(&self, _: ContractPart) -> bool {
        self.required == Some(true)
    }

    fn differences(&self, new: &Self, part: ContractPart) -> Differences {
        let mut all = Differences::default();
        if self.datatype != new.datatype {
            all.tell(true, format!("{} -> {}", self.datatype, new.datatype));
        }
        match (self.is_demand(part), new.is_demand(part)) {
            (false, true) => all.tell(true, "every request has to set it".to_owned()),
            (true, false) => all.tell(false, "requests need not set it any more".to_owned()),
            _ => {}
        }
        if self.default != new.default {
            let shown = |value: &Option<serde_json::Value>| {
                let text = value.as_ref().map(ToString::to_string);
                text.unwrap_or_else(|| "none".to_owned())
            };
            let (old, new) = (shown(&self.default), shown(&new.default));
            all.tell(false, format!("default {old} -> {new}"));
        }
        all
    }
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
            ["output y: 1 more label"]
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
