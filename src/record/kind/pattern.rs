//! Patterns that choose models.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

use super::grammar::{Grammar, ValueError};
use crate::record::ModelName;

/// The longest pattern.
const MAX_LENGTH: usize = 255;

/// Which models a rule is for: `*` for every one, or a pattern for the namespace and one for the
/// name, such as `vision/*`.
///
/// In each part `*` stands for any text, `?` for one character, `[ab]` for one of some, and
/// `{a,b}` for one of some words; none of them reaches over the slash. A pattern without a slash
/// is refused, because `vision*` would choose nothing and a rule would guard nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelPattern {
    text: String,
    matcher: GlobMatcher,
}

impl ModelPattern {
    /// How it is written.
    pub const GRAMMAR: Grammar = Grammar {
        noun: "a pattern for models",
        example: "vision/*",
    };

    /// Whether `model` is one of those that are meant.
    pub fn matches(&self, model: &ModelName) -> bool {
        self.text == "*" || self.matcher.is_match(model.to_string())
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for ModelPattern {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let error = |reason| ValueError::new(&Self::GRAMMAR, text, reason);
        if text.len() > MAX_LENGTH {
            return Err(error("it is longer than 255 characters"));
        }
        let valid = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-*?[]{},!/".contains(&byte)
        };
        if !text.bytes().all(valid) {
            return Err(error("no model's name could be meant by a character in it"));
        }
        let parts: Vec<_> = text.split('/').collect();
        let two = parts.len() == 2 && parts.iter().all(|part| !part.is_empty());
        if text != "*" && !two {
            return Err(error(
                "it has to be `*`, or to have exactly one `/` between a namespace and a name",
            ));
        }
        let matcher = GlobBuilder::new(text)
            .literal_separator(true)
            .build()
            .map_err(|_| error("its brackets or braces don't fit together"))?
            .compile_matcher();
        Ok(Self {
            text: text.to_owned(),
            matcher,
        })
    }
}

impl PartialEq for ModelPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for ModelPattern {}

impl Hash for ModelPattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Display for ModelPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

crate::record::text::conversions!(ModelPattern, ValueError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_never_reaches_over_the_slash() {
        let chooses = |pattern: &str, model: &str| {
            let pattern: ModelPattern = pattern.parse().unwrap();
            pattern.matches(&model.parse().unwrap())
        };
        assert!(chooses("*", "vision/defects"));
        assert!(chooses("*/*", "vision/defects"));
        assert!(chooses("vision/*", "vision/defects"));
        assert!(chooses("vision/{defects,digits}", "vision/digits"));
        assert!(chooses("*/defects-v?", "vision/defects-v2"));
        assert!(!chooses("vision/*", "vision-2/defects"));
        assert!(!chooses("v*/d", "vision/defects"));
    }

    #[test]
    fn a_pattern_that_would_choose_nothing_is_refused() {
        for bad in [
            "",
            "**",
            "vision*",
            "vision/",
            "/defects",
            "a/b/c",
            "Vision/*",
            "vision/[a",
            "a/{b",
            "a /b",
            &format!("{}/b", "a".repeat(300)),
        ] {
            assert!(bad.parse::<ModelPattern>().is_err(), "{bad:?} was taken");
        }
    }
}
