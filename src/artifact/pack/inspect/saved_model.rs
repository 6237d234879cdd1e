//! TensorFlow's SavedModel: signatures, variables and operations of `saved_model.pb`
//! (TensorFlow's `saved_model.proto`, `meta_graph.proto`, `saved_object_graph.proto`).
//!
//! Its graph can read and write files and call Python by operations of its own, so that loading
//! one is running a program.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use super::element::Element;
use super::port::{MAX_PORTS, Port, PortKind};
use super::told::{Remark, Told, named};
use super::weights;
use super::wire::{Field, Value, Wire, WireError, bounded};

/// The longest name.
const MAX_NAME_BYTES: u64 = 4096;
/// The most graphs, signatures and tags.
const MAX_PARTS: usize = 256;
/// The most kinds of operation.
const MAX_OPERATIONS: usize = 16_384;
/// The most dimensions.
const MAX_DIMENSIONS: usize = 64;
/// The signature that servers take where none is named.
const SERVING: &str = "serving_default";
/// Operations that reach beyond the model. Those that every SavedModel saves and restores its
/// variables with are not among them.
const DANGEROUS: [&str; 8] = [
    "EagerPyFunc",
    "PyFunc",
    "PyFuncStateless",
    "ReadFile",
    "WriteFile",
    "MatchingFiles",
    "DebugIdentityV2",
    "LoadLibrary",
];

/// What is asked of the file.
#[derive(Debug, Default)]
struct Saved {
    tags: BTreeSet<String>,
    version: Option<String>,
    operations: BTreeSet<String>,
    signatures: BTreeMap<String, Signature>,
    weight_bytes: weights::WeightBytes,
}

#[derive(Debug, Default, Clone)]
struct Signature {
    inputs: Vec<Port>,
    outputs: Vec<Port>,
}

/// What the file says of itself.
///
/// # Errors
/// [`WireError`] if it is none, or above a bound.
pub(super) fn tell(file: impl Read + Seek) -> Result<Told, WireError> {
    let mut wire = Wire::new(file)?;
    let mut saved = Saved::default();
    let mut graphs = 0;
    let end = wire.file_end();
    while let Some(Field { number, value }) = wire.field(end)? {
        match (number, value) {
            (2, Value::Length(length)) => {
                graphs += 1;
                let end = wire.end_of(length);
                graph(&mut wire, end, &mut saved)?;
            }
            _ => wire.skip(value)?,
        }
    }
    if graphs == 0 {
        return Err(WireError::Malformed {
            at: 0,
            what: "a SavedModel with a graph",
        });
    }
    Ok(told(saved))
}

fn told(saved: Saved) -> Told {
    let mut told = named("tensorflow");
    told.code.push("saved-model");
    told.framework = Some(("tensorflow".to_owned(), saved.version));
    let dangers = DANGEROUS
        .into_iter()
        .filter(|name| saved.operations.contains(*name));
    let dangers: Vec<_> = dangers.map(str::to_owned).collect();
    if !dangers.is_empty() {
        told.remarks.push(Remark::Operations(dangers));
    }
    let tags: Vec<_> = saved.tags.into_iter().collect();
    told.metadata.insert("tags".to_owned(), tags.join(", "));
    let names: Vec<_> = saved
        .signatures
        .keys()
        .filter(|name| !name.starts_with("__"))
        .collect();
    let names: Vec<_> = names.into_iter().cloned().collect();
    told.metadata
        .insert("signatures".to_owned(), names.join(", "));
    // The one that servers take, or the only one.
    let chosen = match (&names[..], saved.signatures.get(SERVING)) {
        (_, Some(serving)) => Some(serving),
        ([name], None) => saved.signatures.get(name),
        _ => None,
    };
    if let Some(Signature { inputs, outputs }) = chosen.cloned() {
        told.inputs = inputs;
        told.outputs = outputs;
    }
    told.weight_bytes = saved.weight_bytes;
    told
}

/// Reads a message: calls `each` for its fields that are messages, texts or bytes of their own,
/// which has to say whether it took them.
fn message<R: Read + Seek>(
    wire: &mut Wire<R>,
    end: u64,
    mut each: impl FnMut(&mut Wire<R>, u32, Value) -> Result<bool, WireError>,
) -> Result<(), WireError> {
    while let Some(Field { number, value }) = wire.field(end)? {
        if !each(wire, number, value)? {
            wire.skip(value)?;
        }
    }
    Ok(())
}

