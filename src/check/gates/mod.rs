//! Gates: what policies ask of a change, and what came of it.
//!
//! A check makes [`Question`]s of the policies and the changed records. They are answered where an
//! expression can do no harm (a process of its own, within bounds): [`evaluate()`] does it, purely.
//! The answers are handed back, and told like everything else.
//!
//! The policies that count are those of the base, so that no change relaxes its own gate, and those
//! that the change adds. What an expression can name:
//!
//! | variable | what it is |
//! | --- | --- |
//! | `version`, `model`, `deployment`, `environment`, `policy`, `yard` | the changed record, by its kind: its spec, with its metadata beside it |
//! | `before` | the same as it was; null where it is new |
//! | `champion` | the version that the model's alias `champion` means on the base, in the same form; null where there is none |
//! | `change` | `kind`, `transition` (such as `staged -> released`), `authors`; `approvals` where they are known |
//! | `evidence` | what stores and signatures said, where they were asked: `present`, `sizeBytes`, `files`, `shortfalls` |
//!
//! What is missing fails the gate, unless the expression guards it by `has(…)`, `hasMetric(…)` or
//! `x != null`.

mod evaluate;
mod given;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use evaluate::evaluate;
pub use given::Known;
pub(super) use given::{Held, asked, held};

/// The longest expression, and the longest message, in bytes.
pub const MAX_EXPRESSION_BYTES: usize = 4096;

/// What a gate asks of one changed record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// The policy's file.
    pub policy: String,
    /// The gate's place in it.
    pub gate: usize,
    /// The changed record's file; nothing where only the expression itself is looked at.
    pub path: Option<String>,
    /// The expression.
    pub expression: String,
    /// What to say where it does not hold, with expressions in braces.
    pub message: Option<String>,
    /// What the expression can name.
    pub variables: Map<String, Value>,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// It holds, or can be evaluated.
    Holds,
    /// It does not hold.
    Fails {
        /// The policy's message, filled in.
        message: Option<String>,
        /// The comparisons that don't hold, with their values: `0.91 >= 0.97`.
        values: Vec<String>,
    },
    /// It can't be evaluated, whatever the record: it is no expression, or no yes or no.
    Invalid {
        /// Why.
        why: String,
    },
    /// It can't be evaluated for this record: something is missing, or it took too much.
    Missing {
        /// Why.
        why: String,
    },
}

/// What came of all questions, in their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers {
    by: BTreeMap<(String, usize, Option<String>), Answer>,
}

/// What is known of gates.
#[derive(Debug, Clone, Copy)]
pub enum Gates<'a> {
    /// Nothing, and nobody will ask: a gate that is there does not hold.
    Unasked,
    /// The change's pull request will be checked; here nothing is said of gates.
    Later,
    /// What came of them.
    Answered(&'a Answers),
}

impl Answers {
    /// Notes what came of a question.
    pub fn insert(&mut self, question: &Question, answer: Answer) {
        let Question {
            policy, gate, path, ..
        } = question;
        self.by
            .insert((policy.clone(), *gate, path.clone()), answer);
    }

    /// What came of a gate for a record.
    pub fn of(&self, policy: &str, gate: usize, path: Option<&str>) -> Option<&Answer> {
        let key = (policy.to_owned(), gate, path.map(str::to_owned));
        self.by.get(&key)
    }
}
