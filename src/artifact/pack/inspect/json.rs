//! JSON of which little is asked for and none is trusted.
//!
//! serde's readers hold each text whole, however long; here one that is longer than any name or
//! setting ends the reading, so that what is held stays small whatever the file's size.

use std::io::{self, BufReader, Read};

use serde::de::DeserializeOwned;

/// The longest text in JSON that is read.
const MAX_TEXT_BYTES: usize = 1024 * 1024;

/// The first value in `reader`, of which at most `limit` bytes are read.
///
/// # Errors
/// If it is no such JSON.
pub(super) fn first<T: DeserializeOwned>(reader: impl Read, limit: u64) -> io::Result<T> {
    let reader = ShortTexts {
        reader: reader.take(limit),
        place: Place::Between,
    };
    let values = serde_json::Deserializer::from_reader(BufReader::new(reader));
    match values.into_iter::<T>().next() {
        Some(value) => Ok(value?),
        None => Err(io::Error::other("it is empty")),
    }
}

struct ShortTexts<R> {
    reader: R,
    place: Place,
}

/// Where in the JSON the reader is.
#[derive(Clone, Copy)]
enum Place {
    Between,
    /// In a text, so many bytes from its begin.
    Within(usize),
    /// Behind a backslash.
    Escaped(usize),
}

impl<R: Read> Read for ShortTexts<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(into)?;
        for byte in &into[..count] {
            self.place = match (self.place, byte) {
                (Place::Between, b'"') => Place::Within(0),
                (Place::Between, _) | (Place::Within(_), b'"') => Place::Between,
                (Place::Within(length), b'\\') => Place::Escaped(length + 1),
                (Place::Within(length) | Place::Escaped(length), _) => Place::Within(length + 1),
            };
            if matches!(self.place, Place::Within(length) if length > MAX_TEXT_BYTES) {
                return Err(io::Error::other("a text in it is too long"));
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_first_value_is_read_and_what_follows_is_not() {
        let value: Value = first(&b" {\"a\\\"\": 1} and then \0 bytes"[..], 100).unwrap();
        assert_eq!(value, json!({"a\"": 1}));
        assert!(first::<Value>(&b""[..], 100).is_err());
        assert!(first::<Value>(&b"{\"a\": 1}"[..], 4).is_err());
    }

    #[test]
    fn a_text_without_end_is_not_held() {
        let endless = (&b"{\"a\": \""[..]).chain(io::repeat(b'x'));
        let error = first::<Value>(endless, u64::MAX).unwrap_err();
        assert!(error.to_string().contains("too long"), "{error}");
    }
}
