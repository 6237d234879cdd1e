//! Where a version's files lie, what they are, and how they are read.
//!
//! | where | listed by | read by |
//! | --- | --- | --- |
//! | the server's own store | `mlflow-artifacts/artifacts?path=` | `mlflow-artifacts/artifacts/<path>`, or where it signs a URL |
//! | an S3-compatible store, with keys of ours | the store | the store |
//! | a folder of this machine, where the server is ours | the file system | the file system |
//! | anywhere else | the run or the logged model, by the server | `model-versions/get-artifact` |

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

/// What a file is found by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "by")]
pub(super) enum Key {
    /// In the server's own store.
    Store {
        /// From the store's root.
        path: String,
    },
    /// By the version it is of.
    Version {
        /// The model.
        name: String,
        /// The version's number.
        version: String,
        /// Within the version.
        path: String,
    },
    /// In an S3-compatible store.
    S3 {
        /// The bucket.
        bucket: String,
        /// The object.
        key: String,
    },
}

/// Where a version's files lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Root {
    /// In the server's own store.
    Store(String),
    /// In an S3-compatible store.
    S3 {
        /// The bucket.
        bucket: String,
        /// What the objects' keys begin with.
        prefix: String,
    },
    /// In a folder of the machine that the server runs on.
    Folder(PathBuf),
    /// In a folder of a run, as the server knows it.
    Run(String, String),
    /// In a folder of a logged model, as the server knows it.
    LoggedModel(String, String),
    /// Where only the server finds it.
    Elsewhere,
}

/// What the server knows artifacts of, and where these lie.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    pub(super) root: fn(String, String) -> Root,
    pub(super) id: String,
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
        match scheme {
            "mlflow-artifacts" if is_here(authority) => {
                // The long form repeats the API's own path.
                let long = path.strip_prefix(PROXY.trim_matches('/'));
                Self::Store(long.unwrap_or(path).trim_matches('/').to_owned())
            }
            "http" | "https" if is_here(authority) => match uri.split_once(PROXY) {
                Some((_, path)) => Self::Store(path.trim_matches('/').to_owned()),
                None => Self::Elsewhere,
            },
            "s3" if !authority.is_empty() => Self::S3 {
                bucket: authority.to_owned(),
                prefix: path.to_owned(),
            },
            "runs" => two(path, Self::Run),
            "models" if path.starts_with("m-") => two(path, Self::LoggedModel),
            "file" => {
                let folder = Url::parse(uri).ok().and_then(|uri| uri.to_file_path().ok());
                folder.map_or(Self::Elsewhere, Self::Folder)
            }
            "" if uri.starts_with('/') => Self::Folder(uri.into()),
            _ => Self::Elsewhere,
        }
    }

    /// The same place as the server knows it, by the run or the logged model it is of.
    pub(super) fn by_server(uri: &str, shelves: &[Shelf]) -> Option<Self> {
        shelves.iter().find_map(|shelf| {
            let path = uri.strip_prefix(shelf.uri.trim_end_matches('/'))?;
            let is_below = path.is_empty() || path.starts_with('/');
            is_below.then(|| (shelf.root)(shelf.id.clone(), path.trim_matches('/').to_owned()))
        })
    }
}

/// An id, and what is behind it.
fn two(path: &str, root: fn(String, String) -> Root) -> Root {
    let (id, path) = path.split_once('/').unwrap_or((path, ""));
    root(id.to_owned(), path.to_owned())
}

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    name: String,
    is_folder: bool,
    size_bytes: Option<u64>,
}

impl Api {
    /// The files below `root`, one of those that the server lists, of this version.
    ///
    /// # Errors
    /// If they can't be listed, are too many or too deep, or one has a name that leads elsewhere.
    pub(super) async fn files(
        &self,
        root: &Root,
        name: &str,
        version: &str,
    ) -> Result<Vec<SourceFile>, ImportError> {
        let mut files = Vec::new();
        let mut asked = 0;
        let mut folders = vec![(String::new(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            asked += 1;
            if asked > MAX_FILES || depth > MAX_DEPTH {
                return Err(self.too_many());
            }
            for entry in self.folder(root, &folder).await? {
                let path = join(&folder, &entry.name);
                if entry.is_folder {
                    folders.push((path, depth + 1));
                    continue;
                }
                files.push(SourceFile {
                    key: self.key(root, name, version, &path),
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

    fn key(&self, root: &Root, name: &str, version: &str, path: &str) -> String {
        let path = path.to_owned();
        let key = match root {
            Root::Store(root) => Key::Store {
                path: join(root, &path),
            },
            _ => Key::Version {
                name: name.to_owned(),
                version: version.to_owned(),
                path,
            },
        };
        key.to_text()
    }

    /// What is in a folder below `root`.
    async fn folder(&self, root: &Root, folder: &str) -> Result<Vec<Entry>, ImportError> {
        const DOING: &str = "list a version's files";
        let mut entries = Vec::new();
        let (mut token, mut before) = (String::new(), String::new());
        loop {
            let page = [("page_token", &*token)];
            let page: &[_] = if token.is_empty() { &[] } else { &page };
            let mut answer = match root {
                Root::Store(root) => {
                    let path = join(root, folder);
                    let at = ["api", "2.0", "mlflow-artifacts", "artifacts"];
                    self.client
                        .json::<Said>(&at, &[("path", &path)], DOING)
                        .await?
                }
                Root::Run(id, root) => {
                    let path = join(root, folder);
                    let query = [&[("run_id", &**id), ("path", &*path)][..], page].concat();
                    let query: Vec<_> = query
                        .into_iter()
                        .filter(|(_, value)| !value.is_empty())
                        .collect();
                    self.ask(&["artifacts", "list"], &query, DOING).await?
                }
                Root::LoggedModel(id, root) => {
                    let path = join(root, folder);
                    let query = [&[("artifact_directory_path", &*path)][..], page].concat();
                    let query: Vec<_> = query
                        .into_iter()
                        .filter(|(_, value)| !value.is_empty())
                        .collect();
                    let at = ["logged-models", id, "artifacts", "directories"];
                    self.ask(&at, &query, DOING).await?
                }
                Root::S3 { .. } | Root::Folder(_) | Root::Elsewhere => return Ok(Vec::new()),
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

impl Key {
    /// As a file carries it.
    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a key is plain JSON")
    }
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

    #[test]
    fn an_address_says_where_files_lie() {
        let server = Url::parse("https://mlflow.example:8443/team").unwrap();
        let store = |path: &str| Root::Store(path.to_owned());
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
                Root::S3 {
                    bucket: "bucket".into(),
                    prefix: "a/b".into(),
                },
            ),
            ("runs:/r1/model", Root::Run("r1".into(), "model".into())),
            (
                "models:/m-1",
                Root::LoggedModel("m-1".into(), String::new()),
            ),
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
                root: Root::LoggedModel,
                id: "m-1".into(),
                uri: "gs://b/0/models/m-1/artifacts".into(),
            },
            Shelf {
                root: Root::Run,
                id: "r".into(),
                uri: "gs://b/0/r/artifacts".into(),
            },
        ];
        let root = |uri| Root::by_server(uri, &shelves);
        assert_eq!(
            root("gs://b/0/r/artifacts/a/model"),
            Some(Root::Run("r".into(), "a/model".into()))
        );
        assert_eq!(
            root("gs://b/0/models/m-1/artifacts"),
            Some(Root::LoggedModel("m-1".into(), String::new()))
        );
        assert_eq!(root("gs://b/0/r/artifacts-of-others"), None);
    }
}
