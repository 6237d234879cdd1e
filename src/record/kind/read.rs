//! From a record's JSON tree to its types.
//!
//! To JSON Schema 2020-12 (Validation, section 6.1.1) a number is an integer whenever its
//! fractional part is zero, so that `5.0` is as good as `5`; serde takes it for a float. Here it
//! is a whole number wherever a type asks for one, and stays what was written wherever a type
//! keeps any value.

use serde::de::value::{BorrowedStrDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Value};

/// Reads a record, or a part of one.
///
/// # Errors
/// Says what the first thing is that is not as the type asks.
pub fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    T::deserialize(Node(value))
}

/// The whole number that `value` is, if it is one with a point.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the number is whole, and within the bounds"
)]
fn whole(value: &Value) -> Option<i128> {
    // The bounds of what a `u64` and an `i64` hold, the upper one without.
    const BOUNDS: std::ops::Range<f64> = -9_223_372_036_854_775_808.0..18_446_744_073_709_551_616.0;
    let Value::Number(number) = value else {
        return None;
    };
    let float = number.as_f64().filter(|_| number.is_f64())?;
    (float.fract() == 0.0 && BOUNDS.contains(&float)).then_some(float as i128)
}

/// A value of the tree, and all that lies in it.
#[derive(Clone, Copy)]
struct Node<'de>(&'de Value);

impl<'de> IntoDeserializer<'de, Error> for Node<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Whoever asks for an integer is given one, written with a point or without.
macro_rules! integers {
    ($($method:ident)+) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
                match whole(self.0) {
                    Some(number) => match u64::try_from(number) {
                        Ok(number) => visitor.visit_u64(number),
                        Err(_) => match i64::try_from(number) {
                            Ok(number) => visitor.visit_i64(number),
                            Err(_) => self.deserialize_any(visitor),
                        },
                    },
                    None => self.deserialize_any(visitor),
                }
            }
        )+
    };
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.iter().map(Node));
                let value = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(value)
            }
            Value::Object(fields) => {
                let fields = fields.iter();
                let fields =
                    fields.map(|(name, value)| (BorrowedStrDeserializer::new(name), Node(value)));
                let mut fields = MapDeserializer::new(fields);
                let value = visitor.visit_map(&mut fields)?;
                fields.end()?;
                Ok(value)
            }
            scalar => scalar.deserialize_any(visitor),
        }
    }

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    /// The variants of a record's enums hold nothing.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map
        struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::{Map, json};

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Record {
        count: u8,
        sizes: Vec<Option<i64>>,
        share: f64,
        free: Map<String, Value>,
    }

    fn record(count: &Value, size: &Value, share: &Value) -> Result<Record, String> {
        let value = json!({"count": count, "sizes": [size], "share": share, "free": {"a": 5.0}});
        read(&value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_whole_number_may_have_a_point() {
        let pointed = record(&json!(5.0), &json!(-1.0), &json!(2)).unwrap();
        assert_eq!(pointed, record(&json!(5), &json!(-1), &json!(2.0)).unwrap());
        assert_eq!(pointed.free["a"], json!(5.0));
        assert_eq!(
            read::<u64>(&json!(1e19)).unwrap(),
            10_000_000_000_000_000_000
        );
        assert_eq!(read::<i64>(&json!(-0.0)).unwrap(), 0);
        assert_eq!(read::<Option<u8>>(&Value::Null).unwrap(), None);
    }

    #[test]
    fn what_is_no_whole_number_or_too_large_is_refused() {
        for (count, size, said) in [
            (
                json!(5.5),
                json!(1),
                "invalid type: floating point `5.5`, expected u8",
            ),
            (
                json!(256.0),
                json!(1),
                "invalid value: integer `256`, expected u8",
            ),
            (
                json!(-1.0),
                json!(1),
                "invalid value: integer `-1`, expected u8",
            ),
            (
                json!(1),
                json!(1e19),
                "invalid value: integer `10000000000000000000`, expected i64",
            ),
            (
                json!(1),
                json!(1e300),
                "invalid type: floating point `1e+300`, expected i64",
            ),
            (
                json!("5.0"),
                json!(1),
                "invalid type: string \"5.0\", expected u8",
            ),
        ] {
            assert_eq!(record(&count, &size, &json!(0)).unwrap_err(), said);
        }
    }
}
