//! Every act on a yard is a pull request, on a real Gitea with two people.

mod after;
mod reverts;

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::forge::contract::Stage as _;
use crate::forge::gitea::Yard;
use crate::harness::{Answer, Front, Run};
use crate::yard::story::{DIRECT, MODEL, Story};

/// A clone of a yard that lies on Gitea, whose models belong to `reviewer`.
struct Clone {
    forge: Yard,
    story: Story,
}

const TEMPLATE: &str = "# What\n\n<!-- modelyard -->\n\n- [ ] I have looked at its metrics.\n";

impl Clone {
    fn new() -> Self {
        Self::of("  forge: {type: gitea}\n")
    }

    fn of(more: &str) -> Self {
        let story = Story::of(more);
        let model = MODEL.replace("{team: vision,", "{team: reviewer,");
        story.write("models/vision/digits/model.yaml", &model);
        story.write(".gitea/pull_request_template.md", TEMPLATE);
        story.write(
            "environments/factory.yaml",
            "apiVersion: modelyard.dev/v1\nkind: Environment\nmetadata: {name: factory}\n\
             spec:\n  target: {type: process}\n",
        );
        story.git("add -A");
        story.git("commit -q -m more");
        let forge = Yard::of(&story);
        Self { forge, story }
    }

    /// `modelyard` with these words, as `bot`.
    fn modelyard(&self, words: &str) -> Run {
        let run = self.story.modelyard(words);
        run.env("GITEA_TOKEN", &self.forge.bot.token)
    }

    fn json(&self, words: &str) -> Value {
        self.modelyard(&format!("{words} -o json"))
            .run()
            .success()
            .json()
    }

    fn pull(&self, number: u64) -> Value {
        let path = format!("repos/acme/yard/pulls/{number}");
        self.forge
            .gitea
            .ask(&self.forge.reviewer, "GET", &path, None)
    }

    fn pulls(&self) -> Vec<Value> {
        let path = "repos/acme/yard/pulls?state=all";
        let all = self
            .forge
            .gitea
            .ask(&self.forge.reviewer, "GET", path, None);
        all.as_array().unwrap().clone()
    }

    fn hidden(&self, text: &str) -> String {
        text.replace(&self.forge.gitea.host(), "[host]")
    }
}

const PROMOTE: &str = "promote vision/digits:1.0.0 --to released";

