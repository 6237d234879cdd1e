//! Whole files by a gateway, and what gateways and models do meanwhile.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::{Value, json};

use super::left;
use crate::harness::{Outcome, Sandbox, Yard, in_time};

/// What a gateway does with the request of this number, from 0.
#[derive(Debug, Clone, Copy)]
enum Does {
    /// Answers twice of each number, as this version; it does not take numbers below zero.
    Answers(&'static str),
    /// Has no room.
    IsBusy,
    /// Ends the connection.
    Breaks,
    /// Is gone, and another one comes.
    Restarts,
    /// Answers one row, whatever is asked.
    AnswersOne,
    /// Says nothing, for ever.
    Waits,
}

/// Listens there again; somebody's connection may have the port for a moment.
fn bound_again(address: SocketAddr) -> TcpListener {
    let began = Instant::now();
    loop {
        match TcpListener::bind(address) {
            Ok(listener) => return listener,
            Err(_) => in_time(began),
        }
    }
}

/// A gateway before the deployment `twice`.
struct Gateway {
    url: String,
    sizes: Arc<Mutex<Vec<usize>>>,
}

impl Gateway {
    fn that(does: impl Fn(usize) -> Does + Send + 'static) -> Self {
        let mut listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let asked = Arc::clone(&sizes);
        std::thread::spawn(move || {
            let number = AtomicUsize::new(0);
            loop {
                let Ok((stream, _)) = listener.accept() else {
                    return;
                };
                let number = number.fetch_add(1, Ordering::Relaxed);
                let does = does(number);
                if let Does::Restarts = does {
                    drop(stream);
                    drop(listener);
                    listener = bound_again(address);
                    continue;
                }
                if let Does::Waits = does {
                    asked.lock().unwrap().push(0);
                    std::mem::forget(stream);
                    continue;
                }
                if let Some(size) = answer(stream, does) {
                    asked.lock().unwrap().push(size);
                }
            }
        });
        Self {
            url: format!("http://{address}"),
            sizes,
        }
    }

    fn sizes(&self) -> Vec<usize> {
        self.sizes.lock().unwrap().clone()
    }
}

/// Answers one request, and tells how many rows it asked for.
fn answer(stream: TcpStream, does: Does) -> Option<usize> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim().to_ascii_lowercase().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap(),
            Some(_) => {}
            None if line.trim().is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let request: Value = serde_json::from_slice(&body).unwrap();
    let numbers = request["inputs"][0]["data"].as_array().unwrap().clone();
    let size = numbers.len();
    let (status, version, body) = match does {
        Does::Breaks | Does::Restarts | Does::Waits => return None,
        Does::IsBusy => ("503 Service Unavailable", "", json!({"error": "no room"})),
        Does::Answers(_) if numbers.iter().any(|number| number.as_f64() < Some(0.0)) => (
            "400 Bad Request",
            "",
            json!({"error": "numbers are at least 0"}),
        ),
        Does::Answers(version) => {
            let twice: Vec<_> = numbers
                .iter()
                .map(|number| number.as_f64().unwrap() * 2.0)
                .collect();
            let output = json!({"name": "y", "datatype": "FP64", "shape": [size], "data": twice});
            (
                "200 OK",
                version,
                json!({"model_name": "twice", "outputs": [output]}),
            )
        }
        Does::AnswersOne => {
            let output = json!({"name": "y", "datatype": "FP64", "shape": [1], "data": [1]});
            (
                "200 OK",
                "1.0.0",
                json!({"model_name": "twice", "outputs": [output]}),
            )
        }
    };
    let body = body.to_string();
    let stamps = format!("modelyard-version: {version}\r\nmodelyard-digest: sha256:{version}");
    let head = format!(
        "HTTP/1.1 {status}\r\n{stamps}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = reader.into_inner();
    stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
    Some(size)
}

/// A yard in which the model is registered that the gateways answer for.
fn twice(sandbox: &Sandbox) -> Yard<'_> {
    twice_of(sandbox, "[-1]")
}

