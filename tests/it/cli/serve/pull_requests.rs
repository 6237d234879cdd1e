//! Pull requests are told what became of them: whole stories, on a real Gitea with a protected main,
//! two people and a server that is nudged by webhooks.

mod pipelines;

use std::process::Stdio;
use std::time::Instant;

use serde_json::{Value, json};

use super::stage::{CANARY, Stage};
use crate::forge::contract::Stage as _;
use crate::forge::gitea::Yard as Forge;
use crate::harness::gitea::Person;
use crate::harness::{Answer, Front, Sandbox, web};

const SECRET: &str = "4f2c1e9b7a6d4f2c1e9b7a6d";
const MARKER: &str = "<!-- modelyard:rollout:host -->";

/// A yard on a forge, whose environment `host` is this one's: `digits` is deployed by the champion,
/// which is 1.0.0, and a new one takes over in steps.
struct Team<'a> {
    stage: Stage<'a>,
    forge: Forge,
    /// Before the forge's API; git goes there itself.
    front: Front,
}

impl<'a> Team<'a> {
    fn meet(sandbox: &'a Sandbox) -> Self {
        Self::on(Stage::set(sandbox))
    }

    fn on(stage: Stage<'a>) -> Self {
        let forge = Forge::empty();
        let front = Front::before(&forge.gitea.host());
        let yard = std::fs::read_to_string(stage.yard.path("modelyard.yaml")).unwrap();
        let page = format!("http://{}/acme/yard", front.host());
        let more = format!("  forge: {{type: gitea, url: \"{page}\"}}\n");
        stage.yard.write("modelyard.yaml", &format!("{yard}{more}"));
        stage.deploy(CANARY);
        let url = forge.gitea.git_url("yard", &forge.bot);
        for words in [
            &["remote", "set-url", "origin", &url][..],
            &["push", "--quiet", "--set-upstream", "origin", "main"],
        ] {
            stage.yard.git(words.iter().copied()).run().success();
        }
        forge.is_no_longer_empty();
        forge.protect_main();
        Self {
            stage,
            forge,
            front,
        }
    }

    /// Serves, and may write to the forge as `token` may.
    fn serve_as(&mut self, token: &str) {
        let given = [("GITEA_TOKEN", token), ("MODELYARD_HOOK_SECRET", SECRET)];
        self.stage.serve_given(&[], &given);
    }

    fn serve(&mut self) {
        let token = self.forge.bot.token.clone();
        self.serve_as(&token);
    }

    /// Serves, and is told of main by the forge.
    fn serve_and_listen(&mut self) {
        self.serve();
        let url = format!("http://{}/hooks/forge", self.stage.address());
        self.forge.gitea.hook("yard", &url, SECRET);
        self.stage.serves("1.0.0");
    }

    /// `bot` has the champion be another one, by a pull request; its number.
    fn proposes(&self, version: &str) -> u64 {
        let version = format!("vision/digits:{version}");
        let words = ["promote", &version, "--alias", "champion", "-o", "json"];
        let run = self.stage.yard.modelyard(words);
        let done = run.env("GITEA_TOKEN", &self.forge.bot.token).run();
        done.success().json()["pullRequest"]["number"]
            .as_u64()
            .unwrap()
    }

    /// `reviewer` approves, the checks are green, and it is merged; the commit on main.
    fn merges(&self, number: u64) -> String {
        let head = self.pull(number)["head"]["sha"].clone();
        let green = json!({ "context": "modelyard/check", "state": "success" });
        let path = format!("statuses/{}", head.as_str().unwrap());
        self.ask(&self.forge.bot, "POST", &path, green);
        self.forge.approve(number);
        self.forge.merge(number);
        let commit = self.pull(number)["merge_commit_sha"].clone();
        commit.as_str().unwrap().to_owned()
    }

    fn ask(&self, who: &Person, method: &str, path: &str, body: impl Into<Option<Value>>) -> Value {
        let path = format!("repos/acme/yard/{path}");
        self.forge.gitea.ask(who, method, &path, body)
    }

    fn pull(&self, number: u64) -> Value {
        self.ask(
            &self.forge.reviewer,
            "GET",
            &format!("pulls/{number}"),
            None,
        )
    }

