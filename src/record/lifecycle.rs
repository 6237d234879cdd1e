//! The life of a version, and its legal moves.
//!
//! ```text
//! staged -> released -> deprecated -> retired -> recycled -> (gone)
//!                                        ^          |
//!                                        +- restore-+
//! ```

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::codes;
use super::fault::{Code, Fault};

/// Where a version is in its life.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Lifecycle {
    /// Published, not yet for use; what a new version is.
    #[default]
    Staged,
    /// For use.
    Released,
    /// Still served, no longer to be chosen.
    Deprecated,
    /// No longer served; its bytes are kept.
    Retired,
    /// To be deleted after its retention, unless it is restored.
    Recycled,
}

/// A move that a version's life does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version can't go from {from} to {to}")]
pub struct IllegalMove {
    /// Where it is.
    pub from: Lifecycle,
    /// Where it was to go.
    pub to: Lifecycle,
}

impl Fault for IllegalMove {
    fn code(&self) -> &'static Code {
        &codes::ILLEGAL_LIFECYCLE_MOVE
    }

    fn help(&self) -> Option<String> {
        let next: Vec<_> = self.from.next().map(Lifecycle::as_str).collect();
        Some(format!(
            "from {} it can go to {}",
            self.from,
            next.join(" or ")
        ))
    }
}

impl Lifecycle {
    /// Every stage, in the order of a life.
    pub const ALL: [Self; 5] = [
        Self::Staged,
        Self::Released,
        Self::Deprecated,
        Self::Retired,
        Self::Recycled,
    ];

    /// The word in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Released => "released",
            Self::Deprecated => "deprecated",
            Self::Retired => "retired",
            Self::Recycled => "recycled",
        }
    }

    /// Goes one step on, stays, or is restored from `recycled` to `retired`.
    ///
    /// # Errors
    /// [`IllegalMove`] for every other pair.
    pub fn move_to(self, to: Self) -> Result<Self, IllegalMove> {
        use Lifecycle::{Deprecated, Recycled, Released, Retired, Staged};
        match (self, to) {
            (from, to) if from == to => Ok(to),
            (Staged, Released)
            | (Released, Deprecated)
            | (Deprecated, Retired)
            | (Retired, Recycled)
            | (Recycled, Retired) => Ok(to),
            (from, to) => Err(IllegalMove { from, to }),
        }
    }

    /// Where it can go from here.
    pub fn next(self) -> impl Iterator<Item = Self> {
        let others = Self::ALL.into_iter().filter(move |to| *to != self);
        others.filter(move |to| self.move_to(*to).is_ok())
    }

    /// Whether a deployment may use a version at this stage.
    pub const fn can_serve(self) -> bool {
        matches!(self, Self::Staged | Self::Released | Self::Deprecated)
    }
}

impl fmt::Display for Lifecycle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A word that names no stage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a stage of a version's life", text.escape_debug())]
pub struct UnknownLifecycle {
    /// The text as it was given.
    pub text: String,
}

impl Fault for UnknownLifecycle {
    fn code(&self) -> &'static Code {
        &codes::UNKNOWN_LIFECYCLE
    }

    fn help(&self) -> Option<String> {
        Some("use staged, released, deprecated, retired or recycled".to_owned())
    }
}

impl FromStr for Lifecycle {
    type Err = UnknownLifecycle;

    fn from_str(text: &str) -> Result<Self, UnknownLifecycle> {
        Self::ALL
            .into_iter()
            .find(|stage| stage.as_str() == text)
            .ok_or_else(|| UnknownLifecycle {
                text: text.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_five_moves_are_legal() {
        let moves: Vec<_> = Lifecycle::ALL
            .into_iter()
            .flat_map(|from| from.next().map(move |to| format!("{from} -> {to}")))
            .collect();
        assert_eq!(
            moves,
            [
                "staged -> released",
                "released -> deprecated",
                "deprecated -> retired",
                "retired -> recycled",
                "recycled -> retired",
            ]
        );
    }
}
