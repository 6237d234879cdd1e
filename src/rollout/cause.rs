//! Why a version failed.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::choice::Content;
use crate::record::Name;

/// Why a version failed, or a person has to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// Its bytes must not be used.
    Refused {
        /// Which.
        content: Content,
        /// Why.
        why: String,
    },
    /// Its golden tests don't pass.
    Golden {
        /// Whose.
        content: Content,
        /// Which, and how.
        why: String,
    },
    /// Its replicas ended or never answered.
    Starts {
        /// Whose.
        content: Content,
        /// How many of them.
        failures: u32,
        /// What the last one said.
        why: String,
    },
    /// An analysis doesn't hold.
    Analysis {
        /// Which.
        name: Name,
        /// What the last measurement said.
        last: String,
    },
    /// An analysis says neither.
    Unclear {
        /// Which.
        name: Name,
        /// What the last measurement said.
        last: String,
    },
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { content, why } => {
                write!(formatter, "{content} must not be used: {}", line(why))
            }
            Self::Golden { content, why } => {
                write!(formatter, "{content} fails its golden tests: {}", line(why))
            }
            Self::Starts {
                content,
                failures,
                why,
            } => write!(
                formatter,
                "{content} failed {failures} times: {}",
                line(why)
            ),
            Self::Analysis { name, last } => {
                write!(
                    formatter,
                    "the analysis {name} doesn't hold: {}",
                    line(last)
                )
            }
            Self::Unclear { name, last } => {
                write!(
                    formatter,
                    "the analysis {name} says neither: {}",
                    line(last)
                )
            }
        }
    }
}

/// What others said, in one line without control characters.
pub(super) fn line(text: &str) -> impl fmt::Display {
    let plain = text.trim().chars();
    plain
        .map(|one| if one.is_control() { ' ' } else { one })
        .collect::<String>()
}
