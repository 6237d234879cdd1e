//! Where pull requests live: GitHub, GitLab, Gitea and Forgejo, or a remote that has none.
//!
//! [`settle`] tells from a flag, from `modelyard.yaml` or from the remote's URL which forge a yard
//! is on and where its API answers; [`token()`] finds what it asks for among the variables that each
//! forge's own tools read; [`connect`] gives a [`Forge`].
//!
//! | file | forge |
//! | --- | --- |
//! | `github` | GitHub, github.com, data residency and Enterprise Server |
//! | `gitlab` | GitLab, gitlab.com and self-managed |
//! | `gitea` | Gitea and Forgejo, which keeps its API |
//! | `git` | a remote without pull requests: how a person merges there |
//!
//! # Invariants
//!
//! - Every call can be made again without harm. What is written is first looked for, and a retry
//!   begins with that look, so that an answer that was lost makes nothing twice.
//! - Every answer is read up to a bound, and so are pages of answers.
//! - A token goes to its forge's own origin and nowhere else, and never over an open line. Which
//!   forge that is, only a person or a reviewed record on main can say.
//! - A forge's wish to be asked less often is heeded; one that asks for longer than
//!   [`Options::retry`] allows is told at once, with the time.
//!
//! All three speak through one small client of `platform::http`. The crate octocrab was read and
//! left aside: it collects every body without a bound, at four places; its errors drop the headers
//! in which GitHub says how long to wait and which permission is missing; and it brings a second
//! HTTP client beside ours, with TLS and proxies of its own.

mod address;
mod answer;
mod client;
mod error;
pub mod git;
mod gitea;
mod github;
mod gitlab;
pub mod hook;
mod hub;
pub mod markdown;
mod marker;
mod right;
mod token;
mod wish;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

pub use address::{Address, Choice, Place, settle};
pub use error::{ForgeError, asked_to_wait};
pub use marker::Marker;
pub use right::Right;
pub use token::{Token, token, variables};
pub use wish::{
    Body, Deployment, DeploymentState, MergeState, PullRequest, Requested, Review, State, Status,
    StatusState, Verdict, Wish,
};

use crate::platform::Clock;
use crate::platform::retry::Policy;
use crate::record::kind::ForgeType;

/// How a forge is asked.
#[derive(Clone)]
pub struct Options {
    /// How often and how patiently.
    pub retry: Policy,
    /// The time, for what is told as a moment.
    pub clock: Arc<dyn Clock>,
}

/// One yard's place on a forge.
#[async_trait]
pub trait Forge: fmt::Debug + Send + Sync {
    /// Where it is.
    fn address(&self) -> &Address;

    /// Opens the pull request for a branch, or brings the one that is there up to date.
    ///
    /// It is found by its branch: the open one; else, if somebody closed it unmerged, that one,
    /// reopened; else it is new. What people wrote into it beside our part of the text stays.
    ///
    /// # Errors
    /// [`ForgeError`].
    async fn open(&self, wish: &Wish) -> Result<PullRequest, ForgeError>;

    /// The open pull request for a branch; else the last that was closed or merged.
    ///
    /// # Errors
    /// [`ForgeError`].
    async fn find(&self, branch: &str) -> Result<Option<PullRequest>, ForgeError>;

    /// A pull request by its number, with whether it can be merged.
    ///
    /// # Errors
    /// [`ForgeError`].
    async fn pull_request(&self, number: u64) -> Result<PullRequest, ForgeError>;

    /// The open pull request that would merge this very commit; it may be a fork's.
    ///
    /// # Errors
    /// [`ForgeError`].
    async fn pull_request_at(&self, head: &str) -> Result<Option<PullRequest>, ForgeError>;

    /// The merged pull request that brought a commit to main: a merge's or a squash's own commit on
    /// every forge; on GitHub and GitLab also those that were merged by it. Nothing where the commit
    /// came without one, or the forge doesn't know it.
    ///
    /// # Errors
    /// [`ForgeError`].
    async fn pull_request_of(&self, commit: &str) -> Result<Option<PullRequest>, ForgeError>;

