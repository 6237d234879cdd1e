//! How a change gets to main: what every command takes that makes one, and what follows.

use std::sync::Arc;

use super::waiting::wait;
use super::{Context, Outcome, Report};
use crate::forge::{Choice, Options};
use crate::ops::propose::Proposed;
use crate::ops::pull_request::{self, NoForge, Way};
use crate::platform::retry::Policy;
use crate::record::Failure;
use crate::record::kind::Span;
use crate::yard::Yard;

/// What every command takes that changes the yard.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "How it gets to main")]
pub(super) struct Proposing {
    /// Where pull requests live, if neither modelyard.yaml nor the remote tells: github, gitlab,
    /// gitea or git, and the yard's page there, as gitea=https://git.example.com/acme/yard
    #[arg(long, value_name = "FORGE[=PAGE]")]
    forge: Option<Choice>,
    /// Open the pull request as a draft
    #[arg(long)]
    draft: bool,
    /// Wait until the pull request is merged, and what it asks of deployments serves; ends with 2 if
    /// it is closed or fails, with 3 if it takes too long
    #[arg(long)]
    wait: bool,
    /// How long to wait at most; as long as it takes where nothing is said
    #[arg(long, value_name = "TIME", requires = "wait")]
    deadline: Option<Span>,
    /// Commit to main itself, where the yard doesn't ask for reviews
    #[arg(long, conflicts_with_all = ["forge", "draft", "wait"])]
    direct: bool,
}

/// What comes of changes: what was proposed, if anything was.
pub(super) trait Proposes {
    /// The changes.
    fn proposed(&mut self) -> Vec<&mut Proposed>;
}

/// Opens what was proposed.
pub(super) struct Proposer {
    yard: Yard,
    way: Way,
    draft: bool,
    waits: bool,
    deadline: Option<Span>,
}

impl Proposing {
    /// The yard in which the command was started, and who opens pull requests for it. That there
    /// can't be one is told before anything is done.
    ///
    /// # Errors
    /// As [`Context::yard`] and [`pull_request::way()`].
    pub(super) fn begin(&self, context: &Context) -> Result<(Yard, Proposer), Failure> {
        let yard = context.yard()?;
        let proposer = self.proposer(context, &yard)?;
        Ok((proposer.yard.clone(), proposer))
    }

    /// Who opens pull requests for `yard`.
    ///
    /// # Errors
    /// As [`pull_request::way()`].
    pub(super) fn proposer(&self, context: &Context, yard: &Yard) -> Result<Proposer, Failure> {
        let (yard, way) = if self.direct {
            (yard.directly(), Way::None(NoForge::Git))
        } else {
            let way = way(context, yard, self.forge.as_ref(), Policy::default())?;
            (yard.clone(), way)
        };
        Ok(Proposer {
            yard,
            way,
            draft: self.draft,
            waits: self.wait,
            deadline: self.deadline,
        })
    }
}

/// How pull requests come about in `yard`, with the tokens of this process's environment.
///
/// # Errors
/// As [`pull_request::way()`].
pub(super) fn way(
    context: &Context,
    yard: &Yard,
    choice: Option<&Choice>,
    retry: Policy,
) -> Result<Way, Failure> {
    let options = Options {
        retry,
        clock: Arc::clone(&context.clock),
    };
    pull_request::way(yard, choice, |name| context.variable(name), &options)
}

impl Proposer {
    /// The yard, as it is to be changed.
    pub(super) const fn yard(&self) -> &Yard {
        &self.yard
    }

    /// Opens the pull requests, waits for the merge and until it serves if that was asked for, and
    /// prints what came of all. What was done is printed also where the forge fails.
    ///
    /// # Errors
    /// As [`pull_request::open`] and [`wait`].
    pub(super) async fn finish(
        self,
        context: &Context,
        mut report: impl Report + Proposes,
    ) -> Result<Outcome, Failure> {
        let mut result = Ok(());
        for proposed in report.proposed() {
            if result.is_ok() {
                result = pull_request::open(&self.yard, &self.way, proposed, self.draft).await;
            }
            if result.is_ok() && self.waits {
                result = wait(context, &self.yard, &self.way, proposed, self.deadline).await;
            }
        }
        context.print(&report)?;
        result?;
        Ok(Outcome::Done)
    }
}
