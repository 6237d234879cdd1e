//! `modelyard rollout`: a person's word on a rollout that goes on.

use std::fmt::{self, Write};

use clap::Subcommand;

use super::host::HostArguments;
use super::proposing::{Proposes, Proposing};
use super::{Context, Outcome, Page, Report, completions, proposed};
use crate::ops::propose::Proposed;
use crate::ops::steer::{self, Request, Steering};
use crate::reconcile::inbox::{Inbox, Message};
use crate::record::kind::RolloutAction;
use crate::record::{Digest, Failure, Name};

/// Pause a rollout, let it go on, approve its next step, or send it back
///
/// The word is written into the deployment's record (`rollout`), on the branch
/// `rollout/ENVIRONMENT/DEPLOYMENT`, pushed where there is a remote. It counts, once merged, for
/// the rollout of one digest and for no other; where the environment is served on this host, it
/// acts here at once, until main says otherwise. Your work tree and checked-out branch are not
/// touched.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard rollout pause digits --environment factory
  modelyard rollout continue digits --environment factory --step 2
  modelyard rollout abort digits --environment factory")]
pub(super) struct Arguments {
    #[command(subcommand)]
    word: Word,
}

#[derive(Debug, Subcommand)]
enum Word {
    /// Stay at this step
    Pause(Which),
    /// Go on as the steps say
    Resume(Which),
    /// Approve the next step
    Continue(Which),
    /// Go back to the version before
    Abort(Which),
}

#[derive(Debug, clap::Args)]
struct Which {
    /// The deployment
    #[arg(value_name = "DEPLOYMENT", add = completions::deployed())]
    deployment: Name,
    #[command(flatten)]
    host: HostArguments,
    /// Only at this step, counted from 1; `continue` without one counts once, for the step that
    /// waits then
    #[arg(long, value_name = "NUMBER")]
    step: Option<u32>,
    /// Of which digest; of what main chooses where nothing is said
    #[arg(long, value_name = "DIGEST")]
    digest: Option<Digest>,
    #[command(flatten)]
    proposing: Proposing,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let (action, which) = match self.word {
            Word::Pause(which) => (RolloutAction::Pause, which),
            Word::Resume(which) => (RolloutAction::Resume, which),
            Word::Continue(which) => (RolloutAction::Continue, which),
            Word::Abort(which) => (RolloutAction::Abort, which),
        };
        let (yard, proposer) = which.proposing.begin(context)?;
        let state = which.host.folder(context, &yard);
        let request = Request {
            environment: which.host.environment,
            deployment: which.deployment,
            action,
            step: which.step,
            digest: which.digest,
        };
        let steering = steer::steer(&yard, request, context.clock.now()).await?;
        if state.exists() {
            let word = Message::Word(steering.deployment.clone(), steering.word.clone());
            Inbox::of(&state).put(&word)?;
        }
        proposer.finish(context, steering).await
    }
}

impl Proposes for Steering {
    fn proposed(&mut self) -> Vec<&mut Proposed> {
        vec![&mut self.proposed]
    }
}

impl Report for Steering {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let step = self.word.step;
        let step = step.map(|step| format!(" at step {step}"));
        writeln!(page, "{}/{}", self.environment, self.deployment)?;
        writeln!(
            page,
            "  {}{}  {}",
            self.word.action,
            step.unwrap_or_default(),
            self.word.digest.short()
        )?;
        writeln!(page)?;
        proposed::text(&self.proposed, page)
    }

    fn names(&self) -> Vec<String> {
        vec![format!("{}/{}", self.environment, self.deployment)]
    }
}
