//! The yard's main branch as git has it, and what became of it.
//!
//! Main is followed from commit to commit. What was followed last is kept beside the state, and
//! main has to descend from it: a main that was rewritten, or whose branch is gone, is told, and
//! everything stays as it is until main has that commit again or a person says that the new one is
//! meant ([`Words::rewritten`]).
//!
//! ```text
//! <folder>/main   the commit that was followed last, 40 hexadecimal digits
//! ```

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::edges::{Main, Said};
use super::foreseen::{Foreseen, Judgements};
use crate::ops::resolve::{Resolution, resolve};
use crate::platform::atomic::{self, Readers};
use crate::record::kind::{GoldenTest, ModelVersion, ScaleMetric};
use crate::record::{Digest, Failure, Name, with_causes};
use crate::rollout::{Content, Desired, Release};
use crate::yard::{Catalog, CommitId, Revision, Snapshot, Yard, YardError, blocking};

/// How long a remote may say nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest file that can hold a commit's id.
const MAX_HEAD_BYTES: u64 = 128;

/// What a person said of what is out of the ordinary.
#[derive(Debug, Clone, Copy, Default)]
pub struct Words {
    /// An environment with no deployments is meant.
    pub empty: bool,
    /// A main that does not descend from what was followed is meant.
    pub rewritten: bool,
    /// The plan of this hash is meant, though another one was shown.
    pub plan: Option<Digest>,
}

/// The main branch, of one environment.
pub struct Branch {
    yard: Yard,
    environment: Name,
    followed: PathBuf,
    words: Words,
    /// Who holds it to what was shown, if anybody does.
    foreseen: Option<Foreseen>,
    known: Mutex<Known>,
    /// A look that the remote keeps from its end.
    going: tokio::sync::Mutex<Option<JoinHandle<Known>>>,
}

#[derive(Default, Clone)]
struct Known {
    behind: Option<String>,
    commit: Option<CommitId>,
    resolution: Option<Arc<Resolution>>,
    desired: Option<Arc<Desired>>,
    judgements: Judgements,
}

impl Branch {
    /// The main branch of `yard`; what was followed is kept in `folder`. Nothing is known of it
    /// before the first [`look`](Self::look).
    pub fn new(yard: Yard, environment: Name, folder: &Path, words: Words) -> Self {
        Self {
            yard,
            environment,
            followed: folder.join("main"),
            words,
            foreseen: None,
            known: Mutex::default(),
            going: tokio::sync::Mutex::default(),
        }
    }

    /// The same, held to what reviewers were shown.
    #[must_use]
    pub fn held_to(self, foreseen: Foreseen) -> Self {
        Self {
            foreseen: Some(foreseen),
            ..self
        }
    }

    /// Takes in a person's word that the plan of this hash is meant, though another one was shown.
    pub async fn accept(&self, plan: Digest) {
        if let Some(foreseen) = &self.foreseen {
            foreseen.accept(plan).await;
        }
    }

    /// Fetches main and reads it, if it is another one than before. That may take as long as the
    /// remote takes; what was known is known until then. A remote that goes on saying nothing is
    /// told as one that is away, and waited for by the next look.
    pub async fn look(&self) {
        let mut going = self.going.lock().await;
        let mut looking = going.take().unwrap_or_else(|| {
            let (yard, environment) = (self.yard.clone(), self.environment.clone());
            let (followed, words) = (self.followed.clone(), self.words);
            let before = self.known().clone();
            tokio::task::spawn_blocking(move || look(&yard, &environment, &followed, words, before))
        });
        match timeout(PATIENCE, &mut looking).await {
            Ok(Ok(looked)) => {
                let looked = self.foresee(looked).await;
                *self.known() = looked;
            }
            Ok(Err(panicked)) => std::panic::resume_unwind(panicked.into_panic()),
            Err(_) => {
                let why = format!("the remote has said nothing for {} s", PATIENCE.as_secs());
                self.known().behind = Some(why);
                *going = Some(looking);
            }
        }
    }

    /// `looked`, with what is not as it was shown as it was before. What can't be judged is not
    /// followed yet.
    async fn foresee(&self, mut looked: Known) -> Known {
        let (Some(foreseen), Some(commit)) = (&self.foreseen, looked.commit) else {
            return looked;
        };
        let Some(resolution) = &looked.resolution else {
            return looked;
        };
        // A main that isn't followed brings nothing.
        if looked
            .desired
            .as_ref()
            .is_none_or(|desired| !Arc::ptr_eq(desired, &resolution.desired))
        {
            return looked;
        }
        match foreseen.judge(commit, &resolution.desired).await {
            Ok((desired, judgements)) => {
                looked.desired = Some(desired);
                looked.judgements = judgements;
                looked
            }
            Err(error) => {
                let why = with_causes(&*error);
                let before = self.known().clone();
                let unknown = || Arc::new(Desired::Unknown { why: why.clone() });
                Known {
                    desired: Some(before.desired.clone().unwrap_or_else(unknown)),
                    behind: Some(why.clone()),
                    ..before
                }
            }
        }
    }

