//! One value of a row: as a file has it, as a tensor's element, and as a result is written.

use std::fmt::Write;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use half::f16;
use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

use crate::platform::redact::printable;
use crate::protocol::Elements;

/// How much of a value is told in an error.
const TOLD_CHARACTERS: usize = 60;

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// Nothing is said.
    Null,
    /// Text of a file that knows no types: it is what its column asks for.
    Raw(String),
    /// True or false.
    Bool(bool),
    /// A whole number from zero up.
    Unsigned(u64),
    /// A whole number.
    Signed(i64),
    /// A number of single precision.
    Single(f32),
    /// A number.
    Double(f64),
    /// Text of a file that knows it for text.
    Text(String),
    /// Bytes that need not be text.
    Bytes(Bytes),
    /// Several, one inside of the other as it may be.
    List(Vec<Self>),
    /// What no tensor takes, as JSON.
    Other(Value),
}

impl Cell {
    /// The value that JSON says.
    pub(super) fn of_json(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => Self::of_number(&number),
            Value::String(text) => Self::Text(text),
            Value::Array(values) => Self::List(values.into_iter().map(Self::of_json).collect()),
            Value::Object(_) => Self::Other(value),
        }
    }

    fn of_number(number: &Number) -> Self {
        if let Some(number) = number.as_u64() {
            return Self::Unsigned(number);
        }
        if let Some(number) = number.as_i64() {
            return Self::Signed(number);
        }
        Self::Double(number.as_f64().unwrap_or(f64::NAN))
    }

    /// Element `index` of a tensor.
    pub(super) fn of_element(elements: &Elements, index: usize) -> Self {
        match elements {
            Elements::Bool(all) => Self::Bool(all[index]),
            Elements::Uint8(all) => Self::Unsigned(all[index].into()),
            Elements::Uint16(all) => Self::Unsigned(all[index].into()),
            Elements::Uint32(all) => Self::Unsigned(all[index].into()),
            Elements::Uint64(all) => Self::Unsigned(all[index]),
            Elements::Int8(all) => Self::Signed(all[index].into()),
            Elements::Int16(all) => Self::Signed(all[index].into()),
            Elements::Int32(all) => Self::Signed(all[index].into()),
            Elements::Int64(all) => Self::Signed(all[index]),
            Elements::Fp16(all) => Self::Single(all[index].into()),
            Elements::Fp32(all) => Self::Single(all[index]),
            Elements::Fp64(all) => Self::Double(all[index]),
            Elements::Bytes(all) => match std::str::from_utf8(&all[index]) {
                Ok(text) => Self::Text(text.to_owned()),
                Err(_) => Self::Bytes(all[index].clone()),
            },
        }
    }

    /// Puts it behind `elements`; `None`, and nothing put, if it is none of their type.
    ///
    /// Nothing is rounded but what a type can't say exactly, and no text of a file with types is
    /// taken for a number.
    pub(super) fn put(&self, elements: &mut Elements) -> Option<()> {
        match elements {
            Elements::Bool(all) => all.push(self.boolean()?),
            Elements::Uint8(all) => all.push(self.whole()?),
            Elements::Uint16(all) => all.push(self.whole()?),
            Elements::Uint32(all) => all.push(self.whole()?),
            Elements::Uint64(all) => all.push(self.whole()?),
            Elements::Int8(all) => all.push(self.whole()?),
            Elements::Int16(all) => all.push(self.whole()?),
            Elements::Int32(all) => all.push(self.whole()?),
            Elements::Int64(all) => all.push(self.whole()?),
            Elements::Fp16(all) => {
                let number = self.single()?;
                let half = f16::from_f32(number);
                all.push((half.is_finite() || !number.is_finite()).then_some(half)?);
            }
            Elements::Fp32(all) => all.push(self.single()?),
            Elements::Fp64(all) => all.push(self.double()?),
            Elements::Bytes(all) => all.push(self.bytes()?),
        }
        Some(())
    }

    fn boolean(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Unsigned(0) | Self::Signed(0) => Some(false),
            Self::Unsigned(1) | Self::Signed(1) => Some(true),
            Self::Raw(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    fn whole<T: FromStr + TryFrom<u64> + TryFrom<i64>>(&self) -> Option<T> {
        match self {
            Self::Raw(text) => text.trim().parse().ok(),
            Self::Unsigned(number) => T::try_from(*number).ok(),
            Self::Signed(number) => T::try_from(*number).ok(),
            Self::Single(number) => whole(f64::from(*number)),
            Self::Double(number) => whole(*number),
            _ => None,
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "the nearest number is meant"
    )]
    fn single(&self) -> Option<f32> {
        match self {
            Self::Raw(text) => {
                let number: f32 = text.trim().parse().ok()?;
                (number.is_finite() || !has_digits(text)).then_some(number)
            }
            Self::Unsigned(number) => Some(*number as f32),
            Self::Signed(number) => Some(*number as f32),
            Self::Single(number) => Some(*number),
            Self::Double(number) => {
                let narrow = *number as f32;
                (narrow.is_finite() || !number.is_finite()).then_some(narrow)
            }
            _ => None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "the nearest number is meant")]
    fn double(&self) -> Option<f64> {
        match self {
            Self::Raw(text) => {
                let number: f64 = text.trim().parse().ok()?;
                (number.is_finite() || !has_digits(text)).then_some(number)
            }
            Self::Unsigned(number) => Some(*number as f64),
            Self::Signed(number) => Some(*number as f64),
            Self::Single(number) => Some((*number).into()),
            Self::Double(number) => Some(*number),
            _ => None,
        }
    }

    fn bytes(&self) -> Option<Bytes> {
        match self {
            Self::Raw(text) | Self::Text(text) => Some(Bytes::copy_from_slice(text.as_bytes())),
            Self::Bytes(bytes) => Some(bytes.clone()),
            _ => None,
        }
    }

    /// As a person sees it in an error; nothing where there is nothing.
    pub(super) fn told(&self) -> String {
        let text = self.text();
        if text.chars().count() <= TOLD_CHARACTERS {
            return printable(&text);
        }
        let begin: String = text.chars().take(TOLD_CHARACTERS).collect();
        format!("{}…", printable(&begin))
    }

    /// As text: nothing for nothing, JSON for what is more than one value.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Raw(text) | Self::Text(text) => text.clone(),
            Self::Bool(value) => value.to_string(),
            Self::Unsigned(number) => number.to_string(),
            Self::Signed(number) => number.to_string(),
            // As Rust has it, the shortest text that is read as the same number again.
            Self::Single(number) => number.to_string(),
            Self::Double(number) => number.to_string(),
            Self::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => text.to_owned(),
                Err(_) => BASE64_STANDARD.encode(bytes),
            },
            Self::List(_) | Self::Other(_) => self.to_json().to_string(),
        }
    }

    /// As JSON, which has no word for what is no number: it becomes `null`.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Unsigned(number) => (*number).into(),
            Self::Signed(number) => (*number).into(),
            // By its shortest text: 0.1 of single precision is 0.1 for everybody.
            Self::Single(number) => number
                .to_string()
                .parse::<f64>()
                .map_or(Value::Null, |number| {
                    Number::from_f64(number).map_or(Value::Null, Value::Number)
                }),
            Self::Double(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
            Self::Raw(_) | Self::Text(_) | Self::Bytes(_) => Value::String(self.text()),
            Self::List(cells) => cells.iter().map(Self::to_json).collect(),
            Self::Other(value) => value.clone(),
        }
    }

    /// Adds it to a digest of rows, so that no two rows that differ add the same.
    pub(super) fn digest(&self, digest: &mut Sha256) {
        let mut add = |kind: u8, bytes: &[u8]| {
            digest.update([kind]);
            digest.update((bytes.len() as u64).to_le_bytes());
            digest.update(bytes);
        };
        match self {
            Self::Null => add(0, &[]),
            Self::Raw(text) => add(1, text.as_bytes()),
            Self::Bool(value) => add(2, &[u8::from(*value)]),
            Self::Unsigned(number) => add(3, &number.to_le_bytes()),
            Self::Signed(number) => add(4, &number.to_le_bytes()),
            Self::Single(number) => add(5, &number.to_le_bytes()),
            Self::Double(number) => add(6, &number.to_le_bytes()),
            Self::Text(text) => add(7, text.as_bytes()),
            Self::Bytes(bytes) => add(8, bytes),
            Self::List(cells) => {
                add(9, &(cells.len() as u64).to_le_bytes());
                for cell in cells {
                    cell.digest(digest);
                }
            }
            Self::Other(value) => add(10, value.to_string().as_bytes()),
        }
    }
}

