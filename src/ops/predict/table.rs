//! A table in CSV as the tensors of a request.
//!
//! An input of shape `[-1]` or `[-1, 1]` is the column of its name. An input of more sizes is as
//! many columns as one sample has elements: `NAME.0`, `NAME.1`, …; where it is the only input and
//! the table has just as many columns, they are taken in their order, whatever their names. Other
//! columns are left alone: tables often have an identifier, or what is to be predicted.

use csv::StringRecord;
use half::f16;

use crate::ops::codes;
use crate::platform::redact::printable;
use crate::protocol::{Elements, Request, Tensor};
use crate::record::kind::{Datatype, Tensor as Registered};
use crate::record::{Code, Fault};

/// The most rows: what fits into one request of most models.
const MAX_ROWS: usize = 100_000;
/// The most cells that are read of a table.
const MAX_CELLS: usize = 16_000_000;

/// Why a table makes no request.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It is no CSV.
    #[error("the table can't be read")]
    NotCsv(#[from] csv::Error),
    /// It has a head and nothing else.
    #[error("the table has no rows")]
    Empty,
    /// More than one request carries.
    #[error("the table has more than {MAX_ROWS} rows or {MAX_CELLS} cells")]
    TooLarge,
    /// The record registers no inputs.
    #[error("the version registers no inputs, so that columns have nothing to become")]
    NoInputs,
    /// An input whose first size is not one a sample.
    #[error("input `{input}` has the shape {shape}, which rows of a table don't make")]
    NotRows {
        /// The input.
        input: String,
        /// Its shape.
        shape: String,
    },
    /// Columns that inputs need.
    #[error(
        "the table has no column {}: its columns are {}",
        told(missing),
        told(found)
    )]
    Missing {
        /// Their names.
        missing: Vec<String>,
        /// What there is.
        found: Vec<String>,
    },
    /// A cell that is none of its input's type.
    #[error(
        "line {line}, column `{}`: `{}` is no {datatype}",
        printable(column),
        printable(cell)
    )]
    Cell {
        /// Where its row begins.
        line: u64,
        /// Its column.
        column: String,
        /// What is in it.
        cell: String,
        /// What is wanted.
        datatype: Datatype,
    },
}

/// How many names are told.
const TOLD: usize = 12;

fn told(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let mut told: Vec<_> = names
        .iter()
        .map(|name| format!("`{}`", printable(name)))
        .collect();
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
            Self::NotCsv(_) | Self::Empty => {
                "the first line names the columns, and each other line is one sample".to_owned()
            }
            Self::TooLarge => "split the table into several files".to_owned(),
            Self::NoInputs | Self::NotRows { .. } => {
                "send a request of the Open Inference Protocol in JSON".to_owned()
            }
            Self::Missing { .. } => "see the version's inputs by `modelyard show`".to_owned(),
            Self::Cell { .. } => "correct the cell, or leave out its row".to_owned(),
        })
    }
}

/// The request for all rows of the table in `bytes`.
pub(super) fn request(bytes: &[u8], inputs: &[Registered]) -> Result<Request, TableError> {
    if inputs.is_empty() {
        return Err(TableError::NoInputs);
    }
    let mut reader = csv::Reader::from_reader(bytes);
    let head = reader.headers()?.clone();
    let places = places(&head, inputs)?;
    let mut rows = Vec::new();
    for row in reader.into_records() {
        rows.push(row?);
        if rows.len() > MAX_ROWS || rows.len().saturating_mul(head.len()) > MAX_CELLS {
            return Err(TableError::TooLarge);
        }
    }
    if rows.is_empty() {
        return Err(TableError::Empty);
    }
    let tensors = inputs.iter().zip(&places).map(|(input, columns)| {
        let sizes = input.shape.sizes()[1..]
            .iter()
            .map(|size| size.unsigned_abs());
        Ok(Tensor {
            name: input.name.clone(),
            shape: std::iter::once(rows.len() as u64).chain(sizes).collect(),
            elements: elements(input.datatype, &rows, columns, &head)?,
            parameters: serde_json::Map::new(),
        })
    });
    Ok(Request {
        inputs: tensors.collect::<Result<_, TableError>>()?,
        ..Request::default()
    })
}

