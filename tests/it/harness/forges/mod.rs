//! Forges that can't be had here, in memory: GitHub by its own description, GitLab by its
//! documentation. They hold what stories need, and refuse as the true ones do.

mod github;
mod gitlab;
mod hook;
mod repository;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::http::{Request, Server, response};
use hook::Hook;

/// The token of ours, of the user `bot`.
pub const TOKEN: &str = "secret-of-bot";

/// Which forge is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// GitHub.
    Github,
    /// GitLab.
    Gitlab,
}

/// A forge in memory with the repository `acme/yard`, of `bot` and `reviewer`.
pub struct FakeForge {
    dialect: Dialect,
    server: Server,
    state: Arc<Mutex<State>>,
}

/// All that it has.
#[derive(Default)]
pub struct State {
    /// Branches, and the commits that they are at.
    pub branches: BTreeMap<String, String>,
    /// Pull requests, in the order of their numbers.
    pub pulls: Vec<Pull>,
    /// Statuses of commits, the newest last.
    pub statuses: Vec<Value>,
    /// Deployments, the oldest first.
    pub deployments: Vec<Deployed>,
    /// What GitHub's description gives as examples of its answers, by name.
    pub examples: Value,
    /// Whether main wants an approval and a green `modelyard/check` before each merge.
    pub is_protected: bool,
    repository: Option<PathBuf>,
    hook: Option<Hook>,
    is_away: bool,
    commits: u64,
    comments: u64,
    host: String,
}

/// A deployment.
#[derive(Clone, Debug)]
pub struct Deployed {
    /// The commit.
    pub commit: String,
    /// Where.
    pub environment: String,
    /// As it was asked for.
    pub asked: Value,
    /// The states that it had, the newest first.
    pub states: Vec<Value>,
}

/// A pull request.
#[derive(Clone, Default)]
pub struct Pull {
    /// Its number.
    pub number: usize,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// The branch with the change.
    pub branch: String,
    /// The branch that it is for.
    pub base: String,
    /// The commit that it had last.
    pub head: String,
    /// Whether it is open.
    pub open: bool,
    /// The commit on its base that merged it, if it is.
    pub landed: Option<String>,
    /// Its labels.
    pub labels: Vec<String>,
    /// Who is asked.
    pub reviewers: Vec<String>,
    /// Who approved.
    pub approved: Vec<String>,
    /// Its comments: id, author, text.
    pub comments: Vec<(u64, String, String)>,
}

impl FakeForge {
    /// One that speaks this dialect.
    pub fn start(dialect: Dialect) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let server = Server::start(move |request| {
            let mut state = shared.lock().expect("no holder panics");
            if state.is_away {
                return Vec::new();
            }
            state.look();
            let (status, body) = if known(&request) {
                match dialect {
                    Dialect::Github => state.github(&request),
                    Dialect::Gitlab => state.gitlab(&request),
                }
            } else {
                (401, json!({ "message": "Bad credentials" }))
            };
            let kind = ("Content-Type", "application/json");
            response(status, &[kind], body.to_string().as_bytes())
        });
        let fake = Self {
            dialect,
            server,
            state,
        };
        fake.state().host = fake.host();
        fake.state().commit("main");
        fake
    }

    /// From now on its branches are those of a bare repository.
    pub fn stands_before(&self, repository: &Path) {
        let mut state = self.state();
        state.repository = Some(repository.to_owned());
        state.look();
    }

    /// Which forge it plays.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Has it tell `url` of what is merged, signed with `secret`.
    pub fn hook(&self, url: &str, secret: &str) {
        self.state().hook = Some(Hook::new(self.dialect, url, secret));
    }

    /// Merges one by a commit of its own on its base, and tells of it.
    pub fn merge(&self, number: u64) {
        let mut state = self.state();
        let commit = state.merge(number);
        let hook = state.hook.clone();
        drop(state);
        if let Some(hook) = hook {
            hook.tell(&commit);
        }
    }

    /// Ends it, and its repository with it; what it has stays.
    pub fn stop(&self) {
        let mut state = self.state();
        state.is_away = true;
        state.move_repository("", ".away");
    }

    /// Starts it again where it was.
    pub fn start_again(&self) {
        let mut state = self.state();
        state.move_repository(".away", "");
        state.is_away = false;
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// What it has, to look at and to change.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }
}

impl Pull {
    /// Whether a commit came to its base with it.
    fn has(&self, commit: &str) -> bool {
        self.landed.as_deref() == Some(commit) || (self.landed.is_some() && self.head == commit)
    }
}

fn known(request: &Request) -> bool {
    let bearer = format!("Bearer {TOKEN}");
    request.header("authorization") == Some(&bearer)
}

