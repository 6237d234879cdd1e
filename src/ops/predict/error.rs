//! What can be wrong with a file that is to be answered.

use std::fmt;
use std::path::PathBuf;

use super::cell::quoted;
use super::rows::MAX_ROW_BYTES;
use crate::ops::codes;
use crate::platform::redact::printable;
use crate::record::kind::Datatype;
use crate::record::{Code, Fault};

/// Where a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The line at which it begins, from 1.
    Line(u64),
    /// Its number, from 1.
    Row(u64),
    /// The file that it is.
    File(String),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(formatter, "line {line}"),
            Self::Row(row) => write!(formatter, "row {row}"),
            Self::File(path) => write!(formatter, "file {}", quoted(path)),
        }
    }
}

/// Why a row can't be asked; others can.
#[derive(Debug, thiserror::Error)]
#[error("{place}{}: {flaw}", column.as_ref().map(|column| format!(", column {}", quoted(column))).unwrap_or_default())]
pub struct RowError {
    /// Where the row is.
    pub place: Place,
    /// The column that is wrong, if one is.
    pub column: Option<String>,
    /// What is wrong.
    pub flaw: Flaw,
}

/// What is wrong with a row.
#[derive(Debug, thiserror::Error)]
pub enum Flaw {
    /// A cell that is none of its input's type.
    #[error("`{cell}` is no {datatype}")]
    Cell {
        /// What is in it.
        cell: String,
        /// What is wanted.
        datatype: Datatype,
    },
    /// A cell with nothing in it.
    #[error("it is empty, and has to be {datatype}")]
    Nothing {
        /// What is wanted.
        datatype: Datatype,
    },
    /// Another number of elements than the input has.
    #[error(
        "a list of {found}, where a sample of input {} has {wanted}",
        quoted(input)
    )]
    Count {
        /// The input.
        input: String,
        /// How many one sample has.
        wanted: usize,
        /// How many there are.
        found: usize,
    },
    /// More or fewer cells than the head.
    #[error("{found} cells, and the head has {wanted}")]
    Ragged {
        /// How many the head has.
        wanted: usize,
        /// How many there are.
        found: usize,
    },
    /// Not UTF-8.
    #[error("it is not in UTF-8")]
    NotUtf8,
    /// No JSON object.
    #[error("it is no JSON object: {0}")]
    NotJson(String),
    /// An image that can't be read.
    #[error("it can't be read as an image: {0}")]
    Image(String),
    /// An image that is larger than one may be.
    #[error("{0}")]
    TooLarge(String),
    /// The model does not take it.
    #[error("the model does not answer it: {}", printable(.0))]
    Refused(String),
    /// A version that takes a fixed number of rows at once, and there are fewer left.
    #[error("the version takes exactly {wanted} rows at once, and only {found} are left")]
    LeftOver {
        /// How many it takes.
        wanted: usize,
        /// How many there are.
        found: usize,
    },
}

impl RowError {
    /// Whether it is the model's word.
    fn is_refused(&self) -> bool {
        matches!(self.flaw, Flaw::Refused(_) | Flaw::LeftOver { .. })
    }
}

impl Fault for RowError {
    fn code(&self) -> &'static Code {
        match &self.flaw {
            Flaw::Image(_) | Flaw::TooLarge(_) => &codes::NOT_AN_IMAGE,
            _ if self.is_refused() => &codes::ROW_REFUSED,
            _ => &codes::NOT_A_TABLE,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match &self.flaw {
            Flaw::Cell { .. } | Flaw::Nothing { .. } => {
                "correct the cell, or leave out its row".to_owned()
            }
            Flaw::Image(_) | Flaw::TooLarge(_) => {
                "mend the image, or take it out of the folder".to_owned()
            }
            Flaw::LeftOver { .. } => {
                "add rows, or register a version whose first size is -1".to_owned()
            }
            Flaw::Refused(_) => "see what the model takes by `modelyard show`".to_owned(),
            _ => "correct the row, or leave it out".to_owned(),
        })
    }
}

