//! MLflow: a tracking server of 2.x or 3.x by its REST API, or a store on this machine, of which
//! the user's own MLflow is started as a server.
//!
//! ```text
//!  mlflow:https://host/prefix      a server
//!  mlflow:./folder                 mlflow.db in it, or the folder of runs in it, or it itself
//!  mlflow:sqlite:///mlflow.db      a database
//! ```
//!
//! A registered model's version `N` is `N.0.0` here. What is told of it comes from the version, the
//! run that made it, the logged model that it is (3.x) and its `MLmodel`. Source: MLflow's REST API
//! (`mlflow/protos/{service,model_registry,mlflow_artifacts}.proto`), and how 3.17 and 2.22 answer.

mod address;
mod api;
mod artifacts;
mod connection;
mod lineage;
mod listing;
mod measures;
mod register;
mod said;
mod server;
mod telling;
mod words;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::stream::StreamExt;
use secrecy::ExposeSecret;
use tokio::sync::OnceCell;

use super::client::{Client, Credentials};
use super::mlmodel::{self, Told};
use super::s3;
use super::{
    Candidate, Detail, Files, ImportError, Listed, Listing, Opened, Opening, Place, Source,
    SourceFile,
};
use crate::platform::Progress;
use crate::platform::atomic::read_at_most;
use crate::platform::retry::Policy;
use crate::record::kind::SourceType;

pub use register::{Registered, Registration, register};

use address::Address;
use api::Api;
use artifacts::{Key, Root, Shelf};
use connection::{Connection, Http};
use said::Said;
use server::Server;
use telling::Answers;

/// The variables that can have a token, as errors name them.
const VARIABLES: &[&str] = &[
    "MLFLOW_TRACKING_TOKEN",
    "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
];

/// What MLflow says of S3-compatible stores besides what AWS's tools do.
const S3: s3::Own = s3::Own {
    endpoint: Some("MLFLOW_S3_ENDPOINT_URL"),
    ignores_tls: Some(("MLFLOW_S3_IGNORE_TLS", "true")),
};

/// An MLflow.
pub(super) struct Mlflow {
    address: Address,
    credentials: Credentials,
    http: Http,
    retry: Policy,
    program: String,
    s3: s3::Settings,
    /// The buckets that were opened: each has a client of its own.
    buckets: Mutex<BTreeMap<String, Arc<s3::Store>>>,
    connection: OnceCell<Connection>,
}

impl Mlflow {
    /// The MLflow at `place`.
    ///
    /// # Errors
    /// If no MLflow can be there, or a variable that is meant for it can't be used.
    pub(super) fn open(place: &Place, opening: &Opening<'_>) -> Result<Self, ImportError> {
        let variable = |name: &str| opening.said(name);
        let plain = |name: &str| variable(name).map(|value| value.expose_secret().to_owned());
        let address = Address::read(&place.at, &opening.folder)?;
        let user = plain("MLFLOW_TRACKING_USERNAME");
        let password = variable("MLFLOW_TRACKING_PASSWORD");
        let token = variable("MLFLOW_TRACKING_TOKEN");
        let credentials = match (&place.token, user, password, token) {
            (Some(name), ..) => {
                let token = variable(name).ok_or_else(|| ImportError::Unauthorized {
                    place: address.place(),
                    doing: "in".to_owned(),
                    variables: VARIABLES,
                    detail: Some(Detail(format!(
                        "the variable {name}, which the yard names, is not set"
                    ))),
                })?;
                Credentials::Bearer(token)
            }
            (None, Some(user), Some(password), _) => Credentials::Basic(user, password),
            (None, _, _, Some(token)) => Credentials::Bearer(token),
            _ => Credentials::None,
        };
        Ok(Self {
            address,
            credentials,
            http: Http::read(&plain, opening)?,
            retry: opening.retry,
            program: plain(server::PROGRAM).unwrap_or_else(|| "mlflow".to_owned()),
            s3: s3::Settings::read(opening, &S3)?,
            buckets: Mutex::default(),
            connection: OnceCell::new(),
        })
    }

    /// What is asked, started first where it is ours.
    async fn connection(&self) -> Result<&Connection, ImportError> {
        self.connection.get_or_try_init(|| self.connect()).await
    }

