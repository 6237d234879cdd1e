//! What only a real forge tells: a token of fewer rights, webhooks of strangers, and a person who waits
//! for a merge.

use std::process::Stdio;

use modelyard::forge::DeploymentState;
use serde_json::{Value, json};

use super::super::stage::{CANARY, Stage};
use super::{Hosted, SECRET, Team};
use crate::forge::gitea::Yard;
use crate::harness::gitea::Person;
use crate::harness::{Sandbox, web};

impl Hosted for Yard {
    fn names(&self) -> [&'static str; 2] {
        ["gitea", "GITEA_TOKEN"]
    }

    fn host(&self) -> String {
        self.gitea.host()
    }

    fn token(&self) -> String {
        self.bot.token.clone()
    }

    fn adopt(&self, stage: &Stage<'_>) {
        let url = self.gitea.git_url("yard", &self.bot);
        for words in [
            &["remote", "set-url", "origin", &url][..],
            &["push", "--quiet", "--set-upstream", "origin", "main"],
        ] {
            stage.yard.git(words.iter().copied()).run().success();
        }
        self.is_no_longer_empty();
        self.protect_main();
    }

    fn hook(&self, url: &str, secret: &str) {
        self.gitea.hook("yard", url, secret);
    }

    fn stop(&mut self) {
        self.gitea.stop();
    }

    fn start_again(&mut self) {
        self.gitea.start_again();
    }
}

impl<'a> Team<'a, Yard> {
    pub(super) fn meet(sandbox: &'a Sandbox) -> Self {
        Self::on(Stage::set(sandbox), Yard::empty(), CANARY)
    }

    fn ask(&self, who: &Person, method: &str, path: &str, body: impl Into<Option<Value>>) -> Value {
        let path = format!("repos/acme/yard/{path}");
        self.forge.gitea.ask(who, method, &path, body)
    }
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
    assert_eq!(team.state(&merged), Some(DeploymentState::Success));

    // What follows an alias is waited for, too.
    let command = waiting(&["promote", "vision/digits:1.1.0", "--alias", "champion"]);
    opened(2);
    let merged = team.merges(2);
    let output = command.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let done: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(done["pullRequest"]["serves"], json!(["host"]));
    assert_eq!(team.state(&merged), Some(DeploymentState::Success));

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
