//! Rows as they are written, row by row, into a result or what becomes one.

use serde_json::{Map, Value};

use super::journal::Column;
use crate::ops::predict::cell::Cell;

/// What a result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultFormat {
    /// Text with commas, its first line the columns' names.
    Csv,
    /// The same with tabs.
    Tsv,
    /// A JSON object a line; what is no number is `null` there.
    JsonLines,
    /// Apache Parquet, compressed by Snappy, which every reader knows.
    ///
    /// It ends with a footer that tells where all of it is, so rows are kept as JSON until all
    /// are there, and become Parquet then.
    Parquet,
}

impl ResultFormat {
    /// What stands before the first row.
    pub(super) fn head(self, columns: &[Column]) -> Vec<u8> {
        match self.delimiter() {
            Some(delimiter) if !columns.is_empty() => {
                separated(delimiter, columns.iter().map(|column| column.name.clone()))
            }
            _ => Vec::new(),
        }
    }

    /// A row.
    pub(super) fn row(self, columns: &[Column], cells: &[Cell]) -> Vec<u8> {
        if let Some(delimiter) = self.delimiter() {
            return separated(delimiter, cells.iter().map(Cell::text));
        }
        let value = if self == Self::Parquet {
            Value::Array(cells.iter().map(exact).collect())
        } else {
            let cells = columns.iter().zip(cells);
            Value::Object(
                cells
                    .map(|(column, cell)| (column.name.clone(), cell.to_json()))
                    .collect::<Map<_, _>>(),
            )
        };
        let mut line = value.to_string().into_bytes();
        line.push(b'\n');
        line
    }

    const fn delimiter(self) -> Option<u8> {
        match self {
            Self::Csv => Some(b','),
            Self::Tsv => Some(b'\t'),
            Self::JsonLines | Self::Parquet => None,
        }
    }
}

/// A cell as JSON that loses nothing: what is no number as its name, which only a column of
/// numbers is read from.
fn exact(cell: &Cell) -> Value {
    match cell {
        Cell::Single(number) if !number.is_finite() => number.to_string().into(),
        Cell::Double(number) if !number.is_finite() => number.to_string().into(),
        cell => cell.to_json(),
    }
}

fn separated(delimiter: u8, cells: impl Iterator<Item = String>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .from_writer(Vec::new());
    let written = cells
        .map(|cell| writer.write_field(cell))
        .collect::<Result<Vec<()>, _>>();
    written.expect("memory takes all");
    writer
        .write_record(None::<&[u8]>)
        .expect("memory takes all");
    writer.into_inner().expect("memory takes all")
}

#[cfg(test)]
mod tests {
    //! How a row looks.

    use super::*;

    #[test]
    fn a_row_is_a_line_whatever_is_in_it() {
        let columns: Vec<_> = ["a,b", "n", "x"]
            .map(|name| Column {
                name: name.to_owned(),
                datatype: None,
            })
            .into();
        let cells = [
            Cell::Text("one\ntwo".into()),
            Cell::Null,
            Cell::Single(f32::NAN),
        ];
        let told = [
            ResultFormat::Csv,
            ResultFormat::Tsv,
            ResultFormat::JsonLines,
            ResultFormat::Parquet,
        ]
        .map(|format| {
            let mut bytes = format.head(&columns);
            bytes.extend(format.row(&columns, &cells));
            String::from_utf8(bytes).unwrap()
        });
        insta::assert_snapshot!(told.join("---\n"), @r#"
        "a,b",n,x
        "one
        two",,NaN
        ---
        a,b	n	x
        "one
        two"		NaN
        ---
        {"a,b":"one\ntwo","n":null,"x":null}
        ---
        ["one\ntwo",null,"NaN"]
        "#);
    }
}
