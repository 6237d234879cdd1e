//! `FIELD=VALUE`: which field of a record is meant, whether it may change, and to what.
//!
//! Fields are named as in the record, with dots between them: `title`, `classification.task`,
//! `owners.0.contact`, `labels.line`. What there is comes from the schema, so that a field that
//! the schema learns can be set. Values are YAML, but where the schema wants a text they are
//! taken as they stand.

use std::str::FromStr;

use serde_json::Value;

use crate::check::yaml::{self, Problems};
use crate::ops::codes;
use crate::record::kind::Kind;
use crate::record::{Code, Fault};

/// How alike two names have to be for one to be a typo of the other, from 0 to 1.
const TYPO: f64 = 0.75;

/// What may change of a model: what describes it. The rest is its identity, or has its own way.
const OF_A_MODEL: [&str; 8] = [
    "title",
    "description",
    "owners",
    "visibility",
    "classification",
    "license",
    "citation",
    "labels",
];

/// What may change of a version once it is merged.
const OF_A_VERSION: [&str; 2] = ["notes", "links"];

/// `FIELD=VALUE` or `FIELD+=ITEM`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The field, with dots.
    pub field: String,
    /// Whether the value is to be added to a list.
    pub adds: bool,
    /// The value as it was written.
    pub text: String,
}

/// An assignment that can be carried out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    /// The field as it was named.
    pub(super) field: String,
    /// Its place in the record.
    pub(super) pointer: String,
    /// Whether the value is to be added to a list.
    pub(super) adds: bool,
    /// What it shall be; `null` removes it.
    pub(super) value: Value,
}

/// Why a field can't be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// No `=`, or nothing before it.
    #[error("`{}` is not FIELD=VALUE", text.escape_debug())]
    NotAssignment {
        /// The text as it was given.
        text: String,
    },
    /// The record has no such field.
    #[error("a {kind} has no field `{}`", field.escape_debug())]
    Unknown {
        /// The kind of record.
        kind: Kind,
        /// The field as it was named.
        field: String,
        /// What may be meant, or what there is.
        hint: String,
    },
    /// The field is there, and may not be set.
    #[error("`{field}` can't be set: {why}")]
    Fixed {
        /// The field as it was named.
        field: String,
        /// Why not.
        why: &'static str,
        /// What to do instead.
        instead: String,
    },
    /// The value is not YAML.
    #[error("the value of `{field}` can't be read")]
    Value {
        /// The field as it was named.
        field: String,
        /// What is wrong with it.
        #[source]
        source: Problems,
    },
}

impl Fault for FieldError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NotAssignment { .. } => &codes::NOT_AN_ASSIGNMENT,
            Self::Unknown { .. } => &codes::NO_SUCH_FIELD,
            Self::Fixed { .. } => &codes::FIELD_IS_FIXED,
            Self::Value { source, .. } => source.code(),
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotAssignment { .. } => {
                "write it as in `title='Surface defects'`, or `links+='{title: …, url: …}'` to \
                 add to a list"
                    .to_owned()
            }
            Self::Unknown { hint, .. } => hint.clone(),
            Self::Fixed { instead, .. } => instead.clone(),
            Self::Value { .. } => {
                "put texts with special characters in quotes of their own: FIELD='\"a: b\"'"
                    .to_owned()
            }
        })
    }
}

impl FromStr for Assignment {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let error = || FieldError::NotAssignment {
            text: text.to_owned(),
        };
        let (field, value) = text.split_once('=').ok_or_else(error)?;
        let (field, adds) = match field.strip_suffix('+') {
            Some(field) => (field, true),
            None => (field, false),
        };
        let field = field.trim();
        if field.is_empty() {
            return Err(error());
        }
        Ok(Self {
            field: field.to_owned(),
            adds,
            text: value.to_owned(),
        })
    }
}

impl Assignment {
    /// Finds the field in records of `kind`, and reads the value.
    pub(super) fn target(&self, kind: Kind) -> Result<Target, FieldError> {
        let schema: Value = serde_json::from_str(kind.schema()).expect("our schemas are JSON");
        let field = Path::find(&self.field, kind, &schema)?;
        let value = self.value(field.is_text && !self.adds)?;
        if let Some(why) = field.fixed(kind, &value) {
            return Err(self.fixed(kind, why));
        }
        Ok(Target {
            field: self.field.clone(),
            pointer: field.pointer,
            adds: self.adds,
            value,
        })
    }

    fn value(&self, is_text: bool) -> Result<Value, FieldError> {
        let text = &self.text;
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        let source = format!("value: {text}\n");
        let read = yaml::parse(source.as_bytes()).map(|tree| tree.value()["value"].clone());
        if !is_text {
            return read.map_err(|source| FieldError::Value {
                field: self.field.clone(),
                source,
            });
        }
        Ok(match read {
            // In quotes of YAML, or the word `null`.
            Ok(Value::String(inner)) if !text.contains('\n') => Value::String(inner),
            Ok(Value::Null) => Value::Null,
            _ => Value::String(text.clone()),
        })
    }

