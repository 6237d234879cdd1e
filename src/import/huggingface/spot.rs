//! Which repository, cache or folder is meant.
//!
//! | word | what it is |
//! | --- | --- |
//! | `org/name`, `org/name@REVISION` | a repository of the hub at `HF_ENDPOINT`, or of huggingface.co |
//! | `https://hub.example.com/org/name`, `…@REVISION`, `…/tree/REVISION` | one of the hub there |
//! | `cache:`, `cache:org/name@REVISION` | what Hugging Face's client has fetched on this machine |
//! | `./path`, `/path`, `~/path` | a cache, one repository's folder in a cache, or a folder with a card |
//!
//! The client's own variables hold: `HF_ENDPOINT`, `HF_HUB_CACHE`, `HF_HOME`, `XDG_CACHE_HOME`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use secrecy::ExposeSecret;
use url::Url;

use crate::import::{ImportError, Place, Variables, place};

/// The hub where nothing else is said.
const HUB: &str = "https://huggingface.co";

/// The longest name of a repository.
const MAX_NAME: usize = 96;

/// A repository's name on a hub: `org/name`, or `name` alone for the oldest ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RepoId(String);

/// What is meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// A repository of a hub.
    Hub {
        /// Where the hub is.
        endpoint: Url,
        /// Whether it is the one that the client's own tokens are for.
        is_own: bool,
        /// The repository.
        id: RepoId,
    },
    /// A cache of the client, or one repository in it.
    Cache {
        /// The cache's folder.
        folder: PathBuf,
        /// The repository, where one is meant.
        id: Option<RepoId>,
    },
    /// A folder with a card.
    Folder(PathBuf),
}

/// Where the client keeps things, by its variables.
pub(super) struct Home<'a>(pub(super) Variables<'a>);

impl Home<'_> {
    /// A variable that is set.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let value = (self.0)(name)?.expose_secret().trim().to_owned();
        (!value.is_empty()).then_some(value)
    }

    /// Its folder.
    pub(super) fn folder(&self) -> PathBuf {
        if let Some(home) = self.variable("HF_HOME") {
            return self.expanded(&home);
        }
        let cache = self.variable("XDG_CACHE_HOME");
        let cache = cache.map_or_else(|| self.expanded("~/.cache"), PathBuf::from);
        cache.join("huggingface")
    }

    fn cache(&self) -> PathBuf {
        let said = ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"]
            .iter()
            .find_map(|name| self.variable(name));
        match said {
            Some(cache) => self.expanded(&cache),
            None => self.folder().join("hub"),
        }
    }

    fn endpoint(&self) -> Option<Url> {
        let said = self.variable("HF_ENDPOINT");
        said.as_deref().unwrap_or(HUB).parse().ok()
    }

    /// `text` with the user's home folder for `~/`.
    fn expanded(&self, text: &str) -> PathBuf {
        place::expanded(self.0, text)
    }
}

