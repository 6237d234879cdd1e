//! The comment that tells what became of a merge.
//!
//! ```text
//! ### ⏳ `factory` is under way
//!
//! How what failed did so, what serves instead, and what reverts it.
//!
//! | | Deployment | How it goes | Serves now | Health |
//! | --- | --- | --- | --- | --- |
//! | ⏳ | `digits` to `vision/digits 1.5.0` | step 2 of 3, 25 % | 75 % `vision/digits 1.4.0`, … | …
//!
//! What it waits for, what was measured, and what happened when.
//! ```
//!
//! Whatever records, runtimes or metrics say stands in code spans, where nothing is markup, a link,
//! or calls anybody.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::claim::{Claim, Part, in_words};
use super::sight::{Course, Fall, View};
use crate::forge::DeploymentState;
use crate::forge::markdown::code;
use crate::record::Name;

/// The most deployments that are told; GitHub's longest comment has 65,536 characters.
const MAX_PARTS: usize = 20;
/// The most lines of one kind that are told of a deployment.
const MAX_LINES: usize = 12;
/// The longest text of others that is told whole, in characters.
const MAX_TEXT: usize = 300;
/// The longest comment, in characters; what happened when is left out of a longer one.
const MAX_PAGE: usize = 60_000;

/// The comment on `claim`; `reverts` has the pages of the pull requests that revert, by branch.
pub(super) fn page(
    environment: &Name,
    claim: &Claim,
    reverts: &BTreeMap<String, Option<String>>,
) -> String {
    let (sign, words) = headline(claim.state());
    let mut page = format!("### {sign} {} {words}\n", name(environment));
    let parts: Vec<(&Name, &Part)> = claim.parts.iter().take(MAX_PARTS).collect();
    // What somebody has to do something about comes first.
    for (deployment, part) in &parts {
        if let Some(fall) = view(part).and_then(|view| view.fall.as_ref()) {
            failed(&mut page, deployment, fall, reverts);
        }
    }
    page += "\n| | Deployment | How it goes | Serves now | Health |\n\
             | --- | --- | --- | --- | --- |\n";
    for (deployment, part) in &parts {
        row(&mut page, deployment, part);
    }
    if let Some(more @ 1..) = claim.parts.len().checked_sub(MAX_PARTS) {
        page += &format!("\nand {more} more deployments\n");
    }
    for (deployment, part) in &parts {
        match view(part) {
            Some(view) if view.fall.is_none() && !part.is_over() => {
                under_way(&mut page, deployment, view);
            }
            _ => {}
        }
    }
    let commit = claim.commit.get(..12).unwrap_or(&claim.commit);
    page += &format!("\n<sub>main at {}</sub>\n", code(commit, MAX_TEXT));
    let happened = happened(&parts);
    if page.chars().count() + happened.chars().count() <= MAX_PAGE {
        page += &happened;
    }
    page
}

const fn headline(state: DeploymentState) -> (&'static str, &'static str) {
    match state {
        DeploymentState::InProgress => ("⏳", "is under way"),
        DeploymentState::Success => ("✅", "is as main says"),
        DeploymentState::Failure => ("❌", "is not as main says"),
        DeploymentState::Superseded => ("↪", "follows a later merge by now"),
    }
}

/// How it does, unless a later commit took its place.
fn view(part: &Part) -> Option<&View> {
    part.view.as_ref().filter(|_| part.superseded.is_none())
}

fn mark(part: &Part) -> &'static str {
    match (part.state(), part.view.as_ref().map(|view| view.course)) {
        (DeploymentState::InProgress, Some(Course::Waits | Course::Paused | Course::Suspended)) => {
            "✋"
        }
        (DeploymentState::InProgress, _) => "⏳",
        (DeploymentState::Success, _) => "✅",
        (DeploymentState::Failure, _) => "❌",
        (DeploymentState::Superseded, _) => "↪",
    }
}

