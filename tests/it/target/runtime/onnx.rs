//! The built-in ONNX runtime: what is right.

use std::io::Write;
use std::time::Instant;

use serde_json::{Value, json};

use super::running::{Running, posted, read, request, sample};
use super::writing::{input, model, node, output};
use crate::harness::{Sandbox, in_time};

#[test]
fn the_samples_answer_as_their_records_say() {
    let sandbox = Sandbox::new();
    let digits = Running::ready(&sandbox, &sample("digits/1.0.0"), &[]);
    let answer = digits.infer(request("digits/1.0.0/requests/all-ten-at-once.json"));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let answer = answer.json();
    assert_eq!(answer["model_name"], "digits");
    assert_eq!(answer["model_version"], "1.0.0");
    let label = json!({
        "name": "label", "datatype": "INT64", "shape": [10], "data": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    });
    let outputs = answer["outputs"].as_array().unwrap();
    assert!(outputs.contains(&label), "{outputs:?}");

    // The next batch may have another size.
    let one = digits
        .infer(request("digits/1.0.0/requests/a-three.json"))
        .json();
    assert_eq!(one["outputs"][0]["data"], json!([3]));

    for (version, body) in [
        ("diabetes/1.0.0", "three-patients.json"),
        ("vibration/1.0.0", "both-at-once.json"),
    ] {
        let runtime = Running::ready(&sandbox, &sample(version), &[]);
        let answer = runtime.infer(request(&format!("{version}/requests/{body}")));
        assert_eq!(answer.status, 200, "{answer}");
    }
}

