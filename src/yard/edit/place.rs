//! Where in a text a change goes.

use std::ops::Range;

use serde_json::{Map, Value};

use super::render::{self, Context, Texts};
use super::split;
use crate::check::yaml::{Children, Field, Place, Style, Tree};

/// A record's text with the places of what is in it.
pub(super) struct Text<'a> {
    pub(super) source: &'a [u8],
    pub(super) tree: &'a Tree,
    pub(super) line_break: &'static str,
    texts: Texts,
}

impl<'a> Text<'a> {
    pub(super) fn new(source: &'a [u8], tree: &'a Tree) -> Self {
        let first = source.iter().position(|&byte| byte == b'\n');
        let crlf = first.is_some_and(|at| at > 0 && source[at - 1] == b'\r');
        Self {
            source,
            tree,
            line_break: if crlf { "\r\n" } else { "\n" },
            texts: Texts::OnLines,
        }
    }

    /// The same, which writes texts of several lines so.
    pub(super) fn with(self, texts: Texts) -> Self {
        Self { texts, ..self }
    }

    pub(super) fn set(&self, pointer: &str, value: &Value) -> Option<Vec<u8>> {
        if let Some(place) = self.tree.place(pointer) {
            return self.replace(pointer, place, value);
        }
        let (parent, key) = split(pointer)?;
        match (self.tree.place(parent), self.tree.value().pointer(parent)) {
            (Some(place), Some(Value::Object(map))) if !map.is_empty() => {
                self.insert_field(parent, place, &key, value)
            }
            (Some(_), Some(Value::Object(_) | Value::Null)) | (None, _) => {
                let mut map = Map::new();
                map.insert(key, value.clone());
                self.set(parent, &Value::Object(map))
            }
            _ => None,
        }
    }

    pub(super) fn remove(&self, pointer: &str) -> Option<Vec<u8>> {
        let (parent, key) = split(pointer)?;
        let Children::Fields(fields) = &self.tree.place(parent)?.children else {
            return None;
        };
        if fields.len() == 1 && parent.matches('/').count() > 1 && !self.is_item(parent) {
            return self.remove(parent);
        }
        let names = self.tree.value().pointer(parent)?.as_object()?.keys();
        let index = names.into_iter().position(|name| *name == key)?;
        let field = &fields[index];
        if self.in_flow(parent) {
            return Some(self.without_flow_field(fields, index));
        }
        if fields.len() == 1 {
            // The last field of `metadata`, `spec` or a list's item leaves an empty mapping.
            let place = self.tree.place(parent)?;
            let (start, end) = (place.span.start, self.end_of_value(place));
            return Some(self.spliced(start, end, "{}"));
        }
        let start = field.start;
        if !self.blank_before(start) {
            // `- key: value` of a list's item: the next field takes its place.
            let next = fields.get(index + 1)?.start;
            return Some(self.spliced(start, next, ""));
        }
        let start = self.line_start(start);
        let end = self.next_line(self.end_of(field));
        Some(self.spliced(start, end, ""))
    }

    fn replace(&self, pointer: &str, place: &Place, value: &Value) -> Option<Vec<u8>> {
        let flow = self.in_flow_around(pointer) || pointer.is_empty();
        let collection = matches!(value, Value::Array(_) | Value::Object(_));
        if flow || (place.style == Style::Flow && !render::is_empty(value) && collection) {
            let text = render::flow(value);
            return Some(self.in_place(pointer, place, &text));
        }
        let Some(field) = self.field(pointer) else {
            // An item of a block list.
            return Some(self.in_block(place, value));
        };
        let (key, indent) = (field.key, self.column(field.start));
        if place.style == Style::Block && self.is_alike(pointer, value) {
            // What stands between the key and the first of it stays.
            return Some(self.in_block(place, value));
        }
        if collection && !render::is_empty(value) || place.style == Style::Block {
            let body = self.block(value, indent + 2, Context::Field);
            let Some(colon) = self.behind_colon(key.end) else {
                return Some(self.with_colon(key.end, indent, &body));
            };
            let end = self.end_of_value(place).max(colon);
            return Some(self.spliced(colon, end, &body));
        }
        let text = render::scalar(value, indent + 2, place.style, self.texts);
        if self.behind_colon(key.end).is_none() {
            return Some(self.with_colon(key.end, indent, &format!(" {text}")));
        }
        Some(self.in_place(pointer, place, &text))
    }

