//! Why something can't be exported.

use crate::ops::codes;
use crate::ops::show::DeploymentName;
use crate::record::{Code, Fault, ModelName, Version};

/// Why something can't be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A deployment, where one version is meant.
    #[error("deployments/{}/{} is a deployment, and a folder has one version", .0.environment, .0.name)]
    Deployment(DeploymentName),
    /// Nothing says where a cluster finds a version's files.
    #[error(
        "nothing says where a cluster finds the files of {model}:{version}, whose artifact is on this machine"
    )]
    NoStorageAddress {
        /// The model.
        model: ModelName,
        /// Its version.
        version: Version,
    },
}

impl Fault for ExportError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Deployment(_) => &codes::NOT_OF_A_DEPLOYMENT,
            Self::NoStorageAddress { .. } => &codes::NO_STORAGE_ADDRESS,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Deployment(_) => {
                "name a version, as in vision/digits:1.0.0, or export it with --to kserve"
                    .to_owned()
            }
            Self::NoStorageAddress { .. } => {
                "add --storage-uri, as in --storage-uri 's3://models/{namespace}/{name}/{version}'"
                    .to_owned()
            }
        })
    }
}
