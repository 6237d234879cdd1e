//! A result that is whole, as Parquet.
//!
//! A column of an output has its datatype. A kept one has what all of its cells are: whole
//! numbers, numbers, booleans, or else text; two passes over the rows see to that.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;
use serde_json::Value;

use super::error::ResultError;
use super::journal::Column;
use crate::platform::atomic::{FileError, Readers, persist, temporary_file};
use crate::record::Failure;
use crate::record::kind::Datatype;

/// The most rows of a row group: what others write by default, and read well.
const GROUP_ROWS: usize = 65_536;
/// The most bytes of rows, as JSON, of a row group: what is held in memory at once.
const GROUP_BYTES: usize = 16 * 1024 * 1024;

/// What a column is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Int32,
    Int64,
    /// Whole numbers of so many bits, without a sign.
    Unsigned(i8),
    Float,
    Double,
    Text,
}

/// Turns the rows in `rows` into the file `result`, all of it or nothing.
pub(super) fn write(rows: &Path, result: &Path, columns: &[Column]) -> Result<(), Failure> {
    let kinds = kinds(rows, columns)?;
    let file = temporary_file(super::output::folder(result), Readers::Umask)?;
    let not_written = |source| ResultError::NotWritten {
        path: result.to_owned(),
        source,
    };
    let schema = schema(columns, &kinds).map_err(not_written)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by("modelyard".to_owned())
        .build();
    let out = file
        .as_file()
        .try_clone()
        .map_err(FileError::at("write", result))?;
    let mut writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))
        .map_err(not_written)?;
    let mut group = Vec::new();
    let mut bytes = 0;
    each(rows, |row, length| {
        group.push(row);
        bytes += length;
        if group.len() >= GROUP_ROWS || bytes >= GROUP_BYTES {
            write_group(&mut writer, &kinds, &group).map_err(not_written)?;
            group.clear();
            bytes = 0;
        }
        Ok(())
    })?;
    if !group.is_empty() {
        write_group(&mut writer, &kinds, &group).map_err(not_written)?;
    }
    let mut out = writer.into_inner().map_err(not_written)?;
    out.flush().map_err(FileError::at("write", result))?;
    persist(file, result)?;
    Ok(())
}

/// Hands on each row, and how many bytes it has as JSON.
fn each(
    rows: &Path,
    mut row: impl FnMut(Vec<Value>, usize) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let file = File::open(rows).map_err(FileError::at("read", rows))?;
    let mut file = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        // What we wrote ourselves, a row of it after the other.
        file.read_until(b'\n', &mut line)
            .map_err(FileError::at("read", rows))?;
        if line.is_empty() {
            return Ok(());
        }
        let cells = serde_json::from_slice(&line).map_err(|_| {
            ResultError::begun_otherwise(format!("{} is not as it was written", rows.display()))
        })?;
        row(cells, line.len())?;
    }
}

fn kinds(rows: &Path, columns: &[Column]) -> Result<Vec<Kind>, Failure> {
    let mut kinds: Vec<_> = columns
        .iter()
        .map(|column| column.datatype.map(Kind::of))
        .collect();
    let kept: Vec<_> = (0..kinds.len())
        .filter(|&index| kinds[index].is_none())
        .collect();
    if !kept.is_empty() {
        each(rows, |row, _| {
            for &index in &kept {
                if let Some(value) = row.get(index) {
                    kinds[index] = Kind::joined(kinds[index], value);
                }
            }
            Ok(())
        })?;
    }
    Ok(kinds
        .into_iter()
        .map(|kind| kind.unwrap_or(Kind::Text))
        .collect())
}

impl Kind {
    const fn of(datatype: Datatype) -> Self {
        match datatype {
            Datatype::Bool => Self::Bool,
            Datatype::Int8 | Datatype::Int16 | Datatype::Int32 => Self::Int32,
            Datatype::Int64 => Self::Int64,
            Datatype::Uint8 => Self::Unsigned(8),
            Datatype::Uint16 => Self::Unsigned(16),
            Datatype::Uint32 => Self::Unsigned(32),
            Datatype::Uint64 => Self::Unsigned(64),
            Datatype::Fp16 | Datatype::Fp32 => Self::Float,
            Datatype::Fp64 => Self::Double,
            Datatype::Bytes => Self::Text,
        }
    }

