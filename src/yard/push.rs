//! Pushes a branch, and hears whether it was taken.
//!
//! libgit2's push succeeds when a hook on the other side refuses; only its callback for each
//! reference tells. To a folder of this machine libgit2 writes by itself and runs no hook at
//! all, so there git's own program pushes.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::process::{Command, Stdio};

use git2::{Direction, Error, ErrorCode, Oid, PushOptions, Repository as GitRepository};

use super::error::{GitError, YardError};
use super::remote::{self, Line, Mirrored};
use super::{CommitId, Yard};
use crate::platform::redact::{self, printable};

/// The most of a remote's words that is kept: a hook's explanation, not a flood.
const MAX_SAID_BYTES: usize = 16 * 1024;

/// What marks that a branch moved between our look and our push, in the words of git and
/// libgit2, here or on the other side.
const MOVED_ON: [&str; 8] = [
    "stale info",
    "fetch first",
    "non-fast-forward",
    "non-fastforward",
    "failed to update ref",
    "cannot lock ref",
    "reference already exists",
    "incorrect old value",
];

/// A branch that was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The remote's name.
    pub remote: String,
    /// Where it is, without credentials.
    pub url: String,
    /// The branch there.
    pub branch: String,
    /// What the remote said besides, control characters escaped: forges tell here where to open
    /// a pull request.
    pub said: String,
    /// Whether the remote had it already.
    pub unchanged: bool,
}

/// A push of one commit to one reference.
pub(super) struct Push<'a> {
    /// The remote's name.
    pub(super) remote: &'a str,
    /// The reference there, and what notes here what it is there.
    pub(super) reference: Mirrored,
    /// What it shall be.
    pub(super) commit: CommitId,
    /// What it was when we looked; only then it moves.
    pub(super) expected: Option<CommitId>,
}

impl Push<'_> {
    /// Pushes, and notes what the remote's branch is now.
    pub(super) fn run(&self, git: &GitRepository, yard: &Yard) -> Result<Pushed, YardError> {
        let url = remote::url(git, self.remote, Direction::Push)?;
        let unchanged = self.expected == Some(self.commit);
        let said = if unchanged {
            String::new()
        } else if remote::local_path(&url).is_some() {
            self.by_program(git, &url)?
        } else {
            self.by_library(git, &Line::new(git, &yard.place(), url.clone()))?
        };
        // The next fetch notes the same, should this not be possible now.
        let tracking = &self.reference.ours;
        let _ = git.reference(tracking, self.commit, true, "modelyard: push");
        Ok(Pushed {
            remote: self.remote.to_owned(),
            url: redact::remote(&url),
            branch: self.name(),
            said,
            unchanged,
        })
    }

    fn by_library(&self, git: &GitRepository, line: &Line<'_>) -> Result<String, YardError> {
        let mut remote = git
            .remote_anonymous(&line.url)
            .map_err(|error| line.failed(error))?;
        let refused = RefCell::new(None);
        let moved_on = Cell::new(false);
        let said = RefCell::new(Vec::new());
        let expected = self.expected.unwrap_or(Oid::ZERO_SHA1);
        let mut callbacks = line.callbacks();
        callbacks.push_negotiation(|updates| {
            if updates.iter().any(|update| update.src() != expected) {
                moved_on.set(true);
                return Err(Error::from_str("the branch moved on"));
            }
            Ok(())
        });
        callbacks.push_update_reference(|_, status| {
            *refused.borrow_mut() = status.map(str::to_owned);
            Ok(())
        });
        callbacks.sideband_progress(|words| {
            let mut said = said.borrow_mut();
            let room = MAX_SAID_BYTES.saturating_sub(said.len());
            said.extend_from_slice(&words[..words.len().min(room)]);
            true
        });
        let mut options = PushOptions::new();
        options
            .remote_callbacks(callbacks)
            .proxy_options(remote::proxy());
        // What may be overwritten is told by `expected`, here and by the remote itself.
        let refspec = format!("+{}:{}", self.commit, self.reference.theirs);
        let pushed = remote.push(&[refspec], Some(&mut options));
        drop(options);
        if moved_on.get() {
            return Err(self.busy());
        }
        pushed.map_err(|error| match error.code() {
            ErrorCode::NotFastForward => self.busy(),
            _ => line.failed(error),
        })?;
        line.credentials.borrow_mut().worked();
        let said = lines(&String::from_utf8_lossy(&said.into_inner()));
        match refused.into_inner() {
            None => Ok(said),
            Some(reason) => Err(self.refused(git, &line.url, &reason, said)),
        }
    }

    fn by_program(&self, git: &GitRepository, url: &str) -> Result<String, YardError> {
        let expected = self.expected.map(|commit| commit.to_string());
        let lease = format!(
            "--force-with-lease={}:{}",
            self.reference.theirs,
            expected.unwrap_or_default()
        );
        let refspec = format!("{}:{}", self.commit, self.reference.theirs);
        let output = program(git.path())
            .args([
                "push",
                "--porcelain",
                "--no-verify",
                "--no-progress",
                &lease,
            ])
            .args([url, &refspec])
            .output();
        let output = output.map_err(|_| YardError::NoGitProgram {
            url: redact::remote(url),
        })?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        let remote_lines: Vec<_> = stderr
            .lines()
            .filter_map(|line| line.strip_prefix("remote:"))
            .map(str::trim_end)
            .collect();
        let said = lines(&remote_lines.join("\n"));
        if output.status.success() {
            return Ok(said);
        }
        let stdout = String::from_utf8_lossy(&output.stdout);
        let rejected = stdout.lines().find_map(|line| line.strip_prefix("!\t"));
        match rejected.and_then(|line| line.split('\t').nth(1)) {
            Some(summary) => Err(self.refused(git, url, summary, said)),
            None => Err(YardError::Unreachable {
                url: redact::remote(url),
                transient: false,
                source: GitError::about(url, &stderr),
            }),
        }
    }

    /// The branch, or the whole name of a reference that is none.
    fn name(&self) -> String {
        let name = &self.reference.theirs;
        name.strip_prefix("refs/heads/").unwrap_or(name).to_owned()
    }

    fn busy(&self) -> YardError {
        YardError::Busy {
            branch: self.name(),
        }
    }

    fn refused(&self, git: &GitRepository, url: &str, reason: &str, said: String) -> YardError {
        if MOVED_ON.iter().any(|words| reason.contains(words)) {
            return self.busy();
        }
        YardError::Refused {
            url: redact::remote(url),
            branch: self.name(),
            reason: reason.to_owned(),
            said,
            kept: git_has(git, &self.reference.theirs, self.commit),
        }
    }
}

/// Whether the reference is at `commit` here.
fn git_has(git: &GitRepository, reference: &str, commit: CommitId) -> bool {
    let local = git.refname_to_id(reference);
    local.is_ok_and(|local| local == commit)
}

/// Git's program in the repository `folder`, speaking English and asking nobody.
fn program(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .arg("--git-dir")
        .arg(folder)
        .env("LC_ALL", "C")
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null());
    command
}

/// Lines with control characters escaped and nothing around them.
fn lines(text: &str) -> String {
    let text: String = text.chars().take(MAX_SAID_BYTES).collect();
    let lines: Vec<_> = text
        .trim()
        .lines()
        .map(|line| printable(line.trim()))
        .collect();
    lines.join("\n")
}
