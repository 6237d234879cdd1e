//! The Action and the templates' workflows, run by act as a runner of GitHub's or Gitea's runs them,
//! with the program under test in place of a release.

mod gitea;
mod github;
mod gitlab;
mod install;
mod linted;
mod release;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Outcome, Run, Sandbox};

/// A runner for the yard in a folder of the sandbox, and where the forge is.
pub(super) struct Runner<'a> {
    sandbox: &'a Sandbox,
    /// `http://127.0.0.1:PORT`.
    server: String,
    /// Gitea's, or GitHub's.
    gitea: bool,
    /// What the repository's people keep there, as `NAME=VALUE`.
    secrets: Vec<String>,
    /// The one job that is run; all of them where none is named.
    job: Option<&'static str>,
}

/// A command, as the runner took it.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) kind: String,
    /// How it was given.
    pub(super) raw: String,
}

impl Taken {
    /// A property, as GitHub's runner reads it: they end at the first `::`. act's end at the last,
    /// which may stand in the message.
    pub(super) fn property(&self, name: &str) -> &str {
        let head = self.raw[2..].split("::").next().unwrap();
        let (_, properties) = head.split_once(' ').unwrap_or_default();
        let mut properties = properties.split(',').filter_map(|one| one.split_once('='));
        let found = properties.find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value)
    }
}

/// What a job came to.
pub(super) struct Job {
    pub(super) outcome: Outcome,
    /// What the runner took as commands.
    pub(super) commands: Vec<Taken>,
    /// The outputs that steps set, by name.
    pub(super) outputs: Vec<(String, String)>,
    /// The log, a line each, without what act says of itself.
    pub(super) log: String,
    /// What its steps wrote for people, one after the other.
    pub(super) summary: String,
}

impl<'a> Runner<'a> {
    pub(super) fn new(sandbox: &'a Sandbox, host: &str, gitea: bool) -> Self {
        // The Action as it is in its repository, of which act takes this in its stead.
        let action = Path::new(env!("CARGO_MANIFEST_DIR")).join("action");
        for entry in fs::read_dir(&action).unwrap() {
            let from = entry.unwrap().path();
            let to = format!(
                "modelyard/action/{}",
                from.file_name().unwrap().to_str().unwrap()
            );
            let to = sandbox.write(to, fs::read(&from).unwrap());
            fs::set_permissions(&to, fs::metadata(&from).unwrap().permissions()).unwrap();
        }
        Self {
            sandbox,
            server: format!("http://{host}"),
            gitea,
            secrets: Vec::new(),
            job: None,
        }
    }

    /// Of one job alone.
    pub(super) fn job(mut self, job: &'static str) -> Self {
        self.job = Some(job);
        self
    }

    /// With a secret of the repository.
    pub(super) fn secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.push(format!("{name}={value}"));
        self
    }

    /// Runs the workflow in `file` of the yard for an event, with a token.
    pub(super) fn run(&self, file: &str, event: &str, payload: &Value, token: &str) -> Job {
        self.run_in("yard", file, event, payload, token)
    }

    /// The same in another clone.
    pub(super) fn run_in(
        &self,
        folder: &str,
        file: &str,
        event: &str,
        payload: &Value,
        token: &str,
    ) -> Job {
        Job::of(self.act(folder, file, event, payload, token).run())
    }

    fn act(&self, folder: &str, file: &str, event: &str, payload: &Value, token: &str) -> Run {
        let payload = self.sandbox.write("event.json", payload.to_string());
        let program = env!("CARGO_BIN_EXE_modelyard");
        let local = self.sandbox.path("modelyard");
        let version = concat!("v", env!("CARGO_PKG_VERSION"));
        let mut words = vec![
            event.to_owned(),
            format!("--workflows={file}"),
            format!("--eventpath={}", payload.display()),
            "--platform=ubuntu-latest=-self-hosted".to_owned(),
            "--platform=self-hosted=-self-hosted".to_owned(),
            format!(
                "--local-repository=modelyard/modelyard@{version}={}",
                local.display()
            ),
            format!("--secret=GITHUB_TOKEN={token}"),
            "--json".to_owned(),
        ];
        words.extend(
            self.secrets
                .iter()
                .map(|secret| format!("--secret={secret}")),
        );
        words.extend(self.job.map(|job| format!("--job={job}")));
        let mut variables = vec![
            format!("GITHUB_SERVER_URL={}", self.server),
            "GITHUB_REPOSITORY=acme/yard".to_owned(),
            format!("MODELYARD_PROGRAM={program}"),
        ];
        if self.gitea {
            variables.push("GITEA_ACTIONS=true".to_owned());
        }
        words.extend(
            variables
                .into_iter()
                .map(|variable| format!("--env={variable}")),
        );
        self.sandbox.tool("act", words).in_folder(folder)
    }
}

