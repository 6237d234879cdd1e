//! An object of an answer, of which fields are taken one by one: what is left found no place.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// An object that MLflow sent.
///
/// Protobuf's JSON, which MLflow speaks, writes an int64 as a number or as text, and leaves out
/// what is empty or null.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub(super) struct Said(pub(super) Map<String, Value>);

/// A field that isn't what it has to be, as it stands behind "its answer".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no list of objects")]
pub(super) struct NoList(pub(super) &'static str);

impl Said {
    /// Takes a text, or a number as text; nothing where it is empty.
    pub(super) fn text(&mut self, field: &str) -> Option<String> {
        let text = match self.0.get(field)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        self.0.shift_remove(field);
        (!text.is_empty()).then_some(text)
    }

    /// A text that is not taken.
    pub(super) fn has(&self, field: &str) -> Option<&str> {
        self.0.get(field)?.as_str().filter(|text| !text.is_empty())
    }

    /// A whole number that is not taken, in either of its two forms.
    pub(super) fn whole(&self, field: &str) -> Option<i64> {
        match self.0.get(field)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Takes an object; an empty one where there is none.
    pub(super) fn object(&mut self, field: &str) -> Self {
        match self.0.shift_remove(field) {
            Some(Value::Object(fields)) => Self(fields),
            Some(other) => {
                self.0.insert(field.to_owned(), other);
                Self::default()
            }
            None => Self::default(),
        }
    }

    /// Takes a list of objects; an empty one where there is none.
    ///
    /// # Errors
    /// If something else is there.
    pub(super) fn list(&mut self, field: &'static str) -> Result<Vec<Self>, NoList> {
        let items = match self.0.shift_remove(field) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(NoList(field)),
        };
        let object = |item| match item {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(NoList(field)),
        };
        items.into_iter().map(object).collect()
    }

    /// Takes the texts of a list.
    pub(super) fn texts(&mut self, field: &str) -> Vec<String> {
        let items = self.0.shift_remove(field);
        let items = items.as_ref().and_then(Value::as_array);
        let texts = items.into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }

    /// Takes a list of `{key, value}`, as MLflow writes tags and parameters.
    ///
    /// # Errors
    /// If something else is there.
    pub(super) fn pairs(
        &mut self,
        field: &'static str,
    ) -> Result<BTreeMap<String, String>, NoList> {
        let pairs = self.list(field)?;
        let pair = |mut pair: Self| {
            let key = pair.text("key")?;
            Some((key, pair.text("value").unwrap_or_default()))
        };
        Ok(pairs.into_iter().filter_map(pair).collect())
    }

    /// What was not taken and says something, each behind `prefix`.
    pub(super) fn rest(self, prefix: &str) -> impl Iterator<Item = (String, Value)> {
        let fields = self.0.into_iter().filter(|(_, value)| !is_empty(value));
        fields.map(move |(field, value)| (format!("{prefix}{field}"), value))
    }
}

/// Whether a value says nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    //! The forms that protobuf's JSON has.

    use serde_json::json;

    use super::*;

    fn said(value: Value) -> Said {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn an_int64_is_a_number_or_a_text() {
        let said = said(json!({"a": 1_700_000_000_123_i64, "b": "1700000000123", "c": "x"}));
        assert_eq!(said.whole("a"), Some(1_700_000_000_123));
        assert_eq!(said.whole("b"), said.whole("a"));
        assert_eq!(said.whole("c"), None);
        assert_eq!(said.whole("d"), None);
    }

    #[test]
    fn what_was_not_taken_is_left() {
        let mut said = said(json!({
            "name": "defects", "version": 3, "user": "", "tags": [{"key": "a", "value": "b"}, {"key": "c"}],
            "other": {"x": 1}, "nothing": null, "none": [],
        }));
        assert_eq!(said.text("name").as_deref(), Some("defects"));
        assert_eq!(said.text("version").as_deref(), Some("3"));
        assert_eq!(said.text("user"), None);
        let tags = said.pairs("tags").unwrap();
        assert_eq!(
            tags,
            [("a", "b"), ("c", "")]
                .map(|(k, v)| (k.into(), v.into()))
                .into()
        );
        let rest: Vec<_> = said.rest("version.").collect();
        assert_eq!(rest, [("version.other".to_owned(), json!({"x": 1}))]);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for bad in [
            json!({"tags": 1}),
            json!({"tags": [1]}),
            json!({"tags": {}}),
        ] {
            assert_eq!(said(bad).pairs("tags"), Err(NoList("tags")));
        }
    }
}
