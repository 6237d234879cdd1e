//! `modelyard comment`: whom it tells what, on a stateful fake of GitHub.

use crate::harness::Run;
use crate::harness::forges::{Dialect, FakeForge, Pull, TOKEN};
use crate::yard::story::{Story, version};

const POLICY: &str = "\
apiVersion: modelyard.dev/v1
kind: Policy
metadata: {name: release}
spec:
  match: {kinds: [ModelVersion], transitions: [staged -> released]}
  gates:
  - {name: seen, expr: size(change.approvals) > 0}
";

/// A yard whose pull request 1 releases a version, which its policy wants somebody to have seen.
struct Stage {
    story: Story,
    fake: FakeForge,
}

impl Stage {
    fn new() -> Self {
        let story = Story::of("");
        story.write("policies/release.yaml", POLICY);
        story.git("add -A");
        story.git("commit -q -m policy");
        let clone = ["clone", "-q", "--bare", "yard", "upstream.git"];
        story.sandbox.git(clone).run().success();
        let url = story.upstream_url();
        story.git(&format!("remote add origin {url}"));
        story.git("fetch -q origin");
        story.git("branch -q --set-upstream-to=origin/main main");
        let stage = Self {
            story,
            fake: FakeForge::start(Dialect::Github),
        };
        stage.fake.state().pulls.push(Pull {
            number: 1,
            branch: "change".to_owned(),
            base: "main".to_owned(),
            open: true,
            ..Pull::default()
        });
        let path = "models/vision/digits/versions/1.0.0.yaml";
        stage.story.write(path, &version("1.0.0", "released"));
        // Whoever proposes it takes the policy out as well: the one that counts is main's.
        stage.story.git("rm -q policies/release.yaml");
        stage.propose();
        stage
    }

    /// Pushes what lies there as the pull request's change, and leaves the clone at main.
    fn propose(&self) {
        self.story.git("checkout -q -b change");
        self.story.git("add -A");
        self.story.git("commit -q -m change");
        self.story.git("push -q origin HEAD:refs/pull/1/head");
        let head = self.story.git("rev-parse HEAD");
        self.story.git("checkout -q main");
        self.story.git("branch -q -D change");
        self.fake.state().pull(1).head = head;
    }

    fn comment(&self, words: &str) -> Run {
        let words = format!(
            "comment {words} --forge github=http://{}/acme/yard",
            self.fake.host()
        );
        let run = self.story.modelyard(&words);
        run.env("GH_ENTERPRISE_TOKEN", TOKEN)
    }

    /// The state of the last status, and its page.
    fn status(&self) -> (String, Option<String>) {
        let state = self.fake.state();
        let mut of = state.statuses.iter().rev();
        let last = of.find(|one| one["context"] == "modelyard/check").unwrap();
        let url = last["target_url"].as_str().map(str::to_owned);
        (last["state"].as_str().unwrap().to_owned(), url)
    }
}

#[test]
fn what_people_approved_on_the_forge_counts_for_gates_of_main() {
    let stage = Stage::new();
    let head = stage.fake.state().pull(1).head.clone();
    let told = stage
        .comment("1 --link https://ci.example.com/7")
        .run()
        .success();
    told.prints("told #1 http://").prints(": 1 error\n");
    assert_eq!(
        stage.status(),
        (
            "failure".to_owned(),
            Some("https://ci.example.com/7".to_owned())
        )
    );
    // The plan's hash is kept, which is that of a plan made by hand.
    let words = format!("plan --base main --at {head} --no-stores -o json");
    stage.story.git("fetch -q origin refs/pull/1/head");
    let hash = stage.story.json(words.trim_end_matches(" -o json"))["hash"].clone();
    let plan = stage.fake.state().statuses.last().unwrap().clone();
    assert_eq!(plan["context"], "modelyard/plan");
    assert_eq!(
        plan["description"],
        format!("plan {}", hash.as_str().unwrap())
    );
    let text = stage.fake.state().pull(1).comments[0].2.clone();
    assert!(text.contains("the gate `seen` does not hold"), "{text}");
    // What stands against it comes before what it would do.
    let (check, plan) = (text.find("\n### ❌"), text.rfind("\n### "));
    assert!(check.is_some() && check < plan, "{text}");

    stage
        .fake
        .state()
        .pull(1)
        .approved
        .push("reviewer".to_owned());
    let told = stage
        .comment(&format!("--commit {head} -o json"))
        .run()
        .success()
        .json();
    assert_eq!(
        (&told["told"], &told["passes"]),
        (&true.into(), &true.into())
    );
    assert_eq!((&told["number"], &told["head"]), (&1.into(), &head.into()));
    assert_eq!(stage.status().0, "success");
    assert_eq!(stage.fake.state().pull(1).comments.len(), 1);
}

#[test]
fn who_has_moved_on_is_told_nothing() {
    let stage = Stage::new();
    let before = stage.fake.state().pull(1).head.clone();
    let other = stage.comment(&format!("1 --commit {}", "0".repeat(40)));
    other.run().exits(1).prints("told nobody: #1 is at ");
    let nobodys = stage.comment(&format!("--commit {}", "0".repeat(40)));
    nobodys
        .run()
        .exits(1)
        .prints("told nobody: no open pull request is at ");
    // The forge knows of a push that git doesn't have yet.
    stage.fake.state().pull(1).head = "1".repeat(40);
    let behind = stage.comment("1").run().exits(1);
    behind.prints("told nobody: #1 moved on while it was fetched");
    let mut state = stage.fake.state();
    let pull = state.pull(1);
    (pull.head, pull.open) = (before, false);
    drop(state);
    stage
        .comment("1")
        .run()
        .exits(1)
        .prints("told nobody: #1 is not open");
    assert!(stage.fake.state().statuses.is_empty());
    assert!(stage.fake.state().pull(1).comments.is_empty());
}

#[test]
fn a_comment_that_somebody_else_marked_is_left_alone() {
    let stage = Stage::new();
    let sly = "<!-- modelyard:check -->\nAll is well.";
    stage.fake.state().remark(1, "eve", sly);
    for _ in 0..2 {
        stage.comment("1").run().success();
    }
    let comments = stage.fake.state().pull(1).comments.clone();
    assert_eq!(comments.len(), 2);
    assert_eq!(comments[0].2, sly);
    assert_eq!(comments[1].1, "bot");
}

#[test]
fn without_a_forge_or_a_token_nobody_can_be_told() {
    let stage = Stage::new();
    let nowhere = stage.story.modelyard("comment 1").run().exits(2);
    nowhere.says("error[forge-needed]: the yard is on no forge");
    let words = format!(
        "comment 1 --forge github=http://{}/acme/yard",
        stage.fake.host()
    );
    let tokenless = stage.story.modelyard(&words).run().exits(2);
    tokenless
        .says("error[forge-needed]")
        .says("GH_ENTERPRISE_TOKEN");
    let refused = stage
        .comment("1")
        .env("GH_ENTERPRISE_TOKEN", "wrong")
        .run()
        .exits(2);
    refused.says("forge-token-refused");
}
