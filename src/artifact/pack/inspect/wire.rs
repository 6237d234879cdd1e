//! Protocol Buffers' wire format, read in passing.
//!
//! ```text
//! field   = tag value            tag = varint of (number << 3 | type)
//! type 0  = varint               type 1 = 8 bytes
//! type 2  = varint length, that many bytes: text, bytes, a message, packed numbers
//! type 5  = 4 bytes
//! ```
//!
//! Nothing is held but what is asked for, up to the bound that is given; the rest is skipped by
//! seeking, so that a model of 2 GB is read in milliseconds.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// How much is read ahead: a graph's nodes are many and small.
const BUFFER_BYTES: usize = 64 * 1024;

/// Why a file is not what it seemed to be.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    /// The operating system said no.
    #[error("it can't be read: {0}")]
    Io(#[from] io::Error),
    /// Bytes that mean nothing, or a length beyond the end.
    #[error("{what} was expected at byte {at}: it is damaged, or something else")]
    Malformed {
        /// Where, from the beginning of the file.
        at: u64,
        /// What was expected.
        what: &'static str,
    },
    /// More than is ever held.
    #[error("{what} at byte {at} is larger than the {limit} that are read")]
    TooLarge {
        /// Where, from the beginning of the file.
        at: u64,
        /// What it is.
        what: &'static str,
        /// The bound.
        limit: u64,
    },
}

/// Whether one more can be held where `count` are.
///
/// # Errors
/// [`WireError::TooLarge`] if `limit` are held already.
pub(super) fn bounded(
    count: usize,
    limit: usize,
    what: &'static str,
    at: u64,
) -> Result<(), WireError> {
    if count < limit {
        return Ok(());
    }
    let limit = limit as u64;
    Err(WireError::TooLarge { at, what, limit })
}

/// A file that is read field by field.
pub(super) struct Wire<R> {
    reader: BufReader<R>,
    position: u64,
    end: u64,
}

/// One field's number and value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) number: u32,
    pub(super) value: Value,
}

/// A field's value, or how many bytes follow: they have to be read or skipped before the next
/// field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    Number(u64),
    Fixed,
    Length(u64),
}

impl<R: Read + Seek> Wire<R> {
    /// Begins at the beginning of `file`.
    pub(super) fn new(mut file: R) -> Result<Self, WireError> {
        let end = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        Ok(Self {
            reader: BufReader::with_capacity(BUFFER_BYTES, file),
            position: 0,
            end,
        })
    }

    /// Begins again.
    pub(super) fn rewind(&mut self) -> Result<(), WireError> {
        self.reader.rewind()?;
        self.position = 0;
        Ok(())
    }

    /// Where the file ends.
    pub(super) fn file_end(&self) -> u64 {
        self.end
    }

    /// Where a message of `length` bytes that begins here ends.
    pub(super) fn end_of(&self, length: u64) -> u64 {
        self.position + length
    }

    /// The next field of the message that ends at `end`, if there is one more.
    pub(super) fn field(&mut self, end: u64) -> Result<Option<Field>, WireError> {
        if self.position == end {
            return Ok(None);
        }
        let at = self.position;
        let malformed = |what| WireError::Malformed { at, what };
        let tag = self.varint(end)?;
        let number = u32::try_from(tag >> 3).map_err(|_| malformed("a field's number"))?;
        if number == 0 {
            return Err(malformed("a field's number"));
        }
        let value = match tag & 7 {
            0 => Value::Number(self.varint(end)?),
            1 => self.fixed(8, end)?,
            2 => {
                let length = self.varint(end)?;
                if length > end - self.position {
                    return Err(malformed("a field that ends within its message"));
                }
                Value::Length(length)
            }
            5 => self.fixed(4, end)?,
            _ => return Err(malformed("a field's type")),
        };
        Ok(Some(Field { number, value }))
    }

    /// Passes over what `value` announces.
    pub(super) fn skip(&mut self, value: Value) -> Result<(), WireError> {
        if let Value::Length(length) = value {
            let distance = i64::try_from(length).map_err(|_| WireError::Malformed {
                at: self.position,
                what: "a length",
            })?;
            self.reader.seek_relative(distance)?;
            self.position += length;
        }
        Ok(())
    }

