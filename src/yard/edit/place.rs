//! Where in a text a change goes.

use serde_json::{Map, Value};

use super::render::{self, Context, Texts};
use super::split;
use crate::check::yaml::{Children, Field, Place, Style, Tree};

/// A record's text with the places of what is in it.
pub(super) struct Text<'a> {
    source: &'a [u8],
    tree: &'a Tree,
    line_break: &'static str,
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

    pub(super) fn add(&self, pointer: &str, item: &Value) -> Option<Vec<u8>> {
        let place = self.tree.place(pointer)?;
        let Children::Items(items) = &place.children else {
            return None;
        };
        let last = items.last()?;
        if place.style == Style::Flow {
            let text = format!(", {}", render::flow(item));
            return Some(self.spliced(last.span.end, last.span.end, &text));
        }
        let column = self.column(place.span.start);
        let body = self.block(item, column + 2, Context::Item);
        let text = format!("{}- {body}", " ".repeat(column));
        Some(self.with_line_behind(self.end_of_value(last), &text))
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
        let own_line = self.blank_before(field.key.start);
        if !own_line {
            // `- key: value` of a list's item: the next field takes its place.
            let next = fields.get(index + 1)?;
            return Some(self.spliced(field.key.start, next.key.start, ""));
        }
        let start = self.line_start(field.key.start);
        let end = self.next_line(self.end_of(field));
        Some(self.spliced(start, end, ""))
    }

    fn replace(&self, pointer: &str, place: &Place, value: &Value) -> Option<Vec<u8>> {
        let span = place.span;
        let flow = self.in_flow_around(pointer) || pointer.is_empty();
        let collection = matches!(value, Value::Array(_) | Value::Object(_));
        if flow || (place.style == Style::Flow && !render::is_empty(value) && collection) {
            let text = render::flow(value);
            return Some(self.in_place(pointer, place, &text));
        }
        let Some(key) = self.tree.key_span(pointer) else {
            // An item of a block list.
            let column = self.column(span.start);
            let body = self.block(value, column, Context::Item);
            return Some(self.spliced(span.start, self.end_of_value(place), &body));
        };
        let indent = self.column_of_key(key.start);
        if place.style == Style::Block && self.is_alike(pointer, value) {
            // What stands between the key and the first of it stays.
            let body = self.block(value, self.column(span.start), Context::Item);
            return Some(self.spliced(span.start, self.end_of_value(place), &body));
        }
        if collection && !render::is_empty(value) || place.style == Style::Block {
            let body = self.block(value, indent + 2, Context::Field);
            let colon = self.behind_colon(key.end);
            let end = self.end_of_value(place).max(colon);
            return Some(self.spliced(colon, end, &body));
        }
        let text = render::scalar(value, indent + 2, place.style, self.texts);
        Some(self.in_place(pointer, place, &text))
    }

    /// Puts `text` where the value is, or behind the colon where nothing is.
    fn in_place(&self, pointer: &str, place: &Place, text: &str) -> Vec<u8> {
        let span = place.span;
        if span.start < span.end {
            return self.spliced(span.start, span.end, text);
        }
        let at = self
            .tree
            .key_span(pointer)
            .map_or(span.start, |key| self.behind_colon(key.end));
        self.spliced(at, at, &format!(" {text}"))
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
        let indent = self.column_of_key(fields[0].key.start);
        let body = self.block(value, indent + 2, Context::Field);
        let text = format!("{}{name}:{body}", " ".repeat(indent));
        Some(self.with_line_behind(self.end_of(last), &text))
    }

    /// Where a field ends: behind its value, or behind its colon where it has none.
    fn end_of(&self, field: &Field) -> usize {
        let span = field.value.span;
        if span.start < span.end {
            self.end_of_value(&field.value)
        } else {
            self.behind_colon(field.key.end)
        }
    }

    /// Where a value ends, whose last field may have none itself.
    fn end_of_value(&self, place: &Place) -> usize {
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
        match (fields.get(index + 1), index.checked_sub(1)) {
            (Some(next), _) => self.spliced(field.key.start, next.key.start, ""),
            (None, Some(before)) => {
                let (behind, end) = (self.end_of(&fields[before]), self.end_of(field));
                match self.source[behind..field.key.start].contains(&b'\n') {
                    true => self.without_flow_line(field.key.start, end),
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
                self.spliced(field.key.start, end, "")
            }
        }
    }

    fn block(&self, value: &Value, indent: usize, context: Context) -> String {
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
        let mut edited = Vec::with_capacity(self.source.len() + text.len());
        edited.extend_from_slice(&self.source[..start]);
        edited.extend_from_slice(text.as_bytes());
        edited.extend_from_slice(&self.source[end..]);
        edited
    }

    fn behind_colon(&self, key_end: usize) -> usize {
        let colon = self.source[key_end..].iter().position(|&byte| byte == b':');
        colon.map_or(key_end, |at| key_end + at + 1)
    }

    fn line_start(&self, offset: usize) -> usize {
        let before = &self.source[..offset];
        before
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1)
    }

    fn next_line(&self, offset: usize) -> usize {
        // A block scalar's end may be behind its last line break already.
        if offset > 0 && self.source[offset - 1] == b'\n' {
            return offset;
        }
        let behind = self.source[offset..].iter().position(|&byte| byte == b'\n');
        behind.map_or(self.source.len(), |at| offset + at + 1)
    }

    /// How many characters stand before `offset` in its line.
    fn column(&self, offset: usize) -> usize {
        let line = &self.source[self.line_start(offset)..offset];
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        String::from_utf8_lossy(line).chars().count()
    }

    fn column_of_key(&self, key_start: usize) -> usize {
        self.column(key_start)
    }

    fn blank_before(&self, offset: usize) -> bool {
        let line = &self.source[self.line_start(offset)..offset];
        line.iter().all(|&byte| byte == b' ')
    }
}
