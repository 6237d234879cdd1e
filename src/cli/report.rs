//! What a command prints.

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
    /// One YAML document
    Yaml,
    /// Bare names, one a line
    Name,
    /// Workflow commands of GitHub
    #[value(hide = true)]
    Github,
    /// SARIF, for code scanning
    #[value(hide = true)]
    Sarif,
    /// GitLab's code quality report
    #[value(hide = true)]
    Gitlab,
    /// A comment, or the summary of a job
    #[value(hide = true)]
    Markdown,
    /// Test reports
    #[value(hide = true)]
    Junit,
}

impl Format {
    /// Whether it is for pipelines, and so for what checks.
    pub const fn is_for_pipelines(self) -> bool {
        match self {
            Self::Text | Self::Json | Self::Yaml | Self::Name => false,
            Self::Github | Self::Sarif | Self::Gitlab | Self::Markdown | Self::Junit => true,
        }
    }
}

/// A command's result.
///
/// Its `Serialize` is the machine's view, whose field names are kept from release to release.
pub trait Report: Serialize {
    /// Writes it for people.
    ///
    /// # Errors
    /// Only what `page` itself fails with.
    fn text(&self, page: &mut Page) -> fmt::Result;

    /// The names of the things in it, as other commands take them.
    fn names(&self) -> Vec<String>;
}

/// Where a report writes its text.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// What was written.
    pub fn into_text(self) -> String {
        self.0
    }
}

impl fmt::Write for Page {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.push_str(text);
        Ok(())
    }
}