impl State {
    /// A new commit on a branch.
    pub fn commit(&mut self, branch: &str) -> String {
        self.commits += 1;
        let id = format!("{:040x}", self.commits);
        self.branches.insert(branch.to_owned(), id.clone());
        for pull in &mut self.pulls {
            if pull.branch == branch && pull.open {
                pull.head.clone_from(&id);
            }
        }
        id
    }

    /// The pull request of this number.
    pub fn pull(&mut self, number: u64) -> &mut Pull {
        &mut self.pulls[usize::try_from(number).expect("it is small") - 1]
    }

    /// Somebody says something.
    pub fn remark(&mut self, number: u64, by: &str, text: &str) -> u64 {
        self.comments += 1;
        let id = self.comments;
        self.pull(number)
            .comments
            .push((id, by.to_owned(), text.to_owned()));
        id
    }

    /// Merges one by a commit of its own on its base.
    pub fn merge(&mut self, number: u64) -> String {
        self.look();
        let pull = self.pull(number).clone();
        assert!(self.may_merge(&pull), "a rule of main is in the way");
        let commit = match &self.repository {
            Some(folder) => repository::merge(folder, &pull.base, &pull.head, &pull.title),
            None => self.commit(&pull.base),
        };
        let pull = self.pull(number);
        pull.open = false;
        pull.landed = Some(commit.clone());
        commit
    }

    /// Whether no rule of its base is in the way.
    fn may_merge(&self, pull: &Pull) -> bool {
        let of_check = |one: &&Value| {
            one["sha"] == *pull.head
                && [&one["context"], &one["name"]].contains(&&json!("modelyard/check"))
        };
        let last = self.statuses.iter().rev().find(of_check);
        let is_green =
            last.is_some_and(|one| [&one["state"], &one["status"]].contains(&&json!("success")));
        !self.is_protected || (is_green && !pull.approved.is_empty())
    }

    /// Whether there is such a commit; in memory alone, nobody looks.
    fn has_commit(&self, commit: &str) -> bool {
        let has = |folder: &PathBuf| repository::has(folder, commit);
        self.repository.as_ref().is_none_or(has)
    }

    /// Looks at what was pushed to its repository.
    fn look(&mut self) {
        let Some(folder) = &self.repository else {
            return;
        };
        self.branches = repository::branches(folder);
        for pull in self.pulls.iter_mut().filter(|pull| pull.open) {
            if let Some(head) = self.branches.get(&pull.branch) {
                pull.head.clone_from(head);
            }
        }
    }

    fn move_repository(&self, from: &str, to: &str) {
        let Some(folder) = &self.repository else {
            return;
        };
        let named = |more: &str| format!("{}{more}", folder.display());
        fs::rename(named(from), named(to)).expect("a folder can be renamed");
    }

    /// Opens one, unless it is there or has nothing to merge.
    fn open(&mut self, title: &str, body: &str, branch: &str, base: &str) -> Option<u64> {
        let head = self.branches.get(branch)?.clone();
        let open = |pull: &Pull| pull.open && pull.branch == branch;
        if !self.branches.contains_key(base) || self.pulls.iter().any(open) {
            return None;
        }
        self.pulls.push(Pull {
            number: self.pulls.len() + 1,
            title: title.to_owned(),
            body: body.to_owned(),
            branch: branch.to_owned(),
            base: base.to_owned(),
            head,
            open: true,
            ..Pull::default()
        });
        Some(self.pulls.len() as u64)
    }

    /// Changes what is said, and whether it is open; one whose branch is gone stays closed.
    fn change(&mut self, number: u64, title: &Value, body: &Value, open: Option<bool>) -> bool {
        let branches = self.branches.clone();
        let pull = self.pull(number);
        if open == Some(true) && (pull.landed.is_some() || !branches.contains_key(&pull.branch)) {
            return false;
        }
        pull.open = open.unwrap_or(pull.open);
        if let Some(head) = branches.get(&pull.branch).filter(|_| pull.open) {
            pull.head.clone_from(head);
        }
        if let Some(title) = title.as_str() {
            title.clone_into(&mut pull.title);
        }
        if let Some(body) = body.as_str() {
            body.clone_into(&mut pull.body);
        }
        true
    }
}

/// The words of a path behind `prefix`, and its query.
fn parts(request: &Request, prefix: &str) -> (Vec<String>, BTreeMap<String, String>) {
    let target = format!("http://host{}", request.target);
    let url = url::Url::parse(&target).expect("a path");
    let path = url.path().strip_prefix(prefix).unwrap_or(url.path());
    let words = path.split('/').filter(|word| !word.is_empty());
    let query = url.query_pairs().into_owned().collect();
    (words.map(str::to_owned).collect(), query)
}

fn sent(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap_or_default()
}
