//! The bytes of versions, by their manifests and signatures: no file is fetched.
//!
//! A store that can't be asked makes nothing fail: what is not known is said to be.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::fate::Fate;
use crate::artifact::pack::{self, LayerFile};
use crate::artifact::{self, Manifest, ManifestKey, StoreOptions};
use crate::record::{Digest, Failure, Fault, with_causes};
use crate::trust::{self, Policy, Standing};
use crate::yard::{Resolved, Yard};

/// How many artifacts are looked at at once.
const AT_ONCE: usize = 8;

/// The most files that are told of one version.
const MOST_FILES: usize = 500;

/// The evidence that there is for a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The only identity of its bytes.
    pub digest: Digest,
    /// Whether the store has them.
    pub bytes: Bytes,
    /// Who signed them.
    pub signatures: Signatures,
    /// How many golden tests it has.
    pub tests: usize,
}

/// Whether a store has an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Bytes {
    /// It has.
    There,
    /// It has not.
    Missing,
    /// Nobody knows.
    Unknown {
        /// Why.
        why: String,
    },
}

/// What the trust policy of the base says of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Signatures {
    /// Those signed it whom it asks for.
    Trusted {
        /// The keys.
        by: Vec<String>,
    },
    /// It asks for more than there is.
    Refused {
        /// What is missing.
        why: Vec<String>,
    },
    /// It asks for nobody.
    NotAsked,
    /// Nobody knows.
    Unknown,
}

/// A version's files against those of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "is")]
pub enum Files {
    /// These.
    Known {
        /// By path.
        files: Vec<FilePlan>,
        /// How many more there are.
        more: usize,
        /// How many bytes are new to the store.
        new_bytes: u64,
        /// How many bytes are there already.
        reused_bytes: u64,
    },
    /// Nobody knows.
    Unknown {
        /// Why.
        why: String,
    },
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FilePlan {
    /// Its path in the artifact.
    pub path: String,
    /// What becomes of it; nothing where the same bytes are there already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<Fate>,
    /// How large it is; what it was, where it is removed.
    pub size: u64,
}

/// What was found out about one artifact.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) bytes: Bytes,
    pub(super) signatures: Signatures,
    files: Vec<LayerFile>,
}

/// Where artifacts are looked for, and who has to have signed them.
pub(super) struct Look<'a> {
    pub(super) yard: &'a Yard,
    /// Nothing where stores are not to be asked.
    pub(super) options: Option<&'a StoreOptions>,
    pub(super) policy: Option<&'a Policy>,
    pub(super) now: Timestamp,
}

impl Look<'_> {
    /// What stores have of `versions`; each once.
    pub(super) async fn all(&self, versions: Vec<Resolved>) -> BTreeMap<Digest, Found> {
        let mut wanted: BTreeMap<Digest, Resolved> = BTreeMap::new();
        for version in versions {
            let digest = version.record.spec.artifact.digest;
            wanted.entry(digest).or_insert(version);
        }
        let looks = stream::iter(wanted).map(|(digest, version)| async move {
            let found = match self.options {
                None => Found::unknown("stores were not asked".to_owned()),
                Some(options) => match self.one(&version, options).await {
                    Ok(found) => found,
                    Err(fault) => Found::unknown(with_causes(fault.as_ref() as &dyn Fault)),
                },
            };
            (digest, found)
        });
        looks.buffer_unordered(AT_ONCE).collect().await
    }

    async fn one(&self, version: &Resolved, options: &StoreOptions) -> Result<Found, Failure> {
        let wanted = &version.record.spec.artifact;
        let store = artifact::open(&self.yard.store(&wanted.repository)?, options)?;
        let key = ManifestKey::Digest(wanted.digest);
        let Some((descriptor, bytes)) = store.manifest(&key).await? else {
            return Ok(Found {
                bytes: Bytes::Missing,
                signatures: Signatures::Unknown,
                files: Vec::new(),
            });
        };
        let files = pack::files(&Manifest::parse(&bytes)?)?;
        let signatures = match self.policy {
            None => Signatures::Unknown,
            Some(policy) => {
                let context = trust::Context::of(&version.record, self.now);
                let verdict = trust::verify(store.as_ref(), &descriptor.digest, policy, &context);
                Signatures::of(&verdict.await?)
            }
        };
        Ok(Found {
            bytes: Bytes::There,
            signatures,
            files,
        })
    }
}

