//! `modelyard status`: what an environment of this host looks like.

use std::fmt::{self, Write};
use std::time::Duration;

use serde::Serialize;
use tokio::time::{interval, timeout};

use super::host::{HostArguments, NeverServed};
use super::table::table_of_said;
use super::{Context, Format, Outcome, Page, Report};
use crate::platform::redact::printable;
use crate::reconcile::memory::is_taken;
use crate::reconcile::status::{DeploymentStatus, Health, Status};
use crate::record::{Failure, Name};

/// How often it is looked whether something changed.
const LOOK: Duration = Duration::from_millis(200);
/// What a table shows where there is nothing to say.
const NOTHING: &str = "-";

/// Tell what an environment of this host looks like: what main wants, what runs, and why it isn't
/// further
///
/// Exits with 1 where a deployment is degraded or down, or nothing reconciles it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard status -e host
  modelyard status -e host --watch
  modelyard status -e host --wait && echo ready
  modelyard status -e host --output json | jq '.deployments[].health'")]
pub(super) struct Arguments {
    #[command(flatten)]
    host: HostArguments,
    /// Go on, and tell again whenever something changes
    #[arg(short, long)]
    watch: bool,
    /// Wait until all is healthy, for so many seconds at most, and tell then
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "120",
        conflicts_with = "watch"
    )]
    wait: Option<u64>,
}

#[derive(Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Shown {
    /// Whether a reconciler is at work.
    is_running: bool,
    #[serde(flatten)]
    status: Status,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let folder = self.host.folder_of_yard(context)?;
        let look = || -> Result<Shown, Failure> {
            let environment = self.host.environment.clone();
            let status = Status::read(&folder)?.ok_or(NeverServed { environment })?;
            let is_running = is_taken(&folder)?;
            Ok(Shown { is_running, status })
        };
        let mut tick = interval(LOOK);
        if let Some(seconds) = self.wait {
            let healthy = async {
                loop {
                    tick.tick().await;
                    // Its server may only be on its way.
                    if look().is_ok_and(|shown| shown.is_healthy()) {
                        break;
                    }
                }
            };
            // Told below, whichever way it is by then.
            let _ = timeout(Duration::from_secs(seconds), healthy).await;
            let shown = look()?;
            context.print(&shown)?;
            return Ok(match shown.is_healthy() {
                true => Outcome::Done,
                false => Outcome::Problems,
            });
        }
        let mut shown = look()?;
        context.print(&shown)?;
        if !self.watch {
            return Ok(outcome(&shown));
        }
        loop {
            tick.tick().await;
            let now = look()?;
            if now == shown {
                continue;
            }
            if context.format == Format::Text {
                let at = context.clock.now().strftime("%H:%M:%S").to_string();
                context.print(&Moved(&shown, &now, at))?;
            } else {
                context.print(&now)?;
            }
            shown = now;
        }
    }
}

impl Shown {
    fn is_healthy(&self) -> bool {
        let mut deployments = self.status.deployments.iter();
        self.is_running
            && is_well(&self.status)
            && deployments.all(|one| one.health == Health::Healthy)
    }
}

fn outcome(shown: &Shown) -> Outcome {
    match shown.is_running && is_well(&shown.status) {
        true => Outcome::Done,
        false => Outcome::Problems,
    }
}

/// Whether nothing is wrong.
pub(super) fn is_well(status: &Status) -> bool {
    let bad = |one: &DeploymentStatus| matches!(one.health, Health::Degraded | Health::Down);
    status.behind.is_none() && status.troubles.is_empty() && !status.deployments.iter().any(bad)
}

pub(super) fn names(status: &Status) -> Vec<String> {
    let deployments = status.deployments.iter();
    deployments
        .map(|one| format!("{}/{}", status.environment, one.name))
        .collect()
}

/// What changed between two looks, at a time of the day.
struct Moved<'a>(&'a Shown, &'a Shown, String);

impl Serialize for Moved<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.1.serialize(serializer)
    }
}

