//! One error of the schema in words for people.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::{Map, Value};

use super::finding::{Finding, Rank, Target};
use super::{branch, fields};
use crate::check::closest::{closest, suggest};
use crate::check::codes;
use crate::record::Code;
use crate::record::kind::FORMATS;

/// What `error` says.
pub(super) fn tell(schema: &Value, error: &ValidationError<'_>) -> Vec<Finding> {
    let pointer = error.instance_path().as_str();
    let instance = error.instance();
    let known = || fields::known(schema, fields::of_value(schema, pointer));
    match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let known = known();
            let unknown = |name: &String| unknown_field(pointer, name, instance, &known);
            unexpected.iter().map(unknown).collect()
        }
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![missing_field(schema, pointer, name, &known())]
        }
        Kind::Type { kind } => vec![wrong_type(schema, pointer, &branch::types(kind), instance)],
        Kind::Not { .. } | Kind::FalseSchema => vec![not_here(schema, error)],
        Kind::Contains if pointer == "/spec/metrics" => vec![second_score(pointer, instance)],
        _ => vec![wrong_value(schema, error)],
    }
}

/// What `inner` says of a key of the value that `error` is about.
pub(super) fn of_key(
    schema: &Value,
    error: &ValidationError<'_>,
    inner: &ValidationError<'_>,
) -> Finding {
    let key = inner.instance().as_str().unwrap_or_default().to_owned();
    let mut finding = wrong_value(schema, inner);
    finding.message = match inner.kind() {
        Kind::Format { .. } => finding.message,
        _ => format!("the key `{}` can't stand here", shown(&key)),
    };
    finding.pointer = error.instance_path().as_str().to_owned();
    finding.target = Target::Key(key);
    finding
}

/// A field that can't stand beside others, or a value that is ruled out.
fn not_here(schema: &Value, error: &ValidationError<'_>) -> Finding {
    let pointer = error.instance_path().as_str();
    let said = fields::said(schema, error.schema_path().as_str(), "errorMessage");
    match said {
        Some(said) => Finding {
            pointer: pointer[..pointer.rfind('/').unwrap_or(0)].to_owned(),
            target: Target::Key(last(pointer)),
            code: &codes::FIELDS_CONFLICT,
            rank: Rank::Kind,
            message: format!("{} can't stand here: {said}", name(pointer)),
            help: Some("delete it".to_owned()),
        },
        None => Finding {
            pointer: pointer.to_owned(),
            target: Target::Value,
            code: &codes::WRONG_VALUE,
            rank: Rank::Rule,
            message: format!(
                "{} can't be `{}`",
                name(pointer),
                shown(&plain(error.instance()))
            ),
            help: fields::described(schema, fields::of_value(schema, pointer)),
        },
    }
}

fn second_score(pointer: &str, metrics: &Value) -> Finding {
    let metrics = metrics.as_array().map(Vec::as_slice).unwrap_or_default();
    let scores = metrics
        .iter()
        .enumerate()
        .filter(|(_, metric)| metric["score"] == true);
    let second = scores.map(|(index, _)| index).nth(1).unwrap_or_default();
    Finding {
        pointer: format!("{pointer}/{second}/score"),
        target: Target::Value,
        code: &codes::SECOND_SCORE,
        rank: Rank::Kind,
        message: "this is a second score, but a version has at most one".to_owned(),
        help: Some("keep `score: true` at the metric by which versions are compared".to_owned()),
    }
}

fn unknown_field(
    pointer: &str,
    name: &str,
    instance: &Value,
    known: &Map<String, Value>,
) -> Finding {
    let holder = holder(pointer);
    // A field that is there already was not meant.
    let free = known
        .keys()
        .map(String::as_str)
        .filter(|known| instance.get(known).is_none());
    let all = known.keys().map(String::as_str);
    let help = match closest(name, free) {
        Some(meant) => Some(format!("did you mean `{meant}`?")),
        None => suggest(name, all).map(|help| help.replace("there are", "it can have")),
    };
    Finding {
        pointer: pointer.to_owned(),
        target: Target::Key(name.to_owned()),
        code: &codes::UNKNOWN_FIELD,
        rank: Rank::Kind,
        message: format!("{holder} has no field `{}`", shown(name)),
        help,
    }
}

fn missing_field(schema: &Value, pointer: &str, name: &str, known: &Map<String, Value>) -> Finding {
    let field = known.get(name).unwrap_or(&Value::Null);
    let described = fields::described(schema, field).map_or(String::new(), |text| {
        format!(
            ": {}",
            text.split(". ")
                .next()
                .unwrap_or_default()
                .trim_end_matches('.')
        )
    });
    let example = fields::example(schema, field).map_or(String::new(), |example| {
        format!(", as in `{name}: {example}`")
    });
    Finding {
        pointer: pointer.to_owned(),
        target: Target::Missing(name.to_owned()),
        code: &codes::MISSING_FIELD,
        rank: Rank::Kind,
        message: format!("`{name}` is missing in {}", holder(pointer)),
        help: Some(format!("add `{name}`{described}{example}")),
    }
}

