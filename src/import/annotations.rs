//! The pre-defined annotations of OCI artifacts and the labels of images, as fields of records.
//!
//! | annotation | field |
//! | --- | --- |
//! | `…title`, `…description`, `…licenses` | of the model |
//! | `…created`, `…authors` | `createdAt`, `author` |
//! | `…source`, `…revision` | `lineage.source` |
//! | `…url`, `…documentation` | `links` |
//!
//! Whatever else there is, and what can't be a field as it is written, is kept by its name. Of two
//! that say one field the first is heard.
//!
//! Source: OCI image-spec 1.1, "Pre-Defined Annotation Keys".

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::huggingface;
use crate::record::kind::{Address, CommitId, License, WebUrl};

/// What the pre-defined names begin with.
pub(super) const PREDEFINED: &str = "org.opencontainers.image.";

/// The longest line of text that a record has, in characters.
const MAX_LINE: usize = 255;

/// What an artifact or an image says of itself, in the words of records.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Told {
    /// Fields of a model.
    pub(super) model: Map<String, Value>,
    /// Fields of a version.
    pub(super) version: Map<String, Value>,
    /// What found no place.
    pub(super) unmapped: Map<String, Value>,
    /// What a person should know of it.
    pub(super) remarks: Vec<String>,
}

impl Told {
    /// Hears annotations or labels; those without a place are kept under `prefix`.
    pub(super) fn annotations(&mut self, annotations: &BTreeMap<String, String>, prefix: &str) {
        let revision = annotations.get(&format!("{PREDEFINED}revision"));
        for (name, text) in annotations {
            let word = name.strip_prefix(PREDEFINED);
            let taken = match word {
                Some("title") => self.title(text),
                Some("description") => self.description(text),
                Some("licenses") => self.license(text),
                Some("created") => self.created(text),
                Some("authors") => self.author(text),
                Some("source") => self.source(text, revision.map(String::as_str)),
                Some("url") => self.link("Home page", text),
                Some("documentation") => self.link("Documentation", text),
                // Said with the source that it is of.
                Some("revision") => self.commit() == Some(text),
                _ => false,
            };
            if !taken {
                self.keep(&format!("{prefix}{name}"), json!(text));
            }
        }
        // The revision stands before the source in the alphabet.
        if let (Some(revision), Some(commit)) = (revision, self.commit())
            && revision == commit
        {
            let name = format!("{prefix}{PREDEFINED}revision");
            self.unmapped.shift_remove(&name);
        }
    }

    /// What it is, in a line; whether that is heard, as with all of these.
    pub(super) fn title(&mut self, text: &str) -> bool {
        is_line(text) && first(&mut self.model, "title", json!(text))
    }

    /// What it does.
    pub(super) fn description(&mut self, text: &str) -> bool {
        let fits = !text.trim().is_empty() && text.len() <= 65536 && !has_control(text);
        fits && first(&mut self.model, "description", json!(text))
    }

    /// Its licence: an expression of SPDX, or a name that is plainly one.
    pub(super) fn license(&mut self, text: &str) -> bool {
        let license = text.parse::<License>().ok();
        let license = license.or_else(|| huggingface::license(text));
        license.is_some_and(|license| first(&mut self.model, "license", json!(license)))
    }

    /// Who made it.
    pub(super) fn author(&mut self, text: &str) -> bool {
        is_line(text) && first(&mut self.version, "author", json!(text))
    }

    /// When it was made, by RFC 3339.
    pub(super) fn created(&mut self, text: &str) -> bool {
        let Ok(time) = text.parse::<Timestamp>() else {
            return false;
        };
        // Builds that are the same everywhere say the beginning of time.
        if time.as_second() <= 0 {
            return false;
        }
        let whole = Timestamp::from_second(time.as_second()).unwrap_or(time);
        first(&mut self.version, "createdAt", json!(whole))
    }

    /// The repository that it was made from, and the commit.
    pub(super) fn source(&mut self, repository: &str, commit: Option<&str>) -> bool {
        let Ok(repository) = repository.parse::<Address>() else {
            return false;
        };
        let mut source = json!({"repository": repository});
        if let Some(commit) = commit.and_then(|commit| commit.parse::<CommitId>().ok()) {
            source["commit"] = json!(commit);
        }
        first(self.lineage(), "source", source)
    }

