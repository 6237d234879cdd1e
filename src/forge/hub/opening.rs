//! How a pull request comes about, or is brought up to date.

use serde_json::json;

use super::{Dialect, Hub, Pull};
use crate::forge::ForgeError;
use crate::forge::wish::{PullRequest, State, Wish};

impl<D: Dialect> Hub<D> {
    pub(super) async fn open_once(&self, wish: &Wish) -> Result<PullRequest, ForgeError> {
        match D::found(self, &wish.branch).await? {
            Some(open) if open.state == State::Open => self.update(open, wish).await,
            Some(closed) if closed.state == State::Closed => {
                let reopened = self.change(closed.number, json!({ "state": "open" }));
                match reopened.await {
                    Ok(reopened) => self.update(reopened.told(), wish).await,
                    // Its branch was made anew since: then it stays closed.
                    Err(error) if answers(&error, D::STAYS_CLOSED) => self.begin(wish).await,
                    Err(error) => Err(error),
                }
            }
            _ => self.begin(wish).await,
        }
    }

    async fn begin(&self, wish: &Wish) -> Result<PullRequest, ForgeError> {
        let body = json!({
            "title": D::title(wish, None),
            "head": wish.branch,
            "base": wish.base,
            "body": wish.body.fresh(),
            // Gitea passes over these.
            "draft": wish.draft,
            "maintainer_can_modify": true,
        });
        match self.create(body).await.map(Pull::told) {
            Ok(new) => D::only_one(self, new, wish).await,
            // Somebody else, or we in a call whose answer was lost, were faster.
            Err(error) if answers(&error, &[D::THERE_IS_ONE]) => {
                match D::found(self, &wish.branch).await? {
                    Some(open) if open.state == State::Open => self.update(open, wish).await,
                    _ => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    pub(in crate::forge) async fn update(
        &self,
        pull: PullRequest,
        wish: &Wish,
    ) -> Result<PullRequest, ForgeError> {
        let body = wish.body.within(&pull.body);
        let title = D::title(wish, Some(&pull.title));
        if pull.title == title && body == pull.body.replace("\r\n", "\n") {
            return Ok(pull);
        }
        let change = json!({ "title": title, "body": body });
        Ok(self.change(pull.number, change).await?.told())
    }
}

fn answers(error: &ForgeError, statuses: &[u16]) -> bool {
    error
        .status()
        .is_some_and(|status| statuses.contains(&status))
}
