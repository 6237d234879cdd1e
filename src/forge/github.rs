//! GitHub: github.com, data residency, and Enterprise Server.
//!
//! The calls are those of GitHub's REST API, version 2022-11-28, and are held against its own
//! description of it. A token is a person's, an app installation's, or a workflow's own.

use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Call, Client};
use super::hub::{Hub, Pull};
use super::marker::Marker;
use super::wish::{
    Deployment, DeploymentState, PullRequest, Requested, Review, State, Status, Wish, short,
};
use super::{Address, Forge, ForgeError, Right};

/// The longest description of a deployment's status, in characters.
const MAX_DESCRIPTION: usize = 140;

/// What our deployments are told from others by.
const TASK: &str = "modelyard";

/// As many as GitHub gives on one page.
const PAGE: usize = 100;

/// A repository on GitHub.
#[derive(Debug)]
pub(super) struct Github {
    hub: Hub,
}

#[derive(Debug, Deserialize)]
struct Told {
    id: u64,
}

#[derive(Debug, Deserialize)]
struct DeploymentStatus {
    state: String,
    description: Option<String>,
    log_url: Option<String>,
}

impl Github {
    pub(super) fn new(client: Client) -> Self {
        Self {
            hub: Hub { client },
        }
    }

    fn call(&self, method: Method, path: &str, doing: &'static str, right: Right) -> Call {
        self.hub.call(method, path, doing, right)
    }

    /// The pull requests from our branch of this name, the newest first.
    async fn of_branch(&self, branch: &str) -> Result<Vec<Pull>, ForgeError> {
        let project = &self.hub.client.address.project;
        let owner = project.split('/').next().unwrap_or_default();
        let doing = "look for the pull request";
        let call = self.call(Method::GET, "pulls", doing, Right::Read);
        let call = call
            .with("head", &format!("{owner}:{branch}"))
            .with("state", "all")
            .with("sort", "created")
            .with("direction", "desc")
            .with("per_page", &PAGE);
        let pulls: Vec<Pull> = self.hub.client.ask(call).await?;
        // An owner's fork beside the yard has the same head.
        let ours = |pull: &Pull| pull.is_from(project, branch);
        Ok(pulls.into_iter().filter(ours).collect())
    }

    async fn found(&self, branch: &str) -> Result<Option<PullRequest>, ForgeError> {
        let all = self.of_branch(branch).await?;
        let mut all: Vec<PullRequest> = all.into_iter().map(Pull::told).collect();
        let open = all.iter().position(|pull| pull.state == State::Open);
        Ok((!all.is_empty()).then(|| all.swap_remove(open.unwrap_or(0))))
    }

    async fn open_once(&self, wish: &Wish) -> Result<PullRequest, ForgeError> {
        match self.found(&wish.branch).await? {
            Some(open) if open.state == State::Open => self.update(open, wish).await,
            Some(closed) if closed.state == State::Closed => {
                let reopened = self.hub.change(closed.number, json!({ "state": "open" }));
                match reopened.await {
                    Ok(reopened) => self.update(reopened.told(), wish).await,
                    // Its branch was made anew since: then it stays closed.
                    Err(error) if error.status() == Some(422) => self.create(wish).await,
                    Err(error) => Err(error),
                }
            }
            _ => self.create(wish).await,
        }
    }

