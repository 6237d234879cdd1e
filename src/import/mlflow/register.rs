//! Out again: a version becomes a run and a registered version of a tracking server.
//!
//! ```text
//!  experiment ─▶ run: parameters, metrics, tags ─▶ its files ─▶ run ends ─▶ version ─▶ aliases, stage
//! ```
//!
//! A version is registered once its files are all there; a run that got no further is marked as
//! failed. Which version of the yard it is says the tag `modelyard.reference`, and of which bytes
//! `modelyard.digest`: what is there already isn't registered again.

use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Mlflow;
use super::address::Address;
use super::api::Api;
use super::artifacts::{Key, Root};
use super::said::Said;
use crate::import::{ImportError, LeftOut, Opening, Place};
use crate::record::kind::{Model, ModelVersion, SourceType};
use crate::record::{Alias, Lifecycle};

/// The tag that says which version of the yard it is.
const REFERENCE: &str = "modelyard.reference";

/// The tag that says of which bytes it is.
const DIGEST: &str = "modelyard.digest";

/// The folder of a run that the files are in.
const FOLDER: &str = "model";

/// The most parameters that MLflow takes at once, and tags.
const MOST_PARAMETERS: usize = 100;

/// The most metrics that MLflow takes at once, with some room.
const MOST_METRICS: usize = 900;

/// The longest value of a parameter, in characters.
const LONGEST_PARAMETER: usize = 6000;

/// What is registered.
pub struct Registration<'a> {
    /// The model.
    pub model: &'a Model,
    /// Its version.
    pub version: &'a ModelVersion,
    /// The folder that was exported.
    pub folder: &'a Path,
    /// Its files, by their paths with `/`.
    pub files: &'a [String],
    /// What the model is called there.
    pub name: &'a str,
    /// What time it is.
    pub now: Timestamp,
}

/// What was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Registered {
    /// The server.
    pub server: String,
    /// What the model is called there.
    pub name: String,
    /// The version's number there.
    pub version: String,
    /// Whether it was there already.
    pub unchanged: bool,
    /// What has no place there.
    #[serde(skip)]
    pub left_out: Vec<LeftOut>,
}

/// Registers a version at the tracking server at `uri`, whose tokens are MLflow's own variables.
///
/// # Errors
/// If there is no such server, it says no, or takes no files by itself.
pub async fn register(
    uri: &str,
    opening: &Opening<'_>,
    registration: &Registration<'_>,
) -> Result<Registered, ImportError> {
    let place = Place {
        source_type: SourceType::Mlflow,
        at: uri.to_owned(),
        token: None,
        path: None,
        revision: None,
    };
    let mlflow = Mlflow::open(&place, opening)?;
    if let Address::Local(_) = mlflow.address {
        return Err(ImportError::Malformed {
            place: uri.to_owned(),
            reason: "it is no tracking server's URL, and nothing else registers models".to_owned(),
        });
    }
    let connection = mlflow.connection().await?;
    let registering = Registering {
        api: &connection.api,
        of: registration,
    };
    let (version, unchanged) = match registering.there().await? {
        Some(version) => (version, true),
        None => {
            let (run, root) = registering.begin().await?;
            let stored = registering.store(&run, &root, &connection.url).await;
            let status = if stored.is_ok() { "FINISHED" } else { "FAILED" };
            let ended = registering.end(&run, status).await;
            let source = stored?;
            ended?;
            (registering.version(&run, &source).await?, false)
        }
    };
    registering.point(&version).await?;
    Ok(Registered {
        server: connection.api.place.clone(),
        name: registration.name.to_owned(),
        version,
        unchanged,
        left_out: left_out(registration.version),
    })
}

struct Registering<'a> {
    api: &'a Api,
    of: &'a Registration<'a>,
}

