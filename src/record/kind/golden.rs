//! Golden tests: requests whose answers are known.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::number::Finite;
use super::path::RelativePath;
use super::tensor::{Datatype, Shape};

/// A request and what a version has to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GoldenTest {
    /// What it shows, for people.
    pub name: String,
    /// What is asked.
    pub request: GoldenRequest,
    /// What has to be answered.
    pub expect: Expectation,
}

/// An inference request of the Open Inference Protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GoldenRequest {
    /// The tensors.
    pub inputs: Vec<GoldenInput>,
    /// What the version's parameters are set to.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
}

/// A tensor of a request, with its elements here or in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GoldenInput {
    /// Which input.
    pub name: String,
    /// Its sizes, all of them known.
    pub shape: Shape,
    /// The type of its elements.
    pub datatype: Datatype,
    /// The elements, flat or nested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Vec<Value>>,
    /// A file of the artifact that holds the elements as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<RelativePath>,
}

/// What the answer has to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expectation {
    /// The outputs that are compared; others may come.
    pub outputs: Vec<ExpectedOutput>,
    /// How far a number may be off, absolutely; 0 where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<Finite>,
}

/// An output with its elements here or in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExpectedOutput {
    /// Which output.
    pub name: String,
    /// Its sizes, where they are to be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
    /// Its type, where it is to be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datatype: Option<Datatype>,
    /// The elements, flat or nested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Vec<Value>>,
    /// A file of the artifact that holds the elements as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<RelativePath>,
}
