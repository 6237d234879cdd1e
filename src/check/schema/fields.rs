//! Finding one's way in a schema.

use serde_json::{Map, Value};

/// How many references and alternatives are followed; the schemas' own need three.
const MAX_DEPTH: usize = 16;

/// The keywords whose parts are alternatives or additions of the same value.
const PARTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// The part of `schema` that the keyword at `keyword_path` stands in.
pub(super) fn around<'s>(schema: &'s Value, keyword_path: &str) -> Option<&'s Value> {
    schema.pointer(&keyword_path[..keyword_path.rfind('/')?])
}

/// What the schema's authors say where the keyword at `keyword_path` is not met.
pub(super) fn said<'s>(schema: &'s Value, keyword_path: &str, keyword: &str) -> Option<&'s str> {
    around(schema, keyword_path)?.get(keyword)?.as_str()
}

/// What `schema` says of the value at JSON pointer `pointer` of a record.
pub(super) fn of_value<'s>(schema: &'s Value, pointer: &str) -> &'s Value {
    let mut node = schema;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        match below(schema, node, &token, 0) {
            Some(next) => node = next,
            None => return &Value::Null,
        }
    }
    node
}

fn below<'s>(schema: &'s Value, node: &'s Value, token: &str, depth: usize) -> Option<&'s Value> {
    if depth > MAX_DEPTH {
        return None;
    }
    let node = followed(schema, node);
    if let Some(field) = node.get("properties").and_then(|fields| fields.get(token)) {
        return Some(field);
    }
    let is_index = token.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(items) = node.get("items").filter(|_| is_index) {
        return Some(items);
    }
    let mut parts = PARTS
        .into_iter()
        .filter_map(|keyword| node.get(keyword)?.as_array())
        .flatten();
    parts
        .find_map(|part| below(schema, part, token, depth + 1))
        .or_else(|| {
            node.get("additionalProperties")
                .filter(|other| other.is_object())
        })
}

/// `node` with its reference followed.
pub(super) fn followed<'s>(schema: &'s Value, node: &'s Value) -> &'s Value {
    let mut node = node;
    for _ in 0..MAX_DEPTH {
        let target = node.get("$ref").and_then(Value::as_str);
        match target.and_then(|target| schema.pointer(target.strip_prefix('#')?)) {
            Some(target) => node = target,
            None => break,
        }
    }
    node
}

/// Every field that `node` knows, its parts' too, with what the schema says of it.
pub(super) fn known(schema: &Value, node: &Value) -> Map<String, Value> {
    let mut fields = Map::new();
    gather(schema, node, &mut fields, 0);
    fields
}

fn gather(schema: &Value, node: &Value, fields: &mut Map<String, Value>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    let node = followed(schema, node);
    for (name, field) in node
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        fields.entry(name.clone()).or_insert_with(|| field.clone());
    }
    for part in PARTS
        .into_iter()
        .filter_map(|keyword| node.get(keyword)?.as_array())
        .flatten()
    {
        gather(schema, part, fields, depth + 1);
    }
}

/// What the schema says of `node` in its first sentence.
pub(super) fn described(schema: &Value, node: &Value) -> Option<String> {
    let target = followed(schema, node);
    let text = node
        .get("description")
        .or_else(|| target.get("description"))?
        .as_str()?;
    let line = text.lines().next().unwrap_or_default();
    let sentence = line.split(". ").next().unwrap_or_default();
    Some(sentence.trim_end_matches('.').to_owned())
}

/// The first example that the schema gives of `node`, if it is short.
pub(super) fn example(schema: &Value, node: &Value) -> Option<String> {
    /// A longer one is no help in a line.
    const MAX_LENGTH: usize = 80;
    let of = |node: &Value| Some(node.get("examples")?.get(0)?.clone());
    let shown = match of(node).or_else(|| of(followed(schema, node)))? {
        Value::String(text) => text,
        other => other.to_string(),
    };
    (shown.len() <= MAX_LENGTH && !shown.contains('\n')).then_some(shown)
}
