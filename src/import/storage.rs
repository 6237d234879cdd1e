//! Where manifests say that a model's bytes are: storage addresses.
//!
//! What can be had here: files of the manifest's own repository (a relative path, or `file://` into
//! it), a single file behind `http(s)://`, and what is below `s3://BUCKET/KEY` in an S3-compatible
//! store, with the user's own keys. An address that leads out of the repository is refused: a
//! manifest that somebody else wrote must not choose which files of this machine are published.
//! For other stores of objects, volumes and images the error names what is needed.

use std::fs;
use std::path::{Path, PathBuf};

use url::Url;

use super::client::{Client, Credentials};
use super::{Detail, Files, ImportError, Opened, Opening, SourceFile, s3};
use crate::platform::redact::{self, printable};
use crate::platform::retry::Policy;

/// What reads storage addresses of one source.
pub(super) struct Storage {
    /// The source, as errors name it.
    place: String,
    /// The folder that files are in, or why a path is none of a file.
    root: Result<PathBuf, &'static str>,
    retry: Policy,
    /// The user's keys for an S3-compatible store.
    s3: s3::Settings,
}

/// What KServe says of S3-compatible stores besides what AWS's tools do.
const S3: s3::Own = s3::Own {
    endpoint: Some("S3_ENDPOINT_URL"),
    ignores_tls: Some(("S3_VERIFY_SSL", "0")),
};

impl Storage {
    /// For the source `place`, whose files are in `root`, if it has any here.
    ///
    /// # Errors
    /// If the variables say that an S3-compatible store is where none can be.
    pub(super) fn new(
        place: &str,
        root: Result<PathBuf, &'static str>,
        opening: &Opening<'_>,
    ) -> Result<Self, ImportError> {
        Ok(Self {
            place: place.to_owned(),
            root,
            retry: opening.retry,
            s3: s3::Settings::read(opening, &S3)?,
        })
    }

    /// `uri` as it may be shown: no user, no password, no query.
    pub(super) fn shown(uri: &str) -> String {
        redact::remote(uri)
    }

    /// The path that `uri` is, if it is one.
    pub(super) fn path(uri: &str) -> Option<&str> {
        match uri.split_once("://") {
            None => Some(uri),
            Some((scheme, path)) => (scheme == "file").then_some(path),
        }
    }

    /// The files at `uri`; a relative one is looked for in `folder`, then in the root.
    ///
    /// # Errors
    /// If there is nothing, it leads out of the root, or it can't be had from here.
    pub(super) async fn find(
        &self,
        uri: &str,
        folder: Option<&Path>,
    ) -> Result<Files, ImportError> {
        if let Some(path) = Self::path(uri) {
            return self.file(path, folder);
        }
        let (scheme, rest) = uri.split_once("://").unwrap_or_default();
        match scheme {
            "http" | "https" => self.single(uri),
            "s3" => self.objects(uri, rest).await,
            _ => Err(self.no(uri, &needed(scheme, uri))),
        }
    }

    /// Begins to read a file that [`Self::find`] told of at byte `from`.
    ///
    /// # Errors
    /// If it can't be had.
    pub(super) async fn open(&self, file: &SourceFile, from: u64) -> Result<Opened, ImportError> {
        if let Some(place) = file.key.strip_prefix("s3://") {
            let (bucket, key) = place.split_once('/').unwrap_or((place, ""));
            let doing = format!("read {}", file.path);
            let opened = self
                .bucket(&file.key, bucket)?
                .open(key, from, &doing)
                .await;
            return opened.map_err(|error| self.of_bucket(&file.key, error));
        }
        let url: Url = file
            .key
            .parse()
            .map_err(|_| self.no(&file.key, "it is no URL"))?;
        let place = redact::url(&url);
        let client = Client::new(&place, url.clone(), Credentials::None, &[], self.retry)?;
        client.open_at(url, from, "read it").await
    }

    /// The objects below `BUCKET/KEY`, or the one that is called so.
    async fn objects(&self, uri: &str, place: &str) -> Result<Files, ImportError> {
        let (name, key) = place.split_once('/').unwrap_or((place, ""));
        let key = key.trim_matches('/');
        if name.is_empty() || key.is_empty() {
            return Err(self.no(uri, "it names no folder and no object in a bucket"));
        }
        let bucket = self.bucket(uri, name)?;
        let found_by = |key: String| format!("s3://{name}/{key}");
        let files = bucket.files(key, found_by).await;
        let files = files.map_err(|error| self.of_bucket(uri, error))?;
        if files.is_empty() {
            return Err(ImportError::Lacks {
                place: format!("s3://{}", printable(name)),
                what: printable(key),
            });
        }
        Ok(Files::There(files))
    }

