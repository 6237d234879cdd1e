//! Why a file of results is not made.

use std::path::PathBuf;

use parquet::errors::ParquetError;

use crate::ops::codes;
use crate::ops::predict::error::RowError;
use crate::platform::redact::printable;
use crate::record::{Class, Code, Fault};

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum ResultError {
    /// It is there.
    #[error("{} is there already", path.display())]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// Another run writes it.
    #[error("another run writes {}", path.display())]
    InUse {
        /// Where.
        path: PathBuf,
    },
    /// What an earlier run did is of something else.
    #[error("an earlier run can't be gone on with: {0}")]
    BegunOtherwise(String),
    /// Another version answers than before.
    #[error("another version answers than before: {now} now, {before} before")]
    OtherVersion {
        /// Which one did.
        before: String,
        /// Which one does.
        now: String,
    },
    /// An answer that is not a row for each row.
    #[error("output `{}` has the shape {shape:?}, which is not one row for each of {rows}", output.escape_debug())]
    NotRows {
        /// Which output.
        output: String,
        /// Its sizes.
        shape: Vec<u64>,
        /// How many rows were asked.
        rows: usize,
    },
    /// Outputs too large for columns.
    #[error("the outputs have more than {most} elements a row, which are too many columns")]
    TooWide {
        /// How many columns there may be.
        most: usize,
    },
    /// Not every answer has the same columns.
    #[error("the answers do not all have the same outputs, or not of the same size")]
    OtherColumns,
    /// It can't be made Parquet.
    #[error("can't write {} as Parquet", path.display())]
    NotWritten {
        /// The result.
        path: PathBuf,
        /// Why.
        #[source]
        source: ParquetError,
    },
}

impl ResultError {
    pub(super) fn begun_otherwise(what: impl Into<String>) -> Self {
        Self::BegunOtherwise(what.into())
    }
}

impl Fault for ResultError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Exists { .. } => &codes::RESULT_EXISTS,
            Self::InUse { .. } => &codes::RESULT_IN_USE,
            Self::BegunOtherwise(_) | Self::OtherVersion { .. } => &codes::BEGUN_OTHERWISE,
            Self::NotRows { .. }
            | Self::TooWide { .. }
            | Self::OtherColumns
            | Self::NotWritten { .. } => &codes::NO_RESULT_ROWS,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Exists { .. } => "choose another name, or replace it by --restart".to_owned(),
            Self::InUse { .. } => "wait for it, or choose another name".to_owned(),
            Self::BegunOtherwise(_) => {
                "begin anew by --restart, or write to another file".to_owned()
            }
            Self::OtherVersion { .. } => "go on with the version of before, by its number and \
                 without --environment and --gateway, or begin anew by --restart"
                .to_owned(),
            Self::NotRows { .. } => {
                "ask it by requests of the Open Inference Protocol in JSON".to_owned()
            }
            Self::TooWide { .. } | Self::OtherColumns => {
                "ask for single rows by requests of the Open Inference Protocol in JSON".to_owned()
            }
            Self::NotWritten { .. } => "choose `.jsonl` or `.csv` in its place".to_owned(),
        })
    }

    fn class(&self) -> Class {
        match self {
            Self::InUse { .. } => Class::Blocked,
            _ => Class::Permanent,
        }
    }
}

/// A row that could not be answered ended the run.
#[derive(Debug, thiserror::Error)]
#[error("{}, {error}", printable(file))]
pub struct StoppedAt {
    /// The input.
    pub file: String,
    /// The row, and what is wrong with it.
    pub error: RowError,
}

impl Fault for StoppedAt {
    fn code(&self) -> &'static Code {
        self.error.code()
    }

    fn help(&self) -> Option<String> {
        let help = self.error.help().unwrap_or_default();
        Some(format!("{help}; --on-error skip leaves such rows out"))
    }
}