/// Which columns each input is.
fn places(head: &StringRecord, inputs: &[Registered]) -> Result<Vec<Vec<usize>>, TableError> {
    let place = |name: &str| head.iter().position(|column| column.trim() == name);
    let mut missing = Vec::new();
    let mut places = Vec::with_capacity(inputs.len());
    for input in inputs {
        let width = width(input)?;
        let names = match width {
            1 => vec![input.name.clone()],
            _ => (0..width)
                .map(|index| format!("{}.{index}", input.name))
                .collect(),
        };
        let mut found = Vec::with_capacity(width);
        let mut lacking = Vec::new();
        for name in names {
            match place(&name) {
                Some(column) => found.push(column),
                None => lacking.push(name),
            }
        }
        if !lacking.is_empty() && inputs.len() == 1 && head.len() == width {
            found = (0..width).collect();
        } else {
            missing.append(&mut lacking);
        }
        places.push(found);
    }
    if missing.is_empty() {
        return Ok(places);
    }
    let found = head.iter().map(str::to_owned).collect();
    Err(TableError::Missing { missing, found })
}

/// How many elements one sample of an input has.
fn width(input: &Registered) -> Result<usize, TableError> {
    let wrong = || TableError::NotRows {
        input: input.name.clone(),
        shape: input.shape.to_string(),
    };
    let [-1, rest @ ..] = input.shape.sizes() else {
        return Err(wrong());
    };
    let sizes = rest.iter().map(|&size| usize::try_from(size).ok());
    let width = sizes
        .into_iter()
        .try_fold(1_usize, |width, size| width.checked_mul(size?));
    width
        .filter(|width| (1..=MAX_CELLS).contains(width))
        .ok_or_else(wrong)
}

/// The cells of `columns`, row after row, as elements.
fn elements(
    datatype: Datatype,
    rows: &[StringRecord],
    columns: &[usize],
    head: &StringRecord,
) -> Result<Elements, TableError> {
    let cells = rows
        .iter()
        .flat_map(|row| columns.iter().map(move |&column| (row, column)));
    macro_rules! parsed {
        ($variant:ident, $parse:expr) => {{
            let parsed = cells.map(|(row, column)| {
                let cell = &row[column];
                $parse(cell).ok_or_else(|| TableError::Cell {
                    line: row.position().map_or(0, csv::Position::line),
                    column: head[column].to_owned(),
                    cell: cell.to_owned(),
                    datatype,
                })
            });
            Elements::$variant(parsed.collect::<Result<_, _>>()?)
        }};
    }
    macro_rules! numbers {
        ($variant:ident) => {
            parsed!($variant, |cell: &str| cell.trim().parse().ok())
        };
    }
    Ok(match datatype {
        Datatype::Bool => parsed!(Bool, boolean),
        Datatype::Uint8 => numbers!(Uint8),
        Datatype::Uint16 => numbers!(Uint16),
        Datatype::Uint32 => numbers!(Uint32),
        Datatype::Uint64 => numbers!(Uint64),
        Datatype::Int8 => numbers!(Int8),
        Datatype::Int16 => numbers!(Int16),
        Datatype::Int32 => numbers!(Int32),
        Datatype::Int64 => numbers!(Int64),
        Datatype::Fp16 => parsed!(Fp16, |cell: &str| {
            let number: f32 = cell.trim().parse().ok()?;
            Some(f16::from_f32(number))
        }),
        Datatype::Fp32 => numbers!(Fp32),
        Datatype::Fp64 => numbers!(Fp64),
        Datatype::Bytes => parsed!(Bytes, |cell: &str| {
            Some(bytes::Bytes::copy_from_slice(cell.as_bytes()))
        }),
    })
}

