//! What main brings is held to what its reviewers were shown.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use modelyard::forge::{ForgeError, State, Status, StatusState};
use modelyard::ops::plan_change::kept;
use modelyard::reconcile::branch::{Branch, Words};
use modelyard::reconcile::edges::{Main as _, Said};
use modelyard::reconcile::foreseen::{Foreseen, Reviewed, Reviews, Verdict};
use modelyard::record::Digest;
use modelyard::rollout::{Desired, Wish};
use modelyard::yard::Yard;

use super::{ENVIRONMENT, deployed, deployment, name};
use crate::forge::contract::{BRANCH, Stage as _, open};
use crate::forge::fakes::Faked;
use crate::harness::forges::Dialect;
use crate::yard::story::{MODEL, Story};

const DIGITS: &str = "deployments/host/digits.yaml";
const ALIASES: &str = "models/vision/digits/model.yaml";
const HOST: &str = "environments/host.yaml";

/// What a forge knows of pull requests.
#[derive(Default)]
struct Board(Mutex<BTreeMap<String, Reviewed>>);

#[async_trait]
impl Reviews for Board {
    async fn of(&self, commit: &str) -> Result<Option<Reviewed>, ForgeError> {
        Ok(self.0.lock().unwrap().get(commit).cloned())
    }
}

/// A forge that is away.
struct Away;

#[async_trait]
impl Reviews for Away {
    async fn of(&self, _: &str) -> Result<Option<Reviewed>, ForgeError> {
        Err(ForgeError::AskedTooOften {
            forge: "https://git.example.com".to_owned(),
            doing: "find the pull request of a commit",
            wait: Duration::from_secs(3600),
            until: None,
        })
    }
}

/// A yard whose pull requests are merged as on a forge.
struct Team {
    story: Story,
    board: Arc<Board>,
    requests: Mutex<u64>,
}

impl Team {
    /// `host` serves the champion of `vision/digits`, which is 1.0.0, by a record with `more`.
    fn of(more: &str) -> Self {
        let story = deployed("champion");
        if !more.is_empty() {
            story.write(HOST, &format!("{ENVIRONMENT}{more}"));
            story.git("commit -q -am rules");
            story.git("push -q origin main");
        }
        Self {
            story,
            board: Arc::default(),
            requests: Mutex::default(),
        }
    }

    /// Proposes that a file is `content`, and has reviewers shown the plan of that.
    fn proposes(&self, branch: &str, path: &str, content: Option<&str>) -> Digest {
        let story = &self.story;
        story.git(&format!("switch -q -c {branch} main"));
        match content {
            Some(content) => story.write(path, content),
            None => {
                story.git(&format!("rm -q {path}"));
            }
        }
        story.git("add -A");
        story.git(&format!("commit -q -m {branch}"));
        let shown = self.shown("main", branch);
        story.git("switch -q main");
        shown
    }

    fn shown(&self, base: &str, at: &str) -> Digest {
        let plan = format!("plan --base {base} --at {at} --no-stores -o name");
        let told = self.story.modelyard(&plan).run().success();
        told.line().parse().unwrap()
    }

    /// Merges a branch of which reviewers were shown `plan`.
    fn merges(&self, branch: &str, plan: Digest) {
        self.story
            .git(&format!("merge -q --no-ff --no-edit {branch}"));
        self.came(&["main"], Some(plan));
        self.story.git("push -q origin main");
    }

    /// Tells that these commits came by one pull request.
    fn came(&self, commits: &[&str], plan: Option<Digest>) {
        let mut requests = self.requests.lock().unwrap();
        *requests += 1;
        for commit in commits {
            let reviewed = Reviewed {
                number: *requests,
                url: format!("https://git.example.com/pulls/{requests}"),
                plan,
            };
            let commit = self.story.git(&format!("rev-parse {commit}"));
            self.board.0.lock().unwrap().insert(commit, reviewed);
        }
    }

    /// A reconciler that has just started, and knows what it knew before.
    fn starts(&self) -> Branch {
        self.asks(Some(Arc::clone(&self.board) as Arc<dyn Reviews>), None)
    }

    fn asks(&self, reviews: Option<Arc<dyn Reviews>>, accepted: Option<Digest>) -> Branch {
        let yard = Yard::discover(&self.story.folder()).unwrap();
        let folder = self.story.sandbox.path("state");
        let host = name("host");
        let foreseen = Foreseen::new(yard.clone(), host.clone(), &folder, reviews, accepted);
        Branch::new(yard, host, &folder, Words::default()).held_to(foreseen)
    }

