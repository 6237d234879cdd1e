//! From a filter's text to what it wants.

use super::compare::Literal;
use super::fields::{self, Subject};
use super::{Field, Operator, Wanted};
use crate::ops::codes;
use crate::platform::redact::printable;
use crate::record::{Code, Fault};

/// The longest filter, in bytes.
const MAX_LENGTH: usize = 4096;
/// How deep parentheses and `not`s may lie in each other.
const MAX_DEPTH: usize = 64;

/// A filter that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}, at column {column} of the filter\n{}\n{:>width$}", printable(shown), "^", width = *caret)]
pub struct FilterError {
    /// What is wrong.
    pub reason: String,
    /// Where, in characters from 1.
    pub column: usize,
    /// What to do.
    help: Option<String>,
    /// The part of the filter around the place.
    shown: String,
    /// Where the place is in it, from 1.
    caret: usize,
}

impl FilterError {
    fn new(text: &str, at: usize, reason: impl Into<String>, help: Option<String>) -> Self {
        /// How much of a long filter is shown on each side of the place.
        const AROUND: usize = 40;
        let column = text[..at].chars().count() + 1;
        let begin = column.saturating_sub(AROUND + 1);
        Self {
            reason: reason.into(),
            column,
            help,
            shown: text.chars().skip(begin).take(2 * AROUND).collect(),
            caret: column - begin,
        }
    }
}

impl Fault for FilterError {
    fn code(&self) -> &'static Code {
        &codes::INVALID_FILTER
    }

    fn help(&self) -> Option<String> {
        let example = "write it as in `lifecycle=released and metrics.accuracy>=0.9`";
        Some(self.help.clone().unwrap_or_else(|| example.to_owned()))
    }
}

pub(super) fn parse(text: &str, subject: Subject) -> Result<Wanted, FilterError> {
    let mut parser = Parser {
        text,
        at: 0,
        subject,
        depth: 0,
    };
    if text.len() > MAX_LENGTH {
        return Err(parser.error("it is longer than 4096 bytes"));
    }
    let wanted = parser.any()?;
    parser.skip_spaces();
    if parser.at < text.len() {
        let help = "join conditions by `and` or `or`, and put values with spaces in quotes";
        return Err(parser.error_with_help("one condition ends here", help));
    }
    Ok(wanted)
}

struct Parser<'a> {
    text: &'a str,
    /// The byte that is next.
    at: usize,
    subject: Subject,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Result<Wanted, FilterError> {
        let mut any = vec![self.all()?];
        while self.take_word("or") {
            any.push(self.all()?);
        }
        Ok(match any.len() {
            1 => any.remove(0),
            _ => Wanted::Any(any),
        })
    }

    fn all(&mut self) -> Result<Wanted, FilterError> {
        let mut all = vec![self.one()?];
        while self.take_word("and") {
            all.push(self.one()?);
        }
        Ok(match all.len() {
            1 => all.remove(0),
            _ => Wanted::All(all),
        })
    }

    fn one(&mut self) -> Result<Wanted, FilterError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("parentheses lie deeper in each other than 64"));
        }
        let wanted = if self.take_word("not") {
            Wanted::Not(Box::new(self.one()?))
        } else if self.take("(") {
            let inner = self.any()?;
            if !self.take(")") {
                return Err(self.error("a `)` is missing"));
            }
            inner
        } else {
            self.condition()?
        };
        self.depth -= 1;
        Ok(wanted)
    }

    fn condition(&mut self) -> Result<Wanted, FilterError> {
        let field = self.field()?;
        let Some(operator) = self.operator() else {
            return Ok(Wanted::Present(field));
        };
        self.skip_spaces();
        let at = self.at;
        let literal = Literal::new(self.value()?);
        let orders = !matches!(operator, Operator::Is | Operator::IsNot | Operator::Has);
        if orders && !literal.has_order() {
            let reason = "a number, a version or a date has to stand here";
            return Err(FilterError::new(self.text, at, reason, None));
        }
        Ok(Wanted::Compares(field, operator, literal))
    }

    fn field(&mut self) -> Result<Field, FilterError> {
        self.skip_spaces();
        let begin = self.at;
        let word = self.word(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '@'));
        let parts: Vec<String> = word.split('.').map(str::to_owned).collect();
        if parts.iter().any(String::is_empty) {
            self.at = begin;
            return Err(self.error("a field's name has to stand here"));
        }
        match fields::check(self.subject, &parts) {
            Ok(()) => Ok(parts),
            Err(unknown) => {
                let before: usize = parts[..unknown.part]
                    .iter()
                    .map(|part| part.len() + 1)
                    .sum();
                let reason = format!("there is no field `{}`", printable(&unknown.path));
                let at = begin + before;
                Err(FilterError::new(self.text, at, reason, Some(unknown.help)))
            }
        }
    }

    fn operator(&mut self) -> Option<Operator> {
        const OPERATORS: [(&str, Operator); 8] = [
            ("!=", Operator::IsNot),
            (">=", Operator::AtLeast),
            ("<=", Operator::AtMost),
            ("==", Operator::Is),
            ("=", Operator::Is),
            (">", Operator::More),
            ("<", Operator::Less),
            ("~", Operator::Has),
        ];
        let found = OPERATORS.into_iter().find(|(text, _)| self.take(text));
        found.map(|(_, operator)| operator)
    }

    fn value(&mut self) -> Result<String, FilterError> {
        let quote = self.text[self.at..].chars().next();
        if let Some(quote @ ('\'' | '"')) = quote {
            let inner = &self.text[self.at + 1..];
            let Some(length) = inner.find(quote) else {
                return Err(self.error("this quote has no end"));
            };
            self.at += length + 2;
            return Ok(inner[..length].to_owned());
        }
        let word = self.word(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | '\'' | '"'));
        if word.is_empty() {
            return Err(self.error("a value has to stand here"));
        }
        Ok(word.to_owned())
    }

    fn skip_spaces(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Takes what comes next as long as it `fits`.
    fn word(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let length = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn take(&mut self, text: &str) -> bool {
        self.skip_spaces();
        let found = self.text[self.at..].starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// Takes `word` if it stands alone: `or`, but not the beginning of `origin`.
    fn take_word(&mut self, word: &str) -> bool {
        self.skip_spaces();
        let Some(rest) = self.text[self.at..].strip_prefix(word) else {
            return false;
        };
        let alone = rest.is_empty() || rest.starts_with([' ', '\t', '\n', '(']);
        if alone {
            self.at += word.len();
        }
        alone
    }

    fn error(&self, reason: &str) -> FilterError {
        FilterError::new(self.text, self.at, reason, None)
    }

    fn error_with_help(&self, reason: &str, help: &str) -> FilterError {
        FilterError::new(self.text, self.at, reason, Some(help.to_owned()))
    }
}
