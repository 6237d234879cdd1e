//! `modelyard login` and `modelyard logout`: logins to registries.

use std::fmt::{self, Write};
use std::io::Read;

use secrecy::SecretString;

use super::fault::CliError;
use super::stores::StoreArguments;
use super::{Context, Outcome, Page, Report};
use crate::ops::login::{self, LoggedIn, LoginError};
use crate::platform::redact::printable;
use crate::record::Failure;

/// No password is longer.
const MAX_PASSWORD_BYTES: u64 = 64 * 1024;

/// Log in to a registry
///
/// The login is kept where Docker keeps it, so that Docker's and others' logins are used here and
/// ours there: in the credential helper that is set up, or in `config.json`. The registry has to
/// take it first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard login registry.example.com
  modelyard login registry.example.com --username ci --password-stdin < token.txt")]
pub(super) struct LoginArguments {
    /// The registry's host, with its port where it has one
    #[arg(value_name = "REGISTRY")]
    registry: String,
    /// Who you are there; asked for if it is left out
    #[arg(short, long)]
    username: Option<String>,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    stores: StoreArguments,
}

/// Log out of a registry
#[derive(Debug, clap::Args)]
pub(super) struct LogoutArguments {
    /// The registry's host, with its port where it has one
    #[arg(value_name = "REGISTRY")]
    registry: String,
}

impl LoginArguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = login::host_of(&self.registry)?;
        let username = match &self.username {
            Some(username) => username.clone(),
            None if context.interactive && !self.password_stdin => dialoguer::Input::new()
                .with_prompt(format!("user at {host}"))
                .interact_text()
                .map_err(|dialoguer::Error::IO(error)| CliError::unanswered(error))?,
            None => return Err(LoginError::BadUsername.into()),
        };
        let password = self.password(context, &username, &host)?;
        let stores = self.stores.options(context);
        context.print(&login::login(&host, &username, password, &stores).await?)?;
        Ok(Outcome::Done)
    }

    fn password(
        &self,
        context: &Context,
        username: &str,
        host: &str,
    ) -> Result<SecretString, Failure> {
        if self.password_stdin {
            let mut text = String::new();
            let mut input = std::io::stdin().lock().take(MAX_PASSWORD_BYTES);
            input
                .read_to_string(&mut text)
                .map_err(CliError::unanswered)?;
            // The end of the line that `echo` adds is none of the password's.
            let password = text.trim_end_matches(['\r', '\n']);
            return Ok(password.into());
        }
        if !context.interactive {
            return Err(LoginError::NoPassword.into());
        }
        let question = format!("password of {username} at {host}: ");
        let answer = rpassword::prompt_password(question).map_err(CliError::unanswered)?;
        Ok(answer.into())
    }
}

impl LogoutArguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = login::host_of(&self.registry)?;
        if !login::logout(&host, &context.places.docker_config).await? {
            context.note(&format!("there was no login to {host}"));
        }
        context.print(&LoggedIn {
            registry: host,
            logged_in: false,
            file: None,
            helper: None,
        })?;
        Ok(Outcome::Done)
    }
}

impl Report for LoggedIn {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let registry = &self.registry;
        if !self.logged_in {
            return writeln!(page, "logged out of {registry}");
        }
        writeln!(page, "logged in to {registry}")?;
        if let Some(file) = &self.file {
            writeln!(page, "  kept in {}", printable(&file.display().to_string()))?;
        }
        if let Some(helper) = &self.helper {
            writeln!(page, "  kept by docker-credential-{}", printable(helper))?;
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        vec![self.registry.clone()]
    }
}
