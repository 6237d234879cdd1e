//! The artifacts of one pull: what was asked for, and what it needs of other models.

use std::sync::Arc;

use super::{Artifact, Ground, PullError, Request};
use crate::artifact::fetch::Wanted;
use crate::artifact::manifest::Manifest;
use crate::artifact::pack::{self, Claims, FilePath, LayerFile, UnpackError};
use crate::artifact::{Store, StoreError};
use crate::ops::locate::{self, Located, Reference};
use crate::ops::verify::policy_at;
use crate::record::kind::{ModelVersion, Producer, Product};
use crate::record::{Failure, ModelReference, Selector};
use crate::trust::{self, Context, Policy, Signer, Verdict};
use crate::yard::{Catalog, Snapshot, blocking};

/// An artifact whose manifest and signatures were verified, and the files that are wanted of it.
pub(in crate::ops) struct Part {
    pub(in crate::ops) artifact: Artifact,
    store: Arc<dyn Store>,
    files: Vec<LayerFile>,
}

impl Part {
    pub(in crate::ops) fn wanted(&self) -> impl Iterator<Item = Wanted> {
        self.files.iter().map(|file| Wanted {
            store: Arc::clone(&self.store),
            file: file.clone(),
        })
    }
}

/// Finds and verifies what is asked for, and after it what it needs of others.
pub(in crate::ops) async fn find(
    request: &Request,
    ground: &Ground<'_>,
) -> Result<Vec<Part>, Failure> {
    let said = match &request.yard {
        Some(yard) => Some(said(yard).await?),
        None => None,
    };
    let (reference, (catalog, policy)) = match (&request.reference, said) {
        (Reference::Oci(reference), said) => {
            let located = locate::in_store(reference, ground.directory, ground.stores).await?;
            let policy = said.map(|(_, policy)| policy).unwrap_or_default();
            return Ok(vec![verified(located, &policy, ground).await?]);
        }
        (Reference::Model(reference), Some(said)) => (reference, said),
        (Reference::Model(reference), None) => {
            return Err(PullError::NoYard {
                reference: reference.to_string(),
                directory: ground.directory.to_owned(),
            }
            .into());
        }
    };
    let located = locate::in_yard(reference, &catalog, ground.stores).await?;
    let record = located.version.as_ref().map(|found| found.record.clone());
    let mut parts = vec![verified(located, &policy, ground).await?];
    if request.with_dependencies
        && let Some(record) = record
    {
        for (producer, file) in produced_for(&record) {
            let needed_by = reference.to_string();
            parts.push(product(producer, file, &needed_by, &catalog, &policy, ground).await?);
        }
    }
    Ok(parts)
}

/// The records and the trust policy of a yard.
async fn said(yard: &Snapshot) -> Result<(Catalog, Policy), Failure> {
    let yard = yard.clone();
    blocking(move || {
        let policy = policy_at(&yard)?;
        Ok::<_, Failure>((Catalog::new(yard), policy))
    })
    .await
}

/// Verifies who vouches for an artifact, and reads which files it has.
async fn verified(located: Located, policy: &Policy, ground: &Ground<'_>) -> Result<Part, Failure> {
    let version = located.version.as_ref();
    let context = match version {
        Some(version) => Context::of(&version.record, ground.now),
        None => Context::bare(ground.now),
    };
    let place = located.place();
    let digest = located.manifest.digest;
    let verdict = trust::verify(&*located.store, &digest, policy, &context).await?;
    let remarks = remarks(&verdict);
    let verdict = match verdict.allowed(&place.to_string()) {
        Ok(verdict) => verdict,
        Err(refused) => return Err(PullError::Refused { refused, remarks }.into()),
    };
    let manifest = Manifest::parse(&located.bytes).map_err(|source| StoreError::Manifest {
        place: place.to_string(),
        source,
    })?;
    let files = pack::files(&manifest)?;
    let signers: Vec<Signer> = verdict.signers().into_iter().cloned().collect();
    Ok(Part {
        artifact: Artifact {
            model: version.map(|found| found.model.clone()),
            version: version.map(|found| found.version.clone()),
            lifecycle: version.map(|found| found.record.spec.lifecycle),
            repository: place.repository,
            digest,
            verdict: verdict.standing(),
            signers,
        },
        store: located.store,
        files,
    })
}

/// Why signatures count for nobody, a tampered one among them by what was expected and what came.
fn remarks(verdict: &Verdict) -> Vec<String> {
    let flawed = verdict.signatures.iter();
    let flawed = flawed.filter_map(|signature| Some((signature.at, signature.remark.as_ref()?)));
    flawed
        .map(|(at, remark)| format!("the signature {} {remark}", at.short()))
        .collect()
}

/// The files that other models produce for a version.
fn produced_for(record: &ModelVersion) -> impl Iterator<Item = (&Producer, &str)> {
    let dependencies = record.spec.dependencies.iter();
    let producers = dependencies
        .flat_map(|all| &all.models)
        .map(|one| &one.produced_by);
    producers.filter_map(|producer| match &producer.product {
        Product::File(file) => Some((producer, file.as_str())),
        Product::Output(_) => None,
    })
}

/// The one file that is needed of another model.
async fn product(
    producer: &Producer,
    file: &str,
    needed_by: &str,
    catalog: &Catalog,
    policy: &Policy,
    ground: &Ground<'_>,
) -> Result<Part, Failure> {
    let reference = ModelReference {
        model: producer.model.clone(),
        selector: producer.version.clone().unwrap_or(Selector::Newest),
    };
    let located = locate::in_yard(&reference, catalog, ground.stores).await?;
    let version = located.version.as_ref().map(|found| found.version.clone());
    let mut part = verified(located, policy, ground).await?;
    part.files.retain(|known| known.path.as_str() == file);
    if part.files.is_empty() {
        return Err(PullError::NoSuchProduct {
            model: reference.model,
            version: version.expect("what is found in a yard is a version"),
            file: file.to_owned(),
            needed_by: needed_by.to_owned(),
        }
        .into());
    }
    Ok(part)
}

/// Fails if two files can't be in one folder.
pub(in crate::ops) fn refuse_clashes<'a>(
    paths: impl Iterator<Item = &'a FilePath>,
) -> Result<(), UnpackError> {
    let mut claims = Claims::default();
    for path in paths {
        claims.claim(path)?;
    }
    Ok(())
}
