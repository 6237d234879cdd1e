//! `modelyard list`: what a yard has.

use std::fmt::{self, Write};

use clap::ValueEnum;

use super::reading::Reading;
use super::table::{day, joined, or_nothing, size, table};
use super::{Context, Outcome, Page, Report};
use crate::ops::list::{
    self, DeploymentRow, Listing, ModelRow, Query, Rows, Serves, VersionRow, What,
};
use crate::record::Failure;
use crate::record::kind::ModelPattern;
use crate::yard::blocking;

/// List the yard's models, versions or deployments
///
/// All of them, or those that `--where` chooses. A filter is conditions joined by `and`, `or`,
/// `not` and parentheses; a condition is a field as in the record, an operator and a value:
///
///   =  !=        the whole value, in which * stands for anything
///   ~            a part of it, whatever its case
///   > >= < <=    numbers (100MiB is one), versions, dates
///
/// A field is looked for in the version and then in its model. Of a list one item is enough; an
/// item with a name is found by it, as in `metrics.accuracy`. A field alone asks whether it is
/// there. A model is listed if any one of its versions meets it all.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
#[command(after_help = "Examples:
  modelyard list
  modelyard list versions 'vision/*' --where lifecycle=released
  modelyard list --where 'classification.technology=nlp and owners.team=vision'
  modelyard list versions --where 'precision=int8 and targetDevices=cuda and size<100MiB'
  modelyard list versions --where 'metrics.accuracy>=0.9' --output name
  modelyard list deployments --where environment=factory --at v1.2")]
pub(super) struct Arguments {
    /// What to list
    #[arg(value_enum, default_value_t)]
    what: Kind,
    /// Only these models, as in `vision/*`
    #[arg(value_name = "MODELS")]
    models: Option<ModelPattern>,
    /// Only what this filter chooses; may be given several times, and all have to be met
    #[arg(long = "where", value_name = "FILTER")]
    wanted: Vec<String>,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Kind {
    #[default]
    Models,
    Versions,
    Deployments,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let catalog = self.reading.catalog(context).await?;
        let query = Query {
            what: match self.what {
                Kind::Models => What::Models,
                Kind::Versions => What::Versions,
                Kind::Deployments => What::Deployments,
            },
            models: self.models,
            wanted: self.wanted,
        };
        let listing = blocking(move || list::list(&catalog, &query)).await?;
        context.print(&listing)?;
        context.note_unreadable(&listing.unreadable);
        if listing.names().is_empty() {
            context.note("nothing was found");
        }
        Ok(Outcome::Done)
    }
}

impl Report for Listing {
    fn text(&self, page: &mut Page) -> fmt::Result {
        if self.names().is_empty() {
            return Ok(());
        }
        let text = match &self.rows {
            Rows::Models(rows) => {
                let headers = [
                    "MODEL", "TITLE", "RELEASED", "VERSIONS", "ALIASES", "OWNERS",
                ];
                table(&headers, rows.iter().map(model))
            }
            Rows::Versions(rows) => versions(rows),
            Rows::Deployments(rows) => {
                let headers = ["DEPLOYMENT", "SERVES", "STRATEGY", "STATE"];
                table(&headers, rows.iter().map(deployment))
            }
        };
        page.write_str(&text)
    }

    fn names(&self) -> Vec<String> {
        match &self.rows {
            Rows::Models(rows) => rows.iter().map(|row| row.model.to_string()).collect(),
            Rows::Versions(rows) => rows.iter().map(version_name).collect(),
            Rows::Deployments(rows) => rows.iter().map(deployment_name).collect(),
        }
    }
}

fn version_name(row: &VersionRow) -> String {
    format!("{}:{}", row.model, row.version)
}

pub(super) fn deployment_name(row: &DeploymentRow) -> String {
    format!("{}/{}", row.environment, row.name)
}

fn model(row: &ModelRow) -> [String; 6] {
    let aliases = row.aliases.iter();
    [
        row.model.to_string(),
        or_nothing(row.title.as_ref()),
        or_nothing(row.released.as_ref()),
        row.versions.to_string(),
        joined(aliases.map(|(alias, version)| format!("{alias}={version}"))),
        joined(&row.owners),
    ]
}

/// A table of versions, as `show` has one, too.
pub(super) fn versions(rows: &[VersionRow]) -> String {
    let headers = [
        "VERSION",
        "LIFECYCLE",
        "FORMAT",
        "SCORE",
        "SIZE",
        "CREATED",
        "ALIASES",
    ];
    let cells = rows.iter().map(|row| {
        let score = row.score.as_ref();
        let precision = row
            .precision
            .iter()
            .map(|precision| format!(" {precision}"));
        let precision: String = precision.collect();
        [
            version_name(row),
            row.lifecycle.to_string(),
            format!("{}{precision}", row.format),
            or_nothing(score.map(|score| format!("{} {}", score.name, score.value))),
            or_nothing(row.size.map(size)),
            or_nothing(row.created_at.map(day)),
            joined(&row.aliases),
        ]
    });
    table(&headers, cells)
}

fn deployment(row: &DeploymentRow) -> [String; 4] {
    [
        deployment_name(row),
        joined(row.serves.iter().map(serves)),
        or_nothing(row.strategy),
        state(row).to_owned(),
    ]
}

pub(super) fn state(row: &DeploymentRow) -> &'static str {
    if row.suspended { "suspended" } else { "active" }
}

/// `vision/digits:champion (1.1.0) weight 80`.
pub(super) fn serves(serves: &Serves) -> String {
    let Serves {
        model,
        asked,
        version,
        weight,
    } = serves;
    let asked = asked
        .as_ref()
        .map_or(String::new(), |asked| format!(":{asked}"));
    let version = match version {
        Some(version) if asked != format!(":{version}") => format!(" ({version})"),
        Some(_) => String::new(),
        None => " (no version)".to_owned(),
    };
    let weight = weight.map_or(String::new(), |weight| format!(" weight {weight}"));
    format!("{model}{asked}{version}{weight}")
}
