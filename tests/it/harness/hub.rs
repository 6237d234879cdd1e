//! A hub of models that can't be had here, in memory: Hugging Face's, by its published description
//! and by what its own client asks (`huggingface_hub` 2.4).
//!
//! It has what stories need: repositories with commits, branches and tags; private and gated ones;
//! listings in pages; large files (`.bin`, `.safetensors`, `.onnx`) in LFS, whose bytes a second
//! host hands out. It refuses as the true one does, with `X-Error-Code` and `X-Error-Message`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::http::{Request, Server, response};

/// The token of a user that has accepted what there is to accept.
pub const HUB_TOKEN: &str = "hf_secret-of-bot";

/// A hub in memory.
pub struct FakeHub {
    server: Server,
    storage: Server,
    state: Arc<Mutex<HubState>>,
}

/// All that it has.
#[derive(Default)]
pub struct HubState {
    repos: BTreeMap<String, Repo>,
    /// What was asked of the hub, `GET /api/…`, and with which `Authorization`.
    pub asked: Vec<(String, Option<String>)>,
    /// What was asked of the host with the bytes.
    pub fetched: Vec<(String, Option<String>)>,
    /// How many entries a page of a listing has.
    pub page: usize,
    /// Whether every page has another one behind it.
    pub is_endless: bool,
    /// Whether another size is listed than what files have.
    pub lies: bool,
    storage: String,
}

/// A repository.
#[derive(Default)]
pub struct Repo {
    commits: Vec<Commit>,
    /// Branches and tags, and the commits that they are at.
    names: BTreeMap<String, (bool, String)>,
    /// Whether only its members see it.
    pub is_private: bool,
    /// Whether its conditions have to be accepted.
    pub is_gated: bool,
}

struct Commit {
    id: String,
    files: BTreeMap<String, Vec<u8>>,
}

type Said = (u16, Vec<(String, String)>, Vec<u8>);

impl FakeHub {
    /// One with nothing in it.
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(HubState {
            page: 1000,
            ..HubState::default()
        }));
        let serve = |answer: fn(&mut HubState, &Request) -> Said| {
            let shared = Arc::clone(&state);
            Server::start(move |request| {
                let mut state = shared.lock().expect("no holder panics");
                let (status, headers, body) = answer(&mut state, &request);
                let headers = headers.iter().map(|(name, value)| (&**name, &**value));
                let headers: Vec<_> = headers.collect();
                let mut raw = response(status, &headers, &body);
                if request.method == "HEAD" {
                    raw.truncate(raw.len() - body.len());
                }
                raw
            })
        };
        let (server, storage) = (serve(HubState::answer), serve(HubState::hand_out));
        state.lock().expect("no holder panics").storage = storage.host();
        Self {
            server,
            storage,
            state,
        }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// What it has, to look at and to change.
    pub fn state(&self) -> MutexGuard<'_, HubState> {
        self.state.lock().expect("no holder panics")
    }

    /// Pushes a commit with these files to `main` of a repository, which is there from then on.
    pub fn push(&self, id: &str, files: &[(&str, &[u8])]) -> String {
        let mut state = self.state();
        let repo = state.repos.entry(id.to_owned()).or_default();
        let commit = hex(format!("{id} {}", repo.commits.len()).as_bytes())[..40].to_owned();
        let files = files
            .iter()
            .map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()));
        repo.commits.push(Commit {
            id: commit.clone(),
            files: files.collect(),
        });
        repo.names
            .insert("main".to_owned(), (false, commit.clone()));
        commit
    }

    /// Names a commit by a tag.
    pub fn tag(&self, id: &str, tag: &str, commit: &str) {
        let name = (true, commit.to_owned());
        self.change(id, |repo| drop(repo.names.insert(tag.to_owned(), name)));
    }

    /// Changes a repository.
    pub fn change(&self, id: &str, change: impl FnOnce(&mut Repo)) {
        change(self.state().repos.get_mut(id).expect("it is there"));
    }
}

