//! Where a version's files lie, what they are, and how they are read.
//!
//! | where | listed by | read by |
//! | --- | --- | --- |
//! | the server's own store | `mlflow-artifacts/artifacts?path=` | `mlflow-artifacts/artifacts/<path>`, or where it signs a URL |
//! | an S3-compatible store, with keys of ours | the store | the store |
//! | a folder of this machine, where the server is ours | the file system | the file system |
//! | anywhere else | the run or the logged model, by the server | the run or the logged model, by the server |
//!
//! A version's address names a folder, or a single file. Of a file most stores list nothing, and some
//! the file itself, as they would list one of the same name in a folder: the folder that it is in
//! tells.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::Url;

use super::api::Api;
use super::said::Said;
use crate::import::{ImportError, MAX_FILES, SourceFile};

/// A model's folders are a few deep; what is deeper than this goes round in a circle.
const MAX_DEPTH: usize = 32;

/// What the API of the server's own store is behind, in addresses too.
pub(super) const PROXY: &str = "/api/2.0/mlflow-artifacts/artifacts";

/// What a file is found by, or a folder of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "by")]
pub(super) enum Key {
    /// In the server's own store.
    Store {
        /// From the store's root.
        path: String,
    },
    /// By the run it is of, as the server knows it.
    Run {
        /// The run.
        id: String,
        /// Within the run.
        path: String,
    },
    /// By the logged model it is of, as the server knows it.
    LoggedModel {
        /// The logged model.
        id: String,
        /// Within the logged model.
        path: String,
    },
    /// In an S3-compatible store.
    S3 {
        /// The bucket.
        bucket: String,
        /// The object, or what the keys of the folder's objects begin with.
        path: String,
    },
}

/// Where a version's files lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Root {
    /// In a store that is asked for them.
    Asked(Key),
    /// In a folder of the machine that the server runs on.
    Folder(PathBuf),
    /// Where only the server finds it.
    Elsewhere,
}

/// What the server knows artifacts of, and where these lie.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    pub(super) key: Key,
    pub(super) uri: String,
}

impl Root {
    /// What `uri` says, where the tracking server is at `server`.
    pub(super) fn of(uri: &str, server: &Url) -> Self {
        let (scheme, rest) = uri.split_once(':').unwrap_or(("", uri));
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
            None => ("", rest),
        };
        let path = path.trim_matches('/');
        let is_here = |authority: &str| {
            let port = server
                .port()
                .map(|port| format!(":{port}"))
                .unwrap_or_default();
            authority.is_empty()
                || authority == format!("{}{port}", server.host_str().unwrap_or_default())
        };
        let store = |path: &str| {
            let path = path.trim_matches('/').to_owned();
            Self::Asked(Key::Store { path })
        };
        match scheme {
            "mlflow-artifacts" if is_here(authority) => {
                // The long form repeats the API's own path.
                let long = path.strip_prefix(PROXY.trim_matches('/'));
                store(long.unwrap_or(path))
            }
            "http" | "https" if is_here(authority) => match uri.split_once(PROXY) {
                Some((_, path)) => store(path),
                None => Self::Elsewhere,
            },
            "s3" if !authority.is_empty() => Self::Asked(Key::S3 {
                bucket: authority.to_owned(),
                path: path.to_owned(),
            }),
            "runs" => {
                let (id, path) = two(path);
                Self::Asked(Key::Run { id, path })
            }
            "models" if path.starts_with("m-") => {
                let (id, path) = two(path);
                Self::Asked(Key::LoggedModel { id, path })
            }
            "file" => {
                let folder = Url::parse(uri).ok().and_then(|uri| uri.to_file_path().ok());
                folder.map_or(Self::Elsewhere, Self::Folder)
            }
            "" if uri.starts_with('/') => Self::Folder(uri.into()),
            _ => Self::Elsewhere,
        }
    }
}

impl Key {
    /// The place at `uri` as the server knows it, by the run or the logged model it is of.
    pub(super) fn by_server(uri: &str, shelves: &[Shelf]) -> Option<Self> {
        shelves.iter().find_map(|shelf| {
            let path = uri.strip_prefix(shelf.uri.trim_end_matches('/'))?;
            let is_below = path.is_empty() || path.starts_with('/');
            is_below.then(|| shelf.key.at(path.trim_matches('/')))
        })
    }

    /// What is at `path` below it.
    pub(super) fn at(&self, path: &str) -> Self {
        let mut key = self.clone();
        let (Self::Store { path: own }
        | Self::Run { path: own, .. }
        | Self::LoggedModel { path: own, .. }
        | Self::S3 { path: own, .. }) = &mut key;
        *own = join(own, path);
        key
    }

