//! Rows of JSON Lines: an object a line, the first one's keys the columns.

use std::io::{BufRead, BufReader, Read};

use serde_json::{Map, Value};

use super::{MAX_ROW_BYTES, READ_BYTES, ReadRow, Row, not_read};
use crate::ops::predict::cell::Cell;
use crate::ops::predict::error::{Flaw, Place, RowError, TableError};
use crate::record::Failure;

pub(super) struct Reader {
    file: BufReader<Box<dyn Read + Send>>,
    line: Vec<u8>,
    number: u64,
    bytes: u64,
    /// The first line, which was read for its keys.
    first: Option<Map<String, Value>>,
}

impl Reader {
    pub(super) fn open(
        file: Box<dyn Read + Send>,
        name: &str,
    ) -> Result<(Self, Vec<String>), Failure> {
        let mut reader = Self {
            file: BufReader::with_capacity(READ_BYTES, file),
            line: Vec::new(),
            number: 0,
            bytes: 0,
            first: None,
        };
        if !reader.read_line(name)? {
            return Err(TableError::Empty {
                file: name.to_owned(),
                what: "rows",
            }
            .into());
        }
        // Its keys are needed, whatever becomes of rows that can't be read.
        let first = reader.object().map_err(|error| TableError::Unreadable {
            file: name.to_owned(),
            format: "JSON Lines",
            reason: error.to_string(),
        })?;
        let head = first.keys().cloned().collect();
        reader.first = Some(first);
        Ok((reader, head))
    }

    /// Reads the next line that is not blank.
    fn read_line(&mut self, name: &str) -> Result<bool, Failure> {
        loop {
            self.line.clear();
            let mut bounded = (&mut self.file).take(MAX_ROW_BYTES + 1);
            let count = bounded
                .read_until(b'\n', &mut self.line)
                .map_err(not_read(name))?;
            self.number += 1;
            self.bytes += count as u64;
            if count == 0 {
                return Ok(false);
            }
            if count as u64 > MAX_ROW_BYTES {
                let place = Place::Line(self.number);
                return Err(TableError::LongRow { place }.into());
            }
            if self.number == 1 && self.line.starts_with("\u{feff}".as_bytes()) {
                self.line.drain(..'\u{feff}'.len_utf8());
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    fn object(&self) -> Result<Map<String, Value>, RowError> {
        let flaw = |flaw| RowError {
            place: Place::Line(self.number),
            column: None,
            flaw,
        };
        let text = std::str::from_utf8(&self.line).map_err(|_| flaw(Flaw::NotUtf8))?;
        serde_json::from_str(text).map_err(|error| flaw(Flaw::NotJson(reason(&error))))
    }

    pub(super) fn next(
        &mut self,
        read: &[usize],
        head: &[String],
        name: &str,
    ) -> Result<Option<ReadRow>, Failure> {
        let object = match self.first.take() {
            Some(first) => Ok(first),
            None if self.read_line(name)? => self.object(),
            None => return Ok(None),
        };
        Ok(Some(object.map(|mut object| {
            let mut cell = |&column: &usize| {
                object
                    .remove(&head[column])
                    .map_or(Cell::Null, Cell::of_json)
            };
            Row {
                place: Place::Line(self.number),
                cells: read.iter().map(&mut cell).collect(),
            }
        })))
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes
    }
}

/// What JSON says is wrong; the line is ours to tell.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((reason, _)) => format!("{reason} at column {}", error.column()),
        None => text,
    }
}
