//! Versions of `math/double`: programs in Python that answer twice what they are asked, or what a
//! test wants, served by the runtime `command`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use super::stage::{DEPLOYMENT, Stage};

/// Speaks the protocol; `ANSWER` is an expression of `x`.
const PROGRAM: &str = r#"#!/usr/bin/env python3
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body):
        body = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer({"name": os.environ["MODEL_NAME"]})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        x = asked["inputs"][0]["data"][0]
        y = {"name": "y", "datatype": "INT64", "shape": [1], "data": [ANSWER]}
        self.answer({"model_name": os.environ["MODEL_NAME"], "outputs": [y]})

    def log_message(self, *_):
        pass


ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"#;

const RECORD: &str = "\
apiVersion: modelyard.dev/v1
kind: ModelVersion
metadata: {namespace: math, name: double, version: VERSION}
spec:
  lifecycle: staged
  format: {name: program}
  runtime: RUNTIME
  entrypoint: {file: server}
  inputs: [{name: x, datatype: INT64, shape: [1]}]
  outputs: [{name: y, datatype: INT64, shape: [1]}]
  tests:
";

const MODEL: &str = "\
apiVersion: modelyard.dev/v1
kind: Model
metadata: {namespace: math, name: double}
spec: {title: Twice, owners: [{team: math}]}
";

/// A request for twice `x`.
pub(super) fn request(x: i64) -> String {
    format!(r#"{{"inputs": [{{"name": "x", "datatype": "INT64", "shape": [1], "data": [{x}]}}]}}"#)
}

/// Publishes a version that answers `answer`, an expression of Python; its golden tests ask for
/// twice 1, 3 and 7.
pub(super) fn publish(stage: &Stage<'_>, version: &str, answer: &str) {
    publish_as(stage, version, answer, "{name: command}");
}

/// The same, with this as the record's `runtime`.
pub(super) fn publish_as(stage: &Stage<'_>, version: &str, answer: &str, runtime: &str) {
    let place = format!("programs/{version}");
    let program = PROGRAM.replace("ANSWER", answer);
    let program = stage.sandbox.write(format!("{place}/server"), program);
    fs::set_permissions(program, Permissions::from_mode(0o755)).unwrap();
    let mut record = RECORD
        .replace("VERSION", version)
        .replace("RUNTIME", runtime);
    for x in [1, 3, 7] {
        record += &format!(
            "    - {{name: twice {x}, request: {}, expect: {{outputs: [{{name: y, datatype: INT64, shape: [1], data: [{}]}}]}}}}\n",
            request(x),
            x * 2
        );
    }
    let records = [("model", MODEL), ("version", record.as_str())];
    let records = records.map(|(name, text)| {
        let path = stage.sandbox.write(format!("records/{name}.yaml"), text);
        path.to_str().unwrap().to_owned()
    });
    let folder = stage.sandbox.path(&place);
    stage.publish_from(folder.to_str().unwrap(), &records, "math/double", version);
}

/// Has main say that `version` is what the deployment `digits` serves, with this behind its spec.
pub(super) fn deploy(stage: &Stage<'_>, version: &str, more: &str) {
    let record = DEPLOYMENT.replace("vision/digits", "math/double");
    let record = record.replace("champion", version) + more;
    stage.yard.write("deployments/host/digits.yaml", &record);
    stage.merge_all("A program");
}

/// Waits until `version` is all that serves.
#[track_caller]
pub(super) fn serves(stage: &Stage<'_>, version: &str) {
    let version = format!("math/double {version}");
    stage.until(|one| one["health"] == "healthy" && one["stable"] == version.as_str());
}
