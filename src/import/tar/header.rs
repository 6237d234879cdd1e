//! The header of a tar's entry.
//!
//! | bytes | field |
//! | --- | --- |
//! | 0..100 | name |
//! | 124..136 | size: octal digits, or big-endian with the first bit set (GNU) |
//! | 148..156 | checksum: the sum of all bytes, this field counted as spaces |
//! | 156 | kind |
//! | 157..257 | what a link leads to |
//! | 257..263 | `ustar` |
//! | 345..500 | what stands before the name and a slash (ustar) |

/// How long a header is, and what everything is filled up to.
pub(super) const BLOCK: usize = 512;

const SIZE: std::ops::Range<usize> = 124..136;
const CHECKSUM: std::ops::Range<usize> = 148..156;

/// What a header says.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) path: String,
    pub(super) link: String,
    pub(super) kind: u8,
    pub(super) size_bytes: u64,
}

impl Header {
    /// Reads a header; what is wrong with it otherwise.
    pub(super) fn read(block: &[u8; BLOCK]) -> Result<Self, &'static str> {
        let said = octal(&block[CHECKSUM]).ok_or("its checksum is no number")?;
        if said != checksum(block) {
            return Err("its checksum is another");
        }
        let size_bytes = number(&block[SIZE]).ok_or("its size is no number")?;
        let mut path = text(&block[..100]);
        // GNU's own form has times where ustar has a prefix.
        if &block[257..263] == b"ustar\0" {
            let prefix = text(&block[345..500]);
            if !prefix.is_empty() {
                path = format!("{prefix}/{path}");
            }
        }
        Ok(Self {
            path,
            link: text(&block[157..257]),
            kind: block[156],
            size_bytes,
        })
    }
}

/// The sum of a header's bytes.
pub(super) fn checksum(block: &[u8; BLOCK]) -> u64 {
    let byte = |(at, byte): (usize, &u8)| match CHECKSUM.contains(&at) {
        true => u64::from(b' '),
        false => u64::from(*byte),
    };
    block.iter().enumerate().map(byte).sum()
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0);
    String::from_utf8_lossy(&field[..end.unwrap_or(field.len())]).into_owned()
}

fn number(field: &[u8]) -> Option<u64> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 == 0 {
        return octal(field);
    }
    let (high, low) = rest.split_at(rest.len() - 8);
    // Negative, or larger than any file.
    if first & 0x7f != 0 || high.iter().any(|byte| *byte != 0) {
        return None;
    }
    Some(u64::from_be_bytes(low.try_into().ok()?)).filter(|size| *size < 1 << 62)
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?;
    let text = text.trim_matches([' ', '\0']);
    if text.is_empty() {
        return Some(0);
    }
    u64::from_str_radix(text, 8).ok()
}

#[cfg(test)]
mod tests {
    //! Numbers.

    use super::*;

    #[test]
    fn sizes_are_octal_or_binary() {
        assert_eq!(number(b"00000000017\0"), Some(15));
        assert_eq!(number(b"        17 \0"), Some(15));
        let mut large = [0; 12];
        large[0] = 0x80;
        large[4..].copy_from_slice(&(20_u64 << 30).to_be_bytes());
        assert_eq!(number(&large), Some(20 << 30));
        assert_eq!(number(&[0xff; 12]), None);
        assert_eq!(number(b"0000000009\0\0"), None);
    }
}
