//! The bytes of a body as they come, without a copy where all come at once.

use bytes::{Bytes, BytesMut};

/// What came so far.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    first: Bytes,
    rest: BytesMut,
    length: usize,
}

impl Gathered {
    /// Takes in the next bytes; `announced` is how long all of it is said to be, already held
    /// against a bound.
    pub(super) fn push(&mut self, data: Bytes, announced: Option<usize>) {
        self.length += data.len();
        if self.first.is_empty() {
            self.first = data;
            return;
        }
        if self.rest.is_empty() {
            let whole = announced.unwrap_or(self.length).max(self.length);
            self.rest.reserve(whole);
            self.rest.extend_from_slice(&self.first);
        }
        self.rest.extend_from_slice(&data);
    }

    /// How many bytes came.
    pub(super) const fn length(&self) -> usize {
        self.length
    }

    /// All of it.
    pub(super) fn whole(self) -> Bytes {
        if self.rest.is_empty() {
            return self.first;
        }
        self.rest.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_at_once_is_not_copied_and_what_comes_in_parts_is_whole() {
        let data = Bytes::from(vec![7; 100]);
        let mut gathered = Gathered::default();
        gathered.push(data.clone(), Some(100));
        assert_eq!(gathered.whole().as_ptr(), data.as_ptr());
        let mut gathered = Gathered::default();
        for part in ["a", "", "bc", "d"] {
            gathered.push(Bytes::from_static(part.as_bytes()), None);
        }
        assert_eq!(gathered.length(), 4);
        assert_eq!(gathered.whole(), "abcd");
    }
}
