//! Places in a text.

/// A range of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Offset of the first byte, from the beginning of the file, a BOM counted.
    pub start: usize,
    /// Offset behind the last byte.
    pub end: usize,
}

/// A place as people count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

/// What some editors put before a text in UTF-8.
pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";

impl Span {
    /// From `start` up to `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The bytes it covers in `source`, none of those that lie outside.
    pub fn of<'a>(&self, source: &'a [u8]) -> &'a [u8] {
        let end = self.end.min(source.len());
        &source[self.start.min(end)..end]
    }

    /// From the beginning of the one to the end of the other.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self::new(self.start.min(other.start), self.end.max(other.end))
    }
}

impl Position {
    /// Where byte `offset` of `source` is; lines end with LF, CRLF or CR, and a BOM has no column.
    pub fn of(source: &[u8], offset: usize) -> Self {
        let start = line_start(source, offset);
        let before = &source[..start];
        let line = before
            .iter()
            .enumerate()
            .filter(|&(index, &byte)| {
                byte == b'\n' || (byte == b'\r' && before.get(index + 1) != Some(&b'\n'))
            })
            .count();
        let mut text = &source[start..offset.min(source.len())];
        if start == 0 {
            text = text.strip_prefix(BOM).unwrap_or(text);
        }
        // Every byte that does not go on with a character begins one.
        let column = text.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
        Self {
            line: line + 1,
            column: column + 1,
        }
    }
}

/// The offset of the first byte of the line in which `offset` is.
pub(crate) fn line_start(source: &[u8], offset: usize) -> usize {
    let offset = offset.min(source.len());
    source[..offset]
        .iter()
        .enumerate()
        .rposition(|(index, &byte)| {
            byte == b'\n' || (byte == b'\r' && source.get(index + 1) != Some(&b'\n'))
        })
        .map_or(0, |end| end + 1)
}

/// The offset behind the last byte of the line in which `offset` is, its line break left out.
pub(crate) fn line_end(source: &[u8], offset: usize) -> usize {
    let offset = offset.min(source.len());
    source[offset..]
        .iter()
        .position(|&byte| byte == b'\n' || byte == b'\r')
        .map_or(source.len(), |length| offset + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_counted_as_people_do() {
        let source = "\u{feff}é: 1\r\nb: ü x\rc: 3\n\nd".as_bytes();
        let at = |text: &str| {
            let offset = source
                .windows(text.len())
                .position(|window| window == text.as_bytes())
                .unwrap();
            let Position { line, column } = Position::of(source, offset);
            (line, column)
        };
        assert_eq!(at("é"), (1, 1));
        assert_eq!(at("1"), (1, 4));
        assert_eq!(at("b"), (2, 1));
        assert_eq!(at("x"), (2, 6));
        assert_eq!(at("3"), (3, 4));
        assert_eq!(at("d"), (5, 1));
        assert_eq!(
            Position::of(source, source.len() + 9),
            Position { line: 5, column: 2 }
        );
        assert_eq!(Position::of(b"", 0), Position { line: 1, column: 1 });
    }
}
