//! Deployments of a source: how its models run there, as records of deployments here.
//!
//! A deployment that is here already is left as it is, whatever the source says by now: from its
//! import on it is the yard's.

use serde_json::json;

use super::told::{Deployed, Refused};
use super::{Batch, Import, Request, Survey, checked};
use crate::import::DeploymentListed;
use crate::import::mapping::MappingError;
use crate::ops::publish::Wish;
use crate::record::kind::Kind;
use crate::record::{Failure, Name};
use crate::yard::{Catalog, Change, deployment_path};

impl Batch<'_> {
    /// Adds the source's deployments that are not here, each if a check lets it.
    pub(super) async fn deploy(
        &self,
        mut change: Change,
        import: &mut Import,
    ) -> Result<Change, Failure> {
        let (request, survey) = (self.bringing.request, self.bringing.survey);
        for listed in &survey.deployments {
            let refused = match record(request, survey, listed, &change) {
                Ok(None) => continue,
                Ok(Some((path, text, deployed))) => {
                    let mut with = change.clone();
                    with.write(&path, text)?;
                    match checked(&with).await {
                        Ok(()) => {
                            change = with;
                            import.deployed.push(deployed);
                            continue;
                        }
                        Err(failure) => failure,
                    }
                }
                Err(failure) => failure,
            };
            import
                .refused
                .push(Refused::new(&listed.reference, &refused));
        }
        Ok(change)
    }
}

/// The record's path and text; nothing if it is here.
fn record(
    request: &Request,
    survey: &Survey,
    listed: &DeploymentListed,
    change: &Change,
) -> Result<Option<(String, String, Deployed)>, Failure> {
    let catalog = Catalog::new(change.snapshot());
    let environment = environment(request, listed, &catalog)?;
    let name = request.mapping.deployment(&listed.name)?;
    if catalog.deployment(&environment, &name.to)?.is_some() {
        return Ok(None);
    }
    let mut named = listed.clone();
    let missing = named.name_models(|model, label| {
        let mut versions = survey.versions.iter();
        let found = versions.find(|surveyed| {
            surveyed.listed.model == model
                && label.is_none_or(|label| surveyed.listed.label == label)
        });
        let to = found?.to.as_ref()?;
        let here = catalog.version(&to.model, &to.version).ok().flatten();
        here.map(|_| (to.model.to_string(), to.version.to_string()))
    });
    missing.map_err(|model| super::ImportRefused::NoModel {
        deployment: listed.reference.clone(),
        model,
    })?;
    let wish = Wish {
        kind: Kind::Deployment,
        metadata: json!({"name": name.to, "environment": environment}),
        spec: &named.spec,
    };
    let deployed = Deployed {
        reference: listed.reference.clone(),
        renamed: name.changed,
        unmapped: listed.unmapped.clone(),
        remarks: listed.remarks.clone(),
        deployment: name.to,
        environment,
    };
    let path = deployment_path(&deployed.environment, &deployed.deployment);
    Ok(Some((path, wish.anew(), deployed)))
}

/// The environment that the source's place is here: as the mapping says, else one of its name.
fn environment(
    request: &Request,
    listed: &DeploymentListed,
    catalog: &Catalog,
) -> Result<Name, Failure> {
    let places = [&listed.environment, &listed.cluster];
    let mut places = places.into_iter().flatten();
    let said = |place: &&String| request.mapping.environments.contains_key(*place);
    if let Some(place) = places.clone().find(said) {
        return Ok(request.mapping.environments[place].clone());
    }
    let names = catalog.environment_names()?;
    let place = places.next().cloned().unwrap_or_default();
    let same = names.into_iter().find(|name| name.as_str() == place);
    Ok(same.ok_or_else(|| MappingError::Word {
        text: place,
        what: "an environment",
        reason: "the yard has none of that name, and no mapping says which it is".to_owned(),
        key: "environments",
    })?)
}