    /// Puts `value` as a block from where the value begins.
    fn in_block(&self, place: &Place, value: &Value) -> Vec<u8> {
        let start = place.span.start;
        let body = self.block(value, self.column(start), Context::Item);
        self.spliced(start, self.end_of_value(place), &body)
    }

    /// Puts `text` where the value is, or behind the colon where nothing is: in brackets there may
    /// be no colon, either.
    fn in_place(&self, pointer: &str, place: &Place, text: &str) -> Vec<u8> {
        let span = place.span;
        if span.start < span.end {
            return self.spliced(span.start, span.end, text);
        }
        let Some(key) = self.tree.key_span(pointer) else {
            return self.spliced(span.start, span.start, &format!(" {text}"));
        };
        match self.behind_colon(key.end) {
            Some(at) => self.spliced(at, at, &format!(" {text}")),
            None => self.spliced(key.end, key.end, &format!(": {text}")),
        }
    }

    /// Puts a colon and `body` behind a `? key` that has neither.
    fn with_colon(&self, key_end: usize, indent: usize, body: &str) -> Vec<u8> {
        self.with_line_behind(key_end, &format!("{}:{body}", " ".repeat(indent)))
    }

    fn insert_field(
        &self,
        parent: &str,
        place: &Place,
        key: &str,
        value: &Value,
    ) -> Option<Vec<u8>> {
        let Children::Fields(fields) = &place.children else {
            return None;
        };
        let last = fields.last()?;
        let name = render::key(key);
        if self.in_flow(parent) {
            let text = format!(", {name}: {}", render::flow(value));
            let end = self.end_of(last);
            return Some(self.spliced(end, end, &text));
        }
        let indent = self.column(fields[0].start);
        let body = self.block(value, indent + 2, Context::Field);
        let text = format!("{}{name}:{body}", " ".repeat(indent));
        Some(self.with_line_behind(self.end_of(last), &text))
    }

    /// The field that `pointer` names; an item of a list is none.
    fn field(&self, pointer: &str) -> Option<&Field> {
        let key = self.tree.key_span(pointer)?;
        let (parent, _) = pointer.rsplit_once('/')?;
        match &self.tree.place(parent)?.children {
            Children::Fields(fields) => fields.iter().find(|field| field.key == key),
            _ => None,
        }
    }

    /// Where a field ends: behind its value, or where it has none behind its colon, or its key.
    fn end_of(&self, field: &Field) -> usize {
        let span = field.value.span;
        if span.start < span.end {
            self.end_of_value(&field.value)
        } else {
            self.behind_colon(field.key.end).unwrap_or(field.key.end)
        }
    }

    /// Where a value ends, whose last field may have none itself.
    pub(super) fn end_of_value(&self, place: &Place) -> usize {
        if place.style != Style::Block {
            return place.span.end;
        }
        match &place.children {
            Children::Fields(fields) => fields.last().map(|last| self.end_of(last)),
            Children::Items(items) => items.last().map(|last| self.end_of_value(last)),
            Children::None => None,
        }
        .unwrap_or(place.span.end)
    }

    fn without_flow_field(&self, fields: &[Field], index: usize) -> Vec<u8> {
        let field = &fields[index];
        let start = field.start;
        match (fields.get(index + 1), index.checked_sub(1)) {
            (Some(next), _) => self.spliced(start, next.start, ""),
            (None, Some(before)) => {
                let (behind, end) = (self.end_of(&fields[before]), self.end_of(field));
                match self.source[behind..start].contains(&b'\n') {
                    true => self.without_flow_line(start, end),
                    false => self.spliced(behind, end, ""),
                }
            }
            (None, None) => {
                // The only one may have a comma, too, which nothing else needs.
                let end = self.end_of(field);
                let rest = self.source[end..].trim_ascii_start();
                let end = match rest.first() {
                    Some(b',') => self.source.len() - rest.len() + 1,
                    _ => end,
                };
                self.spliced(start, end, "")
            }
        }
    }

    pub(super) fn block(&self, value: &Value, indent: usize, context: Context) -> String {
        render::block(value, indent, context, self.texts)
    }

