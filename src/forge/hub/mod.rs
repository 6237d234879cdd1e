//! What GitHub's API and Gitea's, which follows it, have alike: one implementation of both, with
//! what each does in its own way behind [`Dialect`].

mod opening;
mod saying;
mod shapes;

use std::fmt;
use std::marker::PhantomData;

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Call, Client};
use super::marker::Marker;
use super::wish::{Deployment, DeploymentState, PullRequest, Requested, Review, Status, Wish};
use super::{Address, Forge, ForgeError, Right};

pub(super) use shapes::Pull;

/// As many as both give on one page; Gitea has fifty at most where nobody configured more.
pub(super) const PAGE: usize = 50;

/// What one of them does in its own way. Each call is made once: trying again is the hub's.
#[async_trait]
pub(super) trait Dialect: fmt::Debug + Send + Sync + Sized + 'static {
    /// The status that refuses a second pull request for one branch.
    const THERE_IS_ONE: u16;
    /// The statuses that refuse to reopen one whose branch was made anew since.
    const STAYS_CLOSED: &'static [u16];
    /// The word by which a list has those first that changed last.
    const LAST_CHANGED: &'static str;
    /// How the names of apps end, whose tokens don't tell who they are, and no person's can.
    const APPS: Option<&'static str>;

    /// The title that `wish` gives to one that is titled `now`, or to a new one.
    fn title(wish: &Wish, now: Option<&str>) -> String;

    /// The pull request from our branch of this name: the open one, else the last.
    async fn found(hub: &Hub<Self>, branch: &str) -> Result<Option<PullRequest>, ForgeError>;

    /// The one that counts, of `new` and those that others opened for the branch at the same time.
    async fn only_one(
        hub: &Hub<Self>,
        new: PullRequest,
        wish: &Wish,
    ) -> Result<PullRequest, ForgeError>;

    /// The pull requests that have a commit.
    async fn having(hub: &Hub<Self>, commit: &str) -> Result<Vec<Pull>, ForgeError>;

    /// As [`Forge::label`].
    async fn label(hub: &Hub<Self>, number: u64, labels: &[String]) -> Result<(), ForgeError>;

    /// As [`Forge::tell_deployment`].
    async fn deploy(hub: &Hub<Self>, deployment: &Deployment) -> Result<(), ForgeError>;

    /// As [`Forge::deployment`].
    async fn deployed(
        hub: &Hub<Self>,
        commit: &str,
        environment: &str,
    ) -> Result<Option<(DeploymentState, String)>, ForgeError>;
}

/// A repository, and how it is asked.
#[derive(Debug)]
pub(super) struct Hub<D> {
    pub(super) client: Client,
    dialect: PhantomData<D>,
}

impl<D: Dialect> Hub<D> {
    pub(super) const fn new(client: Client) -> Self {
        Self {
            client,
            dialect: PhantomData,
        }
    }

    /// A call to a place of the repository; `path` has no segment with a slash in it.
    pub(super) fn call(
        &self,
        method: Method,
        path: &str,
        doing: &'static str,
        right: Right,
    ) -> Call {
        let project = &self.client.address.project;
        Call::new(method, &format!("repos/{project}/{path}"), doing, right)
    }

    pub(super) async fn pull(&self, number: u64) -> Result<Pull, ForgeError> {
        let path = format!("pulls/{number}");
        let call = self.call(Method::GET, &path, "read a pull request", Right::Read);
        self.client.ask(call).await
    }

    /// The open pull request with this head. What was just pushed is among the last that changed:
    /// pages are turned until it shows. Asked by its commit, GitHub tells of no fork's.
    async fn at(&self, head: &str) -> Result<Option<Pull>, ForgeError> {
        let call = || {
            let doing = "look for the pull request of a commit";
            page(self.call(Method::GET, "pulls", doing, Right::Read))
                .with("state", "open")
                .with("sort", D::LAST_CHANGED)
                .with("direction", "desc")
        };
        let has = |pull: &Pull| pull.head.sha == head;
        let wants_more = |pulls: &[Pull]| !pulls.iter().any(has);
        let pulls: Vec<Pull> = self.client.list(call, wants_more).await?;
        Ok(pulls.into_iter().find(has))
    }

