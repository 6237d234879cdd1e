//! Messages read and written, right and wrong.

use bytes::Bytes;
use half::f16;
use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::json;

use super::fit::{Signature, fit};
use super::golden::{self, Contents};
use super::*;
use crate::record::Fault;
use crate::record::kind::{GoldenTest, Parameter, Tensor as Registered};

fn json(body: &str) -> Body {
    Body {
        bytes: Bytes::copy_from_slice(body.as_bytes()),
        header_length: None,
    }
}

fn input(tensor: &str) -> Result<Tensor, ProtocolError> {
    let request = Request::parse(&json(&format!("{{\"inputs\":[{tensor}]}}")))?;
    Ok(request.inputs.into_iter().next().unwrap())
}

fn refusal(tensor: &str) -> String {
    input(tensor).unwrap_err().to_string()
}

#[test]
fn elements_may_be_flat_or_nested() {
    let flat = r#"{"name":"x","shape":[2,2],"datatype":"FP32","data":[1,2.5,-3,1e2]}"#;
    let nested = r#"{"data":[[1,2.5],[-3,1e2]],"datatype":"FP32","shape":[2,2],"name":"x"}"#;
    assert_eq!(input(flat).unwrap(), input(nested).unwrap());
    let elements = Elements::Fp32(vec![1.0, 2.5, -3.0, 100.0]);
    assert_eq!(input(flat).unwrap().elements, elements);
    let scalar = r#"{"name":"x","shape":[],"datatype":"BOOL","data":[true]}"#;
    assert_eq!(input(scalar).unwrap().elements, Elements::Bool(vec![true]));
    let text = r#"{"name":"x","shape":[2],"datatype":"BYTES","data":["a","\u00e9"]}"#;
    let texts = vec![Bytes::from_static(b"a"), Bytes::from("é")];
    assert_eq!(input(text).unwrap().elements, Elements::Bytes(texts));
}

