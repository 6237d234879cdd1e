//! Where the demo plays: a folder of its own, and commands run in it as a person runs them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::{fs, io};

use super::{DemoError, Event, sample};
use crate::platform::atomic::{self, FileError, Readers};
use crate::record::Failure;

/// Seals the key of the demo, which vouches for nothing but the demo.
const PASSWORD: &str = "demo";

/// What git takes from the environment that would lead it out of the demo's folder, or speak for
/// somebody else.
const LEFT_OUT: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_AUTHOR_NAME",
    "GIT_AUTHOR_EMAIL",
    "GIT_AUTHOR_DATE",
    "GIT_COMMITTER_NAME",
    "GIT_COMMITTER_EMAIL",
    "GIT_COMMITTER_DATE",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_STATE_HOME",
    "MODELYARD_ENVIRONMENT",
    "MODELYARD_GATEWAY",
    "MODELYARD_LISTEN",
    "DOCKER_CONFIG",
];

/// The most that is read of a file that the demo itself wrote.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The folder, the program that plays, and who listens.
pub(super) struct Stage<'a> {
    pub(super) folder: PathBuf,
    program: PathBuf,
    coloured: bool,
    pub(super) listener: &'a mut dyn FnMut(Event<'_>),
    /// How many commands have run.
    pub(super) commands: usize,
    /// How many of them were refused, as they had to be.
    pub(super) refusals: usize,
    /// What runs beside the story.
    pub(super) beside: Vec<Child>,
}

/// What a command came to, without colours.
struct Ran {
    code: Option<i32>,
    text: String,
}

