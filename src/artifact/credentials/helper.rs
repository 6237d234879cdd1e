//! Docker's credential helpers: programs that keep logins in a system's own vault.
//!
//! `docker-credential-<name> get|store|erase` reads one line or one JSON object from its standard
//! input and answers on its standard output (docker-credential-helpers, "Protocol").

use std::process::Stdio;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::{CredentialsError, Login};
use crate::platform::redact::printable;

/// Some helpers ask a cloud, and some ask the user to unlock a vault.
const TIMEOUT: Duration = Duration::from_secs(60);

/// No login is longer.
const MAX_ANSWER_BYTES: u64 = 1024 * 1024;

/// The user name that stands before an identity token.
const TOKEN_USER: &str = "<token>";

/// What helpers say of hosts that they don't know.
const NOT_FOUND: &str = "credentials not found";

/// Asks for the login of `host`; `None` if the helper has none.
pub(super) async fn get(name: &str, host: &str) -> Result<Option<Login>, CredentialsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        username: String,
        secret: SecretString,
    }
    let (ok, answer) = run(name, "get", host.as_bytes()).await?;
    if !ok {
        let said = String::from_utf8_lossy(&answer);
        if said.to_ascii_lowercase().contains(NOT_FOUND) {
            return Ok(None);
        }
        return Err(failed(name, &said));
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(&answer) else {
        return Err(wrong(name, "did not answer with a user name and a secret"));
    };
    Ok(Some(match answer {
        Answer { username, secret } if username == TOKEN_USER => Login::IdentityToken(secret),
        Answer { username, secret } => Login::Password {
            username,
            password: secret,
        },
    }))
}

/// Gives it the login of `host` to keep.
pub(super) async fn store(
    name: &str,
    host: &str,
    username: &str,
    password: &SecretString,
) -> Result<(), CredentialsError> {
    let login = json!({
        "ServerURL": host, "Username": username, "Secret": password.expose_secret()
    });
    done(
        name,
        run(name, "store", login.to_string().as_bytes()).await?,
    )
}

/// Makes it forget the login of `host`.
pub(super) async fn erase(name: &str, host: &str) -> Result<(), CredentialsError> {
    done(name, run(name, "erase", host.as_bytes()).await?)
}

fn done(name: &str, (ok, answer): (bool, Vec<u8>)) -> Result<(), CredentialsError> {
    if ok {
        return Ok(());
    }
    Err(failed(name, &String::from_utf8_lossy(&answer)))
}

/// Runs the helper, and gives whether it succeeded and what it printed.
async fn run(name: &str, verb: &str, input: &[u8]) -> Result<(bool, Vec<u8>), CredentialsError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.chars().all(plain) {
        return Err(wrong(name, "has a name that no program has"));
    }
    let run_error = |source| CredentialsError::Run {
        name: name.to_owned(),
        source,
    };
    let mut child = Command::new(format!("docker-credential-{name}"))
        .arg(verb)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(run_error)?;
    let mut stdin = child.stdin.take().expect("its input is piped");
    let stdout = child.stdout.take().expect("its output is piped");
    let talk = async {
        // It may end without reading: what it prints then tells why.
        let _ = stdin.write_all(input).await;
        drop(stdin);
        let mut answer = Vec::new();
        stdout
            .take(MAX_ANSWER_BYTES)
            .read_to_end(&mut answer)
            .await?;
        Ok((child.wait().await?.success(), answer))
    };
    match tokio::time::timeout(TIMEOUT, talk).await {
        Ok(result) => result.map_err(run_error),
        Err(_) => Err(wrong(name, "did not answer within a minute")),
    }
}

fn failed(name: &str, said: &str) -> CredentialsError {
    let said: String = said.trim().chars().take(200).collect();
    wrong(name, &format!("failed: {}", printable(&said)))
}

fn wrong(name: &str, reason: &str) -> CredentialsError {
    CredentialsError::Helper {
        name: printable(name),
        reason: reason.to_owned(),
    }
}
