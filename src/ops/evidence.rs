//! Finding out about artifacts: what stores have of them, and who signed them.

use futures_util::StreamExt;
use futures_util::stream;
use jiff::Timestamp;

use crate::artifact::codes::{DIGEST_MISMATCH, SIZE_MISMATCH};
use crate::artifact::pack::{self, LayerFile};
use crate::artifact::{self, Manifest, ManifestKey, Store, StoreOptions};
use crate::check::Evidence;
use crate::check::codes::DIGEST_MISSING;
use crate::check::evidence::{Artifact, Present, Shortfall, Wanted};
use crate::record::kind::Trust;
use crate::record::{Failure, Fault, with_causes};
use crate::trust::{self, Policy};
use crate::yard::{self, Snapshot, YARD_FILE, Yard, YardError};

/// How many artifacts are looked at at once: enough to hide a registry's latency, few enough not
/// to be throttled.
const AT_ONCE: usize = 8;

/// The rules of `trust` with the keys of `trusted`; `None` where the rules could not be read.
///
/// # Errors
/// If git or the disk can't be read.
pub(super) async fn policy(
    trust: Option<Trust>,
    trusted: Snapshot,
) -> Result<Option<Policy>, Failure> {
    let Some(trust) = trust else {
        return Ok(None);
    };
    let gather = move || Policy::gather(&trust, |path| key(&trusted, path));
    Ok(Some(yard::blocking(gather).await?))
}

/// The bytes of a key; a link or what else is no file is no key.
fn key(snapshot: &Snapshot, path: &str) -> Result<Option<bytes::Bytes>, YardError> {
    match snapshot.read(path) {
        Err(YardError::NotAFile { .. } | YardError::FileTooLarge { .. }) => Ok(None),
        read => read,
    }
}

/// Asks stores and signatures about every artifact that a check wants to know of. Without a
/// policy nothing is known of any.
pub(super) async fn find(
    wanted: Vec<Wanted>,
    yard: &Yard,
    policy: Option<&Policy>,
    options: &StoreOptions,
    now: Timestamp,
) -> Evidence {
    let looks = stream::iter(wanted).map(|wanted| async move {
        let artifact = match policy {
            Some(policy) => look_at(&wanted, yard, policy, options, now).await,
            None => Artifact::Unknown {
                reason: "the trust policy can't be read".to_owned(),
                help: Some(format!("correct {YARD_FILE} first")),
            },
        };
        (wanted.path, artifact)
    });
    let found: Vec<_> = looks.buffer_unordered(AT_ONCE).collect().await;
    let mut evidence = Evidence::new();
    for (path, artifact) in found {
        evidence.insert(path, artifact);
    }
    evidence
}

async fn look_at(
    wanted: &Wanted,
    yard: &Yard,
    policy: &Policy,
    options: &StoreOptions,
    now: Timestamp,
) -> Artifact {
    match try_look_at(wanted, yard, policy, options, now).await {
        Ok(artifact) => artifact,
        // What the store has is known, and it is wrong.
        Err(fault) if [&DIGEST_MISMATCH, &SIZE_MISMATCH].contains(&fault.code()) => {
            Artifact::Unusable(shortfall(fault.as_ref()))
        }
        Err(fault) => Artifact::Unknown {
            reason: with_causes(fault.as_ref()),
            help: fault.help(),
        },
    }
}

async fn try_look_at(
    wanted: &Wanted,
    yard: &Yard,
    policy: &Policy,
    options: &StoreOptions,
    now: Timestamp,
) -> Result<Artifact, Failure> {
    let artifact = &wanted.version.spec.artifact;
    let repository = yard.store(&artifact.repository)?;
    let store = artifact::open(&repository, options)?;
    let key = ManifestKey::Digest(artifact.digest);
    let Some((descriptor, bytes)) = store.manifest(&key).await? else {
        return Ok(Artifact::Missing);
    };
    let files = match promised(&bytes) {
        Ok(files) => files,
        Err(shortfall) => return Ok(Artifact::Unusable(*shortfall)),
    };
    let mut shortfalls = absent(store.as_ref(), &files).await?;
    let context = trust::Context::of(&wanted.version, now);
    let verdict = trust::verify(store.as_ref(), &descriptor.digest, policy, &context).await?;
    shortfalls.extend(verdict.unmet().map(|(rule, unmet)| Shortfall {
        rule: Some(rule),
        ..shortfall(unmet)
    }));
    Ok(Artifact::Present(Present {
        size_bytes: files.iter().map(|file| file.descriptor.size).sum(),
        files: files
            .iter()
            .map(|file| file.path.as_str().to_owned())
            .collect(),
        shortfalls,
    }))
}

/// The files that a manifest promises.
fn promised(manifest: &[u8]) -> Result<Vec<LayerFile>, Box<Shortfall>> {
    let manifest = Manifest::parse(manifest).map_err(|error| Box::new(shortfall(&error)))?;
    pack::files(&manifest).map_err(|error| Box::new(shortfall(&error)))
}

/// The files that the store does not have.
async fn absent(store: &dyn Store, files: &[LayerFile]) -> Result<Vec<Shortfall>, Failure> {
    let looks = stream::iter(files).map(|file| async move {
        let there = store.has_blob(&file.descriptor.digest).await?;
        Ok::<_, Failure>((!there).then(|| Shortfall {
            code: &DIGEST_MISSING,
            rule: None,
            message: format!(
                "the store lacks the artifact's file {} ({})",
                file.path.as_str(),
                file.descriptor.digest
            ),
            help: Some("push the artifact again".to_owned()),
        }))
    });
    let found: Vec<_> = looks.buffered(AT_ONCE).collect().await;
    found.into_iter().filter_map(Result::transpose).collect()
}

fn shortfall(fault: &dyn Fault) -> Shortfall {
    Shortfall {
        code: fault.code(),
        rule: None,
        message: with_causes(fault),
        help: fault.help(),
    }
}