fn boolean(cell: &str) -> Option<bool> {
    match cell.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn inputs(inputs: serde_json::Value) -> Vec<Registered> {
        serde_json::from_value(inputs).unwrap()
    }

    #[test]
    fn columns_become_the_inputs_of_their_names() {
        let inputs = inputs(json!([
            {"name": "age", "datatype": "FP32", "shape": [-1]},
            {"name": "smokes", "datatype": "BOOL", "shape": [-1, 1]},
            {"name": "at", "datatype": "INT64", "shape": [-1, 2]},
            {"name": "name", "datatype": "BYTES", "shape": [-1]},
        ]));
        let table = "id,at.1,at.0,smokes,age,name\n7,2,1,true,1.5,\"a, b\"\n8,4,3,0, 2 ,\n";
        let request = request(table.as_bytes(), &inputs).unwrap();
        let shapes: Vec<_> = request
            .inputs
            .iter()
            .map(|input| input.shape.clone())
            .collect();
        assert_eq!(shapes, [vec![2], vec![2, 1], vec![2, 2], vec![2]]);
        let elements: Vec<_> = request
            .inputs
            .into_iter()
            .map(|input| input.elements)
            .collect();
        let texts = vec![bytes::Bytes::from("a, b"), bytes::Bytes::new()];
        assert_eq!(
            elements,
            [
                Elements::Fp32(vec![1.5, 2.0]),
                Elements::Bool(vec![true, false]),
                Elements::Int64(vec![1, 2, 3, 4]),
                Elements::Bytes(texts),
            ]
        );
    }

    #[test]
    fn the_only_input_takes_all_columns_where_they_are_as_many() {
        let inputs = inputs(json!([{"name": "window", "datatype": "FP64", "shape": [-1, 1, 3]}]));
        let request = request(b"a,b,c\n1,2,3\n4,5,6\n", &inputs).unwrap();
        assert_eq!(request.inputs[0].shape, [2, 1, 3]);
        let all = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(request.inputs[0].elements, Elements::Fp64(all));
    }

    #[test]
    fn a_table_that_makes_no_request_is_told_with_its_place() {
        let age = json!([{"name": "age", "datatype": "INT8", "shape": [-1]}]);
        let two = json!([{"name": "x", "datatype": "FP32", "shape": [-1, 2]},
                         {"name": "y", "datatype": "FP32", "shape": [-1]}]);
        let fixed = json!([{"name": "x", "datatype": "FP32", "shape": [2]}]);
        let open = json!([{"name": "x", "datatype": "FP32", "shape": [-1, -1]}]);
        let told = [
            (&age, "age\n1\n300\n"),
            (&age, "age\n1\n\"\"\n"),
            (&age, "id,age\n1,2\n3\n"),
            (&age, "age\n"),
            (&age, ""),
            (&age, "a\u{7}ge,b\n1,2\n"),
            (&two, "x.0,z\n1,2\n"),
            (&fixed, "x\n1\n"),
            (&open, "x\n1\n"),
            (&json!([]), "x\n1\n"),
        ]
        .map(|(registered, table)| {
            let error = request(table.as_bytes(), &inputs(registered.clone())).unwrap_err();
            match std::error::Error::source(&error) {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            }
        });
        insta::assert_snapshot!(told.join("\n"), @r#"
        line 3, column `age`: `300` is no INT8
        line 3, column `age`: `` is no INT8
        the table can't be read: CSV error: record 2 (line: 3, byte: 11): found record with 1 fields, but the previous record has 2 fields
        the table has no rows
        the table has no column `age`: its columns are none
        the table has no column `age`: its columns are `a\u{7}ge`, `b`
        the table has no column `x.1`, `y`: its columns are `x.0`, `z`
        input `x` has the shape [2], which rows of a table don't make
        input `x` has the shape [-1, -1], which rows of a table don't make
        the version registers no inputs, so that columns have nothing to become
        "#);
    }
}
