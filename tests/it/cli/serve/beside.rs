//! The server among what hosts have already: who measures, who collects logs, who hands over sockets.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use super::stage::{Clients, Stage, request};
use crate::harness::{Prometheus, Sandbox};

#[test]
fn prometheus_measures_what_serves_and_a_canary_goes_on_by_it() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    let rate = |version: &str| {
        format!(
            "rate(modelyard_gateway_request_duration_seconds_count\
             {{deployment=\\\"digits\\\",version=\\\"{version}\\\"}}[10s])"
        )
    };
    stage.deploy(&format!(
        "  strategy: {{type: canary, steps: [{{weight: 50, analysis: [asked, unasked]}}]}}
  analysis:
    - {{name: asked, source: prometheus, query: \"sum({})\", atLeast: 0.1, interval: 200ms, count: 2}}
    - {{name: unasked, source: prometheus, query: \"sum({}) or vector(0)\", below: 0.1, interval: 200ms, count: 2}}
",
        rate("1.1.0"),
        rate("1.2.0"),
    ));
    let prometheus = Prometheus::start();
    stage.serve_given(&["--prometheus", &prometheus.url], &[]);
    stage.serves("1.0.0");
    prometheus.scrapes(stage.address());
    let clients = Clients::ask(2, &stage.url());
    stage.champion("1.1.0");
    stage.nudge();
    let canary = stage.until(|one| one["serving"][1]["weight"] == 50);
    assert_eq!(canary["failed"].as_array().map_or(0, Vec::len), 0);
    let serving = stage.serves("1.1.0");
    assert_eq!(serving["failed"].as_array().map_or(0, Vec::len), 0);
    clients.end();

    // Its own checker finds nothing to say of what it is shown.
    let url = format!("http://{}/metrics", stage.address());
    let metrics = sandbox.program("curl", ["-sf", &url]).run().success();
    let checked = sandbox
        .program("promtool", ["check", "metrics"])
        .input(metrics.stdout);
    let checked = checked.run().success();
    assert_eq!((checked.stdout.as_str(), checked.stderr.as_str()), ("", ""));
}

#[test]
fn each_request_is_logged_as_it_was_answered_where_that_is_wanted() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy("");
    let create = ["token", "create", "--for", "line-3", "--all"];
    let token = sandbox.modelyard(create.into_iter().chain(["--output", "name"]));
    let token = token.run().success().line().to_owned();
    stage.listens("0.0.0.0:0");
    stage.serve_given(&["--access-log"], &[]);
    stage.serves("1.0.0");
    let body = request();
    let ask = |more: &[&str]| {
        let words = ["-s", "-o", "/dev/null", "-H", "x-request-id: r-1"];
        let words = words.iter().chain(more).copied();
        sandbox.program("curl", words).run().success();
    };
    let (url, bearer) = (stage.url(), format!("authorization: Bearer {token}"));
    ask(&[&url, "-H", &bearer, "--data-binary", &body]);
    ask(&[&url, "-H", &bearer, "-d", "{}"]);
    ask(&[&url]);
    let lines = stage.wait(|| {
        let log = stage.log();
        let lines = log.lines().map(serde_json::from_str);
        let lines: Vec<Value> = lines.collect::<Result<_, _>>().unwrap();
        let is_access = |line: &Value| line["target"] == "modelyard::access";
        let lines: Vec<Value> = lines.into_iter().filter(is_access).collect();
        (lines.len() == 3).then_some(lines)
    });
    let told = |line: &Value, names: &[&str]| -> Vec<String> {
        names.iter().map(|name| line[name].to_string()).collect()
    };
    let names = [
        "method",
        "path",
        "status",
        "application",
        "version",
        "refusal",
    ];
    let path = "\"/v2/models/digits/infer\"";
    assert_eq!(
        lines
            .iter()
            .map(|line| told(line, &names))
            .collect::<Vec<_>>(),
        [
            ["\"POST\"", path, "200", "\"line-3\"", "\"1.0.0\"", "null"],
            [
                "\"POST\"",
                path,
                "400",
                "\"line-3\"",
                "null",
                "\"invalid-request\""
            ],
            ["\"GET\"", path, "401", "null", "null", "\"token-refused\""],
        ]
    );
    let first = &lines[0];
    assert_eq!(first["deployment"], "digits");
    assert_eq!(first["request_id"], "r-1");
    assert_eq!(first["request_bytes"], body.len());
    assert!(first["answer_bytes"].as_u64().unwrap() > 0, "{first}");
    assert!(first["millis"].as_f64().unwrap() > 0.0, "{first}");
    assert!(
        first["peer"].as_str().unwrap().starts_with("127.0.0.1:"),
        "{first}"
    );
    // It tells who asked, and nothing by which anybody could.
    let secret = token.rsplit('_').next().unwrap();
    assert!(!stage.log().contains(secret));
}

#[test]
fn systemd_holds_the_socket_and_the_first_request_starts_the_server() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy("");
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    stage.listens(&address);
    let mut runtimes = Vec::new();
    for _ in 0..2 {
        let said = sandbox.path("activate.log");
        let mut command = activated(&stage, &address).into_command();
        let log = File::create(&said).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = child.id();
        stage.adopt(child);
        let log = || fs::read_to_string(&said).unwrap();
        stage.wait(|| log().contains("Listening on").then_some(()));
        assert!(
            program(server).contains("systemd-socket-activate"),
            "{}",
            log()
        );
        // Nobody serves yet: the first client waits for it, and is answered.
        let clients = Clients::ask(1, &stage.url());
        stage.serves("1.0.0");
        stage.wait(|| (clients.so_far().get("1.0.0") > Some(&10)).then_some(()));
        assert!(program(server).contains("modelyard"), "{}", log());
        let answers = clients.end();
        assert_eq!(answers.keys().collect::<Vec<_>>(), ["1.0.0"], "{}", log());
        runtimes.push(stage.runtimes());
        // As `systemctl restart` ends it: what serves is left for the next one.
        assert_eq!(stage.ends("-TERM"), Some(0), "{}", log());
    }
    assert_eq!(runtimes[0], runtimes[1]);
    assert_eq!(runtimes[0].len(), 1);
}

/// The server, started by systemd's own tool once somebody connects.
fn activated(stage: &Stage<'_>, address: &str) -> crate::harness::Run {
    let run = stage.command(&["serve", "--poll", "1h"]);
    let mut words: Vec<OsString> = vec!["--listen".into(), address.into()];
    for name in run.variables() {
        words.extend(["--setenv".into(), name]);
    }
    run.under(Path::new("systemd-socket-activate"), words)
}

/// What a process was started as.
fn program(process: u32) -> String {
    let words = fs::read(format!("/proc/{process}/cmdline")).unwrap();
    let first = words.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(first).into_owned()
}
