//! What reviewers were shown on a real Gitea, and a merge that comes to something else.

use std::sync::Arc;

use modelyard::forge::{self, Body, Status, StatusState};
use modelyard::ops::plan_change::kept;
use modelyard::reconcile::branch::{Branch, Words};
use modelyard::reconcile::edges::Main as _;
use modelyard::reconcile::foreseen::{Foreseen, Judgement, Reviews};
use modelyard::record::Digest;
use modelyard::record::kind::ForgeType;
use modelyard::rollout::{Desired, Wish};

use super::connected;
use super::contract::Stage as _;
use super::gitea::Yard;
use crate::reconcile::{ENVIRONMENT, deployment, name};
use crate::yard::story::{MODEL, Story};

const DIGITS: &str = "deployments/host/digits.yaml";

/// A clone of a yard on Gitea, whose environment `host` serves the champion.
struct Team {
    forge: Yard,
    story: Story,
}

impl Team {
    fn new() -> Self {
        let story = Story::of("  forge: {type: gitea}\n");
        story.write("models/vision/digits/model.yaml", &champion("1.0.0"));
        story.write("environments/host.yaml", ENVIRONMENT);
        story.write(DIGITS, &deployment("digits", "champion"));
        story.git("add -A");
        story.git("commit -q -m deploy");
        let forge = Yard::of(&story);
        Self { forge, story }
    }

    /// A pull request by which a file is `content`, with its plan in the status of its head.
    async fn proposes(&self, branch: &str, path: &str, content: &str) -> u64 {
        let story = &self.story;
        story.git(&format!("switch -q -c {branch} main"));
        story.write(path, content);
        story.git(&format!("commit -q -am {branch}"));
        story.git(&format!("push -q origin {branch}"));
        let plan = format!("plan --base main --at {branch} --no-stores -o name");
        let plan: Digest = story
            .modelyard(&plan)
            .run()
            .success()
            .line()
            .parse()
            .unwrap();
        let head = story.git("rev-parse HEAD");
        story.git("switch -q main");
        let wish = forge::Wish {
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

    /// What a reconciler follows that holds main to what was shown.
    fn branch(&self) -> Branch {
        let yard = modelyard::yard::Yard::discover(&self.story.folder()).unwrap();
        let host = name("host");
        let folder = self.story.sandbox.path("state");
        let gitea = &self.forge.gitea;
        let forge = connected(ForgeType::Gitea, &gitea.host(), &self.forge.bot.token);
        let reviews: Arc<dyn Reviews> = Arc::new(forge);
        let foreseen = Foreseen::new(yard.clone(), host.clone(), &folder, Some(reviews), None);
        Branch::new(yard, host, &folder, Words::default()).held_to(foreseen)
    }
}

/// What is wanted of the only deployment, and what is to be known of it.
async fn looked(branch: &Branch) -> (String, Option<Judgement>) {
    branch.look().await;
    let said = branch.read().await;
    let Desired::Known(known) = &*said.desired else {
        panic!("{said:?}");
    };
    let digits = name("digits");
    let Wish::Run(wanted) = &known.deployments[&digits] else {
        panic!("{said:?}");
    };
    let told = format!("{} x{}", wanted.side, wanted.replicas.min);
    (told, said.judgements.get(&digits).cloned())
}

fn champion(version: &str) -> String {
    format!("{MODEL}  aliases:\n    champion: {version}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_were_open_at_once_do_together_what_nobody_was_shown() {
    let team = Team::new();
    let branch = team.branch();
    let told = |text: &str| (text.to_owned(), None);
    assert_eq!(looked(&branch).await, told("vision/digits 1.0.0 x1"));
    let model = "models/vision/digits/model.yaml";
    let first = team.proposes("champion", model, &champion("0.9.0")).await;
    let two = deployment("digits", "champion") + "  replicas: {min: 2}\n";
    let second = team.proposes("replicas", DIGITS, &two).await;

    team.forge.merge(first);
    assert_eq!(looked(&branch).await, told("vision/digits 0.9.0 x1"));
    team.forge.merge(second);
    let (kept, judgement) = looked(&branch).await;
    let judgement = judgement.unwrap();
    assert!(judgement.is_refused(), "{judgement:?}");
    assert_eq!(kept, "vision/digits 0.9.0 x1");
    let request = judgement.request.unwrap();
    assert!(
        request.ends_with(&format!("/acme/yard/pulls/{second}")),
        "{request}"
    );

    branch.accept(judgement.plan).await;
    assert_eq!(looked(&branch).await, told("vision/digits 0.9.0 x2"));
}