/// `MetaGraphDef`.
fn graph<R: Read + Seek>(wire: &mut Wire<R>, end: u64, saved: &mut Saved) -> Result<(), WireError> {
    message(wire, end, |wire, number, value| {
        let Value::Length(length) = value else {
            return Ok(false);
        };
        let end = wire.end_of(length);
        match number {
            1 => about(wire, end, saved)?,
            2 => nodes(wire, end, saved)?,
            5 => signature(wire, end, saved)?,
            7 => objects(wire, end, saved)?,
            _ => return Ok(false),
        }
        Ok(true)
    })
}

/// `MetaInfoDef`.
fn about<R: Read + Seek>(wire: &mut Wire<R>, end: u64, saved: &mut Saved) -> Result<(), WireError> {
    message(wire, end, |wire, number, value| {
        match number {
            4 => {
                bounded(saved.tags.len(), MAX_PARTS, "the list of tags", end)?;
                saved
                    .tags
                    .insert(wire.text(value, "a tag", MAX_NAME_BYTES)?);
            }
            5 => saved.version = Some(wire.text(value, "TensorFlow's version", MAX_NAME_BYTES)?),
            _ => return Ok(false),
        }
        Ok(true)
    })
}

/// `GraphDef`: nodes, and a library of functions that have nodes.
fn nodes<R: Read + Seek>(wire: &mut Wire<R>, end: u64, saved: &mut Saved) -> Result<(), WireError> {
    message(wire, end, |wire, number, value| {
        let Value::Length(length) = value else {
            return Ok(false);
        };
        let end = wire.end_of(length);
        match number {
            1 => node(wire, end, saved)?,
            2 => within(wire, end, 1, |wire, end| {
                within(wire, end, 3, |wire, end| node(wire, end, saved))
            })?,
            _ => return Ok(false),
        }
        Ok(true)
    })
}

/// Calls `each` for every message that is the field `field`.
fn within<R: Read + Seek>(
    wire: &mut Wire<R>,
    end: u64,
    field: u32,
    mut each: impl FnMut(&mut Wire<R>, u64) -> Result<(), WireError>,
) -> Result<(), WireError> {
    message(wire, end, |wire, number, value| match value {
        Value::Length(length) if number == field => {
            let end = wire.end_of(length);
            each(wire, end)?;
            Ok(true)
        }
        _ => Ok(false),
    })
}

/// `NodeDef`, of which the operation is kept.
fn node<R: Read + Seek>(wire: &mut Wire<R>, end: u64, saved: &mut Saved) -> Result<(), WireError> {
    message(wire, end, |wire, number, value| {
        if number != 2 {
            return Ok(false);
        }
        let operation = wire.text(value, "an operation's name", MAX_NAME_BYTES)?;
        if !saved.operations.contains(&operation) {
            let count = saved.operations.len();
            bounded(count, MAX_OPERATIONS, "the list of operations", end)?;
            saved.operations.insert(operation);
        }
        Ok(true)
    })
}

/// An entry of the map of signatures.
fn signature<R: Read + Seek>(
    wire: &mut Wire<R>,
    end: u64,
    saved: &mut Saved,
) -> Result<(), WireError> {
    let (mut name, mut told) = (String::new(), Signature::default());
    message(wire, end, |wire, number, value| match (number, value) {
        (1, _) => {
            name = wire.text(value, "a signature's name", MAX_NAME_BYTES)?;
            Ok(true)
        }
        (2, Value::Length(length)) => {
            let end = wire.end_of(length);
            message(wire, end, |wire, number, value| {
                let (ports, length) = match (number, value) {
                    (1, Value::Length(length)) => (&mut told.inputs, length),
                    (2, Value::Length(length)) => (&mut told.outputs, length),
                    _ => return Ok(false),
                };
                let end = wire.end_of(length);
                bounded(ports.len(), MAX_PORTS, "the list of inputs or outputs", end)?;
                ports.push(port(wire, end)?);
                Ok(true)
            })?;
            Ok(true)
        }
        _ => Ok(false),
    })?;
    // Maps have no order of their own.
    for ports in [&mut told.inputs, &mut told.outputs] {
        ports.sort_by(|one, other| one.name.cmp(&other.name));
    }
    bounded(
        saved.signatures.len(),
        MAX_PARTS,
        "the list of signatures",
        end,
    )?;
    saved.signatures.insert(name, told);
    Ok(())
}

