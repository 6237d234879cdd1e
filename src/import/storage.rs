//! Where manifests say that a model's bytes are: storage addresses.
//!
//! What can be had here: files of the manifest's own repository (a relative path, or `file://` into
//! it) and a single file behind `http(s)://`. An address that leads out of the repository is
//! refused: a manifest that somebody else wrote must not choose which files of this machine are
//! published. For stores of objects, volumes and images the error names what is needed.

use std::fs;
use std::path::{Path, PathBuf};

use url::Url;

use super::client::{Client, Credentials};
use super::{Files, ImportError, Opened, SourceFile};
use crate::platform::redact;
use crate::platform::retry::Policy;

/// What reads storage addresses of one source.
pub(super) struct Storage {
    /// The source, as errors name it.
    place: String,
    /// The folder that files are in, where there is one.
    root: Option<PathBuf>,
    retry: Policy,
}

impl Storage {
    /// For the source `place`, whose files are in `root`.
    pub(super) fn new(place: &str, root: Option<PathBuf>, retry: Policy) -> Self {
        Self {
            place: place.to_owned(),
            root,
            retry,
        }
    }

    /// `uri` as it may be shown: no user, no password, no query.
    pub(super) fn shown(uri: &str) -> String {
        redact::remote(uri)
    }

    /// The files at `uri`; a relative one is looked for in `folder`, then in the root.
    ///
    /// # Errors
    /// If there is nothing, it leads out of the root, or it can't be had from here.
    pub(super) fn find(&self, uri: &str, folder: Option<&Path>) -> Result<Files, ImportError> {
        let Some((scheme, rest)) = uri.split_once("://") else {
            return self.file(uri, folder);
        };
        match scheme {
            "file" => self.file(rest, folder),
            "http" | "https" => self.single(uri),
            _ => Err(self.no(uri, &needed(scheme, uri))),
        }
    }

    /// Begins to read a file that [`Self::find`] told of at byte `from`.
    ///
    /// # Errors
    /// If it can't be had.
    pub(super) async fn open(&self, file: &SourceFile, from: u64) -> Result<Opened, ImportError> {
        let url: Url = file
            .key
            .parse()
            .map_err(|_| self.no(&file.key, "it is no URL"))?;
        let place = redact::url(&url);
        let client = Client::new(&place, url.clone(), Credentials::None, &[], self.retry)?;
        client.open_at(url, from, "read it").await
    }

    /// A single file behind HTTP.
    fn single(&self, uri: &str) -> Result<Files, ImportError> {
        let url: Url = uri.parse().map_err(|_| self.no(uri, "it is no URL"))?;
        let mut segments = url.path_segments().into_iter().flatten();
        let Some(name) = segments.next_back().filter(|name| !name.is_empty()) else {
            return Err(self.no(
                uri,
                "it names no file; only a single file can be had by HTTP",
            ));
        };
        Ok(Files::There(vec![SourceFile {
            path: name.to_owned(),
            key: url.to_string(),
            size_bytes: None,
            sha256: None,
        }]))
    }

    fn file(&self, path: &str, folder: Option<&Path>) -> Result<Files, ImportError> {
        let Some(root) = &self.root else {
            let why = "it is a path in a container of the cluster; import the manifests of the \
                       folder that has it";
            return Err(self.no(path, why));
        };
        let places = folder.into_iter().chain([root.as_path()]);
        let Some(found) = places
            .map(|place| place.join(path))
            .find(|path| path.exists())
        else {
            let why = format!("there is no such file or folder in {}", root.display());
            return Err(self.no(path, &why));
        };
        match fs::canonicalize(&found) {
            Ok(found) if found.starts_with(root) => Ok(Files::Here(found)),
            _ => {
                let why = format!(
                    "it leads out of {}; import it by itself, as in `modelyard import folder:…`",
                    root.display()
                );
                Err(self.no(path, &why))
            }
        }
    }

