//! Checking a yard: alone, or as a change of what is merged.
//!
//! The files come from git, the evidence from the stores and signatures; what is wrong with them
//! is for [`crate::check`] to say.

use std::path::PathBuf;

use jiff::Timestamp;

use super::cores::Cores;
use super::{codes, evidence, files, gates};
use crate::artifact::StoreOptions;
use crate::check::gates::{Answers, Gates, Known};
use crate::check::{Reading, Report, Side};
use crate::record::{Code, Failure, Fault};
use crate::yard::{self, CommitId, Revision, Snapshot, Yard, YardError};

/// What is to be checked.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Which state of the yard.
    pub head: Revision,
    /// What it is a change of: where the two parted is what it is compared with.
    pub base: Option<String>,
    /// Whether stores and signatures are asked, too.
    pub evidence: bool,
    /// Who approved the change, as the forge calls them; where that is known.
    pub approvals: Option<Vec<String>>,
    /// This program, which evaluates gates in a process of its own.
    pub program: PathBuf,
}

/// What a check came to, and of what.
#[derive(Debug)]
pub struct Checked {
    /// What is to say.
    pub report: Report,
    /// The commit that was checked; `None` for the work tree.
    pub head: Option<CommitId>,
    /// The commit that it was compared with.
    pub base: Option<CommitId>,
}

/// Why a yard could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Two histories that have nothing in common.
    #[error("{head} of {place} and `{}` have no commit in common", base.escape_debug())]
    NoMergeBase {
        /// The yard.
        place: String,
        /// What was to be checked.
        head: String,
        /// What it was to be compared with.
        base: String,
    },
    /// Evidence was asked for, and some could not be had.
    #[error("of {count} artifacts it could not be found out what they are")]
    NoEvidence {
        /// Of how many.
        count: usize,
    },
}

impl Fault for CheckError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NoMergeBase { .. } => &codes::NO_MERGE_BASE,
            Self::NoEvidence { .. } => &codes::NO_EVIDENCE,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoMergeBase { .. } => "fetch the whole history (`git fetch --unshallow`), or \
                name a base that this comes from"
                .to_owned(),
            Self::NoEvidence { .. } => "see above what the stores said, then check again; \
                without `--evidence` they are not asked"
                .to_owned(),
        })
    }
}

impl Checked {
    /// An error if nothing was found but that evidence could not be had: then whether all is well
    /// is not known.
    ///
    /// # Errors
    /// [`CheckError::NoEvidence`].
    pub fn complete(&self) -> Result<(), CheckError> {
        use crate::check::{Severity, codes::EVIDENCE_MISSING};
        let all = self.report.diagnostics.iter();
        let mut errors = all
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
            .peekable();
        if errors.peek().is_none() {
            return Ok(());
        }
        let missing = errors
            .clone()
            .filter(|diagnostic| diagnostic.code == &EVIDENCE_MISSING);
        match missing.count() {
            count if count == errors.count() => Err(CheckError::NoEvidence { count }),
            _ => Ok(()),
        }
    }
}

/// Checks `yard` as `wish` says; `now` is the time by which keys count.
///
/// # Errors
/// If the yard can't be read as it was asked for. What is wrong with its records, and what stores
/// could not tell, is in the report.
pub async fn check_change(
    yard: &Yard,
    wish: &Wish,
    options: &StoreOptions,
    now: Timestamp,
) -> Result<Checked, Failure> {
    let (head, base) = {
        let (yard, wish) = (yard.clone(), wish.clone());
        yard::blocking(move || snapshots(&yard, &wish)).await?
    };
    let commits = (head.commit(), base.as_ref().and_then(Snapshot::commit));
    let reading = {
        let (head, base) = (head.clone(), base.clone());
        yard::blocking(move || {
            let base = base.as_ref().map(files).transpose()?;
            Ok::<_, YardError>(Reading::new(files(&head)?, base, &Cores))
        })
        .await?
    };
    let evidence = if wish.evidence {
        let (side, trust) = reading.trust();
        let trusted = match (side, base) {
            (Side::Base, Some(base)) => base,
            _ => head,
        };
        let policy = evidence::policy(trust, trusted).await?;
        let wanted = reading.wanted();
        Some(evidence::find(wanted, yard, policy.as_ref(), options, now).await)
    } else {
        None
    };
    let mut answers = Answers::default();
    if reading.has_policies() {
        let authors = {
            let (yard, tip) = (yard.clone(), wish.head.clone());
            let base = commits.1;
            yard::blocking(move || base.map(|base| yard.authors(&tip, base)).transpose()).await?
        };
        let questions = reading.questions(&Known {
            authors: authors.as_deref(),
            approvals: wish.approvals.as_deref(),
            evidence: evidence.as_ref(),
        });
        answers = gates::answers(&questions, &wish.program).await?;
    }
    Ok(Checked {
        report: reading.report(evidence.as_ref(), Gates::Answered(&answers)),
        head: commits.0,
        base: commits.1,
    })
}

/// What is checked, and what it is compared with.
fn snapshots(yard: &Yard, wish: &Wish) -> Result<(Snapshot, Option<Snapshot>), Failure> {
    let head = yard.snapshot(&wish.head)?;
    let Some(base) = &wish.base else {
        return Ok((head, None));
    };
    let parted = yard.merge_base(&wish.head, &Revision::Commit(base.clone()))?;
    let Some(commit) = parted else {
        return Err(CheckError::NoMergeBase {
            place: yard.place(),
            head: match &wish.head {
                Revision::Commit(text) => format!("`{}`", text.escape_debug()),
                other => other.to_string(),
            },
            base: base.clone(),
        }
        .into());
    };
    Ok((head, Some(yard.snapshot_at(commit)?)))
}
