//! What reviewers were shown on a real Gitea, and a merge that comes to something else.

use modelyard::forge::{Body, Status, StatusState, Wish};
use modelyard::ops::plan_change::kept;
use modelyard::record::Digest;
use serde_json::Value;

use super::contract::Stage as _;
use super::gitea::Yard;
use crate::harness::Run;
use crate::reconcile::{ENVIRONMENT, deployment};
use crate::yard::story::{MODEL, Story};

const DIGITS: &str = "deployments/host/digits.yaml";

/// A clone of a yard on Gitea, whose environment `host` serves the champion.
struct Team {
    forge: Yard,
    story: Story,
}

impl Team {
    fn new() -> Self {
        let forge = Yard::empty();
        let story = Story::of("  forge: {type: gitea}\n");
        story.write("models/vision/digits/model.yaml", &champion("1.0.0"));
        story.write("environments/host.yaml", ENVIRONMENT);
        story.write(DIGITS, &deployment("digits", "champion"));
        story.git("add -A");
        story.git("commit -q -m deploy");
        let url = forge.gitea.git_url("yard", &forge.bot);
        story.git(&format!("remote add origin {url}"));
        story.git("push -q --set-upstream origin main");
        forge.is_no_longer_empty();
        Self { forge, story }
    }

    fn modelyard(&self, words: &str) -> Run {
        let run = self.story.modelyard(words);
        run.env("GITEA_TOKEN", &self.forge.bot.token)
    }

    /// A pull request by which a file is `content`, with its plan in the status of its head.
    async fn proposes(&self, branch: &str, path: &str, content: &str) -> u64 {
        let story = &self.story;
        story.git(&format!("switch -q -c {branch} main"));
        story.write(path, content);
        story.git(&format!("commit -q -am {branch}"));
        story.git(&format!("push -q origin {branch}"));
        let plan = format!("plan --base main --at {branch} --no-stores -o name");
        let plan: Digest = self
            .modelyard(&plan)
            .run()
            .success()
            .line()
            .parse()
            .unwrap();
        let head = story.git("rev-parse HEAD");
        story.git("switch -q main");
        let wish = Wish {
            branch: branch.to_owned(),
            base: "main".to_owned(),
            title: branch.to_owned(),
            body: Body::new("What.", None),
            draft: false,
        };
        let status = Status {
            context: kept::CONTEXT.to_owned(),
            state: StatusState::Success,
            description: kept::description(&plan),
            url: None,
        };
        let forge = self.forge.forge();
        let opened = forge.open(&wish).await.unwrap();
        forge.set_status(&head, &status).await.unwrap();
        opened.number
    }

    /// One pass after the other until nothing is left to do; what is known of the deployment then.
    fn reconciles(&self, more: &str) -> Value {
        let words = format!("reconcile --once -e host -o json{more}");
        self.modelyard(&words).run().json()["deployments"][0].clone()
    }
}

fn champion(version: &str) -> String {
    format!("{MODEL}  aliases:\n    champion: {version}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_were_open_at_once_do_together_what_nobody_was_shown() {
    let team = Team::new();
    assert_eq!(team.reconciles("")["desired"], "vision/digits 1.0.0");
    let model = "models/vision/digits/model.yaml";
    let first = team.proposes("champion", model, &champion("0.9.0")).await;
    let two = deployment("digits", "champion") + "  replicas: {min: 2}\n";
    let second = team.proposes("replicas", DIGITS, &two).await;

    team.forge.merge(first);
    let told = team.reconciles("");
    assert_eq!(told["desired"], "vision/digits 0.9.0");
    assert_eq!(told["foreseen"], Value::Null);

    team.forge.merge(second);
    let told = team.reconciles("");
    assert_eq!(told["foreseen"]["is"], "refused", "{told}");
    let request = told["foreseen"]["request"].as_str().unwrap();
    assert!(
        request.ends_with(&format!("/acme/yard/pulls/{second}")),
        "{request}"
    );
    let status = team.modelyard("status -e host").run();
    status.prints("is held: it would come to the plan sha256:");

    let plan = told["foreseen"]["plan"].as_str().unwrap();
    let told = team.reconciles(&format!(" --accept-plan {plan}"));
    assert_eq!(told["foreseen"], Value::Null, "{told}");
    assert_eq!(told["desired"], "vision/digits 0.9.0");
}
