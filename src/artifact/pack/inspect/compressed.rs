//! What lies in a file that is compressed as a whole, as joblib's and R's are.

use std::io::{self, Read, Seek};

use flate2::read::{MultiGzDecoder, ZlibDecoder};

use super::stream::{Running, Stream};

/// The most bytes of what comes out that are read.
const MAX_INFLATED_BYTES: u64 = 512 * 1024 * 1024;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Zlib,
    Gzip,
    Bzip2,
    Xz,
    Lzma,
    Lz4,
}

/// What is being inflated.
pub(super) type Inflating<'a> = Stream<Running<Box<dyn Read + 'a>>>;

impl Compression {
    /// What the first bytes of a file say.
    pub(super) fn tell(head: &[u8]) -> Option<Self> {
        Some(match head {
            [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => Self::Zlib,
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [0x5d, 0, 0, ..] => Self::Lzma,
            [0x04, 0x22, 0x4d, 0x18, ..] => Self::Lz4,
            _ => return None,
        })
    }

    /// What people call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Zlib => "zlib",
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Lzma => "lzma",
            Self::Lz4 => "LZ4",
        }
    }

    /// What comes out of `file`; nothing of a compression that isn't looked into.
    ///
    /// # Errors
    /// If the file can't be read from its beginning.
    pub(super) fn inflate<'a>(
        self,
        file: &'a mut (impl Read + Seek),
    ) -> io::Result<Option<Inflating<'a>>> {
        file.rewind()?;
        let inflating: Box<dyn Read + 'a> = match self {
            Self::Zlib => Box::new(ZlibDecoder::new(file)),
            Self::Gzip => Box::new(MultiGzDecoder::new(file)),
            Self::Bzip2 | Self::Xz | Self::Lzma | Self::Lz4 => return Ok(None),
        };
        Ok(Some(Stream::running(inflating, MAX_INFLATED_BYTES)))
    }
}
