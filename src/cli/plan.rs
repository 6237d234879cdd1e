//! `modelyard plan`: what a pass would do.

use std::fmt::{self, Write};

use serde::Serialize;

use super::host::HostArguments;
use super::serve::{Assembly, Role, WordArguments};
use super::stores::StoreArguments;
use super::{Context, Outcome, Page, Report};
use crate::platform::redact::printable;
use crate::record::{Digest, Failure};
use crate::rollout::{Change, Step};

/// Show what a pass over an environment of this host would do, without doing it
///
/// Fetches main. The hash is one of where the plan leads: it stays the same while the plan is
/// carried out, and whoever saw it can tell whether something else is to be done by then.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard plan -e host
  modelyard plan -e host --output json | jq -r .hash")]
pub(super) struct Arguments {
    #[command(flatten)]
    host: HostArguments,
    #[command(flatten)]
    words: WordArguments,
    #[command(flatten)]
    stores: StoreArguments,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Planned {
    hash: Digest,
    changes: Vec<Change>,
    /// What would be done first.
    steps: Vec<String>,
    /// Why there is no more.
    waits: Vec<String>,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let yard = context.yard()?;
        let assembly = Assembly {
            environment: self.host.environment.clone(),
            folder: self.host.folder(context, &yard),
            yard,
            words: self.words.words(),
            stores: self.stores.options(context),
            prometheus: None,
        };
        let assembled = assembly.build(Role::Looks, context).await?;
        assembled.branch.look().await;
        let plan = assembled.reconciler.preview().await?;
        // Routes are the gateway's, which is asked by nobody here.
        let is_seen = |step: &&Step| {
            !matches!(
                step,
                Step::SetRoute { .. } | Step::RemoveRoute { .. } | Step::Measure { .. }
            )
        };
        context.print(&Planned {
            hash: plan.hash(),
            steps: plan
                .steps
                .iter()
                .filter(is_seen)
                .map(Step::to_string)
                .collect(),
            waits: plan.waits.iter().map(ToString::to_string).collect(),
            changes: plan.changes,
        })?;
        Ok(Outcome::Done)
    }
}

impl Report for Planned {
    fn text(&self, page: &mut Page) -> fmt::Result {
        if self.changes.is_empty() && self.steps.is_empty() {
            writeln!(page, "nothing is to be done")?;
        }
        for change in &self.changes {
            writeln!(page, "{}", printable(&change.to_string()))?;
        }
        for (title, lines) in [("first", &self.steps), ("waits", &self.waits)] {
            if !lines.is_empty() {
                writeln!(page, "\n{title}")?;
            }
            for line in lines {
                writeln!(page, "  {}", printable(line))?;
            }
        }
        writeln!(page, "\nplan {}", self.hash)
    }

    fn names(&self) -> Vec<String> {
        vec![self.hash.to_string()]
    }
}
