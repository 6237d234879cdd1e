//! What is wrong with a text as YAML.

use std::fmt;

use super::{Position, Span};
use crate::record::{Code, Fault};

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its stable name.
    pub code: &'static Code,
    /// Where it is.
    pub span: Span,
    /// What it is.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Another place that has to do with it, and how.
    pub related: Option<(Span, String)>,
}

impl Problem {
    pub(super) fn new(
        code: &'static Code,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            code,
            span,
            message: message.into(),
            help: help.into(),
            related: None,
        }
    }

    /// With another place that has to do with it, and how.
    pub(super) fn related(mut self, span: Span, message: &str) -> Self {
        self.related = Some((span, message.to_owned()));
        self
    }
}

/// All that is wrong with a text as YAML; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems {
    list: Vec<(Problem, Position)>,
}

impl Problems {
    pub(super) fn new(source: &[u8], problems: Vec<Problem>) -> Self {
        let list = problems
            .into_iter()
            .map(|problem| {
                let position = Position::of(source, problem.span.start);
                (problem, position)
            })
            .collect();
        Self { list }
    }

    /// Each with its position.
    pub fn iter(&self) -> impl Iterator<Item = &(Problem, Position)> {
        self.list.iter()
    }

    fn first(&self) -> &(Problem, Position) {
        &self.list[0]
    }
}

impl fmt::Display for Problems {
    /// The first one as `line:column: message`, and how many there are besides.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (problem, Position { line, column }) = self.first();
        write!(formatter, "{line}:{column}: {}", problem.message)?;
        match self.list.len() {
            1 => Ok(()),
            more => write!(formatter, " (and {} more)", more - 1),
        }
    }
}

impl Fault for Problems {
    fn code(&self) -> &'static Code {
        self.first().0.code
    }

    fn help(&self) -> Option<String> {
        Some(self.first().0.help.clone())
    }
}
