//! The bytes of versions on this host: pulled by digest, and verified by main's trust policy.
//!
//! ```text
//! <folder>/<namespace>/<name>/<version>-<digest>/files/          placed whole or not at all
//! <folder>/<namespace>/<name>/<version>-<digest>/verified.json   written last: these may be used
//! ```
//!
//! A pull verifies an artifact's signatures before it fetches a byte, and every byte before it has
//! a place, so what is fetched is verified: there is nothing in between. What was verified stays so
//! when git and the registry are away; the rules that count are those of main at that moment.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::branch::Branch;
use super::codes;
use super::edges::Bytes;
use crate::artifact::StoreOptions;
use crate::artifact::cache::Cache;
use crate::ops::locate::Reference;
use crate::ops::pull::{self, PullError};
use crate::platform::atomic::{self, FileError, Readers};
use crate::platform::clock::Clock;
use crate::platform::progress::Silent;
use crate::platform::redact::printable;
use crate::record::{Code, Digest, Failure, Fault, ModelReference, Selector, with_causes};
use crate::rollout::{Artifact, ArtifactPhase, Content, Release};

/// The largest `verified.json`.
const MAX_MARK_BYTES: u64 = 64 * 1024;

/// Where bytes come from, and where they are kept.
pub struct Ground {
    /// Where they are kept, of one environment.
    pub folder: PathBuf,
    /// What relative places of stores are relative to.
    pub directory: PathBuf,
    /// How stores are opened.
    pub stores: StoreOptions,
    /// Where blobs are kept that pulls share.
    pub cache: Cache,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// The bytes of versions that main's records lead to.
pub struct Pulls {
    branch: Arc<Branch>,
    ground: Arc<Ground>,
    known: Arc<Mutex<BTreeMap<Release, ArtifactPhase>>>,
}

/// `verified.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mark {
    release: Release,
    at: Timestamp,
}

/// The record and the artifact are two.
#[derive(Debug, thiserror::Error)]
#[error("main's record of {release} names the artifact {named} by now")]
struct OtherDigest {
    release: Release,
    named: Digest,
}

impl Fault for OtherDigest {
    fn code(&self) -> &'static Code {
        &codes::ARTIFACT_REPLACED
    }

    fn help(&self) -> Option<String> {
        Some("publish other bytes as another version, and put the record back".to_owned())
    }
}

impl Pulls {
    /// What was verified before, by whomever, and may be used; all else is fetched.
    ///
    /// # Errors
    /// If the folder can't be read.
    pub fn new(branch: Arc<Branch>, ground: Ground) -> Result<Self, FileError> {
        let mut known = BTreeMap::new();
        for place in places(&ground.folder)? {
            // Another program's mark is none.
            if let Some(mark) = atomic::read_if_there(&place.join("verified.json"), MAX_MARK_BYTES)?
                && let Ok(Mark { release, .. }) = serde_json::from_slice(&mark)
                && at(&ground.folder, &release) == place
            {
                known.insert(release, ArtifactPhase::Verified);
            }
        }
        Ok(Self {
            branch,
            ground: Arc::new(ground),
            known: Arc::new(Mutex::new(known)),
        })
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Release, ArtifactPhase>> {
        locked(&self.known)
    }

    /// Begins to bring `release`, unless that goes on.
    fn begin(&self, release: &Release) {
        let before = self
            .known()
            .insert(release.clone(), ArtifactPhase::Fetching);
        if before == Some(ArtifactPhase::Fetching) {
            return;
        }
        let attempts = match before {
            Some(ArtifactPhase::Away { attempts, .. }) => attempts,
            _ => 0,
        };
        let (branch, ground) = (Arc::clone(&self.branch), Arc::clone(&self.ground));
        let (known, release) = (Arc::clone(&self.known), release.clone());
        tokio::spawn(async move {
            let phase = match bring(&branch, &ground, &release).await {
                Ok(()) => ArtifactPhase::Verified,
                Err(failure) => {
                    let why = printable(&with_causes(&*failure));
                    tracing::warn!(%release, why, "not fetched");
                    match is_refusal(&*failure) {
                        true => ArtifactPhase::Refused { why },
                        false => ArtifactPhase::Away {
                            why,
                            attempts: attempts + 1,
                            at: ground.clock.now(),
                        },
                    }
                }
            };
            locked(&known).insert(release, phase);
        });
    }
}

fn locked(
    known: &Mutex<BTreeMap<Release, ArtifactPhase>>,
) -> MutexGuard<'_, BTreeMap<Release, ArtifactPhase>> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Bytes for Pulls {
    async fn observe(&self) -> Result<Vec<Artifact>, Failure> {
        let mut known = self.known();
        known.retain(|release, phase| {
            // What somebody removed is not here, whatever was known.
            *phase != ArtifactPhase::Verified || at(&self.ground.folder, release).exists()
        });
        let told = known.iter().map(|(release, phase)| Artifact {
            content: Content::Model(release.clone()),
            phase: phase.clone(),
        });
        Ok(told.collect())
    }

