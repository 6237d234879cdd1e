//! The kinds of record and their schemas say the same.

mod contract;
mod examples;
mod from_schema;
mod from_types;
mod generate;
mod hostile;
mod rules;
mod sample;
mod walk;
mod yaml;

use std::fmt::Write;

use jsonschema::Validator;
use modelyard::check::yaml::parse;
use modelyard::record::kind::FORMATS;
use modelyard::record::{Kind, Record, Selector};
use proptest::test_runner::Config;
use serde_json::Value;

/// So many cases. A failing one is printed, shrunk, and belongs into a test of its own.
fn cases(count: u32) -> Config {
    Config {
        failure_persistence: None,
        ..Config::with_cases(count)
    }
}

/// A kind's schema as JSON.
fn schema(kind: Kind) -> Value {
    serde_json::from_str(kind.schema()).expect("a schema is JSON")
}

/// A validator that also asks for the formats, as checks do.
fn validator(schema: &Value) -> Validator {
    let options = jsonschema::draft202012::options().should_validate_formats(true);
    FORMATS
        .iter()
        .fold(options, |options, format| {
            options.with_format(format.name, |text| (format.check)(text).is_ok())
        })
        .build(schema)
        .expect("a schema is one")
}

/// What a schema has against a document, each with its place.
fn problems(validator: &Validator, document: &Value) -> String {
    validator
        .iter_errors(document)
        .fold(String::new(), |mut text, error| {
            let _ = writeln!(text, "{}: {error}", error.instance_path());
            text
        })
}

/// The value of a YAML document.
fn read_yaml(text: &str) -> Value {
    match parse(text.as_bytes()) {
        Ok(tree) => tree.into_value(),
        Err(problems) => panic!("{problems}\n{text}"),
    }
}

/// Holds that a document which the schema takes survives the types and YAML.
#[track_caller]
fn survives(kind: Kind, validator: &Validator, document: &Value) -> Record {
    assert_eq!(problems(validator, document), "", "{document:#}");
    let record = Record::from_value(kind, document)
        .unwrap_or_else(|error| panic!("the types refuse it: {error}\n{document:#}"));
    assert_eq!(record.kind(), kind);
    let written = record.to_value();
    assert!(
        same(document, &written),
        "{document:#}\nbecame\n{written:#}"
    );
    assert_eq!(problems(validator, &written), "", "{written:#}");
    let yaml = record.to_yaml();
    assert_eq!(read_yaml(&yaml), written, "{yaml}");
    assert_eq!(Record::from_value(kind, &written).unwrap(), record);
    record
}

/// Whether two documents mean the same: an empty list or mapping is as good as none, and numbers,
/// times, amounts and ranges may be written in several ways.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let covers = |ours: &serde_json::Map<_, _>, theirs: &serde_json::Map<_, Value>| {
                ours.iter().all(|(key, value)| {
                    theirs
                        .get(key)
                        .map_or_else(|| is_unsaid(key, value), |other| same(value, other))
                })
            };
            covers(left, right) && covers(right, left)
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| same(left, right))
        }
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Number(number), Value::String(text))
        | (Value::String(text), Value::Number(number)) => number.as_f64() == text.parse().ok(),
        (Value::String(left), Value::String(right)) => left == right || rewritten(left, right),
        (left, right) => left == right,
    }
}

/// Whether a field says as much as if it were not there. A version's lifecycle is always written,
/// so that a promotion changes one line.
fn is_unsaid(key: &str, value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.iter().all(|(key, value)| is_unsaid(key, value)),
        value => key == "lifecycle" && value == "staged",
    }
}

fn rewritten(left: &str, right: &str) -> bool {
    fn equal<T: std::str::FromStr + PartialEq>(left: &str, right: &str) -> bool {
        matches!((left.parse::<T>(), right.parse::<T>()), (Ok(left), Ok(right)) if left == right)
    }
    equal::<Selector>(left, right)
        || equal::<jiff::Timestamp>(left, right)
        || equal::<modelyard::record::Repository>(left, right)
}
