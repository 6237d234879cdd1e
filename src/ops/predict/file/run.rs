//! A run: what is answered is written in the order of the input, and made to last now and then.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::ask::{Asker, Done, same_version};
use super::batches::{self, Batch, Before, Plan};
use super::error::ResultError;
use super::journal::{Column, Journal};
use super::output::Output;
use crate::ops::predict::error::{self, TableError};
use crate::ops::predict::rows::Rows;
use crate::platform::atomic::FileError;
use crate::platform::progress::Meter;
use crate::platform::{Progress, on_blocking_pool};
use crate::record::Failure;

/// How many rows may be done at most before that is made to last.
const SAVE_ROWS: u64 = 2048;
/// And how long: what a run that is killed has to do again at most.
const SAVE_TIME: Duration = Duration::from_secs(1);

/// A run under way.
pub(super) struct Run {
    /// How far it has come.
    pub(super) journal: Journal,
    /// Taken only while it is written to.
    output: Option<Output>,
    meter: Option<Box<dyn Meter>>,
    saved_rows: u64,
    saved_at: Instant,
    /// Whether something could not be written: then nothing more is said of it.
    broken: bool,
}

impl Run {
    /// Begins, or goes on where the journal is.
    pub(super) fn new(output: Output, journal: Journal) -> Self {
        Self {
            saved_rows: journal.rows,
            journal,
            output: Some(output),
            meter: None,
            saved_at: Instant::now(),
            broken: false,
        }
    }

    /// Asks and writes all rows that are not done, and gives what is whole a journal that says so.
    ///
    /// # Errors
    /// If a row can't be read, asked or written. What is done before is made to last.
    pub(super) async fn all(
        &mut self,
        asker: &Asker,
        rows: Rows,
        parallel: usize,
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        let before = (self.journal.rows > 0).then(|| Before {
            rows: self.journal.rows,
            digest: self.journal.input.clone(),
        });
        self.keeps(&asker.kept())?;
        if let Some(before) = &before {
            progress.step(&format!("going on behind row {}", before.rows));
        }
        let begin = |bytes| progress.begin(&rows.name, bytes);
        self.meter = rows.bytes.map(begin);
        let (batches, reader) = read(rows, Arc::clone(&asker.plan), before, parallel);
        let answers = batches.map(|batch| async { asker.ask(batch?).await });
        let mut answers = std::pin::pin!(answers.buffered(parallel));
        let mut stopped = None;
        while let Some(answer) = answers.next().await {
            let written = match answer {
                Ok(done) => self.write(done).await,
                Err(failure) => Err(failure),
            };
            if written.is_err() {
                stopped = written.err();
                break;
            }
        }
        self.meter = None;
        if let Some(failure) = stopped {
            if self.journal.rows > self.saved_rows && !self.broken {
                self.save().await?;
            }
            return Err(failure);
        }
        if let Err(panicked) = reader.await {
            std::panic::resume_unwind(panicked.into_panic());
        }
        self.end(asker).await
    }

    /// Makes what is written a result that is whole.
    async fn end(&mut self, asker: &Asker) -> Result<(), Failure> {
        if self.journal.rows == 0 {
            let (file, what) = (asker.file.clone(), "rows");
            return Err(TableError::Empty { file, what }.into());
        }
        if self.journal.columns.is_empty() {
            // No row could be answered: what is kept is known all the same.
            self.journal.columns = asker.kept();
            let output = self.output.as_mut();
            let output = output.expect("it is put back after each write");
            output.head(&self.journal.columns)?;
        }
        self.journal.whole = true;
        self.save().await
    }

    /// Refuses to keep other columns than were kept before.
    fn keeps(&self, kept: &[Column]) -> Result<(), ResultError> {
        let before = &self.journal.columns;
        let kept_before: Vec<_> = before
            .iter()
            .filter(|column| column.datatype.is_none())
            .collect();
        if before.is_empty() || kept_before.iter().copied().eq(kept) {
            return Ok(());
        }
        let (before, now) = (names(kept_before.into_iter()), names(kept.iter()));
        let what = format!("it was begun to keep {before}, and this keeps {now}");
        Err(ResultError::begun_otherwise(what))
    }

