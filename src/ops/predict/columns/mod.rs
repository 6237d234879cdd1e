//! Which columns of a file become which inputs, and which are kept.
//!
//! An input of one element a sample, of shape `[-1]` or `[-1, 1]`, is the column of its name. An
//! input of more elements is as many columns, `NAME.0`, `NAME.1`, …, or one column of its name
//! that has lists; where it is the only input and the file has just as many columns, they are
//! taken in their order, whatever their names. Other columns are left alone: tables often have an
//! identifier, or what is to be predicted.

use std::convert::Infallible;
use std::str::FromStr;

use super::cell::Cell;
use super::error::{Flaw, RowError, TableError};
use super::pixels::Pixels;
use super::rows::Row;
use crate::check::closest::closest;
use crate::protocol::{Elements, Request, Tensor};
use crate::record::kind::Tensor as Registered;

/// The most elements of one sample of an input.
const MAX_ELEMENTS: usize = 16_000_000;

/// A column that goes into the result, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// Its name; `*` is every column.
    pub column: String,
    /// What it is called in the result.
    pub name: String,
}

impl FromStr for Keep {
    type Err = Infallible;

    /// `COLUMN` or `COLUMN=NAME`.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let (column, name) = text.split_once('=').unwrap_or((text, text));
        Ok(Self {
            column: column.trim().to_owned(),
            name: name.trim().to_owned(),
        })
    }
}

/// What becomes of a file's columns.
#[derive(Debug)]
pub(super) struct Columns {
    /// The columns that are read, by their place in the file; a row's cells are in this order.
    pub(super) read: Vec<usize>,
    /// Their names.
    pub(super) names: Vec<String>,
    /// Those that go into the result: their names there, and their places among a row's cells.
    pub(super) kept: Vec<(String, usize)>,
    /// What each registered input is made of, in their order.
    taken: Vec<Taken>,
    /// How many rows one request has to have, if the version says so.
    pub(super) batch: Option<usize>,
    /// Whether a request's tensors have a first size that counts the samples.
    counted: bool,
}

/// What one input is made of, by places among a row's cells.
#[derive(Debug)]
enum Taken {
    /// One cell, of one element or a list of them.
    Whole(usize),
    /// A cell an element.
    Spread(Vec<usize>),
    /// The image at the path that is the row's only cell.
    Pixels(Box<Pixels>),
}

/// One sample of one input.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) elements: Elements,
    /// Its sizes, without the one that counts samples.
    pub(super) sizes: Vec<u64>,
}

impl Columns {
    /// Looks up what `inputs` are made of, and what is kept, in a file with this head.
    pub(super) fn find(
        file: &str,
        head: &[String],
        inputs: &[Registered],
        keep: &[Keep],
    ) -> Result<Self, TableError> {
        if inputs.is_empty() {
            return Err(TableError::NoInputs);
        }
        let mut columns = Self {
            read: Vec::new(),
            names: Vec::new(),
            kept: Vec::new(),
            taken: Vec::new(),
            batch: batch(inputs)?,
            counted: true,
        };
        let mut missing = Vec::new();
        for input in inputs {
            let taken = columns.take(file, head, input, inputs.len() == 1)?;
            match taken {
                Ok(taken) => columns.taken.push(taken),
                Err(lacking) => missing.extend(lacking),
            }
        }
        for keep in keep {
            missing.extend(columns.keep(file, head, keep)?);
        }
        if missing.is_empty() {
            return Ok(columns);
        }
        let nearest = closest(&missing[0], head.iter().map(String::as_str)).map(str::to_owned);
        let (file, found) = (file.to_owned(), head.to_vec());
        Err(TableError::Missing {
            file,
            missing,
            found,
            nearest,
        })
    }

