//! Manifests whose models are in an S3-compatible store: MinIO.

use std::path::Path;
use std::time::{Duration, Instant};

use rusty_s3::actions::S3Action as _;
use rusty_s3::{Bucket, Credentials, UrlStyle};
use serde_json::{Value, json};
use url::Url;
use walkdir::WalkDir;

use crate::harness::minio::Minio;
use crate::harness::{Answer, Front, Outcome, Sandbox, Yard, web};

/// How long a store may take to come up on a machine that builds at the same time.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long an address holds.
const HOLDS: Duration = Duration::from_secs(3600);

/// A bucket of the store, as whoever fills it has it.
pub(super) struct Filled {
    minio: Minio,
    bucket: Bucket,
    credentials: Credentials,
}

impl Filled {
    pub(super) fn new() -> Self {
        let minio = Minio::start();
        let url = minio.url().parse().unwrap();
        let bucket = Bucket::new(url, UrlStyle::Path, "models", "us-east-1").unwrap();
        let credentials = Credentials::new(Minio::KEY, Minio::SECRET);
        let filled = Self {
            minio,
            bucket,
            credentials,
        };
        let made = filled.bucket.create_bucket(&filled.credentials).sign(HOLDS);
        // It says that it is ready a moment before it is.
        let began = Instant::now();
        while filled.sent(&made, &[]).status == 503 && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(20));
        }
        filled
    }

    /// Puts every file below `folder` below `prefix`.
    pub(super) fn put_folder(&self, prefix: &str, folder: &Path) {
        for entry in WalkDir::new(folder).min_depth(1) {
            let entry = entry.unwrap();
            if entry.file_type().is_file() {
                let name = entry.path().strip_prefix(folder).unwrap();
                let key = format!("{prefix}/{}", name.display());
                self.put_bytes(&key, &std::fs::read(entry.path()).unwrap());
            }
        }
    }

    fn put(&self, key: &str, content: &Value) {
        self.put_bytes(key, content.to_string().as_bytes());
    }

    fn put_bytes(&self, key: &str, content: &[u8]) {
        let put = self.bucket.put_object(Some(&self.credentials), key);
        let said = self.sent(&put.sign(HOLDS), content);
        assert_eq!(said.status, 200, "{}", said.text());
    }

    fn sent(&self, url: &Url, content: &[u8]) -> web::Said {
        let path = format!("{}?{}", url.path(), url.query().unwrap_or_default());
        web::try_send(&self.host(), "PUT", &path, &[], content).unwrap()
    }

    /// What reads it finds it and its keys by.
    pub(super) fn variables(&self) -> [(&'static str, String); 3] {
        [
            ("AWS_ACCESS_KEY_ID", Minio::KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", Minio::SECRET.to_owned()),
            ("AWS_ENDPOINT_URL", self.minio.url()),
        ]
    }

    fn host(&self) -> String {
        self.minio.url().replace("http://", "")
    }
}

impl Yard<'_> {
    /// `modelyard import` of the manifests in `deploy`, with the keys of the store at `host`.
    fn import_deployed(&self, host: &str, words: &[&str]) -> Outcome {
        let run = self.import([&["kserve:../deploy", "--name=deploy"][..], words].concat());
        let run = run
            .env("AWS_ACCESS_KEY_ID", Minio::KEY)
            .env("AWS_SECRET_ACCESS_KEY", Minio::SECRET);
        run.env("AWS_ENDPOINT_URL", format!("http://{host}")).run()
    }
}

/// A manifest of a service whose model is at `uri`.
fn service(sandbox: &Sandbox, name: &str, uri: &str) {
    let manifest = format!(
        "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {{name: {name}}}\nspec:\n  predictor:\n    model:\n      modelFormat: {{name: custom}}\n      storageUri: \"{uri}\"\n"
    );
    sandbox.write(format!("deploy/{name}.yaml"), manifest);
}

#[test]
fn a_folder_or_an_object_of_a_bucket_is_a_model() {
    let sandbox = Sandbox::new();
    let (yard, filled) = (sandbox.yard(), Filled::new());
    let weights = json!({"weights": "of digits"});
    filled.put("digits/1/model.bin", &weights);
    filled.put("digits/1/more/a b+ü.txt", &json!({"more": true}));
    filled.put("digits/10/model.bin", &json!({"weights": "of others"}));
    filled.put("single.bin", &weights);
    service(&sandbox, "digits", "s3://models/digits/1/");
    service(&sandbox, "single", "s3://models/single.bin");
    // Nobody says which environment the services themselves are of: their models come all the same.
    let outcome = yard.import_deployed(&filled.host(), &[]).exits(1);
    outcome
        .prints("imported  vision/digits:")
        .prints("2 files")
        .prints("imported  vision/single:");
    let message = yard
        .git(["log", "-1", "--format=%B", "import/deploy"])
        .run();
    message.success().prints("vision/digits:1.0.0");
    let record = yard.show("import/deploy", "models/vision/single/versions/1.0.0.yaml");
    assert!(
        record.contains(&format!("size: {}", weights.to_string().len())),
        "{record}"
    );
    assert!(
        record.contains("storageUri: s3://models/single.bin"),
        "{record}"
    );
    yard.merge("import/deploy");
    yard.import_deployed(&filled.host(), &[])
        .exits(1)
        .prints("unchanged 2 versions");
}

