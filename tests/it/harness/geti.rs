//! A Geti server, in memory: by the OpenAPI description of open-edge-platform/geti, and by what its
//! own client asks (`geti-sdk` 2.13). The client itself speaks HTTPS only and can't be asked here.
//!
//! It has what stories need: projects in pages, architectures, models that are trained and purged,
//! what was made of them, and zips.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::http::{Request, Server, response};

/// A personal access token of somebody who may see everything.
pub const GETI_TOKEN: &str = "geti_pat_secret-of-bot";

/// A server in memory.
pub struct FakeGeti {
    server: Server,
    state: Arc<Mutex<GetiState>>,
}

/// All that it has.
#[derive(Default)]
pub struct GetiState {
    projects: Vec<Value>,
    /// Groups by project, as they are listed.
    groups: BTreeMap<String, Vec<Value>>,
    /// Models by their ids.
    models: BTreeMap<String, Value>,
    /// Zips by the ids of what was made of models.
    zips: BTreeMap<String, Vec<u8>>,
    /// What was asked, `GET /api/…`.
    pub asked: Vec<String>,
    /// Whether every page of projects is the first one.
    pub is_endless: bool,
}

type Answered = (u16, &'static str, Vec<u8>);

impl FakeGeti {
    /// One with nothing in it.
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(GetiState::default()));
        let shared = Arc::clone(&state);
        let server = Server::start(move |request| {
            let mut state = shared.lock().expect("no holder panics");
            let (status, media_type, body) = state.answer(&request);
            response(status, &[("content-type", media_type)], &body)
        });
        Self { server, state }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// What it has, to look at and to change.
    pub fn state(&self) -> MutexGuard<'_, GetiState> {
        self.state.lock().expect("no holder panics")
    }
}

impl GetiState {
    /// A project that trains one task.
    pub fn project(&mut self, id: &str, name: &str, task_type: &str) {
        self.projects.push(json!({
            "id": id,
            "name": name,
            "creation_time": "2026-09-01T08:00:00.000000+00:00",
            "creator_id": "somebody",
            "pipeline": {
                "tasks": [
                    {"id": format!("{id}-data"), "title": "Dataset", "task_type": "dataset"},
                    {"id": format!("{id}-task"), "title": "Task", "task_type": task_type},
                ],
                "connections": [],
            },
            "datasets": [{"id": format!("{id}-set"), "name": "Line 3", "use_for_training": true}],
            "performance": {"score": 0.9},
            "storage_info": {"size": 1},
            "thumbnail": "",
        }));
        self.groups.insert(id.to_owned(), Vec::new());
    }

    /// A model of version `version`, trained in a project's architecture.
    pub fn train(&mut self, project: &str, architecture: &str, version: u64) -> String {
        let group = format!("{project}-{}", architecture.to_lowercase());
        let id = format!("{group}-{version}");
        let groups = self.groups.get_mut(project).expect("it is there");
        if groups.iter().all(|known| known["id"] != group) {
            groups.push(json!({
                "id": group,
                "name": architecture,
                "task_id": format!("{project}-task"),
                "model_template_id": architecture,
                "learning_approach": "fully_supervised",
                "lifecycle_stage": "active",
                "models": [],
            }));
        }
        let known = groups.iter_mut().find(|known| known["id"] == group);
        let models = known.expect("it is there")["models"].as_array_mut();
        let summary = json!({
            "id": id,
            "name": architecture,
            "version": version,
            "creation_date": format!("2026-10-{:02}T08:00:00.123000+00:00", version),
            "score_up_to_date": true,
            "active_model": false,
            "performance": {"score": 0.97},
            "purge_info": {"is_purged": false, "purge_time": null, "user_uid": null},
            "size": 1,
        });
        models.expect("a list").push(summary.clone());
        let mut model = summary;
        model["architecture"] = json!(architecture);
        model["labels"] = json!([
            {"id": "l1", "name": "scratch", "color": "#ff0000", "group": "g", "parent_id": null, "hotkey": "", "is_empty": false, "is_anomalous": false},
            {"id": "l2", "name": "dent", "color": "#00ff00", "group": "g", "parent_id": null, "hotkey": "", "is_empty": false, "is_anomalous": false},
        ]);
        model["training_dataset_info"] = json!({"dataset_storage_id": format!("{project}-set"), "dataset_revision_id": "r", "n_samples": 120});
        model["training_framework"] = json!({"type": "OTX", "version": "2.4.0"});
        model["learning_approach"] = json!("fully_supervised");
        model["label_schema_in_sync"] = json!(true);
        model["optimized_models"] = json!([]);
        self.models.insert(id.clone(), model);
        id
    }

