//! What an import came to: as data, and as the message of its commit.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::Serialize;
use serde_json::{Map, Value};

use super::Request;
use super::moves::{Moved, What};
use super::survey::{Called, State, Survey, described};
use crate::artifact::pack::LeftOut as NotPacked;
use crate::artifact::pack::inspect::Finding;
use crate::import::LeftOut;
use crate::ops::propose::Proposed;
use crate::platform::redact::printable;
use crate::record::{Digest, Failure, Lifecycle, Name};

/// The longest message of a commit; forges show some 40,000 characters of it.
const MAX_MESSAGE: usize = 30_000;

/// What an import came to.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Import {
    /// The source, as it is written on a command line.
    pub source: String,
    /// What was imported.
    pub brought: Vec<Brought>,
    /// How many versions were here already, as they are.
    pub unchanged: usize,
    /// What moved in the source since the last time.
    pub moved: Vec<Moved>,
    /// Deployments that were imported.
    pub deployed: Vec<Deployed>,
    /// What could not be imported, and why.
    pub refused: Vec<Refused>,
    /// What the source has and is for no import.
    pub left_out: Vec<LeftOut>,
    /// The branch with the records.
    pub proposed: Option<Proposed>,
    /// What ended it before its end.
    #[serde(skip)]
    pub ended: Option<Failure>,
}

/// A version that was imported.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Brought {
    /// What the source calls it.
    pub reference: String,
    /// What it is here.
    pub to: Called,
    /// The stage that it has there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// What became of that.
    pub lifecycle: Lifecycle,
    /// Its artifact.
    pub digest: Digest,
    /// How many files are in it.
    pub files: usize,
    /// Their bytes.
    pub size_bytes: u64,
    /// How many of them were sent; the store had the rest.
    pub sent_bytes: u64,
    /// What was not packed, and why.
    pub left_out: Vec<NotPacked>,
    /// What a person should know of the files.
    pub findings: Vec<Finding>,
    /// The names of what found no place; their values are in the record.
    pub unmapped: Vec<String>,
    /// What a person should know of how it was read.
    pub remarks: Vec<String>,
}

/// A deployment that was imported.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployed {
    /// What the source calls it.
    pub reference: String,
    /// Where it is deployed here.
    pub environment: Name,
    /// What it is called here.
    pub deployment: Name,
    /// Whether its name had to be changed, and nobody said to what.
    pub renamed: bool,
    /// What of it found no place.
    pub unmapped: Map<String, Value>,
    /// What a person should know of it.
    pub remarks: Vec<String>,
}

/// A version or a deployment that could not be imported.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refused {
    /// What the source calls it.
    pub reference: String,
    /// Why not.
    pub why: String,
    /// The stable name of that.
    pub code: &'static str,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// What would be imported.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rehearsal {
    /// What the source has.
    #[serde(flatten)]
    pub survey: Survey,
    /// What would become of each version that is new.
    #[serde(rename = "mapping")]
    pub versions: Vec<Rehearsed>,
}

/// What would become of a version, without what its files say.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rehearsed {
    /// What the source calls it.
    pub reference: String,
    /// What it would be here.
    pub to: Option<Called>,
    /// Fields of the model's record, if it is new.
    pub model: Map<String, Value>,
    /// Fields of the version's record.
    pub version: Map<String, Value>,
    /// What would find no place.
    pub unmapped: Map<String, Value>,
    /// How many files would be fetched; absent where they are on this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<usize>,
    /// What a person should know of how it was read.
    pub remarks: Vec<String>,
}

impl Import {
    /// Of a source that gave nothing.
    pub fn nothing(request: &Request) -> Self {
        Self {
            source: described(&*request.source),
            ..Self::default()
        }
    }

    /// What is known before anything is brought.
    pub(super) fn of(survey: &Survey) -> Self {
        let mut import = Self {
            source: survey.source.clone(),
            left_out: survey.left_out.clone(),
            ..Self::default()
        };
        for surveyed in &survey.versions {
            match surveyed.state {
                State::New | State::Uncertain => {}
                State::Imported => import.unchanged += 1,
                State::Skipped => import.left_out.push(LeftOut {
                    what: surveyed.listed.reference.clone(),
                    why: surveyed.why.clone().unwrap_or_default(),
                }),
                State::Changed | State::Taken | State::Nameless => {
                    import.refused.push(Refused {
                        reference: surveyed.listed.reference.clone(),
                        why: surveyed.why.clone().unwrap_or_default(),
                        code: crate::import::codes::UNMAPPED_NAME.id,
                        help: surveyed.help.clone(),
                    });
                }
            }
        }
        import
    }
}

