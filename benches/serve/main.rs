//! `modelyard serve` under load, against a direct connection to the runtime and against nginx as a
//! proxy to it; how soon a commit serves; and what a pass over a thousand deployments costs.
//!
//! All three answer the same requests of the sample `digits`, in turn, and the medians count. `hey`
//! asks: as fast as it can for the requests a second, and at half of the gateway's rate for the
//! latencies.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it measures, and tells what it measured; clippy.toml is for what ships"
)]

#[path = "../../tests/it/cli/serve/asking.rs"]
#[allow(dead_code, reason = "tests need more of it")]
mod asking;
#[path = "../../tests/it/harness/mod.rs"]
mod harness;
mod passes;
#[path = "../../tests/it/cli/serve/stage.rs"]
#[allow(dead_code, reason = "tests need more of it")]
mod stage;

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use harness::Sandbox;
use serde_json::Value;
use stage::{Stage, request};

/// How often each goes.
const ROUNDS: usize = 5;
/// How many clients ask at once.
const CLIENTS: usize = 16;
/// How long they ask.
const LOAD: &str = "4s";

/// The gateway's requests a second, of nginx's.
const OF_NGINX_AT_LEAST: f64 = 0.7;
/// What the gateway may add to the 99th percentile of latencies at half load, in milliseconds.
const ADDED_MS_AT_MOST: f64 = 1.0;
/// From a commit to its first answer after a nudge.
const FIRST_ANSWER_AT_MOST: Duration = Duration::from_secs(2);
/// A pass over a thousand deployments that are as they should be.
const PASS_AT_MOST: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let mut held = true;
    let mut hold = |what: &str, is_held: bool| {
        println!("{what}{}", if is_held { "" } else { "  MISSED" });
        held &= is_held;
    };
    let (pass, writes) = passes::a_thousand();
    hold(
        &format!(
            "a pass over 1,000 converged deployments: {pass:.1?}, {writes} writes (at most {PASS_AT_MOST:?}, none)"
        ),
        pass <= PASS_AT_MOST && writes == 0,
    );

    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy("");
    stage.serve();
    stage.serves("1.0.0");
    first_answers(&stage, &mut hold);
    load(&sandbox, &stage, &mut hold);
    match held {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Has other versions serve, and looks how soon they do.
fn first_answers(stage: &Stage<'_>, hold: &mut impl FnMut(&str, bool)) {
    let mut times = Vec::new();
    for version in ["1.1.0", "1.0.0", "1.1.0", "1.0.0", "1.1.0"] {
        stage.champion(version);
        let began = Instant::now();
        stage.nudge();
        stage.until(|one| {
            let serving = one["serving"][0]["version"].as_str().unwrap_or_default();
            serving.ends_with(version)
        });
        times.push(began.elapsed());
        stage.serves(version);
    }
    let took = median(times);
    hold(
        &format!(
            "from a nudge to the first answer of a new version: {took:.2?} (at most {FIRST_ANSWER_AT_MOST:?})"
        ),
        took <= FIRST_ANSWER_AT_MOST,
    );
}

/// Asks the runtime, nginx and the gateway.
fn load(sandbox: &Sandbox, stage: &Stage<'_>, hold: &mut impl FnMut(&str, bool)) {
    let body = sandbox.write("request.json", request());
    let runtime = runtime(stage);
    let nginx = Nginx::start(sandbox, &runtime);
    let path = "/v2/models/digits/infer";
    let ways = [
        ("direct", format!("http://{runtime}{path}")),
        ("nginx", format!("http://{}{path}", nginx.address)),
        ("gateway", stage.url()),
    ];
    let asked = |url: &str, rate: Option<f64>| Asked::by_hey(url, body.to_str().unwrap(), rate);
    let mut rates = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        for ((_, url), rates) in ways.iter().zip(&mut rates) {
            rates.push(asked(url, None).rate);
        }
    }
    let rates = rates.map(median);
    for ((name, _), rate) in ways.iter().zip(rates) {
        println!("{name}: {rate:.0} requests a second");
    }
    let of_nginx = rates[2] / rates[1];
    hold(
        &format!(
            "the gateway's requests a second, of nginx's: {of_nginx:.2} (at least {OF_NGINX_AT_LEAST})"
        ),
        of_nginx >= OF_NGINX_AT_LEAST,
    );

    let mut latencies = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        for ((_, url), latencies) in ways.iter().zip(&mut latencies) {
            latencies.push(asked(url, Some(rates[2] / 2.0)).p99_ms);
        }
    }
    let latencies = latencies.map(median);
    for ((name, _), latency) in ways.iter().zip(latencies) {
        println!("{name}: 99 % within {latency:.2} ms at half load");
    }
    let added = latencies[2] - latencies[0];
    hold(
        &format!("what the gateway adds to that: {added:.2} ms (at most {ADDED_MS_AT_MOST})"),
        added <= ADDED_MS_AT_MOST,
    );
}

