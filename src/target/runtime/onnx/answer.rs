//! From the body of a request to the body of its answer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hyper::StatusCode;
use tract_onnx::prelude::{IntoTValue, TValue, TVec, TractResult};

use super::elements::{from_tract, to_tract};
use super::model::Model;
use crate::protocol::fit::{Signature, fit};
use crate::protocol::{Body, Request, Response, Tensor};
use crate::record::{Fault, Name, Version, with_causes};

/// What the model is called in requests.
#[derive(Debug, Clone)]
pub struct Called {
    /// Its name, in the path.
    pub name: Name,
    /// Its version, if it is told.
    pub version: Option<Version>,
}

/// An answer that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) reason: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { status, reason }
    }

    fn of(status: StatusCode, fault: &dyn Fault) -> Self {
        let mut reason = with_causes(fault);
        if let Some(help) = fault.help() {
            reason = format!("{reason} ({help})");
        }
        Self { status, reason }
    }

    fn failed(reason: impl std::fmt::Display) -> Self {
        let reason = format!("the model failed: {reason}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, reason)
    }
}

/// Answers the request in `body`.
pub(super) fn answer(model: &Model, called: &Called, body: &Body) -> Result<Body, Refusal> {
    let bad = |fault: &dyn Fault| Refusal::of(StatusCode::BAD_REQUEST, fault);
    let request = Request::parse(body).map_err(|error| bad(&error))?;
    let signature = Signature {
        inputs: &model.inputs,
        outputs: &model.outputs,
        parameters: &[],
    };
    fit(&request, &signature).map_err(|misfit| bad(&misfit))?;
    let outputs = run(model, &request)?;
    let answer = Response {
        model_name: called.name.to_string(),
        model_version: called.version.as_ref().map(ToString::to_string),
        id: request.id.clone(),
        parameters: serde_json::Map::new(),
        outputs: wanted(outputs, &request),
    };
    // A NaN is the model's doing, not the asker's.
    let failed = |fault: &dyn Fault| Refusal::of(StatusCode::INTERNAL_SERVER_ERROR, fault);
    answer.to_body(&request).map_err(|error| failed(&error))
}

fn run(model: &Model, request: &Request) -> Result<Vec<Tensor>, Refusal> {
    let mut inputs: TVec<TValue> = TVec::new();
    for registered in &model.inputs {
        let mut given = request.inputs.iter();
        let given = given.find(|given| given.name == registered.name);
        let given = given.expect("a request that fits has every input");
        let bad = |why: String| {
            let name = &given.name;
            Refusal::new(StatusCode::BAD_REQUEST, format!("input `{name}` {why}"))
        };
        if given.elements.is_empty() {
            return Err(bad("has no elements".to_owned()));
        }
        let tensor = to_tract(given).map_err(|error| bad(format!("can't be used: {error}")))?;
        inputs.push(tensor.into_tvalue());
    }
    let symbols = model
        .symbols(&inputs)
        .map_err(|clash| Refusal::new(StatusCode::BAD_REQUEST, clash.to_string()))?;
    // What the model's own arithmetic can't do with these sizes is no reason to stop serving.
    let ran = catch_unwind(AssertUnwindSafe(|| -> TractResult<Vec<Tensor>> {
        let given = model.run(inputs)?;
        let named = model.outputs.iter().zip(&given);
        named
            .map(|(output, given)| from_tract(&output.name, given, &symbols))
            .collect()
    }));
    match ran {
        Ok(outputs) => outputs.map_err(|error| Refusal::failed(format!("{error:#}"))),
        Err(_) => Err(Refusal::failed("its computation panicked")),
    }
}

/// The outputs that are asked for, in the order in which they are.
fn wanted(mut outputs: Vec<Tensor>, request: &Request) -> Vec<Tensor> {
    let Some(wanted) = &request.outputs else {
        return outputs;
    };
    let mut chosen = Vec::new();
    for wanted in wanted {
        let place = outputs.iter().position(|output| output.name == wanted.name);
        chosen.extend(place.map(|place| outputs.swap_remove(place)));
    }
    chosen
}
