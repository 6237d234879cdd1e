//! Who may ask, by which certificate the server is known, and what it counts.

use std::path::Path;
use std::sync::Arc;

use insta::assert_snapshot;
use modelyard::gateway::tokens::{self, Tokens};
use modelyard::gateway::{Access, Certificates};
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

fn certificate(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/gateway/certificates");
    std::fs::read(folder.join(name)).unwrap()
}

/// The certificate that a server shows to a new connection, in DER.
async fn shown(stage: &Stage) -> Vec<u8> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .danger_accept_invalid_certs(true)
        .tls_info(true)
        .build()
        .unwrap();
    let url = format!("https://{}/digits", stage.address);
    let answer = client.post(url).body(request()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let info = answer.extensions().get::<reqwest::tls::TlsInfo>().unwrap();
    info.peer_certificate().unwrap().to_vec()
}

#[tokio::test]
async fn certificates_are_renewed_under_a_server_and_bad_ones_are_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (pem, key) = (folder.path().join("tls.pem"), folder.path().join("tls.key"));
    std::fs::write(&pem, certificate("one.pem")).unwrap();
    std::fs::write(&key, certificate("two.key")).unwrap();
    let error = Certificates::read(&pem, &key).unwrap_err();
    assert_eq!(error.code().id, "certificate-unusable");

    std::fs::write(&key, certificate("one.key")).unwrap();
    let certificates = Certificates::read(&pem, &key).unwrap();
    let replica = Replica::of(7).await;
    let stage = Stage::with(limits(), Access::Open, Some(Arc::new(certificates)));
    let routes = Routes::of(&[&replica]).digits(&[("1.0.0", 100, &[1])]);
    stage.gateway.switch(&routes.0);
    let first = shown(&stage).await;
    // Half of the new pair is there: the old pair serves until the other half comes.
    std::fs::write(&pem, certificate("two.pem")).unwrap();
    assert_eq!(shown(&stage).await, first);
    std::fs::write(&key, certificate("two.key")).unwrap();
    while shown(&stage).await == first {}
    // Who doesn't speak TLS gets no answer, and disturbs nobody.
    assert!(
        stage
            .client
            .get(stage.url("/healthz"))
            .send()
            .await
            .is_err()
    );
    assert_ne!(shown(&stage).await, first);
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
    # HELP modelyard_gateway_request_duration_seconds How long answers took.
    # TYPE modelyard_gateway_request_duration_seconds histogram
    modelyard_gateway_request_duration_seconds_count{deployment="digits",model="vision/digits",version="1.0.0",digest="sha256:D"} 3
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