/// Whether a text is a number in digits: if it is read as infinite, it is too large.
fn has_digits(text: &str) -> bool {
    text.contains(|character: char| character.is_ascii_digit())
}

/// A number without a fraction as a whole number.
fn whole<T: TryFrom<i64>>(number: f64) -> Option<T> {
    /// Up to here every whole number is exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() != 0.0 || number.abs() > EXACT {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole, and small enough")]
    let number = number as i64;
    T::try_from(number).ok()
}

/// A name for errors, and no more of it than a line takes.
pub(super) fn quoted(name: &str) -> String {
    let mut told = String::from("`");
    let begin: String = name.chars().take(TOLD_CHARACTERS).collect();
    let more = if begin.len() < name.len() { "…" } else { "" };
    write!(told, "{}{more}`", printable(&begin)).expect("writing to a string never fails");
    told
}

#[cfg(test)]
mod tests {
    //! What becomes of a value on its way into a tensor and out again.

    use super::*;
    use crate::record::kind::Datatype;
    use serde_json::json;

    fn put(datatype: Datatype, cell: &Cell) -> Option<Cell> {
        let mut elements = Elements::none(datatype);
        cell.put(&mut elements)?;
        Some(Cell::of_element(&elements, 0))
    }

    #[test]
    fn a_value_is_taken_where_its_type_can_say_it() {
        let raw = |text: &str| Cell::Raw(text.to_owned());
        let text = |text: &str| Cell::Text(text.to_owned());
        let taken = [
            (Datatype::Int8, raw(" -5 "), Some(Cell::Signed(-5))),
            (Datatype::Int8, raw("300"), None),
            (Datatype::Int8, Cell::Double(7.0), Some(Cell::Signed(7))),
            (Datatype::Int8, Cell::Double(7.5), None),
            (
                Datatype::Uint64,
                Cell::Unsigned(u64::MAX),
                Some(Cell::Unsigned(u64::MAX)),
            ),
            (Datatype::Uint8, Cell::Signed(-1), None),
            (Datatype::Fp32, text("5"), None),
            (Datatype::Fp32, Cell::Double(0.1), Some(Cell::Single(0.1))),
            (Datatype::Fp32, Cell::Double(1e300), None),
            (Datatype::Fp16, raw("0.5"), Some(Cell::Single(0.5))),
            (Datatype::Fp16, raw("70000"), None),
            (Datatype::Fp32, raw("1e99"), None),
            (
                Datatype::Fp32,
                raw("-inf"),
                Some(Cell::Single(f32::NEG_INFINITY)),
            ),
            (Datatype::Fp64, Cell::Null, None),
            (Datatype::Fp64, Cell::Bool(true), None),
            (Datatype::Bool, raw("FALSE"), Some(Cell::Bool(false))),
            (Datatype::Bool, Cell::Unsigned(2), None),
            (Datatype::Bytes, raw("é"), Some(text("é"))),
            (Datatype::Bytes, Cell::Unsigned(1), None),
        ];
        for (datatype, cell, wanted) in taken {
            assert_eq!(put(datatype, &cell), wanted, "{cell:?} as {datatype}");
        }
    }