impl Registering<'_> {
    async fn post(&self, path: &[&str], body: Value, doing: &str) -> Result<Said, ImportError> {
        let path = [&["api", "2.0", "mlflow"], path].concat();
        self.api.client.tell(&path, &body, doing).await
    }

    fn reference(&self) -> String {
        let version = self.of.version;
        format!("{}:{}", version.model_name(), version.metadata.version)
    }

    fn digest(&self) -> String {
        self.of.version.spec.artifact.digest.to_string()
    }

    /// The number of the version that it is there already.
    async fn there(&self) -> Result<Option<String>, ImportError> {
        let path = ["model-versions", "search"];
        let doing = "list its versions";
        let versions = self.api.pages(&path, "model_versions", &[], doing).await?;
        let mine = [(REFERENCE, self.reference()), (DIGEST, self.digest())];
        for mut version in versions {
            if version.has("name") != Some(self.of.name) {
                continue;
            }
            let tags = version
                .pairs("tags")
                .map_err(|error| self.api.malformed(doing, &error))?;
            if mine
                .iter()
                .all(|(tag, value)| tags.get(*tag) == Some(value))
            {
                return Ok(version.text("version"));
            }
        }
        Ok(None)
    }

    /// Begins a run, with what it was set to and how good it is; gives its id and where its files
    /// go.
    async fn begin(&self) -> Result<(String, String), ImportError> {
        let doing = "begin a run";
        let mut run = self
            .post(
                &["runs", "create"],
                json!({
                    "experiment_id": self.experiment().await?,
                    "run_name": self.reference(),
                    "start_time": self.of.now.as_millisecond(),
                    "tags": pairs(run_tags(self.of.version)),
                }),
                doing,
            )
            .await?
            .object("run")
            .object("info");
        let id = run.text("run_id").ok_or_else(|| self.lacks(doing))?;
        let root = run.text("artifact_uri").ok_or_else(|| self.lacks(doing))?;
        let (parameters, metrics) = (parameters(self.of.version), metrics(self.of.version));
        let parameters = parameters
            .chunks(MOST_PARAMETERS)
            .map(|some| ("params", some));
        let metrics = metrics.chunks(MOST_METRICS).map(|some| ("metrics", some));
        let now = self.of.now.as_millisecond();
        for (field, some) in parameters.chain(metrics) {
            let mut some = some.to_vec();
            if field == "metrics" {
                some.iter_mut()
                    .for_each(|one| one["timestamp"] = now.into());
            }
            let body = json!({ "run_id": id, field: some });
            self.post(&["runs", "log-batch"], body, "tell of a run")
                .await?;
        }
        Ok((id, root))
    }

    /// The experiment that has the model's name.
    async fn experiment(&self) -> Result<String, ImportError> {
        let doing = "find an experiment";
        let query = [("experiment_name", self.of.name)];
        let path = ["experiments", "get-by-name"];
        let found = self.api.ask_if_there(&path, &query, doing).await?;
        let id = match found {
            Some(mut found) => found.object("experiment").text("experiment_id"),
            None => {
                let body = json!({"name": self.of.name});
                let mut made = self.post(&["experiments", "create"], body, doing).await?;
                made.text("experiment_id")
            }
        };
        id.ok_or_else(|| self.lacks(doing))
    }

    /// Sends the files, and gives the address of their folder.
    async fn store(&self, run: &str, root: &str, server: &url::Url) -> Result<String, ImportError> {
        let Root::Asked(Key::Store { path }) = Root::of(root, server) else {
            return Err(ImportError::Lacks {
                place: self.api.place.clone(),
                what: format!(
                    "store that takes files from us: run {run} keeps them at {root}; start it with \
                     --serve-artifacts"
                ),
            });
        };
        let below = ["api", "2.0", "mlflow-artifacts", "artifacts"];
        for file in self.of.files {
            let parts = path.split('/').chain([FOLDER]).chain(file.split('/'));
            let parts: Vec<&str> = below.into_iter().chain(parts).collect();
            let from = self.of.folder.join(file);
            let doing = format!("take {file}");
            self.api.client.put(&parts, &from, &doing).await?;
        }
        Ok(format!("{root}/{FOLDER}"))
    }

    async fn end(&self, run: &str, status: &str) -> Result<(), ImportError> {
        let now = self.of.now.as_millisecond();
        let body = json!({"run_id": run, "status": status, "end_time": now});
        self.post(&["runs", "update"], body, "end a run").await?;
        Ok(())
    }

    /// Registers the version, and the model if it isn't there; gives the version's number.
    async fn version(&self, run: &str, source: &str) -> Result<String, ImportError> {
        let doing = "register a version";
        let path = ["registered-models", "get"];
        let query = [("name", self.of.name)];
        if self.api.ask_if_there(&path, &query, doing).await?.is_none() {
            let description = &self.of.model.spec.description;
            let body = json!({"name": self.of.name, "description": description});
            let path = ["registered-models", "create"];
            self.post(&path, body, "register a model").await?;
        }
        let spec = &self.of.version.spec;
        let ours = [
            (REFERENCE.to_owned(), self.reference()),
            (DIGEST.to_owned(), self.digest()),
        ];
        let tags = spec.properties.iter();
        let tags = tags.map(|(name, value)| (name.clone(), plain(value)));
        let body = json!({
            "name": self.of.name,
            "source": source,
            "run_id": run,
            "description": spec.notes,
            "tags": pairs(ours.into_iter().chain(tags)),
        });
        let mut made = self
            .post(&["model-versions", "create"], body, doing)
            .await?;
        let number = made.object("model_version").text("version");
        number.ok_or_else(|| self.lacks(doing))
    }

    /// Has aliases and the stage of the version mean what they mean here.
    async fn point(&self, version: &str) -> Result<(), ImportError> {
        let name = self.of.name;
        for alias in aliases(self.of.model, self.of.version) {
            let body = json!({"name": name, "alias": alias, "version": version});
            let path = ["registered-models", "alias"];
            self.post(&path, body, "set an alias").await?;
        }
        let stage = match self.of.version.spec.lifecycle {
            Lifecycle::Released => "Production",
            Lifecycle::Staged => return Ok(()),
            Lifecycle::Deprecated | Lifecycle::Retired | Lifecycle::Recycled => "Archived",
        };
        let body = json!({
            "name": name, "version": version, "stage": stage, "archive_existing_versions": false,
        });
        let path = ["model-versions", "transition-stage"];
        self.post(&path, body, "set a stage").await?;
        Ok(())
    }

    fn lacks(&self, doing: &str) -> ImportError {
        self.api.malformed(doing, &"it doesn't say what it made")
    }
}

