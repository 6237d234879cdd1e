//! How far a value reaches that only its indentation ends: the parser tells where its parts are,
//! and not where the whole of it begins and ends.

use super::position::line_start;
use super::{Children, Span};

/// A record's text, whose offsets count the bytes that stand before it.
#[derive(Clone, Copy)]
pub(super) struct Extent<'a> {
    /// The text without its BOM.
    pub(super) text: &'a str,
    /// How many bytes of BOM stand before it.
    pub(super) skipped: usize,
}

impl Extent<'_> {
    /// From a block's first key or dash to the end of its last value; `start` is where the parser
    /// saw it begin.
    pub(super) fn of_block(self, start: usize, children: &Children) -> Span {
        match children {
            Children::Fields(fields) => match (fields.first(), fields.last()) {
                (Some(first), Some(last)) => {
                    let fields = first.key.to(last.key).to(last.value.span);
                    Span::new(first.start, fields.end)
                }
                _ => Span::new(start, start),
            },
            Children::Items(items) => match (items.first(), items.last()) {
                (Some(first), Some(last)) => {
                    let before = &self.text[..first.span.start - self.skipped];
                    let dash = last_dash(before);
                    let start = dash.map_or(first.span.start, |dash| dash + self.skipped);
                    Span::new(start, last.span.end)
                }
                _ => Span::new(start, start),
            },
            Children::None => Span::new(start, start),
        }
    }

    /// Where the field of a key begins: at the key, or at the `?` before it on its line.
    pub(super) fn of_key(self, key: Span) -> usize {
        let before = &self.text[..key.start - self.skipped];
        let lead = before.trim_end_matches([' ', '\t']);
        let ends = [' ', '\t', '\n', '\r', '{', '[', ','];
        let is_lead = |lead: &str| lead.is_empty() || lead.ends_with(ends);
        match lead.strip_suffix('?') {
            Some(lead) if lead.len() + 1 < before.len() && is_lead(lead) => {
                lead.len() + self.skipped
            }
            _ => key.start,
        }
    }

    /// A block scalar's bytes from its `|` or `>` to its last line that is not blank; `span` is
    /// that of its lines, and `behind` where what stands before it ends.
    pub(super) fn of_scalar(self, span: Span, behind: usize) -> Span {
        let content = &self.text.as_bytes()[..span.end.max(behind) - self.skipped];
        let from = behind - self.skipped;
        let to = (span.start - self.skipped).max(from);
        let gap = &content[from..to];
        // Only comments, a `:`, dashes and line breaks can stand before the header, and a
        // comment's line ends before the header's begins.
        let mut header_line_end = gap.len();
        while let Some(line) = gap[..header_line_end]
            .iter()
            .rposition(|&byte| byte == b'\n')
        {
            if gap[line..header_line_end]
                .iter()
                .any(|byte| !byte.is_ascii_whitespace())
            {
                break;
            }
            header_line_end = line;
        }
        let header_line = line_start(gap, header_line_end);
        let header = gap[header_line..header_line_end]
            .iter()
            .position(|&byte| byte == b'|' || byte == b'>')
            .map(|at| from + header_line + at);
        let start = header.map_or(to, |header| header) + self.skipped;
        let text = &content[..span.end - self.skipped];
        let length = text.trim_ascii_end().len();
        Span::new(start, (length + self.skipped).max(start + 1))
    }
}

/// Where the dash of an item is; between the two there are only blanks, comments, and dashes of
/// lists around it.
fn last_dash(before: &str) -> Option<usize> {
    let mut before = before;
    loop {
        let line_start = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let line = before[line_start..].split('#').next().unwrap_or_default();
        if !line.trim().is_empty() {
            let line = line.trim_end().strip_suffix('-')?;
            return Some(line_start + line.len());
        }
        before = &before[..line_start.checked_sub(1)?];
    }
}
