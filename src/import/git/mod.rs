//! A git repository as a source: folders of it are models, its tags and branches their versions.
//!
//! ```text
//! git:https://gitlab.example.com/ds/models.git#main:models/digits
//!     └─ repository, or a path here            └ ref └ folder, a file, or `models/*` for each folder
//!
//!  refs ──naming──▶ points ──fetch──▶ commit and its folders ──▶ files, entrypoint, lineage
//! ```
//!
//! - Only what is needed is fetched: a commit without its history, its folders without their
//!   bytes where the server can leave them out, then the files of the model. Bytes come as they
//!   are kept: no filter, no hook and no checkout has a hand in it.
//! - Git's own program does it, with the user's own credential helpers, SSH and proxies; what a
//!   token named by the yard is for it sends to that host alone.
//! - A pointer of Git LFS is not the file: what it stands for comes from the repository's store.
//! - What is committed is imported. A work tree's other files are nobody's version.

mod address;
mod lfs;
mod naming;
mod printed;
mod program;
mod refs;
mod repository;
mod tell;
mod version;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::{
    Candidate, ImportError, LeftOut, Listed, Listing, ModelListed, Opened, Opening, Place, Source,
    SourceFile,
};
use crate::platform::Progress;
use crate::record::kind::SourceType;
pub(super) use address::is_elsewhere;
use naming::{FIRST, Point};
pub(super) use printed::{Entry, EntryKind, Said};
pub(super) use refs::Ref;
use refs::Refs;
pub(super) use repository::Repository;
pub(super) use version::{Spot, Versions};

/// What stands for each folder of a folder.
const EACH: &str = "*";

/// A repository whose folders are models.
#[derive(Debug)]
pub(super) struct Git {
    versions: Versions,
    /// Where what was listed is, by its reference.
    spots: Mutex<BTreeMap<String, Spot>>,
}

impl Git {
    /// The repository at `place`. Nothing is asked of it yet.
    ///
    /// # Errors
    /// If no repository can be there.
    pub(super) fn open(place: &Place, opening: &Opening<'_>) -> Result<Self, ImportError> {
        Ok(Self {
            versions: Versions::new(Repository::open(place, opening)?),
            spots: Mutex::default(),
        })
    }

    /// The folders that are models, as they are at `newest`.
    async fn folders(&self, newest: &Point) -> Result<Vec<String>, ImportError> {
        let repository = &self.versions.repository;
        let path = repository.folder().await?;
        let Some(parent) = path.strip_suffix(EACH) else {
            return Ok(vec![path.to_owned()]);
        };
        let parent = parent.trim_end_matches('/');
        repository.fetch(&[&newest.object]).await?;
        let names = repository.folders(&newest.commit, parent).await?;
        let visible = names.into_iter().filter(|name| !name.starts_with('.'));
        let below = |name: String| match parent {
            "" => name,
            parent => format!("{parent}/{name}"),
        };
        Ok(visible.map(below).collect())
    }