/// Why a file makes no request.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It can't be read as what it is said to be.
    #[error("{} can't be read as {format}: {reason}", quoted(file))]
    Unreadable {
        /// The file.
        file: String,
        /// What it should be.
        format: &'static str,
        /// Why not.
        reason: String,
    },
    /// It has nothing in it to be answered.
    #[error("{} has no {what}", quoted(file))]
    Empty {
        /// The file or folder.
        file: String,
        /// `rows`, `images`, …
        what: &'static str,
    },
    /// A row that no memory would hold.
    #[error("{place}: the row has more than {MAX_ROW_BYTES} bytes")]
    LongRow {
        /// Where it begins.
        place: Place,
    },
    /// More than one request carries.
    #[error("{}", .0)]
    TooLarge(String),
    /// The record registers no inputs.
    #[error("the version registers no inputs, so that columns have nothing to become")]
    NoInputs,
    /// An input whose first size is not one a sample.
    #[error("input {} has the shape {shape}, which rows don't make", quoted(input))]
    NotRows {
        /// The input.
        input: String,
        /// Its shape.
        shape: String,
    },
    /// Inputs that take different numbers of rows.
    #[error("the inputs take different numbers of rows at once: {one} and {other}")]
    Batches {
        /// One.
        one: usize,
        /// Another.
        other: usize,
    },
    /// Columns that inputs need, or that are to be kept.
    #[error(
        "{} has no column {}: its columns are {}",
        quoted(file),
        told(missing),
        told(found)
    )]
    Missing {
        /// The file.
        file: String,
        /// Their names.
        missing: Vec<String>,
        /// What there is.
        found: Vec<String>,
        /// One that may be meant.
        nearest: Option<String>,
    },
    /// A column whose name another one has.
    #[error("{} has several columns {}", quoted(file), quoted(column))]
    Twice {
        /// The file.
        file: String,
        /// The name.
        column: String,
    },
    /// A column that is kept under the name of another one of the result.
    #[error("the result would have two columns {}", quoted(.0))]
    Collision(String),
    /// Standard input, of which only text is read.
    #[error("{0} can't be read from standard input")]
    NotFromStdin(&'static str),
    /// A folder could not be walked.
    #[error("can't read the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: walkdir::Error,
    },
}

/// How many names are told.
const TOLD: usize = 12;

pub(super) fn told(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let mut told: Vec<_> = names.iter().map(|name| quoted(name)).collect();
    if told.len() > TOLD {
        told.truncate(TOLD);
        told.push("…".to_owned());
    }
    told.join(", ")
}

impl Fault for TableError {
    fn code(&self) -> &'static Code {
        &codes::NOT_A_TABLE
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { .. } => {
                "say what it is by --input-format, if its name says otherwise".to_owned()
            }
            Self::Empty { what: "images", .. } => {
                "images are PNG or JPEG files, `.png`, `.jpg` or `.jpeg`".to_owned()
            }
            Self::Empty { .. } => "there has to be one row at least".to_owned(),
            Self::LongRow { .. } => "check that the file is what its name says".to_owned(),
            Self::TooLarge(_) => "write the answers into a file by --to".to_owned(),
            Self::NoInputs | Self::NotRows { .. } | Self::Batches { .. } => {
                "send a request of the Open Inference Protocol in JSON, or register inputs whose \
                 first size is -1, any number of rows"
                    .to_owned()
            }
            Self::Missing {
                nearest: Some(nearest),
                ..
            } => {
                format!(
                    "is {} meant? See the version's inputs by `modelyard show`",
                    quoted(nearest)
                )
            }
            Self::Missing { .. } => "see the version's inputs by `modelyard show`".to_owned(),
            Self::Twice { .. } => "give each column a name of its own".to_owned(),
            Self::Collision(column) => {
                let column = printable(column);
                format!("keep it under another name: --keep '{column}=NAME'")
            }
            Self::NotFromStdin(_) => "name the file".to_owned(),
            Self::Folder { .. } => "check who may read it".to_owned(),
        })
    }
}
