//! XML of which elements and attributes are asked for, read in passing.
//!
//! No entity but XML's own five is known, nothing is fetched, and no element, text or nesting is
//! larger than a bound.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// The most bytes of one tag or text.
const MAX_EVENT_BYTES: u64 = 8 * 1024 * 1024;
/// How deep elements may lie in one another.
const MAX_DEPTH: usize = 256;
/// The most attributes of an element.
const MAX_ATTRIBUTES: usize = 256;
/// The longest text that is kept.
const MAX_TEXT_BYTES: usize = 256;
/// The longest value of an attribute.
const MAX_VALUE_BYTES: usize = 64 * 1024;

/// A document that is read tag by tag.
pub(super) struct Xml<R> {
    reader: Reader<BufReader<Rationed<io::Take<R>>>>,
    ration: Rc<Cell<u64>>,
    buffer: Vec<u8>,
    depth: usize,
    /// Whether the last element had no content and is closed next.
    closing: bool,
    text: String,
}

/// An element's beginning or end; the root lies at depth 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Open {
        depth: usize,
        element: Element,
    },
    /// With the text before it, if that is short.
    Close {
        depth: usize,
        text: String,
    },
}

/// An element's name, without its prefix, and its attributes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    attributes: BTreeMap<String, String>,
}

impl Element {
    /// The attribute `name`, if there is one that isn't empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.attributes.get(name).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }
}

/// What was read.
enum Seen {
    Open(Element, bool),
    Close,
    Text(String),
    Other,
    End,
}

/// What of the file may be read before the next tag is done.
struct Rationed<R> {
    file: R,
    ration: Rc<Cell<u64>>,
}

impl<R: Read> Read for Rationed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(into)?;
        let left = self.ration.get().checked_sub(count as u64);
        self.ration
            .set(left.ok_or_else(|| io::Error::other("a tag or text in it is too long"))?);
        Ok(count)
    }
}

impl<R: Read> Xml<R> {
    /// Begins where `file` is, of which at most `limit` bytes are read.
    pub(super) fn new(file: R, limit: u64) -> Self {
        let ration = Rc::new(Cell::new(0));
        let rationed = Rationed {
            file: file.take(limit),
            ration: Rc::clone(&ration),
        };
        Self {
            reader: Reader::from_reader(BufReader::new(rationed)),
            ration,
            buffer: Vec::new(),
            depth: 0,
            closing: false,
            text: String::new(),
        }
    }

    /// The next tag; nothing at the end.
    ///
    /// # Errors
    /// If it is no XML, or above a bound.
    pub(super) fn tag(&mut self) -> io::Result<Option<Tag>> {
        if self.closing {
            self.closing = false;
            return Ok(Some(self.close()));
        }
        loop {
            match self.event()? {
                Seen::Open(element, closing) => {
                    self.closing = closing;
                    self.text.clear();
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(io::Error::other("its elements lie too deep in one another"));
                    }
                    let depth = self.depth;
                    return Ok(Some(Tag::Open { depth, element }));
                }
                Seen::Close => return Ok(Some(self.close())),
                Seen::Text(text) => self.text = text,
                Seen::Other => {}
                Seen::End => return Ok(None),
            }
        }
    }

    fn event(&mut self) -> io::Result<Seen> {
        self.ration.set(MAX_EVENT_BYTES);
        self.buffer.clear();
        let event = self.reader.read_event_into(&mut self.buffer);
        Ok(match event.map_err(broken)? {
            Event::Start(start) => Seen::Open(element(&start)?, false),
            Event::Empty(start) => Seen::Open(element(&start)?, true),
            Event::End(_) => Seen::Close,
            Event::Text(text) if text.len() <= MAX_TEXT_BYTES => {
                Seen::Text(String::from_utf8_lossy(&text).into_owned())
            }
            Event::Eof => Seen::End,
            _ => Seen::Other,
        })
    }

    fn close(&mut self) -> Tag {
        let depth = self.depth;
        self.depth = depth.saturating_sub(1);
        let text = std::mem::take(&mut self.text);
        Tag::Close { depth, text }
    }
}

fn broken(error: quick_xml::Error) -> io::Error {
    match error {
        quick_xml::Error::Io(error) => io::Error::new(error.kind(), error.to_string()),
        error => io::Error::other(error.to_string()),
    }
}

fn element(start: &BytesStart<'_>) -> io::Result<Element> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut element = Element {
        name: text(start.local_name().as_ref()),
        attributes: BTreeMap::new(),
    };
    for attribute in start.attributes().take(MAX_ATTRIBUTES) {
        let attribute = attribute.map_err(|error| io::Error::other(error.to_string()))?;
        if attribute.value.len() > MAX_VALUE_BYTES {
            continue;
        }
        // A value with an entity of the document's own is not asked for.
        if let Ok(value) = attribute.normalized_value(XmlVersion::Implicit1_0) {
            let name = text(attribute.key.local_name().as_ref());
            element.attributes.insert(name, value.into_owned());
        }
    }
    Ok(element)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_come_with_their_depths_and_attributes() {
        let text = r#"<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "b">]>
            <p:a x="1 &lt; 2" y="&b;"><!-- c --><b/>text</p:a>"#;
        let mut xml = Xml::new(text.as_bytes(), 1000);
        let mut tags = Vec::new();
        while let Some(tag) = xml.tag().unwrap() {
            tags.push(match tag {
                Tag::Open { depth, element } => {
                    format!(
                        "{depth} {} {:?} {:?}",
                        element.name,
                        element.get("x"),
                        element.get("y")
                    )
                }
                Tag::Close { depth, text } => format!("{depth} /{text}"),
            });
        }
        assert_eq!(
            tags,
            [
                "1 a Some(\"1 < 2\") None",
                "2 b None None",
                "2 /",
                "1 /text"
            ]
        );
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let nested = "<a>".repeat(MAX_DEPTH + 1);
        let mut xml = Xml::new(nested.as_bytes(), u64::MAX);
        let error = loop {
            match xml.tag() {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains("too deep"), "{error}");
        let mut endless = Xml::new((&b"<a "[..]).chain(io::repeat(b' ')), u64::MAX);
        let error = endless.tag().unwrap_err();
        assert!(error.to_string().contains("too long"), "{error}");
    }
}
