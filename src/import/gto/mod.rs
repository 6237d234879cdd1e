//! GTO: a git repository in which `artifacts.yaml` says what models there are, and tags say which
//! commits are their versions and at which stages these are.
//!
//! ```text
//!  tags ──tag──▶ events ──state──▶ artifact ─┬▶ version (churn@v1.2.0) and its commit
//!                                            └▶ stage   (churn#prod#3), history
//!  artifacts.yaml at that commit ──index──▶ path, type, labels, description
//! ```
//!
//! | in GTO | here |
//! | --- | --- |
//! | `churn@v1.2.0` | version 1.2.0, its files those at `path` of that commit |
//! | `churn#prod` | the stage of that commit's version |
//! | `churn@v1.2.0!`, `churn@deprecated` | the stages `deregistered` and `deprecated` |
//! | the message of the version's tag | `changes` |
//! | `type`, `labels` | properties; tags to select by |
//! | `description` | the model's |
//! | `custom`, all that was done to a version | kept as it was said |
//!
//! What DVC or another store keeps is in no commit; such a version is left out and told.

mod index;
mod state;
mod tag;

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use super::git::{Ref, Repository, Said as GitSaid, Spot, Versions};
use super::{
    Candidate, ImportError, LeftOut, Listed, Listing, ModelListed, Opened, Opening, Place, Source,
    SourceFile,
};
use crate::platform::Progress;
use crate::platform::redact::printable;
use crate::record::kind::{RelativePath, SourceType};
use state::{Artifact, Event, Version};
use tag::{Action, Tag};

/// A repository with GTO's tags.
#[derive(Debug)]
pub(super) struct Gto {
    versions: Versions,
    /// What was listed, by its reference.
    found: Mutex<BTreeMap<String, Found>>,
}

/// A version that was listed.
#[derive(Debug, Clone)]
struct Found {
    spot: Spot,
    said: index::Said,
    history: Value,
}

/// What each commit's `artifacts.yaml` says, by folder and commit.
type Indexes = BTreeMap<(String, String), Result<BTreeMap<String, index::Said>, String>>;

impl Gto {
    /// The repository at `place`. Nothing is asked of it yet.
    ///
    /// # Errors
    /// If no repository can be there, or a part of it is asked for.
    pub(super) fn open(place: &Place, opening: &Opening<'_>) -> Result<Self, ImportError> {
        if place.revision.is_some() || place.path.is_some() {
            return Err(ImportError::Malformed {
                place: place.to_string(),
                reason: "its tags are of the whole repository: choose of them with --select, as \
                         in --select name=churn"
                    .to_owned(),
            });
        }
        Ok(Self {
            versions: Versions::new(Repository::open(place, opening)?),
            found: Mutex::default(),
        })
    }

    /// GTO's tags on commits, each with what it says.
    async fn events(&self, left_out: &mut Vec<LeftOut>) -> Result<Vec<Event>, ImportError> {
        let repository = &self.versions.repository;
        let refs = repository.refs().await?;
        let tags = refs.tags.iter();
        let tags = tags.filter_map(|named| Some((Tag::read(&named.name)?, named)));
        let (tags, light): (Vec<_>, Vec<_>) = tags.partition(|(_, named)| is_annotated(named));
        left_out.extend(light.into_iter().map(|(_, named)| LeftOut {
            what: named.name.clone(),
            why: "it is a lightweight tag, which GTO doesn't heed".to_owned(),
        }));
        let objects: Vec<_> = tags.iter().map(|(_, named)| &*named.object).collect();
        if objects.is_empty() {
            return Ok(Vec::new());
        }
        repository.fetch(&objects).await?;
        let said = repository.read_all(&objects).await?;
        let mut events = Vec::new();
        for (tag, named) in tags {
            let text = said
                .get(&named.object)
                .map(|bytes| String::from_utf8_lossy(bytes));
            let said = text.map(|text| GitSaid::read(&text)).unwrap_or_default();
            let Some(time) = said.time else {
                left_out.push(LeftOut {
                    what: named.name.clone(),
                    why: "it doesn't say when it was made".to_owned(),
                });
                continue;
            };
            events.push(Event {
                tag,
                name: named.name.clone(),
                object: named.object.clone(),
                commit: named.commit.clone(),
                time,
                author: said.author,
                message: said.message,
            });
        }
        Ok(events)
    }

