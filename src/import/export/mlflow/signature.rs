//! Inputs, outputs and parameters as MLflow's `signature`: three texts, each JSON of its own.
//!
//! A schema has columns or tensors, never both: tensors of any length and nothing else, each of a
//! type that a column can have, are columns. A flavor that takes one table or matrix takes it without
//! a name.

use serde_json::{Map, Value, json};

use crate::record::kind::{Datatype, ModelVersionSpec, Parameter, Tensor};

/// The signature of a version, if it has one that MLflow can say; `named` tells whether tensors are
/// given by their names.
pub(super) fn of(spec: &ModelVersionSpec, named: bool) -> Option<Value> {
    let mut signature = Map::new();
    let parameters: Option<Vec<Value>> = spec.parameters.iter().map(parameter).collect();
    for (name, said) in [
        ("inputs", schema(&spec.inputs, named)),
        ("outputs", schema(&spec.outputs, named)),
        ("params", parameters.filter(|said| !said.is_empty())),
    ] {
        let text = said.map(|said| Value::Array(said).to_string());
        signature.insert(name.to_owned(), text.into());
    }
    // MLflow takes none that says neither what goes in nor what comes out.
    let says = signature.values().any(|text| !text.is_null());
    says.then(|| signature.into())
}

fn schema(tensors: &[Tensor], named: bool) -> Option<Vec<Value>> {
    if tensors.is_empty() {
        return None;
    }
    let columns: Option<Vec<_>> = tensors.iter().map(column).collect();
    match (columns, tensors) {
        (Some(columns), _) => Some(columns),
        (None, [only]) if !named => Some(vec![nameless(only)]),
        (None, _) if !named => None,
        (None, _) => Some(tensors.iter().map(tensor).collect()),
    }
}

fn column(tensor: &Tensor) -> Option<Value> {
    let word = of_column(tensor.datatype).filter(|_| tensor.shape.sizes() == [-1])?;
    Some(json!({"type": word, "name": tensor.name, "required": true}))
}

fn nameless(tensor: &Tensor) -> Value {
    let spec = json!({"dtype": of_numpy(tensor.datatype), "shape": tensor.shape});
    json!({"type": "tensor", "tensor-spec": spec})
}

fn tensor(tensor: &Tensor) -> Value {
    let mut said = nameless(tensor);
    said["name"] = tensor.name.as_str().into();
    said
}

fn parameter(parameter: &Parameter) -> Option<Value> {
    let word = of_column(parameter.datatype)?;
    Some(json!({
        "name": parameter.name, "type": word, "default": parameter.default, "shape": null,
    }))
}

/// The type of a column that `datatype` is.
const fn of_column(datatype: Datatype) -> Option<&'static str> {
    Some(match datatype {
        Datatype::Bool => "boolean",
        Datatype::Int32 => "integer",
        Datatype::Int64 => "long",
        Datatype::Fp32 => "float",
        Datatype::Fp64 => "double",
        Datatype::Bytes => "string",
        _ => return None,
    })
}

/// What numpy calls it.
const fn of_numpy(datatype: Datatype) -> &'static str {
    match datatype {
        Datatype::Bool => "bool",
        Datatype::Uint8 => "uint8",
        Datatype::Uint16 => "uint16",
        Datatype::Uint32 => "uint32",
        Datatype::Uint64 => "uint64",
        Datatype::Int8 => "int8",
        Datatype::Int16 => "int16",
        Datatype::Int32 => "int32",
        Datatype::Int64 => "int64",
        Datatype::Fp16 => "float16",
        Datatype::Fp32 => "float32",
        Datatype::Fp64 => "float64",
        Datatype::Bytes => "object",
    }
}
