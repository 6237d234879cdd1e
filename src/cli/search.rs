//! `modelyard search`: finds models by words.

use std::fmt::{self, Write};

use super::reading::Reading;
use super::table::Fields;
use super::{Context, Outcome, Page, Report};
use crate::ops::search::{self, Found, Match, Place, Query};
use crate::platform::redact::printable;
use crate::record::Failure;
use crate::yard::blocking;

/// Find models by the words that people use for them
///
/// A model is found if all the words occur in it: in its name, title, description, classification,
/// labels, owners or card. The best fit comes first, by the best place that has a word, and the
/// text around the words is shown. Letters' case does not matter, and a part of a word is enough.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard search digits
  modelyard search handwritten envelopes
  modelyard search digits --where 'lifecycle=released and metrics.accuracy>=0.9'
  modelyard search scratch --at v1.2 --output name

Exit codes: 0 something was found, 1 nothing was.")]
pub(super) struct Arguments {
    /// The words
    #[arg(required = true, value_name = "TEXT")]
    words: Vec<String>,
    /// Only models that this filter chooses, as in `modelyard list`; may be given several times
    #[arg(long = "where", value_name = "FILTER")]
    wanted: Vec<String>,
    #[command(flatten)]
    reading: Reading,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let catalog = self.reading.catalog(context).await?;
        let query = Query {
            text: self.words.join(" "),
            wanted: self.wanted,
        };
        let found = blocking(move || search::search(&catalog, &query)).await?;
        context.print(&found)?;
        context.note_unreadable(&found.unreadable);
        if !found.models.is_empty() {
            return Ok(Outcome::Done);
        }
        let alike: Vec<_> = found.alike.iter().map(ToString::to_string).collect();
        context.note(&match alike.as_slice() {
            [] => "nothing was found".to_owned(),
            alike => format!("nothing was found; did you mean {}?", alike.join(", ")),
        });
        Ok(Outcome::Problems)
    }
}

impl Report for Found {
    fn text(&self, page: &mut Page) -> fmt::Result {
        for hit in &self.models {
            write!(page, "{}", hit.model)?;
            if let Some(title) = &hit.title {
                write!(page, "  {}", printable(title))?;
            }
            writeln!(page)?;
            let mut fields = Fields::default();
            for Match { place, text } in &hit.matches {
                // These two stand above.
                if !matches!(place, Place::Name | Place::Title) {
                    fields.add(place.as_str(), text);
                }
            }
            page.write_str(&fields.into_text())?;
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        self.models
            .iter()
            .map(|hit| hit.model.to_string())
            .collect()
    }
}
