//! `modelyard compare`: versions side by side.

use std::fmt::{self, Write};

use super::reading::Reading;
use super::stores::StoreArguments;
use super::table::{NOTHING, day, joined, or_nothing, size, table, with_version};
use super::{Context, Outcome, Page, Report, completions};
use crate::ops::compare::{self, Change, Compared, Comparison, FileLine, MetricLine, TensorLine};
use crate::platform::redact::printable;
use crate::record::{Failure, ModelReference};

/// Compare versions or models side by side
///
/// Score and metrics, the best one marked; inputs and outputs; sizes, and the files that differ from
/// those of the first, by the manifests in the stores. Of a model alone its newest released version
/// is meant.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard compare vision/digits:1.0.0 vision/digits:1.1.0
  modelyard compare vision/digits:champion vision/digits:challenger vision/digits-large
  modelyard compare vision/digits:1.0.0 vision/digits:1.1.0 --no-files --output json")]
pub(super) struct Arguments {
    /// Two or more: MODEL[:VERSION|:RANGE|:ALIAS|@DIGEST]
    #[arg(required = true, num_args = 2.., value_name = "MODEL[:VERSION]",
          add = completions::references())]
    references: Vec<ModelReference>,
    /// Do not ask the stores for the files
    #[arg(long)]
    no_files: bool,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    stores: StoreArguments,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let catalog = self.reading.catalog(context).await?;
        let options = (!self.no_files).then(|| self.stores.options(context));
        let comparison = compare::compare(&catalog, self.references, options.as_ref()).await?;
        context.print(&comparison)?;
        for missing in &comparison.unavailable {
            let (model, version) = (&missing.model, &missing.version);
            let reasons = std::iter::once(&missing.reason).chain(&missing.help);
            let reasons: Vec<_> = reasons.map(|reason| printable(reason)).collect();
            let reasons = reasons.join("; ");
            context.note(&format!(
                "the files of {model}:{version} are not known: {reasons}"
            ));
        }
        context.note_unreadable(&comparison.unreadable);
        Ok(Outcome::Done)
    }
}

impl Report for Comparison {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let headers = self.headers();
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let mut rows: Vec<_> = ABOUT.iter().filter_map(|line| about(line, self)).collect();
        rows.extend(self.metrics.iter().map(metric));
        rows.extend(self.inputs.iter().map(|line| tensor("input", line)));
        rows.extend(self.outputs.iter().map(|line| tensor("output", line)));
        let files = self.files.as_deref().unwrap_or_default();
        let (same, differing): (Vec<_>, Vec<_>) = files.iter().partition(|line| line.same);
        rows.extend(differing.iter().map(|line| file(line)));
        page.write_str(&table(&headers, rows))?;
        let directions = self.metrics.iter().map(|line| line.higher_is_better);
        if directions.flatten().next().is_some() {
            writeln!(page, "\n↑ higher is better, ↓ lower is better, * the best")?;
        }
        match (same.len(), differing.len()) {
            (0, _) => Ok(()),
            (1, 0) => writeln!(page, "\nThe only file is the same."),
            (same, 0) => writeln!(page, "\nAll {same} files are the same."),
            (1, _) => writeln!(page, "\n1 other file is the same."),
            (same, _) => writeln!(page, "\n{same} other files are the same."),
        }
    }

    fn names(&self) -> Vec<String> {
        let versions = self.versions.iter();
        versions
            .map(|version| format!("{}:{}", version.model, version.version))
            .collect()
    }
}

impl Comparison {
    /// Of one model its name stands once, above what is compared.
    fn headers(&self) -> Vec<String> {
        let mut models = self.versions.iter().map(|version| &version.model);
        match models.next() {
            Some(first) if models.all(|model| model == first) => {
                let versions = self.versions.iter().map(|found| found.version.to_string());
                std::iter::once(first.to_string()).chain(versions).collect()
            }
            _ => std::iter::once(String::new()).chain(self.names()).collect(),
        }
    }
}

