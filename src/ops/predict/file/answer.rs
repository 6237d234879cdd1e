//! An answer as rows of the result.
//!
//! An output of one element a row is the column of its name, one of more is the columns `NAME.0`,
//! `NAME.1`, …, as inputs are. Beside an output of class numbers whose meanings are registered
//! stands the column `NAME.label` with what they mean.

use super::error::ResultError;
use super::journal::Column;
use crate::ops::predict::cell::Cell;
use crate::protocol::Response;
use crate::record::kind::{Datatype, Tensor};

/// The most columns of a result.
const MAX_COLUMNS: usize = 20_000;

/// What was answered: columns, and a cell of each for each row.
#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Answer {
    /// The answer to `count` rows.
    pub(super) fn of(
        response: &Response,
        count: usize,
        registered: &[Tensor],
    ) -> Result<Self, ResultError> {
        let mut columns = Vec::new();
        let mut rows = vec![Vec::new(); count];
        for output in &response.outputs {
            let width = output.elements.len() / count.max(1);
            // One sample may be all of a tensor that has no size for counting them.
            let counts = output.shape.first() == Some(&(count as u64));
            if width * count != output.elements.len() || !(counts || count == 1) {
                return Err(ResultError::NotRows {
                    output: output.name.clone(),
                    shape: output.shape.clone(),
                    rows: count,
                });
            }
            if columns.len() + width > MAX_COLUMNS {
                return Err(ResultError::TooWide { most: MAX_COLUMNS });
            }
            let datatype = output.elements.datatype();
            let labels = labels(&output.name, datatype, width, registered);
            let column = |name, datatype| Column {
                name,
                datatype: Some(datatype),
            };
            if width == 1 {
                columns.push(column(output.name.clone(), datatype));
            } else {
                let name = |index| column(format!("{}.{index}", output.name), datatype);
                columns.extend((0..width).map(name));
            }
            if !labels.is_empty() {
                columns.push(column(format!("{}.label", output.name), Datatype::Bytes));
            }
            for (row, cells) in rows.iter_mut().enumerate() {
                let elements = row * width..(row + 1) * width;
                cells.extend(elements.map(|index| Cell::of_element(&output.elements, index)));
                if !labels.is_empty() {
                    cells.push(meaning(cells.last(), labels));
                }
            }
        }
        Ok(Self { columns, rows })
    }
}

/// What the numbers of an output mean, if they are numbers of classes.
fn labels<'a>(
    name: &str,
    datatype: Datatype,
    width: usize,
    registered: &'a [Tensor],
) -> &'a [String] {
    let is_number = !matches!(
        datatype,
        Datatype::Bool | Datatype::Fp16 | Datatype::Fp32 | Datatype::Fp64 | Datatype::Bytes
    );
    match registered.iter().find(|output| output.name == name) {
        Some(output) if is_number && width == 1 => &output.labels,
        _ => &[],
    }
}

fn meaning(number: Option<&Cell>, labels: &[String]) -> Cell {
    let index = match number {
        Some(Cell::Unsigned(number)) => usize::try_from(*number).ok(),
        Some(Cell::Signed(number)) => usize::try_from(*number).ok(),
        _ => None,
    };
    let label = index.and_then(|index| labels.get(index));
    label.map_or(Cell::Null, |label| Cell::Text(label.clone()))
}

#[cfg(test)]
mod tests {
    //! What columns an answer makes.

    use super::*;
    use crate::protocol::{Elements, Tensor as Given};
    use serde_json::{Map, json};

    fn response(outputs: Vec<(&str, &[u64], Elements)>) -> Response {
        let outputs = outputs.into_iter().map(|(name, shape, elements)| Given {
            name: name.to_owned(),
            shape: shape.to_vec(),
            elements,
            parameters: Map::new(),
        });
        Response {
            outputs: outputs.collect(),
            ..Response::default()
        }
    }

    #[test]
    fn outputs_become_columns_of_their_names() {
        let registered: Vec<Tensor> = serde_json::from_value(json!([
            {"name": "class", "datatype": "INT64", "shape": [-1], "labels": ["cat", "dog"]}
        ]))
        .unwrap();
        let response = response(vec![
            ("class", &[2], Elements::Int64(vec![1, 7])),
            ("p", &[2, 2], Elements::Fp32(vec![0.1, 0.9, 0.5, 0.5])),
            ("z", &[2, 1], Elements::Uint8(vec![3, 4])),
        ]);
        let answer = Answer::of(&response, 2, &registered).unwrap();
        let names: Vec<_> = answer
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        assert_eq!(names, ["class", "class.label", "p.0", "p.1", "z"]);
        let texts: Vec<Vec<_>> = answer
            .rows
            .iter()
            .map(|row| row.iter().map(Cell::text).collect())
            .collect();
        assert_eq!(
            texts,
            [
                ["1", "dog", "0.1", "0.9", "3"],
                ["7", "", "0.5", "0.5", "4"]
            ]
        );
    }

    #[test]
    fn an_answer_to_other_rows_is_none() {
        let two = response(vec![("y", &[2], Elements::Int8(vec![1, 2]))]);
        assert!(matches!(
            Answer::of(&two, 4, &[]),
            Err(ResultError::NotRows { rows: 4, .. })
        ));
        assert!(matches!(
            Answer::of(&two, 3, &[]),
            Err(ResultError::NotRows { .. })
        ));
        // One sample may have all of it.
        assert_eq!(Answer::of(&two, 1, &[]).unwrap().columns.len(), 2);
    }
}