    /// The folder that it is in, and its name there; nothing for what is no folder's.
    fn folder_and_name(&self) -> Option<(Self, String)> {
        let mut key = self.clone();
        let (Self::Store { path }
        | Self::Run { path, .. }
        | Self::LoggedModel { path, .. }
        | Self::S3 { path, .. }) = &mut key;
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let (folder, name) = (folder.to_owned(), name.to_owned());
        *path = folder;
        (!name.is_empty()).then_some((key, name))
    }

    /// As a file carries it.
    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a key is plain JSON")
    }
}

/// An id, and what is behind it.
fn two(path: &str) -> (String, String) {
    let (id, path) = path.split_once('/').unwrap_or((path, ""));
    (id.to_owned(), path.to_owned())
}

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    name: String,
    is_folder: bool,
    size_bytes: Option<u64>,
}

impl Api {
    /// The files below `root`, which the server knows, or the one that it is.
    ///
    /// # Errors
    /// If they can't be listed, are too many or too deep, or one has a name that leads elsewhere.
    pub(super) async fn files(&self, root: &Key) -> Result<Vec<SourceFile>, ImportError> {
        let files = self.below(root).await?;
        let Some((folder, name)) = root.folder_and_name() else {
            return Ok(files);
        };
        if files.iter().any(|file| file.path != name) {
            return Ok(files);
        }
        let beside = self.folder(&folder).await?;
        let itself = beside
            .into_iter()
            .find(|entry| entry.name == name && !entry.is_folder);
        Ok(match itself {
            Some(entry) => vec![SourceFile {
                path: name,
                key: root.to_text(),
                size_bytes: entry.size_bytes,
                sha256: None,
            }],
            None => files,
        })
    }

