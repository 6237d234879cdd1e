//! The graph's face: its nodes' operators, its inputs and its outputs.

use std::io::{Read, Seek};

use super::super::element::Element;
use super::super::port::{Port, PortKind};
use super::super::wire::{Field, Value, Wire, WireError, bounded};
use super::{MAX_NAME_BYTES, Onnx};

/// The most inputs, and outputs: older exporters list every weight among the inputs.
const MAX_TENSORS: usize = 16_384;
/// The most kinds of operator: ONNX itself has some two hundred.
const MAX_OPERATORS: usize = 4096;
/// The most dimensions of a tensor.
const MAX_DIMENSIONS: usize = 64;
/// How deep graphs may lie in graphs (`If`, `Loop`, `Scan`).
const MAX_DEPTH: u32 = 32;

pub(super) fn graph<R: Read + Seek>(
    wire: &mut Wire<R>,
    end: u64,
    onnx: &mut Onnx,
) -> Result<(), WireError> {
    while let Some(Field { number, value }) = wire.field(end)? {
        match (number, value) {
            (1, Value::Length(length)) => {
                let end = wire.end_of(length);
                node(wire, end, onnx, 0)?;
            }
            (11 | 12, Value::Length(length)) => {
                let end = wire.end_of(length);
                let port = port(wire, end)?;
                let ports = if number == 11 {
                    &mut onnx.inputs
                } else {
                    &mut onnx.outputs
                };
                bounded(
                    ports.len(),
                    MAX_TENSORS,
                    "the list of inputs or outputs",
                    end,
                )?;
                ports.push(port);
            }
            _ => wire.skip(value)?,
        }
    }
    Ok(())
}

/// The nodes of a message that has them as its field `field`; all else in it is skipped.
pub(super) fn nodes<R: Read + Seek>(
    wire: &mut Wire<R>,
    end: u64,
    field: u32,
    onnx: &mut Onnx,
    depth: u32,
) -> Result<(), WireError> {
    if depth > MAX_DEPTH {
        return Err(WireError::TooLarge {
            at: end,
            what: "the nesting of graphs",
            limit: u64::from(MAX_DEPTH),
        });
    }
    while let Some(Field { number, value }) = wire.field(end)? {
        match value {
            Value::Length(length) if number == field => {
                let end = wire.end_of(length);
                node(wire, end, onnx, depth)?;
            }
            _ => wire.skip(value)?,
        }
    }
    Ok(())
}

fn node<R: Read + Seek>(
    wire: &mut Wire<R>,
    end: u64,
    onnx: &mut Onnx,
    depth: u32,
) -> Result<(), WireError> {
    let (mut operator, mut domain) = (String::new(), String::new());
    while let Some(Field { number, value }) = wire.field(end)? {
        match (number, value) {
            (4, _) => operator = wire.text(value, "an operator's name", MAX_NAME_BYTES)?,
            (7, _) => domain = wire.text(value, "a domain", MAX_NAME_BYTES)?,
            (5, Value::Length(length)) => {
                let end = wire.end_of(length);
                attribute(wire, end, onnx, depth)?;
            }
            _ => wire.skip(value)?,
        }
    }
    let operator = match domain.as_str() {
        "" | "ai.onnx" => operator,
        domain => format!("{domain}:{operator}"),
    };
    if !onnx.operators.contains(&operator) {
        bounded(
            onnx.operators.len(),
            MAX_OPERATORS,
            "the list of operators",
            end,
        )?;
        onnx.operators.insert(operator);
    }
    Ok(())
}

fn attribute<R: Read + Seek>(
    wire: &mut Wire<R>,
    end: u64,
    onnx: &mut Onnx,
    depth: u32,
) -> Result<(), WireError> {
    while let Some(Field { number, value }) = wire.field(end)? {
        match (number, value) {
            (6 | 11, Value::Length(length)) => {
                let end = wire.end_of(length);
                nodes(wire, end, 1, onnx, depth + 1)?;
            }
            _ => wire.skip(value)?,
        }
    }
    Ok(())
}

fn port<R: Read + Seek>(wire: &mut Wire<R>, end: u64) -> Result<Port, WireError> {
    let mut port = Port::default();
    while let Some(Field { number, value }) = wire.field(end)? {
        match (number, value) {
            (1, _) => port.name = wire.text(value, "a tensor's name", MAX_NAME_BYTES)?,
            (2, Value::Length(length)) => {
                let end = wire.end_of(length);
                port_type(wire, end, &mut port)?;
            }
            _ => wire.skip(value)?,
        }
    }
    Ok(port)
}

fn port_type<R: Read + Seek>(
    wire: &mut Wire<R>,
    end: u64,
    port: &mut Port,
) -> Result<(), WireError> {
    while let Some(Field { number, value }) = wire.field(end)? {
        match (number, value) {
            (1, Value::Length(length)) => {
                let end = wire.end_of(length);
                tensor_type(wire, end, port)?;
                continue;
            }
            (4, _) => port.kind = PortKind::Sequence,
            (5, _) => port.kind = PortKind::Map,
            (8, _) => port.kind = PortKind::Sparse,
            (9, _) => port.kind = PortKind::Optional,
            _ => {}
        }
        wire.skip(value)?;
    }
    Ok(())
}

fn tensor_type<R: Read + Seek>(
    wire: &mut Wire<R>,
    end: u64,
    port: &mut Port,
) -> Result<(), WireError> {
    while let Some(Field { number, value }) = wire.field(end)? {
        match (number, value) {
            (1, Value::Number(number)) => {
                port.kind =
                    Element::from_number(number).map_or(PortKind::Unknown, PortKind::Tensor);
            }
            (2, Value::Length(length)) => {
                let end = wire.end_of(length);
                port.shape = Some(shape(wire, end)?);
            }
            _ => wire.skip(value)?,
        }
    }
    Ok(())
}

fn shape<R: Read + Seek>(wire: &mut Wire<R>, end: u64) -> Result<Vec<i64>, WireError> {
    let mut sizes = Vec::new();
    while let Some(Field { number, value }) = wire.field(end)? {
        match (number, value) {
            (1, Value::Length(length)) => {
                bounded(sizes.len(), MAX_DIMENSIONS, "a shape", end)?;
                let end = wire.end_of(length);
                sizes.push(dimension(wire, end)?);
            }
            _ => wire.skip(value)?,
        }
    }
    Ok(sizes)
}

/// A fixed size, or -1 for one that has a name or nothing.
fn dimension<R: Read + Seek>(wire: &mut Wire<R>, end: u64) -> Result<i64, WireError> {
    let mut size = -1;
    while let Some(Field { number, value }) = wire.field(end)? {
        match (number, value) {
            (1, Value::Number(number)) => size = number.cast_signed().max(-1),
            _ => wire.skip(value)?,
        }
    }
    Ok(size)
}
