//! The commit that restores the line which chose a version that failed.
//!
//! Only that line changes, and no record of a version ever does: the failed version stays
//! published. Where an alias chose it, the alias is set back; where others depend on that alias,
//! this deployment alone is pinned to what served before. The message has the evidence.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::edges::Scribe;
use crate::ops::{propose, refuse_errors};
use crate::platform::clock::Clock;
use crate::platform::redact::printable;
use crate::record::kind::{Coprocessor, Deployment, WriteBack};
use crate::record::{Alias, Failure, ModelName, ModelReference, Name, Selector};
use crate::rollout::{self, Content, Release};
use crate::yard::{
    Catalog, CatalogError, Change, Yard, blocking, deployment_path, edit, model_path,
};

/// Writes reverts on branches of the yard, as every other change is proposed.
pub struct Reverts {
    yard: Yard,
    environment: Name,
    clock: Arc<dyn Clock>,
}

/// A line that is set back.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    path: String,
    pointer: String,
    said: String,
    back: Release,
    failed: Release,
}

impl Reverts {
    /// Reverts of deployments in `environment`.
    pub fn new(yard: Yard, environment: Name, clock: Arc<dyn Clock>) -> Self {
        Self {
            yard,
            environment,
            clock,
        }
    }
}

#[async_trait]
impl Scribe for Reverts {
    async fn revert(
        &self,
        deployment: &Name,
        failure: &rollout::Failure,
        way: WriteBack,
    ) -> Result<(), Failure> {
        if way == WriteBack::None {
            return Ok(());
        }
        let now = self.clock.now();
        let branch = branch(&self.environment, deployment, failure);
        propose::settled(|| async {
            let change = propose::begin(&self.yard, &branch).await?;
            let (environment, deployment) = (self.environment.clone(), deployment.clone());
            let evidence = failure.clone();
            let made = blocking(move || {
                let mut change = change;
                let lines = lines(&change, &environment, &deployment, &evidence)?;
                for line in &lines {
                    set_back(&mut change, line)?;
                }
                if !lines.is_empty() {
                    refuse_errors(&change)?;
                }
                let message = message(&environment, &deployment, &evidence, &lines);
                Ok::<_, Failure>((change, lines, message))
            });
            let (change, lines, message) = made.await?;
            if lines.is_empty() {
                tracing::warn!(
                    deployment = %branch,
                    "main names the version that failed no more: there is nothing to revert"
                );
                return Ok(());
            }
            propose::propose(change, &message, now).await?;
            Ok(())
        })
        .await
    }
}

/// One branch for one failure, so that writing it twice is writing it once.
pub(super) fn branch(environment: &Name, deployment: &Name, failure: &rollout::Failure) -> String {
    let digest = failure.digests.first().map(|digest| digest.short());
    let digest = digest.unwrap_or_default();
    format!("revert/{environment}/{deployment}/{digest}")
}

/// The lines of main that chose what failed, with what they shall say.
fn lines(
    change: &Change,
    environment: &Name,
    deployment: &Name,
    failure: &rollout::Failure,
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
        let failed = Release {
            model: found.model,
            version: found.version,
            digest: found.record.spec.artifact.digest,
        };
        let Some(back) = before(&failed, failure) else {
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
            back,
            failed,
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    Ok(lines)
}

/// What served of the same model before `failed`, if it is what failed.
fn before(failed: &Release, failure: &rollout::Failure) -> Option<Release> {
    let is_it = |content: &Content| matches!(content, Content::Model(one) if one == failed);
    if !failure.digests.contains(&failed.digest) || !failure.from.iter().any(is_it) {
        return None;
    }
    failure.to.iter().find_map(|content| match content {
        Content::Model(one) if one.model == failed.model && one != failed => Some(one.clone()),
        _ => None,
    })
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

fn set_back(change: &mut Change, line: &Line) -> Result<(), Failure> {
    let Some((bytes, _)) = Catalog::new(change.snapshot()).document(&line.path)? else {
        return Err(CatalogError::missing(&line.path).into());
    };
    let edited = edit::set(&bytes, &line.pointer, &json!(line.back.version))?;
    if edited != bytes {
        change.write(&line.path, edited)?;
    }
    Ok(())
}

fn message(
    environment: &Name,
    deployment: &Name,
    failure: &rollout::Failure,
    lines: &[Line],
) -> String {
    let back: Vec<String> = lines.iter().map(|line| line.back.to_string()).collect();
    let mut text = format!(
        "{environment}/{deployment}: back to {}\n\n{}.\n",
        back.join(", "),
        printable(&failure.cause.to_string())
    );
    for evidence in &failure.evidence {
        text += &format!("- {}\n", printable(evidence));
    }
    text += "\n";
    for Line {
        path,
        pointer,
        said,
        back,
        failed,
    } in lines
    {
        let field = pointer.trim_start_matches("/spec/").replace('/', ".");
        text += &format!(
            "{path}: {field} ({said}): {} -> {}\n",
            failed.version, back.version
        );
    }
    for digest in &failure.digests {
        text += &format!("failed: {digest}\n");
    }
    text += &format!("at: {}", failure.at);
    text
}
