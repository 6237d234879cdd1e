//! Valid documents, made by walking a schema.
//!
//! Every node gives a list of values: the members of an enum, the bounds of a number, texts that
//! its pattern makes, a list of nothing, of each item and of all, an object with what is required,
//! with each other field in turn, and with all that fit together. What the node itself refuses is
//! left out, so the rules between fields need no code here.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use jsonschema::Validator;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Map, Number, Value, json};

use super::validator;
use super::walk::{is_free, resolved};

/// Texts that YAML readers like to take for something else.
const STRANGE_TEXTS: [&str; 6] = ["yes", "1.0", "null", "a: b #c", "é\n\n  x\n", ""];

pub(super) struct Generator {
    root: Value,
    /// What was made of a node before: definitions are used in many places.
    made: RefCell<HashMap<String, Rc<Vec<Value>>>>,
    runner: RefCell<TestRunner>,
}

impl Generator {
    pub(super) fn new(root: Value) -> Self {
        Self {
            root,
            made: RefCell::default(),
            runner: RefCell::new(TestRunner::deterministic()),
        }
    }

    /// Documents that the schema takes.
    pub(super) fn documents(&self) -> Rc<Vec<Value>> {
        self.variants(&self.root)
    }

    fn variants(&self, node: &Value) -> Rc<Vec<Value>> {
        let key = node.to_string();
        let made = self.made.borrow().get(&key).cloned();
        made.unwrap_or_else(|| {
            let variants = Rc::new(self.make(node));
            self.made.borrow_mut().insert(key, Rc::clone(&variants));
            variants
        })
    }

    fn make(&self, node: &Value) -> Vec<Value> {
        let is_free = is_free(node);
        let node = resolved(&self.root, node);
        let mut schema = node.clone();
        schema.insert("$defs".to_owned(), self.root["$defs"].clone());
        let validator = validator(&Value::Object(schema));
        let mut found = if is_free {
            // They may hold themselves: two levels show as much as twenty.
            vec![
                json!("yes"),
                json!(null),
                json!([1, ["a"]]),
                json!({"a": {"b": [null]}}),
            ]
        } else {
            self.candidates(&node, &validator)
        };
        found.retain(|value| validator.is_valid(value));
        found
    }

    fn candidates(&self, node: &Map<String, Value>, validator: &Validator) -> Vec<Value> {
        let mut found: Vec<Value> = list(node, "examples").to_vec();
        found.extend(node.get("const").cloned());
        found.extend(list(node, "enum").iter().cloned());
        let types: Vec<&str> = match node.get("type") {
            Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(one)) => vec![one],
            _ => {
                for branch in list(node, "anyOf").iter().chain(list(node, "allOf")) {
                    found.extend(self.variants(branch).iter().cloned());
                }
                Vec::new()
            }
        };
        for name in types {
            found.extend(match name {
                "boolean" => vec![json!(false), json!(true)],
                "integer" | "number" => numbers(node),
                "string" => self.texts(node),
                "array" => self.arrays(node),
                "object" if node.contains_key("properties") => self.objects(node, validator),
                "object" => self.mappings(node, validator),
                other => panic!("no such type: {other}"),
            });
        }
        found
    }

    fn texts(&self, node: &Map<String, Value>) -> Vec<Value> {
        let mut texts: Vec<String> = STRANGE_TEXTS
            .iter()
            .map(|text| (*text).to_owned())
            .collect();
        if let Some(longest) = node.get("maxLength").and_then(Value::as_u64) {
            texts.push("a".repeat(usize::try_from(longest).unwrap()));
        }
        if let Some(pattern) = node.get("pattern").and_then(Value::as_str) {
            let body = pattern
                .strip_prefix('^')
                .and_then(|rest| rest.strip_suffix('$'));
            let strategy = proptest::string::string_regex(body.expect("patterns are whole"));
            let strategy = strategy.expect("a pattern can be followed");
            for _ in 0..4 {
                let tree = strategy.new_tree(&mut self.runner.borrow_mut());
                texts.push(tree.expect("a text").current());
            }
        }
        texts.into_iter().map(Value::String).collect()
    }

    fn arrays(&self, node: &Map<String, Value>) -> Vec<Value> {
        let items = self.variants(&node["items"]);
        let mut all = items.to_vec();
        if node.contains_key("uniqueItems") {
            all.dedup();
        }
        all.truncate(5);
        let single = items.iter().map(|item| json!([item]));
        single.chain([json!([]), Value::Array(all)]).collect()
    }

    fn mappings(&self, node: &Map<String, Value>, validator: &Validator) -> Vec<Value> {
        let mut keys = self.texts(&resolved(&self.root, &node["propertyNames"]));
        keys.extend(list(&resolved(&self.root, &node["propertyNames"]), "examples").to_vec());
        let values = self.variants(&node["additionalProperties"]);
        let mut found = vec![json!({})];
        let Some(first) = values.first() else {
            return found;
        };
        for key in keys.iter().filter_map(Value::as_str) {
            found.push(json!({ key: first }));
            let valid = validator.is_valid(found.last().expect("just pushed"));
            if valid && found.len() < 8 {
                found.extend(values.iter().map(|value| json!({ key: value })));
            }
        }
        found
    }

    fn objects(&self, node: &Map<String, Value>, validator: &Validator) -> Vec<Value> {
        let fields = node["properties"]
            .as_object()
            .expect("properties are an object");
        let variants: Vec<(&String, Rc<Vec<Value>>)> = fields
            .iter()
            .map(|(name, schema)| (name, self.variants(schema)))
            .collect();
        let first = |name: &str| {
            let (_, variants) = variants.iter().find(|(field, _)| *field == name)?;
            variants.first().cloned()
        };
        let bases: Vec<Map<String, Value>> = alternatives(node)
            .into_iter()
            .map(|names| {
                let base = names
                    .iter()
                    .filter_map(|name| Some((name.clone(), first(name)?)));
                base.collect()
            })
            .collect();
        let with = |base: &Map<String, Value>, name: &str, value: &Value| {
            let mut object = base.clone();
            object.insert(name.to_owned(), value.clone());
            Value::Object(object)
        };
        let mut found: Vec<Value> = bases.iter().cloned().map(Value::Object).collect();
        for (name, values) in &variants {
            for value in values.iter() {
                let mut candidates = bases.iter().map(|base| with(base, name, value));
                if let Some(taken) = candidates.find(|object| validator.is_valid(object)) {
                    found.push(taken);
                    continue;
                }
                // A rule between fields wants another one, or another value of one.
                let mut candidates = bases.iter().flat_map(|base| {
                    variants
                        .iter()
                        .filter(|(other, _)| other != name)
                        .flat_map(move |(other, values)| {
                            values
                                .iter()
                                .take(8)
                                .map(move |value| with(base, other, value))
                        })
                        .map(|object| with(object.as_object().expect("it is one"), name, value))
                });
                found.extend(candidates.find(|object| validator.is_valid(object)));
            }
        }
        found.extend(everything(validator, &found, &variants));
        found
    }
}

