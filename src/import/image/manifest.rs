//! Which image of several platforms is looked into, and everything that it is made of.

use bytes::Bytes;
use serde::Deserialize;

use super::holder::Holder;
use crate::artifact::Manifest;
use crate::artifact::descriptor::{Descriptor, IMAGE_INDEX};
use crate::artifact::limits::MAX_LAYERS;
use crate::import::ImportError;

/// Docker's own form of an index.
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// How deep indexes may lie in each other.
const MAX_DEPTH: usize = 4;

/// The most manifests of an index.
const MAX_MANIFESTS: usize = 256;

/// An index, with what its entries say of platforms.
#[derive(Debug, Deserialize)]
struct Index {
    manifests: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(flatten)]
    descriptor: Descriptor,
    platform: Option<Platform>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Platform {
    os: String,
    architecture: String,
}

/// A manifest or index as it lies there.
pub(super) type Stored = (Descriptor, Bytes);

/// Whether a descriptor is of an index.
pub(super) fn is_index(descriptor: &Descriptor) -> bool {
    [IMAGE_INDEX, DOCKER_LIST].contains(&descriptor.media_type.as_str())
}

/// The image that `top` is, or the one of it for Linux on this machine's kind, or else the first
/// for Linux.
///
/// # Errors
/// If there is none, or it can't be had or read.
pub(super) async fn image(holder: &Holder, top: &Stored) -> Result<Manifest, ImportError> {
    let (mut descriptor, mut bytes) = top.clone();
    for _ in 0..MAX_DEPTH {
        if !is_index(&descriptor) {
            return parse(holder, &bytes);
        }
        let index = index(holder, &bytes)?;
        let chosen = choose(&index).ok_or_else(|| ImportError::Lacks {
            place: holder.place(),
            what: "image for Linux".to_owned(),
        })?;
        (descriptor, bytes) = holder.manifest(chosen.digest).await?;
    }
    Err(malformed(holder, "its indexes lie too deep in each other"))
}

/// Everything that `top` names: indexes and manifests, each behind what it names, and the blobs.
///
/// # Errors
/// If one can't be had or read.
pub(super) async fn all(
    holder: &Holder,
    top: &Stored,
) -> Result<(Vec<Stored>, Vec<Descriptor>), ImportError> {
    let mut manifests = vec![top.clone()];
    let mut blobs: Vec<Descriptor> = Vec::new();
    let mut next = 0;
    while let Some((descriptor, bytes)) = manifests.get(next).cloned() {
        next += 1;
        if manifests.len() > MAX_MANIFESTS {
            return Err(malformed(holder, "it has too many manifests"));
        }
        if is_index(&descriptor) {
            for entry in index(holder, &bytes)?.manifests {
                let found = holder.manifest(entry.descriptor.digest).await?;
                if manifests
                    .iter()
                    .all(|(known, _)| known.digest != found.0.digest)
                {
                    manifests.push(found);
                }
            }
            continue;
        }
        for blob in parse(holder, &bytes)?.blobs() {
            if blobs.iter().all(|known| known.digest != blob.digest) {
                blobs.push(blob.clone());
            }
        }
    }
    manifests.reverse();
    Ok((manifests, blobs))
}

fn index(holder: &Holder, bytes: &[u8]) -> Result<Index, ImportError> {
    let parsed: Result<Index, _> = serde_json::from_slice(bytes);
    parsed.map_err(|error| malformed(holder, &format!("its index can't be read: {error}")))
}

fn choose(index: &Index) -> Option<&Descriptor> {
    let of = |architecture: Option<&str>| {
        let found = index.manifests.iter().find(|entry| match &entry.platform {
            Some(platform) => {
                let fits = architecture.is_none_or(|wanted| wanted == platform.architecture);
                platform.os == "linux" && fits
            }
            // An index of one image need not say what it is for.
            None => architecture.is_none() && index.manifests.len() == 1,
        });
        found.map(|entry| &entry.descriptor)
    };
    of(Some(ours())).or_else(|| of(None))
}

/// What OCI calls the kind of this machine.
fn ours() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// A manifest of an image, in OCI's form or Docker's, which differ in media types alone.
fn parse(holder: &Holder, bytes: &[u8]) -> Result<Manifest, ImportError> {
    let parsed: Result<Manifest, _> = serde_json::from_slice(bytes);
    let manifest = parsed
        .map_err(|error| malformed(holder, &format!("its manifest can't be read: {error}")))?;
    if manifest.layers.len() > MAX_LAYERS {
        return Err(malformed(holder, "it has too many layers"));
    }
    Ok(manifest)
}

fn malformed(holder: &Holder, reason: &str) -> ImportError {
    ImportError::Malformed {
        place: holder.place(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    //! Which platform is chosen.

    use super::*;
    use crate::artifact::digest_of;

    #[test]
    fn linux_of_our_kind_then_any_linux() {
        let entry = |platform: Option<(&str, &str)>| Entry {
            descriptor: Descriptor::of("m", format!("{platform:?}").as_bytes()),
            platform: platform.map(|(os, architecture)| Platform {
                os: os.to_owned(),
                architecture: architecture.to_owned(),
            }),
        };
        let chosen = |platforms: &[Option<(&str, &str)>]| {
            let manifests = platforms.iter().map(|one| entry(*one)).collect();
            choose(&Index { manifests }).map(|descriptor| descriptor.digest)
        };
        let digest =
            |platform: Option<(&str, &str)>| Some(digest_of(format!("{platform:?}").as_bytes()));
        let (windows, other, own) = (
            Some(("windows", ours())),
            Some(("linux", "s390x")),
            Some(("linux", ours())),
        );
        assert_eq!(chosen(&[windows, other, own]), digest(own));
        assert_eq!(chosen(&[windows, other]), digest(other));
        assert_eq!(chosen(&[windows]), None);
        assert_eq!(chosen(&[None]), digest(None));
        assert_eq!(chosen(&[None, None]), None);
    }
}
