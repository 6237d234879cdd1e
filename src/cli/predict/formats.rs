//! What a file is, by its name or by what is said of it.

use std::path::Path;

use clap::ValueEnum;

use crate::ops::codes;
use crate::ops::predict::RowFormat;
use crate::ops::predict::file::ResultFormat;
use crate::platform::redact::printable;
use crate::record::{Code, Fault};

/// What an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum InputFormat {
    /// A request of the Open Inference Protocol
    Json,
    /// A table with commas, its first line the names of its columns
    Csv,
    /// The same with tabs
    Tsv,
    /// A JSON object a line
    Jsonl,
    /// Apache Parquet
    Parquet,
    /// A folder of PNG and JPEG files, or one of them
    Images,
}

/// Why there can be no file of results.
#[derive(Debug, thiserror::Error)]
pub(super) enum FormatError {
    /// The input is one request.
    #[error("{} is one request, and --to writes a row for each row of a file", printable(.0))]
    OneRequest(String),
    /// The result's name says nothing.
    #[error("the name of {} does not say what it is to be", printable(.0))]
    NoExtension(String),
}

impl Fault for FormatError {
    fn code(&self) -> &'static Code {
        &codes::NO_ROWS_ASKED
    }

    fn help(&self) -> Option<String> {
        Some(
            match self {
                Self::OneRequest(_) => {
                    "say by --input-format what it is, or leave --to out and add --output json"
                }
                Self::NoExtension(_) => "end it with .csv, .tsv, .jsonl or .parquet",
            }
            .to_owned(),
        )
    }
}

impl InputFormat {
    /// What the name of `file` says; a request where it says nothing.
    pub(super) fn told_by(file: &Path) -> Self {
        if file.is_dir() {
            return Self::Images;
        }
        match extension(file).as_deref() {
            Some("csv") => Self::Csv,
            Some("tsv") => Self::Tsv,
            Some("jsonl" | "ndjson") => Self::Jsonl,
            Some("parquet" | "pq") => Self::Parquet,
            Some("png" | "jpg" | "jpeg") => Self::Images,
            _ => Self::Json,
        }
    }

    /// What rows it has, unless it is one request.
    pub(super) const fn rows(self) -> Option<RowFormat> {
        Some(match self {
            Self::Json => return None,
            Self::Csv => RowFormat::Csv,
            Self::Tsv => RowFormat::Tsv,
            Self::Jsonl => RowFormat::JsonLines,
            Self::Parquet => RowFormat::Parquet,
            Self::Images => RowFormat::Images,
        })
    }
}

/// What the name of a result says that it is to be.
pub(super) fn result(file: &Path) -> Result<ResultFormat, FormatError> {
    match extension(file).as_deref() {
        Some("csv") => Ok(ResultFormat::Csv),
        Some("tsv") => Ok(ResultFormat::Tsv),
        Some("jsonl" | "ndjson") => Ok(ResultFormat::JsonLines),
        Some("parquet" | "pq") => Ok(ResultFormat::Parquet),
        _ => Err(FormatError::NoExtension(file.display().to_string())),
    }
}

fn extension(file: &Path) -> Option<String> {
    Some(file.extension()?.to_str()?.to_ascii_lowercase())
}
