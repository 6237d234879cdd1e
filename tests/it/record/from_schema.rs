//! From the schemas to the types: whatever a schema takes, the types take; what is made wrong in
//! it, both refuse.

use std::collections::BTreeSet;

use modelyard::record::{Kind, Record};
use serde_json::{Map, Value, json};

use super::generate::Generator;
use super::walk::{is_free, places, schema_fields, used_fields};
use super::{schema, survives, validator};

/// What is wrong with an object that has one field more than it may have.
const UNKNOWN_FIELD: &str = "an unknown field";

/// Who refuses a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    /// The schema and the types.
    Both,
    /// The schema; the types may.
    Schema,
}

#[test]
fn whatever_a_schema_takes_the_types_take() {
    for &kind in Kind::ALL {
        let root = schema(kind);
        let validator = validator(&root);
        let known = schema_fields(&root);
        let mut used = BTreeSet::new();
        let documents = Generator::new(root).documents();
        for document in documents.iter() {
            survives(kind, &validator, document);
            used_fields(document, &known, &mut used);
        }
        let unused: Vec<_> = known.difference(&used).collect();
        assert!(unused.is_empty(), "{kind}: no document has {unused:#?}");
        assert!(
            documents.len() > 50,
            "{kind}: {} documents",
            documents.len()
        );
    }
}

#[test]
fn what_is_made_wrong_is_refused() {
    for &kind in Kind::ALL {
        let root = schema(kind);
        let validator = validator(&root);
        let documents = Generator::new(root.clone()).documents();
        let known = schema_fields(&root);
        let mut tried = BTreeSet::new();
        for document in documents.iter() {
            for (pointer, node) in places(&root, document) {
                for (holder, what, value) in mutations(document, &pointer, &node) {
                    if !tried.insert((general(&known, &pointer), what.clone())) {
                        continue;
                    }
                    let mut wrong = document.clone();
                    *wrong.pointer_mut(&pointer).expect("the place exists") = value;
                    let at = format!("{kind}{pointer}: {what}");
                    assert!(!validator.is_valid(&wrong), "the schema takes {at}");
                    let read = Record::from_value(kind, &wrong);
                    assert!(
                        read.is_err() || holder == Holder::Schema,
                        "the types take {at}"
                    );
                }
            }
        }
        for path in &known {
            let (object, _) = path.rsplit_once('/').expect("it begins with a slash");
            let unknown = (object.to_owned(), UNKNOWN_FIELD.to_owned());
            assert!(
                tried.contains(&unknown),
                "{kind}{object}: no unknown field was tried"
            );
        }
    }
}

/// A pointer with `*` for the places in lists and for free keys.
fn general(known: &BTreeSet<String>, pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer.split('/').skip(1) {
        let named = format!("{path}/{part}");
        path = if known.contains(&named) {
            named
        } else {
            format!("{path}/*")
        };
    }
    path
}

/// Values in the place of the one at `pointer` that are wrong there, and who has to say so.
fn mutations(
    document: &Value,
    pointer: &str,
    node: &Map<String, Value>,
) -> Vec<(Holder, String, Value)> {
    let value = document.pointer(pointer).expect("the place exists");
    let types: Vec<&str> = match node.get("type") {
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one],
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    if types.len() > 2 || is_free(&Value::Object(node.clone())) || node.is_empty() {
        // Elements, defaults and free-form values: the types keep them as they are.
        return found;
    }
    if let (Value::Object(fields), Some(Value::Bool(false))) =
        (value, node.get("additionalProperties"))
    {
        let mut more = fields.clone();
        more.insert("unknownField".to_owned(), json!(1));
        found.push((Holder::Both, UNKNOWN_FIELD.to_owned(), Value::Object(more)));
        for name in node
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let mut less = fields.clone();
            less.remove(name.as_str().expect("a name"));
            found.push((Holder::Both, format!("no {name}"), Value::Object(less)));
        }
    }
    if !types.is_empty() {
        found.extend(wrong_types(document, pointer, &types));
    }
    if node.contains_key("enum") || node.contains_key("const") {
        found.push((
            Holder::Both,
            "no such word".to_owned(),
            json!("no-such-word"),
        ));
        found.push((Holder::Both, "a number for a word".to_owned(), json!(1)));
    }
    if node.contains_key("format") && types.contains(&"string") {
        found.push((
            Holder::Both,
            "a control character".to_owned(),
            json!("a\u{1}"),
        ));
        found.push((
            Holder::Both,
            "not its format".to_owned(),
            json!("/../~\u{1f642}"),
        ));
    }
    found.extend(out_of_bounds(value, node));
    found
}

fn wrong_types(document: &Value, pointer: &str, types: &[&str]) -> Vec<(Holder, String, Value)> {
    let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
    let in_list = document.pointer(parent).is_some_and(Value::is_array);
    let candidates = [
        ("null", Value::Null),
        ("boolean", json!(true)),
        ("integer", json!(5)),
        ("number", json!(-1.5)),
        ("string", json!("text")),
        ("array", json!([])),
        ("object", json!({})),
    ];
    candidates
        .into_iter()
        .filter(|(name, _)| {
            let whole = *name == "integer" && types.contains(&"number");
            !types.contains(name) && !whole
        })
        .map(|(wrong, value)| {
            let optional = !in_list && !name.is_empty();
            let holder = match wrong {
                // An optional field that is null is one that is not there, to the types.
                "null" if optional => Holder::Schema,
                // serde reads a struct from a list of its fields' values, too.
                "array" if types.contains(&"object") => Holder::Schema,
                _ => Holder::Both,
            };
            (holder, format!("{wrong} for {types:?}"), value)
        })
        .collect()
}

fn out_of_bounds(value: &Value, node: &Map<String, Value>) -> Vec<(Holder, String, Value)> {
    let mut found = Vec::new();
    let mut push = |what: &str, value| found.push((Holder::Schema, what.to_owned(), value));
    if let Some(minimum) = node.get("minimum").and_then(Value::as_i64) {
        push("below the minimum", json!(minimum - 1));
    }
    if let Some(maximum) = node.get("maximum").and_then(Value::as_i64) {
        push("above the maximum", json!(maximum + 1));
    }
    if let Some(longest) = node.get("maxLength").and_then(Value::as_u64)
        && value.is_string()
    {
        let longest = usize::try_from(longest).expect("it is small");
        push("too long", json!("a".repeat(longest + 1)));
    }
    if let (Some(most), Value::Array(items)) = (node.get("maxItems").and_then(Value::as_u64), value)
        && let Some(item) = items.first()
        && most <= 1024
    {
        let most = usize::try_from(most).expect("it is small");
        push("too many", Value::Array(vec![item.clone(); most + 1]));
    }
    if let (Some(Value::Bool(true)), Value::Array(items)) = (node.get("uniqueItems"), value)
        && let Some(item) = items.first()
    {
        push("twice the same", json!([item, item]));
    }
    if node.contains_key("minItems") {
        push("too few", json!([]));
    }
    found
}