#[test]
fn a_promotion_is_one_pull_request_however_often_it_is_asked_for() {
    let clone = Clone::new();
    let done = clone.modelyard(PROMOTE).run().success();
    let commit = clone
        .story
        .git("rev-parse --short=12 promote/vision/digits/1.0.0");
    let said = clone.hidden(&done.stdout).replace(&commit, "[commit]");
    insta::assert_snapshot!(said, @r"
    vision/digits:1.0.0
      lifecycle  staged -> released

      proposed  branch promote/vision/digits/1.0.0, commit [commit]
      pushed    to origin (http://[host]/acme/yard.git)
      request   #1 http://[host]/acme/yard/pulls/1
      review    asked of reviewer
    ");
    let pull = clone.pull(1);
    assert_eq!(pull["title"], "vision/digits:1.0.0: promote to released");
    assert_eq!(pull["requested_reviewers"][0]["login"], "reviewer");
    insta::assert_snapshot!(pull["body"].as_str().unwrap(), @r"
    # What

    <!-- modelyard:begin -->
    ```text
    lifecycle: staged -> released
    ```

    - `models/vision/digits/versions/1.0.0.yaml`
    <!-- modelyard:end -->

    - [ ] I have looked at its metrics.
    ");

    let again = clone.json(PROMOTE);
    assert_eq!(again["unchanged"], true);
    assert_eq!(again["pullRequest"]["number"], 1);
    assert_eq!(again["howToMerge"], json!([]));
    // What is done beside on the same version goes onto the same pull request.
    let more = clone.json("promote vision/digits:1.0.0 --to released --alias champion");
    assert_eq!(more["pullRequest"]["number"], 1);
    assert_eq!(
        more["pullRequest"],
        json!({
            "number": 1,
            "url": format!("http://{}/acme/yard/pulls/1", clone.forge.gitea.host()),
            "is": "open",
            "review": { "asked": ["reviewer"], "unknown": [] },
        })
    );
    let pull = clone.pull(1);
    assert_eq!(
        pull["title"],
        "vision/digits:1.0.0: promote to released, champion"
    );
    let body = pull["body"].as_str().unwrap();
    assert!(body.contains("champion: nothing -> 1.0.0"), "{body}");
    assert!(body.contains("lifecycle: staged -> released"), "{body}");
    assert_eq!(clone.pulls().len(), 1);
}

#[test]
fn every_act_opens_its_pull_request() {
    let clone = Clone::new();
    clone.modelyard(PROMOTE).run().success();
    clone.forge.merge(1);
    clone.story.sandbox.files("files");
    for (number, words, title) in [
        (
            2,
            "set vision/digits title=Digits2",
            "vision/digits: set title",
        ),
        (
            3,
            "deploy vision/digits:1.0.0 --to factory",
            "factory/digits: deploy vision/digits",
        ),
        (
            4,
            "publish ../files --as vision/digits:1.1.0 --unsigned",
            "Publish vision/digits 1.1.0",
        ),
    ] {
        let done = clone.json(words);
        // What publishing tells of it has a part of its own.
        let proposed = done.get("proposed").unwrap_or(&done);
        assert_eq!(proposed["pullRequest"]["number"], number, "{words}");
        let pull = clone.pull(number);
        let told = pull["title"].as_str().unwrap();
        assert!(told.contains(title), "{words}: {told}");
    }
    clone.forge.merge(3);
    for (number, words) in [
        (5, "restart digits --environment factory"),
        (6, "rollout pause digits --environment factory"),
        (7, "suspend digits --environment factory"),
        (8, "undeploy digits --environment factory"),
        (9, "deprecate vision/digits:0.9.0"),
    ] {
        let done = clone.json(words);
        assert_eq!(done["pullRequest"]["number"], number, "{words}");
        // The deployment's model has the owner.
        assert_eq!(
            done["pullRequest"]["review"]["asked"][0], "reviewer",
            "{words}"
        );
    }
    let key = clone
        .modelyard("keys generate -o json")
        .env("COSIGN_PASSWORD", "secret");
    let key = key.run().success().json();
    assert_eq!(key["yard"]["pullRequest"]["number"], 10);
    assert_eq!(key["yard"]["pullRequest"].get("review"), None);
}

#[test]
fn without_a_token_the_branch_is_there_and_a_person_is_told_how_to_go_on() {
    let clone = Clone::new();
    let done = clone.story.modelyard(PROMOTE).run().success();
    let last: Vec<_> = done.stdout.lines().rev().take(7).collect();
    let last: Vec<_> = last
        .into_iter()
        .rev()
        .map(|line| clone.hidden(line))
        .collect();
    insta::assert_snapshot!(last.join("\n"), @r"
    No pull request: there is no token for http://[host]/acme/yard: set GITEA_TOKEN or FORGEJO_TOKEN or GITEA_SERVER_TOKEN, or open it at http://[host]/acme/yard/compare/main...promote/vision/digits/1.0.0.

    Once it is reviewed, merge it:
      git switch main
      git pull --ff-only origin main
      git merge --no-ff --no-edit promote/vision/digits/1.0.0
      git push origin main
    ");
    assert_eq!(clone.pulls(), [] as [Value; 0]);

    // Nobody has said what forge it is.
    let clone = Clone::of("");
    let done = clone.modelyard(PROMOTE).run().success();
    let host = clone.forge.gitea.host();
    done.prints(&format!(
        "No pull request: which forge {host} is, is not known"
    ));
    clone
        .modelyard(&format!("{PROMOTE} --forge gitea"))
        .run()
        .success();
    assert_eq!(clone.pulls().len(), 1);
}

#[test]
fn a_wait_ends_with_the_merge_or_the_refusal() {
    let clone = Clone::new();
    let deadline = Instant::now() + Duration::from_secs(120);
    let waiting = |words: &str| {
        let mut command = clone.modelyard(words).into_command();
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let opened = |number: usize| {
        while clone.pulls().len() < number {
            assert!(Instant::now() < deadline, "it is not opened");
        }
    };
    let command = waiting(&format!("{PROMOTE} --wait -o json"));
    opened(1);
    clone.forge.merge(1);
    let output = command.wait_with_output().unwrap();
    assert!(output.status.success());
    let done: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(done["pullRequest"]["is"], "merged");
    clone.story.git("fetch -q");
    let main = clone.story.git("rev-parse origin/main");
    assert_eq!(done["pullRequest"]["commit"], main.as_str());

    let command = waiting("set vision/digits title=Other --wait");
    opened(2);
    let path = "repos/acme/yard/pulls/2";
    let closed = Some(json!({ "state": "closed" }));
    clone
        .forge
        .gitea
        .ask(&clone.forge.reviewer, "PATCH", path, closed);
    let output = command.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("was closed, and is not merged"), "{said}");
}

#[test]
fn a_forge_that_is_away_loses_nothing() {
    let clone = Clone::new();
    let front = Front::before(&clone.forge.gitea.host());
    front.always("GET", "/api/", Answer::status(502));
    let words = format!("{PROMOTE} --forge gitea=http://{}/acme/yard", front.host());
    let done = clone.modelyard(&words).run().exits(3);
    let done = done
        .prints("pushed    to origin")
        .says("forge-away")
        .says("HTTP 502");
    assert!(done.stdout.contains("git merge --no-ff"), "{}", done.stdout);
    let branch = "promote/vision/digits/1.0.0";
    assert_eq!(
        clone.story.git(&format!("rev-parse origin/{branch}")),
        clone.story.git(&format!("rev-parse {branch}"))
    );
    clone
        .modelyard(PROMOTE)
        .run()
        .success()
        .prints("request   #1");
}

#[test]
fn a_token_without_the_right_is_told_and_never_shown() {
    let clone = Clone::new();
    let token = clone.forge.gitea.token("bot", "read:repository");
    let run = clone.story.modelyard(PROMOTE).env("GITEA_TOKEN", &token);
    let done = run
        .run()
        .exits(2)
        .says("the token in GITEA_TOKEN may not open a pull request");
    let done = done
        .says("`write:repository`")
        .prints("pushed    to origin");
    for text in [&done.stdout, &done.stderr] {
        assert!(
            !text.contains(&token) && !text.contains(&clone.forge.bot.token),
            "{text}"
        );
    }
}

#[test]
fn main_itself_is_committed_to_where_the_yard_allows_it() {
    let clone = Clone::new();
    let done = clone
        .modelyard(&format!("{PROMOTE} --direct"))
        .run()
        .success();
    done.prints("committed to main");
    clone.story.git("fetch -q");
    let main = clone
        .story
        .git("show origin/main:models/vision/digits/versions/1.0.0.yaml");
    assert!(main.contains("lifecycle: released"), "{main}");
    assert_eq!(clone.pulls(), [] as [Value; 0]);

    let reviewed = DIRECT.replace("direct", "pull-request");
    let clone = Clone::of(&reviewed);
    let before = clone.story.git("rev-parse origin/main");
    clone
        .modelyard(&format!("{PROMOTE} --direct"))
        .run()
        .exits(2)
        .says("review-wanted");
    clone.story.git("fetch -q");
    assert_eq!(clone.story.git("rev-parse origin/main"), before);
}

#[test]
fn a_draft_stays_one() {
    let clone = Clone::new();
    clone
        .modelyard(&format!("{PROMOTE} --draft"))
        .run()
        .success();
    let more = "promote vision/digits:1.0.0 --to released --alias champion";
    clone.modelyard(more).run().success();
    let pull = clone.pull(1);
    assert_eq!(
        pull["title"],
        "WIP: vision/digits:1.0.0: promote to released, champion"
    );
    assert_eq!(pull["draft"], true);
}

#[test]
fn two_people_at_once_share_one_pull_request() {
    let clone = Clone::new();
    let url = clone.forge.gitea.git_url("yard", &clone.forge.reviewer);
    let other = ["clone", "-q", &url, "other"];
    clone.story.sandbox.git(other).run().success();
    let run = |folder: &str| {
        let words = format!("{PROMOTE} -o json");
        let run = clone.story.sandbox.modelyard(words.split(' '));
        let run = run.env("GITEA_TOKEN", &clone.forge.bot.token);
        run.in_folder(folder).run().success().json()
    };
    let (mine, theirs) = std::thread::scope(|scope| {
        let theirs = scope.spawn(|| run("other"));
        (run("yard"), theirs.join().unwrap())
    });
    assert_eq!(mine["pullRequest"]["number"], 1, "{mine}");
    assert_eq!(theirs["pullRequest"]["number"], 1, "{theirs}");
    let open = clone
        .pulls()
        .into_iter()
        .filter(|pull| pull["state"] == "open");
    assert_eq!(open.count(), 1);
}
