//! What GitHub's API and Gitea's, which follows it, have alike.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Call, Client};
use super::marker::{self, Comment, Marker};
use super::wish::{
    MergeState, PullRequest, Requested, Review, State, Status, StatusState, Verdict,
};
use super::{ForgeError, Right};

/// As many as both give on one page; Gitea has fifty at most where nobody configured more.
pub(super) const PAGE: usize = 50;

/// A repository, and how it is asked.
#[derive(Debug)]
pub(super) struct Hub {
    pub(super) client: Client,
}

/// A pull request, as both write it.
#[derive(Debug, Deserialize)]
pub(super) struct Pull {
    number: u64,
    html_url: String,
    title: String,
    body: Option<String>,
    user: Option<User>,
    state: String,
    draft: Option<bool>,
    merged_at: Option<String>,
    merge_commit_sha: Option<String>,
    mergeable: Option<bool>,
    mergeable_state: Option<String>,
    head: Side,
    base: Side,
    requested_reviewers: Option<Vec<User>>,
    requested_teams: Option<Vec<Team>>,
    // Gitea calls it so.
    requested_reviewers_teams: Option<Vec<Team>>,
}

#[derive(Debug, Deserialize)]
struct User {
    login: String,
}

#[derive(Debug, Deserialize)]
struct Team {
    slug: Option<String>,
    name: String,
}

#[derive(Debug, Deserialize)]
struct Side {
    #[serde(rename = "ref")]
    reference: String,
    label: Option<String>,
    sha: String,
    repo: Option<Repository>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    full_name: String,
}

#[derive(Debug, Deserialize)]
struct IssueComment {
    id: u64,
    body: Option<String>,
    user: Option<User>,
}

#[derive(Debug, Deserialize)]
struct PullReview {
    state: String,
    user: Option<User>,
    commit_id: Option<String>,
    #[serde(default)]
    dismissed: bool,
}

#[derive(Debug, Deserialize)]
struct Combined {
    statuses: Option<Vec<CommitStatus>>,
}

#[derive(Debug, Deserialize)]
struct CommitStatus {
    context: String,
    // Gitea calls it so, where GitHub has `state`.
    #[serde(alias = "status")]
    state: String,
    description: Option<String>,
    target_url: Option<String>,
}

impl Side {
    /// The branch. Gitea puts its own reference in the place of one that was removed, and keeps
    /// the name as label.
    fn branch(&self) -> &str {
        let removed = self.reference.starts_with("refs/pull/");
        match &self.label {
            Some(label) if removed => label.rsplit_once(':').map_or(label, |(_, name)| name),
            _ => &self.reference,
        }
    }
}

impl Pull {
    /// Whether it is from our branch of this name: a fork's may have the same name.
    pub(super) fn is_from(&self, project: &str, branch: &str) -> bool {
        let repository = self.head.repo.as_ref();
        let ours = repository.is_some_and(|repo| repo.full_name.eq_ignore_ascii_case(project));
        ours && self.head.branch() == branch
    }

    /// Whether this one is asked for a review already.
    fn asks(&self, name: &str) -> bool {
        let people = self.requested_reviewers.iter().flatten();
        let teams = [&self.requested_teams, &self.requested_reviewers_teams];
        let mut teams = teams.into_iter().flatten().flatten();
        people.map(|person| &*person.login).any(|one| one == name)
            || teams.any(|team| team.name == name || team.slug.as_deref() == Some(name))
    }

    pub(super) fn told(self) -> PullRequest {
        let merged = self.merged_at.is_some();
        let state = match &*self.state {
            _ if merged => State::Merged {
                commit: self.merge_commit_sha,
            },
            "open" => State::Open,
            _ => State::Closed,
        };
        let merge_state = match (self.mergeable, self.mergeable_state.as_deref()) {
            _ if self.draft == Some(true) => MergeState::Blocked,
            (_, Some("blocked" | "behind" | "dirty" | "draft")) | (Some(false), Some(_)) => {
                MergeState::Blocked
            }
            (Some(true), _) => MergeState::Clean,
            // Gitea's no is also what it says while it still looks for conflicts.
            (Some(false) | None, None) | (None, Some(_)) => MergeState::Unknown,
        };
        PullRequest {
            number: self.number,
            url: self.html_url,
            title: self.title,
            body: self.body.unwrap_or_default(),
            branch: self.head.branch().to_owned(),
            base: self.base.branch().to_owned(),
            head: self.head.sha,
            author: self.user.map(|user| user.login).unwrap_or_default(),
            state,
            merge_state,
        }
    }
}

