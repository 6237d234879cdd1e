//! Gitea, and Forgejo, which keeps its API.
//!
//! The calls are those of `/swagger.v1.json`, version 1, and are held against Gitea itself. There
//! are no deployments: what becomes of a commit in an environment is a status of it.

use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::client::Call;
use super::hub::{Dialect, Hub, Pull, page};
use super::wish::{Deployment, DeploymentState, PullRequest, State, Status, StatusState, Wish};
use super::{ForgeError, Right};

/// What makes a title that of a draft; each may be configured away, these are what it ships with.
const DRAFT: [&str; 2] = ["WIP:", "[WIP]"];

/// The colour of a label of ours.
const COLOUR: &str = "#1d76db";

/// What Gitea does in its own way.
#[derive(Debug)]
pub(super) struct Gitea;

#[derive(Debug, Deserialize)]
struct Label {
    id: u64,
    name: String,
}

#[async_trait]
impl Dialect for Gitea {
    const THERE_IS_ONE: u16 = 409;
    const STAYS_CLOSED: &'static [u16] = &[409, 412, 422];
    const LAST_CHANGED: &'static str = "recentupdate";
    const APPS: Option<&'static str> = None;

    /// Whoever made it a draft says when it is none.
    fn title(wish: &Wish, now: Option<&str>) -> String {
        let mark = match now {
            None => wish.draft.then_some(DRAFT[0]),
            Some(now) => DRAFT.into_iter().find(|mark| {
                let start = now.get(..mark.len());
                start.is_some_and(|start| start.eq_ignore_ascii_case(mark))
            }),
        };
        match mark {
            Some(mark) => format!("{mark} {}", wish.title),
            None => wish.title.clone(),
        }
    }

    /// There is no search by branch, so pages are turned until it shows, the last changed first.
    async fn found(hub: &Hub<Self>, branch: &str) -> Result<Option<PullRequest>, ForgeError> {
        for state in ["open", "closed"] {
            let call = || {
                let doing = "look for the pull request";
                let call = hub.call(Method::GET, "pulls", doing, Right::Read);
                page(call).with("state", state).with("sort", "recentupdate")
            };
            let project = &hub.client.address.project;
            let ours = |pull: &Pull| pull.is_from(project, branch);
            let wants_more = |pulls: &[Pull]| !pulls.iter().any(ours);
            let pulls: Vec<Pull> = hub.client.list(call, wants_more).await?;
            let mut found = pulls.into_iter().filter(ours).map(Pull::told);
            // Of several that are open the first counts; of those that are not, the last.
            let found = match state {
                "open" => found.min_by_key(|pull| pull.number),
                _ => found.next(),
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Gives up a new one where somebody else was faster: asked twice at once, Gitea opens two for
    /// one branch. Whoever has the higher number sees the other.
    async fn only_one(
        hub: &Hub<Self>,
        new: PullRequest,
        wish: &Wish,
    ) -> Result<PullRequest, ForgeError> {
        match Self::found(hub, &wish.branch).await? {
            Some(first) if first.state == State::Open && first.number < new.number => {
                let closed = json!({ "state": "closed" });
                hub.change(new.number, closed).await?;
                hub.update(first, wish).await
            }
            _ => Ok(new),
        }
    }

    async fn having(hub: &Hub<Self>, commit: &str) -> Result<Vec<Pull>, ForgeError> {
        let doing = "look for the pull request of a commit";
        let path = format!("commits/{commit}/pull");
        let call = hub.call(Method::GET, &path, doing, Right::Read);
        match hub.client.ask(call).await {
            Ok(pull) => Ok(vec![pull]),
            // That of a commit without one, or of a yard that the token may not see.
            Err(error) if error.status() == Some(404) => {
                let yard = format!("repos/{}", hub.client.address.project);
                let yard = Call::new(Method::GET, &yard, doing, Right::Read);
                hub.client.tell(yard).await?;
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    async fn label(hub: &Hub<Self>, number: u64, labels: &[String]) -> Result<(), ForgeError> {
        let doing = "label it";
        let list = || page(hub.call(Method::GET, "labels", doing, Right::Read));
        let known: Vec<Label> = hub.client.list(list, |_| true).await?;
        let mut ids = Vec::new();
        for label in labels {
            let known = known.iter().find(|known| known.name == *label);
            ids.push(match known {
                Some(known) => known.id,
                None => new_label(hub, label).await?,
            });
        }
        let path = format!("issues/{number}/labels");
        let call = hub.call(Method::POST, &path, doing, Right::PullRequests);
        hub.client.tell(call.sends(json!({ "labels": ids }))).await
    }

    async fn deploy(hub: &Hub<Self>, deployment: &Deployment) -> Result<(), ForgeError> {
        let state = match deployment.state {
            DeploymentState::InProgress => StatusState::Pending,
            DeploymentState::Success => StatusState::Success,
            DeploymentState::Failure => StatusState::Failure,
            DeploymentState::Superseded => StatusState::Error,
        };
        let status = Status {
            context: context(&deployment.environment),
            state,
            description: deployment.description.clone(),
            url: deployment.url.clone(),
        };
        hub.set_status_once(&deployment.commit, &status).await
    }

    async fn deployed(
        hub: &Hub<Self>,
        commit: &str,
        environment: &str,
    ) -> Result<Option<(DeploymentState, String)>, ForgeError> {
        let context = context(environment);
        let mut said = hub.statuses_once(commit).await?.into_iter();
        let told = said.find(|status| status.context == context);
        Ok(told.map(|status| {
            let state = match status.state {
                StatusState::Pending => DeploymentState::InProgress,
                StatusState::Success => DeploymentState::Success,
                StatusState::Failure => DeploymentState::Failure,
                StatusState::Error => DeploymentState::Superseded,
            };
            (state, status.description)
        }))
    }
}

/// Whose word the status of a deployment is.
fn context(environment: &str) -> String {
    format!("modelyard/deployment/{environment}")
}

async fn new_label(hub: &Hub<Gitea>, name: &str) -> Result<u64, ForgeError> {
    let call = hub.call(Method::POST, "labels", "make a label", Right::PullRequests);
    let call = call.sends(json!({ "name": name, "color": COLOUR }));
    Ok(hub.client.ask::<Label>(call).await?.id)
}