    /// The bucket `name`, for what is at `uri`.
    fn bucket(&self, uri: &str, name: &str) -> Result<s3::Store, ImportError> {
        if let Some(why) = self.s3.keyless() {
            return Err(self.no(uri, why));
        }
        self.s3.bucket(name, self.retry)
    }

    /// `error` of the bucket of `uri` alone: that one store lets nobody in holds up no other model.
    fn of_bucket(&self, uri: &str, error: ImportError) -> ImportError {
        let ImportError::Unauthorized { detail, .. } = error else {
            return error;
        };
        let said = detail.map_or_else(String::new, |Detail(text)| format!(": {text}"));
        let keys = s3::VARIABLES.join(" or ");
        self.no(
            uri,
            &format!("its store doesn't let us in{said}; set {keys} to those of who may read it"),
        )
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
        let root = self.root.as_ref().map_err(|why| self.no(path, why))?;
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
        "gs" => format!(
            "buckets of Google Cloud (gs://) are not read; fetch it, as by `gcloud storage cp \
             --recursive {uri} FOLDER`, into a folder beside the manifest, and write that folder as \
             its address"
        ),
        "azure" | "wasbs" | "abfss" | "hdfs" | "webhdfs" => format!(
            "stores of objects of this kind ({scheme}://) are not read; copy it into a folder \
             beside the manifest, and write that folder as its address"
        ),
        _ => format!("addresses with {scheme}:// are not known"),
    }
}

#[cfg(test)]
mod tests {
    //! Which addresses lead to files.

    use secrecy::SecretString;

    use super::*;

    fn storage(place: &str, root: Result<PathBuf, &'static str>, keys: bool) -> Storage {
        let variables = |name: &str| -> Option<SecretString> {
            let name = name.starts_with("AWS_").then_some(name)?;
            let url = name.contains("URL").then_some("http://127.0.0.1:1");
            keys.then(|| url.unwrap_or("k").to_owned().into())
        };
        Storage::new(place, root, &Opening::once(&variables)).unwrap()
    }

    #[tokio::test]
    async fn files_are_those_of_the_repository() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let deploy = root.join("tree/deploy");
        fs::create_dir_all(&deploy).unwrap();
        fs::create_dir_all(root.join("tree/models/iris")).unwrap();
        fs::write(root.join("secret"), "s").unwrap();
        fs::write(deploy.join("model.onnx"), "m").unwrap();
        let storage = storage("deploy", Ok(root.join("tree")), false);
        let absolute = format!("file://{}", root.join("tree/models/iris").display());
        for (uri, path) in [
            ("model.onnx", "tree/deploy/model.onnx"),
            ("models/iris", "tree/models/iris"),
            ("../models/iris", "tree/models/iris"),
            (&*absolute, "tree/models/iris"),
        ] {
            let Ok(Files::Here(found)) = storage.find(uri, Some(&deploy)).await else {
                panic!("{uri}");
            };
            assert_eq!(found, root.join(path), "{uri}");
        }
        for (uri, told) in [
            ("../../secret", "leads out of"),
            ("file:///etc/passwd", "leads out of"),
            ("nothing", "no such file"),
            (
                "s3://models/a",
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ),
            ("s3://models", "names no folder and no object"),
            (
                "gs://models/a",
                "gcloud storage cp --recursive gs://models/a",
            ),
            ("abfss://models/a", "abfss://"),
            ("hf://org/name:main", "huggingface:org/name`"),
            (
                "oci://registry.example.com/a:1",
                "image:registry.example.com/a:1`",
            ),
            ("pvc://claim/a", "volume"),
            ("ftp://a/b", "not known"),
            ("https://models.example.com/", "names no file"),
        ] {
            let error = storage.find(uri, Some(&deploy)).await.unwrap_err();
            let error = error.to_string();
            assert!(error.contains(told), "{uri}: {error}");
        }
        let of_cluster = self::storage("context=prod", Err("nowhere"), true);
        let error = of_cluster.find("/mnt/models", None).await.unwrap_err();
        assert!(error.to_string().ends_with("nowhere"), "{error}");
    }

    #[tokio::test]
    async fn a_file_behind_http_has_the_name_at_its_end() {
        let storage = storage("deploy", Err("nowhere"), false);
        let uri = "https://u:p@models.example.com/a/model.onnx?sig=abc";
        let Ok(Files::There(files)) = storage.find(uri, None).await else {
            panic!("{uri}");
        };
        assert_eq!(files[0].path, "model.onnx");
        assert!(files[0].key.ends_with("sig=abc"));
        let uri = "https://u:p@models.example.com/";
        let error = storage.find(uri, None).await.unwrap_err();
        assert!(!error.to_string().contains("u:p"), "{error}");
    }
}
