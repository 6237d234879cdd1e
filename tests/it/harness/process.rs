//! A server as a child process: awaited by what it says, ended on drop.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take to come up on a machine that builds at the same time.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often its log is looked at meanwhile.
const POLL: Duration = Duration::from_millis(5);

/// A running server whose output goes to a file.
pub(super) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`, its output going to `log`.
    pub(super) fn start(command: &mut Command, log: &Path) -> Self {
        let file = File::create(log).expect("the log can be written");
        let twin = file.try_clone().expect("a file handle can be doubled");
        let child = command
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(twin)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        Self {
            child,
            log: log.to_owned(),
        }
    }

    /// Waits until the log has a line with `mark`, and gives the word right behind it.
    ///
    /// Servers listen on port 0 and say which port they got, so no two tests can collide.
    pub(super) fn word_after(&mut self, mark: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = self.log();
            let whole_lines = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
            if let Some((_, behind)) = whole_lines.split_once(mark) {
                let end = behind.find(|c: char| c.is_whitespace() || c == '"');
                return behind[..end.unwrap_or(behind.len())].to_owned();
            }
            let ended = self.child.try_wait().expect("a child can be asked");
            assert!(ended.is_none(), "the server ended ({ended:?}):\n{log}");
            assert!(
                Instant::now() < deadline,
                "the server never said «{mark}»:\n{log}"
            );
            thread::sleep(POLL);
        }
    }

    /// All it said so far.
    pub(super) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