    /// The versions of the model in `folder`; `used` gets the tags that they are at.
    async fn list_folder(
        &self,
        refs: &Refs,
        newest: &Point,
        folder: &str,
        used: &mut BTreeSet<String>,
        listing: &mut Listing,
    ) -> Result<(), ImportError> {
        let repository = &self.versions.repository;
        let name = match folder.rsplit('/').next() {
            Some("") | None => repository.name(),
            Some(name) => name.to_owned(),
        };
        let known = if folder.is_empty() { &*name } else { folder };
        let points = match repository.asked {
            Some(_) => Vec::new(),
            None => naming::tagged(refs, &name),
        };
        used.extend(points.iter().map(|point| point.name.clone()));
        // Whether a tag has the folder is seen in its commit.
        let mut objects = vec![&*newest.object];
        if !folder.is_empty() {
            objects.extend(points.iter().map(|point| &*point.object));
        }
        repository.fetch(&objects).await?;
        let mut found: Vec<(Point, Option<String>)> = Vec::new();
        for point in points {
            let has = match folder {
                "" => true,
                folder => repository.object(&point.commit, folder).await?.is_some(),
            };
            match has {
                true => found.push((point, None)),
                false => listing
                    .left_out
                    .push(left(known, &point, "it has no such folder")),
            }
        }
        let content = repository.object(&newest.commit, folder).await?;
        let is_tagged = found.iter().any(|(point, _)| point.commit == newest.commit);
        if repository.asked.is_some() && newest.version.is_some() {
            found.extend(content.map(|_| (newest.clone(), None)));
        } else if found.is_empty() {
            found.extend(content.map(|content| (newest.clone(), Some(content))));
        } else if !is_tagged && content.is_some() {
            let why = "no tag names what it has as a version; asked for by this name it is brought";
            listing.left_out.push(left(known, newest, why));
        }
        let mut spots = self.spots.lock().await;
        for (point, content) in found {
            let listed = listed(&name, known, &point, content);
            let spot = Spot {
                object: point.object,
                commit: point.commit,
                path: folder.to_owned(),
            };
            spots.insert(listed.reference.clone(), spot);
            listing.versions.push(listed);
        }
        listing.models.insert(name, ModelListed::default());
        Ok(())
    }
}

/// Why the model `known` is not brought as it is at `point`.
fn left(known: &str, point: &Point, why: &str) -> LeftOut {
    LeftOut {
        what: format!("{known}@{}", point.name),
        why: why.to_owned(),
    }
}

/// What is listed of a point: one that a tag names is known by the tag, others by their content.
fn listed(name: &str, known: &str, point: &Point, content: Option<String>) -> Listed {
    let mut listed = match &content {
        None => Listed::new(name, &point.name, format!("{known}@{}", point.name)),
        Some(content) => Listed::new(name, &point.name, format!("{known}@tree:{content}")),
    };
    listed.moves = content.is_some();
    listed.revision = Some(content.unwrap_or_else(|| point.commit.clone()));
    listed.version = point.version.clone().or_else(|| FIRST.parse().ok());
    listed
}

#[async_trait]
impl Source for Git {
    fn source_type(&self) -> SourceType {
        SourceType::Git
    }

    fn place(&self) -> String {
        self.versions.repository.place.clone()
    }

    fn address(&self) -> Option<String> {
        self.versions.repository.address()
    }

    async fn list(&self, _progress: &dyn Progress) -> Result<Listing, ImportError> {
        let repository = &self.versions.repository;
        let refs = repository.refs().await?;
        let newest = repository.point(&refs)?;
        let mut listing = Listing::default();
        let mut used = BTreeSet::new();
        for folder in self.folders(&newest).await? {
            self.list_folder(&refs, &newest, &folder, &mut used, &mut listing)
                .await?;
        }
        if repository.asked.is_none() {
            listing.left_out.extend(naming::others(&refs, &used));
        }
        if listing.versions.is_empty() {
            let path = repository.path.as_deref().unwrap_or("folder");
            return Err(repository.lacks(format!("{path} at {}", newest.name)));
        }
        listing
            .versions
            .sort_by(|one, other| one.model.cmp(&other.model));
        Ok(listing)
    }

    async fn candidate(&self, listed: &Listed) -> Result<Candidate, ImportError> {
        let spot = self.spots.lock().await.get(&listed.reference).cloned();
        let lacks = || self.versions.repository.lacks(listed.reference.clone());
        let spot = spot.ok_or_else(lacks)?;
        let mut candidate = self.versions.candidate(&spot).await?;
        if listed.moves {
            candidate.remarks.push(format!(
                "it has no version of its own: `{}`, now at {}, is {FIRST} at first and the next \
                 minor version after that, unless --map or --as says another",
                listed.label, spot.commit
            ));
        }
        Ok(candidate)
    }

    async fn open(&self, file: &SourceFile, from: u64) -> Result<Opened, ImportError> {
        self.versions.open(file, from).await
    }
}
