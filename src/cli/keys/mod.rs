//! `modelyard keys`: makes keys, shows them, and has a yard accept them.

pub(super) mod password;
mod report;
pub(super) mod signer;

use clap::{Args, Subcommand};

use super::proposing::Proposing;
use super::{Context, Outcome};
use crate::ops::keys::{self, KeyStore, Scope};
use crate::record::kind::ModelPattern;
use crate::record::{Failure, Lifecycle, Name};
use password::{PasswordArguments, Purpose};
use report::{Acceptance, Generation, KeyDetails, KeyList};

/// Make the keys that sign artifacts, and have a yard accept them
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Generate(Generate),
    Accept(Accept),
    List,
    Show(Show),
}

/// Make a key, and propose that the yard accepts it
///
/// The private half is sealed by a password and kept in your configuration folder, for you alone.
/// The public half goes into the yard on the branch `keys/NAME`, with a trust rule that asks for
/// its signature. Outside a yard only the key is made.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modelyard keys generate
  modelyard keys generate release --models 'vision/*' --lifecycle released
  COSIGN_PASSWORD=… modelyard keys generate ci --no-yard")]
struct Generate {
    /// What the key is called
    #[arg(default_value = keys::DEFAULT)]
    name: Name,
    /// Only make the key, and leave the yard as it is
    #[arg(long, conflicts_with_all = ["models", "lifecycle"])]
    no_yard: bool,
    #[command(flatten)]
    scope: ScopeArguments,
    #[command(flatten)]
    password: PasswordArguments,
    #[command(flatten)]
    proposing: Proposing,
}

/// Propose that the yard accepts a key that was made before, or somebody else's
#[derive(Debug, Args)]
struct Accept {
    /// What the key is called: one of yours, or what FILE is to be called in the yard
    #[arg(default_value = keys::DEFAULT)]
    name: Name,
    /// Somebody else's public key
    #[arg(long, value_name = "FILE")]
    public: Option<std::path::PathBuf>,
    #[command(flatten)]
    scope: ScopeArguments,
    #[command(flatten)]
    password: PasswordArguments,
    #[command(flatten)]
    proposing: Proposing,
}

/// Show a key's public half and fingerprint
#[derive(Debug, Args)]
struct Show {
    /// Which key
    #[arg(default_value = keys::DEFAULT)]
    name: Name,
    #[command(flatten)]
    password: PasswordArguments,
}

/// For which versions the key is to vouch.
#[derive(Debug, Args)]
struct ScopeArguments {
    /// Only for these models, such as `vision/*`
    #[arg(long, value_name = "PATTERN")]
    models: Option<ModelPattern>,
    /// Only at this stage; may be given several times
    #[arg(long, value_name = "STAGE")]
    lifecycle: Vec<Lifecycle>,
}

impl ScopeArguments {
    fn scope(self) -> Scope {
        Scope {
            models: self.models,
            lifecycle: self.lifecycle,
        }
    }
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let store = KeyStore::new(&context.places);
        match self.command {
            Command::Generate(arguments) => return arguments.run(context, &store).await,
            Command::Accept(arguments) => return arguments.run(context, &store).await,
            Command::List => context.print(&KeyList(store.list()?))?,
            Command::Show(arguments) => arguments.run(context, &store)?,
        }
        Ok(Outcome::Done)
    }
}

impl Generate {
    async fn run(self, context: &Context, store: &KeyStore) -> Result<Outcome, Failure> {
        // Before anybody is asked for a password in vain.
        store.expect_free(&self.name)?;
        let yard = if self.no_yard {
            None
        } else {
            context.yard_if_any()?
        };
        let proposer = yard.map(|yard| self.proposing.proposer(context, &yard));
        let proposer = proposer.transpose()?;
        let place = store.source(&self.name).to_string();
        let password = self.password.get(context, &place, Purpose::Choose)?;
        let scope = self.scope.scope();
        let in_yard = proposer.as_ref().map(|proposer| (proposer.yard(), &scope));
        let clock = context.clock.as_ref();
        let generated = keys::generate(store, &self.name, &password, in_yard, clock).await?;
        let generation = Generation(generated);
        match proposer {
            Some(proposer) => proposer.finish(context, generation).await,
            None => context.print(&generation).map(|()| Outcome::Done),
        }
    }
}

impl Accept {
    async fn run(self, context: &Context, store: &KeyStore) -> Result<Outcome, Failure> {
        let (yard, proposer) = self.proposing.begin(context)?;
        let key = match &self.public {
            Some(path) => keys::read_public(&context.path(path))?,
            None => store.public_half(&self.name, |place| {
                self.password.get(context, place, Purpose::Open)
            })?,
        };
        let scope = self.scope.scope();
        let now = context.clock.now();
        let accepted = keys::accept(&yard, &self.name, &key, &scope, now).await?;
        proposer.finish(context, Acceptance(accepted)).await
    }
}

impl Show {
    fn run(self, context: &Context, store: &KeyStore) -> Result<(), Failure> {
        store.public_half(&self.name, |place| {
            self.password.get(context, place, Purpose::Open)
        })?;
        context.print(&KeyDetails(store.get(&self.name)?))
    }
}
