//! `modelyard delete`: takes away the record of a version at the end of its life.

use std::fmt::{self, Write};

use super::proposing::{Proposes, Proposing};
use super::{Context, Outcome, Page, Report, completions, proposed};
use crate::ops::delete::{self, Deletion};
use crate::ops::propose::Proposed;
use crate::record::{Failure, ModelReference};

/// Delete a version that was recycled, once its retention is over
///
/// Its record is removed, on the branch `delete/MODEL/VERSION`, pushed where there is a remote.
/// Its past stays in git.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard delete vision/digits:1.0.0")]
pub(super) struct Arguments {
    /// Which version: MODEL:VERSION
    #[arg(value_name = "MODEL:VERSION", add = completions::references())]
    reference: ModelReference,
    #[command(flatten)]
    proposing: Proposing,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let (yard, proposer) = self.proposing.begin(context)?;
        let deletion = delete::delete(&yard, &self.reference, context.clock.now()).await?;
        proposer.finish(context, deletion).await
    }
}

impl Proposes for Deletion {
    fn proposed(&mut self) -> Vec<&mut Proposed> {
        vec![&mut self.proposed]
    }
}

impl Report for Deletion {
    fn text(&self, page: &mut Page) -> fmt::Result {
        writeln!(page, "{}:{}", self.model, self.version)?;
        writeln!(page, "  delete    recycled since {}", self.recycled_at)?;
        writeln!(page)?;
        proposed::text(&self.proposed, page)
    }

    fn names(&self) -> Vec<String> {
        vec![format!("{}:{}", self.model, self.version)]
    }
}