    /// Two pull requests that were open at once: the champion goes back to 0.9.0, and the
    /// deployment gets a second replica. Both are merged, and so the second one does another thing
    /// than it was shown to do.
    fn races(&self) -> (Digest, Digest) {
        let first = self.proposes("champion", ALIASES, Some(&champion("0.9.0")));
        let second = self.proposes("replicas", DIGITS, Some(&replicas(2)));
        self.merges("champion", first);
        let base = self.story.git("rev-parse main");
        self.merges("replicas", second);
        (second, self.shown(&base, "main"))
    }
}

fn champion(version: &str) -> String {
    format!("{MODEL}  aliases:\n    champion: {version}   # since May\n")
}

fn replicas(count: u32) -> String {
    let record = deployment("digits", "champion");
    format!("{record}  replicas: {{min: {count}}}\n")
}

/// What should be of each deployment, in a line.
fn told(said: &Said) -> Vec<String> {
    let Desired::Known(known) = &*said.desired else {
        panic!("{said:?}");
    };
    let line = |(name, wish): (&_, &Wish)| match wish {
        Wish::Run(wanted) => format!("{name}: {} x{}", wanted.side, wanted.replicas.min),
        Wish::Held { .. } => format!("{name}: held"),
    };
    known.deployments.iter().map(line).collect()
}

async fn looked(branch: &Branch) -> Said {
    branch.look().await;
    branch.read().await
}

#[tokio::test]
async fn what_was_shown_is_done() {
    let team = Team::of("");
    let branch = team.starts();
    let said = looked(&branch).await;
    assert_eq!(told(&said), ["digits: vision/digits 1.0.0 x1"]);
    let shown = team.proposes("champion", ALIASES, Some(&champion("0.9.0")));
    // What else main brings in between changes nothing of that.
    let other = deployment("other", "1.0.0");
    let more = team.proposes("other", "deployments/host/other.yaml", Some(&other));
    team.merges("other", more);
    team.merges("champion", shown);
    let said = looked(&branch).await;
    assert_eq!(
        told(&said),
        [
            "digits: vision/digits 0.9.0 x1",
            "other: vision/digits 1.0.0 x1"
        ]
    );
    assert!(said.judgements.is_empty(), "{:?}", said.judgements);
}

#[tokio::test]
async fn another_plan_is_refused_and_what_served_goes_on() {
    let team = Team::of("");
    let branch = team.starts();
    looked(&branch).await;
    let (shown, plan) = team.races();
    assert_ne!(shown, plan);
    let kept = ["digits: vision/digits 0.9.0 x1"];
    // One that goes on, and one that starts meanwhile.
    for said in [looked(&branch).await, looked(&team.starts()).await] {
        assert_eq!(told(&said), kept);
        let judgement = &said.judgements[&name("digits")];
        assert_eq!(judgement.is, Verdict::Refused { shown });
        assert_eq!(judgement.plan, plan);
    }
    let said = looked(&branch).await;
    let text = said.judgements[&name("digits")].told(&name("host"));
    let commit = team.story.git("rev-parse --short=12 main");
    let since = team.story.git("rev-parse --short=12 main~1");
    let text = text.replace(&commit, "COMMIT").replace(&since, "SINCE");
    let text = text.replace(&shown.to_string(), "SHOWN");
    insta::assert_snapshot!(text.replace(&plan.to_string(), "PLAN"), @"main's commit COMMIT (https://git.example.com/pulls/2) is held: it would come to the plan PLAN, and reviewers were shown SHOWN; see it by `modelyard plan --base SINCE --at COMMIT`, then revert it by a pull request and propose it anew, or say that it is meant by `modelyard reconcile --nudge -e host --accept-plan PLAN`");

    // Others go on; it is held whatever else comes for it, but what it was.
    let other = deployment("other", "1.0.0");
    let more = team.proposes("other", "deployments/host/other.yaml", Some(&other));
    team.merges("other", more);
    let more = team.proposes("more", DIGITS, Some(&replicas(3)));
    team.merges("more", more);
    let said = looked(&branch).await;
    assert_eq!(told(&said), [kept[0], "other: vision/digits 1.0.0 x1"]);
    assert_ne!(said.judgements[&name("digits")].plan, plan);
    let back = team.proposes("back", DIGITS, Some(&deployment("digits", "champion")));
    team.merges("back", back);
    let said = looked(&branch).await;
    assert_eq!(told(&said), [kept[0], "other: vision/digits 1.0.0 x1"]);
    assert!(said.judgements.is_empty());
    // And from there all is as ever.
    let again = team.proposes("again", DIGITS, Some(&replicas(2)));
    team.merges("again", again);
    let said = looked(&branch).await;
    assert_eq!(told(&said)[0], "digits: vision/digits 0.9.0 x2");
}

