//! Goes back to what served before: `modelyard rollback`, and the reverts of the reconciler.
//!
//! Only the line changes that chose the version, and no record of a version ever does: what is
//! gone back from stays published. Where an alias chose it, the alias is set back; where others
//! depend on that alias, this deployment alone is pinned to what served before.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::chosen::{chosen, past, released};
use super::promote::set;
use super::propose::{self, Proposed};
use super::{codes, refuse_errors};
use crate::record::kind::{Coprocessor, Deployment};
use crate::record::{
    Alias, Code, Failure, Fault, ModelName, ModelReference, Name, Selector, Version,
};
use crate::rollout::Release;
use crate::yard::{
    Catalog, CatalogError, Change, Revision, Yard, blocking, deployment_path, model_path,
};

/// What is to go back, and to what.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where.
    pub environment: Name,
    /// Which deployment.
    pub deployment: Name,
    /// To which version; to what main chose before where nothing is said.
    pub to: Option<Version>,
}

/// What goes back, and how the change is proposed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RollingBack {
    /// The environment.
    pub environment: Name,
    /// The deployment.
    pub deployment: Name,
    /// The lines that are set back.
    pub lines: Vec<Line>,
    /// The change.
    #[serde(flatten)]
    pub proposed: Proposed,
}

/// A line that is set back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The record's file.
    pub path: String,
    /// The field in it, as a JSON pointer.
    pub pointer: String,
    /// What the deployment's record says: an alias, a range or a version.
    pub said: String,
    /// What that is.
    pub from: Release,
    /// What it shall be.
    pub back: Release,
}

/// Why nothing can go back.
#[derive(Debug, thiserror::Error)]
pub enum RollbackError {
    /// Main never chose anything else that could serve.
    #[error("main chose nothing else for {environment}/{deployment} before that could serve")]
    NothingBefore {
        /// The environment.
        environment: Name,
        /// The deployment.
        deployment: Name,
    },
    /// It would go back to where it is.
    #[error("{environment}/{deployment} is {to} already")]
    There {
        /// The environment.
        environment: Name,
        /// The deployment.
        deployment: Name,
        /// The version.
        to: Version,
    },
    /// Several models are split, and each has versions of its own.
    #[error("{environment}/{deployment} is split over several models")]
    WhichModel {
        /// The environment.
        environment: Name,
        /// The deployment.
        deployment: Name,
    },
}

impl Fault for RollbackError {
    fn code(&self) -> &'static Code {
        &codes::NOTHING_TO_ROLL_BACK
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NothingBefore { .. } => "name a version by `--to`".to_owned(),
            Self::There { .. } => "name another version by `--to`".to_owned(),
            Self::WhichModel { environment, .. } => format!(
                "leave `--to` out, or choose a model's version by \
                 `modelyard deploy MODEL:VERSION --to {environment}`"
            ),
        })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            pointer,
            said,
            from,
            back,
        } = self;
        let field = pointer.trim_start_matches("/spec/").replace('/', ".");
        let (from, back) = (&from.version, &back.version);
        write!(formatter, "{path}: {field} ({said}): {from} -> {back}")
    }
}

/// Proposes to go back as `request` says.
///
/// # Errors
/// [`RollbackError`], [`CatalogError`], what the check refuses, and what proposing fails with.
pub async fn rollback(
    yard: &Yard,
    request: Request,
    now: Timestamp,
) -> Result<RollingBack, Failure> {
    propose::settled(|| attempt(yard, &request, now)).await
}

async fn attempt(yard: &Yard, request: &Request, now: Timestamp) -> Result<RollingBack, Failure> {
    let Request {
        environment,
        deployment,
        ..
    } = request;
    let change = propose::begin(yard, &format!("rollback/{environment}/{deployment}")).await?;
    let asked = request.clone();
    let (change, lines) = blocking(move || {
        let mut change = change;
        let lines = wanted(&change, &asked)?;
        for line in &lines {
            set_back(&mut change, line)?;
        }
        refuse_errors(&change)?;
        Ok::<_, Failure>((change, lines))
    })
    .await?;
    let back: Vec<String> = lines.iter().map(|line| line.back.to_string()).collect();
    let told: Vec<String> = lines.iter().map(Line::to_string).collect();
    let message = format!(
        "{environment}/{deployment}: roll back to {}\n\n{}",
        back.join(", "),
        told.join("\n")
    );
    Ok(RollingBack {
        environment: environment.clone(),
        deployment: deployment.clone(),
        lines,
        proposed: propose::propose(change, &message, now).await?,
    })
}

