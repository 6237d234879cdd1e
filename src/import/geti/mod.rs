//! Intel Geti: the models of a server's projects, as it made them for OpenVINO and ONNX.
//!
//! ```text
//!  project ──▶ model group (an architecture) ──▶ model (version N) ──▶ optimized models
//!                                                                       └─ OpenVINO FP16, INT8, ONNX …
//! ```
//!
//! | in Geti | here |
//! | --- | --- |
//! | project, architecture, and what was made of it | a model: `Line 3/YOLOX/OpenVINO FP16`; the task stands between where a project trains several |
//! | model version 3 | version 3.0.0 |
//! | the model that a task uses | the alias `active` |
//! | score | the metric `score`, by which versions are compared |
//! | precision, training framework, creation | precision, framework, time |
//! | labels, architecture | properties; what the model's outputs are called stands in its files |
//! | the model, and the data it was trained with | lineage |
//!
//! Weights in the training framework's own form are not brought, nor what failed or was purged. A
//! token is sent to its server alone, as `x-api-key`.

mod api;
mod export;
mod tell;

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Mutex;
use url::Url;

use super::client::{Client, Credentials};
use super::{
    Candidate, Files, ImportError, LeftOut, Listed, Listing, Opened, Opening, Place, Source,
    SourceFile, Spool,
};
use crate::platform::Progress;
use crate::platform::atomic::FileError;
use crate::platform::progress::Silent;
use crate::platform::redact;
use crate::record::Version;
use crate::record::kind::SourceType;
use api::{Api, Group, Home, Model, Optimized, Project, Summary};
use export::Export;

/// The variable with a personal access token.
const TOKENS: [&str; 1] = ["GETI_TOKEN"];

/// The name that means the model a task uses.
const ACTIVE: &str = "active";

/// The file that a zip is while it comes.
const ZIP: &str = "export.zip";

/// A Geti server.
pub(super) struct Geti {
    api: Api,
    found: Mutex<BTreeMap<String, Found>>,
    export: Mutex<Option<Export>>,
}

/// A version that was listed.
#[derive(Debug, Clone)]
pub(super) struct Found {
    home: Home,
    project: Project,
    group: Group,
    summary: Summary,
    model: Model,
    optimized: Optimized,
}

impl Geti {
    /// The server at `place`. Nothing is asked of it yet.
    ///
    /// # Errors
    /// If no server can be there, or there can be no HTTP client.
    pub(super) fn open(place: &Place, opening: &Opening<'_>) -> Result<Self, ImportError> {
        let shown = redact::remote(&place.at).trim_end_matches('/').to_owned();
        let url: Option<Url> = place.at.parse().ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or_else(|| ImportError::Malformed {
            place: shown.clone(),
            reason: "it is no address of a server, as in geti:https://geti.example.com".to_owned(),
        })?;
        let names = place.token.iter().map(String::as_str).chain(TOKENS);
        let token = names.take(1).find_map(|name| (opening.variables)(name));
        let credentials = token.map_or(Credentials::None, Credentials::Key);
        let client = Client::new(&shown, url, credentials, &TOKENS, opening.retry)?;
        Ok(Self {
            api: Api {
                client,
                place: shown,
            },
            found: Mutex::default(),
            export: Mutex::default(),
        })
    }

    /// The models of a project.
    async fn list_project(
        &self,
        home: &Home,
        project: &Project,
        listing: &mut Listing,
    ) -> Result<(), ImportError> {
        let tasks = project.tasks();
        for group in self.api.groups(home).await? {
            let task = tasks.iter().find(|task| task.id == group.task_id).copied();
            let mut name = vec![project.name.as_str()];
            if let (Some(task), true) = (task, tasks.len() > 1) {
                name.push(&task.title);
            }
            name.push(&group.name);
            let name = name.join("/");
            for summary in &group.models {
                let what = format!("{name} {}", summary.name);
                let leave = |why: &str| LeftOut {
                    what: what.clone(),
                    why: why.to_owned(),
                };
                if summary
                    .purge_info
                    .as_ref()
                    .is_some_and(|purge| purge.is_purged)
                {
                    listing.left_out.push(leave("its files were removed there"));
                    continue;
                }
                let model = self.api.model(home, &group.id, &summary.id).await?;
                let (ready, not): (Vec<_>, Vec<_>) =
                    model.optimized_models.iter().partition(|one| is_ready(one));
                if ready.is_empty() && not.is_empty() {
                    listing
                        .left_out
                        .push(leave("what is made of it is not ready"));
                } else if ready.is_empty() {
                    listing
                        .left_out
                        .push(leave("nothing was made of it for OpenVINO or ONNX"));
                }
                let mut found = self.found.lock().await;
                for optimized in ready {
                    let variant = tell::variant(optimized);
                    let name = format!("{name}/{variant}");
                    let one = Found {
                        home: home.clone(),
                        project: project.clone(),
                        group: Group {
                            models: Vec::new(),
                            ..group.clone()
                        },
                        summary: summary.clone(),
                        model: Model {
                            optimized_models: Vec::new(),
                            ..model.clone()
                        },
                        optimized: optimized.clone(),
                    };
                    let listed = one.listed(&name, task.map(|task| task.task_type.as_str()));
                    let told = || tell::model(&name, task);
                    listing.models.entry(name.clone()).or_insert_with(told);
                    found.insert(listed.reference.clone(), one);
                    listing.versions.push(listed);
                }
            }
        }
        Ok(())
    }

