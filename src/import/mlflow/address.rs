//! Where an MLflow is: a server, or what a server can be started on.

use std::fs;
use std::path::{Path, PathBuf};

use url::Url;

use crate::import::ImportError;
use crate::platform::atomic::FileError;
use crate::platform::redact;

/// What MLflow calls its database where nothing else is said.
const DATABASE: &str = "mlflow.db";

/// The folder that it keeps runs in where it has no database.
const RUNS: &str = "mlruns";

/// Where an MLflow is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A tracking server: the URL that the API is below.
    Server(Url),
    /// A store on this machine, of which a server has to be started.
    Local(Backend),
}

/// What a server of our own is started on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Backend {
    /// As MLflow's `--backend-store-uri` takes it.
    pub(super) uri: String,
    /// Where it lay when MLflow wrote it: relative addresses of artifacts begin there.
    pub(super) folder: PathBuf,
}

impl Address {
    /// Reads `at`; a relative path begins at `folder`.
    ///
    /// # Errors
    /// If there is no such folder or database, or a URL can't be one of MLflow.
    pub(super) fn read(at: &str, folder: &Path) -> Result<Self, ImportError> {
        match at.split_once("://") {
            Some(("http" | "https", _)) => Self::server(at),
            Some(("sqlite", path)) => {
                // `sqlite:///mlflow.db` is relative, and `sqlite:////srv/mlflow.db` is not.
                let path = path.strip_prefix('/').unwrap_or(path);
                let path = path.split('?').next().unwrap_or_default();
                Self::database(&folder.join(path))
            }
            Some(("file", _)) => {
                let path = Url::parse(at).ok().and_then(|url| url.to_file_path().ok());
                let path = path.ok_or_else(|| unusable(at, "it names no file of this machine"))?;
                Self::path(&path)
            }
            Some(_) => Err(unusable(
                at,
                "it is neither a tracking server, a folder nor SQLite; start `mlflow server \
                 --backend-store-uri …` on it, and import from that",
            )),
            None => Self::path(&folder.join(at)),
        }
    }

    fn server(at: &str) -> Result<Self, ImportError> {
        let mut url: Url = at.parse().map_err(|_| unusable(at, "it is no URL"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(unusable(
                at,
                "a user or a password is in its URL; set MLFLOW_TRACKING_USERNAME and \
                 MLFLOW_TRACKING_PASSWORD in place of them",
            ));
        }
        // A page of its own that somebody copied.
        url.set_query(None);
        url.set_fragment(None);
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty();
        }
        Ok(Self::Server(url))
    }

    fn path(path: &Path) -> Result<Self, ImportError> {
        let path = fs::canonicalize(path).map_err(FileError::at("read", path))?;
        if path.is_file() {
            return Self::database(&path);
        }
        let database = path.join(DATABASE);
        if database.is_file() {
            return Self::database(&database);
        }
        let below = path.join(RUNS);
        let runs = if is_store(&below) { below } else { path };
        if !is_store(&runs) {
            return Err(unusable(
                &runs.display().to_string(),
                "it has no mlflow.db, and no folder of runs or models",
            ));
        }
        let folder = runs.parent().unwrap_or(&runs).to_owned();
        Ok(Self::Local(Backend {
            uri: runs.display().to_string(),
            folder,
        }))
    }

    fn database(path: &Path) -> Result<Self, ImportError> {
        let path = fs::canonicalize(path).map_err(FileError::at("read", path))?;
        let folder = path.parent().unwrap_or(&path).to_owned();
        Ok(Self::Local(Backend {
            uri: format!("sqlite:///{}", path.display()),
            folder,
        }))
    }

    /// As people write it.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Server(url) => redact::url(url).trim_end_matches('/').to_owned(),
            Self::Local(backend) => backend.uri.clone(),
        }
    }
}

impl Backend {
    /// Where `folder` is now, if the store was moved since MLflow wrote down where it lies.
    pub(super) fn now(&self, folder: PathBuf) -> Option<PathBuf> {
        if folder.exists() {
            return Some(folder);
        }
        let text = folder.to_str()?;
        ["mlruns", "mlartifacts"].into_iter().find_map(|store| {
            let (_, below) = text.rsplit_once(&format!("/{store}/"))?;
            Some(self.folder.join(store).join(below)).filter(|folder| folder.exists())
        })
    }
}

/// Whether a folder is what MLflow writes where it has no database: experiments, each with a file
/// about it, or models.
fn is_store(folder: &Path) -> bool {
    let has_experiment = || {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .take(1000)
            .any(|entry| entry.path().join("meta.yaml").is_file())
    };
    folder.join("models").is_dir() || folder.join(".trash").is_dir() || has_experiment()
}

fn unusable(at: &str, reason: &str) -> ImportError {
    ImportError::Malformed {
        place: redact::remote(at),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    //! What people write.

    use super::*;

    fn server(at: &str) -> Result<String, String> {
        let address = Address::read(at, Path::new("/"));
        address
            .map(|address| address.place())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_server_is_told_by_its_url_and_never_with_a_password() {
        for (at, place) in [
            ("https://mlflow.example", "https://mlflow.example"),
            ("http://127.0.0.1:5000/", "http://127.0.0.1:5000"),
            (
                "https://host.example/mlflow/#/models/a?x=y",
                "https://host.example/mlflow",
            ),
        ] {
            assert_eq!(server(at).unwrap(), place, "{at}");
        }
        let refused = server("https://me:secret@mlflow.example").unwrap_err();
        assert!(refused.contains("MLFLOW_TRACKING_USERNAME"), "{refused}");
        assert!(!refused.contains("secret"), "{refused}");
        let refused = server("postgresql://me:secret@db.example/mlflow").unwrap_err();
        assert!(refused.contains("mlflow server"), "{refused}");
        assert!(!refused.contains("secret"), "{refused}");
    }

    #[test]
    fn a_folder_is_told_by_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        assert!(Address::read(".", &root).is_err());
        assert!(Address::read("nothing", &root).is_err());

        fs::create_dir_all(root.join("mlruns/0")).unwrap();
        fs::write(root.join("mlruns/0/meta.yaml"), "").unwrap();
        let runs = Address::Local(Backend {
            uri: root.join("mlruns").display().to_string(),
            folder: root.clone(),
        });
        for at in [".", "mlruns", "./mlruns"] {
            assert_eq!(Address::read(at, &root).unwrap(), runs, "{at}");
        }

        fs::write(root.join("mlflow.db"), "").unwrap();
        let database = Address::Local(Backend {
            uri: format!("sqlite:///{}/mlflow.db", root.display()),
            folder: root.clone(),
        });
        let whole = format!("sqlite:///{}/mlflow.db", root.display());
        for at in [".", "mlflow.db", "sqlite:///mlflow.db", &whole] {
            assert_eq!(Address::read(at, &root).unwrap(), database, "{at}");
        }
        assert!(Address::read("sqlite:///other.db", &root).is_err());

        // The folder came from another machine.
        let Address::Local(backend) = database else {
            panic!("{database:?}");
        };
        let here = root.join("mlruns/0");
        assert_eq!(backend.now("/home/ada/mlruns/0".into()), Some(here.clone()));
        assert_eq!(backend.now(here.clone()), Some(here));
        assert_eq!(backend.now("/home/ada/mlruns/1".into()), None);
        assert_eq!(backend.now("/home/ada/x".into()), None);
    }
}
