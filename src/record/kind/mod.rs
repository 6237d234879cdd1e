//! The kinds of record, as types that serde reads and writes.
//!
//! ```text
//! modelyard.yaml                                    Yard
//! models/<namespace>/<name>/model.yaml              Model
//! models/<namespace>/<name>/versions/<semver>.yaml  ModelVersion
//! environments/<environment>.yaml                   Environment
//! deployments/<environment>/<deployment>.yaml       Deployment
//! policies/<name>.yaml                              Policy
//! ```
//!
//! The contract is `schemas/`, one JSON Schema a kind; these types say the same and are tested
//! against it in both directions. Reading refuses unknown fields and never panics. Writing leaves
//! out what was not said, in the order in which the schemas list the fields. Where a field was
//! not set it is `None`, and a method of the same name gives what then holds.

mod address;
mod analysis;
mod command;
mod dependency;
mod deployment;
mod envelope;
mod environment;
mod format;
mod golden;
mod grammar;
mod identity;
mod image;
mod label;
mod license;
mod lineage;
mod model;
mod number;
mod path;
mod pattern;
mod pointer;
mod policy;
mod quantity;
mod read;
pub mod route;
mod source;
mod span;
mod strategy;
mod tensor;
mod trust;
mod version;
mod yard;

pub use address::{Address, WebUrl};
pub use analysis::*;
pub use command::{Arguments, CommandError, CommandLine};
pub use dependency::{Dependencies, ModelDependency, Package, Producer, Product};
pub use deployment::*;
pub use envelope::{Envelope, Named, Spec};
pub use environment::*;
pub use format::{FORMATS, Format as SchemaFormat};
pub use golden::{Expectation, ExpectedOutput, GoldenInput, GoldenRequest, GoldenTest};
pub use grammar::{Grammar, ValueError};
pub use identity::{CommitId, Doi, Orcid, Subject};
pub use image::ImageReference;
pub use label::*;
pub use license::License;
pub use lineage::{
    BaseModel, BaseRelation, Dataset, Imported, Lineage, TrainingRun, TrainingSource,
};
pub use model::*;
pub use number::{Finite, NotFinite};
pub use path::RelativePath;
pub use pattern::ModelPattern;
pub use pointer::JsonPointer;
pub use policy::*;
pub use quantity::Quantity;
pub use read::read;
pub use route::RoutePath;
pub use source::{Source, SourceType};
pub use span::Span;
pub use strategy::*;
pub use tensor::*;
pub use trust::*;
pub use version::*;
pub use yard::*;

use serde_json::Value;

/// What `apiVersion` is in every record.
pub const API_VERSION: &str = "modelyard.dev/v1";

grammar::words! {
    /// A kind of record.
    Kind, "a kind of record",
    {
        /// What holds for a whole yard.
        Yard = "Yard",
        /// A named line of versions.
        Model = "Model",
        /// One immutable release of a model.
        ModelVersion = "ModelVersion",
        /// Somewhere models run.
        Environment = "Environment",
        /// The wish that versions serve in an environment.
        Deployment = "Deployment",
        /// Gates that a change has to pass.
        Policy = "Policy",
    }
}

/// One record of a yard.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "records are read one by one, and lists hold one kind"
)]
pub enum Record {
    /// `modelyard.yaml`.
    Yard(Yard),
    /// `models/<namespace>/<name>/model.yaml`.
    Model(Model),
    /// `models/<namespace>/<name>/versions/<version>.yaml`.
    ModelVersion(ModelVersion),
    /// `environments/<environment>.yaml`.
    Environment(Environment),
    /// `deployments/<environment>/<deployment>.yaml`.
    Deployment(Deployment),
    /// `policies/<name>.yaml`.
    Policy(Policy),
}

impl Kind {
    /// Its JSON Schema (2020-12), as it lies in `schemas/`.
    pub const fn schema(self) -> &'static str {
        match self {
            Self::Yard => include_str!("../../../schemas/yard.schema.json"),
            Self::Model => include_str!("../../../schemas/model.schema.json"),
            Self::ModelVersion => include_str!("../../../schemas/model-version.schema.json"),
            Self::Environment => include_str!("../../../schemas/environment.schema.json"),
            Self::Deployment => include_str!("../../../schemas/deployment.schema.json"),
            Self::Policy => include_str!("../../../schemas/policy.schema.json"),
        }
    }

    /// Its JSON Schema's `$id`, never changed once released.
    pub const fn schema_id(self) -> &'static str {
        match self {
            Self::Yard => "https://modelyard.dev/schemas/v1/yard.schema.json",
            Self::Model => "https://modelyard.dev/schemas/v1/model.schema.json",
            Self::ModelVersion => "https://modelyard.dev/schemas/v1/model-version.schema.json",
            Self::Environment => "https://modelyard.dev/schemas/v1/environment.schema.json",
            Self::Deployment => "https://modelyard.dev/schemas/v1/deployment.schema.json",
            Self::Policy => "https://modelyard.dev/schemas/v1/policy.schema.json",
        }
    }
}

impl Record {
    /// Which kind it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Yard(_) => Kind::Yard,
            Self::Model(_) => Kind::Model,
            Self::ModelVersion(_) => Kind::ModelVersion,
            Self::Environment(_) => Kind::Environment,
            Self::Deployment(_) => Kind::Deployment,
            Self::Policy(_) => Kind::Policy,
        }
    }

    /// Reads a record of a known kind.
    ///
    /// # Errors
    /// Says what the first thing is that is not as the kind asks; the schema says all of them,
    /// with their places, and is asked first.
    pub fn from_value(kind: Kind, value: &Value) -> Result<Self, serde_json::Error> {
        match kind {
            Kind::Yard => read(value).map(Self::Yard),
            Kind::Model => read(value).map(Self::Model),
            Kind::ModelVersion => read(value).map(Self::ModelVersion),
            Kind::Environment => read(value).map(Self::Environment),
            Kind::Deployment => read(value).map(Self::Deployment),
            Kind::Policy => read(value).map(Self::Policy),
        }
    }

    /// The record as JSON, its fields in the order of its schema.
    pub fn to_value(&self) -> Value {
        let value = match self {
            Self::Yard(record) => serde_json::to_value(record),
            Self::Model(record) => serde_json::to_value(record),
            Self::ModelVersion(record) => serde_json::to_value(record),
            Self::Environment(record) => serde_json::to_value(record),
            Self::Deployment(record) => serde_json::to_value(record),
            Self::Policy(record) => serde_json::to_value(record),
        };
        value.expect("a record has text keys and finite numbers only")
    }

    /// The record as YAML, its fields in the order of its schema, one a line: see
    /// [`crate::record::yaml`].
    pub fn to_yaml(&self) -> String {
        crate::record::yaml::to_yaml(&self.to_value())
    }

    /// Where it lies in a yard, with `/` between the parts.
    pub fn path(&self) -> String {
        match self {
            Self::Yard(_) => "modelyard.yaml".to_owned(),
            Self::Model(record) => format!("models/{}/model.yaml", record.model_name()),
            Self::ModelVersion(record) => format!(
                "models/{}/versions/{}.yaml",
                record.model_name(),
                record.metadata.version
            ),
            Self::Environment(record) => format!("environments/{}.yaml", record.metadata.name),
            Self::Deployment(record) => format!(
                "deployments/{}/{}.yaml",
                record.metadata.environment, record.metadata.name
            ),
            Self::Policy(record) => format!("policies/{}.yaml", record.metadata.name),
        }
    }
}