    /// What an input is made of, or which columns are lacking.
    fn take(
        &mut self,
        file: &str,
        head: &[String],
        input: &Registered,
        is_only: bool,
    ) -> Result<Result<Taken, Vec<String>>, TableError> {
        let names = names(input)?;
        if head.contains(&input.name) {
            return Ok(Ok(Taken::Whole(self.place(file, head, &input.name)?)));
        }
        let lacking: Vec<_> = names
            .iter()
            .filter(|name| !head.contains(name))
            .cloned()
            .collect();
        if lacking.is_empty() {
            let places = names.iter().map(|name| self.place(file, head, name));
            return Ok(Ok(Taken::Spread(places.collect::<Result<_, _>>()?)));
        }
        if is_only && head.len() == names.len() {
            let places = (0..head.len()).map(|index| self.read(head, index));
            return Ok(Ok(Taken::Spread(places.collect())));
        }
        Ok(Err(lacking))
    }

    /// Keeps what is asked for, and tells the column that is lacking.
    fn keep(
        &mut self,
        file: &str,
        head: &[String],
        keep: &Keep,
    ) -> Result<Option<String>, TableError> {
        let all = keep.column == "*";
        if !all && !head.contains(&keep.column) {
            return Ok(Some(keep.column.clone()));
        }
        let named = [(&keep.column, &keep.name)];
        let every = head.iter().map(|name| (name, name));
        let wanted: Vec<_> = if all { every.collect() } else { named.into() };
        for (column, name) in wanted {
            let place = self.place(file, head, column)?;
            if self.kept.iter().any(|(kept, _)| kept == name) {
                return Err(TableError::Collision(name.clone()));
            }
            self.kept.push((name.clone(), place));
        }
        Ok(None)
    }

    /// A row is an image: its path is kept, its pixels are the input.
    pub(super) fn of_images(pixels: Pixels) -> Self {
        Self {
            read: vec![0],
            names: vec!["file".to_owned()],
            kept: vec![("file".to_owned(), 0)],
            batch: pixels.batch(),
            counted: pixels.counted(),
            taken: vec![Taken::Pixels(Box::new(pixels))],
        }
    }

    /// The place among a row's cells of the only column of this name.
    fn place(&mut self, file: &str, head: &[String], name: &str) -> Result<usize, TableError> {
        let mut places = head
            .iter()
            .enumerate()
            .filter(|(_, column)| *column == name);
        let first = places.next().expect("it was found before").0;
        if places.next().is_some() {
            return Err(TableError::Twice {
                file: file.to_owned(),
                column: name.to_owned(),
            });
        }
        Ok(self.read(head, first))
    }

    /// The place among a row's cells of the column at `index` of the file.
    fn read(&mut self, head: &[String], index: usize) -> usize {
        if let Some(place) = self.read.iter().position(|&read| read == index) {
            return place;
        }
        self.read.push(index);
        self.names.push(head[index].clone());
        self.read.len() - 1
    }

    /// What a row is for each input.
    pub(super) fn samples(
        &self,
        row: &Row,
        inputs: &[Registered],
    ) -> Result<Vec<Sample>, RowError> {
        let samples = inputs.iter().zip(&self.taken).map(|(input, taken)| {
            if let Taken::Pixels(pixels) = taken {
                let flaw = |flaw| RowError {
                    place: row.place.clone(),
                    column: None,
                    flaw,
                };
                return pixels.sample(&row.cells[0].text()).map_err(flaw);
            }
            let sizes = &input.shape.sizes()[1..];
            let sizes: Vec<_> = sizes.iter().map(|size| size.unsigned_abs()).collect();
            let wanted = sizes.iter().product::<u64>();
            let wanted = usize::try_from(wanted).expect("it was counted before");
            let mut elements = Elements::none(input.datatype);
            let places = match taken {
                Taken::Whole(place) => std::slice::from_ref(place),
                Taken::Spread(places) => places,
                Taken::Pixels(_) => unreachable!("an image was taken above"),
            };
            for &place in places {
                let wrong = |flaw| RowError {
                    place: row.place.clone(),
                    column: Some(self.names[place].clone()),
                    flaw,
                };
                put(&row.cells[place], &mut elements, wanted).map_err(wrong)?;
            }
            if elements.len() != wanted {
                return Err(RowError {
                    place: row.place.clone(),
                    column: places.first().map(|&place| self.names[place].clone()),
                    flaw: Flaw::Count {
                        input: input.name.clone(),
                        wanted,
                        found: elements.len(),
                    },
                });
            }
            Ok(Sample { elements, sizes })
        });
        samples.collect()
    }

