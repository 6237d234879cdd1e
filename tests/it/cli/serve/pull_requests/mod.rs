//! Pull requests are told what became of them: whole stories, with a protected main, two people and a
//! server that is nudged by webhooks, on a real Gitea and on a GitHub and a GitLab in memory, behind
//! which stands a real repository.

#[cfg(feature = "real-tools")]
mod gitea;
#[cfg(feature = "real-tools")]
mod pipelines;
mod stories;

use modelyard::forge::{DeploymentState, PullRequest, State, Status, StatusState};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::stage::Stage;
use crate::forge::contract;
use crate::forge::fakes::Faked;
use crate::harness::forges::{Dialect, TOKEN};
use crate::harness::{Front, Sandbox};

const SECRET: &str = "4f2c1e9b7a6d4f2c1e9b7a6d";
const MARKER: &str = "<!-- modelyard:rollout:host -->";

/// A forge that a yard is on.
trait Hosted: contract::Stage {
    /// What a yard calls it, and the variable that has its token.
    fn names(&self) -> [&'static str; 2];
    /// `127.0.0.1:PORT`.
    fn host(&self) -> String;
    /// The token of `bot`.
    fn token(&self) -> String;
    /// Becomes the origin of a yard, whose main wants a review and a green check from then on.
    fn adopt(&self, stage: &Stage<'_>);
    /// Has it tell `url` of pushes, signed with `secret`.
    fn hook(&self, url: &str, secret: &str);
    /// Ends it; what it has stays.
    fn stop(&mut self);
    /// Starts it again where it was.
    fn start_again(&mut self);
}

impl Hosted for Faked {
    fn names(&self) -> [&'static str; 2] {
        match self.fake.dialect() {
            Dialect::Github => ["github", "GH_ENTERPRISE_TOKEN"],
            Dialect::Gitlab => ["gitlab", "GITLAB_TOKEN"],
        }
    }

    fn host(&self) -> String {
        self.fake.host()
    }

    fn token(&self) -> String {
        TOKEN.to_owned()
    }

    fn adopt(&self, stage: &Stage<'_>) {
        self.fake.stands_before(&stage.sandbox.path("upstream.git"));
        self.fake.state().is_protected = true;
    }

    fn hook(&self, url: &str, secret: &str) {
        self.fake.hook(url, secret);
    }

    fn stop(&mut self) {
        self.fake.stop();
    }

    fn start_again(&mut self) {
        self.fake.start_again();
    }
}

/// A yard on a forge, whose environment `host` is this one's: `digits` is deployed by the champion,
/// which is 1.0.0, and a new one takes over in steps.
struct Team<'a, F> {
    stage: Stage<'a>,
    forge: F,
    /// Before the forge's API; git goes there itself.
    front: Front,
    runtime: Runtime,
}

impl<'a> Team<'a, Faked> {
    fn in_memory(sandbox: &'a Sandbox, dialect: Dialect, steps: &str) -> Self {
        Self::on(Stage::set(sandbox), Faked::start(dialect), steps)
    }
}

impl<'a, F: Hosted> Team<'a, F> {
    /// The team of a stage that no forge has, on one that has no yard.
    fn on(stage: Stage<'a>, forge: F, steps: &str) -> Self {
        let front = Front::before(&forge.host());
        let yard = std::fs::read_to_string(stage.yard.path("modelyard.yaml")).unwrap();
        let page = format!("http://{}/acme/yard", front.host());
        let [kind, _] = forge.names();
        let more = format!("  forge: {{type: {kind}, url: \"{page}\"}}\n");
        stage.yard.write("modelyard.yaml", &format!("{yard}{more}"));
        stage.deploy(steps);
        forge.adopt(&stage);
        Self {
            stage,
            forge,
            front,
            runtime: Runtime::new().unwrap(),
        }
    }

    /// Serves, and may write to the forge as `token` may.
    fn serve_as(&mut self, token: &str) {
        let [_, variable] = self.forge.names();
        let given = [(variable, token), ("MODELYARD_HOOK_SECRET", SECRET)];
        self.stage.serve_given(&[], &given);
    }

    fn serve(&mut self) {
        let token = self.forge.token();
        self.serve_as(&token);
    }

    /// Serves what has been there for long, and is told of main by the forge.
    fn serve_and_listen(&mut self) {
        let settled = self.stage.command(&["reconcile", "--once"]);
        settled.run().success();
        self.serve();
        let url = format!("http://{}/hooks/forge", self.stage.address());
        self.forge.hook(&url, SECRET);
        self.stage.serves("1.0.0");
    }

    /// `bot` has the champion be another one, by a pull request; its number.
    fn proposes(&self, version: &str) -> u64 {
        let version = format!("vision/digits:{version}");
        let words = ["promote", &version, "--alias", "champion", "-o", "json"];
        let [_, variable] = self.forge.names();
        let run = self.stage.yard.modelyard(words);
        let done = run.env(variable, self.forge.token()).run();
        done.success().json()["pullRequest"]["number"]
            .as_u64()
            .unwrap()
    }

    /// `reviewer` approves, the checks are green, and it is merged; the commit on main.
    fn merges(&self, number: u64) -> String {
        let green = Status {
            context: "modelyard/check".to_owned(),
            state: StatusState::Success,
            description: "all is well".to_owned(),
            url: None,
        };
        let head = self.pull(number).head;
        let said = self.forge.forge().set_status(&head, &green);
        self.runtime.block_on(said).unwrap();
        self.forge.approve(number);
        self.forge.merge(number);
        match self.pull(number).state {
            State::Merged { commit } => commit.unwrap(),
            state => panic!("{state:?}"),
        }
    }

    fn pull(&self, number: u64) -> PullRequest {
        let read = self.forge.forge().pull_request(number);
        self.runtime.block_on(read).unwrap()
    }

    /// The pull request of a branch.
    fn pull_of(&self, branch: &str) -> Option<PullRequest> {
        let found = self.forge.forge().find(branch);
        self.runtime.block_on(found).unwrap()
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

    /// What a commit's deployment was told to be at last, and in which words where the forge keeps
    /// them.
    fn said(&self, commit: &str) -> Option<(DeploymentState, String)> {
        let said = self.forge.forge().deployment(commit, "host");
        self.runtime.block_on(said).unwrap()
    }

    fn state(&self, commit: &str) -> Option<DeploymentState> {
        self.said(commit).map(|(state, _)| state)
    }

    /// Waits until a commit's deployment is told to be so.
    #[track_caller]
    fn is_said(&self, commit: &str, state: DeploymentState) {
        self.stage
            .wait(|| (self.state(commit) == Some(state)).then_some(()));
    }

    /// Waits until the server follows this commit.
    #[track_caller]
    fn is_seen(&self, commit: &str) {
        let seen = || (self.stage.status()["commit"] == commit).then_some(());
        self.stage.wait(seen);
    }
}

/// Where a page is on its forge, by whatever name that is asked.
fn path(url: &str) -> &str {
    &url[url.find("/acme/").unwrap()..]
}