    pub(super) async fn create(&self, body: Value) -> Result<Pull, ForgeError> {
        let (doing, right) = ("open a pull request", Right::PullRequests);
        let call = self.call(Method::POST, "pulls", doing, right);
        self.client.ask(call.sends(body)).await
    }

    pub(super) async fn change(&self, number: u64, body: Value) -> Result<Pull, ForgeError> {
        let (doing, right) = ("change a pull request", Right::PullRequests);
        let call = self.call(Method::PATCH, &format!("pulls/{number}"), doing, right);
        self.client.ask(call.sends(body)).await
    }
}

/// `call`, asking for a full page.
pub(super) fn page(call: Call) -> Call {
    // Gitea's word for it, and GitHub's; each passes over the other's.
    call.with("limit", &PAGE).with("per_page", &PAGE)
}

#[async_trait]
impl<D: Dialect> Forge for Hub<D> {
    fn address(&self) -> &Address {
        &self.client.address
    }

    async fn open(&self, wish: &Wish) -> Result<PullRequest, ForgeError> {
        self.client.retry.run(|| self.open_once(wish)).await
    }

    async fn find(&self, branch: &str) -> Result<Option<PullRequest>, ForgeError> {
        self.client.retry.run(|| D::found(self, branch)).await
    }

    async fn pull_request(&self, number: u64) -> Result<PullRequest, ForgeError> {
        Ok(self.client.retry.run(|| self.pull(number)).await?.told())
    }

    async fn pull_request_at(&self, head: &str) -> Result<Option<PullRequest>, ForgeError> {
        let at = self.client.retry.run(|| self.at(head)).await?;
        Ok(at.map(Pull::told))
    }

    async fn pull_request_of(&self, commit: &str) -> Result<Option<PullRequest>, ForgeError> {
        let having = self.client.retry.run(|| D::having(self, commit)).await?;
        let merged = having.into_iter().filter(|pull| pull.merged_at.is_some());
        // What was merged into another branch first came to main with the last.
        let brought = merged.max_by(|one, other| {
            let rank = |pull: &Pull| pull.merge_commit_sha.as_deref() == Some(commit);
            let by_commit = rank(one).cmp(&rank(other));
            by_commit.then_with(|| one.merged_at.cmp(&other.merged_at))
        });
        Ok(brought.map(Pull::told))
    }

    async fn set_open(&self, number: u64, open: bool) -> Result<(), ForgeError> {
        let state = if open { "open" } else { "closed" };
        let change = || self.change(number, json!({ "state": state }));
        self.client.retry.run(change).await.map(|_| ())
    }

    async fn label(&self, number: u64, labels: &[String]) -> Result<(), ForgeError> {
        let label = || D::label(self, number, labels);
        self.client.retry.run(label).await
    }

    async fn ask_for_review(&self, number: u64, names: &[String]) -> Result<Requested, ForgeError> {
        self.ask_each(number, names).await
    }

    async fn reviews(&self, number: u64) -> Result<Vec<Review>, ForgeError> {
        self.last_words(number).await
    }

    async fn comment(&self, number: u64, marker: &Marker, text: &str) -> Result<(), ForgeError> {
        let comment = || self.comment_once(number, marker, text);
        self.client.retry.run(comment).await
    }

    async fn set_status(&self, commit: &str, status: &Status) -> Result<(), ForgeError> {
        let set = || self.set_status_once(commit, status);
        self.client.retry.run(set).await
    }

    async fn statuses(&self, commit: &str) -> Result<Vec<Status>, ForgeError> {
        self.client.retry.run(|| self.statuses_once(commit)).await
    }

    async fn tell_deployment(&self, deployment: &Deployment) -> Result<(), ForgeError> {
        self.client.retry.run(|| D::deploy(self, deployment)).await
    }

    async fn deployment(
        &self,
        commit: &str,
        environment: &str,
    ) -> Result<Option<(DeploymentState, String)>, ForgeError> {
        let deployed = || D::deployed(self, commit, environment);
        self.client.retry.run(deployed).await
    }
}
