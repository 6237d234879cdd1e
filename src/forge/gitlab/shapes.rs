//! What GitLab answers, as far as it is read, and what it means in every forge's words.

use serde::Deserialize;

use crate::forge::marker::Comment;
use crate::forge::wish::{MergeState, PullRequest, State, Status, StatusState};

#[derive(Debug, Deserialize)]
pub(super) struct MergeRequest {
    pub(super) iid: u64,
    pub(super) web_url: String,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) state: String,
    pub(super) source_branch: String,
    pub(super) target_branch: String,
    pub(super) source_project_id: Option<u64>,
    pub(super) target_project_id: u64,
    pub(super) sha: Option<String>,
    pub(super) merge_commit_sha: Option<String>,
    pub(super) squash_commit_sha: Option<String>,
    pub(super) merged_at: Option<String>,
    pub(super) author: Option<Person>,
    #[serde(default)]
    pub(super) detailed_merge_status: Option<String>,
    #[serde(default)]
    pub(super) reviewers: Vec<Person>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Person {
    pub(super) id: u64,
    pub(super) username: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Approvals {
    #[serde(default)]
    pub(super) approved_by: Vec<Approval>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Approval {
    pub(super) user: Person,
}

#[derive(Debug, Deserialize)]
pub(super) struct Note {
    pub(super) id: u64,
    pub(super) body: String,
    pub(super) author: Option<Person>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CommitStatus {
    pub(super) name: String,
    pub(super) status: String,
    pub(super) description: Option<String>,
    pub(super) target_url: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Told {
    pub(super) id: u64,
    pub(super) sha: String,
    pub(super) status: String,
}

impl MergeRequest {
    /// The commit that brought it to its target branch, once it is merged: a merge's or a squash's
    /// own, and its last one where neither was made.
    pub(super) fn landed(&self) -> Option<&str> {
        let own = [&self.merge_commit_sha, &self.squash_commit_sha];
        own.into_iter()
            .chain([&self.sha])
            .find_map(|sha| sha.as_deref())
    }

    pub(super) fn told(self) -> PullRequest {
        let state = match &*self.state {
            "merged" => State::Merged {
                commit: self.landed().map(str::to_owned),
            },
            "opened" | "locked" => State::Open,
            _ => State::Closed,
        };
        let merge_state = match self.detailed_merge_status.as_deref() {
            Some("mergeable") => MergeState::Clean,
            None | Some("checking" | "unchecked" | "preparing" | "approvals_syncing") => {
                MergeState::Unknown
            }
            Some(_) => MergeState::Blocked,
        };
        PullRequest {
            number: self.iid,
            url: self.web_url,
            title: self.title,
            body: self.description.unwrap_or_default(),
            branch: self.source_branch,
            base: self.target_branch,
            head: self.sha.unwrap_or_default(),
            author: self
                .author
                .map(|author| author.username)
                .unwrap_or_default(),
            state,
            merge_state,
        }
    }
}

impl Note {
    pub(super) fn told(self) -> Comment {
        Comment {
            id: self.id,
            by: self
                .author
                .map(|author| author.username)
                .unwrap_or_default(),
            body: self.body,
        }
    }
}

impl CommitStatus {
    pub(super) fn told(self) -> Option<Status> {
        let state = match &*self.status {
            "pending" | "running" | "created" => StatusState::Pending,
            "success" => StatusState::Success,
            "failed" => StatusState::Failure,
            _ => return None,
        };
        Some(Status {
            context: self.name,
            state,
            description: self.description.unwrap_or_default(),
            url: self.target_url,
        })
    }
}
