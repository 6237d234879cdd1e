//! Batches are asked, and what is answered becomes rows of the result.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;

use super::OnError;
use super::answer::Answer;
use super::batches::{Asked, Batch, Plan};
use super::error::{ResultError, StoppedAt};
use super::journal::Column;
use crate::ops::predict::cell::Cell;
use crate::ops::predict::columns::Sample;
use crate::ops::predict::error::{Flaw, RowError};
use crate::platform::retry::Policy;
use crate::record::kind::Tensor;
use crate::record::{Failure, Fault};
use crate::target::runtime::client::{Answered, AskError, Client};

/// How long a gateway is waited for that restarts, or is too busy: about a minute and a half.
pub(super) const FOR_GATEWAY: Policy = Policy {
    attempts: 12,
    first_wait: Duration::from_millis(250),
    longest_wait: Duration::from_secs(15),
};
/// A runtime of our own that does not answer has ended.
pub(super) const FOR_RUNTIME: Policy = Policy {
    attempts: 1,
    first_wait: Duration::ZERO,
    longest_wait: Duration::ZERO,
};

/// Who is asked.
#[derive(Debug)]
pub(super) struct Asker {
    pub(super) client: Client,
    /// What it calls the model.
    pub(super) model: String,
    pub(super) policy: Policy,
    pub(super) outputs: Vec<Tensor>,
    pub(super) plan: Arc<Plan>,
    /// What the input is called.
    pub(super) file: String,
}

/// A batch with what was answered.
#[derive(Debug)]
pub(super) struct Done {
    /// A row of the result for each row that was asked, or why there is none, with its number.
    pub(super) rows: Vec<(u64, Result<Vec<Cell>, RowError>)>,
    /// The result's columns, if a row was answered.
    pub(super) columns: Option<Vec<Column>>,
    /// Who answered, if it was told.
    pub(super) version: Option<String>,
    pub(super) digest: Option<String>,
    pub(super) rows_done: u64,
    pub(super) input: String,
    pub(super) bytes: u64,
}

impl Asker {
    /// The result's columns that are the input's.
    pub(super) fn kept(&self) -> Vec<Column> {
        let kept = self.plan.columns.kept.iter();
        let column = |(name, _): &(String, usize)| Column {
            name: name.clone(),
            datatype: None,
        };
        kept.map(column).collect()
    }

    /// Asks a batch.
    ///
    /// A batch that is refused is asked again by halves, down to the row that is refused.
    pub(super) async fn ask(&self, batch: Batch) -> Result<Done, Failure> {
        let mut done = Done {
            rows: Vec::with_capacity(batch.rows.len()),
            columns: None,
            version: None,
            digest: None,
            rows_done: batch.rows_done,
            input: batch.digest,
            bytes: batch.bytes,
        };
        let mut good = Vec::new();
        let mut parts = Vec::new();
        for Asked {
            number,
            place,
            kept,
            samples,
        } in batch.rows
        {
            match samples {
                Err(error) => done.rows.push((number, Err(error))),
                Ok(samples) => {
                    good.push(samples);
                    parts.push((number, place, kept));
                }
            }
        }
        let answers = self.answers(&good, &mut done).await?;
        for ((number, place, kept), answer) in parts.into_iter().zip(answers) {
            match answer {
                Ok(cells) => done
                    .rows
                    .push((number, Ok(kept.into_iter().chain(cells).collect()))),
                Err(flaw) => {
                    let error = RowError {
                        place,
                        column: None,
                        flaw,
                    };
                    if self.plan.on_error == OnError::Stop {
                        return Err(StoppedAt {
                            file: self.file.clone(),
                            error,
                        }
                        .into());
                    }
                    done.rows.push((number, Err(error)));
                }
            }
        }
        done.rows.sort_by_key(|(number, _)| *number);
        Ok(done)
    }