    fn no(&self, uri: &str, why: &str) -> ImportError {
        ImportError::Malformed {
            place: format!("the model at {} of {}", Self::shown(uri), self.place),
            reason: why.to_owned(),
        }
    }
}

/// What it needs to have bytes of an address with `scheme`.
fn needed(scheme: &str, uri: &str) -> String {
    let bare = uri.split_once("://").map_or("", |(_, rest)| rest);
    match scheme {
        "hf" => {
            let repository = bare.split(':').next().unwrap_or_default();
            format!(
                "it is on a Hugging Face hub; import it from there, as in `modelyard import \
                 huggingface:{repository}`"
            )
        }
        "oci" => format!(
            "it is a container image; import it by itself, as in `modelyard import image:{bare}`"
        ),
        "pvc" => {
            "it is on a volume of the cluster; copy it into a folder beside the manifest, and \
                  write that folder as its address"
                .to_owned()
        }
        "s3" | "gs" | "azure" | "wasbs" | "abfss" | "hdfs" | "webhdfs" => format!(
            "stores of objects ({scheme}://) are not read from manifests; copy it into a folder \
             beside the manifest, and write that folder as its address"
        ),
        _ => format!("addresses with {scheme}:// are not known"),
    }
}

#[cfg(test)]
mod tests {
    //! Which addresses lead to files.

    use std::time::Duration;

    use super::*;

    fn policy() -> Policy {
        Policy {
            attempts: 1,
            first_wait: Duration::ZERO,
            longest_wait: Duration::ZERO,
        }
    }

    #[test]
    fn files_are_those_of_the_repository() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let deploy = root.join("tree/deploy");
        fs::create_dir_all(&deploy).unwrap();
        fs::create_dir_all(root.join("tree/models/iris")).unwrap();
        fs::write(root.join("secret"), "s").unwrap();
        fs::write(deploy.join("model.onnx"), "m").unwrap();
        let storage = Storage::new("deploy", Some(root.join("tree")), policy());
        let find = |uri: &str| storage.find(uri, Some(&deploy));
        let here = |uri: &str| match find(uri) {
            Ok(Files::Here(path)) => path.strip_prefix(&root).unwrap().display().to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(here("model.onnx"), "tree/deploy/model.onnx");
        assert_eq!(here("models/iris"), "tree/models/iris");
        assert_eq!(here("../models/iris"), "tree/models/iris");
        let absolute = format!("file://{}", root.join("tree/models/iris").display());
        assert_eq!(here(&absolute), "tree/models/iris");
        for (uri, told) in [
            ("../../secret", "leads out of"),
            ("file:///etc/passwd", "leads out of"),
            ("nothing", "no such file"),
            ("s3://models/a", "s3://"),
            ("gs://models/a", "gs://"),
            ("hf://org/name:main", "huggingface:org/name`"),
            (
                "oci://registry.example.com/a:1",
                "image:registry.example.com/a:1`",
            ),
            ("pvc://claim/a", "volume"),
            ("ftp://a/b", "not known"),
            ("https://models.example.com/", "names no file"),
        ] {
            let error = find(uri).unwrap_err().to_string();
            assert!(error.contains(told), "{uri}: {error}");
        }
        let of_cluster = Storage::new("context=prod", None, policy());
        let error = of_cluster
            .find("/mnt/models", None)
            .unwrap_err()
            .to_string();
        assert!(error.contains("container of the cluster"), "{error}");
    }

    #[test]
    fn a_file_behind_http_has_the_name_at_its_end() {
        let storage = Storage::new("deploy", None, policy());
        let found = storage.find("https://u:p@models.example.com/a/model.onnx?sig=abc", None);
        let Ok(Files::There(files)) = found else {
            panic!("{found:?}");
        };
        assert_eq!(files[0].path, "model.onnx");
        assert!(files[0].key.ends_with("sig=abc"));
        let error = storage
            .find("https://u:p@models.example.com/", None)
            .unwrap_err();
        assert!(!error.to_string().contains("u:p"), "{error}");
    }
}
