//! What a step says, by the variables that `action/action.yml` makes of its inputs.

use std::path::PathBuf;

use super::ActionError;
use super::runner::text;
use crate::cli::Context;
use crate::forge::Choice;

/// What a step is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    Check,
    Plan,
    Publish,
    Sign,
    Reconcile,
    Import,
}

impl Task {
    const ALL: [(&'static str, Self); 6] = [
        ("check", Self::Check),
        ("plan", Self::Plan),
        ("publish", Self::Publish),
        ("sign", Self::Sign),
        ("reconcile", Self::Reconcile),
        ("import", Self::Import),
    ];

    fn of(name: &str) -> Result<Self, ActionError> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        let names = || Self::ALL.map(|(known, _)| known).join(", ");
        found.map(|(_, task)| *task).ok_or_else(|| {
            ActionError::misused("command", name, &format!("it is one of {}", names()))
        })
    }

    /// The command of ours that does it.
    pub(super) fn command(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, task)| *task == self);
        found.map_or("check", |(name, _)| name)
    }
}

/// All of a step's inputs.
#[derive(Debug)]
pub(super) struct Inputs {
    pub(super) task: Task,
    /// More words for the command, one a line: no shell has read them.
    pub(super) arguments: Vec<String>,
    /// What a check compares with, where the event doesn't tell.
    pub(super) base: Option<String>,
    pub(super) evidence: bool,
    pub(super) comment: bool,
    /// Where a check's SARIF goes.
    pub(super) sarif: Option<PathBuf>,
    /// The forge: that of the step, else the one that runs us.
    pub(super) forge: Option<(Choice, String)>,
    /// The page of this run.
    pub(super) link: Option<String>,
    pub(super) event: String,
    pub(super) event_file: Option<PathBuf>,
}

impl Inputs {
    pub(super) fn of(context: &Context) -> Result<Self, ActionError> {
        let input = |name: &str| text(context, &format!("MODELYARD_ACTION_{name}"));
        let forge = input("FORGE").or_else(|| this_forge(context));
        let forge = forge.map(|words| match words.parse::<Choice>() {
            Ok(choice) => Ok((choice, words)),
            Err(error) => Err(ActionError::misused("forge", &words, &error)),
        });
        let lines = input("ARGUMENTS").unwrap_or_default();
        let lines = lines.lines().map(str::trim);
        Ok(Self {
            task: Task::of(&input("COMMAND").unwrap_or_default())?,
            arguments: lines
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect(),
            base: input("BASE"),
            evidence: yes("evidence", input("EVIDENCE").as_deref())?,
            comment: yes("comment", input("COMMENT").as_deref())?,
            sarif: input("SARIF").map(|path| context.path(path)),
            forge: forge.transpose()?,
            link: this_run(context),
            event: text(context, "GITHUB_EVENT_NAME").unwrap_or_default(),
            event_file: text(context, "GITHUB_EVENT_PATH").map(PathBuf::from),
        })
    }
}

fn yes(name: &'static str, value: Option<&str>) -> Result<bool, ActionError> {
    match value {
        Some("true") => Ok(true),
        Some("false") | None => Ok(false),
        Some(other) => Err(ActionError::misused(name, other, "it is `true` or `false`")),
    }
}

/// Whether Gitea's or Forgejo's runner runs us: both tell it so.
fn is_gitea(context: &Context) -> bool {
    ["GITEA_ACTIONS", "FORGEJO_ACTIONS"]
        .iter()
        .any(|name| context.variable(name).is_some())
}

/// The repository that the workflow is of, as `--forge` takes it.
fn this_forge(context: &Context) -> Option<String> {
    let kind = if is_gitea(context) { "gitea" } else { "github" };
    Some(format!("{kind}={}", this_page(context)?))
}

fn this_page(context: &Context) -> Option<String> {
    let server = text(context, "GITHUB_SERVER_URL")?;
    let project = text(context, "GITHUB_REPOSITORY")?;
    Some(format!("{}/{project}", server.trim_end_matches('/')))
}

fn this_run(context: &Context) -> Option<String> {
    let run = text(context, "GITHUB_RUN_ID")?;
    Some(format!("{}/actions/runs/{run}", this_page(context)?))
}
