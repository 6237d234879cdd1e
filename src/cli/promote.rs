//! `modelyard promote`: moves a version along its life, and names to it.

use std::fmt::{self, Write};

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::proposing::{Proposes, Proposing};
use super::{Context, Outcome, Page, Report, completions, proposed};
use crate::ops::promote::{self, Act, Promotion, Request};
use crate::ops::propose::Proposed;
use crate::record::{Alias, Failure, Lifecycle, ModelReference};

/// Move a version along its life, and aliases to it
///
/// A version goes from staged to released, deprecated, retired and recycled, one step at a time,
/// and back from recycled to retired. The move is a one-line change of its record on the branch
/// `promote/MODEL/VERSION`, pushed where there is a remote; your work tree and checked-out branch
/// are not touched.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard promote vision/digits:1.0.0 --to released --alias champion
  modelyard promote vision/digits:1.1.0 --alias challenger
  modelyard promote vision/digits:champion --to deprecated")]
pub(super) struct Arguments {
    /// Which version: MODEL:VERSION, or MODEL:ALIAS
    #[arg(value_name = "MODEL:VERSION", add = completions::references())]
    reference: ModelReference,
    /// Where in its life it shall be
    #[arg(long, value_name = "STAGE", value_parser = stages())]
    to: Option<Lifecycle>,
    /// A name that shall mean this version; may be given several times
    #[arg(long = "alias", value_name = "ALIAS")]
    aliases: Vec<Alias>,
    #[command(flatten)]
    proposing: Proposing,
}

fn stages() -> impl TypedValueParser<Value = Lifecycle> {
    let stages = PossibleValuesParser::new(Lifecycle::ALL.map(Lifecycle::as_str));
    stages.try_map(|stage| stage.parse::<Lifecycle>())
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let (yard, proposer) = self.proposing.begin(context)?;
        let request = Request {
            act: Act::Promote,
            reference: self.reference,
            to: self.to,
            aliases: self.aliases,
        };
        let promotion = promote::promote(&yard, request, context.clock.now()).await?;
        proposer.finish(context, promotion).await
    }
}

impl Proposes for Promotion {
    fn proposed(&mut self) -> Vec<&mut Proposed> {
        vec![&mut self.proposed]
    }
}

/// Say that a version is no longer to be chosen
///
/// It goes from released to deprecated; what serves it goes on. A one-line change of its record on
/// the branch `deprecate/MODEL/VERSION`, pushed where there is a remote.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard deprecate vision/digits:1.0.0")]
pub(super) struct Deprecate {
    #[command(flatten)]
    which: Which,
}

/// Take a version out of service
///
/// It goes from deprecated to retired: nothing may deploy it, and its bytes are kept. A version
/// that a deployment uses can't be retired. A one-line change of its record on the branch
/// `retire/MODEL/VERSION`, pushed where there is a remote.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard retire vision/digits:1.0.0")]
pub(super) struct Retire {
    #[command(flatten)]
    which: Which,
}

/// Put a version into the bin
///
/// It goes from retired to recycled: from there it can be restored, and after the yard's retention
/// (`retention.recycled`, 30 days where nothing is said) be deleted. A one-line change of its
/// record on the branch `recycle/MODEL/VERSION`, pushed where there is a remote.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard recycle vision/digits:1.0.0
  modelyard restore vision/digits:1.0.0
  modelyard delete vision/digits:1.0.0        once its retention is over")]
pub(super) struct Recycle {
    #[command(flatten)]
    which: Which,
}

/// Take a version out of the bin
///
/// It goes from recycled back to retired. A one-line change of its record on the branch
/// `restore/MODEL/VERSION`, pushed where there is a remote.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard restore vision/digits:1.0.0")]
pub(super) struct Restore {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
struct Which {
    /// Which version: MODEL:VERSION, or MODEL:ALIAS
    #[arg(value_name = "MODEL:VERSION", add = completions::references())]
    reference: ModelReference,
    #[command(flatten)]
    proposing: Proposing,
}

impl Which {
    async fn run(self, act: Act, context: &Context) -> Result<Outcome, Failure> {
        let (yard, proposer) = self.proposing.begin(context)?;
        let request = Request::step(act, self.reference);
        let moved = promote::promote(&yard, request, context.clock.now()).await?;
        proposer.finish(context, moved).await
    }
}

impl Deprecate {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        self.which.run(Act::Deprecate, context).await
    }
}

impl Retire {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        self.which.run(Act::Retire, context).await
    }
}

impl Recycle {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        self.which.run(Act::Recycle, context).await
    }
}

impl Restore {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        self.which.run(Act::Restore, context).await
    }
}

impl Report for Promotion {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let mut rows = Vec::new();
        if let Some(moved) = &self.lifecycle {
            rows.push(("lifecycle", moved.from.to_string(), moved.to.to_string()));
        }
        for moved in &self.aliases {
            let from = moved
                .from
                .as_ref()
                .map_or("nothing".to_owned(), ToString::to_string);
            rows.push((moved.alias.as_str(), from, moved.to.to_string()));
        }
        if !rows.is_empty() {
            writeln!(page, "{}:{}", self.model, self.version)?;
            let width = rows.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
            for (name, from, to) in &rows {
                writeln!(page, "  {name:width$}  {from} -> {to}")?;
            }
            writeln!(page)?;
        }
        proposed::text(&self.proposed, page)
    }

    fn names(&self) -> Vec<String> {
        vec![format!("{}:{}", self.model, self.version)]
    }
}
