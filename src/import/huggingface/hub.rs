//! A repository of a hub, by the hub's API.
//!
//! | what | call |
//! | --- | --- |
//! | tags | `GET /api/models/{id}/refs` |
//! | a revision's commit, and what the hub knows | `GET /api/models/{id}/revision/{revision}` |
//! | when it was made | `GET /api/models/{id}/commits/{commit}` |
//! | files | `GET /api/models/{id}/tree/{commit}?recursive=true`, page by page |
//! | bytes | `GET /{id}/resolve/{commit}/{path}`, which may send us elsewhere |

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use url::Url;

use super::card::{self, Card, tell};
use super::revision::{self, BRANCH, Named};
use super::spot::RepoId;
use super::{is_hidden, model_of};
use crate::import::client::{Client, Credentials};
use crate::import::{
    Candidate, Files, ImportError, Listed, Listing, MAX_FILES, Opened, Source, SourceFile,
};
use crate::platform::Progress;
use crate::platform::retry::Policy;
use crate::record::Digest;
use crate::record::kind::SourceType;

/// The most entries of a listing, folders among them.
const MAX_ENTRIES: usize = 4 * MAX_FILES;

/// The most pages of a listing; the hub has up to a thousand entries on each.
const MAX_PAGES: usize = 200;

/// What the hub knows of a commit that is no word about the model, or that the card or the files
/// say: counters, names, what the hub made of the files.
const OF_NO_MATTER: [&str; 24] = [
    "_id",
    "id",
    "modelId",
    "sha",
    "siblings",
    "cardData",
    "tags",
    "downloads",
    "downloadsAllTime",
    "likes",
    "spaces",
    "usedStorage",
    "lastModified",
    "model-index",
    "widgetData",
    "trendingScore",
    "inference",
    "inferenceProviderMapping",
    "config",
    "transformersInfo",
    "mask_token",
    "pipeline_tag",
    "library_name",
    "private",
];

/// How a hub is asked.
pub(super) struct Access {
    /// Our token.
    pub(super) token: Option<SecretString>,
    /// The variables that can have one, for errors to name.
    pub(super) variables: &'static [&'static str],
    /// How often something transient is tried again.
    pub(super) retry: Policy,
}

/// A repository of a hub.
pub(super) struct Hub {
    client: Client,
    id: RepoId,
    /// Where people look at it.
    page: String,
    asked: Option<String>,
    /// The folder in it that is meant, with a `/` at its end.
    folder: String,
    variables: &'static [&'static str],
    /// The commit that was read to list what there is, which is mostly the one that is brought.
    head: Mutex<Option<(String, Arc<Commit>)>>,
}

/// All that is known of a commit.
#[derive(Debug, Default)]
struct Commit {
    files: Vec<SourceFile>,
    text: Option<String>,
    card: Card,
    /// What the hub knows of it.
    info: Map<String, Value>,
    remarks: Vec<String>,
}

#[derive(Deserialize)]
struct Refs {
    #[serde(default)]
    tags: Vec<Ref>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ref {
    name: String,
    target_commit: String,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    path: String,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    oid: String,
    size: u64,
}

impl Hub {
    /// The repository `id` of the hub at `endpoint`, at the revision that is `asked` for; of its
    /// files those below `folder`.
    ///
    /// # Errors
    /// If there can be no HTTP client.
    pub(super) fn open(
        endpoint: Url,
        id: RepoId,
        asked: Option<String>,
        folder: Option<String>,
        access: Access,
    ) -> Result<Self, ImportError> {
        let page = format!("{}/{id}", endpoint.as_str().trim_end_matches('/'));
        let Access {
            token,
            variables,
            retry,
        } = access;
        let credentials = token.map_or(Credentials::None, Credentials::Bearer);
        let client = Client::new(&page, endpoint, credentials, variables, retry)?;
        let folder = folder.map(|folder| format!("{}/", folder.trim_matches('/')));
        Ok(Self {
            client,
            id,
            page,
            asked,
            folder: folder.unwrap_or_default(),
            variables,
            head: Mutex::default(),
        })
    }

