//! What GitHub and Gitea write alike, and what it says in our words.

use serde::Deserialize;

use crate::forge::marker::Comment;
use crate::forge::wish::{MergeState, PullRequest, State, Status, StatusState};

/// A pull request, as both write it.
#[derive(Debug, Deserialize)]
pub(in crate::forge) struct Pull {
    number: u64,
    html_url: String,
    title: String,
    body: Option<String>,
    user: Option<User>,
    state: String,
    draft: Option<bool>,
    pub(super) merged_at: Option<String>,
    pub(super) merge_commit_sha: Option<String>,
    mergeable: Option<bool>,
    mergeable_state: Option<String>,
    pub(super) head: Side,
    base: Side,
    requested_reviewers: Option<Vec<User>>,
    requested_teams: Option<Vec<Team>>,
    // Gitea calls it so.
    requested_reviewers_teams: Option<Vec<Team>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) login: String,
}

#[derive(Debug, Deserialize)]
struct Team {
    slug: Option<String>,
    name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Side {
    #[serde(rename = "ref")]
    reference: String,
    label: Option<String>,
    pub(super) sha: String,
    repo: Option<Repository>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    full_name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct IssueComment {
    id: u64,
    body: Option<String>,
    user: Option<User>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PullReview {
    pub(super) state: String,
    pub(super) user: Option<User>,
    pub(super) commit_id: Option<String>,
    #[serde(default)]
    pub(super) dismissed: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Combined {
    pub(super) statuses: Option<Vec<CommitStatus>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CommitStatus {
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
    pub(in crate::forge) fn is_from(&self, project: &str, branch: &str) -> bool {
        let repository = self.head.repo.as_ref();
        let ours = repository.is_some_and(|repo| repo.full_name.eq_ignore_ascii_case(project));
        ours && self.head.branch() == branch
    }

    /// Whether this one is asked for a review already.
    pub(super) fn asks(&self, name: &str) -> bool {
        let people = self.requested_reviewers.iter().flatten();
        let teams = [&self.requested_teams, &self.requested_reviewers_teams];
        let mut teams = teams.into_iter().flatten().flatten();
        people.map(|person| &*person.login).any(|one| one == name)
            || teams.any(|team| team.name == name || team.slug.as_deref() == Some(name))
    }

    pub(in crate::forge) fn told(self) -> PullRequest {
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

impl IssueComment {
    pub(super) fn told(self) -> Comment {
        Comment {
            id: self.id,
            by: self.user.map(|user| user.login).unwrap_or_default(),
            body: self.body.unwrap_or_default(),
        }
    }
}

impl CommitStatus {
    pub(super) fn told(self) -> Option<Status> {
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

pub(super) const fn state_word(state: StatusState) -> &'static str {
    match state {
        StatusState::Pending => "pending",
        StatusState::Success => "success",
        StatusState::Failure => "failure",
        StatusState::Error => "error",
    }
}
