//! git's own program, which knows how to reach a repository: its credential helpers, SSH, proxies
//! and certificates are the user's own.
//!
//! It runs with no hooks, no filters and no checkout, keeps nothing alive behind it, and speaks
//! only protocols that carry git: what a repository holds is bytes to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::process::Command;

use crate::import::piped::{self, Bounds, Bytes, Unheard};
use crate::import::{Detail, ImportError};
use crate::platform::redact::printable;

/// The most that git may print, a hundred thousand paths, and how much of its complaints is heard.
const BOUNDS: Bounds = Bounds {
    printed_bytes: 64 << 20,
    complaint_bytes: 16 << 10,
    patience: None,
};

/// The variable in which an address goes to git, so that no list of processes has it.
const ADDRESS: &str = "MODELYARD_GIT_ADDRESS";

/// The variable in which a header with a token goes to git.
const HEADER: &str = "MODELYARD_GIT_HEADER";

/// What of the environment would have git look elsewhere.
const ELSEWHERE: [&str; 7] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_COMMON_DIR",
];

/// What holds for every call. A server that says nothing for a minute is away.
const SETTINGS: [&str; 10] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=60",
    "remote.origin.promisor=true",
    "remote.origin.partialCloneFilter=blob:none",
];

/// git, for one repository.
#[derive(Clone)]
pub(super) struct Program {
    /// The repository here.
    pub(super) folder: PathBuf,
    /// What is asked, as errors name it.
    pub(super) place: String,
    /// Where it is fetched from, where it is.
    pub(super) remote: Option<Arc<Remote>>,
}

/// Where a repository is fetched from.
pub(super) struct Remote {
    /// Its address, credentials and all.
    pub(super) address: String,
    /// The setting that is a header, and the header, with our token.
    pub(super) header: Option<(String, String)>,
}

impl Program {
    /// git in the folder, with these words.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = begun();
        command.arg("--git-dir").arg(&self.folder);
        // Those of a promisor are for who fetches: what is not here is told, and not fetched.
        let fetches = matches!(words.first(), Some(&("fetch" | "ls-remote")));
        if let Some(remote) = self.remote.as_deref().filter(|_| fetches) {
            for setting in SETTINGS {
                command.args(["-c", setting]);
            }
            command.arg(format!("--config-env=remote.origin.url={ADDRESS}"));
            command.env(ADDRESS, &remote.address);
            if let Some((setting, header)) = &remote.header {
                command.arg(format!("--config-env={setting}={HEADER}"));
                command.env(HEADER, header).env("GIT_TERMINAL_PROMPT", "0");
            }
        }
        command.args(words);
        command
    }

    fn missing(&self, unheard: &Unheard) -> ImportError {
        ImportError::Program {
            place: self.place.clone(),
            reason: format!("git {unheard}"),
            help: "install git, version 2.31 or newer".to_owned(),
        }
    }

    /// What git prints; `input` is what it is told. `doing` stands in errors behind "to".
    ///
    /// # Errors
    /// If git can't be run, says no, or prints more than 64 MiB.
    pub(super) async fn run(
        &self,
        words: &[&str],
        input: &str,
        doing: &str,
    ) -> Result<Vec<u8>, ImportError> {
        let (printed, said) = self.ask(words, input).await?;
        match said {
            None => Ok(printed),
            Some(said) => Err(self.no(&said, doing)),
        }
    }

    /// What git prints, and what it complains of where it says no.
    ///
    /// # Errors
    /// If git can't be run, or prints too much.
    pub(super) async fn ask(
        &self,
        words: &[&str],
        input: &str,
    ) -> Result<(Vec<u8>, Option<String>), ImportError> {
        let heard = piped::hear(&mut self.command(words), input, BOUNDS).await;
        let heard = heard.map_err(|unheard| match unheard {
            Unheard::TooMuch(limit) => ImportError::TooLarge {
                place: self.place.clone(),
                limit,
                unit: "bytes in a list of git's",
            },
            unheard => self.missing(&unheard),
        })?;
        let said = (!heard.status.success()).then_some(heard.complaint);
        Ok((heard.printed, said))
    }

    /// Begins to read an object's bytes, which are those of the file at `path`.
    ///
    /// # Errors
    /// If git can't be run.
    pub(super) fn open(&self, object: &str, path: &str) -> Result<Bytes, ImportError> {
        let command = self.command(&["cat-file", "blob", object]);
        let bytes = piped::stream(command, self.place.clone(), path.to_owned());
        bytes.map_err(|error| self.missing(&error.into()))
    }

    /// What git's no means.
    pub(super) fn no(&self, said: &str, doing: &str) -> ImportError {
        let place = self.place.clone();
        let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
        let detail = Some(Detail(self.told(said)));
        if has(&UNAUTHORIZED) {
            return ImportError::Unauthorized {
                place,
                doing: doing.to_owned(),
                variables: &["git's credential helper or GIT_ASKPASS"],
                detail,
            };
        }
        if has(&MISSING) {
            return ImportError::Hidden {
                place,
                variables: &["git's credential helper or GIT_ASKPASS"],
            };
        }
        if has(&AWAY) {
            return ImportError::Away {
                place,
                doing: doing.to_owned(),
                detail,
                retry_after: None,
                source: None,
            };
        }
        ImportError::Malformed {
            place,
            reason: format!("to {doing} git says: {}", self.told(said)),
        }
    }

    /// The line of git's complaints that says most, without our secrets.
    fn told(&self, said: &str) -> String {
        let lines: Vec<&str> = said.lines().filter(|line| !line.is_empty()).collect();
        let begins = |word: &str| lines.iter().find(|line| line.starts_with(word)).copied();
        let line = begins("fatal: ").or_else(|| begins("error: "));
        let line = line.or_else(|| lines.last().copied()).unwrap_or_default();
        let mut line = line.to_owned();
        if let Some(remote) = &self.remote {
            line = line.replace(&remote.address, &self.place);
        }
        printable(&line)
    }
}

