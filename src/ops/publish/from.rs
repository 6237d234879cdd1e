//! Records that are handed to `--from`, to take fields from.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::error::PublishError;
use super::said::Said;
use crate::check::yaml;
use crate::platform::atomic::read_at_most;
use crate::record::kind::Kind;
use crate::record::{Failure, ModelName, Version};

/// A record from a file: its text, to be kept, and its value.
#[derive(Debug)]
pub(super) struct From {
    pub path: PathBuf,
    pub text: String,
    pub value: Value,
}

/// At most one record of each kind that is published.
#[derive(Debug, Default)]
pub(super) struct FromRecords {
    pub model: Option<From>,
    pub version: Option<From>,
}

impl FromRecords {
    /// Reads `paths`, one record each.
    ///
    /// # Errors
    /// If one can't be read, is no YAML, is of another kind, or comes twice.
    pub(super) fn read(paths: &[PathBuf]) -> Result<Self, Failure> {
        let mut all = Self::default();
        for path in paths {
            let from = From::read(path)?;
            let place = match from.kind()? {
                Kind::Model => &mut all.model,
                Kind::ModelVersion => &mut all.version,
                kind => return Err(from.wrong_kind(kind.as_str()).into()),
            };
            if place.replace(from).is_some() {
                return Err(PublishError::FromTwice { path: path.clone() }.into());
            }
        }
        Ok(all)
    }

    /// What they say.
    pub(super) fn said(&self) -> Said {
        let spec = |from: &Option<From>| from.as_ref().map(From::spec).unwrap_or_default();
        Said {
            model: spec(&self.model),
            version: spec(&self.version),
        }
    }

    /// Makes sure that they speak of what is published, where they say of what they speak.
    ///
    /// # Errors
    /// [`PublishError::FromOther`] if one speaks of another model or version.
    pub(super) fn speak_of(
        &self,
        model: &ModelName,
        version: &Version,
    ) -> Result<(), PublishError> {
        let expected = [
            ("namespace", model.namespace().to_string()),
            ("name", model.name().to_string()),
            ("version", version.to_string()),
        ];
        for from in self.model.iter().chain(&self.version) {
            for (field, expected) in &expected {
                let said = from.value["metadata"].get(field).and_then(Value::as_str);
                if let Some(said) = said.filter(|said| said != expected) {
                    return Err(PublishError::FromOther {
                        path: from.path.clone(),
                        field,
                        said: said.to_owned(),
                        expected: expected.clone(),
                    });
                }
            }
        }
        Ok(())
    }
}

impl From {
    fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = read_at_most(path, yaml::MAX_RECORD_BYTES as u64)?;
        let tree = yaml::parse(&bytes).map_err(|source| PublishError::FromYaml {
            path: path.to_owned(),
            source,
        })?;
        let text = String::from_utf8(bytes).expect("what was parsed as YAML is UTF-8");
        Ok(Self {
            path: path.to_owned(),
            text,
            value: tree.into_value(),
        })
    }

    fn kind(&self) -> Result<Kind, PublishError> {
        let kind = self.value["kind"].as_str().unwrap_or("nothing");
        kind.parse().map_err(|_| self.wrong_kind(kind))
    }

    fn wrong_kind(&self, kind: &str) -> PublishError {
        PublishError::FromKind {
            path: self.path.clone(),
            kind: kind.to_owned(),
        }
    }

    fn spec(&self) -> Map<String, Value> {
        self.value["spec"].as_object().cloned().unwrap_or_default()
    }
}
