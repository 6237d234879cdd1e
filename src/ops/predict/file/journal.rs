//! What a run that was broken off had done: `FILE.journal`, beside the result.
//!
//! ```json
//! {"format":1,"model":"vision/digits","version":"1.0.0","digest":"sha256:…",
//!  "columns":[{"name":"id"},{"name":"label","datatype":"INT64"}],
//!  "rows":4096,"failed":2,"input":"sha256:…","bytes":81920,"errorBytes":310,"whole":false}
//! ```
//!
//! It says how many rows of the input are done, and how many bytes of `FILE.partial` are theirs.
//! It is replaced only after those bytes are on the disk: whoever is killed in between leaves
//! bytes behind that the journal does not speak of, which the next run cuts off. `input` is the
//! digest of the rows that are done, so that what comes behind them may change, be mended or
//! grow, and they may not.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::ResultError;
use crate::platform::atomic::{self, FileError, Readers};
use crate::record::Failure;
use crate::record::kind::Datatype;

/// The only form there is yet.
const FORMAT: u32 = 1;
/// The largest journal: that of a result with as many columns as there may be.
const MAX_JOURNAL_BYTES: u64 = 16 * 1024 * 1024;

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Journal {
    format: u32,
    /// The model.
    pub(super) model: String,
    /// The version that answers, if it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    /// The bytes that answer, if it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) digest: Option<String>,
    /// The result's columns: those that are kept, then the outputs.
    pub(super) columns: Vec<Column>,
    /// How many rows of the input are done.
    pub(super) rows: u64,
    /// How many of them could not be answered.
    pub(super) failed: u64,
    /// The digest of these rows.
    pub(super) input: String,
    /// How many bytes of the partial result are theirs.
    pub(super) bytes: u64,
    /// How many bytes of the errors are theirs.
    pub(super) error_bytes: u64,
    /// Whether that is all, and only names are left to be given.
    pub(super) whole: bool,
}

/// A column of the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Column {
    /// What it is called.
    pub(super) name: String,
    /// What an output's elements are; a kept column has what comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) datatype: Option<Datatype>,
}

impl Journal {
    /// Nothing is done yet.
    pub(super) fn new(model: String) -> Self {
        Self {
            format: FORMAT,
            model,
            version: None,
            digest: None,
            columns: Vec::new(),
            rows: 0,
            failed: 0,
            input: String::new(),
            bytes: 0,
            error_bytes: 0,
            whole: false,
        }
    }

    /// The journal at `path`, if there is one.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, Failure> {
        let Some(bytes) = atomic::read_if_there(path, MAX_JOURNAL_BYTES)? else {
            return Ok(None);
        };
        let journal = serde_json::from_slice::<Self>(&bytes).ok();
        match journal.filter(|journal| journal.format == FORMAT) {
            Some(journal) => Ok(Some(journal)),
            None => Err(ResultError::begun_otherwise(format!(
                "{} is no journal of ours",
                path.display()
            ))
            .into()),
        }
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), FileError> {
        let bytes = serde_json::to_vec(self).expect("a journal's keys are strings");
        atomic::write(path, &bytes, Readers::Umask)
    }
}