/// All that fits together, grown from each of the first objects.
fn everything(
    validator: &Validator,
    found: &[Value],
    variants: &[(&String, Rc<Vec<Value>>)],
) -> Vec<Value> {
    let valid = found.iter().filter(|object| validator.is_valid(object));
    let starts: Vec<_> = valid.take(4).cloned().collect();
    starts
        .into_iter()
        .map(|mut object| {
            for (name, values) in variants {
                let largest = values.iter().max_by_key(|value| size(value));
                if object.get(name.as_str()).is_none()
                    && let Some(value) = largest
                {
                    let before = object.clone();
                    object[name.as_str()] = value.clone();
                    if !validator.is_valid(&object) {
                        object = before;
                    }
                }
            }
            object
        })
        .collect()
}

/// How many fields and items a value has: texts count for nothing, however long.
fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(fields) => 1 + fields.values().map(size).sum::<usize>(),
        _ => 1,
    }
}

fn list<'a>(node: &'a Map<String, Value>, key: &str) -> &'a [Value] {
    node.get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The sets of fields that an object may need: what is required, with each branch of a choice.
fn alternatives(node: &Map<String, Value>) -> Vec<Vec<String>> {
    let names = |node: &Map<String, Value>| -> Vec<String> {
        let names = list(node, "required").iter().filter_map(Value::as_str);
        names.map(str::to_owned).collect()
    };
    let required = names(node);
    let mut found = vec![required.clone()];
    for branch in list(node, "oneOf").iter().chain(list(node, "anyOf")) {
        let mut fields = required.clone();
        for name in names(branch.as_object().expect("a branch is an object")) {
            let depends = node
                .get("dependentRequired")
                .and_then(|depends| depends.get(&name));
            let others = depends.and_then(Value::as_array).into_iter().flatten();
            fields.extend(others.filter_map(Value::as_str).map(str::to_owned));
            fields.push(name);
        }
        found.push(fields);
    }
    found
}

fn numbers(node: &Map<String, Value>) -> Vec<Value> {
    let bounds = ["minimum", "maximum"];
    let mut found: Vec<Value> = bounds
        .iter()
        .filter_map(|key| node.get(*key).cloned())
        .collect();
    // To JSON Schema 5.0 is an integer.
    let bounds = found.iter().filter_map(Value::as_f64);
    let pointed: Vec<_> = bounds.chain([5.0]).filter_map(Number::from_f64).collect();
    found.extend(pointed.into_iter().map(Value::Number));
    if node.get("type") == Some(&json!("number")) {
        let usual = [0.0, 1.0, -2.5, 1e300, 5e-324];
        found.extend(
            usual
                .into_iter()
                .filter_map(Number::from_f64)
                .map(Value::Number),
        );
    }
    found
}
