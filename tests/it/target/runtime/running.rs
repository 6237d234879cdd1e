//! A runtime that runs, and what is said to it: bytes on a socket, so that a test can say anything.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Sandbox, in_time};

/// How long an answer may take on a machine that builds at the same time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A sample's folder of files.
pub(crate) fn sample(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(version)
}

/// A sample's request.
pub(crate) fn request(path: &str) -> String {
    std::fs::read_to_string(sample(path)).unwrap()
}

/// A runtime, killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    /// Held, so that nothing the runtime says there breaks it.
    _stdout: BufReader<ChildStdout>,
    pub(crate) address: String,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The status and what is wrong.
    pub(crate) fn refusal(&self) -> String {
        let reason = self.json()["error"].as_str().unwrap_or("?").to_owned();
        format!("{} {reason}", self.status)
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{}{}",
            self.head,
            String::from_utf8_lossy(&self.body)
        )
    }
}

impl Running {
    /// Starts it, and waits until it tells its address; its model may not be loaded yet.
    pub(crate) fn started(sandbox: &Sandbox, model: &Path, options: &[&str]) -> Self {
        Self::of(command(sandbox, "onnx", model, options).stdin(Stdio::null()))
    }

    /// Starts what `command` says, and waits until it tells its address.
    pub(crate) fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let announced: Value = serde_json::from_str(&line).unwrap();
        Self {
            child,
            _stdout: stdout,
            address: announced["listening"].as_str().unwrap().to_owned(),
        }
    }

    /// Starts it, and waits until its model is loaded.
    pub(crate) fn ready(sandbox: &Sandbox, model: &Path, options: &[&str]) -> Self {
        Self::started(sandbox, model, options).once_ready()
    }

    /// Waits until its model is loaded.
    pub(crate) fn once_ready(mut self) -> Self {
        let began = Instant::now();
        while !self.is_ready() {
            let ended = self.child.try_wait().unwrap();
            assert_eq!(ended, None, "it ended before it was ready");
            in_time(began);
        }
        self
    }

    /// Whether it says that it is; it may tell where it will listen before it does.
    fn is_ready(&self) -> bool {
        let listens = TcpStream::connect(&self.address).is_ok();
        listens && self.get("/v2/health/ready").status == 200
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Says `bytes`, and reads what is answered until the other side ends it.
    pub(crate) fn say(&self, bytes: impl AsRef<[u8]>) -> Answer {
        let mut stream = self.connect();
        stream.write_all(bytes.as_ref()).unwrap();
        read(&stream)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.say(format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        ))
    }

    pub(crate) fn infer(&self, body: impl AsRef<[u8]>) -> Answer {
        self.post("/v2/models/digits/infer", "", body)
    }

    /// Posts `body`, with `headers` that each end in CR LF.
    pub(crate) fn post(&self, path: &str, headers: &str, body: impl AsRef<[u8]>) -> Answer {
        self.say(posted(path, headers, body.as_ref()))
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn terminate(&self) {
        let id = self.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Ends what it reads.
    pub(crate) fn end_input(&mut self) {
        drop(self.child.stdin.take());
    }

    pub(crate) fn ended(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            in_time(began);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `modelyard runtime KIND MODEL`, as `digits` of version 1.0.0.
pub(crate) fn command(sandbox: &Sandbox, kind: &str, model: &Path, options: &[&str]) -> Command {
    let mut arguments: Vec<OsString> = vec!["runtime".into(), kind.into(), model.into()];
    arguments.extend(["--name", "digits", "--version", "1.0.0"].map(OsString::from));
    arguments.extend(options.iter().map(OsString::from));
    sandbox.modelyard(arguments).into_command()
}

pub(crate) fn posted(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

pub(crate) fn read(stream: &TcpStream) -> Answer {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while reader.read_line(&mut head).unwrap() > 2 {}
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let mut answer = Answer {
        status: status.unwrap_or_else(|| panic!("no answer: {head:?}")),
        head,
        body: Vec::new(),
    };
    match answer
        .header("content-length")
        .map(|length| length.parse().unwrap())
    {
        Some(length) => {
            answer.body.resize(length, 0);
            reader.read_exact(&mut answer.body).unwrap();
        }
        None => {
            reader.read_to_end(&mut answer.body).unwrap();
        }
    }
    answer
}
