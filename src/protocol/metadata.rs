//! What a server and its models say of themselves.

use serde::{Deserialize, Serialize};

use crate::record::kind::{Datatype, Shape, Tensor};

/// The answer of `GET /v2`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// What serves.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it knows beside the protocol itself.
    pub extensions: Vec<String>,
}

/// The answer of `GET /v2/models/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// What requests call it.
    pub name: String,
    /// Which of its versions answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// What runs it, as `FRAMEWORK_FORMAT`.
    pub platform: String,
    /// What it takes.
    pub inputs: Vec<TensorMetadata>,
    /// What it gives.
    pub outputs: Vec<TensorMetadata>,
}

/// A tensor without elements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TensorMetadata {
    /// What requests and answers call it.
    pub name: String,
    /// The type of its elements.
    pub datatype: Datatype,
    /// Its sizes; -1 is any.
    pub shape: Shape,
}

impl From<&Tensor> for TensorMetadata {
    fn from(tensor: &Tensor) -> Self {
        Self {
            name: tensor.name.clone(),
            datatype: tensor.datatype,
            shape: tensor.shape.clone(),
        }
    }
}

/// The body of an answer that is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What is wrong.
    pub error: String,
}