#[test]
fn a_model_tells_what_it_takes_and_gives() {
    let sandbox = Sandbox::new();
    let runtime = Running::ready(&sandbox, &sample("digits/1.0.0"), &[]);
    let metadata = runtime.get("/v2/models/digits").json();
    insta::assert_json_snapshot!(metadata, @r#"
    {
      "name": "digits",
      "versions": [
        "1.0.0"
      ],
      "platform": "onnx_tract",
      "inputs": [
        {
          "name": "image",
          "datatype": "FP32",
          "shape": [
            -1,
            1,
            8,
            8
          ]
        }
      ],
      "outputs": [
        {
          "name": "label",
          "datatype": "INT64",
          "shape": [
            -1
          ]
        },
        {
          "name": "probabilities",
          "datatype": "FP32",
          "shape": [
            -1,
            10
          ]
        }
      ]
    }
    "#);
    for path in [
        "/v2/models/digits/versions/1.0.0",
        "/v2/models/digits/ready",
        "/v2/models/digits/versions/1.0.0/ready",
        "/v2/health/live",
        "/v2/health/ready",
    ] {
        assert_eq!(runtime.get(path).status, 200, "{path}");
    }
    let server = runtime.get("/v2").json();
    assert_eq!(server["extensions"], json!(["binary_tensor_data"]));
}

#[test]
fn raw_bytes_go_in_and_come_out() {
    let sandbox = Sandbox::new();
    let runtime = Running::ready(&sandbox, &sample("digits/1.0.0"), &[]);
    let json: Value = serde_json::from_str(&request("digits/1.0.0/requests/a-three.json")).unwrap();
    let pixels = json["inputs"][0]["data"].as_array().unwrap();
    let raw: Vec<u8> = pixels
        .iter()
        .flat_map(|pixel| (pixel.as_f64().unwrap() as f32).to_le_bytes())
        .collect();
    let header = json!({
        "id": "a",
        "inputs": [{"name": "image", "datatype": "FP32", "shape": [1, 1, 8, 8],
                    "parameters": {"binary_data_size": raw.len()}}],
        "outputs": [{"name": "label", "parameters": {"binary_data": true}}],
    })
    .to_string();
    let headers = format!("Inference-Header-Content-Length: {}\r\n", header.len());
    let body = [header.as_bytes(), &raw].concat();
    let answer = runtime.post("/v2/models/digits/versions/1.0.0/infer", &headers, body);
    assert_eq!(answer.status, 200, "{answer}");
    let length = answer.header("inference-header-content-length").unwrap();
    let (head, behind) = answer.body.split_at(length.parse().unwrap());
    assert_eq!(behind, 3_i64.to_le_bytes());
    let head: Value = serde_json::from_slice(head).unwrap();
    assert_eq!(head["id"], "a");
    assert_eq!(head["outputs"].as_array().unwrap().len(), 1);
}

/// Elements of every type that tract has and the protocol too, by ONNX's numbers.
const TYPES: [(u64, &str); 13] = [
    (1, "FP32"),
    (2, "UINT8"),
    (3, "INT8"),
    (4, "UINT16"),
    (5, "INT16"),
    (6, "INT32"),
    (7, "INT64"),
    (8, "BYTES"),
    (9, "BOOL"),
    (10, "FP16"),
    (11, "FP64"),
    (12, "UINT32"),
    (13, "UINT64"),
];

#[test]
fn tensors_of_every_type_come_back() {
    let sandbox = Sandbox::new();
    let mut graph = Vec::new();
    let mut inputs = Vec::new();
    for (element, datatype) in TYPES {
        let (given, named) = (format!("in-{datatype}"), format!("out-{datatype}"));
        graph.push(node("Identity", "", &[&given], &[&named]));
        graph.push(input(&given, element, &[-1]));
        graph.push(output(&named, element, &[-1]));
        let data = match datatype {
            "BOOL" => json!([true, false]),
            "BYTES" => json!(["ä", ""]),
            _ => json!([1, 2]),
        };
        inputs.push(json!({"name": given, "datatype": datatype, "shape": [2], "data": data}));
    }
    let file = sandbox.write("types.onnx", model(&graph));
    let runtime = Running::ready(&sandbox, &file, &[]);
    let answer = runtime.infer(json!({"inputs": inputs}).to_string());
    assert_eq!(answer.status, 200, "{answer}");
    let answer = answer.json();
    for (given, came) in inputs.iter().zip(answer["outputs"].as_array().unwrap()) {
        assert_eq!(came["datatype"], given["datatype"]);
        let numbers = |values: &Value| -> Vec<Value> {
            let values = values.as_array().unwrap().iter();
            let plain = |value: &Value| value.as_f64().map_or(value.clone(), Value::from);
            values.map(plain).collect()
        };
        assert_eq!(numbers(&came["data"]), numbers(&given["data"]), "{came}");
    }
}

#[test]
fn symbolic_dimensions_come_back_as_whole_numbers() {
    let sandbox = Sandbox::new();
    let graph = [
        node("Shape", "", &["x"], &["sizes"]),
        input("x", 1, &[-1, 3]),
        output("sizes", 7, &[2]),
    ];
    let file = sandbox.write("shape.onnx", model(&graph));
    let runtime = Running::ready(&sandbox, &file, &[]);
    for rows in [1, 5] {
        let body = json!({"inputs": [{"name": "x", "datatype": "FP32", "shape": [rows, 3],
                                      "data": vec![0; rows * 3]}]});
        let answer = runtime.infer(body.to_string());
        assert_eq!(answer.status, 200, "{answer}");
        let answer = answer.json();
        let sizes = json!({"name": "sizes", "datatype": "INT64", "shape": [2], "data": [rows, 3]});
        assert_eq!(answer["outputs"], json!([sizes]));
    }
}

#[test]
fn what_it_has_is_answered_before_it_ends() {
    let sandbox = Sandbox::new();
    let mut runtime = Running::ready(&sandbox, &sample("digits/1.0.0"), &[]);
    let body = request("digits/1.0.0/requests/a-three.json");
    let bytes = posted("/v2/models/digits/infer", "", body.as_bytes());
    let (first, rest) = bytes.split_at(bytes.len() - 10);
    let mut stream = runtime.connect();
    stream.write_all(first).unwrap();
    // Another connection is idle: it must not keep the runtime alive.
    let idle = runtime.connect();
    // The head is read once a later connection was served: both are taken in order.
    assert_eq!(runtime.get("/v2/health/ready").status, 200);
    runtime.terminate();
    // It has stopped to listen when it takes nobody any more.
    let began = Instant::now();
    while std::net::TcpStream::connect(&runtime.address).is_ok() {
        in_time(began);
    }
    stream.write_all(rest).unwrap();
    assert_eq!(read(&stream).json()["outputs"][0]["data"], json!([3]));
    assert_eq!(runtime.ended().code(), Some(0));
    drop(idle);
}