    /// The path of a call about this repository.
    fn api<'a>(&'a self, words: &[&'a str]) -> Vec<&'a str> {
        let mut path = vec!["api", "models"];
        path.extend(self.id.words());
        path.extend(words);
        path
    }

    /// Its tags; none where the hub is a mirror that has no such call.
    async fn tags(&self) -> Result<Vec<Named>, ImportError> {
        let path = self.api(&["refs"]);
        let refs: Result<Refs, _> = self.client.json(&path, &[], "list its tags").await;
        let refs = match refs {
            Err(ImportError::Refused { .. }) => return Ok(Vec::new()),
            refs => refs?,
        };
        let tags = refs.tags.into_iter().map(|tag| Named {
            name: tag.name,
            commit: tag.target_commit,
        });
        Ok(tags.collect())
    }

    /// What the hub knows of a revision, and the commit that it is.
    async fn info(&self, revision: &str) -> Result<(String, Map<String, Value>), ImportError> {
        let doing = format!("say what {revision} is");
        let path = self.api(&["revision", revision]);
        let info = match self.client.json(&path, &[], &doing).await {
            // Whose headers don't say why hasn't it, or doesn't tell us.
            Err(ImportError::Refused { status: 404, .. }) => {
                return Err(ImportError::Hidden {
                    place: self.page.clone(),
                    variables: self.variables,
                });
            }
            Err(ImportError::Lacks { .. }) => {
                return Err(self.lacks(format!("revision {revision}")));
            }
            info => info?,
        };
        let info: Map<String, Value> = info;
        let commit = info.get("sha").and_then(Value::as_str);
        let is_commit = |commit: &&str| {
            commit.len() >= 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let commit = commit.filter(is_commit).map(str::to_owned);
        let commit = commit.ok_or_else(|| ImportError::Malformed {
            place: self.page.clone(),
            reason: format!("it says no commit for {revision}"),
        })?;
        Ok((commit, info))
    }

    /// Everything about a commit; what the hub knows of it is asked for where it is not handed in.
    async fn commit(
        &self,
        commit: &str,
        info: Option<Map<String, Value>>,
    ) -> Result<Arc<Commit>, ImportError> {
        let (sha, info) = match info {
            Some(info) => (commit.to_owned(), info),
            None => self.info(commit).await?,
        };
        let mut told = Commit {
            files: self.files(&sha).await?,
            info,
            ..Commit::default()
        };
        self.read_card(&mut told).await?;
        Ok(Arc::new(told))
    }

    async fn read_card(&self, told: &mut Commit) -> Result<(), ImportError> {
        let card = told.files.iter().find(|file| file.path == card::FILE);
        match card {
            Some(file) if file.size_bytes.is_some_and(|size| size > card::MAX_BYTES) => {
                let remark = "its card is too large to be read, and is a file like others";
                told.remarks.push(remark.to_owned());
            }
            Some(file) => {
                let path = self.bytes_of(file);
                let bytes = self.client.small(&path, &[], "read its card").await?;
                let text = String::from_utf8_lossy(&bytes).into_owned();
                told.card = Card::read(&text);
                told.text = Some(text);
            }
            None => {}
        }
        if told.card.broken.is_some()
            && let Some(Value::Object(front)) = told.info.get("cardData")
        {
            // The hub reads YAML of more kinds than a record may be.
            told.card.front = front.clone();
            told.card.broken = None;
        }
        for key in ["pipeline_tag", "library_name"] {
            let front = &mut told.card.front;
            if let (false, Some(Value::String(said))) =
                (front.contains_key(key), told.info.get(key))
            {
                front.insert(key.to_owned(), said.clone().into());
            }
        }
        Ok(())
    }

    /// The files at a commit.
    async fn files(&self, commit: &str) -> Result<Vec<SourceFile>, ImportError> {
        let too_large = |limit: usize, unit| ImportError::TooLarge {
            place: self.page.clone(),
            limit: limit as u64,
            unit,
        };
        let path = self.api(&["tree", commit]);
        let mut url = self.client.url(&path, &[("recursive", "true")]);
        let mut entries: Vec<Entry> = Vec::new();
        for _ in 0..MAX_PAGES {
            let (page, next) = self
                .client
                .page::<Vec<Entry>>(&url, "list its files")
                .await?;
            entries.extend(page);
            if entries.len() > MAX_ENTRIES {
                return Err(too_large(MAX_ENTRIES, "files and folders"));
            }
            match next {
                Some(next) if next != url => url = next,
                Some(_) => break,
                None => return Ok(self.chosen(commit, entries)),
            }
        }
        Err(too_large(MAX_PAGES, "pages in the listing of its files"))
    }

    fn chosen(&self, commit: &str, entries: Vec<Entry>) -> Vec<SourceFile> {
        let entries = entries.into_iter();
        let files = entries.filter(|entry| entry.kind == "file");
        let chosen = files.filter_map(|entry| {
            let path = match entry.path.strip_prefix(&self.folder) {
                Some(path) => path.to_owned(),
                // The card is about the folder, too.
                None if entry.path == card::FILE => entry.path.clone(),
                None => return None,
            };
            let lfs = entry.lfs.as_ref();
            (!is_hidden(&path)).then(|| SourceFile {
                path,
                key: format!("{commit}/{}", entry.path),
                size_bytes: lfs.map(|lfs| lfs.size).or(entry.size),
                sha256: lfs.and_then(|lfs| sha256(&lfs.oid)),
            })
        });
        let mut chosen: Vec<_> = chosen.collect();
        // A folder's own card, whose key is longer, is heard over the repository's.
        chosen.sort_by_key(|file| (file.path.clone(), Reverse(file.key.len())));
        chosen.dedup_by(|one, other| one.path == other.path);
        chosen
    }

    /// When a commit was made; nothing where the hub is a mirror that has no such call.
    async fn made(&self, commit: &str) -> Result<Option<Timestamp>, ImportError> {
        let path = self.api(&["commits", commit]);
        let commits = self
            .client
            .json::<Value>(&path, &[], "say when it was made");
        let commits = match commits.await {
            Err(ImportError::Refused { .. } | ImportError::Lacks { .. }) => return Ok(None),
            commits => commits?,
        };
        let newest = &commits[0];
        if newest["id"] != commit {
            return Ok(None);
        }
        let date: Option<Timestamp> = newest["date"].as_str().and_then(|date| date.parse().ok());
        Ok(date.and_then(|date| Timestamp::from_second(date.as_second()).ok()))
    }

    /// The path of a call for a file's bytes; its key is its commit and its path there.
    fn bytes_of<'a>(&'a self, file: &'a SourceFile) -> Vec<&'a str> {
        let (commit, path) = file.key.split_once('/').unwrap_or_default();
        let mut words: Vec<_> = self.id.words().collect();
        words.extend(["resolve", commit]);
        words.extend(path.split('/'));
        words
    }

    fn lacks(&self, what: String) -> ImportError {
        ImportError::Lacks {
            place: self.page.clone(),
            what,
        }
    }
}

fn sha256(hex: &str) -> Option<Digest> {
    format!("sha256:{hex}").parse().ok()
}

impl fmt::Debug for Hub {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.page)
    }
}

#[async_trait]
impl Source for Hub {
    fn source_type(&self) -> SourceType {
        SourceType::Huggingface
    }

