//! Manifests of a cluster, as `kubectl get -o json` prints them.
//!
//! `kubectl` knows how to reach a cluster: its kubeconfig, plugins and proxies are the user's own,
//! and what it may read is what the user may. It is asked for each kind by itself, since a cluster
//! that has one of them need not have the others.

use std::env;
use std::path::PathBuf;

use tokio::process::Command;

use super::Manifest;
use super::open::Dialect;
use super::read::{MAX_OBJECTS, spread};
use crate::import::piped::{self, Bounds, Unheard};
use crate::import::{Detail, ImportError};
use crate::platform::redact::printable;

/// What asks a cluster.
const PROGRAM: &str = "kubectl";

/// The most that `kubectl` may print of one kind, and how much of its complaints is kept.
const BOUNDS: Bounds = Bounds {
    printed_bytes: 256 << 20,
    complaint_bytes: 4 << 10,
    patience: None,
};

/// A cluster, or a namespace of it: `context=prod`, `context=prod,namespace=models`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cluster {
    /// The context of the kubeconfig.
    pub context: String,
    /// The only namespace that is read.
    pub namespace: Option<String>,
    /// The `kubectl` to ask it by; the first of the name on `PATH`.
    pub program: Option<PathBuf>,
}

impl Cluster {
    /// The cluster that `at` names, if it names one.
    pub(super) fn parse(at: &str) -> Option<Self> {
        let rest = at.strip_prefix("context=")?;
        let (context, namespace) = match rest.split_once(",namespace=") {
            Some((context, namespace)) => (context, Some(namespace.to_owned())),
            None => (rest, None),
        };
        // A word that begins with a hyphen would be an option to kubectl.
        let word = |word: &str| !word.is_empty() && !word.starts_with('-');
        (word(context) && namespace.as_deref().is_none_or(word)).then(|| Self {
            context: context.to_owned(),
            namespace,
            program: None,
        })
    }

    /// Asks it by the first `kubectl` in the folders that `path` lists.
    pub(super) fn by(self, path: Option<&str>) -> Self {
        let folders = path.map(env::split_paths).into_iter().flatten();
        let program = folders
            .map(|folder| folder.join(PROGRAM))
            .find(|path| path.is_file());
        Self { program, ..self }
    }

    /// Its objects of `dialect`.
    ///
    /// # Errors
    /// If `kubectl` can't be run, fails, or the cluster has none of the kinds.
    pub(super) async fn read(&self, dialect: &Dialect) -> Result<Vec<Manifest>, ImportError> {
        let mut manifests = Vec::new();
        let mut known = false;
        for resource in dialect.resources {
            let Some(printed) = self.get(resource).await? else {
                continue;
            };
            known = true;
            let value =
                serde_json::from_slice(&printed).map_err(|error| ImportError::Malformed {
                    place: self.place(),
                    reason: format!("what kubectl printed of {resource} is no JSON: {error}"),
                })?;
            spread(
                value,
                &format!("{}, {resource}", self.place()),
                None,
                &mut manifests,
            );
            if manifests.len() > MAX_OBJECTS {
                return Err(ImportError::TooLarge {
                    place: self.place(),
                    limit: MAX_OBJECTS as u64,
                    unit: "objects",
                });
            }
        }
        if !known {
            return Err(ImportError::Lacks {
                place: self.place(),
                what: format!(
                    "{} (none of their definitions is installed)",
                    dialect.kinds.join(", ")
                ),
            });
        }
        Ok(manifests)
    }

    fn place(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("context={},namespace={namespace}", self.context),
            None => format!("context={}", self.context),
        }
    }

    /// What kubectl prints of `resource`; nothing if the cluster doesn't know the kind.
    async fn get(&self, resource: &str) -> Result<Option<Vec<u8>>, ImportError> {
        let away = |detail: String| ImportError::Away {
            place: self.place(),
            doing: format!("get {resource} by kubectl"),
            detail: Some(Detail(detail)),
            retry_after: None,
            source: None,
        };
        let program = self.program.as_ref().ok_or_else(|| ImportError::Lacks {
            place: "PATH".to_owned(),
            what: PROGRAM.to_owned(),
        })?;
        let mut command = Command::new(program);
        command.args(["--context", &self.context, "get", resource, "-o", "json"]);
        match &self.namespace {
            Some(namespace) => command.args(["--namespace", namespace]),
            None => command.arg("--all-namespaces"),
        };
        let heard = piped::hear(&mut command, "", BOUNDS).await;
        let heard = heard.map_err(|unheard| match unheard {
            Unheard::TooMuch(limit) => ImportError::TooLarge {
                place: self.place(),
                limit,
                unit: "bytes of one kind; read one namespace at a time",
            },
            unheard => away(format!("kubectl {unheard}")),
        })?;
        if heard.status.success() {
            return Ok(Some(heard.printed));
        }
        let said = printable(&heard.complaint);
        if said.contains("doesn't have a resource type") {
            return Ok(None);
        }
        if ["Unauthorized", "Forbidden", "forbidden"]
            .iter()
            .any(|word| said.contains(word))
        {
            return Err(ImportError::Unauthorized {
                place: self.place(),
                doing: format!("get {resource} by kubectl"),
                variables: &["KUBECONFIG"],
                detail: Some(Detail(said)),
            });
        }
        Err(away(said))
    }
}

#[cfg(test)]
mod tests {
    //! How a cluster is named.

    use super::*;

    #[test]
    fn a_cluster_is_a_context_and_perhaps_a_namespace() {
        let place = |at: &str| Cluster::parse(at).map(|cluster| cluster.place());
        for at in ["context=prod", "context=prod,namespace=models"] {
            assert_eq!(place(at).as_deref(), Some(at));
        }
        for at in [
            "",
            "deploy",
            "context=",
            "context=-v",
            "context=a,namespace=--all",
        ] {
            assert_eq!(place(at), None, "{at}");
        }
    }
}