    /// What is told of the environment on a pull request: one comment, if any.
    fn told(&self, number: u64) -> Option<String> {
        let all = self.forge.comments(number).into_iter();
        let mut ours: Vec<String> = all.filter(|text| text.starts_with(MARKER)).collect();
        assert!(ours.len() <= 1, "{ours:#?}");
        ours.pop()
    }

    /// Waits until a pull request is told so, and returns all that it is told.
    #[track_caller]
    fn is_told(&self, number: u64, what: &str) -> String {
        self.stage
            .wait(|| self.told(number).filter(|told| told.contains(what)))
    }

    /// Waits until everything is told that was to be.
    #[track_caller]
    fn has_told_all(&self) {
        self.stage.wait(|| {
            let ledger = std::fs::read(self.stage.state().join("told.json")).ok()?;
            let ledger: Value = serde_json::from_slice(&ledger).ok()?;
            let commit = self.stage.status()["commit"].clone();
            let is_all = ledger["claims"] == json!([]) && ledger["reverts"] == json!({});
            (is_all && ledger["commit"] == commit).then_some(())
        });
    }

    /// The states that a commit's deployment was told to have, the newest first.
    fn states(&self, commit: &str) -> Vec<String> {
        let path = format!("statuses/{commit}");
        let all = self.ask(&self.forge.reviewer, "GET", &path, None);
        let ours = |one: &&Value| one["context"] == "modelyard/deployment/host";
        let mut all: Vec<&Value> = all.as_array().unwrap().iter().filter(ours).collect();
        // Gitea's times are of a second, in which several may be said.
        all.sort_by_key(|one| std::cmp::Reverse(one["id"].as_u64()));
        let states = all.into_iter().map(|one| one["status"].as_str().unwrap());
        states.map(str::to_owned).collect()
    }

    /// Waits until a commit's deployment is told to be so.
    #[track_caller]
    fn is_said(&self, commit: &str, state: &str) {
        let last = || self.states(commit).first().cloned();
        self.stage
            .wait(|| last().filter(|last| last == state).map(|_| ()));
    }

    /// Waits until the server follows this commit.
    #[track_caller]
    fn is_seen(&self, commit: &str) {
        let seen = || (self.stage.status()["commit"] == commit).then_some(());
        self.stage.wait(seen);
    }
}

#[test]
fn a_merge_rolls_out_step_by_step_fails_and_is_reverted_all_on_pull_requests() {
    let sandbox = Sandbox::new();
    let mut team = Team::meet(&sandbox);
    team.serve_and_listen();

    // Main is polled once an hour: what is seen before has been told by the forge.
    let number = team.proposes("1.1.0");
    assert_eq!(team.pull(number)["mergeable"], true);
    let merged = team.merges(number);
    let at = Instant::now();
    team.is_seen(&merged);
    println!("from merge to seen: {:?}", at.elapsed());
    let told = team.is_told(number, "✅ `host` is as main says");
    for line in [
        "| ✅ | `digits` to `vision/digits 1.1.0` | serves | 100 % `vision/digits 1.1.0` | healthy |",
        "| `digits` | step 1 of 3, 25 % |",
        "| `digits` | step 2 of 3, 50 % |",
        "| `digits` | serves |",
    ] {
        assert!(told.contains(line), "{told}");
    }
    team.is_said(&merged, "success");
    team.stage.serves("1.1.0");

    // The next one does not answer.
    let number = team.proposes("1.2.0");
    let merged = team.merges(number);
    let told = team.is_told(number, "Its revert: ");
    assert!(told.contains("❌ `host` is not as main says"), "{told}");
    assert!(
        told.contains("`vision/digits 1.1.0` serves again"),
        "{told}"
    );
    team.is_said(&merged, "failure");
    let revert = number + 1;
    let page = format!("/acme/yard/pulls/{revert}");
    assert!(told.contains(&page), "{told}");
    let pull = team.pull(revert);
    assert_eq!(pull["title"], "host/digits: back to vision/digits 1.1.0");
    let reverted = team.merges(revert);
    let told = team.is_told(revert, "✅ `host` is as main says");
    assert!(
        told.contains("| ✅ | `digits` to `vision/digits 1.1.0` | serves |"),
        "{told}"
    );
    team.is_said(&reverted, "success");
    team.has_told_all();

    // Nothing is told to who knows all: not now, nor by the next server.
    let writes = || ["POST", "PATCH", "PUT"].map(|method| team.front.count(method, ""));
    let before = writes();
    team.stage.upgrade();
    let server = team.stage.server();
    team.stage
        .wait(|| (team.stage.status()["process"] == server).then_some(()));
    team.stage.nudge();
    team.stage.serves("1.1.0");
    assert_eq!(writes(), before);
}