fn wanted(change: &Change, request: &Request) -> Result<Vec<Line>, Failure> {
    let Request {
        environment,
        deployment,
        to,
    } = request;
    let catalog = Catalog::new(change.base()?);
    let path = deployment_path(environment, deployment);
    let Some(record) = catalog.deployment(environment, deployment)? else {
        return Err(CatalogError::missing(&path).into());
    };
    let mut models: Vec<ModelName> = record
        .spec
        .shares()
        .into_iter()
        .map(|one| one.model)
        .collect();
    models.dedup();
    if to.is_some() && models.len() > 1 {
        return Err(RollbackError::WhichModel {
            environment: environment.clone(),
            deployment: deployment.clone(),
        }
        .into());
    }
    let mut chosen_before = Vec::new();
    if to.is_none() {
        let place = (environment, deployment);
        for then in past(change.yard(), &Revision::Main, place, &models)? {
            chosen_before.extend(chosen(&then?.catalog, environment, deployment));
        }
    }
    let lines = lines(change, environment, deployment, |from| {
        let Some(to) = to else {
            return before(&catalog, &chosen_before, from);
        };
        let found = catalog.resolve(&ModelReference {
            model: from.model.clone(),
            selector: Selector::Version(to.clone()),
        })?;
        let back = released(found);
        Ok((back != *from).then_some(back))
    })?;
    if lines.is_empty() {
        let (environment, deployment) = (environment.clone(), deployment.clone());
        return Err(match to.clone() {
            Some(to) => RollbackError::There {
                environment,
                deployment,
                to,
            },
            None => RollbackError::NothingBefore {
                environment,
                deployment,
            },
        }
        .into());
    }
    Ok(lines)
}

/// What the deployment chose of the same model last that was something else, and that can serve
/// today.
fn before(now: &Catalog, past: &[Release], from: &Release) -> Result<Option<Release>, Failure> {
    let others = past
        .iter()
        .filter(|back| back.model == from.model && *back != from);
    for back in others {
        let today = now.version(&back.model, &back.version)?;
        if today.is_some_and(|today| {
            today.spec.artifact.digest == back.digest && today.spec.lifecycle.can_serve()
        }) {
            return Ok(Some(back.clone()));
        }
    }
    Ok(None)
}

/// The lines of main that choose what `deployment` serves, each with what `back` says of it;
/// without those of which it says nothing.
///
/// # Errors
/// [`CatalogError`], and what `back` fails with.
pub fn lines(
    change: &Change,
    environment: &Name,
    deployment: &Name,
    back: impl Fn(&Release) -> Result<Option<Release>, Failure>,
) -> Result<Vec<Line>, Failure> {
    let catalog = Catalog::new(change.base()?);
    let Some(record) = catalog.deployment(environment, deployment)? else {
        return Ok(Vec::new());
    };
    let mut lines: Vec<Line> = Vec::new();
    let spec = &record.spec;
    let own = spec
        .model
        .iter()
        .map(|model| ("/spec".to_owned(), model, &spec.version));
    let split = spec.split.iter().enumerate();
    let split = split.map(|(at, one)| (format!("/spec/split/{at}"), &one.model, &one.version));
    for (pointer, model, selector) in own.chain(split) {
        let selector = selector.clone().unwrap_or(Selector::Newest);
        let reference = ModelReference {
            model: model.clone(),
            selector: selector.clone(),
        };
        let Ok(found) = catalog.resolve(&reference) else {
            continue;
        };
        let from = released(found);
        let Some(back) = back(&from)? else {
            continue;
        };
        let (path, pointer) = match &selector {
            Selector::Alias(alias) if !others_use(&catalog, &record, model, alias)? => {
                (model_path(model), format!("/spec/aliases/{alias}"))
            }
            _ => (
                deployment_path(environment, deployment),
                format!("{pointer}/version"),
            ),
        };
        let line = Line {
            path,
            pointer,
            said: selector.to_string(),
            from,
            back,
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    Ok(lines)
}

/// Whether anything but `deployment` leads through the alias.
fn others_use(
    catalog: &Catalog,
    deployment: &Deployment,
    model: &ModelName,
    alias: &Alias,
) -> Result<bool, CatalogError> {
    let named = |one: &ModelName, selector: Option<&Selector>| {
        one == model && matches!(selector, Some(Selector::Alias(other)) if other == alias)
    };
    for other in catalog.deployments()? {
        let same = other.metadata == deployment.metadata;
        let serves = other.spec.shares();
        let serves = serves
            .iter()
            .any(|one| named(&one.model, one.version.as_ref()));
        let mut beside = other.spec.before.iter().chain(&other.spec.after);
        let beside = beside.any(|one| match one {
            Coprocessor::Model(one) => named(&one.model, one.version.as_ref()),
            Coprocessor::Container(_) => false,
        });
        if (serves && !same) || beside {
            return Ok(true);
        }
    }
    for other in catalog.models()? {
        for version in catalog.versions(&other)? {
            let Some(record) = catalog.version(&other, &version)? else {
                continue;
            };
            let models = record.spec.dependencies.map(|all| all.models);
            let mut models = models.iter().flatten();
            if models.any(|one| named(&one.produced_by.model, one.produced_by.version.as_ref())) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Sets a line back.
///
/// # Errors
/// If its record can't be edited.
pub fn set_back(change: &mut Change, line: &Line) -> Result<(), Failure> {
    set(change, &line.path, &line.pointer, &json!(line.back.version))
}
