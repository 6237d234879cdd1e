//! What a change became, and how it is merged: told alike by every command that makes one.

use std::fmt::{self, Write};

use super::Page;
use crate::ops::propose::Proposed;
use crate::platform::redact::printable;

/// Writes where `proposed` is, and the commands that merge it.
pub(super) fn text(proposed: &Proposed, page: &mut Page) -> fmt::Result {
    let Proposed {
        branch,
        commit,
        unchanged,
        on_main,
        pushed,
        how_to_merge,
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
        for line in pushed.said.lines() {
            writeln!(page, "            {}", printable(line))?;
        }
    }
    if !how_to_merge.is_empty() {
        writeln!(page, "\nOnce it is reviewed, merge it:")?;
        for command in how_to_merge {
            writeln!(page, "  {command}")?;
        }
    }
    Ok(())
}
