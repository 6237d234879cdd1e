//! Who we are to a remote, asked of the same places that git asks.
//!
//! For HTTP: what the URL says, then `git credential fill`, which knows credential helpers,
//! `GIT_ASKPASS`, `core.askPass` and the terminal; where git itself is not installed,
//! `GIT_ASKPASS` alone and the helpers that libgit2's binding knows. For SSH: the agent, then
//! the user's key files without a passphrase.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use git2::{Cred, CredentialType, Error, Repository as GitRepository};

/// The key files that OpenSSH looks for, in its order.
const SSH_KEYS: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

/// What one connection asked and was told so far.
pub(super) struct Credentials<'git> {
    git: &'git GitRepository,
    ssh_tried: usize,
    filled: Option<Filled>,
}

/// An answer of `git credential fill`, to be told whether it was right.
struct Filled(String);

impl<'git> Credentials<'git> {
    pub(super) fn new(git: &'git GitRepository) -> Self {
        Self {
            git,
            ssh_tried: 0,
            filled: None,
        }
    }

    /// Answers libgit2, which asks again for as long as the remote says no.
    pub(super) fn answer(
        &mut self,
        url: &str,
        user: Option<&str>,
        allowed: CredentialType,
    ) -> Result<Cred, Error> {
        if allowed.contains(CredentialType::USERNAME) {
            return Cred::username(user.unwrap_or("git"));
        }
        if allowed.contains(CredentialType::SSH_KEY) {
            return self.ssh_key(user.unwrap_or("git"));
        }
        if allowed.contains(CredentialType::USER_PASS_PLAINTEXT) {
            return self.password(url, user);
        }
        Cred::default()
    }

    #[allow(clippy::disallowed_methods, reason = "git's own variables")]
    fn ssh_key(&mut self, user: &str) -> Result<Cred, Error> {
        self.ssh_tried += 1;
        if self.ssh_tried == 1 && std::env::var_os("SSH_AUTH_SOCK").is_some() {
            return Cred::ssh_key_from_agent(user);
        }
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let folder = home.unwrap_or_default().join(".ssh");
        let files = SSH_KEYS.iter().map(|name| folder.join(name));
        let key = files
            .filter(|file| file.is_file())
            .nth(self.ssh_tried.saturating_sub(2));
        match key {
            Some(key) => Cred::ssh_key(user, None, &key, None),
            None => Err(refused("no SSH key was taken")),
        }
    }

    fn password(&mut self, url: &str, user: Option<&str>) -> Result<Cred, Error> {
        if let Some(Filled(wrong)) = self.filled.take() {
            tell(self.git.path(), "reject", &wrong);
            return Err(refused("the user name or password was not taken"));
        }
        match fill(self.git.path(), url, user) {
            Asked::Answered {
                user,
                password,
                all,
            } => {
                self.filled = Some(Filled(all));
                Cred::userpass_plaintext(&user, &password)
            }
            Asked::Nothing => Err(refused("no user name and password are known for it")),
            Asked::NoGit => {
                self.filled = Some(Filled(String::new()));
                let config = self.git.config()?;
                askpass(url, user).map_or_else(
                    || Cred::credential_helper(&config, url, user),
                    |(user, password)| Cred::userpass_plaintext(&user, &password),
                )
            }
        }
    }

    /// The remote let us in: helpers that keep answers may keep this one.
    pub(super) fn worked(&mut self) {
        if let Some(Filled(right)) = self.filled.take()
            && !right.is_empty()
        {
            tell(self.git.path(), "approve", &right);
        }
    }
}

fn refused(message: &str) -> Error {
    Error::new(git2::ErrorCode::Auth, git2::ErrorClass::Net, message)
}

enum Asked {
    Answered {
        user: String,
        password: String,
        /// The answer as git gave it, for `approve` and `reject`.
        all: String,
    },
    Nothing,
    NoGit,
}

fn credential(folder: &Path, action: &str) -> Command {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        .args(["credential", action])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// Asks git (git-credential(1)); its prompts and its errors go to the terminal as ever.
fn fill(folder: &Path, url: &str, user: Option<&str>) -> Asked {
    let mut question = format!("url={url}\n");
    if let Some(user) = user {
        question += &format!("username={user}\n");
    }
    question.push('\n');
    // A line break could smuggle in a line of its own.
    if url.contains(['\n', '\r', '\0']) {
        return Asked::Nothing;
    }
    let mut command = credential(folder, "fill");
    let Ok(mut child) = command.stderr(Stdio::null()).spawn() else {
        return Asked::NoGit;
    };
    let mut stdin = child.stdin.take().expect("its input is piped");
    // A git that ends before reading has answered nothing, which is seen below.
    let _ = stdin.write_all(question.as_bytes());
    drop(stdin);
    let Ok(output) = child.wait_with_output() else {
        return Asked::Nothing;
    };
    let all = String::from_utf8_lossy(&output.stdout).into_owned();
    let field = |name: &str| {
        let mut lines = all.lines().filter_map(|line| line.split_once('='));
        lines
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
    };
    match (field("username"), field("password")) {
        (Some(user), Some(password)) if output.status.success() => Asked::Answered {
            user,
            password,
            all,
        },
        _ => Asked::Nothing,
    }
}

/// Tells git's helpers whether their answer was right; nothing hangs on it.
fn tell(folder: &Path, action: &str, answer: &str) {
    let Ok(mut child) = credential(folder, action).stderr(Stdio::null()).spawn() else {
        return;
    };
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(format!("{answer}\n").as_bytes());
    }
    let _ = child.wait();
}

/// Asks `GIT_ASKPASS` as git does: one call each, the question as its argument.
#[allow(clippy::disallowed_methods, reason = "git's own variable")]
fn askpass(url: &str, user: Option<&str>) -> Option<(String, String)> {
    let program = std::env::var_os("GIT_ASKPASS").filter(|program| !program.is_empty())?;
    let host = crate::platform::redact::remote(url);
    let ask = |what: &str| {
        let output = Command::new(&program)
            .arg(format!("{what} for '{host}': "))
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output();
        let output = output.ok().filter(|output| output.status.success())?;
        let answer = String::from_utf8(output.stdout).ok()?;
        Some(answer.trim_end_matches(['\r', '\n']).to_owned())
    };
    let user = match user {
        Some(user) => user.to_owned(),
        None => ask("Username")?,
    };
    let password = ask("Password")?;
    Some((user, password))
}
