//! Checking a yard: alone, or as a change of what is merged.
//!
//! The files come from git, the evidence from the stores and signatures; what is wrong with them
//! is for [`crate::check`] to say.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::affected::Read;
use super::{codes, evidence, gates};
use crate::artifact::StoreOptions;
use crate::check::gates::{Answers, Gates, Known};
use crate::check::{Reading, Report, Side};
use crate::record::{Code, Failure, Fault};
use crate::yard::{self, CommitId, Revision, Snapshot, Yard};

/// What is to be checked.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Which state of the yard.
    pub head: Revision,
    /// What it is a change of: where the two parted is what it is compared with.
    pub base: Option<String>,
    /// Whether everything is checked, and not only what the change affects.
    pub all: bool,
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

/// Checks `yard` as `wish` says: everything, or with a base what the change affects; `now` is the time by which keys count.
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
    let read = {
        let (head, base, all) = (head.clone(), base.clone(), wish.all);
        yard::blocking(move || match base {
            Some(base) if !all => Read::affected(&head, &base),
            base => Read::all(&head, base.as_ref()),
        })
        .await?
    };
    let read = Arc::new(read);
    let evidence = if wish.evidence {
        let (side, trust) = ask(&read, Reading::trust).await?;
        let trusted = match (side, base) {
            (Side::Base, Some(base)) => base,
            _ => head,
        };
        let policy = evidence::policy(trust, trusted).await?;
        let wanted = ask(&read, Reading::wanted).await?;
        Some(evidence::find(wanted, yard, policy.as_ref(), options, now).await)
    } else {
        None
    };
    let evidence = evidence.map(Arc::new);
    let mut answers = Answers::default();
    if ask(&read, Reading::has_policies).await? {
        let authors = {
            let (yard, tip) = (yard.clone(), wish.head.clone());
            let base = commits.1;
            yard::blocking(move || base.map(|base| yard.authors(&tip, base)).transpose()).await?
        };
        let (approvals, evidence) = (wish.approvals.clone(), evidence.clone());
        let questions = ask(&read, move |reading| {
            reading.questions(&Known {
                authors: authors.as_deref(),
                approvals: approvals.as_deref(),
                evidence: evidence.as_deref(),
            })
        });
        let questions = questions.await?;
        answers = gates::answers(&questions, &wish.program).await?;
    }
    let report = yard::blocking(move || {
        let read = Arc::into_inner(read).expect("everybody who asked has an answer");
        read.into(|reading| reading.report(evidence.as_deref(), Gates::Answered(&answers)))
    });
    Ok(Checked {
        report: report.await?,
        head: commits.0,
        base: commits.1,
    })
}

/// Asks something of what was read, where it may read more.
async fn ask<T: Send + 'static>(
    read: &Arc<Read>,
    question: impl FnOnce(&Reading) -> T + Send + 'static,
) -> Result<T, Failure> {
    let read = read.clone();
    yard::blocking(move || read.ask(question)).await
}

/// What is checked, and what it is compared with.
fn snapshots(yard: &Yard, wish: &Wish) -> Result<(Snapshot, Option<Snapshot>), Failure> {
    let head = yard.snapshot(&wish.head)?;
    let base = wish.base.as_deref();
    let base = base
        .map(|base| parted(yard, &wish.head, base))
        .transpose()?;
    Ok((head, base))
}

/// The yard as it was where `head` left `base`.
///
/// # Errors
/// [`CheckError::NoMergeBase`], or as [`Yard::merge_base`].
pub(super) fn parted(yard: &Yard, head: &Revision, base: &str) -> Result<Snapshot, Failure> {
    let parted = yard.merge_base(head, &Revision::Commit(base.to_owned()))?;
    let Some(commit) = parted else {
        return Err(CheckError::NoMergeBase {
            place: yard.place(),
            head: match head {
                Revision::Commit(text) => format!("`{}`", text.escape_debug()),
                other => other.to_string(),
            },
            base: base.to_owned(),
        }
        .into());
    };
    Ok(yard.snapshot_at(commit)?)
}
