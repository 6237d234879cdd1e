//! GitLab, gitlab.com and self-managed. Its pull requests are called merge requests.
//!
//! The calls are those of its REST API, version 4. What a job's own token may do is less than
//! this needs: it reads, and tells of deployments.

mod shapes;

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};

use self::shapes::{Approvals, CommitStatus, MergeRequest, Note, Person, Told};
use super::client::{Call, Client};
use super::marker::{self, Comment, Marker};
use super::wish::{
    Deployment, DeploymentState, PullRequest, Requested, Review, State, Status, StatusState,
    Verdict, Wish,
};
use super::{Address, Forge, ForgeError, Right};

/// What makes a title that of a draft.
const DRAFT: &str = "Draft:";

/// As many as GitLab gives on one page.
const PAGE: usize = 100;

/// A project on GitLab.
#[derive(Debug)]
pub(super) struct Gitlab {
    client: Client,
}

impl Gitlab {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// A call to a place of the project, which is named by its whole path in one segment.
    fn call(&self, method: Method, path: &str, doing: &'static str, right: Right) -> Call {
        let call = Call::new(method, "projects", doing, right).at(&self.client.address.project);
        path.split('/').fold(call, Call::at)
    }

    async fn found(&self, branch: &str) -> Result<Option<PullRequest>, ForgeError> {
        let doing = "look for the merge request";
        let call = self.call(Method::GET, "merge_requests", doing, Right::Read);
        let call = call
            .with("source_branch", branch)
            .with("state", "all")
            .with("order_by", "created_at")
            .with("sort", "desc")
            .with("per_page", &PAGE);
        let all: Vec<MergeRequest> = self.client.ask(call).await?;
        let ours = |one: &MergeRequest| one.source_project_id == Some(one.target_project_id);
        let mut all: Vec<PullRequest> = all
            .into_iter()
            .filter(ours)
            .map(MergeRequest::told)
            .collect();
        let open = all.iter().position(|one| one.state == State::Open);
        Ok((!all.is_empty()).then(|| all.swap_remove(open.unwrap_or(0))))
    }

    async fn one(&self, number: u64) -> Result<MergeRequest, ForgeError> {
        let path = format!("merge_requests/{number}");
        let call = self.call(Method::GET, &path, "read a merge request", Right::Read);
        self.client.ask(call).await
    }

    /// The requests that have a commit and are in this state.
    async fn having(&self, commit: &str, state: &str) -> Result<Vec<MergeRequest>, ForgeError> {
        let doing = "look for the merge request of a commit";
        let path = format!("repository/commits/{commit}/merge_requests");
        let call = self.call(Method::GET, &path, doing, Right::Read);
        let call = call.with("state", state).with("per_page", &PAGE);
        match self.client.ask(call).await {
            // That of a commit that it doesn't know, or of a project that the token may not see.
            Err(error) if error.status() == Some(404) => {
                let project = Call::new(Method::GET, "projects", doing, Right::Read);
                let project = project.at(&self.client.address.project);
                self.client.tell(project).await?;
                Ok(Vec::new())
            }
            answer => answer,
        }
    }

    async fn change(&self, number: u64, change: Value) -> Result<MergeRequest, ForgeError> {
        let (path, doing) = (format!("merge_requests/{number}"), "change a merge request");
        let call = self.call(Method::PUT, &path, doing, Right::PullRequests);
        self.client.ask(call.sends(change)).await
    }

    async fn open_once(&self, wish: &Wish) -> Result<PullRequest, ForgeError> {
        match self.found(&wish.branch).await? {
            Some(open) if open.state == State::Open => self.update(open, wish, None).await,
            Some(closed) if closed.state == State::Closed => {
                self.update(closed, wish, Some("reopen")).await
            }
            _ => self.create(wish).await,
        }
    }