/// A line about each version: its name, and what stands in its cells.
type Line = (&'static str, fn(&Compared) -> String);

const ABOUT: [Line; 10] = [
    ("lifecycle", |version| version.lifecycle.to_string()),
    ("aliases", |version| joined(&version.aliases)),
    ("license", |version| or_nothing(version.license.as_ref())),
    ("format", |version| {
        let format = &version.format;
        with_version(format.name.as_str(), format.version.as_ref())
    }),
    ("framework", |version| {
        let framework = version.framework.as_ref();
        let told = framework.map(|known| with_version(&known.name, known.version.as_ref()));
        or_nothing(told)
    }),
    ("precision", |version| {
        or_nothing(version.precision.as_ref())
    }),
    ("weights", |version| {
        or_nothing(version.parameter_count.map(indicatif::HumanCount))
    }),
    ("devices", |version| joined(&version.target_devices)),
    ("created", |version| or_nothing(version.created_at.map(day))),
    ("size", |version| or_nothing(version.size.map(size))),
];

/// A line, unless no version has anything there.
fn about((name, cell): &Line, comparison: &Comparison) -> Option<Vec<String>> {
    let cells: Vec<_> = comparison.versions.iter().map(cell).collect();
    let says_something = cells.iter().any(|cell| cell != NOTHING);
    says_something.then(|| row((*name).to_owned(), cells))
}

fn row(name: String, cells: impl IntoIterator<Item = String>) -> Vec<String> {
    std::iter::once(name).chain(cells).collect()
}

/// `score accuracy ↑ (holdout, test)`, and the values.
fn metric(line: &MetricLine) -> Vec<String> {
    let what = if line.score { "score" } else { "metric" };
    let direction = match line.higher_is_better {
        Some(true) => " ↑",
        Some(false) => " ↓",
        None => "",
    };
    let device = line.device.as_ref().map(ToString::to_string);
    let with = [line.dataset.clone(), line.split.clone(), device];
    let with: Vec<_> = with.into_iter().flatten().collect();
    let with = match with.as_slice() {
        [] => String::new(),
        with => format!(" ({})", with.join(", ")),
    };
    let values = line.values.iter().enumerate().map(|(place, value)| {
        let mark = if line.best.contains(&place) { " *" } else { "" };
        or_nothing(value.map(|value| format!("{value}{mark}")))
    });
    row(format!("{what} {}{direction}{with}", line.name), values)
}

/// What a tensor is, and what of it differs where that is not seen.
fn tensor(what: &str, line: &TensorLine) -> Vec<String> {
    let cells = line.tensors.iter().map(|tensor| {
        let tensor = tensor.as_ref();
        or_nothing(tensor.map(|tensor| format!("{} {}", tensor.datatype, tensor.shape)))
    });
    let hidden = line.differing.iter();
    let hidden = hidden.filter(|field| !matches!(&***field, "datatype" | "shape"));
    let hidden: Vec<_> = hidden.map(String::as_str).collect();
    let hidden = match hidden.as_slice() {
        [] => String::new(),
        hidden => format!(" (other {})", hidden.join(", ")),
    };
    row(format!("{what} {}{hidden}", line.name), cells)
}

/// A file's size and the beginning of its digest, by which a change of the same size is seen.
fn file(line: &FileLine) -> Vec<String> {
    let cells = line.files.iter().zip(&line.changes).enumerate();
    let first = line
        .changes
        .iter()
        .position(|change| *change != Change::Unknown);
    let cells = cells.map(|(place, (file, change))| {
        let told = file
            .as_ref()
            .map(|file| format!("{} {}", size(file.size), &file.digest.short()[..7]));
        match (told, change) {
            (_, Change::Unknown) => "?".to_owned(),
            (Some(told), _) if Some(place) == first => told,
            (_, Change::Same) => "same".to_owned(),
            (Some(told), Change::Added) => format!("{told} added"),
            (Some(told), _) => format!("{told} changed"),
            (None, Change::Removed) => "removed".to_owned(),
            (None, _) => NOTHING.to_owned(),
        }
    });
    row(format!("file {}", line.path), cells)
}
