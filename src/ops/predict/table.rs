//! The rows of a file as one request.

use super::columns::Sample;
use super::error::TableError;
use super::file;
use super::rows::{Origin, RowFormat};
use crate::protocol::Request;
use crate::record::Failure;
use crate::record::kind::Tensor as Registered;

/// The most rows: what fits into one request of most models.
const MAX_ROWS: usize = 100_000;
/// The most elements that are read.
const MAX_ELEMENTS: usize = 16_000_000;

/// The request for all rows of a file.
pub(super) fn request(
    origin: &Origin,
    format: RowFormat,
    inputs: &[Registered],
) -> Result<Request, Failure> {
    let (mut rows, columns) = file::open(origin, format, inputs, &[])?;
    let mut samples: Vec<Vec<Sample>> = Vec::new();
    let mut elements = 0;
    while let Some(row) = rows.next(&columns.read)? {
        let row = columns.samples(&row?, inputs)?;
        elements += row
            .iter()
            .map(|sample| sample.elements.len())
            .sum::<usize>();
        samples.push(row);
        if samples.len() > MAX_ROWS || elements > MAX_ELEMENTS {
            let what = format!("more than {MAX_ROWS} rows, or {MAX_ELEMENTS} elements");
            return Err(TableError::TooLarge(format!("{} has {what}", rows.name)).into());
        }
    }
    if samples.is_empty() {
        return Err(TableError::Empty {
            file: rows.name,
            what: "rows",
        }
        .into());
    }
    if let Some(wanted) = columns.batch.filter(|&wanted| wanted != samples.len()) {
        let found = samples.len();
        let what =
            format!("the version takes exactly {wanted} rows at once, and there are {found}");
        return Err(TableError::TooLarge(what).into());
    }
    let samples: Vec<&[Sample]> = samples.iter().map(Vec::as_slice).collect();
    Ok(columns.request(&samples, inputs))
}
