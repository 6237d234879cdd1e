//! Load by other people's programs: `hey` asks as fast as it is answered, `vegeta` evenly, so many
//! times a second, whatever the answers take.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::harness::tools;

/// How many clients ask at once.
const CLIENTS: usize = 16;
/// How long they ask.
const TIME: &str = "4s";

/// How many requests a second are answered.
pub(super) fn rate(url: &str, body: &str) -> f64 {
    let clients = CLIENTS.to_string();
    let mut hey = Command::new("hey");
    hey.args(["-z", TIME, "-c", &clients, "-m", "POST", "-D", body])
        .args(["-T", "application/json", url]);
    let output = hey.output().expect("hey runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut statuses = text
        .lines()
        .filter(|line| line.trim_start().starts_with('['))
        .filter(|line| !line.contains('|'));
    assert!(
        output.status.success() && statuses.all(|line| line.contains("[200]")),
        "{text}"
    );
    let line = text.lines().find(|line| line.contains("Requests/sec:"));
    let rate = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    rate.unwrap_or_else(|| panic!("no rate:\n{text}"))
}

/// Within which milliseconds 99 of 100 requests are answered, of so many a second.
pub(super) fn p99_ms(url: &str, body: &str, rate: f64) -> f64 {
    let clients = CLIENTS.to_string();
    let target = format!("POST {url}\nContent-Type: application/json\n@{body}\n");
    let rate = format!("-rate={rate:.0}/1s");
    let attack = vegeta(
        &["attack", &rate, &format!("-duration={TIME}")],
        &["-workers", &clients, "-connections", &clients],
        target.as_bytes(),
    );
    let report = vegeta(&["report", "-type=json"], &[], &attack.stdout);
    let report: Value = serde_json::from_slice(&report.stdout).expect("vegeta reports in JSON");
    assert_eq!(report["success"], 1.0, "{report:#}");
    report["latencies"]["99th"].as_f64().expect("nanoseconds") / 1e6
}

fn vegeta(words: &[&str], more: &[&str], input: &[u8]) -> Output {
    let mut vegeta = Command::new(tools::path("vegeta"));
    vegeta.args(words).args(more);
    vegeta.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = vegeta.spawn().expect("vegeta runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).expect("vegeta reads"));
        child.wait_with_output().expect("vegeta ends")
    })
}
