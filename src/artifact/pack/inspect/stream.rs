//! Bytes that are read forward, in order, and never further than a bound.
//!
//! What a file holds is found by reading past what is not asked for: of a file that lies on disk
//! that is passed over by seeking, of what has to be inflated by inflating and dropping it.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// How much is read ahead.
const BUFFER_BYTES: usize = 64 * 1024;

/// A source that can pass over bytes.
pub(super) trait Forward: BufRead {
    /// Passes over `count` bytes, and says how many had to be read for it.
    ///
    /// # Errors
    /// If the source can't be read. Passing over its end may be told only by the next read.
    fn pass(&mut self, count: u64) -> io::Result<u64>;
}

/// A source that can be sought in.
pub(super) struct Lying<R>(BufReader<R>);

/// A source that can only be read, such as what is being inflated.
pub(super) struct Running<R>(BufReader<R>);

/// A source with a bound and a place in it.
pub(super) struct Stream<S> {
    source: S,
    position: u64,
    left: u64,
}

impl<R: Read + Seek> Stream<Lying<R>> {
    /// Begins at byte `begin` of `file`, of which no more than `limit` bytes are read.
    pub(super) fn lying(mut file: R, begin: u64, limit: u64) -> io::Result<Self> {
        file.seek(SeekFrom::Start(begin))?;
        let reader = BufReader::with_capacity(BUFFER_BYTES, file);
        Ok(Self::new(Lying(reader), limit))
    }
}

impl<R: Read> Stream<Running<R>> {
    /// Begins where `reader` is, of which no more than `limit` bytes are read.
    pub(super) fn running(reader: R, limit: u64) -> Self {
        let reader = BufReader::with_capacity(BUFFER_BYTES, reader);
        Self::new(Running(reader), limit)
    }
}

impl<S: Forward> Stream<S> {
    fn new(source: S, limit: u64) -> Self {
        Self {
            source,
            position: 0,
            left: limit,
        }
    }

    /// How many bytes were read or passed over.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The next byte without taking it; nothing at the end.
    pub(super) fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.source.fill_buf()?.first().copied())
    }

    /// The next byte.
    pub(super) fn byte(&mut self) -> io::Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// The next `length` bytes, if they are no more than `limit`; they are passed over otherwise.
    pub(super) fn bytes(&mut self, length: u64, limit: u64) -> io::Result<Option<Vec<u8>>> {
        if length > limit {
            self.pass(length)?;
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        self.fill(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// The next line without its end, if it is no longer than `limit`; the rest of a longer one
    /// is passed over. Nothing at the end.
    pub(super) fn line(&mut self, limit: usize) -> io::Result<Option<Line>> {
        if self.peek()?.is_none() {
            return Ok(None);
        }
        let (mut line, mut whole) = (Vec::new(), true);
        loop {
            let chunk = self.source.fill_buf()?;
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = &chunk[..end.unwrap_or(chunk.len())];
            if line.len() + part.len() <= limit {
                line.extend_from_slice(part);
            } else {
                whole = false;
            }
            let taken = part.len() + usize::from(end.is_some());
            if taken == 0 {
                break;
            }
            self.source.consume(taken);
            self.take(taken as u64)?;
            if end.is_some() {
                break;
            }
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(if whole {
            Line::Whole(line)
        } else {
            Line::TooLong
        }))
    }

    /// Passes over `count` bytes.
    pub(super) fn pass(&mut self, count: u64) -> io::Result<()> {
        let read = self.source.pass(count)?;
        self.position = self.position.saturating_add(count - read);
        self.take(read)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.take(bytes.len() as u64)?;
        self.source.read_exact(bytes).map_err(in_words)
    }

    fn take(&mut self, count: u64) -> io::Result<()> {
        self.position = self.position.saturating_add(count);
        let left = self.left.checked_sub(count);
        self.left = left.ok_or_else(|| io::Error::other("more would have to be read than is"))?;
        Ok(())
    }
}

/// A line, or that it is longer than asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Whole(Vec<u8>),
    TooLong,
}

impl Line {
    /// The line as text, if it is whole and UTF-8.
    pub(super) fn into_text(self) -> Option<String> {
        match self {
            Self::Whole(bytes) => String::from_utf8(bytes).ok(),
            Self::TooLong => None,
        }
    }
}

/// An end that came too early, as people say it.
fn in_words(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return io::Error::new(error.kind(), "it ends too early");
    }
    error
}

impl<R: Read + Seek> Forward for Lying<R> {
    fn pass(&mut self, count: u64) -> io::Result<u64> {
        let distance = i64::try_from(count).map_err(|_| io::Error::other("a length is a lie"))?;
        self.0.seek_relative(distance)?;
        Ok(0)
    }
}

impl<R: Read> Forward for Running<R> {
    fn pass(&mut self, count: u64) -> io::Result<u64> {
        let passed = io::copy(&mut (&mut self.0).take(count), &mut io::sink())?;
        if passed < count {
            return Err(in_words(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(passed)
    }
}

macro_rules! buffered {
    ($($source:ident: $($bound:ident)+;)+) => {$(
        impl<R: $($bound +)+> Read for $source<R> {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                self.0.read(into)
            }
        }

        impl<R: $($bound +)+> BufRead for $source<R> {
            fn fill_buf(&mut self) -> io::Result<&[u8]> {
                self.0.fill_buf()
            }

            fn consume(&mut self, count: usize) {
                self.0.consume(count);
            }
        }
    )+};
}

buffered! {
    Lying: Read Seek;
    Running: Read;
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn both_kinds_pass_over_what_is_not_asked_for() {
        let bytes = b"0123456789\nline\r\nlonger line\nend";
        let mut lying = Stream::lying(Cursor::new(bytes), 0, 1000).unwrap();
        let mut running = Stream::running(&bytes[..], 1000);
        lying.pass(4).unwrap();
        running.pass(4).unwrap();
        assert_eq!((lying.position(), running.position()), (4, 4));
        assert_eq!(lying.bytes(4, 3).unwrap(), None);
        assert_eq!(running.bytes(4, 4).unwrap().unwrap(), b"4567");
        for line in [b"89".to_vec(), b"line".to_vec()] {
            assert_eq!(lying.line(9).unwrap(), Some(Line::Whole(line.clone())));
            assert_eq!(running.line(9).unwrap(), Some(Line::Whole(line)));
        }
        assert_eq!(lying.line(9).unwrap(), Some(Line::TooLong));
        assert_eq!(lying.line(9).unwrap(), Some(Line::Whole(b"end".to_vec())));
        assert_eq!(lying.line(9).unwrap(), None);
    }

    #[test]
    fn a_bound_holds() {
        let mut running = Stream::running(io::repeat(0), 10);
        assert!(running.pass(8).is_ok());
        assert!(running.array::<4>().is_err());
        let mut cut = Stream::running(&b"abc"[..], 10);
        assert_eq!(
            cut.array::<4>().unwrap_err().to_string(),
            "it ends too early"
        );
    }
}