    /// Closes a pull request, unmerged, or opens it again.
    ///
    /// # Errors
    /// [`ForgeError`]; a merged one can't be opened again.
    async fn set_open(&self, number: u64, open: bool) -> Result<(), ForgeError>;

    /// Adds labels, which are made where there are none; others stay.
    ///
    /// # Errors
    /// [`ForgeError`].
    async fn label(&self, number: u64, labels: &[String]) -> Result<(), ForgeError>;

    /// Asks people or teams for their review, by what the forge calls them. Whom it doesn't know,
    /// or who can't be asked, as its author can't, is told and no error.
    ///
    /// # Errors
    /// [`ForgeError`].
    async fn ask_for_review(&self, number: u64, names: &[String]) -> Result<Requested, ForgeError>;

    /// What people said of a pull request: each one's last word.
    ///
    /// # Errors
    /// [`ForgeError`].
    async fn reviews(&self, number: u64) -> Result<Vec<Review>, ForgeError>;

    /// Who approves a pull request as it is: its author can't, and a word on another commit doesn't
    /// count, where the forge tells. Of a merged one that is who approved what was merged.
    ///
    /// # Errors
    /// [`ForgeError`].
    async fn approvals(&self, pull: &PullRequest) -> Result<Vec<String>, ForgeError> {
        Ok(pull.approved_by(self.reviews(pull.number).await?))
    }

    /// Writes our comment of this marker, or edits it in place.
    ///
    /// # Errors
    /// [`ForgeError`].
    async fn comment(&self, number: u64, marker: &Marker, text: &str) -> Result<(), ForgeError>;

    /// Sets the status of a commit under a context; what it says already is not said again.
    ///
    /// # Errors
    /// [`ForgeError`].
    async fn set_status(&self, commit: &str, status: &Status) -> Result<(), ForgeError>;

    /// The statuses of a commit: the last of each context.
    ///
    /// # Errors
    /// [`ForgeError`].
    async fn statuses(&self, commit: &str) -> Result<Vec<Status>, ForgeError>;

    /// Tells how the deployment of a commit in an environment goes; what is told already is not
    /// told again. A forge that has no deployments has it as a status of the commit.
    ///
    /// # Errors
    /// [`ForgeError`].
    async fn tell_deployment(&self, deployment: &Deployment) -> Result<(), ForgeError>;

    /// What was told last of a commit's deployment in an environment, and in which words where the
    /// forge keeps them. Only who may write to the yard can have told it.
    ///
    /// # Errors
    /// [`ForgeError`].
    async fn deployment(
        &self,
        commit: &str,
        environment: &str,
    ) -> Result<Option<(DeploymentState, String)>, ForgeError>;
}

/// The forge at `address`, asked with `token`.
///
/// # Errors
/// [`ForgeError::Insecure`] if the token would travel over an open line, and
/// [`ForgeError::Client`] where no HTTP client can be made.
pub fn connect(
    address: Address,
    token: Token,
    options: &Options,
) -> Result<Arc<dyn Forge>, ForgeError> {
    let kind = address.kind;
    let client = client::Client::new(address, token, options)?;
    Ok(match kind {
        ForgeType::Github => Arc::new(hub::Hub::<github::Github>::new(client)),
        ForgeType::Gitlab => Arc::new(gitlab::Gitlab::new(client)),
        ForgeType::Gitea | ForgeType::Git => Arc::new(hub::Hub::<gitea::Gitea>::new(client)),
    })
}

/// The codes of this room.
pub mod codes {
    crate::codes! {
        FORGE_UNKNOWN = "forge-unknown";
        FORGE_AWAY = "forge-away";
        FORGE_ASKED_TOO_OFTEN = "forge-asked-too-often";
        FORGE_TOKEN_REFUSED = "forge-token-refused";
        FORGE_PERMISSION_MISSING = "forge-permission-missing";
        FORGE_NOT_FOUND = "forge-not-found";
        FORGE_REFUSED = "forge-refused";
        FORGE_ANSWER = "forge-answer";
        FORGE_INSECURE = "forge-insecure";
        FORGE_HOOK_SECRET = "forge-hook-secret";
    }
}
