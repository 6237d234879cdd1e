//! What an image says of itself: its config, as fields of records.
//!
//! ```json
//! {"created": "…", "architecture": "amd64", "os": "linux",
//!  "config": {"User": "", "ExposedPorts": {"8080/tcp": {}}, "Env": ["PORT=8080"],
//!             "Entrypoint": ["serve"], "Cmd": ["--listen"], "WorkingDir": "/app",
//!             "Labels": {"org.opencontainers.image.title": "…"}},
//!  "rootfs": {"type": "layers", "diff_ids": []}}
//! ```
//!
//! A variable whose name or value looks like a secret is kept by its name alone, and what looks
//! like one in a command or a label is hidden: a record is read by everybody who reads the yard.
//!
//! Source: OCI image-spec 1.1, "OCI Image Configuration".

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::import::annotations::{PREDEFINED, Told};
use crate::import::manifest::{conceal, is_secret};
use crate::record::kind::ImagePurpose;

/// What an image's config says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ImageConfig {
    created: Option<String>,
    architecture: Option<String>,
    os: Option<String>,
    author: Option<String>,
    config: Settings,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Settings {
    user: Option<String>,
    exposed_ports: Option<BTreeMap<String, Value>>,
    env: Option<Vec<String>>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    working_dir: Option<String>,
    labels: Option<BTreeMap<String, String>>,
}

/// Where model servers listen that say nothing.
const USUAL_PORT: u16 = 8080;

/// Programs that wait for a person, and serve nobody.
const SHELLS: [&str; 5] = ["sh", "bash", "ash", "dash", "zsh"];

/// Variables in which images say where their model is.
const MODEL_VARIABLES: [&str; 12] = [
    "MODEL_PATH",
    "MODEL_DIR",
    "MODEL_URI",
    "MODEL_FILE",
    "MODEL_LOCATION",
    "MODEL_STORE",
    "MODEL_BASE_PATH",
    "MODEL_REPOSITORY",
    "MLSERVER_MODEL_URI",
    "TS_MODEL_STORE",
    "SM_MODEL_DIR",
    "MODELS_PATH",
];

/// The folders in which servers look for models.
const SHELVES: [&str; 5] = [
    "mnt/models",
    "models",
    "model",
    "opt/ml/model",
    "home/model-server/model-store",
];

impl ImageConfig {
    /// Reads a config.
    ///
    /// # Errors
    /// If it is no JSON of that form.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// The version that its label says.
    pub(super) fn version(&self) -> Option<&str> {
        let labels = self.config.labels.as_ref()?;
        let version = labels.get(&format!("{PREDEFINED}version"))?;
        Some(version.as_str())
    }

    /// What the image is for: one that neither listens nor runs a program of its own only carries
    /// files.
    pub(super) fn purpose(&self) -> ImagePurpose {
        let first = self.entrypoint().first().or(self.command().first());
        let program = first.and_then(|first| first.rsplit('/').next());
        match program {
            _ if !self.ports().is_empty() => ImagePurpose::Server,
            None => ImagePurpose::Mount,
            Some(program) if SHELLS.contains(&program) && self.words() == 1 => {
                ImagePurpose::Modelcar
            }
            Some(_) => ImagePurpose::Server,
        }
    }

    /// The ports that it listens on, by TCP.
    pub(super) fn ports(&self) -> Vec<u16> {
        let ports = self.config.exposed_ports.iter().flatten();
        let of_tcp = |(port, _): (&String, &Value)| {
            let number = port.strip_suffix("/tcp").unwrap_or(port);
            number.parse().ok()
        };
        ports.filter_map(of_tcp).collect()
    }

    /// Where it may listen: the ports that it names, or those that its variables do, or the usual
    /// one.
    pub(super) fn listens(&self) -> Vec<u16> {
        let ports = self.ports();
        if !ports.is_empty() {
            return ports;
        }
        let named = ["PORT", "HTTP_PORT"];
        let named = named
            .iter()
            .filter_map(|name| self.variable(name)?.parse().ok());
        let named: Vec<u16> = named.collect();
        match named.is_empty() {
            true => vec![USUAL_PORT],
            false => named,
        }
    }

    /// What its variables call its model.
    pub(super) fn model_names(&self) -> Vec<String> {
        let named = ["MODEL_NAME", "MLSERVER_MODEL_NAME"];
        let named = named.iter().filter_map(|name| self.variable(name));
        let is_word = |name: &&str| {
            let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            !name.is_empty() && name.chars().all(word)
        };
        named.filter(is_word).map(str::to_owned).collect()
    }

