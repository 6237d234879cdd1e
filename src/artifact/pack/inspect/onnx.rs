//! What an ONNX model says of itself, without its weights.
//!
//! Field numbers and element types are those of `onnx.proto` (ONNX 1.19, format version 12). The
//! file is passed over twice: once for the graph's face, once for its initializers, so that what
//! is held stays small however many weights there are.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{Read, Seek};

use super::element::Element;
use super::wire::{Field, Value, Wire, WireError};

/// The longest name of a tensor, an operator, a producer.
const MAX_NAME_BYTES: u64 = 1024;
/// The longest value of the metadata.
const MAX_METADATA_VALUE_BYTES: u64 = 64 * 1024;
/// The most entries of the metadata.
const MAX_METADATA: usize = 256;
/// The most inputs, and outputs: older exporters list every weight among the inputs.
const MAX_TENSORS: usize = 16_384;
/// The most kinds of operator: ONNX itself has some two hundred.
const MAX_OPERATORS: usize = 4096;
/// The most files beside the model that weights lie in.
const MAX_EXTERNAL_FILES: usize = 1024;
/// The most dimensions of a tensor.
const MAX_DIMENSIONS: usize = 64;
/// How deep graphs may lie in graphs (`If`, `Loop`, `Scan`).
const MAX_DEPTH: u32 = 32;

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

/// One input or output.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Port {
    pub(super) name: String,
    pub(super) kind: PortKind,
    /// The sizes where the rank is told; -1 is any size.
    pub(super) shape: Option<Vec<i64>>,
}

/// What an input or output is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum PortKind {
    /// Nothing is said.
    #[default]
    Unknown,
    Tensor(Element),
    /// A list of values: what `ZipMap` gives.
    Sequence,
    Map,
    Sparse,
    Optional,
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
                graph(&mut wire, end, &mut onnx)?;
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
                nodes(&mut wire, end, 7, &mut onnx, 0)?;
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
    weights(&mut wire, &mut onnx)?;
    Ok(onnx)
}

