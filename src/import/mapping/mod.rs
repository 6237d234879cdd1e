//! What a source's words become in this yard: the file of `--map`.
//!
//! ```yaml
//! namespace: vision                 # what models come into that say no other
//! owner: {team: vision, contact: vision@acme.example}
//! models:
//!   Fraud Detection (EU): {name: risk/fraud-eu, owner: {team: risk}}
//!   scratch*: {skip: true}          # a `*` stands for any characters
//! versions: {"*": "{label}.0.0"}    # how a version's label becomes SemVer; or next-minor
//! stages: {Production: released, Archived: deprecated}
//! aliases: {Champion: champion, tmp: ""}      # an empty word leaves one out
//! environments: {models-prod: factory}
//! fields: {tags.team-code: version.properties.team-code}
//! ```
//!
//! A name that can't be a name here is changed as little as makes it one, and every such change is
//! shown; two that would become the same are refused, with this file as the way out.

mod name;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::codes;
use crate::check::yaml;
use crate::platform::atomic::{FileError, read_at_most};
use crate::record::kind::Owner;
use crate::record::name::NameError;
use crate::record::{Alias, Bump, Code, Fault, Lifecycle, ModelName, Name, Version};

pub use name::name_of;

/// The largest mapping: ten thousand models of a line each.
const MAX_BYTES: u64 = 4 << 20;

/// What a source's words become.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Mapping {
    /// The namespace of models that say no other.
    pub namespace: Option<Name>,
    /// Who answers for models that are new here and whose source doesn't say.
    pub owner: Option<Owner>,
    /// What becomes of models, by their names in the source; a `*` stands for any characters.
    pub models: BTreeMap<String, ModelMapping>,
    /// How labels of versions become versions, by label: `{label}` and `{number}`, the digits in
    /// it, can stand in the version. `next-major`, `next-minor` or `next-patch` is for labels that
    /// move on.
    pub versions: BTreeMap<String, String>,
    /// What stages mean.
    pub stages: BTreeMap<String, Lifecycle>,
    /// What aliases are called here; an empty word leaves one out.
    pub aliases: BTreeMap<String, String>,
    /// Which environment a source's namespace or cluster is.
    pub environments: BTreeMap<String, Name>,
    /// Where fields go that would find no place: from `tags.<name>` or a name among those that
    /// found none, to `model.<field>` or `version.<field>`.
    pub fields: BTreeMap<String, String>,
}

/// What becomes of a model.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ModelMapping {
    /// Its name here, with or without a namespace.
    pub name: Option<String>,
    /// Who answers for it.
    pub owner: Option<Owner>,
    /// What it is, in a line.
    pub title: Option<String>,
    /// Whether it is left out.
    pub skip: bool,
}

/// A source's word, and what it became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped<T> {
    /// What it is here.
    pub to: T,
    /// Whether it had to be changed, and no mapping says to what.
    pub changed: bool,
}

/// Why a mapping, or a word by it, is of no use.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// It can't be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is no YAML.
    #[error("{}:{source}", path.display())]
    Yaml {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its place.
        source: yaml::Problems,
    },
    /// It says something that there isn't.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Nothing says in which namespace a model goes.
    #[error("nothing says into which namespace the model `{}` goes", model.escape_debug())]
    NoNamespace {
        /// The model, as its source calls it.
        model: String,
    },
    /// A word of which nothing can be made here.
    #[error("`{}` can't be {what} here: {reason}", text.escape_debug())]
    Word {
        /// The word.
        text: String,
        /// What it should be: "a model's name", "a version".
        what: &'static str,
        /// Why it can't.
        reason: String,
        /// Under which key of a mapping it can be said.
        key: &'static str,
    },
}