/// `value` at `pointer` should be one of `expected`.
pub(super) fn wrong_type(
    schema: &Value,
    pointer: &str,
    expected: &[&str],
    value: &Value,
) -> Finding {
    let found = match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(truth) => format!("the truth value `{truth}`"),
        Value::Number(number) => format!("the number `{number}`"),
        Value::String(text) => format!("the text `{}`", shown(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    };
    let node = fields::of_value(schema, pointer);
    let help = match value {
        Value::Null => Some("write a value behind the `:`, or delete the line".to_owned()),
        Value::Number(_) | Value::Bool(_) if expected.contains(&"a text") => {
            let example = fields::example(schema, node);
            let shown = example.map(|example| format!(", as in `\"{example}\"`"));
            Some(format!("put it in quotes{}", shown.unwrap_or_default()))
        }
        Value::String(text) if is_like(text, expected) => {
            Some("write it without quotes".to_owned())
        }
        Value::String(text) if expected == ["a list"] => {
            Some(format!("write it as a list, as in `[{}]`", shown(text)))
        }
        _ if expected == ["a list"] => Some("write it as a list, each item behind `- `".to_owned()),
        _ if expected == ["a mapping"] => {
            Some("write it as `key: value`, indented below".to_owned())
        }
        _ => None,
    };
    Finding {
        pointer: pointer.to_owned(),
        target: Target::Value,
        code: &codes::WRONG_TYPE,
        rank: Rank::Kind,
        message: format!(
            "{} has to be {}, but this is {found}",
            name(pointer),
            expected.join(" or ")
        ),
        help,
    }
}

/// Whether a text only has to lose its quotes.
fn is_like(text: &str, expected: &[&str]) -> bool {
    let number = expected.iter().any(|kind| kind.ends_with("number"));
    let truth = expected.contains(&"true or false");
    (number && text.parse::<f64>().is_ok()) || (truth && matches!(text, "true" | "false"))
}

fn wrong_value(schema: &Value, error: &ValidationError<'_>) -> Finding {
    let pointer = error.instance_path().as_str();
    let name = name(pointer);
    let instance = error.instance();
    let said = shown(&plain(instance));
    let hint = || hint(schema, error);
    let mut code: &'static Code = &codes::WRONG_VALUE;
    let mut rank = Rank::Rule;
    let (message, help) = match error.kind() {
        Kind::Enum { options } => {
            let words = options
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            let help = suggest(&plain(instance), words);
            (format!("{name} can't be `{said}`"), help)
        }
        Kind::Constant { expected_value } => {
            let expected = plain(expected_value);
            let message = format!("{name} has to be `{expected}`, but this is `{said}`");
            (message, Some(format!("write `{expected}`")))
        }
        Kind::Format { format } => {
            rank = Rank::Format;
            let text = instance.as_str().unwrap_or_default();
            let check = FORMATS.iter().find(|known| known.name == format.as_str());
            match check.map(|known| (known.check)(text)) {
                Some(Err(fault)) => {
                    code = fault.code();
                    (fault.to_string(), fault.help())
                }
                _ => (format!("{name} can't be `{said}`"), hint()),
            }
        }
        Kind::Pattern { .. } => (format!("{name} can't be `{said}`"), hint()),
        Kind::MinLength { limit: 1 } => (format!("{name} is empty"), hint()),
        Kind::MinLength { limit } => (format!("{name} has fewer than {limit} characters"), None),
        Kind::MaxLength { limit } => (format!("{name} has more than {limit} characters"), None),
        Kind::MinItems { limit: 1 } => (
            format!("{name} is an empty list"),
            Some("add an item, or delete the field if it may be absent".to_owned()),
        ),
        Kind::MinItems { limit } => (format!("{name} has fewer than {limit} items"), None),
        Kind::MaxItems { limit } => (format!("{name} has more than {limit} items"), None),
        Kind::MinProperties { limit: 1 } => (format!("{name} is empty"), hint()),
        Kind::MinProperties { limit } => (format!("{name} has fewer than {limit} fields"), None),
        Kind::MaxProperties { limit } => (format!("{name} has more than {limit} fields"), None),
        Kind::Minimum { limit } => (format!("{name} has to be {limit} or more"), None),
        Kind::Maximum { limit } => (format!("{name} has to be {limit} or less"), None),
        Kind::ExclusiveMinimum { limit } => (format!("{name} has to be more than {limit}"), None),
        Kind::ExclusiveMaximum { limit } => (format!("{name} has to be less than {limit}"), None),
        Kind::UniqueItems => (
            format!("{name} has the same item twice"),
            Some("delete one of the two".to_owned()),
        ),
        _ => (format!("{name} is not as it has to be: {error}"), hint()),
    };
    Finding {
        pointer: pointer.to_owned(),
        target: Target::Value,
        code,
        rank,
        message,
        help,
    }
}

/// How to write the value, by what the schema's authors say for its pattern, its example or its
/// description.
fn hint(schema: &Value, error: &ValidationError<'_>) -> Option<String> {
    let keyword = error.schema_path().as_str();
    if let Some(said) = fields::said(schema, keyword, "patternErrorMessage") {
        return Some(said.to_owned());
    }
    let node = fields::of_value(schema, error.instance_path().as_str());
    match fields::example(schema, node) {
        Some(example) => Some(format!("write it as in `{example}`")),
        None => fields::described(schema, node),
    }
}

/// The value at `pointer` as people call it.
fn name(pointer: &str) -> String {
    let mut tokens = pointer.rsplit('/').map(unescaped);
    match (tokens.next(), tokens.next()) {
        (Some(index), Some(list)) if is_index(&index) => {
            let number = index.parse::<usize>().unwrap_or_default() + 1;
            format!("item {number} of `{}`", shown(&list))
        }
        (Some(field), Some(_)) => format!("`{}`", shown(&field)),
        _ => "the record".to_owned(),
    }
}

/// The mapping at `pointer` as people call it.
fn holder(pointer: &str) -> String {
    match pointer {
        "" => "a record".to_owned(),
        _ => name(pointer),
    }
}

fn is_index(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit())
}

/// The last token of `pointer`.
fn last(pointer: &str) -> String {
    unescaped(pointer.rsplit('/').next().unwrap_or_default())
}

fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// At most the first 80 characters of `text`, control characters escaped.
fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(80).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
        .escape_debug()
        .to_string()
        .replace("\\'", "'")
        .replace("\\\"", "\"")
}
