//! Tar archives, read as they come: what the layers of images and of ModelKits are.
//!
//! ```text
//! header 512 bytes │ content │ zeros up to 512 │ header … │ two blocks of zeros
//! ```
//!
//! The forms are those that GNU tar, Go, Python, Docker and podman write: ustar, GNU's long names,
//! and pax records in front of an entry. Whatever an archive says of lengths is bounded before it
//! is believed: it may come from a stranger, and may have been a few bytes before it was
//! decompressed. A sparse file is refused: it claims content that isn't there.
//!
//! Source: POSIX.1-2017, "pax Interchange Format"; GNU tar's manual, "Basic Tar Format".

mod header;
#[cfg(test)]
pub(super) mod writing;

use std::io::{self, Read};

use header::{BLOCK, Header};

/// The longest name or pax record: thirty times what any system opens.
const MAX_NAME_BYTES: u64 = 128 << 10;

/// The most bytes of pax records in front of an entry; extended attributes are among them.
const MAX_PAX_BYTES: u64 = 1 << 20;

/// The most entries: several times what the largest images have.
const MAX_ENTRIES: u64 = 2_000_000;

/// What a tar is read from.
pub(super) trait Input: Read {
    /// Passes over so many bytes, or as many as there are; gives how many.
    ///
    /// # Errors
    /// The operating system's.
    fn pass(&mut self, bytes: u64) -> io::Result<u64>
    where
        Self: Sized,
    {
        io::copy(&mut self.take(bytes), &mut io::sink())
    }
}

impl Input for &[u8] {}

/// A tar that is read from its beginning to its end.
pub(super) struct Tar<R> {
    input: R,
    /// What is left of the current entry's content, and of the zeros behind it.
    content: u64,
    padding: u64,
    /// Where the next byte of `input` is.
    position: u64,
    entries: u64,
}

/// One entry of a tar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its name, as it is written there; what is no UTF-8 has U+FFFD in its place.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// How many bytes of content it has.
    pub size_bytes: u64,
    /// Where its content begins in the tar.
    pub position: u64,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// Another name of a file that came before, by that one's name.
    HardLink(String),
    /// A symbolic link, and what it says.
    SymbolicLink(String),
    /// A device, a pipe or a socket.
    Special,
}

