//! What served where, since when, and on whose word: from git's commits and the reconciler's
//! receipts, and from the forge where it can be asked.

mod walk;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use self::walk::Walk;
use super::chosen::chosen_by;
use super::codes;
use super::receipt::{Receipt, Share, Step};
use crate::forge::{Forge, ForgeError};
use crate::record::{Code, Failure, Fault, Name, with_help};
use crate::rollout::Content;
use crate::yard::history::Event;
use crate::yard::{Revision, Yard, blocking};

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Only this environment.
    pub environment: Option<Name>,
    /// Only this deployment.
    pub deployment: Option<Name>,
    /// What served at this time; all that served where nothing is said.
    pub at: Option<Timestamp>,
    /// How much is told at most.
    pub limit: usize,
}

/// What served, newest first.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Past {
    /// Each time that a deployment served something else.
    pub served: Vec<Served>,
    /// Whether there is more before, which the limit left out.
    pub truncated: bool,
    /// Why it isn't known who approved, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_approvals: Option<String>,
}

/// What a deployment served for a time.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Served {
    /// The environment.
    pub environment: Name,
    /// The deployment.
    pub deployment: Name,
    /// Since when.
    pub since: Timestamp,
    /// Until when; nothing where it serves still, as far as is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Who got how much; nobody where nothing served.
    pub shares: Vec<Told>,
    /// The commit of main that was followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// What happened just before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<String>,
    /// The step of the rollout that it was at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// What was measured last before.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub measured: BTreeMap<Name, String>,
}

/// A share, and why it was.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// The share.
    #[serde(flatten)]
    pub share: Share,
    /// The commit since which main chose it, if that is known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen_by: Option<Event>,
    /// The pull request that brought that commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<Reviewed>,
}

/// A pull request, and who approved it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reviewed {
    /// Its number.
    pub number: u64,
    /// Its page.
    pub url: String,
    /// Who opened it.
    pub author: String,
    /// Who approved what was merged of it.
    pub approved_by: Vec<String>,
}

/// Nobody told what served.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// There is no receipt at all.
    #[error("{place} has no receipts of what served{}", of(.environment.as_ref()))]
    NoReceipts {
        /// The yard.
        place: String,
        /// The environment that was asked for.
        environment: Option<Name>,
    },
    /// No receipt has the deployment.
    #[error("no receipt tells that {deployment} ever served{}", of(.environment.as_ref()))]
    NeverServed {
        /// The deployment.
        deployment: Name,
        /// The environment that was asked for.
        environment: Option<Name>,
    },
}

fn of(environment: Option<&Name>) -> String {
    environment.map_or_else(String::new, |environment| format!(" in {environment}"))
}

impl Fault for HistoryError {
    fn code(&self) -> &'static Code {
        &codes::NO_RECEIPTS
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoReceipts { .. } => "they are written by `modelyard serve`, and pushed to \
                refs/modelyard/receipts/ENVIRONMENT of the yard's remote"
                .to_owned(),
            Self::NeverServed { .. } => {
                "`modelyard history` tells all that is known to have served".to_owned()
            }
        })
    }
}

/// Tells what served, by the receipts that are here, and who approved it, by the forge.
///
/// # Errors
/// [`HistoryError`], or if git can't be read. A forge that can't be asked is told in what is given
/// back.
pub async fn history(
    yard: &Yard,
    forge: Result<Arc<dyn Forge>, Failure>,
    asked: Asked,
) -> Result<Past, Failure> {
    let from = yard.clone();
    let mut past = blocking(move || read(&from, &asked)).await?;
    let found = match forge {
        Ok(forge) => approvals(&*forge, &mut past.served).await,
        Err(why) => Err(why),
    };
    past.no_approvals = found.err().map(|why| with_help(&*why));
    Ok(past)
}

fn read(yard: &Yard, asked: &Asked) -> Result<Past, Failure> {
    let mut environments = yard.receipted()?;
    environments.retain(|one| asked.environment.as_ref().is_none_or(|asked| asked == one));
    let mut served = Vec::new();
    for environment in &environments {
        let mut walk = Walk::new(environment, asked);
        yard.receipts(environment, |receipt| match Receipt::read(&receipt.bytes) {
            Some(receipt) => walk.visit(receipt),
            None => ControlFlow::Continue(()),
        })?;
        served.extend(walk.end());
    }
    let environment = asked.environment.clone();
    if environments.is_empty() {
        let place = yard.place();
        return Err(HistoryError::NoReceipts { place, environment }.into());
    }
    if let (Some(deployment), None, true) = (&asked.deployment, asked.at, served.is_empty()) {
        let deployment = deployment.clone();
        return Err(HistoryError::NeverServed {
            deployment,
            environment,
        }
        .into());
    }
    served.sort_by(|one, other| {
        let key = |served: &Served| (served.environment.clone(), served.deployment.clone());
        (other.since.cmp(&one.since)).then_with(|| key(one).cmp(&key(other)))
    });
    let truncated = served.len() > asked.limit;
    served.truncate(asked.limit);
    for one in &mut served {
        find_commits(yard, one)?;
    }
    Ok(Past {
        served,
        truncated,
        no_approvals: None,
    })
}

impl Told {
    fn of(share: &Share) -> Self {
        Self {
            share: share.clone(),
            chosen_by: None,
            pull_request: None,
        }
    }

    /// The commit on main that brought it.
    fn commit(&self) -> Option<&str> {
        self.chosen_by.as_ref().map(|event| event.landed().1)
    }
}

/// Finds the commits that chose what served, as far as they are here.
fn find_commits(yard: &Yard, served: &mut Served) -> Result<(), Failure> {
    let Some(commit) = &served.commit else {
        return Ok(());
    };
    let until = Revision::Commit(commit.clone());
    // A shallow clone, or a rewritten main, has it no more.
    if yard.commit_id(&until).is_err() {
        return Ok(());
    }
    for told in &mut served.shares {
        if let Content::Model(release) = &told.share.content {
            let place = (&served.environment, &served.deployment);
            told.chosen_by = chosen_by(yard, &until, place, release)?;
        }
    }
    Ok(())
}

/// Finds the pull requests and who approved them.
async fn approvals(forge: &dyn Forge, served: &mut [Served]) -> Result<(), Failure> {
    let mut known: BTreeMap<String, Option<Reviewed>> = BTreeMap::new();
    for told in served.iter_mut().flat_map(|one| &mut one.shares) {
        let Some(commit) = told.commit().map(str::to_owned) else {
            continue;
        };
        if !known.contains_key(&commit) {
            let found = reviewed(forge, &commit).await?;
            known.insert(commit.clone(), found);
        }
        told.pull_request = known[&commit].clone();
    }
    Ok(())
}

async fn reviewed(forge: &dyn Forge, commit: &str) -> Result<Option<Reviewed>, ForgeError> {
    let Some(found) = forge.pull_request_of(commit).await? else {
        return Ok(None);
    };
    Ok(Some(Reviewed {
        approved_by: forge.approvals(&found).await?,
        number: found.number,
        url: found.url,
        author: found.author,
    }))
}