    /// The zip of a version, which is fetched unless it lies here.
    async fn fetched(&self, listed: &Listed) -> Result<Export, ImportError> {
        let mut export = self.export.lock().await;
        if let Some(export) = &*export
            && export.reference == listed.reference
        {
            return Ok(export.clone());
        }
        // One at a time lies on the disk.
        *export = None;
        let folder = tempfile::Builder::new().prefix("modelyard-geti-").tempdir();
        let folder = folder.map_err(FileError::at("make", std::env::temp_dir()))?;
        let zip = SourceFile {
            path: ZIP.to_owned(),
            key: listed.reference.clone(),
            size_bytes: None,
            sha256: None,
        };
        let spool = Spool::of(folder.path(), self, listed);
        let retry = self.api.client.retry();
        let place = spool.fetch(self, &[zip], retry, &Silent).await?;
        let fetched = Export::new(&listed.reference, place.join(ZIP), folder);
        *export = Some(fetched.clone());
        Ok(fetched)
    }

    fn lacks(&self, what: &str) -> ImportError {
        ImportError::Lacks {
            place: self.place(),
            what: what.to_owned(),
        }
    }
}

/// Whether there are files that serve.
fn is_ready(optimized: &Optimized) -> bool {
    let status = optimized.model_status.as_deref().unwrap_or("SUCCESS");
    let format = optimized.model_format.as_deref().unwrap_or("OpenVINO");
    status == "SUCCESS" && matches!(format, "OpenVINO" | "ONNX")
}

impl Found {
    fn listed(&self, name: &str, task: Option<&str>) -> Listed {
        let Self {
            home,
            project,
            group,
            summary,
            optimized,
            ..
        } = self;
        let label = summary.version.map(|version| version.to_string());
        let label = label.unwrap_or_else(|| summary.name.clone());
        let reference = format!(
            "{}/{}/{}/{}",
            home.project, group.id, summary.id, optimized.id
        );
        let mut listed = Listed::new(name, &label, reference);
        listed.version = summary.version.map(|number| Version::new(number, 0, 0));
        listed.revision = Some(optimized.id.clone());
        let created = optimized.creation_date.as_ref();
        listed.created_at = time(created.unwrap_or(&summary.creation_date));
        listed.aliases = summary
            .active_model
            .then(|| ACTIVE.to_owned())
            .into_iter()
            .collect();
        let tags = [
            ("project", Some(project.name.clone())),
            ("architecture", Some(group.name.clone())),
            ("task", task.map(str::to_owned)),
            ("format", optimized.model_format.clone()),
            ("precision", Some(optimized.precision.join(" "))),
            ("xai", Some(optimized.has_xai_head.to_string())),
        ];
        let tags = tags.into_iter();
        listed.tags = tags
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect();
        listed
    }
}

/// A time as Geti writes it: `2026-11-01T08:00:00.123000+00:00`.
fn time(text: &str) -> Option<Timestamp> {
    let time: Timestamp = text.parse().ok()?;
    Timestamp::from_second(time.as_second()).ok()
}

impl fmt::Debug for Geti {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.api.place)
    }
}

#[async_trait]
impl Source for Geti {
    fn source_type(&self) -> SourceType {
        SourceType::Geti
    }

    fn place(&self) -> String {
        self.api.place.clone()
    }

    fn address(&self) -> Option<String> {
        Some(self.place())
    }

    async fn list(&self, _progress: &dyn Progress) -> Result<Listing, ImportError> {
        let mut listing = Listing::default();
        let organization = self.api.organization().await?;
        for workspace in self.api.workspaces(&organization).await? {
            for project in self.api.projects(&organization, &workspace).await? {
                let home = Home {
                    organization: organization.clone(),
                    workspace: workspace.clone(),
                    project: project.id.clone(),
                };
                self.list_project(&home, &project, &mut listing).await?;
            }
        }
        listing.versions.sort_by(|one, other| {
            let key = |listed: &Listed| (listed.version.clone(), listed.created_at);
            (&one.model, key(one)).cmp(&(&other.model, key(other)))
        });
        Ok(listing)
    }

    async fn candidate(&self, listed: &Listed) -> Result<Candidate, ImportError> {
        let found = self.found.lock().await.get(&listed.reference).cloned();
        let found = found.ok_or_else(|| self.lacks(&listed.reference))?;
        let mut candidate = tell::candidate(&found);
        let export = self.fetched(listed).await?;
        candidate.files = Files::There(export.files(&self.api.place)?);
        Ok(candidate)
    }

    async fn open(&self, file: &SourceFile, from: u64) -> Result<Opened, ImportError> {
        let Some((reference, name)) = file.key.split_once('\n') else {
            let found = self.found.lock().await.get(&file.key).cloned();
            let found = found.ok_or_else(|| self.lacks(&file.key))?;
            let (group, model) = (&found.group.id, &found.summary.id);
            let optimized = &found.optimized.id;
            return self
                .api
                .export(&found.home, group, model, optimized, from)
                .await;
        };
        let export = self.export.lock().await.clone();
        let export = export.filter(|export| export.reference == reference);
        let export = export.ok_or_else(|| self.lacks(reference))?;
        export.open(name, &self.api.place)
    }
}
