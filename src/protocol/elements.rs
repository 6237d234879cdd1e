//! Elements as JSON: numbers, booleans and texts, in one array or in arrays of arrays.

use std::fmt;

use bytes::Bytes;
use half::f16;
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Unexpected, Visitor};
use serde::ser::{Serialize, SerializeSeq, Serializer};

use super::tensor::{Elements, each};
use crate::record::kind::Datatype;

/// For how many elements there is room before the first was read, whatever a shape says.
const FIRST_ELEMENTS: usize = 1024;

/// What can be an element of a tensor.
pub(super) trait Element: Sized + PartialEq + fmt::Debug {
    /// What its type asks for, for errors.
    const WANTED: &'static str;

    fn from_bool(_: bool) -> Option<Self> {
        None
    }
    fn from_unsigned(_: u64) -> Option<Self> {
        None
    }
    fn from_signed(_: i64) -> Option<Self> {
        None
    }
    fn from_float(_: f64) -> Option<Self> {
        None
    }
    fn from_text(_: &str) -> Option<Self> {
        None
    }

    /// Whether it is `other`, or a number at most `tolerance` from it.
    fn is_near(&self, other: &Self, _tolerance: f64) -> bool {
        self == other
    }

    /// Whether JSON can say it.
    fn is_sayable(&self) -> bool {
        true
    }

    fn say<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

macro_rules! integers {
    ($($integer:ty: $wanted:literal;)+) => {$(
        impl Element for $integer {
            const WANTED: &'static str = $wanted;

            fn from_unsigned(number: u64) -> Option<Self> {
                Self::try_from(number).ok()
            }
            fn from_signed(number: i64) -> Option<Self> {
                Self::try_from(number).ok()
            }
            fn is_near(&self, other: &Self, tolerance: f64) -> bool {
                self.abs_diff(*other) as f64 <= tolerance
            }
            fn say<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize(serializer)
            }
        }
    )+};
}

integers! {
    u8: "a whole number from 0 to 255";
    u16: "a whole number from 0 to 65535";
    u32: "a whole number of 32 bits without a sign";
    u64: "a whole number of 64 bits without a sign";
    i8: "a whole number from -128 to 127";
    i16: "a whole number from -32768 to 32767";
    i32: "a whole number of 32 bits";
    i64: "a whole number of 64 bits";
}

macro_rules! floats {
    ($($float:ty: $wanted:literal, $narrow:expr, $wide:expr;)+) => {$(
        impl Element for $float {
            const WANTED: &'static str = $wanted;

            #[expect(clippy::cast_precision_loss, reason = "the nearest number is meant")]
            fn from_unsigned(number: u64) -> Option<Self> {
                Self::from_float(number as f64)
            }
            #[expect(clippy::cast_precision_loss, reason = "the nearest number is meant")]
            fn from_signed(number: i64) -> Option<Self> {
                Self::from_float(number as f64)
            }
            fn from_float(number: f64) -> Option<Self> {
                let narrow: Self = $narrow(number);
                narrow.is_finite().then_some(narrow)
            }
            fn is_near(&self, other: &Self, tolerance: f64) -> bool {
                self == other || (f64::from(*self) - f64::from(*other)).abs() <= tolerance
            }
            fn is_sayable(&self) -> bool {
                self.is_finite()
            }
            fn say<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $wide(*self).serialize(serializer)
            }
        }
    )+};
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the nearest number is meant"
)]
const fn to_f32(number: f64) -> f32 {
    number as f32
}

floats! {
    f16: "a number of half precision, at most 65504", f16::from_f64, f32::from;
    f32: "a number of single precision", to_f32, f32::from;
    f64: "a number", f64::from, f64::from;
}

impl Element for bool {
    const WANTED: &'static str = "true or false";

    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }
    fn say<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}

impl Element for Bytes {
    const WANTED: &'static str = "a text";

    fn from_text(text: &str) -> Option<Self> {
        Some(Self::copy_from_slice(text.as_bytes()))
    }
    fn is_sayable(&self) -> bool {
        std::str::from_utf8(self).is_ok()
    }
    fn say<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(self) {
            Ok(text) => serializer.serialize_str(text),
            Err(error) => Err(serde::ser::Error::custom(error)),
        }
    }
}

/// Why JSON is not the elements of a tensor.
pub(super) struct NotElements<E> {
    /// How many were read before.
    pub(super) index: usize,
    pub(super) error: E,
}

impl Elements {
    /// Reads elements of `datatype`, and stops as soon as there are more than `most`.
    pub(super) fn read<'de, D: Deserializer<'de>>(
        datatype: Datatype,
        most: usize,
        from: D,
    ) -> Result<Self, NotElements<D::Error>> {
        let mut elements = Self::none(datatype);
        let read = each!(&mut elements, into => {
            into.reserve_exact(most.min(FIRST_ELEMENTS));
            Flat { into, most }.deserialize(from)
        });
        match read {
            Ok(()) => Ok(elements),
            Err(error) => Err(NotElements {
                index: elements.len(),
                error,
            }),
        }
    }

    /// Whether JSON can say all of them: it knows no NaN, no infinity and no bytes that aren't
    /// text.
    pub(super) fn are_sayable(&self) -> bool {
        each!(self, vector => vector.iter().all(Element::is_sayable))
    }
}

/// Reads elements however deeply their arrays are nested.
struct Flat<'v, T> {
    into: &'v mut Vec<T>,
    most: usize,
}

impl<T: Element> Flat<'_, T> {
    fn push<E: Error>(self, element: Option<T>, found: Unexpected<'_>) -> Result<(), E> {
        let Some(element) = element else {
            return Err(E::invalid_value(found, &self));
        };
        if self.into.len() == self.most {
            return Err(E::custom("there are more than its shape says"));
        }
        self.into.push(element);
        Ok(())
    }
}

impl<'de, T: Element> DeserializeSeed<'de> for Flat<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Element> Visitor<'de> for Flat<'_, T> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::WANTED)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.push(T::from_bool(value), Unexpected::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.push(T::from_unsigned(value), Unexpected::Unsigned(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.push(T::from_signed(value), Unexpected::Signed(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.push(T::from_float(value), Unexpected::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.push(T::from_text(value), Unexpected::Str(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        let Self { into, most } = self;
        while let Some(()) = array.next_element_seed(Flat { into, most })? {}
        Ok(())
    }
}

impl Serialize for Elements {
    /// As one flat array.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Said<'e, T>(&'e T);
        impl<T: Element> Serialize for Said<'_, T> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.say(serializer)
            }
        }
        let mut array = serializer.serialize_seq(Some(self.len()))?;
        each!(self, vector => for element in vector {
            array.serialize_element(&Said(element))?;
        });
        array.end()
    }
}
