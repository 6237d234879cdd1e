//! MLflow's REST API: one question at a time, and lists page by page.

use std::collections::BTreeSet;

use super::said::Said;
use crate::import::client::Client;
use crate::import::{ImportError, Listed, MAX_VERSIONS};
use crate::platform::redact::printable;

/// What is asked for at once. MLflow gives at most 1000 models; more versions would be one answer
/// that takes long and may not come.
const PAGE: &str = "1000";

/// A server that searches may send pages with nothing in them; more in a row are a fault of it.
const MAX_EMPTY_PAGES: usize = 100;

/// The API of one server.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) client: Client,
    /// The source, as errors name it.
    pub(super) place: String,
}

impl Api {
    /// Asks for one thing; `path` is behind `/api/2.0/mlflow/`.
    ///
    /// # Errors
    /// If it can't be asked, or its answer is no JSON object; `doing` stands behind "to" in it.
    pub(super) async fn ask(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        doing: &str,
    ) -> Result<Said, ImportError> {
        let path = [&["api", "2.0", "mlflow"], path].concat();
        self.client.json(&path, query, doing).await
    }

    /// The same for what need not be there, or is of a newer MLflow.
    ///
    /// # Errors
    /// As [`Self::ask`], but where it isn't there.
    pub(super) async fn ask_if_there(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        doing: &str,
    ) -> Result<Option<Said>, ImportError> {
        match self.ask(path, query, doing).await {
            Err(ImportError::Refused { status: 404, .. }) => Ok(None),
            answered => answered.map(Some),
        }
    }

    /// All of a list that comes in pages, under `field` of each.
    ///
    /// # Errors
    /// As [`Self::ask`]; and if it has more than [`MAX_VERSIONS`], or its pages never end.
    pub(super) async fn pages(
        &self,
        path: &[&str],
        field: &'static str,
        query: &[(&str, &str)],
        doing: &str,
    ) -> Result<Vec<Said>, ImportError> {
        let mut all = Vec::new();
        let mut seen = BTreeSet::new();
        let mut empty = 0;
        let mut token = String::new();
        loop {
            let mut query = query.to_vec();
            query.push(("max_results", PAGE));
            if !token.is_empty() {
                query.push(("page_token", &token));
            }
            let mut page = self.ask(path, &query, doing).await?;
            let next = page.text("next_page_token");
            let items = page
                .list(field)
                .map_err(|error| self.malformed(doing, &error))?;
            empty = if items.is_empty() { empty + 1 } else { 0 };
            all.extend(items);
            if all.len() > MAX_VERSIONS {
                return Err(ImportError::TooLarge {
                    place: self.place.clone(),
                    limit: MAX_VERSIONS as u64,
                    unit: "models or versions",
                });
            }
            let Some(next) = next else { return Ok(all) };
            if empty > MAX_EMPTY_PAGES || !seen.insert(next.clone()) {
                return Err(self.malformed(doing, &"its pages never end"));
            }
            token = next;
        }
    }

    /// All of a registered version.
    ///
    /// # Errors
    /// If it can't be asked, or is no longer there.
    pub(super) async fn version(&self, listed: &Listed) -> Result<Said, ImportError> {
        let answer = self.of_version("get", listed).await?;
        Ok(answer
            .map(|mut answer| answer.object("model_version"))
            .unwrap_or_default())
    }

    /// Where the files of a version are.
    ///
    /// # Errors
    /// As [`Self::version`].
    pub(super) async fn uri(&self, listed: &Listed) -> Result<String, ImportError> {
        let answer = self.of_version("get-download-uri", listed).await?;
        let uri = answer.and_then(|mut answer| answer.text("artifact_uri"));
        uri.ok_or_else(|| self.lacks(format!("address of the files of {}", listed.reference)))
    }

    async fn of_version(&self, what: &str, listed: &Listed) -> Result<Option<Said>, ImportError> {
        let query = [("name", &*listed.model), ("version", &*listed.label)];
        match self
            .ask_if_there(&["model-versions", what], &query, "read a version")
            .await?
        {
            None => Err(self.lacks(listed.reference.clone())),
            answer => Ok(answer),
        }
    }

    /// A run; nothing if it is no longer there.
    ///
    /// # Errors
    /// If it can't be asked.
    pub(super) async fn run(&self, id: &str) -> Result<Said, ImportError> {
        let query = [("run_id", id)];
        let answer = self
            .ask_if_there(&["runs", "get"], &query, "read a run")
            .await?;
        Ok(answer.unwrap_or_default().object("run"))
    }

    /// A logged model; nothing if it is no longer there.
    ///
    /// # Errors
    /// If it can't be asked.
    pub(super) async fn logged_model(&self, id: &str) -> Result<Said, ImportError> {
        let answer = self
            .ask_if_there(&["logged-models", id], &[], "read a logged model")
            .await?;
        Ok(answer.unwrap_or_default().object("model"))
    }

    fn lacks(&self, what: String) -> ImportError {
        ImportError::Lacks {
            place: self.place.clone(),
            what,
        }
    }

    /// An answer that isn't what MLflow answers.
    pub(super) fn malformed(&self, doing: &str, reason: &dyn std::fmt::Display) -> ImportError {
        ImportError::Malformed {
            place: self.place.clone(),
            reason: printable(&format!(
                "its answer to {doing} is not understood: {reason}"
            )),
        }
    }
}
