//! Runs a command of ours as a person would, and hands the runner what came of it.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use super::event::Event;
use super::inputs::{Inputs, Task};
use super::runner::Runner;
use super::told::Told;
use crate::cli::fault::CliError;
use crate::cli::{Context, Outcome};
use crate::platform::atomic::FileError;
use crate::record::Failure;

/// What a command prints at most: a status of thousands of deployments.
const MAX_BYTES: u64 = 16 << 20;

/// How much is kept of what a command says beside: its error is the last of it.
const TAIL_BYTES: usize = 64 << 10;

pub(super) async fn run(
    context: &Context,
    runner: &Runner,
    inputs: &Inputs,
    event: &Event,
) -> Result<Outcome, Failure> {
    let program = context.program()?;
    let mut child = Command::new(&program)
        .arg("-C")
        .arg(&context.directory)
        .args(words(inputs, event))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(FileError::at("start", &program))?;
    let stdout = child.stdout.take().expect("its output is piped");
    let stderr = child.stderr.take().expect("its errors are piped");
    let mut printed = Vec::new();
    let mut stdout = stdout.take(MAX_BYTES);
    let (read, said) = tokio::join!(stdout.read_to_end(&mut printed), passed_on(stderr));
    read.map_err(CliError::Runtime)?;
    let said = said.map_err(CliError::Runtime)?;
    let ended = child.wait().await.map_err(CliError::Runtime)?;
    context.print_text(&String::from_utf8_lossy(&printed))?;
    if let Ok(printed) = serde_json::from_slice::<Value>(&printed) {
        let told = Told::of(inputs.task, &printed);
        for (name, value) in &told.outputs {
            runner.output(name, value)?;
        }
        runner.summarize(&told.summary)?;
        for (title, message) in &told.errors {
            runner.problem(title, message)?;
        }
    }
    if !ended.success()
        && let Some(error) = error(&said)
    {
        runner.error(&error["code"], &error["message"], &error["help"])?;
    }
    Ok(
        match ended.code().and_then(|code| u8::try_from(code).ok()) {
            Some(0) => Outcome::Done,
            Some(code) => Outcome::Ended(code),
            None => Outcome::Ended(2),
        },
    )
}

/// Says at once what a command says beside, and gives the end of it.
async fn passed_on(mut from: impl AsyncRead + Unpin) -> std::io::Result<Vec<u8>> {
    let (mut last, mut chunk) = (Vec::new(), vec![0; TAIL_BYTES]);
    loop {
        let read = from.read(&mut chunk).await?;
        if read == 0 {
            return Ok(last);
        }
        std::io::stderr().write_all(&chunk[..read])?;
        last.extend_from_slice(&chunk[..read]);
        last.drain(..last.len().saturating_sub(TAIL_BYTES));
    }
}

/// The error that a command ended with: its last line, beside results for machines.
fn error(said: &[u8]) -> Option<Value> {
    let said = String::from_utf8_lossy(said);
    let last: Value = serde_json::from_str(said.lines().last()?).ok()?;
    last.get("error").cloned()
}

/// The command's words: those of the step, and what goes without saying in a workflow.
fn words(inputs: &Inputs, event: &Event) -> Vec<String> {
    let mut words = vec![inputs.task.command().to_owned()];
    words.extend(inputs.arguments.iter().cloned());
    let says = |flag: &str| {
        let mut said = inputs.arguments.iter();
        said.any(|word| word == flag || word.starts_with(&format!("{flag}=")))
    };
    // What it imports from is the yard's to say, where the step says none.
    if inputs.task == Task::Import
        && inputs.arguments.iter().all(|word| word.starts_with("--"))
        && !says("--follow")
    {
        words.push("--follow".to_owned());
    }
    match (inputs.task, &inputs.forge) {
        (Task::Publish | Task::Import, Some((_, forge)))
            if !says("--forge") && !says("--direct") =>
        {
            words.push(format!("--forge={forge}"));
        }
        (Task::Plan, _) if !["--base", "--environment", "-e"].into_iter().any(says) => {
            if let Event::PullRequest { head, base, .. } | Event::Queue { head, base } = event {
                words.extend([format!("--base={base}"), format!("--at={head}")]);
            }
        }
        (Task::Reconcile, _) if !says("--once") && !says("--nudge") => {
            words.push("--once".to_owned());
        }
        _ => {}
    }
    words.push("--output=json".to_owned());
    words
}

#[cfg(test)]
mod tests {
    //! What goes in, and what comes out.

    use super::*;

    fn inputs(task: Task, arguments: &[&str]) -> Inputs {
        let forge = "github=https://github.com/acme/yard";
        Inputs {
            task,
            arguments: arguments.iter().map(|&word| word.to_owned()).collect(),
            base: None,
            evidence: false,
            comment: false,
            sarif: None,
            forge: Some((forge.parse().unwrap(), forge.to_owned())),
            link: None,
            event: String::new(),
            event_file: None,
        }
    }

    #[test]
    fn a_line_is_a_word_whatever_is_in_it() {
        let hostile = "title=$(id) `id` ; id";
        let forge = "--forge=github=https://github.com/acme/yard";
        assert_eq!(
            words(&inputs(Task::Publish, &["./out", hostile]), &Event::Other),
            ["publish", "./out", hostile, forge, "--output=json"]
        );
        assert_eq!(
            words(&inputs(Task::Import, &["--unsigned"]), &Event::Other),
            ["import", "--unsigned", "--follow", forge, "--output=json"]
        );
        assert_eq!(
            words(&inputs(Task::Import, &["--follow", "lab"]), &Event::Other),
            ["import", "--follow", "lab", forge, "--output=json"]
        );
        assert_eq!(
            words(&inputs(Task::Reconcile, &["-e", "host"]), &Event::Other),
            ["reconcile", "-e", "host", "--once", "--output=json"]
        );
        assert_eq!(
            words(&inputs(Task::Reconcile, &["--nudge"]), &Event::Other),
            ["reconcile", "--nudge", "--output=json"]
        );
        let direct = words(&inputs(Task::Publish, &["--direct"]), &Event::Other);
        assert!(!direct.contains(&forge.to_owned()));
        let queue = Event::Queue {
            head: "a".repeat(40),
            base: "b".repeat(40),
        };
        let (at, base) = (
            format!("--at={}", "a".repeat(40)),
            format!("--base={}", "b".repeat(40)),
        );
        assert_eq!(
            words(&inputs(Task::Plan, &[]), &queue),
            ["plan", &base, &at, "--output=json"]
        );
        assert_eq!(
            words(&inputs(Task::Plan, &["-e", "host"]), &queue),
            ["plan", "-e", "host", "--output=json"]
        );
    }

    #[test]
    fn a_failure_is_the_last_that_is_said() {
        let said = b"{\"level\":\"WARN\"}\n{\"error\":{\"code\":\"no-yard\"}}\n";
        assert_eq!(error(said).unwrap()["code"], "no-yard");
        assert_eq!(error(b"{\"level\":\"WARN\"}\n"), None);
        assert_eq!(error(b""), None);
    }
}
