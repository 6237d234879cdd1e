//! `modelyard init`: makes a yard.

use std::fmt::{self, Write as _};
use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use super::{Context, Outcome, Page, Report};
use crate::ops::init::{self, Made, Pipelines, Wish};
use crate::platform::redact::printable;
use crate::record::{Failure, Name, Repository};
use crate::yard::YARD_FILE;
use crate::yard::begin::FirstCommit;

/// Make a yard in an empty folder, a new one, or a git repository
///
/// Files that stand there already are never overwritten; running it again brings what is missing.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where the yard is to be
    #[arg(default_value = ".", value_name = "FOLDER")]
    folder: PathBuf,
    /// What it is called; the folder's name otherwise
    #[arg(long)]
    name: Option<Name>,
    /// Where models' bytes are to go: `registry.example.com/team/models`, or `oci-layout:FOLDER`
    /// [default: oci-layout:./store]
    #[arg(long, value_name = "REF")]
    store: Option<Repository>,
    /// Bring pipelines, too, that check pull requests, comment on them, and reconcile what is merged
    #[arg(long, value_name = "WHERE")]
    ci: Option<Ci>,
}

/// Where pipelines run.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Ci {
    /// GitHub Actions
    Github,
    /// Actions of Gitea or Forgejo
    Gitea,
    /// GitLab CI
    Gitlab,
}

impl From<Ci> for Pipelines {
    fn from(ci: Ci) -> Self {
        match ci {
            Ci::Github => Self::Github,
            Ci::Gitea => Self::Gitea,
            Ci::Gitlab => Self::Gitlab,
        }
    }
}

impl Arguments {
    pub(super) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let wish = Wish {
            folder: context.path(self.folder),
            name: self.name,
            store: self.store,
            pipelines: self.ci.map(Pipelines::from),
        };
        let made = init::init(&wish, context.clock.now())?;
        context.print(&InitReport::of(&made))?;
        if !made.files.created.is_empty() {
            context.note("its README.md tells what lies where, and what to do first");
        }
        Ok(Outcome::Done)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct InitReport {
    folder: String,
    name: String,
    /// Whether the git repository was made as well.
    new_repository: bool,
    created: Vec<String>,
    unchanged: Vec<String>,
    /// Files that differ from the template, and were left as they are.
    kept: Vec<String>,
    /// The first commit, if it was made.
    commit: Option<String>,
    /// What is left to do by hand.
    next: Vec<String>,
}

impl InitReport {
    fn of(made: &Made) -> Self {
        let folder = made.folder.display().to_string();
        let commit = match &made.commit {
            FirstCommit::Made { commit, .. } => Some(commit.to_string()),
            FirstCommit::LeftToOwner | FirstCommit::NoIdentity => None,
        };
        let mut next = Vec::new();
        if made.commit == FirstCommit::NoIdentity {
            next.push("git config --global user.name 'Your Name'".to_owned());
            next.push("git config --global user.email you@example.com".to_owned());
        }
        if commit.is_none() && !made.files.created.is_empty() {
            next.push(format!("git add {}", roots(&made.files.created).join(" ")));
            next.push("git commit -m 'yard: begins'".to_owned());
        }
        Self {
            folder,
            name: made.name.to_string(),
            new_repository: made.repository_is_new,
            created: made.files.created.clone(),
            unchanged: made.files.unchanged.clone(),
            kept: made.files.kept.clone(),
            commit,
            next,
        }
    }
}

/// `paths`, one line each, but one for all files in a row that lie in one folder.
fn gathered(paths: &[String]) -> Vec<String> {
    let folder_of = |path: &String| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let rows = paths.chunk_by(|one, two| {
        let folder = folder_of(one);
        folder.is_some() && folder == folder_of(two)
    });
    let line = |row: &[String]| match (row, folder_of(&row[0])) {
        ([_, _, ..], Some(folder)) => format!("{folder}/ ({} files)", row.len()),
        _ => row[0].clone(),
    };
    rows.map(line).collect()
}

/// The files and folders at the root that `paths` lie in, each once.
fn roots(paths: &[String]) -> Vec<&str> {
    let mut roots: Vec<&str> = Vec::new();
    for path in paths {
        let root = path.split('/').next().unwrap_or(path);
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    roots
}

impl Report for InitReport {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let folder = printable(&self.folder);
        if self.created.is_empty() {
            writeln!(page, "nothing changed: {folder} is a yard already")?;
        } else {
            let is_new = self.created.iter().any(|path| path == YARD_FILE);
            let done = if is_new { "made" } else { "completed" };
            writeln!(page, "{done} the yard {} in {folder}", self.name)?;
            for line in gathered(&self.created) {
                writeln!(page, "  + {}", printable(&line))?;
            }
        }
        if !self.kept.is_empty() {
            let kept: Vec<_> = self.kept.iter().map(|path| printable(path)).collect();
            writeln!(page, "left as they were: {}", kept.join(", "))?;
        }
        if let Some(commit) = &self.commit {
            writeln!(page, "committed as {}", &commit[..commit.len().min(10)])?;
        }
        if !self.next.is_empty() {
            writeln!(page, "to commit it:")?;
            for command in &self.next {
                writeln!(page, "  {}", printable(command))?;
            }
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        self.created.clone()
    }
}