    /// A page to read on.
    pub(super) fn link(&mut self, title: &str, url: &str) -> bool {
        let Ok(url) = url.parse::<WebUrl>() else {
            return false;
        };
        let links = self.version.entry("links").or_insert_with(|| json!([]));
        let Value::Array(links) = links else {
            return false;
        };
        links.push(json!({"title": title, "url": url}));
        true
    }

    /// Where it comes from.
    pub(super) fn lineage(&mut self) -> &mut Map<String, Value> {
        let lineage = self.version.entry("lineage").or_insert_with(|| json!({}));
        lineage.as_object_mut().expect("it is made as an object")
    }

    /// What has no field.
    pub(super) fn keep(&mut self, name: &str, value: Value) {
        let empty = match &value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        };
        if !empty {
            self.unmapped.insert(name.to_owned(), value);
        }
    }

    /// Leaves out what was begun and got nothing.
    pub(super) fn settled(mut self) -> Self {
        let empty = |value: &Value| value.as_object().is_some_and(Map::is_empty);
        if self.version.get("lineage").is_some_and(empty) {
            self.version.shift_remove("lineage");
        }
        self
    }

    fn commit(&self) -> Option<&str> {
        let lineage = self.version.get("lineage")?;
        lineage.get("source")?.get("commit")?.as_str()
    }
}

/// Puts `value` where nothing stands yet, or the same.
fn first(fields: &mut Map<String, Value>, name: &str, value: Value) -> bool {
    match fields.get(name) {
        Some(there) => *there == value,
        None => {
            fields.insert(name.to_owned(), value);
            true
        }
    }
}

/// Whether `text` can be a line of a record.
pub(super) fn is_line(text: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= MAX_LINE
        && !text.chars().any(char::is_control)
}

fn has_control(text: &str) -> bool {
    text.chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\t'))
}

#[cfg(test)]
mod tests {
    //! What is heard, and what is kept.

    use super::*;

    #[test]
    fn what_has_a_field_goes_there_and_all_else_is_kept() {
        let annotations = [
            ("title", "Fraud"),
            ("licenses", "MIT"),
            ("created", "2026-11-01T09:30:00.5Z"),
            ("authors", "Ada\u{1b}"),
            ("source", "https://git.test/ml/fraud"),
            ("revision", "4f2c1e9b7a6d5c4b3a2918070605040302010f0e"),
            ("url", "https://fraud.test"),
            ("vendor", "Acme"),
        ];
        let annotations = annotations
            .map(|(name, text)| (format!("{PREDEFINED}{name}"), text.to_owned()))
            .into();
        let mut told = Told::default();
        told.annotations(&annotations, "annotations.");
        let told = told.settled();
        assert_eq!(
            json!(told.model),
            json!({"license": "MIT", "title": "Fraud"})
        );
        assert_eq!(
            json!(told.version),
            json!({
                "createdAt": "2026-11-01T09:30:00Z",
                "lineage": {"source": {
                    "repository": "https://git.test/ml/fraud",
                    "commit": "4f2c1e9b7a6d5c4b3a2918070605040302010f0e",
                }},
                "links": [{"title": "Home page", "url": "https://fraud.test"}],
            })
        );
        let kept: Vec<_> = told.unmapped.keys().map(String::as_str).collect();
        assert_eq!(
            kept,
            [
                "annotations.org.opencontainers.image.authors",
                "annotations.org.opencontainers.image.vendor",
            ]
        );
    }

    #[test]
    fn the_first_word_on_a_field_is_heard_and_no_other() {
        let mut told = Told::default();
        assert!(told.title("One") && told.title("One") && !told.title("Two"));
        assert!(!told.created("1970-01-01T00:00:00Z") && !told.created("yesterday"));
        assert!(!told.license("see the file"));
        assert!(told.license("apache-2.0"));
        assert_eq!(told.model["license"], "Apache-2.0");
    }
}
