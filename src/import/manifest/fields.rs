//! Objects that are taken apart: what nobody takes is what found no place.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::check::looks_like_secret;

/// The fields of an object that nobody has taken yet.
#[derive(Debug, Clone, Default)]
pub(in crate::import) struct Fields {
    map: Map<String, Value>,
}

impl Fields {
    /// All fields of `map`.
    pub(in crate::import) fn new(map: Map<String, Value>) -> Self {
        Self { map }
    }

    /// The fields of `value`, if it is an object.
    pub(in crate::import) fn of(value: Value) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self { map }),
            _ => None,
        }
    }

    /// Takes a field, whatever it is; `null` says nothing.
    pub(in crate::import) fn take(&mut self, name: &str) -> Option<Value> {
        self.map.shift_remove(name).filter(|value| !value.is_null())
    }

    /// Takes a field if `read` understands it, else it stays.
    pub(in crate::import) fn take_if<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let taken = read(self.map.get(name)?)?;
        self.map.shift_remove(name);
        Some(taken)
    }

    /// Takes a text that is not empty.
    pub(in crate::import) fn text(&mut self, name: &str) -> Option<String> {
        let read = |value: &Value| Some(value.as_str()?.to_owned());
        self.take_if(name, read).filter(|text| !text.is_empty())
    }

    /// Takes a whole number.
    pub(in crate::import) fn whole(&mut self, name: &str) -> Option<u64> {
        self.take_if(name, Value::as_u64)
    }

    /// Takes the texts whose names begin with `prefix`, which is left out of these.
    pub(in crate::import) fn take_prefixed(&mut self, prefix: &str) -> BTreeMap<String, String> {
        let mut taken = BTreeMap::new();
        self.map.retain(
            |name, value| match (name.strip_prefix(prefix), value.as_str()) {
                (Some(name), Some(text)) => {
                    taken.insert(name.to_owned(), text.to_owned());
                    false
                }
                _ => true,
            },
        );
        taken
    }

    /// Takes an object, to be taken apart in its turn.
    pub(in crate::import) fn fields(&mut self, name: &str) -> Option<Self> {
        self.take_if(name, |value| Some(Self::new(value.as_object()?.clone())))
    }

    /// Takes a list.
    pub(in crate::import) fn list(&mut self, name: &str) -> Vec<Value> {
        let read = |value: &Value| value.as_array().cloned();
        self.take_if(name, read).unwrap_or_default()
    }

    /// Whether a field is there.
    pub(in crate::import) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// Looks at a text that stays.
    pub(in crate::import) fn look(&self, name: &str) -> Option<&str> {
        self.map.get(name)?.as_str()
    }

    /// Puts a field back of which a part found no place.
    pub(in crate::import) fn put(&mut self, name: &str, value: Value) {
        self.map.insert(name.to_owned(), value);
    }

    /// Puts back what is left of a part, if something is.
    pub(in crate::import) fn put_rest(&mut self, name: &str, rest: Self) {
        if !rest.map.is_empty() {
            self.put(name, Value::Object(rest.map));
        }
    }

    /// What nobody took, each under `prefix`, put into `unmapped`.
    pub(in crate::import) fn left(self, prefix: &str, unmapped: &mut Map<String, Value>) {
        for (name, value) in self.map {
            if !is_empty(&value) {
                unmapped.insert(format!("{prefix}{name}"), value);
            }
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// What the names of variables end with that hold secrets.
const SECRET_NAMES: [&str; 9] = [
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "TOKEN",
    "ACCESS_KEY",
    "API_KEY",
    "APIKEY",
    "PRIVATE_KEY",
];

/// Whether `text`, which stands under `name`, looks like a secret.
pub(in crate::import) fn is_secret(name: &str, text: &str) -> bool {
    let upper = name.to_ascii_uppercase().replace(['-', '.'], "_");
    let named = SECRET_NAMES.iter().any(|end| upper.ends_with(end));
    (named && !text.is_empty()) || looks_like_secret(name, text).is_some()
}

/// Puts asterisks in place of whatever looks like a secret in `value`; says whether there was one.
pub(in crate::import) fn conceal(value: &mut Value) -> bool {
    match value {
        Value::Object(fields) => conceal_fields(fields),
        Value::Array(items) => items
            .iter_mut()
            .map(conceal)
            .fold(false, |any, one| any | one),
        Value::String(text) if looks_like_secret("", text).is_some() => {
            *value = HIDDEN.into();
            true
        }
        _ => false,
    }
}

/// What stands in place of a secret.
const HIDDEN: &str = "***";

/// The same for an object; a pair of `name` and `value` is a field, too.
pub(in crate::import) fn conceal_fields(fields: &mut Map<String, Value>) -> bool {
    let mut any = false;
    let pair = fields
        .get("name")
        .and_then(Value::as_str)
        .map(str::to_owned);
    for (key, value) in fields.iter_mut() {
        let name = match (&pair, key.as_str()) {
            (Some(name), "value") => name,
            // A reference names a secret and is none.
            (_, "secretName" | "envSecretRefName" | "storageSecretName") => continue,
            _ => key,
        };
        match value {
            Value::String(text) if is_secret(name, text) => {
                *value = HIDDEN.into();
                any = true;
            }
            other => any |= conceal(other),
        }
    }
    any
}

/// A scalar as text: what is a number in YAML may be meant as one.
pub(in crate::import) fn json_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    //! What is taken, what is left, and what nobody may see.

    use serde_json::json;

    use super::*;

    #[test]
    fn what_nobody_takes_is_left() {
        let value = json!({"a": "x", "b": 2, "c": {"d": 1, "e": 2}, "f": null, "g": []});
        let mut fields = Fields::of(value).unwrap();
        assert_eq!(fields.text("a").unwrap(), "x");
        assert_eq!(fields.text("b"), None);
        let mut inner = fields.fields("c").unwrap();
        assert_eq!(inner.whole("d"), Some(1));
        fields.put_rest("c", inner);
        let mut left = Map::new();
        fields.left("spec.", &mut left);
        assert_eq!(
            Value::Object(left),
            json!({"spec.b": 2, "spec.c": {"e": 2}})
        );
    }

    #[test]
    fn secrets_that_are_written_out_are_hidden_and_references_are_not() {
        let mut value = json!({
            "env": [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "LEVEL", "value": "2"}],
            "secretName": "storage",
            "uri": "https://me:hunter22@example.com/x",
            "deep": [{"apiKey": "abcdef1"}],
        });
        assert!(conceal(&mut value));
        assert_eq!(
            value,
            json!({
                "env": [{"name": "DB_PASSWORD", "value": "***"}, {"name": "LEVEL", "value": "2"}],
                "secretName": "storage",
                "uri": "***",
                "deep": [{"apiKey": "***"}],
            })
        );
        assert!(!conceal(&mut value.clone().take()["env"][1]));
    }
}