    fn fixed(&self, kind: Kind, why: &'static str) -> FieldError {
        let settable = match kind {
            Kind::ModelVersion => OF_A_VERSION.join(" and "),
            _ => OF_A_MODEL.join(", "),
        };
        let instead = match self.field.trim_start_matches("spec.").split('.').next() {
            Some("lifecycle") => "use `modelyard promote … --to STAGE`".to_owned(),
            Some("aliases") => "use `modelyard promote … --alias ALIAS`".to_owned(),
            _ if kind == Kind::ModelVersion => {
                format!("publish a new version; what may still change is {settable}")
            }
            _ => format!("what may change is {settable}"),
        };
        FieldError::Fixed {
            field: self.field.clone(),
            why,
            instead,
        }
    }
}

/// A field as the schema knows it.
struct Path {
    /// `spec` or `metadata`, or another of the outermost fields.
    section: String,
    /// The field of it.
    top: String,
    pointer: String,
    is_text: bool,
}

impl Path {
    fn find(field: &str, kind: Kind, schema: &Value) -> Result<Self, FieldError> {
        let unknown = |hint| FieldError::Unknown {
            kind,
            field: field.to_owned(),
            hint,
        };
        let (section, rest) = match field.split_once('.') {
            Some((section @ ("spec" | "metadata"), rest)) => (section, rest),
            // These two are one word's worth of the outside: nobody writes `metadata.` for them.
            _ if matches!(field, "apiVersion" | "kind" | "spec" | "metadata") => ("", field),
            _ if is_of_metadata(field, schema) => ("metadata", field),
            _ => ("spec", field),
        };
        let mut node = schema;
        let mut pointer = String::new();
        let mut left = rest;
        if !section.is_empty() {
            node = &schema["properties"][section];
            pointer = format!("/{section}");
        }
        let mut top = String::new();
        while !left.is_empty() {
            node = followed(node, schema);
            let (token, next) = match node["properties"].is_object() || node["items"].is_object() {
                true => left.split_once('.').unwrap_or((left, "")),
                // A mapping with names of its own, which may have dots in them.
                false => (left, ""),
            };
            node = below(node, token).map_err(&unknown)?;
            pointer = format!("{pointer}/{}", yaml::escape(token));
            if top.is_empty() {
                token.clone_into(&mut top);
            }
            left = next;
        }
        Ok(Self {
            section: section.to_owned(),
            top,
            pointer,
            is_text: is_text(followed(node, schema)),
        })
    }

    /// Why it may not be set, if it may not.
    fn fixed(&self, kind: Kind, value: &Value) -> Option<&'static str> {
        if self.section == "metadata" && self.top != "labels" || self.section.is_empty() {
            return Some("it is what the record is found by");
        }
        let top = self.top.as_str();
        if kind == Kind::ModelVersion {
            return match top {
                _ if OF_A_VERSION.contains(&top) => None,
                "lifecycle" => Some("a version's life goes by legal moves"),
                _ => Some("a merged version is immutable but for its lifecycle, notes and links"),
            };
        }
        match top {
            "aliases" if value.is_null() && self.pointer != "/spec/aliases" => None,
            "aliases" => Some("an alias is moved to a version that is there"),
            _ if OF_A_MODEL.contains(&top) => None,
            _ => Some("it is not among what describes a model"),
        }
    }
}

fn is_of_metadata(field: &str, schema: &Value) -> bool {
    let top = field.split('.').next().unwrap_or_default();
    schema["properties"]["metadata"]["properties"][top].is_object()
}

/// A schema's part, or what its `$ref` within the same file leads to.
fn followed<'a>(node: &'a Value, schema: &'a Value) -> &'a Value {
    match node["$ref"]
        .as_str()
        .and_then(|target| target.strip_prefix('#'))
    {
        Some(pointer) => schema.pointer(pointer).unwrap_or(node),
        None => node,
    }
}

/// The part for field or item `token`, or what may be meant instead.
fn below<'a>(node: &'a Value, token: &str) -> Result<&'a Value, String> {
    if let Some(properties) = node["properties"].as_object() {
        return properties.get(token).ok_or_else(|| {
            let known = properties.keys().map(String::as_str);
            hint(token, known)
        });
    }
    if node["items"].is_object() {
        return match token.parse::<usize>() {
            Ok(_) => Ok(&node["items"]),
            Err(_) => Err("it is a list: name an item by its number, from 0, or all of it".into()),
        };
    }
    match &node["additionalProperties"] {
        Value::Object(_) => Ok(&node["additionalProperties"]),
        _ if is_open(node) => Ok(&Value::Null),
        _ => Err(format!(
            "there is nothing below it that could be `{}`",
            token.escape_debug()
        )),
    }
}