    #[test]
    fn numbers_are_written_as_short_as_they_are_exact() {
        assert_eq!(Cell::Single(0.1).text(), "0.1");
        assert_eq!(Cell::Single(0.1).to_json(), json!(0.1));
        assert_eq!(Cell::Double(f64::NAN).to_json(), Value::Null);
        assert_eq!(Cell::Single(f32::INFINITY).text(), "inf");
        let list = Cell::of_json(json!([1, [-2, 0.5], "a"]));
        assert_eq!(list.text(), r#"[1,[-2,0.5],"a"]"#);
        assert_eq!(Cell::Bytes(Bytes::from_static(b"\xff")).text(), "/w==");
    }

    #[test]
    fn rows_that_differ_have_different_digests() {
        let digest = |cells: &[Cell]| {
            let mut digest = Sha256::new();
            cells.iter().for_each(|cell| cell.digest(&mut digest));
            digest.finalize()
        };
        let (a, b, ab) = (
            Cell::Raw("a".into()),
            Cell::Raw("b".into()),
            Cell::Raw("ab".into()),
        );
        assert_ne!(
            digest(&[a.clone(), b]),
            digest(&[ab, Cell::Raw(String::new())])
        );
        assert_ne!(
            digest(std::slice::from_ref(&a)),
            digest(&[Cell::List(vec![a])])
        );
    }
}
