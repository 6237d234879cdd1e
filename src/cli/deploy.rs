//! `modelyard deploy`: makes a version serve in an environment.

use std::fmt::{self, Write};

use super::proposing::{Proposes, Proposing};
use super::{Context, Outcome, Page, Report, completions, proposed};
use crate::ops::deploy::{self, Deploying, Request};
use crate::ops::propose::Proposed;
use crate::record::{Failure, ModelReference, Name};

/// Make a version serve in an environment
///
/// The line of the deployment that chooses its version changes, or a new deployment is written,
/// on the branch `deploy/ENVIRONMENT/DEPLOYMENT`, pushed where there is a remote. Once that is
/// merged, whoever reconciles the environment brings the version to serve. Your work tree and
/// checked-out branch are not touched.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard deploy vision/digits:1.0.0 --to factory
  modelyard deploy vision/digits:champion --to factory     follows the alias
  modelyard deploy vision/digits:^1.2 --to factory --deployment line3")]
pub(super) struct Arguments {
    /// Which version: MODEL:VERSION, MODEL:ALIAS or MODEL:RANGE
    #[arg(value_name = "MODEL:VERSION", add = completions::references())]
    reference: ModelReference,
    /// The environment
    #[arg(long = "to", value_name = "ENVIRONMENT", add = completions::environments())]
    environment: Name,
    /// The deployment, where the model has several there or a new one shall have another name
    #[arg(long, value_name = "NAME", add = completions::deployed())]
    deployment: Option<Name>,
    #[command(flatten)]
    proposing: Proposing,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let (yard, proposer) = self.proposing.begin(context)?;
        let request = Request {
            reference: self.reference,
            environment: self.environment,
            deployment: self.deployment,
        };
        let deploying = deploy::deploy(&yard, request, context.clock.now()).await?;
        proposer.finish(context, deploying).await
    }
}

impl Proposes for Deploying {
    fn proposed(&mut self) -> Vec<&mut Proposed> {
        vec![&mut self.proposed]
    }
}

impl Report for Deploying {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let from = self.from.as_deref().unwrap_or("nothing");
        writeln!(page, "{}/{}", self.environment, self.deployment)?;
        writeln!(page, "  {}  {from} -> {}", self.model, self.to)?;
        writeln!(page)?;
        proposed::text(&self.proposed, page)
    }

    fn names(&self) -> Vec<String> {
        vec![format!("{}/{}", self.environment, self.deployment)]
    }
}
