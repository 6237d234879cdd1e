//! `kind: Policy`: gates that a change has to pass.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::envelope::{Envelope, Named, Spec};
use super::grammar::{Grammar, ValueError, words};
use super::{Kind, Record};
use crate::record::Lifecycle;

/// `policies/<name>.yaml`.
pub type Policy = Envelope<PolicySpec>;

/// Which changes are looked at, and what has to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicySpec {
    /// Which changes; all of them where nothing is said.
    #[serde(
        default,
        rename = "match",
        skip_serializing_if = "PolicyMatch::is_empty"
    )]
    pub matching: PolicyMatch,
    /// What has to hold.
    pub gates: Vec<Gate>,
    /// Examples of changes, and which gates each fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<PolicyTest>,
}

/// Which changes a policy looks at.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyMatch {
    /// Of records of these kinds; of any where nothing is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<Kind>,
    /// That are one of these moves; any where nothing is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transitions: Vec<Transition>,
}

/// A legal move of a version's life: `staged -> released`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Transition {
    from: Lifecycle,
    to: Lifecycle,
}

/// A rule in CEL over a record, what it was before, and its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gate {
    /// What has to hold, in words.
    pub name: String,
    /// The same in CEL; it has to be true.
    pub expr: String,
    /// What to say where it does not hold; CEL in braces is filled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What it means when it does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

/// An example of a change, and which gates it fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyTest {
    /// What it is an example of, in words.
    pub name: String,
    /// What the expressions can name.
    pub given: Map<String, Value>,
    /// The gates that do not hold, by their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fails: Vec<String>,
}

words! {
    /// What it means when a gate does not hold.
    Severity, "a severity",
    {
        /// The change can't merge.
        Error = "error",
        /// The change can merge, and is warned of.
        Warning = "warning",
    }
}

impl Transition {
    /// How it is written.
    pub const GRAMMAR: Grammar = Grammar {
        noun: "a move of a version's life",
        example: "staged -> released",
    };

    /// Where it begins.
    pub fn from(self) -> Lifecycle {
        self.from
    }

    /// Where it ends.
    pub fn to(self) -> Lifecycle {
        self.to
    }
}

impl FromStr for Transition {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let error = |reason: String| ValueError::new(&Self::GRAMMAR, text, reason);
        let (from, to) = text
            .split_once(" -> ")
            .ok_or_else(|| error("two stages with ` -> ` between them have to stand".to_owned()))?;
        let stage = |word: &str| {
            word.parse::<Lifecycle>()
                .map_err(|unknown| error(unknown.to_string()))
        };
        let (from, to) = (stage(from)?, stage(to)?);
        if from == to {
            return Err(error("it stays where it is".to_owned()));
        }
        from.move_to(to)
            .map_err(|illegal| error(illegal.to_string()))?;
        Ok(Self { from, to })
    }
}

impl fmt::Display for Transition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} -> {}", self.from, self.to)
    }
}

crate::record::text::conversions!(Transition, ValueError);

impl Spec for PolicySpec {
    const KIND: Kind = Kind::Policy;
    type Metadata = Named;
}

impl PolicyMatch {
    /// Whether every change is meant.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty() && self.transitions.is_empty()
    }
}

impl Gate {
    /// What it means when it does not hold; [`Severity::Error`] where nothing is said.
    pub fn severity(&self) -> Severity {
        self.severity.unwrap_or(Severity::Error)
    }
}

impl From<Policy> for Record {
    fn from(policy: Policy) -> Self {
        Self::Policy(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_legal_moves_can_be_named() {
        for good in ["staged -> released", "recycled -> retired"] {
            assert_eq!(good.parse::<Transition>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "released",
            "released->deprecated",
            "staged -> staged",
            "released -> staged",
            "staged -> gone",
        ] {
            assert!(bad.parse::<Transition>().is_err(), "{bad:?} was taken");
        }
    }
}
