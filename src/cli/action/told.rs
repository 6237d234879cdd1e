//! What a command printed, as a runner shows it: outputs, the job's summary, annotations.
//!
//! What comes from records, runtimes and stores stands in code spans.

use std::fmt::Write as _;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::imported::{self, Imported};
use super::inputs::Task;
use crate::cli::status::{is_well, serving, step};
use crate::forge::markdown::code;
use crate::ops::plan_change::{self, Planned};
use crate::reconcile::status::{DeploymentStatus, Health, Status};
use crate::rollout::Change;

/// The outputs of a step, and where each stands in what commands print.
const OUTPUTS: [(&str, &[&str]); 5] = [
    ("digest", &["/digest", "/0/brought/0/digest"]),
    ("version", &["/version", "/0/brought/0/to/version"]),
    (
        "pull-request",
        &[
            "/proposed/pullRequest/number",
            "/pullRequest/number",
            "/0/proposed/pullRequest/number",
        ],
    ),
    (
        "pull-request-url",
        &[
            "/proposed/pullRequest/url",
            "/pullRequest/url",
            "/0/proposed/pullRequest/url",
        ],
    ),
    ("plan-hash", &["/hash"]),
];

/// The longest summary of a command, in bytes, of the 1 MiB that a step may have.
const MAX_BYTES: usize = 200_000;

/// How many things of a kind are told, and how many annotations: a runner keeps ten.
pub(super) const MAX_LINES: usize = 100;
const MAX_ERRORS: usize = 10;

/// The longest text of others that is told whole, in characters.
const MAX_TEXT: usize = 1000;

/// What a runner is handed of what a command printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) outputs: Vec<(&'static str, String)>,
    /// Markdown.
    pub(super) summary: String,
    /// What failed: where, and how.
    pub(super) errors: Vec<(String, String)>,
}

/// What `modelyard plan --environment` prints.
#[derive(Deserialize)]
struct Pass {
    changes: Vec<Change>,
    steps: Vec<String>,
    waits: Vec<String>,
    behind: Option<String>,
}

/// What `modelyard reconcile --once` prints.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reconciled {
    #[serde(flatten)]
    status: Status,
    is_settled: bool,
}

impl Told {
    pub(super) fn of(task: Task, printed: &Value) -> Self {
        let mut told = Self {
            outputs: outputs(printed),
            summary: String::new(),
            errors: Vec::new(),
        };
        told.summary = match task {
            Task::Plan => match (read::<Planned>(printed), read::<Pass>(printed)) {
                (Some(plan), _) => plan_change::body(&plan, MAX_BYTES),
                (None, Some(pass)) => {
                    let count = pass.changes.len() + pass.steps.len();
                    told.outputs.push(("changes", count.to_string()));
                    let behind = pass.behind.iter();
                    let error = |why: &String| ("main could not be read".to_owned(), why.clone());
                    told.errors.extend(behind.map(error));
                    passed(&pass)
                }
                (None, None) => listed(task, &told.outputs),
            },
            Task::Reconcile => match read::<Reconciled>(printed) {
                Some(done) => {
                    told.errors = errors(&done);
                    reconciled(&done)
                }
                None => listed(task, &told.outputs),
            },
            Task::Import => match read::<Vec<Imported>>(printed) {
                Some(imports) => {
                    told.errors = imports.iter().flat_map(Imported::errors).collect();
                    told.errors.truncate(MAX_ERRORS);
                    imported::summary(&imports)
                }
                None => listed(task, &told.outputs),
            },
            Task::Check | Task::Publish | Task::Sign => listed(task, &told.outputs),
        };
        if told.summary.len() > MAX_BYTES {
            let end = told.summary.floor_char_boundary(MAX_BYTES);
            let end = told.summary[..end].rfind('\n').unwrap_or_default();
            told.summary.truncate(end);
            told.summary.push_str("\n\nThe rest is in the log.\n");
        }
        told
    }
}

