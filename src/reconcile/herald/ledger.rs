//! What is to be told, kept beside the state, so that what was missed is told once, later.
//!
//! ```text
//! <folder>/told.json   {"version": 1, "commit": …, "claims": […], "reverts": {…}}
//! ```
//!
//! It is derived: without it nothing but what was missed is lost.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::claim::{Claim, Origin};
use super::sight::Seen;
use crate::ops::pull_request::Offer;
use crate::platform::atomic::{self, FileError, Readers};

/// The version of the format that is written.
const VERSION: u32 = 1;
/// The most claims of which something is still to be told; the oldest are let go of first.
const MAX_CLAIMS: usize = 100;
/// The most reverts whose pull requests are kept in mind.
const MAX_REVERTS: usize = 100;
/// The largest file: a hundred claims of a thousand deployments.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What is to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Ledger {
    version: u32,
    /// The commit of main up to which it is known who asked for what.
    pub(super) commit: Option<String>,
    /// What commits asked for and of which something is still to be told, the oldest first.
    pub(super) claims: Vec<Claim>,
    /// The branches that revert what failed.
    pub(super) reverts: BTreeMap<String, Revert>,
}

/// The pull request of a branch that reverts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Revert {
    /// It is still to be opened.
    Due(Offer),
    /// It is open.
    Opened {
        /// Its page.
        url: String,
    },
    /// The forge opens none.
    Refused,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            version: VERSION,
            commit: None,
            claims: Vec::new(),
            reverts: BTreeMap::new(),
        }
    }
}

fn place(folder: &Path) -> PathBuf {
    folder.join("told.json")
}

impl Ledger {
    /// What is kept in `folder`; nothing where nobody kept anything, or another program did.
    ///
    /// # Errors
    /// If it can't be read.
    pub(super) fn read(folder: &Path) -> Result<Self, FileError> {
        let Some(bytes) = atomic::read_if_there(&place(folder), MAX_BYTES)? else {
            return Ok(Self::default());
        };
        let read = serde_json::from_slice::<Self>(&bytes).ok();
        Ok(read
            .filter(|ledger| ledger.version == VERSION)
            .unwrap_or_else(|| {
                tracing::warn!("what was still to be told to pull requests can't be read");
                Self::default()
            }))
    }

    /// Keeps it in `folder`.
    ///
    /// # Errors
    /// If it can't be written; what was there stays.
    pub(super) fn write(&self, folder: &Path) -> Result<(), FileError> {
        let bytes = serde_json::to_vec(self).expect("its keys are texts");
        atomic::write(&place(folder), &bytes, Readers::Owner)
    }

    /// Takes in what main's commits up to `tip` asked for.
    pub(super) fn account(&mut self, tip: &str, claims: Vec<Claim>, seen: &Seen, at: Timestamp) {
        let is_first = self.commit.is_none();
        for mut new in claims {
            for old in &mut self.claims {
                for (name, part) in &new.parts {
                    old.supersede(name, &part.asked, &new.commit, at);
                }
            }
            new.take(seen, at);
            self.claims.push(new);
        }
        if is_first {
            // Who has never told anything doesn't begin with what has been there for long.
            self.claims.retain_mut(|claim| {
                claim.parts.retain(|name, part| {
                    let sight = seen.sights.get(name);
                    let stands = sight.map_or(part.asked == "gone", |sight| sight.stands);
                    part.superseded.is_none() && !stands
                });
                !claim.parts.is_empty()
            });
        }
        let extra = self.claims.len().saturating_sub(MAX_CLAIMS);
        if extra > 0 {
            tracing::warn!(extra, "too much is untold: the oldest is let go of");
            self.claims.drain(..extra);
        }
        self.commit = Some(tip.to_owned());
    }

    /// Takes in what a pass shows; whether that is news.
    pub(super) fn take(&mut self, seen: &Seen, at: Timestamp) -> bool {
        let news = self.claims.iter_mut().map(|claim| claim.take(seen, at));
        news.fold(false, |any, news| any | news)
    }

    /// Notes a revert whose pull request is to be opened.
    pub(super) fn owe(&mut self, offer: Offer) {
        let due = Revert::Due(offer.clone());
        self.reverts.insert(offer.branch, due);
        while self.reverts.len() > MAX_REVERTS {
            self.reverts.pop_first();
        }
    }

    /// Notes how a claim's commit came to main. What came by one pull request is one claim, that of
    /// its last commit.
    pub(super) fn came(&mut self, commit: &str, origin: Origin, landed: Option<String>) {
        let sought = |claim: &Claim| claim.commit == commit && claim.origin.is_none();
        let Some(at) = self.claims.iter().position(sought) else {
            return;
        };
        let same = self.claims.iter().position(|claim| {
            matches!(origin, Origin::PullRequest { .. }) && claim.origin.as_ref() == Some(&origin)
        });
        let Some(same) = same else {
            let claim = &mut self.claims[at];
            claim.origin = Some(origin);
            claim.commit = landed.unwrap_or_else(|| commit.to_owned());
            return;
        };
        let mut claim = self.claims.remove(at.max(same));
        let other = self.claims.remove(at.min(same));
        for (name, part) in other.parts {
            claim.parts.entry(name).or_insert(part);
        }
        claim.told = other.told;
        claim.commit = landed.unwrap_or_else(|| commit.to_owned());
        claim.origin = Some(origin);
        self.claims.insert(at.min(same), claim);
    }

    /// The pages of the pull requests that revert, by branch; none where it is still to be opened.
    pub(super) fn pages(&self) -> BTreeMap<String, Option<String>> {
        let page = |(branch, revert): (&String, &Revert)| match revert {
            Revert::Opened { url } => (branch.clone(), Some(url.clone())),
            Revert::Due(_) | Revert::Refused => (branch.clone(), None),
        };
        self.reverts.iter().map(page).collect()
    }

    /// Whether the revert of something that failed in `claim` is still to be opened.
    pub(super) fn owes(&self, claim: &Claim) -> bool {
        let views = claim.parts.values().filter_map(|part| part.view.as_ref());
        let mut branches = views.filter_map(|view| view.fall.as_ref()?.branch.as_ref());
        branches.any(|branch| matches!(self.reverts.get(branch), Some(Revert::Due(_))))
    }

    /// Lets go of reverts that are opened and of which nobody is to be told any more.
    pub(super) fn forget_reverts(&mut self) {
        let views = self.claims.iter().flat_map(|claim| claim.parts.values());
        let falls = views.filter_map(|part| part.view.as_ref()?.fall.as_ref());
        let told: Vec<String> = falls.filter_map(|fall| fall.branch.clone()).collect();
        self.reverts
            .retain(|branch, revert| matches!(revert, Revert::Due(_)) || told.contains(branch));
    }
}