fn aliases<'a>(model: &'a Model, version: &ModelVersion) -> Vec<&'a Alias> {
    let aliases = model.spec.aliases.iter();
    let ours = aliases.filter(|(_, meant)| **meant == version.metadata.version);
    ours.map(|(alias, _)| alias).collect()
}

/// Texts as they are, and all else as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Vec<Value> {
    let pair = |(key, value)| json!({"key": key, "value": value});
    pairs.into_iter().map(pair).collect()
}

/// Tags by which MLflow knows who made a run, and with which code.
fn run_tags(version: &ModelVersion) -> Vec<(String, String)> {
    let spec = &version.spec;
    let mut tags = Map::new();
    if let Some(author) = &spec.author {
        tags.insert("mlflow.user".to_owned(), json!(author));
    }
    let lineage = spec.lineage.as_ref();
    if let Some(source) = lineage.and_then(|lineage| lineage.source.as_ref()) {
        tags.insert("mlflow.source.type".to_owned(), "LOCAL".into());
        let source = json!(source);
        for (tag, field) in [
            ("mlflow.source.git.repoURL", "repository"),
            ("mlflow.source.git.commit", "commit"),
            ("mlflow.source.name", "path"),
        ] {
            if let Some(value) = source.get(field) {
                tags.insert(tag.to_owned(), value.clone());
            }
        }
    }
    tags.iter()
        .map(|(tag, value)| (tag.clone(), plain(value)))
        .collect()
}

fn is_key(key: &str) -> bool {
    let known = |c: char| c.is_alphanumeric() || "_-. /:".contains(c);
    !key.is_empty() && key.len() <= 250 && key.chars().all(known)
}

fn is_parameter(key: &str, value: &Value) -> bool {
    is_key(key) && plain(value).chars().count() <= LONGEST_PARAMETER
}

fn parameters(version: &ModelVersion) -> Vec<Value> {
    let all = version.spec.hyperparameters.iter();
    let fitting = all.filter(|(key, value)| is_parameter(key, value));
    pairs(fitting.map(|(key, value)| (key.clone(), plain(value))))
}

/// The metrics, of each name the first.
fn metrics(version: &ModelVersion) -> Vec<Value> {
    let all = &version.spec.metrics;
    let first = all.iter().enumerate().filter(|(index, metric)| {
        is_key(&metric.name)
            && all[..*index]
                .iter()
                .all(|before| before.name != metric.name)
    });
    first
        .map(|(_, metric)| json!({"key": metric.name, "value": metric.value, "step": 0}))
        .collect()
}

/// What a server has no place for.
fn left_out(version: &ModelVersion) -> Vec<LeftOut> {
    let spec = &version.spec;
    let mut left_out = Vec::new();
    let mut leave = |what: String, why: &str| {
        left_out.push(LeftOut {
            what,
            why: why.to_owned(),
        });
    };
    let parameters = spec.hyperparameters.iter();
    for (key, _) in parameters.filter(|(key, value)| !is_parameter(key, value)) {
        leave(
            format!("hyperparameters {key}"),
            "MLflow takes no such parameter",
        );
    }
    let sent = metrics(version).len();
    if sent < spec.metrics.len() {
        let count = spec.metrics.len() - sent;
        leave(format!("{count} metrics"), "a run has one of each name");
    }
    let of_data = spec.metrics.iter();
    if of_data
        .clone()
        .any(|metric| metric.dataset.is_some() || metric.split.is_some())
    {
        leave(
            "datasets of metrics".to_owned(),
            "a run's metrics have none",
        );
    }
    let lineage = spec.lineage.as_ref();
    if lineage.is_some_and(|lineage| !lineage.datasets.is_empty()) {
        leave(
            "lineage.datasets".to_owned(),
            "a run's have digests of MLflow's own",
        );
    }
    left_out
}