    /// Whether `pointer` names an item of a list.
    fn is_item(&self, pointer: &str) -> bool {
        let list = split(pointer).and_then(|(list, _)| self.tree.value().pointer(list));
        list.is_some_and(Value::is_array)
    }

    /// Whether `value` is a list where one is, or a mapping where one is, and not empty.
    fn is_alike(&self, pointer: &str, value: &Value) -> bool {
        match (self.tree.value().pointer(pointer), value) {
            (Some(Value::Array(_)), Value::Array(items)) => !items.is_empty(),
            (Some(Value::Object(_)), Value::Object(map)) => !map.is_empty(),
            _ => false,
        }
    }

    /// Without the field from `start` to `end`, which begins on a line of its own, and its comma;
    /// the comma before it, behind which there may be a comment, may stand at the end, too.
    fn without_flow_line(&self, start: usize, end: usize) -> Vec<u8> {
        let blank = |at: usize| {
            let rest = self.source[at..].iter();
            at + rest.take_while(|byte| matches!(byte, b' ' | b'\t')).count()
        };
        let comma = blank(end);
        let end = match self.source.get(comma) {
            Some(b',') => comma + 1,
            _ => end,
        };
        match self.source.get(blank(end)) {
            Some(b'\n' | b'\r') if self.blank_before(start) => {
                self.spliced(self.line_start(start), self.next_line(end), "")
            }
            _ => self.spliced(start, end, ""),
        }
    }

    /// Whether what `pointer` names is written in brackets, or lies in what is.
    fn in_flow(&self, pointer: &str) -> bool {
        let own = self.tree.place(pointer);
        own.is_some_and(|place| place.style == Style::Flow) || self.in_flow_around(pointer)
    }

    fn in_flow_around(&self, pointer: &str) -> bool {
        match pointer.rsplit_once('/') {
            Some((parent, _)) => self.in_flow(parent),
            None => false,
        }
    }

    /// `text` as a line of its own, behind the line in which `offset` is.
    fn with_line_behind(&self, offset: usize, text: &str) -> Vec<u8> {
        let at = self.next_line(offset);
        if at > 0 && self.source[at - 1] == b'\n' {
            self.spliced(at, at, &format!("{text}\n"))
        } else {
            self.spliced(at, at, &format!("\n{text}\n"))
        }
    }

    fn spliced(&self, start: usize, end: usize, text: &str) -> Vec<u8> {
        let text = text.replace('\n', self.line_break);
        self.spliced_bytes(start..end, text.as_bytes())
    }

    /// The source with `bytes`, whose line breaks are right, in place of a range.
    pub(super) fn spliced_bytes(&self, range: Range<usize>, bytes: &[u8]) -> Vec<u8> {
        let (before, behind) = (&self.source[..range.start], &self.source[range.end..]);
        [before, bytes, behind].concat()
    }

    /// Where a key's colon ends, if it has one; that of a `? key` stands on another line, and
    /// comments may be in between.
    fn behind_colon(&self, key_end: usize) -> Option<usize> {
        let mut at = key_end;
        loop {
            at += match self.source.get(at)? {
                b' ' | b'\t' | b'\r' | b'\n' => 1,
                b'#' => self.source[at..].iter().position(|&byte| byte == b'\n')?,
                b':' => return Some(at + 1),
                _ => return None,
            };
        }
    }

    pub(super) fn line_start(&self, offset: usize) -> usize {
        let before = &self.source[..offset];
        before
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1)
    }

    pub(super) fn next_line(&self, offset: usize) -> usize {
        // A block scalar's end may be behind its last line break already.
        if offset > 0 && self.source[offset - 1] == b'\n' {
            return offset;
        }
        let behind = self.source[offset..].iter().position(|&byte| byte == b'\n');
        behind.map_or(self.source.len(), |at| offset + at + 1)
    }

    /// How many characters stand before `offset` in its line.
    pub(super) fn column(&self, offset: usize) -> usize {
        let line = &self.source[self.line_start(offset)..offset];
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        String::from_utf8_lossy(line).chars().count()
    }

    pub(super) fn blank_before(&self, offset: usize) -> bool {
        let line = &self.source[self.line_start(offset)..offset];
        line.iter().all(|&byte| byte == b' ')
    }
}
