//! `modelyard plan --base`: what a merge would do.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::artifact::StoreOptions;
use crate::cli::table::table;
use crate::cli::{Context, Format, Outcome, Page, Report};
use crate::ops::plan_change::telling::{Block, Line, Section, Sign, Word};
use crate::ops::plan_change::{Difference, Planned, Wish, markdown, plan_change};
use crate::platform::redact::visible;
use crate::record::Failure;
use crate::yard::Revision;

const BOLD: Style = Style::new().bold();

/// Tells what a merge of `at` would do to `base`.
pub(super) async fn run(
    base: String,
    at: Option<Revision>,
    stores: Option<StoreOptions>,
    context: &Context,
) -> Result<Outcome, Failure> {
    let yard = context.yard()?;
    let wish = Wish {
        head: at.unwrap_or_else(|| yard.at_hand()),
        base,
        stores,
    };
    let plan = plan_change(&yard, &wish, context.clock.now()).await?;
    match context.format {
        Format::Markdown => context.print_text(&markdown(&plan))?,
        _ => context.print(&plan)?,
    }
    Ok(Outcome::Done)
}

impl Report for Planned {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let telling = self.telling();
        writeln!(page, "{}", line(&telling.title))?;
        for shown in &telling.glance {
            writeln!(page, "  {}", line(shown))?;
        }
        for shown in &telling.sections {
            section(page, shown)?;
        }
        let foot: Vec<String> = telling.foot.iter().map(line).collect();
        writeln!(page, "\n{}", foot.join("\n"))
    }

    fn names(&self) -> Vec<String> {
        vec![self.hash.to_string()]
    }
}

fn section(page: &mut Page, section: &Section) -> fmt::Result {
    writeln!(page, "\n{BOLD}{}{BOLD:#}", section.title.plain())?;
    for block in &section.blocks {
        match block {
            Block::Heading(heading) => writeln!(page, "\n  {}", line(heading))?,
            Block::Lines(lines) => {
                for shown in lines {
                    writeln!(page, "    {}", line(shown))?;
                }
            }
            Block::Table(headers, rows) => {
                let rows = rows.iter().map(|row| row.iter().map(Line::plain));
                for line in table(headers, rows).lines() {
                    writeln!(page, "      {line}")?;
                }
            }
            Block::Differences(all) => {
                for one in all {
                    differing(page, one)?;
                }
            }
        }
    }
    Ok(())
}

/// A field that was something and is something else: `~ title: Digits -> Written digits`.
fn differing(page: &mut Page, one: &Difference) -> fmt::Result {
    let field = visible(&one.field);
    match (
        one.before.as_deref().map(visible),
        one.after.as_deref().map(visible),
    ) {
        (Some(before), Some(after)) => writeln!(page, "    ~ {field}: {before} -> {after}"),
        (Some(before), None) => writeln!(page, "    - {field}: {before}"),
        (None, Some(after)) => writeln!(page, "    + {field}: {after}"),
        (None, None) => Ok(()),
    }
}

/// A line with its sign, in colours.
fn line(line: &Line) -> String {
    let color = |color: AnsiColor| BOLD.fg_color(Some(color.into()));
    let mut text = match line.sign {
        Sign::Plain => String::new(),
        Sign::Warning => format!("{0}!{0:#} ", color(AnsiColor::Yellow)),
        Sign::Stop => format!("{0}x{0:#} ", color(AnsiColor::Red)),
    };
    for word in &line.words {
        match word {
            Word::Said(said) => text.push_str(said),
            Word::Strong(said) => {
                let _ = write!(text, "{BOLD}{said}{BOLD:#}");
            }
            Word::Quoted(quoted) => text.push_str(&visible(quoted)),
        }
    }
    text
}
