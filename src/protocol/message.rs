//! Requests and answers, as a body's bytes and as tensors.

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;
use serde_json::{Map, Value};

use super::error::{ProtocolError, Side};
use super::header::{self, RequestHeader, ResponseHeader, WrittenTensor};
use super::tensor::Tensor;

/// The HTTP header that tells how long the JSON of a body is, where raw bytes follow it.
pub const INFERENCE_HEADER_CONTENT_LENGTH: &str = "inference-header-content-length";

/// In an output's parameters: whether its elements are wanted as raw bytes.
const BINARY_DATA: &str = "binary_data";
/// In a request's parameters: the same for all outputs that don't say.
const BINARY_DATA_OUTPUT: &str = "binary_data_output";

/// The body of an HTTP message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// All of it.
    pub bytes: Bytes,
    /// How long its JSON is, if raw bytes follow: the value of
    /// [`INFERENCE_HEADER_CONTENT_LENGTH`].
    pub header_length: Option<usize>,
}

impl Body {
    /// The JSON, and the raw bytes behind it.
    fn parts(&self, side: Side) -> Result<(&[u8], Bytes), ProtocolError> {
        let length = self.bytes.len();
        let end = self.header_length.unwrap_or(length);
        if end > length {
            return Err(ProtocolError::HeaderLength {
                side,
                announced: end,
                length,
            });
        }
        Ok((&self.bytes[..end], self.bytes.slice(end..)))
    }

    /// Writes a header and what follows it.
    fn write(header: &impl Serialize, binary: &[u8]) -> Self {
        let mut bytes = BytesMut::new().writer();
        serde_json::to_writer(&mut bytes, header).expect("what JSON can't say was kept out of it");
        let mut bytes = bytes.into_inner();
        let header_length = (!binary.is_empty()).then_some(bytes.len());
        bytes.extend_from_slice(binary);
        Self {
            bytes: bytes.freeze(),
            header_length,
        }
    }

    /// What the body is, for `Content-Type`.
    pub const fn content_type(&self) -> &'static str {
        match self.header_length {
            Some(_) => "application/octet-stream",
            None => "application/json",
        }
    }
}

/// What a prediction asks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// What the answer is known by, if the asker says.
    pub id: Option<String>,
    /// What is set beside the tensors.
    pub parameters: Map<String, Value>,
    /// The tensors.
    pub inputs: Vec<Tensor>,
    /// Which outputs are wanted, in this order; all of them where nothing is said.
    pub outputs: Option<Vec<Requested>>,
    /// Whether outputs are wanted as raw bytes, where they don't say.
    pub binary_output: bool,
}

