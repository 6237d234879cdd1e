//! On GitHub, which a stateful fake plays: what comes of each event.

use serde_json::{Value, json};

use super::{Runner, pull_request, workflow_run};
use crate::cli::check::{DIGITS, V1_0, acme, change};
use crate::harness::forges::{Dialect, FakeForge, Pull, TOKEN};
use crate::harness::{Sandbox, Yard};

const CHECK: &str = ".github/workflows/modelyard-check.yml";
const COMMENT: &str = ".github/workflows/modelyard-comment.yml";

/// What wants to be a command of a shell's, or of the runner's.
const HOSTILE: &str =
    "x/$(touch${IFS}pwned)`touch${IFS}pwned`;touch${IFS}pwned;\"'::error::x<!--modelyard";

/// A yard with its workflows, on the fake.
struct Stage {
    sandbox: Sandbox,
    fake: FakeForge,
}

impl Stage {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let fake = FakeForge::start(Dialect::Github);
        let yard = acme(&sandbox);
        yard.modelyard(["init", "--ci", "github"]).run().success();
        yard.commit("Pipelines");
        let clone = ["clone", "--quiet", "--bare", "yard", "upstream.git"];
        sandbox.git(clone).run().success();
        let upstream = format!("file://{}", sandbox.path("upstream.git").display());
        let stage = Self { sandbox, fake };
        stage.git(&["remote", "add", "origin", &upstream]);
        stage.git(&["fetch", "--quiet", "origin"]);
        stage.git(&["branch", "--quiet", "--set-upstream-to=origin/main", "main"]);
        stage
    }

    fn git(&self, words: &[&str]) -> String {
        let run = self.sandbox.git(words).in_folder("yard").run().success();
        run.line().to_owned()
    }

    /// Commits what lies there as pull request `number`, and pushes it as a forge keeps it.
    fn propose(&self, number: usize, branch: &str) -> String {
        self.git(&["switch", "--quiet", "-C", branch]);
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", branch]);
        let refspec = format!("+HEAD:refs/pull/{number}/head");
        self.git(&["push", "--quiet", "origin", &refspec]);
        let head = self.git(&["rev-parse", "HEAD"]);
        let mut state = self.fake.state();
        let pull = Pull {
            number,
            title: HOSTILE.to_owned(),
            branch: branch.to_owned(),
            base: "main".to_owned(),
            head: head.clone(),
            open: true,
            ..Pull::default()
        };
        if state.pulls.len() < number {
            state.pulls.push(pull);
        } else {
            state.pull(number as u64).head.clone_from(&head);
        }
        head
    }

    fn main(&self) -> String {
        self.git(&["rev-parse", "origin/main"])
    }

    fn runner(&self) -> Runner<'_> {
        Runner::new(&self.sandbox, &self.fake.host(), false)
    }

    fn comments(&self) -> Vec<(u64, String)> {
        let mut state = self.fake.state();
        let all = state.pull(1).comments.iter();
        all.map(|(id, _, text)| (*id, text.clone())).collect()
    }

    /// The state of the last check's status of a commit, and what it counts.
    fn status(&self, commit: &str) -> Option<(String, String)> {
        let (state, description) = self.status_of(commit, "modelyard/check")?;
        let (_, counts) = description.split_once(": ").unwrap();
        Some((state, counts.to_owned()))
    }

    fn status_of(&self, commit: &str, context: &str) -> Option<(String, String)> {
        let state = self.fake.state();
        let mut of = state.statuses.iter().rev();
        let last = of.find(|one| one["sha"] == commit && one["context"] == context)?;
        let text = |field: &str| last[field].as_str().unwrap().to_owned();
        Some((text("state"), text("description")))
    }
}

fn files(sandbox: &Sandbox) -> Yard<'_> {
    sandbox.standing_yard()
}

