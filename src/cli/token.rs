//! `modelyard token`: makes, lists and revokes the tokens that applications show to the gateway.

use std::fmt::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::Serialize;

use super::table::table;
use super::{Context, Outcome, Page, Report, completions};
use crate::gateway::tokens::{self, NewToken, Token};
use crate::record::kind::Span;
use crate::record::{Failure, Name};

/// Make, list and revoke the tokens that applications show to the gateway
///
/// A gateway that others than this machine can reach asks each application for a token. Only
/// hashes are kept, in a file of yours; a server that runs sees changes within two seconds.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file of tokens, where it isn't the one in your configuration folder
    #[arg(long, global = true, value_name = "FILE")]
    tokens: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(Create),
    List,
    Revoke(Revoke),
}

/// Make a token; it is shown this once
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modelyard token create --for line-3 --deployment digits
  modelyard token create --for dashboard --all --expires-in 90d
  TOKEN=$(modelyard token create --for line-3 --deployment digits --output name)")]
struct Create {
    /// The application that will show it
    #[arg(long = "for", value_name = "APPLICATION")]
    application: Name,
    /// A deployment that it is good for; may be given several times
    #[arg(long, value_name = "DEPLOYMENT", required_unless_present = "all", add = completions::deployed())]
    deployment: Vec<Name>,
    /// Good for every deployment
    #[arg(long, conflicts_with = "deployment")]
    all: bool,
    /// How long it is good, such as `90d`; until it is revoked where nothing is said
    #[arg(long, value_name = "TIME")]
    expires_in: Option<Span>,
}

/// Revoke a token
#[derive(Debug, Args)]
struct Revoke {
    /// The token's id, as `modelyard token list` shows it
    id: String,
}

impl Arguments {
    pub(super) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let path = match self.tokens {
            Some(path) => context.directory.join(path),
            None => tokens::place(&context.places),
        };
        let now = context.clock.now();
        match self.command {
            Command::Create(create) => {
                let deployments = (!create.all).then_some(create.deployment);
                let expires_at = create
                    .expires_in
                    .map(|span| now.saturating_add(span.to_duration()).unwrap_or(now));
                let made = tokens::create(&path, create.application, deployments, expires_at, now)?;
                context.print(&Made(made))?;
            }
            Command::List => context.print(&List(tokens::list(&path)?, now))?,
            Command::Revoke(revoke) => {
                context.print(&Revoked(tokens::revoke(&path, &revoke.id, now)?))?;
            }
        }
        Ok(Outcome::Done)
    }
}

struct Made(NewToken);

struct List(Vec<Token>, Timestamp);

struct Revoked(Token);

/// What is told of a token: all but its hash.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'t> {
    id: &'t str,
    application: &'t Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    deployments: Option<&'t [Name]>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'t str>,
}

impl<'t> Told<'t> {
    fn of(token: &'t Token, secret: Option<&'t str>) -> Self {
        Self {
            id: &token.id,
            application: &token.application,
            deployments: token.deployments.as_deref(),
            created_at: token.created_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
            token: secret,
        }
    }
}

/// For which deployments, for people.
fn scope(token: &Token) -> String {
    let Some(deployments) = &token.deployments else {
        return "all deployments".to_owned();
    };
    let names: Vec<_> = deployments.iter().map(Name::as_str).collect();
    names.join(", ")
}

impl Serialize for Made {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let secret = self.0.secret.expose_secret();
        Told::of(&self.0.token, Some(secret)).serialize(serializer)
    }
}

impl Report for Made {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let token = &self.0.token;
        let (id, application, scope) = (&token.id, &token.application, scope(token));
        writeln!(page, "token {id} of {application}, for {scope}:")?;
        writeln!(page, "\n{}\n", self.0.secret.expose_secret())?;
        writeln!(page, "It is shown this once; only its hash is kept.")
    }

    fn names(&self) -> Vec<String> {
        vec![self.0.secret.expose_secret().to_owned()]
    }
}

impl Serialize for List {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|token| Told::of(token, None)))
    }
}

impl Report for List {
    fn text(&self, page: &mut Page) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(page, "there are no tokens");
        }
        let rows = self.0.iter().map(|token| {
            let until = match (token.revoked_at, token.expires_at) {
                (Some(at), _) => format!("revoked {at:.0}"),
                (None, Some(at)) if at <= self.1 => format!("expired {at:.0}"),
                (None, Some(at)) => format!("{at:.0}"),
                (None, None) => "it is revoked".to_owned(),
            };
            let application = token.application.to_string();
            [token.id.clone(), application, scope(token), until]
        });
        let headers = ["ID", "APPLICATION", "DEPLOYMENTS", "GOOD UNTIL"];
        page.write_str(&table(&headers, rows))
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|token| token.id.clone()).collect()
    }
}

impl Serialize for Revoked {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Told::of(&self.0, None).serialize(serializer)
    }
}

impl Report for Revoked {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let Token {
            id, application, ..
        } = &self.0;
        writeln!(page, "token {id} of {application} is good no more")
    }

    fn names(&self) -> Vec<String> {
        vec![self.0.id.clone()]
    }
}
