//! A model's past, or a version's, as git tells it.

use serde::Serialize;

use crate::record::{Failure, ModelReference, Selector};
use crate::yard::history::History;
use crate::yard::{Catalog, Revision, Yard, version_path};

/// What happened.
#[derive(Debug, Clone, Serialize)]
pub struct Log {
    /// To which model or version.
    pub of: String,
    /// The commits that changed its records, and whether there may be more.
    #[serde(flatten)]
    pub history: History,
}

/// Tells the last `limit` commits up to `revision` that changed the model's records, or just
/// the version's if `reference` names one. It blocks: call it where that is allowed.
///
/// What was deleted since has its past all the same.
///
/// # Errors
/// If nothing of that name ever was, or git can't be read.
pub fn log(
    yard: &Yard,
    revision: &Revision,
    reference: &ModelReference,
    limit: usize,
) -> Result<Log, Failure> {
    let catalog = Catalog::new(yard.snapshot(revision)?);
    let model = &reference.model;
    let (of, path) = match &reference.selector {
        Selector::Newest => (model.to_string(), format!("models/{model}")),
        Selector::Version(version) => (format!("{model}:{version}"), version_path(model, version)),
        _ => {
            let found = catalog.resolve(reference)?;
            (format!("{model}:{}", found.version), found.path)
        }
    };
    let history = yard.history(revision, &path, limit)?;
    if history.events.is_empty() {
        // Says what there is instead; if it is there and was never committed, it has no past.
        match reference.selector {
            Selector::Newest => catalog.model(model).map(drop)?,
            _ => catalog.resolve(reference).map(drop)?,
        }
    }
    Ok(Log { of, history })
}
