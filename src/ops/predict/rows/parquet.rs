//! Rows of Parquet: a page of each wanted column at a time.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use bytes::Bytes;
use jiff::Timestamp;
use parquet::basic::{LogicalType, TimeUnit};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row as ParquetRow};
use parquet::schema::types::Type;
use serde_json::{Map, Value};

use super::{ReadRow, Row, not_read};
use crate::ops::predict::cell::Cell;
use crate::ops::predict::error::{Place, TableError};
use crate::platform::atomic::FileError;
use crate::record::Failure;

/// The largest footer that is read: that of a file of ten thousand columns and hundreds of row
/// groups.
const MAX_FOOTER_BYTES: u64 = 256 * 1024 * 1024;
/// What a file ends with, behind the length of its footer.
const MAGIC: &[u8; 4] = b"PAR1";

pub(super) struct Reader {
    state: State,
    /// What its points in time are, for each column.
    times: Vec<Option<Time>>,
    rows: u64,
    bytes: u64,
    read: u64,
}

enum State {
    /// Nobody has said yet which columns are wanted.
    Open(Box<SerializedFileReader<File>>),
    /// The rows, and for each column of theirs its place in the file.
    Reading(Box<RowIter<'static>>, Vec<usize>),
    Ended,
}

/// A column of points in time.
#[derive(Debug, Clone, Copy)]
struct Time {
    nanoseconds: bool,
    utc: bool,
}

impl Reader {
    pub(super) fn open(path: &Path, name: &str) -> Result<(Self, Vec<String>), Failure> {
        let mut file = File::open(path).map_err(FileError::at("read", path))?;
        let bytes = footed(&mut file, name)?;
        let reader = SerializedFileReader::new(file).map_err(|error| unreadable(name, &error))?;
        let about = reader.metadata().file_metadata();
        let rows = u64::try_from(about.num_rows()).unwrap_or(0);
        if rows == 0 {
            return Err(TableError::Empty {
                file: name.to_owned(),
                what: "rows",
            }
            .into());
        }
        let fields = about.schema().get_fields();
        let head = fields.iter().map(|field| field.name().to_owned()).collect();
        let times = fields.iter().map(|field| time(field)).collect();
        let state = State::Open(Box::new(reader));
        Ok((
            Self {
                state,
                times,
                rows,
                bytes,
                read: 0,
            },
            head,
        ))
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// As many of its bytes as it has read of its rows.
    pub(super) fn bytes_read(&self) -> u64 {
        let read = u128::from(self.bytes) * u128::from(self.read) / u128::from(self.rows);
        u64::try_from(read).unwrap_or(self.bytes).min(self.bytes)
    }

    pub(super) fn next(&mut self, read: &[usize], name: &str) -> Result<Option<ReadRow>, Failure> {
        if let State::Open(_) = &self.state {
            self.start(read).map_err(|error| unreadable(name, &error))?;
        }
        let State::Reading(rows, places) = &mut self.state else {
            return Ok(None);
        };
        let next = catch_unwind(AssertUnwindSafe(|| rows.next()));
        let next = next.unwrap_or_else(|_| {
            let reason = "its pages are not what its footer says".to_owned();
            Some(Err(ParquetError::General(reason)))
        });
        let row = match next {
            None => {
                if self.read != self.rows {
                    let reason = format!(
                        "it says that it has {} rows, and has {}",
                        self.rows, self.read
                    );
                    return Err(TableError::Unreadable {
                        file: name.to_owned(),
                        format: "Parquet",
                        reason,
                    }
                    .into());
                }
                return Ok(None);
            }
            Some(Err(error)) => {
                self.state = State::Ended;
                return Err(unreadable(name, &error));
            }
            Some(Ok(row)) => row,
        };
        self.read += 1;
        let fields = row.into_columns();
        let mut cells = vec![Cell::Null; read.len()];
        for ((_, field), &place) in fields.iter().zip(places.iter()) {
            if let Some(at) = read.iter().position(|&column| column == place) {
                cells[at] = cell(field, self.times[place]);
            }
        }
        Ok(Some(Ok(Row {
            place: Place::Row(self.read),
            cells,
        })))
    }

    /// Begins to read the columns `read` of all rows.
    fn start(&mut self, read: &[usize]) -> Result<(), ParquetError> {
        let State::Open(reader) = std::mem::replace(&mut self.state, State::Ended) else {
            return Ok(());
        };
        let schema = reader.metadata().file_metadata().schema();
        let mut places = read.to_vec();
        places.sort_unstable();
        let fields = places
            .iter()
            .map(|&place| schema.get_fields()[place].clone())
            .collect();
        let wanted = Type::group_type_builder(schema.name())
            .with_fields(fields)
            .build()?;
        let rows = RowIter::from_file_into(reader).project(Some(wanted))?;
        self.state = State::Reading(Box::new(rows), places);
        Ok(())
    }
}

/// Looks whether a file ends as Parquet does, and gives its size.
fn footed(file: &mut File, name: &str) -> Result<u64, Failure> {
    let bytes = file.seek(SeekFrom::End(0)).map_err(not_read(name))?;
    let is_none = |reason: &str| {
        let (file, reason) = (name.to_owned(), reason.to_owned());
        TableError::Unreadable {
            file,
            format: "Parquet",
            reason,
        }
    };
    if bytes == 0 {
        return Err(TableError::Empty {
            file: name.to_owned(),
            what: "rows",
        }
        .into());
    }
    if bytes < 12 {
        return Err(is_none("it is too short").into());
    }
    let mut end = [0; 8];
    file.seek(SeekFrom::End(-8)).map_err(not_read(name))?;
    file.read_exact(&mut end).map_err(not_read(name))?;
    if &end[4..] != MAGIC {
        return Err(is_none("it does not end as Parquet does, or its end is missing").into());
    }
    let footer = u32::from_le_bytes([end[0], end[1], end[2], end[3]]);
    if u64::from(footer) > (bytes - 12).min(MAX_FOOTER_BYTES) {
        return Err(is_none("its footer is said to be longer than it can be").into());
    }
    Ok(bytes)
}

fn unreadable(name: &str, error: &ParquetError) -> Failure {
    let (file, reason) = (name.to_owned(), error.to_string());
    TableError::Unreadable {
        file,
        format: "Parquet",
        reason,
    }
    .into()
}

fn time(field: &Type) -> Option<Time> {
    match field.get_basic_info().logical_type_ref() {
        Some(LogicalType::Timestamp(of)) => Some(Time {
            nanoseconds: matches!(of.unit, TimeUnit::NANOS),
            utc: of.is_adjusted_to_u_t_c,
        }),
        _ => None,
    }
}

fn cell(field: &Field, time: Option<Time>) -> Cell {
    let at = |timestamp: Result<Timestamp, jiff::Error>, number: i64| match timestamp {
        Ok(timestamp) => {
            let text = timestamp.to_string();
            let utc = time.is_some_and(|time| time.utc);
            Cell::Text(if utc {
                text
            } else {
                text.trim_end_matches('Z').to_owned()
            })
        }
        Err(_) => Cell::Signed(number),
    };
    match field {
        Field::Null => Cell::Null,
        Field::Bool(value) => Cell::Bool(*value),
        Field::Byte(number) => Cell::Signed((*number).into()),
        Field::Short(number) => Cell::Signed((*number).into()),
        Field::Int(number) => Cell::Signed((*number).into()),
        Field::Long(number) if time.is_some_and(|time| time.nanoseconds) => {
            at(Timestamp::from_nanosecond((*number).into()), *number)
        }
        Field::Long(number) => Cell::Signed(*number),
        Field::UByte(number) => Cell::Unsigned((*number).into()),
        Field::UShort(number) => Cell::Unsigned((*number).into()),
        Field::UInt(number) => Cell::Unsigned((*number).into()),
        Field::ULong(number) => Cell::Unsigned(*number),
        Field::Float16(number) => Cell::Single((*number).into()),
        Field::Float(number) => Cell::Single(*number),
        Field::Double(number) => Cell::Double(*number),
        Field::Str(text) => Cell::Text(text.clone()),
        Field::Bytes(bytes) => Cell::Bytes(Bytes::copy_from_slice(bytes.data())),
        // Its digits, which are a number where one is wanted.
        Field::Decimal(_) => Cell::Raw(field.to_string()),
        Field::TimestampMillis(number) => at(Timestamp::from_millisecond(*number), *number),
        Field::TimestampMicros(number) => at(Timestamp::from_microsecond(*number), *number),
        Field::Date(_) | Field::TimeMillis(_) | Field::TimeMicros(_) => {
            Cell::Text(field.to_string())
        }
        Field::ListInternal(list) => Cell::List(
            list.elements()
                .iter()
                .map(|field| cell(field, time))
                .collect(),
        ),
        Field::Group(row) => Cell::Other(object(row)),
        Field::MapInternal(map) => {
            let entries = map.entries().iter();
            Cell::Other(Value::Object(
                entries
                    .map(|(key, value)| (cell(key, None).text(), cell(value, None).to_json()))
                    .collect(),
            ))
        }
    }
}

fn object(row: &ParquetRow) -> Value {
    let fields = row.get_column_iter();
    let fields = fields.map(|(name, field)| (name.clone(), cell(field, None).to_json()));
    Value::Object(fields.collect::<Map<_, _>>())
}