    /// What it has written, and how far it has come.
    pub(super) fn into_parts(self) -> (Output, Journal) {
        let output = self.output.expect("it is put back after each write");
        (output, self.journal)
    }

    /// Takes down who answers, if it is who answered before.
    pub(super) fn is_of(
        &mut self,
        version: Option<String>,
        digest: Option<String>,
    ) -> Result<(), ResultError> {
        let journal = &mut self.journal;
        same_version(&journal.version, &journal.digest, &version, &digest)?;
        journal.version = journal.version.take().or(version);
        journal.digest = journal.digest.take().or(digest);
        Ok(())
    }

    /// Takes down the columns of an answer, and tells whether they are the first.
    fn take_columns(&mut self, columns: Vec<Column>) -> Result<bool, Failure> {
        if self.journal.columns.is_empty() {
            if let Some(name) = twice(&columns) {
                return Err(TableError::Collision(name).into());
            }
            self.journal.columns = columns;
            return Ok(true);
        }
        if self.journal.columns != columns {
            return Err(ResultError::OtherColumns.into());
        }
        Ok(false)
    }

    /// Writes a batch that is done, and makes it last now and then.
    async fn write(&mut self, done: Done) -> Result<(), Failure> {
        self.is_of(done.version, done.digest)?;
        let begins = match done.columns {
            Some(columns) => self.take_columns(columns)?,
            None => false,
        };
        let columns = self.journal.columns.clone();
        let mut output = self.output.take().expect("it is put back after each write");
        let rows = done.rows;
        let failed = rows.iter().filter(|(_, row)| row.is_err()).count() as u64;
        let (output, written) = on_blocking_pool(move || {
            let written = (|| -> Result<(), FileError> {
                if begins && output.is_empty() {
                    output.head(&columns)?;
                }
                let good = rows.iter().filter_map(|(_, row)| row.as_deref().ok());
                output.rows(&columns, good)?;
                rows.iter().try_for_each(|(number, row)| match row {
                    Err(error) => output.error(*number, error),
                    Ok(_) => Ok(()),
                })
            })();
            (output, written)
        })
        .await;
        self.output = Some(output);
        self.broken = written.is_err();
        written?;
        self.journal.failed += failed;
        self.journal.rows = done.rows_done;
        self.journal.input = done.input;
        if let Some(meter) = &self.meter {
            meter.advance(done.bytes);
        }
        let is_first = self.saved_rows == 0;
        let is_much = self.journal.rows - self.saved_rows >= SAVE_ROWS;
        if is_first || is_much || self.saved_at.elapsed() >= SAVE_TIME {
            self.save().await?;
        }
        Ok(())
    }

    /// Makes what is written last.
    async fn save(&mut self) -> Result<(), Failure> {
        let mut output = self.output.take().expect("it is put back after each write");
        let mut journal = self.journal.clone();
        let (output, saved) = on_blocking_pool(move || {
            let saved = output.save(&mut journal).map(|()| journal);
            (output, saved)
        })
        .await;
        self.output = Some(output);
        self.broken = saved.is_err();
        self.journal = saved?;
        self.saved_rows = self.journal.rows;
        self.saved_at = Instant::now();
        Ok(())
    }
}

/// The rows in batches, read ahead by as many as are asked at once.
fn read(
    rows: Rows,
    plan: Arc<Plan>,
    before: Option<Before>,
    ahead: usize,
) -> (impl Stream<Item = Result<Batch, Failure>>, JoinHandle<()>) {
    let (to, from) = mpsc::channel(ahead);
    let reader = tokio::task::spawn_blocking(move || {
        batches::send(rows, &plan, before.as_ref(), &to);
    });
    let batches = stream::unfold(from, |mut from| async {
        let batch = from.recv().await?;
        Some((batch, from))
    });
    (batches, reader)
}

fn names<'a>(columns: impl Iterator<Item = &'a Column>) -> String {
    let names: Vec<_> = columns.map(|column| column.name.clone()).collect();
    error::told(&names)
}

/// A name that two columns have.
fn twice(columns: &[Column]) -> Option<String> {
    let mut seen = HashSet::new();
    let twice = columns.iter().find(|column| !seen.insert(&column.name));
    twice.map(|column| column.name.clone())
}
