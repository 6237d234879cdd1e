//! Models made by hand, ordinary and hostile.

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
                description: None,
                labels: [],
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
                description: None,
                labels: [],
            },
            Port {
                name: "probabilities",
                kind: Sequence,
                shape: None,
                description: None,
                labels: [],
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
