//! Requests that are none, and clients that mean no good.

use std::time::Duration;

use insta::assert_snapshot;
use modelyard::gateway::Limits;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::replica::Replica;
use super::stage::{Routes, Stage, Told, limits, request};

async fn stage(limits: Limits) -> (Stage, Replica) {
    let replica = Replica::of(7).await;
    let stage = Stage::new(limits);
    let routes = Routes::of(&[&replica]).digits(&[("1.0.0", 100, &[1])]);
    stage.gateway.switch(&routes.registered("1.0.0").0);
    (stage, replica)
}

/// Sends bytes as they are, and gives what comes back until the server closes.
async fn raw(stage: &Stage, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(stage.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_request_that_does_not_fit_is_refused_with_the_inputs_name() {
    let (stage, replica) = stage(limits()).await;
    let tensor = |name: &str, shape: serde_json::Value, datatype: &str, data: serde_json::Value| {
        json!({"inputs": [{"name": name, "shape": shape, "datatype": datatype, "data": data}]})
            .to_string()
    };
    let bodies = [
        tensor("y", json!([1, 2]), "FP32", json!([1, 2])),
        tensor("x", json!([2]), "FP32", json!([1, 2])),
        tensor("x", json!([1, 2]), "FP64", json!([1, 2])),
        tensor("x", json!([1, 2]), "FP32", json!([1])),
        tensor("x", json!([1, 2]), "FP32", json!([1, "2"])),
        tensor(
            "x",
            json!([9_007_199_254_740_991_u64, 2]),
            "FP32",
            json!([1, 2]),
        ),
        tensor(
            "x",
            json!([9_007_199_254_740_991_u64, 9_007_199_254_740_991_u64]),
            "FP32",
            json!([]),
        ),
        tensor("x", json!([1, 2]), "FP32", json!([1, 2])).replace("[1,2]}", "[1,NaN]}"),
        "{\"inputs\": [".to_owned(),
        "\u{feff}{}".to_owned(),
        String::new(),
    ];
    let mut told = Vec::new();
    for body in bodies {
        told.push(stage.post("/v2/models/digits/infer", body).await.refusal());
    }
    assert_snapshot!(told.join("\n"), @r#"
    400 request-mismatch: the request is not what the model takes: it has no input `y`, but x; input `x` is missing: FP32 of shape [-1, 2]
    400 request-mismatch: the request is not what the model takes: input `x` has the shape [2], and has to have [-1, 2]
    400 request-mismatch: the request is not what the model takes: input `x` is FP64, and has to be FP32
    400 invalid-request: input `x`: its shape [1, 2] makes 2 elements, and it has 1
    400 invalid-request: input `x`: element 1: invalid value: string "2", expected a number of single precision
    400 invalid-request: input `x`: its shape [9007199254740991, 2] makes 18014398509481982 elements, and it has 2
    400 invalid-request: input `x`: [9007199254740991, 9007199254740991] is no tensor's shape
    400 invalid-request: the request is not one of the Open Inference Protocol: JSON knows no NaN and no infinity: expected value at line 1 column 66
    400 invalid-request: the request is not one of the Open Inference Protocol: EOF while parsing a list at line 1 column 12
    400 invalid-request: the request is not one of the Open Inference Protocol: expected value at line 1 column 1
    400 invalid-request: the request is not one of the Open Inference Protocol: EOF while parsing a value at line 1 column 0
    "#);
    assert_eq!(replica.count(), 0);
    assert_eq!(stage.predict().await.label(), 7);
}

#[tokio::test]
async fn what_is_not_here_and_what_is_not_taken_is_told() {
    let (stage, replica) = stage(Limits {
        request_bytes: 1000,
        ..limits()
    })
    .await;
    let header = |name: &'static str, value: &'static str| {
        let sent = stage.client.post(stage.url("/digits")).body(request());
        async move { Told::of(sent.header(name, value).send().await.unwrap()).await }
    };
    let told = [
        stage.post("/v2/models/other/infer", request()).await,
        stage.post("/nowhere/at%20all", request()).await,
        stage.post("/v2/models/digits/explain", request()).await,
        stage
            .post("/v2/models/digits/versions/2.0.0/infer", request())
            .await,
        stage.get("/v2/models/digits/infer").await,
        stage.post("/v2/models/digits/ready", request()).await,
        stage.post("/digits", vec![b' '; 1001]).await,
        header("content-encoding", "gzip").await,
        header("inference-header-content-length", "a lot").await,
        header("inference-header-content-length", "99999999999999999999999").await,
        header("inference-header-content-length", "2000").await,
        header("modelyard-preview", "true").await,
    ];
    let told = told.map(|told| told.refusal());
    assert_snapshot!(told.join("\n"), @r#"
    404 no-such-route: nothing is deployed at `/v2/models/other/infer`
    404 no-such-route: nothing is deployed at `/nowhere/at%20all`
    404 no-such-route: nothing is deployed at `/v2/models/digits/explain`
    404 version-not-served: `digits` does not serve version `2.0.0`
    405 no-such-route: `GET` is not answered here
    405 no-such-route: `POST` is not answered here
    413 request-too-large: the request is larger than 1000 bytes
    415 request-encoded: the body is encoded as `gzip`
    400 invalid-request: `inference-header-content-length` has to be a number of bytes, and is `a lot`
    400 invalid-request: `inference-header-content-length` has to be a number of bytes, and is `99999999999999999999999`
    400 invalid-request: the request's header is announced with 2000 bytes, and all of it has 72
    404 version-not-served: `digits` has no new version to look at
    "#);
    assert_eq!(replica.count(), 0);
}

#[tokio::test]
async fn a_length_that_lies_harms_nobody_else() {
    let (stage, replica) = stage(Limits {
        body_time: Duration::from_secs(1),
        ..limits()
    })
    .await;
    let post = |length: &str, body: &str| {
        format!("POST /digits HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}")
    };
    // It says more than it sends, and waits.
    let answer = raw(&stage, post("1000", "{").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("request-too-slow"), "{answer}");
    // It says less than it sends: what is left over is the next request, and none.
    let answer = raw(&stage, post("2", &request()).as_bytes()).await;
    assert_eq!(answer.matches("HTTP/1.1 400 ").count(), 2, "{answer}");
    for length in ["-1", "1e3", "99999999999999999999999999", "5, 6"] {
        let answer = raw(&stage, post(length, "{}").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{length}: {answer}");
    }
    // Two lengths for one body are how requests are smuggled past a gateway.
    let both = post("2\r\ntransfer-encoding: chunked", "0\r\n\r\n");
    let answer = raw(&stage, both.as_bytes()).await;
    assert!(!answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(replica.count(), 0);
    assert_eq!(stage.predict().await.label(), 7);
}

#[tokio::test]
async fn clients_that_send_nothing_or_take_nothing_are_let_go() {
    let (stage, _replica) = stage(Limits {
        header_time: Duration::from_secs(1),
        ..limits()
    })
    .await;
    assert_eq!(raw(&stage, b"POST /digits HT").await, "");
    assert_eq!(raw(&stage, b"").await, "");
    let answer = raw(&stage, &[b'x'; 400_000]).await;
    assert!(!answer.contains("200"), "{answer}");
    assert_eq!(stage.predict().await.label(), 7);
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_a_large_answer_gives_the_replica_back() {
    let large = vec![b' '; 64 * 1024 * 1024];
    let headers = "content-type: application/json\r\n";
    let answer = super::replica::http("200 OK", headers, &large);
    let replica = Replica::that(super::replica::Does::Writes(answer)).await;
    let stage = Stage::new(Limits {
        stall_time: Duration::from_millis(200),
        answer_time: Duration::from_secs(60),
        ..limits()
    });
    stage
        .gateway
        .switch(&Routes::of(&[&replica]).digits(&[("1.0.0", 100, &[1])]).0);
    let mut stream = TcpStream::connect(stage.address).await.unwrap();
    let body = request();
    let head = format!(
        "POST /digits HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream
        .write_all(format!("{head}{body}").as_bytes())
        .await
        .unwrap();
    stream.readable().await.unwrap();
    assert_eq!(replica.count(), 1);
    while stage.gateway.in_flight(&super::stage::id(1)) > 0 {
        tokio::task::yield_now().await;
    }
}
