//! A pull request told what it would do: checked anew, commented on, and given its statuses.
//!
//! Whoever opens a pull request can write whatever they like into their own pipeline's report. So
//! none is read: the forge says which commit the pull request is at, git fetches that commit as
//! objects, and it is checked here, by the policies and the trust of its base. Nothing of it is
//! run, and nothing but the forge's word tells what is commented on.

use super::assess::{Assessed, Change, How, assess};
use crate::forge::{Forge, ForgeError, Marker, PullRequest, State, Status};
use crate::platform::redact::printable;
use crate::record::Failure;
use crate::yard::{Revision, Yard, blocking};

/// Which pull request is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// The one of this number; where a commit is named, only while it is at that.
    Number(u64, Option<String>),
    /// The open one that would merge this commit, if one does.
    Commit(String),
}

/// What is to be told to whom.
#[derive(Debug)]
pub struct Reviewed {
    /// The pull request, as the forge has it.
    pub pull: PullRequest,
    /// What is to be told.
    pub assessed: Assessed,
}

/// What looking came to.
#[derive(Debug)]
pub enum Looked {
    /// It was checked.
    Reviewed(Box<Reviewed>),
    /// Nobody waits for a word any more, and why.
    Over(String),
}

/// Fetches the change of a pull request and checks it.
///
/// # Errors
/// [`ForgeError`], and if it can't be fetched or checked.
pub async fn look(
    yard: &Yard,
    forge: &dyn Forge,
    whom: &Whom,
    how: &How,
) -> Result<Looked, Failure> {
    let pull = match whom {
        Whom::Number(number, commit) => {
            let pull = forge.pull_request(*number).await?;
            match commit {
                Some(commit) if pull.head != *commit => {
                    return Ok(Looked::Over(format!(
                        "#{number} is at {} by now, and no longer at {}",
                        short(&pull.head),
                        short(commit)
                    )));
                }
                _ => pull,
            }
        }
        Whom::Commit(commit) => match forge.pull_request_at(commit).await? {
            Some(pull) => pull,
            None => {
                let commit = short(commit);
                return Ok(Looked::Over(format!("no open pull request is at {commit}")));
            }
        },
    };
    if pull.state != State::Open {
        return Ok(Looked::Over(format!("#{} is not open", pull.number)));
    }
    let fetched = {
        let (yard, base) = (yard.clone(), pull.base.clone());
        let reference = forge.address().head_of(pull.number);
        blocking(move || yard.fetch_request(&reference, &base)).await?
    };
    let fetched = match fetched {
        Some(fetched) if fetched.head.to_string() == pull.head => fetched,
        _ => {
            return Ok(Looked::Over(format!(
                "#{} moved on while it was fetched",
                pull.number
            )));
        }
    };
    let change = Change {
        head: Revision::Commit(fetched.head.to_string()),
        base: Some(fetched.base.to_string()),
        approvals: Some(forge.approvals(&pull).await?),
    };
    let assessed = assess(yard, change, how).await?;
    Ok(Looked::Reviewed(Box::new(Reviewed { pull, assessed })))
}

/// Sets the statuses, and writes `text` as our comment, or into the one that is there. A pull
/// request that has moved on since it was looked at is told nothing: whether it was told.
///
/// # Errors
/// [`ForgeError`].
pub async fn tell(
    forge: &dyn Forge,
    reviewed: &Reviewed,
    marker: &Marker,
    text: &str,
    statuses: &[Status],
) -> Result<bool, ForgeError> {
    let pull = &reviewed.pull;
    let now = forge.pull_request(pull.number).await?;
    if now.head != pull.head || now.state != State::Open {
        return Ok(false);
    }
    for status in statuses {
        forge.set_status(&pull.head, status).await?;
    }
    forge.comment(pull.number, marker, text).await?;
    Ok(true)
}

/// As much of a commit as tells it from others.
fn short(commit: &str) -> String {
    printable(&commit.chars().take(12).collect::<String>())
}
