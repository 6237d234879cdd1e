//! Asks a version for a prediction: `modelyard predict`.
//!
//! What is asked is a request of the Open Inference Protocol, or a file whose rows become tensors
//! by the inputs that the version's record registers. It is held against the record before
//! anybody is asked, so that an error names the input, or the line and the column. A whole file of
//! rows is answered by a whole file: see [`mod@file`].

mod cell;
mod columns;
mod error;
pub mod file;
mod pixels;
mod rows;
mod table;

use bytes::Bytes;
use serde_json::Value;

use super::pull::Ground;
use super::served::{self, Served, Starting};
use crate::protocol::fit::{Signature, fit};
use crate::protocol::{Body, Request, Response};
use crate::record::kind::{ModelVersion, Tensor};
use crate::record::{Failure, ModelReference, Name};
use crate::target::runtime::Client;
use crate::yard::{Yard, blocking};

pub use columns::Keep;
pub use error::{Flaw, Place, RowError, TableError};
pub use pixels::EncodingError;
pub use rows::{Origin, RowFormat};

/// What is asked.
#[derive(Debug, Clone)]
pub enum Input {
    /// A request of the Open Inference Protocol, in JSON.
    Request(Bytes),
    /// Rows, all in one request.
    Rows(Origin, RowFormat),
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Prediction {
    /// The answer.
    pub answer: Response,
    /// What the record says of the outputs.
    pub outputs: Vec<Tensor>,
}

/// Starts the version that `reference` means and asks it once.
///
/// # Errors
/// If the input is none for this version, or it can't be started, or does not answer.
pub async fn predict(
    yard: &Yard,
    reference: &ModelReference,
    input: &Input,
    starting: &Starting,
    ground: &Ground<'_>,
) -> Result<Prediction, Failure> {
    let found = served::find(yard, reference).await?;
    let request = request_of(input, &found.record).await?;
    let mut served = Served::start(yard, found, starting, ground).await?;
    ground.progress.step("predicting");
    let started = &mut served.started;
    match started.client.infer(started.model.as_str(), &request).await {
        Ok(answer) => Ok(Prediction {
            answer,
            outputs: served.record.spec.outputs,
        }),
        Err(error) => Err(started.or_its_end(error).await.into()),
    }
}

/// Asks what is deployed of the model that `reference` means, by the gateway that `client` asks;
/// `deployment` is the protocol's name of the model.
///
/// # Errors
/// If the input is none for that version, or the gateway does not answer.
pub async fn predict_deployed(
    yard: &Yard,
    reference: &ModelReference,
    input: &Input,
    client: &Client,
    deployment: &Name,
) -> Result<Prediction, Failure> {
    let record = served::find(yard, reference).await?.record;
    let request = request_of(input, &record).await?;
    Ok(Prediction {
        answer: client.infer(deployment.as_str(), &request).await?,
        outputs: record.spec.outputs,
    })
}

/// The same, read where reading holds up nobody.
async fn request_of(input: &Input, record: &ModelVersion) -> Result<Request, Failure> {
    let (input, record) = (input.clone(), record.clone());
    blocking(move || request(&input, &record)).await
}

/// The request that `input` makes of the version with this record.
fn request(input: &Input, record: &ModelVersion) -> Result<Request, Failure> {
    let spec = &record.spec;
    let request = match input {
        Input::Request(bytes) => Request::parse(&Body {
            bytes: bytes.clone(),
            header_length: None,
        })?,
        Input::Rows(origin, format) => table::request(origin, *format, &spec.inputs)?,
    };
    let signature = Signature {
        inputs: &spec.inputs,
        outputs: &spec.outputs,
        parameters: &spec.parameters,
    };
    fit(&request, &signature)?;
    Ok(request)
}

impl Prediction {
    /// The answer as the protocol has it in JSON.
    pub fn to_json(&self) -> Value {
        let body = self.answer.to_body(&Request::default());
        let body = body.expect("an answer that came as JSON can be said in JSON");
        serde_json::from_slice(&body.bytes).expect("what was written is JSON")
    }
}