    /// The value of one of its variables.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let pairs = self.config.env.iter().flatten();
        let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(variable, _)| *variable == name)
            .map(|(_, value)| value)
    }

    /// Where models are looked for in it, from its root and with no slash before: what its
    /// variables name, and where servers look.
    pub(super) fn shelves(&self) -> Vec<String> {
        let named = MODEL_VARIABLES
            .iter()
            .filter_map(|name| self.variable(name));
        let named = named.filter_map(|path| {
            let path = path.strip_prefix("file://").unwrap_or(path);
            path.strip_prefix('/')
        });
        let shelves = named.chain(SHELVES);
        let plain = shelves.map(|path| path.trim_matches('/').to_owned());
        plain.filter(|path| !path.is_empty()).collect()
    }

    /// Its fields, in the words of records.
    pub(super) fn tell(&self) -> Told {
        let mut told = Told::default();
        if let Some(created) = &self.created {
            told.created(created);
        }
        if let Some(author) = self.author.as_deref().filter(|author| !author.is_empty())
            && !told.author(author)
        {
            told.keep("image.author", json!(author));
        }
        for (name, value) in self.said() {
            told.keep(&format!("image.{name}"), value);
        }
        let labels = self.config.labels.clone().unwrap_or_default();
        let hidden = |(name, text): (String, String)| {
            let mut value = json!({ name: text });
            conceal(&mut value);
            let (name, value) = value.as_object()?.iter().next()?;
            Some((name.clone(), value.as_str()?.to_owned()))
        };
        let labels = labels.into_iter().filter_map(hidden).collect();
        told.annotations(&labels, "image.labels.");
        if !self.secrets().is_empty() {
            told.remarks.push(format!(
                "values that look secret are not kept: {}",
                self.secrets().join(", ")
            ));
        }
        told.settled()
    }

    /// What it says of how it runs, with nothing secret.
    pub(super) fn said(&self) -> Map<String, Value> {
        let pairs = self.config.env.iter().flatten();
        let plain = pairs.filter_map(|pair| pair.split_once('='));
        let plain = plain.filter(|(name, value)| !is_hidden(name, value));
        let environment: Map<_, _> = plain
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        let ports: Vec<_> = self.config.exposed_ports.iter().flatten().collect();
        let ports: Vec<_> = ports.into_iter().map(|(port, _)| port).collect();
        let platform = match (&self.os, &self.architecture) {
            (Some(os), Some(architecture)) => Some(format!("{os}/{architecture}")),
            _ => None,
        };
        let mut said = json!({
            "platform": platform,
            "entrypoint": self.entrypoint(),
            "command": self.command(),
            "workingDir": self.config.working_dir,
            "user": self.config.user,
            "ports": ports,
            "environment": environment,
            "secretVariables": self.secrets(),
        });
        for field in ["entrypoint", "command"] {
            conceal_arguments(&mut said[field]);
        }
        match said {
            Value::Object(said) => said,
            _ => Map::new(),
        }
    }

    fn entrypoint(&self) -> &[String] {
        self.config.entrypoint.as_deref().unwrap_or_default()
    }

    fn command(&self) -> &[String] {
        self.config.cmd.as_deref().unwrap_or_default()
    }

    fn words(&self) -> usize {
        self.entrypoint().len() + self.command().len()
    }

    fn secrets(&self) -> Vec<&str> {
        let pairs = self.config.env.iter().flatten();
        let pairs = pairs.filter_map(|pair| pair.split_once('='));
        let secret = pairs.filter(|(name, value)| is_hidden(name, value));
        secret.map(|(name, _)| name).collect()
    }
}

/// What else the names of variables end with that nobody should read.
const HIDDEN: [&str; 8] = [
    "KEY",
    "PASS",
    "CREDENTIAL",
    "CREDENTIALS",
    "AUTH",
    "COOKIE",
    "DSN",
    "CONNECTION_STRING",
];

/// Whether the value of a variable or an argument is not to be kept: where it is uncertain, it is
/// not.
fn is_hidden(name: &str, value: &str) -> bool {
    let upper = name.to_ascii_uppercase().replace('-', "_");
    let named = HIDDEN.iter().any(|end| upper.ends_with(end));
    is_secret(name, value) || (named && !value.is_empty())
}

