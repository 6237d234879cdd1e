//! The contract held by a real Gitea, and what only a real one tells.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use modelyard::forge::{Forge, ForgeError, Marker, MergeState, Status, StatusState, Wish};
use modelyard::record::kind::ForgeType;
use modelyard::record::{Class, Fault as _};
use serde_json::{Value, json};

use super::connected;
use super::contract::{self, BRANCH, Stage, wish};
use crate::harness::gitea::{Gitea, Person};
use crate::yard::story::Story;

/// `acme/yard` on a Gitea of its own, with two people.
pub(crate) struct Yard {
    pub(crate) gitea: Gitea,
    pub(crate) bot: Person,
    pub(crate) reviewer: Person,
    forge: Arc<dyn Forge>,
}

impl Yard {
    /// With a first commit on main.
    pub(crate) fn start() -> Self {
        let yard = Self::empty();
        yard.put("main", None);
        yard
    }

    pub(crate) fn empty() -> Self {
        let gitea = Gitea::start();
        let (bot, reviewer) = (gitea.person("bot"), gitea.person("reviewer"));
        gitea.repository("yard", &[&bot, &reviewer]);
        let forge = connected(ForgeType::Gitea, &gitea.host(), &bot.token);
        Self {
            gitea,
            bot,
            reviewer,
            forge,
        }
    }

    /// With the main of `story`, whose origin it becomes.
    pub(crate) fn of(story: &Story) -> Self {
        let yard = Self::empty();
        let url = yard.gitea.git_url("yard", &yard.bot);
        story.git(&format!("remote add origin {url}"));
        story.git("push -q --set-upstream origin main");
        yard.is_no_longer_empty();
        yard
    }

    fn put(&self, branch: &str, new: Option<&str>) -> String {
        let mut wish = json!({
            "branch": branch,
            "message": "A change",
            "content": BASE64_STANDARD.encode("text"),
        });
        if let Some(new) = new {
            wish["new_branch"] = json!(new);
        }
        // Each file has another name, so that none is in the way of the next.
        let commits = self
            .gitea
            .ask(self.gitea.root(), "GET", "repos/acme/yard/branches", None);
        let name = format!("{}-{}", commits.as_array().map_or(0, Vec::len), now_nanos());
        let path = format!("repos/acme/yard/contents/file-{name}.txt");
        let put = self.gitea.ask(&self.bot, "POST", &path, Some(wish));
        put["commit"]["sha"].as_str().unwrap().to_owned()
    }

    /// Waits until it knows that something was pushed, which it notes behind the push.
    pub(crate) fn is_no_longer_empty(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let empty = || self.gitea.ask(&self.bot, "GET", "repos/acme/yard", None)["empty"] == true;
        while empty() {
            assert!(Instant::now() < deadline, "nothing was pushed");
        }
    }

    pub(crate) fn protect_main(&self) {
        let rule = json!({
            "rule_name": "main",
            "required_approvals": 1,
            "enable_status_check": true,
            "status_check_contexts": ["modelyard/check"],
        });
        let path = "repos/acme/yard/branch_protections";
        self.gitea.ask(self.gitea.root(), "POST", path, Some(rule));
    }

    fn try_merge(&self, number: u64) -> u16 {
        let authorization = format!("token {}", self.reviewer.token);
        let path = format!("/api/v1/repos/acme/yard/pulls/{number}/merge");
        let headers = [("authorization", &*authorization)];
        let body = json!({ "Do": "merge" });
        crate::harness::web::ask(&self.gitea.host(), "POST", &path, &headers, Some(&body)).status
    }

    fn list(&self, path: &str, field: &str) -> Vec<String> {
        let path = format!("repos/acme/yard/{path}");
        let all = self.gitea.ask(&self.reviewer, "GET", &path, None);
        let all = all.as_array().cloned().unwrap_or_default();
        let text = |one: &Value| one[field].as_str().unwrap().to_owned();
        all.iter().map(text).collect()
    }
}

fn now_nanos() -> i128 {
    super::now().as_nanosecond()
}

impl Stage for Yard {
    fn forge(&self) -> &dyn Forge {
        &*self.forge
    }

    fn commit(&self, branch: &str) -> String {
        let known = self.list("branches", "name");
        if known.iter().any(|name| name == branch) {
            self.put(branch, None)
        } else {
            self.put("main", Some(branch))
        }
    }

    fn approve(&self, number: u64) {
        let path = format!("repos/acme/yard/pulls/{number}/reviews");
        let review = json!({ "event": "APPROVED", "body": "Good." });
        self.gitea.ask(&self.reviewer, "POST", &path, Some(review));
    }

