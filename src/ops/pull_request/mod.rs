//! The pull request of a change: opened or brought up to date, and waited for until it is merged
//! and what it asks of deployments is [serving](serving::serving).
//!
//! Its title is the newest commit's first line. Its text has what the commits say and which files
//! they touch, within the yard's own template where main has one. The owners of what is touched
//! are asked for their review, where the forge knows them by the names that the records have.

pub mod serving;
mod text;
mod way;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use way::{NoForge, Way, way};

use super::codes;
use super::propose::Proposed;
use crate::forge::{Forge, ForgeError, Requested, State, Wish};
use crate::platform::redact::printable;
use crate::platform::retry::{Policy, Retryable};
use crate::record::kind::Deployment;
use crate::record::{Class, Code, Failure, Fault, ModelName, Name, with_causes, with_help};
use crate::yard::{Brought, Catalog, CommitId, Revision, Yard, YardError, blocking};

/// How long is waited for a merge: until somebody ends it. People merge within minutes or days,
/// and a look every 20 seconds is a fraction of what any forge allows.
const UNTIL_MERGED: Policy = Policy {
    attempts: u32::MAX,
    first_wait: Duration::from_secs(1),
    longest_wait: Duration::from_secs(20),
};

/// The pull request that a change is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Opened {
    /// Its number.
    pub number: u64,
    /// Its page.
    pub url: String,
    /// What became of it.
    #[serde(flatten)]
    pub state: State,
    /// Who was asked for a review.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<Requested>,
    /// What could not be done beside: nobody could be asked, say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Where it serves, if that was waited for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub serves: Vec<Name>,
}

/// Why a merge is not there.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// The forge can't be asked.
    #[error(transparent)]
    Forge(#[from] ForgeError),
    /// It is open.
    #[error("{url} is not merged yet")]
    Open {
        /// Its page.
        url: String,
    },
    /// It was closed.
    #[error("{url} was closed, and is not merged")]
    Closed {
        /// Its page.
        url: String,
    },
}

impl Fault for MergeError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Forge(error) => error.code(),
            Self::Open { .. } | Self::Closed { .. } => &codes::NOT_MERGED_THERE,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Forge(error) => error.help(),
            Self::Open { .. } => Some("wait for its review".to_owned()),
            Self::Closed { .. } => {
                Some("see there why; running the same command again opens it anew".to_owned())
            }
        }
    }

    fn class(&self) -> Class {
        match self {
            // A limit that is over in an hour is waited for: a merge may take longer.
            Self::Forge(ForgeError::AskedTooOften { .. }) | Self::Open { .. } => Class::Transient,
            Self::Forge(error) => error.class(),
            Self::Closed { .. } => Class::Permanent,
        }
    }
}

impl Retryable for MergeError {
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Forge(error) => error.retry_after(),
            _ => None,
        }
    }
}

/// A branch that is to be merged: all that its pull request is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Offer {
    /// The branch.
    pub branch: String,
    /// The branch that it is for.
    pub main: String,
    /// The commit of main that it began from.
    pub base: String,
    /// Its last commit.
    pub commit: String,
}

impl Offer {
    /// What was proposed, if it is on a branch that a forge can see.
    pub fn of(proposed: &Proposed) -> Option<Self> {
        (!proposed.on_main && proposed.pushed.is_some()).then(|| Self {
            branch: proposed.branch.clone(),
            main: proposed.main.clone(),
            base: proposed.base.clone(),
            commit: proposed.commit.clone(),
        })
    }
}

/// Opens the pull request of what was proposed, or brings it up to date, and notes it there; notes
/// how to have it opened where that can't be.
///
/// # Errors
/// [`ForgeError`]; the branch is pushed all the same, and a second call goes on from there.
pub async fn open(
    yard: &Yard,
    way: &Way,
    proposed: &mut Proposed,
    draft: bool,
) -> Result<(), Failure> {
    let Some(offer) = Offer::of(proposed) else {
        return Ok(());
    };
    let forge = match way {
        Way::Forge(forge) => forge,
        Way::None(why) => {
            proposed.no_pull_request = match why {
                NoForge::Git => None,
                NoForge::Unknown { .. } => Some(with_help(why)),
                NoForge::NoToken { address, .. } => {
                    let page = address.by_hand(&offer.main, &offer.branch);
                    Some(format!("{}, or open it at {page}", with_help(why)))
                }
            };
            return Ok(());
        }
    };
    let opened = open_on(&**forge, yard, &offer, draft).await?;
    proposed.how_to_merge.clear();
    proposed.pull_request = Some(opened);
    Ok(())
}

