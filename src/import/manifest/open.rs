//! The source that manifests are.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use serde_json::json;
use tokio::sync::OnceCell;

use super::Manifest;
use super::cluster::Cluster;
use super::commit::Commit;
use super::found::{Bytes, Found, Settled};
use super::read::Read;
use crate::import::git::Versions;
use crate::import::storage::Storage;
use crate::import::{
    Candidate, Files, ImportError, Listed, Listing, Opened, Opening, Place, Source, SourceFile,
};
use crate::platform::Progress;
use crate::platform::atomic::FileError;
use crate::record::kind::SourceType;

/// Whose manifests they are.
pub(in crate::import) struct Dialect {
    /// The kind of source.
    pub source_type: SourceType,
    /// Its API groups.
    pub groups: &'static [&'static str],
    /// Its kinds, as errors name them.
    pub kinds: &'static [&'static str],
    /// Its kinds, as kubectl names them.
    pub resources: &'static [&'static str],
    /// Whether folders of MLServer are read, too.
    pub settings: bool,
    /// What its manifests say.
    pub tell: fn(&[Manifest], &mut Found),
}

/// Where manifests are read from.
#[derive(Debug)]
enum Origin {
    /// A file or a folder, and the folder that its addresses stay in.
    Path { path: PathBuf, root: PathBuf },
    /// A commit of a git repository.
    Commit(Box<Commit>),
    /// A cluster.
    Cluster(Cluster),
}

/// Manifests as a source.
pub(in crate::import) struct Manifests {
    dialect: &'static Dialect,
    place: String,
    origin: Origin,
    storage: Storage,
    settled: OnceCell<Settled>,
}

impl Origin {
    fn of(place: &Place, opening: &Opening<'_>) -> Result<Self, ImportError> {
        let cluster = Cluster::parse(&place.at).filter(|_| !place.is_within());
        if let Some(cluster) = cluster {
            let path = (opening.variables)("PATH");
            let path = path.as_ref().map(ExposeSecret::expose_secret);
            return Ok(Self::Cluster(cluster.by(path)));
        }
        if let Some(commit) = Commit::open(place, opening)? {
            return Ok(Self::Commit(Box::new(commit)));
        }
        let path = opening.folder.join(&place.at);
        let path = fs::canonicalize(&path).map_err(FileError::at("read", path))?;
        let root = root_of(&path);
        Ok(Self::Path { path, root })
    }
}

impl Manifests {
    /// The manifests of `dialect` at `place`: a file, a folder, a git repository, or
    /// `context=<name>`.
    ///
    /// # Errors
    /// If there is no such file or folder, or no repository can be there.
    pub(in crate::import) fn open(
        dialect: &'static Dialect,
        place: &Place,
        opening: &Opening<'_>,
    ) -> Result<Self, ImportError> {
        let origin = Origin::of(place, opening)?;
        let (place, root) = match &origin {
            Origin::Path { path, root } => (path.display().to_string(), Ok(root.clone())),
            Origin::Commit(commit) => (
                commit.versions.repository.place.clone(),
                Err("its commit has no such file or folder"),
            ),
            Origin::Cluster(_) => (
                place.at.clone(),
                Err(
                    "it is a path in a container of the cluster; import the manifests of the \
                     folder that has it",
                ),
            ),
        };
        Ok(Self {
            dialect,
            storage: Storage::new(&place, root, opening)?,
            place,
            origin,
            settled: OnceCell::new(),
        })
    }

    async fn settled(&self) -> Result<&Settled, ImportError> {
        self.settled.get_or_try_init(|| self.read()).await
    }

    async fn read(&self) -> Result<Settled, ImportError> {
        let (read, cluster) = match &self.origin {
            Origin::Path { path, root } => (Read::of(path, root, self.dialect)?, None),
            Origin::Commit(commit) => (commit.read(self.dialect).await?, None),
            Origin::Cluster(cluster) => {
                let read = Read {
                    manifests: cluster.read(self.dialect).await?,
                    left_out: Vec::new(),
                };
                (read, Some(cluster.context.clone()))
            }
        };
        let Read {
            manifests,
            left_out,
        } = read;
        let mut found = Found {
            left_out,
            ..Found::default()
        };
        let manifests = named(manifests, &mut found);
        (self.dialect.tell)(&manifests, &mut found);
        for deployment in &mut found.deployments {
            deployment.cluster.clone_from(&cluster);
        }
        if let Origin::Commit(commit) = &self.origin {
            for unit in &mut found.units {
                unit.committed = commit.find(&unit.bytes).await?;
            }
        }
        Ok(found.settle())
    }
}

