//! What a Geti server is asked, and what it answers.
//!
//! | what | call, below `/api/v1` |
//! | --- | --- |
//! | whose token it is | `GET /personal_access_tokens/organization` |
//! | workspaces | `GET /organizations/{o}/workspaces` |
//! | projects | `GET …/workspaces/{w}/projects?limit=&skip=`, page by page |
//! | architectures, and the models trained of each | `GET …/projects/{p}/model_groups` |
//! | a model, its labels, and what was made of it | `GET …/model_groups/{g}/models/{m}` |
//! | the files of what was made of it, in a zip | `GET …/models/{m}/optimized_models/{i}/export` |
//!
//! Source: the OpenAPI description of open-edge-platform/geti, and how `geti-sdk` 2.13 uses it.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::import::client::Client;
use crate::import::{ImportError, MAX_VERSIONS, Opened};
use crate::platform::redact::printable;

/// How many projects are asked for at once, as its own client does.
const PAGE: usize = 50;

/// The most projects.
const MAX_PROJECTS: usize = 10_000;

/// A server's API.
pub(super) struct Api {
    pub(super) client: Client,
    pub(super) place: String,
}

/// Where a project is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Home {
    pub(super) organization: String,
    pub(super) workspace: String,
    pub(super) project: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    organization_id: Option<String>,
    #[serde(default)]
    organizations: Vec<Organization>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Organization {
    organization_id: String,
    #[serde(default)]
    organization_created_at: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Workspaces {
    List(Vec<Named>),
    Object { workspaces: Vec<Named> },
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
struct Projects {
    projects: Vec<Project>,
    project_counts: usize,
}

/// A project.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default)]
    pipeline: Pipeline,
    #[serde(default)]
    pub(super) datasets: Vec<Dataset>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Pipeline {
    #[serde(default)]
    tasks: Vec<Task>,
}

/// A task of a project.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Task {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) task_type: String,
}

/// Data of a project.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Dataset {
    pub(super) id: String,
    pub(super) name: String,
}

#[derive(Deserialize)]
struct Groups {
    model_groups: Vec<Group>,
}

/// An architecture, and the models that were trained of it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) task_id: String,
    #[serde(default)]
    pub(super) models: Vec<Summary>,
}

/// A model, shortly.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Summary {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) creation_date: String,
    #[serde(default)]
    pub(super) active_model: bool,
    #[serde(default)]
    pub(super) version: Option<u64>,
    #[serde(default)]
    pub(super) purge_info: Option<Purge>,
}

/// Whether its bytes are gone.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Purge {
    #[serde(default)]
    pub(super) is_purged: bool,
}

/// All of a model.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Model {
    #[serde(default)]
    pub(super) architecture: Option<String>,
    #[serde(default)]
    pub(super) performance: Option<Performance>,
    #[serde(default)]
    pub(super) labels: Vec<Label>,
    #[serde(default)]
    pub(super) optimized_models: Vec<Optimized>,
    #[serde(default)]
    pub(super) training_dataset_info: Option<Map<String, Value>>,
    #[serde(default)]
    pub(super) training_framework: Option<Framework>,
    #[serde(default)]
    pub(super) learning_approach: Option<String>,
    #[serde(default)]
    pub(super) label_schema_in_sync: Option<bool>,
}

/// How good a model is.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Performance {
    #[serde(default)]
    pub(super) score: Option<f64>,
}

/// What a model tells apart.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Label {
    pub(super) name: String,
}

/// What trained it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Framework {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) version: Option<String>,
}

/// What was made of a model: files for OpenVINO, or ONNX.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Optimized {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) model_format: Option<String>,
    #[serde(default)]
    pub(super) precision: Vec<String>,
    #[serde(default)]
    pub(super) optimization_type: Option<String>,
    #[serde(default)]
    pub(super) has_xai_head: bool,
    #[serde(default)]
    pub(super) model_status: Option<String>,
    #[serde(default)]
    pub(super) performance: Option<Performance>,
    #[serde(default)]
    pub(super) creation_date: Option<String>,
    /// What else is said of it.
    #[serde(flatten)]
    pub(super) more: Map<String, Value>,
}

