//! What a version needs: packages, and what other models produce.

use serde::{Deserialize, Serialize};

use super::path::RelativePath;
use crate::record::{ModelName, Selector};

/// What a version needs to be built and to run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dependencies {
    /// Packages it was built with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub build: Vec<Package>,
    /// Packages it runs with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub run: Vec<Package>,
    /// What other models produce for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<ModelDependency>,
}

/// A package of the version's language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Package {
    /// What its registry calls it.
    pub name: String,
    /// A version or a range, in that registry's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Something that another model produces and this version needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelDependency {
    /// What this version calls it: for an output, the input that takes it.
    pub name: String,
    /// Where it comes from.
    pub produced_by: Producer,
}

/// A model and what it produces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ProducerFields", into = "ProducerFields")]
pub struct Producer {
    /// The model.
    pub model: ModelName,
    /// Which of its versions; the newest released one where nothing is said.
    pub version: Option<Selector>,
    /// What it produces.
    pub product: Product,
}

/// What a model produces for another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Product {
    /// An output of a request, which becomes an input of the next.
    Output(String),
    /// A file of its artifact, which lies beside ours.
    File(RelativePath),
}

/// A producer as records write it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProducerFields {
    model: ModelName,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Selector>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<RelativePath>,
}

/// Neither an output nor a file, or both.
#[derive(Debug, thiserror::Error)]
#[error("exactly one of `output` and `file` has to be there")]
struct NotOneProduct;

impl TryFrom<ProducerFields> for Producer {
    type Error = NotOneProduct;

    fn try_from(fields: ProducerFields) -> Result<Self, NotOneProduct> {
        let product = match (fields.output, fields.file) {
            (Some(output), None) => Product::Output(output),
            (None, Some(file)) => Product::File(file),
            _ => return Err(NotOneProduct),
        };
        Ok(Self {
            model: fields.model,
            version: fields.version,
            product,
        })
    }
}

impl From<Producer> for ProducerFields {
    fn from(producer: Producer) -> Self {
        let (output, file) = match producer.product {
            Product::Output(output) => (Some(output), None),
            Product::File(file) => (None, Some(file)),
        };
        Self {
            model: producer.model,
            version: producer.version,
            output,
            file,
        }
    }
}
