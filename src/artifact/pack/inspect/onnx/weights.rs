//! The second pass: what initializers fill is no input, and their sizes and files are told.

use std::collections::HashSet;
use std::io::{Read, Seek};

use super::super::element::Element;
use super::super::wire::{Field, Value, Wire, WireError, bounded};
use super::{MAX_NAME_BYTES, Onnx, pair};

/// The most files beside the model that weights lie in.
const MAX_EXTERNAL_FILES: usize = 1024;

/// Takes away the inputs that initializers fill, and adds up the weights.
pub(super) fn weights<R: Read + Seek>(
    wire: &mut Wire<R>,
    onnx: &mut Onnx,
) -> Result<(), WireError> {
    // What no initializer fills. Only inputs' names are held: there are few of those, however
    // many weights there are.
    let mut open: HashSet<String> = onnx.inputs.iter().map(|input| input.name.clone()).collect();
    let end = wire.file_end();
    while let Some(Field { number, value }) = wire.field(end)? {
        match (number, value) {
            (7, Value::Length(length)) => {
                let end = wire.end_of(length);
                initializers(wire, end, onnx, &mut open)?;
            }
            _ => wire.skip(value)?,
        }
    }
    onnx.inputs.retain(|input| open.contains(&input.name));
    Ok(())
}

fn initializers<R: Read + Seek>(
    wire: &mut Wire<R>,
    end: u64,
    onnx: &mut Onnx,
    open: &mut HashSet<String>,
) -> Result<(), WireError> {
    while let Some(Field { number, value }) = wire.field(end)? {
        match (number, value) {
            (5, Value::Length(length)) => {
                let end = wire.end_of(length);
                open.remove(&tensor(wire, end, onnx)?);
            }
            (15, Value::Length(length)) => {
                let end = wire.end_of(length);
                sparse(wire, end, onnx, open)?;
            }
            _ => wire.skip(value)?,
        }
    }
    Ok(())
}

/// A sparse initializer's name is that of its values.
fn sparse<R: Read + Seek>(
    wire: &mut Wire<R>,
    end: u64,
    onnx: &mut Onnx,
    open: &mut HashSet<String>,
) -> Result<(), WireError> {
    while let Some(Field { number, value }) = wire.field(end)? {
        match (number, value) {
            (1, Value::Length(length)) => {
                let end = wire.end_of(length);
                open.remove(&tensor(wire, end, onnx)?);
            }
            _ => wire.skip(value)?,
        }
    }
    Ok(())
}

/// A weight's name; its size is added to those of its type.
fn tensor<R: Read + Seek>(
    wire: &mut Wire<R>,
    end: u64,
    onnx: &mut Onnx,
) -> Result<String, WireError> {
    let (mut name, mut element, mut count) = (String::new(), None, 1_u64);
    while let Some(Field { number, value }) = wire.field(end)? {
        match (number, value) {
            (1, _) => wire.numbers(value, |size| count = count.saturating_mul(size))?,
            (2, Value::Number(number)) => element = Element::from_number(number),
            (8, _) => name = wire.text(value, "a weight's name", MAX_NAME_BYTES)?,
            (13, Value::Length(length)) => {
                let end = wire.end_of(length);
                let (key, text) = pair(wire, end)?;
                if key == "location" && !onnx.external_files.contains(&text) {
                    let files = onnx.external_files.len();
                    bounded(files, MAX_EXTERNAL_FILES, "the list of weight files", end)?;
                    onnx.external_files.insert(text);
                }
            }
            _ => wire.skip(value)?,
        }
    }
    if let Some(element) = element {
        let bytes = onnx.weight_bytes.entry(element).or_default();
        *bytes = bytes.saturating_add(count.saturating_mul(element.bits()) / 8);
    }
    Ok(name)
}
