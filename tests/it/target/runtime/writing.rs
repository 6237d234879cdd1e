//! ONNX models of a few nodes, written field by field (`onnx.proto`).

/// A varint field.
fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

/// A field of bytes: a text, or a message in it.
fn bytes(field: u64, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    let head = [varint(field << 3 | 2), varint(value.len() as u64)].concat();
    [&head, value].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value as u8) | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// An operator, from its inputs to its outputs.
pub(crate) fn node(operator: &str, domain: &str, inputs: &[&str], outputs: &[&str]) -> Vec<u8> {
    let inputs = inputs.iter().flat_map(|name| bytes(1, name));
    let outputs = outputs.iter().flat_map(|name| bytes(2, name));
    let mut node: Vec<u8> = inputs.chain(outputs).collect();
    node.extend(bytes(4, operator));
    node.extend(bytes(7, domain));
    bytes(1, node)
}

/// An input or output: `element` as `TensorProto.DataType` numbers it; a size below zero has no
/// name and is any.
fn port(field: u64, name: &str, element: u64, sizes: &[i64]) -> Vec<u8> {
    let sizes = sizes.iter().flat_map(|&size| {
        let size = u64::try_from(size).map_or(Vec::new(), |size| number(1, size));
        bytes(1, size)
    });
    let shape: Vec<u8> = sizes.collect();
    let tensor = [number(1, element), bytes(2, shape)].concat();
    bytes(field, [bytes(1, name), bytes(2, bytes(1, tensor))].concat())
}

pub(crate) fn input(name: &str, element: u64, sizes: &[i64]) -> Vec<u8> {
    port(11, name, element, sizes)
}

pub(crate) fn output(name: &str, element: u64, sizes: &[i64]) -> Vec<u8> {
    port(12, name, element, sizes)
}

/// A model of these nodes, inputs and outputs, of operator set 17.
pub(crate) fn model(graph: &[Vec<u8>]) -> Vec<u8> {
    let graph = [graph.concat(), bytes(2, "graph")].concat();
    [
        number(1, 8),
        bytes(7, graph),
        bytes(8, [bytes(1, ""), number(2, 17)].concat()),
        bytes(8, [bytes(1, "ai.onnx.ml"), number(2, 3)].concat()),
    ]
    .concat()
}

/// An input of numbers in single precision whose only size has a name.
pub(crate) fn named_input(name: &str, size: &str) -> Vec<u8> {
    let tensor = [number(1, 1), bytes(2, bytes(1, bytes(2, size)))].concat();
    bytes(11, [bytes(1, name), bytes(2, bytes(1, tensor))].concat())
}