impl Fault for MappingError {
    fn code(&self) -> &'static Code {
        match self {
            Self::File(error) => error.code(),
            Self::Yaml { source, .. } => source.code(),
            Self::Content { .. } => &codes::UNUSABLE_MAPPING,
            Self::NoNamespace { .. } | Self::Word { .. } => &codes::UNMAPPED_NAME,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::File(error) => return error.help(),
            Self::Yaml { source, .. } => return source.help(),
            Self::Content { .. } => {
                "it takes namespace, owner, models, versions, stages, aliases, environments and \
                 fields; see `modelyard import --help`"
                    .to_owned()
            }
            Self::NoNamespace { .. } => {
                "add --namespace NAME, or `namespace:` to the file of --map".to_owned()
            }
            Self::Word { text, key, .. } => format!(
                "say what it is in the file of --map: `{key}: {{\"{}\": …}}`",
                text.escape_debug()
            ),
        })
    }
}

impl Mapping {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`MappingError`] if it can't be read, is no YAML, or says something that there isn't.
    pub fn read(path: &Path) -> Result<Self, MappingError> {
        Self::parse(path, &read_at_most(path, MAX_BYTES)?)
    }

    /// Reads `bytes`, which lie at `path`.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, MappingError> {
        let tree = yaml::parse(bytes).map_err(|source| MappingError::Yaml {
            path: path.to_owned(),
            source,
        })?;
        serde_json::from_value(tree.into_value()).map_err(|error| MappingError::Content {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }

    /// What is said of the model that its source calls `model`: by its whole name, else by the
    /// longest pattern that fits it.
    pub fn model(&self, model: &str) -> Option<&ModelMapping> {
        by_pattern(&self.models, model)
    }

    /// What the model is called here.
    ///
    /// # Errors
    /// [`MappingError::NoNamespace`] and [`MappingError::Word`].
    pub fn name(&self, model: &str) -> Result<Mapped<ModelName>, MappingError> {
        let said = self.model(model).and_then(|said| said.name.as_deref());
        let word = |text: &str| MappingError::Word {
            text: text.to_owned(),
            what: "a model's name",
            reason: "no letter a-z and no digit is in it".to_owned(),
            key: "models",
        };
        let refused = |reason: NameError| MappingError::Word {
            text: model.to_owned(),
            what: "a model's name",
            reason: reason.to_string(),
            key: "models",
        };
        let no_namespace = || MappingError::NoNamespace {
            model: model.to_owned(),
        };
        if let Some(said) = said {
            if said.contains('/') {
                let to = said.parse().map_err(refused)?;
                return Ok(Mapped { to, changed: false });
            }
            let namespace = self.namespace.clone().ok_or_else(no_namespace)?;
            let to = ModelName::new(namespace, said.parse().map_err(refused)?);
            return Ok(Mapped { to, changed: false });
        }
        let namespace = self.namespace.clone().ok_or_else(no_namespace)?;
        let name = name::slug_name(model).ok_or_else(|| word(model))?;
        Ok(Mapped {
            changed: name.as_str() != model,
            to: ModelName::new(namespace, name),
        })
    }

    /// What the version with `label` is here; `convention` is what its source makes of it.
    ///
    /// # Errors
    /// [`MappingError::Word`] if it is no version, and neither mapping nor convention makes one.
    pub fn version(
        &self,
        label: &str,
        convention: Option<&Version>,
    ) -> Result<Mapped<Version>, MappingError> {
        let refused = |reason: String| MappingError::Word {
            text: label.to_owned(),
            what: "a version",
            reason,
            key: "versions",
        };
        let form = by_pattern(&self.versions, label).filter(|form| bump(form).is_none());
        if let Some(form) = form {
            let number: String = label.chars().filter(char::is_ascii_digit).collect();
            let text = form.replace("{label}", label).replace("{number}", &number);
            let parsed = text.parse::<Version>();
            let to = parsed.map_err(|error| refused(error.to_string()))?;
            return Ok(Mapped { to, changed: false });
        }
        if let Some(version) = convention {
            return Ok(Mapped {
                to: version.clone(),
                changed: false,
            });
        }
        if let Ok(to) = label.parse() {
            return Ok(Mapped { to, changed: false });
        }
        match name::filled_up(label) {
            Some(to) => Ok(Mapped { to, changed: true }),
            None => Err(refused("it is not Semantic Versioning".to_owned())),
        }
    }

    /// Which part of a version goes up when something new is under `label`, which moves on: what
    /// is said, else the minor one; `None` where a version is said.
    pub fn next(&self, label: &str) -> Option<Bump> {
        match by_pattern(&self.versions, label) {
            Some(form) => bump(form),
            None => Some(Bump::Minor),
        }
    }

    /// What a deployment is called here.
    ///
    /// # Errors
    /// [`MappingError::Word`] if nothing can be made of its name.
    pub fn deployment(&self, name: &str) -> Result<Mapped<Name>, MappingError> {
        let to = name::slug_name(name).ok_or_else(|| MappingError::Word {
            text: name.to_owned(),
            what: "a deployment's name",
            reason: "no letter a-z and no digit is in it".to_owned(),
            key: "models",
        })?;
        Ok(Mapped {
            changed: to.as_str() != name,
            to,
        })
    }

    /// Where a version is in its life that is at `stage` in its source; as MLflow's stages, and
    /// GTO's, where nothing else is said: Production is released, Archived and deregistered are
    /// deprecated, our own words are what they are, all else is staged. What is recycled there, and
    /// comes here, is restored.
    pub fn lifecycle(&self, stage: Option<&str>) -> Lifecycle {
        let Some(stage) = stage else {
            return self
                .stages
                .get("None")
                .copied()
                .unwrap_or(Lifecycle::Staged);
        };
        let said = self.stages.get(stage).copied();
        said.unwrap_or(match stage.to_ascii_lowercase().as_str() {
            "production" | "prod" | "released" => Lifecycle::Released,
            "archived" | "deprecated" | "deregistered" => Lifecycle::Deprecated,
            "retired" | "recycled" => Lifecycle::Retired,
            _ => Lifecycle::Staged,
        })
    }

    /// What the alias is called here; `None` if it is left out.
    ///
    /// # Errors
    /// [`MappingError::Word`] if nothing can be made of it.
    pub fn alias(&self, alias: &str) -> Result<Option<Mapped<Alias>>, MappingError> {
        let refused = |reason: String| MappingError::Word {
            text: alias.to_owned(),
            what: "an alias",
            reason,
            key: "aliases",
        };
        if let Some(said) = self.aliases.get(alias) {
            if said.is_empty() {
                return Ok(None);
            }
            let to = said.parse::<Alias>();
            let to = to.map_err(|error| refused(error.reason.to_owned()))?;
            return Ok(Some(Mapped { to, changed: false }));
        }
        let slug = name::slug(alias).replace(['.', '_'], "-");
        let to = slug.parse::<Alias>();
        let to = to.map_err(|error| refused(error.reason.to_owned()))?;
        Ok(Some(Mapped {
            changed: to.as_str() != alias,
            to,
        }))
    }
}