    fn merge(&self, number: u64) {
        // It makes up its mind whether there are conflicts in the background.
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            match self.try_merge(number) {
                200 => return,
                status => assert!(Instant::now() < deadline, "merge: {status}"),
            }
            std::thread::yield_now();
        }
    }

    fn remove_branch(&self, branch: &str) {
        let path = format!("repos/acme/yard/branches/{branch}");
        self.gitea.ask(&self.reviewer, "DELETE", &path, None);
        // Behind it what came from the branch is closed, be it from a new one of its name.
        self.gitea.settle();
    }

    fn remark(&self, number: u64, text: &str) {
        let path = format!("repos/acme/yard/issues/{number}/comments");
        self.gitea
            .ask(&self.reviewer, "POST", &path, Some(json!({ "body": text })));
    }

    fn comments(&self, number: u64) -> Vec<String> {
        self.list(&format!("issues/{number}/comments"), "body")
    }

    fn labels(&self, number: u64) -> Vec<String> {
        self.list(&format!("issues/{number}/labels"), "name")
    }

    fn write(&self, number: u64, body: &str) {
        let path = format!("repos/acme/yard/pulls/{number}");
        self.gitea.ask(
            &self.reviewer,
            "PATCH",
            &path,
            Some(json!({ "body": body })),
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gitea_holds_the_contract() {
    contract::holds(&Yard::start()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protected_branch_wants_its_review_and_its_status() {
    let yard = Yard::start();
    yard.protect_main();
    let head = yard.commit(BRANCH);
    let number = contract::open(&yard, "Release it", "Good.").await.number;
    assert_eq!(yard.try_merge(number), 405);
    yard.approve(number);
    assert_eq!(yard.try_merge(number), 405);
    let mut status = Status {
        context: "modelyard/check".to_owned(),
        state: StatusState::Failure,
        description: "1 error".to_owned(),
        url: None,
    };
    yard.forge.set_status(&head, &status).await.unwrap();
    assert_eq!(yard.try_merge(number), 405);
    status.state = StatusState::Success;
    yard.forge.set_status(&head, &status).await.unwrap();
    yard.merge(number);
    assert_ne!(
        yard.forge.pull_request(number).await.unwrap().merge_state,
        MergeState::Blocked
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_the_right_is_told_which_it_takes() {
    let yard = Yard::start();
    yard.commit(BRANCH);
    let scoped = |scopes: &str| {
        let token = yard.gitea.token("bot", scopes);
        connected(ForgeType::Gitea, &yard.gitea.host(), &token)
    };
    let reads = scoped("read:repository");
    let error = reads.open(&wish("Release it", "Good.")).await.unwrap_err();
    assert_eq!(error.code().id, "forge-permission-missing");
    assert!(
        error
            .to_string()
            .contains("TEST_TOKEN may not open a pull request"),
        "{error}"
    );
    let said = std::error::Error::source(&error).unwrap().to_string();
    assert!(said.contains("write:repository"), "{said}");
    assert!(error.help().unwrap().contains("`write:repository`"));

    // A token of scopes that don't tell who it is comments all the same, in one comment.
    let opened = contract::open(&yard, "Release it", "Good.").await;
    let writes = scoped("write:repository,write:issue");
    let marker = Marker::new("plan".parse().unwrap());
    for text in ["one", "two"] {
        writes.comment(opened.number, &marker, text).await.unwrap();
    }

    let nobody = connected(ForgeType::Gitea, &yard.gitea.host(), "0123456789abcdef");
    let error = nobody.find(BRANCH).await.unwrap_err();
    assert_eq!(error.code().id, "forge-token-refused");
    assert!(!format!("{error:?}{error}").contains("0123456789abcdef"));

    let wish = Wish {
        branch: "no/such/branch".to_owned(),
        ..wish("Nothing", "Nothing.")
    };
    let error = yard.forge.open(&wish).await.unwrap_err();
    assert!(matches!(error, ForgeError::NotFound { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forge_that_is_restarted_goes_on_where_it_was() {
    let mut yard = Yard::start();
    yard.commit(BRANCH);
    let number = contract::open(&yard, "Release it", "Good.").await.number;
    yard.gitea.stop();
    let error = yard
        .forge
        .open(&wish("Release it", "Better."))
        .await
        .unwrap_err();
    assert_eq!(error.code().id, "forge-away");
    assert_eq!(error.class(), Class::Transient);
    yard.gitea.start_again();
    assert_eq!(
        contract::open(&yard, "Release it", "Better.").await.number,
        number
    );
}