#[test]
fn a_forge_that_restarts_in_the_middle_holds_nothing_and_is_told_later_once() {
    let sandbox = Sandbox::new();
    let mut team = Team::meet(&sandbox);
    team.serve_and_listen();
    // What it has in hand when the forge goes, is told by whoever serves when it is back.
    team.front.always("POST", "/comments", Answer::status(502));
    let number = team.proposes("1.1.0");
    let merged = team.merges(number);
    team.is_seen(&merged);
    team.forge.gitea.stop();
    team.stage.serves("1.1.0");
    assert_eq!(team.stage.ends("-TERM"), Some(0));
    team.serve();
    team.stage.serves("1.1.0");
    team.front.is_faithful();
    team.forge.gitea.start_again();
    let told = team.is_told(number, "✅ `host` is as main says");
    // The steps that nobody heard of are told, too.
    assert!(told.contains("| `digits` | step 2 of 3, 50 % |"), "{told}");
    team.has_told_all();
    team.is_said(&merged, "success");
}

#[test]
fn a_revert_that_waits_for_the_forge_is_opened_by_the_next_server() {
    let sandbox = Sandbox::new();
    let mut team = Team::meet(&sandbox);
    team.serve_and_listen();
    let number = team.proposes("1.2.0");
    team.front.always("GET", "/api/", Answer::status(503));
    let merged = team.merges(number);
    team.is_seen(&merged);
    let failed = team
        .stage
        .until(|one| one["failed"][0]["revert"].is_string());
    let branch = failed["failed"][0]["revert"].as_str().unwrap().to_owned();
    let log = team.stage.log();
    assert!(log.contains("HTTP 503"), "{log}");
    assert_eq!(team.stage.ends("-TERM"), Some(0));
    let pulls = || team.ask(&team.forge.reviewer, "GET", "pulls?state=open", None);
    assert_eq!(pulls(), json!([]));
    team.front.is_faithful();
    team.serve();
    let told = team.is_told(number, "Its revert: ");
    let open = team.ask(&team.forge.reviewer, "GET", "pulls?state=open", None);
    assert_eq!(open[0]["head"]["ref"], branch);
    let page = open[0]["html_url"].as_str().unwrap();
    let path = page.split_once("/acme").unwrap().1;
    assert!(told.contains(path), "{told}");
}

#[test]
fn a_token_without_the_right_is_told_once_and_holds_nothing() {
    let sandbox = Sandbox::new();
    let mut team = Team::meet(&sandbox);
    let weak = team.forge.gitea.token("bot", "read:repository,read:issue");
    team.serve_as(&weak);
    team.stage.serves("1.0.0");
    let number = team.proposes("1.1.0");
    team.merges(number);
    team.stage.nudge();
    team.stage.serves("1.1.0");
    let said = "may not set a status";
    let log = team
        .stage
        .wait(|| Some(team.stage.log()).filter(|log| log.contains(said)));
    assert!(!log.contains(&weak), "{log}");
    assert_eq!(team.told(number), None);
    assert_eq!(team.stage.ends("-TERM"), Some(0));
    assert_eq!(team.stage.log().matches(said).count(), 1);
    team.serve();
    team.is_told(number, "✅ `host` is as main says");
}

