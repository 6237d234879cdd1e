//! Lists with a dash before each item.
//!
//! ```text
//! owners:
//!   # The first.         ┐
//!   - team: vision # one │ an item's lines: comments above its dash, and all up to the
//!     # deeper           │ next item's; behind the last one, what is deeper than the dash
//!                        ┘
//!   - team: nlp
//!   # about none of them
//! ```

use std::ops::Range;

use super::super::place::Text;
use super::super::render::Context;
use super::Slot;
use crate::check::yaml::{Children, Place, Style};

impl Text<'_> {
    pub(super) fn arrange_block(
        &self,
        place: &Place,
        items: &[Place],
        slots: &[Slot<'_>],
    ) -> Option<Vec<u8>> {
        let start = place.span.start;
        let column = self.column(start);
        let margin = " ".repeat(column);
        let lines = self.lines_of_items(start, column, items)?;
        let all = lines.first()?.start..lines.last()?.end;
        let begins_behind = !self.blank_before(start);
        let mut text = Vec::new();
        for slot in slots {
            if !text.is_empty() && !text.ends_with(b"\n") {
                text.extend_from_slice(self.line_break.as_bytes());
            }
            match *slot {
                Slot::Old(index) => {
                    if index == 0 && begins_behind {
                        text.extend_from_slice(margin.as_bytes());
                    }
                    text.extend_from_slice(&self.source[lines[index].clone()]);
                }
                Slot::New(value) => {
                    let body = self.block(value, column + 2, Context::Item);
                    let line = format!("{margin}- {body}\n").replace('\n', self.line_break);
                    text.extend_from_slice(line.as_bytes());
                }
            }
        }
        let is_as_it_was = match slots.last()? {
            Slot::Old(index) => index + 1 == items.len() || self.holds_blanks(&items[*index]),
            Slot::New(_) => false,
        };
        if !is_as_it_was {
            trim_end(&mut text, self.source[..all.end].ends_with(b"\n"));
        }
        if !begins_behind {
            return Some(self.spliced_bytes(all, &text));
        }
        // What stands before the list stands on the line of its first dash, unless comments come
        // between the two.
        match text.strip_prefix(margin.as_bytes()) {
            Some(rest) if rest.starts_with(b"-") => Some(self.spliced_bytes(all, rest)),
            _ => {
                let before = self.source[..start].trim_ascii_end().len();
                let text = [self.line_break.as_bytes(), &text].concat();
                Some(self.spliced_bytes(before..all.end, &text))
            }
        }
    }

    /// The lines of each item; those of a first one that stands behind something begin at its dash.
    fn lines_of_items(
        &self,
        start: usize,
        column: usize,
        items: &[Place],
    ) -> Option<Vec<Range<usize>>> {
        let mut begins = Vec::with_capacity(items.len());
        let mut end = 0;
        for (index, item) in items.iter().enumerate() {
            let dash = match index {
                0 => start,
                _ => self.dash(item.span.start, column)?,
            };
            begins.push(match index == 0 && !self.blank_before(start) {
                true => start,
                false => self.above(self.line_start(dash), column, end),
            });
            end = self.next_line(self.end_of_value(item).max(dash + 1));
        }
        let last = items.last()?;
        end = self.below(end, column, self.holds_blanks(last));
        begins.push(end);
        Some(begins.windows(2).map(|pair| pair[0]..pair[1]).collect())
    }

    /// Where the dash of an item stands, whose value begins at `value`.
    fn dash(&self, value: usize, column: usize) -> Option<usize> {
        let mut line = self.line_start(value);
        loop {
            let dash = line + column;
            let behind = self.source.get(dash + 1);
            let is_dash = dash < value
                && self.source[dash] == b'-'
                && self.blank_before(dash)
                && behind.is_none_or(u8::is_ascii_whitespace);
            if is_dash {
                return Some(dash);
            }
            line = self.line_start(line.checked_sub(1)?);
        }
    }

    /// Where the comments begin that stand right above `line`, no deeper than `column`, and not
    /// above `end`.
    fn above(&self, line: usize, column: usize, end: usize) -> usize {
        let mut begin = line;
        while begin > end {
            let above = self.line_start(begin - 1);
            match self.comment(above) {
                // Above the first, what stands further out is about the whole list.
                Some(at) if at == column || at < column && end > 0 => begin = above,
                _ => break,
            }
        }
        begin
    }

    /// Where the lines end that belong to the value that ends before `line`: comments that are
    /// deeper than `column`, and if it `holds` them, blank lines.
    fn below(&self, line: usize, column: usize, holds: bool) -> usize {
        let (mut end, mut at) = (line, line);
        while at < self.source.len() {
            let next = self.next_line(at + 1);
            let is_blank = self.source[at..next].trim_ascii().is_empty();
            match self.comment(at) {
                Some(deep) if deep > column => end = next,
                _ if is_blank && holds && end == at => end = next,
                _ if is_blank => {}
                _ => break,
            }
            at = next;
        }
        end
    }

    /// Whether the last of a value is a text that keeps the blank lines behind it.
    fn holds_blanks(&self, place: &Place) -> bool {
        match &place.children {
            Children::Items(items) => items.last().is_some_and(|last| self.holds_blanks(last)),
            Children::Fields(fields) => fields
                .last()
                .is_some_and(|last| self.holds_blanks(&last.value)),
            Children::None => {
                let text = self.source[place.span.start..].iter();
                let mut header = text.take_while(|byte| !matches!(byte, b' ' | b'\n'));
                matches!(place.style, Style::Literal | Style::Folded)
                    && header.any(|&byte| byte == b'+')
            }
        }
    }

    /// The column of the comment that is all of the line at `line`.
    fn comment(&self, line: usize) -> Option<usize> {
        let rest = &self.source[line..];
        let indent = rest.iter().take_while(|&&byte| byte == b' ').count();
        (rest.get(indent) == Some(&b'#')).then_some(indent)
    }
}

/// Takes the blank lines from the end that stood between items; and the last line break, unless it
/// `breaks` there.
fn trim_end(text: &mut Vec<u8>, breaks: bool) {
    while let Some(rest) = text.strip_suffix(b"\n") {
        let line = rest
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        if !rest[line..].trim_ascii().is_empty() {
            break;
        }
        text.truncate(line);
    }
    if !breaks {
        text.truncate(text.trim_ascii_end().len());
    }
}
