//! Which tags of a repository are versions.
//!
//! A tag that reads as Semantic Versioning (`1.4.0`, `v2`) is a version. One that means the same
//! digest as a version (`champion`, `latest`) is an alias of it; of `1`, `1.4` and `1.4.0` with one
//! digest the longest is the version. A repository without such a tag has one version: what
//! `latest` means, and what it means later is the next one. Whoever asks for a tag or a digest gets that alone. Signatures and the like,
//! whose tags are made of digests, are nobody's versions.

use std::collections::HashMap;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::artifact::{ManifestKey, Store};
use crate::import::mapping::Mapping;
use crate::import::{ImportError, LeftOut, Listed, MAX_VERSIONS};
use crate::record::{Digest, Tag, Version};

/// How many tags are asked for at once.
const AT_ONCE: usize = 8;

/// What an artifact is the first version of whose tag is none.
const FIRST: &str = "1.0.0";

/// The tag that is meant where none is a version.
const LATEST: &str = "latest";

/// The one that is asked for by `key`.
pub(super) fn asked(name: &str, stem: &str, key: &ManifestKey, digest: Digest) -> Listed {
    match key {
        ManifestKey::Tag(tag) => listed(name, stem, tag, digest),
        ManifestKey::Digest(digest) => {
            let mut listed = Listed::new(name, &digest.to_string(), format!("{stem}@{digest}"));
            listed.revision = Some(digest.to_string());
            listed.version = FIRST.parse().ok();
            listed
        }
    }
}

fn listed(name: &str, stem: &str, tag: &Tag, digest: Digest) -> Listed {
    let is_version = version(tag).is_some();
    // What a tag such as `latest` means is known by its digest: another is another version.
    let reference = match is_version {
        true => format!("{stem}:{tag}"),
        false => format!("{stem}@{digest}"),
    };
    let mut listed = Listed::new(name, tag.as_str(), reference);
    listed.revision = Some(digest.to_string());
    listed.moves = !is_version;
    if !is_version {
        listed.version = FIRST.parse().ok();
    }
    listed
}

