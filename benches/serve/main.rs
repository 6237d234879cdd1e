//! `modelyard serve` under load, against a direct connection to the runtime and against nginx as a
//! proxy to it; how soon a commit serves; and what a pass over a thousand deployments costs.
//!
//! All three answer the same requests of the sample `digits`, in turn, and the medians count: as
//! fast as they can for the requests a second, and at half of the gateway's rate, evenly, for the
//! latencies. What the gateway adds is the median of what it adds in each turn to the direct
//! connection of the same turn. Last, what a prediction takes beside `onnxruntime`.
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
mod inference;
mod load;
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

/// How often each is asked as fast as it can.
const ROUNDS: usize = 7;
/// How often each is asked evenly: by short turns, so that what slows the machine down for a while
/// slows all three.
const EVEN_ROUNDS: usize = 21;
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
    under_load(&sandbox, &stage, &mut hold);
    inference::report();
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
fn under_load(sandbox: &Sandbox, stage: &Stage<'_>, hold: &mut impl FnMut(&str, bool)) {
    let body = sandbox.write("request.json", request());
    let runtime = runtime(stage);
    let nginx = Nginx::start(sandbox, &runtime);
    let path = "/v2/models/digits/infer";
    let ways = [
        ("direct", format!("http://{runtime}{path}")),
        ("nginx", format!("http://{}{path}", nginx.address)),
        ("gateway", stage.url()),
    ];
    let body = body.to_str().unwrap();
    let mut rates = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        for ((_, url), rates) in ways.iter().zip(&mut rates) {
            rates.push(load::rate(url, body));
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
    for _ in 0..EVEN_ROUNDS {
        for ((_, url), latencies) in ways.iter().zip(&mut latencies) {
            latencies.push(load::p99_ms(url, body, rates[2] / 2.0));
        }
    }
    let pairs = latencies[2].iter().zip(&latencies[0]);
    let added = median(pairs.map(|(gateway, direct)| gateway - direct).collect());
    for ((name, _), latencies) in ways.iter().zip(latencies) {
        let latency = median(latencies);
        println!("{name}: 99 % within {latency:.2} ms at half load");
    }
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
               upstream runtime {{ server {runtime}; keepalive 64; keepalive_requests 10000000; }}
               keepalive_requests 10000000;
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
