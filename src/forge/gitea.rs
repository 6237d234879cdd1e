//! Gitea, and Forgejo, which keeps its API.
//!
//! The calls are those of `/swagger.v1.json`, version 1, and are held against Gitea itself. There
//! are no deployments.

use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::client::{Call, Client};
use super::hub::{self, Hub, Pull};
use super::marker::Marker;
use super::wish::{Deployment, PullRequest, Requested, Review, State, Status, Wish};
use super::{Address, Forge, ForgeError, Right};

/// What makes a title that of a draft; each may be configured away, these are what it ships with.
const DRAFT: [&str; 2] = ["WIP:", "[WIP]"];

/// The colour of a label of ours.
const COLOUR: &str = "#1d76db";

/// A repository on Gitea.
#[derive(Debug)]
pub(super) struct Gitea {
    hub: Hub,
}

#[derive(Debug, Deserialize)]
struct Label {
    id: u64,
    name: String,
}

impl Gitea {
    pub(super) fn new(client: Client) -> Self {
        Self {
            hub: Hub { client },
        }
    }

    fn call(&self, method: Method, path: &str, doing: &'static str, right: Right) -> Call {
        self.hub.call(method, path, doing, right)
    }

    /// The pull request from our branch of this name: the open one, else the last that changed.
    /// There is no search by branch, so pages are turned until it shows, the last changed first.
    async fn found(&self, branch: &str) -> Result<Option<PullRequest>, ForgeError> {
        for state in ["open", "closed"] {
            let call = || {
                let doing = "look for the pull request";
                let call = self.call(Method::GET, "pulls", doing, Right::Read);
                hub::page(call)
                    .with("state", state)
                    .with("sort", "recentupdate")
            };
            let project = &self.hub.client.address.project;
            let ours = |pull: &Pull| pull.is_from(project, branch);
            let wants_more = |pulls: &[Pull]| !pulls.iter().any(ours);
            let pulls: Vec<Pull> = self.hub.client.list(call, wants_more).await?;
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

    async fn open_once(&self, wish: &Wish) -> Result<PullRequest, ForgeError> {
        match self.found(&wish.branch).await? {
            Some(open) if open.state == State::Open => self.update(open, wish).await,
            Some(closed) if closed.state == State::Closed => {
                let reopened = self.hub.change(closed.number, json!({ "state": "open" }));
                match reopened.await {
                    Ok(reopened) => self.update(reopened.told(), wish).await,
                    // Its branch was made anew since: then it stays closed.
                    Err(error) if matches!(error.status(), Some(409 | 412 | 422)) => {
                        self.create(wish).await
                    }
                    Err(error) => Err(error),
                }
            }
            _ => self.create(wish).await,
        }
    }

    async fn create(&self, wish: &Wish) -> Result<PullRequest, ForgeError> {
        let title = if wish.draft {
            format!("{} {}", DRAFT[0], wish.title)
        } else {
            wish.title.clone()
        };
        let body = json!({
            "title": title,
            "head": wish.branch,
            "base": wish.base,
            "body": wish.body.fresh(),
        });
        match self.hub.create(body).await {
            Ok(pull) => self.only_one(pull.told(), wish).await,
            // Somebody else, or we in a call whose answer was lost, were faster.
            Err(error) if error.status() == Some(409) => match self.found(&wish.branch).await? {
                Some(open) if open.state == State::Open => self.update(open, wish).await,
                _ => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// Gives up a new one where somebody else was faster: asked twice at once, Gitea opens two for
    /// one branch. Whoever has the higher number sees the other.
    async fn only_one(&self, new: PullRequest, wish: &Wish) -> Result<PullRequest, ForgeError> {
        match self.found(&wish.branch).await? {
            Some(first) if first.state == State::Open && first.number < new.number => {
                let closed = json!({ "state": "closed" });
                self.hub.change(new.number, closed).await?;
                self.update(first, wish).await
            }
            _ => Ok(new),
        }
    }

    async fn update(&self, pull: PullRequest, wish: &Wish) -> Result<PullRequest, ForgeError> {
        let body = wish.body.within(&pull.body);
        // Whoever made it a draft says when it is none.
        let draft = DRAFT.iter().find(|mark| {
            let title = pull.title.get(..mark.len());
            title.is_some_and(|title| title.eq_ignore_ascii_case(mark))
        });
        let title = match draft {
            Some(mark) => format!("{mark} {}", wish.title),
            None => wish.title.clone(),
        };
        if pull.title == title && body == pull.body.replace("\r\n", "\n") {
            return Ok(pull);
        }
        let change = json!({ "title": title, "body": body });
        Ok(self.hub.change(pull.number, change).await?.told())
    }

    async fn label_once(&self, number: u64, labels: &[String]) -> Result<(), ForgeError> {
        let doing = "label it";
        let list = || hub::page(self.call(Method::GET, "labels", doing, Right::Read));
        let known: Vec<Label> = self.hub.client.list(list, |_| true).await?;
        let mut ids = Vec::new();
        for label in labels {
            let known = known.iter().find(|known| known.name == *label);
            ids.push(match known {
                Some(known) => known.id,
                None => self.new_label(label).await?,
            });
        }
        let path = format!("issues/{number}/labels");
        let call = self.call(Method::POST, &path, doing, Right::PullRequests);
        self.hub
            .client
            .tell(call.sends(json!({ "labels": ids })))
            .await
    }

    async fn new_label(&self, name: &str) -> Result<u64, ForgeError> {
        let call = self.call(Method::POST, "labels", "make a label", Right::PullRequests);
        let call = call.sends(json!({ "name": name, "color": COLOUR }));
        Ok(self.hub.client.ask::<Label>(call).await?.id)
    }
}

#[async_trait]
impl Forge for Gitea {
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
        let retry = self.hub.client.retry;
        retry.run(|| self.label_once(number, labels)).await
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

    async fn deployment(&self, _: &Deployment) -> Result<bool, ForgeError> {
        Ok(false)
    }
}
