//! `modelyard set`: changes what may still change of a model or a version.

use std::fmt::{self, Write};

use serde_json::Value;

use super::proposing::{Proposes, Proposing};
use super::{Context, Outcome, Page, Report, completions, proposed};
use crate::ops::propose::Proposed;
use crate::ops::set::{self, Assignment, FieldChange, Request, Setting};
use crate::platform::redact::printable;
use crate::record::{Failure, ModelReference};

/// Change what may still change of a model or a version
///
/// Of a model that is its title, description, owners, visibility, classification, license,
/// citation and labels; of a merged version its notes and links. Fields are named as in the
/// record, with dots; texts are taken as they stand, other values are YAML, and an empty value
/// removes the field, or the item of a list. The change keeps comments and layout, and goes on
/// the branch `set/MODEL/model` or `set/MODEL/VERSION`; your work tree and checked-out branch are
/// not touched.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard set vision/digits title='Handwritten digits' license=MIT
  modelyard set vision/digits classification.task=image-classification labels.line=3
  modelyard set vision/digits owners='[{team: vision, contact: vision@example.com}]'
  modelyard set vision/digits:1.0.0 notes='Keep the camera at 40 cm.'
  modelyard set vision/digits:champion links+='{title: Report, url: https://example.com/r}'
  modelyard set vision/digits description=")]
pub(super) struct Arguments {
    /// Which model, or which version of it
    #[arg(value_name = "MODEL[:VERSION]")]
    #[arg(add = completions::references())]
    reference: ModelReference,
    /// What to set; `FIELD+=ITEM` adds to a list
    #[arg(required = true, value_name = "FIELD=VALUE")]
    assignments: Vec<Assignment>,
    #[command(flatten)]
    proposing: Proposing,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let (yard, proposer) = self.proposing.begin(context)?;
        let request = Request {
            reference: self.reference,
            assignments: self.assignments,
        };
        let setting = set::set(&yard, request, context.clock.now()).await?;
        proposer.finish(context, setting).await
    }
}

impl Setting {
    fn name(&self) -> String {
        match &self.version {
            Some(version) => format!("{}:{version}", self.model),
            None => self.model.to_string(),
        }
    }
}

impl Proposes for Setting {
    fn proposed(&mut self) -> Vec<&mut Proposed> {
        vec![&mut self.proposed]
    }
}

impl Report for Setting {
    fn text(&self, page: &mut Page) -> fmt::Result {
        if !self.fields.is_empty() {
            writeln!(page, "{}", self.name())?;
            let width = self.fields.iter().map(|change| change.field.len()).max();
            let width = width.unwrap_or(0);
            for change in &self.fields {
                let field = printable(&change.field);
                writeln!(page, "  {field:width$}  {}", told(change))?;
            }
            writeln!(page)?;
        }
        proposed::text(&self.proposed, page)
    }

    fn names(&self) -> Vec<String> {
        vec![self.name()]
    }
}

/// `from -> to`, or of a list that only grew what it got.
fn told(change: &FieldChange) -> String {
    let (from, to) = (change.from.as_ref(), change.to.as_ref());
    if let (Some(Value::Array(before)), Some(Value::Array(after))) = (from, to)
        && let Some(added) = after.strip_prefix(before.as_slice())
    {
        let added: Vec<_> = added.iter().map(|item| shown(Some(item))).collect();
        return format!("+ {}", added.join(", "));
    }
    format!("{} -> {}", shown(from), shown(to))
}

/// A value on one line.
fn shown(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => printable(text),
        Some(value) => printable(&value.to_string()),
        None => "nothing".to_owned(),
    }
}
