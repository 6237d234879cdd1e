//! What a token has to be allowed, in the words of each forge.

use crate::record::kind::ForgeType;

/// What a call needs a token to be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// To see the yard and its pull requests.
    Read,
    /// To open, change and label pull requests, and to ask for reviews.
    PullRequests,
    /// To comment.
    Comments,
    /// To set statuses of commits.
    Statuses,
    /// To tell of deployments.
    Deployments,
}

impl Right {
    /// What is called so on a forge's page of tokens.
    pub const fn on(self, forge: ForgeType) -> &'static str {
        match (forge, self) {
            (ForgeType::Github, Self::Read) => {
                "`contents: read` and `pull-requests: read` (a classic token: `repo`)"
            }
            (ForgeType::Github, Self::PullRequests | Self::Comments) => {
                "`pull-requests: write` (a classic token: `repo`; in Actions also the repository's \
                 setting that lets Actions create pull requests)"
            }
            (ForgeType::Github, Self::Statuses) => {
                "`statuses: write` (a classic token: `repo:status`)"
            }
            (ForgeType::Github, Self::Deployments) => {
                "`deployments: write` (a classic token: `repo_deployment`)"
            }
            (ForgeType::Gitlab, Self::Read) => "the scope `read_api` and the role Reporter",
            (ForgeType::Gitlab, _) => "the scope `api` and the role Developer",
            (_, Self::Read) => "the scopes `read:repository` and `read:issue`",
            (_, Self::PullRequests | Self::Comments) => {
                "the scopes `write:repository` and `write:issue`, and the right to write to the \
                 yard"
            }
            (_, Self::Statuses | Self::Deployments) => {
                "the scope `write:repository`, and the right to write to the yard"
            }
        }
    }
}