    fn place(&self) -> String {
        self.page.clone()
    }

    fn address(&self) -> Option<String> {
        Some(self.page.clone())
    }

    async fn list(&self, _progress: &dyn Progress) -> Result<Listing, ImportError> {
        let tags = self.tags().await?;
        let asked = self.asked.as_deref();
        let (head, info) = self.info(asked.unwrap_or(BRANCH)).await?;
        let commit = self.commit(&head, Some(info)).await?;
        *self.head.lock().await = Some((head.clone(), Arc::clone(&commit)));
        let id = self.id.to_string();
        let (versions, left_out) = revision::versions(&id, &tags, asked, &head);
        Ok(Listing {
            models: [(id, model_of(Some(&commit.card)))].into(),
            versions,
            left_out,
            ..Listing::default()
        })
    }

    async fn candidate(&self, listed: &Listed) -> Result<Candidate, ImportError> {
        let revision = listed.revision.as_deref();
        let revision = revision.ok_or_else(|| self.lacks(listed.reference.clone()))?;
        let read = self.head.lock().await.clone();
        let commit = match read.filter(|(head, _)| head == revision) {
            Some((_, commit)) => commit,
            None => self.commit(revision, None).await?,
        };
        let told = tell(&commit.card);
        let mut version = told.version;
        if !version.contains_key("createdAt")
            && let Some(made) = self.made(revision).await?
        {
            version.insert("createdAt".to_owned(), json!(made));
        }
        let mut unmapped = told.unmapped;
        for (key, value) in &commit.info {
            let says_nothing = matches!(value, Value::Null | Value::Bool(false));
            if !OF_NO_MATTER.contains(&key.as_str()) && !says_nothing {
                unmapped.insert(format!("hub.{key}"), value.clone());
            }
        }
        let mut remarks: Vec<_> = revision::remark(listed).into_iter().collect();
        remarks.extend(told.remarks);
        remarks.extend(commit.remarks.iter().cloned());
        Ok(Candidate {
            version,
            card: commit.text.clone(),
            unmapped,
            files: Files::There(commit.files.clone()),
            remarks,
            carrier: None,
        })
    }

    async fn open(&self, file: &SourceFile, from: u64) -> Result<Opened, ImportError> {
        let doing = format!("read {}", file.path);
        self.client
            .open(&self.bytes_of(file), &[], from, &doing)
            .await
    }
}
