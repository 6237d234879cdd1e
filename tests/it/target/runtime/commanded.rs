//! Any program as a runtime: `modelyard runtime command`.

use std::path::Path;

use super::running::{Running, command};
use crate::harness::Sandbox;

/// A program that speaks as much of the protocol as it takes to see what it was told.
const PROGRAM: &str = r#"#!/usr/bin/env python3
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        told = {name: os.environ[name] for name in ("PORT", "MODEL_NAME", "MODEL_VERSION", "MODEL_FOLDER")}
        body = json.dumps(dict(told, arguments=sys.argv[1:], here=os.getcwd())).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"#;

fn folder(sandbox: &Sandbox) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let program = sandbox.write("served/server", PROGRAM);
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program.parent().unwrap().to_owned()
}

#[test]
fn a_program_listens_where_it_is_told() {
    let sandbox = Sandbox::new();
    let folder = folder(&sandbox);
    let options = ["--program", "server", "--", "--at={host}:{port}", "{x}"];
    let mut runtime =
        Running::of(&mut command(&sandbox, "command", &folder, &options)).once_ready();
    let answer = runtime.get("/v2/health/ready").json();
    let (_, port) = runtime.address.rsplit_once(':').unwrap();
    assert_eq!(answer["PORT"], port);
    assert_eq!(answer["MODEL_NAME"], "digits");
    assert_eq!(answer["MODEL_VERSION"], "1.0.0");
    assert_eq!(answer["arguments"][0], format!("--at={}", runtime.address));
    assert_eq!(answer["arguments"][1], "{x}");
    assert_eq!(Path::new(answer["here"].as_str().unwrap()), folder);
    assert_eq!(answer["MODEL_FOLDER"], answer["here"]);
    runtime.terminate();
    assert!(!runtime.ended().success());
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let sandbox = Sandbox::new();
    let folder = folder(&sandbox);
    let words = [
        "runtime",
        "command",
        folder.to_str().unwrap(),
        "--name",
        "x",
        "--program",
        "none",
    ];
    let done = sandbox.modelyard(words).run();
    assert_eq!(done.code, Some(2));
    assert!(
        done.stderr.starts_with("error[nothing-to-serve]"),
        "{}",
        done.stderr
    );
    sandbox.write("served/text", "not a program");
    let words = [
        "runtime",
        "command",
        folder.to_str().unwrap(),
        "--name",
        "x",
        "--program",
        "text",
    ];
    let done = sandbox.modelyard(words).run();
    assert!(done.stderr.contains("can't be started"), "{}", done.stderr);
}
