//! The contract held by what speaks GitHub and GitLab.

use std::sync::Arc;

use modelyard::forge::Forge;
use modelyard::record::kind::ForgeType;

use super::connected;
use super::contract::{self, Stage};
use crate::harness::forges::{Dialect, FakeForge, TOKEN};
use crate::yard::story::Story;

/// A forge in memory, and we before it.
pub(crate) struct Faked {
    pub(crate) fake: FakeForge,
    pub(crate) forge: Arc<dyn Forge>,
}

impl Faked {
    pub(crate) fn start(dialect: Dialect) -> Self {
        Self::of(dialect, FakeForge::start(dialect))
    }

    pub(crate) fn of(dialect: Dialect, fake: FakeForge) -> Self {
        let kind = match dialect {
            Dialect::Github => ForgeType::Github,
            Dialect::Gitlab => ForgeType::Gitlab,
        };
        let forge = connected(kind, &fake.host(), TOKEN);
        Self { fake, forge }
    }
}

impl Stage for Faked {
    fn forge(&self) -> &dyn Forge {
        &*self.forge
    }

    fn commit(&self, branch: &str) -> String {
        self.fake.state().commit(branch)
    }

    fn approve(&self, number: u64) {
        let mut state = self.fake.state();
        state.pull(number).approved.push("reviewer".to_owned());
    }

    fn merge(&self, number: u64) {
        self.fake.merge(number);
    }

    fn remove_branch(&self, branch: &str) {
        self.fake.state().branches.remove(branch);
    }

    fn remark(&self, number: u64, text: &str) {
        self.fake.state().remark(number, "reviewer", text);
    }

    fn comments(&self, number: u64) -> Vec<String> {
        let mut state = self.fake.state();
        let comments = state.pull(number).comments.iter();
        comments.map(|(_, _, text)| text.clone()).collect()
    }

    fn labels(&self, number: u64) -> Vec<String> {
        self.fake.state().pull(number).labels.clone()
    }

    fn write(&self, number: u64, body: &str) {
        body.clone_into(&mut self.fake.state().pull(number).body);
    }

    fn deployments(&self, environment: &str) -> Option<Vec<String>> {
        let state = self.fake.state();
        let known = state.deployments.iter();
        let known = known.filter(|one| one.environment == environment);
        let states = known.flat_map(|one| &one.states);
        Some(
            states
                .map(|one| one["state"].as_str().unwrap().to_owned())
                .collect(),
        )
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn github_holds_the_contract() {
    contract::holds(&Faked::start(Dialect::Github)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gitlab_holds_the_contract() {
    contract::holds(&Faked::start(Dialect::Gitlab)).await;
}

/// Promotes in a yard whose `modelyard.yaml` names a forge of this dialect, its token in `variable`.
fn promoted(dialect: Dialect, kind: &str, variable: &str) {
    let fake = FakeForge::start(dialect);
    let page = format!("http://{}/acme/yard", fake.host());
    let record = format!("  forge: {{type: {kind}, url: \"{page}\"}}\n");
    let story = Story::cloned_of(&record);
    fake.state().commit("promote/vision/digits/1.0.0");
    let words = "promote vision/digits:1.0.0 --to released";
    let done = story.modelyard(words).env(variable, TOKEN).run().success();
    done.prints(&format!("request   #1 {page}"));
    let pull = fake.state().pull(1).clone();
    assert_eq!(pull.title, "vision/digits:1.0.0: promote to released");
    assert!(
        pull.body.contains("lifecycle: staged -> released"),
        "{}",
        pull.body
    );
    // The owner is a team that is not there, and nobody of that name is.
    let again = story
        .modelyard(&format!("{words} -o json"))
        .env(variable, TOKEN);
    let again = again.run().success().json();
    assert_eq!(again["pullRequest"]["review"]["unknown"][0], "vision");
    assert_eq!(fake.state().pulls.len(), 1);
}

#[test]
fn an_act_is_a_pull_request_on_github() {
    promoted(Dialect::Github, "github", "GH_ENTERPRISE_TOKEN");
}

#[test]
fn an_act_is_a_merge_request_on_gitlab() {
    promoted(Dialect::Gitlab, "gitlab", "GITLAB_TOKEN");
}
