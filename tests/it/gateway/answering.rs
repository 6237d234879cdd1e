//! What a client of the protocol gets.

use serde_json::json;

use super::replica::{Does, Heard, Replica, http};
use super::stage::{Routes, Stage, Told, limits, request};

#[tokio::test]
async fn a_prediction_is_answered_under_the_deployments_name_and_stamped() {
    let replica = Replica::of(7).await;
    let stage = Stage::new(limits());
    let routes = Routes::of(&[&replica]).digits(&[("1.0.0", 100, &[1])]);
    stage.gateway.switch(&routes.registered("1.0.0").0);

    for path in [
        "/v2/models/digits/infer",
        "/v2/models/digits/versions/1.0.0/infer",
        "/digits",
        "/digits/infer",
        "/digits/versions/1.0.0/infer",
    ] {
        let told = stage.post(path, request()).await;
        assert_eq!(told.label(), 7, "{path}");
        let body = told.json();
        assert_eq!(
            (&body["model_name"], &body["model_version"]),
            (&json!("digits"), &json!("1.0.0"))
        );
        let stamps = ["deployment", "model", "version", "digest"];
        let stamps = stamps.map(|stamp| told.header(&format!("modelyard-{stamp}")).to_owned());
        let digest = format!("sha256:{:0<64}", "312e302e30");
        assert_eq!(
            stamps,
            ["digits", "vision/digits", "1.0.0", &digest],
            "{path}"
        );
    }
    let heard = replica.heard.lock().unwrap();
    assert!(
        heard
            .iter()
            .all(|heard| heard.line == "POST /v2/models/m/infer")
    );
    assert!(heard.iter().all(|heard| heard.body == request().as_bytes()));
}

#[tokio::test]
async fn raw_tensors_go_through_as_they_are() {
    let json = br#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}],"parameters":{"binary_data_output":true}}"#;
    let request = [&json[..], &[0, 0, 128, 63, 0, 0, 192, 127]].concat();
    let header = br#"{"model_name":"a longer name","outputs":[{"name":"y","shape":[1],"datatype":"INT64","parameters":{"binary_data_size":8}}]}"#;
    let answer = [&header[..], &7_i64.to_le_bytes()].concat();
    let headers = format!(
        "content-type: application/octet-stream\r\ninference-header-content-length: {}\r\n",
        header.len()
    );
    let replica = Replica::that(Does::Writes(http("200 OK", &headers, &answer))).await;
    let stage = Stage::new(limits());
    let routes = Routes::of(&[&replica]).digits(&[("1.0.0", 100, &[1])]);
    stage.gateway.switch(&routes.registered("1.0.0").0);

    let sent = stage.client.post(stage.url("/v2/models/digits/infer"));
    let sent = sent.header("Inference-Header-Content-Length", json.len());
    let told = Told::of(sent.body(request.clone()).send().await.unwrap()).await;
    assert_eq!(told.status, 200);
    assert_eq!(told.header("content-type"), "application/octet-stream");
    let length: usize = told
        .header("inference-header-content-length")
        .parse()
        .unwrap();
    let (header, raw) = told.body.split_at(length);
    let header: serde_json::Value = serde_json::from_slice(header).unwrap();
    assert_eq!(header["model_name"], "digits");
    assert_eq!(raw, 7_i64.to_le_bytes());
    let heard = replica.heard.lock().unwrap().pop().unwrap();
    assert_eq!(heard.body, request);
    assert!(
        heard
            .headers
            .contains(&format!("inference-header-content-length: {}", json.len()))
    );
}

#[tokio::test]
async fn health_and_metadata_are_what_the_protocol_says() {
    let replica = Replica::of(7).await;
    let stage = Stage::new(limits());
    let routes = Routes::of(&[&replica]).digits(&[("1.0.0", 100, &[1])]);
    stage.gateway.switch(&routes.clone().registered("1.0.0").0);
    for path in [
        "/healthz",
        "/readyz",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/digits/ready",
        "/v2/models/digits/versions/1.0.0/ready",
        "/digits/ready",
    ] {
        assert_eq!(stage.get(path).await.status, 200, "{path}");
    }
    let server = stage.get("/v2").await.json();
    assert_eq!(server["extensions"], json!(["binary_tensor_data"]));
    let model = json!({"name": "digits", "versions": ["1.0.0"], "platform": "onnx_onnx",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}],
        "outputs": [{"name": "y", "datatype": "INT64", "shape": [-1]}]});
    assert_eq!(stage.get("/v2/models/digits").await.json(), model);
    assert_eq!(stage.get("/digits").await.json(), model);

    stage.gateway.switch(&Routes::default().digits(&[]).0);
    assert_eq!(stage.get("/v2/models/digits/ready").await.status, 503);
    assert_eq!(stage.get("/v2/health/ready").await.status, 200);
}

