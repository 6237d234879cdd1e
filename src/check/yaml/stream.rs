//! Streams of documents as other tools take them: Kubernetes' manifests.
//!
//! More is allowed than in a record: several documents behind each other, anchors, aliases and
//! merge keys, which are written out here, and keys that only look like numbers. What is written
//! out is bounded as a whole, so that a few lines can't become gigabytes.

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError};
use serde_json::{Map, Value};

use super::text::decoded;
use super::{MAX_DEPTH, Problem, Problems, Span, scalar};
use crate::check::codes;
use crate::record::Code;

/// The largest stream: what a cluster of thousands of models prints.
pub const MAX_STREAM_BYTES: usize = 16 << 20;

/// How many documents a stream has at most.
const MAX_DOCUMENTS: usize = 10_000;

/// How many keys and values all documents have at most, aliases written out.
const MAX_STREAM_NODES: usize = 1_000_000;

/// One document of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamDocument {
    /// Which one it is, from 1; those that are empty count.
    pub number: usize,
    /// The line in which it begins, from 1.
    pub line: usize,
    /// What it says.
    pub value: Value,
}

/// A stream that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problems} (document {document})")]
pub struct BrokenStream {
    /// In which document.
    pub document: usize,
    /// What is wrong.
    #[source]
    pub problems: Problems,
}

/// The documents in `source` that are not empty.
///
/// # Errors
/// [`BrokenStream`] with the first thing that is wrong.
pub fn documents(source: &[u8]) -> Result<Vec<StreamDocument>, BrokenStream> {
    let mut builder = Builder::default();
    let read = builder.read(source);
    read.map_err(|problem| BrokenStream {
        document: builder.number.max(1),
        problems: Problems::new(source, vec![problem]),
    })?;
    Ok(builder.documents)
}

/// A list or mapping whose end has not come yet.
struct Open {
    /// The anchor on it; 0 where there is none.
    anchor: usize,
    /// How many keys and values came before it.
    before: usize,
    holds: Holds,
}

enum Holds {
    Items(Vec<Value>),
    Fields {
        map: Map<String, Value>,
        key: Option<Key>,
        /// What merge keys bring.
        merged: Vec<Map<String, Value>>,
    },
}

enum Key {
    Named(String),
    Merge,
}

/// What an anchor stands on.
struct Anchored {
    value: Value,
    nodes: usize,
    depth: usize,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    nodes: usize,
    number: usize,
    start: usize,
    root: Option<Value>,
    documents: Vec<StreamDocument>,
}

impl Builder {
    fn read(&mut self, source: &[u8]) -> Result<(), Problem> {
        if source.len() > MAX_STREAM_BYTES {
            let message = format!(
                "the file has {} bytes, more than the {MAX_STREAM_BYTES} that are read",
                source.len()
            );
            let help = "split it into several files";
            return Err(Problem::new(
                &codes::RECORD_TOO_LARGE,
                Span::new(0, 0),
                message,
                help,
            ));
        }
        let text = decoded(source)?;
        let skipped = source.len() - text.len();
        let options = granit_parser::options! {
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        // Lines are counted as the documents come.
        let (mut line, mut counted) = (1, 0);
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = event.map_err(|error| syntax(&error, text.len(), skipped))?;
            let span = span.byte_range().unwrap_or_default();
            let span = Span::new(span.start + skipped, span.end + skipped);
            if let Event::DocumentEnd = event {
                let start = self.start;
                line += source[counted..start]
                    .iter()
                    .filter(|&&byte| byte == b'\n')
                    .count();
                counted = start;
                self.keep(line);
                continue;
            }
            self.take(event, span)?;
        }
        Ok(())
    }

