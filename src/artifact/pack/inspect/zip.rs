//! What lies in a zip, told by its directory (PKWARE's APPNOTE.TXT, 4.3).
//!
//! An entry's bytes are read to a bound, whether they are stored or deflated.
//!
//! ```text
//! entries | central directory | [zip64 end | its locator] | end of central directory
//! ```

use std::io::{self, Read, Seek, SeekFrom};

use flate2::read::DeflateDecoder;

/// The largest directory that is read: some hundred thousand entries.
const MAX_DIRECTORY_BYTES: u64 = 16 * 1024 * 1024;
/// The end of central directory, with the longest comment behind it.
const MAX_END_BYTES: u64 = 22 + 65_535;

/// One file in a zip.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path there, as it is written: nobody has looked at where it leads.
    pub name: String,
    /// How its bytes lie there.
    method: Method,
    /// How many bytes lie there.
    size_bytes: u64,
    /// How many bytes it has.
    whole_bytes: u64,
    /// Where its local header begins.
    offset: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Stored,
    Deflated,
    /// In another way, or in a place that only an extra field tells: above 4 GiB.
    Other,
}

/// The entries of the zip in `file`.
///
/// # Errors
/// If there is no whole directory within the bound.
pub fn entries(file: &mut (impl Read + Seek)) -> io::Result<Vec<Entry>> {
    let (offset, size_bytes) = directory(file)?;
    if size_bytes > MAX_DIRECTORY_BYTES {
        return Err(io::Error::other("its directory is too long"));
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = vec![0; usize::try_from(size_bytes).unwrap_or(usize::MAX)];
    file.read_exact(&mut bytes)?;
    let mut entries = Vec::new();
    let mut rest = &bytes[..];
    while rest.starts_with(b"PK\x01\x02") {
        let (entry, length) = entry(rest).ok_or_else(broken)?;
        entries.push(entry);
        rest = &rest[length..];
    }
    Ok(entries)
}

/// The bytes of `entry`, if they can be read and are no more than `limit`.
///
/// # Errors
/// If the entry is broken.
pub fn bytes(
    file: &mut (impl Read + Seek),
    entry: &Entry,
    limit: u64,
) -> io::Result<Option<Vec<u8>>> {
    let Some(reader) = reader(file, entry)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    reader.take(limit + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// Reads the bytes of `entry`, if they are stored or deflated.
///
/// # Errors
/// If the entry is broken.
pub fn reader<'a>(
    file: &'a mut (impl Read + Seek),
    entry: &Entry,
) -> io::Result<Option<Box<dyn Read + 'a>>> {
    if entry.method == Method::Other {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(entry.offset))?;
    let mut header = [0; 30];
    file.read_exact(&mut header)?;
    let skipped = short(&header, 26).zip(short(&header, 28));
    let (name, extra) = skipped.ok_or_else(broken)?;
    file.seek(SeekFrom::Current(i64::from(name) + i64::from(extra)))?;
    let raw = file.take(entry.size_bytes);
    Ok(Some(match entry.method {
        Method::Deflated => Box::new(DeflateDecoder::new(raw)),
        _ => Box::new(raw),
    }))
}

impl Entry {
    /// How many bytes it says that it has, once they are read.
    pub const fn whole_bytes(&self) -> u64 {
        self.whole_bytes
    }

    /// Whether it is a folder, which has no bytes.
    pub fn is_folder(&self) -> bool {
        self.name.ends_with('/')
    }
}

fn broken() -> io::Error {
    io::Error::other("its directory is broken")
}

/// Where the central directory begins, and its size.
fn directory(file: &mut (impl Read + Seek)) -> io::Result<(u64, u64)> {
    let length = file.seek(SeekFrom::End(0))?;
    let tail_begin = length.saturating_sub(MAX_END_BYTES);
    file.seek(SeekFrom::Start(tail_begin))?;
    let mut tail = Vec::new();
    file.take(MAX_END_BYTES).read_to_end(&mut tail)?;
    let end = tail.windows(4).rposition(|four| four == b"PK\x05\x06");
    let end = end.ok_or_else(broken)?;
    let size = long(&tail, end + 12).ok_or_else(broken)?;
    let offset = long(&tail, end + 16).ok_or_else(broken)?;
    if offset != u32::MAX && size != u32::MAX {
        return Ok((u64::from(offset), u64::from(size)));
    }
    // Above 4 GiB the places are in another record, which the locator before this one points at.
    let locator = end.checked_sub(20).ok_or_else(broken)?;
    if tail.get(locator..locator + 4) != Some(b"PK\x06\x07") {
        return Err(broken());
    }
    let record = quad(&tail, locator + 8).ok_or_else(broken)?;
    file.seek(SeekFrom::Start(record))?;
    let mut zip64 = [0; 56];
    file.read_exact(&mut zip64)?;
    let size = quad(&zip64, 40).ok_or_else(broken)?;
    let offset = quad(&zip64, 48).ok_or_else(broken)?;
    Ok((offset, size))
}

/// The entry at the beginning of `bytes`, and the length of its header.
fn entry(bytes: &[u8]) -> Option<(Entry, usize)> {
    let name_length = usize::from(short(bytes, 28)?);
    let extra_length = usize::from(short(bytes, 30)?);
    let length = 46 + name_length + extra_length + usize::from(short(bytes, 32)?);
    let name = bytes.get(46..46 + name_length)?;
    bytes.get(..length)?;
    let offset = long(bytes, 42)?;
    let size = long(bytes, 20)?;
    let whole = long(bytes, 24)?;
    let method = match short(bytes, 10)? {
        _ if offset == u32::MAX || size == u32::MAX => Method::Other,
        0 => Method::Stored,
        8 => Method::Deflated,
        _ => Method::Other,
    };
    let entry = Entry {
        name: String::from_utf8_lossy(name).into_owned(),
        method,
        size_bytes: u64::from(size),
        whole_bytes: u64::from(whole),
        offset: u64::from(offset),
    };
    Some((entry, length))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at + 2)?;
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

fn quad(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + 8)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
pub(super) mod writing {
    //! Small zips of stored entries, for tests.

    pub(in super::super) fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut bytes, mut directory) = (Vec::new(), Vec::new());
        for (name, content) in entries {
            let sizes = [(content.len() as u32).to_le_bytes(); 2].concat();
            let name_length = (name.len() as u16).to_le_bytes();
            let offset = (bytes.len() as u32).to_le_bytes();
            bytes.extend([&b"PK\x03\x04"[..], &[0; 14], &sizes, &name_length, &[0; 2]].concat());
            bytes.extend([name.as_bytes(), content].concat());
            directory.extend([&b"PK\x01\x02"[..], &[0; 16], &sizes, &name_length].concat());
            directory.extend([&[0; 12][..], &offset, name.as_bytes()].concat());
        }
        let places = [directory.len() as u32, bytes.len() as u32].map(u32::to_le_bytes);
        bytes.extend(directory);
        bytes.extend([&b"PK\x05\x06"[..], &[0; 8], &places.concat(), &[0; 2]].concat());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn the_directory_names_the_entries() {
        let zip = writing::zip(&[("a/data.pkl", b"x"), ("a/version", b"3\n")]);
        let mut file = Cursor::new(zip);
        let entries = entries(&mut file).unwrap();
        let names: Vec<_> = entries.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["a/data.pkl", "a/version"]);
        let content = bytes(&mut file, &entries[1], 10).unwrap();
        assert_eq!(content.as_deref(), Some(&b"3\n"[..]));
        assert_eq!(bytes(&mut file, &entries[1], 1).unwrap(), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(garbage: Vec<u8>, at in 0..300_usize, byte: u8) {
            let _ = entries(&mut Cursor::new(garbage));
            let mut zip = writing::zip(&[("a/data.pkl", b"x"), ("a/version", b"3\n")]);
            let length = zip.len();
            zip[at % length] = byte;
            let mut file = Cursor::new(zip);
            for entry in entries(&mut file).unwrap_or_default() {
                let _ = bytes(&mut file, &entry, 100);
            }
        }
    }
}