impl HubState {
    fn answer(&mut self, request: &Request) -> Said {
        let authorization = request.header("authorization").map(str::to_owned);
        let line = format!("{} {}", request.method, request.target);
        self.asked.push((line, authorization.clone()));
        let is_known = authorization.as_deref() == Some(&format!("Bearer {HUB_TOKEN}"));
        if authorization.is_some() && !is_known {
            return refusal(401, None, "Invalid credentials in Authorization header");
        }
        let (path, query) = request
            .target
            .split_once('?')
            .unwrap_or((&request.target, ""));
        let words = path.trim_matches('/').split('/');
        let words: Vec<_> = words
            .map(|word| word.replace("%2F", "/").replace("%20", " "))
            .collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let (id, rest) = match words.as_slice() {
            ["api", "models", org, name, rest @ ..] => (format!("{org}/{name}"), rest),
            [org, name, "resolve", ..] => (format!("{org}/{name}"), &words[2..]),
            _ => {
                return refusal(
                    404,
                    None,
                    "Sorry, we can't find the page you are looking for.",
                );
            }
        };
        let status = if is_known { 404 } else { 401 };
        let Some(repo) = self.repos.get(&id) else {
            return refusal(status, Some("RepoNotFound"), "Repository not found");
        };
        if repo.is_private && !is_known {
            return refusal(status, Some("RepoNotFound"), "Repository not found");
        }
        match rest {
            [] => repo.info(&id, "main"),
            ["revision", revision] => repo.info(&id, revision),
            ["refs"] => repo.refs(),
            ["commits", revision] => repo.history(revision),
            ["tree", revision, ..] => {
                let host = request.header("host").unwrap_or_default();
                let next = format!("http://{host}{path}?recursive=true&cursor=");
                self.tree(repo, revision, &next, query)
            }
            ["resolve", _, _, ..] if repo.is_gated && !is_known => refusal(
                401,
                Some("GatedRepo"),
                &format!(
                    "Access to model {id} is restricted. You must be authenticated to access it."
                ),
            ),
            ["resolve", revision, path @ ..] => {
                self.resolve(repo, revision, &path.join("/"), request)
            }
            _ => refusal(404, None, "Not found"),
        }
    }

    fn tree(&self, repo: &Repo, revision: &str, next: &str, query: &str) -> Said {
        let Some(commit) = repo.commit(revision) else {
            return no_revision(revision);
        };
        let cursor = query
            .split('&')
            .find_map(|part| part.strip_prefix("cursor="));
        let from: usize = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let mut entries = commit.entries();
        if self.lies {
            for entry in &mut entries {
                entry["size"] = 3.into();
                entry.as_object_mut().expect("an entry").remove("lfs");
            }
        }
        let page: Vec<_> = entries.iter().skip(from).take(self.page).cloned().collect();
        let mut headers = json_headers();
        if self.is_endless || from + self.page < entries.len() {
            let link = format!("<{next}{}>; rel=\"next\"", from + self.page);
            headers.push(("Link".to_owned(), link));
        }
        (200, headers, json!(page).to_string().into_bytes())
    }

    fn resolve(&self, repo: &Repo, revision: &str, path: &str, request: &Request) -> Said {
        let Some(commit) = repo.commit(revision) else {
            return no_revision(revision);
        };
        let Some(bytes) = commit.files.get(path) else {
            return refusal(404, Some("EntryNotFound"), "Entry not found");
        };
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut headers = vec![header("X-Repo-Commit", &commit.id)];
        if is_lfs(path) {
            let etag = format!("\"{}\"", hex(bytes));
            let place = format!("http://{}/{}", self.storage, hex(bytes));
            headers.push(header("X-Linked-Etag", &etag));
            headers.push(header("X-Linked-Size", &bytes.len().to_string()));
            headers.push(header("Location", &place));
            return (302, headers, Vec::new());
        }
        headers.push(header("ETag", &format!("\"{}\"", blob(bytes))));
        part(headers, bytes, request)
    }

    /// The host with the bytes of LFS, by their SHA-256.
    fn hand_out(&mut self, request: &Request) -> Said {
        let authorization = request.header("authorization").map(str::to_owned);
        let line = format!("{} {}", request.method, request.target);
        self.fetched.push((line, authorization));
        let wanted = request.target.trim_matches('/');
        let commits = self.repos.values().flat_map(|repo| &repo.commits);
        let mut files = commits.flat_map(|commit| commit.files.values());
        match files.find(|bytes| hex(bytes) == wanted) {
            Some(bytes) => part(Vec::new(), bytes, request),
            None => (404, Vec::new(), Vec::new()),
        }
    }
}

impl Repo {
    fn commit(&self, revision: &str) -> Option<&Commit> {
        let id = self
            .names
            .get(revision)
            .map_or(revision, |(_, id)| id.as_str());
        self.commits.iter().find(|commit| commit.id == id)
    }

