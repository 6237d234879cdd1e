//! `modelyard rollback`: has a deployment go back to what served before.

use std::fmt::{self, Write};

use super::proposing::{Proposes, Proposing};
use super::{Context, Outcome, Page, Report, completions, proposed};
use crate::ops::propose::Proposed;
use crate::ops::rollback::{self, Request, RollingBack};
use crate::record::{Failure, Name, Version};

/// Have a deployment go back to what served before
///
/// The one line of main that chose the version is set back, on the branch
/// `rollback/ENVIRONMENT/DEPLOYMENT`, pushed where there is a remote: the alias, or where others
/// depend on that alias, a version in the deployment's record. What served before is what main
/// chose last that was another version. While a rollout goes on, `modelyard rollout abort` returns
/// the traffic at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard rollback digits --environment host
  modelyard rollback digits --environment host --to 1.0.0")]
pub(super) struct Arguments {
    /// The deployment
    #[arg(value_name = "DEPLOYMENT", add = completions::deployed())]
    deployment: Name,
    /// Its environment
    #[arg(short, long, value_name = "NAME", env = "MODELYARD_ENVIRONMENT", add = completions::environments())]
    environment: Name,
    /// To this version of the model
    #[arg(long, value_name = "VERSION")]
    to: Option<Version>,
    #[command(flatten)]
    proposing: Proposing,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let (yard, proposer) = self.proposing.begin(context)?;
        let request = Request {
            environment: self.environment,
            deployment: self.deployment,
            to: self.to,
        };
        let going = rollback::rollback(&yard, request, context.clock.now()).await?;
        proposer.finish(context, going).await
    }
}

impl Proposes for RollingBack {
    fn proposed(&mut self) -> Vec<&mut Proposed> {
        vec![&mut self.proposed]
    }
}

impl Report for RollingBack {
    fn text(&self, page: &mut Page) -> fmt::Result {
        writeln!(page, "{}/{}", self.environment, self.deployment)?;
        for line in &self.lines {
            writeln!(page, "  {line}")?;
        }
        writeln!(page)?;
        proposed::text(&self.proposed, page)
    }

    fn names(&self) -> Vec<String> {
        vec![format!("{}/{}", self.environment, self.deployment)]
    }
}
