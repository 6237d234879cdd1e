//! How a field's text may be written.
//!
//! A small type stands for each grammar. The two macros here make them: [`text_type!`] for a text
//! with a rule, [`words!`] for a closed set of words. Both read and write as plain strings, and
//! both refuse with a [`ValueError`] that says what was expected and how to write it.

use std::borrow::Cow;

use crate::record::codes;
use crate::record::fault::{Code, Fault};

/// What a field's text stands for, and an example of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Grammar {
    /// What it is, with its article: `a licence`.
    pub noun: &'static str,
    /// One that is right.
    pub example: &'static str,
}

/// Why a text is not what its field asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not {}: {reason}", text.escape_debug(), grammar.noun)]
pub struct ValueError {
    /// What it should have been.
    pub grammar: &'static Grammar,
    /// The text as it was given.
    pub text: String,
    /// Which rule it breaks.
    pub reason: Cow<'static, str>,
}

impl ValueError {
    /// `text` breaks `reason` of `grammar`.
    pub(super) fn new(
        grammar: &'static Grammar,
        text: &str,
        reason: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            grammar,
            text: text.to_owned(),
            reason: reason.into(),
        }
    }
}

impl Fault for ValueError {
    fn code(&self) -> &'static Code {
        &codes::INVALID_VALUE
    }

    fn help(&self) -> Option<String> {
        Some(format!(
            "write {} as in `{}`",
            self.grammar.noun, self.grammar.example
        ))
    }
}

/// Makes a type of a text that `$broken_rule` (`fn(&str) -> Option<reason>`) finds nothing wrong
/// with.
macro_rules! text_type {
    ($(#[$attribute:meta])* $name:ident, $noun:literal, as in $example:literal, $broken_rule:path) => {
        $(#[$attribute])*
        #[derive(
            Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// How it is written.
            pub const GRAMMAR: $crate::record::kind::Grammar = $crate::record::kind::Grammar {
                noun: $noun,
                example: $example,
            };

            /// The text as it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::record::kind::ValueError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match $broken_rule(text) {
                    None => Ok(Self(text.to_owned())),
                    Some(reason) => Err(Self::Err::new(&Self::GRAMMAR, text, reason)),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        $crate::record::text::conversions!($name, $crate::record::kind::ValueError);
    };
}

/// Makes an enum of a closed set of words.
macro_rules! words {
    (
        $(#[$attribute:meta])* $name:ident, $noun:literal,
        { $($(#[$word_attribute:meta])* $word:ident = $text:literal,)+ }
    ) => {
        $(#[$attribute])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize,
        )]
        pub enum $name {
            $($(#[$word_attribute])* #[serde(rename = $text)] $word,)+
        }

        impl $name {
            /// How it is written.
            pub const GRAMMAR: $crate::record::kind::Grammar = $crate::record::kind::Grammar {
                noun: $noun,
                example: [$($text),+][0],
            };

            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$word),+];

            /// The word in records.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => $text,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::record::kind::ValueError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|word| word.as_str() == text)
                    .ok_or_else(|| {
                        let reason = concat!("it has to be one of", $(" `", $text, "`",)+);
                        Self::Err::new(&Self::GRAMMAR, text, reason)
                    })
            }
        }
    };
}

pub(super) use {text_type, words};
