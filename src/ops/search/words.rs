//! What is searched for, as words.

use unicode_normalization::UnicodeNormalization;

use super::text::folded;
use crate::ops::codes;
use crate::record::{Code, Fault};

/// The most words of a search, so that a whole text as one takes no age.
const MOST: usize = 32;

/// Why there is nothing to search for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoWords {
    /// There is no word.
    #[error("there is no word to search for")]
    None,
    /// There are more words than any model would have.
    #[error("{count} words are too many to search for: {MOST} are the most")]
    TooMany {
        /// How many.
        count: usize,
    },
}

impl Fault for NoWords {
    fn code(&self) -> &'static Code {
        &codes::NO_WORDS
    }

    fn help(&self) -> Option<String> {
        Some(
            "say one or a few, as in `modelyard search digits`; `modelyard list` has all"
                .to_owned(),
        )
    }
}

/// The words of a search, folded as texts are.
#[derive(Debug)]
pub(super) struct Words(Vec<String>);

impl Words {
    pub(super) fn of(text: &str) -> Result<Self, NoWords> {
        let text: String = text.nfc().collect();
        let words: Vec<_> = folded(&text)
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        match words.len() {
            0 => Err(NoWords::None),
            count if count > MOST => Err(NoWords::TooMany { count }),
            _ => Ok(Self(words)),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}