    /// Makes something of a model: in this format and precision, handed out as `zip`.
    pub fn optimize(&mut self, model: &str, format: &str, precision: &str, zip: Vec<u8>) -> String {
        let id = format!(
            "{model}-{}-{}",
            format.to_lowercase(),
            precision.to_lowercase()
        );
        let optimized = json!({
            "id": id,
            "name": format!("{format} {precision}"),
            "model_format": format,
            "precision": [precision],
            "optimization_type": if format == "ONNX" { "ONNX" } else { "MO" },
            "optimization_methods": [],
            "optimization_objectives": {},
            "model_status": "SUCCESS",
            "has_xai_head": false,
            "creation_date": "2026-10-20T08:00:00.123000+00:00",
            "previous_trained_revision_id": model,
            "performance": {"score": 0.96},
            "size": zip.len(),
            "version": 1,
            "configurations": [],
        });
        let list =
            self.models.get_mut(model).expect("it is there")["optimized_models"].as_array_mut();
        list.expect("a list").push(optimized);
        self.zips.insert(id.clone(), zip);
        id
    }

    /// Changes what is said of a model, both where it is listed and by itself.
    pub fn change(&mut self, model: &str, change: impl Fn(&mut Value)) {
        change(self.models.get_mut(model).expect("it is there"));
        for group in self.groups.values_mut().flatten() {
            let models = group["models"].as_array_mut().into_iter().flatten();
            models
                .filter(|known| known["id"] == model)
                .for_each(&change);
        }
    }

    fn answer(&mut self, request: &Request) -> Answered {
        self.asked
            .push(format!("{} {}", request.method, request.target));
        if request.header("x-api-key") != Some(GETI_TOKEN) {
            let no = json!({"error_code": "unauthorized", "message": "The token is not valid.", "http_status": "unauthorized"});
            return (401, "application/json", no.to_string().into_bytes());
        }
        let (path, query) = request
            .target
            .split_once('?')
            .unwrap_or((&request.target, ""));
        let words: Vec<_> = path.trim_matches('/').split('/').collect();
        let said = match words.as_slice() {
            ["api", "v1", "personal_access_tokens", "organization"] => {
                Some(json!({"organizationId": "acme"}))
            }
            [
                "api",
                "v1",
                "organizations",
                "acme",
                "workspaces",
                rest @ ..,
            ] => match self.workspace(rest, query) {
                Ok(said) => said,
                Err(zip) => return (200, "application/zip", zip),
            },
            _ => None,
        };
        match said {
            Some(said) => (200, "application/json", said.to_string().into_bytes()),
            None => {
                let no = json!({"error_code": "not_found", "message": "The requested object could not be found."});
                (404, "application/json", no.to_string().into_bytes())
            }
        }
    }

    /// What is said; a zip is the error.
    fn workspace(&self, words: &[&str], query: &str) -> Result<Option<Value>, Vec<u8>> {
        Ok(match words {
            [] => Some(json!({"workspaces": [{"id": "default", "name": "Default"}]})),
            ["default", "projects"] => Some(self.page(query)),
            ["default", "projects", project, "model_groups"] => {
                let groups = self.groups.get(*project);
                groups.map(|groups| json!({"model_groups": groups}))
            }
            ["default", "projects", _, "model_groups", _, "models", model] => {
                self.models.get(*model).cloned()
            }
            [
                "default",
                "projects",
                _,
                "model_groups",
                _,
                "models",
                _,
                "optimized_models",
                id,
                "export",
            ] => match self.zips.get(*id) {
                Some(zip) => return Err(zip.clone()),
                None => None,
            },
            _ => None,
        })
    }

    fn page(&self, query: &str) -> Value {
        let number = |name: &str| -> usize {
            let mut parts = query.split('&').filter_map(|part| part.split_once('='));
            let found = parts.find(|(known, _)| *known == name);
            found.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
        };
        let skip = if self.is_endless { 0 } else { number("skip") };
        // Pages of two, whatever is asked for.
        let page: Vec<_> = self.projects.iter().skip(skip).take(2).collect();
        let all = self.projects.len() + if self.is_endless { 1000 } else { 0 };
        json!({"projects": page, "project_counts": all, "project_page_count": page.len()})
    }
}
