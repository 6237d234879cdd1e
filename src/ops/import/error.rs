//! Why a version, or an import, is refused.

use crate::ops::codes;
use crate::record::{Code, Fault, ModelName, Name, Version};

/// Why a version, or an import, is refused.
#[derive(Debug, thiserror::Error)]
pub enum ImportRefused {
    /// A name for one version, and there is another number of them.
    #[error("--as names one version, and {count} are meant")]
    NotOne {
        /// How many are meant.
        count: usize,
    },
    /// No source by that name.
    #[error("modelyard.yaml names no source called {name}")]
    NoSource {
        /// The name that was asked for.
        name: Name,
        /// Those that it names.
        names: Vec<String>,
    },
    /// A mapping that is not in the yard.
    #[error("the mapping {path} is not in the yard")]
    NoMapping {
        /// Its path.
        path: String,
    },
    /// A version of which nothing says what it is called here.
    #[error("nothing says what it is called here")]
    Nameless,
    /// A new model of which nobody says who answers for it.
    #[error("{model} is new, and nothing says who answers for it")]
    NoOwner {
        /// The model.
        model: ModelName,
    },
    /// A deployment of a model that is not imported.
    #[error("{deployment} is of the model `{}`, which is not imported", model.escape_debug())]
    NoModel {
        /// The deployment, as its source calls it.
        deployment: String,
        /// The model, as its source calls it.
        model: String,
    },
    /// A format that the trust policy denies.
    #[error("{model}:{version} has the format {format}, which the trust policy denies")]
    Denied {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
        /// The format.
        format: String,
    },
}

impl Fault for ImportRefused {
    fn code(&self) -> &'static Code {
        match self {
            Self::NotOne { .. } => &codes::INVALID_SELECTION,
            Self::NoSource { .. } => &crate::import::codes::NO_SUCH_SOURCE,
            Self::NoMapping { .. } => &crate::import::codes::UNUSABLE_MAPPING,
            Self::Nameless => &crate::import::codes::UNMAPPED_NAME,
            Self::NoModel { .. } => &crate::import::codes::UNMAPPED_NAME,
            Self::NoOwner { .. } => &codes::MISSING_METADATA,
            Self::Denied { .. } => &crate::trust::codes::FORMAT_DENIED,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotOne { .. } => {
                "choose one with --select, or say with --map what each is here".to_owned()
            }
            Self::NoSource { names, .. } if names.is_empty() => {
                "add it to modelyard.yaml, as in `sources: [{name: lab, type: mlflow, url: \
                 https://mlflow.example.com}]`"
                    .to_owned()
            }
            Self::NoSource { names, .. } => format!("it names {}", names.join(", ")),
            Self::NoMapping { .. } => {
                "commit it, or correct `map` of the source in modelyard.yaml".to_owned()
            }
            Self::Nameless => "say with --map what it is here".to_owned(),
            Self::NoModel { .. } => {
                "see above why not; once it is imported, the same command brings the deployment"
                    .to_owned()
            }
            Self::NoOwner { .. } => "add --owner TEAM, or `owner:` to the file of --map".to_owned(),
            Self::Denied { .. } => {
                "convert it to a format that runs no code, such as onnx or safetensors, or leave \
                 it out with --map; the rule is in modelyard.yaml, under `trust`"
                    .to_owned()
            }
        })
    }
}
