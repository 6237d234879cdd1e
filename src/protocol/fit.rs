//! Whether a request is one that a version's record speaks of.

use std::fmt;

use serde_json::Value;

use super::codes;
use super::message::Request;
use crate::record::kind::{Datatype, Parameter, Shape, Tensor};
use crate::record::{Code, Fault};

/// What a version registers.
#[derive(Debug, Clone, Copy)]
pub struct Signature<'a> {
    /// What it takes.
    pub inputs: &'a [Tensor],
    /// What it gives.
    pub outputs: &'a [Tensor],
    /// What a request may set beside its tensors.
    pub parameters: &'a [Parameter],
}

/// A request that does not fit, with everything that is wrong about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the request is not what the model takes: {}", told(.0))]
pub struct Misfit(pub Vec<Mismatch>);

fn told(mismatches: &[Mismatch]) -> String {
    let told: Vec<_> = mismatches.iter().map(Mismatch::to_string).collect();
    told.join("; ")
}

impl Fault for Misfit {
    fn code(&self) -> &'static Code {
        &codes::REQUEST_MISMATCH
    }

    fn help(&self) -> Option<String> {
        Some("see the model's inputs by `GET /v2/models/NAME`, or `modelyard show`".to_owned())
    }
}

/// One thing that a request says otherwise than the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// An input is not given.
    Missing {
        /// Which one.
        input: String,
        /// Its type.
        datatype: Datatype,
        /// Its sizes.
        shape: Shape,
    },
    /// An input is given more than once.
    Twice {
        /// Which one.
        input: String,
    },
    /// The model has no such input or output.
    Unknown {
        /// `input` or `output`.
        kind: &'static str,
        /// What the request calls it.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// An input of another type.
    Datatype {
        /// Which one.
        input: String,
        /// What is registered.
        wanted: Datatype,
        /// What came.
        found: Datatype,
    },
    /// An input of another shape.
    Shape {
        /// Which one.
        input: String,
        /// What is registered.
        wanted: Shape,
        /// What came.
        found: Vec<u64>,
    },
    /// A parameter that every request has to set.
    NoParameter {
        /// Which one.
        name: String,
    },
    /// A parameter of another type.
    Parameter {
        /// Which one.
        name: String,
        /// What is registered.
        wanted: Datatype,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing {
                input,
                datatype,
                shape,
            } => {
                write!(
                    formatter,
                    "input `{input}` is missing: {datatype} of shape {shape}"
                )
            }
            Self::Twice { input } => {
                write!(formatter, "input `{}` comes twice", input.escape_debug())
            }
            Self::Unknown { kind, name, known } => {
                let name = name.escape_debug();
                write!(
                    formatter,
                    "it has no {kind} `{name}`, but {}",
                    known.join(", ")
                )
            }
            Self::Datatype {
                input,
                wanted,
                found,
            } => {
                write!(
                    formatter,
                    "input `{input}` is {found}, and has to be {wanted}"
                )
            }
            Self::Shape {
                input,
                wanted,
                found,
            } => {
                write!(
                    formatter,
                    "input `{input}` has the shape {found:?}, and has to have {wanted}"
                )
            }
            Self::NoParameter { name } => write!(formatter, "parameter `{name}` is not set"),
            Self::Parameter { name, wanted } => {
                write!(formatter, "parameter `{name}` has to be {wanted}")
            }
        }
    }
}

/// Holds a request against what is registered; a record without inputs takes anything.
///
/// # Errors
/// [`Misfit`] with all that is wrong.
pub fn fit(request: &Request, signature: &Signature) -> Result<(), Misfit> {
    let mut mismatches = Vec::new();
    if !signature.inputs.is_empty() {
        inputs(request, signature.inputs, &mut mismatches);
    }
    if !signature.outputs.is_empty() {
        let known = || {
            signature
                .outputs
                .iter()
                .map(|output| output.name.clone())
                .collect()
        };
        let requested = request.outputs.iter().flatten();
        let unknown = requested.filter(|requested| {
            signature
                .outputs
                .iter()
                .all(|output| output.name != requested.name)
        });
        mismatches.extend(unknown.map(|requested| Mismatch::Unknown {
            kind: "output",
            name: requested.name.clone(),
            known: known(),
        }));
    }
    for parameter in signature.parameters {
        let name = || parameter.name.clone();
        match request.parameters.get(&parameter.name) {
            None if parameter.required == Some(true) => {
                mismatches.push(Mismatch::NoParameter { name: name() });
            }
            Some(value) if !is_of(value, parameter.datatype) => {
                let wanted = parameter.datatype;
                mismatches.push(Mismatch::Parameter {
                    name: name(),
                    wanted,
                });
            }
            _ => {}
        }
    }
    if mismatches.is_empty() {
        return Ok(());
    }
    Err(Misfit(mismatches))
}

fn inputs(request: &Request, registered: &[Tensor], mismatches: &mut Vec<Mismatch>) {
    for (index, given) in request.inputs.iter().enumerate() {
        let input = || given.name.clone();
        if request.inputs[..index]
            .iter()
            .any(|earlier| earlier.name == given.name)
        {
            mismatches.push(Mismatch::Twice { input: input() });
            continue;
        }
        let Some(wanted) = registered.iter().find(|wanted| wanted.name == given.name) else {
            let known = registered.iter().map(|input| input.name.clone()).collect();
            mismatches.push(Mismatch::Unknown {
                kind: "input",
                name: input(),
                known,
            });
            continue;
        };
        let found = given.elements.datatype();
        if found != wanted.datatype {
            let wanted = wanted.datatype;
            mismatches.push(Mismatch::Datatype {
                input: input(),
                wanted,
                found,
            });
        }
        if !has(&given.shape, &wanted.shape) {
            let (wanted, found) = (wanted.shape.clone(), given.shape.clone());
            mismatches.push(Mismatch::Shape {
                input: input(),
                wanted,
                found,
            });
        }
    }
    let is_given = |wanted: &&Tensor| request.inputs.iter().any(|given| given.name == wanted.name);
    let missing = registered.iter().filter(|wanted| !is_given(wanted));
    mismatches.extend(missing.map(|wanted| Mismatch::Missing {
        input: wanted.name.clone(),
        datatype: wanted.datatype,
        shape: wanted.shape.clone(),
    }));
}

/// Whether sizes are such as a shape asks for.
pub(super) fn has(sizes: &[u64], wanted: &Shape) -> bool {
    let wanted = wanted.sizes();
    sizes.len() == wanted.len()
        && sizes.iter().zip(wanted).all(|(&size, &wanted)| {
            // Only -1, any size, is below zero.
            u64::try_from(wanted).is_err() || u64::try_from(wanted) == Ok(size)
        })
}

/// Whether a parameter's value is of its type.
fn is_of(value: &Value, datatype: Datatype) -> bool {
    super::Elements::read(datatype, 1, value).is_ok_and(|read| read.len() == 1 && !value.is_array())
}
