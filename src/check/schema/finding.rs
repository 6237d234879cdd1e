//! What the schema has against a record, before it is given a place in the file.

use crate::check::closest::closest;
use crate::check::codes;
use crate::check::yaml::escape;
use crate::record::Code;

/// What stands between the names of fields of which one is missing.
pub(super) const EITHER: &str = " or ";

/// One thing that the schema has against a record.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    /// The JSON pointer of the value that the schema looked at.
    pub pointer: String,
    /// What of it is meant.
    pub target: Target,
    /// Its stable name.
    pub code: &'static Code,
    /// How near it is to the root cause, of all that is said of one value.
    pub rank: Rank,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// How near a finding is to the root cause: a text that is no digest is so whatever pattern it
/// breaks besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// It is of another type, unknown, or missing.
    Kind,
    /// It is not what its format asks for.
    Format,
    /// It breaks any other rule.
    Rule,
}

/// What of a value is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// The value itself.
    Value,
    /// One of its keys.
    Key(String),
    /// A key that it lacks; several with [`EITHER`] between them where one would do.
    Missing(String),
}

impl Finding {
    /// The pointer of what is meant.
    pub(super) fn place(&self) -> String {
        match &self.target {
            Target::Value => self.pointer.clone(),
            Target::Key(key) | Target::Missing(key) => {
                format!("{}/{}", self.pointer, escape(key))
            }
        }
    }
}

/// Leaves of several findings with one root cause one.
pub(super) fn reduce(findings: &mut Vec<Finding>) {
    let all = findings.clone();
    let mut index = 0;
    findings.retain(|finding| {
        let mut others = all.iter().enumerate().filter(|(other, _)| *other != index);
        let follows = others.any(|(other, root)| follows(finding, root, other < index));
        index += 1;
        !follows
    });
}

/// Whether `finding` is only what follows from `root`, which came before it or not.
fn follows(finding: &Finding, root: &Finding, before: bool) -> bool {
    if root.pointer != finding.pointer {
        return false;
    }
    match (&finding.target, &root.target) {
        // A field that is misspelt is not missing, nor is one that another stands in place of.
        (Target::Missing(names), Target::Key(key)) => {
            let conflict = root.code == &codes::FIELDS_CONFLICT;
            closest(key, names.split(EITHER)).is_some()
                || (conflict && root.message.contains(&format!("`{names}`")))
        }
        // One of several that would do is asked for as such.
        (Target::Missing(name), Target::Missing(names)) if name != names => {
            names.split(EITHER).any(|other| other == name)
        }
        (one, other) if one == other => {
            root.rank < finding.rank || (root.rank == finding.rank && before)
        }
        _ => false,
    }
}