    async fn create(&self, wish: &Wish) -> Result<PullRequest, ForgeError> {
        let body = json!({
            "title": wish.title,
            "head": wish.branch,
            "base": wish.base,
            "body": wish.body.fresh(),
            "draft": wish.draft,
            "maintainer_can_modify": true,
        });
        match self.hub.create(body).await {
            Ok(pull) => Ok(pull.told()),
            // Somebody else, or we in a call whose answer was lost, were faster.
            Err(error) if error.status() == Some(422) => match self.found(&wish.branch).await? {
                Some(open) if open.state == State::Open => self.update(open, wish).await,
                _ => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    async fn update(&self, pull: PullRequest, wish: &Wish) -> Result<PullRequest, ForgeError> {
        let body = wish.body.within(&pull.body);
        if pull.title == wish.title && body == pull.body.replace("\r\n", "\n") {
            return Ok(pull);
        }
        let change = json!({ "title": wish.title, "body": body });
        Ok(self.hub.change(pull.number, change).await?.told())
    }

    async fn deploy_once(&self, deployment: &Deployment) -> Result<(), ForgeError> {
        let id = match self.deployment_of(deployment).await? {
            Some(known) => known,
            None => self.begin_deployment(deployment).await?,
        };
        let path = format!("deployments/{id}/statuses");
        let doing = "tell how a deployment goes";
        let call = self
            .call(Method::GET, &path, doing, Right::Read)
            .with("per_page", &1);
        let last: Vec<DeploymentStatus> = self.hub.client.ask(call).await?;
        let status = status_of(deployment);
        let same = last.first().is_some_and(|last| {
            status["state"] == json!(last.state)
                && status["description"] == json!(last.description.as_deref().unwrap_or_default())
                && deployment.url.as_deref().unwrap_or_default()
                    == last.log_url.as_deref().unwrap_or_default()
        });
        if same {
            return Ok(());
        }
        let call = self.call(Method::POST, &path, doing, Right::Deployments);
        self.hub.client.tell(call.sends(status)).await
    }

    async fn deployment_of(&self, deployment: &Deployment) -> Result<Option<u64>, ForgeError> {
        let doing = "look for the deployment";
        let call = self.call(Method::GET, "deployments", doing, Right::Read);
        let call = call
            .with("sha", &deployment.commit)
            .with("environment", &deployment.environment)
            .with("task", TASK)
            .with("per_page", &1);
        let known: Vec<Told> = self.hub.client.ask(call).await?;
        Ok(known.first().map(|known| known.id))
    }

    async fn begin_deployment(&self, deployment: &Deployment) -> Result<u64, ForgeError> {
        let doing = "tell of a deployment";
        let call = self.call(Method::POST, "deployments", doing, Right::Deployments);
        let begun: Told = self
            .hub
            .client
            .ask(call.sends(json!({
                "ref": deployment.commit,
                "environment": deployment.environment,
                "task": TASK,
                // What is merged is deployed: GitHub must not merge by itself, nor wait for checks.
                "auto_merge": false,
                "required_contexts": [],
                "description": short(&deployment.description, MAX_DESCRIPTION),
            })))
            .await?;
        Ok(begun.id)
    }
}

fn status_of(deployment: &Deployment) -> Value {
    let state = match deployment.state {
        DeploymentState::InProgress => "in_progress",
        DeploymentState::Success => "success",
        DeploymentState::Failure => "failure",
    };
    let mut status = json!({
        "state": state,
        "environment": deployment.environment,
        "description": short(&deployment.description, MAX_DESCRIPTION),
        "auto_inactive": true,
    });
    if let Some(url) = &deployment.url {
        status["log_url"] = json!(url);
    }
    status
}

#[async_trait]
impl Forge for Github {
    fn address(&self) -> &Address {
        &self.hub.client.address
    }

    async fn open(&self, wish: &Wish) -> Result<PullRequest, ForgeError> {
        let retry = self.hub.client.retry;
        retry.run(|| self.open_once(wish)).await
    }

    async fn find(&self, branch: &str) -> Result<Option<PullRequest>, ForgeError> {
        self.hub.client.retry.run(|| self.found(branch)).await
    }

    async fn pull_request(&self, number: u64) -> Result<PullRequest, ForgeError> {
        let pull = self.hub.client.retry.run(|| self.hub.pull(number)).await?;
        Ok(pull.told())
    }

    async fn set_open(&self, number: u64, open: bool) -> Result<(), ForgeError> {
        self.hub.set_open(number, open).await
    }

    async fn label(&self, number: u64, labels: &[String]) -> Result<(), ForgeError> {
        let path = format!("issues/{number}/labels");
        // A label that is not there yet is made by this very call.
        let call = || {
            let call = self.call(Method::POST, &path, "label it", Right::PullRequests);
            call.sends(json!({ "labels": labels }))
        };
        let retry = self.hub.client.retry;
        retry.run(|| self.hub.client.tell(call())).await
    }

    async fn ask_for_review(&self, number: u64, names: &[String]) -> Result<Requested, ForgeError> {
        self.hub.ask_for_review(number, names).await
    }

    async fn reviews(&self, number: u64) -> Result<Vec<Review>, ForgeError> {
        self.hub.reviews(number).await
    }

    async fn comment(&self, number: u64, marker: &Marker, text: &str) -> Result<(), ForgeError> {
        self.hub.comment(number, marker, text).await
    }

    async fn set_status(&self, commit: &str, status: &Status) -> Result<(), ForgeError> {
        self.hub.set_status(commit, status).await
    }

    async fn statuses(&self, commit: &str) -> Result<Vec<Status>, ForgeError> {
        self.hub.statuses(commit).await
    }

    async fn deployment(&self, deployment: &Deployment) -> Result<bool, ForgeError> {
        let retry = self.hub.client.retry;
        retry.run(|| self.deploy_once(deployment)).await?;
        Ok(true)
    }
}
