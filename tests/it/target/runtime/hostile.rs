//! Requests that the built-in ONNX runtime refuses, and clients that it doesn't wait for.

use std::io::{Read, Write};

use serde_json::json;

use super::running::{Running, read, request, sample};
use super::writing::{input, model, named_input, node, output};
use crate::harness::Sandbox;

/// A request for an image of zeros, in another way.
fn image(change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut input =
        json!({"name": "image", "datatype": "FP32", "shape": [1, 1, 8, 8], "data": vec![0; 64]});
    change(&mut input);
    json!({"inputs": [input]}).to_string()
}

#[test]
fn a_request_that_does_not_fit_is_refused_by_its_input() {
    let sandbox = Sandbox::new();
    let runtime = Running::ready(&sandbox, &sample("digits/1.0.0"), &[]);
    let mut nan = image(|_| {});
    nan = nan.replacen("[0,", "[NaN,", 1);
    let cases = [
        image(|input| input["shape"] = json!([1, 64])),
        image(|input| input["datatype"] = json!("INT64")),
        image(|input| input["name"] = json!("picture")),
        image(|input| input["shape"] = json!([2, 1, 8, 8])),
        image(|input| input["shape"] = json!([i64::MAX, 1, 8, 8])),
        image(|input| {
            input["shape"] = json!([0, 1, 8, 8]);
            input["data"] = json!([]);
        }),
        image(|input| input["data"][3] = json!("zero")),
        nan,
        "{".to_owned(),
        String::new(),
    ];
    let told: Vec<_> = cases
        .iter()
        .map(|body| runtime.infer(body).refusal())
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    400 the request is not what the model takes: input `image` has the shape [1, 64], and has to have [-1, 1, 8, 8] (see the model's inputs by `GET /v2/models/NAME`, or `modelyard show`)
    400 the request is not what the model takes: input `image` is INT64, and has to be FP32 (see the model's inputs by `GET /v2/models/NAME`, or `modelyard show`)
    400 the request is not what the model takes: it has no input `picture`, but image; input `image` is missing: FP32 of shape [-1, 1, 8, 8] (see the model's inputs by `GET /v2/models/NAME`, or `modelyard show`)
    400 input `image`: its shape [2, 1, 8, 8] makes 128 elements, and it has 64 (see the model's inputs by `GET /v2/models/NAME`, or `modelyard show`)
    400 input `image`: [9223372036854775807, 1, 8, 8] is no tensor's shape (see the model's inputs by `GET /v2/models/NAME`, or `modelyard show`)
    400 input `image` has no elements
    400 input `image`: element 3: invalid value: string "zero", expected a number of single precision (see the model's inputs by `GET /v2/models/NAME`, or `modelyard show`)
    400 the request is not one of the Open Inference Protocol: JSON knows no NaN and no infinity: expected value at line 1 column 72 (send it as raw bytes, with `binary_data_size`)
    400 the request is not one of the Open Inference Protocol: EOF while parsing an object at line 1 column 1 (see the model's inputs by `GET /v2/models/NAME`, or `modelyard show`)
    400 the request is not one of the Open Inference Protocol: EOF while parsing a value at line 1 column 0 (see the model's inputs by `GET /v2/models/NAME`, or `modelyard show`)
    "#);
    let raw = runtime.post(
        "/v2/models/digits/infer",
        "Inference-Header-Content-Length: many\r\n",
        "{}",
    );
    assert_eq!(
        raw.refusal(),
        "400 `inference-header-content-length` is not a number of bytes"
    );
    // And it still answers.
    assert_eq!(runtime.infer(image(|_| {})).status, 200);
}

#[test]
fn paths_and_methods_that_are_not_there_are_told() {
    let sandbox = Sandbox::new();
    let runtime = Running::ready(&sandbox, &sample("digits/1.0.0"), &[]);
    let told = [
        runtime.get("/"),
        runtime.get("/v2/models/other"),
        runtime.get("/v2/models/digits/versions/2.0.0"),
        runtime.get("/v2/models/digits/infer"),
    ];
    let told: Vec<_> = told.iter().map(super::running::Answer::refusal).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    404 there is nothing here
    404 no model of this name is served here, but `digits`
    404 no such version of `digits` is served here, but `1.0.0`
    405 only POST is answered here
    ");
    assert_eq!(
        runtime.get("/v2/models/digits/infer").header("allow"),
        Some("POST")
    );
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    let sandbox = Sandbox::new();
    let runtime = Running::ready(
        &sandbox,
        &sample("digits/1.0.0"),
        &["--max-body-bytes", "2000"],
    );
    let liar = "POST /v2/models/digits/infer HTTP/1.1\r\nHost: x\r\n";
    let announced = runtime.say(format!("{liar}Content-Length: 999999999999999\r\n\r\n"));
    assert_eq!(
        announced.refusal(),
        "413 the body is larger than 2000 bytes"
    );
    for length in ["18446744073709551615", "99999999999999999999999", "-1", "x"] {
        let announced = runtime.say(format!("{liar}Content-Length: {length}\r\n\r\n"));
        assert!(
            [400, 431].contains(&announced.status),
            "{length}: {announced}"
        );
    }
    let chunk = format!(
        "{liar}Transfer-Encoding: chunked\r\n\r\nFA0\r\n{}\r\n0\r\n\r\n",
        "x".repeat(4000)
    );
    assert_eq!(
        runtime.say(chunk).refusal(),
        "413 the body is larger than 2000 bytes"
    );
    let header = format!(
        "GET /v2 HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n",
        "x".repeat(100_000)
    );
    let mut stream = runtime.connect();
    // It may hang up before it has read all of it.
    let _ = stream.write_all(header.as_bytes());
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    assert_eq!(runtime.get("/v2/health/ready").status, 200);
}

#[test]
fn who_announces_more_than_comes_or_says_nothing_is_let_go() {
    let sandbox = Sandbox::new();
    let runtime = Running::ready(
        &sandbox,
        &sample("digits/1.0.0"),
        &["--silence-timeout", "1"],
    );
    let mut liar = runtime.connect();
    liar.write_all(
        b"POST /v2/models/digits/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{",
    )
    .unwrap();
    assert_eq!(read(&liar).refusal(), "408 nothing more of the body came");
    let mut slow = runtime.connect();
    slow.write_all(b"GET /v2 HT").unwrap();
    let mut answer = Vec::new();
    // The connection ends by itself; nothing was answered.
    let _ = slow.read_to_end(&mut answer);
    assert_eq!(
        runtime
            .infer(request("digits/1.0.0/requests/a-three.json"))
            .status,
        200
    );
}

#[test]
fn an_answer_that_json_cannot_say_is_told_and_comes_raw() {
    let sandbox = Sandbox::new();
    let graph = [
        node("Log", "", &["x"], &["y"]),
        input("x", 1, &[-1]),
        output("y", 1, &[-1]),
    ];
    let file = sandbox.write("log.onnx", model(&graph));
    let runtime = Running::ready(&sandbox, &file, &[]);
    let asked = |outputs: serde_json::Value| {
        let input = json!({"name": "x", "datatype": "FP32", "shape": [1], "data": [-1]});
        runtime.infer(json!({"inputs": [input], "outputs": outputs}).to_string())
    };
    insta::assert_snapshot!(asked(json!([{"name": "y"}])).refusal(), @"500 output `y` has a NaN, an infinity or bytes that are no text, which JSON can't say (ask for it as raw bytes, with `binary_data` or `binary_data_output`)");
    let raw = asked(json!([{"name": "y", "parameters": {"binary_data": true}}]));
    assert_eq!(raw.status, 200);
    let (_, last) = raw.body.split_at(raw.body.len() - 4);
    assert!(f32::from_le_bytes(last.try_into().unwrap()).is_nan());
}

#[test]
fn when_all_are_busy_more_are_refused() {
    let sandbox = Sandbox::new();
    // One multiplication keeps the only instance busy for long enough.
    let graph = [
        node("MatMul", "", &["x", "x"], &["y"]),
        node("ReduceMax", "", &["y"], &["z"]),
        input("x", 1, &[-1, -1]),
        output("z", 1, &[1, 1]),
    ];
    let file = sandbox.write("square.onnx", model(&graph));
    let runtime = Running::ready(&sandbox, &file, &["--instances", "1", "--waiting", "1"]);
    let side = 700;
    let head = json!({"inputs": [{"name": "x", "datatype": "FP32", "shape": [side, side],
                                  "parameters": {"binary_data_size": side * side * 4}}]});
    let head = head.to_string();
    let headers = format!("Inference-Header-Content-Length: {}\r\n", head.len());
    let body = [head.into_bytes(), vec![0; side * side * 4]].concat();
    let answers = std::thread::scope(|scope| {
        let ask = || runtime.post("/v2/models/digits/infer", &headers, &body);
        let askers: Vec<_> = (0..12).map(|_| scope.spawn(ask)).collect();
        let answers = askers.into_iter().map(|asker| asker.join().unwrap());
        answers.collect::<Vec<_>>()
    });
    let refused: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status != 200)
        .collect();
    assert!(!refused.is_empty() && refused.len() < answers.len());
    for answer in refused {
        assert_eq!(answer.status, 429);
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}

#[test]
fn sizes_that_have_to_be_the_same_are() {
    let sandbox = Sandbox::new();
    let graph = [
        node("Add", "", &["x", "y"], &["z"]),
        named_input("x", "rows"),
        named_input("y", "rows"),
        output("z", 1, &[-1]),
    ];
    let file = sandbox.write("add.onnx", model(&graph));
    let runtime = Running::ready(&sandbox, &file, &[]);
    let asked = |rows: usize| {
        let x = json!({"name": "x", "datatype": "FP32", "shape": [2], "data": [1, 2]});
        let y = json!({"name": "y", "datatype": "FP32", "shape": [rows], "data": vec![1; rows]});
        runtime.infer(json!({"inputs": [x, y]}).to_string())
    };
    assert_eq!(asked(2).json()["outputs"][0]["data"], json!([2.0, 3.0]));
    insta::assert_snapshot!(asked(3).refusal(), @"400 input `y` has the size 3 as dimension 0, where the inputs before it make it 2");
}