    async fn connect(&self) -> Result<Connection, ImportError> {
        let place = self.place();
        let (client, url, own) = match &self.address {
            Address::Server(url) => {
                let builder = self.http.builder();
                let credentials = self.credentials.clone();
                let client = Client::over(
                    builder,
                    &place,
                    url.clone(),
                    credentials,
                    VARIABLES,
                    self.retry,
                )?;
                (client, url.clone(), None)
            }
            Address::Local(backend) => {
                let server = Server::start(&self.program, backend).await?;
                (server.client(self.retry)?, server.url.clone(), Some(server))
            }
        };
        Ok(Connection::new(Api { client, place }, url, own))
    }

    /// A file that is wanted here at once.
    async fn read(&self, file: &SourceFile, limit: u64) -> Result<Vec<u8>, ImportError> {
        let read = || async {
            let mut opened = self.open(file, 0).await?;
            let mut bytes = Vec::new();
            while let Some(chunk) = opened.bytes.next().await {
                bytes.extend_from_slice(&chunk?);
                if bytes.len() as u64 > limit {
                    return Err(ImportError::TooLarge {
                        place: format!("{} of {}", file.path, self.place()),
                        limit,
                        unit: "bytes",
                    });
                }
            }
            Ok(bytes)
        };
        let connection = self.connection().await?;
        connection.api.client.retry().run(read).await
    }

    /// Where the files of a version are, and what they are.
    async fn files(
        &self,
        connection: &Connection,
        listed: &Listed,
        uri: &str,
        shelves: &[Shelf],
    ) -> Result<Files, ImportError> {
        let by_server = || Key::by_server(uri, shelves);
        let key = match (Root::of(uri, &connection.url), &self.address) {
            (Root::Folder(folder), Address::Local(backend)) => match backend.now(folder) {
                Some(folder) => return Ok(Files::Here(folder)),
                None => by_server(),
            },
            (Root::Asked(Key::S3 { bucket, path }), _) => {
                match (self.objects(&bucket, &path).await, by_server()) {
                    // Then by the server, if it can.
                    (Err(error), Some(key)) if self.s3.misfit(&error) => Some(key),
                    (files, _) => return self.some(files?, listed, uri).map(Files::There),
                }
            }
            (Root::Folder(_) | Root::Elsewhere, _) => by_server(),
            (Root::Asked(key), _) => Some(key),
        };
        let key = key.ok_or_else(|| ImportError::Lacks {
            place: self.place(),
            what: format!(
                "run and no logged model by which the files of {} at {uri} can be listed",
                listed.reference
            ),
        })?;
        let files = connection.api.files(&key).await?;
        self.some(files, listed, uri).map(Files::There)
    }

    async fn objects(&self, bucket: &str, path: &str) -> Result<Vec<SourceFile>, ImportError> {
        let found_by = |path| {
            let bucket = bucket.to_owned();
            Key::S3 { bucket, path }.to_text()
        };
        self.bucket(bucket)?.files(path, found_by).await
    }

    /// The bucket of this name.
    fn bucket(&self, name: &str) -> Result<Arc<s3::Store>, ImportError> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get(name) {
            return Ok(Arc::clone(bucket));
        }
        let bucket = Arc::new(self.s3.bucket(name, self.retry)?);
        buckets.insert(name.to_owned(), Arc::clone(&bucket));
        Ok(bucket)
    }

    /// `files`, unless there are none: a version whose files somebody deleted is no version.
    fn some(
        &self,
        files: Vec<SourceFile>,
        listed: &Listed,
        uri: &str,
    ) -> Result<Vec<SourceFile>, ImportError> {
        if files.is_empty() {
            return Err(ImportError::Lacks {
                place: self.place(),
                what: format!("files of {} at {uri}", listed.reference),
            });
        }
        Ok(files)
    }

    /// What its `MLmodel` says, if it has one that can be read; else why not.
    async fn file(&self, files: &Files) -> Result<Result<Told, String>, ImportError> {
        let place = format!("{} of {}", mlmodel::FILE, self.place());
        let told = match files {
            Files::Here(folder) => {
                let path = folder.join(mlmodel::FILE);
                if !path.is_file() {
                    return Ok(Err(without_file()));
                }
                let bytes = read_at_most(&path, mlmodel::MAX_BYTES)?;
                mlmodel::tell(&place, &bytes, |name| folder.join(name).is_file())
            }
            Files::There(files) => {
                let Some(file) = files.iter().find(|file| file.path == mlmodel::FILE) else {
                    return Ok(Err(without_file()));
                };
                let bytes = self.read(file, mlmodel::MAX_BYTES).await?;
                mlmodel::tell(&place, &bytes, |name| {
                    files.iter().any(|file| file.path == name)
                })
            }
            // MLflow keeps no archives.
            Files::Inside(_) => return Ok(Err(without_file())),
        };
        Ok(told.map_err(|error| error.to_string()))
    }
}