#[test]
fn a_pull_request_is_checked_and_told_in_one_comment() {
    let stage = Stage::new();
    let (runner, base) = (stage.runner(), stage.main());
    let yard = files(&stage.sandbox);
    change(&yard, V1_0, "lifecycle:", "lifecyle:");
    let head = stage.propose(1, "change");
    let event = pull_request(1, "acme/yard", &head, &base, "A change");
    let job = runner.run(CHECK, "pull_request", &event, TOKEN).fails();
    let annotation = format!(
        "::error file={V1_0},line=5,col=3,endColumn=10,title=unknown-field::`spec` has no field \
         `lifecyle`%0Adid you mean `lifecycle`?"
    );
    assert!(
        job.annotations().contains(&&*annotation),
        "{:?}",
        job.commands
    );
    assert!(
        job.outputs
            .contains(&("pull-request".to_owned(), "1".to_owned()))
    );
    // That job may only read.
    assert_eq!(stage.comments(), []);
    assert_eq!(stage.status(&head), None);

    // The other tells, and is not red because the change is.
    stage.git(&["switch", "--quiet", "main"]);
    let tell = || {
        let event = workflow_run(&stage.git(&["rev-parse", "change"]));
        runner.run(COMMENT, "workflow_run", &event, TOKEN).success()
    };
    tell();
    let [(id, text)] = &stage.comments()[..] else {
        panic!("{:?}", stage.comments());
    };
    assert!(
        text.starts_with("<!-- modelyard:check -->\n### ❌ ") && text.contains(": 1 error\n"),
        "{text}"
    );
    let failure = ("failure".to_owned(), "1 error".to_owned());
    assert_eq!(stage.status(&head), Some(failure));

    stage.git(&["switch", "--quiet", "change"]);
    change(&yard, V1_0, "lifecyle:", "lifecycle:");
    let mended = stage.propose(1, "change");
    let event = pull_request(1, "acme/yard", &mended, &base, "A change");
    let job = runner.run(CHECK, "pull_request", &event, TOKEN).success();
    assert_eq!(job.annotations(), [] as [&str; 0]);
    let shown = job.summary;
    stage.git(&["switch", "--quiet", "main"]);
    tell();
    let [(same, text)] = &stage.comments()[..] else {
        panic!("{:?}", stage.comments());
    };
    assert_eq!(same, id);
    // The summary is the comment.
    let (_, body) = text.split_once('\n').unwrap();
    assert_eq!(shown.trim_end(), body.trim_end());
    assert!(
        text.contains("\n### ✅ The check passes\n") && text.contains(": all is well\n"),
        "{text}"
    );
    let success = ("success".to_owned(), "all is well".to_owned());
    assert_eq!(stage.status(&mended), Some(success));

    // What the pull request was at before is told nothing any more.
    let late = runner
        .run(COMMENT, "workflow_run", &workflow_run(&head), TOKEN)
        .success();
    assert!(
        late.annotations()[0].contains("no open pull request is at"),
        "{:?}",
        late.commands
    );
    assert_eq!(stage.comments()[0].1, *text);
}

#[test]
fn a_forks_pull_request_is_told_by_what_main_says() {
    let stage = Stage::new();
    let (runner, base) = (stage.runner(), stage.main());
    let yard = files(&stage.sandbox);
    // It would have its own workflows say that all is well.
    let lies = "on: [workflow_run]\njobs:\n  comment:\n    runs-on: ubuntu-latest\n    steps:\n    \
                - run: touch pwned\n";
    yard.write(COMMENT, lies);
    change(&yard, DIGITS, "computer-vision", "vision");
    let head = stage.propose(1, "fork");
    // One that comments in the first workflow, too: the job may not, and knows.
    let eager = stage
        .sandbox
        .read(format!("yard/{CHECK}"))
        .replace("comment: \"false\"", "comment: \"true\"");
    yard.write(".github/workflows/eager.yml", &eager);
    let event = pull_request(1, "eve/yard", &head, &base, HOSTILE);
    let job = runner
        .run(".github/workflows/eager.yml", "pull_request", &event, TOKEN)
        .fails();
    let said = job.annotations();
    assert!(
        said.iter()
            .any(|one| one.contains("a fork's job may not comment")),
        "{said:?}"
    );
    assert_eq!(stage.comments(), []);

    // In one of the repository's own it does.
    let own = pull_request(1, "acme/yard", &head, &base, HOSTILE);
    runner
        .run(".github/workflows/eager.yml", "pull_request", &own, TOKEN)
        .fails();
    assert_eq!(stage.comments().len(), 1);

    stage.git(&["checkout", "--quiet", "--force", "main"]);
    let told = runner
        .run(COMMENT, "workflow_run", &workflow_run(&head), TOKEN)
        .success();
    assert_eq!(told.annotations(), [] as [&str; 0]);
    assert_eq!(stage.comments().len(), 1);
    assert!(stage.comments()[0].1.contains("outside-vocabulary"));
    assert_eq!(stage.status(&head).unwrap().0, "failure");
    assert!(!stage.sandbox.path("yard/pwned").exists());
    // Its commit came as an object, and no file of it.
    assert_eq!(
        stage.git(&["status", "--porcelain", "--untracked-files=no"]),
        ""
    );
}

