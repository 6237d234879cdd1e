//! Makes a version serve in an environment: `modelyard deploy`.
//!
//! Where a deployment there serves the model already, the line that chooses its version changes,
//! and nothing else; where none does, a record is written with what can't be left out.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::promote::set;
use super::propose::{self, Proposed};
use super::{codes, refuse_errors};
use crate::record::{Code, Failure, Fault, ModelName, ModelReference, Name, Selector};
use crate::yard::{Catalog, CatalogError, Change, Yard, blocking, deployment_path};

/// What shall serve, and where.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which version: by its number, an alias or a range, which is followed then.
    pub reference: ModelReference,
    /// Where.
    pub environment: Name,
    /// By which deployment; the one that serves the model where nothing is said, or a new one of
    /// the model's name.
    pub deployment: Option<Name>,
}

/// What will serve, and how the change is proposed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deploying {
    /// The environment.
    pub environment: Name,
    /// The deployment.
    pub deployment: Name,
    /// The model.
    pub model: ModelName,
    /// What chose its version on main, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What will.
    pub to: String,
    /// The change.
    #[serde(flatten)]
    pub proposed: Proposed,
}

/// Why nothing can be deployed.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// Several deployments serve the model there.
    #[error(
        "{model} is served by several deployments in {environment}: {}",
        list(names)
    )]
    WhichDeployment {
        /// The model.
        model: ModelName,
        /// The environment.
        environment: Name,
        /// Their names.
        names: Vec<Name>,
    },
    /// The deployment that was named serves other models.
    #[error("the deployment {deployment} in {environment} doesn't serve {model}")]
    ServesOthers {
        /// The deployment.
        deployment: Name,
        /// The environment.
        environment: Name,
        /// The model that was asked for.
        model: ModelName,
    },
}

fn list(names: &[Name]) -> String {
    let names: Vec<_> = names.iter().map(Name::as_str).collect();
    names.join(", ")
}

impl Fault for DeployError {
    fn code(&self) -> &'static Code {
        &codes::WHICH_DEPLOYMENT
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::WhichDeployment { names, .. } => match names.first() {
                Some(name) => format!("name one, as in `--deployment {name}`"),
                None => "name one by `--deployment`".to_owned(),
            },
            Self::ServesOthers { model, .. } => {
                let name = model.name();
                format!("leave `--deployment` out, or name a new one, as in `--deployment {name}`")
            }
        })
    }
}

/// Proposes what makes `request` serve, if the yard with it passes its check.
///
/// # Errors
/// [`DeployError`], [`CatalogError`], what the check refuses, and what proposing fails with.
pub async fn deploy(yard: &Yard, request: Request, now: Timestamp) -> Result<Deploying, Failure> {
    propose::settled(|| attempt(yard, &request, now)).await
}

async fn attempt(yard: &Yard, request: &Request, now: Timestamp) -> Result<Deploying, Failure> {
    let Request {
        reference,
        environment,
        deployment,
    } = request;
    let name = deployment.as_ref().unwrap_or(reference.model.name());
    let change = propose::begin(yard, &format!("deploy/{environment}/{name}")).await?;
    let asked = request.clone();
    let (change, deployment, from) = blocking(move || {
        let mut change = change;
        let (deployment, from) = write(&mut change, &asked)?;
        refuse_errors(&change)?;
        Ok::<_, Failure>((change, deployment, from))
    })
    .await?;
    let (model, to) = (&reference.model, reference.selector.to_string());
    let shown = from.as_deref().unwrap_or("nothing");
    let message =
        format!("{environment}/{deployment}: deploy {reference}\n\n{model}: {shown} -> {to}");
    let proposed = propose::propose(change, &message, now).await?;
    Ok(Deploying {
        environment: environment.clone(),
        deployment,
        model: model.clone(),
        from,
        to,
        proposed,
    })
}

/// Writes the line, or the record. Returns the deployment's name and what chose its version.
fn write(change: &mut Change, request: &Request) -> Result<(Name, Option<String>), Failure> {
    let Request {
        reference,
        environment,
        deployment,
    } = request;
    let catalog = Catalog::new(change.base()?);
    // A version that isn't there is told before anything else.
    catalog.resolve(reference)?;
    if catalog.environment(environment)?.is_none() {
        return Err(CatalogError::missing(&format!("environments/{environment}.yaml")).into());
    }
    let model = &reference.model;
    let mut serving = Vec::new();
    for record in catalog.deployments()? {
        let shares = record.spec.shares();
        let here = record.metadata.environment == *environment;
        if here && shares.iter().any(|share| share.model == *model) {
            serving.push(record);
        }
    }
    let named = |name: &Name| serving.iter().find(|one| one.metadata.name == *name);
    let record = match (deployment, serving.as_slice()) {
        (Some(name), _) => named(name),
        (None, []) => None,
        (None, [only]) => Some(only),
        (None, several) => {
            return Err(DeployError::WhichDeployment {
                model: model.clone(),
                environment: environment.clone(),
                names: several
                    .iter()
                    .map(|one| one.metadata.name.clone())
                    .collect(),
            }
            .into());
        }
    };
    let version = match &reference.selector {
        Selector::Newest => json!(null),
        selector => json!(selector.to_string()),
    };
    if let Some(record) = record {
        let name = record.metadata.name.clone();
        let path = deployment_path(environment, &name);
        let split = record.spec.split.iter().position(|one| one.model == *model);
        let (pointer, before) = match split {
            Some(at) => (
                format!("/spec/split/{at}/version"),
                &record.spec.split[at].version,
            ),
            None => ("/spec/version".to_owned(), &record.spec.version),
        };
        let before = before.as_ref().unwrap_or(&Selector::Newest).to_string();
        set(change, &path, &pointer, &version)?;
        return Ok((name, Some(before)));
    }
    let name = deployment.as_ref().unwrap_or(model.name()).clone();
    if catalog.deployment(environment, &name)?.is_some() {
        return Err(DeployError::ServesOthers {
            deployment: name,
            environment: environment.clone(),
            model: model.clone(),
        }
        .into());
    }
    change.write(&deployment_path(environment, &name), fresh(&name, request))?;
    Ok((name, None))
}

/// A new record.
fn fresh(name: &Name, request: &Request) -> String {
    let Request {
        reference,
        environment,
        ..
    } = request;
    let mut text = format!(
        "apiVersion: modelyard.dev/v1\nkind: Deployment\nmetadata: {{name: {name}, environment: \
         {environment}}}\nspec:\n  model: {}\n",
        reference.model
    );
    if reference.selector != Selector::Newest {
        let quoted = json!(reference.selector.to_string());
        text += &format!("  version: {quoted}\n");
    }
    text
}