#[tokio::test]
async fn a_persons_word_lets_go_that_plan_and_no_other() {
    let team = Team::of("");
    let branch = team.starts();
    looked(&branch).await;
    let (shown, plan) = team.races();
    assert_eq!(
        told(&looked(&branch).await),
        ["digits: vision/digits 0.9.0 x1"]
    );
    branch.accept(shown).await;
    assert_eq!(
        told(&looked(&branch).await),
        ["digits: vision/digits 0.9.0 x1"]
    );
    branch.accept(plan).await;
    let said = looked(&branch).await;
    assert_eq!(told(&said), ["digits: vision/digits 0.9.0 x2"]);
    assert!(said.judgements.is_empty());
    // It is remembered.
    assert_eq!(told(&looked(&team.starts()).await), told(&said));
}

#[tokio::test]
async fn what_is_held_is_not_let_go_by_a_file_that_can_not_be_read() {
    let team = Team::of("");
    looked(&team.starts()).await;
    team.races();
    assert_eq!(looked(&team.starts()).await.judgements.len(), 1);
    let place = "state/foreseen.json";
    let kept = team.story.sandbox.read(place);
    team.story.sandbox.write(place, &kept[..kept.len() / 2]);
    let said = looked(&team.starts()).await;
    let Desired::Unknown { why } = &*said.desired else {
        panic!("{said:?}");
    };
    assert!(why.contains("foreseen.json, can't be read"), "{why}");
    assert_eq!(team.story.sandbox.read(place).len(), kept.len() / 2);
    team.story.sandbox.write(place, &kept);
    assert_eq!(looked(&team.starts()).await.judgements.len(), 1);
}

#[tokio::test]
async fn the_word_can_be_given_when_it_starts() {
    let team = Team::of("");
    looked(&team.starts()).await;
    let (_, plan) = team.races();
    let board = Arc::clone(&team.board) as Arc<dyn Reviews>;
    let said = looked(&team.asks(Some(board), Some(plan))).await;
    assert_eq!(told(&said), ["digits: vision/digits 0.9.0 x2"]);
}

#[tokio::test]
async fn what_would_appear_does_not_and_what_would_leave_stays() {
    let team = Team::of("");
    let branch = team.starts();
    looked(&branch).await;
    let wrong = team.shown("main", "main");
    let other = deployment("other", "1.0.0");
    team.proposes("other", "deployments/host/other.yaml", Some(&other));
    team.merges("other", wrong);
    team.proposes("leave", DIGITS, None);
    team.merges("leave", wrong);
    let said = looked(&branch).await;
    assert_eq!(
        told(&said),
        ["digits: vision/digits 1.0.0 x1", "other: held"]
    );
}

#[tokio::test]
async fn an_environment_can_have_it_told_or_not_care() {
    for (word, is_told) in [("report", true), ("continue", false)] {
        let team = Team::of(&format!("  planMismatch: {word}\n"));
        let branch = team.starts();
        looked(&branch).await;
        let (shown, plan) = team.races();
        let said = looked(&branch).await;
        assert_eq!(told(&said), ["digits: vision/digits 0.9.0 x2"]);
        let judgement = said.judgements.get(&name("digits"));
        let is = judgement.map(|one| (one.is.clone(), one.plan));
        let reported = (Verdict::Reported { shown }, plan);
        assert_eq!(is, is_told.then_some(reported), "{word}");
    }
}

