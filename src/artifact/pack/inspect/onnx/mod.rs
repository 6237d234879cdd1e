//! What an ONNX model says of itself, without its weights.
//!
//! Field numbers and element types are those of `onnx.proto` (ONNX 1.19, format version 12). The
//! file is passed over twice: once for the graph's face, once for its initializers, so that what
//! is held stays small however many weights there are.

mod graph;
#[cfg(test)]
mod tests;
mod weights;
#[cfg(test)]
pub(super) mod writing;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use super::element::Element;
use super::port::Port;
use super::wire::{Field, Value, Wire, WireError, bounded};

/// The longest name of a tensor, an operator, a producer.
const MAX_NAME_BYTES: u64 = 1024;
/// The longest value of the metadata.
const MAX_METADATA_VALUE_BYTES: u64 = 64 * 1024;
/// The most entries of the metadata.
const MAX_METADATA: usize = 256;
/// The most operator sets: a domain each.
const MAX_OPSETS: usize = 256;

/// What the model says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Onnx {
    /// The exporter, such as `pytorch`.
    pub(super) producer: String,
    pub(super) producer_version: String,
    /// Each domain's operator set; the default domain is ``.
    pub(super) opsets: BTreeMap<String, u64>,
    pub(super) metadata: BTreeMap<String, String>,
    /// What has to be given: graph inputs that no initializer fills.
    pub(super) inputs: Vec<Port>,
    pub(super) outputs: Vec<Port>,
    /// Every operator that is used, as `Name` or `domain:Name`.
    pub(super) operators: BTreeSet<String>,
    /// Files beside the model that weights lie in, as they are written there.
    pub(super) external_files: BTreeSet<String>,
    /// How many bytes of weights are of each type.
    pub(super) weight_bytes: BTreeMap<Element, u64>,
}

/// Reads the model in `file`.
///
/// # Errors
/// [`WireError`] if it is no ONNX model, or more of it would have to be held than the bounds
/// allow.
pub(super) fn read(file: impl Read + Seek) -> Result<Onnx, WireError> {
    let mut wire = Wire::new(file)?;
    let mut onnx = Onnx::default();
    let mut graphs = 0;
    let end = wire.file_end();
    while let Some(Field { number, value }) = wire.field(end)? {
        match (number, value) {
            (2, _) => onnx.producer = wire.text(value, "the producer's name", MAX_NAME_BYTES)?,
            (3, _) => {
                onnx.producer_version =
                    wire.text(value, "the producer's version", MAX_NAME_BYTES)?;
            }
            (7, Value::Length(length)) => {
                graphs += 1;
                let end = wire.end_of(length);
                graph::graph(&mut wire, end, &mut onnx)?;
            }
            (8, Value::Length(length)) => {
                let end = wire.end_of(length);
                opset(&mut wire, end, &mut onnx)?;
            }
            (14, Value::Length(length)) => {
                let end = wire.end_of(length);
                metadata(&mut wire, end, &mut onnx)?;
            }
            // Functions of the model's own, whose bodies are nodes.
            (25, Value::Length(length)) => {
                let end = wire.end_of(length);
                graph::nodes(&mut wire, end, 7, &mut onnx, 0)?;
            }
            _ => wire.skip(value)?,
        }
    }
    if graphs != 1 || onnx.opsets.is_empty() {
        return Err(WireError::Malformed {
            at: 0,
            what: "an ONNX model with a graph and its operator sets",
        });
    }
    wire.rewind()?;
    weights::weights(&mut wire, &mut onnx)?;
    Ok(onnx)
}

fn opset<R: Read + Seek>(wire: &mut Wire<R>, end: u64, onnx: &mut Onnx) -> Result<(), WireError> {
    let (mut domain, mut version) = (String::new(), 0);
    while let Some(Field { number, value }) = wire.field(end)? {
        match (number, value) {
            (1, _) => domain = wire.text(value, "a domain", MAX_NAME_BYTES)?,
            (2, Value::Number(number)) => version = number,
            _ => wire.skip(value)?,
        }
    }
    if domain == "ai.onnx" {
        domain.clear();
    }
    bounded(
        onnx.opsets.len(),
        MAX_OPSETS,
        "the list of operator sets",
        end,
    )?;
    onnx.opsets.insert(domain, version);
    Ok(())
}

/// A pair of texts: metadata, and where external data lies.
fn pair<R: Read + Seek>(wire: &mut Wire<R>, end: u64) -> Result<(String, String), WireError> {
    let (mut key, mut text) = (String::new(), String::new());
    while let Some(Field { number, value }) = wire.field(end)? {
        match number {
            1 => key = wire.text(value, "a key", MAX_NAME_BYTES)?,
            2 => text = wire.text(value, "a value", MAX_METADATA_VALUE_BYTES)?,
            _ => wire.skip(value)?,
        }
    }
    Ok((key, text))
}

fn metadata<R: Read + Seek>(
    wire: &mut Wire<R>,
    end: u64,
    onnx: &mut Onnx,
) -> Result<(), WireError> {
    let (key, value) = pair(wire, end)?;
    bounded(onnx.metadata.len(), MAX_METADATA, "the metadata", end)?;
    onnx.metadata.insert(key, value);
    Ok(())
}
