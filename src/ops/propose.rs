//! From a change to what a reviewer sees: a commit on a branch, pushed, and how to merge it.
//!
//! What publishes, promotes, sets or adds a key does so by a [`Change`], begun by [`begin`] and
//! handed to [`propose`]. Both try again, within bounds, what another process or a moment's
//! outage of the remote got in the way of.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::pull_request::Opened;
use super::refuse_errors;
use crate::forge::git;
use crate::platform::on_blocking_pool;
use crate::platform::retry::Policy;
use crate::record::Failure;
use crate::yard::{Change, Committed, Pushed, Yard, YardError, codes};

/// Branches move on within milliseconds, and remotes that are away for longer than some seconds
/// are for a person to judge.
const PATIENCE: Policy = Policy {
    attempts: 8,
    first_wait: Duration::from_millis(100),
    longest_wait: Duration::from_secs(2),
};

/// What a change came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Proposed {
    /// The branch it is on; main's name where it went to main itself or was there already.
    pub branch: String,
    /// The commit.
    pub commit: String,
    /// The commit of main that it began from.
    pub base: String,
    /// Whether there was nothing to change: the branch, or main, has it already.
    pub unchanged: bool,
    /// Whether it is on main, and nothing is left to merge.
    pub on_main: bool,
    /// Where it was pushed to; absent where there is no remote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushed: Option<PushedTo>,
    /// The commands that merge it; none where it is on main, or on a pull request.
    pub how_to_merge: Vec<String>,
    /// Its pull request, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<Opened>,
    /// Why there is none, and how to have one, where there could be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_pull_request: Option<String>,
    /// The name of main.
    #[serde(skip)]
    pub main: String,
}

/// A remote that has the branch now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PushedTo {
    /// The remote's name.
    pub remote: String,
    /// Where it is, without credentials.
    pub url: String,
    /// Whether it had the branch so already.
    pub unchanged: bool,
    /// What it said: forges tell here where to open a pull request.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub said: String,
}

/// Begins a change that will be proposed on `branch`; main and that branch are fetched first.
///
/// # Errors
/// As [`Change::begin`].
pub async fn begin(yard: &Yard, branch: &str) -> Result<Change, Failure> {
    let begun = PATIENCE.run(|| {
        let (yard, branch) = (yard.clone(), branch.to_owned());
        on_blocking_pool(move || Change::begin(&yard, &branch))
    });
    Ok(begun.await?)
}

/// Fetches the remote's main branch, if there is a remote.
///
/// # Errors
/// As [`Yard::fetch`].
pub async fn fetch(yard: &Yard) -> Result<(), Failure> {
    let fetched = PATIENCE.run(|| {
        let yard = yard.clone();
        on_blocking_pool(move || yard.fetch())
    });
    Ok(fetched.await?)
}

/// Makes `change` a commit with `message` at time `now`, pushes its branch where there is a
/// remote, and tells how to merge it.
///
/// # Errors
/// As [`Change::commit`] and [`Change::push`]. A branch that moved on meanwhile is begun anew
/// with the same files; [`YardError::ChangedMeanwhile`] if they changed there, too, and for main
/// itself what the check refuses of them on what main is now.
pub async fn propose(change: Change, message: &str, now: Timestamp) -> Result<Proposed, Failure> {
    let mut first = true;
    let landed = PATIENCE.run(|| {
        let (change, message) = (change.clone(), message.to_owned());
        let again = !std::mem::replace(&mut first, false);
        on_blocking_pool(move || {
            let change = if again { change.begun_again()? } else { change };
            // What others did to other files meanwhile may be what this can't go with, and no
            // pull request's pipeline will say so.
            if again
                && change.is_direct()
                && let Err(refused) = refuse_errors(&change)
            {
                return Ok(Err(refused));
            }
            let committed = change.commit(&message, now)?;
            let pushed = change.push(&committed)?;
            Ok::<_, YardError>(Ok((committed, pushed)))
        })
    });
    let (committed, pushed) = landed.await??;
    Ok(Proposed::new(&committed, pushed))
}

/// Does `attempt` from its beginning until nobody else changed the same files meanwhile, within
/// bounds; for use cases whose change is made of what is there.
///
/// # Errors
/// The last attempt's.
pub async fn settled<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    // No wait: that somebody else was faster means that they are done.
    for _ in 1..PATIENCE.attempts {
        match attempt().await {
            Err(failure) if *failure.code() == codes::CHANGED_MEANWHILE => {}
            settled => return settled,
        }
    }
    attempt().await
}

impl Proposed {
    fn new(committed: &Committed, pushed: Option<Pushed>) -> Self {
        let on_main = committed.is_on_main() || committed.branch == committed.main;
        let branch = if on_main {
            &committed.main
        } else {
            &committed.branch
        };
        let pushed = pushed.map(|pushed| PushedTo {
            remote: pushed.remote,
            url: pushed.url,
            unchanged: pushed.unchanged,
            said: pushed.said,
        });
        Self {
            branch: branch.clone(),
            commit: committed.commit.to_string(),
            base: committed.base.to_string(),
            unchanged: committed.unchanged,
            on_main,
            how_to_merge: if on_main {
                Vec::new()
            } else {
                let remote = pushed.as_ref().map(|pushed| &*pushed.remote);
                git::how_to_merge(&committed.main, branch, remote)
            },
            pushed,
            pull_request: None,
            no_pull_request: None,
            main: committed.main.clone(),
        }
    }
}
