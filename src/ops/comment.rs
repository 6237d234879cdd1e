//! A pull request told what it would do: checked anew, commented on, and given its statuses.
//!
//! Whoever opens a pull request can write whatever they like into their own pipeline's report. So
//! none is read: the forge says which commit the pull request is at, git fetches that commit as
//! objects, and it is checked here, by the policies and the trust of its base. Nothing of it is
//! run, and nothing but the forge's word tells what is commented on.

use super::check_change::{self, Checked, check_change};
use super::plan_change::{self, Planned, kept, plan_change};
use crate::artifact::StoreOptions;
use crate::forge::{Forge, ForgeError, Marker, PullRequest, State, Status, StatusState};
use crate::platform::redact::printable;
use crate::record::{Failure, with_causes};
use crate::yard::{Revision, Yard, blocking};

/// The context of the status that says what a check came to.
pub const CHECK: &str = "modelyard/check";

/// Which pull request is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// The one of this number; where a commit is named, only while it is at that.
    Number(u64, Option<String>),
    /// The open one that would merge this commit, if one does.
    Commit(String),
}

/// How it is looked at.
#[derive(Debug, Clone)]
pub struct How {
    /// Whether stores and signatures are asked, too.
    pub evidence: bool,
    /// This program, which evaluates gates in a process of its own.
    pub program: std::path::PathBuf,
    /// The time.
    pub now: jiff::Timestamp,
}

/// What is to be told to whom.
#[derive(Debug)]
pub struct Reviewed {
    /// The pull request, as the forge has it.
    pub pull: PullRequest,
    /// What its check came to.
    pub checked: Checked,
    /// What its merge would do; why nobody can tell, where that is so.
    pub planned: Result<Planned, String>,
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
    options: &StoreOptions,
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
    let wish = check_change::Wish {
        head: Revision::Commit(fetched.head.to_string()),
        base: Some(fetched.base.to_string()),
        all: false,
        evidence: how.evidence,
        approvals: Some(forge.approvals(&pull).await?),
        program: how.program.clone(),
    };
    let checked = check_change(yard, &wish, options, how.now).await?;
    let wish = plan_change::Wish {
        head: Revision::Commit(fetched.head.to_string()),
        base: fetched.base.to_string(),
        stores: how.evidence.then(|| options.clone()),
    };
    let planned = plan_change(yard, &wish, how.now).await;
    let reviewed = Reviewed {
        pull,
        checked,
        // What can't be read is the check's to tell.
        planned: planned.map_err(|error| with_causes(&*error)),
    };
    Ok(Looked::Reviewed(Box::new(reviewed)))
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

/// What a plan says as a status: its hash, by which whoever merges knows it again.
pub fn plan_status(planned: &Result<Planned, String>, url: Option<String>) -> Status {
    let (state, description) = match planned {
        Ok(planned) => (StatusState::Success, kept::description(&planned.hash)),
        Err(why) => (StatusState::Error, printable(why)),
    };
    Status {
        context: kept::CONTEXT.to_owned(),
        state,
        description,
        url,
    }
}

/// What a check says as a status: with `summary`, and a link to where more is told.
pub fn status(checked: &Checked, summary: &str, url: Option<String>) -> Status {
    let state = match (checked.report.passes(), checked.complete()) {
        (true, _) => StatusState::Success,
        (false, Ok(())) => StatusState::Failure,
        // Whether it is well could not be found out.
        (false, Err(_)) => StatusState::Error,
    };
    Status {
        context: CHECK.to_owned(),
        state,
        description: summary.to_owned(),
        url,
    }
}

/// As much of a commit as tells it from others.
fn short(commit: &str) -> String {
    printable(&commit.chars().take(12).collect::<String>())
}
