//! A change assessed for those who review it: checked, and planned.

use std::path::PathBuf;

use jiff::Timestamp;

use super::check_change::{self, Checked, check_change};
use super::plan_change::{self, Planned, kept, plan_change};
use crate::artifact::StoreOptions;
use crate::forge::{Status, StatusState};
use crate::platform::redact::printable;
use crate::record::{Digest, Failure, with_causes};
use crate::yard::{Revision, Yard};

/// The context of the status that says what a check came to.
pub const CHECK: &str = "modelyard/check";

/// What is to be assessed.
#[derive(Debug, Clone)]
pub struct Change {
    /// The change.
    pub head: Revision,
    /// What it is a change of, if that is known.
    pub base: Option<String>,
    /// Who approved it, as the forge calls them; where that is known.
    pub approvals: Option<Vec<String>>,
}

/// How it is looked at.
#[derive(Debug, Clone)]
pub struct How {
    /// Whether stores and signatures are asked, too.
    pub evidence: bool,
    /// How stores are asked.
    pub stores: StoreOptions,
    /// This program, which evaluates gates in a process of its own.
    pub program: PathBuf,
    /// The time.
    pub now: Timestamp,
}

/// What is to be told of a change.
#[derive(Debug)]
pub struct Assessed {
    /// What its check came to.
    pub checked: Checked,
    /// What its merge would do; why nobody can tell, where that is so.
    pub planned: Result<Planned, String>,
}

/// Checks a change and tells what its merge would do.
///
/// # Errors
/// As [`check_change()`]. What stands against a plan is in what is given back.
pub async fn assess(yard: &Yard, change: Change, how: &How) -> Result<Assessed, Failure> {
    let Change {
        head,
        base,
        approvals,
    } = change;
    let wish = check_change::Wish {
        head: head.clone(),
        base: base.clone(),
        all: false,
        evidence: how.evidence,
        approvals,
        program: how.program.clone(),
    };
    let checked = check_change(yard, &wish, &how.stores, how.now).await?;
    let planned = match base {
        Some(base) => {
            let stores = how.evidence.then(|| how.stores.clone());
            let wish = plan_change::Wish { head, base, stores };
            let planned = plan_change(yard, &wish, how.now).await;
            // What can't be read is the check's to tell.
            planned.map_err(|error| with_causes(&*error))
        }
        None => Err("there is nothing to compare with".to_owned()),
    };
    Ok(Assessed { checked, planned })
}

impl Assessed {
    /// The plan's hash, by which whoever merges knows it again; nothing where nobody can tell it.
    pub fn hash(&self) -> Option<Digest> {
        self.planned.as_ref().ok().map(|planned| planned.hash)
    }

    /// What the check says as a status: with `summary`, and a link to where more is told.
    pub fn check_status(&self, summary: &str, url: Option<String>) -> Status {
        let state = match (self.checked.report.passes(), self.checked.complete()) {
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

    /// What the plan says as a status: its hash.
    pub fn plan_status(&self, url: Option<String>) -> Status {
        let (state, description) = match &self.planned {
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
}
