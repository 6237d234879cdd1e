//! Moves a version along its life, and names to it: `modelyard promote`, and a word for each step
//! behind its release, `modelyard deprecate|retire|recycle|restore`.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::propose::{self, Proposed};
use super::{codes, refuse_errors};
use crate::record::kind::ModelVersion;
use crate::record::{
    self, Alias, Code, Failure, Fault, Lifecycle, ModelName, ModelReference, Selector, Version,
};
use crate::yard::{
    Catalog, CatalogError, Change, Revision, Yard, blocking, edit, model_path, version_path,
};

/// The word by which a version moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Act {
    /// To any stage, or just to a name.
    #[default]
    Promote,
    /// From released to deprecated.
    Deprecate,
    /// From deprecated to retired.
    Retire,
    /// From retired to recycled.
    Recycle,
    /// From recycled back to retired.
    Restore,
}

/// What is to move.
#[derive(Debug, Clone)]
pub struct Request {
    /// By which word.
    pub act: Act,
    /// Which version.
    pub reference: ModelReference,
    /// Where in its life it shall be.
    pub to: Option<Lifecycle>,
    /// The names that shall mean it.
    pub aliases: Vec<Alias>,
}

/// What moved, and how the change is proposed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Promotion {
    /// The model.
    pub model: ModelName,
    /// Its version.
    pub version: Version,
    /// Its move along its life, if it makes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<LifecycleMove>,
    /// The names that were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<AliasMove>,
    /// The change.
    #[serde(flatten)]
    pub proposed: Proposed,
}

/// A move along a version's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LifecycleMove {
    /// Where it is on main.
    pub from: Lifecycle,
    /// Where it will be.
    pub to: Lifecycle,
}

/// A name that means another version than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AliasMove {
    /// The name.
    pub alias: Alias,
    /// What it means on main, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Version>,
    /// What it will mean.
    pub to: Version,
}

/// Why nothing can be promoted.
#[derive(Debug, thiserror::Error)]
pub enum PromoteError {
    /// Neither a lifecycle nor an alias was asked for.
    #[error("nothing to do for {reference}")]
    NothingAsked {
        /// What was to be promoted.
        reference: String,
    },
    /// The word is for versions at another stage.
    #[error("{model}:{version} is {at}, and `{act}` is for what is {from}")]
    NotAt {
        /// The model.
        model: ModelName,
        /// Its version.
        version: Version,
        /// The word.
        act: Act,
        /// Where the version is in its life.
        at: Lifecycle,
        /// Where the word's step begins.
        from: Lifecycle,
    },
    /// The version is only proposed.
    #[error("{model}:{version} is not merged yet: it is on the branch {branch}")]
    NotMerged {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
        /// Where it is proposed.
        branch: String,
    },
}

impl Fault for PromoteError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NothingAsked { .. } => &codes::NOTHING_ASKED,
            Self::NotAt { .. } => &record::codes::ILLEGAL_LIFECYCLE_MOVE,
            Self::NotMerged { .. } => &codes::NOT_MERGED,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NothingAsked { reference } => format!(
                "say where it shall go, as in `modelyard promote {reference} --to released` or \
                 `--alias champion`"
            ),
            Self::NotAt {
                model, version, at, ..
            } => {
                let next: Vec<_> = (at.next())
                    .map(|to| format!("`modelyard promote {model}:{version} --to {to}`"))
                    .collect();
                format!("from {at} it can go on by {}", next.join(" or "))
            }
            Self::NotMerged { branch, .. } => {
                format!("merge it first: git switch main; git merge --no-ff --no-edit {branch}")
            }
        })
    }
}

/// Proposes the moves of `request`, if the yard with them passes its check.
///
/// # Errors
/// [`PromoteError`], [`crate::record::lifecycle::IllegalMove`] before anything is committed,
/// [`CatalogError`], and what proposing fails with.
pub async fn promote(yard: &Yard, request: Request, now: Timestamp) -> Result<Promotion, Failure> {
    if request.to.is_none() && request.aliases.is_empty() {
        return Err(PromoteError::NothingAsked {
            reference: request.reference.to_string(),
        }
        .into());
    }
    propose::settled(|| attempt(yard, &request, now)).await
}

async fn attempt(yard: &Yard, request: &Request, now: Timestamp) -> Result<Promotion, Failure> {
    let (model, version) = meant(yard, &request.reference).await?;
    let request = request.clone();
    let branch = format!("{}/{model}/{version}", request.act);
    let change = propose::begin(yard, &branch).await?;
    let moved = blocking(move || Moved::make(change, model, version, &request)).await?;
    let message = moved.message();
    let Moved {
        change,
        model,
        version,
        lifecycle,
        aliases,
        ..
    } = moved;
    let checked = change.clone();
    blocking(move || refuse_errors(&checked)).await?;
    let proposed = propose::propose(change, &message, now).await?;
    Ok(Promotion {
        model,
        version,
        lifecycle,
        aliases,
        proposed,
    })
}

/// The version that a reference means on main; an exact one needs no look.
pub(super) async fn meant(
    yard: &Yard,
    reference: &ModelReference,
) -> Result<(ModelName, Version), Failure> {
    if let Selector::Version(version) = &reference.selector {
        return Ok((reference.model.clone(), version.clone()));
    }
    propose::fetch(yard).await?;
    let (yard, reference) = (yard.clone(), reference.clone());
    blocking(move || {
        let found = Catalog::new(yard.snapshot(&Revision::Main)?).resolve(&reference)?;
        Ok::<_, Failure>((found.model, found.version))
    })
    .await
}