impl Refused {
    /// Why `reference`, as its source calls it, or all of a source failed.
    pub fn new(reference: &str, failure: &Failure) -> Self {
        Self {
            reference: reference.to_owned(),
            why: crate::record::with_causes(&**failure),
            code: failure.code().id,
            help: failure.help(),
        }
    }
}

/// The message of a commit: what came from where, what it is here, and what found no place.
pub(super) fn message(
    request: &Request,
    brought: &[Brought],
    moved: &[Moved],
    deployed: &[Deployed],
) -> String {
    let source = printable(&described(&*request.source));
    let models: BTreeSet<_> = brought.iter().map(|one| &one.to.model).collect();
    let title = match (brought, models.len()) {
        ([], _) => format!("Follow {source}"),
        ([one], _) => format!("Import {}:{} from {source}", one.to.model, one.to.version),
        (several, 1) => format!(
            "Import {} versions of {} from {source}",
            several.len(),
            several[0].to.model
        ),
        (several, models) => format!(
            "Import {} versions of {models} models from {source}",
            several.len()
        ),
    };
    let mut text = title;
    text.push('\n');
    let told = brought.iter().map(Brought::told);
    let told = told.chain(moved.iter().map(Moved::told));
    for told in told.chain(deployed.iter().map(Deployed::told)) {
        text.push('\n');
        text.push_str(&told);
    }
    if text.len() > MAX_MESSAGE {
        let end = (0..=MAX_MESSAGE)
            .rev()
            .find(|&at| text.is_char_boundary(at));
        text.truncate(end.unwrap_or(0));
        text.push_str("\n…");
    }
    text.push('\n');
    text
}

impl Brought {
    /// What it was, what it is, and what found no place.
    fn told(&self) -> String {
        let Called {
            model,
            version,
            renamed,
            after,
        } = &self.to;
        let mut text = format!("{} -> {model}:{version}", printable(&self.reference));
        if *renamed {
            text.push_str(" (renamed)");
        }
        if let Some(after) = after {
            let _ = write!(text, ", after {after}");
        }
        let _ = write!(text, "\n  {}", self.digest);
        if let Some(stage) = &self.stage {
            let _ = write!(text, "\n  {} -> {}", printable(stage), self.lifecycle);
        }
        if !self.unmapped.is_empty() {
            let names: Vec<_> = self.unmapped.iter().map(|name| printable(name)).collect();
            let _ = write!(text, "\n  found no field: {}", names.join(", "));
        }
        for remark in &self.remarks {
            let _ = write!(text, "\n  {}", printable(remark));
        }
        text
    }
}

impl Deployed {
    /// What it was, what it is, and what found no place.
    fn told(&self) -> String {
        let Self {
            environment,
            deployment,
            ..
        } = self;
        let mut text = format!(
            "{} -> {environment}/{deployment}",
            printable(&self.reference)
        );
        if !self.unmapped.is_empty() {
            let unmapped = Value::Object(self.unmapped.clone()).to_string();
            let _ = write!(text, "\n  found no field: {}", printable(&unmapped));
        }
        for remark in &self.remarks {
            let _ = write!(text, "\n  {}", printable(remark));
        }
        text
    }
}

impl Moved {
    /// What moved, and whether the yard follows, in a line.
    pub fn told(&self) -> String {
        let model = &self.model;
        let mut text = match &self.what {
            What::Lifecycle { version, from, to } => format!("{model}:{version}: {from} -> {to}"),
            What::Alias { alias, from, to } => {
                let means = |version: &Option<_>| match version {
                    Some(version) => format!("{version}"),
                    None => "nothing".to_owned(),
                };
                let alias = printable(alias);
                format!("{model}:{alias}: {} -> {}", means(from), means(to))
            }
        };
        if let Some(left) = &self.left {
            let _ = write!(text, ", left as it is: {}", printable(left));
        }
        text
    }
}
