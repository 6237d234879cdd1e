//! GitHub: github.com, data residency, and Enterprise Server.
//!
//! The calls are those of GitHub's REST API, version 2022-11-28, and are held against its own
//! description of it. A token is a person's, an app installation's, or a workflow's own.

use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::hub::{Dialect, Hub, Pull};
use super::wish::{Deployment, DeploymentState, PullRequest, State, Wish, short};
use super::{ForgeError, Right};

/// The longest description of a deployment's status, in characters.
const MAX_DESCRIPTION: usize = 140;

/// What our deployments are told from others by.
const TASK: &str = "modelyard";

/// What telling of a deployment is, behind "can't".
const TELL: &str = "tell how a deployment goes";

/// As many as GitHub gives on one page.
const PAGE: usize = 100;

/// What GitHub does in its own way.
#[derive(Debug)]
pub(super) struct Github;

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

#[async_trait]
impl Dialect for Github {
    const THERE_IS_ONE: u16 = 422;
    const STAYS_CLOSED: &'static [u16] = &[422];
    const LAST_CHANGED: &'static str = "updated";
    const APPS: Option<&'static str> = Some("[bot]");

    fn title(wish: &Wish, _: Option<&str>) -> String {
        wish.title.clone()
    }

    async fn found(hub: &Hub<Self>, branch: &str) -> Result<Option<PullRequest>, ForgeError> {
        let mut all = of_branch(hub, branch).await?;
        let open = all.iter().position(|pull| pull.state == State::Open);
        Ok((!all.is_empty()).then(|| all.swap_remove(open.unwrap_or(0))))
    }

    /// GitHub opens no second one.
    async fn only_one(
        _: &Hub<Self>,
        new: PullRequest,
        _: &Wish,
    ) -> Result<PullRequest, ForgeError> {
        Ok(new)
    }

    async fn having(hub: &Hub<Self>, commit: &str) -> Result<Vec<Pull>, ForgeError> {
        let doing = "look for the pull request of a commit";
        let path = format!("commits/{commit}/pulls");
        let call = hub.call(Method::GET, &path, doing, Right::Read);
        match hub.client.ask(call.with("per_page", &PAGE)).await {
            // What it says of a commit that it doesn't know.
            Err(error) if error.status() == Some(422) => Ok(Vec::new()),
            answer => answer,
        }
    }

    async fn label(hub: &Hub<Self>, number: u64, labels: &[String]) -> Result<(), ForgeError> {
        let path = format!("issues/{number}/labels");
        // A label that is not there yet is made by this very call.
        let call = hub.call(Method::POST, &path, "label it", Right::PullRequests);
        hub.client
            .tell(call.sends(json!({ "labels": labels })))
            .await
    }

    async fn deploy(hub: &Hub<Self>, deployment: &Deployment) -> Result<(), ForgeError> {
        let (commit, environment) = (&deployment.commit, &deployment.environment);
        let id = match deployment_of(hub, commit, environment).await? {
            Some(known) => known,
            None => begin_deployment(hub, deployment).await?,
        };
        let status = status_of(deployment);
        let same = last_status(hub, id).await?.is_some_and(|last| {
            status["state"] == json!(last.state)
                && status["description"] == json!(last.description.unwrap_or_default())
                && deployment.url.as_deref().unwrap_or_default() == last.log_url.unwrap_or_default()
        });
        if same {
            return Ok(());
        }
        let path = format!("deployments/{id}/statuses");
        let call = hub.call(Method::POST, &path, TELL, Right::Deployments);
        hub.client.tell(call.sends(status)).await
    }

    async fn deployed(
        hub: &Hub<Self>,
        commit: &str,
        environment: &str,
    ) -> Result<Option<(DeploymentState, String)>, ForgeError> {
        let Some(id) = deployment_of(hub, commit, environment).await? else {
            return Ok(None);
        };
        Ok(last_status(hub, id).await?.map(|last| {
            let state = match &*last.state {
                "success" => DeploymentState::Success,
                "failure" | "error" => DeploymentState::Failure,
                "inactive" => DeploymentState::Superseded,
                _ => DeploymentState::InProgress,
            };
            (state, last.description.unwrap_or_default())
        }))
    }
}

/// The pull requests from our branch of this name, the newest first.
async fn of_branch(hub: &Hub<Github>, branch: &str) -> Result<Vec<PullRequest>, ForgeError> {
    let project = &hub.client.address.project;
    let owner = project.split('/').next().unwrap_or_default();
    let doing = "look for the pull request";
    let call = hub.call(Method::GET, "pulls", doing, Right::Read);
    let call = call
        .with("head", &format!("{owner}:{branch}"))
        .with("state", "all")
        .with("sort", "created")
        .with("direction", "desc")
        .with("per_page", &PAGE);
    let pulls: Vec<Pull> = hub.client.ask(call).await?;
    // An owner's fork beside the yard has the same head.
    let ours = |pull: &Pull| pull.is_from(project, branch);
    Ok(pulls.into_iter().filter(ours).map(Pull::told).collect())
}

async fn last_status(hub: &Hub<Github>, id: u64) -> Result<Option<DeploymentStatus>, ForgeError> {
    let path = format!("deployments/{id}/statuses");
    let call = hub.call(Method::GET, &path, TELL, Right::Read);
    let last: Vec<DeploymentStatus> = hub.client.ask(call.with("per_page", &1)).await?;
    Ok(last.into_iter().next())
}

async fn deployment_of(
    hub: &Hub<Github>,
    commit: &str,
    environment: &str,
) -> Result<Option<u64>, ForgeError> {
    let doing = "look for the deployment";
    let call = hub.call(Method::GET, "deployments", doing, Right::Read);
    let call = call
        .with("sha", commit)
        .with("environment", environment)
        .with("task", TASK)
        .with("per_page", &1);
    let known: Vec<Told> = hub.client.ask(call).await?;
    Ok(known.first().map(|known| known.id))
}

async fn begin_deployment(hub: &Hub<Github>, deployment: &Deployment) -> Result<u64, ForgeError> {
    let doing = "tell of a deployment";
    let call = hub.call(Method::POST, "deployments", doing, Right::Deployments);
    let begun: Told = hub
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

fn status_of(deployment: &Deployment) -> Value {
    let state = match deployment.state {
        DeploymentState::InProgress => "in_progress",
        DeploymentState::Success => "success",
        DeploymentState::Failure => "failure",
        DeploymentState::Superseded => "inactive",
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
