//! What a comparison comes to, and what is kept of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::platform::atomic::{self, FileError, Readers};
use crate::record::{Code, Digest, Failure, Fault, Name};

/// The largest file that is read back: a thousand deployments take some hundred kilobytes.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// What is to be known of the last change of a deployment; where it is as it was shown, nothing is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// What it comes to.
    #[serde(flatten)]
    pub is: Verdict,
    /// The commit of main that changed it.
    pub commit: String,
    /// The commit from which the change is told: what is held stays as it was there.
    pub since: String,
    /// The hash of the plan between the two.
    pub plan: Digest,
    /// The page of the pull request that brought it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

/// What a comparison comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Verdict {
    /// Something else was shown, and nothing is done.
    Refused {
        /// The hash of what was shown.
        shown: Digest,
    },
    /// Something else was shown, and it is done and told.
    Reported {
        /// The hash of what was shown.
        shown: Digest,
    },
    /// No plan was kept of it.
    NotShown,
    /// It is not known what was shown, and it is done.
    NotAsked {
        /// Why.
        why: String,
    },
}

impl Judgement {
    /// Whether nothing is done.
    pub const fn is_refused(&self) -> bool {
        matches!(self.is, Verdict::Refused { .. })
    }

    /// What to know, and what to do, in `environment`.
    pub fn told(&self, environment: &Name) -> String {
        let short = |id: &str| id.chars().take(12).collect::<String>();
        let (commit, since, plan) = (short(&self.commit), short(&self.since), self.plan);
        let request = self.request.iter().map(|url| format!(" ({url})"));
        let commit_of = format!("main's commit {commit}{}", request.collect::<String>());
        match &self.is {
            Verdict::Refused { shown } => format!(
                "{commit_of} is held: it would come to the plan {plan}, and reviewers were shown \
                 {shown}; see it by `modelyard plan --base {since} --at {commit}`, then revert it \
                 by a pull request and propose it anew, or say that it is meant by `modelyard \
                 reconcile --nudge -e {environment} --accept-plan {plan}`"
            ),
            Verdict::Reported { shown } => {
                format!("{commit_of} came to the plan {plan}, and reviewers were shown {shown}")
            }
            Verdict::NotShown => format!("{commit_of} came without a plan that was shown"),
            Verdict::NotAsked { why } => {
                format!("{commit_of} is done without knowing what reviewers were shown: {why}")
            }
        }
    }
}

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ledger {
    /// The commit of main up to which everything is judged.
    pub(super) judged: Option<String>,
    /// What is to be known of deployments.
    pub(super) deployments: BTreeMap<Name, Judgement>,
}

/// What is to be known of deployments.
pub type Judgements = Arc<BTreeMap<Name, Judgement>>;

/// What is kept is not what this program writes.
#[derive(Debug, thiserror::Error)]
#[error("what was judged of main, in {}, can't be read", path.display())]
pub(super) struct LedgerError {
    path: PathBuf,
    source: serde_json::Error,
}

impl Fault for LedgerError {
    fn code(&self) -> &'static Code {
        &crate::rollout::codes::ROLLOUT_STATE
    }

    fn help(&self) -> Option<String> {
        Some(
            "run the program that wrote it, or a newer one; or move the file away: what was held \
             until somebody says that it is meant is deployed then"
                .to_owned(),
        )
    }
}

impl Ledger {
    /// What was kept at `path`; nothing where nobody kept anything.
    ///
    /// # Errors
    /// If it can't be read: what is held would be let go by taking it for nothing.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let Some(kept) = atomic::read_if_there(path, MAX_BYTES)? else {
            return Ok(Self::default());
        };
        let unreadable = |source| LedgerError {
            path: path.to_owned(),
            source,
        };
        Ok(serde_json::from_slice(&kept).map_err(unreadable)?)
    }

    /// Keeps it at `path`.
    pub(super) fn write(&self, path: &Path) -> Result<(), FileError> {
        let bytes = serde_json::to_vec_pretty(self).expect("its keys are texts");
        atomic::write(path, &bytes, Readers::Umask)
    }
}