/// The same, with an input of this shape.
fn twice_of<'a>(sandbox: &'a Sandbox, shape: &str) -> Yard<'a> {
    let yard = sandbox.yard();
    sandbox.write("own/serve.py", "");
    yard.publish("own", "numbers/twice:1.0.0").success();
    yard.merge("publish/numbers/twice/1.0.0");
    let path = "models/numbers/twice/versions/1.0.0.yaml";
    let record = std::fs::read_to_string(yard.path(path)).unwrap();
    let input = format!("  inputs: [{{name: x, datatype: FP64, shape: {shape}}}]\n");
    yard.write(path, &(record + &input));
    yard.commit("it takes numbers");
    let rows: String = (0..100).map(|number| format!("{number}\n")).collect();
    yard.write("rows.csv", &format!("x\n{rows}"));
    yard
}

fn words(gateway: &Gateway) -> Vec<&str> {
    let from = [
        "predict",
        "numbers/twice:1.0.0",
        "-f",
        "rows.csv",
        "--to",
        "out/y.csv",
    ];
    let by = [
        "--gateway",
        &gateway.url,
        "--batch-size",
        "10",
        "--parallel",
        "1",
    ];
    from.into_iter().chain(by).collect()
}

fn ask(yard: &Yard<'_>, gateway: &Gateway, more: &[&str]) -> Outcome {
    yard.modelyard(words(gateway).iter().chain(more)).run()
}

fn twice_of_all() -> String {
    let rows: String = (0..100).map(|number| format!("{}\n", number * 2)).collect();
    format!("y\n{rows}")
}

#[test]
fn a_gateway_that_restarts_or_is_busy_is_waited_for() {
    let sandbox = Sandbox::new();
    let yard = twice(&sandbox);
    let gateway = Gateway::that(|number| match number {
        2 => Does::Breaks,
        4 => Does::Restarts,
        6 => Does::IsBusy,
        _ => Does::Answers("1.0.0"),
    });
    let done = ask(&yard, &gateway, &[]).success();
    assert!(
        done.stdout
            .contains("100 rows answered by numbers/twice:1.0.0"),
        "{}",
        done.stdout
    );
    assert_eq!(
        std::fs::read_to_string(yard.path("out/y.csv")).unwrap(),
        twice_of_all()
    );
    assert_eq!(left(&yard), ["y.csv"]);
}