impl<'a> Stage<'a> {
    /// Sets the stage in `folder`, which has nothing in it: a home, the sample, and a file that
    /// puts a shell into the same surroundings.
    pub(super) fn set(
        folder: PathBuf,
        program: PathBuf,
        coloured: bool,
        listener: &'a mut dyn FnMut(Event<'_>),
    ) -> Result<Self, Failure> {
        let stage = Self {
            folder,
            program,
            coloured,
            listener,
            commands: 0,
            refusals: 0,
            beside: Vec::new(),
        };
        let identity = "[user]\n\tname = Demo\n\temail = demo@example.com\n";
        stage.write("home/.gitconfig", identity.as_bytes())?;
        let exports = format!(
            "# Puts a shell where the demo was: its keys, its cache, its key's password.\n\
             export MODELYARD_CONFIG='{0}/config' MODELYARD_CACHE='{0}/cache' \
             MODELYARD_STATE='{0}/state'\n\
             export COSIGN_PASSWORD={PASSWORD}\n",
            stage.home().display()
        );
        stage.write("env.sh", exports.as_bytes())?;
        sample::write(&stage.folder.join("digits"))?;
        Ok(stage)
    }

    /// Opens a part of the story.
    pub(super) fn scene(&mut self, title: &str) {
        (self.listener)(Event::Scene(title));
    }

    /// Tells what is about to happen, or what just did.
    pub(super) fn tell(&mut self, text: &str) {
        (self.listener)(Event::Told(text));
    }

    /// Runs `line` in `folder` of the stage; it has to succeed.
    pub(super) fn run(&mut self, folder: &str, line: &str) -> Result<(), Failure> {
        self.plays(folder, line, 0, &[]).map(drop)
    }

    /// Runs `line`, which has to succeed and to print each of `texts`.
    pub(super) fn prints(
        &mut self,
        folder: &str,
        line: &str,
        texts: &[&str],
    ) -> Result<(), Failure> {
        self.plays(folder, line, 0, texts).map(drop)
    }

    /// Runs `line`, which has to be refused: by this exit code, and with the error of this code.
    pub(super) fn refuses(
        &mut self,
        folder: &str,
        line: &str,
        exit: i32,
        code: &str,
    ) -> Result<(), Failure> {
        self.plays(folder, line, exit, &[&format!("error[{code}]")])?;
        self.refusals += 1;
        Ok(())
    }

    fn plays(
        &mut self,
        folder: &str,
        line: &str,
        exit: i32,
        texts: &[&str],
    ) -> Result<Ran, Failure> {
        (self.listener)(Event::Command { folder, line });
        let ran = self.ran(folder, line)?;
        self.commands += 1;
        let missing = texts.iter().find(|text| !ran.text.contains(**text));
        if ran.code == Some(exit) && missing.is_none() {
            return Ok(ran);
        }
        let mut expected = format!("exit code {exit}");
        if let Some(text) = missing {
            expected += &format!(" and `{text}`");
        }
        Err(DemoError::NotAsTold {
            line: line.to_owned(),
            expected,
            got: ran
                .code
                .map_or("a signal".to_owned(), |code| format!("exit code {code}")),
            folder: self.folder.clone(),
        }
        .into())
    }

    fn ran(&mut self, folder: &str, line: &str) -> Result<Ran, Failure> {
        let words = words(line);
        let Some(name) = words.first() else {
            return Ok(Ran {
                code: Some(0),
                text: String::new(),
            });
        };
        let mut command = self.command(folder, &words);
        let output = command.output().map_err(|source| DemoError::NotStarted {
            program: name.clone(),
            source,
        })?;
        let Output {
            status,
            stdout,
            stderr,
        } = output;
        let shown =
            String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
        (self.listener)(Event::Printed(&shown));
        Ok(Ran {
            code: status.code(),
            text: anstream::adapter::strip_str(&shown).to_string(),
        })
    }

    /// The command of `words`, the first of which is the program.
    pub(super) fn command(&self, folder: &str, words: &[String]) -> Command {
        let name = words.first().map_or("", String::as_str);
        let mut command = Command::new(match name {
            "modelyard" => self.program.as_os_str(),
            other => other.as_ref(),
        });
        command
            .args(words.iter().skip(1))
            .current_dir(self.folder.join(folder))
            .stdin(Stdio::null());
        self.surround(&mut command);
        command
    }

    /// Nothing of the user's but the `PATH`, so that the story is the same everywhere.
    fn surround(&self, command: &mut Command) {
        let home = self.home();
        for name in LEFT_OUT {
            command.env_remove(name);
        }
        command
            .env("HOME", &home)
            .env("MODELYARD_CONFIG", home.join("config"))
            .env("MODELYARD_CACHE", home.join("cache"))
            .env("MODELYARD_STATE", home.join("state"))
            .env("COSIGN_PASSWORD", PASSWORD)
            .env("GIT_CONFIG_GLOBAL", home.join(".gitconfig"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_PAGER", "cat");
        if self.coloured {
            command.env("CLICOLOR_FORCE", "1");
        }
    }

    fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// Runs `line`, which has to answer no (exit code 1) and to print each of `texts`.
    pub(super) fn answers_no(
        &mut self,
        folder: &str,
        line: &str,
        texts: &[&str],
    ) -> Result<(), Failure> {
        self.plays(folder, line, 1, texts).map(drop)
    }

    /// Adds `text` at the end of a file.
    pub(super) fn extend(&self, path: &str, text: &str) -> Result<(), Failure> {
        let mut bytes = self.read(path)?;
        bytes.extend_from_slice(text.as_bytes());
        self.write(path, &bytes)
    }

    /// Replaces `old`, which has to be there, by `new` in a text file.
    pub(super) fn edit(&self, path: &str, old: &str, new: &str) -> Result<(), Failure> {
        let text = self.read(path)?;
        let text = String::from_utf8_lossy(&text);
        if !text.contains(old) {
            return Err(self.otherwise(format!("{path} with `{old}` in it"), "none"));
        }
        self.write(path, text.replacen(old, new, 1).as_bytes())
    }

    /// Turns over one bit in the middle of a file.
    pub(super) fn tamper(&self, path: &str) -> Result<(), Failure> {
        let mut bytes = self.read(path)?;
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 1;
        }
        self.write(path, &bytes)
    }

    /// Makes sure that `folder` has the files of the sample's `version`, byte for byte.
    pub(super) fn holds_version(&self, folder: &str, version: &str) -> Result<(), Failure> {
        for (path, bytes) in sample::version(version) {
            let path = format!("{folder}/{path}");
            if self.read(&path)? != bytes {
                return Err(self.otherwise(format!("{path} as it was published"), "other bytes"));
            }
        }
        Ok(())
    }

    /// Makes sure that nothing is in `folder`, or that it is not there.
    pub(super) fn is_empty(&self, folder: &str) -> Result<(), Failure> {
        let path = self.folder.join(folder);
        match fs::read_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(FileError::at("read", path)(error).into()),
            Ok(mut entries) => match entries.next() {
                None => Ok(()),
                Some(_) => Err(self.otherwise(format!("nothing in {folder}"), "files")),
            },
        }
    }

    /// A text of the stage that is looked into, not changed.
    pub(super) fn text(&self, path: &str) -> Result<String, Failure> {
        Ok(String::from_utf8_lossy(&self.read(path)?).into_owned())
    }

    pub(super) fn otherwise(&self, expected: String, got: &str) -> Failure {
        DemoError::NotAsTold {
            line: "what the last command left behind".to_owned(),
            expected,
            got: got.to_owned(),
            folder: self.folder.clone(),
        }
        .into()
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, Failure> {
        Ok(atomic::read_at_most(
            &self.folder.join(path),
            MAX_FILE_BYTES,
        )?)
    }

    pub(super) fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Failure> {
        Ok(atomic::write(
            &self.folder.join(path),
            bytes,
            Readers::Umask,
        )?)
    }
}

/// A command line's words, as a shell splits them; only single quotes are known.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = None::<String>;
    let mut quoted = false;
    for c in line.replace("\\\n", " ").chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Whether anything is in `folder`.
pub(super) fn is_filled(folder: &Path) -> Result<bool, FileError> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FileError::at("read", folder)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_words_that_a_shell_finds() {
        assert_eq!(
            words("git  log \\\n  --format='%h %s' ''"),
            ["git", "log", "--format=%h %s", ""]
        );
    }
}