    fn info(&self, id: &str, revision: &str) -> Said {
        let Some(commit) = self.commit(revision) else {
            return no_revision(revision);
        };
        let author = id.split('/').next();
        let siblings = commit.files.keys().map(|path| json!({"rfilename": path}));
        ok(&json!({
            "_id": "621ffdc036468d709f17434d",
            "id": id, "modelId": id, "author": author, "sha": commit.id,
            "lastModified": "2026-10-03T08:00:00.000Z", "createdAt": "2026-09-01T08:00:00.000Z",
            "private": self.is_private, "gated": if self.is_gated { json!("auto") } else { json!(false) },
            "disabled": false, "downloads": 7, "likes": 1, "tags": ["region:us"],
            "siblings": siblings.collect::<Vec<_>>(),
        }))
    }

    fn refs(&self) -> Said {
        let told = |tags: bool| -> Vec<_> {
            let names = self.names.iter().filter(|(_, (is_tag, _))| *is_tag == tags);
            let kind = if tags { "tags" } else { "heads" };
            names
                .map(|(name, (_, commit))| {
                    json!({"name": name, "ref": format!("refs/{kind}/{name}"), "targetCommit": commit})
                })
                .collect()
        };
        ok(&json!({"branches": told(false), "converts": [], "tags": told(true)}))
    }

    fn history(&self, revision: &str) -> Said {
        let Some(commit) = self.commit(revision) else {
            return no_revision(revision);
        };
        ok(&json!([{
            "id": commit.id, "title": "Upload model", "message": "",
            "authors": [{"user": "acme"}], "date": "2026-10-02T08:00:00.000Z",
        }]))
    }
}

impl Commit {
    fn entries(&self) -> Vec<Value> {
        let mut entries = Vec::new();
        let folders = self.files.keys().filter_map(|path| path.rsplit_once('/'));
        let mut folders: Vec<_> = folders.map(|(folder, _)| folder).collect();
        folders.dedup();
        for folder in folders {
            let oid = blob(folder.as_bytes());
            entries.push(json!({"type": "directory", "oid": oid, "size": 0, "path": folder}));
        }
        for (path, bytes) in &self.files {
            let (oid, size) = (blob(bytes), bytes.len());
            let mut entry = json!({"type": "file", "oid": oid, "size": size, "path": path});
            if is_lfs(path) {
                entry["lfs"] = json!({"oid": hex(bytes), "size": size, "pointerSize": 134});
            }
            entries.push(entry);
        }
        entries
    }
}

/// All of `bytes`, or what a range of them is asked for.
fn part(mut headers: Vec<(String, String)>, bytes: &[u8], request: &Request) -> Said {
    let range = request
        .header("range")
        .and_then(|range| range.strip_prefix("bytes="));
    let from = range.and_then(|range| range.split('-').next()?.parse::<usize>().ok());
    headers.push(("Accept-Ranges".to_owned(), "bytes".to_owned()));
    match from {
        None => (200, headers, bytes.to_vec()),
        Some(from) if from >= bytes.len() => (416, headers, Vec::new()),
        Some(from) => {
            let last = bytes.len() - 1;
            let range = format!("bytes {from}-{last}/{}", bytes.len());
            headers.push(("Content-Range".to_owned(), range));
            (206, headers, bytes[from..].to_vec())
        }
    }
}

fn ok(body: &Value) -> Said {
    (200, json_headers(), body.to_string().into_bytes())
}

fn json_headers() -> Vec<(String, String)> {
    vec![("Content-Type".to_owned(), "application/json".to_owned())]
}

fn no_revision(revision: &str) -> Said {
    let why = format!("Invalid rev id: {revision}");
    refusal(404, Some("RevisionNotFound"), &why)
}

fn refusal(status: u16, code: Option<&str>, message: &str) -> Said {
    let mut headers = json_headers();
    headers.push(("X-Error-Message".to_owned(), message.to_owned()));
    headers.extend(code.map(|code| ("X-Error-Code".to_owned(), code.to_owned())));
    (
        status,
        headers,
        json!({ "error": message }).to_string().into_bytes(),
    )
}

fn is_lfs(path: &str) -> bool {
    [".bin", ".safetensors", ".onnx"]
        .iter()
        .any(|end| path.ends_with(end))
}

/// What stands for a git blob's name: 40 digits that are others for other bytes.
fn blob(bytes: &[u8]) -> String {
    hex(bytes)[..40].to_owned()
}

fn hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
