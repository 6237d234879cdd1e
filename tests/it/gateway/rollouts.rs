//! Traffic between versions: split, kept together, looked at beforehand, mirrored.

use std::collections::HashMap;

use modelyard::record::kind::Sticky;
use modelyard::rollout::{Outcome, Side};
use serde_json::json;

use super::replica::{Does, Replica, http};
use super::stage::{Routes, Stage, Told, limits, name, of, request, revision};

/// The gateway's measurement of versions, since ever.
fn measure(stage: &Stage, metric: &str, version: &str) -> Outcome {
    let unit = json!({"content": super::stage::content(version), "launch": {}, "claim":
        {"pool": null, "cpuMilli": 0, "memoryBytes": 0, "gpu": 0}, "tests": 0});
    let side: Side = serde_json::from_value(json!([{"revision": revision(version), "weight": 1,
        "model": unit, "before": [], "after": [], "restart": null}]))
    .unwrap();
    let since = jiff::Timestamp::UNIX_EPOCH;
    stage.gateway.measure(&name("digits"), metric, &side, since)
}

/// The number and the samples of a measurement.
#[track_caller]
fn value(outcome: Outcome) -> (f64, u64) {
    match outcome {
        Outcome::Value { value, samples, .. } => (value.get(), samples.unwrap()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn traffic_is_split_by_weight_and_each_version_is_measured() {
    let old = Replica::of(1).await;
    let broken = http(
        "500 Oh",
        "content-type: application/json\r\n",
        br#"{"error": "no"}"#,
    );
    let new = Replica::that(Does::Writes(broken)).await;
    let stage = Stage::new(limits());
    let routes = Routes::of(&[&old, &new]);
    stage
        .gateway
        .switch(&routes.digits(&[("1.0.0", 75, &[1]), ("1.1.0", 25, &[2])]).0);
    for _ in 0..100 {
        stage.predict().await;
    }
    assert!((73..=77).contains(&old.count()), "{}", old.count());
    let count = old.count() as u64;
    assert_eq!(value(measure(&stage, "error_rate", "1.0.0")), (0.0, count));
    assert_eq!(
        value(measure(&stage, "error_rate", "1.1.0")),
        (1.0, 100 - count)
    );
    let (p99, samples) = value(measure(&stage, "latency_p99_ms", "1.0.0"));
    assert!(p99 > 0.0 && p99 < 5_000.0 && samples == count, "{p99}");
    assert!(matches!(
        measure(&stage, "error_rate", "9.0.0"),
        Outcome::Nothing { .. }
    ));
    assert!(matches!(
        measure(&stage, "speed", "1.0.0"),
        Outcome::Error { .. }
    ));
}

#[tokio::test]
async fn a_client_known_by_a_header_stays_with_its_version() {
    let (old, new) = (Replica::of(1).await, Replica::of(2).await);
    let stage = Stage::new(limits());
    let routes = |weight: u8| {
        let routes = Routes::of(&[&old, &new]);
        let routes = routes.digits(&[("1.0.0", 100 - weight, &[1]), ("1.1.0", weight, &[2])]);
        let header = "x-session".parse().unwrap();
        routes.route(|route| route.sticky = Some(Sticky::Header(header)))
    };
    let ask = async |client: usize| {
        let sent = stage.client.post(stage.url("/digits")).body(request());
        let sent = sent.header("x-session", client);
        Told::of(sent.send().await.unwrap()).await.label()
    };
    let mut seen: HashMap<usize, i64> = HashMap::new();
    for weight in [10, 50, 90] {
        stage.gateway.switch(&routes(weight).0);
        let mut new = 0;
        for client in 0..50 {
            let answered = ask(client).await;
            assert_eq!(ask(client).await, answered);
            // Whoever has seen the new version doesn't go back to the old one.
            assert!(seen.insert(client, answered).unwrap_or(1) <= answered);
            new += usize::from(answered == 2);
        }
        assert!(
            new.abs_diff(usize::from(weight) / 2) < 15,
            "{weight} %: {new} of 50"
        );
    }
}

#[tokio::test]
async fn a_client_known_by_a_cookie_is_given_one_and_stays() {
    let (old, new) = (Replica::of(1).await, Replica::of(2).await);
    let stage = Stage::new(limits());
    let routes = Routes::of(&[&old, &new]);
    let routes = routes.digits(&[("1.0.0", 50, &[1]), ("1.1.0", 50, &[2])]);
    let routes = routes.route(|route| route.sticky = Some(Sticky::Cookie("seat".parse().unwrap())));
    stage.gateway.switch(&routes.0);
    let mut answers = Vec::new();
    for _ in 0..20 {
        let first = stage.predict().await;
        let cookie = first.header("set-cookie").to_owned();
        assert!(
            cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"),
            "{cookie}"
        );
        let cookie = cookie.split(';').next().unwrap().to_owned();
        assert!(cookie.starts_with("seat="), "{cookie}");
        for _ in 0..3 {
            let sent = stage.client.post(stage.url("/digits")).body(request());
            let sent = sent.header("cookie", format!("other=1; {cookie}"));
            let again = Told::of(sent.send().await.unwrap()).await;
            assert_eq!(again.header("set-cookie"), "");
            assert_eq!(again.label(), first.label());
        }
        answers.push(first.label());
    }
    assert!(answers.contains(&1) && answers.contains(&2), "{answers:?}");
}

#[tokio::test]
async fn a_new_version_is_looked_at_before_it_gets_traffic() {
    let (old, new) = (Replica::of(1).await, Replica::of(2).await);
    let stage = Stage::new(limits());
    let routes = Routes::of(&[&old, &new]).digits(&[("1.0.0", 100, &[1])]);
    let preview = of(vec![Routes::backend("1.1.0", 100, &[2])]);
    stage
        .gateway
        .switch(&routes.route(|route| route.preview = preview).0);
    let sent = stage.client.post(stage.url("/digits")).body(request());
    let sent = sent.header("modelyard-preview", "true").send().await;
    assert_eq!(Told::of(sent.unwrap()).await.label(), 2);
    let path = "/v2/models/digits/versions/1.1.0/infer";
    assert_eq!(stage.post(path, request()).await.label(), 2);
    for _ in 0..10 {
        assert_eq!(stage.predict().await.label(), 1);
    }
}

#[tokio::test]
async fn a_mirrors_answers_are_compared_and_never_returned() {
    let old = Replica::of(1).await;
    let new = Replica::start({
        let count = std::sync::atomic::AtomicUsize::new(0);
        move |_| {
            let count = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Does::Answers(super::replica::label(if count < 15 { 1 } else { 2 }))
        }
    })
    .await;
    let stage = Stage::new(limits());
    let routes = Routes::of(&[&old, &new]).digits(&[("1.0.0", 100, &[1])]);
    let mirror = of(vec![Routes::backend("1.1.0", 100, &[2])]);
    stage
        .gateway
        .switch(&routes.route(|route| route.mirror = mirror).0);
    for _ in 0..20 {
        let told = stage.predict().await;
        assert_eq!(
            (told.label(), told.header("modelyard-version")),
            (1, "1.0.0")
        );
    }
    loop {
        if let Outcome::Value {
            samples: Some(20),
            value,
            ..
        } = measure(&stage, "agreement", "1.1.0")
        {
            assert_eq!(value.get(), 0.75);
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(
        new.heard
            .lock()
            .unwrap()
            .iter()
            .all(|heard| heard.body == request().as_bytes())
    );
}

#[tokio::test]
async fn a_mirror_that_hangs_or_is_gone_slows_nobody_down() {
    let old = Replica::of(1).await;
    let hanging = Replica::that(Does::Hangs(std::sync::Arc::default())).await;
    let gone = Replica::of(3).await;
    let address = gone.address;
    gone.kill().await;
    let stage = Stage::new(limits());
    for mirror in [hanging.address, address] {
        let routes = Routes::of(&[&old])
            .at(2, mirror)
            .digits(&[("1.0.0", 100, &[1])]);
        let mirror = of(vec![Routes::backend("1.1.0", 100, &[2])]);
        stage
            .gateway
            .switch(&routes.route(|route| route.mirror = mirror).0);
        for _ in 0..100 {
            assert_eq!(stage.predict().await.label(), 1);
        }
    }
}