impl Signatures {
    fn of(verdict: &trust::Verdict) -> Self {
        match verdict.standing() {
            Standing::Trusted => {
                let signers = verdict.rules.iter().flat_map(|rule| &rule.signers);
                let mut by: Vec<String> = signers.map(|signer| signer.key.clone()).collect();
                by.sort();
                by.dedup();
                Self::Trusted { by }
            }
            Standing::Refused => Self::Refused {
                why: verdict
                    .unmet()
                    .map(|(_, unmet)| unmet.to_string())
                    .collect(),
            },
            Standing::Unvouched => Self::NotAsked,
        }
    }
}

impl Found {
    fn unknown(why: String) -> Self {
        Self {
            bytes: Bytes::Unknown { why },
            signatures: Signatures::Unknown,
            files: Vec::new(),
        }
    }

    fn why_unknown(&self) -> Option<String> {
        match &self.bytes {
            Bytes::There => None,
            Bytes::Missing => Some("the store does not have them".to_owned()),
            Bytes::Unknown { why } => Some(why.clone()),
        }
    }
}

/// The files of a version against those of `old`, where there is one to be held against.
pub(super) fn files(new: &Found, old: Option<&Found>) -> Files {
    let unknown = new.why_unknown().or_else(|| old?.why_unknown());
    if let Some(why) = unknown {
        return Files::Unknown { why };
    }
    let of = |found: &'_ Found| -> Vec<(String, Digest, u64)> {
        let files = found.files.iter();
        let one = |file: &LayerFile| {
            let path = file.path.as_str().to_owned();
            (path, file.descriptor.digest, file.descriptor.size)
        };
        files.map(one).collect()
    };
    against(&of(new), &old.map(of).unwrap_or_default())
}

fn against(new: &[(String, Digest, u64)], old: &[(String, Digest, u64)]) -> Files {
    let (mut new_bytes, mut reused_bytes) = (0_u64, 0_u64);
    let mut files = Vec::new();
    for (path, digest, size) in new {
        let is = if old.iter().any(|(_, known, _)| known == digest) {
            reused_bytes = reused_bytes.saturating_add(*size);
            None
        } else {
            new_bytes = new_bytes.saturating_add(*size);
            let was_there = old.iter().any(|(known, ..)| known == path);
            Some(if was_there {
                Fate::Changed
            } else {
                Fate::Added
            })
        };
        let (path, size) = (path.clone(), *size);
        files.push(FilePlan { path, is, size });
    }
    let gone = old
        .iter()
        .filter(|(path, ..)| !new.iter().any(|(known, ..)| known == path));
    files.extend(gone.map(|(path, _, size)| FilePlan {
        path: path.clone(),
        is: Some(Fate::Removed),
        size: *size,
    }));
    files.sort_by(|one, other| one.path.cmp(&other.path));
    let more = files.len().saturating_sub(MOST_FILES);
    files.truncate(MOST_FILES);
    Files::Known {
        files,
        more,
        new_bytes,
        reused_bytes,
    }
}

#[cfg(test)]
mod tests {
    //! Which bytes are new.

    use super::*;
    use crate::artifact::descriptor::digest_of;

    #[test]
    fn the_same_bytes_are_reused_wherever_they_lie() {
        let file = |path: &str, text: &str| {
            let size = u64::try_from(text.len()).unwrap();
            (path.to_owned(), digest_of(text.as_bytes()), size)
        };
        let old = [file("a", "aa"), file("b", "bbb"), file("c", "c")];
        let new = [
            file("a", "aa"),
            file("b", "b"),
            file("d", "c"),
            file("e", "eeeee"),
        ];
        let Files::Known {
            files,
            more: 0,
            new_bytes: 6,
            reused_bytes: 3,
        } = against(&new, &old)
        else {
            panic!("{:?}", against(&new, &old));
        };
        let told: Vec<_> = files
            .iter()
            .map(|file| (file.path.as_str(), file.is))
            .collect();
        assert_eq!(
            told,
            [
                ("a", None),
                ("b", Some(Fate::Changed)),
                ("c", Some(Fate::Removed)),
                ("d", None),
                ("e", Some(Fate::Added)),
            ]
        );
    }
}