fn row(page: &mut String, deployment: &Name, part: &Part) {
    let view = part.view.as_ref();
    let wanted = view.and_then(|view| view.wanted.as_deref());
    let wanted = wanted.map_or(String::new(), |wanted| format!(" to {}", text(wanted)));
    let goes = match (&part.superseded, view) {
        (Some(by), _) => format!("main asks for something else since {}", short(by)),
        (None, Some(view)) => in_words(view),
        (None, None) => "is begun".to_owned(),
    };
    // Text is written to memory, which can't fail.
    let _ = writeln!(
        page,
        "| {} | {}{wanted} | {goes} | {} | {} |",
        mark(part),
        name(deployment),
        serves(view),
        view.map_or("", |view| view.health.as_str()),
    );
}

fn serves(view: Option<&View>) -> String {
    let shares = view.map(|view| &view.serving[..]).unwrap_or_default();
    let share = |share: &crate::reconcile::status::Share| {
        format!("{} % {}", share.weight, text(&share.version))
    };
    if shares.is_empty() {
        return "nothing".to_owned();
    }
    let told: Vec<String> = shares.iter().take(MAX_LINES).map(share).collect();
    told.join(", ")
}

fn failed(
    page: &mut String,
    deployment: &Name,
    fall: &Fall,
    reverts: &BTreeMap<String, Option<String>>,
) {
    let to: Vec<String> = fall.to.iter().map(|one| text(one)).collect();
    let instead = if to.is_empty() {
        "nothing serves in its place".to_owned()
    } else {
        format!("{} serves again", to.join(", "))
    };
    let at = time(fall.at);
    *page += &format!(
        "\n**{} failed** at {at} UTC; {instead}.\n\n",
        name(deployment)
    );
    let lines = [&fall.cause].into_iter().chain(&fall.evidence);
    for line in lines.take(MAX_LINES) {
        *page += &format!("- {}\n", text(line));
    }
    match fall
        .branch
        .as_ref()
        .map(|branch| (branch, reverts.get(branch)))
    {
        None => {}
        Some((_, Some(Some(url)))) => *page += &format!("\nIts revert: {}\n", link(url)),
        Some((branch, _)) => {
            *page += &format!("\nIts revert is on the branch {}.\n", text(branch));
        }
    }
}

fn under_way(page: &mut String, deployment: &Name, view: &View) {
    let analyses = view.rollout.iter().flat_map(|rollout| &rollout.analyses);
    let analyses = analyses.map(|(analysis, last)| {
        let last = if last.is_empty() {
            "nothing was measured yet".to_owned()
        } else {
            text(last)
        };
        format!("- analysis {}: {last}\n", name(analysis))
    });
    let why = view.why.iter().map(|why| format!("- {}\n", text(why)));
    let lines: Vec<String> = why
        .take(MAX_LINES)
        .chain(analyses.take(MAX_LINES))
        .collect();
    if !lines.is_empty() {
        *page += &format!("\n{}:\n\n{}", name(deployment), lines.concat());
    }
}

fn happened(parts: &[(&Name, &Part)]) -> String {
    let mut lines: Vec<(Timestamp, &Name, &str)> = Vec::new();
    for (deployment, part) in parts {
        lines.extend(
            part.log
                .iter()
                .map(|line| (line.at, *deployment, &*line.what)),
        );
    }
    lines.sort();
    let mut told = "\n<details><summary>What happened</summary>\n\n\
                    | When (UTC) | Deployment | |\n| --- | --- | --- |\n"
        .to_owned();
    for (at, deployment, what) in lines {
        told += &format!("| {} | {} | {what} |\n", time(at), name(deployment));
    }
    told + "\n</details>\n"
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn name(name: &Name) -> String {
    text(name.as_str())
}

fn short(commit: &str) -> String {
    code(commit.get(..12).unwrap_or(commit), MAX_TEXT)
}

fn text(text: &str) -> String {
    code(text, MAX_TEXT)
}

/// A page of the forge, as a link where it is nothing else.
fn link(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(plain) if plain.as_str().chars().all(is_plain) => plain.to_string(),
        _ => text(url),
    }
}

fn is_plain(one: char) -> bool {
    one.is_ascii_alphanumeric() || ":/.-_~!#%?=&".contains(one)
}
