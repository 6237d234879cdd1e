//! What every error says of itself.
//!
//! A room's errors are small `thiserror` enums. Each also is a [`Fault`]: it has a stable
//! [`Code`] that a machine can match and `modelyard explain` can tell the story of, a next step
//! for the person who reads it, and a [`Class`] that says whether trying again helps. Use cases
//! return [`Failure`], into which every fault turns by `?`.

use std::error::Error;
use std::fmt;

/// A stable, machine-readable name for one thing that can be wrong, with its story.
///
/// The story is Markdown: a title on the first line (`# …`), what is wrong and why it matters,
/// then a wrong and a right example. `modelyard explain CODE` prints it.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Lower-case words joined by hyphens, never changed once released.
    pub id: &'static str,
    /// Markdown, told by `modelyard explain`.
    pub story: &'static str,
}

impl Code {
    /// The first line of the story, without its `# `.
    pub fn title(&self) -> &'static str {
        self.story
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("# ")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.id)
    }
}

/// Declares a room's codes, each with the story that lies beside it in `codes/<id>.md`.
///
/// `codes! { pub static DIGEST_MISMATCH = "digest-mismatch"; … }` makes one static for each and
/// `pub static CODES: &[&Code]` of them all.
#[macro_export]
macro_rules! codes {
    ($($name:ident = $id:literal;)+) => {
        $(
            #[doc = concat!("`", $id, "`: see `modelyard explain ", $id, "`.")]
            pub static $name: $crate::record::Code = $crate::record::Code {
                id: $id,
                story: include_str!(concat!("codes/", $id, ".md")),
            };
        )+
        /// Every code of this room.
        pub static CODES: &[&$crate::record::Code] = &[$(&$name),+];
    };
}

/// What helps against an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The same call may work in a moment.
    Transient,
    /// Something else has to happen first: a lock freed, a review given.
    Blocked,
    /// A person has to change something.
    Permanent,
}

/// An error of this project.
///
/// Its `Display` names the object or place and the cause, and never a secret.
pub trait Fault: Error + Send + Sync + 'static {
    /// The stable name of what is wrong.
    fn code(&self) -> &'static Code;

    /// What to do next, as a sentence that can stand behind `help: `.
    fn help(&self) -> Option<String>;

    /// Whether trying again, waiting or a person helps.
    fn class(&self) -> Class {
        Class::Permanent
    }
}

/// What lies beneath `fault`, outermost first, leaving out what only repeats the line above.
pub fn causes(fault: &dyn Fault) -> Vec<String> {
    let mut causes = Vec::new();
    let mut last = fault.to_string();
    let mut next = fault.source();
    while let Some(error) = next {
        let text = error.to_string();
        if !last.ends_with(&text) {
            causes.push(text.clone());
            last = text;
        }
        next = Error::source(error);
    }
    causes
}

/// The fault and what lies beneath it, in one line.
pub fn with_causes(fault: &dyn Fault) -> String {
    let lines: Vec<_> = [fault.to_string()]
        .into_iter()
        .chain(causes(fault))
        .collect();
    lines.join(": ")
}

/// The fault, what lies beneath it, and what to do next, in one line.
pub fn with_help(fault: &dyn Fault) -> String {
    match fault.help() {
        Some(help) => format!("{}: {help}", with_causes(fault)),
        None => with_causes(fault),
    }
}

/// Any fault, as use cases return it.
pub type Failure = Box<dyn Fault>;

impl<E: Fault> From<E> for Failure {
    fn from(fault: E) -> Self {
        Box::new(fault)
    }
}
