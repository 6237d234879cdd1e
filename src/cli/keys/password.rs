//! Where a key's password comes from: a file, `COSIGN_PASSWORD`, or a person at the terminal.

use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::super::fault::CliError;
use super::super::{Context, codes};
use crate::platform::atomic;
use crate::platform::redact::printable;
use crate::record::{Code, Failure, Fault};

/// The variable that cosign takes the password from.
const VARIABLE: &str = "COSIGN_PASSWORD";
/// The longest password file: a passphrase of some hundred words.
const LIMIT_BYTES: u64 = 4096;

/// Where the password is, if not in the environment.
#[derive(Debug, Default, clap::Args)]
pub(in crate::cli) struct PasswordArguments {
    /// The file that holds the key's password, instead of COSIGN_PASSWORD or a question
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// No password that could be used.
#[derive(Debug, thiserror::Error)]
enum PasswordError {
    #[error("nobody gives the password of the key {place}")]
    None { place: String },
    #[error("the password is empty")]
    Empty,
    #[error("the two passwords differ")]
    Differ,
}

impl Fault for PasswordError {
    fn code(&self) -> &'static Code {
        match self {
            Self::None { .. } => &codes::NO_PASSWORD,
            Self::Empty => &codes::EMPTY_PASSWORD,
            Self::Differ => &codes::PASSWORDS_DIFFER,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::None { .. } => {
                "set COSIGN_PASSWORD, give --password-file, or run it at a terminal".to_owned()
            }
            Self::Empty => {
                "choose one; or, for a key that is to have none, set COSIGN_PASSWORD to nothing"
                    .to_owned()
            }
            Self::Differ => "run it again and type the same one twice; no key was made".to_owned(),
        })
    }
}

/// Whether a password is asked for once, to open a key, or twice, to choose one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Purpose {
    Open,
    Choose,
}

impl PasswordArguments {
    /// Gets the password of the key at `place`.
    ///
    /// # Errors
    /// If nobody gives one, or an empty one other than by `COSIGN_PASSWORD`.
    pub(in crate::cli) fn get(
        &self,
        context: &Context,
        place: &str,
        purpose: Purpose,
    ) -> Result<SecretString, Failure> {
        let password = match &self.password_file {
            Some(path) => from_file(&context.path(path))?,
            None => match context.variable(VARIABLE) {
                Some(password) => return Ok(password),
                None if context.interactive => asked(place, purpose)?,
                None => {
                    let place = place.to_owned();
                    return Err(PasswordError::None { place }.into());
                }
            },
        };
        if password.expose_secret().is_empty() {
            return Err(PasswordError::Empty.into());
        }
        Ok(password)
    }
}

/// The file's text without the line break at its end.
fn from_file(path: &Path) -> Result<SecretString, Failure> {
    let bytes = Zeroizing::new(atomic::read_at_most(path, LIMIT_BYTES)?);
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok(SecretString::from(text))
}

fn asked(place: &str, purpose: Purpose) -> Result<SecretString, Failure> {
    let ask = |question: &str| {
        let answer = rpassword::prompt_password(question).map_err(CliError::unanswered)?;
        Ok::<_, Failure>(SecretString::from(answer))
    };
    let place = printable(place);
    match purpose {
        Purpose::Open => ask(&format!("Password of {place}: ")),
        Purpose::Choose => {
            let password = ask(&format!("Password for {place}: "))?;
            let again = ask("Once more: ")?;
            if password.expose_secret() != again.expose_secret() {
                return Err(PasswordError::Differ.into());
            }
            Ok(password)
        }
    }
}