/// The part of a version that goes up by this word.
fn bump(word: &str) -> Option<Bump> {
    match word {
        "next-major" => Some(Bump::Major),
        "next-minor" => Some(Bump::Minor),
        "next-patch" => Some(Bump::Patch),
        _ => None,
    }
}

/// What is said of `word`: by itself, else by the longest pattern that fits it.
fn by_pattern<'a, T>(said: &'a BTreeMap<String, T>, word: &str) -> Option<&'a T> {
    if let Some(exactly) = said.get(word) {
        return Some(exactly);
    }
    let fitting = said
        .iter()
        .filter(|(pattern, _)| pattern.contains('*') && fits(pattern, word));
    fitting
        .max_by_key(|(pattern, _)| pattern.len())
        .map(|(_, value)| value)
}

/// Whether `pattern`, in which a `*` stands for any characters, is `word`.
pub fn fits(pattern: &str, word: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = word.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<_> = parts.collect();
    let Some((last, between)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in between {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    //! Words of sources, and what they become.

    use super::*;

    fn mapping() -> Mapping {
        let text = r#"{
            "namespace": "vision",
            "models": {
                "Fraud (EU)": {"name": "risk/fraud-eu"},
                "old-*": {"name": "kept"},
                "old-tmp-*": {"skip": true}
            },
            "versions": {"build *": "0.{number}.0", "main": "next-major"},
            "stages": {"Staging": "released"},
            "aliases": {"@Best": "champion", "tmp": ""}
        }"#;
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn names_are_changed_as_little_as_makes_them_names() {
        let mapping = mapping();
        for (from, to, changed) in [
            ("digits", "vision/digits", false),
            ("Oberflächen Fehler", "vision/oberflachen-fehler", true),
            ("team/a.b__c", "vision/team-a.b-c", true),
            ("--x--", "vision/x", true),
            ("Fraud (EU)", "risk/fraud-eu", false),
            ("old-1", "vision/kept", false),
        ] {
            let name = mapping.name(from).unwrap();
            assert_eq!(
                (name.to.to_string().as_str(), name.changed),
                (to, changed),
                "{from}"
            );
        }
        assert!(matches!(
            mapping.name("数字"),
            Err(MappingError::Word { .. })
        ));
        assert!(mapping.model("old-tmp-1").unwrap().skip);
        assert!(matches!(
            Mapping::default().name("digits"),
            Err(MappingError::NoNamespace { .. })
        ));
        let long = mapping.name(&"x".repeat(80)).unwrap();
        assert!(long.changed);
        assert_eq!(long.to.name().as_str().len(), 63);
    }

    #[test]
    fn labels_become_versions() {
        let mapping = mapping();
        let version = |label: &str| {
            let mapped = mapping.version(label, None);
            mapped.map(|mapped| (mapped.to.to_string(), mapped.changed))
        };
        assert_eq!(version("1.4.2").unwrap(), ("1.4.2".to_owned(), false));
        assert_eq!(version("v1.4").unwrap(), ("1.4.0".to_owned(), true));
        assert_eq!(version("12").unwrap(), ("12.0.0".to_owned(), true));
        assert_eq!(version("build 7").unwrap(), ("0.7.0".to_owned(), false));
        for bad in ["main", "", "1.2.3.4", "01", "1..2"] {
            assert!(
                matches!(version(bad), Err(MappingError::Word { .. })),
                "{bad}"
            );
        }
        assert_eq!(mapping.next("main"), Some(Bump::Major));
        assert_eq!(mapping.next("trunk"), Some(Bump::Minor));
        assert_eq!(mapping.next("build 7"), None);
        let convention = "12.0.0".parse().unwrap();
        let mapped = mapping.version("12", Some(&convention)).unwrap();
        assert!(!mapped.changed);
    }

    #[test]
    fn stages_and_aliases() {
        let mapping = mapping();
        assert_eq!(mapping.lifecycle(Some("Production")), Lifecycle::Released);
        assert_eq!(mapping.lifecycle(Some("Staging")), Lifecycle::Released);
        assert_eq!(mapping.lifecycle(Some("Archived")), Lifecycle::Deprecated);
        assert_eq!(mapping.lifecycle(Some("recycled")), Lifecycle::Retired);
        assert_eq!(mapping.lifecycle(None), Lifecycle::Staged);
        let alias = |word: &str| {
            let mapped = mapping.alias(word).unwrap();
            mapped.map(|mapped| (mapped.to.to_string(), mapped.changed))
        };
        assert_eq!(alias("champion"), Some(("champion".to_owned(), false)));
        assert_eq!(alias("@Best"), Some(("champion".to_owned(), false)));
        assert_eq!(alias("Shadow_2"), Some(("shadow-2".to_owned(), true)));
        assert_eq!(alias("tmp"), None);
        assert!(mapping.alias("2nd").is_err());
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, word, is) in [
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*b*c", "a-b-c", true),
            ("a*", "b", false),
            ("*", "", true),
            ("ab", "ab", true),
            ("ab", "abc", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(fits(pattern, word), is, "{pattern} {word}");
        }
    }
}
