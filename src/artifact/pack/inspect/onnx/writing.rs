//! Small ONNX models, for tests.

use crate::artifact::pack::inspect::wire::writing::{bytes, number};

/// A tensor input or output; -1 is a size with a name.
pub(in crate::artifact::pack::inspect) fn port(name: &str, element: u64, shape: &[i64]) -> Vec<u8> {
    let sizes: Vec<u8> = shape
        .iter()
        .flat_map(|&size| match u64::try_from(size) {
            Ok(size) => bytes(1, number(1, size)),
            Err(_) => bytes(1, bytes(2, "batch")),
        })
        .collect();
    let tensor = [number(1, element), bytes(2, sizes)].concat();
    [bytes(1, name), bytes(2, bytes(1, tensor))].concat()
}

pub(in crate::artifact::pack::inspect) fn node(operator: &str, domain: &str) -> Vec<u8> {
    [bytes(4, operator), bytes(7, domain)].concat()
}

/// A weight of `count` elements, whose bytes are `raw`.
pub(in crate::artifact::pack::inspect) fn weight(
    name: &str,
    element: u64,
    count: u64,
    raw: &[u8],
) -> Vec<u8> {
    [
        number(1, count),
        number(2, element),
        bytes(8, name),
        bytes(9, raw),
    ]
    .concat()
}

/// A model of this graph.
pub(in crate::artifact::pack::inspect) fn model(graph: &[u8]) -> Vec<u8> {
    let entry = [bytes(1, "author"), bytes(2, "me")].concat();
    [
        number(1, 8),
        bytes(2, "pytorch"),
        bytes(3, "2.9.0"),
        bytes(7, graph),
        bytes(8, number(2, 17)),
        bytes(8, [bytes(1, "ai.onnx.ml"), number(2, 3)].concat()),
        bytes(14, entry),
    ]
    .concat()
}
