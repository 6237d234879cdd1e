//! From what was said to the texts of two records.
//!
//! A record that is there already, or that `--from` gives, keeps its comments and its layout:
//! only the fields of which something else was said are set in it. One that comes from flags,
//! questions and files alone is written anew, its fields in the order of the schema.

use serde_json::{Map, Value, json};

use crate::record::kind::{API_VERSION, Kind, Record};
use crate::record::yaml::to_yaml;
use crate::yard::edit::{self, EditError};

/// A record to be: its kind, its metadata, and the fields of its spec.
pub(in crate::ops) struct Wish<'a> {
    pub kind: Kind,
    pub metadata: Value,
    pub spec: &'a Map<String, Value>,
}

impl Wish<'_> {
    /// The record as YAML: `base` with what differs set in it, or all of it anew.
    ///
    /// # Errors
    /// If a field can't be set in `base` without changing more than it.
    pub(super) fn text(&self, base: Option<(&str, &Value)>) -> Result<String, EditError> {
        match base {
            Some((text, value)) => self.edited(text, value),
            None => Ok(self.anew()),
        }
    }

    fn edited(&self, text: &str, base: &Value) -> Result<String, EditError> {
        let mut bytes = text.as_bytes().to_vec();
        if base.get("metadata").is_none() {
            bytes = edit::set(&bytes, "/metadata", &self.metadata)?;
        }
        for (name, value) in self.spec {
            if base["spec"].get(name) != Some(value) {
                bytes = edit::set(&bytes, &format!("/spec/{name}"), value)?;
            }
        }
        Ok(String::from_utf8(bytes).expect("an edit of text is text"))
    }

    /// The record as YAML, with nothing to begin from.
    pub(in crate::ops) fn anew(&self) -> String {
        let value = json!({
            "apiVersion": API_VERSION,
            "kind": self.kind.as_str(),
            "metadata": self.metadata,
            "spec": self.spec,
        });
        // What is no record yet is written as it was said, for the check to point at.
        Record::from_value(self.kind, &value)
            .map_or_else(|_| to_yaml(&value), |record| record.to_yaml())
    }
}