    fn keep(&mut self, line: usize) {
        self.anchors.clear();
        let value = self.root.take().unwrap_or_default();
        if !value.is_null() {
            self.documents.push(StreamDocument {
                number: self.number,
                line,
                value,
            });
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        match event {
            Event::DocumentStart(..) => {
                self.number += 1;
                self.start = span.start;
                if self.number > MAX_DOCUMENTS {
                    let message = format!("the file has more than {MAX_DOCUMENTS} documents");
                    return Err(large(span, message));
                }
            }
            Event::Alias(anchor) => self.alias(anchor, span)?,
            Event::Scalar(text, style, anchor, tag) => {
                untagged(tag.is_some(), span)?;
                let plain = style == ScalarStyle::Plain;
                self.scalar(&text, plain, anchor, span)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                untagged(tag.is_some(), span)?;
                self.begin(anchor, Holds::Items(Vec::new()), span)?;
            }
            Event::MappingStart(_, anchor, tag) => {
                untagged(tag.is_some(), span)?;
                let fields = Holds::Fields {
                    map: Map::new(),
                    key: None,
                    merged: Vec::new(),
                };
                self.begin(anchor, fields, span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, more: usize, span: Span) -> Result<(), Problem> {
        self.nodes += more;
        if self.nodes <= MAX_STREAM_NODES {
            return Ok(());
        }
        let message = format!(
            "with its aliases written out the file has more than {MAX_STREAM_NODES} keys and values"
        );
        Err(large(span, message))
    }

    fn begin(&mut self, anchor: usize, holds: Holds, span: Span) -> Result<(), Problem> {
        if self.key_awaited() {
            return Err(no_key(span));
        }
        let before = self.nodes;
        self.count(1, span)?;
        self.open.push(Open {
            anchor,
            before,
            holds,
        });
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), Problem> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let value = match open.holds {
            Holds::Items(items) => Value::Array(items),
            Holds::Fields {
                mut map, merged, ..
            } => {
                for (name, value) in merged.into_iter().flatten() {
                    map.entry(name).or_insert(value);
                }
                Value::Object(map)
            }
        };
        self.remember(open.anchor, &value, self.nodes - open.before);
        self.deliver(value, span)
    }

    fn scalar(
        &mut self,
        text: &str,
        plain: bool,
        anchor: usize,
        span: Span,
    ) -> Result<(), Problem> {
        self.count(1, span)?;
        if self.key_awaited() {
            self.remember(anchor, &Value::String(text.to_owned()), 1);
            return self.key(text, plain, span);
        }
        let resolved = if plain {
            scalar::resolve(text)
        } else {
            Ok(None)
        };
        let value = resolved.map_err(|_| {
            let message = "this number can't be held";
            let help = "put it in quotes if it is a text";
            Problem::new(&codes::YAML_NUMBER, span, message, help)
        })?;
        let value = value.unwrap_or_else(|| Value::String(text.to_owned()));
        self.remember(anchor, &value, 1);
        self.deliver(value, span)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Problem> {
        let problem =
            |message: &str, help: &str| Err(Problem::new(&codes::YAML_ANCHOR, span, message, help));
        let Some(anchored) = self.anchors.get(&anchor) else {
            return problem(
                "what this alias stands for has itself in it",
                "write it out",
            );
        };
        let (value, nodes) = (anchored.value.clone(), anchored.nodes);
        if self.open.len() + anchored.depth > MAX_DEPTH {
            let message =
                format!("lists and mappings lie more than {MAX_DEPTH} deep in each other");
            let code = &codes::RECORD_TOO_DEEP;
            return Err(Problem::new(code, span, message, "write it flatter"));
        }
        self.count(nodes, span)?;
        match (self.key_awaited(), &value) {
            (true, Value::String(text)) => {
                let text = text.clone();
                self.key(&text, false, span)
            }
            (true, _) => Err(no_key(span)),
            (false, _) => self.deliver(value, span),
        }
    }

    fn remember(&mut self, anchor: usize, value: &Value, nodes: usize) {
        if anchor > 0 {
            let anchored = Anchored {
                value: value.clone(),
                nodes,
                depth: depth(value),
            };
            self.anchors.insert(anchor, anchored);
        }
    }

    fn key_awaited(&self) -> bool {
        let open = self.open.last().map(|open| &open.holds);
        matches!(open, Some(Holds::Fields { key: None, .. }))
    }

    fn key(&mut self, text: &str, plain: bool, span: Span) -> Result<(), Problem> {
        let Some(Open {
            holds: Holds::Fields { map, key, .. },
            ..
        }) = self.open.last_mut()
        else {
            return Ok(());
        };
        if plain && matches!(text, "" | "~") {
            return Err(no_key(span));
        }
        if plain && text == "<<" {
            *key = Some(Key::Merge);
            return Ok(());
        }
        if map.contains_key(text) {
            let shown: String = text.chars().take(40).collect();
            let message = format!("the key `{}` stands here again", shown.escape_debug());
            let code = &codes::DUPLICATE_KEY;
            return Err(Problem::new(code, span, message, "keep one of the two"));
        }
        *key = Some(Key::Named(text.to_owned()));
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn deliver(&mut self, value: Value, span: Span) -> Result<(), Problem> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(value);
            return Ok(());
        };
        match &mut open.holds {
            Holds::Items(items) => items.push(value),
            Holds::Fields { map, key, merged } => match key.take() {
                Some(Key::Named(name)) => {
                    map.insert(name, value);
                }
                Some(Key::Merge) => {
                    let several = match value {
                        Value::Array(items) => items,
                        one => vec![one],
                    };
                    for one in several {
                        let Value::Object(fields) = one else {
                            let message = "a merge key (`<<`) takes mappings";
                            let code = &codes::YAML_MERGE_KEY;
                            return Err(Problem::new(code, span, message, "write the fields out"));
                        };
                        merged.push(fields);
                    }
                }
                None => return Err(no_key(span)),
            },
        }
        Ok(())
    }
}

/// How deep lists and mappings lie in `value`, which is at most [`MAX_DEPTH`] deep.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn untagged(tagged: bool, span: Span) -> Result<(), Problem> {
    if !tagged {
        return Ok(());
    }
    let message = "tags (`!…`) are not read";
    let help = "delete the tag; put the value in quotes to make it a text";
    Err(Problem::new(&codes::YAML_TAG, span, message, help))
}

fn no_key(span: Span) -> Problem {
    let help = "put it in quotes if it is a template";
    Problem::new(&codes::YAML_KEY, span, "a key has to be a text", help)
}

fn large(span: Span, message: String) -> Problem {
    let help = "split it into several files, and write out what its aliases stand for";
    Problem::new(&codes::RECORD_TOO_LARGE, span, message, help)
}

fn syntax(error: &ScanError, length: usize, skipped: usize) -> Problem {
    let at = error.marker().byte_offset().unwrap_or(length);
    let at = skipped + at.min(length);
    let code: &'static Code = match error.kind() {
        ErrorKind::RecursionLimitExceeded => &codes::RECORD_TOO_DEEP,
        _ => &codes::YAML_SYNTAX,
    };
    let (message, help) = super::syntax::tell(error.kind());
    Problem::new(code, Span::new(at, at + 1), message, help)
}

#[cfg(test)]
mod tests {
    //! What other tools write, and what hostile hands do.

