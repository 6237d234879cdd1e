//! Changes what may still change of a model or a version: `modelyard set`.

mod field;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

pub use field::{Assignment, FieldError};

use self::field::Target;
use super::propose::{self, Proposed};
use super::{promote, refuse_errors};
use crate::record::kind::Kind;
use crate::record::{Failure, ModelName, ModelReference, Selector, Version};
use crate::yard::{Catalog, CatalogError, Change, Yard, blocking, edit, model_path, version_path};

/// What is to be set.
#[derive(Debug, Clone)]
pub struct Request {
    /// The model, or with a version, that version.
    pub reference: ModelReference,
    /// What, in order.
    pub assignments: Vec<Assignment>,
}

/// What was set, and how the change is proposed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Setting {
    /// The model.
    pub model: ModelName,
    /// Its version, if it is one that was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The fields that are now otherwise.
    pub fields: Vec<FieldChange>,
    /// The change.
    #[serde(flatten)]
    pub proposed: Proposed,
}

/// One field's values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// The field as it was named.
    pub field: String,
    /// What it was; absent where it was not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// What it is; absent where it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

/// Proposes the assignments of `request`, if the yard with them passes its check.
///
/// # Errors
/// [`FieldError`] for a field that is unknown or may not change and for a value that is none,
/// [`CatalogError`], and what proposing fails with.
pub async fn set(yard: &Yard, request: Request, now: Timestamp) -> Result<Setting, Failure> {
    propose::settled(|| attempt(yard, &request, now)).await
}

async fn attempt(yard: &Yard, request: &Request, now: Timestamp) -> Result<Setting, Failure> {
    let (model, version) = match &request.reference.selector {
        Selector::Newest => (request.reference.model.clone(), None),
        _ => {
            let (model, version) = promote::meant(yard, &request.reference).await?;
            (model, Some(version))
        }
    };
    let kind = match version {
        Some(_) => Kind::ModelVersion,
        None => Kind::Model,
    };
    let mut targets = Vec::new();
    for assignment in &request.assignments {
        targets.push(assignment.target(kind)?);
    }
    // `model` is no version: beside `…/1.0.0` it never is in the way.
    let leaf = version
        .as_ref()
        .map_or("model".to_owned(), Version::to_string);
    let change = propose::begin(yard, &format!("set/{model}/{leaf}")).await?;
    let edited = blocking(move || Edited::make(change, model, version, &targets)).await?;
    let message = edited.message();
    let Edited {
        change,
        model,
        version,
        fields,
    } = edited;
    let checked = change.clone();
    blocking(move || refuse_errors(&checked)).await?;
    let proposed = propose::propose(change, &message, now).await?;
    Ok(Setting {
        model,
        version,
        fields,
        proposed,
    })
}

/// The edited record.
struct Edited {
    change: Change,
    model: ModelName,
    version: Option<Version>,
    fields: Vec<FieldChange>,
}

impl Edited {
    fn make(
        mut change: Change,
        model: ModelName,
        version: Option<Version>,
        targets: &[Target],
    ) -> Result<Self, Failure> {
        let path = match &version {
            Some(version) => {
                promote::merged(&change, &model, version)?;
                version_path(&model, version)
            }
            None => {
                Catalog::new(change.base()?).model(&model)?;
                model_path(&model)
            }
        };
        let mut fields = Vec::new();
        for target in targets {
            fields.extend(apply(&mut change, &path, target)?);
        }
        Ok(Self {
            change,
            model,
            version,
            fields,
        })
    }

    fn name(&self) -> String {
        match &self.version {
            Some(version) => format!("{}:{version}", self.model),
            None => self.model.to_string(),
        }
    }

    fn message(&self) -> String {
        let names: Vec<_> = self.fields.iter().map(|change| &*change.field).collect();
        let lines = self.fields.iter().map(|change| {
            let shown = |value: &Option<Value>| match value {
                Some(value) => value.to_string(),
                None => "nothing".to_owned(),
            };
            format!(
                "{}: {} -> {}",
                change.field,
                shown(&change.from),
                shown(&change.to)
            )
        });
        format!(
            "{}: set {}\n\n{}",
            self.name(),
            names.join(", "),
            lines.collect::<Vec<_>>().join("\n")
        )
    }
}

/// Edits one field of the record at `path`; `None` if it is so already.
fn apply(change: &mut Change, path: &str, target: &Target) -> Result<Option<FieldChange>, Failure> {
    let before = Catalog::new(change.snapshot()).document(path)?;
    let (bytes, tree) = before.ok_or_else(|| CatalogError::missing(path))?;
    let edited = if target.adds {
        edit::add(&bytes, &target.pointer, &target.value)?
    } else {
        edit::set(&bytes, &target.pointer, &target.value)?
    };
    if edited == bytes {
        return Ok(None);
    }
    change.write(path, edited)?;
    let after = Catalog::new(change.snapshot()).document(path)?;
    let to = after.and_then(|(_, tree)| tree.value().pointer(&target.pointer).cloned());
    Ok(Some(FieldChange {
        field: target.field.clone(),
        from: tree.value().pointer(&target.pointer).cloned(),
        // Where an item was removed, there is the next.
        to: to.filter(|_| !target.value.is_null()),
    }))
}