/// The versions of `store`, from the oldest to the newest, and what is none.
///
/// # Errors
/// If the store doesn't tell, or there are too many.
pub(super) async fn all(
    store: &dyn Store,
    name: &str,
    stem: &str,
) -> Result<(Vec<Listed>, Vec<LeftOut>), ImportError> {
    let mut tags = store.tags().await?;
    tags.retain(|tag| !is_of_a_digest(tag.as_str()));
    if tags.len() > MAX_VERSIONS {
        return Err(ImportError::TooLarge {
            place: store.repository().to_string(),
            limit: MAX_VERSIONS as u64,
            unit: "tags",
        });
    }
    let found: Vec<(Tag, Option<Digest>)> = stream::iter(tags)
        .map(|tag| async move {
            let found = store.resolve(&ManifestKey::Tag(tag.clone())).await?;
            Ok::<_, ImportError>((tag, found.map(|found| found.digest)))
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    // A tag that went away since is none.
    let found = found
        .into_iter()
        .filter_map(|(tag, digest)| Some((tag, digest?)));
    Ok(settle(name, stem, found.collect()))
}

fn settle(name: &str, stem: &str, tags: Vec<(Tag, Digest)>) -> (Vec<Listed>, Vec<LeftOut>) {
    let (numbered, named): (Vec<_>, Vec<_>) = tags
        .into_iter()
        .partition(|(tag, _)| version(tag).is_some());
    let mut numbered: Vec<_> = numbered
        .into_iter()
        .filter_map(|(tag, digest)| Some((version(&tag)?, tag, digest)))
        .collect();
    // Whole versions come first, so that those that are filled up are held against them.
    numbered.sort_by_key(|(_, tag, _)| (tag.as_str().parse::<Version>().is_err(), tag.clone()));
    let mut versions: Vec<(Version, Listed)> = Vec::new();
    let mut by_digest: HashMap<Digest, usize> = HashMap::new();
    for (version, tag, digest) in numbered {
        let is_whole = tag.as_str().parse::<Version>().is_ok();
        if !is_whole && by_digest.contains_key(&digest) {
            continue;
        }
        by_digest.entry(digest).or_insert(versions.len());
        versions.push((version, listed(name, stem, &tag, digest)));
    }
    let mut left_out = Vec::new();
    let none = versions.is_empty();
    for (tag, digest) in named {
        let of = by_digest.get(&digest).map(|&index| &mut versions[index].1);
        match of {
            Some(of) if Mapping::default().alias(tag.as_str()).is_ok() => {
                of.aliases.push(tag.to_string());
            }
            // It says the same as a version of the list.
            Some(_) => {}
            None if none && tag.as_str() == LATEST => {
                let version = FIRST.parse().expect("it is a version");
                versions.push((version, listed(name, stem, &tag, digest)));
            }
            None => left_out.push(LeftOut {
                what: format!("{stem}:{tag}"),
                why: "it doesn't read as a version; asked for by this tag it is brought".to_owned(),
            }),
        }
    }
    versions.sort_by(|(one, _), (other, _)| one.cmp(other));
    let versions = versions.into_iter().map(|(_, listed)| listed);
    (versions.collect(), left_out)
}

/// Says how a version came to its number whose tag is none.
pub(super) fn remark(listed: &Listed, remarks: &mut Vec<String>) {
    if let Some(version) = &listed.version {
        let then = match listed.moves {
            true => " at first and the next minor version after that,",
            false => "",
        };
        remarks.push(format!(
            "its tag is no version: `{}` is {version}{then} unless --map or --as says another",
            listed.label
        ));
    }
}

/// The version that a tag reads as.
fn version(tag: &Tag) -> Option<Version> {
    let mapped = Mapping::default().version(tag.as_str(), None);
    mapped.ok().map(|mapped| mapped.to)
}

/// `sha256-…`, `sha256-….sig`: what is kept beside an artifact.
fn is_of_a_digest(tag: &str) -> bool {
    tag.strip_prefix("sha256-").is_some_and(|rest| {
        rest.len() >= 64 && rest.as_bytes()[..64].iter().all(u8::is_ascii_hexdigit)
    })
}

#[cfg(test)]
mod tests {
    //! Tags, versions and aliases.

    use super::*;
    use crate::artifact::digest_of;

    fn told(tags: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let tags = tags
            .iter()
            .map(|(tag, bytes)| (tag.parse().unwrap(), digest_of(bytes.as_bytes())));
        let (versions, left_out) = settle("fraud", "r.test/fraud", tags.collect());
        let told = versions.iter().map(|listed| {
            let version = listed.version.as_ref().map(ToString::to_string);
            format!(
                "{} {} {}",
                listed.reference,
                listed.aliases.join("+"),
                version.unwrap_or_default()
            )
        });
        let left_out = left_out.into_iter().map(|left| left.what).collect();
        (told.collect(), left_out)
    }

    #[test]
    fn tags_are_versions_aliases_or_neither() {
        let (versions, left_out) = told(&[
            ("1", "b"),
            ("1.10", "b"),
            ("1.10.0", "b"),
            ("1.9.0", "a"),
            ("2", "c"),
            ("champion", "a"),
            ("latest", "c"),
            ("nightly", "d"),
        ]);
        assert_eq!(
            versions,
            [
                "r.test/fraud:1.9.0 champion ",
                "r.test/fraud:1.10.0  ",
                "r.test/fraud:2 latest ",
            ]
        );
        assert_eq!(left_out, ["r.test/fraud:nightly"]);
    }

    #[test]
    fn without_a_version_the_latest_is_the_first() {
        let (versions, left_out) = told(&[("latest", "a"), ("nightly", "b")]);
        let digest = digest_of(b"a");
        assert_eq!(versions, [format!("r.test/fraud@{digest}  1.0.0")]);
        assert_eq!(left_out, ["r.test/fraud:nightly"]);
        assert!(is_of_a_digest(&format!("sha256-{}.sig", "0".repeat(64))));
        assert!(!is_of_a_digest("sha256-x"));
    }
}
