//! Where artifacts can lie: behind the server, in a store that it signs for, in one of the user's.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use modelyard::import::{Candidate, Files, Source, SourceFile};
use modelyard::record::Fault;

use super::lab::{Told, digests};
use super::{fetched, list, listed, open};
use crate::harness::Sandbox;
use crate::harness::minio::Minio;
use crate::harness::mlflow::Mlflow;

/// A server under `/team` whose store is MinIO's, which it signs for.
struct Stores {
    minio: Minio,
    server: Mlflow,
    told: Told,
}

/// One for all.
fn stores() -> &'static Stores {
    static STORES: OnceLock<Stores> = OnceLock::new();
    STORES.get_or_init(|| {
        let minio = Minio::start();
        let variables = minio.variables();
        let mut variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        variables.push(("MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", "true"));
        let words = [
            "--static-prefix",
            "/team",
            "--artifacts-destination",
            "s3://models/own",
        ];
        let server = Mlflow::start_with(3, &words, &variables);
        let url = format!("http://{}/team", server.host());
        variables.push(("MLFLOW_TRACKING_URI", &url));
        let program =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/import/mlflow/stores.py");
        let told = server.folder().join("told.json");
        server.run(&[&program, &told], &variables);
        let told = serde_json::from_slice(&fs::read(told).unwrap()).unwrap();
        Stores {
            minio,
            server,
            told,
        }
    })
}

impl Stores {
    fn source(&self, variables: &[(&str, &str)]) -> Arc<dyn Source> {
        let word = format!("mlflow:http://{}/team/", self.server.host());
        open(&word, Path::new("/"), variables).unwrap()
    }

    /// Fetches a version, compares it with what MLflow's own client loads, and tells by what its
    /// files were found.
    async fn compare(&self, source: &dyn Source, reference: &str) -> String {
        let sandbox = Sandbox::new();
        let listing = list(source).await.unwrap();
        let listed = listed(&listing, reference);
        let candidate = source.candidate(listed).await.unwrap();
        let Files::There(files) = candidate.files else {
            panic!("{:?}", candidate.files);
        };
        let told = &self.told[reference];
        let paths: BTreeSet<_> = files.iter().map(|file| &file.path).collect();
        assert_eq!(paths, told.keys().collect());
        // Of the many a few: each takes a write to the disk.
        let is_one = |file: &&SourceFile| file.path.len() <= 6 || !file.path.starts_with("many/");
        let files: Vec<_> = files.iter().filter(is_one).cloned().collect();
        let few = Candidate {
            files: Files::There(files.clone()),
            ..Candidate::default()
        };
        let folder = fetched(source, listed, &few, &sandbox.path(""))
            .await
            .unwrap();
        let came = digests(&folder);
        assert_eq!(came.len(), files.len());
        for (path, digest) in came {
            assert_eq!(told[&path], digest, "{path}");
        }
        let key: serde_json::Value = serde_json::from_str(&files[0].key).unwrap();
        key["by"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn the_servers_own_store_is_fetched_by_urls_that_it_signs() {
    let stores = stores();
    let source = stores.source(&[]);
    for version in 1..=3 {
        let by = stores
            .compare(&*source, &format!("models:/proxied/{version}"))
            .await;
        assert_eq!(by, "store");
    }
    assert!(
        stores
            .server
            .log()
            .contains("/team/api/2.0/mlflow-artifacts/presigned/"),
        "{}",
        stores.server.log()
    );
}

#[tokio::test]
async fn a_store_of_the_users_is_asked_directly_with_the_users_keys() {
    let stores = stores();
    let variables = stores.minio.variables();
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (*name, &**value))
        .collect();
    let source = stores.source(&variables);
    for version in 1..=3 {
        let by = stores
            .compare(&*source, &format!("models:/direct/{version}"))
            .await;
        assert_eq!(by, "s3");
    }
}

#[tokio::test]
async fn keys_and_endpoint_are_those_of_a_profile_where_no_variable_has_any() {
    let stores = stores();
    let sandbox = Sandbox::new();
    let config = format!(
        "[profile lab]\nregion = us-east-1\nendpoint_url = {}\n[profile sso]\nsso_account_id = 1\n",
        stores.minio.url()
    );
    let credentials = format!(
        "[lab]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        Minio::KEY,
        Minio::SECRET
    );
    let config = sandbox.write("aws/config", config);
    let credentials = sandbox.write("aws/credentials", credentials);
    let files = [
        ("AWS_CONFIG_FILE", config.to_str().unwrap()),
        ("AWS_SHARED_CREDENTIALS_FILE", credentials.to_str().unwrap()),
    ];
    // The server still can where we have no keys.
    for (profile, by) in [("lab", "s3"), ("sso", "run"), ("none", "run")] {
        let source = stores.source(&[&files[..], &[("AWS_PROFILE", profile)]].concat());
        assert_eq!(stores.compare(&*source, "models:/direct/2").await, by);
    }
}

#[tokio::test]
async fn without_keys_that_fit_it_is_asked_by_the_server() {
    let stores = stores();
    let url = stores.minio.url();
    let wrong = [
        ("AWS_ACCESS_KEY_ID", "somebody"),
        ("AWS_SECRET_ACCESS_KEY", "else"),
        ("MLFLOW_S3_ENDPOINT_URL", &*url),
    ];
    let source = stores.source(&wrong);
    for (version, by) in [(2, "run"), (3, "loggedModel")] {
        let reference = format!("models:/direct/{version}");
        assert_eq!(stores.compare(&*source, &reference).await, by);
    }
    let listing = list(&*source).await.unwrap();
    let listed = listed(&listing, "models:/direct/1");
    let candidate = source.candidate(listed).await.unwrap();
    let Files::There(files) = &candidate.files else {
        panic!("{:?}", candidate.files);
    };
    let told = &stores.told["models:/direct/1"];
    let paths: Vec<_> = files.iter().map(|file| file.path.clone()).collect();
    // Some clients' markers of folders are no files to them.
    assert!(told.keys().all(|path| paths.contains(path)), "{paths:?}");
    let one: Vec<_> = files
        .iter()
        .filter(|file| file.path == "artifacts/files/tief/ö +&.txt")
        .cloned()
        .collect();
    assert!(one[0].key.contains(r#""by":"loggedModel""#), "{one:?}");
    let sandbox = Sandbox::new();
    let few = Candidate {
        files: Files::There(one),
        ..Candidate::default()
    };
    let folder = fetched(&*source, listed, &few, &sandbox.path(""))
        .await
        .unwrap();
    for (path, digest) in digests(&folder) {
        assert_eq!(told[&path], digest, "{path}");
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_told() {
    let stores = stores();
    let variables = [
        ("AWS_ACCESS_KEY_ID", Minio::KEY),
        ("AWS_SECRET_ACCESS_KEY", Minio::SECRET),
        ("MLFLOW_S3_ENDPOINT_URL", "http://127.0.0.1:1"),
    ];
    let source = stores.source(&variables);
    let listing = list(&*source).await.unwrap();
    let error = source
        .candidate(listed(&listing, "models:/direct/1"))
        .await
        .unwrap_err();
    assert_eq!(error.code().id, "source-away", "{error}");
    assert!(
        error
            .to_string()
            .starts_with("s3://models can't be reached"),
        "{error}"
    );
}
