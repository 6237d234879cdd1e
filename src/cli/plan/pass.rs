//! `modelyard plan --environment`: what a pass over an environment of this host would do.

use std::fmt::{self, Write};

use serde::Serialize;

use crate::artifact::StoreOptions;
use crate::cli::host::HostArguments;
use crate::cli::serve::{Assembly, Role, WordArguments};
use crate::cli::{Context, Outcome, Page, Report};
use crate::platform::redact::printable;
use crate::reconcile::Preview;
use crate::record::{Digest, Failure};
use crate::rollout::{Change, Step};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Planned {
    /// The digest of where the pass leads.
    pass: Digest,
    changes: Vec<Change>,
    /// What would be done first.
    steps: Vec<String>,
    /// Why there is no more.
    waits: Vec<String>,
    /// Why main could not be read; the rest is of what was known of it before, if anything was.
    #[serde(skip_serializing_if = "Option::is_none")]
    behind: Option<String>,
}

/// Tells what a pass over the environment of `host` would do.
pub(super) async fn run(
    host: &HostArguments,
    words: WordArguments,
    stores: StoreOptions,
    context: &Context,
) -> Result<Outcome, Failure> {
    let yard = context.yard()?;
    let assembly = Assembly {
        environment: host.environment.clone(),
        folder: host.folder(context, &yard),
        yard,
        words: words.words(),
        stores,
        prometheus: None,
    };
    let assembled = assembly.build(Role::Looks, context).await?;
    assembled.branch.look().await;
    let Preview { plan, behind } = assembled.reconciler.preview().await?;
    let outcome = match &behind {
        Some(_) => Outcome::Problems,
        None => Outcome::Done,
    };
    // Routes are the gateway's, which is asked by nobody here.
    let is_seen = |step: &&Step| {
        !matches!(
            step,
            Step::SetRoute { .. } | Step::RemoveRoute { .. } | Step::Measure { .. }
        )
    };
    context.print(&Planned {
        pass: plan.hash(),
        steps: plan
            .steps
            .iter()
            .filter(is_seen)
            .map(Step::to_string)
            .collect(),
        waits: plan.waits.iter().map(ToString::to_string).collect(),
        changes: plan.changes,
        behind,
    })?;
    Ok(outcome)
}

impl Report for Planned {
    fn text(&self, page: &mut Page) -> fmt::Result {
        match &self.behind {
            Some(why) => writeln!(page, "main could not be read: {}", printable(why))?,
            None if self.changes.is_empty() && self.steps.is_empty() => {
                writeln!(page, "nothing is to be done")?;
            }
            None => {}
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
        writeln!(page, "\npass {}", self.pass)
    }

    fn names(&self) -> Vec<String> {
        vec![self.pass.to_string()]
    }
}