    /// What `artifacts.yaml` says at each version's commit.
    async fn indexes(
        &self,
        artifacts: &BTreeMap<String, Artifact>,
    ) -> Result<Indexes, ImportError> {
        let repository = &self.versions.repository;
        let mut objects: BTreeMap<(String, String), String> = BTreeMap::new();
        for (name, artifact) in artifacts {
            let (folder, _) = Tag::place(name);
            for version in artifact.versions.values() {
                let key = (folder.to_owned(), version.event.commit.clone());
                if objects.contains_key(&key) {
                    continue;
                }
                let path = join(folder, index::FILE);
                if let Some(object) = repository.object(&key.1, &path).await? {
                    objects.insert(key, object);
                }
            }
        }
        let mut all: Vec<&str> = objects.values().map(String::as_str).collect();
        all.sort_unstable();
        all.dedup();
        if all.is_empty() {
            return Ok(Indexes::new());
        }
        let sizes = repository.sizes(&all).await?;
        all.retain(|object| {
            sizes
                .get(*object)
                .is_some_and(|size| *size <= index::MAX_BYTES)
        });
        let texts = repository.read_all(&all).await?;
        let read = |object: &String| match texts.get(object) {
            Some(bytes) => index::read(bytes),
            None => Err(format!("it has more than {} bytes", index::MAX_BYTES)),
        };
        let indexes = objects
            .iter()
            .map(|(key, object)| (key.clone(), read(object)));
        Ok(indexes.collect())
    }

    /// Where a version lies, and what is said of it; why it can't be had.
    async fn find(
        &self,
        name: &str,
        version: &Version,
        indexes: &Indexes,
    ) -> Result<Result<(Spot, index::Said), String>, ImportError> {
        let (folder, short) = Tag::place(name);
        let commit = &version.event.commit;
        let file = join(folder, index::FILE);
        let said = match indexes.get(&(folder.to_owned(), commit.clone())) {
            Some(Ok(index)) => index.get(short).cloned().unwrap_or_default(),
            Some(Err(reason)) => return Ok(Err(format!("{file} can't be read: {reason}"))),
            None => return Ok(Err(format!("its commit has no {file}"))),
        };
        let Some(path) = said.path.as_deref() else {
            return Ok(Err(format!("{file} of its commit doesn't say its path")));
        };
        let path = path
            .strip_prefix("./")
            .unwrap_or(path)
            .trim_end_matches('/');
        let whole = join(folder, path);
        if let Err(error) = whole.parse::<RelativePath>() {
            return Ok(Err(error.to_string()));
        }
        let repository = &self.versions.repository;
        if repository.object(commit, &whole).await?.is_none() {
            let kept = format!("{whole}.dvc");
            return Ok(Err(match repository.object(commit, &kept).await? {
                Some(_) => format!(
                    "{whole} is kept by DVC: check out {}, run `dvc pull`, and import the file as \
                     a folder",
                    version.event.name
                ),
                None => format!("its commit has no {whole}"),
            }));
        }
        let spot = Spot {
            object: version.event.object.clone(),
            commit: commit.clone(),
            path: whole,
        };
        Ok(Ok((spot, said)))
    }

    async fn list_artifact(
        &self,
        name: &str,
        artifact: &Artifact,
        indexes: &Indexes,
        listing: &mut Listing,
    ) -> Result<(), ImportError> {
        let mut versions: Vec<_> = artifact.versions.values().collect();
        versions.sort_by_key(|version| {
            let number: Option<semver::Version> = version.name[1..].parse().ok();
            (number, version.name.clone())
        });
        for (stage, commit) in &artifact.unregistered {
            listing.left_out.push(LeftOut {
                what: format!("{name}#{stage}"),
                why: format!("no version is registered at its commit {commit}"),
            });
        }
        let mut found = self.found.lock().await;
        for version in versions {
            let reference = format!("{name}@{}", version.name);
            let (spot, said) = match self.find(name, version, indexes).await? {
                Ok(spot) => spot,
                Err(why) => {
                    let (what, why) = (reference, printable(&why));
                    listing.left_out.push(LeftOut { what, why });
                    continue;
                }
            };
            let mut listed = Listed::new(name, &version.name, reference.clone());
            listed.version = version.name[1..].parse().ok();
            listed.revision = Some(version.event.commit.clone());
            listed.created_at = Some(version.event.time);
            listed.stage = artifact.stage(version);
            listed.tags = tags(&said);
            let mut model = ModelListed::default();
            if !said.description.is_empty() {
                let description = said.description.clone();
                model
                    .spec
                    .insert("description".to_owned(), json!(description));
            }
            // The newest version's words are the model's.
            listing.models.insert(name.to_owned(), model);
            let history = history(artifact, version);
            listing.versions.push(listed);
            let one = Found {
                spot,
                said,
                history,
            };
            found.insert(reference, one);
        }
        Ok(())
    }
}

