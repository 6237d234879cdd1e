//! Checking a yard: alone, or as a change of what is merged.
//!
//! The files come from git, the evidence from the stores and signatures; what is wrong with them
//! is for [`crate::check`] to say.

use futures_util::StreamExt;
use futures_util::stream;
use jiff::Timestamp;

use super::cores::Cores;
use super::{codes, files};
use crate::artifact::manifest::ManifestError;
use crate::artifact::pack::{self, UnpackError};
use crate::artifact::{self, Manifest, ManifestKey, StoreOptions};
use crate::check::evidence::{Artifact, Present, Shortfall, Wanted};
use crate::check::{Evidence, Reading, Report, Side};
use crate::record::kind::Trust;
use crate::record::{Code, Failure, Fault};
use crate::trust::{self, Policy};
use crate::yard::{self, CommitId, Revision, Snapshot, YARD_FILE, Yard, YardError};

/// How many artifacts are looked at at once: enough to hide a registry's latency, few enough not
/// to be throttled.
const AT_ONCE: usize = 8;

/// What is to be checked.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Which state of the yard.
    pub head: Revision,
    /// What it is a change of: where the two parted is what it is compared with.
    pub base: Option<String>,
    /// Whether stores and signatures are asked, too.
    pub evidence: bool,
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
        let policy = policy(trust, trusted).await?;
        Some(find_evidence(&reading, yard, policy.as_ref(), options, now).await)
    } else {
        None
    };
    Ok(Checked {
        report: reading.report(evidence.as_ref()),
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

/// The rules with the keys of `trusted`.
async fn policy(trust: Option<Trust>, trusted: Snapshot) -> Result<Option<Policy>, Failure> {
    let Some(trust) = trust else {
        return Ok(None);
    };
    let gather = move || Policy::gather(&trust, |path| key(&trusted, path));
    Ok(Some(yard::blocking(gather).await?))
}

/// Asks stores and signatures about every artifact that the check wants to know of.
async fn find_evidence(
    reading: &Reading,
    yard: &Yard,
    policy: Option<&Policy>,
    options: &StoreOptions,
    now: Timestamp,
) -> Evidence {
    let found = stream::iter(reading.wanted())
        .map(|wanted| look_at(wanted, yard, policy, options, now))
        .buffer_unordered(AT_ONCE);
    let found: Vec<(String, Artifact)> = found.collect().await;
    let mut evidence = Evidence::new();
    for (path, artifact) in found {
        evidence.insert(path, artifact);
    }
    evidence
}

/// The bytes of a key; a link or what else is no file is no key.
fn key(snapshot: &Snapshot, path: &str) -> Result<Option<bytes::Bytes>, YardError> {
    match snapshot.read(path) {
        Err(YardError::NotAFile { .. } | YardError::FileTooLarge { .. }) => Ok(None),
        read => read,
    }
}

async fn look_at(
    wanted: Wanted,
    yard: &Yard,
    policy: Option<&Policy>,
    options: &StoreOptions,
    now: Timestamp,
) -> (String, Artifact) {
    let Some(policy) = policy else {
        let artifact = Artifact::Unknown {
            reason: "the trust policy can't be read".to_owned(),
            help: Some(format!("correct {YARD_FILE} first")),
        };
        return (wanted.path, artifact);
    };
    let artifact = match present(&wanted, yard, policy, options, now).await {
        Ok(Some(present)) => Artifact::Present(present),
        Ok(None) => Artifact::Missing,
        Err(fault) => Artifact::Unknown {
            reason: with_causes(fault.as_ref()),
            help: fault.help(),
        },
    };
    (wanted.path, artifact)
}

/// What the store has of a version; `None` if it says that it has no such digest.
async fn present(
    wanted: &Wanted,
    yard: &Yard,
    policy: &Policy,
    options: &StoreOptions,
    now: Timestamp,
) -> Result<Option<Present>, Failure> {
    let spec = &wanted.version.spec;
    let repository = yard.store(&spec.artifact.repository)?;
    let store = artifact::open(&repository, options)?;
    let key = ManifestKey::Digest(spec.artifact.digest);
    let Some((descriptor, bytes)) = store.manifest(&key).await? else {
        return Ok(None);
    };
    let mut present = match contents(&bytes) {
        Ok(present) => present,
        Err(shortfall) => Present {
            size_bytes: spec.artifact.size.unwrap_or_default(),
            shortfalls: vec![*shortfall],
            ..Present::default()
        },
    };
    let context = trust::Context::of(&wanted.version, now);
    let verdict = trust::verify(store.as_ref(), &descriptor.digest, policy, &context).await?;
    present
        .shortfalls
        .extend(verdict.unmet().map(|(rule, unmet)| Shortfall {
            code: unmet.code(),
            rule: Some(rule),
            message: unmet.to_string(),
            help: unmet.help(),
        }));
    Ok(Some(present))
}

/// The files of an artifact; a shortfall if it is none that could be pulled.
fn contents(manifest: &[u8]) -> Result<Present, Box<Shortfall>> {
    let manifest = Manifest::parse(manifest).map_err(|error: ManifestError| shortfall(&error))?;
    let files = pack::files(&manifest).map_err(|error: UnpackError| shortfall(&error))?;
    Ok(Present {
        size_bytes: files.iter().map(|file| file.descriptor.size).sum(),
        files: files
            .iter()
            .map(|file| file.path.as_str().to_owned())
            .collect(),
        shortfalls: Vec::new(),
    })
}

fn shortfall(fault: &dyn Fault) -> Box<Shortfall> {
    Box::new(Shortfall {
        code: fault.code(),
        rule: None,
        message: with_causes(fault),
        help: fault.help(),
    })
}

/// The fault and what lies beneath it, in one line.
fn with_causes(fault: &dyn Fault) -> String {
    let mut text = fault.to_string();
    let mut next = fault.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