    /// What a column is that was `so_far` and has `value`.
    fn joined(so_far: Option<Self>, value: &Value) -> Option<Self> {
        let kind = match value {
            Value::Null => return so_far,
            Value::Bool(_) => Self::Bool,
            Value::Number(number) if number.is_i64() => Self::Int64,
            Value::Number(number) if number.is_u64() => Self::Unsigned(64),
            Value::Number(_) => Self::Double,
            _ => Self::Text,
        };
        Some(match (so_far, kind) {
            (None, kind) => kind,
            (Some(so_far), kind) if so_far == kind => kind,
            (Some(Self::Unsigned(_)), Self::Int64) if value.is_u64() => Self::Unsigned(64),
            (Some(Self::Int64), Self::Double) | (Some(Self::Double), Self::Int64) => Self::Double,
            _ => Self::Text,
        })
    }
}

fn schema(columns: &[Column], kinds: &[Kind]) -> Result<Type, ParquetError> {
    let fields = columns.iter().zip(kinds).map(|(column, kind)| {
        let (physical, logical) = match kind {
            Kind::Bool => (Physical::BOOLEAN, None),
            Kind::Int32 => (Physical::INT32, None),
            Kind::Int64 => (Physical::INT64, None),
            Kind::Unsigned(64) => (Physical::INT64, Some(LogicalType::integer(64, false))),
            Kind::Unsigned(bits) => (Physical::INT32, Some(LogicalType::integer(*bits, false))),
            Kind::Float => (Physical::FLOAT, None),
            Kind::Double => (Physical::DOUBLE, None),
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let field = Type::primitive_type_builder(&column.name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical);
        Ok(Arc::new(field.build()?))
    });
    let fields = fields.collect::<Result<_, ParquetError>>()?;
    Type::group_type_builder("schema")
        .with_fields(fields)
        .build()
}

fn write_group(
    writer: &mut SerializedFileWriter<File>,
    kinds: &[Kind],
    rows: &[Vec<Value>],
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for (index, kind) in kinds.iter().enumerate() {
        write_column(&mut group, *kind, rows.iter().map(|row| &row[index]))?;
    }
    group.close()?;
    Ok(())
}

fn write_column<'a>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    kind: Kind,
    cells: impl Iterator<Item = &'a Value>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else {
        return Ok(());
    };
    macro_rules! values {
        ($writer:expr, $value:expr) => {{
            let mut levels = Vec::new();
            let mut values = Vec::new();
            for cell in cells {
                let value = $value(cell);
                levels.push(i16::from(value.is_some()));
                values.extend(value);
            }
            $writer.write_batch(&values, Some(&levels), None)?;
        }};
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "a number without a sign lies in the bits of one with a sign"
    )]
    match column.untyped() {
        ColumnWriter::BoolColumnWriter(writer) => values!(writer, Value::as_bool),
        ColumnWriter::Int32ColumnWriter(writer) => {
            values!(writer, |cell: &Value| Some(cell.as_i64()? as i32));
        }
        ColumnWriter::Int64ColumnWriter(writer) => values!(writer, |cell: &Value| {
            cell.as_i64().or_else(|| Some(cell.as_u64()? as i64))
        }),
        ColumnWriter::FloatColumnWriter(writer) => {
            values!(writer, |cell: &Value| Some(number(cell)? as f32));
        }
        ColumnWriter::DoubleColumnWriter(writer) => values!(writer, number),
        ColumnWriter::ByteArrayColumnWriter(writer) => values!(writer, |cell: &Value| match cell {
            Value::Null => None,
            Value::String(text) => Some(ByteArray::from(text.as_bytes().to_vec())),
            cell => Some(ByteArray::from(cell.to_string().into_bytes())),
        }),
        _ => debug_assert!(false, "no {kind:?} is written as anything else"),
    }
    column.close()
}

/// A number, or the name of what is none.
fn number(cell: &Value) -> Option<f64> {
    match cell {
        Value::String(text) => text.parse().ok(),
        cell => cell.as_f64(),
    }
}

#[cfg(test)]
mod tests {
    //! What kept columns become.

    use super::*;
    use serde_json::json;

    #[test]
    fn a_kept_column_is_what_all_its_cells_are() {
        let joined = |values: Value| {
            let values = values.as_array().unwrap().clone();
            values.iter().fold(None, Kind::joined)
        };
        assert_eq!(joined(json!([1, null, -2])), Some(Kind::Int64));
        assert_eq!(joined(json!([1, 2.5, 3])), Some(Kind::Double));
        assert_eq!(joined(json!([1, "a"])), Some(Kind::Text));
        assert_eq!(joined(json!([true, 1])), Some(Kind::Text));
        assert_eq!(
            joined(json!([18_446_744_073_709_551_615_u64, 1])),
            Some(Kind::Unsigned(64))
        );
        assert_eq!(joined(json!([null])), None);
    }
}
