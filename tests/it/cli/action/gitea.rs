//! On a real Gitea: a change from its publishing to its merge, and a fork's.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Job, Runner, workflow_run};
use crate::forge::gitea::Yard;
use crate::harness::gitea::Person;
use crate::harness::registry::Distribution;
use crate::harness::web;
use crate::yard::story::Story;

const CHECK: &str = ".gitea/workflows/modelyard-check.yml";
const COMMENT: &str = ".gitea/workflows/modelyard-comment.yml";
const NIGHTLY: &str = ".gitea/workflows/modelyard-nightly.yml";
const RECONCILE: &str = ".gitea/workflows/modelyard-reconcile.yml";

const PUBLISH: &str = "\
on: workflow_dispatch
permissions: {contents: write, pull-requests: write}
jobs:
  publish:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8
      - uses: modelyard/modelyard/action@VERSION
        id: publish
        with:
          command: publish
          arguments: |
            files
            --as
            vision/digits:1.1.0
            --unsigned
            --changes=$(touch pwned) `touch pwned` ::error::pwned
      - uses: modelyard/modelyard/action@VERSION
        with:
          command: sign
          arguments: |
            REGISTRY/acme/vision/digits@${{ steps.publish.outputs.digest }}
            --key
            HOME/.config/modelyard/keys/release.key
        env:
          COSIGN_PASSWORD: horse
";

const VERSION: &str = "models/vision/digits/versions/1.1.0.yaml";

const HOSTILE: &str = "$(touch pwned) `touch pwned` ::error title=pwned::x @reviewer <img src=x>";

/// A yard with its workflows on Gitea, a clone of it, and a registry as its store.
struct Stage {
    forge: Yard,
    story: Story,
    registry: Distribution,
}

impl Stage {
    fn new() -> Self {
        let (forge, registry) = (Yard::empty(), Distribution::start());
        let story = Story::of("");
        story.modelyard("init --ci gitea").run().success();
        let yard = story.sandbox.read("yard/modelyard.yaml");
        let store = format!("{}/acme", registry.host());
        story.write(
            "modelyard.yaml",
            &yard.replace("oci-layout:./store", &store),
        );
        let version = concat!("v", env!("CARGO_PKG_VERSION"));
        let publish = PUBLISH.replace("VERSION", version);
        let publish = publish.replace("REGISTRY", &registry.host());
        let home = story.sandbox.home();
        let publish = publish.replace("HOME", &home.display().to_string());
        story.write(".gitea/workflows/publish.yml", &publish);
        story.write(
            "environments/host.yaml",
            "apiVersion: modelyard.dev/v1\nkind: Environment\nmetadata: {name: host}\n\
             spec:\n  target: {type: process}\n",
        );
        story.write("files/model.bin", "weights");
        story.git("add -A");
        story.git("commit -q -m pipelines");
        // Nobody's token is in it: the Action brings one.
        let url = format!("http://{}/acme/yard.git", forge.gitea.host());
        story.git(&format!("remote add origin {url}"));
        let stage = Self {
            forge,
            story,
            registry,
        };
        stage.push("main");
        stage
            .story
            .git("fetch -q origin main:refs/remotes/origin/main");
        stage.forge.is_no_longer_empty();
        stage
    }

    /// Pushes what is checked out, as `bot`.
    fn push(&self, branch: &str) {
        let url = self.forge.gitea.git_url("yard", &self.forge.bot);
        self.story
            .git(&format!("push -q {url} HEAD:refs/heads/{branch}"));
    }