/// Those that have a name, each name of a kind once.
fn named(manifests: Vec<Manifest>, found: &mut Found) -> Vec<Manifest> {
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    let mut kept = Vec::new();
    for manifest in manifests {
        if manifest.name().is_empty() {
            found.leave_out(&manifest, "it has no name");
            continue;
        }
        match first.get(&manifest.reference()) {
            Some(at) => found.leave_out(&manifest, format!("the same name stands at {at}")),
            None => {
                first.insert(manifest.reference(), manifest.at.clone());
                kept.push(manifest);
            }
        }
    }
    kept
}

/// The folder that addresses stay in: the git work tree around `path`, else its own folder.
fn root_of(path: &Path) -> PathBuf {
    let own = if path.is_dir() {
        Some(path)
    } else {
        path.parent()
    };
    let tree = path.ancestors().find(|folder| folder.join(".git").exists());
    tree.or(own).unwrap_or(path).to_owned()
}

#[async_trait]
impl Source for Manifests {
    fn source_type(&self) -> SourceType {
        self.dialect.source_type
    }

    fn place(&self) -> String {
        self.place.clone()
    }

    fn address(&self) -> Option<String> {
        match &self.origin {
            Origin::Path { .. } => None,
            Origin::Commit(commit) => commit.versions.repository.address(),
            Origin::Cluster(_) => Some(self.place()),
        }
    }

    async fn list(&self, _progress: &dyn Progress) -> Result<Listing, ImportError> {
        Ok(self.settled().await?.listing.clone())
    }

    async fn candidate(&self, listed: &Listed) -> Result<Candidate, ImportError> {
        let units = &self.settled().await?.units;
        let unit = units
            .get(&listed.reference)
            .ok_or_else(|| ImportError::Lacks {
                place: self.place(),
                what: listed.reference.clone(),
            })?;
        let mut candidate = match &self.origin {
            Origin::Commit(commit) => commit.candidate(unit.committed.as_ref()).await?,
            Origin::Path { .. } | Origin::Cluster(_) => Candidate::default(),
        };
        candidate.version.extend(unit.version.clone());
        candidate.unmapped.extend(unit.unmapped.clone());
        candidate.remarks.extend(unit.remarks.clone());
        match &unit.bytes {
            Bytes::At { uri, folder } => {
                let shown = Storage::shown(uri);
                candidate
                    .unmapped
                    .insert("storageUri".to_owned(), json!(shown));
                if unit.committed.is_none() {
                    candidate.files = self.storage.find(uri, folder.as_deref()).await?;
                }
            }
            // One in a commit is none of this machine's.
            Bytes::Folder(folder) => {
                if let Origin::Path { .. } = &self.origin {
                    candidate.files = Files::Here(folder.clone());
                }
            }
            Bytes::Image(image) => {
                return Err(self.without_bytes(
                    listed,
                    &format!(
                        "its model is in the container image {image}; import it by itself, as in \
                     `modelyard import image:{image}`"
                    ),
                ));
            }
            Bytes::Elsewhere(why) => return Err(self.without_bytes(listed, why)),
            Bytes::Unsaid => {
                return Err(self.without_bytes(listed, "it doesn't say where its model is"));
            }
        }
        Ok(candidate)
    }

    async fn open(&self, file: &SourceFile, from: u64) -> Result<Opened, ImportError> {
        match &self.origin {
            Origin::Commit(commit) if Versions::gave(file) => {
                commit.versions.open(file, from).await
            }
            _ => self.storage.open(file, from).await,
        }
    }
}

impl Manifests {
    fn without_bytes(&self, listed: &Listed, why: &str) -> ImportError {
        ImportError::Malformed {
            place: format!("{} of {}", listed.reference, self.place),
            reason: why.to_owned(),
        }
    }
}

impl fmt::Debug for Manifests {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.dialect.source_type, self.place)
    }
}