#[tokio::test]
async fn a_replica_hears_what_ties_logs_together_and_no_secrets() {
    let replica = Replica::of(7).await;
    let stage = Stage::new(limits());
    stage
        .gateway
        .switch(&Routes::of(&[&replica]).digits(&[("1.0.0", 100, &[1])]).0);
    let sent = stage.client.post(stage.url("/digits"));
    let sent = sent
        .bearer_auth("secret")
        .header("cookie", "session=secret")
        .header("x-request-id", "r7")
        .header("traceparent", "00-ab-cd-01");
    sent.body(request()).send().await.unwrap();
    let heard = replica.heard.lock().unwrap().pop().unwrap();
    assert!(heard.headers.contains(&"x-request-id: r7".to_owned()));
    assert!(
        heard
            .headers
            .contains(&"traceparent: 00-ab-cd-01".to_owned())
    );
    assert!(!format!("{heard:?}").contains("secret"), "{heard:?}");
}

#[tokio::test]
async fn coprocessors_are_passed_in_order_and_take_what_the_one_before_gives() {
    let tensor = |name: &str, number: f64| json!({"name": name, "shape": [1], "datatype": "FP64", "data": [number]});
    // Each adds a digit to what it is given, and gives something nobody asked for.
    let adding = move |digit: f64, takes: &'static str, gives: &'static str| {
        move |heard: &Heard| {
            let body: serde_json::Value = serde_json::from_slice(&heard.body).unwrap();
            let inputs = body["inputs"].as_array().unwrap();
            let input = inputs.iter().find(|input| input["name"] == takes).unwrap();
            let number = input["data"][0].as_f64().unwrap() * 10.0 + digit;
            Does::Answers(json!({"model_name": "other", "id": body["id"],
                "outputs": [tensor(gives, number), tensor("noise", 0.0)]}))
        }
    };
    let before = Replica::start(adding(1.0, "raw", "x")).await;
    let model = Replica::start(adding(2.0, "x", "y")).await;
    let after = Replica::start(adding(3.0, "y", "z")).await;
    let stage = Stage::new(limits());
    let mut backend = Routes::backend("1.0.0", 100, &[2]);
    backend.before = vec![super::stage::hop("0.1.0", &[1])];
    backend.after = vec![super::stage::hop("0.3.0", &[3])];
    let routes = Routes::of(&[&before, &model, &after]);
    stage.gateway.switch(
        &routes
            .route(|route| route.backends = super::stage::of(vec![backend]))
            .0,
    );

    let request = json!({"id": "r1", "inputs": [tensor("raw", 7.0)], "outputs": [{"name": "z"}]});
    let told = stage.post("/digits", request.to_string()).await;
    let body = told.json();
    assert_eq!(body["outputs"][0], tensor("z", 7123.0));
    assert_eq!(
        (&body["model_name"], &body["id"]),
        (&json!("digits"), &json!("r1"))
    );
    let asked = |replica: &Replica| -> serde_json::Value {
        serde_json::from_slice(&replica.heard.lock().unwrap()[0].body).unwrap()
    };
    // What the client wants of outputs is for the last one.
    assert_eq!(asked(&before)["outputs"], json!(null));
    assert_eq!(asked(&model)["outputs"], json!(null));
    assert_eq!(asked(&after)["outputs"], json!([{"name": "z"}]));
}

#[tokio::test]
async fn a_large_answer_flows_through_whole() {
    let elements = 2_000_000_usize;
    let header = format!(
        r#"{{"model_name":"m","outputs":[{{"name":"y","shape":[{elements}],"datatype":"FP64","parameters":{{"binary_data_size":{}}}}}]}}"#,
        elements * 8
    );
    let answer = [header.as_bytes(), &vec![9; elements * 8]].concat();
    let headers = format!(
        "content-type: application/octet-stream\r\ninference-header-content-length: {}\r\n",
        header.len()
    );
    let replica = Replica::that(Does::Writes(http("200 OK", &headers, &answer))).await;
    let stage = Stage::new(limits());
    stage
        .gateway
        .switch(&Routes::of(&[&replica]).digits(&[("1.0.0", 100, &[1])]).0);
    for _ in 0..2 {
        let told = stage.predict().await;
        assert_eq!(told.status, 200);
        assert!(told.body == answer);
    }
    assert_eq!(stage.gateway.in_flight(&super::stage::id(1)), 0);
}
