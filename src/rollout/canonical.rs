//! One digest for one meaning: JSON without spaces, the keys of its objects in order.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::record::Digest;

/// The digest of what `value` says, whatever the order of its objects' keys.
pub(super) fn digest(value: &impl Serialize) -> Digest {
    let value = serde_json::to_value(value).expect("it has text keys and finite numbers only");
    let mut text = String::new();
    write(&value, &mut text);
    Digest::from_bytes(Sha256::digest(text).into())
}

fn write(value: &Value, text: &mut String) {
    let between = |at: usize, text: &mut String| {
        if at > 0 {
            text.push(',');
        }
    };
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (at, (key, value)) in fields.into_iter().enumerate() {
                between(at, text);
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                between(at, text);
                write(item, text);
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_is_no_difference() {
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let one = read(r#"{"a": [1, {"c": "\"", "b": null}], "d": 2.5}"#);
        let other = read(r#"{"d": 2.5, "a": [1, {"b": null, "c": "\""}]}"#);
        assert_eq!(digest(&one), digest(&other));
        assert_ne!(digest(&one), digest(&read(r#"{"d": 2.5}"#)));
    }
}
