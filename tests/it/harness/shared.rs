//! A server that many tests of one process share, and that nobody drops: it ends with the process.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

/// Runs `"$@"` until it ends or the standard input does, and leaves nothing of it.
const SHELL: &str = r#"
folder=$1; shift
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ cat <&3; kill -KILL "$server"; rm -rf "$folder"; kill -KILL 0; } >/dev/null 2>&1 &
exec 3<&-
wait "$server"
"#;

/// A running server, in a folder of its own.
pub(super) struct Shared {
    child: Child,
    alive: Option<ChildStdin>,
    folder: PathBuf,
}

impl Shared {
    /// Starts `program` in a fresh folder.
    pub(super) fn start(program: &Path, words: &[&str], variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("modelyard-shared-")
            .tempdir()
            .expect("a temporary folder can be made")
            .keep();
        let log = File::create(folder.join("log")).expect("a fresh folder can be filled");
        let mut child = Command::new("/bin/sh")
            .args(["-c", SHELL, "sh"])
            .arg(&folder)
            .arg(program)
            .args(words)
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
        Self {
            child,
            alive,
            folder,
        }
    }

    /// The folder that it works in.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// All it said so far.
    pub(super) fn log(&self) -> String {
        let log = fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Whether it has not ended.
    pub(super) fn is_running(&mut self) -> bool {
        let ended = self.child.try_wait().expect("a child can be asked");
        ended.is_none()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.alive = None;
        // Its shell ends by its own hand.
        let _ = self.child.wait();
    }
}