/// An output that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// Which one.
    pub name: String,
    /// Whether its elements are wanted as raw bytes, if it is said.
    pub binary: Option<bool>,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// [`ProtocolError`] with the input that is wrong.
    pub fn parse(body: &Body) -> Result<Self, ProtocolError> {
        let (json, binary) = body.parts(Side::Request)?;
        let header: RequestHeader = header::parse(Side::Request, json)?;
        let mut parameters = header.parameters;
        let binary_output = parameters.remove(BINARY_DATA_OUTPUT);
        let outputs = header.outputs.map(|outputs| {
            let requested = outputs.into_iter().map(|output| Requested {
                binary: output.parameters.get(BINARY_DATA).and_then(Value::as_bool),
                name: output.name,
            });
            requested.collect()
        });
        Ok(Self {
            id: header.id,
            parameters,
            inputs: header::tensors(Side::Request, header.inputs, &binary)?,
            outputs,
            binary_output: binary_output == Some(Value::Bool(true)),
        })
    }

    /// Whether `output` is wanted as raw bytes.
    pub fn wants_binary(&self, output: &str) -> bool {
        let requested = self
            .outputs
            .iter()
            .flatten()
            .find(|requested| requested.name == output);
        requested
            .and_then(|requested| requested.binary)
            .unwrap_or(self.binary_output)
    }

    /// Writes the request, its elements in raw bytes behind the header if `binary`.
    ///
    /// # Errors
    /// [`ProtocolError::Unsayable`] for elements that only raw bytes can say.
    pub fn to_body(&self, binary: bool) -> Result<Body, ProtocolError> {
        #[derive(Serialize)]
        struct Header<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            id: Option<&'a str>,
            #[serde(skip_serializing_if = "Map::is_empty")]
            parameters: Map<String, Value>,
            inputs: Vec<WrittenTensor<'a>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            outputs: Option<Vec<Output<'a>>>,
        }
        #[derive(Serialize)]
        struct Output<'a> {
            name: &'a str,
            #[serde(skip_serializing_if = "Map::is_empty")]
            parameters: Map<String, Value>,
        }
        let mut parameters = self.parameters.clone();
        if self.binary_output {
            parameters.insert(BINARY_DATA_OUTPUT.to_owned(), true.into());
        }
        let outputs = self.outputs.as_ref().map(|outputs| {
            let outputs = outputs.iter().map(|output| Output {
                name: &output.name,
                parameters: output
                    .binary
                    .iter()
                    .map(|&binary| (BINARY_DATA.to_owned(), binary.into()))
                    .collect(),
            });
            outputs.collect()
        });
        let (inputs, behind) = written(Side::Request, &self.inputs, |_| binary)?;
        let id = self.id.as_deref();
        Ok(Body::write(
            &Header {
                id,
                parameters,
                inputs,
                outputs,
            },
            &behind,
        ))
    }
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Response {
    /// The model that answers.
    pub model_name: String,
    /// Its version, if it is told.
    pub model_version: Option<String>,
    /// The request's.
    pub id: Option<String>,
    /// What is told beside the tensors.
    pub parameters: Map<String, Value>,
    /// The tensors.
    pub outputs: Vec<Tensor>,
}

impl Response {
    /// Reads an answer.
    ///
    /// # Errors
    /// [`ProtocolError`] with the output that is wrong.
    pub fn parse(body: &Body) -> Result<Self, ProtocolError> {
        let (json, binary) = body.parts(Side::Answer)?;
        let header: ResponseHeader = header::parse(Side::Answer, json)?;
        Ok(Self {
            model_name: header.model_name,
            model_version: header.model_version,
            id: header.id,
            parameters: header.parameters,
            outputs: header::tensors(Side::Answer, header.outputs, &binary)?,
        })
    }

    /// Writes the answer, with those outputs in raw bytes of which `request` wants it.
    ///
    /// # Errors
    /// [`ProtocolError::Unsayable`] for elements that only raw bytes can say.
    pub fn to_body(&self, request: &Request) -> Result<Body, ProtocolError> {
        #[derive(Serialize)]
        struct Header<'a> {
            model_name: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            model_version: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            id: Option<&'a str>,
            #[serde(skip_serializing_if = "Map::is_empty")]
            parameters: &'a Map<String, Value>,
            outputs: Vec<WrittenTensor<'a>>,
        }
        let wants = |tensor: &Tensor| request.wants_binary(&tensor.name);
        let (outputs, behind) = written(Side::Answer, &self.outputs, wants)?;
        let header = Header {
            model_name: &self.model_name,
            model_version: self.model_version.as_deref(),
            id: self.id.as_deref(),
            parameters: &self.parameters,
            outputs,
        };
        Ok(Body::write(&header, &behind))
    }
}

/// Tensors as the header names them, and the bytes of those that are `binary`.
fn written(
    side: Side,
    tensors: &[Tensor],
    binary: impl Fn(&Tensor) -> bool,
) -> Result<(Vec<WrittenTensor<'_>>, BytesMut), ProtocolError> {
    let mut behind = BytesMut::new();
    let mut written = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        if binary(tensor) {
            let before = behind.len();
            tensor.elements.write_binary(&mut behind);
            written.push(WrittenTensor::with_binary(tensor, behind.len() - before));
        } else if tensor.elements.are_sayable() {
            written.push(WrittenTensor::with_data(tensor));
        } else {
            let name = tensor.name.clone();
            return Err(ProtocolError::Unsayable { side, name });
        }
    }
    Ok((written, behind))
}
