//! Rows of the input in batches, each as many as one request asks for.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::Sender;

use super::OnError;
use super::error::{ResultError, StoppedAt};
use crate::ops::predict::cell::Cell;
use crate::ops::predict::columns::{Columns, Sample};
use crate::ops::predict::error::{Place, RowError};
use crate::ops::predict::rows::{ReadRow, Rows};
use crate::record::kind::Tensor;
use crate::record::{Digest, Failure};

/// The most bytes of tensors in a batch, but for a single row's: what stays well below what
/// runtimes take in one request, as JSON too.
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;

/// The most rows of a batch that can't be asked: they take no place in the request, but some in
/// memory.
const MAX_BAD_ROWS: usize = 100_000;

/// What batches are made of.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) columns: Columns,
    pub(super) inputs: Vec<Tensor>,
    /// How many rows a request has where the version leaves it open.
    pub(super) batch_size: usize,
    pub(super) on_error: OnError,
}

/// Rows that are asked in one request.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) rows: Vec<Asked>,
    /// How many rows of the input are done when this is, and their digest.
    pub(super) rows_done: u64,
    pub(super) digest: String,
    /// How many bytes of the input it is.
    pub(super) bytes: u64,
}

/// A row that is to be asked.
#[derive(Debug)]
pub(super) struct Asked {
    /// Its number, from 1.
    pub(super) number: u64,
    pub(super) place: Place,
    pub(super) kept: Vec<Cell>,
    pub(super) samples: Result<Vec<Sample>, RowError>,
}

/// Where an earlier run was broken off.
#[derive(Debug, Clone)]
pub(super) struct Before {
    pub(super) rows: u64,
    pub(super) digest: String,
}

/// Reads `rows` and sends them in batches, until the end, a row that can't be asked, or nobody
/// who takes them.
pub(super) fn send(
    mut rows: Rows,
    plan: &Arc<Plan>,
    before: Option<&Before>,
    to: &Sender<Result<Batch, Failure>>,
) {
    let mut reading = Reading {
        digest: Sha256::new(),
        number: 0,
        bytes: 0,
    };
    for name in &plan.columns.names {
        Cell::Raw(name.clone()).digest(&mut reading.digest);
    }
    let mut sent = before.map_or(Ok(()), |before| reading.skip(&mut rows, plan, before));
    while sent.is_ok() {
        match reading.batch(&mut rows, plan) {
            Ok(None) => return,
            Ok(Some(batch)) => {
                // Nobody takes it once the asking has failed.
                if to.blocking_send(Ok(batch)).is_err() {
                    return;
                }
            }
            Err(failure) => sent = Err(failure),
        }
    }
    if let Err(failure) = sent {
        // The same.
        let _ = to.blocking_send(Err(failure));
    }
}

/// How far the input is read.
struct Reading {
    digest: Sha256,
    number: u64,
    bytes: u64,
}

impl Reading {
    fn next(&mut self, rows: &mut Rows, plan: &Plan) -> Result<Option<ReadRow>, Failure> {
        let read = rows.next(&plan.columns.read)?;
        match &read {
            None => return Ok(None),
            Some(Ok(row)) => row
                .cells
                .iter()
                .for_each(|cell| cell.digest(&mut self.digest)),
            Some(Err(error)) => Cell::Text(error.to_string()).digest(&mut self.digest),
        }
        self.number += 1;
        Ok(read)
    }

    /// The digest of what is read.
    fn digest(&self) -> String {
        let digest: [u8; 32] = self.digest.clone().finalize().into();
        Digest::from_bytes(digest).to_string()
    }

    /// Passes over the rows that are done, which have to be those that they were.
    fn skip(&mut self, rows: &mut Rows, plan: &Plan, before: &Before) -> Result<(), Failure> {
        let changed = || {
            let what = format!(
                "the first {} rows of {} are other ones by now",
                before.rows, rows.name
            );
            ResultError::begun_otherwise(what)
        };
        let changed = changed();
        while self.number < before.rows {
            if self.next(rows, plan)?.is_none() {
                return Err(changed.into());
            }
        }
        if self.digest() != before.digest {
            return Err(changed.into());
        }
        Ok(())
    }

    fn batch(&mut self, rows: &mut Rows, plan: &Plan) -> Result<Option<Batch>, Failure> {
        let columns = &plan.columns;
        let most = columns.most(plan.batch_size);
        let (mut asked, mut good, mut bytes) = (Vec::new(), 0, 0);
        let is_fixed = columns.batch.is_some();
        while good < most
            && (bytes < MAX_BATCH_BYTES || is_fixed)
            && asked.len() < most + MAX_BAD_ROWS
        {
            let Some(read) = self.next(rows, plan)? else {
                break;
            };
            let (place, kept, samples) = match read {
                Ok(row) => {
                    let kept = columns
                        .kept
                        .iter()
                        .map(|&(_, place)| row.cells[place].clone());
                    let kept = kept.collect();
                    let samples = columns.samples(&row, &plan.inputs);
                    (row.place, kept, samples)
                }
                Err(error) => (error.place.clone(), Vec::new(), Err(error)),
            };
            match samples {
                Err(error) if plan.on_error == OnError::Stop => {
                    return Err(StoppedAt {
                        file: rows.name.clone(),
                        error,
                    }
                    .into());
                }
                Ok(ref samples) => {
                    good += 1;
                    bytes += samples.iter().map(size).sum::<usize>();
                }
                Err(_) => {}
            }
            asked.push(Asked {
                number: self.number,
                place,
                kept,
                samples,
            });
        }
        if asked.is_empty() {
            return Ok(None);
        }
        let before = std::mem::replace(&mut self.bytes, rows.bytes_read());
        Ok(Some(Batch {
            rows: asked,
            rows_done: self.number,
            digest: self.digest(),
            bytes: self.bytes.saturating_sub(before),
        }))
    }
}

/// About how many bytes a sample has.
fn size(sample: &Sample) -> usize {
    use crate::protocol::Elements;
    match &sample.elements {
        Elements::Bytes(all) => all.iter().map(|bytes| bytes.len() + 8).sum(),
        elements => elements.len() * 4,
    }
}