impl Spot {
    /// What `place` means, and the revision that is asked for; relative paths begin at `folder`.
    ///
    /// # Errors
    /// [`ImportError::Malformed`] if it is none of the words above.
    pub(super) fn of(
        place: &Place,
        folder: &Path,
        home: &Home<'_>,
    ) -> Result<(Self, Option<String>), ImportError> {
        let malformed = |reason: &str| ImportError::Malformed {
            place: place.to_string(),
            reason: reason.to_owned(),
        };
        let at = place.at.as_str();
        let (spot, asked) = if at.starts_with(['.', '/', '~']) {
            (Self::local(&folder.join(home.expanded(at))), None)
        } else if let Some(rest) = at.strip_prefix("cache:") {
            let (id, asked) = revised(rest);
            let id = (!id.is_empty()).then(|| id.parse()).transpose();
            let id = id.map_err(malformed)?;
            let folder = home.cache();
            (Ok(Self::Cache { folder, id }), asked)
        } else if at.starts_with("https://") || at.starts_with("http://") {
            let (url, asked) = of_url(at).ok_or_else(|| malformed(NO_REPOSITORY))?;
            let (endpoint, id) = url;
            let own = home.endpoint();
            let is_own = own.is_some_and(|own| own.origin() == endpoint.origin());
            let id = id.parse().map_err(malformed)?;
            let hub = Self::Hub {
                endpoint,
                is_own,
                id,
            };
            (Ok(hub), asked)
        } else {
            let (id, asked) = revised(at);
            let id = id.parse().map_err(malformed)?;
            let endpoint = home.endpoint();
            let endpoint = endpoint.filter(|url| matches!(url.scheme(), "https" | "http"));
            let hub = Self::Hub {
                endpoint: endpoint.ok_or_else(|| malformed("HF_ENDPOINT is no web address"))?,
                is_own: true,
                id,
            };
            (Ok(hub), asked)
        };
        let spot = spot.map_err(malformed)?;
        let asked = asked.map(str::to_owned).or_else(|| place.revision.clone());
        match (spot, asked) {
            // A snapshot's folder has but links in it: it is read as what it is a part of.
            (Self::Folder(path), None) => match in_cache(&path) {
                Some((folder, id, commit)) => {
                    let id = Some(id);
                    Ok((Self::Cache { folder, id }, Some(commit)))
                }
                None => Ok((Self::Folder(path), None)),
            },
            (spot, asked) => Ok((spot, asked)),
        }
    }

    /// What the folder at `path` is.
    fn local(path: &Path) -> Result<Self, &'static str> {
        if let Some(id) = RepoId::of_folder(path)
            && path.join("snapshots").is_dir()
        {
            let folder = path.parent().unwrap_or(path).to_owned();
            let id = Some(id);
            return Ok(Self::Cache { folder, id });
        }
        let entries = path.read_dir().map_err(|_| "there is no such folder")?;
        let mut entries = entries.filter_map(Result::ok);
        let is_cache = entries.any(|entry| RepoId::of_folder(&entry.path()).is_some());
        Ok(if is_cache {
            let folder = path.to_owned();
            Self::Cache { folder, id: None }
        } else {
            Self::Folder(path.to_owned())
        })
    }
}

const NO_REPOSITORY: &str = "it names no repository, as in https://hub.example.com/org/name";

/// `org/name@revision` in its parts.
fn revised(text: &str) -> (&str, Option<&str>) {
    match text.split_once('@') {
        Some((id, revision)) => (id, Some(revision).filter(|revision| !revision.is_empty())),
        None => (text, None),
    }
}

/// The hub's address, the repository's name and the revision in a URL.
fn of_url(text: &str) -> Option<((Url, String), Option<&str>)> {
    let (scheme, rest) = text.split_once("://")?;
    let (host, path) = rest.split_once('/')?;
    let (path, mut revision) = revised(path);
    let path = match path.split_once("/tree/") {
        Some((path, of_page)) => {
            revision = revision.or(Some(of_page.trim_end_matches('/')));
            path
        }
        None => path,
    };
    let words: Vec<_> = path.split('/').filter(|word| !word.is_empty()).collect();
    let (base, id) = words.split_at(words.len().saturating_sub(2));
    let mut endpoint: Url = format!("{scheme}://{host}").parse().ok()?;
    let has_login = !endpoint.username().is_empty() || endpoint.password().is_some();
    if id.is_empty() || has_login {
        return None;
    }
    endpoint.set_path(&base.join("/"));
    Some(((endpoint, id.join("/")), revision))
}

/// The cache, the repository and the commit whose snapshot the folder at `path` is.
fn in_cache(path: &Path) -> Option<(PathBuf, RepoId, String)> {
    let snapshots = path.parent()?;
    let repo = snapshots.parent()?;
    let commit = path.file_name()?.to_str()?.to_owned();
    let id = RepoId::of_folder(repo)?;
    (snapshots.file_name()? == "snapshots").then_some((repo.parent()?.to_owned(), id, commit))
}

impl RepoId {
    /// The repository that a folder of a cache is of: `models--org--name`.
    pub(super) fn of_folder(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_prefix("models--")?;
        name.replacen("--", "/", 1).parse().ok()
    }

