//! A real MLflow tracking server on a free loopback port, with SQLite and a folder of its own.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use super::{tools, web};

/// How often another port is tried where somebody else took the one that was free.
const TRIES: usize = 5;

/// How long it may take to come up on a machine that builds at the same time: it is Python.
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs `"$@"` until it ends or the standard input does, and leaves nothing of it: many tests of
/// one process share a server, and nobody drops it.
const SHELL: &str = r#"
folder=$1; shift
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ cat <&3; kill -KILL "$server"; rm -rf "$folder"; kill -KILL 0; } >/dev/null 2>&1 &
exec 3<&-
wait "$server"
"#;

/// A running server.
pub struct Mlflow {
    child: Child,
    alive: Option<ChildStdin>,
    folder: PathBuf,
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
        let folder = tempfile::Builder::new()
            .prefix("modelyard-mlflow-")
            .tempdir();
        let folder = folder.expect("a temporary folder can be made").keep();
        let host = web::free_host();
        let (_, port) = host.rsplit_once(':').expect("a host and a port");
        let log = File::create(folder.join("log")).expect("a fresh folder can be filled");
        let mut child = Command::new("/bin/sh")
            .args(["-c", SHELL, "sh"])
            .arg(&folder)
            .arg(tools::path(&format!("mlflow{major}")))
            .args(["server", "--backend-store-uri", "sqlite:///mlflow.db"])
            .args(["--host", "127.0.0.1", "--port", port, "--workers", "1"])
            .args(words)
            .envs(quiet())
            .envs(variables.iter().copied())
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a file handle can be doubled"))
            .stderr(log)
            // What its shell ends at last is a group, which must not be the tests'.
            .process_group(0)
            .spawn()
            .expect("there is a shell");
        let alive = child.stdin.take();
        let mut server = Self {
            child,
            alive,
            folder,
            host,
            major,
        };
        let prefix = words
            .iter()
            .skip_while(|word| **word != "--static-prefix")
            .nth(1);
        let health = format!("{}/health", prefix.unwrap_or(&""));
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = web::try_ask(&server.host, "GET", &health, &[], None);
            if answer.is_ok_and(|answer| answer.status == 200) {
                return Some(server);
            }
            if server.log().contains("address already in use") {
                return None;
            }
            let ended = server.child.try_wait().expect("a child can be asked");
            assert!(ended.is_none(), "MLflow {major} ended:\n{}", server.log());
            assert!(
                Instant::now() < deadline,
                "MLflow {major} is not up:\n{}",
                server.log()
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
        &self.folder
    }

    /// All it said so far.
    pub fn log(&self) -> String {
        let log = fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
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
            .current_dir(&self.folder);
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
fn quiet() -> [(&'static str, &'static str); 4] {
    [
        ("MLFLOW_DISABLE_TELEMETRY", "true"),
        ("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false"),
        ("GIT_PYTHON_REFRESH", "quiet"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
    ]
}

impl Drop for Mlflow {
    fn drop(&mut self) {
        self.alive = None;
        // Its shell ends by its own hand.
        let _ = self.child.wait();
    }
}