    async fn create(&self, wish: &Wish) -> Result<PullRequest, ForgeError> {
        let title = if wish.draft {
            format!("{DRAFT} {}", wish.title)
        } else {
            wish.title.clone()
        };
        let (doing, right) = ("open a merge request", Right::PullRequests);
        let call = self.call(Method::POST, "merge_requests", doing, right);
        let call = call.sends(json!({
            "title": title,
            "source_branch": wish.branch,
            "target_branch": wish.base,
            "description": wish.body.fresh(),
        }));
        match self.client.ask::<MergeRequest>(call).await {
            Ok(one) => Ok(one.told()),
            // Somebody else, or we in a call whose answer was lost, were faster.
            Err(error) if error.status() == Some(409) => match self.found(&wish.branch).await? {
                Some(open) if open.state == State::Open => self.update(open, wish, None).await,
                _ => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    async fn update(
        &self,
        one: PullRequest,
        wish: &Wish,
        event: Option<&str>,
    ) -> Result<PullRequest, ForgeError> {
        let description = wish.body.within(&one.body);
        // Whoever made it a draft says when it is none.
        let title = if one.title.starts_with(DRAFT) {
            format!("{DRAFT} {}", wish.title)
        } else {
            wish.title.clone()
        };
        let same = one.title == title && one.body.replace("\r\n", "\n") == description;
        if same && event.is_none() {
            return Ok(one);
        }
        let mut change = json!({ "title": title, "description": description });
        if let Some(event) = event {
            change["state_event"] = json!(event);
        }
        Ok(self.change(one.number, change).await?.told())
    }

    async fn ask_once(&self, number: u64, names: &[String]) -> Result<Requested, ForgeError> {
        let one = self.one(number).await?;
        let author = one.author.map(|author| author.username);
        let mut ids: Vec<u64> = one.reviewers.iter().map(|person| person.id).collect();
        let mut requested = Requested::default();
        for name in names {
            let doing = "look for a reviewer";
            let call = Call::new(Method::GET, "users", doing, Right::Read).with("username", name);
            let people: Vec<Person> = self.client.ask(call).await?;
            // A group can't be asked; the author could, and would wait for themselves.
            match people.into_iter().next() {
                Some(person) if author.as_ref() != Some(&person.username) => {
                    if !ids.contains(&person.id) {
                        ids.push(person.id);
                    }
                    requested.asked.push(name.clone());
                }
                _ => requested.unknown.push(name.clone()),
            }
        }
        if ids.len() > one.reviewers.len() {
            self.change(number, json!({ "reviewer_ids": ids })).await?;
        }
        Ok(requested)
    }

    async fn comment_once(
        &self,
        number: u64,
        marker: &Marker,
        text: &str,
    ) -> Result<(), ForgeError> {
        let text = marker.on(text);
        let author = self.one(number).await?.told().author;
        let me = self.client.me::<Person>().await?;
        let me = me.map(|person| person.username);
        let path = format!("merge_requests/{number}/notes");
        let list = || {
            let call = self.call(Method::GET, &path, "comment", Right::Read);
            call.with("per_page", &PAGE).with("sort", "asc")
        };
        let notes: Vec<Note> = self.client.list(list, |_| true).await?;
        let notes: Vec<Comment> = notes.into_iter().map(Note::told).collect();
        let (method, path) = match marker::ours(&notes, marker, me.as_deref(), &author) {
            Some(ours) if ours.body == text => return Ok(()),
            Some(ours) => (Method::PUT, format!("{path}/{}", ours.id)),
            None => (Method::POST, path.clone()),
        };
        let call = self.call(method, &path, "comment", Right::Comments);
        self.client.tell(call.sends(json!({ "body": text }))).await
    }

    async fn statuses_once(&self, commit: &str) -> Result<Vec<Status>, ForgeError> {
        let path = format!("repository/commits/{commit}/statuses");
        let call = self.call(Method::GET, &path, "read statuses", Right::Read);
        let all: Vec<CommitStatus> = self.client.ask(call.with("per_page", &PAGE)).await?;
        Ok(all.into_iter().filter_map(CommitStatus::told).collect())
    }

    async fn set_status_once(&self, commit: &str, status: &Status) -> Result<(), ForgeError> {
        let said = self.statuses_once(commit).await?;
        if said.iter().any(|said| status.says(said)) {
            return Ok(());
        }
        let path = format!("statuses/{commit}");
        let call = self.call(Method::POST, &path, "set a status", Right::Statuses);
        let state = match status.state {
            StatusState::Pending => "pending",
            StatusState::Success => "success",
            StatusState::Failure | StatusState::Error => "failed",
        };
        let mut body = json!({
            "state": state,
            "name": status.context,
            "description": status.short(),
        });
        if let Some(url) = &status.url {
            body["target_url"] = json!(url);
        }
        match self.client.tell(call.sends(body)).await {
            // A status that stays what it is can't be described anew.
            Err(ForgeError::Refused {
                status: 400,
                detail: Some(detail),
                ..
            }) if detail.0.contains("Cannot transition status") => Ok(()),
            told => told,
        }
    }

    async fn deployment_of(
        &self,
        commit: &str,
        environment: &str,
    ) -> Result<Option<Told>, ForgeError> {
        let doing = "look for the deployment";
        let call = self.call(Method::GET, "deployments", doing, Right::Read);
        let call = call
            .with("environment", environment)
            .with("order_by", "id")
            .with("sort", "desc")
            .with("per_page", &PAGE);
        let known: Vec<Told> = self.client.ask(call).await?;
        Ok(known.into_iter().find(|known| known.sha == commit))
    }

    async fn deployed_once(
        &self,
        commit: &str,
        environment: &str,
    ) -> Result<Option<(DeploymentState, String)>, ForgeError> {
        let known = self.deployment_of(commit, environment).await?;
        Ok(known.map(|known| {
            let state = match &*known.status {
                "success" => DeploymentState::Success,
                "failed" => DeploymentState::Failure,
                "canceled" => DeploymentState::Superseded,
                _ => DeploymentState::InProgress,
            };
            // It keeps no words.
            (state, String::new())
        }))
    }

    async fn deploy_once(&self, deployment: &Deployment) -> Result<(), ForgeError> {
        let doing = "tell of a deployment";
        let (commit, environment) = (&deployment.commit, &deployment.environment);
        let known = self.deployment_of(commit, environment).await?;
        let status = match deployment.state {
            DeploymentState::InProgress => "running",
            DeploymentState::Success => "success",
            DeploymentState::Failure => "failed",
            DeploymentState::Superseded => "canceled",
        };
        let right = Right::Deployments;
        match known {
            Some(known) if known.status == status => Ok(()),
            Some(known) => {
                let call = self
                    .call(Method::PUT, "deployments", doing, right)
                    .at(&known.id);
                self.client
                    .tell(call.sends(json!({ "status": status })))
                    .await
            }
            None => {
                let call = self.call(Method::POST, "deployments", doing, right);
                let call = call.sends(json!({
                    "environment": deployment.environment,
                    "sha": deployment.commit,
                    "ref": deployment.branch,
                    "tag": false,
                    "status": status,
                }));
                self.client.tell(call).await
            }
        }
    }
}

#[async_trait]
impl Forge for Gitlab {
    fn address(&self) -> &Address {
        &self.client.address
    }

    async fn open(&self, wish: &Wish) -> Result<PullRequest, ForgeError> {
        self.client.retry.run(|| self.open_once(wish)).await
    }

    async fn find(&self, branch: &str) -> Result<Option<PullRequest>, ForgeError> {
        self.client.retry.run(|| self.found(branch)).await
    }

    async fn pull_request(&self, number: u64) -> Result<PullRequest, ForgeError> {
        let one = self.client.retry.run(|| self.one(number)).await?;
        Ok(one.told())
    }

    async fn pull_request_at(&self, head: &str) -> Result<Option<PullRequest>, ForgeError> {
        let having = || self.having(head, "opened");
        let having = self.client.retry.run(having).await?.into_iter();
        let mut at = having.filter(|one| one.sha.as_deref() == Some(head));
        Ok(at.next().map(MergeRequest::told))
    }

    async fn pull_request_of(&self, commit: &str) -> Result<Option<PullRequest>, ForgeError> {
        let having = || self.having(commit, "merged");
        let having = self.client.retry.run(having).await?;
        // What was merged into another branch first came to main with the last.
        let brought = having.into_iter().max_by(|one, other| {
            let rank = |one: &MergeRequest| one.landed() == Some(commit);
            let by_commit = rank(one).cmp(&rank(other));
            by_commit.then_with(|| one.merged_at.cmp(&other.merged_at))
        });
        Ok(brought.map(MergeRequest::told))
    }

    async fn set_open(&self, number: u64, open: bool) -> Result<(), ForgeError> {
        let event = if open { "reopen" } else { "close" };
        let change = || self.change(number, json!({ "state_event": event }));
        self.client.retry.run(change).await.map(|_| ())
    }

    async fn label(&self, number: u64, labels: &[String]) -> Result<(), ForgeError> {
        // A label that is not there yet is made by this very call.
        let change = || self.change(number, json!({ "add_labels": labels.join(",") }));
        self.client.retry.run(change).await.map(|_| ())
    }

    async fn ask_for_review(&self, number: u64, names: &[String]) -> Result<Requested, ForgeError> {
        self.client.retry.run(|| self.ask_once(number, names)).await
    }

    async fn reviews(&self, number: u64) -> Result<Vec<Review>, ForgeError> {
        let path = format!("merge_requests/{number}/approvals");
        let call = || self.call(Method::GET, &path, "read its approvals", Right::Read);
        let asked = self
            .client
            .retry
            .run(|| self.client.ask::<Approvals>(call()));
        let given = asked.await?.approved_by.into_iter();
        Ok(given
            .map(|approval| Review {
                by: approval.user.username,
                verdict: Verdict::Approved,
                commit: None,
            })
            .collect())
    }

    async fn comment(&self, number: u64, marker: &Marker, text: &str) -> Result<(), ForgeError> {
        let retry = self.client.retry;
        retry.run(|| self.comment_once(number, marker, text)).await
    }

    async fn set_status(&self, commit: &str, status: &Status) -> Result<(), ForgeError> {
        let retry = self.client.retry;
        retry.run(|| self.set_status_once(commit, status)).await
    }

    async fn statuses(&self, commit: &str) -> Result<Vec<Status>, ForgeError> {
        self.client.retry.run(|| self.statuses_once(commit)).await
    }

    async fn tell_deployment(&self, deployment: &Deployment) -> Result<(), ForgeError> {
        let deploy = || self.deploy_once(deployment);
        self.client.retry.run(deploy).await
    }

    async fn deployment(
        &self,
        commit: &str,
        environment: &str,
    ) -> Result<Option<(DeploymentState, String)>, ForgeError> {
        let deployed = || self.deployed_once(commit, environment);
        self.client.retry.run(deployed).await
    }
}
