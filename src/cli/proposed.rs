//! What a change became, and how it is merged: told alike by every command that makes one.

use std::fmt::{self, Write};

use super::Page;
use crate::forge::State;
use crate::ops::propose::Proposed;
use crate::ops::pull_request::Opened;
use crate::platform::redact::printable;
use crate::record::Name;

/// Writes where `proposed` is, and the commands that merge it.
pub(super) fn text(proposed: &Proposed, page: &mut Page) -> fmt::Result {
    let Proposed {
        branch,
        commit,
        unchanged,
        on_main,
        pushed,
        how_to_merge,
        pull_request,
        no_pull_request,
        ..
    } = proposed;
    let commit = &commit[..12.min(commit.len())];
    match (unchanged, on_main) {
        (true, true) => writeln!(page, "  unchanged {branch} has it already")?,
        (true, false) => writeln!(page, "  unchanged branch {branch}, commit {commit}")?,
        (false, true) => writeln!(page, "  committed to {branch}, commit {commit}")?,
        (false, false) => writeln!(page, "  proposed  branch {branch}, commit {commit}")?,
    }
    if let Some(pushed) = pushed {
        writeln!(page, "  pushed    to {} ({})", pushed.remote, pushed.url)?;
        // What is to be done is said by the remote, unless it was done.
        let said = pull_request.is_none().then_some(&pushed.said);
        for line in said.iter().flat_map(|said| said.lines()) {
            writeln!(page, "            {}", printable(line))?;
        }
    }
    if let Some(opened) = pull_request {
        request(opened, page)?;
    }
    if let Some(why) = no_pull_request {
        writeln!(page, "\nNo pull request: {}.", printable(why))?;
    }
    if !how_to_merge.is_empty() {
        writeln!(page, "\nOnce it is reviewed, merge it:")?;
        for command in how_to_merge {
            writeln!(page, "  {command}")?;
        }
    }
    Ok(())
}

/// Writes which pull request it is on.
pub(super) fn request(opened: &Opened, page: &mut Page) -> fmt::Result {
    let (number, url) = (opened.number, printable(&opened.url));
    match &opened.state {
        State::Open => writeln!(page, "  request   #{number} {url}")?,
        State::Closed => writeln!(page, "  request   #{number} {url}, closed")?,
        State::Merged { commit } => {
            let commit = commit.as_deref().unwrap_or_default();
            let commit = printable(&commit[..12.min(commit.len())]);
            writeln!(page, "  merged    #{number} {url} {commit}")?;
        }
    }
    if !opened.serves.is_empty() {
        let serves: Vec<&str> = opened.serves.iter().map(Name::as_str).collect();
        writeln!(page, "  serves    in {}", serves.join(", "))?;
    }
    if let Some(review) = &opened.review {
        if !review.asked.is_empty() {
            writeln!(
                page,
                "  review    asked of {}",
                printable(&review.asked.join(", "))
            )?;
        }
        if !review.unknown.is_empty() {
            let unknown = printable(&review.unknown.join(", "));
            writeln!(page, "            not asked, as not known there: {unknown}")?;
        }
    }
    for missing in &opened.missing {
        writeln!(page, "            {}", printable(missing))?;
    }
    Ok(())
}
