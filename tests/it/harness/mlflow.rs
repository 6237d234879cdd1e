//! A real MLflow tracking server on a free loopback port, with SQLite and a folder of its own.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::shared::Shared;
use super::{tools, web};

/// How often another port is tried where somebody else took the one that was free.
const TRIES: usize = 5;

/// How long it may take to come up on a machine that builds at the same time: it is Python.
const PATIENCE: Duration = Duration::from_secs(300);

/// A running server.
pub struct Mlflow {
    process: Shared,
    host: String,
    major: u8,
}

impl Mlflow {
    /// One of this major version, with nothing in it.
    pub fn start(major: u8) -> Self {
        Self::start_with(major, &["--artifacts-destination", "store"], &[])
    }

    /// The same with other words, and these variables.
    pub fn start_with(major: u8, words: &[&str], variables: &[(&str, &str)]) -> Self {
        for _ in 0..TRIES {
            if let Some(server) = Self::try_start(major, words, variables) {
                return server;
            }
        }
        panic!("MLflow {major} found no free port");
    }

    fn try_start(major: u8, words: &[&str], variables: &[(&str, &str)]) -> Option<Self> {
        let host = web::free_host();
        let (_, port) = host.rsplit_once(':').expect("a host and a port");
        let fixed = ["server", "--backend-store-uri", "sqlite:///mlflow.db"];
        let listening = ["--host", "127.0.0.1", "--port", port, "--workers", "1"];
        let all = [&fixed[..], &listening, words].concat();
        let variables = [&quiet(), variables].concat();
        let program = tools::path(&format!("mlflow{major}"));
        let mut server = Self {
            process: Shared::start(&program, &all, &variables),
            host,
            major,
        };
        let prefix = words.iter().skip_while(|word| **word != "--static-prefix");
        let health = format!("{}/health", prefix.copied().nth(1).unwrap_or_default());
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = web::try_ask(&server.host, "GET", &health, &[], None);
            if answer.is_ok_and(|answer| answer.status == 200) {
                return Some(server);
            }
            let log = server.log();
            if log.contains("address already in use") {
                return None;
            }
            assert!(server.process.is_running(), "MLflow {major} ended:\n{log}");
            assert!(
                Instant::now() < deadline,
                "MLflow {major} is not up:\n{log}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.host.clone()
    }

    /// Where it keeps its database `mlflow.db` and its `store`.
    pub fn folder(&self) -> &Path {
        self.process.folder()
    }

    /// All it said so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Has its own client run a program of Python's.
    #[track_caller]
    pub fn run(&self, words: &[&Path], variables: &[(&str, &str)]) {
        let mut command = Command::new(tools::path(&format!("mlflow{}-python", self.major)));
        command
            .args(words)
            .env("MLFLOW_TRACKING_URI", format!("http://{}", self.host))
            .envs(quiet())
            .envs(variables.iter().copied())
            .current_dir(self.folder());
        let output = command.output().expect("Python runs");
        assert!(
            output.status.success(),
            "{}\n{}",
            String::from_utf8_lossy(&output.stderr),
            self.log()
        );
    }
}

/// What keeps it from asking anybody else, and from doing what nobody asked for.
fn quiet() -> [(&'static str, &'static str); 3] {
    [
        ("MLFLOW_DISABLE_TELEMETRY", "true"),
        ("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false"),
        ("GIT_PYTHON_REFRESH", "quiet"),
    ]
}