    /// The record of a version that shall run or ran, by main's last commit.
    ///
    /// # Errors
    /// If it can't be read.
    pub async fn version(&self, release: &Release) -> Result<Option<Arc<ModelVersion>>, Failure> {
        let known = self.known().clone();
        let resolution = known.resolution;
        if let Some(found) = resolution.and_then(|all| all.records.versions.get(release).cloned()) {
            return Ok(Some(found));
        }
        let (yard, release) = (self.yard.clone(), release.clone());
        let commit = known.commit;
        blocking(move || {
            let snapshot = snapshot(&yard, commit)?;
            let found = Catalog::new(snapshot).version(&release.model, &release.version)?;
            let same = found.filter(|found| found.spec.artifact.digest == release.digest);
            Ok::<_, Failure>(same.map(Arc::new))
        })
        .await
    }

    /// What a deployment's record says that it scales by.
    pub fn metric(&self, deployment: &Name) -> Option<ScaleMetric> {
        let known = self.known();
        let resolution = known.resolution.as_ref()?;
        resolution.records.metrics.get(deployment).cloned()
    }

    /// The yard as it was followed last; as main is here where nothing was followed yet.
    ///
    /// # Errors
    /// If it can't be read.
    pub async fn snapshot(&self) -> Result<Snapshot, Failure> {
        let (yard, commit) = (self.yard.clone(), self.known().commit);
        blocking(move || snapshot(&yard, commit)).await
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Main for Branch {
    async fn read(&self) -> Said {
        let known = self.known();
        let nothing = || {
            Arc::new(Desired::Unknown {
                why: "main was not read yet".to_owned(),
            })
        };
        Said {
            desired: known.desired.clone().unwrap_or_else(nothing),
            commit: known.commit.map(|commit| commit.to_string()),
            behind: known.behind.clone(),
            judgements: Arc::clone(&known.judgements),
        }
    }

    async fn tests(&self, content: &Content) -> Result<Vec<GoldenTest>, Failure> {
        let Content::Model(release) = content else {
            return Ok(Vec::new());
        };
        let version = self.version(release).await?;
        Ok(version
            .map(|version| version.spec.tests.clone())
            .unwrap_or_default())
    }
}

fn snapshot(yard: &Yard, commit: Option<CommitId>) -> Result<Snapshot, Failure> {
    Ok(match commit {
        Some(commit) => yard.snapshot_at(commit)?,
        None => yard.snapshot(&Revision::Main)?,
    })
}

/// Fetches, and reads main if it is another one than before.
fn look(yard: &Yard, environment: &Name, followed: &Path, words: Words, before: Known) -> Known {
    let behind = yard.fetch().err().map(|error| error.to_string());
    let unknown = |why: String, behind| Known {
        desired: Some(Arc::new(Desired::Unknown { why })),
        resolution: before.resolution.clone(),
        commit: before.commit,
        judgements: Arc::clone(&before.judgements),
        behind,
    };
    let main = match yard.commit_id(&Revision::Main) {
        Ok(Some(main)) => main,
        Ok(None) => return unknown("main is no commit".to_owned(), behind),
        Err(error) => return unknown(error.to_string(), behind),
    };
    match rewritten(yard, followed, main) {
        Ok(Some(why)) if !words.rewritten => return unknown(why, behind),
        Ok(_) => {}
        Err(failure) => return unknown(failure.to_string(), behind),
    }
    if before.commit == Some(main)
        && let Some(resolution) = &before.resolution
    {
        return Known {
            behind,
            desired: Some(Arc::clone(&resolution.desired)),
            ..before
        };
    }
    let resolution = match yard.snapshot_at(main) {
        Ok(snapshot) => resolve(&Catalog::new(snapshot), environment, words.empty),
        Err(error) => return unknown(error.to_string(), behind),
    };
    // Kept before it is acted on: who was killed in between follows it once more.
    let kept = atomic::write(followed, main.to_string().as_bytes(), Readers::Umask);
    let behind = behind.or(kept.err().map(|error| error.to_string()));
    Known {
        behind,
        commit: Some(main),
        desired: Some(Arc::clone(&resolution.desired)),
        resolution: Some(Arc::new(resolution)),
        judgements: before.judgements,
    }
}

/// Why `main` is not what was followed and more, if so.
fn rewritten(yard: &Yard, followed: &Path, main: CommitId) -> Result<Option<String>, Failure> {
    let Some(last) = atomic::read_if_there(followed, MAX_HEAD_BYTES)? else {
        return Ok(None);
    };
    let last = String::from_utf8_lossy(&last).trim().to_owned();
    if last == main.to_string() {
        return Ok(None);
    }
    let (old, new) = (
        Revision::Commit(last.clone()),
        Revision::Commit(main.to_string()),
    );
    let why = format!(
        "main was rewritten: it is {main} now, which does not come from {last}, the commit that \
         was followed last; push that one again, or say that the new one is meant by \
         `--accept-rewritten`"
    );
    match yard.merge_base(&old, &new) {
        Ok(Some(base)) if base.to_string() == last => Ok(None),
        Ok(_) | Err(YardError::UnknownRevision { .. }) => Ok(Some(why)),
        Err(error) => Err(error.into()),
    }
}
