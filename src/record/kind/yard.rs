//! `kind: Yard`: what holds for a whole yard.

use serde::{Deserialize, Serialize};

use super::address::WebUrl;
use super::envelope::{Envelope, Named, Spec};
use super::grammar::words;
use super::identity::Subject;
use super::pattern::ModelPattern;
use super::source::Source;
use super::span::Span;
use super::trust::Trust;
use super::{Kind, Record};
use crate::record::{Name, Repository};

/// `modelyard.yaml`.
pub type Yard = Envelope<YardSpec>;

/// What holds for a whole yard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct YardSpec {
    /// Where bytes go; the first is the default for publishing.
    pub stores: Vec<Store>,
    /// Who must have signed what.
    #[serde(default, skip_serializing_if = "Trust::is_empty")]
    pub trust: Trust,
    /// Who may do what on the server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<Access>,
    /// The vocabularies of models' classification, closed where given.
    #[serde(default, skip_serializing_if = "Vocabularies::is_empty")]
    pub classification: Vocabularies,
    /// What a version must have to be released.
    #[serde(default, skip_serializing_if = "Releases::is_empty")]
    pub releases: Releases,
    /// What is imported from again and again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// Where pull requests live, where the remote does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forge: Option<Forge>,
    /// How changes reach the main branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish: Option<Publish>,
    /// How long things are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
}

/// A place for artifacts' bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Store {
    /// What this yard calls it.
    pub name: Name,
    /// The prefix under which each model has its repository.
    pub repository: Repository,
}

/// What some subjects may do with some models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Access {
    /// Who.
    pub subjects: Vec<Subject>,
    /// What they may do.
    pub role: Role,
    /// With which models; all of them where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<ModelPattern>,
}

words! {
    /// What somebody may do on the server.
    Role, "a role",
    {
        /// See and pull.
        Reader = "reader",
        /// Publish, too.
        Contributor = "contributor",
        /// Promote and deploy, too.
        Maintainer = "maintainer",
        /// Everything.
        Administrator = "administrator",
    }
}

/// The values that fields of models' classification may have; any where a list is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Vocabularies {
    /// Fields of machine learning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub technology: Vec<String>,
    /// What models do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub category: Vec<String>,
    /// What models take.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input_data_type: Vec<String>,
    /// Where models are used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub application_domain: Vec<String>,
    /// Models' tasks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub task: Vec<String>,
}

/// What a version must have to be released.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Releases {
    /// All of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub require: Vec<ReleaseRequirement>,
}

words! {
    /// Something that a version can be required to have.
    ReleaseRequirement, "something that a release can be required to have",
    {
        /// At least one input.
        Inputs = "inputs",
        /// At least one output.
        Outputs = "outputs",
        /// A licence of its model.
        License = "license",
        /// At least one golden test.
        Tests = "tests",
        /// At least one metric.
        Metrics = "metrics",
        /// The repository and the commit that trained it.
        LineageSource = "lineage.source",
        /// At least one dataset, and the digest of each.
        LineageDatasets = "lineage.datasets",
    }
}

/// Where pull requests live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Forge {
    /// What kind of forge it is.
    #[serde(rename = "type")]
    pub forge_type: ForgeType,
    /// The yard's page there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<WebUrl>,
}

words! {
    /// A kind of forge.
    ForgeType, "a kind of forge",
    {
        /// GitHub, github.com or one's own.
        Github = "github",
        /// GitLab, gitlab.com or one's own.
        Gitlab = "gitlab",
        /// Gitea, or Forgejo.
        Gitea = "gitea",
        /// A remote with no pull requests.
        Git = "git",
    }
}

/// How changes reach the main branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Publish {
    /// By review or at once.
    pub mode: PublishMode,
}

words! {
    /// How a change reaches the main branch.
    PublishMode, "a way to publish",
    {
        /// On a branch that is reviewed.
        PullRequest = "pull-request",
        /// At once: for a yard of one.
        Direct = "direct",
    }
}

/// How long things are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retention {
    /// How long a recycled version can be restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recycled: Option<Span>,
    /// How many earlier versions of each deployment can be rolled back to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_window: Option<u32>,
}

impl Spec for YardSpec {
    const KIND: Kind = Kind::Yard;
    type Metadata = Named;
}

impl YardSpec {
    /// The store that publishing goes to.
    pub fn default_store(&self) -> Option<&Store> {
        self.stores.first()
    }

    /// How changes reach the main branch; [`PublishMode::PullRequest`] where nothing is said.
    pub fn publish_mode(&self) -> PublishMode {
        self.publish
            .as_ref()
            .map_or(PublishMode::PullRequest, |publish| publish.mode)
    }

    /// How long a recycled version can be restored; 30 days where nothing is said.
    pub fn recycled_retention(&self) -> Span {
        let said = self.retention.as_ref().and_then(|kept| kept.recycled);
        said.unwrap_or(Span::days(30))
    }

    /// How many earlier versions of each deployment are kept; 5 where nothing is said.
    pub fn rollback_window(&self) -> u32 {
        let said = self
            .retention
            .as_ref()
            .and_then(|kept| kept.rollback_window);
        said.unwrap_or(5)
    }
}

impl Vocabularies {
    /// Whether no vocabulary is closed.
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }

    /// Each field's name in records and its vocabulary, empty where it is open.
    pub fn fields(&self) -> [(&'static str, &[String]); 5] {
        [
            ("technology", &self.technology),
            ("category", &self.category),
            ("inputDataType", &self.input_data_type),
            ("applicationDomain", &self.application_domain),
            ("task", &self.task),
        ]
    }
}

impl Releases {
    /// Whether nothing is required.
    pub fn is_empty(&self) -> bool {
        self.require.is_empty()
    }
}

impl From<Yard> for Record {
    fn from(yard: Yard) -> Self {
        Self::Yard(yard)
    }
}