#[test]
fn a_webhook_nudges_only_who_knows_its_secret_and_only_for_this_main() {
    let sandbox = Sandbox::new();
    let mut team = Team::meet(&sandbox);
    team.serve();
    team.stage.serves("1.0.0");
    let address = team.stage.address().to_owned();
    let post = |headers: &[(&str, &str)], body: &Value| {
        web::ask(&address, "POST", "/hooks/forge", headers, Some(body)).status
    };
    let body = json!({ "ref": "refs/heads/main", "repository": { "full_name": "acme/yard" } });
    let wrong = "0".repeat(64);
    for headers in [
        &[("x-gitea-event", "push")][..],
        &[("x-gitea-event", "push"), ("x-gitea-signature", &wrong)],
        &[
            ("x-gitlab-event", "Push Hook"),
            ("x-gitlab-token", "guessed"),
        ],
    ] {
        assert_eq!(post(headers, &body), 401);
    }
    assert!(team.stage.log().contains("not signed with the secret"));
    assert!(!team.stage.log().contains(SECRET));
    // What is signed and of no interest is taken, and nothing comes of it.
    let gitlab = |event: &'static str| [("x-gitlab-event", event), ("x-gitlab-token", SECRET)];
    assert_eq!(post(&gitlab("Tag Push Hook"), &body), 202);
    let other = json!({ "ref": "refs/heads/other", "repository": { "full_name": "acme/yard" } });
    assert_eq!(post(&gitlab("Push Hook"), &other), 202);
    assert_eq!(
        web::ask(&address, "GET", "/hooks/forge", &[], None).status,
        405
    );
    // What is too long is not read to its end.
    let long = Value::String("x".repeat(6 << 20));
    let headers = gitlab("Push Hook");
    let refused = web::try_ask(&address, "POST", "/hooks/forge", &headers, Some(&long));
    assert!(refused.is_err() || refused.is_ok_and(|said| said.status == 413));
    // The same again and again is a look at main, now and then.
    let number = team.proposes("1.1.0");
    let merged = team.merges(number);
    let mut answers: Vec<u16> = Vec::new();
    for _ in 0..60 {
        answers.push(post(&gitlab("Push Hook"), &body));
    }
    assert!(answers.contains(&200), "{answers:?}");
    assert!(answers.contains(&429), "{answers:?}");
    team.is_seen(&merged);
    team.stage.serves("1.1.0");
}

#[test]
fn an_act_on_a_deployment_waits_until_it_serves_or_fails() {
    let sandbox = Sandbox::new();
    let mut team = Team::meet(&sandbox);
    team.serve_and_listen();
    // From another host, as far as this one knows.
    let waiting = |words: &[&str]| {
        let wait = ["--wait", "-o", "json"];
        let words = words.iter().chain(&wait).copied();
        let run = team.stage.yard.modelyard(words);
        let mut command = run.env("GITEA_TOKEN", &team.forge.bot.token).into_command();
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let opened = |number: u64| {
        let path = "pulls?state=open";
        team.stage.wait(|| {
            let all = team.ask(&team.forge.reviewer, "GET", path, None);
            (all[0]["number"] == number).then_some(())
        });
    };
    let host = ["--environment", "host"];
    let command = waiting(&[&["restart", "digits"], &host[..]].concat());
    opened(1);
    let merged = team.merges(1);
    let output = command.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let done: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(done["pullRequest"]["commit"], merged.as_str());
    assert_eq!(done["pullRequest"]["serves"], json!(["host"]));
    assert_eq!(team.states(&merged)[0], "success");

    // What follows an alias is waited for, too.
    let command = waiting(&["promote", "vision/digits:1.1.0", "--alias", "champion"]);
    opened(2);
    let merged = team.merges(2);
    let output = command.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let done: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(done["pullRequest"]["serves"], json!(["host"]));
    assert_eq!(team.states(&merged)[0], "success");

    // It goes to a version that doesn't answer.
    let command = waiting(&[&["rollback", "digits", "--to", "1.2.0"], &host[..]].concat());
    opened(3);
    team.merges(3);
    let output = command.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("not-serving"), "{said}");
    assert!(said.contains("failed, and was taken back"), "{said}");

    // Nobody merges it in time.
    let command = waiting(&[&["suspend", "digits", "--deadline", "1s"], &host[..]].concat());
    let output = command.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("it is not merged after 1s"), "{said}");
}
