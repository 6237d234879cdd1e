//! The built-in ONNX runtime against `onnxruntime`, on the samples' own requests, one after the
//! other.
//!
//! They are not the same work: ours is asked over HTTP, reads the request's JSON and writes the
//! answer's; `onnxruntime` is called in its process with arrays that are there already. What is told
//! is what a prediction takes from a client's side, and how much of it could be computation.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::harness::tools;
use super::median;

/// How often each is asked.
const TIMES: usize = 2000;

const SAMPLES: [(&str, &str); 4] = [
    ("digits/1.1.0", "a-three.json"),
    ("digits/1.1.0", "all-ten-at-once.json"),
    ("diabetes/1.0.0", "three-patients.json"),
    ("vibration/1.0.0", "both-at-once.json"),
];

/// Calls `onnxruntime` with a request's tensors, and prints the median time in nanoseconds.
const SCRIPT: &str = "
import json, statistics, sys, time
import numpy, onnxruntime
model, request, times = sys.argv[1], json.load(open(sys.argv[2])), int(sys.argv[3])
types = {'FP32': 'float32', 'FP64': 'float64', 'INT64': 'int64', 'UINT8': 'uint8'}
inputs = {one['name']: numpy.array(one['data'], types[one['datatype']]).reshape(one['shape'])
          for one in request['inputs']}
session = onnxruntime.InferenceSession(model)
took = []
for _ in range(times):
    began = time.perf_counter_ns()
    session.run(None, inputs)
    took.append(time.perf_counter_ns() - began)
print(int(statistics.median(took)))
";

pub(super) fn report() {
    for (sample, request) in SAMPLES {
        let folder = format!("{}/examples/{sample}", env!("CARGO_MANIFEST_DIR"));
        let request = format!("{folder}/requests/{request}");
        let ours = asked(&folder, &request);
        let theirs = Command::new(tools::path("samples-python"))
            .args(["-c", SCRIPT, &format!("{folder}/model.onnx"), &request])
            .arg(TIMES.to_string())
            .output()
            .expect("Python runs");
        let text = String::from_utf8_lossy(&theirs.stdout);
        let theirs = text.trim().parse().map(Duration::from_nanos);
        let theirs = theirs.unwrap_or_else(|_| panic!("onnxruntime tells no time: {text}"));
        println!(
            "{sample}, {}: {ours:.0?} over HTTP by the onnx runtime, {theirs:.0?} in onnxruntime's own process",
            request.rsplit('/').next().unwrap_or_default()
        );
    }
}

/// What a prediction takes by the built-in runtime, over one connection.
fn asked(folder: &str, request: &str) -> Duration {
    let runtime = Runtime::start(folder);
    let body = std::fs::read(request).expect("the sample is there");
    let tasks = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tasks.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}/v2/models/sample/infer", runtime.address);
        let mut took = Vec::new();
        for _ in 0..TIMES {
            let began = Instant::now();
            let answer = client.post(&url).body(body.clone()).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.bytes().await.unwrap();
            took.push(began.elapsed());
        }
        median(took)
    })
}

struct Runtime {
    process: Child,
    address: String,
}

impl Runtime {
    fn start(folder: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_modelyard"))
            .args(["runtime", "onnx", folder, "--name", "sample"])
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the runtime starts");
        let stdout = process.stdout.take().expect("it is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).expect("it tells where it listens");
        let address = told["listening"].as_str().unwrap().to_owned();
        Self { process, address }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
