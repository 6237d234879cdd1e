//! What reviewers were shown, by who knows it: the forge.

use std::sync::Arc;

use async_trait::async_trait;

use crate::forge::{Forge, ForgeError};
use crate::ops::plan_change::kept;
use crate::record::Digest;

/// Who knows what reviewers were shown.
#[async_trait]
pub trait Reviews: Send + Sync {
    /// The pull request that brought `commit` to main, and the plan that its reviewers were shown;
    /// nothing where it came without one.
    ///
    /// # Errors
    /// If that can't be found out now.
    async fn of(&self, commit: &str) -> Result<Option<Reviewed>, ForgeError>;
}

/// A pull request, and what its reviewers were shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// Its number.
    pub number: u64,
    /// Its page.
    pub url: String,
    /// The plan's hash, if one was kept.
    pub plan: Option<Digest>,
}

#[async_trait]
impl Reviews for Arc<dyn Forge> {
    async fn of(&self, commit: &str) -> Result<Option<Reviewed>, ForgeError> {
        let Some(request) = self.pull_request_of(commit).await? else {
            return Ok(None);
        };
        let statuses = self.statuses(&request.head).await?;
        let plan = statuses.iter().find(|one| one.context == kept::CONTEXT);
        Ok(Some(Reviewed {
            number: request.number,
            url: request.url,
            plan: plan.and_then(|status| kept::hash_in(&status.description)),
        }))
    }
}