    /// The request that asks for all of these, which are samples of each input.
    pub(super) fn request(&self, rows: &[&[Sample]], inputs: &[Registered]) -> Request {
        let tensors = inputs.iter().enumerate().map(|(index, input)| {
            let mut elements = Elements::none(input.datatype);
            for row in rows {
                elements.append(&row[index].elements);
            }
            let sizes = rows.first().map_or(&[][..], |row| &row[index].sizes);
            let count = self.counted.then_some(rows.len() as u64);
            Tensor {
                name: input.name.clone(),
                shape: count.into_iter().chain(sizes.iter().copied()).collect(),
                elements,
                parameters: serde_json::Map::new(),
            }
        });
        Request {
            inputs: tensors.collect(),
            ..Request::default()
        }
    }

    /// How many rows a request may have at most, where `wished` are.
    pub(super) fn most(&self, wished: usize) -> usize {
        self.batch.unwrap_or(wished)
    }
}

/// Puts a cell, or all that a list has, behind `elements`.
fn put(cell: &Cell, elements: &mut Elements, most: usize) -> Result<(), Flaw> {
    if let Cell::List(cells) = cell {
        // One too many is enough to see that there are too many.
        for cell in cells.iter().take((most + 1).saturating_sub(elements.len())) {
            put(cell, elements, most)?;
        }
        return Ok(());
    }
    let datatype = elements.datatype();
    cell.put(elements).ok_or_else(|| match cell.told() {
        told if told.is_empty() => Flaw::Nothing { datatype },
        cell => Flaw::Cell { cell, datatype },
    })
}

/// The columns of an input that has one for each element.
fn names(input: &Registered) -> Result<Vec<String>, TableError> {
    Ok(match width(input)? {
        1 => vec![input.name.clone()],
        width => (0..width)
            .map(|index| format!("{}.{index}", input.name))
            .collect(),
    })
}

fn not_rows(input: &Registered) -> TableError {
    TableError::NotRows {
        input: input.name.clone(),
        shape: input.shape.to_string(),
    }
}

/// How many elements one sample of an input has.
fn width(input: &Registered) -> Result<usize, TableError> {
    let rest = match input.shape.sizes() {
        // A single size that is fixed may count samples, or one sample's elements.
        [] | [0 | 2..] => return Err(not_rows(input)),
        [_, rest @ ..] => rest,
    };
    let width = rest.iter().try_fold(1_usize, |width, &size| {
        width.checked_mul(usize::try_from(size).ok()?)
    });
    width
        .filter(|width| (1..=MAX_ELEMENTS).contains(width))
        .ok_or_else(|| not_rows(input))
}

/// How many rows a request has to have, if the inputs say so.
fn batch(inputs: &[Registered]) -> Result<Option<usize>, TableError> {
    let mut all: Option<usize> = None;
    for input in inputs {
        let Some(&first) = input.shape.sizes().first() else {
            return Err(not_rows(input));
        };
        if first == -1 {
            continue;
        }
        let count = usize::try_from(first)
            .ok()
            .filter(|count| (1..=MAX_ELEMENTS).contains(count));
        let count = count.ok_or_else(|| not_rows(input))?;
        if let Some(other) = all.filter(|other| *other != count) {
            return Err(TableError::Batches {
                one: other,
                other: count,
            });
        }
        all = Some(count);
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