/// What git says where it is not let in.
const UNAUTHORIZED: [&str; 7] = [
    "Authentication failed",
    "could not read Username",
    "could not read Password",
    "terminal prompts disabled",
    "Permission denied (",
    "returned error: 401",
    "returned error: 403",
];

/// What it says where there is no such repository.
const MISSING: [&str; 4] = [
    "does not appear to be a git repository",
    "' not found",
    "returned error: 404",
    "does not exist",
];

/// What it says where the other side is away, or went away.
const AWAY: [&str; 12] = [
    "Could not resolve host",
    "Failed to connect",
    "Couldn't connect",
    "unable to access",
    "Connection",
    "connection",
    "RPC failed",
    "early EOF",
    "unexpected disconnect",
    "the remote end hung up",
    "Operation too slow",
    "invalid index-pack output",
];

/// git, to be asked in English.
fn begun() -> Command {
    let mut command = Command::new("git");
    for variable in ELSEWHERE {
        command.env_remove(variable);
    }
    command
        .env("LC_ALL", "C")
        .env("GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh");
    command
}

/// What git prints that is told `input`.
///
/// # Errors
/// What it says.
async fn heard(command: &mut Command, input: &str) -> Result<String, String> {
    let heard = piped::hear(command, input, BOUNDS).await;
    let heard = heard.map_err(|unheard| format!("git {unheard}"))?;
    match heard.status.success() {
        true => Ok(String::from_utf8_lossy(&heard.printed).into_owned()),
        false => Err(printable(&heard.complaint)),
    }
}

/// The repository that `folder` is in or is, and the path of `folder` in it.
///
/// # Errors
/// What git says where that is none that it would read.
pub(super) async fn discover(folder: &Path) -> Result<(PathBuf, String), String> {
    let mut command = begun();
    command.arg("-C").arg(folder);
    command.args(["rev-parse", "--absolute-git-dir", "--show-prefix"]);
    let printed = heard(&mut command, "").await?;
    let mut lines = printed.lines();
    let found = lines.next().unwrap_or_default();
    let prefix = lines.next().unwrap_or_default().trim_end_matches('/');
    Ok((found.into(), prefix.to_owned()))
}

/// The user and the password that git's credential helpers have for `url`, which asks nobody.
pub(super) async fn credential(url: &str) -> Option<(String, String)> {
    let mut command = begun();
    command
        .args(["credential", "fill"])
        .env("GIT_TERMINAL_PROMPT", "0");
    let answer = heard(&mut command, &format!("url={url}\n\n")).await.ok()?;
    let field = |name: &str| {
        let mut lines = answer.lines().filter_map(|line| line.split_once('='));
        lines
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
    };
    Some((field("username")?, field("password")?))
}

/// Makes an empty repository in `folder`.
///
/// # Errors
/// If git can't be run, or says no.
pub(super) async fn make(folder: &Path) -> Result<(), std::io::Error> {
    let mut command = begun();
    command.args(["init", "--quiet", "--bare", "--template="]);
    let made = heard(command.arg(folder), "").await;
    made.map(drop).map_err(std::io::Error::other)
}

#[cfg(test)]
mod tests {
    //! What git's words mean.

    use super::*;

    fn program() -> Program {
        Program {
            folder: PathBuf::from("/nowhere"),
            place: "https://git.example.com/a.git".to_owned(),
            remote: Some(Arc::new(Remote {
                address: "https://me:secret@git.example.com/a.git".to_owned(),
                header: None,
            })),
        }
    }

    #[test]
    fn a_no_is_told_by_what_helps_against_it() {
        let program = program();
        let no = |said: &str| program.no(said, "list it");
        for said in [
            "fatal: Authentication failed for 'https://git.example.com/a.git/'",
            "fatal: could not read Username for 'https://git.example.com': terminal prompts disabled",
            "git@git.example.com: Permission denied (publickey).",
        ] {
            assert!(
                matches!(no(said), ImportError::Unauthorized { .. }),
                "{said}"
            );
        }
        let missing = no("fatal: repository 'https://git.example.com/a.git/' not found");
        assert!(matches!(missing, ImportError::Hidden { .. }));
        for said in [
            "fatal: unable to access 'https://x/': Could not resolve host: x",
            "error: RPC failed; curl 18 transfer closed\nfatal: early EOF",
        ] {
            assert!(matches!(no(said), ImportError::Away { .. }), "{said}");
        }
        let other = no("warning: x\nfatal: bad object \u{1b}[2J");
        assert!(matches!(other, ImportError::Malformed { .. }), "{other}");
        assert!(other.to_string().contains("fatal: bad object \\u{1b}"));
    }

    #[test]
    fn a_password_in_an_address_is_not_told() {
        let said =
            "fatal: unable to access 'https://me:secret@git.example.com/a.git': Failed to connect";
        let told = program().no(said, "list it").to_string();
        assert!(!told.contains("secret"), "{told}");
    }
}
