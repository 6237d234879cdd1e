//! Files that git keeps elsewhere: Git LFS, whose pointers say which bytes are meant.
//!
//! ```text
//! version https://git-lfs.github.com/spec/v1
//! oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
//! size 12345
//! ```
//!
//! The bytes come from the repository's own server over HTTP: `POST …/info/lfs/objects/batch` says
//! where each is. A `.lfsconfig` that names another server is not heeded: what a repository holds
//! must not choose where our credentials go. Of a repository on this machine they are in
//! `lfs/objects` among git's own files, if somebody has fetched them.
//!
//! Source: Git LFS's documents `spec.md`, `api/batch.md`, `api/server-discovery.md`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;
use url::Url;

use super::address::USER;
use super::program::credential;
use super::repository::Repository;
use crate::import::client::{Client, Credentials};
use crate::import::{ImportError, Opened};

/// What a pointer begins with, and how long one can be.
const POINTER: (&str, u64) = ("version https://git-lfs.github.com/spec/v1\n", 1024);

/// What the batch API speaks.
const MEDIA_TYPE: &str = "application/vnd.git-lfs+json";

/// Who can let us in, for errors to name.
const WHO: &[&str] = &["git's credential helper, or `token` of the source,"];

/// Which bytes a pointer stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer {
    /// Their SHA-256, in hexadecimal.
    pub oid: String,
    /// How many they are.
    pub size_bytes: u64,
}

impl Pointer {
    /// Whether a file of this size can be one.
    pub(super) const fn can_be(size_bytes: u64) -> bool {
        size_bytes <= POINTER.1
    }

    /// The pointer that these bytes are, if they are one.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let lines = text.strip_prefix(POINTER.0)?.lines();
        let said: Vec<_> = lines.filter_map(|line| line.split_once(' ')).collect();
        let field = |name: &str| said.iter().find(|(key, _)| *key == name);
        let oid = field("oid")?.1.strip_prefix("sha256:")?;
        let is_hex = oid.len() == 64 && oid.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(Self {
            oid: is_hex.then(|| oid.to_owned())?,
            size_bytes: field("size")?.1.parse().ok()?,
        })
    }

    /// Where the bytes lie among git's own files, if they were fetched.
    pub(super) fn in_folder(&self, git: &Path) -> PathBuf {
        let (one, two) = (&self.oid[..2], &self.oid[2..4]);
        git.join("lfs/objects").join(one).join(two).join(&self.oid)
    }
}

/// The LFS server of a repository.
#[derive(Debug, Default)]
pub(super) struct Lfs {
    client: Mutex<Option<Arc<Client>>>,
}

#[derive(Deserialize)]
struct Batch {
    #[serde(default)]
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    oid: String,
    #[serde(default)]
    actions: Actions,
    #[serde(default)]
    error: Option<Refusal>,
}

#[derive(Deserialize, Default)]
struct Actions {
    download: Option<Action>,
}

#[derive(Deserialize)]
struct Action {
    href: String,
    #[serde(default)]
    header: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    message: String,
}

impl Lfs {
    /// Begins to read what `pointer` stands for at byte `from`; `path` is the file's.
    ///
    /// # Errors
    /// If the server can't be asked, or doesn't have it.
    pub(super) async fn open(
        &self,
        repository: &Repository,
        pointer: &Pointer,
        path: &str,
        from: u64,
    ) -> Result<Opened, ImportError> {
        let doing = format!("read {path} from its LFS store");
        let action = match self.action(repository, pointer, path, &doing).await {
            Err(ImportError::Unauthorized { .. }) if self.sign_in(repository).await? => {
                self.action(repository, pointer, path, &doing).await?
            }
            action => action?,
        };
        let url: Url = action.href.parse().ok().filter(is_web).ok_or_else(|| {
            let reason = "where its LFS store says a file is, nothing can be";
            ImportError::Malformed {
                place: repository.place.clone(),
                reason: reason.to_owned(),
            }
        })?;
        let mut headers = HeaderMap::new();
        for (name, value) in action.header {
            let name = name.parse::<HeaderName>();
            if let (Ok(name), Ok(mut value)) = (name, HeaderValue::from_str(&value)) {
                value.set_sensitive(true);
                headers.insert(name, value);
            }
        }
        let client = self.client(repository).await?;
        client.open_with(url, headers, from, &doing).await
    }

