//! `modelyard show`: all that a yard knows of a model, a version or a deployment.

mod deployment;
mod model;
mod version;

use std::fmt::{self, Write};

use super::list::{deployment_name, serves};
use super::reading::Reading;
use super::table::{joined, table};
use super::{Context, Outcome, Page, Report, completions};
use crate::ops::list::DeploymentRow;
use crate::ops::show::{self, Shown, Wanted};
use crate::record::Failure;
use crate::yard::blocking;

/// Show all that is known of a model, a version or a deployment
///
/// Of a model its versions and where they serve; of a version also what its record still lacks
/// for it to be made again: the commit of the code, the digests of the data, the packages; of a
/// deployment the versions that it serves now.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard show vision/digits
  modelyard show vision/digits:1.0.0
  modelyard show vision/digits:champion --at v1.2 --output json
  modelyard show factory/digits
  modelyard show deployments/factory/digits     where a model has that name, too")]
pub(super) struct Arguments {
    /// What to show: MODEL, MODEL:VERSION (or :RANGE, :ALIAS, @DIGEST), ENVIRONMENT/DEPLOYMENT
    #[arg(value_name = "NAME", add = completions::shown())]
    wanted: Wanted,
    #[command(flatten)]
    reading: Reading,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let catalog = self.reading.catalog(context).await?;
        let shown = blocking(move || show::show(&catalog, &self.wanted)).await?;
        context.print(&shown)?;
        context.note_unreadable(shown.unreadable());
        Ok(Outcome::Done)
    }
}

impl Report for Shown {
    fn text(&self, page: &mut Page) -> fmt::Result {
        match self {
            Self::Model(shown) => model::text(shown, page),
            Self::Version(shown) => version::text(shown, page),
            Self::Deployment(shown) => deployment::text(shown, page),
        }
    }

    fn names(&self) -> Vec<String> {
        vec![match self {
            Self::Model(shown) => shown.model.to_string(),
            Self::Version(shown) => format!("{}:{}", shown.model, shown.version),
            Self::Deployment(shown) => deployment_name(&shown.row),
        }]
    }
}

/// Where a model or a version runs.
fn served_by(deployments: &[DeploymentRow], page: &mut Page) -> fmt::Result {
    if deployments.is_empty() {
        return writeln!(page, "\nNo deployment serves it.");
    }
    let rows = deployments
        .iter()
        .map(|row| [deployment_name(row), joined(row.serves.iter().map(serves))]);
    write!(page, "\n{}", table(&["DEPLOYMENT", "SERVES"], rows))
}
