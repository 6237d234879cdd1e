//! What a record's analyses and its route's cookie do to a canary, with real measurements.

use std::fs;

use super::stage::{Clients, Stage, request};
use crate::harness::{Answer, Front, Sandbox};

/// Behind the spec of the deployment: a canary of one step, and its analyses, one a line.
fn canary(step: &str, analyses: &[String]) -> String {
    let analyses: String = analyses
        .iter()
        .map(|analysis| format!("    - {{{analysis}}}\n"))
        .collect();
    format!("  strategy: {{type: canary, steps: [{{{step}}}]}}\n  analysis:\n{analyses}")
}

#[test]
fn a_canary_that_a_server_thinks_badly_of_is_rolled_back_with_its_number() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    let quality = Front::alone();
    let answer = Answer::body(200, "application/json", r#"{"rates": {"a/b": 0.5}}"#);
    quality.always("GET", "/quality?line=3", answer);
    let host = quality.host();
    let complaints = format!(
        "name: complaints, source: http, url: \"http://{host}/quality?line=3\", \
         pointer: /rates/a~1b, below: 0.1, interval: 100ms, failureLimit: 1"
    );
    stage.deploy(&canary(
        "weight: 25, for: 1h, analysis: [complaints]",
        &[complaints],
    ));
    stage.serve();
    stage.serves("1.0.0");
    assert_eq!(quality.requests(), [""; 0]);
    let clients = Clients::ask(2, &stage.url());
    stage.champion("1.1.0");
    stage.nudge();
    let failed = stage.until(|one| one["failed"][0]["revert"].is_string());
    assert_eq!(failed["stable"], "vision/digits 1.0.0");
    assert_eq!(failed["desired"], "vision/digits 1.1.0");

    let branch = failed["failed"][0]["revert"].as_str().unwrap();
    stage.yard.git(["fetch", "--quiet"]).run().success();
    let message = ["log", "-1", "--format=%B", &format!("origin/{branch}")];
    let message = stage.yard.git(message).run().success().stdout;
    for evidence in [
        "host/digits: back to vision/digits 1.0.0\n",
        "the analysis complaints doesn't hold: 0.5, to be below 0.1.\n",
        "- complaints: 0 good, 2 bad; 0.5, to be below 0.1\n",
    ] {
        assert!(message.contains(evidence), "{evidence}\n{message}");
    }
    assert_eq!(quality.requests(), ["GET /quality?line=3"; 2]);
    stage.until(|one| one["instances"].as_array().unwrap().len() == 1);
    let answers = clients.end();
    let is_version = |kind: &String| ["1.0.0", "1.1.0"].contains(&kind.as_str());
    assert!(answers.keys().all(is_version), "{answers:?}");
}

#[test]
fn a_canary_goes_on_once_programs_have_printed_enough_good_numbers() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    let noted = sandbox.path("it's measured");
    let note = format!(
        "name: noted, source: command, command: [sh, -c, 'echo \"$MODELYARD_DEPLOYMENT $MODELYARD_CANDIDATE\" >\"$1.of\"; \
         echo 0.01 | tee -a \"$1\"', sh, {:?}], below: 0.1, interval: 100ms, count: 3",
        noted.to_str().unwrap()
    );
    let echo = "name: echoed, source: command, command: [echo, \"0.01\"], below: 0.1";
    let analyses = [echo.to_owned(), note];
    stage.deploy(&canary("weight: 50, analysis: [echoed, noted]", &analyses));
    stage.serve();
    stage.serves("1.0.0");
    assert!(!noted.exists());
    let clients = Clients::ask(2, &stage.url());
    stage.champion("1.1.0");
    stage.nudge();
    let serving = stage.serves("1.1.0");
    assert_eq!(serving["failed"].as_array().map_or(0, Vec::len), 0);
    let lines = fs::read_to_string(&noted).unwrap();
    assert!(lines.starts_with("0.01\n0.01\n0.01\n"), "{lines}");
    let of = sandbox.read("it's measured.of");
    assert_eq!(of, "digits vision/digits 1.1.0\n");
    let answers = clients.end();
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["1.0.0", "1.1.0"]);
}

/// Asks as a browser does: sends the cookie if it has one, and keeps the one that is set. Returns
/// the version that answered.
async fn visit(client: &reqwest::Client, url: &str, kept: &mut Option<String>) -> String {
    let mut asked = client.post(url).body(request());
    if let Some(cookie) = &kept {
        asked = asked.header("cookie", cookie);
    }
    let answer = asked.send().await.unwrap();
    let header = |name: &str| {
        let value = answer.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    assert_eq!(answer.status(), 200);
    if let Some(set) = header("set-cookie") {
        assert_eq!(*kept, None, "it was known already");
        *kept = set.split(';').next().map(str::to_owned);
    }
    header("modelyard-version").unwrap()
}

#[test]
fn a_cookie_keeps_a_client_with_one_version() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy(
        "  route: {path: /digits, sticky: {cookie: seat}}\n  \
         strategy: {type: canary, steps: [{weight: 50, for: 1h}]}\n",
    );
    stage.serve();
    stage.serves("1.0.0");
    stage.champion("1.1.0");
    stage.nudge();
    stage.until(|one| one["serving"][1]["weight"] == 50);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let seated = || {
        let mut kept = None;
        let mut visits = Vec::new();
        for _ in 0..8 {
            visits.push(runtime.block_on(visit(&client, &stage.url(), &mut kept)));
        }
        let first = visits[0].clone();
        assert!(visits.iter().all(|one| *one == first), "{visits:?}");
        assert!(kept.unwrap().starts_with("seat="));
        first
    };
    // Each of them has clients of its own.
    for version in ["1.0.0", "1.1.0"] {
        stage.wait(|| (seated() == version).then_some(()));
    }
}
