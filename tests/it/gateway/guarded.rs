//! Who may ask, and what is counted.

use std::sync::Arc;

use insta::assert_snapshot;
use modelyard::gateway::Access;
use modelyard::gateway::tokens::{self, Tokens};
use modelyard::record::Fault;
use secrecy::ExposeSecret;

use super::replica::Replica;
use super::stage::{Routes, Stage, Told, limits, name, request};

fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

#[tokio::test]
async fn a_token_lets_in_to_its_deployments_and_no_longer_than_it_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    let digits = Some(vec![name("digits")]);
    let mine = tokens::create(&path, name("line-3"), digits, None, now()).unwrap();
    let others = Some(vec![name("defects")]);
    let others = tokens::create(&path, name("line-4"), others, None, now()).unwrap();
    let access = Access::Tokens(Arc::new(Tokens::read(&path).unwrap()));
    let replica = Replica::of(7).await;
    let stage = Stage::with(limits(), access, None);
    let routes = Routes::of(&[&replica]).digits(&[("1.0.0", 100, &[1])]);
    stage.gateway.switch(&routes.0);
    let ask = async |token: &str| {
        let sent = stage.client.post(stage.url("/digits")).body(request());
        Told::of(sent.bearer_auth(token).send().await.unwrap()).await
    };

    assert_eq!(ask(mine.secret.expose_secret()).await.label(), 7);
    let nobody = stage.predict().await;
    assert_eq!(
        nobody.header("www-authenticate"),
        "Bearer realm=\"modelyard\""
    );
    let told = [
        nobody,
        ask("modelyard_0_A").await,
        ask(others.secret.expose_secret()).await,
        stage.get("/metrics").await,
        stage.get("/v2/models/digits").await,
    ];
    let told = told.map(|told| told.refusal());
    assert_snapshot!(told.join("\n"), @"
    401 token-refused: a token is needed
    401 token-refused: the token is not known here
    403 token-scope: the token of `line-4` is not for `digits`
    401 token-refused: a token is needed
    401 token-refused: a token is needed
    ");
    for open in ["/healthz", "/readyz", "/v2/health/ready", "/v2"] {
        assert_eq!(stage.get(open).await.status, 200, "{open}");
    }
    // It is good no more as soon as the server has looked again, connections that are open too.
    tokens::revoke(&path, &mine.token.id, now()).unwrap();
    while ask(mine.secret.expose_secret()).await.status == 200 {}
    let told = ask(mine.secret.expose_secret()).await.refusal();
    assert_snapshot!(told, @"401 token-refused: the token is revoked");
}

#[tokio::test]
async fn what_is_counted_is_told_to_prometheus() {
    let replica = Replica::of(7).await;
    let stage = Stage::new(limits());
    let routes = Routes::of(&[&replica]).digits(&[("1.0.0", 100, &[1])]);
    stage.gateway.switch(&routes.registered("1.0.0").0);
    for _ in 0..3 {
        stage.predict().await;
    }
    stage.post("/digits", "{}").await;
    let told = stage.get("/metrics").await;
    assert_eq!(
        told.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let text = String::from_utf8(told.body).unwrap();
    let digest = format!("{:0<64}", "312e302e30");
    let timed = |line: &&str| !line.contains("_bucket") && !line.contains("_sum");
    let lines: Vec<_> = text.lines().filter(timed).collect();
    assert_snapshot!(lines.join("\n").replace(&digest, "D"), @r#"
    # HELP modelyard_gateway_connections Clients that are connected.
    # TYPE modelyard_gateway_connections gauge
    modelyard_gateway_connections 1
    # HELP modelyard_gateway_refused_total Requests not answered as asked, by the error's code.
    # TYPE modelyard_gateway_refused_total counter
    modelyard_gateway_refused_total{code="invalid-request"} 1
    # HELP modelyard_gateway_in_flight Requests that are being answered.
    # TYPE modelyard_gateway_in_flight gauge
    modelyard_gateway_in_flight{deployment="digits"} 0
    # HELP modelyard_gateway_waiting Requests that wait for a place, or for something to be ready.
    # TYPE modelyard_gateway_waiting gauge
    modelyard_gateway_waiting{deployment="digits"} 0
    # HELP modelyard_gateway_weight_percent The share of requests that a version gets.
    # TYPE modelyard_gateway_weight_percent gauge
    modelyard_gateway_weight_percent{deployment="digits",model="vision/digits",version="1.0.0",digest="sha256:D"} 100
    # HELP modelyard_gateway_errors_total Answers that failed by the fault of what serves.
    # TYPE modelyard_gateway_errors_total counter
    modelyard_gateway_errors_total{deployment="digits",model="vision/digits",version="1.0.0",digest="sha256:D"} 0
    # HELP modelyard_gateway_mirrored_total Mirrored answers, by whether they were as the client's.
    # TYPE modelyard_gateway_mirrored_total counter
    modelyard_gateway_mirrored_total{deployment="digits",model="vision/digits",version="1.0.0",digest="sha256:D",agrees="true"} 0
    modelyard_gateway_mirrored_total{deployment="digits",model="vision/digits",version="1.0.0",digest="sha256:D",agrees="false"} 0
    # HELP modelyard_gateway_request_seconds How long answers took.
    # TYPE modelyard_gateway_request_seconds histogram
    modelyard_gateway_request_seconds_count{deployment="digits",model="vision/digits",version="1.0.0",digest="sha256:D"} 3
    "#);
    assert!(text.contains("le=\"+Inf\"} 3\n"), "{text}");
}

#[test]
fn an_address_that_is_taken_is_told_with_the_way_out() {
    let first = modelyard::gateway::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = first.local_addr().unwrap();
    let error = modelyard::gateway::bind(address).unwrap_err();
    assert_eq!(error.to_string(), format!("can't listen on {address}"));
    assert_eq!(error.code().id, "not-listening");
    let help = error.help().unwrap();
    assert!(help.contains("another program listens there"), "{help}");
    assert!(modelyard::gateway::inherited().unwrap().is_none());
}