impl Api {
    /// The organization that the token is of: of several the oldest, as its own client has it.
    pub(super) async fn organization(&self) -> Result<String, ImportError> {
        let path = ["api", "v1", "personal_access_tokens", "organization"];
        let doing = "say whose token it is";
        let token: Token = self.client.json(&path, &[], doing).await?;
        let mut organizations = token.organizations;
        organizations.sort_by(|one, other| {
            one.organization_created_at
                .cmp(&other.organization_created_at)
        });
        let oldest = organizations.into_iter().next();
        let id = token
            .organization_id
            .or_else(|| oldest.map(|oldest| oldest.organization_id));
        id.ok_or_else(|| self.malformed("it doesn't say whose the token is"))
    }

    /// The organization's workspaces.
    pub(super) async fn workspaces(&self, organization: &str) -> Result<Vec<String>, ImportError> {
        let path = ["api", "v1", "organizations", organization, "workspaces"];
        let doing = "list its workspaces";
        let workspaces = match self.client.json(&path, &[], doing).await? {
            Workspaces::List(workspaces) | Workspaces::Object { workspaces } => workspaces,
        };
        Ok(workspaces.into_iter().map(|one| one.id).collect())
    }

    /// A workspace's projects.
    pub(super) async fn projects(
        &self,
        organization: &str,
        workspace: &str,
    ) -> Result<Vec<Project>, ImportError> {
        let path = [
            "api",
            "v1",
            "organizations",
            organization,
            "workspaces",
            workspace,
            "projects",
        ];
        let (mut projects, mut seen) = (Vec::new(), BTreeSet::new());
        loop {
            let (limit, skip) = (PAGE.to_string(), projects.len().to_string());
            let query = [("limit", &*limit), ("skip", &*skip)];
            let page: Projects = self.client.json(&path, &query, "list its projects").await?;
            let is_last = page.projects.is_empty();
            for project in page.projects {
                if !seen.insert(project.id.clone()) {
                    return Err(self.malformed("its pages of projects never end"));
                }
                projects.push(project);
            }
            if projects.len() > MAX_PROJECTS {
                return Err(ImportError::TooLarge {
                    place: self.place.clone(),
                    limit: MAX_PROJECTS as u64,
                    unit: "projects",
                });
            }
            if is_last || projects.len() >= page.project_counts {
                return Ok(projects);
            }
        }
    }

    /// A project's architectures, with the models of each.
    pub(super) async fn groups(&self, home: &Home) -> Result<Vec<Group>, ImportError> {
        let path = home.path(&["model_groups"]);
        let doing = format!("list the models of project {}", home.project);
        let groups: Groups = self.client.json(&path, &[], &doing).await?;
        let models = groups.model_groups.iter().map(|group| group.models.len());
        if models.sum::<usize>() > MAX_VERSIONS {
            return Err(ImportError::TooLarge {
                place: self.place.clone(),
                limit: MAX_VERSIONS as u64,
                unit: "models",
            });
        }
        Ok(groups.model_groups)
    }

    /// All of a model.
    pub(super) async fn model(
        &self,
        home: &Home,
        group: &str,
        model: &str,
    ) -> Result<Model, ImportError> {
        let path = home.path(&["model_groups", group, "models", model]);
        let doing = format!("tell of model {model}");
        self.client.json(&path, &[], &doing).await
    }

    /// Begins to read the zip with the files of what was made of a model, at byte `from`.
    pub(super) async fn export(
        &self,
        home: &Home,
        group: &str,
        model: &str,
        optimized: &str,
        from: u64,
    ) -> Result<Opened, ImportError> {
        let path = home.path(&[
            "model_groups",
            group,
            "models",
            model,
            "optimized_models",
            optimized,
            "export",
        ]);
        let doing = format!("hand out model {optimized}");
        self.client.open(&path, &[], from, &doing).await
    }

    fn malformed(&self, reason: &str) -> ImportError {
        ImportError::Malformed {
            place: self.place.clone(),
            reason: printable(reason),
        }
    }
}

impl Home {
    /// The path of a call about the project.
    fn path<'a>(&'a self, words: &[&'a str]) -> Vec<&'a str> {
        let mut path = vec!["api", "v1", "organizations", &self.organization];
        path.extend(["workspaces", &self.workspace, "projects", &self.project]);
        path.extend(words);
        path
    }
}

impl Project {
    /// The tasks that models are trained for: all but those that only hand data on.
    pub(super) fn tasks(&self) -> Vec<&Task> {
        let tasks = self.pipeline.tasks.iter();
        tasks
            .filter(|task| !matches!(task.task_type.as_str(), "dataset" | "crop"))
            .collect()
    }
}