impl Hub {
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

    pub(super) async fn set_open(&self, number: u64, open: bool) -> Result<(), ForgeError> {
        let state = if open { "open" } else { "closed" };
        let retry = self.client.retry;
        let changed = retry.run(|| self.change(number, json!({ "state": state })));
        changed.await.map(|_| ())
    }

    pub(super) async fn ask_for_review(
        &self,
        number: u64,
        names: &[String],
    ) -> Result<Requested, ForgeError> {
        let retry = self.client.retry;
        let pull = retry.run(|| self.pull(number)).await?;
        let reviews = self.reviews(number).await?;
        let mut requested = Requested::default();
        for name in names {
            let done = pull.asks(name)
                || reviews.iter().any(|review| {
                    review.by == *name && review.commit.as_deref() == Some(&pull.head.sha)
                });
            // An owner is a team first, and a person where there is no such team.
            let asked = done
                || retry.run(|| self.ask_one(number, name, true)).await?
                || retry.run(|| self.ask_one(number, name, false)).await?;
            let whom = if asked {
                &mut requested.asked
            } else {
                &mut requested.unknown
            };
            whom.push(name.clone());
        }
        Ok(requested)
    }

    /// Asks one name for a review, as a team or as a person.
    async fn ask_one(&self, number: u64, name: &str, team: bool) -> Result<bool, ForgeError> {
        let path = format!("pulls/{number}/requested_reviewers");
        let call = self.call(Method::POST, &path, "ask for a review", Right::PullRequests);
        let field = if team { "team_reviewers" } else { "reviewers" };
        // GitHub's teams are named without their organization.
        let name = name.rsplit('/').next().unwrap_or(name);
        match self.client.tell(call.sends(json!({ field: [name] }))).await {
            Ok(()) => Ok(true),
            // Nobody of that name here, no organization that could have teams, or the author.
            Err(error) if matches!(error.status(), Some(404 | 405 | 422)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn reviews(&self, number: u64) -> Result<Vec<Review>, ForgeError> {
        let path = format!("pulls/{number}/reviews");
        let call = || {
            let call = self.call(Method::GET, &path, "read its reviews", Right::Read);
            page(call)
        };
        let retry = self.client.retry;
        let all: Vec<PullReview> = retry.run(|| self.client.list(call, |_| true)).await?;
        let mut last = BTreeMap::new();
        for review in all {
            let Some(by) = review.user.map(|user| user.login) else {
                continue;
            };
            let verdict = match &*review.state {
                "APPROVED" if !review.dismissed => Some(Verdict::Approved),
                "CHANGES_REQUESTED" | "REQUEST_CHANGES" if !review.dismissed => {
                    Some(Verdict::ChangesRequested)
                }
                "DISMISSED" | "APPROVED" | "CHANGES_REQUESTED" | "REQUEST_CHANGES" => None,
                // A comment takes back nothing.
                _ => continue,
            };
            let commit = review.commit_id;
            last.insert(by, verdict.map(|verdict| (verdict, commit)));
        }
        let told = last.into_iter().filter_map(|(by, said)| {
            let (verdict, commit) = said?;
            Some(Review {
                by,
                verdict,
                commit,
            })
        });
        Ok(told.collect())
    }

    pub(super) async fn comment(
        &self,
        number: u64,
        marker: &Marker,
        text: &str,
    ) -> Result<(), ForgeError> {
        let retry = self.client.retry;
        retry.run(|| self.comment_once(number, marker, text)).await
    }

    async fn comment_once(
        &self,
        number: u64,
        marker: &Marker,
        text: &str,
    ) -> Result<(), ForgeError> {
        let text = marker.on(text);
        let author = self.pull(number).await?.told().author;
        let me = self.me().await?;
        let path = format!("issues/{number}/comments");
        let doing = "comment";
        let call = || page(self.call(Method::GET, &path, doing, Right::Read));
        let all: Vec<IssueComment> = self.client.list(call, |_| true).await?;
        let all: Vec<Comment> = all.into_iter().map(IssueComment::told).collect();
        let (method, path) = match marker::ours(&all, marker, me.as_deref(), &author) {
            Some(ours) if ours.body.replace("\r\n", "\n") == text => return Ok(()),
            Some(ours) => (Method::PATCH, format!("issues/comments/{}", ours.id)),
            None => (Method::POST, path.clone()),
        };
        let call = self.call(method, &path, doing, Right::Comments);
        self.client.tell(call.sends(json!({ "body": text }))).await
    }

    /// Who we are, if the token may ask: those of apps and of workflows may not.
    async fn me(&self) -> Result<Option<String>, ForgeError> {
        let call = Call::new(Method::GET, "user", "read who it is", Right::Read);
        match self.client.ask::<User>(call).await {
            Ok(user) => Ok(Some(user.login)),
            Err(error) if matches!(error.status(), Some(403 | 404)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn set_status(&self, commit: &str, status: &Status) -> Result<(), ForgeError> {
        let retry = self.client.retry;
        retry.run(|| self.set_status_once(commit, status)).await
    }

    async fn set_status_once(&self, commit: &str, status: &Status) -> Result<(), ForgeError> {
        let said = self.statuses_once(commit).await?;
        if said.iter().any(|said| status.says(said)) {
            return Ok(());
        }
        let path = format!("statuses/{commit}");
        let call = self.call(Method::POST, &path, "set a status", Right::Statuses);
        let mut body = json!({
            "state": state_word(status.state),
            "context": status.context,
            "description": status.short(),
        });
        if let Some(url) = &status.url {
            body["target_url"] = json!(url);
        }
        self.client.tell(call.sends(body)).await
    }

    pub(super) async fn statuses(&self, commit: &str) -> Result<Vec<Status>, ForgeError> {
        let retry = self.client.retry;
        retry.run(|| self.statuses_once(commit)).await
    }

    async fn statuses_once(&self, commit: &str) -> Result<Vec<Status>, ForgeError> {
        let path = format!("commits/{commit}/status");
        let call = page(self.call(Method::GET, &path, "read statuses", Right::Read));
        let combined: Combined = self.client.ask(call).await?;
        let all = combined.statuses.unwrap_or_default().into_iter();
        Ok(all.filter_map(CommitStatus::told).collect())
    }
}

/// `call`, asking for a full page.
pub(super) fn page(call: Call) -> Call {
    // Gitea's word for it, and GitHub's; each passes over the other's.
    call.with("limit", &PAGE).with("per_page", &PAGE)
}

impl IssueComment {
    fn told(self) -> Comment {
        Comment {
            id: self.id,
            by: self.user.map(|user| user.login).unwrap_or_default(),
            body: self.body.unwrap_or_default(),
        }
    }
}

impl CommitStatus {
    fn told(self) -> Option<Status> {
        let state = match &*self.state {
            "pending" => StatusState::Pending,
            "success" => StatusState::Success,
            "failure" => StatusState::Failure,
            "error" => StatusState::Error,
            // Gitea's `warning` and what may come: none of ours says so.
            _ => return None,
        };
        Some(Status {
            context: self.context,
            state,
            description: self.description.unwrap_or_default(),
            url: self.target_url.filter(|url| !url.is_empty()),
        })
    }
}

const fn state_word(state: StatusState) -> &'static str {
    match state {
        StatusState::Pending => "pending",
        StatusState::Success => "success",
        StatusState::Failure => "failure",
        StatusState::Error => "error",
    }
}
