//! Two states of a record, field by field, for people.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most fields that are told of one record: far more than a reviewer reads.
const MOST: usize = 200;

/// How many characters of a value are told.
const MOST_CHARACTERS: usize = 500;

/// How deep fields are taken apart; what is deeper is told as one value.
const DEEPEST: usize = 6;

/// What a field was, and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// The field by its place in the record's `spec`: `replicas.min`, `inputs.image.shape`. The
    /// last one may be `…`: it says how many more there are.
    pub field: String,
    /// What it was, the beginning of it if it is long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// The fields that differ between two states of a record, but for those whose names begin with one
/// of `left_out`; in the order of their names. Items of lists are known by their names, where each
/// has one.
pub(super) fn differences(
    before: Option<&impl Serialize>,
    after: Option<&impl Serialize>,
    left_out: &[&str],
) -> Vec<Difference> {
    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
    for (fields, value) in [(&mut old, before.map(value)), (&mut new, after.map(value))] {
        if let Some(Value::Object(all)) = value {
            let told = |name: &&String| !left_out.contains(&name.as_str());
            for name in all.keys().filter(told) {
                flatten(name, &all[name], 1, fields);
            }
        }
    }
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    let differing = names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name));
    let mut differences: Vec<Difference> = differing
        .map(|name| Difference {
            field: short(name),
            before: old.get(name).map(|text| short(text)),
            after: new.get(name).map(|text| short(text)),
        })
        .collect();
    if differences.len() > MOST {
        let more = differences.len() - MOST;
        differences.truncate(MOST);
        differences.push(Difference {
            field: "…".to_owned(),
            before: None,
            after: Some(format!("and {more} more fields")),
        });
    }
    differences
}

fn value(record: &impl Serialize) -> Value {
    serde_json::to_value(record).expect("a record's keys are strings")
}

fn flatten(name: &str, value: &Value, depth: usize, fields: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(below) if !below.is_empty() && depth < DEEPEST => {
            for (key, value) in below {
                flatten(&format!("{name}.{key}"), value, depth + 1, fields);
            }
        }
        Value::Array(items) if depth < DEEPEST && items.iter().any(Value::is_object) => {
            let named = named(items);
            for (at, item) in items.iter().enumerate() {
                match &named {
                    Some(names) => {
                        let below = format!("{name}.{}", names[at]);
                        let mut item = item.clone();
                        item.as_object_mut().map(|fields| fields.remove("name"));
                        flatten(&below, &item, depth + 1, fields);
                    }
                    None => flatten(&format!("{name}[{at}]"), item, depth + 1, fields),
                }
            }
        }
        Value::String(text) => {
            fields.insert(name.to_owned(), text.clone());
        }
        other => {
            fields.insert(name.to_owned(), other.to_string());
        }
    }
}

/// The names of `items`, if each has one of its own.
fn named(items: &[Value]) -> Option<Vec<&str>> {
    let names: Option<Vec<&str>> = items
        .iter()
        .map(|item| item.get("name")?.as_str())
        .collect();
    let names = names?;
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    (sorted.len() == names.len()).then_some(names)
}

/// The beginning of `text`, if it is long.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    //! What a reviewer is told of two states.

    use serde_json::{Map, json};

    use super::*;

    fn told(before: &Value, after: &Value) -> Vec<String> {
        let told = |one: Difference| {
            let side = |text: Option<String>| text.unwrap_or("-".to_owned());
            format!("{}: {} -> {}", one.field, side(one.before), side(one.after))
        };
        let all = differences(Some(before), Some(after), &["artifact"]);
        all.into_iter().map(told).collect()
    }

    #[test]
    fn fields_are_told_by_their_place_and_items_by_their_names() {
        let before = json!({
            "title": "A", "replicas": {"min": 1}, "tags": ["a", "b"], "artifact": {"size": 1},
            "inputs": [{"name": "image", "shape": [-1, 3]}, {"name": "mask", "shape": [-1]}],
            "owners": [{"team": "vision"}],
        });
        let after = json!({
            "title": "A", "replicas": {"min": 2, "max": 4}, "tags": ["b"], "artifact": {"size": 2},
            "inputs": [{"name": "mask", "shape": [-1]}, {"name": "image", "shape": [-1, 1]}],
            "owners": [{"team": "audio"}],
        });
        assert_eq!(
            told(&before, &after),
            [
                "inputs.image.shape: [-1,3] -> [-1,1]",
                "owners[0].team: vision -> audio",
                "replicas.max: - -> 4",
                "replicas.min: 1 -> 2",
                "tags: [\"a\",\"b\"] -> [\"b\"]",
            ]
        );
        assert!(told(&before, &before).is_empty());
    }

    #[test]
    fn what_is_long_or_much_is_bounded() {
        let long = "ä".repeat(10_000);
        let many: Map<String, Value> = (0..1000).map(|n| (format!("k{n}"), json!(long))).collect();
        let all = differences(None::<&Value>, Some(&Value::Object(many)), &[]);
        assert_eq!(all.len(), MOST + 1);
        assert_eq!(all[MOST].after.as_deref(), Some("and 800 more fields"));
        assert_eq!(
            all[0].after.as_ref().unwrap().chars().count(),
            MOST_CHARACTERS + 1
        );
    }
}
