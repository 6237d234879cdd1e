//! `modelyard restart|suspend|resume|undeploy`: what is done to a deployment as a whole.

use std::fmt::{self, Write};

use super::proposing::{Proposes, Proposing};
use super::{Context, Outcome, Page, Report, completions, proposed};
use crate::ops::deployment::{self, Act, Acted};
use crate::ops::propose::Proposed;
use crate::record::{Failure, Name};

/// Restart a deployment, and let it try again what failed
///
/// A new time is written into the deployment's record (`restart`), on the branch
/// `restart/ENVIRONMENT/DEPLOYMENT`, pushed where there is a remote. Once that is merged, new
/// replicas take over one after the other, and nothing is held any more against a version that
/// failed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard restart digits --environment host")]
pub(super) struct Restart {
    #[command(flatten)]
    which: Which,
}

/// Have a deployment stay as it is, whatever main says of it
///
/// `suspend: true` is written into the deployment's record, on the branch
/// `suspend/ENVIRONMENT/DEPLOYMENT`, pushed where there is a remote. Once that is merged, what
/// serves goes on, and nothing of it moves until `modelyard resume`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard suspend digits --environment host
  modelyard resume digits --environment host")]
pub(super) struct Suspend {
    #[command(flatten)]
    which: Which,
}

/// Let a suspended deployment go on to what main says
///
/// `suspend` is taken out of the deployment's record, on the branch
/// `resume/ENVIRONMENT/DEPLOYMENT`, pushed where there is a remote.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard resume digits --environment host")]
pub(super) struct Resume {
    #[command(flatten)]
    which: Which,
}

/// End a deployment
///
/// Its record is removed, on the branch `undeploy/ENVIRONMENT/DEPLOYMENT`, pushed where there is a
/// remote. Once that is merged, what serves ends what it answers, and is removed. The model and
/// its versions stay.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard undeploy digits --environment host")]
pub(super) struct Undeploy {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
struct Which {
    /// The deployment
    #[arg(value_name = "DEPLOYMENT", add = completions::deployed())]
    deployment: Name,
    /// Its environment
    #[arg(short, long, value_name = "NAME", env = "MODELYARD_ENVIRONMENT", add = completions::environments())]
    environment: Name,
    #[command(flatten)]
    proposing: Proposing,
}

impl Which {
    async fn run(self, act: Act, context: &Context) -> Result<Outcome, Failure> {
        let (yard, proposer) = self.proposing.begin(context)?;
        let now = context.clock.now();
        let acted = deployment::act(&yard, act, &self.environment, &self.deployment, now);
        proposer.finish(context, acted.await?).await
    }
}

impl Restart {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        self.which.run(Act::Restart, context).await
    }
}

impl Suspend {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        self.which.run(Act::Suspend, context).await
    }
}

impl Resume {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        self.which.run(Act::Resume, context).await
    }
}

impl Undeploy {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        self.which.run(Act::Undeploy, context).await
    }
}

impl Proposes for Acted {
    fn proposed(&mut self) -> Vec<&mut Proposed> {
        vec![&mut self.proposed]
    }
}

impl Report for Acted {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let environment = &self.environment;
        writeln!(page, "{environment}/{}", self.deployment)?;
        match self.restart {
            Some(at) => writeln!(page, "  {}  {at}", self.act)?,
            None => writeln!(page, "  {}", self.act)?,
        }
        if self.leaves_none {
            writeln!(
                page,
                "  it is the last one there: once merged, say that this is meant by\n  \
                 `modelyard serve --environment {environment} --accept-empty`"
            )?;
        }
        writeln!(page)?;
        proposed::text(&self.proposed, page)
    }

    fn names(&self) -> Vec<String> {
        vec![format!("{}/{}", self.environment, self.deployment)]
    }
}