/// Why a tar can't be read on.
#[derive(Debug, thiserror::Error)]
pub(super) enum TarError {
    /// It can't be read or decompressed, or ends in the middle of something.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// What stands where a header should.
    #[error("at byte {position} there is no entry of a tar: {reason}")]
    Header {
        /// Where.
        position: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// More entries than are read.
    #[error("it has more than {MAX_ENTRIES} entries")]
    Entries,
}

/// What extensions said of the entry that they stand before.
#[derive(Debug, Default)]
struct Said {
    path: Option<String>,
    link: Option<String>,
    size_bytes: Option<u64>,
}

impl<R: Input> Tar<R> {
    /// The tar that begins with the next byte of `input`.
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            content: 0,
            padding: 0,
            position: 0,
            entries: 0,
        }
    }

    /// The next entry, whose content can then be read from this; `None` at the end.
    ///
    /// # Errors
    /// [`TarError`] if it isn't one.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, TarError> {
        let mut said = Said::default();
        loop {
            self.skip()?;
            let position = self.position;
            let refused = |reason| TarError::Header { position, reason };
            let Some(block) = self.block()? else {
                return Ok(None);
            };
            let header = Header::read(&block).map_err(refused)?;
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(TarError::Entries);
            }
            match header.kind {
                b'L' => said.path = Some(self.name(header.size_bytes, refused)?),
                b'K' => said.link = Some(self.name(header.size_bytes, refused)?),
                b'x' => {
                    let records = self.extension(header.size_bytes, MAX_PAX_BYTES, refused)?;
                    said.hear(&records).map_err(refused)?;
                }
                // What holds for all entries: nothing that matters here is said there.
                b'g' => self.expect(header.size_bytes),
                b'S' => return Err(refused("a sparse file")),
                _ => return self.entry(header, said).map(Some),
            }
        }
    }

    fn entry(&mut self, header: Header, said: Said) -> Result<Entry, TarError> {
        let path = said.path.unwrap_or(header.path);
        let link = said.link.unwrap_or(header.link);
        let kind = match header.kind {
            // Before POSIX a folder was a file whose name ends with a slash.
            0 | b'0' if path.ends_with('/') => Kind::Folder,
            0 | b'0' | b'7' => Kind::File,
            b'1' => Kind::HardLink(link),
            b'2' => Kind::SymbolicLink(link),
            b'5' => Kind::Folder,
            _ => Kind::Special,
        };
        let size_bytes = match kind {
            // A link may repeat the size of what it leads to, and has no content.
            Kind::HardLink(_) | Kind::SymbolicLink(_) => 0,
            _ => said.size_bytes.unwrap_or(header.size_bytes),
        };
        self.expect(size_bytes);
        Ok(Entry {
            path,
            kind,
            size_bytes,
            position: self.position,
        })
    }

    fn expect(&mut self, size_bytes: u64) {
        self.content = size_bytes;
        self.padding = (BLOCK as u64 - size_bytes % BLOCK as u64) % BLOCK as u64;
    }

    /// Reads what is left of the current entry.
    fn skip(&mut self) -> io::Result<()> {
        let left = self.content.saturating_add(self.padding);
        let skipped = self.input.pass(left)?;
        self.position += skipped;
        if skipped < self.content {
            return Err(cut_off());
        }
        (self.content, self.padding) = (0, 0);
        Ok(())
    }

    /// The next block; `None` at the end, which is a block of zeros, or nothing more.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, TarError> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.input.read(&mut block[filled..])? {
                0 if filled == 0 => return Ok(None),
                0 => return Err(cut_off().into()),
                length => filled += length,
            }
        }
        self.position += BLOCK as u64;
        Ok((block != [0; BLOCK]).then_some(block))
    }

    fn name(
        &mut self,
        size_bytes: u64,
        refused: impl Fn(&'static str) -> TarError,
    ) -> Result<String, TarError> {
        let bytes = self.extension(size_bytes, MAX_NAME_BYTES, refused)?;
        let end = bytes.iter().position(|byte| *byte == 0);
        Ok(String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned())
    }

    fn extension(
        &mut self,
        size_bytes: u64,
        limit_bytes: u64,
        refused: impl Fn(&'static str) -> TarError,
    ) -> Result<Vec<u8>, TarError> {
        if size_bytes > limit_bytes {
            return Err(refused("what is said of it is too long"));
        }
        self.expect(size_bytes);
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl<R: Input> Read for Tar<R> {
    /// Reads from the current entry's content.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer
            .len()
            .min(usize::try_from(self.content).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let length = self.input.read(&mut buffer[..wanted])?;
        if length == 0 {
            return Err(cut_off());
        }
        self.content -= length as u64;
        self.position += length as u64;
        Ok(length)
    }
}

fn cut_off() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "it ends in the middle of a file",
    )
}

impl Said {
    /// Hears pax records: `<length> <name>=<value>\n`, each with its own length in front.
    fn hear(&mut self, records: &[u8]) -> Result<(), &'static str> {
        const REASON: &str = "its pax records are none";
        let mut rest = records;
        while !rest.is_empty() {
            let space = rest.iter().position(|byte| *byte == b' ').ok_or(REASON)?;
            let length = std::str::from_utf8(&rest[..space]).map_err(|_| REASON)?;
            let length: usize = length.parse().map_err(|_| REASON)?;
            if length <= space + 1 || length > rest.len() || rest[length - 1] != b'\n' {
                return Err(REASON);
            }
            let record = &rest[space + 1..length - 1];
            rest = &rest[length..];
            let equals = record.iter().position(|byte| *byte == b'=').ok_or(REASON)?;
            let value = &record[equals + 1..];
            let text = || String::from_utf8_lossy(value).into_owned();
            match &record[..equals] {
                b"path" => self.path = Some(text()),
                b"linkpath" => self.link = Some(text()),
                b"size" => self.size_bytes = Some(text().parse().map_err(|_| REASON)?),
                name if name.starts_with(b"GNU.sparse.") => return Err("a sparse file"),
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    //! What is read of what others write, and of what nobody should.

    use super::writing::Writing;
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<(Entry, Vec<u8>)>, String> {
        let mut tar = Tar::new(bytes);
        let mut read = Vec::new();
        while let Some(entry) = tar.next().map_err(|error| error.to_string())? {
            let mut content = Vec::new();
            tar.read_to_end(&mut content)
                .map_err(|error| error.to_string())?;
            read.push((entry, content));
        }
        Ok(read)
    }

    fn paths(bytes: &[u8]) -> Vec<String> {
        let read = read(bytes).unwrap();
        read.into_iter().map(|(entry, _)| entry.path).collect()
    }

    #[test]
    fn entries_have_names_kinds_and_content() {
        let tar = Writing::new()
            .folder("models/")
            .file("models/a.onnx", b"weights")
            .hard_link("models/b.onnx", "models/a.onnx")
            .symbolic_link("models/c.onnx", "a.onnx")
            .file("empty", b"")
            .end();
        let read = read(&tar).unwrap();
        let told: Vec<_> = read
            .iter()
            .map(|(entry, content)| (entry.path.as_str(), &entry.kind, content.as_slice()))
            .collect();
        assert_eq!(
            told,
            [
                ("models/", &Kind::Folder, &b""[..]),
                ("models/a.onnx", &Kind::File, b"weights"),
                (
                    "models/b.onnx",
                    &Kind::HardLink("models/a.onnx".to_owned()),
                    b""
                ),
                (
                    "models/c.onnx",
                    &Kind::SymbolicLink("a.onnx".to_owned()),
                    b""
                ),
                ("empty", &Kind::File, b""),
            ]
        );
        let (first, _) = &read[1];
        let at = usize::try_from(first.position).unwrap();
        assert_eq!(&tar[at..at + 7], b"weights");
    }

    #[test]
    fn long_names_are_whole_whoever_writes_them() {
        let long = format!("models/{}/model.onnx", "a".repeat(200));
        let tar = Writing::new()
            .long_name(&long)
            .file("models/aaaa", b"1")
            .pax(&[("path", &long), ("mtime", "1.5")])
            .file("models/aaaa", b"2")
            .file("short", b"3")
            .end();
        assert_eq!(paths(&tar), [long.as_str(), long.as_str(), "short"]);
    }

    #[test]
    fn a_size_in_pax_records_is_the_one_that_holds() {
        let tar = Writing::new()
            .pax(&[("size", "3")])
            .sized("a", 0, b"abc")
            .file("b", b"")
            .end();
        let read = read(&tar).unwrap();
        assert_eq!(read[0].1, b"abc");
        assert_eq!(read[1].0.path, "b");
    }

    #[test]
    fn what_is_cut_off_or_none_is_told() {
        let tar = Writing::new().file("a", &[7; 1000]).end();
        for end in [1, 511, 513, 1000] {
            let refused = read(&tar[..end]).unwrap_err();
            assert!(refused.contains("ends in the middle"), "{end}: {refused}");
        }
        insta::assert_snapshot!(read(&[b'x'; 600]).unwrap_err(), @"at byte 0 there is no entry of a tar: its checksum is no number");
        let sparse = Writing::new()
            .pax(&[("GNU.sparse.major", "1")])
            .file("a", b"")
            .end();
        insta::assert_snapshot!(read(&sparse).unwrap_err(), @"at byte 0 there is no entry of a tar: a sparse file");
        let endless = Writing::new()
            .sized("././@LongLink", 1 << 40, b"")
            .kind(b'L')
            .end();
        insta::assert_snapshot!(read(&endless).unwrap_err(), @"at byte 0 there is no entry of a tar: what is said of it is too long");
        for records in [&b"3 a"[..], b"x a=b\n", b"99 a=b\n", b"6 a=bc", b"4 a\n"] {
            let mut said = Said::default();
            assert!(said.hear(records).is_err(), "{records:?}");
        }
    }
}
