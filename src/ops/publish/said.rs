//! What is said of a model and its version before either is a record.
//!
//! Several voices speak: the files themselves, the records of `--from`, the flags, and the person
//! who answers questions. Each is a [`Said`]; the later one is heard over the earlier one, field
//! by field. Only when all have spoken do records come of it, and the schema judges them whole.

use serde_json::{Map, Value};

/// Fields by their names in the records' `spec`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Said {
    /// Fields of the model's `spec`.
    pub model: Map<String, Value>,
    /// Fields of the version's `spec`.
    pub version: Map<String, Value>,
}

/// Fields of which each part is said by itself; all others are said whole.
const IN_PARTS: [&str; 4] = ["classification", "format", "lineage", "citation"];

impl Said {
    /// Hears `later` over what was said before.
    pub fn hear(&mut self, later: Self) {
        hear(&mut self.model, later.model);
        hear(&mut self.version, later.version);
    }
}

fn hear(fields: &mut Map<String, Value>, later: Map<String, Value>) {
    for (name, value) in later {
        match (fields.get_mut(&name), value) {
            (Some(Value::Object(parts)), Value::Object(later_parts))
                if IN_PARTS.contains(&name.as_str()) =>
            {
                parts.extend(later_parts);
            }
            (_, value) => {
                fields.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(version: Value) -> Said {
        let Value::Object(version) = version else {
            panic!("not an object")
        };
        Said {
            version,
            ..Said::default()
        }
    }

    #[test]
    fn the_later_voice_is_heard_field_by_field() {
        let mut all = said(json!({
            "format": {"name": "onnx", "version": "17"},
            "inputs": [{"name": "x"}],
            "precision": "fp32",
        }));
        all.hear(said(
            json!({"format": {"version": "18"}, "inputs": [{"name": "image"}]}),
        ));
        assert_eq!(
            all,
            said(json!({
                "format": {"name": "onnx", "version": "18"},
                "inputs": [{"name": "image"}],
                "precision": "fp32",
            }))
        );
    }
}