    fn runner(&self) -> Runner<'_> {
        Runner::new(&self.story.sandbox, &self.forge.gitea.host(), true)
    }

    fn run(&self, file: &str, event: &str, payload: &Value, token: &str) -> Job {
        self.runner().run(file, event, payload, token)
    }

    fn ask(&self, who: &Person, method: &str, path: &str, body: Option<Value>) -> Value {
        let path = format!("repos/acme/yard/{path}");
        self.forge.gitea.ask(who, method, &path, body)
    }

    /// The event of a pull request, as Gitea writes it, once it has seen what was pushed.
    fn event(&self, number: u64, head: &str) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let path = format!("pulls/{number}");
            let pull = self.ask(&self.forge.reviewer, "GET", &path, None);
            if pull["head"]["sha"] == head {
                return json!({
                    "action": "synchronized",
                    "number": number,
                    "pull_request": pull,
                    "repository": {"full_name": "acme/yard"},
                });
            }
            assert!(Instant::now() < deadline, "it never saw {head}");
            std::thread::yield_now();
        }
    }

    /// Checks and tells, as both workflows do one after the other; the check's job.
    fn reviewed(&self, head: &str, token: &str) -> Job {
        self.story.git(&format!("checkout -q {head}"));
        let job = self.run(CHECK, "pull_request", &self.event(1, head), token);
        self.story.git("checkout -q main");
        let told = self.run(
            COMMENT,
            "workflow_run",
            &workflow_run(head),
            &self.forge.bot.token,
        );
        assert_eq!(told.success().annotations(), [] as [&str; 0]);
        job
    }

    fn comments(&self) -> Vec<(u64, String)> {
        let all = self.ask(&self.forge.reviewer, "GET", "issues/1/comments", None);
        let all = all.as_array().unwrap().iter();
        let told = |one: &Value| {
            (
                one["id"].as_u64().unwrap(),
                one["body"].as_str().unwrap().to_owned(),
            )
        };
        all.map(told).collect()
    }

    fn status(&self, commit: &str) -> (String, String) {
        let path = format!("commits/{commit}/status");
        let all = self.ask(&self.forge.reviewer, "GET", &path, None);
        let all = all["statuses"].as_array().unwrap().iter();
        let mut of = all.filter(|one| one["context"] == "modelyard/check");
        let status = of.next().unwrap();
        let text = |field: &str| status[field].as_str().unwrap().to_owned();
        (text("status"), text("description"))
    }

    fn merge(&self) -> u16 {
        let authorization = format!("token {}", self.forge.reviewer.token);
        let headers = [("authorization", &*authorization)];
        let path = "/api/v1/repos/acme/yard/pulls/1/merge";
        let body = json!({"Do": "merge"});
        let host = self.forge.gitea.host();
        web::ask(&host, "POST", path, &headers, Some(&body)).status
    }

    fn approve(&self, who: &Person) {
        let review = json!({"event": "APPROVED", "body": "Good."});
        self.ask(who, "POST", "pulls/1/reviews", Some(review));
    }

    /// A comment, as its page shows it.
    fn rendered(&self, text: &str) -> String {
        let authorization = format!("token {}", self.forge.bot.token);
        let headers = [("authorization", &*authorization)];
        let body = json!({"Text": text, "Mode": "comment", "Context": "acme/yard"});
        let host = self.forge.gitea.host();
        web::ask(&host, "POST", "/api/v1/markdown", &headers, Some(&body)).text()
    }
}

