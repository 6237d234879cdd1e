//! Tars for tests, entry by entry.

use super::header::{BLOCK, checksum};

/// A tar that grows.
#[derive(Debug, Default)]
pub(in crate::import) struct Writing {
    bytes: Vec<u8>,
    /// Where the last header begins.
    last: usize,
}

impl Writing {
    pub(in crate::import) fn new() -> Self {
        Self::default()
    }

    pub(in crate::import) fn file(self, path: &str, content: &[u8]) -> Self {
        self.entry(path, b'0', "", content.len() as u64, content)
    }

    /// A file that says it has `size_bytes`, and has `content`.
    pub(in crate::import) fn sized(self, path: &str, size_bytes: u64, content: &[u8]) -> Self {
        self.entry(path, b'0', "", size_bytes, content)
    }

    pub(in crate::import) fn folder(self, path: &str) -> Self {
        self.entry(path, b'5', "", 0, b"")
    }

    pub(in crate::import) fn hard_link(self, path: &str, to: &str) -> Self {
        self.entry(path, b'1', to, 0, b"")
    }

    pub(in crate::import) fn symbolic_link(self, path: &str, to: &str) -> Self {
        self.entry(path, b'2', to, 0, b"")
    }

    pub(in crate::import) fn device(self, path: &str) -> Self {
        self.entry(path, b'3', "", 0, b"")
    }

    /// GNU's way to give the next entry a long name.
    pub(in crate::import) fn long_name(self, path: &str) -> Self {
        let name = format!("{path}\0");
        let size = name.len() as u64;
        self.entry("././@LongLink", b'L', "", size, name.as_bytes())
    }

    /// What pax says of the next entry.
    pub(in crate::import) fn pax(self, records: &[(&str, &str)]) -> Self {
        let mut text = String::new();
        for (name, value) in records {
            let rest = format!(" {name}={value}\n");
            let mut length = rest.len() + 1;
            while length.to_string().len() + rest.len() != length {
                length += 1;
            }
            text += &format!("{length}{rest}");
        }
        self.entry("PaxHeaders/x", b'x', "", text.len() as u64, text.as_bytes())
    }

    /// Makes the last entry one of another kind.
    pub(in crate::import) fn kind(mut self, kind: u8) -> Self {
        self.bytes[self.last + 156] = kind;
        self.sum();
        self
    }

    /// The whole tar.
    pub(in crate::import) fn end(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(&[0; 2 * BLOCK]);
        self.bytes
    }

    fn entry(mut self, path: &str, kind: u8, link: &str, size_bytes: u64, content: &[u8]) -> Self {
        let mut block = [0; BLOCK];
        block[..path.len()].copy_from_slice(path.as_bytes());
        block[100..107].copy_from_slice(b"0000644");
        let size = format!("{size_bytes:011o}");
        // Larger than eight octal digits can say.
        if size.len() > 11 {
            block[124] = 0x80;
            block[128..136].copy_from_slice(&size_bytes.to_be_bytes());
        } else {
            block[124..135].copy_from_slice(size.as_bytes());
        }
        block[156] = kind;
        block[157..157 + link.len()].copy_from_slice(link.as_bytes());
        block[257..265].copy_from_slice(b"ustar\x0000");
        self.last = self.bytes.len();
        self.bytes.extend_from_slice(&block);
        self.sum();
        self.bytes.extend_from_slice(content);
        let filled = self.bytes.len().next_multiple_of(BLOCK);
        self.bytes.resize(filled, 0);
        self
    }

    fn sum(&mut self) {
        let block = &mut self.bytes[self.last..self.last + BLOCK];
        let block: &mut [u8; BLOCK] = block.try_into().unwrap();
        let sum = format!("{:06o}\0 ", checksum(block));
        block[148..156].copy_from_slice(sum.as_bytes());
    }
}