impl Job {
    fn of(outcome: Outcome) -> Self {
        let (mut commands, mut outputs) = (Vec::new(), Vec::new());
        let (mut log, mut summaries) = (String::new(), Vec::new());
        let lines = outcome.stdout.lines().chain(outcome.stderr.lines());
        for line in lines.filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let text = |field: &str| line[field].as_str().map(str::to_owned);
            match (text("command"), line["raw_output"] == true) {
                (Some(command), _) if command == "set-output" => {
                    outputs.push((text("name").unwrap(), text("arg").unwrap()));
                }
                (Some(kind), _) if kind == "summary" => {
                    summaries.extend(text("content"));
                }
                (Some(kind), _) if kind != "ignored" => {
                    commands.push(Taken {
                        kind,
                        raw: text("raw").unwrap_or_default().trim_end().to_owned(),
                    });
                }
                (None, true) => log.push_str(&text("msg").unwrap_or_default()),
                _ => {}
            }
        }
        // act tells of a step within an action, and then of the action, the same.
        summaries.dedup();
        Self {
            outcome,
            commands,
            outputs,
            log,
            summary: summaries.concat(),
        }
    }

    /// The last value that a step set of an output; those that another one has are empty.
    #[track_caller]
    pub(super) fn output(&self, name: &str) -> &str {
        let mut of = self.outputs.iter().rev();
        let found = of.find(|(known, value)| known == name && !value.is_empty());
        &found
            .unwrap_or_else(|| panic!("no {name}: {:?}", self.outputs))
            .1
    }

    #[track_caller]
    pub(super) fn success(self) -> Self {
        self.ends(0)
    }

    #[track_caller]
    pub(super) fn fails(self) -> Self {
        self.ends(1)
    }

    #[track_caller]
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.outcome.code, Some(code), "{}", self.outcome.report());
        self
    }

    /// The annotations, as the runner got them.
    pub(super) fn annotations(&self) -> Vec<&str> {
        self.annotated().map(|one| &*one.raw).collect()
    }

    /// The same, as it read them.
    pub(super) fn annotated(&self) -> impl Iterator<Item = &Taken> {
        let kinds = ["error", "warning", "notice"];
        let all = self.commands.iter();
        all.filter(move |one| kinds.contains(&&*one.kind))
    }
}

/// The event of a pull request.
pub(super) fn pull_request(number: u64, from: &str, head: &str, base: &str, title: &str) -> Value {
    json!({
        "action": "synchronize",
        "number": number,
        "pull_request": {
            "number": number,
            "title": title,
            "body": title,
            "head": {"sha": head, "ref": title, "repo": {"full_name": from}},
            "base": {"sha": base, "ref": "main", "repo": {"full_name": "acme/yard"}},
        },
        "repository": {"full_name": "acme/yard", "default_branch": "main"},
    })
}

/// The event of the end of a workflow that ran for a pull request.
pub(super) fn workflow_run(head: &str) -> Value {
    json!({
        "action": "completed",
        "workflow_run": {
            "event": "pull_request",
            "head_sha": head,
            "head_branch": "$(touch pwned)",
            "conclusion": "failure",
            "pull_requests": [],
        },
        "repository": {"full_name": "acme/yard", "default_branch": "main"},
    })
}
