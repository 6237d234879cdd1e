//! The JSON of a message, before its tensors are understood.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::binary::NotBinary;
use super::elements::NotElements;
use super::error::{Flaw, ProtocolError, Side};
use super::tensor::{Elements, Tensor, count};

/// How many bytes of a tensor follow the header (binary tensor data extension).
pub(super) const BINARY_DATA_SIZE: &str = "binary_data_size";

/// How many tensors a message may name.
const MAX_TENSORS: usize = 1024;

#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with `inputs`")]
pub(super) struct RequestHeader<'a> {
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) parameters: Map<String, Value>,
    #[serde(borrow)]
    pub(super) inputs: Vec<ReadTensor<'a>>,
    #[serde(default)]
    pub(super) outputs: Option<Vec<ReadOutput>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ReadOutput {
    pub(super) name: String,
    #[serde(default)]
    pub(super) parameters: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with `model_name` and `outputs`")]
pub(super) struct ResponseHeader<'a> {
    pub(super) model_name: String,
    #[serde(default)]
    pub(super) model_version: Option<String>,
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) parameters: Map<String, Value>,
    #[serde(borrow)]
    pub(super) outputs: Vec<ReadTensor<'a>>,
}

/// A tensor whose elements are still text, or behind the header.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with `name`, `shape` and `datatype`")]
pub(super) struct ReadTensor<'a> {
    name: String,
    shape: Vec<i64>,
    #[serde(borrow)]
    datatype: Cow<'a, str>,
    #[serde(default)]
    parameters: Map<String, Value>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

/// A tensor as it is written.
#[derive(Debug, Serialize)]
pub(super) struct WrittenTensor<'a> {
    name: &'a str,
    shape: &'a [u64],
    datatype: crate::record::kind::Datatype,
    #[serde(skip_serializing_if = "Map::is_empty")]
    parameters: Cow<'a, Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Elements>,
}

impl<'a> WrittenTensor<'a> {
    /// With its elements in the header.
    pub(super) fn with_data(tensor: &'a Tensor) -> Self {
        Self {
            data: Some(&tensor.elements),
            parameters: Cow::Borrowed(&tensor.parameters),
            ..Self::with_binary(tensor, 0)
        }
    }

    /// With its elements in `size` bytes behind the header.
    pub(super) fn with_binary(tensor: &'a Tensor, size: usize) -> Self {
        let mut parameters = tensor.parameters.clone();
        parameters.insert(BINARY_DATA_SIZE.to_owned(), size.into());
        Self {
            name: &tensor.name,
            shape: &tensor.shape,
            datatype: tensor.elements.datatype(),
            parameters: Cow::Owned(parameters),
            data: None,
        }
    }
}

/// Reads a header, which is all of the message's JSON.
pub(super) fn parse<'a, H: Deserialize<'a>>(
    side: Side,
    json: &'a [u8],
) -> Result<H, ProtocolError> {
    serde_json::from_slice(json).map_err(|source| ProtocolError::Header {
        side,
        says_nan: says_nan(json, &source),
        source,
    })
}

/// Whether what JSON can't be read for is a NaN or an infinity, as Python writes them.
fn says_nan(json: &[u8], error: &serde_json::Error) -> bool {
    let mut lines = json.split(|&byte| byte == b'\n');
    let line = lines
        .nth(error.line().saturating_sub(1))
        .unwrap_or_default();
    let near = &line[error.column().saturating_sub(2).min(line.len())..];
    ["NaN", "Infinity", "-Infinity"].iter().any(|word| {
        near.windows(word.len().min(near.len()).max(1))
            .take(2)
            .any(|window| window == word.as_bytes())
    })
}

/// Understands the tensors of a message; `binary` is what follows its header.
pub(super) fn tensors(
    side: Side,
    read: Vec<ReadTensor>,
    binary: &Bytes,
) -> Result<Vec<Tensor>, ProtocolError> {
    if read.len() > MAX_TENSORS {
        return Err(ProtocolError::TooMany {
            side,
            most: MAX_TENSORS,
        });
    }
    let mut binary = binary.clone();
    let mut tensors = Vec::with_capacity(read.len());
    for tensor in read {
        let name = tensor.name.clone();
        let tensor = tensor.understand(&mut binary);
        tensors.push(tensor.map_err(|flaw| ProtocolError::Tensor { side, name, flaw })?);
    }
    if binary.is_empty() {
        return Ok(tensors);
    }
    Err(ProtocolError::Rest {
        side,
        bytes: binary.len(),
    })
}

impl ReadTensor<'_> {
    fn understand(mut self, binary: &mut Bytes) -> Result<Tensor, Flaw> {
        let datatype = self.datatype.parse();
        let datatype = datatype.map_err(|_| Flaw::Datatype(self.datatype.clone().into_owned()))?;
        let shape: Result<Vec<u64>, _> =
            self.shape.iter().map(|&size| u64::try_from(size)).collect();
        let shape = shape.map_err(|_| Flaw::Shape(self.shape.clone()))?;
        let expected = count(&shape).ok_or_else(|| Flaw::Shape(self.shape.clone()))?;
        let elements = match (self.data, self.parameters.remove(BINARY_DATA_SIZE)) {
            (Some(_), Some(_)) => return Err(Flaw::Twice),
            (None, None) => return Err(Flaw::NoData),
            (Some(data), None) => {
                let read = Elements::read(
                    datatype,
                    expected,
                    &mut serde_json::Deserializer::from_str(data.get()),
                );
                read.map_err(Flaw::from)?
            }
            (None, Some(size)) => {
                let size = size.as_u64().and_then(|size| usize::try_from(size).ok());
                let size = size.filter(|&size| size <= binary.len());
                let bytes = binary.split_to(size.ok_or(Flaw::BinarySize { left: binary.len() })?);
                Elements::from_binary(datatype, &bytes).map_err(|flaw| match flaw {
                    NotBinary::Torn => Flaw::Torn { bytes: bytes.len() },
                    NotBinary::BeyondTheEnd => Flaw::BeyondTheEnd,
                })?
            }
        };
        if elements.len() != expected {
            let found = elements.len();
            return Err(Flaw::Count {
                shape,
                expected,
                found,
            });
        }
        Ok(Tensor {
            name: self.name,
            shape,
            elements,
            parameters: self.parameters,
        })
    }
}

impl<E: fmt::Display> From<NotElements<E>> for Flaw {
    fn from(not: NotElements<E>) -> Self {
        // Its place counts from where the elements begin, which nobody sees.
        let reason = not.error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or_default();
        Self::Element {
            index: not.index,
            reason: reason.to_owned(),
        }
    }
}