    /// The text that `value` announces, at most `limit` bytes of UTF-8.
    pub(super) fn text(
        &mut self,
        value: Value,
        what: &'static str,
        limit: u64,
    ) -> Result<String, WireError> {
        let at = self.position;
        let Value::Length(length) = value else {
            return Err(WireError::Malformed { at, what });
        };
        if length > limit {
            return Err(WireError::TooLarge { at, what, limit });
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        self.reader.read_exact(&mut bytes)?;
        self.position += length;
        String::from_utf8(bytes).map_err(|_| WireError::Malformed { at, what })
    }

    /// Calls `each` for every number that `value` is or announces: one, or packed ones.
    pub(super) fn numbers(
        &mut self,
        value: Value,
        mut each: impl FnMut(u64),
    ) -> Result<(), WireError> {
        match value {
            Value::Number(number) => each(number),
            Value::Length(length) => {
                let end = self.end_of(length);
                while self.position < end {
                    each(self.varint(end)?);
                }
            }
            Value::Fixed => {}
        }
        Ok(())
    }

    fn fixed(&mut self, length: u64, end: u64) -> Result<Value, WireError> {
        if length > end - self.position {
            return Err(WireError::Malformed {
                at: self.position,
                what: "a number of fixed size",
            });
        }
        self.skip(Value::Length(length))?;
        Ok(Value::Fixed)
    }

    fn varint(&mut self, end: u64) -> Result<u64, WireError> {
        let at = self.position;
        let mut number = 0;
        // Ten groups of seven bits hold 64.
        for shift in (0..70).step_by(7) {
            if self.position >= end {
                break;
            }
            let mut byte = [0];
            self.reader.read_exact(&mut byte)?;
            self.position += 1;
            number |= u64::from(byte[0] & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte[0] & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(WireError::Malformed {
            at,
            what: "a number",
        })
    }
}

#[cfg(test)]
pub(super) mod writing {
    //! The other way round, for tests.

    pub(in super::super) fn varint(mut number: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while number > 0x7f {
            bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
        bytes
    }

    pub(in super::super) fn number(field: u64, number: u64) -> Vec<u8> {
        [varint(field << 3), varint(number)].concat()
    }

    pub(in super::super) fn bytes(field: u64, bytes: impl AsRef<[u8]>) -> Vec<u8> {
        let bytes = bytes.as_ref();
        [
            varint(field << 3 | 2),
            varint(bytes.len() as u64),
            bytes.to_vec(),
        ]
        .concat()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn wire(bytes: &[u8]) -> Wire<Cursor<&[u8]>> {
        Wire::new(Cursor::new(bytes)).unwrap()
    }

    #[test]
    fn fields_come_in_order_and_lengths_can_be_skipped() {
        let bytes = [
            writing::number(1, 300),
            writing::bytes(2, "text"),
            writing::bytes(3, [0; 1000]),
            writing::number(4, 7),
        ]
        .concat();
        let mut wire = wire(&bytes);
        let end = wire.file_end();
        let mut numbers = Vec::new();
        while let Some(field) = wire.field(end).unwrap() {
            match field.number {
                2 => assert_eq!(wire.text(field.value, "a text", 10).unwrap(), "text"),
                _ => wire.skip(field.value).unwrap(),
            }
            numbers.push(field.number);
        }
        assert_eq!(numbers, [1, 2, 3, 4]);
    }

    #[test]
    fn a_length_is_never_believed() {
        let beyond = [writing::varint(2 << 3 | 2), writing::varint(u64::MAX)].concat();
        let cut = vec![0x80; 11];
        let empty_tag = vec![0];
        let group = writing::varint(1 << 3 | 3);
        for bytes in [beyond, cut, empty_tag, group] {
            let mut wire = wire(&bytes);
            let end = wire.file_end();
            let error = wire.field(end).unwrap_err();
            assert!(matches!(error, WireError::Malformed { .. }), "{error}");
        }
        let long = writing::bytes(1, [b'x'; 100]);
        let mut wire = wire(&long);
        let end = wire.file_end();
        let field = wire.field(end).unwrap().unwrap();
        let error = wire.text(field.value, "a name", 99).unwrap_err();
        assert!(
            matches!(error, WireError::TooLarge { limit: 99, .. }),
            "{error}"
        );
    }
}
