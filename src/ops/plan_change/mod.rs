//! What a merge would do: two commits of a yard compared, for whoever reviews the change between
//! them.
//!
//! Nothing is needed for it but the two commits: no host, and no store for the essentials. What
//! serves is told from the records before, and what will from those behind; of stores only manifests
//! and signatures are asked for, and what can't be had is said to be unknown. So a plan is the same
//! on every machine, and so is its hash, which is over [`Planned::changes`] alone.
//!
//! | file | tells |
//! | --- | --- |
//! | `environments` | which deployments change, and how |
//! | `limits` | what can't be done of that |
//! | `models` | metadata, metrics, aliases and lifecycles of models and versions |
//! | `contract` | inputs, outputs and parameters, and which changes break callers |
//! | `artifacts` | files, signatures |
//! | `dependents` | who depends on what changes |
//! | [`telling`] | all of it in words, the same for a terminal and for a comment |
//! | `markdown` | those words as a comment on a pull request |
//! | [`kept`] | the hash in the status of a commit |

mod artifacts;
mod contract;
mod dependents;
mod difference;
mod environments;
mod fate;
pub mod kept;
mod limits;
mod markdown;
mod models;
pub mod telling;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use artifacts::{Bytes, Evidence, FilePlan, Files, Signatures};
pub use contract::{ContractChange, ContractPart};
pub use dependents::{Dependent, Dependents};
pub use difference::Difference;
pub use environments::{Becomes, DeploymentPlan, EnvironmentPlan, Serving};
pub use fate::Fate;
pub use markdown::{body, markdown};
pub use models::{AliasMove, MetricPlan, ModelPlan, Moved, VersionPlan};

use super::check_change::parted;
use super::evidence;
use super::resolve::{Resolution, resolve};
use crate::artifact::StoreOptions;
use crate::record::{Digest, Failure, Name};
use crate::rollout::{Desired, Intent, hash, intents};
use crate::yard::{Catalog, CatalogError, CommitId, Revision, Snapshot, Yard, blocking};
use artifacts::Look;
use environments::State;

/// What is to be planned.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The change.
    pub head: Revision,
    /// What it is a change of: where the two parted is what it is compared with.
    pub base: String,
    /// How stores are asked; nothing where they are not to be.
    pub stores: Option<StoreOptions>,
}

/// What a merge would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Planned {
    /// The plan's hash: the digest of `changes` as JSON without spaces and with sorted keys.
    pub hash: Digest,
    /// The commit that it is compared with.
    pub base: String,
    /// The commit of the change; nothing for the work tree.
    pub head: Option<String>,
    /// How many changes break callers.
    pub breaking: usize,
    /// What should change of deployments: all that the hash is over.
    pub changes: Vec<Intent>,
    /// What becomes of environments.
    pub environments: Vec<EnvironmentPlan>,
    /// What becomes of models.
    pub models: Vec<ModelPlan>,
    /// The other files that change: the yard's own record, policies, keys.
    pub others: Vec<OtherFile>,
    /// Records that can't be read, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
}

/// A file beside models, environments and deployments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OtherFile {
    /// Its path.
    pub path: String,
    /// What becomes of it.
    pub is: Fate,
}

/// Tells what a merge of `wish` into `yard` would do; `now` is the time by which keys count.
///
/// # Errors
/// If the yard can't be read as it was asked for. What is wrong with its records is told, and so is
/// what stores don't.
pub async fn plan_change(yard: &Yard, wish: &Wish, now: Timestamp) -> Result<Planned, Failure> {
    let (base, head) = {
        let (yard, wish) = (yard.clone(), wish.clone());
        let read = move || -> Result<_, Failure> {
            let head = yard.snapshot(&wish.head)?;
            Ok((parted(&yard, &wish.head, &wish.base)?, head))
        };
        blocking(read).await?
    };
    let commits = (base.commit(), head.commit());
    let trusted = base.clone();
    let drafted = blocking(move || draft(base, head)).await?;
    let trust = Catalog::new(trusted.clone()).yard().ok();
    let trust = trust.map(|yard| yard.spec.trust);
    let policy = match &wish.stores {
        Some(_) => evidence::policy(trust, trusted).await?,
        None => None,
    };
    let look = Look {
        yard,
        options: wish.stores.as_ref(),
        policy: policy.as_ref(),
        now,
    };
    let wanted = drafted.models.iter().flat_map(models::Draft::wanted);
    let found = look.all(wanted.collect()).await;
    let models = drafted.models.into_iter().map(|draft| draft.finish(&found));
    let models: Vec<ModelPlan> = models.collect();
    let versions = models.iter().flat_map(|model| &model.versions);
    let contract = versions.flat_map(|version| &version.contract);
    Ok(Planned {
        hash: hash(&drafted.changes),
        base: commits
            .0
            .map(|commit| commit.to_string())
            .unwrap_or_default(),
        head: commits.1.map(|commit| commit.to_string()),
        breaking: contract.filter(|change| change.breaking).count(),
        changes: drafted.changes,
        environments: drafted.environments,
        models,
        others: drafted.others,
        unreadable: drafted.unreadable,
    })
}

/// All of a plan that git alone tells.
struct Drafted {
    changes: Vec<Intent>,
    environments: Vec<EnvironmentPlan>,
    models: Vec<models::Draft>,
    others: Vec<OtherFile>,
    unreadable: Vec<String>,
}

fn draft(base: Snapshot, head: Snapshot) -> Result<Drafted, Failure> {
    let differing = fate::fates(&base, &head)?;
    let (base, head) = (Catalog::new(base), Catalog::new(head));
    let (before, behind) = (resolved(&base)?, resolved(&head)?);
    let changes = intents(&desired(&before), &desired(&behind));
    let (old, new) = (
        State {
            catalog: &base,
            resolved: &before,
        },
        State {
            catalog: &head,
            resolved: &behind,
        },
    );
    let (environments, mut unreadable) = environments::plans(&old, &new, &differing, &changes)?;
    let (models, more) = models::drafts(&base, &head, &differing, &changes)?;
    unreadable.extend(more);
    unreadable.sort();
    unreadable.dedup();
    let is_other = |path: &str| {
        let told = ["models/", "environments/", "deployments/"];
        !told.iter().any(|folder| path.starts_with(folder))
    };
    let others = differing.into_iter().filter(|(path, _)| is_other(path));
    Ok(Drafted {
        changes,
        environments,
        models,
        others: others.map(|(path, is)| OtherFile { path, is }).collect(),
        unreadable,
    })
}

/// What should be in every environment of a yard.
fn resolved(catalog: &Catalog) -> Result<BTreeMap<Name, Resolution>, CatalogError> {
    let names = catalog.environment_names()?.into_iter();
    let resolved = names.map(|name| {
        let resolution = resolve(catalog, &name, false);
        (name, resolution)
    });
    Ok(resolved.collect())
}

fn desired(resolved: &BTreeMap<Name, Resolution>) -> BTreeMap<Name, Desired> {
    let desired = resolved.iter();
    desired
        .map(|(name, one)| (name.clone(), Desired::clone(&one.desired)))
        .collect()
}

/// What should be in every environment of `yard` as it is at `commit`.
///
/// # Errors
/// If it is not here, or git can't be read.
pub fn desired_at(yard: &Yard, commit: CommitId) -> Result<BTreeMap<Name, Desired>, Failure> {
    let catalog = Catalog::new(yard.snapshot_at(commit)?);
    Ok(desired(&resolved(&catalog)?))
}
