//! Ways through a schema: its nodes, what a node refers to, and where its fields are.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// `node` with what it refers to; what it says itself wins.
pub(super) fn resolved(root: &Value, node: &Value) -> Map<String, Value> {
    let mut fields = node.as_object().cloned().unwrap_or_default();
    while let Some(Value::String(reference)) = fields.remove("$ref") {
        let pointer = reference
            .strip_prefix('#')
            .expect("a schema refers to itself only");
        let target = root.pointer(pointer).expect("what is referred to exists");
        for (key, value) in target.as_object().expect("a schema is an object") {
            fields.entry(key).or_insert_with(|| value.clone());
        }
    }
    fields
}

/// Calls `visit` with every schema in `root`, and the pointer to it.
pub(super) fn each_schema(root: &Value, visit: &mut dyn FnMut(&str, &Map<String, Value>)) {
    fn walk(node: &Value, pointer: &str, visit: &mut dyn FnMut(&str, &Map<String, Value>)) {
        let Value::Object(fields) = node else { return };
        visit(pointer, fields);
        for (key, value) in fields {
            let pointer = format!("{pointer}/{key}");
            match (key.as_str(), value) {
                ("properties" | "$defs", Value::Object(schemas)) => {
                    for (name, schema) in schemas {
                        walk(schema, &format!("{pointer}/{name}"), visit);
                    }
                }
                ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => {
                    for (place, schema) in schemas.iter().enumerate() {
                        walk(schema, &format!("{pointer}/{place}"), visit);
                    }
                }
                (
                    "items"
                    | "additionalProperties"
                    | "propertyNames"
                    | "contains"
                    | "if"
                    | "then"
                    | "else"
                    | "not",
                    schema,
                ) => walk(schema, &pointer, visit),
                _ => {}
            }
        }
    }
    walk(root, "", visit);
}

/// The paths of every field that documents of a schema can have, `*` for items and free keys.
pub(super) fn schema_fields(root: &Value) -> BTreeSet<String> {
    fn walk(root: &Value, node: &Value, path: &str, found: &mut BTreeSet<String>) {
        let node = resolved(root, node);
        if path.matches('*').count() > 6 {
            return;
        }
        for (name, schema) in node
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let path = format!("{path}/{name}");
            if found.insert(path.clone()) {
                walk(root, schema, &path, found);
            }
        }
        for key in ["items", "additionalProperties"] {
            if let Some(schema @ Value::Object(_)) = node.get(key)
                && !is_free(schema)
            {
                walk(root, schema, &format!("{path}/*"), found);
            }
        }
        for branch in node
            .get("anyOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            walk(root, branch, path, found);
        }
    }
    let mut found = BTreeSet::new();
    walk(root, root, "", &mut found);
    found
}

/// Whether a schema takes anything, so that there are no fields to know.
pub(super) fn is_free(schema: &Value) -> bool {
    let reference = schema
        .get("$ref")
        .and_then(Value::as_str)
        .unwrap_or_default();
    reference.ends_with("/freeForm") || reference.ends_with("/tensorElement")
}

/// The paths in `known` that `document` uses.
pub(super) fn used_fields(document: &Value, known: &BTreeSet<String>, used: &mut BTreeSet<String>) {
    fn walk(value: &Value, path: &str, known: &BTreeSet<String>, used: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let named = format!("{path}/{name}");
                    if known.contains(&named) {
                        walk(value, &named, known, used);
                        used.insert(named);
                    } else {
                        walk(value, &format!("{path}/*"), known, used);
                    }
                }
            }
            Value::Array(items) => {
                for item in items {
                    walk(item, &format!("{path}/*"), known, used);
                }
            }
            _ => {}
        }
    }
    walk(document, "", known, used);
}

/// The places in a document, each with the schema that holds there. Branches of an `anyOf` are
/// followed where they have the value's type.
pub(super) fn places(root: &Value, document: &Value) -> Vec<(String, Map<String, Value>)> {
    fn walk(
        root: &Value,
        node: &Value,
        value: &Value,
        pointer: &str,
        found: &mut Vec<(String, Map<String, Value>)>,
    ) {
        let node = resolved(root, node);
        let free = Value::Bool(true);
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let schema = node
                        .get("properties")
                        .and_then(|properties| properties.get(name))
                        .or_else(|| node.get("additionalProperties"))
                        .unwrap_or(&free);
                    let name = name.replace('~', "~0").replace('/', "~1");
                    walk(root, schema, value, &format!("{pointer}/{name}"), found);
                }
            }
            Value::Array(items) => {
                let schema = node.get("items").unwrap_or(&free);
                for (place, value) in items.iter().enumerate() {
                    walk(root, schema, value, &format!("{pointer}/{place}"), found);
                }
            }
            _ => {}
        }
        found.push((pointer.to_owned(), node));
    }
    let mut found = Vec::new();
    walk(root, root, document, "", &mut found);
    found
}
