//! Asks a version for predictions of a whole file, and writes a whole file of them.
//!
//! ```text
//! input ──rows──▶ batches ──requests, some at once──▶ answers ──in order──▶ FILE.partial ──▶ FILE
//! ```
//!
//! Rows are read, asked and written batch after batch, so that memory does not grow with the
//! file. The result has a row for each row of the input, in its order. A run that was broken off,
//! by whatever, is gone on with by the same command: see [`journal`].

mod answer;
mod ask;
mod batches;
mod error;
mod format;
mod journal;
mod output;
mod parquet;
mod run;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use tokio::time::Instant;

use self::ask::{Asker, FOR_GATEWAY, FOR_RUNTIME};
use self::batches::Plan;
use self::journal::Journal;
use self::output::Output;
use self::run::Run;
use super::columns::{Columns, Keep};
use super::error::TableError;
use super::pixels::Pixels;
use super::rows::{Origin, RowFormat, Rows};
use crate::ops::pull::Ground;
use crate::ops::served::{self, Served, Starting};
use crate::record::kind::{ModelVersion, Tensor};
use crate::record::{Failure, ModelReference, Name};
use crate::target::runtime::client::{AskError, Client};
use crate::yard::{Resolved, Yard, blocking};

pub use error::{ResultError, StoppedAt};
pub use format::ResultFormat;

/// What is to be answered, and where to.
#[derive(Debug)]
pub struct Job {
    /// The rows.
    pub origin: Origin,
    /// What they are.
    pub input: RowFormat,
    /// The result.
    pub to: PathBuf,
    /// What it is.
    pub output: ResultFormat,
    /// The columns that it has of the input's.
    pub keep: Vec<Keep>,
    /// How many rows are asked in one request, where the version leaves it open.
    pub batch_size: usize,
    /// How many requests are under way at once.
    pub parallel: usize,
    /// What happens at a row that can't be answered.
    pub on_error: OnError,
    /// Whether an earlier run and its result are forgotten.
    pub restart: bool,
}

/// What happens at a row that can't be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// It ends there.
    Stop,
    /// The row is left out of the result, and told beside it.
    Skip,
}

/// Who answers.
#[derive(Debug, Clone, Copy)]
pub enum Who<'a> {
    /// A version that is started for the purpose.
    Version(&'a Starting),
    /// What is deployed: a gateway, and its name there.
    Deployed(&'a Client, &'a Name),
}

/// A result that is there.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Written {
    /// Where it is.
    pub file: PathBuf,
    /// The model.
    pub model: String,
    /// The version that answered, if it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The bytes that answered, if it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// How many rows the input has.
    pub rows: u64,
    /// How many of them could not be answered.
    pub failed: u64,
    /// Where those are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<PathBuf>,
    /// How many rows an earlier run had done.
    pub resumed: u64,
    /// How many files of the folder are no images.
    pub left_alone: u64,
    /// How long it took.
    pub seconds: f64,
}

/// Asks for predictions of all rows of `job`, and writes them.
///
/// # Errors
/// If rows can't be read, asked or written; what is done is kept for the next run.
pub async fn predict_file(
    yard: &Yard,
    reference: &ModelReference,
    job: &Job,
    who: Who<'_>,
    ground: &Ground<'_>,
) -> Result<Written, Failure> {
    let begun = Instant::now();
    let found = served::find(yard, reference).await?;
    let (rows, plan) = opened(job, &found.record).await?;
    output::make_folder(&job.to)?;
    let (output, journal) = Output::open(&job.to, job.output, job.restart).await?;
    let journal = journal.unwrap_or_else(|| Journal::new(found.model.to_string()));
    let (resumed, left_alone) = (journal.rows, rows.left_alone);
    let mut run = Run::new(output, journal);
    let answered = answer(
        &mut run,
        yard,
        found,
        (rows, plan, job.parallel),
        who,
        ground,
    )
    .await;
    let (output, journal) = run.into_parts();
    if let Err(failure) = answered {
        blocking(move || output.abandon()).await?;
        return Err(failure);
    }
    let errors = (journal.failed > 0).then(|| output.errors_path());
    let finished = journal.clone();
    blocking(move || output.finish(&finished)).await?;
    Ok(Written {
        file: job.to.clone(),
        model: journal.model,
        version: journal.version,
        digest: journal.digest,
        rows: journal.rows,
        failed: journal.failed,
        errors,
        resumed,
        left_alone,
        seconds: begun.elapsed().as_secs_f64(),
    })
}

