//! R's `.rds`: one object as `saveRDS` writes it (R Internals, "Serialization Formats").
//!
//! ```text
//! "X\n" | i32 format | i32 R that wrote it | i32 oldest R that reads it     (big-endian)
//! [format 3: i32 length, the encoding of texts] | the object
//! "A\n" before the same in lines of text
//! ```
//!
//! The object is not read. It can hold functions and promises, which R runs when they are used.

use std::io::{self, Read, Seek};

use super::compressed::Compression;
use super::stream::{Forward, Stream};
use super::told::{Told, named};

/// How much of a file is read.
const MAX_HEAD_BYTES: u64 = 4096;
/// The longest number in a line.
const MAX_LINE_BYTES: usize = 32;

/// What the file says of itself, if it is one.
///
/// # Errors
/// If it can't be read.
pub(super) fn tell(mut file: impl Read + Seek) -> io::Result<Option<Told>> {
    let mut head = Vec::new();
    file.rewind()?;
    (&mut file).take(8).read_to_end(&mut head)?;
    let told = match Compression::tell(&head) {
        None => head_of(&mut Stream::lying(file, 0, MAX_HEAD_BYTES)?),
        Some(compression) => match compression.inflate(&mut file)? {
            Some(mut stream) => head_of(&mut stream),
            None => return Ok(None),
        },
    };
    // What ends too early or can't be inflated is something else.
    Ok(told.unwrap_or_default())
}

fn head_of<S: Forward>(stream: &mut Stream<S>) -> io::Result<Option<Told>> {
    let mut mark = stream.array::<2>()?;
    // `save` writes several objects, with names, behind a line of its own.
    let several = mark == *b"RD";
    if several {
        if !matches!(&stream.array::<3>()?, [b'X' | b'A', b'2' | b'3', b'\n']) {
            return Ok(None);
        }
        mark = stream.array()?;
    }
    let mut number = || -> io::Result<Option<u32>> {
        match &mark {
            b"X\n" => Ok(Some(u32::from_be_bytes(stream.array()?))),
            b"A\n" => {
                let line = stream.line(MAX_LINE_BYTES)?;
                let text = line.and_then(super::stream::Line::into_text);
                Ok(text.and_then(|text| text.parse().ok()))
            }
            _ => Ok(None),
        }
    };
    let (Some(format @ 2..=3), Some(writer), Some(_)) = (number()?, number()?, number()?) else {
        return Ok(None);
    };
    let mut told = named(if several { "rdata" } else { "rds" });
    told.version = Some(format.to_string());
    told.code.push(told.format);
    let version = format!("{}.{}.{}", writer >> 16, writer >> 8 & 0xff, writer & 0xff);
    told.framework = Some(("r".to_owned(), Some(version)));
    Ok(Some(told))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn the_head_tells_who_wrote_it() {
        let binary = b"X\n\0\0\0\x03\0\x04\x03\x01\0\x03\x05\0\0\0\0\x05UTF-8";
        let mut zipped = GzEncoder::new(Vec::new(), Compression::fast());
        zipped.write_all(binary).unwrap();
        let several = [b"RDX3\n", &binary[..]].concat();
        for (bytes, format) in [
            (binary.to_vec(), "rds"),
            (zipped.finish().unwrap(), "rds"),
            (b"A\n3\n262913\n197888\n5\nUTF-8\n".to_vec(), "rds"),
            (several, "rdata"),
        ] {
            let told = tell(Cursor::new(bytes)).unwrap().unwrap();
            assert_eq!(told.format, format);
            assert_eq!(
                told.framework,
                Some(("r".to_owned(), Some("4.3.1".to_owned())))
            );
        }
        for other in [
            &b""[..],
            b"X\n",
            b"X\n\0\0\0\x07\0\0\0\0\0\0\0\0",
            b"\x1f\x8b\x08zzzz",
        ] {
            assert!(tell(Cursor::new(other)).unwrap().is_none(), "{other:?}");
        }
    }
}