#[test]
fn a_change_goes_from_its_publishing_over_a_red_check_to_its_merge() {
    let stage = Stage::new();
    let (bot, reviewer) = (&stage.forge.bot, &stage.forge.reviewer);
    let second = stage.forge.gitea.person("second");
    let may = json!({"permission": "write"});
    stage.ask(
        stage.forge.gitea.root(),
        "PUT",
        "collaborators/second",
        Some(may),
    );
    let rule = json!({
        "rule_name": "main",
        "required_approvals": 2,
        "enable_status_check": true,
        "status_check_contexts": ["modelyard/check"],
    });
    stage.ask(
        stage.forge.gitea.root(),
        "POST",
        "branch_protections",
        Some(rule),
    );

    // It is published by a step, which pushes and opens its pull request; the next one signs it.
    let generate = stage.story.modelyard("keys generate release --no-yard");
    generate.env("COSIGN_PASSWORD", "horse").run().success();
    let publish = ".gitea/workflows/publish.yml";
    let job = stage
        .run(publish, "workflow_dispatch", &json!({}), &bot.token)
        .success();
    assert_eq!(
        (job.output("version"), job.output("pull-request")),
        ("1.1.0", "1")
    );
    assert_eq!(job.annotations(), [] as [&str; 0]);
    let (host, digest) = (stage.registry.host(), job.output("digest"));
    let verify = format!("verify {host}/acme/vision/digits@{digest} --key release");
    stage.story.modelyard(&verify).run().success();
    for line in [
        "### modelyard publish\n",
        "### modelyard sign\n",
        &format!("- digest: `{digest}`\n"),
    ] {
        assert!(job.summary.contains(line), "{}", job.summary);
    }
    let branch = "publish/vision/digits/1.1.0";
    stage.story.git(&format!("fetch -q origin {branch}"));
    stage.story.git("checkout -q FETCH_HEAD");
    let record = stage.story.sandbox.read(format!("yard/{VERSION}"));
    assert!(
        record.contains("$(touch pwned) `touch pwned` ::error::pwned"),
        "{record}"
    );

    // Red: at the line, in a comment, and no merge.
    stage
        .story
        .write(VERSION, &record.replace("lifecycle:", "lifecyle:"));
    stage.story.git("commit -q -a -m worse");
    stage.push(branch);
    let head = stage.story.git("rev-parse HEAD");
    let job = stage.reviewed(&head, &bot.token).fails();
    let line = record
        .lines()
        .position(|line| line.contains("lifecycle:"))
        .unwrap()
        + 1;
    let at = format!("::error file={VERSION},line={line},col=3,endColumn=10,title=unknown-field::");
    assert!(
        job.annotations().iter().any(|one| one.starts_with(&at)),
        "{:?}",
        job.commands
    );
    let [(id, text)] = &stage.comments()[..] else {
        panic!("{:?}", stage.comments());
    };
    assert!(text.contains("(`unknown-field`)"), "{text}");
    assert_eq!(stage.status(&head).0, "failure");
    stage.approve(reviewer);
    assert_eq!(stage.merge(), 405);

    // Green: in the same comment.
    stage.story.git(&format!("checkout -q {head}"));
    stage.story.write(VERSION, &record);
    stage.story.git("commit -q -a -m better");
    stage.push(branch);
    let head = stage.story.git("rev-parse HEAD");
    stage.reviewed(&head, &bot.token).success();
    let [(same, text)] = &stage.comments()[..] else {
        panic!("{:?}", stage.comments());
    };
    assert_eq!(same, id);
    assert!(text.contains("### ✅") || text.contains("### ⚠️"), "{text}");
    assert_eq!(stage.status(&head).0, "success");

    // One person's word is not two's.
    assert_eq!(stage.merge(), 405);
    stage.approve(reviewer);
    stage.approve(&second);
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match stage.merge() {
            200 => break,
            status => assert!(Instant::now() < deadline, "merge: {status}"),
        }
        std::thread::yield_now();
    }

    // What is merged is brought to its environment.
    let main = stage.story.git("rev-parse main");
    stage.story.git("pull -q origin main");
    let push = json!({"before": main, "ref": "refs/heads/main"});
    let job = stage.run(RECONCILE, "push", &push, &bot.token).success();
    assert!(job.log.contains("\"isSettled\": true"), "{}", job.log);
    assert!(!stage.story.folder().join("pwned").exists());
}

