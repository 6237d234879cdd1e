//! The rows of a file, one after the other, never all of them at once.
//!
//! Each format gives the same: a head that names columns, and rows of cells of those columns that
//! are wanted. What is wrong with one row is that row's; what can't be read on ends them all.

mod images;
mod json_lines;
mod parquet;
mod separated;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::cell::Cell;
use super::error::{Place, RowError, TableError};
use crate::platform::atomic::FileError;
use crate::record::Failure;

/// The longest row of a text file, and the longest line: what no row of numbers or text for a
/// model comes near to, and every machine can hold.
pub(super) const MAX_ROW_BYTES: u64 = 16 * 1024 * 1024;
/// How much of a text file is read at once.
const READ_BYTES: usize = 64 * 1024;

/// What a file of rows is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFormat {
    /// Text with commas, its first line the columns' names.
    Csv,
    /// The same with tabs.
    Tsv,
    /// A JSON object a line.
    JsonLines,
    /// Apache Parquet.
    Parquet,
    /// A folder of images, or one of them.
    Images,
}

/// Where rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file or a folder.
    Path(PathBuf),
    /// Standard input.
    Stdin,
}

/// One row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Where it is.
    pub(super) place: Place,
    /// Its cells, in the order in which they were wanted.
    pub(super) cells: Vec<Cell>,
}

/// What is read of a row; an error of its own if it can't be asked.
pub(super) type ReadRow = Result<Row, RowError>;

/// A file that is open, its head read.
pub(super) struct Rows {
    /// What it is called in errors.
    pub(super) name: String,
    /// Its columns.
    pub(super) head: Vec<String>,
    /// How large it is; none where nobody knows.
    pub(super) bytes: Option<u64>,
    /// How many files are no images.
    pub(super) left_alone: u64,
    reader: Reader,
}

enum Reader {
    Separated(separated::Reader),
    JsonLines(json_lines::Reader),
    Parquet(parquet::Reader),
    Images(images::Reader),
}

impl Rows {
    /// Opens what is at `origin`, and reads its head.
    ///
    /// # Errors
    /// If it can't be read, is none of `format`, or is empty.
    pub(super) fn open(origin: &Origin, format: RowFormat) -> Result<Self, Failure> {
        let name = origin.name();
        let mut rows = match format {
            RowFormat::Csv | RowFormat::Tsv => {
                let (file, bytes) = origin.text()?;
                let delimiter = if format == RowFormat::Csv {
                    b','
                } else {
                    b'\t'
                };
                let (reader, head) = separated::Reader::open(file, delimiter, &name)?;
                Self::new(name, head, bytes, Reader::Separated(reader))
            }
            RowFormat::JsonLines => {
                let (file, bytes) = origin.text()?;
                let (reader, head) = json_lines::Reader::open(file, &name)?;
                Self::new(name, head, bytes, Reader::JsonLines(reader))
            }
            RowFormat::Parquet => {
                let path = origin.path("Parquet")?;
                let (reader, head) = parquet::Reader::open(path, &name)?;
                let bytes = Some(reader.bytes());
                Self::new(name, head, bytes, Reader::Parquet(reader))
            }
            RowFormat::Images => {
                let path = origin.path("an image")?;
                let found = images::find(path, &name)?;
                let reader = Reader::Images(images::Reader::new(path));
                let mut rows = Self::new(name, Vec::new(), Some(found.bytes), reader);
                rows.left_alone = found.left_alone;
                rows
            }
        };
        rows.head
            .iter_mut()
            .for_each(|name| *name = name.trim().to_owned());
        Ok(rows)
    }

    fn new(name: String, head: Vec<String>, bytes: Option<u64>, reader: Reader) -> Self {
        Self {
            name,
            head,
            bytes,
            left_alone: 0,
            reader,
        }
    }

    /// The next row, with the cells of the columns `read`, places in the head; `None` at the end.
    ///
    /// # Errors
    /// If what follows can't be read at all.
    pub(super) fn next(&mut self, read: &[usize]) -> Result<Option<ReadRow>, Failure> {
        match &mut self.reader {
            Reader::Separated(reader) => reader.next(read, &self.name),
            Reader::JsonLines(reader) => reader.next(read, &self.head, &self.name),
            Reader::Parquet(reader) => reader.next(read, &self.name),
            Reader::Images(reader) => reader.next(),
        }
    }

    /// How many bytes of the file lie behind.
    pub(super) fn bytes_read(&self) -> u64 {
        match &self.reader {
            Reader::Separated(reader) => reader.bytes_read(),
            Reader::JsonLines(reader) => reader.bytes_read(),
            Reader::Parquet(reader) => reader.bytes_read(),
            Reader::Images(reader) => reader.bytes_read(),
        }
    }
}

impl Origin {
    /// What it is called in errors.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Path(path) => match path.file_name() {
                Some(name) => name.to_string_lossy().into_owned(),
                None => path.display().to_string(),
            },
            Self::Stdin => "standard input".to_owned(),
        }
    }

    fn path(&self, what: &'static str) -> Result<&Path, TableError> {
        match self {
            Self::Path(path) => Ok(path),
            Self::Stdin => Err(TableError::NotFromStdin(what)),
        }
    }

    fn text(&self) -> Result<(Box<dyn Read + Send>, Option<u64>), FileError> {
        let Self::Path(path) = self else {
            return Ok((Box::new(io::stdin()), None));
        };
        let file = File::open(path).map_err(FileError::at("read", path))?;
        let about = file.metadata().map_err(FileError::at("read", path))?;
        if about.is_dir() {
            let folder = io::Error::from(io::ErrorKind::IsADirectory);
            return Err(FileError::at("read", path)(folder));
        }
        // A pipe or a device has no size to be told.
        let bytes = about.is_file().then_some(about.len());
        Ok((Box::new(file), bytes))
    }
}

/// What the operating system says while `name` is read.
fn not_read(name: &str) -> impl FnOnce(io::Error) -> Failure {
    let failed = FileError::at("read", name);
    move |error| failed(error).into()
}