#[test]
fn the_keys_can_be_a_profiles() {
    let sandbox = Sandbox::new();
    let (yard, filled) = (sandbox.yard(), Filled::new());
    filled.put("digits/model.bin", &json!({"weights": "of digits"}));
    service(&sandbox, "digits", "s3://models/digits");
    let (key, secret) = (Minio::KEY, Minio::SECRET);
    let keys = format!("[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n");
    sandbox.write_home(".aws/credentials", keys);
    let config = format!(
        "[default]\nendpoint_url = {}\n[profile sso]\nsso_account_id = 1\n",
        filled.minio.url()
    );
    sandbox.write_home(".aws/config", config);
    let import = || yard.import(["kserve:../deploy", "--name=deploy"]);
    let told = import()
        .env("AWS_PROFILE", "sso")
        .run()
        .exits(1)
        .prints("aws configure export-credentials --profile sso --format env");
    assert!(!told.stdout.contains(secret), "{}", told.stdout);
    import().run().exits(1).prints("imported  vision/digits:");
}

#[test]
fn a_store_that_refuses_goes_away_or_never_ends_is_told() {
    let sandbox = Sandbox::new();
    let (yard, filled) = (sandbox.yard(), Filled::new());
    filled.put("digits/model.bin", &json!({"weights": "of digits"}));
    service(&sandbox, "digits", "s3://models/digits");
    let host = filled.host();
    // Without keys, with wrong ones, and with nothing there.
    yard.import(["kserve:../deploy"])
        .run()
        .exits(1)
        .prints("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
    let wrong = yard.import(["kserve:../deploy"]);
    let wrong = wrong
        .env("AWS_ACCESS_KEY_ID", Minio::KEY)
        .env("AWS_SECRET_ACCESS_KEY", "wrong-secret")
        .env("AWS_ENDPOINT_URL", filled.minio.url())
        .run()
        .exits(1)
        .prints("its store doesn't let us in");
    assert!(!wrong.stderr.contains("wrong-secret"), "{}", wrong.stderr);
    service(&sandbox, "digits", "s3://models/nothing");
    yard.import_deployed(&host, &[])
        .exits(1)
        .prints("s3://models has no nothing");
    service(&sandbox, "digits", "gs://models/digits");
    yard.import_deployed(&host, &[])
        .exits(1)
        .prints("gcloud storage cp --recursive gs://models/digits");

    // Signatures are of the host: what stands before it answers by itself.
    service(&sandbox, "digits", "s3://models/digits");
    let front = Front::alone();
    let list = |rest: &str| {
        let list = format!(
            "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>models</Name><Prefix>digits/</Prefix><KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys>{rest}</ListBucketResult>"
        );
        Answer::body(200, "application/xml", list)
    };
    let object = |key: &str| {
        format!(
            "<Contents><Key>{key}</Key><LastModified>2026-11-01T08:00:00.000Z</LastModified><ETag>x</ETag><Size>5</Size><StorageClass>STANDARD</StorageClass></Contents>"
        )
    };
    let more = "<IsTruncated>true</IsTruncated><NextContinuationToken>more</NextContinuationToken>";
    let endless = format!("{more}{}", object("digits/a"));
    front.always("GET", "list-type=2", list(&endless));
    yard.import_deployed(&front.host(), &[])
        .exits(1)
        .prints("its pages never end");
    let climbing = format!(
        "<IsTruncated>false</IsTruncated>{}",
        object("digits/../../climbed")
    );
    front.always("GET", "list-type=2", list(&climbing));
    yard.import_deployed(&front.host(), &[])
        .exits(1)
        .prints("climbed");
    let one = format!("<IsTruncated>false</IsTruncated>{}", object("digits/a"));
    front.always("GET", "list-type=2", list(&one));
    front.always("GET", "/models/digits/a", Answer::status(503));
    yard.import_deployed(&front.host(), &[])
        .exits(3)
        .says("can't be reached");
    assert!(!sandbox.path("climbed").exists());
    assert!(!yard.refs().contains("import/deploy"));
}