    /// What its folder in a cache is called.
    pub(super) fn folder(&self) -> String {
        format!("models--{}", self.0.replace('/', "--"))
    }

    /// Its parts.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl FromStr for RepoId {
    type Err = &'static str;

    /// Source: `validate_repo_id` of `huggingface_hub`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = |word: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            !word.is_empty()
                && word.chars().all(fits)
                && !word.starts_with(['.', '-'])
                && !word.ends_with(['.', '-'])
        };
        let words: Vec<_> = text.split('/').collect();
        let fits = words.len() <= 2 && words.iter().all(|one| word(one));
        if !fits || text.len() > MAX_NAME || text.contains("--") || text.contains("..") {
            return Err("a repository is org/name: letters, digits, `.`, `_` and `-`");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RepoId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    //! Words, and what they mean.

    use secrecy::SecretString;

    use super::*;

    fn spot(text: &str) -> Result<(Spot, Option<String>), ImportError> {
        let place: Place = format!("huggingface:{text}").parse().unwrap();
        let variables = |name: &str| match name {
            "HOME" => Some(SecretString::from("/home/u")),
            "HF_ENDPOINT" => Some("https://hub.acme.example".into()),
            _ => None,
        };
        Spot::of(&place, Path::new("/work"), &Home(&variables))
    }

    fn hub(endpoint: &str, is_own: bool, id: &str) -> Spot {
        Spot::Hub {
            endpoint: endpoint.parse().unwrap(),
            is_own,
            id: id.parse().unwrap(),
        }
    }

    #[test]
    fn a_repository_has_a_hub_and_perhaps_a_revision() {
        let own = "https://hub.acme.example";
        for (text, expected, revision) in [
            ("org/name", hub(own, true, "org/name"), None),
            ("gpt2@v1", hub(own, true, "gpt2"), Some("v1")),
            ("a/b@refs/pr/1", hub(own, true, "a/b"), Some("refs/pr/1")),
            (
                "https://hub.acme.example/a/b@main",
                hub(own, true, "a/b"),
                Some("main"),
            ),
            (
                "https://huggingface.co/a/b/tree/v2.0",
                hub("https://huggingface.co", false, "a/b"),
                Some("v2.0"),
            ),
            (
                "http://127.0.0.1:80/mirror/hub/a/b",
                hub("http://127.0.0.1:80/mirror/hub", false, "a/b"),
                None,
            ),
        ] {
            let (spot, asked) = spot(text).unwrap();
            assert_eq!((spot, asked.as_deref()), (expected, revision), "{text}");
        }
        for bad in [
            "a/b/c",
            "a b",
            "-a/b",
            "a/..",
            "https://hub.acme.example/",
            "https://u:p@hub.acme.example/a/b",
            "cache:a/b/c",
            "./nowhere",
        ] {
            assert!(
                matches!(spot(bad), Err(ImportError::Malformed { .. })),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_cache_is_where_the_client_has_it_or_a_folder() {
        let cache = |folder: &Path, id: Option<&str>| Spot::Cache {
            folder: folder.to_owned(),
            id: id.map(|id| id.parse().unwrap()),
        };
        let own = Path::new("/home/u/.cache/huggingface/hub");
        assert_eq!(spot("cache:").unwrap(), (cache(own, None), None));
        assert_eq!(
            spot("cache:a/b@v1").unwrap(),
            (cache(own, Some("a/b")), Some("v1".to_owned()))
        );
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let snapshot = root.join("models--a--b/snapshots/c0ffee");
        std::fs::create_dir_all(&snapshot).unwrap();
        let word = |path: &Path| spot(path.to_str().unwrap()).unwrap();
        assert_eq!(word(root), (cache(root, None), None));
        let repo = root.join("models--a--b");
        assert_eq!(word(&repo), (cache(root, Some("a/b")), None));
        let commit = Some("c0ffee".to_owned());
        assert_eq!(word(&snapshot), (cache(root, Some("a/b")), commit));
        let plain = root.join("models--a--b/snapshots");
        assert_eq!(word(&plain), (Spot::Folder(plain.clone()), None));
    }
}