/// Words to select by.
fn tags(said: &index::Said) -> BTreeMap<String, String> {
    let labels = said
        .labels
        .iter()
        .map(|label| (label.clone(), "true".to_owned()));
    let kind = said
        .kind
        .iter()
        .map(|kind| ("type".to_owned(), kind.clone()));
    labels.chain(kind).collect()
}

/// What was done to a version, from the first to the last.
fn history(artifact: &Artifact, version: &Version) -> Value {
    let events = artifact
        .history
        .iter()
        .filter(|event| match &event.tag.action {
            Action::Register(name) | Action::Deregister(name) => *name == version.name,
            Action::Assign(_) | Action::Unassign(_) => event.commit == version.event.commit,
            Action::Deprecate | Action::Create => true,
        });
    let told = events.map(|event| {
        json!({
            "tag": event.name,
            "at": event.time,
            "by": event.author,
            "says": event.message,
        })
    });
    told.collect()
}

/// Whether a tag is an object of its own, which says when it was made.
fn is_annotated(named: &Ref) -> bool {
    named.object != named.commit
}

fn join(folder: &str, path: &str) -> String {
    match folder.trim_end_matches('/') {
        "" => path.to_owned(),
        folder => format!("{folder}/{path}"),
    }
}

#[async_trait]
impl Source for Gto {
    fn source_type(&self) -> SourceType {
        SourceType::Gto
    }

    fn place(&self) -> String {
        self.versions.repository.place.clone()
    }

    fn address(&self) -> Option<String> {
        self.versions.repository.address()
    }

    async fn list(&self, _progress: &dyn Progress) -> Result<Listing, ImportError> {
        let mut listing = Listing::default();
        let events = self.events(&mut listing.left_out).await?;
        if events.is_empty() {
            return Err(ImportError::Lacks {
                place: self.place(),
                what: "tag of GTO's, such as churn@v1.2.0".to_owned(),
            });
        }
        let artifacts = state::artifacts(events);
        let indexes = self.indexes(&artifacts).await?;
        for (name, artifact) in &artifacts {
            self.list_artifact(name, artifact, &indexes, &mut listing)
                .await?;
        }
        Ok(listing)
    }

    async fn candidate(&self, listed: &Listed) -> Result<Candidate, ImportError> {
        let found = self.found.lock().await.get(&listed.reference).cloned();
        let Found {
            spot,
            said,
            history,
        } = found.ok_or_else(|| ImportError::Lacks {
            place: self.place(),
            what: listed.reference.clone(),
        })?;
        let mut candidate = self.versions.candidate(&spot).await?;
        let mut properties = Map::new();
        if let Some(kind) = said.kind {
            properties.insert("type".to_owned(), json!(kind));
        }
        if !said.labels.is_empty() {
            properties.insert("labels".to_owned(), json!(said.labels));
        }
        if !properties.is_empty() {
            let properties = Value::Object(properties);
            candidate
                .version
                .insert("properties".to_owned(), properties);
        }
        let unmapped = &mut candidate.unmapped;
        unmapped.insert("gto.history".to_owned(), history);
        if !said.custom.is_null() {
            unmapped.insert("gto.custom".to_owned(), said.custom);
        }
        Ok(candidate)
    }

    async fn open(&self, file: &SourceFile, from: u64) -> Result<Opened, ImportError> {
        self.versions.open(file, from).await
    }
}
