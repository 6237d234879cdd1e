//! Golden tests: the request that one makes, and how an answer differs from what it expects.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use serde_json::Value;

use super::elements::Element as _;
use super::error::{Flaw, ProtocolError, Side};
use super::message::{Request, Response};
use super::tensor::{Elements, Tensor, both, count};
use crate::record::kind::{Datatype, GoldenTest, RelativePath};

/// The most elements that an expectation names; golden tests are small.
const MAX_EXPECTED: usize = 100_000_000;

/// What files hold that golden tests name.
pub type Contents = BTreeMap<RelativePath, Bytes>;

/// The files that a test names.
pub fn files(test: &GoldenTest) -> impl Iterator<Item = &RelativePath> {
    let inputs = test.request.inputs.iter().flat_map(|input| &input.file);
    inputs.chain(test.expect.outputs.iter().flat_map(|output| &output.file))
}

/// The request that a test makes.
///
/// # Errors
/// The first input whose elements are none of its type, or not as many as its shape says.
pub fn request(test: &GoldenTest, contents: &Contents) -> Result<Request, ProtocolError> {
    let inputs = test.request.inputs.iter().map(|input| {
        let shape: Vec<u64> = input
            .shape
            .sizes()
            .iter()
            .map(|&size| size.unsigned_abs())
            .collect();
        let data = data(input.data.as_ref(), input.file.as_ref(), contents);
        let elements = data.and_then(|data| read(input.datatype, data));
        let elements = elements.and_then(|elements| {
            let (expected, found) = (count(&shape), elements.len());
            if expected == Some(found) && input.shape.is_fixed() {
                return Ok(elements);
            }
            let (shape, expected) = (shape.clone(), expected.unwrap_or(usize::MAX));
            Err(Flaw::Count {
                shape,
                expected,
                found,
            })
        });
        let elements = elements.map_err(|flaw| ProtocolError::Tensor {
            side: Side::Request,
            name: input.name.clone(),
            flaw,
        })?;
        Ok(Tensor {
            name: input.name.clone(),
            shape,
            elements,
            parameters: serde_json::Map::new(),
        })
    });
    Ok(Request {
        parameters: test.request.parameters.clone(),
        inputs: inputs.collect::<Result<_, ProtocolError>>()?,
        ..Request::default()
    })
}

/// How an answer differs from what was expected.
#[derive(Debug, Clone, PartialEq)]
pub enum Difference {
    /// An output did not come.
    Missing {
        /// Which one.
        output: String,
    },
    /// It has another type or shape.
    Form {
        /// Which one.
        output: String,
        /// What was expected.
        expected: String,
        /// What came.
        found: String,
    },
    /// Its elements are others.
    Elements {
        /// Which one.
        output: String,
        /// Where the first is that differs, from 0, as they lie flat.
        index: usize,
        /// What was expected there.
        expected: String,
        /// What came.
        found: String,
        /// How many differ.
        count: usize,
        /// How many there are.
        of: usize,
    },
    /// The test itself names no elements of the output's type.
    Expectation {
        /// Which output.
        output: String,
        /// What is wrong.
        flaw: Flaw,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { output } => write!(formatter, "output `{output}` did not come"),
            Self::Form {
                output,
                expected,
                found,
            } => {
                write!(
                    formatter,
                    "output `{output}` is {found}, and {expected} was expected"
                )
            }
            Self::Elements {
                output,
                index,
                expected,
                found,
                count,
                of,
            } => write!(
                formatter,
                "output `{output}`: element {index} is {found}, and {expected} was expected \
                 ({count} of {of} differ)"
            ),
            Self::Expectation { output, flaw } => {
                write!(
                    formatter,
                    "what is expected of output `{output}` can't be: {flaw}"
                )
            }
        }
    }
}

/// Holds an answer against what `test` expects; outputs that it does not name may come.
pub fn compare(test: &GoldenTest, contents: &Contents, answer: &Response) -> Vec<Difference> {
    let tolerance = test.expect.tolerance.map_or(0.0, f64::from);
    let mut differences = Vec::new();
    for expected in &test.expect.outputs {
        let output = || expected.name.clone();
        let Some(found) = answer
            .outputs
            .iter()
            .find(|found| found.name == expected.name)
        else {
            differences.push(Difference::Missing { output: output() });
            continue;
        };
        let form = |text: String, found: String| Difference::Form {
            output: output(),
            expected: text,
            found,
        };
        let datatype = found.elements.datatype();
        if let Some(wanted) = expected.datatype.filter(|wanted| *wanted != datatype) {
            differences.push(form(wanted.to_string(), datatype.to_string()));
            continue;
        }
        if let Some(wanted) = expected
            .shape
            .as_ref()
            .filter(|wanted| !super::fit::has(&found.shape, wanted))
        {
            differences.push(form(
                format!("of shape {wanted}"),
                format!("of shape {:?}", found.shape),
            ));
            continue;
        }
        let data = match data(expected.data.as_ref(), expected.file.as_ref(), contents) {
            Err(Flaw::NoData) => continue,
            data => data.and_then(|data| read(datatype, data)),
        };
        match data {
            Ok(wanted) => differences.extend(elements(
                &expected.name,
                &wanted,
                &found.elements,
                tolerance,
            )),
            Err(flaw) => differences.push(Difference::Expectation {
                output: output(),
                flaw,
            }),
        }
    }
    differences
}

/// Elements here or in a file.
#[derive(Clone, Copy)]
enum Data<'a> {
    Here(&'a Vec<Value>),
    File(&'a Bytes),
}

fn data<'a>(
    here: Option<&'a Vec<Value>>,
    file: Option<&RelativePath>,
    contents: &'a Contents,
) -> Result<Data<'a>, Flaw> {
    let file = file.and_then(|file| contents.get(file));
    here.map(Data::Here)
        .or(file.map(Data::File))
        .ok_or(Flaw::NoData)
}

fn read(datatype: Datatype, data: Data) -> Result<Elements, Flaw> {
    match data {
        Data::Here(values) => {
            let values = serde::de::value::SeqDeserializer::new(values.iter());
            Elements::read(datatype, MAX_EXPECTED, values).map_err(Flaw::from)
        }
        Data::File(bytes) => {
            let mut json = serde_json::Deserializer::from_slice(bytes);
            Elements::read(datatype, MAX_EXPECTED, &mut json).map_err(Flaw::from)
        }
    }
}

fn elements(
    output: &str,
    expected: &Elements,
    found: &Elements,
    tolerance: f64,
) -> Option<Difference> {
    if expected.len() != found.len() {
        return Some(Difference::Form {
            output: output.to_owned(),
            expected: format!("of {} elements", expected.len()),
            found: format!("of {}", found.len()),
        });
    }
    both!(expected, found, (expected, found) => {
        let differ = |index: &usize| !expected[*index].is_near(&found[*index], tolerance);
        let differing: Vec<usize> = (0..expected.len()).filter(differ).collect();
        let index = *differing.first()?;
        Some(Difference::Elements {
            output: output.to_owned(),
            index,
            expected: format!("{:?}", expected[index]),
            found: format!("{:?}", found[index]),
            count: differing.len(),
            of: expected.len(),
        })
    }, else unreachable!("expectations are read as the type that came"))
}