/// Hides what looks like a secret in a command: `--token=…`, or the word behind `--token`.
fn conceal_arguments(words: &mut Value) {
    let mut before = String::new();
    for word in words.as_array_mut().into_iter().flatten() {
        let Some(text) = word.as_str().map(str::to_owned) else {
            continue;
        };
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, value),
            None => (before.as_str(), text.as_str()),
        };
        let name = name.trim_start_matches('-');
        if is_hidden(name, value) && !text.starts_with('-') {
            *word = "***".into();
        } else if is_hidden(name, value) && text.contains('=') {
            *word = format!("{}=***", text.split('=').next().unwrap_or_default()).into();
        }
        before = match text.starts_with('-') && !text.contains('=') {
            true => text,
            false => String::new(),
        };
    }
}

#[cfg(test)]
mod tests {
    //! What is told of an image, and what is not.

    use super::*;

    fn config(config: &Value) -> ImageConfig {
        let whole = json!({
            "created": "2026-11-01T09:30:00.5Z", "architecture": "amd64", "os": "linux",
            "config": config, "rootfs": {"type": "layers", "diff_ids": []}, "history": [],
        });
        ImageConfig::parse(whole.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn what_it_runs_is_told_and_no_secret() {
        let config = config(&json!({
            "ExposedPorts": {"8080/tcp": {}, "9000/udp": {}},
            "Env": ["PATH=/bin", "API_TOKEN=s3cret", "HF=hf_aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789",
                "SIGNING_KEY=s3cret", "DB=postgres://u:s3cret@db.test/x", "EMPTY_KEY="],
            "Entrypoint": ["serve", "--api-key=s3cret", "--password", "s3cret", "--port", "8080"],
            "WorkingDir": "/app",
            "Labels": {
                "org.opencontainers.image.version": "1.2.0",
                "org.opencontainers.image.source": "https://git.test/ml/serve",
                "team": "vision", "db.password": "s3cret",
            },
        }));
        let told = config.tell();
        let text = json!([told.version, told.unmapped, told.remarks]);
        assert!(!text.to_string().contains("s3cret"), "{text}");
        assert!(!text.to_string().contains("hf_aBc"), "{text}");
        insta::assert_json_snapshot!(text, @r#"
        [
          {
            "createdAt": "2026-11-01T09:30:00Z",
            "lineage": {
              "source": {
                "repository": "https://git.test/ml/serve"
              }
            }
          },
          {
            "image.platform": "linux/amd64",
            "image.entrypoint": [
              "serve",
              "--api-key=***",
              "--password",
              "***",
              "--port",
              "8080"
            ],
            "image.workingDir": "/app",
            "image.ports": [
              "8080/tcp",
              "9000/udp"
            ],
            "image.environment": {
              "PATH": "/bin",
              "EMPTY_KEY": ""
            },
            "image.secretVariables": [
              "API_TOKEN",
              "HF",
              "SIGNING_KEY",
              "DB"
            ],
            "image.labels.db.password": "***",
            "image.labels.org.opencontainers.image.version": "1.2.0",
            "image.labels.team": "vision"
          },
          [
            "values that look secret are not kept: API_TOKEN, HF, SIGNING_KEY, DB"
          ]
        ]
        "#);
        assert_eq!(config.version(), Some("1.2.0"));
        assert_eq!(config.ports(), [8080]);
    }

    #[test]
    fn what_runs_nothing_only_carries_files() {
        let purpose = |value: &Value| config(value).purpose();
        assert_eq!(purpose(&json!({})), ImagePurpose::Mount);
        assert_eq!(
            purpose(&json!({"Cmd": ["/bin/sh"]})),
            ImagePurpose::Modelcar
        );
        assert_eq!(
            purpose(&json!({"Cmd": ["sh", "-c", "serve"]})),
            ImagePurpose::Server
        );
        assert_eq!(
            purpose(&json!({"Cmd": ["sh"], "ExposedPorts": {"80/tcp": {}}})),
            ImagePurpose::Server
        );
    }

    #[test]
    fn variables_name_where_models_are() {
        let config = config(&json!({"Env": ["MODEL_PATH=/srv/m/", "MODEL_URI=s3://b/m"]}));
        let shelves = config.shelves();
        assert_eq!(shelves[0], "srv/m");
        assert!(shelves.contains(&"mnt/models".to_owned()));
        assert!(!shelves.iter().any(|shelf| shelf.contains("s3")));
    }
}