/// Opens the pull request of `offer` on `forge`, or brings it up to date.
///
/// # Errors
/// [`ForgeError`], and if its commits are not here.
pub async fn open_on(
    forge: &dyn Forge,
    yard: &Yard,
    offer: &Offer,
    draft: bool,
) -> Result<Opened, Failure> {
    let kind = forge.address().kind;
    let from = yard.clone();
    let (base, tip) = (offer.base.clone(), offer.commit.clone());
    let (brought, template, owners) = blocking(move || {
        let (base, tip) = (commit(&from, base)?, commit(&from, tip)?);
        let brought = from.brought(base, tip)?;
        let main = from.snapshot_at(base)?;
        let template = text::template(&main, kind)?;
        let catalogs = [Catalog::new(main), Catalog::new(from.snapshot_at(tip)?)];
        let owners = owners(&catalogs, &brought);
        Ok::<_, Failure>((brought, template, owners))
    })
    .await?;
    let wish = Wish {
        branch: offer.branch.clone(),
        base: offer.main.clone(),
        title: text::title(&brought, &offer.branch),
        body: text::body(&brought, template),
        draft,
    };
    let pull = forge.open(&wish).await?;
    let mut opened = Opened {
        number: pull.number,
        url: pull.url,
        state: pull.state,
        review: None,
        missing: Vec::new(),
        serves: Vec::new(),
    };
    // It is open: what can't be done beside is told, and fails nothing.
    if !owners.is_empty() {
        match forge.ask_for_review(opened.number, &owners).await {
            Ok(requested) => opened.review = Some(requested),
            Err(error) => opened.missing.push(printable(&with_causes(&error))),
        }
    }
    Ok(opened)
}

/// Waits until the pull request of what was proposed is merged.
///
/// # Errors
/// [`MergeError::Closed`] if somebody closes it, and what else can't be waited for.
pub async fn merged(way: &Way, proposed: &mut Proposed) -> Result<(), Failure> {
    let (Way::Forge(forge), Some(opened)) = (way, &mut proposed.pull_request) else {
        return Ok(());
    };
    let number = opened.number;
    let merged = UNTIL_MERGED.run(|| async move {
        let pull = forge.pull_request(number).await?;
        match pull.state {
            State::Open => Err(MergeError::Open { url: pull.url }),
            State::Closed => Err(MergeError::Closed { url: pull.url }),
            merged @ State::Merged { .. } => Ok(merged),
        }
    });
    opened.state = merged.await?;
    Ok(())
}

fn commit(yard: &Yard, name: String) -> Result<CommitId, YardError> {
    let id = yard.commit_id(&Revision::Commit(name))?;
    Ok(id.expect("only the work tree is no commit"))
}

/// The owners of the models that are touched, by their records or by deployments of them: as the
/// first of `catalogs` that has the record says. Main comes first, so that no change chooses who
/// reviews it.
fn owners(catalogs: &[Catalog], brought: &Brought) -> Vec<String> {
    let mut models = BTreeSet::new();
    for (path, _) in &brought.files {
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["models", namespace, name, ..] => {
                models.extend(format!("{namespace}/{name}").parse::<ModelName>());
            }
            ["deployments", environment, file] => {
                let name = file.strip_suffix(".yaml").unwrap_or(file);
                let (Ok(environment), Ok(name)) = (environment.parse(), name.parse()) else {
                    continue;
                };
                let record = deployment(catalogs, &environment, &name);
                let shares = record.iter().flat_map(|record| record.spec.shares());
                models.extend(shares.map(|share| share.model));
            }
            _ => {}
        }
    }
    let mut owners = Vec::new();
    for model in models {
        let mut records = catalogs.iter().map(|catalog| catalog.model(&model));
        for owner in records
            .find_map(Result::ok)
            .iter()
            .flat_map(|record| &record.spec.owners)
        {
            if !owners.contains(&owner.team) {
                owners.push(owner.team.clone());
            }
        }
    }
    owners
}

fn deployment(catalogs: &[Catalog], environment: &Name, name: &Name) -> Option<Deployment> {
    let mut records = catalogs.iter();
    records.find_map(|catalog| catalog.deployment(environment, name).ok().flatten())
}