#[test]
fn what_is_wrong_with_a_tensor_is_told_with_its_name() {
    let tensor = |shape: &str, datatype: &str, data: &str| {
        refusal(&format!(
            r#"{{"name":"x","shape":{shape},"datatype":"{datatype}"{data}}}"#
        ))
    };
    let told = [
        tensor("[2]", "FP32", r#","data":[1]"#),
        tensor("[2]", "FP32", r#","data":[1,2,3]"#),
        tensor("[2]", "FP31", r#","data":[1,2]"#),
        tensor("[-1]", "FP32", r#","data":[1,2]"#),
        tensor(
            "[9007199254740991,9007199254740991]",
            "FP32",
            r#","data":[1]"#,
        ),
        tensor("[9007199254740991]", "FP32", r#","data":[1]"#),
        tensor("[1]", "INT64", r#","data":[0.5]"#),
        tensor("[1]", "INT8", r#","data":[128]"#),
        tensor("[1]", "UINT8", r#","data":[-1]"#),
        tensor("[3]", "BOOL", r#","data":[true,[1]]"#),
        tensor("[1]", "FP32", r#","data":["1"]"#),
        tensor("[1]", "FP32", r#","data":[1e39]"#),
        tensor("[1]", "FP32", r#","data":[null]"#),
        tensor("[1]", "FP32", r#","data":[{"a":1}]"#),
        tensor("[1]", "BYTES", r#","data":[1]"#),
        tensor("[1]", "FP32", ""),
        tensor(
            "[1]",
            "FP32",
            r#","data":[1],"parameters":{"binary_data_size":4}"#,
        ),
        tensor("[1]", "FP32", r#","parameters":{"binary_data_size":4}"#),
        tensor("[1]", "FP32", r#","parameters":{"binary_data_size":-4}"#),
    ];
    assert_snapshot!(told.join("\n"), @r#"
    input `x`: its shape [2] makes 2 elements, and it has 1
    input `x`: element 2: there are more than its shape says
    input `x`: `FP31` is no datatype
    input `x`: [-1] is no tensor's shape
    input `x`: [9007199254740991, 9007199254740991] is no tensor's shape
    input `x`: its shape [9007199254740991] makes 9007199254740991 elements, and it has 1
    input `x`: element 0: invalid value: floating point `0.5`, expected a whole number of 64 bits
    input `x`: element 0: invalid value: integer `128`, expected a whole number from -128 to 127
    input `x`: element 0: invalid value: integer `-1`, expected a whole number from 0 to 255
    input `x`: element 1: invalid value: integer `1`, expected true or false
    input `x`: element 0: invalid value: string "1", expected a number of single precision
    input `x`: element 0: invalid value: floating point `1e+39`, expected a number of single precision
    input `x`: element 0: invalid type: null, expected a number of single precision
    input `x`: element 0: invalid type: map, expected a number of single precision
    input `x`: element 0: invalid value: integer `1`, expected a text
    input `x`: it has neither `data` nor `binary_data_size`
    input `x`: it has both `data` and `binary_data_size`
    input `x`: its `binary_data_size` is not a number of bytes, or more than the 0 that are left
    input `x`: its `binary_data_size` is not a number of bytes, or more than the 0 that are left
    "#);
}

#[test]
fn a_body_that_is_no_request_is_told() {
    let told = |body: &str| {
        let error = Request::parse(&json(body)).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        format!("{error}: {source}; help: {}", error.help().unwrap())
    };
    let told = [
        told(""),
        told("<html>"),
        told("[]"),
        told("{}"),
        told(r#"{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[NaN]}]}"#),
        told(r#"{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[-Infinity]}]}"#),
        told(r#"{"inputs":[{"shape":[1],"datatype":"FP32","data":[1]}]}"#),
    ];
    assert_snapshot!(told.join("\n"), @r#"
    the request is not one of the Open Inference Protocol: EOF while parsing a value at line 1 column 0; help: see the model's inputs by `GET /v2/models/NAME`, or `modelyard show`
    the request is not one of the Open Inference Protocol: expected value at line 1 column 1; help: see the model's inputs by `GET /v2/models/NAME`, or `modelyard show`
    the request is not one of the Open Inference Protocol: invalid length 2, expected an object with `inputs` at line 1 column 2; help: see the model's inputs by `GET /v2/models/NAME`, or `modelyard show`
    the request is not one of the Open Inference Protocol: missing field `inputs` at line 1 column 2; help: see the model's inputs by `GET /v2/models/NAME`, or `modelyard show`
    the request is not one of the Open Inference Protocol: JSON knows no NaN and no infinity: expected value at line 1 column 62; help: send it as raw bytes, with `binary_data_size`
    the request is not one of the Open Inference Protocol: JSON knows no NaN and no infinity: invalid number at line 1 column 63; help: send it as raw bytes, with `binary_data_size`
    the request is not one of the Open Inference Protocol: missing field `name` at line 1 column 53; help: see the model's inputs by `GET /v2/models/NAME`, or `modelyard show`
    "#);
    let deep = format!(
        "{{\"inputs\":[{{\"name\":\"x\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":{}1{}}}]}}",
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    assert!(Request::parse(&json(&deep)).is_err());
}

#[test]
fn raw_bytes_follow_the_header_in_its_order() {
    let header = r#"{"inputs":[
        {"name":"a","shape":[2],"datatype":"INT16","parameters":{"binary_data_size":4}},
        {"name":"b","shape":[1],"datatype":"FP32","data":[7]},
        {"name":"c","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":9}}]}"#;
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend([1, 0, 255, 255, 1, 0, 0, 0, 65, 0, 0, 0, 0]);
    let body = |bytes: &[u8], header_length| Body {
        bytes: Bytes::copy_from_slice(bytes),
        header_length: Some(header_length),
    };
    let request = Request::parse(&body(&bytes, header.len())).unwrap();
    assert_eq!(request.inputs[0].elements, Elements::Int16(vec![1, -1]));
    assert_eq!(request.inputs[1].elements, Elements::Fp32(vec![7.0]));
    let texts = vec![Bytes::from_static(b"A"), Bytes::new()];
    assert_eq!(request.inputs[2].elements, Elements::Bytes(texts));

    let refused = |bytes: &[u8], length| {
        Request::parse(&body(bytes, length))
            .unwrap_err()
            .to_string()
    };
    let mut longer = bytes.clone();
    longer.push(0);
    let mut liar = bytes.clone();
    *liar.iter_mut().nth_back(8).unwrap() = 200;
    let told = [
        refused(&bytes, 10_000),
        refused(&longer, header.len()),
        refused(&bytes[..bytes.len() - 1], header.len()),
        refused(&liar, header.len()),
    ];
    assert_snapshot!(told.join("\n"), @r#"
    the request's header is announced with 10000 bytes, and all of it has 266
    what follows the request's last tensor is no tensor's: 1 bytes too many
    input `c`: its `binary_data_size` is not a number of bytes, or more than the 8 that are left
    input `c`: a text in it is announced as longer than the bytes that are left
    "#);
}

#[test]
fn an_answer_with_a_nan_can_only_be_raw() {
    let answer = Response {
        model_name: "m".into(),
        outputs: vec![Tensor {
            name: "y".into(),
            shape: vec![2],
            elements: Elements::Fp32(vec![1.0, f32::NAN]),
            parameters: serde_json::Map::new(),
        }],
        ..Response::default()
    };
    let error = answer.to_body(&Request::default()).unwrap_err();
    assert_eq!(error.code().id, "invalid-answer");
    let asked = json(r#"{"inputs":[],"outputs":[{"name":"y","parameters":{"binary_data":true}}]}"#);
    let body = answer.to_body(&Request::parse(&asked).unwrap()).unwrap();
    assert_eq!(body.content_type(), "application/octet-stream");
    let Elements::Fp32(read) = &Response::parse(&body).unwrap().outputs[0].elements else {
        panic!("another type")
    };
    assert!(read[1].is_nan());
}

fn registered(tensors: serde_json::Value) -> Vec<Registered> {
    serde_json::from_value(tensors).unwrap()
}

#[test]
fn everything_that_does_not_fit_is_told_at_once() {
    let inputs = registered(json!([
        {"name": "image", "datatype": "FP32", "shape": [-1, 1, 8, 8]},
        {"name": "scale", "datatype": "FP32", "shape": [1]},
    ]));
    let outputs = registered(json!([{"name": "label", "datatype": "INT64", "shape": [-1]}]));
    let parameters: Vec<Parameter> = serde_json::from_value(json!([
        {"name": "threshold", "datatype": "FP32"},
        {"name": "top", "datatype": "INT32", "required": true},
    ]))
    .unwrap();
    let signature = Signature {
        inputs: &inputs,
        outputs: &outputs,
        parameters: &parameters,
    };
    let right = Request::parse(&json(
        r#"{"parameters":{"top":3,"threshold":0.5,"other":"x"},"outputs":[{"name":"label"}],"inputs":[
            {"name":"image","shape":[0,1,8,8],"datatype":"FP32","data":[]},
            {"name":"scale","shape":[1],"datatype":"FP32","data":[1]}]}"#,
    ));
    assert_eq!(fit(&right.unwrap(), &signature), Ok(()));
    let wrong = Request::parse(&json(
        r#"{"parameters":{"threshold":"high"},"outputs":[{"name":"labels"}],"inputs":[
            {"name":"image","shape":[1,64],"datatype":"FP64","data":[[]]},
            {"name":"picture","shape":[0],"datatype":"FP32","data":[]},
            {"name":"image","shape":[0],"datatype":"FP32","data":[]}]}"#
            .replace("[1,64]", "[1,0]")
            .as_str(),
    ));
    let misfit = fit(&wrong.unwrap(), &signature).unwrap_err();
    assert_snapshot!(misfit.to_string().replace("; ", "\n"), @r#"
    the request is not what the model takes: input `image` is FP64, and has to be FP32
    input `image` has the shape [1, 0], and has to have [-1, 1, 8, 8]
    it has no input `picture`, but image, scale
    input `image` comes twice
    input `scale` is missing: FP32 of shape [1]
    it has no output `labels`, but label
    parameter `threshold` has to be FP32
    parameter `top` is not set
    "#);
}

#[test]
fn a_golden_test_makes_its_request_and_tells_what_differs() {
    let test: GoldenTest = serde_json::from_value(json!({
        "name": "a zero",
        "request": {
            "inputs": [
                {"name": "x", "shape": [2], "datatype": "FP32", "data": [1, 2]},
                {"name": "y", "shape": [1, 2], "datatype": "INT32", "file": "tests/y.json"},
            ],
            "parameters": {"top": 1},
        },
        "expect": {
            "outputs": [
                {"name": "label", "datatype": "INT64", "shape": [3], "data": [7, 8, 9]},
                {"name": "score", "data": [0.5]},
                {"name": "extra"},
            ],
            "tolerance": 0.01,
        },
    }))
    .unwrap();
    let file: Vec<_> = golden::files(&test).cloned().collect();
    assert_eq!(file.len(), 1);
    let contents: Contents = [(file[0].clone(), Bytes::from_static(b"[[3, 4]]"))].into();
    let request = golden::request(&test, &contents).unwrap();
    assert_eq!(request.inputs[1].elements, Elements::Int32(vec![3, 4]));
    assert_eq!(request.parameters["top"], 1);
    let short = golden::request(
        &test,
        &[(file[0].clone(), Bytes::from_static(b"[3]"))].into(),
    );
    assert_snapshot!(short.unwrap_err(), @"input `y`: its shape [1, 2] makes 2 elements, and it has 1");

    let answer = |label: &str, score: &str| {
        Response::parse(&json(&format!(
            r#"{{"model_name":"m","outputs":[{label},{score},{{"name":"extra","shape":[0],"datatype":"BOOL","data":[]}}]}}"#
        )))
        .unwrap()
    };
    let label =
        |data: &str| format!(r#"{{"name":"label","shape":[3],"datatype":"INT64","data":{data}}}"#);
    let score = r#"{"name":"score","shape":[1],"datatype":"FP32","data":[0.509]}"#;
    assert_eq!(
        golden::compare(&test, &contents, &answer(&label("[7,8,9]"), score)),
        []
    );
    let told = |label: &str, score: &str| {
        let differences = golden::compare(&test, &contents, &answer(label, score));
        let told: Vec<_> = differences.iter().map(ToString::to_string).collect();
        told.join("\n")
    };
    let told = [
        told(
            &label("[7,1,2]"),
            r#"{"name":"score","shape":[1],"datatype":"FP32","data":[0.52]}"#,
        ),
        told(
            r#"{"name":"label","shape":[3],"datatype":"INT32","data":[7,8,9]}"#,
            score,
        ),
        told(
            r#"{"name":"label","shape":[1,3],"datatype":"INT64","data":[7,8,9]}"#,
            score,
        ),
        told(
            &label("[7,8,9]"),
            r#"{"name":"score","shape":[2],"datatype":"FP32","data":[0.5,0.5]}"#,
        ),
        told(
            &label("[7,8,9]"),
            r#"{"name":"score","shape":[1],"datatype":"INT8","data":[1]}"#,
        ),
        told(
            r#"{"name":"a","shape":[0],"datatype":"BOOL","data":[]}"#,
            score,
        ),
    ];
    assert_snapshot!(told.join("\n"), @r#"
    output `label`: element 1 is 1, and 8 was expected (2 of 3 differ)
    output `score`: element 0 is 0.52, and 0.5 was expected (1 of 1 differ)
    output `label` is INT32, and INT64 was expected
    output `label` is of shape [1, 3], and of shape [3] was expected
    output `score` is of 2, and of 1 elements was expected
    what is expected of output `score` can't be: element 0: invalid value: floating point `0.5`, expected a whole number from -128 to 127
    output `label` did not come
    "#);
}

fn elements() -> impl Strategy<Value = Elements> {
    use prop::collection::vec;
    prop_oneof![
        vec(any::<bool>(), 0..9).prop_map(Elements::Bool),
        vec(any::<u8>(), 0..9).prop_map(Elements::Uint8),
        vec(any::<u16>(), 0..9).prop_map(Elements::Uint16),
        vec(any::<u32>(), 0..9).prop_map(Elements::Uint32),
        vec(any::<u64>(), 0..9).prop_map(Elements::Uint64),
        vec(any::<i8>(), 0..9).prop_map(Elements::Int8),
        vec(any::<i16>(), 0..9).prop_map(Elements::Int16),
        vec(any::<i32>(), 0..9).prop_map(Elements::Int32),
        vec(any::<i64>(), 0..9).prop_map(Elements::Int64),
        vec(
            (-2048_i16..2048).prop_map(|number| f16::from_f32(f32::from(number) / 8.0)),
            0..9
        )
        .prop_map(Elements::Fp16),
        vec(
            prop::num::f32::NORMAL | prop::num::f32::SUBNORMAL | prop::num::f32::ZERO,
            0..9
        )
        .prop_map(Elements::Fp32),
        vec(
            prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
            0..9
        )
        .prop_map(Elements::Fp64),
        vec(".{0,9}".prop_map(Bytes::from), 0..9).prop_map(Elements::Bytes),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(all in prop::collection::vec(elements(), 0..5), binary: bool) {
        let inputs = all.into_iter().enumerate().map(|(index, elements)| Tensor {
            name: format!("x{index}"),
            shape: vec![elements.len() as u64],
            elements,
            parameters: serde_json::Map::new(),
        });
        let request = Request { id: Some("a".into()), inputs: inputs.collect(), binary_output: binary, ..Request::default() };
        let body = request.to_body(binary).unwrap();
        prop_assert_eq!(&Request::parse(&body).unwrap(), &request);
        let answer = Response { model_name: "m".into(), outputs: request.inputs.clone(), ..Response::default() };
        let body = answer.to_body(&request).unwrap();
        prop_assert_eq!(Response::parse(&body).unwrap(), answer);
    }

    #[test]
    fn any_bytes_are_a_request_or_an_error(bytes: Vec<u8>, header_length in prop::option::of(0_usize..80)) {
        let _ = Request::parse(&Body { bytes: bytes.into(), header_length });
    }

    #[test]
    fn any_raw_bytes_are_elements_or_an_error(bytes: Vec<u8>, elements in elements()) {
        let datatype = elements.datatype();
        let header = format!(
            r#"{{"inputs":[{{"name":"x","shape":[1],"datatype":"{datatype}","parameters":{{"binary_data_size":{}}}}}]}}"#,
            bytes.len()
        );
        let header_length = Some(header.len());
        let _ = Request::parse(&Body { bytes: [header.as_bytes(), &bytes].concat().into(), header_length });
    }
}