/// The version's record on main.
///
/// # Errors
/// [`PromoteError::NotMerged`] if it is only on a branch, [`CatalogError`] if there is none.
pub(super) fn merged(
    change: &Change,
    model: &ModelName,
    version: &Version,
) -> Result<ModelVersion, Failure> {
    let reference = ModelReference {
        model: model.clone(),
        selector: Selector::Version(version.clone()),
    };
    let missing = match Catalog::new(change.base()?).resolve(&reference) {
        Ok(found) => return Ok(found.record),
        Err(missing) => missing,
    };
    let branch = format!("publish/{model}/{version}");
    let absent = matches!(
        missing,
        CatalogError::NoSuchModel { .. } | CatalogError::NoSuchVersion { .. }
    );
    if absent && change.yard().has_branch(&branch)? {
        return Err(PromoteError::NotMerged {
            model: model.clone(),
            version: version.clone(),
            branch,
        }
        .into());
    }
    Err(missing.into())
}

impl Act {
    /// The stages that the word leads from and to, if it has but one way.
    const fn step(self) -> Option<(Lifecycle, Lifecycle)> {
        match self {
            Self::Promote => None,
            Self::Deprecate => Some((Lifecycle::Released, Lifecycle::Deprecated)),
            Self::Retire => Some((Lifecycle::Deprecated, Lifecycle::Retired)),
            Self::Recycle => Some((Lifecycle::Retired, Lifecycle::Recycled)),
            Self::Restore => Some((Lifecycle::Recycled, Lifecycle::Retired)),
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Promote => "promote",
            Self::Deprecate => "deprecate",
            Self::Retire => "retire",
            Self::Recycle => "recycle",
            Self::Restore => "restore",
        })
    }
}

impl Request {
    /// The one step that `act` is.
    pub fn step(act: Act, reference: ModelReference) -> Self {
        Self {
            act,
            reference,
            to: act.step().map(|(_, to)| to),
            aliases: Vec::new(),
        }
    }
}

/// The edited records.
struct Moved {
    act: Act,
    change: Change,
    model: ModelName,
    version: Version,
    lifecycle: Option<LifecycleMove>,
    aliases: Vec<AliasMove>,
}

impl Moved {
    fn make(
        change: Change,
        model: ModelName,
        version: Version,
        request: &Request,
    ) -> Result<Self, Failure> {
        let mut moved = Self {
            act: request.act,
            lifecycle: None,
            aliases: Vec::new(),
            change,
            model,
            version,
        };
        moved.move_on(request.to)?;
        moved.name(&request.aliases)?;
        Ok(moved)
    }

    /// Moves it along its life, as seen from main: what lies unmerged on the branch is no step.
    fn move_on(&mut self, to: Option<Lifecycle>) -> Result<(), Failure> {
        let from = merged(&self.change, &self.model, &self.version)?
            .spec
            .lifecycle;
        let Some(to) = to else {
            return Ok(());
        };
        if let Some((wanted, _)) = self.act.step()
            && from != wanted
            && from != to
        {
            return Err(PromoteError::NotAt {
                model: self.model.clone(),
                version: self.version.clone(),
                act: self.act,
                at: from,
                from: wanted,
            }
            .into());
        }
        let to = from.move_to(to)?;
        self.lifecycle = (from != to).then_some(LifecycleMove { from, to });
        let path = version_path(&self.model, &self.version);
        set(&mut self.change, &path, "/spec/lifecycle", &json!(to))
    }

    fn name(&mut self, aliases: &[Alias]) -> Result<(), Failure> {
        if aliases.is_empty() {
            return Ok(());
        }
        let on_main = Catalog::new(self.change.base()?).model(&self.model)?;
        let path = model_path(&self.model);
        for alias in aliases {
            let pointer = format!("/spec/aliases/{alias}");
            set(&mut self.change, &path, &pointer, &json!(self.version))?;
            let from = on_main.spec.aliases.get(alias).cloned();
            if from.as_ref() != Some(&self.version) {
                self.aliases.push(AliasMove {
                    alias: alias.clone(),
                    from,
                    to: self.version.clone(),
                });
            }
        }
        Ok(())
    }

    fn message(&self) -> String {
        let Self { model, version, .. } = self;
        let mut title = Vec::new();
        let mut body = Vec::new();
        if let Some(LifecycleMove { from, to }) = self.lifecycle {
            title.push(to.to_string());
            body.push(format!("lifecycle: {from} -> {to}"));
        }
        for AliasMove { alias, from, to } in &self.aliases {
            title.push(alias.to_string());
            let from = from
                .as_ref()
                .map_or("nothing".to_owned(), Version::to_string);
            body.push(format!("{alias}: {from} -> {to}"));
        }
        let title = match self.act {
            Act::Promote => format!("promote to {}", title.join(", ")),
            step => step.to_string(),
        };
        format!("{model}:{version}: {title}\n\n{}", body.join("\n"))
    }
}

/// Sets one value of a record as it is in `change`, keeping comments and layout.
pub(super) fn set(
    change: &mut Change,
    path: &str,
    pointer: &str,
    value: &Value,
) -> Result<(), Failure> {
    let snapshot = change.snapshot();
    let Some((bytes, _)) = Catalog::new(snapshot).document(path)? else {
        return Err(CatalogError::missing(path).into());
    };
    let edited = edit::set(&bytes, pointer, value)?;
    if edited != bytes {
        change.write(path, edited)?;
    }
    Ok(())
}