#[test]
fn the_row_is_found_that_the_model_refuses() {
    let sandbox = Sandbox::new();
    let yard = twice(&sandbox);
    let rows = std::fs::read_to_string(yard.path("rows.csv")).unwrap();
    yard.write(
        "rows.csv",
        &rows
            .replace("\n33\n", "\n-33\n")
            .replace("\n36\n", "\n-36\n"),
    );
    let gateway = Gateway::that(|_| Does::Answers("1.0.0"));
    let stopped = ask(&yard, &gateway, &[]).exits(2);
    insta::assert_snapshot!(stopped.stderr, @r#"
    what is done is kept: the same command goes on from there
    error[row-refused]: rows.csv, line 35: the model does not answer it: numbers are at least 0
      help: see what the model takes by `modelyard show`; --on-error skip leaves such rows out
      more: modelyard explain row-refused
    "#);
    let done = ask(&yard, &gateway, &["--on-error", "skip"]).exits(1);
    assert!(
        done.stdout.contains("30 rows of them by an earlier run"),
        "{}",
        done.stdout
    );
    let result = std::fs::read_to_string(yard.path("out/y.csv")).unwrap();
    assert_eq!(
        result,
        twice_of_all()
            .replace("\n66\n", "\n")
            .replace("\n72\n", "\n")
    );
    let errors = std::fs::read_to_string(yard.path("out/y.csv.errors.jsonl")).unwrap();
    insta::assert_snapshot!(errors, @r#"
    {"row":34,"line":35,"code":"row-refused","error":"the model does not answer it: numbers are at least 0"}
    {"row":37,"line":38,"code":"row-refused","error":"the model does not answer it: numbers are at least 0"}
    "#);
    // What was answered before was not asked again.
    assert_eq!(
        gateway.sizes().iter().filter(|&&size| size == 10).count(),
        11
    );
}

#[test]
fn a_version_that_takes_a_fixed_number_of_rows_is_asked_just_as_many() {
    let sandbox = Sandbox::new();
    let yard = twice_of(&sandbox, "[8, 1]");
    let gateway = Gateway::that(|_| Does::Answers("1.0.0"));
    let stopped = ask(&yard, &gateway, &[]).exits(2);
    insta::assert_snapshot!(stopped.stderr, @r#"
    what is done is kept: the same command goes on from there
    error[row-refused]: rows.csv, line 98: the version takes exactly 8 rows at once, and only 4 are left
      help: add rows, or register a version whose first size is -1; --on-error skip leaves such rows out
      more: modelyard explain row-refused
    "#);
    ask(&yard, &gateway, &["--on-error", "skip"]).exits(1);
    let result = std::fs::read_to_string(yard.path("out/y.csv")).unwrap();
    assert_eq!(result.lines().count(), 97);
    assert_eq!(gateway.sizes(), [8; 12]);
}

#[test]
fn two_versions_never_answer_one_file() {
    let sandbox = Sandbox::new();
    let yard = twice(&sandbox);
    let gateway = Gateway::that(|number| Does::Answers(if number < 5 { "1.0.0" } else { "1.1.0" }));
    let refused = ask(&yard, &gateway, &[]).exits(2);
    insta::assert_snapshot!(refused.stderr, @r#"
    error[begun-otherwise]: another version answers than before: 1.1.0 sha256:1.1.0 now, 1.0.0 sha256:1.0.0 before
      help: go on with the version of before, by its number and without --environment and --gateway, or begin anew by --restart
      more: modelyard explain begun-otherwise
    "#);
    let still = ask(&yard, &gateway, &[]).exits(2);
    assert!(
        still.stderr.contains("error[begun-otherwise]"),
        "{}",
        still.stderr
    );
    let anew = ask(&yard, &gateway, &["--restart"]).success();
    assert!(
        anew.stdout
            .contains("100 rows answered by numbers/twice:1.1.0"),
        "{}",
        anew.stdout
    );
}

#[test]
fn an_answer_that_is_not_a_row_for_each_row_is_none() {
    let sandbox = Sandbox::new();
    let yard = twice(&sandbox);
    let gateway = Gateway::that(|_| Does::AnswersOne);
    let refused = ask(&yard, &gateway, &[]).exits(2);
    insta::assert_snapshot!(refused.stderr, @r#"
    error[no-result-rows]: output `y` has the shape [1], which is not one row for each of 10
      help: ask it by requests of the Open Inference Protocol in JSON
      more: modelyard explain no-result-rows
    "#);
    assert_eq!(left(&yard), [""; 0]);
}

#[cfg(feature = "real-tools")]
#[test]
fn a_run_that_was_interrupted_goes_on() {
    let sandbox = Sandbox::new();
    let yard = twice(&sandbox);
    let silent = Gateway::that(|number| match number {
        5 => Does::Waits,
        _ => Does::Answers("1.0.0"),
    });
    let mut command = yard.modelyard(words(&silent)).into_command();
    let mut run = command.spawn().unwrap();
    let began = Instant::now();
    while silent.sizes().len() < 6 {
        in_time(began);
    }
    let pid = rustix::process::Pid::from_child(&run);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(130));
    let journal = std::fs::read_to_string(yard.path("out/y.csv.journal")).unwrap();
    let journal: Value = serde_json::from_str(&journal).unwrap();
    assert!(journal["rows"].as_u64().unwrap() >= 10, "{journal}");
    let gateway = Gateway::that(|_| Does::Answers("1.0.0"));
    ask(&yard, &gateway, &[]).success();
    assert_eq!(
        std::fs::read_to_string(yard.path("out/y.csv")).unwrap(),
        twice_of_all()
    );
    assert!(gateway.sizes().len() < 10);
}