    async fn action(
        &self,
        repository: &Repository,
        pointer: &Pointer,
        path: &str,
        doing: &str,
    ) -> Result<Action, ImportError> {
        let client = self.client(repository).await?;
        let question = json!({
            "operation": "download",
            "transfers": ["basic"],
            "objects": [{"oid": pointer.oid, "size": pointer.size_bytes}],
            "hash_algo": "sha256",
        });
        let at = ["objects", "batch"];
        let batch: Batch = client.ask(&at, MEDIA_TYPE, &question, doing).await?;
        let mut objects = batch.objects.into_iter();
        let object = objects.find(|object| object.oid == pointer.oid);
        let lacks = |why: &str| ImportError::Lacks {
            place: format!("the LFS store of {}", repository.place),
            what: crate::platform::redact::printable(&format!("{path}{why}")),
        };
        match object {
            Some(Object {
                error: Some(error), ..
            }) => Err(lacks(&format!(": {}", error.message))),
            Some(object) => object.actions.download.ok_or_else(|| lacks("")),
            None => Err(lacks("")),
        }
    }

    async fn client(&self, repository: &Repository) -> Result<Arc<Client>, ImportError> {
        let mut client = self.client.lock().await;
        if let Some(client) = &*client {
            return Ok(Arc::clone(client));
        }
        let (address, token) = repository.remote().ok_or_else(|| no_server(repository))?;
        let url = Url::parse(address).ok().filter(is_web);
        let url = url.ok_or_else(|| no_server(repository))?;
        let credentials = match (token, url.password()) {
            (Some(token), _) => Credentials::Basic(USER.to_owned(), token.clone()),
            (None, Some(password)) => {
                Credentials::Basic(url.username().to_owned(), password.to_owned().into())
            }
            (None, None) => Credentials::None,
        };
        let made = Arc::new(made(repository, &url, credentials)?);
        *client = Some(Arc::clone(&made));
        Ok(made)
    }

    /// Asks git's helpers who we are there; whether they know.
    async fn sign_in(&self, repository: &Repository) -> Result<bool, ImportError> {
        let Some((address, None)) = repository.remote() else {
            return Ok(false);
        };
        let Some(url) = Url::parse(address).ok().filter(is_web) else {
            return Ok(false);
        };
        let Some((user, password)) = credential(address).await else {
            return Ok(false);
        };
        let credentials = Credentials::Basic(user, password.into());
        let client = made(repository, &url, credentials)?;
        *self.client.lock().await = Some(Arc::new(client));
        Ok(true)
    }
}

fn made(
    repository: &Repository,
    address: &Url,
    credentials: Credentials,
) -> Result<Client, ImportError> {
    let base = endpoint(address);
    let place = &repository.place;
    Client::new(place, base, credentials, WHO, repository.retry())
}

/// The store's address behind the repository's own, without its credentials.
fn endpoint(address: &Url) -> Url {
    let mut url = address.clone();
    // Both fail only for addresses without a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let path = format!("{path}.git/info/lfs");
    url.set_path(&path);
    url
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

fn no_server(repository: &Repository) -> ImportError {
    ImportError::Program {
        place: repository.place.clone(),
        reason: "files of it are kept by Git LFS, which is asked over HTTP only".to_owned(),
        help: "name its https:// address, or clone it, run `git lfs pull` there, and import the \
               clone"
            .to_owned(),
    }
}

/// Nothing else is known of a file than its pointer.
pub(super) fn not_fetched(repository: &Repository, path: &str) -> ImportError {
    ImportError::Pointer {
        place: repository.place.clone(),
        file: path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    //! Pointers, and where their bytes are.

    use super::*;

    #[test]
    fn a_pointer_says_which_bytes_are_meant() {
        let oid = "ab".repeat(32);
        let text = format!("{}oid sha256:{oid}\nsize 12\n", POINTER.0);
        let pointer = Pointer::read(text.as_bytes()).unwrap();
        assert_eq!((&*pointer.oid, pointer.size_bytes), (&*oid, 12));
        assert_eq!(
            pointer.in_folder(Path::new("/g")),
            PathBuf::from(format!("/g/lfs/objects/ab/ab/{oid}"))
        );
        for wrong in [
            format!("{}oid sha256:../../x\nsize 12\n", POINTER.0),
            format!("{}oid sha256:{oid}\n", POINTER.0),
            format!("oid sha256:{oid}\nsize 12\n"),
        ] {
            assert_eq!(Pointer::read(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn the_store_is_behind_the_repository_s_address() {
        for (address, store) in [
            (
                "https://me:pw@git.example.com/a/b.git",
                "https://git.example.com/a/b.git/info/lfs",
            ),
            (
                "https://git.example.com/a/b/",
                "https://git.example.com/a/b.git/info/lfs",
            ),
        ] {
            assert_eq!(endpoint(&address.parse().unwrap()).as_str(), store);
        }
    }
}
