//! `modelyard tags`: lists what a repository has under which tags.

use std::fmt::{self, Write};

use super::stores::StoreArguments;
use super::{Context, Outcome, Page, Report};
use crate::artifact::open;
use crate::ops::tags::{self, Tags};
use crate::platform::redact::printable;
use crate::record::{Failure, Repository};

/// List what a repository has under which tags
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard tags registry.example.com/acme/models/vision/digits
  modelyard tags oci-layout:./store/vision/digits")]
pub(super) struct Arguments {
    /// The repository: a registry's host and path, or `oci-layout:` and a folder
    #[arg(value_name = "REPOSITORY")]
    repository: Repository,
    /// List also the tags that only hold signatures
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    stores: StoreArguments,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let repository = self.repository.resolved(&context.directory);
        let store = open(&repository, &self.stores.options(context))?;
        context.print(&tags::tags(&*store, self.all).await?)?;
        Ok(Outcome::Done)
    }
}

impl Report for Tags {
    fn text(&self, page: &mut Page) -> fmt::Result {
        if self.tags.is_empty() {
            let repository = printable(&self.repository.to_string());
            return writeln!(page, "{repository} has no tags");
        }
        for tag in &self.tags {
            writeln!(page, "{tag}")?;
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        self.tags.clone()
    }
}
