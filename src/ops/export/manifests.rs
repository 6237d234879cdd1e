//! How versions run, as a cluster's manifests.

use std::cell::RefCell;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::{Value, json};

use super::{ExportError, Request, To};
use crate::artifact::place::PlaceError;
use crate::import::LeftOut;
use crate::import::export::{Manifested, Served, Target, to_kserve, to_seldon_v1, to_seldon_v2};
use crate::ops::pull::Ground;
use crate::ops::show::{DeploymentName, Wanted};
use crate::platform::atomic::{self, Readers};
use crate::record::kind::{Deployment, ImagePurpose, ModelVersion, StrategyType};
use crate::record::yaml::to_yaml;
use crate::record::{Failure, ModelName, ModelReference, Repository, Selector, absolute};
use crate::yard::{Catalog, CatalogError, blocking, deployment_path};

/// Manifests.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportedManifests {
    /// Whose they are.
    pub to: To,
    /// The file that has them, or would have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Kubernetes' objects, in the order in which they are to be applied.
    pub manifests: Vec<Value>,
    /// What has no field in them.
    pub left_out: Vec<LeftOut>,
    /// Whether nothing was written.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

impl ExportedManifests {
    /// The manifests as one file, as `kubectl apply` takes it.
    pub fn text(&self) -> String {
        let texts: Vec<String> = self.manifests.iter().map(to_yaml).collect();
        texts.join("---\n")
    }
}

pub(super) async fn export(
    request: &Request,
    ground: &Ground<'_>,
) -> Result<ExportedManifests, Failure> {
    let work = Work {
        catalog: Catalog::new(request.yard.clone()),
        storage_uri: request.storage_uri.clone(),
        failed: RefCell::default(),
        remarks: RefCell::default(),
    };
    let (wanted, to) = (request.wanted.clone(), request.to);
    let target = Target {
        namespace: request.namespace.as_ref().map(ToString::to_string),
    };
    let manifested = blocking(move || work.manifests(&wanted, to, &target)).await?;
    let file = request.place.as_ref();
    let exported = ExportedManifests {
        to,
        file: file.map(|file| absolute(ground.directory, file)),
        manifests: manifested.manifests,
        left_out: manifested.left_out,
        dry_run: request.dry_run,
    };
    if let (Some(file), false) = (&exported.file, request.dry_run) {
        if !request.force && file.exists() {
            let parent = file.parent().unwrap_or(ground.directory);
            let name = file.file_name().unwrap_or_default();
            return Err(PlaceError::WouldOverwrite {
                folder: parent.to_owned(),
                names: vec![name.to_string_lossy().into_owned()],
            }
            .into());
        }
        atomic::write(file, exported.text().as_bytes(), Readers::Umask)?;
    }
    Ok(exported)
}

/// What manifests are made with.
struct Work {
    catalog: Catalog,
    storage_uri: Option<String>,
    /// Why a version has no address, if one has none.
    failed: RefCell<Option<Failure>>,
    remarks: RefCell<Vec<LeftOut>>,
}

impl Work {
    fn manifests(&self, wanted: &Wanted, to: To, target: &Target) -> Result<Manifested, Failure> {
        let deployments = self.deployments(wanted)?;
        let find = |model: &ModelName, selector: Option<&Selector>| self.served(model, selector);
        let mut manifested = match to {
            To::Seldon => to_seldon_v2(&deployments, &find, target),
            To::SeldonV1 => to_seldon_v1(&deployments, &find, target),
            _ => to_kserve(&deployments, &find, target),
        };
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        manifested.left_out.extend(self.remarks.take());
        Ok(manifested)
    }

    /// The deployments that are meant; of a version one that serves it and says nothing more.
    fn deployments(&self, wanted: &Wanted) -> Result<Vec<Deployment>, Failure> {
        let reference = match wanted {
            Wanted::Deployment(name) => return self.deployed(name),
            Wanted::Named(reference) => reference,
        };
        match self.catalog.resolve(reference) {
            Ok(found) => Ok(vec![plain(&found.record)]),
            Err(error @ CatalogError::NoSuchModel { .. })
                if reference.selector == Selector::Newest =>
            {
                let name = DeploymentName::from(&reference.model);
                let there = self.catalog.deployment(&name.environment, &name.name)?;
                match there {
                    Some(_) => self.deployed(&name),
                    None => Err(error.into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A deployment, and those that get a copy of its traffic.
    fn deployed(&self, name: &DeploymentName) -> Result<Vec<Deployment>, Failure> {
        let DeploymentName { environment, name } = name;
        let found = self.catalog.deployment(environment, name)?;
        let path = deployment_path(environment, name);
        let mut all = vec![found.ok_or_else(|| CatalogError::missing(&path))?];
        for (place, other) in self.catalog.deployment_names()? {
            if place != *environment || other == *name {
                continue;
            }
            let other = self.catalog.deployment(&place, &other)?;
            let is_shadow = |one: &Deployment| {
                let strategy = one.spec.strategy.as_ref();
                one.spec.depends_on == [name.clone()]
                    && strategy.is_some_and(|one| one.strategy_type == StrategyType::Shadow)
            };
            all.extend(other.filter(is_shadow));
        }
        Ok(all)
    }

    fn served(&self, model: &ModelName, selector: Option<&Selector>) -> Option<Served> {
        let reference = ModelReference {
            model: model.clone(),
            selector: selector.cloned().unwrap_or(Selector::Newest),
        };
        let served = self
            .catalog
            .resolve(&reference)
            .map_err(Failure::from)
            .and_then(|found| {
                let uri = self.uri(&found.record)?;
                Ok(Served {
                    record: found.record,
                    uri,
                })
            });
        match served {
            Ok(served) => Some(served),
            Err(failure) => {
                self.failed.borrow_mut().get_or_insert(failure);
                None
            }
        }
    }

    /// Where a cluster finds the version's files.
    fn uri(&self, version: &ModelVersion) -> Result<String, ExportError> {
        let (model, number) = (version.model_name(), &version.metadata.version);
        if let Some(form) = &self.storage_uri {
            return Ok(form
                .replace("{namespace}", model.namespace().as_str())
                .replace("{name}", model.name().as_str())
                .replace("{version}", &number.to_string()));
        }
        let images = version.spec.images.iter();
        let mut carriers = images.filter(|image| image.purpose == ImagePurpose::Modelcar);
        if let Some(image) = carriers.next() {
            return Ok(format!("oci://{}", image.repository.at(image.digest)));
        }
        let artifact = &version.spec.artifact;
        if let Repository::Layout { .. } = artifact.repository {
            return Err(ExportError::NoStorageAddress {
                model,
                version: number.clone(),
            });
        }
        let mut remarks = self.remarks.borrow_mut();
        let remark = LeftOut {
            what: format!("{model}:{number}: storageUri"),
            why: "it names the artifact, which is no image that a cluster can mount: publish one \
                  for the purpose `modelcar`, or say --storage-uri"
                .to_owned(),
        };
        if !remarks.contains(&remark) {
            remarks.push(remark);
        }
        Ok(format!("oci://{}", artifact.reference()))
    }
}

/// A deployment that serves a version, and of which nothing more is said.
fn plain(version: &ModelVersion) -> Deployment {
    let (model, metadata) = (version.model_name(), &version.metadata);
    let record = json!({
        "apiVersion": crate::record::kind::API_VERSION,
        "kind": "Deployment",
        "metadata": {"name": model.name(), "environment": model.namespace()},
        "spec": {"model": model, "version": metadata.version},
    });
    serde_json::from_value(record).expect("a model and a version make a deployment")
}
