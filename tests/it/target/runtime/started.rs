//! What is started as a runtime, and is none.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use modelyard::record::Fault;
use modelyard::target::runtime::started::{Start, Started};

use super::running::sample;
use crate::harness::Sandbox;

/// What comes of starting a shell script as a runtime.
fn started(script: &str) -> String {
    let start = Start {
        program: "sh".into(),
        arguments: vec!["-c".into(), script.into()],
        model: "digits".parse().unwrap(),
        patience: Duration::from_secs(if script.contains("sleep") { 1 } else { 60 }),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let error = runtime.block_on(Started::start(start)).unwrap_err();
    format!("{}: {error}", error.code())
}

#[test]
fn a_runtime_that_is_none_is_told_as_what_it_is() {
    insta::assert_snapshot!(started("echo no memory >&2; exit 3"), @r#"
    runtime-ended: the runtime of `digits` ended by itself (exit status: 3)
      | no memory
    "#);
    insta::assert_snapshot!(started("echo '<html>'; exec sleep 60"), @"runtime-nonsense: the runtime of `digits` says `<html>` in place of its address");
    insta::assert_snapshot!(started("echo loading >&2; sleep 60"), @r#"
    runtime-not-ready: the runtime of `digits` was not ready after 1 s
      | loading
    "#);
    // It closes its output and says nothing more.
    insta::assert_snapshot!(started("exec >&-; sleep 60"), @"runtime-nonsense: the runtime of `digits` says nothing in place of its address");
}

#[test]
fn an_address_where_somebody_else_answers_is_told() {
    for (answer, code) in [
        (
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>It works!</html>",
            "runtime-nonsense",
        ),
        (
            "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n",
            "prediction-refused",
        ),
    ] {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in server.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 1024]);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        let told = started(&format!("echo '{{\"listening\":\"{address}\"}}'; exec cat"));
        assert!(told.starts_with(code), "{told}");
    }
}

#[test]
fn a_runtime_ends_when_whoever_started_it_is_gone() {
    let sandbox = Sandbox::new();
    let model = sample("digits/1.0.0");
    let arguments = [
        "runtime",
        "onnx",
        model.to_str().unwrap(),
        "--name",
        "x",
        "--with-parent",
    ];
    let mut command = sandbox.modelyard(arguments).into_command();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}