/// Where the only runtime listens.
fn runtime(stage: &Stage<'_>) -> String {
    let mut folders = fs::read_dir(stage.state().join("instances")).unwrap();
    let folder = folders.next().unwrap().unwrap().path();
    let address: Value =
        serde_json::from_slice(&fs::read(folder.join("address.json")).unwrap()).unwrap();
    address["listening"].as_str().unwrap().to_owned()
}

/// What a load came to.
struct Asked {
    rate: f64,
    p99_ms: f64,
}

impl Asked {
    /// Asks `url` without a pause, or so often a second.
    fn by_hey(url: &str, body: &str, rate: Option<f64>) -> Self {
        let mut command = Command::new("hey");
        let clients = CLIENTS.to_string();
        command.args([
            "-z",
            LOAD,
            "-c",
            &clients,
            "-m",
            "POST",
            "-T",
            "application/json",
            "-D",
            body,
        ]);
        if let Some(rate) = rate {
            #[expect(clippy::cast_precision_loss, reason = "they are few")]
            let each = rate / CLIENTS as f64;
            command.args(["-q", &format!("{each:.0}")]);
        }
        let output = command.arg(url).output().expect("hey runs");
        let text = String::from_utf8_lossy(&output.stdout);
        let number = |mark: &str| {
            let line = text.lines().find(|line| line.contains(mark));
            let words = line
                .unwrap_or_else(|| panic!("no {mark}:\n{text}"))
                .split_whitespace();
            words
                .filter_map(|word| word.parse::<f64>().ok())
                .next_back()
                .unwrap()
        };
        let all_well = text
            .lines()
            .filter(|line| line.trim_start().starts_with('['))
            .all(|line| line.contains("[200]") || line.contains('|'));
        assert!(output.status.success() && all_well, "{text}");
        let p99 = text.lines().find(|line| line.contains("99% in"));
        let p99 = p99.and_then(|line| line.split_whitespace().nth(2)?.parse::<f64>().ok());
        Self {
            rate: number("Requests/sec:"),
            p99_ms: p99.expect("hey tells the latencies") * 1000.0,
        }
    }
}

/// nginx in front of the runtime, as it is set up where it has to be fast: connections to the
/// runtime are kept.
struct Nginx {
    process: Child,
    address: String,
}

impl Nginx {
    fn start(sandbox: &Sandbox, runtime: &str) -> Self {
        // Free a moment ago; nginx can't tell which port it got.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let folder = sandbox.path("nginx");
        let configuration = format!(
            "daemon off; worker_processes auto; pid {folder}/pid; error_log {folder}/error.log;
             events {{ worker_connections 1024; }}
             http {{
               access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
               fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
               client_body_buffer_size 1m;
               upstream runtime {{ server {runtime}; keepalive 64; }}
               server {{
                 listen {address};
                 location / {{
                   proxy_pass http://runtime; proxy_http_version 1.1; proxy_set_header Connection '';
                 }}
               }}
             }}",
            folder = folder.display()
        );
        let path = sandbox.write("nginx/nginx.conf", configuration);
        let process = Command::new("nginx")
            // Debian has it where only administrators look.
            .env("PATH", concat!(env!("PATH"), ":/usr/sbin"))
            .arg("-c")
            .arg(path)
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx runs");
        while std::net::TcpStream::connect(&address).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { process, address }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        stage::kill("-TERM", self.process.id());
        let _ = self.process.wait();
    }
}

fn median<T: PartialOrd + Copy>(mut all: Vec<T>) -> T {
    all.sort_by(|one, other| one.partial_cmp(other).expect("they can be compared"));
    all[all.len() / 2]
}
