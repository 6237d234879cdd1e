//! Signs a commit where git is set up to, by the program that git would run.
//!
//! What is read of git's configuration: `commit.gpgSign`, `gpg.format` (`openpgp`, `x509`,
//! `ssh`), `gpg.program` and `gpg.<format>.program`, `user.signingKey` and
//! `gpg.ssh.defaultKeyCommand` (git-config(1)).

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use git2::{Config, Repository as GitRepository, Signature};
use tempfile::NamedTempFile;

use super::error::YardError;
use crate::platform::atomic::FileError;
use crate::platform::redact::printable;

/// How a commit is to be signed.
pub(super) struct Signer {
    program: String,
    key: String,
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    /// GnuPG, or `gpgsm` for X.509: both take the same arguments.
    Gpg,
    /// `ssh-keygen -Y sign`.
    Ssh,
}

fn not_signed(reason: impl Into<String>, said: &[u8]) -> YardError {
    let said = String::from_utf8_lossy(said);
    let said: Vec<_> = said.trim().lines().map(printable).collect();
    YardError::NotSigned {
        reason: reason.into(),
        said: said.join("\n"),
    }
}

impl Signer {
    /// The signer that git's configuration asks for; `None` where commits are not signed.
    ///
    /// # Errors
    /// [`YardError::NotSigned`] if signing is asked for and the rest of it can't be made out.
    pub(super) fn of(
        git: &GitRepository,
        committer: &Signature<'_>,
    ) -> Result<Option<Self>, YardError> {
        let config = git
            .config()
            .map_err(YardError::git("read its configuration"))?;
        if !config.get_bool("commit.gpgSign").unwrap_or(false) {
            return Ok(None);
        }
        let text = |name: &str| config.get_string(name).ok().filter(|text| !text.is_empty());
        let name = text("gpg.format").unwrap_or_else(|| "openpgp".to_owned());
        let (format, default) = match name.as_str() {
            "openpgp" => (Format::Gpg, "gpg"),
            "x509" => (Format::Gpg, "gpgsm"),
            "ssh" => (Format::Ssh, "ssh-keygen"),
            other => {
                let reason = format!("gpg.format `{}` is not known", printable(other));
                return Err(not_signed(reason, b""));
            }
        };
        let program = config.get_path(&format!("gpg.{name}.program"));
        let program = match program {
            Ok(program) => program.display().to_string(),
            Err(_) if name == "openpgp" => text("gpg.program").unwrap_or(default.to_owned()),
            Err(_) => default.to_owned(),
        };
        let key = match (text("user.signingKey"), format) {
            (Some(key), _) => key,
            (None, Format::Gpg) => committer.to_string(),
            (None, Format::Ssh) => default_ssh_key(&config)?,
        };
        Ok(Some(Self {
            program,
            key,
            format,
        }))
    }

    /// The armored signature of `commit`, a commit object's content.
    ///
    /// # Errors
    /// [`YardError::NotSigned`] with the program's own words.
    pub(super) fn sign(&self, commit: &str) -> Result<String, YardError> {
        match self.format {
            Format::Gpg => self.gpg(commit),
            Format::Ssh => self.ssh(commit),
        }
    }

    fn gpg(&self, commit: &str) -> Result<String, YardError> {
        let mut command = Command::new(&self.program);
        command.args(["--status-fd=2", "-bsau", &self.key]);
        let output = self.run(&mut command, commit)?;
        let created = String::from_utf8_lossy(&output.stderr).contains("[GNUPG:] SIG_CREATED ");
        match String::from_utf8(output.stdout) {
            Ok(signature) if output.status.success() && created => Ok(signature.replace('\r', "")),
            _ => Err(not_signed(
                format!("{} made no signature", printable(&self.program)),
                &output.stderr,
            )),
        }
    }

    fn ssh(&self, commit: &str) -> Result<String, YardError> {
        let literal = self.key.strip_prefix("key::").or_else(|| {
            // Before `key::` there was this form, and git still takes it.
            self.key.starts_with("ssh-").then_some(self.key.as_str())
        });
        let key_file;
        let mut command = Command::new(&self.program);
        command.args(["-Y", "sign", "-n", "git", "-f"]);
        if let Some(literal) = literal {
            key_file = temporary(literal)?;
            command.arg(key_file.path()).arg("-U");
        } else {
            command.arg(expanded(&self.key));
        }
        let output = self.run(&mut command, commit)?;
        match String::from_utf8(output.stdout) {
            Ok(signature)
                if output.status.success() && signature.contains("-----BEGIN SSH SIGNATURE") =>
            {
                Ok(signature.replace('\r', ""))
            }
            _ => Err(not_signed(
                format!("{} made no signature", printable(&self.program)),
                &output.stderr,
            )),
        }
    }

    /// Runs the program on the commit; where it wants a passphrase it asks the terminal itself.
    fn run(&self, command: &mut Command, commit: &str) -> Result<std::process::Output, YardError> {
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let failed = |error: std::io::Error| {
            let reason = format!("{} can't be run", printable(&self.program));
            not_signed(reason, error.to_string().as_bytes())
        };
        let mut child = child.map_err(failed)?;
        let mut stdin = child.stdin.take().expect("its input is piped");
        // A program that ends without reading says why on its standard error.
        let _ = stdin.write_all(commit.as_bytes());
        drop(stdin);
        child.wait_with_output().map_err(failed)
    }
}

/// The first key that `gpg.ssh.defaultKeyCommand` prints.
fn default_ssh_key(config: &Config) -> Result<String, YardError> {
    let none = || not_signed("user.signingKey is not set", b"");
    let command = config
        .get_string("gpg.ssh.defaultKeyCommand")
        .map_err(|_| none())?;
    let output = Command::new("sh").args(["-c", &command]).output();
    let output = output.map_err(|_| none())?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let first = printed.lines().next().unwrap_or_default();
    match first.strip_prefix("key::").unwrap_or(first) {
        "" => Err(none()),
        key => Ok(format!("key::{key}")),
    }
}

/// A path with `~/` made the home folder, as git does.
#[allow(clippy::disallowed_methods, reason = "as git expands it")]
fn expanded(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}

fn temporary(content: &str) -> Result<NamedTempFile, YardError> {
    let failed = |error| FileError::at("write in", std::env::temp_dir())(error);
    let mut file = NamedTempFile::new().map_err(failed)?;
    file.write_all(content.as_bytes()).map_err(failed)?;
    file.flush().map_err(failed)?;
    Ok(file)
}