impl Report for Moved<'_> {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let Self(before, now, at) = self;
        if before.is_running != now.is_running {
            let what = if now.is_running {
                "is reconciled"
            } else {
                "nothing reconciles it"
            };
            writeln!(page, "{at}  {}  {what}", now.status.environment)?;
        }
        let told = |one: &DeploymentStatus| {
            let step = one
                .rollout
                .as_ref()
                .map(|_| format!("  step {}", step(one)));
            let (name, health) = (&one.name, one.health.as_str());
            format!(
                "{name}  {health}  {}{}",
                serving(one),
                step.unwrap_or_default()
            )
        };
        let known: Vec<String> = before.status.deployments.iter().map(told).collect();
        let lines = now.status.deployments.iter().map(told);
        for line in lines.filter(|line| !known.contains(line)) {
            writeln!(page, "{at}  {line}")?;
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        self.1.names()
    }
}

impl Report for Shown {
    fn text(&self, page: &mut Page) -> fmt::Result {
        if !self.is_running {
            writeln!(
                page,
                "nothing reconciles it now; this is how it was last seen\n"
            )?;
        }
        text(&self.status, page)
    }

    fn names(&self) -> Vec<String> {
        names(&self.status)
    }
}

/// Writes it for people.
pub(super) fn text(status: &Status, page: &mut Page) -> fmt::Result {
    write!(page, "{}", status.environment)?;
    if let Some(commit) = &status.commit {
        write!(page, "  at {}", &commit[..commit.len().min(12)])?;
    }
    if let Some(listening) = status.listening {
        write!(page, "  on {listening}")?;
    }
    writeln!(page)?;
    if let Some(behind) = &status.behind {
        writeln!(page, "  {}", printable(behind))?;
    }
    if status.deployments.is_empty() {
        return writeln!(page, "\nno deployments");
    }
    writeln!(page)?;
    let rows = status.deployments.iter().map(|one| {
        [
            one.name.to_string(),
            one.health.as_str().to_owned(),
            one.desired.clone().unwrap_or_else(|| NOTHING.to_owned()),
            serving(one),
            step(one),
        ]
    });
    let headers = ["DEPLOYMENT", "HEALTH", "WANTED", "SERVES", "STEP"];
    write!(page, "{}", table_of_said(headers, rows))?;
    for one in &status.deployments {
        detail(&status.environment, one, page)?;
    }
    Ok(())
}

pub(super) fn serving(one: &DeploymentStatus) -> String {
    match one.serving.as_slice() {
        [] => NOTHING.to_owned(),
        [only] => only.version.clone(),
        several => {
            let share =
                |one: &crate::reconcile::status::Share| format!("{} {} %", one.version, one.weight);
            several.iter().map(share).collect::<Vec<_>>().join(", ")
        }
    }
}

pub(super) fn step(one: &DeploymentStatus) -> String {
    let step = one.rollout.as_ref();
    let step = step.map(|rollout| format!("{} of {}", rollout.step, rollout.steps));
    step.unwrap_or_else(|| NOTHING.to_owned())
}

/// What is to be said of a deployment beside its line: why it isn't further, what failed, what is
/// not well.
fn detail(environment: &Name, one: &DeploymentStatus, page: &mut Page) -> fmt::Result {
    let unwell: Vec<_> = one
        .instances
        .iter()
        .filter(|one| one.why.is_some())
        .collect();
    // What is refused is why it isn't further.
    let foreseen = one.foreseen.as_ref().filter(|one| !one.is_refused());
    if one.why.is_empty() && one.failed.is_empty() && unwell.is_empty() && foreseen.is_none() {
        return Ok(());
    }
    writeln!(page, "\n{}", one.name)?;
    for why in &one.why {
        writeln!(page, "  {}", printable(why))?;
    }
    if let Some(foreseen) = foreseen {
        writeln!(page, "  {}", printable(&foreseen.told(environment)))?;
    }
    for (name, last) in one.rollout.iter().flat_map(|rollout| &rollout.analyses) {
        writeln!(page, "  {name}: {}", printable(last))?;
    }
    for failed in &one.failed {
        writeln!(page, "  {}", printable(&failed.why))?;
        write!(
            page,
            "  it is not tried again before main says something else"
        )?;
        match &failed.revert {
            Some(branch) => writeln!(page, "; revert: branch {}", printable(branch))?,
            None => writeln!(page)?,
        }
    }
    for instance in unwell {
        let why = instance.why.as_deref().unwrap_or_default();
        let (number, version, phase) = (instance.number, &instance.version, &instance.phase);
        writeln!(
            page,
            "  replica {number} ({version}) is {phase}: {}",
            printable(why)
        )?;
    }
    Ok(())
}
