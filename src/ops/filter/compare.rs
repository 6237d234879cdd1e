//! What a filter's value equals, and how it compares.

use std::cmp::Ordering;

use globset::{GlobBuilder, GlobMatcher};
use serde_json::Value;

use super::Operator;
use crate::record::Version;

/// A value of a filter, as it was written and as what it can be.
#[derive(Debug, Clone)]
pub(super) struct Literal {
    text: String,
    number: Option<f64>,
    pattern: Option<GlobMatcher>,
}

impl PartialEq for Literal {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Literal {
    pub(super) fn new(text: String) -> Self {
        Self {
            number: number(&text),
            pattern: text.contains('*').then(|| pattern(&text)).flatten(),
            text,
        }
    }

    /// Whether it can be more or less than a number, a version or a date.
    pub(super) fn has_order(&self) -> bool {
        self.number.is_some() || self.text.starts_with(|c: char| c.is_ascii_digit())
    }

    /// Whether `value` is this.
    pub(super) fn is(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => match &self.pattern {
                Some(pattern) => pattern.is_match(text),
                None => *text == self.text,
            },
            Value::Number(number) => self.number.is_some() && number.as_f64() == self.number,
            Value::Bool(value) => self.text == if *value { "true" } else { "false" },
            _ => false,
        }
    }

    /// Whether `value` compares to this in the way of `operator`.
    pub(super) fn holds(&self, operator: Operator, value: &Value) -> bool {
        let ordered = |wanted: fn(Ordering) -> bool| self.order(value).is_some_and(wanted);
        match operator {
            Operator::Is => self.is(value),
            Operator::IsNot => !self.is(value),
            Operator::Has => {
                let part = self.text.to_lowercase();
                value
                    .as_str()
                    .is_some_and(|text| text.to_lowercase().contains(&part))
            }
            Operator::More => ordered(Ordering::is_gt),
            Operator::AtLeast => ordered(Ordering::is_ge),
            Operator::Less => ordered(Ordering::is_lt),
            Operator::AtMost => ordered(Ordering::is_le),
        }
    }

    /// How `value` compares to this: as numbers, as versions, or as texts, which dates are, too.
    fn order(&self, value: &Value) -> Option<Ordering> {
        if let Some(value) = value.as_f64() {
            return value.partial_cmp(&self.number?);
        }
        let value = value.as_str()?;
        if let (Ok(value), Some(ours)) = (value.parse::<Version>(), version(&self.text)) {
            return Some(value.cmp(&ours));
        }
        // A date without a time is that day's beginning: `2026-03-01T…` comes after `2026-03-01`.
        value
            .starts_with(|c: char| c.is_ascii_digit())
            .then(|| value.cmp(&self.text))
    }
}

/// A version; `1` and `1.2` are those of the lowest numbers.
fn version(text: &str) -> Option<Version> {
    let missing = 2_usize.checked_sub(text.matches('.').count())?;
    format!("{text}{}", ".0".repeat(missing)).parse().ok()
}

fn pattern(text: &str) -> Option<GlobMatcher> {
    // Only `*` has a meaning of its own.
    let escaped: String = text
        .chars()
        .flat_map(|c| {
            let plain = c.is_alphanumeric() || c == '*' || !c.is_ascii();
            [(!plain).then_some('\\'), Some(c)]
        })
        .flatten()
        .collect();
    let glob = GlobBuilder::new(&escaped)
        .literal_separator(false)
        .backslash_escape(true)
        .build();
    Some(glob.ok()?.compile_matcher())
}

/// A number, with a unit of bytes behind it where one is.
fn number(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 9] = [
        ("TiB", 1024.0 * 1024.0 * 1024.0 * 1024.0),
        ("GiB", 1024.0 * 1024.0 * 1024.0),
        ("MiB", 1024.0 * 1024.0),
        ("KiB", 1024.0),
        ("TB", 1e12),
        ("GB", 1e9),
        ("MB", 1e6),
        ("kB", 1e3),
        ("B", 1.0),
    ];
    let with_unit = UNITS.iter().find_map(|(unit, size)| {
        let number = text.strip_suffix(unit)?.trim_end();
        Some((number, *size))
    });
    let (number, size) = with_unit.unwrap_or((text, 1.0));
    let number: f64 = number.parse().ok()?;
    number.is_finite().then_some(number * size)
}
