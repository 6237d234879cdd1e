//! Rows of CSV and TSV.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::ByteRecord;

use super::{MAX_ROW_BYTES, READ_BYTES, ReadRow, Row, not_read};
use crate::ops::predict::cell::Cell;
use crate::ops::predict::error::{Flaw, Place, RowError, TableError};
use crate::record::Failure;

pub(super) struct Reader {
    rows: csv::Reader<Bounded>,
    width: usize,
    record: ByteRecord,
    since_row: Arc<AtomicU64>,
}

/// A file of which no more is read between two rows than a row may have.
struct Bounded {
    file: Box<dyn Read + Send>,
    since_row: Arc<AtomicU64>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since_row.load(Ordering::Relaxed) > MAX_ROW_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let count = self.file.read(buffer)?;
        self.since_row.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Reader {
    pub(super) fn open(
        file: Box<dyn Read + Send>,
        delimiter: u8,
        name: &str,
    ) -> Result<(Self, Vec<String>), Failure> {
        let since_row = Arc::new(AtomicU64::new(0));
        let bounded = Bounded {
            file,
            since_row: Arc::clone(&since_row),
        };
        let mut rows = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .buffer_capacity(READ_BYTES)
            .from_reader(bounded);
        let head = match rows.byte_headers() {
            Ok(head) => head.clone(),
            Err(error) => return Err(failed(error, Place::Line(1), name)),
        };
        if head.is_empty() {
            return Err(TableError::Empty {
                file: name.to_owned(),
                what: "rows",
            }
            .into());
        }
        let head: Result<Vec<_>, _> = head
            .iter()
            .map(|column| std::str::from_utf8(column).map(str::to_owned))
            .collect();
        let head = head.map_err(|error| TableError::Unreadable {
            file: name.to_owned(),
            format: "CSV",
            reason: format!("its first line is not in UTF-8: {error}"),
        })?;
        let width = head.len();
        let record = ByteRecord::new();
        Ok((
            Self {
                rows,
                width,
                record,
                since_row,
            },
            head,
        ))
    }

    pub(super) fn next(&mut self, read: &[usize], name: &str) -> Result<Option<ReadRow>, Failure> {
        let line = self.rows.position().line();
        match self.rows.read_byte_record(&mut self.record) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => return Err(failed(error, Place::Line(line), name)),
        }
        self.since_row.store(0, Ordering::Relaxed);
        let line = self.record.position().map_or(line, csv::Position::line);
        Ok(Some(self.row(line, read)))
    }

    fn row(&self, line: u64, read: &[usize]) -> ReadRow {
        let place = Place::Line(line);
        let found = self.record.len();
        if found != self.width {
            let flaw = Flaw::Ragged {
                wanted: self.width,
                found,
            };
            return Err(RowError {
                place,
                column: None,
                flaw,
            });
        }
        let cells = read.iter().map(|&column| {
            let text = std::str::from_utf8(&self.record[column]).ok()?;
            Some(Cell::Raw(text.to_owned()))
        });
        match cells.collect() {
            Some(cells) => Ok(Row { place, cells }),
            None => Err(RowError {
                place,
                column: None,
                flaw: Flaw::NotUtf8,
            }),
        }
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.rows.position().byte()
    }
}

fn failed(error: csv::Error, place: Place, name: &str) -> Failure {
    let reason = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            TableError::LongRow { place }.into()
        }
        csv::ErrorKind::Io(error) => not_read(name)(error),
        _ => TableError::Unreadable {
            file: name.to_owned(),
            format: "CSV",
            reason,
        }
        .into(),
    }
}
