//! `modelyard explain`: what a code means.

use std::fmt::{self, Write};

use anstyle::Style;
use serde::Serialize;

use super::{Context, Outcome, Page, Report, codes};
use crate::ops::explain;
use crate::record::{Code, Failure};
use crate::{gateway, reconcile};

/// The codes of the rooms above the use cases.
const ABOVE: &[&[&Code]] = &[reconcile::codes::CODES, gateway::codes::CODES, codes::CODES];

/// Tell the story of a code, with an example of wrong and right
///
/// Every error and every diagnostic has a code, such as `unknown-field`. It stays the same from
/// release to release. Without a code, all are listed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  modelyard explain digest-changed
  modelyard explain                       all codes, a line each
  modelyard explain --output name         only their names")]
pub(super) struct Arguments {
    /// The code, as an error or a check prints it
    code: Option<String>,
}

impl Arguments {
    pub(super) fn run(&self, context: &Context) -> Result<Outcome, Failure> {
        match &self.code {
            Some(id) => context.print(&Story(explain::find(ABOVE, id)?))?,
            None => context.print(&List(explain::all(ABOVE)))?,
        }
        Ok(Outcome::Done)
    }
}

struct Story(&'static Code);

struct List(Vec<&'static Code>);

#[derive(Serialize)]
struct Told {
    code: &'static str,
    title: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    story: Option<&'static str>,
}

impl Serialize for Story {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let told = Told {
            code: self.0.id,
            title: self.0.title(),
            story: Some(self.0.story),
        };
        told.serialize(serializer)
    }
}

impl Serialize for List {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|code| Told {
            code: code.id,
            title: code.title(),
            story: None,
        }))
    }
}

impl Report for Story {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let bold = Style::new().bold();
        let dim = Style::new().dimmed();
        writeln!(
            page,
            "{bold}{}{bold:#} {dim}[{}]{dim:#}",
            self.0.title(),
            self.0.id
        )?;
        for line in self.0.story.lines().skip(1) {
            match line.split_once(':') {
                Some((label @ ("Wrong" | "Right"), rest)) => {
                    writeln!(page, "{bold}{label}:{bold:#}{rest}")?;
                }
                _ => writeln!(page, "{line}")?,
            }
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        vec![self.0.id.to_owned()]
    }
}

impl Report for List {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let bold = Style::new().bold();
        let width = self.0.iter().map(|code| code.id.len()).max().unwrap_or(0);
        for code in &self.0 {
            writeln!(page, "{bold}{:width$}{bold:#}  {}", code.id, code.title())?;
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|code| code.id.to_owned()).collect()
    }
}