    /// What is answered to each of `rows`.
    async fn answers(
        &self,
        rows: &[Vec<Sample>],
        done: &mut Done,
    ) -> Result<Vec<Result<Vec<Cell>, Flaw>>, Failure> {
        let mut answers = Vec::with_capacity(rows.len());
        if let Some(wanted) = self
            .plan
            .columns
            .batch
            .filter(|&wanted| wanted != rows.len())
        {
            let left_over = |_| {
                Err(Flaw::LeftOver {
                    wanted,
                    found: rows.len(),
                })
            };
            return Ok(rows.iter().map(left_over).collect());
        }
        let all = 0..rows.len();
        let mut open = Vec::from_iter(Some(all));
        while let Some(range) = open.pop() {
            if range.is_empty() {
                continue;
            }
            let part: Vec<&[Sample]> = rows[range.clone()].iter().map(Vec::as_slice).collect();
            match self.asked(&part).await {
                Ok(answered) => {
                    let answer = Answer::of(&answered.response, part.len(), &self.outputs)?;
                    self.take(done, &answered, answer.columns)?;
                    answers.extend(answer.rows.into_iter().map(Ok));
                }
                Err(error) if is_of_its_rows(&error) => {
                    if range.len() > 1 && self.plan.columns.batch.is_none() {
                        let middle = range.start + range.len() / 2;
                        open.push(middle..range.end);
                        open.push(range.start..middle);
                        continue;
                    }
                    let reason = match &error {
                        AskError::Refused { reason, .. } => reason.clone(),
                        error => error.to_string(),
                    };
                    answers.extend(range.map(|_| Err(Flaw::Refused(reason.clone()))));
                    // The others of the batch may be asked for nothing: it stops here.
                    if self.plan.on_error == OnError::Stop {
                        return Ok(answers);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(answers)
    }

    async fn asked(&self, rows: &[&[Sample]]) -> Result<Answered, AskError> {
        let mut request = self.plan.columns.request(rows, &self.plan.inputs);
        // Whoever knows raw bytes can say a NaN by them; whoever does not answers in JSON.
        request.binary_output = true;
        self.policy
            .run(|| self.client.answer(&self.model, &request))
            .await
    }

    /// Holds who answered, and with which columns, against what was answered before.
    fn take(
        &self,
        done: &mut Done,
        answered: &Answered,
        outputs: Vec<Column>,
    ) -> Result<(), ResultError> {
        let version = answered
            .version
            .clone()
            .or_else(|| answered.response.model_version.clone());
        same_version(&done.version, &done.digest, &version, &answered.digest)?;
        done.version = done.version.take().or(version);
        done.digest = done.digest.take().or_else(|| answered.digest.clone());
        let columns: Vec<_> = self.kept().into_iter().chain(outputs).collect();
        match &done.columns {
            Some(before) if *before != columns => Err(ResultError::OtherColumns),
            Some(_) => Ok(()),
            None => {
                done.columns = Some(columns);
                Ok(())
            }
        }
    }
}

/// Whether two answers are of the same version, as far as it is told.
pub(super) fn same_version(
    version: &Option<String>,
    digest: &Option<String>,
    new_version: &Option<String>,
    new_digest: &Option<String>,
) -> Result<(), ResultError> {
    let differ = |one: &Option<String>, other: &Option<String>| matches!((one, other), (Some(one), Some(other)) if one != other);
    if differ(digest, new_digest) || differ(version, new_version) {
        let told = |version: &Option<String>, digest: &Option<String>| {
            let texts = [version, digest].into_iter().flatten();
            texts.cloned().collect::<Vec<_>>().join(" ")
        };
        return Err(ResultError::OtherVersion {
            before: told(version, digest),
            now: told(new_version, new_digest),
        });
    }
    Ok(())
}

/// Whether another request may be answered, though this one is not.
fn is_of_its_rows(error: &AskError) -> bool {
    match error {
        AskError::Refused { status, .. } => matches!(
            *status,
            StatusCode::BAD_REQUEST
                | StatusCode::PAYLOAD_TOO_LARGE
                | StatusCode::UNPROCESSABLE_ENTITY
                | StatusCode::INTERNAL_SERVER_ERROR
        ),
        error => matches!(error, AskError::TooLarge { .. }) || error.code().id == "invalid-request",
    }
}