/// A mapping in which anything may stand.
fn is_open(node: &Value) -> bool {
    node["type"] == "object" && node["additionalProperties"] != Value::Bool(false)
}

fn hint<'a>(token: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let closest = known
        .clone()
        .map(|known| {
            (
                strsim::jaro_winkler(&token.to_lowercase(), &known.to_lowercase()),
                known,
            )
        })
        .filter(|(likeness, _)| *likeness >= TYPO)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    match closest {
        Some((_, closest)) => format!("did you mean `{closest}`?"),
        None => format!("there is {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// Whether only a text can stand there.
fn is_text(node: &Value) -> bool {
    let words = node["enum"].as_array();
    node["type"] == "string" || words.is_some_and(|words| words.iter().all(Value::is_string))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn target(kind: Kind, text: &str) -> Result<Target, FieldError> {
        text.parse::<Assignment>()?.target(kind)
    }

    #[test]
    fn fields_are_found_and_values_read() {
        for (text, pointer, value) in [
            (
                "title=Digits: new, 2",
                "/spec/title",
                json!("Digits: new, 2"),
            ),
            ("title=2026", "/spec/title", json!("2026")),
            ("title=\"a: b\"", "/spec/title", json!("a: b")),
            ("spec.description=a\nb", "/spec/description", json!("a\nb")),
            ("description=", "/spec/description", Value::Null),
            ("license=null", "/spec/license", Value::Null),
            (
                "classification.inputDataType=image",
                "/spec/classification/inputDataType",
                json!("image"),
            ),
            (
                "owners.0.contact=a@example.com",
                "/spec/owners/0/contact",
                json!("a@example.com"),
            ),
            (
                "owners=[{team: vision}]",
                "/spec/owners",
                json!([{"team": "vision"}]),
            ),
            (
                "labels.app.example.com/line=3",
                "/metadata/labels/app.example.com~1line",
                json!("3"),
            ),
            (
                "citation.references+=a",
                "/spec/citation/references",
                json!("a"),
            ),
            ("aliases.champion=", "/spec/aliases/champion", Value::Null),
        ] {
            let found = target(Kind::Model, text).unwrap();
            assert_eq!((&*found.pointer, &found.value), (pointer, &value), "{text}");
        }
        let link = "links+={title: Report, url: https://example.com}";
        let found = target(Kind::ModelVersion, link).unwrap();
        assert!(found.adds);
        assert_eq!(found.value["title"], "Report");
    }

    #[test]
    fn a_typo_is_told_with_what_was_meant() {
        for (kind, text, meant) in [
            (Kind::Model, "tilte=a", "title"),
            (
                Kind::Model,
                "classification.input_data_type=a",
                "inputDataType",
            ),
            (Kind::Model, "owner=a", "owners"),
            (Kind::ModelVersion, "note=a", "notes"),
        ] {
            let error = target(kind, text).unwrap_err();
            assert_eq!(
                error.help().unwrap(),
                format!("did you mean `{meant}`?"),
                "{text}"
            );
        }
        let error = target(Kind::Model, "title.x=a").unwrap_err();
        assert!(matches!(error, FieldError::Unknown { .. }), "{error:?}");
    }

    #[test]
    fn what_may_not_change_is_told_with_what_to_do_instead() {
        for (kind, text, instead) in [
            (Kind::Model, "aliases.champion=1.0.0", "promote … --alias"),
            (Kind::Model, "name=numbers", "what may change is"),
            (Kind::Model, "kind=Yard", "what may change is"),
            (Kind::ModelVersion, "lifecycle=released", "promote … --to"),
            (
                Kind::ModelVersion,
                "artifact.size=1",
                "publish a new version",
            ),
            (
                Kind::ModelVersion,
                "hyperparameters.epochs=1",
                "publish a new version",
            ),
            (Kind::ModelVersion, "version=2.0.0", "publish a new version"),
        ] {
            let error = target(kind, text).unwrap_err();
            assert!(
                matches!(error, FieldError::Fixed { .. }),
                "{text}: {error:?}"
            );
            assert!(error.help().unwrap().contains(instead), "{text}: {error:?}");
        }
    }

    #[test]
    fn no_assignment_and_no_yaml_are_told() {
        for text in ["title", "=x", " =x", ""] {
            let error = text.parse::<Assignment>().unwrap_err();
            assert!(matches!(error, FieldError::NotAssignment { .. }), "{text}");
        }
        let error = target(Kind::Model, "owners=[{team: a}").unwrap_err();
        assert!(matches!(error, FieldError::Value { .. }), "{error:?}");
    }
}