#[test]
fn names_that_want_to_be_commands_are_none() {
    let stage = Stage::new();
    let (runner, base) = (stage.runner(), stage.main());
    let yard = files(&stage.sandbox);
    for name in [
        "$(touch pwned)`touch pwned`;touch pwned",
        "a\n::error title=pwned::b\n::set-output name=digest::c\n::stop-commands::d",
        "@all <img src=x> [x](http://x) <!-- modelyard:check -->",
        "a%0A::error title=pwned::b,line=1",
    ] {
        let path = format!("models/vision/{name}/model.yaml");
        yard.write(
            &path,
            "kind: [\"\\n::error title=pwned::e\n##[error]pwned\n",
        );
    }
    let branch = "x/$(touch${IFS}pwned);`touch${IFS}pwned`";
    let head = stage.propose(1, branch);
    let mut event = pull_request(1, "acme/yard", &head, &base, HOSTILE);
    event["pull_request"]["head"]["ref"] = json!(branch);
    let job = runner.run(CHECK, "pull_request", &event, TOKEN).fails();
    assert!(job.annotated().count() >= 4, "{:?}", job.commands);
    for one in job.annotated() {
        let ours = ["unexpected-file", "yaml-syntax"].contains(&one.property("title"));
        let file = one.property("file");
        assert!(ours && file.starts_with("models/vision/"), "{one:?}");
    }
    // Beside them there are our silence and its end.
    let others = job.commands.iter().filter(|one| one.kind != "error");
    let others: Vec<&str> = others.map(|one| &*one.raw).collect();
    let word = others[0].strip_prefix("::stop-commands::").unwrap();
    assert_eq!(others[1..], [format!("::{word}::")]);
    assert!(
        !job.outputs
            .iter()
            .any(|(name, value)| name == "digest" && !value.is_empty())
    );

    stage.git(&["switch", "--quiet", "main"]);
    runner
        .run(COMMENT, "workflow_run", &workflow_run(&head), TOKEN)
        .success();
    let text = &stage.comments()[0].1;
    assert_eq!(
        text.matches("<!-- modelyard:check -->\n").count(),
        1,
        "{text}"
    );
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.starts_with("```") && !line[3..].contains('`');
        // A message is code to its end, and else it is between backticks.
        let message = line.trim_start_matches("What to do: ").starts_with('`');
        let prose: String = line.split('`').step_by(2).collect();
        let inert = ["@all", "<img", "](http"]
            .iter()
            .all(|live| !prose.contains(live));
        assert!(fenced || message || inert, "{line}");
    }
    for folder in ["", "yard", "home"] {
        assert!(
            !stage.sandbox.path(folder).join("pwned").exists(),
            "{folder}"
        );
    }
}

#[test]
fn a_queue_is_checked_where_there_is_no_pull_request() {
    let stage = Stage::new();
    let (runner, base) = (stage.runner(), stage.main());
    let yard = files(&stage.sandbox);
    change(&yard, DIGITS, "computer-vision", "vision");
    stage.git(&["switch", "--quiet", "-c", "gh-readonly-queue/main/pr-1-0"]);
    yard.commit("What main would be");
    let head = stage.git(&["rev-parse", "HEAD"]);
    let event = json!({
        "action": "checks_requested",
        "merge_group": {"head_sha": head, "base_sha": base, "head_ref": "refs/heads/x", "base_ref": "refs/heads/main"},
        "pull_request": null,
    });
    let job = runner.run(CHECK, "merge_group", &event, TOKEN).fails();
    assert_eq!(job.annotations().len(), 1, "{:?}", job.commands);
    assert_eq!(
        stage.status(&head),
        Some(("failure".to_owned(), "1 error".to_owned()))
    );
    // A rule of main's may require the plan as well.
    let (state, plan) = stage.status_of(&head, "modelyard/plan").unwrap();
    assert_eq!(state, "success");
    assert!(plan.starts_with("plan sha256:"), "{plan}");
}

#[test]
fn a_push_is_held_to_what_was_there_before() {
    let stage = Stage::new();
    let (runner, base) = (stage.runner(), stage.main());
    let yard = files(&stage.sandbox);
    let workflow = stage.sandbox.read(format!("yard/{CHECK}"));
    // act has a copy of the yard, so a later step takes the file from there, though this one is red.
    let place = stage.sandbox.path("found.sarif");
    let (before, _) = workflow.split_once("\n  queue:\n").unwrap();
    let workflow = format!(
        "{before}          sarif: found.sarif\n      - if: always()\n        run: cp found.sarif \
         {}\n",
        place.display()
    );
    let workflow = workflow.replace("  pull_request:\n", "  push:\n");
    yard.write(".github/workflows/push.yml", &workflow);
    // What is merged doesn't change.
    change(&yard, V1_0, "digest: sha256:", "digest: sha256:");
    let source = std::fs::read_to_string(yard.path(V1_0)).unwrap();
    let digest = source.split("digest: sha256:").nth(1).unwrap();
    let other = source.replace(&digest[..64], &"f".repeat(64));
    yard.write(V1_0, &other);
    yard.commit("Another digest");
    let event = json!({"before": base, "ref": "refs/heads/main"});
    let job = runner
        .run(".github/workflows/push.yml", "push", &event, TOKEN)
        .fails();
    assert!(
        job.annotations()[0].contains("title=digest-changed"),
        "{:?}",
        job.commands
    );
    let found: Value = serde_json::from_str(&stage.sandbox.read("found.sarif")).unwrap();
    let result = &found["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "digest-changed");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], V1_0);
    // A branch that is new has nothing to be held to.
    let event = json!({"before": "0".repeat(40), "ref": "refs/heads/main"});
    runner
        .run(".github/workflows/push.yml", "push", &event, TOKEN)
        .success();
}
