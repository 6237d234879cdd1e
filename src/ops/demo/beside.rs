//! What runs beside the story: a server, and commands that tell what changes.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::stage::{Stage, words};
use super::{DemoError, Event};
use crate::platform::atomic::FileError;
use crate::record::Failure;

/// How long something may take to come about that is watched.
const PATIENCE: Duration = Duration::from_secs(180);

/// How often something is looked for that comes in a moment; each look takes some milliseconds.
const LOOKS: usize = 1000;

impl Stage<'_> {
    /// Begins `line`, and goes on with the story while it runs; what it says goes to a file.
    pub(super) fn begin(&mut self, folder: &str, line: &str, log: &str) -> Result<(), Failure> {
        let shown = format!("{line} 2>{log} &");
        (self.listener)(Event::Command {
            folder,
            line: &shown,
        });
        (self.listener)(Event::Printed(""));
        let path = self.folder.join(folder).join(log);
        let said = File::options().create(true).append(true).open(&path);
        let said = said.map_err(FileError::at("write", path))?;
        let mut command = self.command(folder, &words(line));
        command.stdout(Stdio::null()).stderr(said);
        let child = command.spawn().map_err(|source| DemoError::NotStarted {
            program: line.to_owned(),
            source,
        })?;
        self.beside.push(child);
        self.commands += 1;
        Ok(())
    }

    /// Ends what runs beside the story, well.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        for mut child in std::mem::take(&mut self.beside) {
            self.run("", &format!("kill {}", child.id()))?;
            let status = child.wait();
            if !status.as_ref().is_ok_and(ExitStatus::success) {
                return Err(self.otherwise("an end without an error".to_owned(), "another one"));
            }
        }
        Ok(())
    }

    /// Runs `line`, which tells what changes for as long as it runs, until it has told each of
    /// `texts`, one behind the other; `between` is called when one was told.
    pub(super) fn watches(
        &mut self,
        folder: &str,
        line: &str,
        texts: &[&str],
        between: &mut dyn FnMut(&mut Self, usize) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        (self.listener)(Event::Command { folder, line });
        let mut command = self.command(folder, &words(line));
        let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.map_err(|source| DemoError::NotStarted {
            program: line.to_owned(),
            source,
        })?;
        let stdout = child.stdout.take().expect("its output is piped");
        // A deadline for a reader that waits: who is watched ends with it.
        let watched = child.id().to_string();
        let (done, over) = mpsc::channel::<()>();
        let guard = thread::spawn(move || {
            if over.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").arg(watched).status();
            }
        });
        let mut told = 0;
        let mut outcome = Ok(());
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let text = anstream::adapter::strip_str(&line).to_string();
            if !text.is_empty() {
                (self.listener)(Event::Line(&line));
            }
            while outcome.is_ok() && texts.get(told).is_some_and(|wanted| text.contains(wanted)) {
                outcome = between(self, told);
                told += 1;
            }
            if told == texts.len() || outcome.is_err() {
                break;
            }
        }
        let _ = done.send(());
        let _ = guard.join();
        // It never ends by itself.
        let _ = child.kill();
        let _ = child.wait();
        (self.listener)(Event::Printed(""));
        outcome?;
        self.commands += 1;
        match texts.get(told) {
            None => Ok(()),
            Some(text) => Err(self.otherwise(format!("`{text}`"), "nothing of the kind")),
        }
    }

    /// Waits until the server tells of itself.
    pub(super) fn comes_up(&mut self, folder: &str) -> Result<(), Failure> {
        self.awaits(folder, "a server that answers", |status| {
            status["listening"].is_string().then_some(())
        })
    }

    /// Waits until a revert is written; tells its branch.
    pub(super) fn reverted(&mut self, folder: &str) -> Result<String, Failure> {
        self.awaits(folder, "a revert on a branch", |status| {
            let revert = &status["deployments"][0]["failed"][0]["revert"];
            revert.as_str().map(str::to_owned)
        })
    }

    fn awaits<T>(
        &mut self,
        folder: &str,
        what: &str,
        look: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, Failure> {
        for _ in 0..LOOKS {
            if let Some(found) = look(&self.status(folder)?) {
                return Ok(found);
            }
        }
        Err(self.otherwise(what.to_owned(), "none"))
    }

    /// What `modelyard status` tells machines of the environment.
    pub(super) fn status(&mut self, folder: &str) -> Result<Value, Failure> {
        let line = words("modelyard status --environment host --output json");
        let output = self.command(folder, &line).output();
        let output = output.map_err(|source| DemoError::NotStarted {
            program: "modelyard".to_owned(),
            source,
        })?;
        Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        // A story that broke off leaves nothing running.
        for child in &mut self.beside {
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            let _ = child.wait();
        }
    }
}
