//! `kind: Model`: a named line of versions, and what it is for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::envelope::{Envelope, Spec};
use super::grammar::words;
use super::identity::{Doi, Orcid};
use super::label::{LabelKey, LabelValue};
use super::license::License;
use super::{Kind, Record};
use crate::record::{Alias, ModelName, Name, Version};

/// `models/<namespace>/<name>/model.yaml`.
pub type Model = Envelope<ModelSpec>;

/// Which model it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelMetadata {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// Marks to find it by, handed on to where it runs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<LabelKey, LabelValue>,
}

/// What a model is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelSpec {
    /// What it is, in a line.
    pub title: String,
    /// What it does, in some sentences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who answers for it.
    pub owners: Vec<Owner>,
    /// Who may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// What kind of model it is.
    #[serde(default, skip_serializing_if = "Classification::is_empty")]
    pub classification: Classification,
    /// Under which licence it may be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<License>,
    /// How to cite it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub citation: Option<Citation>,
    /// Names for versions, such as `champion`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub aliases: BTreeMap<Alias, Version>,
}

/// Who answers for a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Owner {
    /// The team.
    pub team: String,
    /// How to reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

words! {
    /// Who may see a model.
    Visibility, "a visibility",
    {
        /// Everybody.
        Public = "public",
        /// Everybody who is logged in.
        Internal = "internal",
        /// Only those to whom the yard gives access.
        Private = "private",
    }
}

/// What kind of model it is; a yard may close the vocabulary of each field.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Classification {
    /// The field of machine learning, such as `computer-vision`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technology: Option<String>,
    /// What it does with its input, such as `classification`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// What it takes, such as `image`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_data_type: Option<String>,
    /// Where it is used, such as `manufacturing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_domain: Option<String>,
    /// Its task, as Hugging Face names tasks: `image-classification`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
}

/// How to cite a model.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Citation {
    /// Who made it, in the order of the citation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<Author>,
    /// Its Digital Object Identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doi: Option<Doi>,
    /// What it builds on, each as text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
}

/// Somebody who made a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Author {
    /// The name as it is cited.
    pub name: String,
    /// The ORCID iD.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orcid: Option<Orcid>,
}

impl Spec for ModelSpec {
    const KIND: Kind = Kind::Model;
    type Metadata = ModelMetadata;
}

impl Model {
    /// The model's whole name.
    pub fn model_name(&self) -> ModelName {
        ModelName::new(self.metadata.namespace.clone(), self.metadata.name.clone())
    }
}

impl ModelSpec {
    /// Who may see it; [`Visibility::Internal`] where nothing is said.
    pub fn visibility(&self) -> Visibility {
        self.visibility.unwrap_or(Visibility::Internal)
    }
}

impl Classification {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }

    /// Each field's name in records and what it is set to.
    pub fn fields(&self) -> [(&'static str, Option<&str>); 5] {
        [
            ("technology", self.technology.as_deref()),
            ("category", self.category.as_deref()),
            ("inputDataType", self.input_data_type.as_deref()),
            ("applicationDomain", self.application_domain.as_deref()),
            ("task", self.task.as_deref()),
        ]
    }
}

impl From<Model> for Record {
    fn from(model: Model) -> Self {
        Self::Model(model)
    }
}
