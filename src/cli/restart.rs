//! `modelyard restart`: restarts a deployment.

use std::fmt::{self, Write};

use super::{Context, Outcome, Page, Report, completions, proposed};
use crate::ops::restart::{self, Restarting};
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
pub(super) struct Arguments {
    /// The deployment
    #[arg(value_name = "DEPLOYMENT", add = completions::deployed())]
    deployment: Name,
    /// Its environment
    #[arg(short, long, value_name = "NAME", env = "MODELYARD_ENVIRONMENT", add = completions::environments())]
    environment: Name,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let yard = context.yard()?;
        let now = context.clock.now();
        let (environment, deployment) = (&self.environment, &self.deployment);
        let restarting = restart::restart(&yard, environment, deployment, now).await?;
        context.print(&restarting)?;
        Ok(Outcome::Done)
    }
}

impl Report for Restarting {
    fn text(&self, page: &mut Page) -> fmt::Result {
        writeln!(page, "{}/{}", self.environment, self.deployment)?;
        writeln!(page, "  restart  {}", self.restart)?;
        writeln!(page)?;
        proposed::text(&self.proposed, page)
    }

    fn names(&self) -> Vec<String> {
        vec![format!("{}/{}", self.environment, self.deployment)]
    }
}