    async fn below(&self, root: &Key) -> Result<Vec<SourceFile>, ImportError> {
        let mut files = Vec::new();
        let mut asked = 0;
        let mut folders = vec![(String::new(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            asked += 1;
            if asked > MAX_FILES || depth > MAX_DEPTH {
                return Err(self.too_many());
            }
            for entry in self.folder(&root.at(&folder)).await? {
                let path = join(&folder, &entry.name);
                if entry.is_folder {
                    folders.push((path, depth + 1));
                    continue;
                }
                files.push(SourceFile {
                    key: root.at(&path).to_text(),
                    path,
                    size_bytes: entry.size_bytes,
                    sha256: None,
                });
                if files.len() > MAX_FILES {
                    return Err(self.too_many());
                }
            }
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(files)
    }

    fn too_many(&self) -> ImportError {
        ImportError::TooLarge {
            place: self.place.clone(),
            limit: MAX_FILES as u64,
            unit: "files in one version",
        }
    }

    /// What is in a folder.
    async fn folder(&self, folder: &Key) -> Result<Vec<Entry>, ImportError> {
        const DOING: &str = "list a version's files";
        let mut entries = Vec::new();
        let (mut token, mut before) = (String::new(), String::new());
        loop {
            let page = ("page_token", &*token);
            let mut answer = match folder {
                Key::Store { path } => {
                    let at = ["api", "2.0", "mlflow-artifacts", "artifacts"];
                    self.client
                        .json::<Said>(&at, &[("path", path)], DOING)
                        .await?
                }
                Key::Run { id, path } => {
                    let query = filled([("run_id", id), ("path", path), page]);
                    self.ask(&["artifacts", "list"], &query, DOING).await?
                }
                Key::LoggedModel { id, path } => {
                    let query = filled([("artifact_directory_path", path), page]);
                    let at = ["logged-models", id, "artifacts", "directories"];
                    self.ask(&at, &query, DOING).await?
                }
                Key::S3 { .. } => return Ok(Vec::new()),
            };
            let files = answer
                .list("files")
                .map_err(|error| self.malformed(DOING, &error))?;
            for file in files {
                entries.extend(self.entry(file)?);
            }
            if entries.len() > MAX_FILES {
                return Err(self.too_many());
            }
            match answer.text("next_page_token") {
                None => return Ok(entries),
                Some(next) if next == token || next == before => {
                    return Err(self.malformed(DOING, &"its pages never end"));
                }
                Some(next) => before = std::mem::replace(&mut token, next),
            }
        }
    }

    /// One entry of a listing. The server's own store says names, the others whole paths.
    fn entry(&self, mut file: Said) -> Result<Option<Entry>, ImportError> {
        let size = file
            .whole("file_size")
            .and_then(|size| size.try_into().ok());
        let is_folder = file.0.get("is_dir").and_then(serde_json::Value::as_bool);
        let Some(path) = file.text("path") else {
            return Ok(None);
        };
        let name = path
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default();
        if matches!(name, "" | "." | "..") {
            return Err(self.malformed("list a version's files", &format!("`{path}` is no file")));
        }
        Ok(Some(Entry {
            name: name.to_owned(),
            is_folder: is_folder.unwrap_or_default(),
            size_bytes: size,
        }))
    }
}

/// What of a query says something.
fn filled<'a, const LENGTH: usize>(query: [(&'a str, &'a str); LENGTH]) -> Vec<(&'a str, &'a str)> {
    let filled = query.into_iter().filter(|(_, value)| !value.is_empty());
    filled.collect()
}

/// One path behind another, of which each may be empty.
pub(super) fn join(root: &str, path: &str) -> String {
    match (root, path) {
        ("", path) => path.to_owned(),
        (root, "") => root.to_owned(),
        (root, path) => format!("{root}/{path}"),
    }
}

#[cfg(test)]
mod tests {
    //! Where addresses lead.

    use super::*;

    fn run(id: &str, path: &str) -> Key {
        let (id, path) = (id.into(), path.into());
        Key::Run { id, path }
    }

    fn logged_model(id: &str, path: &str) -> Key {
        let (id, path) = (id.into(), path.into());
        Key::LoggedModel { id, path }
    }

    #[test]
    fn an_address_says_where_files_lie() {
        let server = Url::parse("https://mlflow.example:8443/team").unwrap();
        let store = |path: &str| Root::Asked(Key::Store { path: path.into() });
        for (uri, root) in [
            (
                "mlflow-artifacts:/5/models/m-1/artifacts",
                store("5/models/m-1/artifacts"),
            ),
            (
                "mlflow-artifacts:/5/r/artifacts/my model",
                store("5/r/artifacts/my model"),
            ),
            ("mlflow-artifacts://mlflow.example:8443/5/r", store("5/r")),
            ("mlflow-artifacts://other.example/5/r", Root::Elsewhere),
            ("mlflow-artifacts:/", store("")),
            (
                "https://mlflow.example:8443/team/api/2.0/mlflow-artifacts/artifacts/5/r",
                store("5/r"),
            ),
            ("https://files.example/model", Root::Elsewhere),
            (
                "s3://bucket/a/b/",
                Root::Asked(Key::S3 {
                    bucket: "bucket".into(),
                    path: "a/b".into(),
                }),
            ),
            ("runs:/r1/model", Root::Asked(run("r1", "model"))),
            ("models:/m-1", Root::Asked(logged_model("m-1", ""))),
            ("models:/defects/3", Root::Elsewhere),
            (
                "file:///srv/ml%20runs/0",
                Root::Folder("/srv/ml runs/0".into()),
            ),
            ("/srv/mlruns/0", Root::Folder("/srv/mlruns/0".into())),
            ("gs://bucket/a", Root::Elsewhere),
            ("./mlruns", Root::Elsewhere),
        ] {
            assert_eq!(Root::of(uri, &server), root, "{uri}");
        }
    }

    #[test]
    fn a_place_is_known_by_the_run_that_it_is_of() {
        let shelves = [
            Shelf {
                key: logged_model("m-1", ""),
                uri: "gs://b/0/models/m-1/artifacts".into(),
            },
            Shelf {
                key: run("r", ""),
                uri: "gs://b/0/r/artifacts".into(),
            },
        ];
        let key = |uri| Key::by_server(uri, &shelves);
        assert_eq!(
            key("gs://b/0/r/artifacts/a/model"),
            Some(run("r", "a/model"))
        );
        assert_eq!(
            key("gs://b/0/models/m-1/artifacts"),
            Some(logged_model("m-1", ""))
        );
        assert_eq!(key("gs://b/0/r/artifacts-of-others"), None);
    }

    #[test]
    fn a_key_has_what_is_below_it_and_a_folder() {
        assert_eq!(run("r", "").at("a"), run("r", "a"));
        assert_eq!(run("r", "a").at(""), run("r", "a"));
        assert_eq!(
            logged_model("m-1", "a").at("b/c"),
            logged_model("m-1", "a/b/c")
        );
        let name = |name: &str| name.to_owned();
        assert_eq!(
            run("r", "a/b/c").folder_and_name(),
            Some((run("r", "a/b"), name("c")))
        );
        assert_eq!(
            run("r", "c").folder_and_name(),
            Some((run("r", ""), name("c")))
        );
        assert_eq!(run("r", "").folder_and_name(), None);
    }
}