impl Job {
    /// Whether a run was broken off that this one goes on with.
    pub fn is_begun(&self) -> bool {
        output::is_begun(&self.to)
    }
}

/// Has all rows answered that are not done, by whoever is to answer.
async fn answer(
    run: &mut Run,
    yard: &Yard,
    found: Resolved,
    (rows, plan, parallel): (Rows, Plan, usize),
    who: Who<'_>,
    ground: &Ground<'_>,
) -> Result<(), Failure> {
    let (model, begun_with) = (found.model.to_string(), &run.journal.model);
    if *begun_with != model {
        let what = format!("it was begun with {begun_with}, and this is {model}");
        return Err(ResultError::begun_otherwise(what).into());
    }
    if run.journal.whole {
        return Ok(());
    }
    let outputs = found.record.spec.outputs.clone();
    let (plan, file) = (Arc::new(plan), rows.name.clone());
    let asker = |client: &Client, model: &Name, policy| Asker {
        client: client.clone(),
        model: model.to_string(),
        policy,
        outputs,
        plan,
        file,
    };
    match who {
        Who::Deployed(client, name) => {
            let asker = asker(client, name, FOR_GATEWAY);
            run.all(&asker, rows, parallel, ground.progress).await
        }
        Who::Version(starting) => {
            let mut served = Served::start(yard, found, starting, ground).await?;
            let digest = served.artifact.digest.to_string();
            run.is_of(Some(served.version.to_string()), Some(digest))?;
            let asker = asker(&served.started.client, &served.started.model, FOR_RUNTIME);
            match run.all(&asker, rows, parallel, ground.progress).await {
                Err(failure) => Err(or_its_end(&mut served, failure).await),
                Ok(()) => Ok(()),
            }
        }
    }
}

/// What became of the runtime, in place of what a broken connection says.
async fn or_its_end(served: &mut Served, failure: Failure) -> Failure {
    let error: &(dyn Error + 'static) = &*failure;
    if !error.is::<AskError>() {
        return failure;
    }
    let error: Box<dyn Error> = failure;
    let error = error.downcast::<AskError>().expect("it was asked before");
    served.started.or_its_end(*error).await.into()
}

/// Opens the input, and looks up what becomes of its columns.
async fn opened(job: &Job, record: &ModelVersion) -> Result<(Rows, Plan), Failure> {
    let (origin, format) = (job.origin.clone(), job.input);
    let (inputs, keep) = (record.spec.inputs.clone(), job.keep.clone());
    let (batch_size, on_error) = (job.batch_size, job.on_error);
    let outputs = record.spec.outputs.clone();
    blocking(move || {
        let (rows, columns) = open(&origin, format, &inputs, &keep)?;
        if let Some(name) = collision(&columns, &outputs) {
            return Err(TableError::Collision(name).into());
        }
        Ok::<_, Failure>((
            rows,
            Plan {
                columns,
                inputs,
                batch_size,
                on_error,
            },
        ))
    })
    .await
}

/// Opens rows, and looks up what becomes of their columns.
pub(super) fn open(
    origin: &Origin,
    format: RowFormat,
    inputs: &[Tensor],
    keep: &[Keep],
) -> Result<(Rows, Columns), Failure> {
    if let (RowFormat::Images, Origin::Path(path)) = (format, origin) {
        let folder = if path.is_dir() {
            path
        } else {
            path.parent().unwrap_or(Path::new("."))
        };
        let pixels = Pixels::of(inputs, folder)?;
        return Ok((Rows::open(origin, format)?, Columns::of_images(pixels)));
    }
    let rows = Rows::open(origin, format)?;
    let columns = Columns::find(&rows.name, &rows.head, inputs, keep)?;
    Ok((rows, columns))
}

/// A kept column that has the name of an output.
fn collision(columns: &Columns, outputs: &[Tensor]) -> Option<String> {
    let mut kept = columns.kept.iter().map(|(name, _)| name);
    let is_output = |name: &String| {
        outputs.iter().any(|output| {
            let rest = name.strip_prefix(&output.name);
            rest.is_some_and(|rest| {
                rest.is_empty()
                    || rest == ".label" && !output.labels.is_empty()
                    || rest
                        .strip_prefix('.')
                        .is_some_and(|index| index.parse::<u32>().is_ok())
            })
        })
    };
    kept.find(|name| is_output(name)).cloned()
}