#[tokio::test]
async fn the_rule_is_the_one_that_was_there_before() {
    let team = Team::of("");
    let branch = team.starts();
    looked(&branch).await;
    let wrong = team.shown("main", "main");
    team.story.git("switch -q -c sly main");
    let lax = format!("{ENVIRONMENT}  planMismatch: continue\n");
    team.story.write(HOST, &lax);
    team.story.write(DIGITS, &replicas(2));
    team.story.git("commit -q -am sly");
    team.story.git("switch -q main");
    team.merges("sly", wrong);
    assert_eq!(
        told(&looked(&branch).await),
        ["digits: vision/digits 1.0.0 x1"]
    );
}

#[tokio::test]
async fn without_a_plan_or_a_forge_that_answers_everything_goes_on() {
    let team = Team::of("");
    let branch = team.starts();
    looked(&branch).await;
    // By hand.
    team.story.write(DIGITS, &replicas(2));
    team.story.git("commit -q -am hand");
    team.story.git("push -q origin main");
    let said = looked(&branch).await;
    assert_eq!(told(&said), ["digits: vision/digits 1.0.0 x2"]);
    assert_eq!(said.judgements[&name("digits")].is, Verdict::NotShown);
    // By a pull request that nobody made a plan of.
    team.proposes("three", DIGITS, Some(&replicas(3)));
    team.story.git("merge -q --no-ff --no-edit three");
    team.came(&["main"], None);
    team.story.git("push -q origin main");
    let said = looked(&branch).await;
    assert_eq!(told(&said), ["digits: vision/digits 1.0.0 x3"]);
    assert_eq!(said.judgements[&name("digits")].is, Verdict::NotShown);
    // Where the forge is away, and where there is none.
    let wrong = team.shown("main", "main");
    team.proposes("four", DIGITS, Some(&replicas(4)));
    team.merges("four", wrong);
    let away = team.asks(Some(Arc::new(Away)), None);
    let said = looked(&away).await;
    assert_eq!(told(&said), ["digits: vision/digits 1.0.0 x4"]);
    let is = &said.judgements[&name("digits")].is;
    assert!(
        matches!(is, Verdict::NotAsked { why } if why.contains("git.example.com")),
        "{is:?}"
    );
    team.proposes("five", DIGITS, Some(&replicas(5)));
    team.merges("five", wrong);
    let said = looked(&team.asks(None, None)).await;
    assert_eq!(told(&said), ["digits: vision/digits 1.0.0 x5"]);
    assert!(said.judgements.is_empty());
}

#[tokio::test]
async fn commits_that_a_pull_request_brought_one_by_one_are_one_change() {
    let team = Team::of("");
    let branch = team.starts();
    looked(&branch).await;
    let story = &team.story;
    story.git("switch -q -c rebased main");
    story.write(ALIASES, &champion("0.9.0"));
    story.git("commit -q -am one");
    story.write(DIGITS, &replicas(2));
    story.git("commit -q -am two");
    let shown = team.shown("main", "rebased");
    story.git("switch -q main");
    story.git("merge -q --ff-only rebased");
    team.came(&["main~1", "main"], Some(shown));
    story.git("push -q origin main");
    let said = looked(&branch).await;
    assert_eq!(told(&said), ["digits: vision/digits 0.9.0 x2"]);
    assert!(said.judgements.is_empty(), "{:?}", said.judgements);
}

#[tokio::test]
async fn a_forge_tells_what_reviewers_were_shown() {
    for dialect in [Dialect::Github, Dialect::Gitlab] {
        let faked = Faked::start(dialect);
        let head = faked.commit(BRANCH);
        let opened = open(&faked, "Release it", "It is good.").await;
        let plan: Digest = format!("sha256:{}", "a".repeat(64)).parse().unwrap();
        let status = Status {
            context: kept::CONTEXT.to_owned(),
            state: StatusState::Success,
            description: kept::description(&plan),
            url: None,
        };
        faked.forge.set_status(&head, &status).await.unwrap();
        faked.fake.state().merge(opened.number);
        let merged = faked.forge.pull_request(opened.number).await.unwrap();
        let State::Merged {
            commit: Some(commit),
        } = merged.state
        else {
            panic!("{merged:?}");
        };
        let reviewed = Reviews::of(&faked.forge, &commit).await.unwrap();
        let (number, url) = (opened.number, opened.url);
        let plan = Some(plan);
        assert_eq!(reviewed, Some(Reviewed { number, url, plan }));
        let nobodys = "0".repeat(40);
        assert_eq!(Reviews::of(&faked.forge, &nobodys).await.unwrap(), None);
    }
}
