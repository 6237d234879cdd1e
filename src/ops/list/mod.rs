//! What a yard has: its models, versions and deployments, all or those that are wanted.

mod rows;
mod subject;

use serde::Serialize;
use serde_json::Value;

pub use rows::{DeploymentRow, Metric, ModelRow, Serves, VersionRow};

use super::filter::{Filter, FilterError, Subject};
use super::shelf::{self, Shelf, shelves};
use crate::record::kind::ModelPattern;
use crate::record::{Failure, ModelName};
use crate::yard::Catalog;

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum What {
    /// Models, by what they and any one of their versions say.
    #[default]
    Models,
    /// Versions, by what they and their models say.
    Versions,
    /// Deployments.
    Deployments,
}

/// What is wanted of it.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// What is listed.
    pub what: What,
    /// Only these models, their versions, or the deployments that serve them.
    pub models: Option<ModelPattern>,
    /// Filters, in the language of [`Filter`], all of which have to be met.
    pub wanted: Vec<String>,
}

/// What there is.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listing {
    /// What was found.
    #[serde(flatten)]
    pub rows: Rows,
    /// Records that can't be read, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
}

/// What was found, of one kind.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Rows {
    /// Models, by name.
    Models(Vec<ModelRow>),
    /// Versions, by model, newest first.
    Versions(Vec<VersionRow>),
    /// Deployments, by environment and name.
    Deployments(Vec<DeploymentRow>),
}

/// Lists what `query` asks for. It blocks: call it where that is allowed.
///
/// # Errors
/// [`FilterError`], or if git or the disk can't be read. A record
/// that can't be read is no error: it is told beside the others.
pub fn list(catalog: &Catalog, query: &Query) -> Result<Listing, Failure> {
    let models = query.models.as_ref();
    match query.what {
        What::Models => {
            let (shelves, unreadable) = wanted_models(catalog, models, &query.wanted)?;
            Ok(Listing {
                rows: Rows::Models(shelves.iter().map(ModelRow::of).collect()),
                unreadable,
            })
        }
        What::Versions => {
            let wanted = Wanted::parse(models, &query.wanted, Subject::Versions)?;
            versions(catalog, &wanted)
        }
        What::Deployments => {
            let wanted = Wanted::parse(models, &query.wanted, Subject::Deployments)?;
            deployments(catalog, &wanted)
        }
    }
}

/// The models, with all of their versions, that the filters choose by what they or any one of
/// their versions say; and what of all of them can't be read.
///
/// # Errors
/// As [`list`].
pub(super) fn wanted_models(
    catalog: &Catalog,
    models: Option<&ModelPattern>,
    filters: &[String],
) -> Result<(Vec<Shelf>, Vec<String>), Failure> {
    let wanted = Wanted::parse(models, filters, Subject::Versions)?;
    let (mut shelves, unreadable) = wanted.shelves(catalog)?;
    shelves.retain(|shelf| {
        let mut versions = shelf.versions.iter();
        wanted.filters.is_empty()
            || versions.any(|(_, version)| wanted.record(&subject::version(shelf, version)))
            || wanted.record(&subject::model(shelf))
    });
    Ok((shelves, unreadable))
}

struct Wanted<'a> {
    models: Option<&'a ModelPattern>,
    filters: Vec<Filter>,
}

impl<'a> Wanted<'a> {
    fn parse(
        models: Option<&'a ModelPattern>,
        filters: &[String],
        subject: Subject,
    ) -> Result<Self, FilterError> {
        let filters = filters.iter().map(|text| Filter::parse(text, subject));
        let filters = filters.collect::<Result<_, _>>()?;
        Ok(Self { models, filters })
    }

    fn model(&self, model: &ModelName) -> bool {
        self.models.is_none_or(|pattern| pattern.matches(model))
    }

    fn record(&self, record: &Value) -> bool {
        self.filters.iter().all(|filter| filter.wants(record))
    }

    fn shelves(&self, catalog: &Catalog) -> Result<(Vec<Shelf>, Vec<String>), Failure> {
        let mut names = catalog.models()?;
        names.retain(|name| self.model(name));
        Ok(shelves(catalog, names)?)
    }
}

fn versions(catalog: &Catalog, wanted: &Wanted<'_>) -> Result<Listing, Failure> {
    let (shelves, unreadable) = wanted.shelves(catalog)?;
    let mut rows = Vec::new();
    for shelf in &shelves {
        for (version, record) in shelf.versions.iter().rev() {
            let is_wanted =
                wanted.filters.is_empty() || wanted.record(&subject::version(shelf, record));
            if is_wanted {
                rows.push(VersionRow::of(shelf, version, record));
            }
        }
    }
    Ok(Listing {
        rows: Rows::Versions(rows),
        unreadable,
    })
}

fn deployments(catalog: &Catalog, wanted: &Wanted<'_>) -> Result<Listing, Failure> {
    let (deployments, unreadable) = shelf::deployments(catalog)?;
    let mut rows = Vec::new();
    for record in &deployments {
        let row = DeploymentRow::of(catalog, record);
        let of_model = row.serves.iter().any(|serves| wanted.model(&serves.model));
        if of_model && wanted.record(&subject::deployment(record)) {
            rows.push(row);
        }
    }
    Ok(Listing {
        rows: Rows::Deployments(rows),
        unreadable,
    })
}