fn read<T: DeserializeOwned>(printed: &Value) -> Option<T> {
    T::deserialize(printed).ok()
}

fn outputs(printed: &Value) -> Vec<(&'static str, String)> {
    let found = OUTPUTS.iter().filter_map(|(name, places)| {
        let value = places.iter().find_map(|place| printed.pointer(place))?;
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        Some((*name, text))
    });
    found.collect()
}

fn listed(task: Task, outputs: &[(&'static str, String)]) -> String {
    let mut text = format!("### modelyard {}\n\n", task.command());
    for (name, value) in outputs {
        // Writing to a String can't fail.
        let _ = writeln!(text, "- {name}: {}", said(value));
    }
    text
}

/// What a pass over an environment would do.
fn passed(pass: &Pass) -> String {
    let mut text = match &pass.behind {
        Some(why) => format!("### ❌ main could not be read\n\n{}\n", said(why)),
        None if pass.changes.is_empty() && pass.steps.is_empty() => {
            return "### ✅ The environment is as main says\n".to_owned();
        }
        None => "### ⚠️ The environment is not as main says\n".to_owned(),
    };
    let changes: Vec<String> = pass.changes.iter().map(ToString::to_string).collect();
    for (title, lines) in [
        ("A pass would change", &changes),
        ("It would do first", &pass.steps),
        ("It waits", &pass.waits),
    ] {
        list(&mut text, title, lines);
    }
    text
}

/// A list of texts of others; nothing where there are none.
pub(super) fn list(text: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = write!(text, "\n{title}:\n\n");
    for line in lines.iter().take(MAX_LINES) {
        let _ = writeln!(text, "- {}", said(line));
    }
    if let Some(more @ 1..) = lines.len().checked_sub(MAX_LINES) {
        let _ = writeln!(text, "- … and {more} more");
    }
}

/// What an environment has come to.
fn reconciled(done: &Reconciled) -> String {
    let status = &done.status;
    let (sign, words) = headline(done);
    let mut text = format!("### {sign} {} {words}\n", said(status.environment.as_str()));
    if let Some(commit) = &status.commit {
        let short = commit.get(..12).unwrap_or(commit);
        let _ = write!(text, "\nmain at {}\n", said(short));
    }
    if let Some(behind) = &status.behind {
        let _ = write!(text, "\nmain could not be read: {}\n", said(behind));
    }
    if !status.deployments.is_empty() {
        text.push_str(
            "\n| | Deployment | Health | Main wants | Serves |\n\
             | --- | --- | --- | --- | --- |\n",
        );
    }
    for one in status.deployments.iter().take(MAX_LINES) {
        let wanted = one.desired.as_deref().unwrap_or("nothing");
        let step = one
            .rollout
            .as_ref()
            .map(|_| format!(", step {}", step(one)));
        let step = step.unwrap_or_default();
        let _ = writeln!(
            text,
            "| {} | {} | {}{step} | {} | {} |",
            mark(one.health),
            said(one.name.as_str()),
            one.health.as_str(),
            said(wanted),
            said(&serving(one)),
        );
    }
    if let Some(more @ 1..) = status.deployments.len().checked_sub(MAX_LINES) {
        let _ = write!(text, "\n… and {more} more deployments\n");
    }
    for one in status.deployments.iter().take(MAX_LINES) {
        list(&mut text, &said(one.name.as_str()), &why(one));
        for failed in &one.failed {
            match &failed.revert {
                Some(branch) => {
                    let _ = writeln!(text, "- its revert is on the branch {}", said(branch));
                }
                None => text.push_str("- it is not tried again before main says something else\n"),
            }
        }
    }
    list(&mut text, "Tried again", &status.troubles);
    text
}

fn headline(done: &Reconciled) -> (&'static str, &'static str) {
    let has = |health| {
        let mut all = done.status.deployments.iter();
        all.any(|one| one.health == health)
    };
    if !is_well(&done.status) {
        ("❌", "is not as main says")
    } else if has(Health::Waiting) {
        ("✋", "waits for a person")
    } else if !done.is_settled || has(Health::Progressing) {
        ("⏳", "is on its way to what main says")
    } else {
        ("✅", "is as main says")
    }
}

const fn mark(health: Health) -> &'static str {
    match health {
        Health::Healthy => "✅",
        Health::Progressing => "⏳",
        Health::Waiting => "✋",
        Health::Degraded | Health::Down => "❌",
    }
}

/// Why a deployment isn't further: what failed of it first.
fn why(one: &DeploymentStatus) -> Vec<String> {
    let mut lines: Vec<String> = one.failed.iter().map(|one| one.why.clone()).collect();
    lines.extend(one.why.iter().cloned());
    let replicas = one.instances.iter().filter_map(|replica| {
        let (number, phase, why) = (replica.number, &replica.phase, replica.why.as_ref()?);
        let version = &replica.version;
        Some(format!("replica {number} ({version}) is {phase}: {why}"))
    });
    lines.extend(replicas);
    lines
}

/// What an annotation says of each deployment that is not well, and of main; where they are well,
/// of what failed beside, so that no step is red without one.
fn errors(done: &Reconciled) -> Vec<(String, String)> {
    let status = &done.status;
    let environment = &status.environment;
    let bad = |one: &&DeploymentStatus| matches!(one.health, Health::Degraded | Health::Down);
    let of = |one: &DeploymentStatus| {
        let why = why(one).into_iter().next();
        let why = why.unwrap_or_else(|| format!("it is {}", one.health.as_str()));
        (format!("{environment}/{}", one.name), why)
    };
    let told = |why: &String| (environment.to_string(), why.clone());
    let mut all: Vec<_> = status.behind.iter().map(told).collect();
    all.extend(status.deployments.iter().filter(bad).map(of));
    if all.is_empty() {
        all.extend(status.troubles.iter().map(told));
    }
    if all.is_empty() && !done.is_settled {
        all.push(told(
            &"its time was over on the way to what main says".to_owned(),
        ));
    }
    all.truncate(MAX_ERRORS);
    all
}

/// A text of others, as it is.
pub(super) fn said(text: &str) -> String {
    code(text, MAX_TEXT)
}

#[cfg(test)]
mod tests {
    //! What a runner is shown of what commands print.

    use serde_json::json;

    use super::*;

    #[test]
    fn outputs_are_what_commands_print() {
        let printed = json!({
            "version": "1.0.0",
            "digest": "sha256:00",
            "proposed": {"pullRequest": {"number": 7, "url": "https://x/7"}},
        });
        let told = Told::of(Task::Publish, &printed);
        assert_eq!(
            told.outputs,
            [
                ("digest", "sha256:00".to_owned()),
                ("version", "1.0.0".to_owned()),
                ("pull-request", "7".to_owned()),
                ("pull-request-url", "https://x/7".to_owned()),
            ]
        );
        let told = Told::of(Task::Sign, &json!({"digest": "a`b"}));
        assert_eq!(told.summary, "### modelyard sign\n\n- digest: `` a`b ``\n");
    }

    #[test]
    fn a_drift_is_told_by_what_a_pass_would_do() {
        let pass = json!({
            "pass": "x", "changes": [], "steps": ["pull `vision/digits` 1.1.0"], "waits": ["| x"],
        });
        let told = Told::of(Task::Plan, &pass);
        assert_eq!(told.outputs, [("changes", "1".to_owned())]);
        insta::assert_snapshot!(told.summary, @r"
        ### ⚠️ The environment is not as main says

        It would do first:

        - `` pull `vision/digits` 1.1.0 ``

        It waits:

        - `¦ x`
        ");
        let nothing = json!({"pass": "x", "changes": [], "steps": [], "waits": []});
        let told = Told::of(Task::Plan, &nothing);
        assert_eq!(told.outputs, [("changes", "0".to_owned())]);
        assert_eq!(told.summary, "### ✅ The environment is as main says\n");
        let mut blind = nothing;
        blind["behind"] = json!("no route to `forge`");
        let told = Told::of(Task::Plan, &blind);
        assert_eq!(
            told.summary,
            "### ❌ main could not be read\n\n`` no route to `forge` ``\n"
        );
        assert_eq!(told.errors[0].1, "no route to `forge`");
    }

    fn status(health: &str, failed: &Value, why: &Value) -> Value {
        let digest = format!("sha256:{}", "a".repeat(64));
        json!({
            "environment": "host", "process": 1, "commit": "4f2c1e9b7a6d4f2c1e9b",
            "deployments": [{
                "name": "digits", "health": health, "desired": "vision/digits 1.2.0",
                "serving": [{"version": "vision/digits 1.1.0", "digest": digest, "weight": 100}],
                "failed": failed, "why": why, "instances": [],
            }],
            "isSettled": true,
        })
    }

    #[test]
    fn a_rollout_that_failed_is_told_with_why_and_its_revert() {
        let failed = json!([{
            "version": "vision/digits 1.2.0", "why": "vision/digits 1.2.0 failed: no `answer`",
            "at": "2026-11-01T12:00:00Z", "revert": "revert/host/digits/0123",
        }]);
        let told = Told::of(Task::Reconcile, &status("degraded", &failed, &json!([])));
        insta::assert_snapshot!(told.summary, @r"
        ### ❌ `host` is not as main says

        main at `4f2c1e9b7a6d`

        | | Deployment | Health | Main wants | Serves |
        | --- | --- | --- | --- | --- |
        | ❌ | `digits` | degraded | `vision/digits 1.2.0` | `vision/digits 1.1.0` |

        `digits`:

        - `` vision/digits 1.2.0 failed: no `answer` ``
        - its revert is on the branch `revert/host/digits/0123`
        ");
        assert_eq!(
            told.errors,
            [(
                "host/digits".to_owned(),
                "vision/digits 1.2.0 failed: no `answer`".to_owned()
            )]
        );
    }

    #[test]
    fn what_waits_or_is_on_its_way_is_no_error() {
        for (health, begins) in [
            ("healthy", "### ✅ `host` is as main says\n"),
            ("waiting", "### ✋ `host` waits for a person\n"),
            (
                "progressing",
                "### ⏳ `host` is on its way to what main says\n",
            ),
        ] {
            let status = status(health, &json!([]), &json!([]));
            let told = Told::of(Task::Reconcile, &status);
            assert!(told.summary.starts_with(begins), "{}", told.summary);
            assert_eq!(told.errors, []);
        }
    }

    #[test]
    fn no_step_is_red_without_a_word() {
        let mut status = status("healthy", &json!([]), &json!([]));
        status["troubles"] = json!(["can't look at what runs"]);
        let environment = "host".to_owned();
        let told = Told::of(Task::Reconcile, &status);
        let why = "can't look at what runs".to_owned();
        assert_eq!(told.errors, [(environment.clone(), why)]);
        status["troubles"] = json!([]);
        status["isSettled"] = json!(false);
        let told = Told::of(Task::Reconcile, &status);
        let why = "its time was over on the way to what main says".to_owned();
        assert_eq!(told.errors, [(environment, why)]);
    }

    #[test]
    fn a_summary_is_bounded() {
        let why: Vec<String> = (0..5000).map(|_| "x".repeat(5000)).collect();
        let told = Told::of(
            Task::Reconcile,
            &status("down", &json!([]), &Value::from(why)),
        );
        assert!(told.summary.len() < MAX_BYTES + 100);
        assert!(
            told.summary.contains("- … and 4900 more"),
            "{}",
            told.summary.len()
        );
    }
}