    async fn fetch(&self, content: &Content) -> Result<(), Failure> {
        if let Content::Model(release) = content {
            self.begin(release);
        }
        Ok(())
    }

    async fn verify(&self, content: &Content) -> Result<(), Failure> {
        self.fetch(content).await
    }

    async fn files(&self, content: &Content) -> Result<Option<PathBuf>, Failure> {
        let Content::Model(release) = content else {
            return Ok(None);
        };
        let is_verified = self.known().get(release) == Some(&ArtifactPhase::Verified);
        let place = at(&self.ground.folder, release);
        Ok((is_verified && place.exists()).then(|| place.join("files")))
    }

    async fn keep(&self, digests: &BTreeSet<Digest>) -> Result<(), Failure> {
        let is_old = |release: &Release, phase: &ArtifactPhase| {
            !digests.contains(&release.digest) && *phase != ArtifactPhase::Fetching
        };
        let mut known = self.known();
        let old: Vec<Release> = known
            .iter()
            .filter(|(release, phase)| is_old(release, phase))
            .map(|(release, _)| release.clone())
            .collect();
        for release in &old {
            let place = at(&self.ground.folder, release);
            // First of all the mark, without which the rest is not used.
            for removed in [
                fs::remove_file(place.join("verified.json")),
                fs::remove_dir_all(&place),
            ] {
                match removed {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(FileError::at("remove", place)(error).into());
                    }
                    _ => {}
                }
            }
            known.remove(release);
        }
        Ok(())
    }
}

/// Pulls a release and marks it as verified.
async fn bring(branch: &Branch, ground: &Ground, release: &Release) -> Result<(), Failure> {
    let place = at(&ground.folder, release);
    atomic::create_folder(&place)?;
    let request = pull::Request {
        reference: Reference::Model(ModelReference {
            model: release.model.clone(),
            selector: Selector::Version(release.version.clone()),
        }),
        yard: Some(branch.snapshot().await?),
        folder: Some(place.join("files")),
        force: true,
        with_dependencies: true,
    };
    let now = ground.clock.now();
    let pulled = pull::pull(
        &request,
        &pull::Ground {
            directory: &ground.directory,
            stores: &ground.stores,
            cache: Some(&ground.cache),
            now,
            progress: &Silent,
        },
    )
    .await?;
    if pulled.artifact.digest != release.digest {
        return Err(OtherDigest {
            release: release.clone(),
            named: pulled.artifact.digest,
        }
        .into());
    }
    let mark = Mark {
        release: release.clone(),
        at: now,
    };
    let mark = serde_json::to_vec(&mark).expect("its keys are texts");
    Ok(atomic::write(
        &place.join("verified.json"),
        &mark,
        Readers::Umask,
    )?)
}

/// The folder of a release. A version has no `/`, and a digest no `-`.
fn at(folder: &Path, release: &Release) -> PathBuf {
    let name = format!("{}-{}", release.version, release.digest.short());
    folder.join(release.model.to_string()).join(name)
}

/// Every folder that could be a release's.
fn places(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut places = vec![folder.to_owned()];
    for _ in ["namespace", "name", "version"] {
        let mut below = Vec::new();
        for place in places {
            let read = || FileError::at("read", &place);
            match fs::read_dir(&place) {
                Ok(entries) => {
                    for entry in entries {
                        below.push(entry.map_err(read())?.path());
                    }
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                    ) => {}
                Err(error) => return Err(read()(error)),
            }
        }
        places = below;
    }
    Ok(places)
}

/// Whether the answer will be the same until somebody changes something.
fn is_refusal(failure: &dyn Fault) -> bool {
    let error: &(dyn std::error::Error + 'static) = failure;
    let is_refused = |error: &PullError| matches!(error, PullError::Refused { .. });
    error.downcast_ref().is_some_and(is_refused) || error.is::<OtherDigest>()
}
