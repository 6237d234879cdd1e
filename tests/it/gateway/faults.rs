//! Replicas that fail, each in its own way.

use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;
use modelyard::gateway::Limits;
use tokio::sync::Notify;

use super::replica::{Does, Replica, http, label};
use super::stage::{Routes, Stage, id, limits};

const JSON: &str = "content-type: application/json\r\n";

#[tokio::test]
async fn what_is_no_answer_is_told_and_not_passed_on() {
    let answer = label(7).to_string();
    let cases = [
        http(
            "200 OK",
            "content-type: text/html\r\n",
            b"<html>secret</html>",
        ),
        http("200 OK", JSON, b"<html>secret</html>"),
        http("200 OK", JSON, b"{\"outputs\": 7}"),
        http("200 OK", JSON, b""),
        http(
            "200 OK",
            "inference-header-content-length: -1\r\n",
            answer.as_bytes(),
        ),
        http(
            "200 OK",
            "inference-header-content-length: 9999\r\n",
            answer.as_bytes(),
        ),
        http(
            "500 Oh",
            "content-type: text/html\r\n",
            b"<html>secret</html>",
        ),
        http("302 Found", "location: http://192.0.2.1/\r\n", b""),
        http("204 Nothing", "", b""),
        b"HTTP/1.1 two hundred\r\n\r\n".to_vec(),
        b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(),
        [b"HTTP/1.1 200 OK\r\n", &[b'x'; 100_000][..]].concat(),
    ];
    let mut told = Vec::new();
    for bytes in cases {
        let replica = Replica::that(Does::BreaksOff(bytes)).await;
        let stage = Stage::new(limits());
        let routes = Routes::of(&[&replica]).digits(&[("1.0.0", 100, &[1])]);
        stage.gateway.switch(&routes.0);
        let refused = stage.predict().await;
        assert!(
            !refused.refusal().contains("secret"),
            "{}",
            refused.refusal()
        );
        told.push(refused.refusal());
        assert_eq!(stage.gateway.in_flight(&id(1)), 0);
    }
    assert_snapshot!(told.join("\n"), @r#"
    502 invalid-answer: digits-1 did not answer with one of the protocol: `Content-Type: text/html` (19 bytes)
    502 invalid-answer: digits-1 did not answer with one of the protocol: expected value at line 1 column 1
    502 invalid-answer: digits-1 did not answer with one of the protocol: invalid type: integer `7`, expected a sequence at line 1 column 13
    502 invalid-answer: digits-1 did not answer with one of the protocol: EOF while parsing a value at line 1 column 0
    502 invalid-answer: digits-1 did not answer with one of the protocol: `inference-header-content-length: -1`
    502 invalid-answer: digits-1 did not answer with one of the protocol: its header is announced with 9999 bytes, and all of it has 105
    502 invalid-answer: digits-1 did not answer with one of the protocol: status 500 Internal Server Error without the protocol's `error`
    502 invalid-answer: digits-1 did not answer with one of the protocol: status 302 Found without the protocol's `error`
    502 invalid-answer: digits-1 did not answer with one of the protocol: status 204 No Content without the protocol's `error`
    502 invalid-answer: digits-1 did not answer with one of the protocol: invalid HTTP status-code parsed
    502 invalid-answer: digits-1 did not answer with one of the protocol: invalid HTTP version parsed
    502 invalid-answer: digits-1 did not answer with one of the protocol: message head is too large
    "#);
}

#[tokio::test]
async fn an_error_of_the_model_is_passed_on_with_its_status() {
    let error = br#"{"error": "the image has no face"}"#;
    let replica = Replica::that(Does::Writes(http("400 Bad", JSON, error))).await;
    let stage = Stage::new(limits());
    let routes = Routes::of(&[&replica]).digits(&[("1.0.0", 100, &[1])]);
    stage.gateway.switch(&routes.0);
    let told = stage.predict().await;
    assert_eq!((told.status, &told.body[..]), (400, &error[..]));
    assert_eq!(told.header("modelyard-version"), "1.0.0");
}

#[tokio::test]
async fn a_replica_that_dies_in_the_middle_is_asked_once_only() {
    let half = &http("200 OK", JSON, label(7).to_string().as_bytes())[..80];
    let dying = Replica::that(Does::BreaksOff(half.to_vec())).await;
    let well = Replica::of(7).await;
    let stage = Stage::new(limits());
    stage
        .gateway
        .switch(&Routes::of(&[&dying]).digits(&[("1.0.0", 100, &[1])]).0);
    let refused = stage.predict().await;
    assert_snapshot!(refused.refusal(), @"502 replica-broken: digits-1 broke off before its answer was whole: error reading a body from connection: end of file before message length reached");
    assert_eq!(dying.count(), 1);
    stage
        .gateway
        .switch(&Routes::of(&[&well]).digits(&[("1.0.0", 100, &[1])]).0);
    assert_eq!(stage.predict().await.label(), 7);
}

#[tokio::test]
async fn a_replica_that_never_answers_is_given_up() {
    let stage = Stage::new(Limits {
        answer_time: Duration::from_millis(200),
        ..limits()
    });
    for does in [
        Does::Hangs(Arc::new(Notify::new())),
        // Its head comes, and half of its body.
        Does::Writes(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_vec()),
    ] {
        let replica = Replica::that(does).await;
        let routes = Routes::of(&[&replica]).digits(&[("1.0.0", 100, &[1])]);
        stage.gateway.switch(&routes.0);
        assert_eq!(
            stage.predict().await.refusal(),
            "504 replica-too-late: digits-1 did not answer within 200ms"
        );
        assert_eq!(stage.gateway.in_flight(&id(1)), 0);
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused_or_cut_off() {
    let stage = Stage::new(Limits {
        whole_answer_bytes: 1000,
        answer_bytes: 10_000,
        ..limits()
    });
    let announced = Replica::that(Does::Writes(http("200 OK", JSON, &[b' '; 20_000]))).await;
    let routes = Routes::of(&[&announced]).digits(&[("1.0.0", 100, &[1])]);
    stage.gateway.switch(&routes.0);
    assert_snapshot!(stage.predict().await.refusal(), @"502 answer-too-large: digits-1 answered with more than 10000 bytes");

    let chunk = format!("{:x}\r\n{}\r\n", 5_000, " ".repeat(5_000));
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let endless = format!("{head}{}", chunk.repeat(9));
    let endless = Replica::that(Does::Writes(endless.into_bytes())).await;
    let routes = Routes::of(&[&endless]).digits(&[("1.0.0", 100, &[1])]);
    stage.gateway.switch(&routes.0);
    let sent = stage.client.post(stage.url("/digits"));
    let answer = sent.body(super::stage::request()).send().await.unwrap();
    assert!(
        answer.bytes().await.is_err(),
        "the client sees that it is cut off"
    );
}

#[tokio::test]
async fn what_takes_no_connection_is_passed_over_without_the_client_noticing() {
    let (one, other) = (Replica::of(1).await, Replica::of(2).await);
    let stage = Stage::new(limits());
    let routes = Routes::of(&[&one, &other]);
    let routes = routes.digits(&[("1.0.0", 100, &[1, 2])]);
    stage.gateway.switch(&routes.0);
    for _ in 0..10 {
        stage.predict().await.label();
    }
    assert!(one.count() > 0 && other.count() > 0, "they take turns");
    one.kill().await;
    for _ in 0..50 {
        assert_eq!(stage.predict().await.label(), 2);
    }
}

#[tokio::test]
async fn where_a_version_can_not_be_reached_another_answers_and_the_failure_is_counted() {
    let (old, new) = (Replica::of(1).await, Replica::of(2).await);
    let stage = Stage::new(limits());
    let routes = Routes::of(&[&old, &new]);
    let routes = routes.digits(&[("1.0.0", 50, &[1]), ("1.1.0", 50, &[2])]);
    stage.gateway.switch(&routes.0);
    new.kill().await;
    for _ in 0..100 {
        assert_eq!(stage.predict().await.label(), 1);
    }
    let metrics = String::from_utf8(stage.get("/metrics").await.body).unwrap();
    let errors = |version: &str| -> u64 {
        let version = format!("version=\"{version}\"");
        let mut lines = metrics.lines().filter(|line| line.contains(&version));
        let line = lines.find(|line| line.starts_with("modelyard_gateway_errors_total"));
        line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!(errors("1.0.0"), 0);
    assert!((48..=52).contains(&errors("1.1.0")), "{metrics}");
}
