//! Lists in brackets.
//!
//! ```text
//! split: [ # the list's own
//!   {weight: 80}, # behind the first
//!   # above the second
//!   {weight: 20}
//! ]
//! ```
//!
//! What stands between two items that stay neighbours is left as it is. Elsewhere the comments on
//! an item's own line and those on the lines above it go with it.

use std::ops::Range;

use super::super::place::Text;
use super::super::render;
use super::Slot;
use crate::check::yaml::Place;

/// What stands between two items, or an item and a bracket.
struct Gap<'a> {
    raw: &'a str,
    /// What follows the item before on its line.
    line: &'a str,
    /// What stands on the lines behind that; nothing if there are none.
    rest: Option<&'a str>,
}

impl<'a> Gap<'a> {
    fn of(raw: &'a str) -> Self {
        let (line, rest) = match raw.split_once('\n') {
            Some((line, rest)) => (line.trim_end_matches('\r'), Some(rest)),
            None => (raw, None),
        };
        Self { raw, line, rest }
    }

    /// Where the comma is in what follows the item before on its line.
    fn comma(&self) -> Option<usize> {
        self.line
            .find(['#', ','])
            .filter(|at| self.line[*at..].starts_with(','))
    }

    fn has_comma(&self) -> bool {
        let is_comma = |line: &str| line.trim_start().starts_with(',');
        self.comma().is_some() || self.rest.is_some_and(|rest| rest.lines().any(is_comma))
    }

    /// The end of the line of the item before: a comma if it `wants` one, and the comment.
    fn tail(&self, wants: bool) -> String {
        let is_said = self.line.contains('#');
        match (self.comma(), wants) {
            (Some(comma), true) if !is_said => self.line[..=comma].to_owned(),
            (Some(comma), false) if is_said => {
                self.line[..comma].to_owned() + &self.line[comma + 1..]
            }
            (None, true) if is_said => format!(",{}", self.line),
            (None, true) => ",".to_owned(),
            _ if is_said => self.line.to_owned(),
            _ => String::new(),
        }
    }

    /// The comments above the item behind, and its margin.
    fn lead(&self) -> Option<String> {
        let rest = self.rest?;
        let is_comment = |line: &&str| line.trim_start().starts_with('#');
        let comments = rest.split_inclusive('\n').filter(is_comment);
        let margin = rest.rsplit('\n').next().unwrap_or_default();
        let margin = margin.chars().take_while(|c| c.is_whitespace());
        Some(comments.collect::<String>() + &margin.collect::<String>())
    }
}

/// A list in brackets, cut into its items and what stands between them.
struct Cut<'a> {
    items: Vec<&'a str>,
    gaps: Vec<Gap<'a>>,
    /// What stands before an item on a line of its own.
    margin: String,
    line_break: &'static str,
    is_over_lines: bool,
}

impl Text<'_> {
    pub(super) fn arrange_flow(
        &self,
        place: &Place,
        items: &[Place],
        slots: &[Slot<'_>],
    ) -> Option<Vec<u8>> {
        let inner = place.span.start + 1..place.span.end - 1;
        let cut = self.cut(inner.clone(), items)?;
        let mut text = cut.begin(slots.first()?);
        for (at, slot) in slots.iter().enumerate() {
            if at > 0 {
                cut.join(&mut text, slots[at - 1], *slot);
            }
            match slot {
                Slot::Old(index) => text += cut.items[*index],
                Slot::New(value) => text += &render::flow(value),
            }
        }
        cut.end(&mut text, *slots.last()?);
        Some(self.spliced_bytes(inner, text.as_bytes()))
    }

    fn cut(&self, inner: Range<usize>, places: &[Place]) -> Option<Cut<'_>> {
        let text = |range: Range<usize>| std::str::from_utf8(self.source.get(range)?).ok();
        let (mut items, mut gaps) = (Vec::new(), Vec::new());
        let mut at = inner.start;
        for place in places {
            gaps.push(Gap::of(text(at..place.span.start)?));
            items.push(text(place.span.start..place.span.end)?);
            at = place.span.end;
        }
        let is_over_lines = gaps.iter().any(|gap| gap.rest.is_some());
        gaps.push(Gap::of(text(at..inner.end)?));
        let on_own = places
            .iter()
            .find(|place| self.blank_before(place.span.start));
        let column = self.column(on_own.or(places.first())?.span.start);
        Some(Cut {
            items,
            gaps,
            margin: " ".repeat(column),
            line_break: self.line_break,
            is_over_lines,
        })
    }
}

impl Cut<'_> {
    /// What stands before the first item.
    fn begin(&self, first: &Slot<'_>) -> String {
        let gap = &self.gaps[0];
        if *first == Slot::Old(0) {
            return gap.raw.to_owned();
        }
        let lead = self.lead(*first);
        let own = gap.raw.split_inclusive('\n').next();
        let mut text = own.unwrap_or_default().to_owned();
        if gap.rest.is_some() || lead.contains('#') {
            self.break_line(&mut text);
            text += &lead;
        }
        text
    }

    /// Writes what stands between two items.
    fn join(&self, text: &mut String, one: Slot<'_>, other: Slot<'_>) {
        match (one, other) {
            (Slot::Old(one), Slot::Old(other)) if one + 1 == other => {
                *text += self.gaps[other].raw;
            }
            _ => {
                let (tail, lead) = (self.tail(one, true), self.lead(other));
                *text += &tail;
                if self.is_over_lines || tail.contains('#') || lead.contains('#') {
                    self.break_line(text);
                    *text += &lead;
                } else {
                    text.push(' ');
                }
            }
        }
    }

    /// Writes what stands behind the last item.
    fn end(&self, text: &mut String, last: Slot<'_>) {
        let gap = &self.gaps[self.items.len()];
        if last == Slot::Old(self.items.len() - 1) {
            *text += gap.raw;
            return;
        }
        let tail = self.tail(last, gap.has_comma());
        *text += &tail;
        match (gap.rest, gap.comma()) {
            (Some(rest), _) => {
                self.break_line(text);
                *text += rest;
            }
            (None, _) if tail.contains('#') => {
                self.break_line(text);
                *text += &self.margin;
            }
            (None, Some(comma)) => *text += &gap.line[comma + 1..],
            (None, None) => *text += gap.line,
        }
    }

    /// The comments above an item, and its margin.
    fn lead(&self, slot: Slot<'_>) -> String {
        let own = match slot {
            Slot::Old(index) => self.gaps[index].lead(),
            Slot::New(_) => None,
        };
        own.unwrap_or_else(|| self.margin.clone())
    }

    /// The end of an item's line: a comma if it `wants` one, and the comment.
    fn tail(&self, slot: Slot<'_>, wants: bool) -> String {
        match slot {
            Slot::Old(index) => self.gaps[index + 1].tail(wants),
            Slot::New(_) if wants => ",".to_owned(),
            Slot::New(_) => String::new(),
        }
    }

    fn break_line(&self, text: &mut String) {
        if !text.ends_with('\n') {
            *text += self.line_break;
        }
    }
}