/// The logged model that a version's source is, or is of: a server that was told both keeps the
/// source alone.
fn logged_model(source: &str) -> Option<&str> {
    let is_id = |part: &&str| {
        let hex = part.strip_prefix("m-").unwrap_or_default();
        hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    source.split('/').find(is_id)
}

fn without_file() -> String {
    format!(
        "it has no {}: of its inputs and outputs is known what its files tell",
        mlmodel::FILE
    )
}

#[async_trait]
impl Source for Mlflow {
    fn source_type(&self) -> SourceType {
        SourceType::Mlflow
    }

    fn place(&self) -> String {
        self.address.place()
    }

    fn address(&self) -> Option<String> {
        match self.address {
            Address::Server(_) => Some(self.place()),
            Address::Local(_) => None,
        }
    }

    async fn list(&self, progress: &dyn Progress) -> Result<Listing, ImportError> {
        if let Address::Local(_) = self.address {
            progress.step("starting MLflow");
        }
        let connection = self.connection().await?;
        progress.step("listing models and versions");
        listing::of(&connection.api).await
    }

    async fn candidate(&self, listed: &Listed) -> Result<Candidate, ImportError> {
        let connection = self.connection().await?;
        let api = &connection.api;
        let mut answers = Answers {
            version: api.version(listed).await?,
            ..Answers::default()
        };
        let mut remarks = Vec::new();

        let of_source = answers.version.has("source").and_then(logged_model);
        let model_id = answers.version.has("model_id").or(of_source);
        if let Some(id) = model_id.map(str::to_owned) {
            answers.logged_model = api.logged_model(&id).await?;
            if answers.logged_model == Said::default() {
                remarks.push(format!("the logged model {id} is no longer there"));
            }
        }
        let mut info = answers.logged_model.clone().object("info");
        let of_model = info.text("source_run_id");
        let run_id = answers
            .version
            .has("run_id")
            .map(str::to_owned)
            .or(of_model);
        let mut shelves = Vec::new();
        if let (Some(id), Some(uri)) = (info.text("model_id"), info.text("artifact_uri")) {
            shelves.push(Shelf {
                key: Key::LoggedModel {
                    id,
                    path: String::new(),
                },
                uri,
            });
        }
        if let Some(id) = run_id {
            answers.run = api.run(&id).await?;
            match answers.run.clone().object("info").text("artifact_uri") {
                Some(uri) => shelves.push(Shelf {
                    key: Key::Run {
                        id,
                        path: String::new(),
                    },
                    uri,
                }),
                None => remarks.push(format!("the run {id} is no longer there")),
            }
        }

        let uri = api.uri(listed).await?;
        let files = self.files(connection, listed, &uri, &shelves).await?;
        match self.file(&files).await? {
            Ok(told) => answers.file = told,
            Err(remark) => remarks.push(remark),
        }
        if let Address::Server(_) = self.address {
            answers.pages = Some(format!("{}/#", self.place()));
        }
        let told =
            telling::tell(answers).map_err(|error| api.malformed("read a version", &error))?;
        remarks.extend(told.remarks);
        Ok(Candidate {
            version: told.version,
            card: None,
            unmapped: told.unmapped,
            files,
            remarks,
            carrier: None,
        })
    }

    async fn open(&self, file: &SourceFile, from: u64) -> Result<Opened, ImportError> {
        let lacks = || ImportError::Lacks {
            place: self.place(),
            what: file.path.clone(),
        };
        let key: Key = serde_json::from_str(&file.key).map_err(|_| lacks())?;
        let connection = self.connection().await?;
        let doing = format!("read {}", file.path);
        let opened = match &key {
            Key::S3 { bucket, path } => {
                let bucket = self.bucket(bucket)?;
                bucket.open(path, from, &doing).await
            }
            _ => connection.open(&key, from, &doing).await,
        };
        opened.map_err(|error| match error {
            ImportError::Refused { status: 404, .. } => lacks(),
            error => error,
        })
    }
}

impl fmt::Debug for Mlflow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.place())
    }
}