    use serde_json::json;

    use super::*;

    fn values(source: &str) -> Vec<Value> {
        let documents = documents(source.as_bytes()).unwrap();
        documents
            .into_iter()
            .map(|document| document.value)
            .collect()
    }

    fn refused(source: impl AsRef<[u8]>) -> String {
        documents(source.as_ref()).unwrap_err().to_string()
    }

    #[test]
    fn documents_stand_behind_each_other() {
        let source = "# first\na: 1\n---\n---\n# third\nb: [x]\n...\n---\nc: |\n  --- no\n";
        let read = documents(source.as_bytes()).unwrap();
        let told: Vec<_> = read
            .iter()
            .map(|document| (document.number, document.value.clone()))
            .collect();
        assert_eq!(
            told,
            [
                (1, json!({"a": 1})),
                (3, json!({"b": ["x"]})),
                (4, json!({"c": "--- no\n"}))
            ]
        );
        assert!(values("").is_empty());
        assert!(values("---\n# nothing\n---\n").is_empty());
    }

    #[test]
    fn anchors_and_merge_keys_are_written_out() {
        let source =
            "base: &base {cpu: 1, list: &l [a, b]}\none: {<<: *base, cpu: 2}\ntwo: *l\n3: x\n";
        assert_eq!(
            values(source),
            [json!({
                "base": {"cpu": 1, "list": ["a", "b"]},
                "one": {"cpu": 2, "list": ["a", "b"]},
                "two": ["a", "b"],
                "3": "x",
            })]
        );
    }

    #[test]
    fn hostile_streams_are_refused_with_document_and_place() {
        let bomb = (0..30).fold("a: 1\n---\na0: &a0 [x]\n".to_owned(), |text, level| {
            let alias = format!("*a{level}, ").repeat(9);
            format!("{text}a{}: &a{} [{alias}]\n", level + 1, level + 1)
        });
        let deep = (0..5).fold("a0: &a0 x\n".to_owned(), |text, level| {
            let (open, close) = ("[".repeat(20), "]".repeat(20));
            format!(
                "{text}a{}: &a{} {open}*a{level}{close}\n",
                level + 1,
                level + 1
            )
        });
        for (source, told) in [
            (bomb, "more than 1000000 keys and values (document 2)"),
            (deep, "64 deep in each other (document 1)"),
            ("a: &a [*a]\n".to_owned(), "has itself in it (document 1)"),
            ("a: 1\n---\na: *b\n".to_owned(), "(document 2)"),
            (
                "a: 1\n---\nb: 1\nb: 2\n".to_owned(),
                "4:1: the key `b` stands here again (document 2)",
            ),
            ("a: !!str 1\n".to_owned(), "tags"),
            ("<<: 1\n".to_owned(), "a merge key"),
            ("[a]: 1\n".to_owned(), "a key has to be a text"),
            ("a: [1\n".to_owned(), "(document 1)"),
            ("{a: ".repeat(20_000), "64 deep"),
            ("---\na: 1\n".repeat(10_001), "more than 10000 documents"),
        ] {
            let error = refused(&source);
            assert!(error.contains(told), "{told}: {error}");
        }
        assert!(refused(vec![b' '; MAX_STREAM_BYTES + 1]).contains("that are read"));
        assert_eq!(values(&"---\na: 1\n".repeat(10_000)).len(), 10_000);
    }
}
