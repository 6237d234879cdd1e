//! Which of several alternatives was meant.
//!
//! A record that is as none of them asks gets the errors of the one that it comes closest to,
//! not those of all.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value;

use super::finding::{EITHER, Finding, Rank, Target};
use super::{fields, words};
use crate::check::codes;

/// Turns an error into findings, of alternatives those of the closest one.
pub(super) fn flatten(schema: &Value, error: &ValidationError<'_>, findings: &mut Vec<Finding>) {
    match error.kind() {
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            none_holds(schema, error, context, findings);
        }
        Kind::OneOfMultipleValid { .. } => findings.push(several_hold(schema, error)),
        Kind::PropertyNames { error: inner } => {
            let mut finding = words::of_key(schema, error, inner);
            finding.pointer = error.instance_path().as_str().to_owned();
            finding.target = Target::Key(inner.instance().as_str().unwrap_or_default().to_owned());
            findings.push(finding);
        }
        _ => findings.extend(words::tell(schema, error)),
    }
}

fn none_holds(
    schema: &Value,
    error: &ValidationError<'_>,
    context: &[Vec<ValidationError<'static>>],
    findings: &mut Vec<Finding>,
) {
    let pointer = error.instance_path().as_str();
    let at_root = |inner: &&ValidationError<'_>| inner.instance_path().as_str() == pointer;
    if let Some(names) = each_lacks_one(context, pointer) {
        let shown: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let said = fields::said(schema, error.schema_path().as_str(), "errorMessage");
        findings.push(Finding {
            pointer: pointer.to_owned(),
            target: Target::Missing(names.join(EITHER)),
            code: &codes::MISSING_FIELD,
            rank: Rank::Kind,
            message: format!("neither {} is there", shown.join(" nor ")),
            help: Some(said.map_or_else(|| format!("give {}", shown.join(" or ")), str::to_owned)),
        });
        return;
    }
    let wrong_type = |errors: &&Vec<ValidationError<'_>>| {
        errors
            .iter()
            .filter(at_root)
            .any(|inner| matches!(inner.kind(), Kind::Type { .. }))
    };
    if context.iter().all(|errors| wrong_type(&errors)) {
        let kinds = context
            .iter()
            .flatten()
            .filter_map(|inner| match inner.kind() {
                Kind::Type { kind } => Some(types(kind)),
                _ => None,
            });
        let mut expected: Vec<&str> = Vec::new();
        for kind in kinds.flatten() {
            if !expected.contains(&kind) {
                expected.push(kind);
            }
        }
        findings.push(words::wrong_type(
            schema,
            pointer,
            &expected,
            error.instance(),
        ));
        return;
    }
    let best = context
        .iter()
        .filter(|errors| !wrong_type(errors))
        .min_by_key(|errors| distance(errors, pointer));
    for inner in best.into_iter().flatten() {
        flatten(schema, inner, findings);
    }
}

/// How far a record is from an alternative: a field that tells alternatives apart and is another
/// weighs most, then a field that is missing or unknown, then all that is wrong deeper inside.
fn distance(errors: &[ValidationError<'_>], pointer: &str) -> usize {
    let depth = pointer.matches('/').count();
    errors
        .iter()
        .map(|error| {
            let below = error.instance_path().as_str().matches('/').count() - depth;
            match error.kind() {
                Kind::Constant { .. } | Kind::Enum { .. } if below <= 1 => 100,
                Kind::Required { .. } if below == 0 => 12,
                Kind::AdditionalProperties { unexpected } if below == 0 => 10 * unexpected.len(),
                Kind::Type { .. } if below <= 1 => 5,
                _ => 1,
            }
        })
        .sum()
}

/// The fields that alternatives ask for, if that is all that tells them apart.
fn each_lacks_one(context: &[Vec<ValidationError<'static>>], pointer: &str) -> Option<Vec<String>> {
    context
        .iter()
        .map(|errors| match errors.as_slice() {
            [only] if only.instance_path().as_str() == pointer => match only.kind() {
                Kind::Required { property } => Some(property.as_str()?.to_owned()),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

fn several_hold(schema: &Value, error: &ValidationError<'_>) -> Finding {
    let parts = schema
        .pointer(error.schema_path().as_str())
        .and_then(Value::as_array);
    let instance = error.instance();
    let mut present: Vec<String> = Vec::new();
    for part in parts.into_iter().flatten() {
        let part = fields::followed(schema, part);
        for name in part
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let name = name.as_str().unwrap_or_default();
            if instance.get(name).is_some() && !present.iter().any(|known| known == name) {
                present.push(name.to_owned());
            }
        }
    }
    let shown: Vec<_> = present.iter().map(|name| format!("`{name}`")).collect();
    let said = fields::said(schema, error.schema_path().as_str(), "errorMessage");
    let (message, help) = match shown.len() {
        0 | 1 => (
            "this can be read in more than one way".to_owned(),
            "keep the fields of one".to_owned(),
        ),
        _ => (
            format!("{} can't stand together", shown.join(" and ")),
            format!("keep one of {}", shown.join(" and ")),
        ),
    };
    Finding {
        pointer: error.instance_path().as_str().to_owned(),
        target: present.pop().map_or(Target::Value, Target::Key),
        code: &codes::FIELDS_CONFLICT,
        rank: Rank::Kind,
        message,
        help: Some(said.map_or(help, str::to_owned)),
    }
}

/// The JSON types that were expected, as words.
pub(super) fn types(kind: &TypeKind) -> Vec<&'static str> {
    let word = |kind: jsonschema::JsonType| match kind {
        jsonschema::JsonType::Array => "a list",
        jsonschema::JsonType::Boolean => "true or false",
        jsonschema::JsonType::Integer => "a whole number",
        jsonschema::JsonType::Null => "nothing",
        jsonschema::JsonType::Number => "a number",
        jsonschema::JsonType::Object => "a mapping",
        jsonschema::JsonType::String => "a text",
    };
    match kind {
        TypeKind::Single(kind) => vec![word(*kind)],
        TypeKind::Multiple(kinds) => kinds.iter().map(word).collect(),
    }
}