/// An entry of a signature's map of tensors: a name and a `TensorInfo`.
fn port<R: Read + Seek>(wire: &mut Wire<R>, end: u64) -> Result<Port, WireError> {
    let mut port = Port::default();
    message(wire, end, |wire, number, value| match (number, value) {
        (1, _) => {
            port.name = wire.text(value, "a tensor's name", MAX_NAME_BYTES)?;
            Ok(true)
        }
        (2, Value::Length(length)) => {
            let end = wire.end_of(length);
            message(wire, end, |wire, number, value| {
                match (number, value) {
                    (2, Value::Number(number)) => {
                        port.kind = element(number).map_or(PortKind::Unknown, PortKind::Tensor);
                        return Ok(true);
                    }
                    (3, Value::Length(length)) => {
                        let end = wire.end_of(length);
                        port.shape = shape(wire, end)?;
                        return Ok(true);
                    }
                    (4, _) => port.kind = PortKind::Sparse,
                    (5, _) => port.kind = PortKind::Sequence,
                    _ => {}
                }
                Ok(false)
            })?;
            Ok(true)
        }
        _ => Ok(false),
    })?;
    Ok(port)
}

/// `TensorShapeProto`; nothing where the rank is not told.
fn shape<R: Read + Seek>(wire: &mut Wire<R>, end: u64) -> Result<Option<Vec<i64>>, WireError> {
    let (mut sizes, mut unknown) = (Vec::new(), false);
    message(wire, end, |wire, number, value| match (number, value) {
        (2, Value::Length(length)) => {
            bounded(sizes.len(), MAX_DIMENSIONS, "a shape", end)?;
            let end = wire.end_of(length);
            let mut size = 0;
            message(wire, end, |_, number, value| {
                if let (1, Value::Number(number)) = (number, value) {
                    size = number.cast_signed().max(-1);
                }
                Ok(false)
            })?;
            sizes.push(size);
            Ok(true)
        }
        (3, Value::Number(number)) => {
            unknown = number != 0;
            Ok(true)
        }
        _ => Ok(false),
    })?;
    Ok((!unknown).then_some(sizes))
}

/// `SavedObjectGraph`: what is trained is added up.
fn objects<R: Read + Seek>(
    wire: &mut Wire<R>,
    end: u64,
    saved: &mut Saved,
) -> Result<(), WireError> {
    within(wire, end, 1, |wire, end| {
        within(wire, end, 7, |wire, end| {
            let (mut kind, mut sizes, mut trainable) = (None, None, false);
            message(wire, end, |wire, number, value| {
                match (number, value) {
                    (1, Value::Number(number)) => kind = element(number),
                    (2, Value::Length(length)) => {
                        let end = wire.end_of(length);
                        sizes = shape(wire, end)?;
                        return Ok(true);
                    }
                    (3, Value::Number(number)) => trainable = number != 0,
                    _ => {}
                }
                Ok(false)
            })?;
            if let (Some(element), Some(sizes), true) = (kind, sizes, trainable) {
                let sizes = sizes.iter().map(|size| u64::try_from(*size).unwrap_or(0));
                let count = sizes.fold(1, u64::saturating_mul);
                weights::add(&mut saved.weight_bytes, element, count);
            }
            Ok(())
        })
    })
}

/// `DataType` of TensorFlow's `types.proto`.
fn element(number: u64) -> Option<Element> {
    Some(match number {
        1 => Element::Float,
        2 => Element::Double,
        3 => Element::Int32,
        4 | 12 => Element::Uint8,
        5 => Element::Int16,
        6 | 11 => Element::Int8,
        7 => Element::String,
        8 => Element::Complex64,
        9 => Element::Int64,
        10 => Element::Bool,
        13 => Element::Int32,
        14 => Element::Bfloat16,
        15 => Element::Int16,
        16 | 17 => Element::Uint16,
        18 => Element::Complex128,
        19 => Element::Float16,
        22 => Element::Uint32,
        23 => Element::Uint64,
        24 | 25 => Element::Float8,
        29 => Element::Int4,
        30 => Element::Uint4,
        _ => return None,
    })
}
