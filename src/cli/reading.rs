//! Which yard is read, and at which state: for every command that only looks.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::Context;
use crate::record::Failure;
use crate::yard::{Catalog, Depth, Revision, Yard, blocking};

/// Which yard is read, and when.
#[derive(Debug, Args)]
pub(super) struct Reading {
    /// Read the yard as it was at REV: a commit, a branch, a tag; of a yard at a URL a commit
    #[arg(long, value_name = "REV")]
    at: Option<String>,
    /// Read the yard at URL, of which nothing is kept
    #[arg(long = "yard", value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    url: Option<String>,
}

impl Reading {
    /// Opens the yard, and says which of its states is meant.
    pub(super) async fn open(self, context: &Context) -> Result<(Yard, Revision), Failure> {
        // Another state than the newest is only there with the history.
        let depth = match self.at {
            Some(_) => Depth::Everything,
            None => Depth::Tip,
        };
        self.open_to(depth, context).await
    }

    /// The same with as much of its history as is needed.
    pub(super) async fn open_to(
        self,
        depth: Depth,
        context: &Context,
    ) -> Result<(Yard, Revision), Failure> {
        let yard = match self.url {
            Some(url) => context.fetched(url, depth).await?,
            None => context.yard()?,
        };
        let revision = self.at.map_or_else(|| yard.at_hand(), Revision::Commit);
        Ok((yard, revision))
    }

    /// The records of that state.
    pub(super) async fn catalog(self, context: &Context) -> Result<Catalog, Failure> {
        let (yard, revision) = self.open(context).await?;
        blocking(move || Ok::<_, Failure>(Catalog::new(yard.snapshot(&revision)?))).await
    }
}
