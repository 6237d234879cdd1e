//! The schemas are a contract: valid, closed, bounded, explained, and steady.

use std::collections::{BTreeMap, BTreeSet};

use modelyard::record::Kind;
use modelyard::record::kind::FORMATS;
use serde_json::{Map, Value};

use super::walk::{each_schema, resolved};
use super::{problems, schema, validator};

/// Holds that `visit`, which gets each kind's schema, a place in it and what stands there, has
/// nothing to say.
#[track_caller]
fn each(mut visit: impl FnMut(Kind, &Value, &str, &Map<String, Value>) -> Option<String>) {
    let mut found = Vec::new();
    for &kind in Kind::ALL {
        let root = schema(kind);
        each_schema(&root, &mut |pointer, node| {
            if let Some(problem) = visit(kind, &root, pointer, node) {
                found.push(format!("{kind}{pointer}: {problem}"));
            }
        });
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Whether a node only narrows another, as branches and conditions do.
fn narrows(pointer: &str) -> bool {
    let keywords = [
        "/allOf/",
        "/oneOf/",
        "/if",
        "/then",
        "/else",
        "/not",
        "/contains",
        "/propertyNames",
    ];
    keywords.iter().any(|keyword| pointer.contains(keyword))
}

#[test]
fn schemas_are_json_schema_2020_12() {
    for &kind in Kind::ALL {
        let root = schema(kind);
        assert_eq!(
            root["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        if let Err(error) = jsonschema::draft202012::meta::validate(&root) {
            panic!("{kind}: {error} at {}", error.instance_path());
        }
    }
}

#[test]
fn ids_never_change() {
    let ids: Vec<_> = Kind::ALL
        .iter()
        .map(|kind| schema(*kind)["$id"].clone())
        .collect();
    assert_eq!(
        ids,
        [
            "https://modelyard.dev/schemas/v1/yard.schema.json",
            "https://modelyard.dev/schemas/v1/model.schema.json",
            "https://modelyard.dev/schemas/v1/model-version.schema.json",
            "https://modelyard.dev/schemas/v1/environment.schema.json",
            "https://modelyard.dev/schemas/v1/deployment.schema.json",
            "https://modelyard.dev/schemas/v1/policy.schema.json",
        ]
    );
    for &kind in Kind::ALL {
        assert_eq!(schema(kind)["$id"], kind.schema_id());
        let file = kind.schema_id().rsplit('/').next().unwrap();
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("schemas")
            .join(file);
        assert_eq!(std::fs::read_to_string(path).unwrap(), kind.schema());
        assert_eq!(schema(kind)["properties"]["kind"]["const"], kind.as_str());
    }
}

#[test]
fn every_field_is_explained() {
    each(|_, root, pointer, node| {
        let properties = node.get("properties").and_then(Value::as_object)?;
        if narrows(pointer) {
            return None;
        }
        if !node.contains_key("title") || !node.contains_key("description") {
            return Some("an object has a title and a description".to_owned());
        }
        let silent: Vec<_> = properties
            .iter()
            .filter(|(_, schema)| {
                // Said at the field itself: what a shared definition says is too general there.
                schema["description"].as_str().unwrap_or_default().len() < 4
            })
            .map(|(name, _)| name.as_str())
            .collect();
        let untyped = properties.iter().find(|(_, schema)| {
            let schema = resolved(root, schema);
            !["type", "const", "enum", "anyOf", "allOf"]
                .iter()
                .any(|key| schema.contains_key(*key))
        });
        if let Some((name, _)) = untyped {
            return Some(format!("`{name}` has no type"));
        }
        (!silent.is_empty()).then(|| format!("{silent:?} say nothing of themselves"))
    });
}

#[test]
fn every_object_is_closed() {
    each(|_, _, pointer, node| {
        let is_object = node.get("type") == Some(&Value::from("object"));
        if !is_object || narrows(pointer) {
            return None;
        }
        match (node.get("additionalProperties"), node.get("properties")) {
            (Some(Value::Bool(false)), Some(_)) | (Some(Value::Object(_)), None) => None,
            _ => Some("unknown fields are no errors".to_owned()),
        }
    });
}

#[test]
fn every_size_is_bounded() {
    each(|_, _, pointer, node| {
        if narrows(pointer) {
            return None;
        }
        let types = match node.get("type") {
            Some(Value::Array(types)) => types.clone(),
            Some(one) => vec![one.clone()],
            None => vec![],
        };
        let needs = |kind: &str, keyword: &str| {
            types.contains(&Value::from(kind)) && !node.contains_key(keyword)
        };
        let free = types.len() > 2 || pointer.is_empty() || node.contains_key("properties");
        let missing = [
            ("string", "maxLength"),
            ("array", "maxItems"),
            ("integer", "minimum"),
            ("integer", "maximum"),
        ]
        .into_iter()
        .find(|(kind, keyword)| needs(kind, keyword));
        match missing {
            Some((_, keyword)) => Some(format!("no {keyword}")),
            None if !free && needs("object", "maxProperties") => {
                Some("no maxProperties".to_owned())
            }
            None => None,
        }
    });
}

#[test]
fn a_shared_definition_is_the_same_in_every_schema() {
    let mut seen: BTreeMap<String, (Kind, Value)> = BTreeMap::new();
    for &kind in Kind::ALL {
        let root = schema(kind);
        for (name, definition) in root["$defs"].as_object().into_iter().flatten() {
            let (first, other) = seen
                .entry(name.clone())
                .or_insert_with(|| (kind, definition.clone()));
            assert_eq!(
                other, definition,
                "`{name}` differs between {first} and {kind}"
            );
            let reference = format!("\"#/$defs/{name}\"");
            assert!(
                kind.schema().contains(&reference),
                "{kind} has `{name}` and does not use it"
            );
        }
    }
}

#[test]
fn the_formats_are_the_types_grammars() {
    let mut used = BTreeSet::new();
    each(|_, _, _, node| {
        used.extend(
            node.get("format")
                .and_then(Value::as_str)
                .map(str::to_owned),
        );
        None
    });
    assert!(used.remove("date-time"));
    let known: BTreeSet<_> = FORMATS
        .iter()
        .map(|format| format.name.to_owned())
        .collect();
    assert_eq!(used, known);
}

#[test]
fn every_example_and_default_is_valid() {
    each(|_, root, pointer, node| {
        let mut sub_schema = node.clone();
        if !pointer.is_empty() {
            sub_schema.insert("$defs".to_owned(), root["$defs"].clone());
        }
        let shown: Vec<_> = node
            .get("examples")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .chain(node.get("default"))
            .collect();
        if shown.is_empty() || pointer.ends_with("/properties") {
            return None;
        }
        let validator = validator(&Value::Object(sub_schema));
        let wrong: String = shown
            .iter()
            .map(|example| problems(&validator, example))
            .collect();
        (!wrong.is_empty()).then_some(wrong)
    });
}

#[test]
fn whoever_has_no_formats_still_gets_a_rule_in_words() {
    each(|_, _, pointer, node| {
        let said = node.contains_key("patternErrorMessage") || narrows(pointer);
        (node.contains_key("pattern") && !said).then(|| "a pattern without words".to_owned())
    });
}