#[test]
fn a_forks_pull_request_is_read_and_told_and_nothing_of_it_is_run() {
    let stage = Stage::new();
    let eve = stage.forge.gitea.person("eve");
    let fork = json!({"name": "yard"});
    stage.ask(&eve, "POST", "forks", Some(fork));
    let branch = "x/$(touch${IFS}pwned);`touch${IFS}pwned`";
    let git = |words: &[&str]| {
        let run = stage.story.sandbox.git(words).in_folder("yard").run();
        run.success().line().to_owned()
    };
    git(&["switch", "--quiet", "-c", "fork"]);
    let hostile = format!("models/vision/{}/model.yaml", HOSTILE.replace('/', "-"));
    stage.story.write(&hostile, "kind: [\n");
    stage.story.write(
        COMMENT,
        "on: workflow_run\njobs: {x: {runs-on: ubuntu-latest, steps: [{run: touch pwned}]}}\n",
    );
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", HOSTILE]);
    let url = stage
        .forge
        .gitea
        .git_url("yard", &eve)
        .replace("/acme/", "/eve/");
    git(&[
        "push",
        "--quiet",
        &url,
        &format!("HEAD:refs/heads/{branch}"),
    ]);
    let head = git(&["rev-parse", "HEAD"]);
    let wish =
        json!({"title": HOSTILE, "body": HOSTILE, "head": format!("eve:{branch}"), "base": "main"});
    stage.ask(&eve, "POST", "pulls", Some(wish));

    // The first workflow has a token that may read alone.
    let token = stage.forge.gitea.token("eve", "read:repository,read:issue");
    let job = stage.reviewed(&head, &token).fails();
    for one in job.annotated() {
        assert_eq!(one.property("title"), "unexpected-file", "{one:?}");
    }
    let (_, text) = &stage.comments()[0];
    assert_eq!(stage.status(&head).0, "failure");
    // A commit is made a link by Gitea itself.
    let commits = format!(
        "href=\"http://{}/acme/yard/commit/",
        stage.forge.gitea.host()
    );
    let page = stage.rendered(text).replace(&commits, "");
    assert!(page.contains("unexpected-file"), "{page}");
    for live in ["<img", "class=\"mention\"", "href="] {
        assert!(!page.contains(live), "{live} in {page}");
    }
    assert!(!stage.story.folder().join("pwned").exists());
    assert_eq!(git(&["status", "--porcelain", "--untracked-files=no"]), "");
}

#[test]
fn at_night_each_source_of_the_yard_becomes_a_pull_request_that_is_signed() {
    let stage = Stage::new();
    let bot = &stage.forge.bot;
    let generate = stage.story.modelyard("keys generate night --no-yard");
    generate.env("COSIGN_PASSWORD", "horse").run().success();
    let home = stage.story.sandbox.home();
    let key = std::fs::read_to_string(home.join(".config/modelyard/keys/night.key")).unwrap();
    let old = stage.story.sandbox.path("old");
    stage.story.sandbox.write("old/model.bin", "weights");
    stage.story.sandbox.write("old/README.md", "# An old one\n");
    let yard = stage.story.sandbox.read("yard/modelyard.yaml");
    let sources = format!(
        "  sources:\n  - {{name: shelf, type: folder, url: \"file://{}\", namespace: vision, map: shelf.yaml}}\n",
        old.display()
    );
    stage
        .story
        .write("modelyard.yaml", &format!("{yard}{sources}"));
    stage.story.write("shelf.yaml", "owner: {team: reviewer}\n");
    stage.story.git("add -A");
    stage.story.git("commit -q -m sources");
    // act copies files, and not the empty folder into which libgit2 fetches.
    stage.story.git("repack -q -a");
    stage.push("main");

    let night = |secrets: &[(&str, &str)]| {
        let mut runner = stage.runner().job("import");
        for (name, value) in secrets {
            runner = runner.secret(name, value);
        }
        runner.run(NIGHTLY, "workflow_dispatch", &json!({}), &bot.token)
    };
    // Nobody has said who signs: it says so, and nothing is written.
    let job = night(&[]).fails();
    let said = "::error title=no-key-variable::the environment has no variable \
                MODELYARD_SIGNING_KEY, or an empty one";
    assert!(job.annotations()[0].starts_with(said), "{:?}", job.commands);
    let secrets = [
        ("MODELYARD_SIGNING_KEY", key.as_str()),
        ("COSIGN_PASSWORD", "horse"),
    ];
    let job = night(&secrets).success();
    assert_eq!(job.output("pull-request"), "1");
    assert!(
        job.summary.contains("`vision/old:1.0.0`"),
        "{}",
        job.summary
    );
    let pull = stage.ask(bot, "GET", "pulls/1", None);
    assert_eq!(pull["head"]["ref"], "import/shelf");
    let (host, digest) = (stage.registry.host(), job.output("digest"));
    let verify = format!("verify {host}/acme/vision/old@{digest} --key night");
    stage.story.modelyard(&verify).run().success();

    // The next night finds nothing new, and the pull request as it was.
    let job = night(&secrets).success();
    assert!(job.summary.contains("nothing is new"), "{}", job.summary);
    let again = stage.ask(bot, "GET", "pulls/1", None);
    assert_eq!(again["head"]["sha"], pull["head"]["sha"]);
}