fn graph<R: Read + Seek>(wire: &mut Wire<R>, end: u64, onnx: &mut Onnx) -> Result<(), WireError> {
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

fn bounded(count: usize, limit: usize, what: &'static str, at: u64) -> Result<(), WireError> {
    if count < limit {
        return Ok(());
    }
    let limit = limit as u64;
    Err(WireError::TooLarge { at, what, limit })
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
        MAX_OPERATORS,
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

/// The nodes of a message that has them as its field `field`; all else in it is skipped.
fn nodes<R: Read + Seek>(
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

/// The second pass: initializers are no inputs, and tell the weights' types and other files.
fn weights<R: Read + Seek>(wire: &mut Wire<R>, onnx: &mut Onnx) -> Result<(), WireError> {
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

#[cfg(test)]
pub(super) mod writing {
    //! Small ONNX models, for tests.

    use super::super::wire::writing::{bytes, number};

    /// A tensor input or output; -1 is a size with a name.
    pub(in super::super) fn port(name: &str, element: u64, shape: &[i64]) -> Vec<u8> {
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

    pub(in super::super) fn node(operator: &str, domain: &str) -> Vec<u8> {
        [bytes(4, operator), bytes(7, domain)].concat()
    }

    /// A weight of `count` elements, whose bytes are `raw`.
    pub(in super::super) fn weight(name: &str, element: u64, count: u64, raw: &[u8]) -> Vec<u8> {
        [
            number(1, count),
            number(2, element),
            bytes(8, name),
            bytes(9, raw),
        ]
        .concat()
    }

    /// A model of this graph.
    pub(in super::super) fn model(graph: &[u8]) -> Vec<u8> {
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
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::wire::writing::{bytes, number};
    use super::writing::{model, node, port, weight};
    use super::*;

    fn read_bytes(bytes: &[u8]) -> Result<Onnx, WireError> {
        read(Cursor::new(bytes))
    }

    #[test]
    fn a_models_face_is_read_without_its_weights() {
        let branch = bytes(1, node("Relu", ""));
        let loops = [bytes(4, "If"), bytes(5, bytes(6, branch))].concat();
        let sequence = [bytes(1, "probabilities"), bytes(2, bytes(4, []))].concat();
        let graph = [
            bytes(1, node("Gemm", "")),
            bytes(1, node("ZipMap", "ai.onnx.ml")),
            bytes(1, loops),
            bytes(5, weight("w", 1, 1000, &[0; 4000])),
            bytes(5, weight("b", 7, 10, &[0; 80])),
            bytes(11, port("image", 1, &[-1, 3, 8])),
            bytes(11, port("w", 1, &[1000])),
            bytes(12, port("label", 7, &[-1])),
            bytes(12, sequence),
        ]
        .concat();
        let onnx = read_bytes(&model(&graph)).unwrap();
        insta::assert_debug_snapshot!(onnx, @r#"
        Onnx {
            producer: "pytorch",
            producer_version: "2.9.0",
            opsets: {
                "": 17,
                "ai.onnx.ml": 3,
            },
            metadata: {
                "author": "me",
            },
            inputs: [
                Port {
                    name: "image",
                    kind: Tensor(
                        Float,
                    ),
                    shape: Some(
                        [
                            -1,
                            3,
                            8,
                        ],
                    ),
                },
            ],
            outputs: [
                Port {
                    name: "label",
                    kind: Tensor(
                        Int64,
                    ),
                    shape: Some(
                        [
                            -1,
                        ],
                    ),
                },
                Port {
                    name: "probabilities",
                    kind: Sequence,
                    shape: None,
                },
            ],
            operators: {
                "Gemm",
                "If",
                "Relu",
                "ai.onnx.ml:ZipMap",
            },
            external_files: {},
            weight_bytes: {
                Float: 4000,
                Int64: 80,
            },
        }
        "#);
    }

    /// Counts what is read of it.
    struct Counted(Cursor<Vec<u8>>, u64);

    impl Read for &mut Counted {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.read(into)?;
            self.1 += count as u64;
            Ok(count)
        }
    }

    impl Seek for &mut Counted {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            self.0.seek(to)
        }
    }

    #[test]
    fn weights_are_skipped_and_not_read() {
        let large = vec![0; 32 * 1024 * 1024];
        let graph = [
            bytes(5, weight("a", 1, 1 << 23, &large)),
            bytes(11, port("x", 1, &[1])),
            bytes(5, weight("b", 1, 1 << 23, &large)),
        ];
        let mut file = Counted(Cursor::new(model(&graph.concat())), 0);
        let onnx = read(&mut file).unwrap();
        assert_eq!(onnx.weight_bytes[&Element::Float], 64 * 1024 * 1024);
        assert!(file.1 < 1024 * 1024, "{} bytes were read", file.1);
    }

    #[test]
    fn files_beside_the_model_are_named() {
        let place = [bytes(1, "location"), bytes(2, "weights.bin")].concat();
        let external = [number(1, 4), number(2, 10), bytes(8, "w"), bytes(13, place)].concat();
        let onnx = read_bytes(&model(&bytes(5, external))).unwrap();
        assert!(onnx.external_files.contains("weights.bin"));
        assert_eq!(onnx.weight_bytes[&Element::Float16], 8);
    }

    #[test]
    fn what_is_no_model_is_told() {
        for no_model in [
            &b""[..],
            b"\x08\x08",
            b"some text",
            &bytes(7, node("Gemm", "")),
            &bytes(8, number(2, 17)),
            &model(&[])[..10],
        ] {
            assert!(read_bytes(no_model).is_err(), "{no_model:?} was taken");
        }
    }

    #[test]
    fn a_hostile_file_makes_nothing_large() {
        let name = "x".repeat(2000);
        let long = bytes(1, node(&name, ""));
        let many: Vec<u8> = (0..5000)
            .flat_map(|number| bytes(1, node(&format!("Op{number}"), "")))
            .collect();
        let sizes = bytes(11, port("x", 1, &[1; 65]));
        let mut deep = bytes(1, node("Relu", ""));
        for _ in 0..40 {
            deep = bytes(1, [bytes(4, "If"), bytes(5, bytes(6, deep))].concat());
        }
        for graph in [long, many, sizes, deep] {
            let error = read_bytes(&model(&graph)).unwrap_err();
            assert!(matches!(error, WireError::TooLarge { .. }), "{error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(garbage: Vec<u8>, at in 0..200_usize, byte: u8) {
            let _ = read_bytes(&garbage);
            let graph = [
                bytes(1, node("Gemm", "")),
                bytes(5, weight("w", 1, 4, &[0; 16])),
                bytes(11, port("image", 1, &[-1, 3, 8])),
            ];
            let mut model = model(&graph.concat());
            let length = model.len();
            model[at % length] = byte;
            let _ = read_bytes(&model);
        }
    }
}
