//! `modelyard completions`: what a shell runs to complete commands, and what it is answered.
//!
//! The shell calls `modelyard` itself for each completion (`COMPLETE=<shell>`), so that it knows
//! the models, versions and aliases of the yard at hand.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::io::Write;

use clap::{CommandFactory, ValueEnum};
use clap_complete::env::{CompleteEnv, Shells};
use clap_complete::{ArgValueCompleter, CompletionCandidate};

use super::fault::CliError;
use super::{Context, Outcome};
use crate::record::{Failure, Lifecycle, ModelName};
use crate::yard::{Catalog, Yard};

/// The variable by which a shell asks.
const VARIABLE: &str = "COMPLETE";
/// What the program is called in scripts.
const PROGRAM: &str = "modelyard";
/// More candidates than this help nobody, and a key press must not wait.
const MOST: usize = 1_000;

/// Print what makes a shell complete commands, models, versions and aliases
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Put one line where your shell starts:
  bash   source <(modelyard completions bash)      in ~/.bashrc
  zsh    source <(modelyard completions zsh)       in ~/.zshrc, behind compinit
  fish   modelyard completions fish | source       in ~/.config/fish/config.fish")]
pub(super) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Elvish,
    Powershell,
}

impl Shell {
    const fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
            Self::Elvish => "elvish",
            Self::Powershell => "powershell",
        }
    }
}

impl Arguments {
    pub(super) fn run(&self, _context: &Context) -> Result<Outcome, Failure> {
        let mut script = Vec::new();
        if matches!(self.shell, Shell::Bash) {
            // bash breaks words at `:`, and `vision/digits:1.0.0` is one word.
            script.extend_from_slice(b"COMP_WORDBREAKS=${COMP_WORDBREAKS//:/}\n");
        }
        let shells = Shells::builtins();
        let shell = shells
            .completer(self.shell.name())
            .expect("every shell here is a builtin");
        shell
            .write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)
            .map_err(CliError::Print)?;
        std::io::stdout()
            .write_all(&script)
            .map_err(CliError::Print)?;
        Ok(Outcome::Done)
    }
}

/// Answers and ends the process if it was a shell that asked; else does nothing.
pub(super) fn answer() {
    CompleteEnv::with_factory(super::Arguments::command)
        .var(VARIABLE)
        .bin(PROGRAM)
        .complete();
}

/// Completes `vision/digits`, and behind its colon versions and aliases.
pub(super) fn references() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let current = current.to_str().unwrap_or_default();
        candidates(current).unwrap_or_default()
    })
}

/// Completes what [`references`] do, and deployments.
pub(super) fn shown() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let current = current.to_str().unwrap_or_default();
        let mut all = candidates(current).unwrap_or_default();
        all.extend(deployments(current).unwrap_or_default());
        all
    })
}

/// Completes deployments by their names, of whichever environment.
pub(super) fn deployed() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let current = current.to_str().unwrap_or_default();
        names(current).unwrap_or_default()
    })
}

/// Completes environments.
pub(super) fn environments() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let current = current.to_str().unwrap_or_default();
        places(current).unwrap_or_default()
    })
}

/// The records at hand; nothing where there is no yard.
#[expect(
    clippy::disallowed_methods,
    reason = "a shell asks before there is a context that could know the folder"
)]
fn catalog() -> Option<Catalog> {
    let yard = Yard::discover(&env::current_dir().ok()?).ok()?;
    Some(Catalog::new(yard.snapshot(&yard.at_hand()).ok()?))
}

/// What may stand where `current` was typed; nothing where there is no yard to know it from.
fn candidates(current: &str) -> Option<Vec<CompletionCandidate>> {
    let catalog = catalog()?;
    let found = match current.split_once(':') {
        None => models(&catalog, current)?,
        Some((model, start)) => versions(&catalog, &model.parse().ok()?, start)?,
    };
    Some(found.into_iter().take(MOST).collect())
}

/// The deployments that the yard has by what their files are called.
fn deployments(start: &str) -> Option<Vec<CompletionCandidate>> {
    let catalog = catalog()?;
    let names = catalog.deployment_names().ok()?.into_iter();
    let names = names.map(|(environment, name)| format!("{environment}/{name}"));
    let fitting = names.filter(|name| name.starts_with(start)).take(MOST);
    let candidate = |name: String| CompletionCandidate::new(name).help(Some("deployment".into()));
    Some(fitting.map(candidate).collect())
}

/// The names of deployments, each with the environments that have it.
fn names(start: &str) -> Option<Vec<CompletionCandidate>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (environment, name) in catalog()?.deployment_names().ok()? {
        let places = found.entry(name.to_string()).or_default();
        places.push(environment.to_string());
    }
    let fitting = found
        .into_iter()
        .filter(|(name, _)| name.starts_with(start));
    let candidate = |(name, places): (String, Vec<String>)| {
        CompletionCandidate::new(name).help(Some(places.join(", ").into()))
    };
    Some(fitting.take(MOST).map(candidate).collect())
}

fn places(start: &str) -> Option<Vec<CompletionCandidate>> {
    let found = catalog()?.environments().ok()?.into_iter();
    let names = found.map(|environment| environment.metadata.name.to_string());
    let fitting = names.filter(|name| name.starts_with(start)).take(MOST);
    Some(fitting.map(CompletionCandidate::new).collect())
}

fn models(catalog: &Catalog, start: &str) -> Option<Vec<CompletionCandidate>> {
    let names = catalog
        .models()
        .ok()?
        .into_iter()
        .map(|model| model.to_string());
    let fitting: Vec<_> = names.filter(|name| name.starts_with(start)).collect();
    // Of the only model left its versions are what is wanted next.
    if let [only] = &*fitting {
        let mut all = vec![CompletionCandidate::new(only)];
        all.extend(versions(catalog, &only.parse().ok()?, "").unwrap_or_default());
        return Some(all);
    }
    Some(fitting.into_iter().map(CompletionCandidate::new).collect())
}

fn versions(catalog: &Catalog, model: &ModelName, start: &str) -> Option<Vec<CompletionCandidate>> {
    let aliases = catalog
        .model(model)
        .map(|record| record.spec.aliases)
        .unwrap_or_default();
    let aliases = aliases
        .into_iter()
        .map(|(alias, version)| (alias.to_string(), format!("alias of {version}")));
    let mut versions = catalog.versions(model).ok()?;
    versions.sort_unstable_by(|a, b| b.cmp(a));
    let versions = versions.into_iter().take(MOST).map(|version| {
        let record = catalog.version(model, &version).ok().flatten();
        let stage = record.map_or(Lifecycle::Staged, |record| record.spec.lifecycle);
        (version.to_string(), stage.to_string())
    });
    let fitting = aliases
        .chain(versions)
        .filter(|(name, _)| name.starts_with(start));
    Some(
        fitting
            .map(|(name, help)| {
                CompletionCandidate::new(format!("{model}:{name}")).help(Some(help.into()))
            })
            .collect(),
    )
}
