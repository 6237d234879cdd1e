//! Reviews, comments, and statuses.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::json;

use super::shapes::{Combined, CommitStatus, IssueComment, PullReview, User, state_word};
use super::{Dialect, Hub, page};
use crate::forge::marker::{self, Comment, Marker};
use crate::forge::wish::{Requested, Review, Status, Verdict};
use crate::forge::{ForgeError, Right};

impl<D: Dialect> Hub<D> {
    pub(super) async fn ask_each(
        &self,
        number: u64,
        names: &[String],
    ) -> Result<Requested, ForgeError> {
        let retry = self.client.retry;
        let pull = retry.run(|| self.pull(number)).await?;
        let reviews = self.last_words(number).await?;
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

    pub(super) async fn last_words(&self, number: u64) -> Result<Vec<Review>, ForgeError> {
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

    pub(super) async fn comment_once(
        &self,
        number: u64,
        marker: &Marker,
        text: &str,
    ) -> Result<(), ForgeError> {
        let text = marker.on(text);
        let author = self.pull(number).await?.told().author;
        let me = self.client.me::<User>().await?;
        let me = me.map(|user| user.login);
        let path = format!("issues/{number}/comments");
        let doing = "comment";
        let call = || page(self.call(Method::GET, &path, doing, Right::Read));
        let all: Vec<IssueComment> = self.client.list(call, |_| true).await?;
        let mut all: Vec<Comment> = all.into_iter().map(IssueComment::told).collect();
        if let (None, Some(end)) = (&me, D::APPS) {
            all.retain(|comment| comment.by.ends_with(end));
        }
        let (method, path) = match marker::ours(&all, marker, me.as_deref(), &author) {
            Some(ours) if ours.body.replace("\r\n", "\n") == text => return Ok(()),
            Some(ours) => (Method::PATCH, format!("issues/comments/{}", ours.id)),
            None => (Method::POST, path.clone()),
        };
        let call = self.call(method, &path, doing, Right::Comments);
        self.client.tell(call.sends(json!({ "body": text }))).await
    }

    pub(in crate::forge) async fn set_status_once(
        &self,
        commit: &str,
        status: &Status,
    ) -> Result<(), ForgeError> {
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

    pub(in crate::forge) async fn statuses_once(
        &self,
        commit: &str,
    ) -> Result<Vec<Status>, ForgeError> {
        let path = format!("commits/{commit}/status");
        let call = page(self.call(Method::GET, &path, "read statuses", Right::Read));
        let combined: Combined = self.client.ask(call).await?;
        let all = combined.statuses.unwrap_or_default().into_iter();
        Ok(all.filter_map(CommitStatus::told).collect())
    }
}
